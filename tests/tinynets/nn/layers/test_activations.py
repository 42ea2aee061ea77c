"""Activations: values, gradients, and what counts as saturated or blocked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinynets as tn
from tinynets.nn.layers import LAYERS
from tinynets.nn.layers.activations import FLAT, SATURATED
from tinynets.nn.layers.base import Activation

KINDS: list[Activation] = [
    tn.Tanh(),
    tn.Sigmoid(),
    tn.ReLU(),
    tn.LeakyReLU(),
    tn.LeakyReLU(0.3),
    tn.ELU(),
    tn.ELU(0.4),
    tn.GELU(),
    tn.GELU(approximate="tanh"),
    tn.SiLU(),
    tn.Softplus(),
    tn.Gaussian(),
    tn.Gaussian(0.7),
    tn.Softmax(),
    tn.Step(),
    tn.Identity(),
]
by_kind = pytest.mark.parametrize("activation", KINDS, ids=repr)
shapes = arrays.array_shapes(min_dims=2, max_dims=4, max_side=4)


def test_the_examples_here_are_of_every_kind() -> None:
    assert {activation.kind for activation in KINDS} == {
        kind for kind, layer in LAYERS.items() if issubclass(layer, Activation)
    }


@by_kind
@settings(max_examples=10)
@given(shapes, st.integers(0, 99))
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None], activation: Activation, shape: tuple[int, ...], seed: int
) -> None:
    random = np.random.default_rng(seed)
    x = random.uniform(1e-3, 3, shape) * random.choice([-1.0, 1.0], shape)  # away from the kinks
    network = tn.Network([tn.Linear(shape[-1], 3, name="hidden"), activation], dtype="float64", input_shape=shape[1:])
    network.intervene("hidden", multiply=random.normal(size=3), add=random.normal(size=3))
    network.intervene("hidden.pre", multiply=random.uniform(0.5, 2, 3), add=1e-3)
    network.forward(x)
    assume(np.abs(network.activation("hidden.pre")).min() > 1e-3)
    gradients_agree(network, x)
    gradients_agree(tn.Network([activation], dtype="float64", input_shape=shape[1:]), x)


@by_kind
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_out_neither_value_nor_gradient_is_nan(activation: Activation, dtype: str) -> None:
    network = tn.Network([activation], dtype=dtype, input_shape=(6,))
    x = np.array([[-1e30, -1e5, -100.0, 100.0, 1e5, 1e30]])
    x = np.abs(x) if isinstance(activation, tn.Gaussian) else x
    with np.errstate(all="ignore"):
        out = network.forward(x)
        dx = network.backward(np.ones_like(x))
    assert out.dtype == np.dtype(dtype)
    assert np.isfinite(out).all()
    assert np.isfinite(dx).all()


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


@pytest.mark.parametrize(
    "activation", [entry for entry in KINDS if not isinstance(entry, tn.Softmax | tn.Step | tn.Gaussian)], ids=repr
)
def test_saturated_is_where_the_local_gradient_is_flat_on_the_way_to_a_bound(activation: Activation) -> None:
    network = tn.Network([activation], dtype="float64", input_shape=(601,))
    x = np.linspace(-8, 8, 601)[None]
    out = network.forward(x)
    slope = np.abs(network.backward(np.ones_like(x)))
    if isinstance(activation, tn.Sigmoid):
        slope *= 4
    saturated = activation.saturated(out, x)
    beyond = (x < -2.2) | (slope > FLAT) | isinstance(activation, tn.Tanh | tn.Sigmoid)  # past the dip of GELU and SiLU
    limited = not isinstance(activation, tn.ReLU | tn.LeakyReLU | tn.Identity)
    close = np.abs(slope - FLAT) < 1e-4
    assert np.array_equal(saturated[beyond & ~close], limited & (slope < FLAT)[beyond & ~close])


def test_a_leaky_relu_is_never_blocked_unless_it_does_not_leak() -> None:
    out = np.array([[-1.0, 0.0, 1.0]])
    assert not tn.LeakyReLU().blocked(out).any()
    assert tn.LeakyReLU(0).blocked(out).tolist() == [[True, True, False]]


def test_a_gaussian_is_blocked_where_it_is_too_far_away_to_answer() -> None:
    assert tn.Gaussian().blocked(np.array([[1.0, 0.5, 1e-3]])).tolist() == [[False, False, True]]


def test_a_softmax_is_blocked_where_one_unit_has_nearly_everything() -> None:
    out = np.array([[0.995, 0.005, 0.0], [0.6, 0.4, 0.0]])
    assert tn.Softmax().blocked(out).tolist() == [[True] * 3, [False] * 3]


def test_a_step_is_flat_everywhere() -> None:
    network = tn.Network([tn.Step()], input_shape=(3,))
    assert network.forward(np.array([[-2.0, 0.0, 2.0]])).tolist() == [[0, 0, 1]]
    assert not network.backward(np.ones((1, 3))).any()
    assert tn.Step().blocked(np.array([[0.0, 1.0]])).all()


@settings(max_examples=20)
@given(arrays.arrays(np.float64, shapes, elements=st.floats(-1e300, 1e300)))
def test_softmax_gives_shares_that_sum_to_one(x: np.ndarray) -> None:
    out = tn.Network([tn.Softmax()], dtype="float64", input_shape=x.shape[1:]).predict(x)
    assert (out >= 0).all()
    np.testing.assert_allclose(out.sum(axis=-1), 1, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tn.LeakyReLU(-0.1), "LeakyReLU: `slope` must be a number from 0 to 1, not -0.1"),
        (lambda: tn.ELU(0), "ELU: `alpha` must be a number above 0, not 0"),
        (lambda: tn.Gaussian(float("nan")), "Gaussian: `width` must be a number above 0, not nan"),
        (
            lambda: tn.GELU(approximate="tan"),
            "GELU: `approximate` must be one of none, tanh, not 'tan'; did you mean `tanh`?",
        ),
    ],
)
def test_impossible_arguments_are_refused(says: Callable[..., Any], make: Callable[[], object], message: str) -> None:
    with says(tn.ShapeError, message):
        make()
