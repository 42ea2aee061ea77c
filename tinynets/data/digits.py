"""Digits: 1,797 handwritten digits of 8 x 8 pixels, the smallest images that are worth a convolution."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np

from tinynets.data.checks import flag, whole
from tinynets.data.dataset import Dataset, arrays
from tinynets.data.shipped import shipped
from tinynets.numerics import rng


def digits(flat: bool = False, split_seed: int = 42) -> Dataset:
    """The digits: x (N, 8, 8, 1), 0 (paper) to 1 (ink), y (N,) the digit.

    flat: x is (N, 64) instead, row by row, for networks that know nothing of images.
    split_seed: shuffles the digits before 80 % go to `train`, 10 % to `dev` and 10 % to `test`.

    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits" (UCI, 1998).
    """
    flat, split_seed = flag("flat", flat), whole("split_seed", split_seed, 0, rng.MAX_SEED)
    with np.load(BytesIO(shipped("digits.npz")), allow_pickle=False) as file:
        x, y = file["images"] / 16.0, file["labels"].astype(np.int64)
    x = x.reshape(len(x), 64) if flat else x[..., None]
    order = rng.permutation(split_seed, "data/split", 0, len(x))
    cuts = [int(0.8 * len(x)), int(0.9 * len(x))]
    parts = dict(zip(("train", "dev", "test"), np.split(order, cuts), strict=True))
    data = arrays({split: (x[part], y[part]) for split, part in parts.items()}, name="digits")
    captions = {split: tuple(f"digit {index}" for index in part) for split, part in parts.items()}
    return replace(data, captions=captions, image=(8, 8) if flat else None)
