"""The header: the losses as a sparkline and the last evaluation, where there is room for them."""

from __future__ import annotations

from dataclasses import replace

import frames
import pytest
from panes import PLAIN, drawn

from tinynets.server.frame import Frame, View
from tui.render.palette import Terminal
from tui.widgets.header import Header, Tabs
from tui.widgets.pane import PANES


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


@pytest.mark.parametrize("width", [160, 100, 80])
@pytest.mark.parametrize("active", PANES)
def test_the_chip_of_a_shown_pane_has_a_blank_at_both_ends(active: str, width: int) -> None:
    tabs = Tabs()
    vars(tabs).update(shown=("network", "neuron", active), active=active)
    (strip,) = tabs.draw(width, 1)
    style = tabs._style(active)
    chips = "".join(segment.text if segment.style == style else "|" for segment in strip)
    (chip,) = [text for text in chips.split("|") if active.capitalize()[:4] in text]
    assert (chip[0], chip[-1]) == (" ", " ")
    assert strip.cell_length == width


def test_the_row_of_tabs_says_what_x_does_now() -> None:
    tabs = Tabs()
    vars(tabs).update(shown=("network", "neuron"), active="network")
    assert "x zoom" in tabs.draw(140, 1)[0].text
    vars(tabs).update(shown=("network",))
    assert "x all panes" in tabs.draw(140, 1)[0].text
