"""The shipped names: built and split as in the lesson."""

from __future__ import annotations

import re
from importlib.resources import files

import numpy as np
import pytest

from tinynets.data import from_payload, load, names
from tinynets.errors import DataError


def says(message: str) -> str:
    return f"^{re.escape(message)}$"


def words() -> list[str]:
    return files("tinynets.data").joinpath("names.txt").read_text().split()


def spelled(split: str, split_seed: int = 42) -> list[str]:
    """The words of a split, read back from its rows."""
    data = names(split_seed=split_seed)
    assert data.text is not None
    return data.text.decode(data.splits[split][1]).split(".")[:-1]


def test_every_position_of_every_name_is_a_row() -> None:
    assert len(words()) == 32_257
    sizes = {split: len(x) for split, (x, _) in names().splits.items()}
    assert sizes == {"train": 183_646, "dev": 23_089, "test": 23_069}
    assert sum(sizes.values()) == sum(len(word) + 1 for word in words()) == 229_804


def test_names_are_split_into_tenths_and_each_goes_to_one_split() -> None:
    parts = {split: spelled(split) for split in ("train", "dev", "test")}
    assert {split: len(part) for split, part in parts.items()} == {"train": 25_805, "dev": 3_226, "test": 3_226}
    assert sorted(word for part in parts.values() for word in part) == sorted(words())


def test_the_split_depends_on_its_seed_alone() -> None:
    assert spelled("dev") == spelled("dev")
    assert spelled("dev") != spelled("dev", split_seed=43)
    wide, narrow = names(context=8).splits["dev"], names(context=3).splits["dev"]
    assert np.array_equal(wide[0][:, -3:], narrow[0])
    assert np.array_equal(wide[1], narrow[1])


def test_the_first_names_of_the_split_have_not_changed() -> None:
    assert spelled("train")[:3] == ["amilio", "apolonio", "krishvi"]


def test_examples_are_described_in_characters() -> None:
    data = names()
    assert data.labels == (".", *"abcdefghijklmnopqrstuvwxyz")
    word = spelled("train")[0]
    described = [data.describe("train", i) + data.describe_target("train", i) for i in range(len(word) + 1)]
    assert described == [f"...{word}."[i : i + 4] for i in range(len(word) + 1)]


def test_names_are_rebuilt_from_their_payload() -> None:
    data = names(context=4, split_seed=7)
    again = from_payload(data.payload())
    assert again.sha256 == data.sha256 != names().sha256
    assert again.text == data.text
    for split, (x, y) in data.splits.items():
        assert np.array_equal(again.splits[split][0], x)
        assert np.array_equal(again.splits[split][1], y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"context": 0}, "`context` must be 1 to 256, got 0"),
        ({"context": 2.0}, "`context` must be a whole number, got 2.0"),
        ({"split_seed": -1}, "`split_seed` must be 0 to 9223372036854775807, got -1"),
        (
            {"contxt": 3},
            "the data set `names` has no option `contxt`, only context, split_seed; did you mean `context`?",
        ),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=says(message)):
        load("names", **options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("emma", "`text` must be bytes, got str"),
        (b"emma\n\xff\n", "`text` must be UTF-8: byte 5 is not"),
        (b"emma\n\nava\n", "`text` must hold one name a line, without `.`: line 2 is ''"),
        (b"emma\na.b\n", "`text` must hold one name a line, without `.`: line 2 is 'a.b'"),
        (b"emma\nava\n", "`text` must hold at least 10 names, got 2"),
        (b"", "`text` must hold at least 10 names, got 0"),
    ],
)
def test_text_that_holds_no_names_is_refused(text: object, message: str) -> None:
    with pytest.raises(DataError, match=says(message)):
        from_payload({"kind": "names", "text": text, "context": 3, "split_seed": 42})
