"""Plots of losses; the only user of plotext, which keeps its figure in module globals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import LossCurve
from tui.render import palette, themes
from tui.render.palette import Terminal

BAND_HEIGHT = 14
_CODE = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True)
class Scale:
    """The scale of the loss axis: linear, or log10, which needs losses above 0."""

    log: bool = False

    def __call__(self, values: np.ndarray) -> list[float]:
        shown = np.asarray(values, dtype=np.float64)
        return [float(v) for v in (np.log10(shown) if self.log else shown)]


def lowest(curve: LossCurve) -> float | None:
    """The lowest finite loss in a curve; None if none is finite."""
    held = [curve.mean, curve.low, curve.high, *(losses for _, losses in curve.evaluations.values())]
    known = [float(part[np.isfinite(part)].min()) for part in held if np.isfinite(part).any()]
    return min(known) if known else None


def fits_log(curve: LossCurve) -> bool:
    """Whether the losses can be shown on a log scale: all finite ones are above 0."""
    least = lowest(curve)
    return least is None or least > 0


def loss_plot(curve: LossCurve, width: int, height: int, log: bool, look: Terminal) -> list[Strip]:
    """Plot the training curve (mean, and band from min to max), evaluations as points, the current step as a line.

    With `log` the loss axis is log10, unless a loss is 0 or below: then it is linear.
    """
    import plotext as plt  # slow to import: only when a plot is first drawn

    finite = np.isfinite(curve.mean) & np.isfinite(curve.low) & np.isfinite(curve.high)
    scale = Scale(log and fits_log(curve))
    plt.clear_figure()
    plt.limit_size(False, False)  # ignores `COLUMNS` and `LINES`
    plt.plotsize(width, height)
    plt.theme("clear")
    plt.axes_color("default")
    plt.ticks_color(palette.AXIS)
    if finite.any():
        _draw_curve(plt, curve, finite, scale, (width - 6, height), look)
    for split, (steps, losses) in curve.evaluations.items():
        marker = "●" if look.unicode else "o"
        known = np.isfinite(losses)
        if known.any():
            color = palette.SPLITS.get(split, palette.MEAN)
            plt.scatter(steps[known].tolist(), scale(losses[known]), marker=marker, color=color)
    if curve.step < curve.end:
        plt.vline(curve.step, palette.HERE)
    _axes(plt, curve, finite, scale, width, height)
    plt.xaxes(True, False)
    plt.yaxes(True, False)
    text = str(plt.build())
    return [_strip(row, width) for row in text.splitlines()[:height]]


def _draw_curve(
    plt: Any, curve: LossCurve, finite: np.ndarray, scale: Scale, room: tuple[int, int], look: Terminal
) -> None:
    """Draw the band in a light shade and the mean in dots on it, with a point in every column of the plot."""
    known = curve.steps[finite].astype(float)
    steps = np.linspace(known[0], known[-1], room[0]) if len(known) > 1 else known
    low, high, mean = (np.interp(steps, known, scale(values[finite])) for values in (curve.low, curve.high, curve.mean))
    if _has_band(room[1]):
        _draw_band(plt, steps, low, high, room[1], look)
    plt.scatter(steps.tolist(), mean.tolist(), marker="•" if look.unicode else "*", color=palette.MEAN)


def _has_band(height: int) -> bool:
    """Whether to draw the band: in a low plot it would leave the mean no room."""
    return height >= BAND_HEIGHT


def _draw_band(plt: Any, steps: np.ndarray, low: np.ndarray, high: np.ndarray, height: int, look: Terminal) -> None:
    rows = np.linspace(0, 1, height * 2)[:, None]
    band = low + (high - low) * rows
    plt.scatter(
        np.broadcast_to(steps, band.shape).ravel().tolist(),
        band.ravel().tolist(),
        marker="░" if look.unicode else ".",
        color=palette.BAND,
    )


def _axes(plt: Any, curve: LossCurve, finite: np.ndarray, scale: Scale, width: int, height: int) -> None:
    """Set both axes: round numbers, and room for all that is drawn."""
    evaluated = [v for _, losses in curve.evaluations.values() for v in scale(losses[np.isfinite(losses)])]
    band = _has_band(height)
    low, high = _range(
        scale(curve.low[finite]) if band else [], scale(curve.mean[finite]), scale(curve.high[finite]), evaluated
    )
    xticks = ticks(0, max(1, curve.end), width // 12, whole=True)
    plt.xlim(0, max(1, curve.end))
    plt.xticks(xticks, [short(x) for x in xticks])
    _vertical(plt, low, high, height)


def _vertical(plt: Any, low: float, high: float, height: int) -> None:
    """The vertical axis of a plot of so many lines, two of which are the other axis."""
    axis = even_axis(low, high, height - 2)
    plt.ylim(axis.bottom, axis.top)
    plt.yticks(axis.ticks, labels(axis.ticks))


def _range(low: list[float], mean: list[float], high: list[float], evaluated: list[float]) -> tuple[float, float]:
    """The range of the loss axis: the whole mean, but the band without its largest spikes, which would flatten it."""
    shown = [*mean, *evaluated]
    if low:
        shown += [float(np.quantile(low, 0.1)), float(np.quantile(high, 0.9))]
    return (min(shown), max(shown)) if shown else (0.0, 1.0)


@dataclass(frozen=True)
class Curve:
    """The training losses of one run from the first step on: (steps,)."""

    losses: np.ndarray
    color: tuple[int, int, int]
    marker: str


def pair_span(one: Curve, other: Curve, parted: int | None) -> tuple[int, int, int]:
    """The first step of a plot of two runs, the step up to which they are the same, and the last step.

    If they part late, the plot begins late too, so that half of it shows the difference.
    """
    end = max(len(one.losses), len(other.losses), 1)
    same = end if parted is None else min(parted, end)
    first = max(0, same - max(end - same, end // 20)) if parted is not None else 0
    return first, same, end


def pair_plot(one: Curve, other: Curve, parted: int | None, width: int, height: int) -> list[Strip]:
    """Plot two runs together: grey while they are the same, then each in its colour, averaged over columns."""
    import plotext as plt  # slow to import: only when a plot is first drawn

    first, same, end = pair_span(one, other, parted)
    plt.clear_figure()
    plt.limit_size(False, False)  # ignores `COLUMNS` and `LINES`
    plt.plotsize(width, height)
    plt.theme("clear")
    plt.axes_color("default")
    plt.ticks_color(palette.AXIS)
    columns = max(2, width - 8)
    shared = Curve(one.losses[:same], palette.MEAN, one.marker)
    drawn: list[float] = []
    for curve, start in ((shared, first), (other, same), (one, same)):
        steps, means = _means(curve.losses, start, max(1.0, (end - first) / columns))
        drawn += means
        if means:
            plt.scatter(steps, means, marker=curve.marker, color=curve.color)
    if parted is not None and first < same < end:
        plt.vline(same, palette.AXIS)
    xticks = ticks(first, end, width // 12, whole=True)
    plt.xlim(first, end)
    plt.xticks(xticks, [short(x) for x in xticks])
    _vertical(plt, *((min(drawn), max(drawn)) if drawn else (0.0, 1.0)), height)
    plt.xaxes(True, False)
    plt.yaxes(True, False)
    return [_strip(row, width) for row in str(plt.build()).splitlines()[:height]]


def pair_difference(one: Curve, other: Curve, parted: int | None, columns: int) -> np.ndarray:
    """How much higher the other's mean loss is in each column of their plot, (columns,); NaN where one has no loss."""
    first, same, end = pair_span(one, other, parted)
    both = min(len(one.losses), len(other.losses))
    first_losses, others = one.losses[:both], other.losses[:both]
    told = np.isfinite(first_losses) & np.isfinite(others)
    known = np.concatenate([[0.0], np.cumsum(np.subtract(others, first_losses, where=told, out=np.zeros(both)))])
    edges = first + (np.arange(columns + 1) - 0.5) * (end - first) / max(1, columns - 1)
    low, high = (np.clip(np.round(part).astype(int), same, both) for part in (edges[:-1], edges[1:]))
    counts = high - low
    return np.where(counts > 0, (known[high] - known[low]) / np.maximum(counts, 1), np.nan)


