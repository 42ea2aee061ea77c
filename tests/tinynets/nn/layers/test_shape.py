"""Flatten: all axes after the batch become one, and gradients get their shape back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinynets as tn


@settings(max_examples=20)
@given(arrays.array_shapes(min_dims=2, max_dims=4, max_side=4))
def test_flatten_keeps_every_value_and_its_gradient(
    gradients_agree: Callable[..., None], shape: tuple[int, ...]
) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    network = tn.Network([tn.Flatten()], dtype="float64", input_shape=shape[1:])
    assert np.array_equal(network.predict(x), x.reshape(shape[0], -1))
    gradients_agree(network, x)


@settings(max_examples=10)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_gradients_pass_through_flatten_between_layers(
    gradients_agree: Callable[..., None], batch: int, positions: int, size: int
) -> None:
    layers = [tn.Linear(2, size), tn.Flatten(), tn.Linear(positions * size, 2), tn.Tanh()]
    network = tn.Network(layers, dtype="float64", input_shape=(positions, 2))
    gradients_agree(network, np.random.default_rng(0).normal(size=(batch, positions, 2)))


def test_flatten_of_a_lone_axis_is_refused(says: Callable[..., Any]) -> None:
    network = tn.Network([tn.Flatten(name="flat")])
    with says(
        tn.ShapeError,
        "`flat` Flatten() takes (B, ...) with at least one axis after the batch, not (3,), which the input has",
    ):
        network.forward(np.zeros(3))


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_neighbours_in_time_become_one(
    gradients_agree: Callable[..., None], batch: int, n: int, groups: int, size: int
) -> None:
    x = np.random.default_rng(0).normal(size=(batch, n * groups, size))
    network = tn.Network([tn.FlattenConsecutive(n)], dtype="float64")
    lesson = np.concatenate([x[:, start::n] for start in range(n)], axis=2)  # the words of makemore part 5 for n = 2
    out = network.predict(x)
    assert np.array_equal(out, lesson[:, 0] if groups == 1 else lesson)
    gradients_agree(network, x)


@settings(max_examples=20)
@given(arrays.array_shapes(min_dims=3, max_dims=3, max_side=4))
def test_the_last_step_passes_alone_and_takes_the_whole_gradient(
    gradients_agree: Callable[..., None], shape: tuple[int, ...]
) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    network = tn.Network([tn.Linear(shape[-1], 2), tn.LastStep(), tn.Tanh()], dtype="float64", input_shape=shape[1:])
    gradients_agree(network, x)
    alone = tn.Network([tn.LastStep()], dtype="float64")
    assert np.array_equal(alone.predict(x), x[:, -1])


@settings(max_examples=20)
@given(st.integers(1, 3), st.permutations([2, 3, 2]), st.integers(-1, 2))
def test_reshape_keeps_every_value_and_its_gradient(
    gradients_agree: Callable[..., None], batch: int, sizes: list[int], free: int
) -> None:
    x = np.random.default_rng(0).normal(size=(batch, 4, 3))
    shape = [-1 if place == free else size for place, size in enumerate(sizes)]
    network = tn.Network([tn.Reshape(shape)], dtype="float64", input_shape=(4, 3))
    assert np.array_equal(network.predict(x), x.reshape(batch, *sizes))
    gradients_agree(network, x)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (tn.FlattenConsecutive(3), "`only` FlattenConsecutive(3) takes (B, T, C), T a multiple of 3, not (?, 4, 3)"),
        (tn.Reshape([5]), "`only` Reshape(5) takes 5 values, not (?, 4, 3)"),
        (tn.Reshape([5, -1]), "`only` Reshape(5, -1) takes a multiple of 5 values, not (?, 4, 3)"),
    ],
)
def test_what_cannot_be_rearranged_is_refused(says: Callable[..., Any], layer: tn.Layer, message: str) -> None:
    layer.name = "only"
    with says(tn.ShapeError, f"{message}, which the input has"):
        tn.Network([layer], input_shape=(4, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tn.Reshape([2, 0]), "Reshape: `shape` must be a whole number of at least 1, not 0"),
        (lambda: tn.Reshape([-1, -1]), "Reshape: `shape` may hold one -1, not [-1, -1]"),
        (lambda: tn.Reshape("ab"), "Reshape: `shape` must be a list of sizes, not 'ab'"),
        (lambda: tn.FlattenConsecutive(0), "FlattenConsecutive: `n` must be a whole number of at least 1, not 0"),
    ],
)
def test_impossible_sizes_are_refused(says: Callable[..., Any], make: Callable[[], object], message: str) -> None:
    with says(tn.ShapeError, message):
        make()


def test_a_wavenet_of_the_lesson_is_blocks_whose_statistics_are_over_batch_and_time() -> None:
    def level(inputs: int) -> list[tn.Layer]:
        return [tn.FlattenConsecutive(2), tn.Linear(2 * inputs, 6, bias=False), tn.BatchNorm(6), tn.Tanh()]

    layers = [tn.Embedding(5, 3, name="characters"), *level(3), *level(6), *level(6), tn.Linear(6, 5, name="output")]
    network = tn.Network(layers, input_shape=(8,))
    assert [block.name for block in network.blocks if block.units] == [
        "characters",
        "linear1",
        "linear2",
        "linear3",
        "output",
    ]
    out = network.forward(np.random.default_rng(0).integers(0, 5, (4, 8)), training=True)
    assert out.shape == (4, 5)
    first = network.activation("linear1.pre")
    assert first.shape == (4, 4, 6)
    np.testing.assert_allclose(first.mean((0, 1)), 0, atol=1e-5)


def test_reshape_has_no_more_sizes_than_numpy_counts(says: Callable[..., Any]) -> None:
    with says(tn.ShapeError, "Reshape: `shape` may hold 31 sizes, not 100000"):
        tn.Reshape([1] * 100_000)
    network = tn.Network([tn.Reshape([*[1] * 30, 6])], input_shape=(6,))
    assert network.forward(np.zeros((2, 6))).shape == (2, *[1] * 30, 6)
