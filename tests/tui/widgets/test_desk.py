"""The desk: panes cover it without overlap, and the picked one is visible."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening import lab, real, until

from tinynets.server.frame import PANES
from tui.panes import ROWS, SLOTS
from tui.render.plot import ticks
from tui.widgets.desk import PaneChoice, picked, plan

panes = st.sampled_from(PANES)


def test_the_rows_of_the_panes_are_in_the_order_of_their_numbers() -> None:
    assert [row.name for row in ROWS] == list(PANES)
    assert [row.title[0] for row in ROWS] == [str(number) for number in range(1, len(PANES) + 1)]


@given(st.integers(60, 300), st.integers(9, 100), panes, st.booleans(), st.integers(4, 40))
def test_panes_cover_the_desk_without_overlap(width: int, height: int, pane: str, zoom: bool, network: int) -> None:
    regions = plan(width, height, PaneChoice(zoom=zoom, network_height=network, **picked(pane, SLOTS[pane])), SLOTS)  # type: ignore[arg-type]
    assert sum(region.area for region in regions.values()) == width * height
    assert not any(a.overlaps(b) for a, b in combinations(regions.values(), 2))


@given(st.integers(60, 300), st.integers(9, 100), panes, st.booleans())
def test_the_pane_that_was_picked_is_visible(width: int, height: int, pane: str, zoom: bool) -> None:
    assert pane in plan(width, height, PaneChoice(zoom=zoom, **picked(pane, SLOTS[pane])), SLOTS)  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "count"), [((160, 42), 7), ((140, 35), 7), ((100, 24), 4), ((80, 18), 2)])
def test_more_room_shows_more_panes(size: tuple[int, int], count: int) -> None:
    assert len(plan(*size, PaneChoice(), SLOTS)) == count


@given(st.floats(-100, 1e6), st.floats(1e-3, 1e6), st.integers(2, 12))
def test_axis_numbers_are_few_and_inside(low: float, size: float, most: int) -> None:
    found = ticks(low, low + size, most)
    assert 1 <= len(found) <= most
    assert all(low - 1e-6 * size <= tick <= low + size * (1 + 1e-6) for tick in found)


@pytest.mark.parametrize("size", [(160, 48), (120, 36), (100, 30)])
@pytest.mark.proof
async def test_the_network_takes_no_lines_that_it_leaves_empty(size: tuple[int, int]) -> None:
    async with real("digits", size) as (pilot, _):
        pane = lab(pilot).panes["network"]
        await until(pilot, lambda: pane.size.height and pane._lines and lab(pilot).frame)
        drawn = [strip.text for strip in pane._lines[:-1]]
        while drawn and not drawn[-1].strip():
            drawn.pop()
        assert len(drawn) >= pane.size.height - 3
