"""The curves of the loss pane as charts: what is drawn of a LossCurve, and what each glyph and colour stands for."""

from __future__ import annotations

import numpy as np

from tinynets.server.frame import LossCurve
from tui.render import palette, themes
from tui.render.axis import Axis, even_axis, log_axis
from tui.render.palette import Terminal
from tui.render.plot import Band, Chart, Curve
from tui.render.themes import Rgb

MANY = 12
"""From more evaluations on, if they are dense, they are drawn as finer points, under the curve."""
GUIDE = -3.0
"""The ratio of an update to the parameters, as log10, that is a good pace."""


SPLITS = {"train": ("▲", "^"), "dev": ("●", "o"), "test": ("■", "#")}
"""The glyph of the evaluations of each split."""


def split_glyph(split: str, look: Terminal) -> str:
    return SPLITS.get(split, ("◆", "%"))[0 if look.unicode else 1]


def split_colour(split: str) -> Rgb:
    return palette.SPLITS.get(split, palette.MEAN)


@palette.themed
def quiet() -> Rgb:
    """The colour of single steps under their average, and of what lies ahead of the present step."""
    return themes.rgb_of(themes.mixed(palette.colours.back, palette.colours.dim, 0.75))


@palette.themed
def tint(at: int) -> Rgb:
    """The colour of another branch, dimmer than the curve of the current one."""
    on = palette.colours
    inks = (on.ice, on.done, on.good, on.bad, on.accent)
    return themes.rgb_of(themes.mixed(on.back, inks[at % len(inks)], 0.6))


def lowest(curve: LossCurve) -> float | None:
    """The lowest finite number that is drawn; None if none is finite."""
    held = [curve.mean, curve.low, curve.high, *(losses for _, losses in curve.evaluations.values())]
    held += [other.mean for other in curve.others] + [ratios for _, ratios in curve.updates.values()]
    known = [float(part[np.isfinite(part)].min()) for part in held if np.isfinite(part).any()]
    return min(known) if known else None


def fits_log(curve: LossCurve) -> bool:
    """Whether the losses can be shown on a log scale: all finite ones are above 0."""
    least = lowest(curve)
    return least is None or least > 0


def middle(curve: LossCurve) -> np.ndarray:
    """Where each column is drawn: in the middle of its steps."""
    return (curve.steps + curve.ends) / 2


def chart_of(curve: LossCurve, room: tuple[int, int], log: bool, look: Terminal, selected: str = "") -> Chart:
    """The chart of a curve, for so many columns and lines; of `updates`, that of the selected block stands out."""
    columns, rows = room
    first, last = curve.span
    span = float(first if first == 0 else first + 1), float(max(last, first + 2))
    if curve.kind == "updates":
        return _updates(curve, rows, span, selected)
    curves = [Curve(_centres(curve, other.steps), other.mean, tint(at), True) for at, other in enumerate(curve.others)]
    for at, other in enumerate(curve.others):
        if len(other.steps) < 3:
            curves[at] = Curve(other.steps.astype(float), other.mean, tint(at), False, _dot(look))
    own = _own(curve, columns, look)
    for split, (steps, losses) in curve.evaluations.items():
        colour = split_colour(split)
        if len(steps) <= max(MANY, len(curve.steps) // 4):
            own.append(Curve(steps.astype(float), losses, colour, False, split_glyph(split, look)))
        else:
            curves.append(Curve(steps.astype(float), losses, colour))
    curves += own
    band = None
    if not curve.single and curve.kind == "loss":
        band = Band(curve.steps, curve.ends, curve.low, curve.high)
    return Chart(span, _axis(curve, rows, log and fits_log(curve)), curves, band)


def _dot(look: Terminal) -> str:
    return "•" if look.unicode else "*"


def _centres(curve: LossCurve, steps: np.ndarray) -> np.ndarray:
    """The middle of each column of another branch, whose last is as wide as those of the curve."""
    if len(steps) < 2:
        return steps.astype(float)
    widths = np.append(np.diff(steps), min(np.diff(steps)[-1], curve.span[1] - steps[-1] + 1))
    return steps + (widths - 1) / 2


def _own(curve: LossCurve, columns: int, look: Terminal) -> list[Curve]:
    """The curve of this branch: points where each is a step, else a line; what lies ahead is darker."""
    if not len(curve.steps):
        return []
    x = middle(curve)
    past = x <= curve.step if curve.step < curve.end else np.ones(len(x), bool)
    made = []
    if curve.single:
        marker = _dot(look) if len(x) <= columns * 2 // 3 else ""
        bright = quiet() if curve.average is not None else palette.MEAN
        made += [Curve(x[~past], curve.mean[~past], quiet(), False, marker)]
        made += [Curve(x[past], curve.mean[past], bright, False, marker)]
        if curve.average is None:
            return made
    line = curve.mean if curve.average is None else curve.average
    ahead = ~past | np.append(~past[1:], False)  # from the last one before it on
    return [*made, Curve(x[ahead], line[ahead], quiet(), True), Curve(x[past], line[past], palette.MEAN, True)]


def _updates(curve: LossCurve, rows: int, span: tuple[float, float], selected: str) -> Chart:
    """Points where the ratio was measured, and nothing between them."""
    blocks = sorted(curve.updates, key=lambda block: block == selected)
    curves = [
        Curve(curve.updates[b][0].astype(float), curve.updates[b][1], palette.HERE if b == selected else quiet())
        for b in blocks
    ]
    known = [v for _, ratios in curve.updates.values() for v in ratios[np.isfinite(ratios)].tolist()]
    low, high = min([*known, GUIDE - 0.5]), max([*known, GUIDE + 0.5])
    return Chart(span, even_axis(low, high, rows), curves, guide=GUIDE)


def _axis(curve: LossCurve, rows: int, log: bool) -> Axis:
    """Room for curves and evaluations, and for as much of the band as leaves the curve a good part of the lines."""
    drawn = [losses for _, losses in curve.evaluations.values()] + [other.mean for other in curve.others]
    drawn.append(curve.mean if curve.average is None or curve.single else curve.average)
    shown = np.concatenate([part[np.isfinite(part)] for part in drawn])
    low, high = (part[np.isfinite(part)] for part in (curve.low, curve.high))
    if log:
        shown, low, high = (np.log10(part[part > 0]) for part in (shown, low, high))
    bottom, top = (float(shown.min()), float(shown.max())) if len(shown) else (0.0, 1.0)
    if len(low) and len(high) and not curve.single:
        # np.quantile would import numpy.ma, which delays the first frame.
        least, most = float(np.sort(low)[len(low) // 10]), float(np.sort(high)[-1 - len(high) // 10])
        more = max((top - bottom) * min(1.0, max(0.5, rows / 20)), (most - least) / 6)
        bottom, top = min(bottom, max(least, bottom - more)), max(top, min(most, top + more))
    return log_axis(bottom, top, rows) if log else even_axis(bottom, top, rows)
