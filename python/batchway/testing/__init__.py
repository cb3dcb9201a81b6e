"""Batch inference for tests: a gateway on simulated providers, without keys and network.

With pytest, ask for the fixture ``batchway``; it is installed with this package::

    def test_pipeline(batchway):
        s3 = batchway.s3("openai")
        s3.put_object(Bucket="inputs", Key="in.jsonl", Body=b"...")

With unittest, or anything else, use :func:`sandbox`::

    with batchway.testing.sandbox() as fake:
        fake.s3("openai").list_buckets()
"""

from batchway.testing._process import SandboxError
from batchway.testing._sandbox import Sandbox, sandbox

__all__ = ["Sandbox", "SandboxError", "sandbox"]
