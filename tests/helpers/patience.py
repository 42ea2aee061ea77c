"""Waiting for what must come about: for a condition, however busy the machine is, and never for a time."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep

PATIENCE = 600.0
"""Seconds after which a test that waits is given up. No test passes or fails by it but where something hangs."""


def until(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end, f"did not come about in {PATIENCE:g} s"
        sleep(0.002)
