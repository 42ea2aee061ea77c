"""The loss pane: a cursor that reads out, ranges, a click that goes there, other curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake import FakeEngine
from opening import MIDDLE, SMALL, WIDE, lab, opened, screen_text, status, until
from panes import PLAIN, drawn, frame_of
from textual.pilot import Pilot

from tinynets.server.frame import LossCurve
from tui.model.table import csv_of
from tui.render.palette import Terminal
from tui.widgets.loss import LossPane


def pane_in(pilot: Pilot[None]) -> LossPane:
    pane = lab(pilot).panes["loss"]
    assert isinstance(pane, LossPane)
    return pane


async def at_1000(pilot: Pilot[None], engine: FakeEngine) -> LossPane:
    """The app at step 1,000, with an evaluation at step 600, and the focus in the loss pane."""
    engine.world.go(1000)
    engine.world.evaluations = {600: 2.25}
    number = list(lab(pilot).panes).index("loss") + 1
    await pilot.press("u", str(number))
    pane = pane_in(pilot)
    await until(pilot, lambda: pane.frame and pane.frame.loss and pane.frame.loss.end == 1000 and pane._plot)
    await until(pilot, lambda: pane._plot.span[1] == 1000)  # type: ignore[union-attr]
    assert pilot.app.focused is pane
    return pane


@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL])
async def test_a_cursor_reads_out_and_enter_goes_to_its_step(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, engine):
        pane = await at_1000(pilot, engine)
        await pilot.press("left")
        assert pane.cursor == 1000
        await pilot.press("left", "left")
        each = 1000 - (pane.cursor or 0)
        assert 2 <= each <= 120
        await until(pilot, lambda: f"step {pane.cursor:,}: loss" in screen_text(pilot))
        await pilot.press("down")
        assert pane.cursor == 600
        await until(pilot, lambda: "dev 2.25" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls[-1] == ("seek", (600,), {}))


async def test_enter_without_a_cursor_says_how_to_get_one_and_zooms_nothing() -> None:
    async with opened() as (pilot, engine):
        await at_1000(pilot, engine)
        await pilot.press("enter")
        await until(pilot, lambda: "arrows move a cursor" in status(pilot))
        assert not lab(pilot).desk.choice.zoom


async def test_before_the_first_step_the_cursor_has_nothing_to_stand_on() -> None:
    async with opened() as (pilot, _):
        number = list(lab(pilot).panes).index("loss") + 1
        await pilot.press(str(number), "left", "up", "plus", "left_curly_bracket", "0", "end", "home", "d", "d", "d")
        await until(pilot, lambda: status(pilot))
        assert pane_in(pilot).cursor is None


async def test_a_click_on_the_curve_goes_to_the_step_under_it_and_the_mouse_reads_out() -> None:
    async with opened() as (pilot, engine):
        pane = await at_1000(pilot, engine)
        plot = pane._plot
        assert plot is not None
        at = plot.column(300)
        await pilot.hover(pane, offset=(1 + at, 3))
        await until(pilot, lambda: "a click goes there" in screen_text(pilot))
        await pilot.click(pane, offset=(1 + at, 3))
        await until(pilot, lambda: engine.calls[-1][0] == "seek")
        assert abs(engine.calls[-1][1][0] - 300) <= 1000 / plot.columns
        await pilot.click(pane, offset=(1 + plot.column(600), 3))
        await until(pilot, lambda: engine.calls[-1] == ("seek", (600,), {}))


async def test_plus_and_minus_show_fewer_and_more_steps_around_the_cursor_and_0_shows_all() -> None:
    async with opened() as (pilot, engine):
        pane = await at_1000(pilot, engine)
        await pilot.press("left", "down", "plus")
        await until(pilot, lambda: engine.views[-1].window == 500)
        until_step = engine.views[-1].until
        assert until_step is not None
        assert until_step - 500 < 600 <= until_step
        await until(pilot, lambda: "training loss by step, 351 to 850" in pane.detail)
        await pilot.press("plus", "right_curly_bracket")
        await until(pilot, lambda: engine.views[-1].window == 250)
        assert (engine.views[-1].until or 0) > 725
        await pilot.press("minus", "minus")
        await until(pilot, lambda: engine.views[-1].window == 0)
        await pilot.press("plus", "end")
        await until(pilot, lambda: (engine.views[-1].window, engine.views[-1].until) == (500, None))
        assert "following the newest" in status(pilot)
        assert pane.cursor is None
        block = lab(pilot).selection.block
        await pilot.press("pageup")
        await until(pilot, lambda: (engine.views[-1].until or 1000) < 1000)
        await pilot.press("pagedown")
        await until(pilot, lambda: engine.views[-1].until in (None, 1000))
        assert lab(pilot).selection.block == block
        await pilot.press("0")
        await until(pilot, lambda: (engine.views[-1].window, engine.views[-1].until) == (0, None))


async def test_the_timeline_shows_the_same_steps() -> None:
    async with opened() as (pilot, engine):
        await at_1000(pilot, engine)
        await pilot.press("plus", "left_curly_bracket")
        await until(pilot, lambda: lab(pilot).timeline.frame.timeline.span == (250, 750))  # type: ignore[union-attr]
        row = lab(pilot).timeline.render_line(1).text
        assert row.startswith(" timeline ◀")
        assert "▶" in row
        await pilot.click("#timeline", offset=(10 + 60, 1))
        await until(pilot, lambda: engine.calls[-1][0] == "seek")
        assert 450 < engine.calls[-1][1][0] < 550


async def test_a_cursor_that_leaves_the_range_takes_it_along() -> None:
    async with opened() as (pilot, engine):
        pane = await at_1000(pilot, engine)
        await pilot.press("plus", "plus", "left", "down")
        assert pane.cursor == 600
        await until(pilot, lambda: engine.views[-1].until is not None)
        assert engine.views[-1].until - 250 < 600 <= engine.views[-1].until  # type: ignore[operator]


async def test_plus_and_minus_change_the_speed_while_it_plays() -> None:
    async with opened() as (pilot, engine):
        await at_1000(pilot, engine)
        await pilot.press("P")
        await until(pilot, lambda: "rewinding" in screen_text(pilot))
        await pilot.press("plus")
        await until(pilot, lambda: engine.calls[-1][0] == "play" and len(engine.calls[-1][1]) == 1)
        assert engine.views[-1].window == 0


async def test_d_goes_round_the_curves() -> None:
    async with opened() as (pilot, engine):
        await at_1000(pilot, engine)
        seen = []
        for _ in range(3):
            before = engine.views[-1].curve
            await pilot.press("d")
            await until(pilot, lambda before=before: engine.views[-1].curve != before)
            seen.append(engine.views[-1].curve)
        assert seen == ["rate", "updates", "loss"]


def pane_of(curve: LossCurve, look: Terminal = Terminal()) -> tuple[LossPane, list[str]]:  # noqa: B008
    pane = LossPane()
    return pane, drawn(pane, replace(frame_of("xor"), loss=curve), 60, 16, look)


UPDATES = {"hidden": (np.array([1, 5, 9]), np.array([-2.5, -2.75, -3.5])), "output": (np.array([5]), np.array([-1.5]))}


@pytest.mark.parametrize("look", [Terminal(), PLAIN])
def test_updates_are_points_over_a_line_at_minus_3(look: Terminal) -> None:
    nothing = np.empty(0)
    curve = LossCurve(np.empty(0, np.int64), nothing, nothing, nothing, {}, 9, 9, kind="updates", updates=UPDATES)
    pane, lines = pane_of(curve, look)
    assert pane.detail.startswith("update:data, log10")
    assert any(("╌" if look.unicode else "-" * 5) in line for line in lines)
    assert "hidden -3.5" in lines[-1]
    assert pane.readout(5) == "step 5: hidden -2.75, output -1.50"
    assert pane.readout(7) == "step 7: at 5, hidden -2.75, output -1.50"
    points = sum(0x2800 < ord(c) < 0x2900 or c == "*" for line in lines[:-1] for c in line)
    assert points == 4


def test_the_learning_rate_is_read_out_with_the_step_it_was_for() -> None:
    steps, rates = np.arange(1, 11), np.array([0.1] * 5 + [0.01] * 5)
    pane, lines = pane_of(LossCurve(steps, rates, rates, rates, {}, 10, 10, kind="rate"))
    assert pane.readout(7) == "step 7: learning rate 0.01, as it was for step 7"
    assert "learning rate" in lines[-1]


def test_the_present_step_in_the_past_is_a_line_and_what_lies_ahead_is_darker() -> None:
    losses = np.linspace(3, 2, 30)
    curve = LossCurve(np.arange(1, 31), losses, losses, losses, {}, 20, 30)
    pane, lines = pane_of(curve)
    plot = pane._plot
    assert plot is not None
    assert all(line[plot.column(20)] in "│•" for line in lines[: plot.rows])
    ahead = {s.color for row in plot.styles[: plot.rows] for s in row[plot.column(25) :] if s.color}
    past = {s.color for row in plot.styles[: plot.rows] for s in row[plot.left : plot.column(15)] if s.color}
    assert ahead - past


def test_a_curve_of_tens_of_thousands_of_steps_on_a_wide_screen_names_its_ticks() -> None:
    losses = np.linspace(3, 2, 200)
    steps = np.arange(0, 60_000, 300) + 1
    pane, lines = pane_of(LossCurve(steps, losses - 1, losses + 1, losses, {}, 60_000, 60_000))
    assert "20k" in "".join(lines)
    assert "in 300 steps" in pane.readout(301)


def test_what_is_drawn_is_taken_out_as_a_table_whatever_the_curve() -> None:
    nothing = np.empty(0)
    updates = LossCurve(np.empty(0, np.int64), nothing, nothing, nothing, {}, 9, 9, kind="updates", updates=UPDATES)
    rates = np.array([0.1, 0.01])
    rate = LossCurve(np.array([1, 2]), rates, rates, rates, {}, 2, 2, kind="rate")
    texts = [csv_of(replace(frame_of("xor"), loss=curve), "loss") or "" for curve in (updates, rate)]
    assert "hidden,1,-2.5" in texts[0].splitlines()
    assert texts[1].splitlines() == ["step,learning rate", "1,0.1", "2,0.01"]
