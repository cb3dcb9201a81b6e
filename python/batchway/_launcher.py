"""Runs the program with Deno, with the permissions that its command line needs and no others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

_folder = Path(__file__).parent / "_program"
_program = _folder / "batchway.js"

# The program is whole: no configuration, lock or package of the folder that it runs in is its own.
_whole = ["--no-config", "--no-lock", "--no-remote", "--no-npm"]
# What asking for the flags of a command line takes.
_ask = ["run", "--quiet", "--no-prompt", "--allow-env", "--allow-read", *_whole]

# Where OTEL_DENO switches traces on: without these Deno exports whole URLs, and signatures in them.
_traces = {
    "OTEL_TRACES_SAMPLER": "parentbased_always_off",
    "OTEL_PROPAGATORS": "none",
    "OTEL_SERVICE_NAME": "batchway",
}


class LaunchError(Exception):
    """The program cannot be started; the message says what to do."""


def deno_path() -> str:
    """Return the path of the ``deno`` that the package ``deno`` has installed."""
    try:
        from deno import find_deno_bin

        return os.fsdecode(find_deno_bin())
    except (ImportError, FileNotFoundError) as error:
        raise LaunchError(
            "Batchway runs on Deno, which the Python package 'deno' installs, and it was not found. "
            "Install Batchway again: pip install --force-reinstall batchway"
        ) from error


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that Deno is run with."""
    return {**_traces, **own, "DENO_NO_PACKAGE_JSON": "1", "DENO_NO_UPDATE_CHECK": "1"}


def command(args: Sequence[str]) -> list[str]:
    """Return the whole command line for words of ``batchway``.

    Raises ``SystemExit`` with the program's own code where it refuses to name its flags.
    """
    deno = deno_path()
    if not _program.is_file():
        raise LaunchError(f"{_program} is missing. Install Batchway again: pip install batchway")
    return [deno, "run", *_flags(deno, args), *_whole, str(_program), *args]


def _flags(deno: str, args: Sequence[str]) -> list[str]:
    known = json.loads((_folder / "flags.json").read_text(encoding="utf-8"))
    word = args[0] if args else ""
    flags = known["commands"].get(word, known["others"])
    if flags is not None:
        return list(flags)
    # These depend on the configuration: the program itself reads it, and names them.
    asked = subprocess.run(
        [deno, *_ask, str(_program), "permissions", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=environment(os.environ),
        check=False,
    )
    if asked.returncode != 0:
        raise SystemExit(asked.returncode)
    return asked.stdout.decode("utf-8").splitlines()


# SIGHUP never ends these, also while they start; a gateway acts on it.
_long_running = ("start", "sandbox")


def main() -> NoReturn:
    """Run the program with the words of this process's command line; its exit code is kept."""
    if os.name != "nt" and sys.argv[1:2] and sys.argv[1] in _long_running:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        line = command(sys.argv[1:])
        if os.name != "nt":
            # In the place of this process: signals and standard streams are the program's.
            os.execve(line[0], line, environment(os.environ))
        sys.exit(_run_beside(line))
    except LaunchError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _run_beside(line: Sequence[str]) -> int:
    """Run the program where a process cannot be replaced; Ctrl+C reaches both."""
    with subprocess.Popen(line, env=environment(os.environ)) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue
