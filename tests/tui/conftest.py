"""Processes can be started from inside a test's app once the resource tracker runs; pictures hold still."""

from __future__ import annotations

from multiprocessing import resource_tracker

import pytest

resource_tracker.ensure_running()


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the terminal of the person who runs the tests says of itself."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TINYNETS_ASCII", raising=False)