def _means(losses: np.ndarray, start: int, each: float) -> tuple[list[float], list[float]]:
    """The mean loss over each `each` steps after `start`, and the middle step of each mean."""
    count = int(np.ceil((len(losses) - start) / each))
    if count < 1:
        return [], []
    edges = np.minimum(start + np.round(np.arange(count + 1) * each).astype(int), len(losses))
    known = np.where(np.isfinite(losses), losses, np.nan)
    spans = [(a, b) for a, b in pairwise(edges.tolist()) if b > a and not np.isnan(known[a:b]).all()]
    return [(a + 1 + b) / 2 for a, b in spans], [float(np.nanmean(known[a:b], dtype=np.float64)) for a, b in spans]


def ticks(low: float, high: float, most: int, whole: bool = False) -> list[float]:
    """At most `most` round numbers (1, 2 or 5 times a power of ten apart) between low and high."""
    if not high > low:
        return [low]
    half = high / 2 - low / 2  # high - low could overflow
    if not half / most:  # numbers so close that the quotient is 0
        return [low]
    power = float(10.0 ** np.floor(np.log10(half / most * 2))) if most > 1 else half * 2
    for step in (power * factor for factor in (1, 2, 5, 10, 20, 50)):
        if (whole and step < 1) or not 0 < step < np.inf:
            continue
        first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
        if last - first < most:  # between neighbouring floats, several round numbers are the same
            return list(dict.fromkeys(min(max(i * step, low), high) for i in range(first, last + 1))) or [low]
    return [low]


