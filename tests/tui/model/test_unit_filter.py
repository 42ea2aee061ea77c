"""The filter of the Units pane: what it lets through, and that it says in words what cannot be read."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.model.unit_filter import COMPARED, QUANTITIES, FilterError, read_filter
from tui.model.unit_rows import STATES

COLUMNS = {
    "unit": np.arange(6.0),
    "mean": np.array([-0.5, -0.05, 0.0, 0.05, 0.5, np.nan]),
    "std": np.full(6, 0.1),
    "flat": np.array([0.0, 10, 30, 31, 100, np.nan]),
    "gradient": np.array([0.0, 1e-5, 1e-4, 1e-3, 1e-2, np.nan]),
    "change": np.full(6, np.nan),
    "worth": np.array([-0.02, -0.01, 0.0, 0.01, 0.02, np.nan]),
}
MASKS = {name: np.zeros(6, np.bool_) for name in STATES}
MASKS["dead"] = np.array([1, 0, 0, 0, 0, 1], np.bool_)
MASKS["frozen"] = np.array([1, 1, 0, 0, 0, 0], np.bool_)

names = st.sampled_from(
    [*QUANTITIES, *STATES, "and", "not", "|", "||", "x", "", "%", "1e-4", "30%", "e", "-", ".", "9e999"]
)
pieces = st.lists(st.one_of(names, st.sampled_from(list(COMPARED)), st.text(max_size=5)), max_size=12)


def let_through(text: str) -> list[int]:
    return np.flatnonzero(read_filter(text, STATES).mask(COLUMNS, MASKS)).tolist()


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("  ", [0, 1, 2, 3, 4, 5]),
        ("dead", [0, 5]),
        ("not dead", [1, 2, 3, 4]),
        ("dead and frozen", [0]),
        ("saturated > 30", [3, 4]),
        ("saturated>30%", [3, 4]),
        ("off >= 30", [2, 3, 4]),
        ("|grad| < 1e-4", [0, 1]),
        ("| Gradient | <= .0001", [0, 1, 2]),
        ("worth > 0.01", [4]),
        ("worth == -0.02", [0]),
        ("worth = -0.02", [0]),
        ("worth != 0", [0, 1, 3, 4]),
        ("mean < 0", [0, 1]),
        ("|mean| >= 0.5", [0, 4]),
        ("MEAN < 0 AND not FROZEN", []),
        ("mean < 0.1 and mean > -0.1 and worth >= 0", [2, 3]),
        ("change > 0", []),
        ("unit >= 4", [4, 5]),
        ("dev < 1 and std < 1 and deviation > 0", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_a_filter_lets_through_what_it_says(text: str, units: list[int]) -> None:
    assert let_through(text) == units


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "satrated > 3",
            "there is no `satrated` to compare, only unit, mean, dev, saturated, off, grad, change, worth",
        ),
        ("satrated > 3", "did you mean `saturated`?"),
        ("daed", "`daed` is not known; a filter is a state (dead, saturated, off, frozen, marked, touched, zeroed"),
        ("daed", "did you mean `dead`?"),
        ("mean", "`mean` is compared with a number, as `mean > 0.1`"),
        ("mean > x", "`mean > x`: `x` is not a number, as 0.5, 1e-4 or 30%"),
        ("|mean > 1", "`|mean > 1`: a size is written `|mean|`, with a bar on both sides"),
        ("mean| > 1", "`mean| > 1`: a size is written `|mean|`, with a bar on both sides"),
        ("dead and", "`and` stands between two of these: a state (dead"),
        ("and", "`and` stands between two of these: "),
        ("dead frozen", "`dead frozen` is not known"),
        ("not", "`not` is not known"),
    ],
)
def test_what_cannot_be_read_is_told_in_words_with_what_is_known(text: str, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        read_filter(text, STATES)
    assert said in str(caught.value)


@example(["mean", "<", "9e999"])
@example(["|", "mean", "|", ">", "\u0661"])
@given(pieces)
def test_nothing_that_is_written_raises_anything_else(parts: list[str]) -> None:
    for text in (" ".join(parts), "".join(parts)):
        with suppress(FilterError):
            found = read_filter(text, STATES)
            assert found.mask(COLUMNS, MASKS).shape == (6,)
            assert read_filter(found.text, STATES) == found
