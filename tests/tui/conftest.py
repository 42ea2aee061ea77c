"""Processes can be started from inside a test's app once the resource tracker runs; pictures hold still."""

from __future__ import annotations

import sys
from multiprocessing import resource_tracker
from pathlib import Path

import pytest

HERE = Path(__file__).parent
for folder in (
    HERE,
    HERE / "widgets",
    HERE / "screens",
):  # what the tests share: opening, frames, each other
    sys.path.insert(0, str(folder))
resource_tracker.ensure_running()


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the terminal of the person who runs the tests says of itself."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TINYNETS_ASCII", raising=False)