@dataclass(frozen=True)
class Axis:
    """What the lowest and the highest line of a plot stand for, and where its ticks are."""

    bottom: float
    top: float
    ticks: list[float]


def even_axis(low: float, high: float, lines: int) -> Axis:
    """An axis for what lies between low and high, in so many lines: as many of them from each tick to the next.

    Each tick is then what its line stands for, and not the nearest round number to it.
    """
    each = high / max(1, lines - 1) - low / max(1, lines - 1)  # what a line stands for, were it not for the ticks
    if lines > 2 and 1e-9 * max(abs(low), abs(high)) < each and 1e-290 < each < 1e290:
        power = float(10.0 ** np.floor(np.log10(each)))
        steps = [power * factor for factor in (1, 2, 5, 10, 20, 50, 100)]
        made = [_with_ticks(low, high, lines, step, apart) for step in steps for apart in range(1, lines)]
        fitting = [axis for axis in made if axis is not None]
        if fitting:  # little room left over, which is worth less than a second tick; then many ticks
            return min(fitting, key=lambda one: ((one.top - one.bottom) * (1 + (len(one.ticks) < 2)), -len(one.ticks)))
    margin = (high - low or abs(high) or 1.0) * 0.04
    return Axis(low - margin, high + margin, ticks(low, high, lines // 2 + 1))


def _with_ticks(low: float, high: float, lines: int, step: float, apart: int) -> Axis | None:
    """The axis with a tick each `step` and so many lines `apart`; None where it is too short, or its ticks too many."""
    each = step / apart
    first = int(np.floor(low / each + 1e-9))
    last = first + lines - 1
    if last < high / each - 1e-9:
        return None
    marked = [at * step for at in range(-(-first // apart), last // apart + 1)]
    inside = [min(max(tick, low), high) for tick in marked if low - 1e-9 * step <= tick <= high + 1e-9 * step]
    fits = inside and (apart > 1 or len(inside) < 4)
    return Axis(first * each, last * each, inside) if fits else None


def labels(numbers: list[float]) -> list[str]:
    """Labels of ticks, with as few digits as tell them apart, but at least three."""
    for digits in range(3, 17):
        written = [f"{number + 0.0:.{digits}g}" for number in numbers]  # + 0.0: no negative zero
        if len(set(written)) == len(numbers):
            break
    return written


def short(step: float) -> str:
    """A step number in few characters: 250, 1.5k, 200k, 2M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if step >= size * (1 if letter == "M" else 10) or (step >= size and step % 100 == 0):
            return f"{step / size:g}{letter}"
    return f"{step:g}"


def _strip(row: str, width: int) -> Strip:
    """A line of plotext's output, with its colour codes, as a Strip."""
    segments, style, at = [], palette.DIM, 0
    for match in _CODE.finditer(row):
        if match.start() > at:
            segments.append(Segment(row[at : match.start()], style))
        style, at = _style(match[1]), match.end()
    if at < len(row):
        segments.append(Segment(row[at:], style))
    return Strip(segments).adjust_cell_length(width, palette.GROUND)


def _style(code: str) -> Style:
    numbers = [int(part) for part in code.split(";") if part]
    if len(numbers) >= 5 and numbers[:2] == [38, 2]:
        return _ink((numbers[2], numbers[3], numbers[4]))
    return palette.DIM


@palette.themed
def _ink(colour: themes.Rgb) -> Style:
    return Style(color=themes.hex_of(colour), bgcolor=palette.BACK)
