"""The axes of plots: round numbers as ticks, linear or logarithmic, and their labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Axis:
    """What the lowest and the highest line of a plot stand for, and the numbers at its ticks.

    On a logarithmic axis these are powers of ten, and `place` tells where a number lies.
    """

    bottom: float
    top: float
    ticks: list[float]
    log: bool = False

    def place(self, values: np.ndarray | list[float]) -> np.ndarray:
        """Where numbers lie between bottom and top."""
        shown = np.asarray(values, dtype=np.float64)
        return np.log10(shown) if self.log else shown

    def share(self, values: np.ndarray | list[float]) -> np.ndarray:
        """How far up numbers lie: 0 at the bottom, 1 at the top."""
        half = self.top / 2 - self.bottom / 2  # top - bottom could overflow
        return (self.place(values) / 2 - self.bottom / 2) / half


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


def even_axis(low: float, high: float, lines: int, least: float = 0.0) -> Axis:
    """An axis for what lies between low and high, in so many lines: as many of them from each tick to the next.

    Each tick is then what its line stands for, and not the nearest round number to it. Ticks are `least` apart or more.
    """
    each = high / max(1, lines - 1) - low / max(1, lines - 1)  # what a line stands for, were it not for the ticks
    if lines > 2 and 1e-9 * max(abs(low), abs(high)) < each and 1e-290 < each < 1e290:
        power = float(10.0 ** np.floor(np.log10(each)))
        steps = [step for factor in (1, 2, 5, 10, 20, 50, 100) if (step := power * factor) >= least]
        made = [_with_ticks(low, high, lines, step, apart) for step in steps for apart in range(1, lines)]
        fitting = [axis for axis in made if axis is not None]
        wanted = max(2, lines // 7)
        if fitting:  # little room left over, which is worth less than some ticks; then many ticks
            return min(fitting, key=lambda one: (_cost(one, wanted), -len(one.ticks)))
    margin = (high - low or abs(high) or 1.0) * 0.04
    return Axis(low - margin, high + margin, ticks(low, high, lines // 2 + 1))


def _cost(axis: Axis, wanted: int) -> float:
    """The range of an axis, as it is made worse by ticks that are missing: a second one most of all."""
    missing = max(0, wanted - len(axis.ticks)) / wanted
    return (axis.top - axis.bottom) * (1 + missing / 2 + (len(axis.ticks) < 2))


def _with_ticks(low: float, high: float, lines: int, step: float, apart: int) -> Axis | None:
    """The axis with a tick each `step` and so many lines `apart`; None where it is too short, or its ticks too many."""
    each = step / apart
    first = int(np.floor(low / each + 1e-9))
    last = first + lines - 1
    if last < high / each - 1e-9:
        return None
    marked = [at * step for at in range(-(-first // apart), last // apart + 1)]
    inside = [tick for tick in marked if low - 1e-9 * step <= tick <= high + 1e-9 * step]
    fits = inside and (apart > 1 or len(inside) < 4)
    # A tick alone tells no scale: then those beyond what is shown, yet on the axis, count as well.
    return Axis(first * each, last * each, inside if len(inside) > 1 else marked) if fits else None


def log_axis(bottom: float, top: float, lines: int) -> Axis:
    """A logarithmic axis for what lies between two powers of ten: ticks at 1, 2 and 5 times a power of ten.

    A power of ten takes a whole number of lines, so that equal ratios are equally many lines apart. Where there is too
    little between the ends, the ticks are round numbers as on a linear axis, each on the line nearest to it.
    """
    if top - bottom < 1e-9 * max(1.0, abs(top)):
        return Axis(bottom - 0.1, top + 0.1, [_power(bottom)], log=True)
    each = int((lines - 1) / (top - bottom))
    while each > 0 and np.floor(each * bottom + 1e-9) + lines - 1 < each * top - 1e-9:
        each -= 1
    if each < 3:
        found = even_axis(bottom, top, lines, least=1.0)
        powers = dict.fromkeys(round(tick) for tick in found.ticks if abs(tick - round(tick)) < 1e-6)
        return Axis(found.bottom, found.top, [_power(power) for power in powers] or [_power(bottom)], log=True)
    low = float(np.floor(each * bottom + 1e-9)) / each
    high = low + (lines - 1) / each
    ends: list[float] = []
    for factors in ((1, 2, 5), (1, 5), (1,)):
        exponents = range(int(np.floor(low)), int(np.ceil(high)) + 1)
        marked = [float(f"{factor}e{exponent}") for exponent in exponents for factor in factors]
        inside = [tick for tick in marked if low - 1e-9 <= np.log10(tick) <= high + 1e-9]
        if len(inside) > 1 and _apart(inside, low, high, lines):
            return Axis(low, high, inside, log=True)
        ends = ends or [*inside[:1], *inside[-1:]]
    if len(set(ends)) > 1 and _apart(ends, low, high, lines):
        return Axis(low, high, ends, log=True)
    for most in range(max(2, lines // 2), 0, -1):
        inside = ticks(_power(low), _power(high), most)
        if _apart(inside, low, high, lines):
            break
    return Axis(low, high, inside, log=True)


def _power(exponent: float) -> float:
    """A power of ten; a whole one as it is written."""
    return float(f"1e{exponent}") if isinstance(exponent, int) else float(np.power(10.0, exponent))


def _apart(values: list[float], bottom: float, top: float, lines: int) -> bool:
    """Whether each of these numbers on a logarithmic axis has a line to itself; with room, a free one between."""
    places = np.round((np.log10(values) - bottom) / (top - bottom) * (lines - 1))
    return len(values) < 2 or bool(np.diff(places).min() >= (2 if lines > 7 else 1))


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
