"""The order of examples, and which of them is the next wrong one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynets.server.frame import Examples, OwnInput
from tui.model.bands import Bands
from tui.model.example_list import ORDERS, Group, groups, hard_ones, next_hard, place_of, sequence, verdict_words
from tui.model.own_input import call_of, own_of
from tui.model.selection import Selection


def made(truth: list[int], answer: list[int], loss: list[float], labels: str = "abc") -> Examples:
    rows, given, said = np.arange(len(truth)), np.array(truth, np.int64), np.array(answer, np.int64)
    return Examples(
        "", rows, len(rows), "classes", tuple(labels), given, said, np.full(len(rows), 0.5), np.array(loss),
        given != said, np.zeros((len(rows), 1)), None,
    )  # fmt: skip


FEW = made([0, 1, 0, 1, 0], [0, 0, 1, 1, 2], [0.1, 3.0, 2.0, 0.4, 5.0])


def test_by_class_the_wrong_ones_come_first_the_worst_before() -> None:
    found = groups(FEW, "class")
    assert [(group.label, group.places.tolist(), group.right) for group in found] == [(0, [4, 2, 0], 1), (1, [1, 3], 1)]


def test_by_loss_and_by_number() -> None:
    assert sequence(groups(FEW, "loss")).tolist() == [4, 1, 2, 3, 0]
    assert sequence(groups(FEW, "number")).tolist() == [0, 1, 2, 3, 4]
    nan = replace(FEW, loss=np.array([0.1, np.nan, 2.0, 0.4, 5.0]))
    assert sequence(groups(nan, "loss"))[0] == 1


def test_only_the_examples_of_a_cell() -> None:
    assert sequence(groups(FEW, "class", (0, 2))).tolist() == [4]
    assert sequence(groups(FEW, "class", (2, 2))).tolist() == []


def test_without_right_and_wrong_the_hard_ones_are_those_above_the_mean_loss() -> None:
    values = replace(FEW, kind="values", labels=(), wrong=None)
    assert hard_ones(values).tolist() == [False, True, False, False, True]
    assert sequence(groups(values, "class")).tolist() == [4, 1, 2, 3, 0]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.floats(0, 9)), max_size=30), st.data())
def test_the_next_wrong_one_goes_through_all_of_them_and_round(
    rows: list[tuple[int, int, float]], data: st.DataObject
) -> None:
    found = made([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    order = sequence(groups(found, data.draw(st.sampled_from(list(ORDERS)))))
    by = data.draw(st.sampled_from((1, -1)))
    wrong = [int(place) for place in order if found.wrong is not None and found.wrong[place]]
    place, seen = data.draw(st.sampled_from([None, *range(len(rows))])), []
    for _ in wrong:
        place = next_hard(found, order, place, by)
        seen.append(place)
    assert sorted(seen, key=str) == sorted(wrong, key=str)
    assert (next_hard(found, order, place, by) is None) == (not wrong)


def test_the_selected_example_of_a_split_is_ones_own_input() -> None:
    dev = replace(FEW, split="dev", rows=np.array([0, 5, 10, 15, 20]))
    assert place_of(dev, Selection(own=OwnInput(split="dev", example=10))) == 2
    assert place_of(dev, Selection(own=OwnInput(split="dev", example=11))) is None
    assert place_of(dev, Selection(example=2)) is None
    assert place_of(FEW, Selection(example=2)) == 2
    assert place_of(FEW, Selection(example=2, own=OwnInput("emma"))) is None


def test_a_verdict_names_answer_and_truth() -> None:
    assert verdict_words(FEW, 1) == "answers a 50%, truth is b"
    values = replace(FEW, kind="values", labels=(), wrong=None, values=np.full((5, 1), 0.25), targets=np.ones((5, 1)))
    assert verdict_words(values, 0) == "answers 0.25, truth is 1"
    assert verdict_words(replace(FEW, answer=np.full(5, -1)), 0) == "answers NaN 50%, truth is a"


@given(st.lists(st.integers(0, 12), max_size=8), st.integers(1, 4), st.integers(1, 5), st.integers(1, 30), st.data())
def test_the_selected_example_is_in_sight(
    sizes: list[int], wide: int, height: int, room: int, data: st.DataObject
) -> None:
    starts = np.cumsum([0, *sizes])
    found = [Group(np.arange(a, a + size), label) for label, (a, size) in enumerate(zip(starts, sizes, strict=False))]
    bands = Bands()
    bands.arrange(found, wide, height, headings=True)
    bands.top = data.draw(st.integers(0, 60))
    place = data.draw(st.integers(0, int(starts[-1]) - 1)) if starts[-1] else None
    bands.scroll(place, room)
    seen = list(bands.in_sight(0, room))
    assert place is None or any(place in band.places for _, band in seen)
    for (first, band), (second, _) in pairwise(seen):
        assert second == first + band.height


@pytest.mark.parametrize(
    ("typed", "own"),
    [
        ("dev 12", OwnInput(split="dev", example=12)),
        (" train 1,200 ", OwnInput(split="train", example=1200)),
        ("emma", OwnInput("emma")),
        ("dev", OwnInput("dev")),
        ("dev x", OwnInput("dev x")),
        ("test 3", OwnInput("test 3")),
        ("0.3 -1.2", OwnInput("0.3 -1.2")),
    ],
)
def test_what_is_typed_is_an_example_of_a_split_or_an_input(typed: str, own: OwnInput) -> None:
    assert own_of(typed, ("train", "dev")) == own
    assert call_of(own) == (((), {"example": own.example, "split": own.split}) if own.split else ((own.given,), {}))
