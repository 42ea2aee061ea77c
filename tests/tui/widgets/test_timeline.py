"""The timeline: fitted to what is looked at, and each branch entered where it is clicked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake import FakeEngine
from opening import SMALL, WIDE, lab, opened, real, until
from textual.pilot import Pilot

import tinynets as tn
from tinynets.server.frame import BranchLine, TimelineStrip
from tui.model.time_window import TimeWindow
from tui.widgets.timeline import StepScale

OTHERS = [
    BranchLine("what-if", 400, 5000, False, "main", 1, 1, 2.56),
    BranchLine("short", 600, 800, False, "main", 1, 1, 2.5),
]


async def with_branches(pilot: Pilot[None], engine: FakeEngine, others: list[BranchLine] = OTHERS) -> None:
    engine.world.go(1000)
    engine.world.others = others
    await pilot.press("u")
    count = len(others) + 1
    await until(pilot, lambda: len(lab(pilot).frame.timeline.branches) == count)  # type: ignore[union-attr]
    await until(pilot, lambda: lab(pilot).timeline.frame is lab(pilot).frame)


def rows(pilot: Pilot[None]) -> list[str]:
    widget = lab(pilot).timeline
    return [widget.render_line(y).text for y in range(widget.size.height)]


async def test_it_is_fitted_to_the_current_branch_and_says_that_another_goes_on() -> None:
    async with opened() as (pilot, engine):
        await with_branches(pilot, engine)
        await until(pilot, lambda: len(rows(pilot)) == 4)
        _, track, short, longer = rows(pilot)
        assert track.index("◆") > 120  # not at a fifth, as if the longest branch were the measure
        assert abs(track.index("┯") - (10 + 0.4 * (track.index("◆") - 10))) <= 1
        assert longer.index("▶") == track.index("◆")
        assert "5,000" in longer
        assert "▶" not in short


async def test_a_branch_is_entered_at_the_step_where_it_is_clicked() -> None:
    async with opened() as (pilot, engine):
        await with_branches(pilot, engine)
        await until(pilot, lambda: len(rows(pilot)) == 4)
        span = rows(pilot)[1].index("◆") - 10
        y = next(y for y, row in enumerate(rows(pilot)) if "what-if" in row)
        await pilot.click("#timeline", offset=(10 + round(0.7 * span), y))
        await until(pilot, lambda: engine.calls[-1][0] == "switch")
        verb, args, named = engine.calls[-1]
        assert (verb, args) == ("switch", ("what-if",))
        assert abs(named["step"] - 700) <= 1000 / span
        end = rows(pilot)[y].index("what-if")
        await pilot.click("#timeline", offset=(end + 2, y))
        await until(pilot, lambda: engine.calls[-1] == ("switch", ("what-if",), {}))


async def test_zoomed_in_on_a_part_forks_and_edits_out_of_sight_are_not_drawn_at_its_ends() -> None:
    async with opened() as (pilot, engine):
        await with_branches(pilot, engine)
        lab(pilot).look(window=TimeWindow(200, 950))
        await until(pilot, lambda: lab(pilot).timeline.frame.timeline.span == (750, 950))  # type: ignore[union-attr]
        _, track, *lanes = rows(pilot)
        assert "┯" not in track
        assert track.startswith(" timeline ◀")
        assert track.count("▶") == 1
        assert not any("╰" in lane for lane in lanes)
        short = next(lane for lane in lanes if "short" in lane)
        assert 10 + 0.2 * 126 < len(short[: short.index("short")].rstrip()) < 60  # to step 800 of 750 to 950


@pytest.mark.parametrize(("size", "least"), [(WIDE, 4), (SMALL, 1)])
async def test_of_many_branches_some_have_rows_and_the_rest_are_counted(size: tuple[int, int], least: int) -> None:
    async with opened(size) as (pilot, engine):
        others = [BranchLine(f"branch-{n}", 10 * n, 500, False, "main", 1) for n in range(1, 12)]
        await with_branches(pilot, engine, others)
        await until(pilot, lambda: "more: t shows the tree" in rows(pilot)[-1])
        assert len(rows(pilot)) >= 2 + least


async def test_losses_lie_under_edits_as_a_sparkline() -> None:
    async with opened() as (pilot, engine):
        await with_branches(pilot, engine, [])
        drawn = rows(pilot)[0]
        assert sum(letter in "▁▂▃▄▅▆▇█" for letter in drawn) > 100
        await pilot.press("z")
        await until(pilot, lambda: lab(pilot).timeline.frame.timeline.marks)  # type: ignore[union-attr]
        await until(pilot, lambda: rows(pilot)[0].startswith(" edits"))


@pytest.mark.proof
async def test_a_click_on_a_branch_of_a_real_run_goes_to_that_step_of_it(tmp_path: Path) -> None:
    made = tn.Lab("xor")
    made.run(300)
    made.seek(100)
    made.fork("what-if")
    made.zero("hidden[1]")
    made.run(150)
    made.switch("main")
    path = tmp_path / "two.msgpack"
    made.save(path)
    made.switch("what-if")
    async with real(str(path)) as (pilot, _):
        await until(pilot, lambda: len(rows(pilot)) == 3)
        scale = StepScale.of(lab(pilot).frame.timeline, lab(pilot).timeline.size.width)  # type: ignore[union-attr]
        await pilot.click("#timeline", offset=(10 + scale.x(200), 2))
        await until(pilot, lambda: lab(pilot).frame.status.branch == "what-if")  # type: ignore[union-attr]
        frame = lab(pilot).frame
        assert frame is not None
        assert abs(frame.status.step - 200) <= 300 / scale.span
        assert f'lab.switch("what-if", step={frame.status.step})' in lab(pilot).status.python
        assert frame.status.loss == pytest.approx(float(made.losses[frame.status.step - 1]))


def test_strips_with_losses_can_be_compared_as_the_open_tree_does_with_each_frame() -> None:
    strips = [TimelineStrip(3, 3, (), (), 1, (), losses=np.ones(4)) for _ in range(2)]
    assert strips[0] == strips[1]
