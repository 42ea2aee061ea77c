"""Losses: values by the textbook, gradients by central differences, and targets refused in words."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinynets as tn
from tinynets.losses import LOSSES, loss_from

classes_and_shape = st.tuples(st.integers(1, 5), arrays.array_shapes(min_dims=1, max_dims=2, max_side=4))


@settings(max_examples=30)
@given(classes_and_shape, st.integers(0, 99))
def test_cross_entropy_and_its_gradient_are_those_of_the_textbook(
    central_differences: Callable[..., np.ndarray],
    close: Callable[..., None],
    sizes: tuple[int, tuple[int, ...]],
    seed: int,
) -> None:
    classes, shape = sizes
    random = np.random.default_rng(seed)
    out, y = random.normal(size=(*shape, classes)), random.integers(0, classes, shape)
    value, gradient = tn.CrossEntropy()(out, y)
    shares = np.exp(out) / np.exp(out).sum(axis=-1, keepdims=True)
    assert value == pytest.approx(-np.log(np.take_along_axis(shares, y[..., None], -1)).mean(), rel=1e-12, abs=1e-12)
    close(gradient.copy(), central_differences(lambda: tn.CrossEntropy()(out, y)[0], out))


@settings(max_examples=30)
@given(arrays.array_shapes(min_dims=2, max_dims=3, max_side=4), st.integers(0, 99))
def test_mse_and_its_gradient_are_those_of_the_textbook(
    central_differences: Callable[..., np.ndarray], close: Callable[..., None], shape: tuple[int, ...], seed: int
) -> None:
    random = np.random.default_rng(seed)
    out, y = random.normal(size=shape), random.normal(size=shape)
    value, gradient = tn.MSE()(out, y)
    assert value == pytest.approx(((out - y) ** 2).mean(), rel=1e-12)
    close(gradient.copy(), central_differences(lambda: tn.MSE()(out, y)[0], out))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e3, 1e30])
def test_huge_logits_give_finite_cross_entropy_and_gradient(dtype: str, size: float) -> None:
    out = np.array([[size, 0, -size], [-size, size, 0]], dtype)
    value, gradient = tn.CrossEntropy()(out, [0, 0])
    assert value == pytest.approx(size, rel=1e-6)  # the first is certain and right, the second certain and wrong
    np.testing.assert_allclose(gradient, [[0, 0, 0], [-0.5, 0.5, 0]], atol=1e-12)


@settings(max_examples=20)
@given(st.integers(2, 6), st.integers(-40, 40))
def test_cross_entropy_does_not_change_when_all_logits_shift(classes: int, shift: int) -> None:
    random = np.random.default_rng(0)
    out, y = random.normal(size=(5, classes)), random.integers(0, classes, 5)
    assert tn.CrossEntropy()(out, y)[0] == pytest.approx(tn.CrossEntropy()(out + shift, y)[0], rel=1e-9)


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes() -> None:
    assert tn.CrossEntropy()(np.zeros((4, 27)), [0, 5, 26, 1])[0] == pytest.approx(log(27), rel=1e-12)


@pytest.mark.parametrize("loss", [tn.CrossEntropy(), tn.MSE()], ids=repr)
def test_the_mean_over_examples_of_each_is_the_value(loss: Any) -> None:
    random = np.random.default_rng(0)
    out = random.normal(size=(6, 3))
    y = random.integers(0, 3, 6) if loss.classes else random.normal(size=(6, 3))
    assert loss.each(out, y).mean() == pytest.approx(loss(out, y)[0], rel=1e-12)
    assert len(loss.each(out, y)) == 6


def test_a_loss_comes_back_from_its_description() -> None:
    for kind in LOSSES.values():
        assert loss_from(kind().config()) == kind()
    assert tn.MSE() != tn.CrossEntropy()


@pytest.mark.parametrize(
    ("loss", "y", "kind", "message"),
    [
        (tn.CrossEntropy(), [0.5, 1.0], tn.ShapeError, "cross-entropy takes whole numbers as targets, not float64"),
        (
            tn.CrossEntropy(),
            [0, 1, 2],
            tn.ShapeError,
            "cross-entropy: targets are (3,), outputs (2, 3): the targets must be (2,)",
        ),
        (tn.CrossEntropy(), [0, 3], tn.DataError, "cross-entropy: the outputs have classes 0 to 2; a target is 3"),
        (tn.CrossEntropy(), [-1, 1], tn.DataError, "cross-entropy: the outputs have classes 0 to 2; a target is -1"),
        (tn.MSE(), ["a", "b"], tn.ShapeError, "mse takes numbers as targets, not <U1"),
        (tn.MSE(), [1.0, 2.0], tn.ShapeError, "mse: targets are (2,), outputs (2, 3): they must be alike"),
    ],
)
def test_targets_that_do_not_fit_are_refused(
    says: Callable[..., Any], loss: Any, y: Any, kind: type[Exception], message: str
) -> None:
    with says(kind, message):
        loss(np.zeros((2, 3)), y)


def test_an_unknown_loss_is_refused_with_the_nearest(says: Callable[..., Any]) -> None:
    with says(tn.ShapeError, "a loss is one of cross-entropy, mse, not 'crossentropy'; did you mean `cross-entropy`?"):
        loss_from({"kind": "crossentropy"})
