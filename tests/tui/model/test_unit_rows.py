"""The rows of the Units pane: they are sorted by any column, and marks stay on their units."""

from __future__ import annotations

from dataclasses import replace

import frames
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from panes import frame_of

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import PARTLY, Frame, Units, View
from tinynets.server.frame_builder import FrameBuilder
from tui.model.selection import Selection, UnitNow, unit_now
from tui.model.unit_filter import read_filter
from tui.model.unit_rows import COLUMNS, STATES, TOUCHED, Sorting, UnitRows, marked_units

WORLD = frames.World()
FRAME = frames.frame(WORLD, View("hidden", every_unit=True))


def rows_of(frame: Frame, marks: dict[str, frozenset[int]] | None = None) -> UnitRows:
    found = UnitRows.of(frame, marks or {})
    assert found is not None
    return found


@given(st.sampled_from(COLUMNS), st.booleans(), st.lists(st.floats(width=32), min_size=10, max_size=10))
def test_rows_are_sorted_by_any_column_and_those_without_a_number_come_last(
    column: str, turned: bool, numbers: list[float]
) -> None:
    units: Units = frames.frame(WORLD, View("embed")).units  # type: ignore[assignment]
    values = np.array(numbers)
    units = replace(units, **{column: np.arange(10) if column == "unit" else values})
    rows, sorting = UnitRows(units, {}, {}), Sorting(column, turned)
    order = rows.order(sorting)
    assert sorted(order.tolist()) == list(range(10))
    there = rows.columns[column][order]
    known = there[~np.isnan(there)]
    assert np.isnan(there[len(known) :]).all()
    steps = known[1:] >= known[:-1] if sorting.rises else known[1:] <= known[:-1]
    assert steps.all()


def test_the_largest_come_first_but_units_by_their_numbers() -> None:
    assert Sorting().rises
    assert not Sorting("mean").rises
    assert Sorting("mean", turned=True).rises
    assert Sorting("mean", turned=True).beside(1) == Sorting("std")
    assert (Sorting().beside(-1), Sorting("worth").beside(1)) == (Sorting(), Sorting("worth"))


def test_a_filter_leaves_the_ranks_as_they_are() -> None:
    rows = rows_of(FRAME)
    shown, ranks = rows.shown(Sorting("mean"), read_filter("dead", STATES))
    order = rows.order(Sorting("mean")).tolist()
    assert len(shown) == 3
    assert [order[rank] for rank in ranks] == shown.tolist()


def test_every_state_that_a_filter_knows_is_found() -> None:
    rows = rows_of(frame_of("names-mlp"), {"hidden": frozenset({3})})
    assert set(rows.states) == set(STATES)
    assert {"zeroed", "clamped", "patched"} <= set(TOUCHED.values())


def test_states_are_those_of_what_stands_on_the_units() -> None:
    lab = tn.Lab("names-mlp")
    lab.zero("hidden[1,5]")
    lab.clamp("hidden.pre[7]", 0.5)
    lab.freeze("hidden[5]")
    lab.freeze("hidden.w[0,9]")
    frame = FrameBuilder.of(lab).frame(View("hidden", every_unit=True), 1, Activity())
    rows = rows_of(frame)

    def those(text: str) -> list[tuple[str, int]]:
        return [rows.name(row) for row in rows.shown(Sorting(), read_filter(text, STATES))[0]]

    assert those("zeroed") == [("hidden", 1), ("hidden", 5)]
    assert those("clamped") == [("hidden", 7)]
    assert those("touched and not frozen") == [("hidden", 1), ("hidden", 7)]
    assert those("frozen") == [("hidden", 5)]
    assert frame.standing["hidden"].frozen[9] == PARTLY
    assert those("mean == 0 and dev == 0") == [("hidden", 1), ("hidden", 5)]


def test_marks_are_put_on_and_taken_off_together() -> None:
    rows = rows_of(FRAME)
    embed, hidden = np.array([0, 3]), np.array([3, 10 + 7])
    marks = dict(rows.toggled(embed))
    assert marks == {"embed": frozenset({0, 3})}
    marks = dict(rows_of(FRAME, marks).toggled(hidden))  # one of them has a mark: both have one now
    assert marks == {"embed": frozenset({0, 3}), "hidden": frozenset({7})}
    assert np.flatnonzero(rows_of(FRAME, marks).marked).tolist() == [0, 3, 17]
    assert dict(rows_of(FRAME, marks).toggled(hidden)) == {"embed": frozenset({0})}
    assert marked_units(FRAME, marks) == {"embed": (0, 3), "hidden": (7,)}


def test_marks_stay_on_their_units_through_prune_undo_and_grow() -> None:
    lab = tn.Lab("names-mlp")
    builder = FrameBuilder.of(lab)
    marks = {"hidden": frozenset({5, 9, 199})}

    def marked() -> dict[str, tuple[int, ...]]:
        frame = builder.frame(View("hidden"), 1, Activity())
        found = marked_units(frame, marks)
        rows = rows_of(frame, marks)
        assert np.flatnonzero(rows.marked).tolist() == [*found.get("hidden", ())]
        return found

    assert marked() == {"hidden": (5, 9, 199)}
    lab.prune("hidden[0,5]")
    assert marked() == {"hidden": (7, 197)}
    lab.grow("hidden", 3)
    assert marked() == {"hidden": (7, 197)}
    lab.undo()
    lab.undo()
    assert marked() == {"hidden": (5, 9, 199)}


def test_what_holds_of_units_together_is_what_holds_of_all() -> None:
    lab = tn.Lab("names-mlp")
    lab.zero("hidden[1,2]")
    lab.clamp("hidden[3]", 1)
    lab.freeze("hidden[1,3]")
    frame = FrameBuilder.of(lab).frame(View("hidden"), 1, Activity())

    def now(*units: int) -> UnitNow:
        return unit_now(frame, Selection("hidden", units[0], group=units))

    assert (now(1, 2).output, now(1, 3).output, now(1, 4).output) == ("zero", "several", "")
    assert (now(1, 3).frozen, now(1, 2).frozen) == (2, 0)
    assert Selection("hidden", 1, group=(1, 5)).selector == "hidden[1,5]"
    assert Selection("hidden", 1, group=(1, 5)).of("hidden.pre") == "hidden.pre[1,5]"
