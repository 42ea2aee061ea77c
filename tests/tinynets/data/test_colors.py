"""The shipped colours: points in a cube, with names and without targets."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tinynets.data import colors, from_payload
from tinynets.errors import DataError


def test_colours_are_949_points_of_a_cube_without_targets() -> None:
    data = colors()
    assert {split: x.shape for split, (x, _) in data.splits.items()} == {"train": (854, 3), "dev": (95, 3)}
    for x, y in data.splits.values():
        assert x.min() >= 0
        assert x.max() <= 1
        assert y.shape == (len(x), 0)
    assert data.labels == ()


def test_a_colour_is_described_by_its_name() -> None:
    data = colors()
    x, _ = data["train"]
    known = {data.describe("train", index): tuple(np.round(255 * x[index]).astype(int)) for index in range(len(x))}
    assert len(known) == 854
    assert known["sky blue"] == (0x75, 0xBB, 0xFD)
    assert data.describe_target("train", 0) == ""


def test_colours_and_their_names_are_rebuilt_from_their_payload() -> None:
    data = colors(split_seed=7)
    again = from_payload(data.payload())
    assert again.sha256 == data.sha256 != colors().sha256
    assert again.captions == data.captions
    assert np.array_equal(again["dev"][0], data["dev"][0])


@pytest.mark.parametrize("captions", ["red", ["red"], [1] * 95, None])
def test_captions_that_are_not_a_text_for_each_example_are_refused(captions: Any) -> None:
    payload: Any = colors().payload()
    payload["splits"]["dev"]["captions"] = captions
    message = "`dev captions` must be a list of texts, one for each row of x"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        from_payload(payload)
