"""What the lab draws behind another screen counts as painted, also where that screen closes before it is."""

from __future__ import annotations

import pytest
from opening import lab, opened, until


async def test_frames_go_on_where_a_screen_closes_before_what_is_behind_it_is_painted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened() as (pilot, engine):
        await pilot.press("question_mark")
        over = pilot.app.screen
        assert over is not lab(pilot)
        monkeypatch.setattr(over, "call_after_refresh", lambda *_: False)  # as where it closes first
        engine.world.go(7)
        lab(pilot).select(unit=3)
        await until(pilot, lambda: lab(pilot).frame.status.step == 7)  # type: ignore[union-attr]
        engine.world.go(8)
        lab(pilot).select(unit=4)
        await until(pilot, lambda: lab(pilot).frame.status.step == 8)  # type: ignore[union-attr]
        over.dismiss()
        await until(pilot, lambda: pilot.app.screen is lab(pilot))
