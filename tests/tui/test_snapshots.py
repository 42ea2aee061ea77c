"""Pictures of the whole screen, for two small screens."""

from __future__ import annotations

from typing import Any

from fake import spawn
from opening import SMALL, until
from textual.pilot import Pilot

from tui.app import LabApp


async def _first_frame(pilot: Pilot[None]) -> None:
    await until(pilot, lambda: pilot.app.lab.frame is not None)  # type: ignore[attr-defined]


async def _unsaved_and_quitting(pilot: Pilot[None]) -> None:
    await _first_frame(pilot)
    await pilot.press("s")
    await until(pilot, lambda: pilot.app.lab.frame.status.unsaved)  # type: ignore[attr-defined]
    await pilot.press("q")
    await until(pilot, lambda: len(pilot.app.screen_stack) == 2)


def test_the_lab_opens_at_80x24(snap_compare: Any) -> None:
    assert snap_compare(LabApp(spawn, "names-mlp"), terminal_size=SMALL, run_before=_first_frame)


def test_quitting_asks(snap_compare: Any) -> None:
    assert snap_compare(LabApp(spawn, "names-mlp"), terminal_size=(60, 16), run_before=_unsaved_and_quitting)
