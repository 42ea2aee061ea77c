"""The shipped digits: images scaled, split and named as they should be."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tinynets.data import digits, from_payload, load
from tinynets.errors import DataError


def test_digits_are_images_of_ink_in_three_splits() -> None:
    data = digits()
    assert {split: len(x) for split, (x, _) in data.splits.items()} == {"train": 1437, "dev": 180, "test": 180}
    assert data.labels == tuple("0123456789")
    for x, y in data.splits.values():
        assert x.shape[1:] == (8, 8, 1)
        assert x.dtype == np.float64
        assert x.min() == 0
        assert x.max() == 1
        assert np.bincount(y, minlength=10).min() > 8
    every = np.concatenate([y for _, y in data.splits.values()])
    assert np.bincount(every).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_a_one_is_drawn_in_the_middle_and_a_nought_is_not() -> None:
    x, y = digits()["train"]
    ink = [x[y == digit, 3:5, 3:5, 0].mean() for digit in (0, 1)]
    assert ink[0] < 0.2
    assert ink[1] > 0.7


def test_flat_digits_are_the_same_row_by_row() -> None:
    images, rows = digits(), digits(flat=True)
    for split, (x, y) in images.splits.items():
        assert np.array_equal(x.reshape(len(x), 64), rows[split][0])
        assert np.array_equal(y, rows[split][1])


def test_the_split_depends_on_its_seed_alone() -> None:
    assert digits().sha256 == digits().sha256
    assert not np.array_equal(digits()["dev"][1], digits(split_seed=43)["dev"][1])


def test_digits_are_described_by_their_number_and_class() -> None:
    data = digits()
    names = [data.describe(split, index) for split, (x, _) in data.splits.items() for index in range(len(x))]
    assert sorted(names) == sorted(f"digit {index}" for index in range(1797))
    assert data.describe_target("dev", 0) == str(data["dev"][1][0])


@pytest.mark.parametrize("flat", [False, True])
def test_digits_are_rebuilt_from_their_payload(flat: bool) -> None:
    data = digits(flat=flat)
    again = from_payload(data.payload())
    assert again.sha256 == data.sha256
    assert (again.labels, again.captions, again.image) == (data.labels, data.captions, data.image)
    assert all(np.array_equal(again[split][0], data[split][0]) for split in data.splits)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flat": 1}, "`flat` must be true or false, got 1"),
        ({"split_seed": "a"}, "`split_seed` must be a whole number, got 'a'"),
        ({"flatt": True}, "the data set `digits` has no option `flatt`, only flat, split_seed; did you mean `flat`?"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load("digits", **options)


@pytest.mark.parametrize("image", [[8], [8, 9], [8, "8"], [-8, -8], 64, [True, 64]])
def test_a_picture_that_the_rows_are_not_is_refused(image: object) -> None:
    with pytest.raises(DataError, match="`image`"):
        from_payload({**digits(flat=True).payload(), "image": image})
