"""Heat maps in a room of any size: the selected cell is visible, and a click finds the cell drawn there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from panes import grids

from tui.render import palette
from tui.render.palette import Terminal
from tui.widgets.heatmap import Grid, cell_lines, grid, ruler, scrolled


@given(grids())
def test_the_marked_cell_is_always_visible(found: tuple[Grid, int]) -> None:
    place, row = found
    assert place.first_column <= place.marked < place.first_column + place.shown_columns
    assert any(
        (top := place.row_at(y)) is not None and top <= row < top + place.rows_per_line for y in range(place.lines)
    )


@given(grids())
def test_a_click_on_a_cell_finds_the_column_that_was_drawn_there(found: tuple[Grid, int]) -> None:
    place, _ = found
    for column in range(place.first_column, place.first_column + place.shown_columns):
        assert place.column_at(place.x_of(column)) == column
        assert place.column_at(place.x_of(column) + place.cell_width - 1) == column


@given(grids())
def test_lines_are_as_wide_as_the_map_and_no_wider_than_the_room(found: tuple[Grid, int]) -> None:
    place, row = found
    values = np.random.default_rng(0).normal(size=(place.rows, place.columns))
    width = place.gutter + place.shown_columns * place.cell_width + 2
    strips = cell_lines(values, 2.0, place, row, ("label",) * place.rows, Terminal(colour=place.rows_per_line == 2))
    assert {strip.cell_length for strip in strips} == {width}
    assert ruler(place, lambda column: None, Terminal()).cell_length == width


def test_two_rows_share_a_line_where_there_is_little_room() -> None:
    values = np.array([[-1.0], [1.0], [0.0]] * 10)
    place = grid((30, 1), (8, 20), 4, -1, 0, (0, 0), Terminal())
    strip = cell_lines(values, 1.0, place, -1, ("",) * 30, Terminal())[0]
    cells = [segment for segment in strip if "▀" in segment.text]
    assert cells[0].style == palette.pair(0, palette.LEVELS - 1).style


def test_small_maps_grow_to_fill_their_pane() -> None:
    place = grid((2, 8), (12, 60), 6, 0, 0, (0, 0), Terminal())
    assert place.cell_width == 6
    assert place.lines_per_row == 3


def test_large_cells_have_their_values_on_them() -> None:
    place = grid((2, 2), (6, 60), 6, 0, 0, (0, 0), Terminal())
    strips = cell_lines(np.array([[0.5, -0.25], [0.0, 2.0]]), 1.0, place, 0, ("a", "b"), Terminal())
    text = "".join(strip.text for strip in strips)
    assert all(value in text for value in ("+0.50", "-0.25", "+2.00"))


def test_without_colour_cells_are_signs() -> None:
    look = Terminal(colour=False)
    values = np.array([[-1.0, 1.0] * 5])
    strip = cell_lines(values, 1.0, grid((1, 10), (1, 30), 4, -1, 0, (0, 0), look), -1, ("x",), look)[0]
    assert "==" in strip.text
    assert "##" in strip.text


@given(st.integers(0, 500), st.integers(0, 499), st.integers(1, 500), st.integers(1, 500))
def test_scrolling_stays_inside_and_shows_what_is_wanted(first: int, wanted: int, shown: int, total: int) -> None:
    shown, wanted = min(shown, total), min(wanted, total - 1)
    at = scrolled(first, wanted, shown, total)
    assert 0 <= at <= total - shown
    assert at <= wanted < at + shown


def test_a_saturated_cell_is_told_from_one_that_is_merely_large() -> None:
    values, mask = np.array([[0.96, 0.99], [-0.96, -0.99]]), np.array([[False, True], [False, True]])
    place = grid((2, 2), (2, 8), 4, -1, -1, (0, 0), Terminal())
    for look in (Terminal(), Terminal(colour=False)):
        cells = [
            list(line)[-3:-1] if look.colour else line.text[4:6]
            for line in cell_lines(values, 1.0, place, -1, ("", ""), look, mask)
        ]
        assert all(large != saturated for large, saturated in cells)
    levels = palette.saturated(palette.levels(np.linspace(-1, 1, 500), 1.0), np.abs(np.linspace(-1, 1, 500)) > 0.97)
    assert len(np.unique(levels)) <= 32
