"""`v` goes round the lenses, and `V` asks since when a change is measured."""

from __future__ import annotations

import pytest
from opening import lab, opened, real, screen_text, status, until

from tinynets.measure.lens_names import LENSES

pytestmark = pytest.mark.proof


async def test_v_goes_round_the_lenses_and_the_engine_is_told() -> None:
    async with opened() as (pilot, engine):
        for name in (*LENSES, "auto", "value"):
            await pilot.press("v")
            await until(pilot, lambda name=name: engine.view.lens == name)
            assert status(pilot).startswith(f"lens {name}: ")


async def test_a_change_can_be_measured_since_a_step_a_branch_or_the_last_update() -> None:
    async with opened() as (pilot, engine):
        for typed, against in (("12", 12), ("main", "main"), ("", "")):
            await pilot.press("V")
            await until(pilot, lambda: len(pilot.app.screen_stack) > 1)
            await pilot.press("ctrl+u", *typed, "enter")
            await until(pilot, lambda against=against: (engine.view.lens, engine.view.against) == ("change", against))


async def test_what_is_no_step_no_bookmark_and_no_branch_is_refused() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("V")
        await until(pilot, lambda: len(pilot.app.screen_stack) > 1)
        await pilot.press(*"nowhere", "enter")
        await until(pilot, lambda: "neither a step nor a bookmark nor a branch" in status(pilot))
        assert (engine.view.lens, engine.view.against) == ("auto", "")


async def test_before_the_first_frame_the_keys_say_something_and_nothing_breaks() -> None:
    async with opened() as (pilot, _):
        screen = lab(pilot)
        screen.frame = None
        await pilot.press("v", "V")
        assert status(pilot).startswith("lens value")


async def test_the_cursor_returns_to_its_probe_example_after_a_step_in_phases() -> None:
    async with real("xor") as (pilot, _):
        screen = lab(pilot)
        await until(pilot, lambda: screen.frame is not None)
        await pilot.press("full_stop", "full_stop")
        assert screen.selection.example == 2
        await pilot.press("n")
        await until(pilot, lambda: screen.frame is not None and screen.frame.of_batch)
        assert screen.selection.example == 0
        assert "batch of step 1" in screen_text(pilot)
        await pilot.press("s")
        await until(pilot, lambda: screen.frame is not None and not screen.frame.of_batch)
        assert screen.selection.example == 2
