"""Processes can be started from inside a test's app once the resource tracker runs; pictures hold still."""

from __future__ import annotations

import sys
from multiprocessing import resource_tracker
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(folder) for folder in (HERE, *HERE.iterdir()) if folder.is_dir()]  # what tests share
resource_tracker.ensure_running()


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the terminal of the person who runs the tests says of itself."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TINYNETS_ASCII", raising=False)
