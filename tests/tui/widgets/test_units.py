"""The Units pane: a row for each unit, at any size, in any terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from time import perf_counter

import frames
import numpy as np
import pytest
from panes import PLAIN, RECIPES, drawn, frame_of

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, LensInfo, View
from tinynets.server.frame_builder import FrameBuilder
from tui.model.selection import Selection
from tui.model.unit_filter import read_filter
from tui.model.unit_rows import COLUMNS, STATES, Sorting
from tui.render.palette import Terminal
from tui.render.unit_table import TITLES
from tui.widgets.units import UnitsPane

SIZES = [(158, 42), (94, 11), (82, 11), (56, 15), (38, 16), (28, 9)]
NAME = re.compile(r"[\w.]+\[\d+\]")
LOOKS = [Terminal(), Terminal(colour=False), Terminal(unicode=False), PLAIN]


def made(frame: Frame, **how: object) -> UnitsPane:
    pane = UnitsPane()
    vars(pane).update(how)
    drawn(pane, frame, 94, 11)
    return pane


def named(lines: list[str]) -> list[str]:
    """The units of the rows, from above."""
    return [found[0] for found in map(NAME.search, lines[1:]) if found]


def at(pane: UnitsPane, frame: Frame, block: str, unit: int) -> list[str]:
    """The lines with the cursor at a unit."""
    pane.frame, pane.selection = frame, Selection(block, unit)
    return [strip.text for strip in pane.draw(94, 11)]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("size", SIZES)
def test_every_recipe_is_drawn_at_every_size(recipe: str, size: tuple[int, int]) -> None:
    for look in LOOKS:
        lines = drawn(UnitsPane(), frame_of(recipe), *size, look)
        assert len(lines) == min(size[1], 1 + frame_of(recipe).units.unit.size)  # type: ignore[union-attr]
        assert all(re.match(r"[▶> ]", text) for text in lines[1:])


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("size", SIZES)
def test_the_column_that_sorts_is_always_shown_with_an_arrow(column: str, size: tuple[int, int]) -> None:
    frame = frames.frame(frames.World(), View("hidden"))
    for turned, arrow in ((False, "▼"), (True, "▲")):
        pane = UnitsPane()
        pane.sorting = Sorting(column, turned)
        head = drawn(pane, frame, *size)[0]
        title = TITLES[column]
        rises = pane.sorting.rises
        assert (f"{title}▲" if rises else f"{title}▼") in head if column == "unit" else f"{arrow}{title}" in head


def test_a_row_says_all_that_there_is_to_say_of_a_unit() -> None:
    frame = frames.frame(frames.World(), View("hidden"))
    units = frame.units
    assert units is not None
    row = drawn(UnitsPane(), frame, 94, 11)[1]
    assert row.split()[:3] == ["▶", "1", "hidden[0]"]
    assert f"{units.mean[0]:+.3f}" in row
    assert f"{units.std[0]:.3f}" in row
    assert f"{100 * units.flat[0]:.0f}%" in row
    assert f"{units.gradient[0]:.2g}" in row
    assert any(bar in row for bar in "▂▃▄▅▆▇█")


def test_the_bars_say_what_the_lens_shows_of_which_examples() -> None:
    frame = frames.frame(frames.World(), View("hidden"))
    assert "on the probe" in drawn(UnitsPane(), frame, 94, 11)[0]
    assert "gradient, batch" in drawn(UnitsPane(), replace(frame, of_batch=True, lens=LensInfo("gradient")), 94, 11)[0]


def test_a_number_is_shown_however_narrow_it_is() -> None:
    for width in range(26, 160):
        row = drawn(UnitsPane(), frame_of("names-mlp"), width, 9)[1]
        assert re.search(r"\d%|0\.\d", row.replace("hidden[0]", "")), width


def test_blocks_of_relus_are_off_rather_than_saturated() -> None:
    assert " off" in drawn(UnitsPane(), frame_of("digits"), 94, 11)[0]
    frame = FrameBuilder.of(tn.Lab("digits-cnn")).frame(View(every_unit=True), 1, Activity())
    assert " off" in drawn(UnitsPane(), frame, 94, 11)[0]
    assert "sat." in drawn(UnitsPane(), frame_of("names-mlp"), 94, 11)[0]


def test_signs_have_glyphs_where_there_is_no_colour() -> None:
    frame = frames.frame(frames.World(), View("hidden"))
    units = frame.units
    assert units is not None
    bins = np.where(np.arange(16) % 2, 1.0, -1.0) * np.ones((200, 1))
    lines = drawn(UnitsPane(), replace(frame, units=replace(units, bins=bins)), 94, 11, Terminal(colour=False))
    assert "=#=#=#=#" in lines[1]


def test_what_stands_on_units_is_marked_as_in_the_network() -> None:
    world = frames.World()
    world.zeroed["hidden"][1] = True
    world.frozen["hidden"][2] = True
    lines = drawn(UnitsPane(), frames.frame(world, View("hidden")), 94, 20)
    assert "∅" in lines[2]
    assert "✱" in lines[3]
    assert "†" in lines[14]  # hidden[13] is dead
    pane = UnitsPane()
    pane.marks = {"hidden": frozenset({2})}
    lines = drawn(pane, frames.frame(world, View("hidden")), 94, 20)
    assert [y for y, text in enumerate(lines) if "●" in text] == [3]
    assert "1 marked" in pane.detail


def test_a_filter_shows_some_and_the_title_says_how_many() -> None:
    frame = frames.frame(frames.World(), View("hidden"))
    pane = UnitsPane()
    pane.filter = read_filter("dead", STATES)
    assert named(drawn(pane, frame, 94, 11)) == ["hidden[13]", "hidden[77]", "hidden[140]"]
    assert "3 of 200: dead" in pane.detail
    pane.filter = read_filter("mean > 1e9", STATES)
    assert "no unit is mean > 1e9" in " ".join(drawn(pane, frame, 94, 11))
    assert pane.moved(0, 1) is None
    assert pane.leapt("end") is None
    assert pane.here() is None


def test_the_cursor_goes_along_the_rows_that_are_shown() -> None:
    frame = frames.frame(frames.World(), View("hidden"))
    pane = made(frame, sorting=Sorting("mean"), filter=read_filter("dead", STATES))
    order = named(at(pane, frame, "hidden", 5))
    units = [int(name[7:-1]) for name in order]
    first = pane.moved(0, 1)
    assert first is not None
    assert first.unit == units[0]  # the cursor is not among them
    at(pane, frame, "hidden", units[0])
    assert [getattr(pane.leapt(to), "unit", None) for to in ("home", "end", "up", "down")] == [
        units[0], units[2], units[0], units[2],
    ]  # fmt: skip
    step = pane.moved(0, 1)
    assert step is not None
    assert (step.block, step.unit) == ("hidden", units[1])


def test_rows_of_all_blocks_are_named_with_their_blocks() -> None:
    frame = frames.frame(frames.World(), View("hidden", every_unit=True))
    pane = made(frame, every_unit=True)
    assert pane.detail.startswith("all blocks · 237")
    assert named(at(pane, frame, "output", 26))[-1] == "output[26]"
    down = pane.moved(0, -26 - 1)
    assert down is not None
    assert (down.block, down.unit) == ("hidden", 199)


def test_worth_of_another_moment_says_so_and_is_faint() -> None:
    world = frames.World()
    world.worths["hidden"] = 0, np.sin(np.arange(200)) / 100
    pane = made(frames.frame(world, View("hidden")))
    assert pane.footnote == "worth on dev, 64 examples"
    now = pane.draw(94, 11)[2]
    world.go(3)
    pane = made(frames.frame(world, View("hidden")))
    assert pane.footnote == "worth measured at step 0"
    old = pane.draw(94, 11)[2]
    text = f"{np.sin(1) / 100:+.2g}"
    assert text in now.text
    assert text in old.text
    inks = [next(segment.style for segment in strip if text in segment.text) for strip in (now, old)]
    assert inks[0] != inks[1]


def test_the_wheel_scrolls_away_from_the_cursor_until_that_moves() -> None:
    frame = frames.frame(frames.World(), View("hidden"))
    pane = made(frame)
    pane.redraw = lambda **_: None  # type: ignore[method-assign]  # there is no app
    pane.wheel(10)
    assert named(at(pane, frame, "hidden", 0))[0] == "hidden[30]"
    assert named(at(pane, frame, "hidden", 0))[0] == "hidden[30]"
    assert "hidden[1]" in named(at(pane, frame, "hidden", 1))
    pane.wheel(-1000)
    assert named(at(pane, frame, "hidden", 1))[0] == "hidden[0]"
    pane.wheel(1000)
    assert named(at(pane, frame, "hidden", 1))[-1] == "hidden[199]"


def test_hundreds_of_units_are_drawn_in_a_moment() -> None:
    frame = frame_of("names-transformer")
    pane = UnitsPane()
    best = 1.0
    for _ in range(5):
        begun = perf_counter()
        drawn(pane, frame, 158, 42)
        best = min(best, perf_counter() - begun)
    assert best < 0.05
