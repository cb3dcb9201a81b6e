"""The sandbox as tests use it."""

from __future__ import annotations

import contextlib
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any, Literal, TypedDict

from batchway.testing._clients import header_of, signed, surroundings
from batchway.testing._operations import OPERATIONS, PROVIDERS, Operation, refusal
from batchway.testing._process import SandboxError, SandboxProcess

_region = "us-west-2"
_jobs = re.compile(
    r'batchway_jobs\{.*?provider="(?P<provider>[^"]*)".*?status="(?P<status>\w+)".*?\} (?P<count>\S+)'
)
_final = {"Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"}
# The sandbox is on this machine: settings for a proxy are not for it.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Provider = Literal["openai", "gemini", "anthropic", "bedrock"]


class ProviderLedger(TypedDict):
    """What a simulated provider holds, and what it was asked."""

    files: list[dict[str, Any]]
    batches: list[dict[str, Any]]
    calls: list[dict[str, Any]]


# Which part of the simulated providers' store, and which mounts, belong to a provider.
_parts = {"openai": "openai", "gemini": "gemini", "anthropic": "anthropic", "bedrock": "aws"}
_mounts = {"s3": "bedrock"}


class Sandbox:
    """A gateway on simulated providers: OpenAI, Gemini, Anthropic, and Bedrock with S3.

    Batches end by themselves after a moment, or at once by :meth:`finish_jobs`.
    """

    def __init__(self, process: SandboxProcess) -> None:
        self._process = process
        self._over: set[tuple[str, str]] = set()

    @property
    def url(self) -> str:
        """The gateway's address: S3 is below ``/bedrock/files``, Bedrock below ``/bedrock``."""
        return self._process.url

    def s3(self, provider: Provider, **options: Any) -> Any:
        """Return a boto3 client for S3 whose requests go to a provider; see :meth:`client`."""
        return self.client("s3", provider, **options)

    def bedrock(self, provider: Provider, **options: Any) -> Any:
        """Return a boto3 client for Bedrock whose jobs run at a provider; see :meth:`client`."""
        return self.client("bedrock", provider, **options)

    def client(
        self, service: Literal["s3", "bedrock"], provider: Provider, **options: Any
    ) -> Any:
        """Return a boto3 client of a service for a provider.

        ``options`` are those of ``boto3.client``, such as ``config`` or ``region_name``.
        """
        _check(provider)
        boto3 = _boto3()
        endpoints = self._endpoints()
        if service not in endpoints:
            raise ValueError(f"There is no service {service!r}; there are {', '.join(endpoints)}")
        given: dict[str, Any] = {
            "region_name": _region,
            "endpoint_url": endpoints[service],
            "aws_access_key_id": "any",
            "aws_secret_access_key": "any",
        }
        if service == "bedrock":
            given["config"] = signed(options.pop("config", None))
        with surroundings(endpoints, _region):
            made = boto3.session.Session().client(service, **{**given, **options})
        made.meta.events.register("before-send", header_of(provider))
        return made

    @contextlib.contextmanager
    def use(self, provider: Provider) -> Iterator[None]:
        """Lead the program's own boto3 clients to a provider of the sandbox.

        Clients of S3 and Bedrock that are made inside of the ``with`` block, or by code that it
        calls, need no endpoint and no key. Sessions that were made before are not changed.
        """
        _check(provider)
        boto3 = _boto3()
        from botocore.handlers import BUILTIN_HANDLERS

        handler = header_of(provider)
        entries = [("before-send.s3", handler), ("before-send.bedrock", handler)]
        session = boto3.DEFAULT_SESSION
        with surroundings(self._endpoints(), _region):
            BUILTIN_HANDLERS.extend(entries)
            boto3.DEFAULT_SESSION = None
            try:
                yield
            finally:
                boto3.DEFAULT_SESSION = session
                for entry in entries:
                    BUILTIN_HANDLERS.remove(entry)

    def fail(
        self,
        provider: Provider,
        status: int = 503,
        times: int = 1,
        *,
        operation: Operation | None = None,
    ) -> None:
        """Let a provider answer its next requests with a status, and not carry them out.

        ``times`` is how many requests fail. The gateway repeats some requests itself, and boto3
        does so too: an outage is a large number. ``operation`` limits it to one thing that the
        gateway asks of the provider. A status such as 400, 413 or 422 refuses for good, in the form
        of the provider's errors; those of outages and of rights that are missing are tried again.
        """
        _check(provider)
        known = OPERATIONS[provider]
        if operation is not None and operation not in known:
            names = ", ".join(known)
            raise ValueError(f"{provider} has no operation {operation!r}; it has {names}")
        # Bedrock's files are in S3, a simulated provider of its own.
        mounts = ["bedrock", "s3"] if provider == "bedrock" else provider
        struck: dict[str, Any] = dict(known[operation]) if operation else {"provider": mounts}
        answer: dict[str, Any] = {"status": status}
        if body := refusal(provider, status):
            answer["body"] = json.dumps(body)
        self._control("POST", "/faults", {**struck, **answer, "times": times})

    def ledger(self) -> dict[str, ProviderLedger]:
        """Return what each provider holds (``files``, ``batches``) and was asked (``calls``)."""
        seen = self._control("GET", "/ledger")
        found: dict[str, ProviderLedger] = {}
        for provider in PROVIDERS:
            held = seen["holdings"].get(_parts[provider], {})
            found[provider] = {
                "files": _items(held, r"files|s3-objects-.*"),
                "batches": _items(held, r"batches|bedrock-jobs"),
                "calls": [
                    call
                    for call in seen["requests"]
                    if _mounts.get(call["provider"], call["provider"]) == provider
                ],
            }
        return found

    def finish_jobs(self, timeout: float = 30) -> None:
        """End all batches at once, and wait until all jobs are over.

        Raises :class:`SandboxError` where jobs still run after ``timeout`` seconds, such as those
        of a provider that fails.
        """
        deadline = time.monotonic() + timeout
        while True:
            self._control("POST", "/finish")
            running = self._running()
            if not running:
                return
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"After {timeout} seconds these jobs still run: {', '.join(running)}"
                )
            time.sleep(0.02)

    def reset(self) -> None:
        """Empty the gateway and all providers, and end all failures."""
        self._control("POST", "/reset")
        self._process.forget_jobs()
        self._over.clear()

    def log(self) -> str:
        """Return the last lines that the gateway has logged, one JSON object a line."""
        return self._process.log()

    def _endpoints(self) -> dict[str, str]:
        return {"s3": f"{self.url}/bedrock/files", "bedrock": f"{self.url}/bedrock"}

    def _running(self) -> list[str]:
        """Jobs that are not over, by what they are called in messages.

        No provider is asked but for its own jobs: neither the ledger nor a failure is to see this.
        """
        # A job's line of the log may come behind its answer; the figures do not.
        metrics = self._get("/metrics", "").decode()
        running = [
            f"{found['count']} at {found['provider']} ({found['status']})"
            for line in metrics.splitlines()
            if (found := _jobs.match(line)) and found["status"] not in _final
            if float(found["count"]) > 0
        ]
        if running:
            for provider, job in self._process.jobs():
                self._poll(provider, job)
        for job in self._control("GET", "/ledger")["holdings"].get("aws", {}).get(
            "bedrock-jobs", {"items": []}
        )["items"]:
            if self._poll("bedrock", str(job["arn"])):
                running.append(f"{job['jobName']} at bedrock")
        return running

    def _poll(self, provider: str, job: str) -> bool:
        """Have the gateway look at a job; whether it still runs."""
        if (provider, job) in self._over:
            return False
        path = "/bedrock/model-invocation-job/" + urllib.parse.quote(job, safe="")
        try:
            runs = json.loads(self._get(path, provider))["status"] not in _final
        except urllib.error.HTTPError as error:
            with error:
                runs = error.code != 404
        if not runs:
            self._over.add((provider, job))
        return runs

    def _get(self, path: str, provider: str) -> bytes:
        headers = {"x-model-provider": provider} if provider else {}
        request = urllib.request.Request(self.url + path, headers=headers)
        with _opener.open(request, timeout=60) as answer:
            found: bytes = answer.read()
            return found

    def _control(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._process.control_url + path, data=data, method=method
        )
        try:
            with _opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise SandboxError(f"The sandbox refused it: {error.read().decode()}") from None
        except OSError as error:
            raise SandboxError(f"The sandbox does not answer: {error}. {self.log()}") from error


@contextlib.contextmanager
def sandbox(
    *, batch_seconds: float = 1, strict: bool = False, start_seconds: float = 60
) -> Iterator[Sandbox]:
    """Run a sandbox for the time of a ``with`` block.

    ``batch_seconds`` is how long a batch takes where nothing finishes it before; ``strict`` brings
    Bedrock's real limits (100 records, existing buckets).
    """
    args = ["--batch-seconds", f"{batch_seconds:f}", *(["--strict"] if strict else [])]
    process = SandboxProcess(args, start_seconds)
    try:
        yield Sandbox(process)
    finally:
        process.close()


def _check(provider: str) -> None:
    if provider not in PROVIDERS:
        raise ValueError(f"There is no provider {provider!r}; there are {', '.join(PROVIDERS)}")


def _items(held: dict[str, Any], names: str) -> list[dict[str, Any]]:
    found = [one["items"] for name, one in held.items() if re.fullmatch(names, name)]
    return [item for items in found for item in items]


def _boto3() -> Any:
    try:
        import boto3
    except ImportError as error:
        raise SandboxError(
            "Clients of the sandbox need boto3: pip install 'batchway[testing]', or pip install boto3"
        ) from error
    return boto3
