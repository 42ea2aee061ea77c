"""The header: the losses as a sparkline and the last evaluation, where there is room for them."""

from __future__ import annotations

from dataclasses import replace

import frames
import pytest
from panes import PLAIN, drawn

from tinynets.server.frame import Frame, View
from tui.render.palette import Terminal
from tui.widgets.header import Header


def frame_at(step: int, evaluated: tuple[str, int, float] | None = None) -> Frame:
    made = frames.frame(frames.World(step=step, end=step, unsaved=True), View(panes=()))
    return replace(made, status=replace(made.status, evaluated=evaluated))


@pytest.mark.parametrize("look", [Terminal(), PLAIN])
def test_the_losses_are_a_sparkline_beside_the_loss_and_the_last_evaluation_is_named(look: Terminal) -> None:
    (line,) = drawn(Header(), frame_at(500, ("dev", 400, 2.345)), 160, 1, look)
    loss, spark, dev = line.index("loss"), len("loss 2.345  "), line.index("dev 2.345")
    assert loss + spark + 10 <= dev
    assert len(set(line[loss + spark : dev].strip())) > 2
    assert look.unicode or line.isascii()


def test_without_steps_or_evaluations_nothing_stands_for_them() -> None:
    (line,) = drawn(Header(), frame_at(0), 160, 1)
    assert "dev" not in line
    assert not set(line) & set("▁▂▃▄▅▆▇█")


def test_where_there_is_little_room_the_run_and_its_step_stay() -> None:
    (line,) = drawn(Header(), frame_at(500, ("dev", 400, 2.345)), 60, 1)
    assert "step 500" in line
    assert "unsaved" in line or "●" in line
    assert not set(line) & set("▁▂▃▄▅▆▇█")


@pytest.mark.parametrize("look", [Terminal(), PLAIN])
@pytest.mark.parametrize(("width", "kept"), [(80, "unsaved, read-only"), (60, "")])
def test_in_the_past_the_pill_the_step_and_how_many_there_are_stay(look: Terminal, width: int, kept: str) -> None:
    made = frame_at(1_201, ("dev", 400, 2.345))
    made = replace(made, status=replace(made.status, end=1_800, read_only=True))
    (line,) = drawn(Header(), made, width, 1, look)
    assert " past  step 1,201 of 1,800 " in line
    assert kept in line
    assert " paused " in line or (" ▮▮ " if look.unicode else " || ") in line
