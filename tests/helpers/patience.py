"""Waits for a condition, however busy the machine is, and never for a fixed time."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep

PATIENCE = 600.0
"""Seconds after which a waiting test gives up. It decides no test unless something hangs."""


def until(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end, f"did not come about in {PATIENCE:g} s"
        sleep(0.002)
