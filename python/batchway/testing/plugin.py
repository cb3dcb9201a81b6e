"""The pytest plugin: the fixture ``batchway``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from batchway.testing import Sandbox, sandbox

__all__ = ["batchway", "batchway_sandbox"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings of pytest.ini or pyproject.toml."""
    parser.addini(
        "batchway_batch_seconds",
        "How long a batch of the fixture batchway takes where no test finishes it (1)",
        default="1",
    )


@pytest.fixture(scope="session")
def batchway_sandbox(pytestconfig: pytest.Config) -> Iterator[Sandbox]:
    """Run one sandbox for all tests of this process; with pytest-xdist, one for each worker."""
    seconds = float(pytestconfig.getini("batchway_batch_seconds"))
    with sandbox(batch_seconds=seconds) as running:
        yield running


@pytest.fixture
def batchway(batchway_sandbox: Sandbox) -> Sandbox:
    """Return a gateway on simulated providers that nothing is left in of other tests."""
    batchway_sandbox.reset()
    return batchway_sandbox
