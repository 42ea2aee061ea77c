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
    low, high = float(shown[known].min()), float(np.quantile(shown[known], 0.98))
    share = np.clip((np.where(known, shown, low) - low) / ((high - low) or 1.0), 0, 1)
    glyphs = SPARKS if look.unicode else PLAIN_SPARKS
    return "".join(glyphs[int(at)] if there else " " for at, there in zip(share * 7.999, known, strict=True))


def spread(values: np.ndarray, width: int) -> np.ndarray:
    """(width,): the mean of the finite values at each place, NaN where there is none."""
    count = len(values)
    if not count:
        return np.full(width, np.nan)
    edges = np.linspace(0, count, width + 1)
    first, last = np.floor(edges[:-1] + 1e-9).astype(int), np.ceil(edges[1:] - 1e-9).astype(int)
    known = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0), dtype=np.float64)])
    counts = np.concatenate([[0], np.cumsum(known)])
    there = counts[last] - counts[first]
    return np.where(there > 0, (sums[last] - sums[first]) / np.maximum(there, 1), np.nan)
