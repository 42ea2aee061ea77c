"""Colors: 949 colours with common names, points in a cube for networks that learn without targets."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np

from tinynets.data.checks import whole
from tinynets.data.dataset import Dataset, arrays
from tinynets.data.shipped import shipped
from tinynets.numerics import rng


def colors(split_seed: int = 42) -> Dataset:
    """The colours of the xkcd survey: x (N, 3) red, green and blue, 0 to 1, without targets.

    split_seed: shuffles the colours before 90 % go to `train` and 10 % to `dev`.

    Source: Munroe, "Color survey results" (2010).
    """
    split_seed = whole("split_seed", split_seed, 0, rng.MAX_SEED)
    lines = list(csv.DictReader(shipped("xkcd_colors.csv").decode().splitlines()))
    x = np.array([list(bytes.fromhex(line["hex"].removeprefix("#"))) for line in lines]) / 255.0
    order = rng.permutation(split_seed, "data/split", 0, len(x))
    parts = dict(zip(("train", "dev"), np.split(order, [int(0.9 * len(x))]), strict=True))
    data = arrays({split: (x[part], None) for split, part in parts.items()}, name="colors")
    return replace(data, captions={split: tuple(lines[i]["name"] for i in part) for split, part in parts.items()})
