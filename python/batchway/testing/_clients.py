"""What leads boto3's clients to the sandbox, whatever the developer's own settings are."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

# Settings of the developer that would keep clients from the sandbox, or from being made.
_hidden = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
)
_loopback = "127.0.0.1,localhost"


@contextlib.contextmanager
def surroundings(endpoints: Mapping[str, str], region: str) -> Iterator[None]:
    """Let clients that are made in a ``with`` block find the sandbox by their environment."""
    variables = {
        "AWS_ENDPOINT_URL_S3": endpoints["s3"],
        "AWS_ENDPOINT_URL_BEDROCK": endpoints["bedrock"],
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", region),
        # With true, also of AWS's configuration file, what a test puts would go to AWS.
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        # boto3 refuses these beside an endpoint of one's own.
        "AWS_USE_FIPS_ENDPOINT": "false",
        "AWS_USE_DUALSTACK_ENDPOINT": "false",
    }
    for name in ("NO_PROXY", "no_proxy"):
        own = os.environ.get(name)
        variables[name] = f"{own},{_loopback}" if own else _loopback
    before = {name: os.environ.get(name) for name in (*variables, *_hidden)}
    os.environ.update(variables)
    for name in _hidden:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def signed(config: Any) -> Any:
    """Return a configuration of Bedrock's client that goes by no bearer token of the developer.

    boto3 looks for one at each request, and refuses to send it over http.
    """
    from botocore.config import Config

    own = Config(signature_version="v4")
    return own if config is None else own.merge(config)


def header_of(provider: str) -> Any:
    """Return a handler for ``before-send`` that names a provider."""

    def add(request: Any, **_: Any) -> None:
        request.headers["x-model-provider"] = provider

    return add
