"""Batchway: boto3 programs for Bedrock batch jobs, on Bedrock, OpenAI, Gemini or Anthropic.

The program is ``batchway`` (or ``python -m batchway``). For tests of pipelines see
:mod:`batchway.testing`.
"""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("batchway")
except PackageNotFoundError:  # a clone of the project that is not installed
    __version__ = "0"
