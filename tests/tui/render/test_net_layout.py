"""A net is placed so that its pictures are as large as there is room for, and never over one another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render.net_layout import DOT, PICTURE, NetLayout, Wanted, columns_of, layout, map_layout, nearest, right_of

XOR = Wanted((((("", 2),)), (("hidden", 4),), (("output", 2),)), 5, 2, answer=True)
SPIRAL = Wanted(((("", 2),), (("hidden1", 16),), (("hidden2", 16),), (("output", 2),)), 5, 2, answer=True)


def free(placed: NetLayout, width: int, lines: int) -> None:
    """No two pictures share a pixel, and all lie on the drawing."""
    taken: set[tuple[int, int]] = set()
    for node in placed.nodes:
        own = {(node.x + x, node.y + y) for x in range(placed.size.wide + 1) for y in range(placed.size.tall)}
        assert not own & taken
        assert all(0 <= x < width and 0 <= y < 2 * lines for x, y in own)
        taken |= own
    if placed.answer is not None:
        x, y, side = placed.answer
        assert not taken & {(x + right, y + down) for right in range(side) for down in range(side)}
        assert x + side <= width
        assert y + side <= 2 * lines


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=4),
    st.integers(20, 170),
    st.integers(6, 45),
    st.booleans(),
    st.sampled_from([0, 8]),
)
def test_nodes_never_overlap(sizes: list[int], width: int, lines: int, answer: bool, natural: int) -> None:
    columns = ((("", 2),), *(((f"b{number}", count),) for number, count in enumerate(sizes)))
    placed = layout(Wanted(columns, 4, 3, natural, answer), width, lines)
    if placed is not None:
        free(placed, width, lines)
        assert len(placed.nodes) == 2 + sum(sizes)


@pytest.mark.parametrize(("wanted", "least"), [(XOR, 8), (SPIRAL, 4)])
def test_the_room_of_a_large_terminal_gives_pictures_and_the_answer(wanted: Wanted, least: int) -> None:
    placed = layout(wanted, 94, 22)
    assert placed is not None
    assert placed.size.tall >= least
    assert placed.answer is not None


def test_zoomed_pictures_are_larger() -> None:
    for wanted in (XOR, SPIRAL):
        among, alone = layout(wanted, 94, 22), layout(wanted, 158, 38)
        assert among is not None
        assert alone is not None
        assert alone.size.tall > among.size.tall


def test_where_pictures_have_no_room_nodes_are_dots_and_then_there_is_no_net() -> None:
    small = layout(SPIRAL, 56, 9)
    assert small is not None
    assert small.size == DOT
    assert layout(SPIRAL, 24, 6) is None
    crowded = Wanted(((("", 2),), (("hidden", 60),), (("output", 2),)))
    narrow = layout(crowded, 40, 9)
    assert narrow is None or narrow.size.tall >= PICTURE


def test_a_block_stands_right_of_all_that_comes_into_it() -> None:
    links = [("a", ("",), 3), ("b", ("",), 4), ("join", ("a", "b"), 7), ("out", ("join",), 2)]
    assert columns_of(links, 2) == ((("", 2),), (("a", 3), ("b", 4)), (("join", 7),), (("out", 2),))


def test_right_and_left_go_to_the_nearest_unit_of_the_next_lane() -> None:
    placed = layout(XOR, 94, 22)
    assert placed is not None
    node = placed.at["hidden", 3]
    after = right_of(placed, node, 1)
    assert after == placed.at["output", 1]
    assert right_of(placed, after, 1) is None
    assert right_of(placed, placed.at["output", 0], -1) in (placed.at["hidden", 0], placed.at["hidden", 1])
    assert right_of(placed, node, -1) is None, "inputs are no units"


def test_what_is_at_a_place_is_the_unit_whose_picture_is_there() -> None:
    placed = layout(SPIRAL, 94, 22)
    assert placed is not None
    for node in placed.nodes:
        found = nearest(placed, node.x + 1, node.y + 1)
        assert found == (node if node.block else None)


@pytest.mark.parametrize(("width", "lines"), [(92, 21), (40, 12), (30, 10)])
def test_a_map_has_each_unit_at_its_place(width: int, lines: int) -> None:
    placed = map_layout("map", (12, 12), width, lines)
    assert placed is not None
    assert placed.below == 12
    rows = {node.y for node in placed.nodes}
    assert len(rows) == len({node.x for node in placed.nodes}) == 12
    assert placed.at["map", 13].y > placed.at["map", 1].y
    assert placed.at["map", 13].x == placed.at["map", 1].x
