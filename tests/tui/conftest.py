"""Set-up for tests of the app: it can start processes, and the settings of the terminal do not affect it."""

from __future__ import annotations

from multiprocessing import resource_tracker

import pytest

resource_tracker.ensure_running()


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the terminal that runs the tests says about itself."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TINYNETS_ASCII", raising=False)
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "truecolor")
