"""Embedding: rows looked up, and gradients summed per row, by matrix product or by scattered addition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.layers.embedding import ONE_HOT_LIMIT


@settings(max_examples=30)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 6), st.integers(1, 4), st.integers(0, 9))
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None], shape: list[int], vocabulary: int, size: int, seed: int
) -> None:
    network = tn.Network([tn.Embedding(vocabulary, size)], dtype="float64", seed=seed)
    gradients_agree(network, np.random.default_rng(seed).integers(0, vocabulary, shape))


@pytest.mark.parametrize("vocabulary", [ONE_HOT_LIMIT, ONE_HOT_LIMIT + 1])
def test_each_row_sums_what_came_to_it_on_both_sides_of_the_limit(vocabulary: int) -> None:
    network = tn.Network([tn.Embedding(vocabulary, 3, name="table")], dtype="float64")
    table: Any = network["table"]
    random = np.random.default_rng(0)
    x = np.concatenate([random.integers(0, vocabulary, (6, 4)), np.full((2, 4), vocabulary - 1)])
    dout = random.normal(size=(8, 4, 3))
    assert np.array_equal(network.forward(x), table.w[x])
    network.backward(dout)
    expected = np.zeros((vocabulary, 3))
    for row, gradient in zip(x.reshape(-1), dout.reshape(-1, 3), strict=True):
        expected[row] += gradient
    np.testing.assert_allclose(table.dw, expected, rtol=1e-12)


def test_gradients_above_the_limit_are_those_of_central_differences(
    central_differences: Callable[..., np.ndarray], close: Callable[..., None]
) -> None:
    network = tn.Network([tn.Embedding(ONE_HOT_LIMIT + 76, 2, name="table"), tn.Tanh()], dtype="float64")
    random = np.random.default_rng(0)
    x = random.integers(0, ONE_HOT_LIMIT + 76, (5, 3))
    weights = random.normal(size=(5, 3, 2))
    network.forward(x)
    network.backward(weights)
    places = np.unique(np.concatenate([2 * x.reshape(-1), 2 * x.reshape(-1) + 1]))
    found = central_differences(lambda: float((network.forward(x) * weights).sum()), network.theta, places=places)
    close(network.grad[places], found)
    assert not np.delete(network.grad, places).any()


@pytest.mark.parametrize("vocabulary", [5, ONE_HOT_LIMIT + 5])
def test_gradients_of_the_last_batch_are_forgotten(vocabulary: int) -> None:
    network = tn.Network([tn.Embedding(vocabulary, 2, name="table")], dtype="float64")
    for index in (0, 1):
        network.forward(np.array([[index]]))
        network.backward(np.ones((1, 1, 2)))
    table: Any = network["table"]
    assert table.dw[1].tolist() == [1, 1]
    assert not table.dw[0].any()


@pytest.mark.parametrize(
    ("x", "kind", "message"),
    [
        ([[0.5]], tn.ShapeError, "`table` Embedding(5, 2) takes whole numbers, not float64"),
        ([[5]], tn.DataError, "`table` Embedding(5, 2) takes indices 0 to 4, not 5"),
        ([[-1]], tn.DataError, "`table` Embedding(5, 2) takes indices 0 to 4, not -1"),
    ],
)
def test_what_is_no_index_is_refused(says: Callable[..., Any], x: Any, kind: type[Exception], message: str) -> None:
    network = tn.Network([tn.Embedding(5, 2, name="table")])
    with says(kind, message):
        network.forward(x)


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 2), st.integers(1, 3), st.integers(0, 9))
def test_positions_are_added_and_their_gradients_summed(
    gradients_agree: Callable[..., None], batch: int, steps: int, unused: int, size: int, seed: int
) -> None:
    layers = [tn.Linear(2, size), tn.PositionalEmbedding(steps + unused, size, name="where"), tn.Tanh()]
    network = tn.Network(layers, dtype="float64", seed=seed, input_shape=(steps, 2))
    random = np.random.default_rng(seed)
    network.intervene("where", multiply=random.normal(size=size), add=0.2)
    gradients_agree(network, random.normal(size=(batch, steps, 2)))
    layer: Any = network["where"]
    assert not layer.dw[steps:].any()
    x = random.normal(size=(batch, steps, size))
    alone = tn.Network([tn.PositionalEmbedding(steps + unused, size, name="where")], dtype="float64", seed=seed)
    assert np.array_equal(alone.predict(x), x + layer.w[:steps])


def test_a_sequence_longer_than_the_table_is_refused(says: Callable[..., Any]) -> None:
    network = tn.Network([tn.PositionalEmbedding(4, 2, name="where")])
    with says(
        tn.ShapeError,
        "`where` PositionalEmbedding(4, 2) takes (B, T, 2), T at most 4, not (1, 5, 2), which the input has",
    ):
        network.forward(np.zeros((1, 5, 2)))
