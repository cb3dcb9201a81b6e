"""Requests of each simulated provider, by what a gateway does with them."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Operation = Literal["upload", "read", "create", "get", "list", "stop", "results"]
"""What a failure can be limited to: see :meth:`batchway.testing.Sandbox.fail`."""


class Request(TypedDict):
    """The requests that a fault strikes: a method, and a pattern of paths."""

    provider: str
    method: str
    path: str


def _request(provider: str, method: str, path: str) -> Request:
    return {"provider": provider, "method": method, "path": path}


# Bedrock keeps its files in S3: a simulated provider of its own.
OPERATIONS: dict[str, dict[str, Request]] = {
    "openai": {
        "upload": _request("openai", "POST", "/files$|/uploads"),
        "read": _request("openai", "GET", "/files/[^/]+$"),
        "create": _request("openai", "POST", "/batches$"),
        "get": _request("openai", "GET", "/batches/[^/]+$"),
        "list": _request("openai", "GET", "/batches$"),
        "stop": _request("openai", "POST", "/batches/[^/]+/cancel$"),
        "results": _request("openai", "GET", "/files/[^/]+/content$"),
    },
    "gemini": {
        "upload": _request("gemini", "POST", "/upload/"),
        "read": _request("gemini", "GET", "/v1beta/files/[^/:]+$"),
        "create": _request("gemini", "POST", ":(asyncBatchEmbed|batchGenerate)Content$"),
        "get": _request("gemini", "GET", "/v1beta/batches/[^/:]+$"),
        "list": _request("gemini", "GET", "/v1beta/batches$"),
        "stop": _request("gemini", "POST", "/v1beta/batches/[^/:]+:cancel$"),
        "results": _request("gemini", "GET", ":download$"),
    },
    "anthropic": {
        "create": _request("anthropic", "POST", "/v1/messages/batches$"),
        "get": _request("anthropic", "GET", "/v1/messages/batches/[^/]+$"),
        "list": _request("anthropic", "GET", "/v1/messages/batches$"),
        "stop": _request("anthropic", "POST", "/v1/messages/batches/[^/]+/cancel$"),
        "results": _request("anthropic", "GET", "/v1/messages/batches/[^/]+/results$"),
    },
    "bedrock": {
        "upload": _request("s3", "PUT", ""),
        "read": _request("s3", "GET", ""),
        "create": _request("bedrock", "POST", "/model-invocation-job$"),
        "get": _request("bedrock", "GET", "/model-invocation-job/"),
        "list": _request("bedrock", "GET", "/model-invocation-jobs$"),
        "stop": _request("bedrock", "POST", "/model-invocation-job/.*/stop$"),
        "results": _request("s3", "GET", ""),
    },
}

PROVIDERS = tuple(OPERATIONS)

# Statuses that pass: a gateway repeats such requests, or looks whether they were carried out.
_passing = {408, 409, 425, 429}

_google = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
_claude = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}


def refusal(provider: str, status: int) -> dict[str, Any] | None:
    """Return the body of a provider's error, for a request that it refuses.

    None for an outage, and for Bedrock, whose clients go by the status. An answer of 400 that is not
    in the provider's form could be a proxy's: the gateway would look whether the batch was made.
    """
    if not 400 <= status < 500 or status in _passing:
        return None
    message = f"The test asked for the status {status}."
    if provider == "openai":
        kind = "invalid_request_error"
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}
    if provider == "gemini":
        name = _google.get(status, "INVALID_ARGUMENT")
        return {"error": {"code": status, "message": message, "status": name}}
    if provider == "anthropic":
        kind = _claude.get(status, "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": message}}
    return None
