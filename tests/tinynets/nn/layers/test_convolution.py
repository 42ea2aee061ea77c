"""Conv1d and Conv2d: gradients, padding, and kernels that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn

few = st.integers(1, 3)
axes = st.lists(st.tuples(few, few, few, st.integers(0, 2)), min_size=1, max_size=2)


@settings(max_examples=25)
@given(few, few, few, axes, st.booleans(), st.integers(0, 2), st.booleans(), st.integers(0, 9))
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None],
    batch: int,
    inputs: int,
    outputs: int,
    axes: list[tuple[int, int, int, int]],
    bias: bool,
    more: int,
    intervened: bool,
    seed: int,
) -> None:
    kernel, stride, dilation, padding = (list(values) for values in zip(*axes, strict=True))
    grid = [max(1, d * (k - 1) + 1 - 2 * p) + more for k, d, p in zip(kernel, dilation, padding, strict=True)]
    kind = (tn.Conv1d, tn.Conv2d)[len(axes) - 1]
    options: dict[str, Any] = {"stride": stride, "dilation": dilation, "padding": padding, "bias": bias}
    layer = kind(inputs, outputs, kernel, b_init=tn.Normal(), name="conv", **options)
    network = tn.Network([layer, tn.Tanh()], dtype="float64", seed=seed, input_shape=(*grid, inputs))
    random = np.random.default_rng(seed)
    if intervened:
        network.intervene("conv.pre", multiply=random.normal(size=outputs), add=random.normal(size=outputs))
    gradients_agree(network, random.normal(size=(batch, *grid, inputs)))


def test_a_convolution_is_the_sum_over_its_window_at_every_place() -> None:
    network = tn.Network([tn.Conv2d(2, 3, (2, 3), stride=(2, 1), name="conv", b_init=tn.Normal())], dtype="float64")
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 2))
    layer: Any = network["conv"]
    out = network.predict(x)
    assert out.shape == (2, 2, 4, 3)
    for row, column in np.ndindex(2, 4):
        window = x[:, 2 * row : 2 * row + 2, column : column + 3]
        expected = np.einsum("bijc,ijco->bo", window, layer.w) + layer.b
        np.testing.assert_allclose(out[:, row, column], expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_kernel_of_one_is_a_linear_layer_at_every_place(dtype: str) -> None:
    network = tn.Network([tn.Conv1d(3, 2, 1, name="conv")], dtype=dtype)
    x = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(dtype)
    layer: Any = network["conv"]
    out = network.predict(x)
    assert out.dtype == np.dtype(dtype)
    np.testing.assert_allclose(out, x @ layer.w[0], rtol=1e-4, atol=1e-6)


@settings(max_examples=20)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 3))
def test_padding_same_keeps_the_length(length: int, kernel: int, dilation: int) -> None:
    network = tn.Network([tn.Conv1d(1, 2, kernel, padding="same", dilation=dilation)], input_shape=(length, 1))
    assert network.output_shape((3, length, 1)) == (3, length, 2)
    assert network.predict(np.ones((3, length, 1))).shape == (3, length, 2)


def test_a_channel_is_a_unit_and_owns_its_slice_of_the_kernel() -> None:
    network = tn.Network([tn.Conv2d(2, 3, 2, name="conv"), tn.ReLU()], input_shape=(4, 4, 2))
    block = network.block("conv")
    assert block.units == 3
    mask = np.zeros(network.theta.size, bool)
    mask[network.unit_indices(block, [1])] = True
    assert mask[:24].reshape(2, 2, 2, 3)[..., 1].all()
    assert mask[24:].tolist() == [False, True, False]
    assert mask.sum() == 9


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            tn.Conv2d(1, 8, 3, name="conv"),
            (2, 8, 1),
            "`conv` Conv2d(1, 8, 3x3) has a kernel over 3 x 3, which does not fit into (?, 2, 8, 1), "
            "which the input has",
        ),
        (
            tn.Conv1d(2, 8, 3, dilation=4, padding=1, name="conv"),
            (6, 2),
            "`conv` Conv1d(2, 8, 3, padding 1, dilation 4) has a kernel over 9, "
            "which does not fit into (?, 6, 2) with its padding, which the input has",
        ),
        (
            tn.Conv2d(3, 8, 3, name="conv"),
            (8, 8, 1),
            "`conv` Conv2d(3, 8, 3x3) takes (B, H, W, 3), not (?, 8, 8, 1), which the input has",
        ),
        (
            tn.Conv1d(3, 8, 3, name="conv"),
            (8, 8, 3),
            "`conv` Conv1d(3, 8, 3) takes (B, T, 3), not (?, 8, 8, 3), which the input has",
        ),
    ],
)
def test_what_does_not_fit_is_found_when_the_network_is_built(
    says: Callable[..., Any], layer: tn.Layer, shape: tuple[int, ...], message: str
) -> None:
    with says(tn.ShapeError, message):
        tn.Network([layer], input_shape=shape)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tn.Conv1d(1, 1, 0), "Conv1d: `kernel` must be a whole number of at least 1, not 0"),
        (
            lambda: tn.Conv2d(1, 1, 3, stride=0),
            "Conv2d: `stride` must be a whole number of at least 1, or 2 of them, not 0",
        ),
        (
            lambda: tn.Conv2d(1, 1, (3, 3, 3)),
            "Conv2d: `kernel` must be a whole number of at least 1, or 2 of them, not (3, 3, 3)",
        ),
        (
            lambda: tn.Conv1d(1, 1, 3, padding=-1),
            "Conv1d: `padding` must be a whole number of at least 0, or 'same', not -1",
        ),
        (
            lambda: tn.Conv1d(1, 1, 3, padding="full"),
            "Conv1d: `padding` must be a whole number of at least 0, or 'same', not 'full'",
        ),
        (lambda: tn.Conv1d(1, 1, True), "Conv1d: `kernel` must be a whole number of at least 1, not True"),
        (
            lambda: tn.Conv1d(1, 1, 3, stride=2, padding="same"),
            "Conv1d: `padding` can be 'same' only where `stride` is 1, not 2",
        ),
    ],
)
def test_impossible_sizes_are_refused(says: Callable[..., Any], make: Callable[[], Any], message: str) -> None:
    with says(tn.ShapeError, message):
        make()
