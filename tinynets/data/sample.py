"""Samples of a data set: the examples of a run's probe, and a few more for saves of large data.

In a save that holds only a sample, the probe's examples come first, in the order in which they are shown.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinynets.data.dataset import Dataset
from tinynets.numerics import rng
from tinynets.numerics.rules import FIRST

SAMPLE_BYTES = 4 * 2**20  # at most, for each split
FEW = 16  # examples of a split that is not the probe's

Rows = NDArray[np.int64]


def probed_split(data: Dataset) -> str:
    """The split of the probe: `dev` if there is one, else `train`."""
    return "dev" if "dev" in data.splits else "train"


def probe_rows(data: Dataset, count: int, seed: int, rules: int) -> Rows:
    """(n,) the indices of the probe's examples in their split, rising: `count` of them, or all if there are fewer.

    They are drawn at the address (seed, `probe`), so that they come from all parts of a sorted split. Under the first
    rules, and in a sample, they are the first ones.
    """
    size = len(data.splits[probed_split(data)][0])
    if count >= size or rules == FIRST or data.missing is not None:
        return np.arange(min(count, size))
    return _drawn(size, count, seed)


def _drawn(size: int, count: int, seed: int) -> Rows:
    """`count` different numbers from 0 to size - 1, drawn uniformly, rising.

    Source: Floyd, in Bentley, "Programming pearls: a sample of brilliance" (1987).
    """
    chosen: set[int] = set()
    shares = rng.uniforms(seed, "probe", 0, (count,))
    for last, share in zip(range(size - count, size), shares.tolist(), strict=True):
        number = int(share * (last + 1))
        chosen.add(last if number in chosen else number)
    return np.array(sorted(chosen), np.int64)


def sample_payload(data: Dataset, probe: int, seed: int, rules: int) -> dict[str, object]:
    """The payload of the `probe` examples of a run's probe, and of a few examples of the other splits."""
    probed = probed_split(data)
    splits: dict[str, dict[str, object]] = {}
    for split, (x, y) in data.splits.items():
        fit = max(1, SAMPLE_BYTES // max((x.nbytes + y.nbytes) // len(x), 1))
        rows = probe_rows(data, probe, seed, rules) if split == probed else np.arange(min(len(x), FEW))
        rows = rows[:fit]
        splits[split] = {"x": x[rows], "y": y[rows]}
        if split in data.weights:
            splits[split]["weight"] = data.weights[split][rows]
        if split in data.captions:
            splits[split]["captions"] = [data.captions[split][row] for row in rows.tolist()]
    payload: dict[str, object] = {"kind": "arrays", "name": data.name, "splits": splits, "labels": list(data.labels)}
    if data.image is not None:
        payload["image"] = list(data.image)
    if data.text is not None:
        payload["text"] = {"characters": data.text.characters, "context": data.text.context}
    return payload
