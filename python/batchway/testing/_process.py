"""The process of a sandbox: its start, its log, its end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from typing import IO

from batchway._launcher import command, environment

_started = re.compile(r"Simulated providers at \S+, their faults at (\S+)/faults")
_creates = "CreateModelInvocationJob"
_listening = re.compile(r"Batchway listening on (\S+)")
# Settings of the developer's own gateway are not the sandbox's.
_own = re.compile(r"^(BATCHWAY_|AWS_|OPENAI_|GEMINI_|GOOGLE_|ANTHROPIC_)")


class SandboxError(Exception):
    """The sandbox could not be started or used; the message says what to do."""


class SandboxProcess:
    """A sandbox that runs beside the tests, on free ports of the loopback interface."""

    def __init__(self, args: Sequence[str], start_seconds: float) -> None:
        own = {name: value for name, value in os.environ.items() if not _own.match(name)}
        settings = {
            "BATCHWAY_LOG": "json",
            "BATCHWAY_POLL_SECONDS": "0",
            "BATCHWAY_DRAIN_SECONDS": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        line = command(["sandbox", "--port", "0", "--simulators-port", "0", "--stop-with-input", *args])
        self._child = subprocess.Popen(
            line,
            env={**environment(own), **settings},
            # It ends with this pipe, also where the tests are killed.
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # Ctrl+C is for the test runner, which ends the sandbox behind its tests.
            start_new_session=os.name != "nt",
        )
        self._lines: deque[str] = deque(maxlen=1000)
        self._jobs: set[tuple[str, str]] = set()
        self._ready = threading.Event()
        self.url = ""
        self.control_url = ""
        assert self._child.stderr is not None
        # The log must be read for as long as the sandbox runs, or its pipe is full one day.
        self._reader = threading.Thread(target=self._read, args=(self._child.stderr,), daemon=True)
        self._reader.start()
        self._ready.wait(start_seconds)
        if not self.control_url:
            # Its output has ended with it, or the time is up.
            ended = self._ready.is_set()
            self.close()
            log = self.log() or "It wrote nothing."
            why = "ended at its start" if ended else f"did not start within {start_seconds} seconds"
            raise SandboxError(f"The sandbox {why}: {log}")

    def _read(self, stream: IO[bytes]) -> None:
        for raw in stream:
            line = raw.decode("utf-8", "replace").rstrip()
            self._lines.append(line)
            if not self._ready.is_set() or _creates in line:
                self._look(line)
        self._ready.set()

    def _look(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            return
        if event.get("job") and event.get("operation") == _creates:
            self._jobs.add((str(event["provider"]), str(event["job"])))
        message = str(event.get("message", ""))
        if found := _listening.search(message):
            self.url = found[1]
        if found := _started.search(message):
            self.control_url = found[1]
            self._ready.set()

    def log(self) -> str:
        """Return the last lines that the sandbox has logged."""
        return "\n".join(self._lines)

    def jobs(self) -> list[tuple[str, str]]:
        """Return the jobs that were created: their providers and ids."""
        return sorted(self._jobs)

    def forget_jobs(self) -> None:
        """Forget the jobs of a gateway that was emptied."""
        self._jobs = set()

    def close(self) -> None:
        """End the process, and wait until it has ended."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._reader.join(5)
        for stream in (self._child.stdin, self._child.stderr):
            if stream is not None:
                stream.close()
