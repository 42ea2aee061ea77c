"""Data sets from the caller's own arrays, and data sets rebuilt from payloads."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynets.data import Dataset, arrays, from_payload
from tinynets.errors import DataError, ShapeError

X = [[0.5, 1.0], [2.0, -1.0], [3.0, 0.25]]
Y = [0, 1, 2]


def says(message: str) -> str:
    return f"^{re.escape(message)}$"


def test_one_pair_of_arrays_is_the_train_split() -> None:
    data = arrays(X, Y, name="mine")
    assert list(data.splits) == ["train"]
    assert data["train"][0].tolist() == X
    assert data["train"][1].tolist() == Y
    assert data.labels == ("0", "1", "2")
    assert repr(data) == "Dataset('mine': train 3)"


@pytest.mark.parametrize(
    ("given_dtype", "kept"),
    [("bool", "int64"), ("uint8", "int64"), ("int32", "int64"), ("float16", "float64"), ("float32", "float64")],
)
def test_whole_numbers_become_int64_and_floats_float64(given_dtype: str, kept: str) -> None:
    assert arrays(np.ones((2, 3), given_dtype), [0, 1])["train"][0].dtype == kept


def test_a_data_set_keeps_its_own_read_only_copy() -> None:
    x = np.zeros((2, 2))
    data = arrays(x, [0, 1])
    x[:] = 7
    assert data["train"][0].max() == 0
    with pytest.raises(ValueError, match="read-only"):
        data["train"][0][0, 0] = 1


def test_a_column_of_float_targets_gets_its_second_dimension() -> None:
    data = arrays(X, [0.1, 0.2, 0.3])
    assert data["train"][1].shape == (3, 1)
    assert data.labels == ()
    assert data.describe_target("train", 1) == "0.20"


def test_examples_are_described_briefly() -> None:
    data = arrays(np.arange(128.0).reshape(2, 64), [[1.0, -2.0], [0.5, 0.0]])
    assert data.describe("train", 0) == "64 values, 0.00 to 63.00"
    assert data.describe_target("train", 0) == "(1.00, -2.00)"
    assert arrays([[4, 5]], [0]).describe("train", 0) == "(4, 5)"
    assert arrays([[4, 5]], [1], labels=["cat", "dog"]).describe_target("train", 0) == "dog"


def test_data_without_targets_has_rows_of_none_and_comes_back_from_its_payload() -> None:
    data = arrays(X)
    assert data["train"][1].shape == (3, 0)
    assert data.describe_target("train", 0) == ""
    again = from_payload(data.payload())
    assert again["train"][1].shape == (3, 0)
    assert again.sha256 == data.sha256


def test_a_class_for_each_place_of_a_sequence_is_described_by_their_names() -> None:
    data = arrays([[1, 2], [2, 0]], [[2, 0], [0, 1]], labels=["a", "b", "c"])
    assert data["train"][1].shape == (2, 2)
    assert data.describe_target("train", 0) == "ca"


def test_weights_come_back_from_the_payload_and_count_in_the_digest() -> None:
    plain, weighted = arrays(X, Y), arrays({"train": (X, Y, [1, -0.5, 0])})
    assert weighted.weights["train"].tolist() == [1, -0.5, 0]
    again = from_payload(weighted.payload())
    assert again.weights["train"].tobytes() == weighted.weights["train"].tobytes()
    assert again.sha256 == weighted.sha256 != plain.sha256
    assert not plain.weights


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, Y[:2], "`train`: x has 3 rows, y has 2; they must be equal"),
        ([1.0, 2.0], [0, 1], "`train`: x must have at least 2 dimensions, (N, ...), got shape (2,)"),
        (
            {"train": (X, Y), "dev": ([[1.0]], [0])},
            None,
            "x must be alike in all splits: `train` has rows of float64 (2,), `dev` of float64 (1,)",
        ),
        (
            {"train": (X, Y), "dev": (X, [0.0, 1.0, 2.0])},
            None,
            "y must be alike in all splits: `train` has rows of int64 (), `dev` of float64 (1,)",
        ),
        ({"train": (X, Y, [1, 2])}, None, "`train`: weights must be one a row, (3,), got shape (2,)"),
        (
            {"train": (X, Y), "dev": (X, None)},
            None,
            "y must be alike in all splits: `train` has rows of int64 (), `dev` of float64 (0,)",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_both_named(x: object, y: object, message: str) -> None:
    with pytest.raises(ShapeError, match=says(message)):
        arrays(x, y)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ({"train": (X, Y)}, Y, "`y` must be left out where `x` is a dict of splits"),
        ({}, None, "a data set needs at least one split, got none"),
        ({3: (X, Y)}, None, "the name of a split must be text, got 3"),
        ({"train": np.ones(3)}, None, "`train`: a split must be (x, y) or (x, y, weight), got ndarray"),
        ([], [], "`train x` is empty: its shape is (0,)"),
        ([[0.0, 1.0], [np.nan, 2.0]], [0, 1], "`train x` has nan in row 1, column 0; every value must be finite"),
        (X, [0.0, np.inf, 0.0], "`train y` has inf in row 1; every value must be finite"),
        (
            np.full((1, 2, 2), -np.inf),
            [0],
            "`train x` has -inf in row 0, at (0, 0); every value must be finite",
        ),
        ([["a"]], [0], "`train x` must hold whole numbers or floats, got dtype <U1"),
        (np.array([[None]]), [0], "`train x` must hold whole numbers or floats, got dtype object"),
        ([[1j]], [0], "`train x` must hold whole numbers or floats, got dtype complex128"),
        (
            np.array([[2**63]], dtype=np.uint64),
            [0],
            "`train x` must fit in 64-bit signed numbers, got 9223372036854775808",
        ),
        (X, [0, -1, 1], "`train`: y has class -1 in row 1; classes are 0 to 1"),
        (X, [[0, 0], [0, 1], [-1, 1]], "`train`: y has class -1 in row 2; classes are 0 to 1"),
        ({"train": (X, Y, [1, np.nan, 1])}, None, "`train weight` has nan in row 1; every value must be finite"),
        (X, [0, 10**9, 1], "classes are 0 to 65535, got 1000000000"),
    ],
)
def test_data_that_cannot_be_used_is_named(x: object, y: object, message: str) -> None:
    with pytest.raises(DataError, match=says(message)):
        arrays(x, y)


def test_rows_of_different_lengths_are_not_one_array() -> None:
    with pytest.raises(DataError, match=says("`train x` is not one array: its rows differ in shape")):
        arrays([[1.0], [1.0, 2.0]], [0, 1])


def test_a_class_without_a_label_is_refused() -> None:
    with pytest.raises(DataError, match=says("`train`: y has class 2 in row 2; classes are 0 to 1")):
        arrays(X, Y, labels=["a", "b"])


def test_labels_for_plain_values_are_refused() -> None:
    with pytest.raises(DataError, match=says("`labels` name classes, but y holds floats; got 1 labels")):
        arrays(X, [0.0, 1.0, 2.0], labels=["a"])


def test_an_unknown_split_or_example_is_named() -> None:
    data = arrays({"train": (X, Y), "dev": (X, Y)}, name="mine")
    with pytest.raises(DataError, match=says("`mine` has no split `devel`, only train, dev; did you mean `dev`?")):
        data.describe("devel", 0)
    with pytest.raises(DataError, match=says("`dev example` must be 0 to 2, got 3")):
        data.describe_target("dev", 3)


sides = st.tuples(
    st.sampled_from(["int64", "float64"]), st.booleans(), st.integers(1, 6), st.lists(st.integers(1, 3), max_size=2)
)


@given(sides, st.integers(0, 2**32 - 1))
def test_arrays_are_rebuilt_from_their_payload(side: tuple[str, bool, int, list[int]], seed: int) -> None:
    dtype, is_classes, n, rest = side
    source = np.random.default_rng(seed)
    x = source.normal(size=(n, 2, *rest)).astype(dtype)
    y = source.integers(0, 4, n) if is_classes else source.normal(size=(n, 3))
    data = arrays({"train": (x, y), "dev": (x, y)}, name="mine")
    again = from_payload(data.payload())
    assert again.sha256 == data.sha256
    assert (again.name, again.labels) == ("mine", data.labels)
    for split in ("train", "dev"):
        assert np.array_equal(again[split][0], x)
        assert np.array_equal(again[split][1], y)


def test_any_difference_changes_the_digest() -> None:
    variants: list[Dataset] = [
        arrays(X, Y),
        arrays(X, Y, name="other"),
        arrays(X, [0, 2, 1]),
        arrays(X, Y, labels=["a", "b", "c"]),
        arrays(X, Y, labels=["ab", "", "c"]),
        arrays({"dev": (X, Y)}),
        arrays(np.array(X).astype(int), Y),
        arrays(np.array(X)[:, :, None], Y),
    ]
    assert len({data.sha256 for data in variants}) == len(variants)


def broken(**changes: Any) -> dict[str, object]:
    return {**arrays(X, Y, name="mine").payload(), **changes}


def one_split(x: object, y: object) -> dict[str, object]:
    return {"train": {"x": x, "y": y}}


GOOD_X, GOOD_Y = np.array(X), np.array(Y)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (None, "a data set's payload must be a map, got NoneType"),
        ({}, "`kind` must be `names` or `arrays`, got None"),
        (broken(kind="pickle"), "`kind` must be `names` or `arrays`, got 'pickle'"),
        ({"kind": "names", "text": b""}, "a data set's payload of kind `names` needs `context`"),
        (broken(label=[]), "a data set's payload of kind `arrays` has no `label`; did you mean `labels`?"),
        (broken(name=3), "`name` must be text, got int"),
        (broken(labels=["a", 1]), "`labels` must be a list of texts"),
        (broken(labels=["a"] * 70_000), "`labels` must be at most 65536, got 70000"),
        (broken(splits=[]), "`splits` must be a map of 1 to 64 splits"),
        (broken(splits={}), "`splits` must be a map of 1 to 64 splits"),
        (broken(splits={"": {}}), "the name of a split must be text, got ''"),
        (broken(splits={"train": {"x": GOOD_X}}), "`train`: a split must be a map of `x` and `y`"),
        (broken(splits=one_split(X, GOOD_Y)), "`train x` must be an array of int64 or float64, got list"),
        (
            broken(splits=one_split(GOOD_X.astype("f4"), GOOD_Y)),
            "`train x` must be an array of int64 or float64, got float32",
        ),
        (
            broken(splits=one_split(GOOD_X, np.array([None] * 3))),
            "`train y` must be an array of int64 or float64, got object",
        ),
        (broken(splits=one_split(GOOD_X[:2], GOOD_Y)), "`train`: x has 2 rows, y has 3; they must be equal"),
        (broken(splits=one_split(GOOD_X, GOOD_Y + 9)), "`train`: y has class 9 in row 0; classes are 0 to 2"),
        (
            broken(splits=one_split(GOOD_X * np.nan, GOOD_Y)),
            "`train x` has nan in row 0, column 0; every value must be finite",
        ),
    ],
)
def test_a_payload_that_is_wrong_is_refused_in_words(payload: object, message: str) -> None:
    with pytest.raises(DataError, match=says(message)):
        from_payload(payload)


plain = st.recursive(
    st.none() | st.integers() | st.floats() | st.text() | st.binary() | st.sampled_from([True, GOOD_X, GOOD_Y]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["train", "x", "y", "a"]), inner),
    max_leaves=6,
)


@given(st.sampled_from(["kind", "name", "splits", "labels"]), plain)
def test_whatever_a_field_holds_a_payload_is_accepted_or_refused(field: str, value: object) -> None:
    with suppress(DataError):
        assert isinstance(from_payload(broken(**{field: value})), Dataset)


def test_a_kind_that_is_an_array_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        from_payload({"kind": np.ones((3, 2))})
    assert str(caught.value) == "`kind` must be `names` or `arrays`, got ndarray"
