"""Plots of losses are right for all losses: 0 and below, NaN, constant ones, and ones that hardly differ."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from panes import PLAIN, drawn, frame_of
from textual.strip import Strip

from tinynets.server.frame import BranchCurve, LossCurve
from tui.render.axis import labels
from tui.render.loss_chart import chart_of, fits_log, tint
from tui.render.palette import Terminal
from tui.render.plot import draw
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


def loss_plot(curve: LossCurve, width: int, height: int, log: bool, look: Terminal) -> list[Strip]:
    return draw(chart_of(curve, (width - 6, max(1, height - 2)), log, look), width, height, look).strips()


def is_dot(letter: str) -> bool:
    return letter == "•" or 0x2800 < ord(letter) < 0x2900


def dots(strips: list[Strip]) -> list[tuple[int, int]]:
    """The columns and lines where the curve is drawn."""
    return [(x, y) for y, strip in enumerate(strips) for x, letter in enumerate(strip.text) if is_dot(letter)]


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
    assert pane.detail == "training loss by step, linear: some losses are <= 0"
    assert pane_of(CROSSING[case], False)[0].detail == "training loss by step"
    assert "NaN┤" not in "".join(lines)


def test_a_run_with_negative_losses_is_no_flat_line() -> None:
    strips = loss_plot(curve_of(FALLING), WIDTH, HEIGHT, True, Terminal())
    heights = {y for _, y in dots(strips)}
    assert len(heights) > HEIGHT // 2
    assert marks(strips) == [-2, -4, -6, -8]


def test_the_key_of_the_log_scale_says_that_the_axis_stays_linear_and_what_the_lowest_loss_is() -> None:
    pane, _ = pane_of(curve_of([3.0, -0.25]), False)
    said = pane.toggle_log()
    assert said.startswith("loss stays linear: some losses are <= 0")
    assert "-0.25" in said
    assert pane.toggle_log() == "loss, linear"
    pane, _ = pane_of(curve_of([3.0, 0.25]), False)
    assert pane.toggle_log() == "loss as log10"


def test_losses_far_below_1e_12_have_their_own_height() -> None:
    strips = loss_plot(curve_of(10.0 ** -np.arange(40.0)), WIDTH, HEIGHT, True, Terminal())
    assert min(marks(strips)) <= 1e-30
    assert len({y for _, y in dots(strips)}) > HEIGHT // 2


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, -3.5, 1e-30, 2.5e7])
def test_a_constant_loss_is_a_line_in_the_middle_with_its_value_beside_it(value: float, log: bool) -> None:
    strips = loss_plot(curve_of(np.full(40, value)), WIDTH, HEIGHT, log, Terminal())
    lines = {y for _, y in dots(strips)}
    assert len(lines) == 1
    assert abs(lines.pop() - (HEIGHT - 2) / 2) <= 1
    assert marks(strips)[len(marks(strips)) // 2] == pytest.approx(value, rel=0.2 if log and value > 0 else 0.005)
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
        low, high = min(known), max(known)
        logarithmic = log and low > 0
        room = 0.3 * high if logarithmic else 0.006 * max(abs(high), abs(low))
        within = [low - room <= mark <= high + room for mark in marks(strips)]
        alone = sum(within) < 2 <= len(within)  # a tick alone would tell no scale: then those at the axis's ends count
        assert all(within) or logarithmic or alone
        assert len(set(marks(strips))) == len(marks(strips))


def tick_lines(strips: list[Strip]) -> list[int]:
    """The lines of a plot on which there is a tick."""
    return [y for y, strip in enumerate(strips) if re.match(r"\s*(\S+)┤", strip.text)]


@given(st.floats(-3, 3), st.floats(0.01, 5), st.integers(7, 30))
@example(0.075, 0.175, 9)  # ticks at 0.1, 0.15, 0.2 and 0.25 were one, one and two lines apart
@settings(max_examples=60, deadline=None)
def test_linear_ticks_are_as_far_apart_in_lines_as_in_losses(low: float, size: float, height: int) -> None:
    curve = curve_of(np.linspace(low + size, low, 40))
    strips = loss_plot(curve, WIDTH, height, False, Terminal())
    lines, numbers = tick_lines(strips), marks(strips)
    assert len(numbers) >= 1
    assert len(set(np.diff(lines))) <= 1
    gaps = -np.diff(numbers)
    assert np.allclose(gaps, gaps[:1], rtol=0.02)
    drawn_on = {y for _, y in dots(strips)}
    assert max(drawn_on) - min(drawn_on) >= (height - 3) // 2


@given(st.floats(-30, 30), st.floats(0.01, 12), st.integers(7, 30))
@settings(max_examples=60, deadline=None)
def test_each_tick_of_a_logarithmic_plot_is_on_the_line_nearest_to_it(low: float, size: float, height: int) -> None:
    curve = curve_of(np.linspace(10 ** (low + size), 10**low, 40))
    plot = draw(chart_of(curve, (WIDTH, height - 2), True, Terminal()), WIDTH, height, Terminal())
    lines, numbers = tick_lines(plot.strips()), marks(plot.strips())
    assert 1 <= len(numbers) == len(set(numbers))
    assert numbers == sorted(numbers, reverse=True)
    for y, number in zip(lines, numbers, strict=True):
        exact = (1 - float(plot.axis.share([number])[0])) * (height - 3)
        assert abs(exact - y) < 0.6


def test_two_steps_are_two_points_and_nothing_between_them() -> None:
    for count in (1, 2, 3, 8):
        strips = loss_plot(curve_of(np.linspace(3, 2, count)), WIDTH, HEIGHT, False, Terminal())
        assert len(dots(strips)) == count
        assert "".join(texts(strips)).count("•") == count


def test_curves_of_other_branches_begin_where_they_part_and_are_named() -> None:
    steps = np.arange(21, 41)
    other = BranchCurve("what-if", steps, np.linspace(2.5, 3.5, 20))
    curve = curve_of(np.linspace(3, 2, 40), others=(other,))
    plot = draw(chart_of(curve, (WIDTH, HEIGHT - 3), False, Terminal()), WIDTH, HEIGHT - 1, Terminal())
    coloured = [
        x for row in plot.styles for x, style in enumerate(row) if style.color and tuple(style.color.triplet) == tint(0)
    ]
    assert min(coloured) >= plot.column(21)
    lines = pane_of(curve, False)[1]
    assert "a what-if" in lines[-1]
    assert any("a" in line[plot.left :] for line in lines[:-3])


def test_a_band_is_a_background_or_where_there_are_no_colours_a_glyph() -> None:
    steps = np.arange(1, 401, 10)
    mean = np.linspace(3, 2, 40)
    curve = LossCurve(steps, mean - 0.5, mean + 0.5, mean, {}, 400, 400)
    coloured, plain = (
        draw(chart_of(curve, (WIDTH, HEIGHT), False, look), WIDTH, HEIGHT, look) for look in (Terminal(), PLAIN)
    )
    grounds = {style.bgcolor for row in coloured.styles for style in row}
    assert len(grounds) == 2
    text = "".join(strip.text for strip in plain.strips())
    assert "." in text
    assert text.isascii()


def test_evaluations_of_each_split_have_a_glyph_of_their_own() -> None:
    at = np.array([10, 20])
    evaluations = {
        split: (at, np.array([3.0, 2.5]) + i / 4) for i, split in enumerate(("train", "dev", "test", "mine"))
    }
    lines = pane_of(curve_of(np.linspace(4, 2, 40), evaluations=evaluations), False)[1]
    for glyph, split in zip("▲●■◆", evaluations, strict=True):
        assert sum(line.count(glyph) for line in lines[:-1]) == 2
        assert f"{glyph} {split}" in lines[-1] or split == "mine"


@pytest.mark.parametrize("size", [1.0, 1e-300, 1e9])
def test_a_pane_of_any_size_draws_its_curve_or_only_the_line_below_it(size: float) -> None:
    other = BranchCurve("what-if", np.arange(21, 41), size * np.linspace(2.5, 3.5, 20))
    curve = curve_of(size * np.linspace(3, -2, 40), step=20, others=(other,))
    frame = replace(frame_of("xor"), loss=curve)
    pane = LossPane()
    for width in range(1, 25):
        for height in range(1, 7):
            for pane.cursor in (None, 5, 40):
                assert len(drawn(pane, frame, width, height)) == height
                assert pane.step_at(width, height) is None
