"""Sparklines: numbers as bars of one character each."""

from __future__ import annotations

import numpy as np

from tui.render.palette import Terminal

SPARKS = "▁▂▃▄▅▆▇█"
PLAIN_SPARKS = "_.-:=+*#"


def sparks(values: np.ndarray, width: int, look: Terminal) -> str:
    """The values, (n,), from left to right in so many characters; blank where there is no finite one.

    Values that share a character show their mean; one value may take several.
    """
    shown = spread(values, width)
    known = np.isfinite(shown)
    if not known.any():
        return " " * width
    ordered = np.sort(shown[known])
    low, high = float(ordered[0]), float(ordered[int(0.98 * (len(ordered) - 1) + 0.5)])  # but for a spike
    half = (high / 2 - low / 2) or 1.0  # high - low could overflow
    share = np.clip((np.where(known, shown, low) / 2 - low / 2) / half, 0, 1)
    glyphs = SPARKS if look.unicode else PLAIN_SPARKS
    return "".join(glyphs[int(at)] if there else " " for at, there in zip(share * 7.999, known, strict=True))


def spread(values: np.ndarray, width: int) -> np.ndarray:
    """(width,): the mean of the finite values at each place, NaN where there is none."""
    count = len(values)
    if not count:
        return np.full(width, np.nan)
    if count <= width:
        return np.asarray(values[((np.arange(width) + 0.5) * count / width).astype(int)])
    starts = np.floor(np.arange(width) * count / width + 1e-9).astype(int)
    known = np.isfinite(values)
    there = np.add.reduceat(known.astype(np.float64), starts)
    with np.errstate(over="ignore"):
        sums = np.add.reduceat(np.where(known, values, 0.0).astype(np.float64), starts)
    return np.where(there > 0, sums / np.maximum(there, 1), np.nan)
