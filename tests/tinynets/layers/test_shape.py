"""Flatten: all axes after the batch made one, and gradients brought back into their shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
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
