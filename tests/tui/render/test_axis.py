"""Axes: round numbers that differ, each where its line says it is, whatever is to be shown."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tui.render.axis import even_axis, labels, log_axis, ticks


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e6), st.integers(7, 40))
def test_an_axis_holds_all_losses_and_its_ticks_stand_on_whole_lines(low: float, size: float, lines: int) -> None:
    high = low + size
    axis = even_axis(low, high, lines)
    slack = 1e-6 * size
    assert axis.bottom <= low + slack
    assert axis.top >= high - slack
    assert all(axis.bottom - slack <= tick <= axis.top + slack for tick in axis.ticks)
    at = (np.array(axis.ticks) - axis.bottom) / (axis.top - axis.bottom) * (lines - 1)
    assert np.allclose(at, np.round(at), atol=1e-4)
    assert size / (axis.top - axis.bottom) > 0.4


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
@example(-1.7976931348622546e308, -1.7976931348622552e308)
@example(1.7976931348622546e308, -1.7976931348622552e308)
@example(5e-324, 0.0)
def test_ticks_lie_between_the_ends_and_differ(one: float, other: float) -> None:
    low, high = sorted((one, other))
    made = ticks(low, high, 8)
    assert 1 <= len(made) <= 8
    assert len(set(made)) == len(made)
    assert all(low <= tick <= high for tick in made)


@given(st.floats(-40, 37), st.floats(0, 20), st.integers(2, 40))
def test_ticks_of_a_logarithmic_axis_are_round_numbers_within_it_each_on_a_line_of_its_own(
    low: float, size: float, lines: int
) -> None:
    axis = log_axis(low, low + size, lines)
    assert axis.bottom <= low + 1e-6
    assert axis.top >= low + size - 1e-6
    assert axis.ticks == sorted(set(axis.ticks))
    shares = axis.share(axis.ticks)
    assert ((shares >= -1e-9) & (shares <= 1 + 1e-9)).all()
    places = np.round(shares * (lines - 1))
    assert len(set(places)) == len(places)
    written = labels(axis.ticks)
    assert len(set(written)) == len(written)
    if size > 1 and lines > 8 and len(axis.ticks) > 1:
        assert all(f"{tick:e}"[0] in "125" for tick in axis.ticks)


@given(st.floats(-30, 30), st.floats(0.3, 20), st.integers(8, 40))
def test_equal_ratios_are_equally_many_lines_apart(low: float, size: float, lines: int) -> None:
    axis = log_axis(low, low + size, lines)
    places = np.round(axis.share(axis.ticks) * (lines - 1))
    ratios = np.round(np.diff(np.log10(axis.ticks)), 9)
    if size > 1:
        for ratio in set(ratios):
            assert len(set(np.diff(places)[ratios == ratio])) == 1


def test_a_low_pane_has_two_ticks_although_only_one_round_number_is_among_the_losses() -> None:
    assert even_axis(2.05, 2.95, 7).ticks == [2.0, 2.5, 3.0]


@given(st.floats(-3, 3), st.floats(0.7, 6), st.integers(9, 40))
def test_a_logarithmic_axis_over_some_decades_has_at_least_two_ticks(low: float, size: float, lines: int) -> None:
    assert len(log_axis(low, low + size, lines).ticks) > 1


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e6))
def test_a_tall_axis_has_more_than_two_ticks(low: float, size: float) -> None:
    assert len(even_axis(low, low + size, 37).ticks) > 2
