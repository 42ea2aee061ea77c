"""Two runs in one plot: what they share, then each in its colour, and how far apart they are in each column."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tui.render import palette
from tui.render.axis import even_axis
from tui.render.palette import Terminal
from tui.render.plot import Chart, Curve

SMOOTH = 24
"""A curve is averaged over about a twelfth of it."""


@dataclass(frozen=True)
class Pair:
    """The training losses of two runs from the first step on, each (steps,), and the step at which they part."""

    one: np.ndarray
    other: np.ndarray
    parted: int | None

    @property
    def common(self) -> int:
        """The last step that both have."""
        return min(len(self.one), len(self.other))

    @property
    def same(self) -> int:
        """The last step up to which they are the same."""
        return self.common if self.parted is None else min(self.parted, self.end)

    @property
    def end(self) -> int:
        """The last step that is plotted: the last that both have, if there they have parted."""
        apart = self.parted is None or self.common > self.parted
        return max(1, self.common if apart and self.common else max(len(self.one), len(self.other)))

    @property
    def first(self) -> int:
        """The first step of the plot: if they part late it begins late too, so that half of it shows the difference."""
        if self.parted is None:
            return 0
        return max(0, self.same - max(self.end - self.same, self.end // 20))

    @property
    def span(self) -> tuple[float, float]:
        return float(self.first), float(max(self.end, self.first + 1))

    def chart(self, columns: int, rows: int, look: Terminal, marks: tuple[str, str]) -> Chart:
        """The chart of both, averaged over columns."""
        each = max(1.0, (self.end - self.first) / (2 * columns if look.colour else columns))
        colours = (palette.MEAN, palette.SPLITS["dev"], palette.HERE)
        curves = []
        parts = ((self.one[: self.same], self.first), (self.other, self.same), (self.one, self.same))
        for (losses, start), colour, mark in zip(parts, colours, (marks[0], marks[1], marks[0]), strict=True):
            steps, means = _means(losses[: self.end], start, each)
            fine = look.colour and look.unicode and len(steps) > 2
            curves.append(Curve(steps, means, colour, joined=fine and each > 1, marker="" if fine else mark))
        drawn = np.concatenate([curve.y for curve in curves])
        low, high = (float(drawn.min()), float(drawn.max())) if len(drawn) else (0.0, 1.0)
        return Chart(self.span, even_axis(low, high, rows), curves)

    def difference(self, columns: int) -> np.ndarray:
        """How much higher the other's mean loss is in each column, (columns,); NaN where one has no loss."""
        both = self.common
        first_losses, others = self.one[:both], self.other[:both]
        told = np.isfinite(first_losses) & np.isfinite(others)
        apart = np.subtract(others, first_losses, where=told, out=np.zeros(both), dtype=np.float64)
        known = np.concatenate([[0.0], np.cumsum(apart)])
        edges = self.first + (np.arange(columns + 1) - 0.5) * (self.end - self.first) / max(1, columns - 1)
        low, high = (
            np.clip(np.round(part).astype(int), min(self.same, both), both) for part in (edges[:-1], edges[1:])
        )
        counts = high - low
        return np.where(counts > 0, (known[high] - known[low]) / np.maximum(counts, 1), np.nan)


def _means(losses: np.ndarray, start: int, each: float) -> tuple[np.ndarray, np.ndarray]:
    """The middle step of each `each` steps after `start`, and the mean loss over them and some on either side."""
    count = int(np.ceil((len(losses) - start) / each))
    if count < 1:
        return np.empty(0), np.empty(0)
    edges = np.minimum(start + np.round(np.arange(count + 1) * each).astype(int), len(losses))
    known = np.where(np.isfinite(losses), losses, np.nan)
    spans = [(a, b) for a, b in pairwise(edges.tolist()) if b > a and not np.isnan(known[a:b]).all()]
    steps = np.array([(a + 1 + b) / 2 for a, b in spans])
    found = np.array([float(np.nanmean(known[a:b], dtype=np.float64)) for a, b in spans])
    around = len(found) // SMOOTH
    within, at = np.ones(2 * around + 1), slice(around, around + len(found))
    return steps, (np.convolve(found, within) / np.convolve(np.ones(len(found)), within))[at] if around else found
