"""The sets xor, spiral and halves: drawn from their seed, balanced, and in the right places."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from tinynets.data import DATASETS, Dataset, halves, load, spiral, xor
from tinynets.errors import DataError


def says(message: str) -> str:
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize("make", [xor, spiral, halves])
def test_the_same_seed_gives_the_same_points_and_another_seed_others(make: Callable[..., Dataset]) -> None:
    assert make(seed=3).sha256 == make(seed=3).sha256
    assert make(seed=3).sha256 != make(seed=4).sha256


@pytest.mark.parametrize("make", [xor, spiral])
def test_dev_is_another_draw_of_the_same_process(make: Callable[..., Dataset]) -> None:
    splits = make(n=240).splits
    assert list(splits) == ["train", "dev"]
    for x, y in splits.values():
        assert x.shape == (240, 2)
        assert x.dtype == np.float64
        assert y.dtype == np.int64
        assert np.bincount(y).tolist() == [120, 120]
        assert np.abs(x).max() < 1.6
    assert not np.intersect1d(splits["train"][0], splits["dev"][0]).size


def test_xor_is_class_1_where_the_signs_differ() -> None:
    x, y = xor(n=400, noise=0.1).splits["train"]
    assert np.array_equal(y, (x[:, 0] * x[:, 1] < 0).astype(int))
    assert abs(np.abs(x).mean() - 1) < 0.02
    assert abs((np.abs(x) - 1).std() - 0.1) < 0.02


def test_xor_without_noise_is_its_four_corners() -> None:
    x, _ = xor(n=8, noise=0).splits["train"]
    assert np.unique(x, axis=0).tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]]


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_spiral_arms_wind_out_evenly_turned(classes: int) -> None:
    x, y = spiral(n=50 * classes, classes=classes, noise=0, turns=1.5).splits["train"]
    radius = np.hypot(x[:, 0], x[:, 1])
    angle = np.arctan2(x[:, 0], x[:, 1]) - 2 * np.pi * (1.5 * radius / 1.2 + y / classes)
    np.testing.assert_allclose(np.cos(angle), 1, atol=1e-9)
    assert radius.max() <= 1.2
    assert np.bincount(y).tolist() == [50] * classes


@pytest.mark.parametrize("gap", [0.0, 0.5])
def test_halves_lie_on_either_side_of_a_line_with_a_gap_between(gap: float) -> None:
    data = halves(n=300, gap=gap)
    for x, y in data.splits.values():
        assert x.shape == (300, 2)
        assert y.shape == (300, 1)
        assert (y * (x @ [[0.6], [0.8]] - 0.1)).min() >= gap / 2 - 1e-12
        assert 90 < (y == 1).sum() < 210
    assert data.describe_target("train", 0) in ("1.00", "-1.00")


def test_points_are_described_by_their_coordinates_and_class() -> None:
    data = xor(n=4, noise=0)
    assert [data.describe("train", i) for i in range(2)] == ["(1.00, 1.00)", "(1.00, -1.00)"]
    assert [data.describe_target("dev", i) for i in range(2)] == ["0", "1"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("xor", {"n": 3}, "`n` must be 4 to 1000000, got 3"),
        ("xor", {"n": 10.5}, "`n` must be a whole number, got 10.5"),
        ("xor", {"noise": -0.1}, "`noise` must be 0 to 10, got -0.1"),
        ("xor", {"noise": float("nan")}, "`noise` must be 0 to 10, got nan"),
        ("xor", {"noise": "low"}, "`noise` must be a number, got 'low'"),
        ("xor", {"seed": -1}, "`seed` must be 0 to 9223372036854775807, got -1"),
        ("xor", {"classes": 2}, "the data set `xor` has no option `classes`, only n, noise, seed"),
        ("halves", {"gap": -1}, "`gap` must be 0 to 10, got -1"),
        ("spiral", {"n": 1}, "`n` must be 2 to 1000000, got 1"),
        ("spiral", {"classes": 1}, "`classes` must be 2 to 8, got 1"),
        ("spiral", {"turns": 0}, "`turns` must be 0.1 to 10, got 0"),
        (
            "spiral",
            {"turn": 1},
            "the data set `spiral` has no option `turn`, only n, classes, noise, turns, seed; did you mean `turns`?",
        ),
        (
            "spirl",
            {},
            "there is no data set `spirl`, only names, digits, colors, spiral, xor, halves; did you mean `spiral`?",
        ),
        ("zebra", {}, f"there is no data set `zebra`, only {', '.join(DATASETS)}"),
    ],
)
def test_a_wrong_name_or_option_is_named(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=says(message)):
        load(name, **options)
