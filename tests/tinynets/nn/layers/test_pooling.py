"""Pools: maximum and mean of windows, their gradients, and windows that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn

few = st.integers(1, 3)


@settings(max_examples=25)
@given(st.sampled_from([tn.MaxPool2d, tn.AvgPool2d]), few, few, few, few, few, st.integers(0, 2), few)
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None],
    kind: Any,
    batch: int,
    kh: int,
    kw: int,
    sh: int,
    sw: int,
    more: int,
    seed: int,
) -> None:
    shape = (batch, kh + more, kw + 2 * more, 2)
    network = tn.Network([kind((kh, kw), (sh, sw))], dtype="float64", input_shape=shape[1:])
    gradients_agree(network, np.random.default_rng(seed).permutation(np.arange(np.prod(shape)) * 0.1).reshape(shape))


@settings(max_examples=20)
@given(few, st.lists(few, min_size=1, max_size=2), few)
def test_the_global_mean_and_its_gradient(
    gradients_agree: Callable[..., None], batch: int, grid: list[int], channels: int
) -> None:
    network = tn.Network([tn.GlobalAvgPool()], dtype="float64", input_shape=(*grid, channels))
    x = np.random.default_rng(0).normal(size=(batch, *grid, channels))
    np.testing.assert_allclose(network.predict(x), x.reshape(batch, -1, channels).mean(1), rtol=1e-12)
    gradients_agree(network, x)


def test_windows_give_their_largest_and_their_mean() -> None:
    x = np.arange(2 * 5 * 4 * 1.0).reshape(2, 5, 4, 1)
    largest = tn.Network([tn.MaxPool2d(2)], dtype="float64").predict(x)
    mean = tn.Network([tn.AvgPool2d(2, 1)], dtype="float64").predict(x)
    assert largest[..., 0].tolist() == [[[5, 7], [13, 15]], [[25, 27], [33, 35]]]
    assert mean.shape == (2, 4, 3, 1)
    assert mean[0, 0, 0, 0] == np.mean([0, 1, 4, 5])


def test_of_equals_the_first_gets_the_gradient() -> None:
    network = tn.Network([tn.MaxPool2d(2)], dtype="float64")
    network.forward(np.zeros((1, 2, 2, 1)))
    assert network.backward(np.ones((1, 1, 1, 1))).reshape(-1).tolist() == [1, 0, 0, 0]


def test_what_no_window_covers_has_no_gradient() -> None:
    network = tn.Network([tn.AvgPool2d(1, 2)], dtype="float64")
    for _ in range(2):
        network.forward(np.ones((1, 3, 4, 1)))
        dx = network.backward(np.ones((1, 2, 2, 1)))
    assert dx[0, ..., 0].tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0]]


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            tn.MaxPool2d(3, name="pool"),
            (2, 8, 1),
            "`pool` MaxPool2d(3x3) has a kernel over 3 x 3, which does not fit into (?, 2, 8, 1), which the input has",
        ),
        (
            tn.AvgPool2d(2, 1, name="pool"),
            (8, 1),
            "`pool` AvgPool2d(2x2, stride 1x1) takes (B, H, W, C), not (?, 8, 1), which the input has",
        ),
        (
            tn.GlobalAvgPool(name="pool"),
            (8,),
            "`pool` GlobalAvgPool() takes (B, T, C) or (B, H, W, C), not (?, 8), which the input has",
        ),
    ],
)
def test_what_does_not_fit_is_found_when_the_network_is_built(
    says: Callable[..., Any], layer: tn.Layer, shape: tuple[int, ...], message: str
) -> None:
    with says(tn.ShapeError, message):
        tn.Network([layer], input_shape=shape)
