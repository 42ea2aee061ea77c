"""Activations: values, gradients, and what counts as saturated or blocked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinynets as tn
from tinynets.layers.activations import SATURATED, Activation

KINDS: list[type[Activation]] = [tn.Tanh, tn.ReLU, tn.Sigmoid]
shapes = arrays.array_shapes(min_dims=2, max_dims=4, max_side=4)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(shapes, st.integers(0, 99))
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None], kind: type[Activation], shape: tuple[int, ...], seed: int
) -> None:
    random = np.random.default_rng(seed)
    x = random.uniform(1e-3, 3, shape) * random.choice([-1.0, 1.0], shape)  # away from ReLU's kink
    gradients_agree(tn.Network([kind()], dtype="float64", input_shape=shape[1:]), x)


@settings(max_examples=30)
@given(arrays.arrays(np.float64, shapes, elements=st.floats(-1e300, 1e300)))
def test_values_are_the_functions_own_even_far_out(x: np.ndarray) -> None:
    def of(kind: type[Activation]) -> np.ndarray:
        return tn.Network([kind()], dtype="float64", input_shape=x.shape[1:]).predict(x)

    assert np.array_equal(of(tn.Tanh), np.tanh(x))
    assert np.array_equal(of(tn.ReLU), np.where(x > 0, x, 0))
    near = np.clip(x, -700, 700)
    np.testing.assert_allclose(of(tn.Sigmoid), 1 / (1 + np.exp(-near)), rtol=1e-9, atol=1e-15)


def test_saturated_begins_where_hardly_any_gradient_passes() -> None:
    x = np.array([[-10.0, -1.0, 0.0, 1.0, 10.0]])
    assert tn.Tanh().saturated(np.tanh(x)).tolist() == [[True, False, False, False, True]]
    assert tn.Sigmoid().saturated(1 / (1 + np.exp(-x))).tolist() == [[True, False, False, False, True]]
    assert not tn.ReLU().saturated(np.maximum(x, 0)).any()
    edge = np.array([SATURATED])
    assert not tn.Tanh().saturated(edge)[0]
    assert tn.Tanh().saturated(np.nextafter(edge, 2))[0]


def test_a_relu_is_blocked_where_it_is_off() -> None:
    assert tn.ReLU().blocked(np.array([[0.0, 1e-30, 2.0]])).tolist() == [[True, False, False]]
