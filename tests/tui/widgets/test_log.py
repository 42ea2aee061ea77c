"""The Log pane: lines of Python with their losses, the present and what is to come, and going there."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from fake import FakeEngine
from opening import SMALL, WIDE, app_of, lab, opened, status, until
from textual.pilot import Pilot

from tinynets.server.frame import EditMark


@asynccontextmanager
async def at_the_log(
    size: tuple[int, int] = WIDE, edits: int = 3, step: int = 450
) -> AsyncIterator[tuple[Pilot[None], FakeEngine]]:
    """The app at a step of a run with an edit at each hundredth, and the log focused and alone."""
    async with opened(size) as (pilot, engine):
        world = engine.world
        world.go(100 * edits + 200)
        world.step = step
        world.marks += [
            EditMark(100 * n, "zero", f'lab.zero("hidden[{n}]")', True, 1, "activation") for n in range(1, edits + 1)
        ]
        await pilot.press("9", "x", "e")  # any command brings a frame
        await until(pilot, lambda: "lab.zero" in "".join(shown(pilot)))
        engine.calls.clear()
        yield pilot, engine


def shown(pilot: Pilot[None]) -> list[str]:
    pane = lab(pilot).panes["log"]
    return [pane.render_line(y).text.rstrip() for y in range(pane.size.height)]


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_each_line_has_its_step_and_the_loss_before_and_after(size: tuple[int, int]) -> None:
    async with at_the_log(size) as (pilot, _):
        (line,) = [line for line in shown(pilot) if 'lab.zero("hidden[2]")' in line]
        assert line.split()[0] == "200"
        assert line.endswith("→ 2.447")


async def test_the_present_is_marked_and_what_is_to_come_is_counted() -> None:
    async with at_the_log(step=250) as (pilot, _):
        (here,) = [line for line in shown(pilot) if "◆" in line]
        assert "lab.run(100)  (at 250)" in here
        assert "3 still to come" in lab(pilot).panes["log"].detail


async def test_enter_goes_to_the_moment_after_the_action_and_the_cursor_follows_the_present_again() -> None:
    async with at_the_log() as (pilot, engine):
        await pilot.press("k", "k", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("seek", (300,), {"edits": 0})])
        await until(pilot, lambda: any(line.startswith("▶◆") for line in shown(pilot)))


@pytest.mark.proof
async def test_keys_and_wheel_go_through_10_000_actions_and_what_is_seen_is_sent() -> None:
    async with at_the_log(SMALL, edits=5000, step=500_100) as (pilot, engine):
        await pilot.press("home")
        await until(pilot, lambda: 'lab = tn.Lab("names-mlp")' in shown(pilot)[0])
        await pilot.press("pagedown", "pagedown")
        await until(pilot, lambda: not any("…" in line for line in shown(pilot)))
        await pilot.press("end", "up")
        await until(pilot, lambda: 'hidden[5000]")' in "".join(shown(pilot)))
        assert max(view.log_rows for view in engine.views) < 200


async def test_y_copies_the_line_under_the_cursor_here_and_the_last_action_elsewhere() -> None:
    async with at_the_log() as (pilot, engine):
        await pilot.press("k", "y")
        assert app_of(pilot).clipboard == 'lab.zero("hidden[3]")'
        assert status(pilot).startswith("copied")
        assert status(pilot).endswith(': lab.zero("hidden[3]")')
        await pilot.press("1", "s")
        await until(pilot, lambda: engine.calls[-1:] == [("step", (), {})])
        await until(pilot, lambda: "loss" in status(pilot))
        await pilot.press("y")
        assert app_of(pilot).clipboard == "lab.step()"


async def test_what_is_copied_is_a_line_of_python_without_commands_to_a_terminal() -> None:
    async with at_the_log() as (pilot, engine):
        engine.world.marks[-1] = replace(engine.world.marks[-1], text='lab.bookmark("\x1b[2J\udce9")')
        await pilot.press("s")
        await until(pilot, lambda: "lab.bookmark" in "".join(shown(pilot)))
        await pilot.press("k", "y")
        await until(pilot, lambda: status(pilot).startswith("copied"))
        assert app_of(pilot).clipboard == 'lab.bookmark("\\x1b[2J\\udce9")'
        assert ast.literal_eval(app_of(pilot).clipboard.removeprefix("lab.bookmark")) == "\x1b[2J\udce9"


async def test_y_before_anything_was_done_says_so() -> None:
    async with opened() as (pilot, _):
        await pilot.press("y")
        assert status(pilot).startswith("nothing was done yet")
        assert not app_of(pilot).clipboard


async def test_a_click_puts_the_cursor_on_a_line_and_another_goes_there() -> None:
    async with at_the_log() as (pilot, engine):
        await pilot.click("#log", offset=(8, 1))
        assert shown(pilot)[0].startswith("▶")
        await pilot.click("#log", offset=(8, 1))
        await until(pilot, lambda: engine.calls[-1:] == [("seek", (0,), {})])
