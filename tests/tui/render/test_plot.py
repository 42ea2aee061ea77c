"""Plots of losses are right for all losses: 0 and below, NaN, constant ones, and ones that hardly differ."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from panes import PLAIN, drawn, frame_of
from textual.strip import Strip

from tinynets.server.frame import LossCurve
from tui.render.palette import Terminal
from tui.render.plot import Curve, even_axis, fits_log, labels, loss_plot, pair_difference, pair_plot, ticks
from tui.widgets.loss import LossPane

WIDTH, HEIGHT = 60, 16
FALLING = np.linspace(-1.0, -9.0, 40)
SIZES = st.sampled_from([(60, 16), (38, 9), (28, 4), (93, 24)])


def curve_of(mean: object, spread: float = 0.0, **others: object) -> LossCurve:
    values = np.asarray(mean, dtype=np.float64)
    steps = np.arange(1, len(values) + 1)
    made = LossCurve(steps, values - spread, values + spread, values, {}, len(values), len(values))
    return replace(made, **others)  # type: ignore[arg-type]


def texts(strips: list[Strip]) -> list[str]:
    assert all(strip.cell_length == WIDTH for strip in strips)
    return [strip.text for strip in strips]


def dots(strips: list[Strip], marker: str = "•") -> list[tuple[int, int]]:
    """The columns and lines where the mean is drawn."""
    return [(x, y) for y, strip in enumerate(strips) for x, letter in enumerate(strip.text) if letter == marker]


def marks(strips: list[Strip]) -> list[float]:
    """The numbers on the vertical axis, from the top."""
    found = [re.match(r"\s*(\S+)┤", strip.text) for strip in strips]
    return [float(match[1]) for match in found if match]


def pane_of(curve: LossCurve, log: bool, width: int = WIDTH, look: Terminal = Terminal()) -> tuple[LossPane, list[str]]:  # noqa: B008
    pane = LossPane()
    pane.log10 = log
    lines = drawn(pane, replace(frame_of("xor"), loss=curve), width, HEIGHT, look)
    return pane, lines


CROSSING = {
    "all below 0": curve_of(FALLING),
    "through 0": curve_of(np.linspace(5, -5, 40)),
    "down to 0": curve_of(np.linspace(5, 0, 40)),
    "above 0 but for the least of a column": curve_of(np.linspace(5, 1, 40), low=np.linspace(4, -1, 40)),
    "above 0 but for an evaluation": curve_of(
        np.linspace(5, 1, 40), evaluations={"dev": (np.array([20]), np.array([-2.0]))}
    ),
    "above 0 but for an early evaluation, the last of which is NaN": curve_of(
        np.linspace(5, 1, 40), evaluations={"dev": (np.array([20, 40]), np.array([-2.0, np.nan]))}
    ),
    "only evaluations": curve_of([], evaluations={"dev": (np.array([0, 10]), np.array([0.0, 0.5]))}, end=10, step=10),
}


@pytest.mark.parametrize("case", CROSSING)
def test_losses_of_0_and_below_are_drawn_as_they_are_where_log10_is_asked_for(case: str) -> None:
    curve = CROSSING[case]
    assert not fits_log(curve)
    drawn_log = loss_plot(curve, WIDTH, HEIGHT, True, Terminal())
    assert texts(drawn_log) == texts(loss_plot(curve, WIDTH, HEIGHT, False, Terminal()))


@pytest.mark.parametrize("case", CROSSING)
@pytest.mark.parametrize("width", [60, 40])
def test_the_title_says_why_the_axis_is_linear(case: str, width: int) -> None:
    pane, lines = pane_of(CROSSING[case], True, width)
    assert pane.detail == "linear: some losses are <= 0"
    assert pane_of(CROSSING[case], False)[0].detail == "training loss by step"
    assert len(f"4 Loss {pane.detail}") <= width - 4
    assert "NaN┤" not in "".join(lines)


def test_a_run_with_negative_losses_is_no_flat_line() -> None:
    strips = loss_plot(curve_of(FALLING), WIDTH, HEIGHT, True, Terminal())
    heights = {y for _, y in dots(strips)}
    assert len(heights) > HEIGHT // 2
    assert marks(strips) == [-2, -4, -6, -8]


def test_pressing_g_says_that_the_axis_stays_linear_and_what_the_lowest_loss_is() -> None:
    pane, _ = pane_of(curve_of([3.0, -0.25]), False)
    said = pane.toggle_log()
    assert said.startswith("loss stays linear: some losses are <= 0")
    assert "-0.25" in said
    assert pane.toggle_log() == "loss, linear"
    pane, _ = pane_of(curve_of([3.0, 0.25]), False)
    assert pane.toggle_log() == "loss as log10"


def test_losses_far_below_1e_12_have_their_own_height() -> None:
    strips = loss_plot(curve_of(10.0 ** -np.arange(40.0)), WIDTH, HEIGHT, True, Terminal())
    assert min(marks(strips)) == -30
    assert len({y for _, y in dots(strips)}) > HEIGHT // 2


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -3.5, 1e-30, 2.5e7])
def test_a_constant_loss_is_a_line_in_the_middle_with_its_value_beside_it(value: float, log: bool) -> None:
    strips = loss_plot(curve_of(np.full(40, value)), WIDTH, HEIGHT, log, Terminal())
    lines = {y for _, y in dots(strips)}
    assert len(lines) == 1
    assert abs(lines.pop() - (HEIGHT - 2) / 2) <= 1
    shown = np.log10(value) if log and value > 0 else value
    assert marks(strips) == [pytest.approx(shown, rel=0.005)]
    assert "-0┤" not in "".join(texts(strips))


def test_losses_that_are_not_numbers_are_left_out_and_the_rest_is_drawn() -> None:
    whole = np.linspace(5.0, 1.0, 40)
    holes = np.where(np.arange(40) % 7 == 3, np.nan, whole)
    evaluations = {"dev": (np.array([10, 20, 30]), np.array([np.nan, 3.0, np.inf]))}
    for log in (False, True):
        strips = loss_plot(curve_of(holes, evaluations=evaluations), WIDTH, HEIGHT, log, Terminal())
        assert len({y for _, y in dots(strips)}) > HEIGHT // 2
        assert "".join(texts(strips)).count("●") == 1
        assert all(np.isfinite(marks(strips)))


def test_ticks_that_differ_are_written_differently() -> None:
    assert labels([1.0, 1.0001, 1.0002]) == ["1", "1.0001", "1.0002"]
    assert labels([0.0, -0.5, 2]) == ["0", "-0.5", "2"]
    strips = loss_plot(curve_of(np.linspace(1234.0, 1235.0, 40)), WIDTH, HEIGHT, False, Terminal())
    assert len(set(marks(strips))) == len(marks(strips)) > 1


LOSSES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=32),
    st.floats(-3, 3),
    st.sampled_from([0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38, 1.0]),
)


@given(st.lists(LOSSES, max_size=20), st.lists(LOSSES, max_size=3), SIZES, st.booleans(), st.booleans())
@settings(max_examples=120, deadline=None)
def test_whatever_the_losses_are_every_tick_is_a_number_within_them(
    mean: list[float], evaluated: list[float], size: tuple[int, int], log: bool, unicode: bool
) -> None:
    width, height = size
    evaluations = {"dev": (np.arange(len(evaluated)), np.array(evaluated))} if evaluated else {}
    curve = curve_of(mean, evaluations=evaluations)
    if not np.isfinite([*mean, *evaluated]).any():
        lines = pane_of(curve, log)[1]
        assert "no loss is a finite number" in "".join(lines) or not (mean or evaluated)
        return
    strips = loss_plot(curve, width, height, log, Terminal() if unicode else PLAIN)
    assert len(strips) == height
    assert all(strip.cell_length == width for strip in strips)
    known = [v for v in [*mean, *evaluated] if np.isfinite(v)]
    if height > 4:
        shown = np.log10(known) if log and min(known) > 0 else np.array(known)
        room = 0.006 * max(abs(shown.max()), abs(shown.min()))
        assert all(shown.min() - room <= mark <= shown.max() + room for mark in marks(strips))


def tick_lines(strips: list[Strip]) -> list[int]:
    """The lines of a plot on which there is a tick."""
    return [y for y, strip in enumerate(strips) if re.match(r"\s*(\S+)┤", strip.text)]


@given(st.floats(-3, 3), st.floats(0.01, 5), st.integers(7, 30), st.booleans())
@example(0.075, 0.175, 9, False)  # ticks at 0.1, 0.15, 0.2 and 0.25 were one, one and two lines apart
@settings(max_examples=60, deadline=None)
def test_ticks_are_as_far_apart_in_lines_as_in_losses(low: float, size: float, height: int, log: bool) -> None:
    curve = curve_of(np.linspace(10 ** (low + size), 10**low, 40) if log else np.linspace(low + size, low, 40))
    strips = loss_plot(curve, WIDTH, height, log, Terminal())
    lines, numbers = tick_lines(strips), marks(strips)
    assert len(numbers) >= 1
    assert len(set(np.diff(lines))) <= 1
    gaps = -np.diff(numbers)
    assert np.allclose(gaps, gaps[:1], rtol=0.02)
    drawn_on = {y for _, y in dots(strips)}
    assert max(drawn_on) - min(drawn_on) >= (height - 3) // 2


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e6), st.integers(7, 40))
def test_an_axis_holds_all_losses_and_its_ticks_stand_on_whole_lines(low: float, size: float, lines: int) -> None:
    high = low + size
    axis = even_axis(low, high, lines)
    slack = 1e-6 * size
    assert axis.bottom <= low + slack
    assert axis.top >= high - slack
    assert all(low <= tick <= high for tick in axis.ticks)
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


@given(st.lists(LOSSES, max_size=30), st.lists(LOSSES, max_size=30), st.none() | st.integers(0, 40))
@settings(max_examples=80, deadline=None)
def test_two_runs_are_drawn_whatever_their_losses_are(first: list[float], second: list[float], parted: int) -> None:
    one, other = Curve(np.array(first), (1, 2, 3), "a"), Curve(np.array(second), (3, 2, 1), "b")
    strips = pair_plot(one, other, parted, WIDTH, HEIGHT)
    assert len(strips) == HEIGHT
    assert all(np.isfinite(marks(strips)))
    difference = pair_difference(one, other, parted, WIDTH - 8)
    assert not np.isinf(difference).any()
