"""Within a step in the lab: the bar of its phases, the keys n, N, . and !, clicks, breakpoints."""

from __future__ import annotations

import pytest
from fake import PHASES
from opening import MIDDLE, SMALL, WIDE, dialog_text, lab, opened, real, screen_text, status, step, type_line, until
from textual.pilot import Pilot
from textual.widgets import Input

from tui.screens.ask import AskScreen
from tui.screens.breakpoints import BreakpointsScreen

pytestmark = pytest.mark.proof


def row(pilot: Pilot[None]) -> str:
    """The line of the bar."""
    bar = lab(pilot).phase_bar
    return screen_text(pilot).split("\n")[bar.region.y] if bar.display else ""


def header(pilot: Pilot[None]) -> str:
    return screen_text(pilot).split("\n")[0]


@pytest.mark.parametrize("size", [WIDE, MIDDLE])
async def test_the_bar_is_there_between_steps_too_and_the_header_leaves_the_phase_to_it(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        await until(pilot, lambda: "n begins a step" in row(pilot))
        await pilot.press("n", "n", "n")
        await until(pilot, lambda: "◉ hidden" in row(pilot))
        assert f"3 / {len(PHASES)}" in row(pilot)
        assert " mid-step " in header(pilot)
        assert "hidden" not in header(pilot)


async def test_in_a_small_terminal_the_bar_comes_with_the_step_and_goes_with_it() -> None:
    async with opened(SMALL) as (pilot, _):
        assert not lab(pilot).phase_bar.display
        await pilot.press("n", "n")
        await until(pilot, lambda: "◉ embed" in row(pilot))
        await pilot.resize_terminal(80, 20)
        await until(pilot, lambda: not lab(pilot).phase_bar.display and "2/7: forward embed" in header(pilot))
        await pilot.resize_terminal(80, 24)
        await pilot.press("s")
        await until(pilot, lambda: not lab(pilot).phase_bar.display)


async def test_n_and_shift_n_walk_and_the_full_stop_goes_out_or_to_the_next_example() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("full_stop")
        await until(pilot, lambda: lab(pilot).selection.example == 1)
        assert not engine.calls
        await pilot.press("n", "n", "n", "N")
        await until(pilot, lambda: "◉ embed" in row(pilot))
        keys = screen_text(pilot).split("\n")[-1]
        assert "N phase back" in keys
        assert ". out of the step" in keys
        await pilot.press("full_stop")
        await until(pilot, lambda: "n begins a step" in row(pilot))
        assert [verb for verb, *_ in engine.calls] == ["phase", "phase", "phase", "phase_back", "step_out"]
        assert lab(pilot).selection.example == 1


async def test_a_click_on_a_phase_goes_there() -> None:
    async with opened() as (pilot, engine):
        await until(pilot, lambda: "loss" in row(pilot))
        await pilot.click("#phases", offset=(row(pilot).index("loss") + 1, 0))
        await until(pilot, lambda: "◉ loss" in row(pilot))
        assert engine.calls == [("phase_to", ("loss",), {})]
        await pilot.click("#phases", offset=(WIDE[0] - 20, 0))
        await pilot.pause()
        assert len(engine.calls) == 1


async def test_breakpoints_are_added_switched_and_taken_away_in_a_list() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, BreakpointsScreen))
        await until(pilot, lambda: "a asks for a phase" in dialog_text(pilot))
        await pilot.press("space", "d")  # nothing to act on
        for text in ("backward output", "loss < 2.3"):
            await pilot.press("a")
            await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
            pilot.app.screen.query_one(Input).value = text
            await pilot.press("enter")
            await until(pilot, lambda text=text: f" {text}" in dialog_text(pilot) and text in engine.calls[-1][1])
        await pilot.press("down", "space")
        await until(pilot, lambda: "loss < 2.3 off" in dialog_text(pilot))
        await pilot.press("up", "d")
        await until(pilot, lambda: "at phase" not in dialog_text(pilot))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        pilot.app.screen.query_one(Input).value = "nonsense"
        await pilot.press("enter")
        await until(pilot, lambda: "it ends where a term should" in dialog_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls[-1][0] == "start")
        assert [verb for verb, *_ in engine.calls] == [
            "breakpoint", "breakpoint", "breakpoint_off", "unbreakpoint", "breakpoint", "start",
        ]  # fmt: skip


async def test_the_line_that_lists_breakpoints_opens_the_list() -> None:
    async with opened(SMALL) as (pilot, _):
        await type_line(pilot, "breakpoints")
        await until(pilot, lambda: isinstance(pilot.app.screen, BreakpointsScreen))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, BreakpointsScreen))


async def test_a_key_pressed_at_the_wrong_moment_does_no_harm() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("space", "N", "exclamation_mark", "escape", "full_stop")
        await until(pilot, lambda: "back to" in status(pilot) or "complete" in status(pilot) or "step" in status(pilot))
        engine.die()
        await until(pilot, lambda: lab(pilot).banner.display)
        await pilot.press("N", "full_stop", "exclamation_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, BreakpointsScreen))
        await pilot.press("enter")
        await until(pilot, lambda: "R starts it again" in status(pilot))


async def test_a_run_stops_at_a_breakpoint_with_words_and_goes_on_from_there() -> None:
    async with real("xor") as (pilot, _):
        await type_line(pilot, "breakpoint loss")
        await until(pilot, lambda: "at phase loss" in status(pilot))
        await until(pilot, lambda: "!loss" in row(pilot))
        await pilot.press("space")
        await until(pilot, lambda: status(pilot) == "stopped at breakpoint 1: loss; at step 0")
        await until(pilot, lambda: "◉!loss" in row(pilot))
        await pilot.press("space")
        await until(pilot, lambda: status(pilot) == "stopped at breakpoint 1: loss; at step 1")
        await pilot.press("z")
        await until(pilot, lambda: "hidden[0] zeroed in this step: its batch's loss" in status(pilot))
        await pilot.press("u")
        await until(pilot, lambda: "still in mid-step (loss)" in status(pilot))
        await pilot.press("n", "N", "N")
        await until(pilot, lambda: "◉ output" in row(pilot))
        await type_line(pilot, "breakpoint_off 1")
        await pilot.press("full_stop")
        await until(pilot, lambda: step(pilot) == 2)
