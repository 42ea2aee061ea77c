"""Initializers: the distribution of what they draw, addressed by seed, layer and parameter."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.initializers import GAINS, INITIALIZERS, Initializer, initializer
from tinynets.nn.layers import layer_from

ALL: list[Initializer] = [
    tn.Zeros(),
    tn.Uniform(low=-0.5, high=0.25),
    tn.Normal(std=0.3),
    tn.Kaiming(gain="tanh"),
    tn.Kaiming(gain=0.7, scale=0.1),
    tn.Kaiming(gain="relu", distribution="uniform"),
    tn.Xavier(gain="leaky-relu"),
    tn.Xavier(distribution="uniform", scale=0.5),
    tn.Orthogonal(gain=0.9),
    tn.Constant(value=0.25),
    tn.Normal(scale=0.01),
]
by_repr = pytest.mark.parametrize("init", ALL, ids=repr)


def test_every_kind_is_among_the_examples_here() -> None:
    assert {init.kind for init in ALL} == set(INITIALIZERS)


@settings(max_examples=20)
@given(st.sampled_from([*GAINS, 0.3, 2.0]), st.sampled_from([4, 30, 200]), st.sampled_from([1.0, 0.01]), st.integers(0))
def test_kaiming_has_standard_deviation_gain_over_root_fan_in(gain: Any, fan_in: int, scale: float, seed: int) -> None:
    values = tn.Kaiming(gain=gain, scale=scale).draw(seed, "x", (fan_in, 4000 // fan_in), fan_in)
    expected = scale * (GAINS[gain] if isinstance(gain, str) else gain) / sqrt(fan_in)
    assert values.std() == pytest.approx(expected, rel=0.08)  # 4,000 numbers: 1 % is one standard error
    assert abs(values.mean()) < 0.08 * expected


@pytest.mark.parametrize("make", [tn.Kaiming, tn.Xavier])
@settings(max_examples=10)
@given(st.sampled_from(["normal", "uniform"]), st.sampled_from([1.0, 0.5]), st.integers(0))
def test_both_distributions_have_the_same_standard_deviation(
    make: Callable[..., Initializer], distribution: str, gain: float, seed: int
) -> None:
    values = make(gain=gain, distribution=distribution).draw(seed, "x", (50, 80), 50, 80)
    expected = gain * sqrt(1 / 50 if make is tn.Kaiming else 2 / 130)
    assert values.std() == pytest.approx(expected, rel=0.08)
    if distribution == "uniform":
        assert np.abs(values).max() <= sqrt(3) * expected
        assert np.abs(values).max() > 0.99 * sqrt(3) * expected


@settings(max_examples=20)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1.0, 0.7, "tanh"]), st.integers(0))
def test_orthogonal_columns_stand_at_right_angles(rows: int, columns: int, gain: Any, seed: int) -> None:
    w = tn.Orthogonal(gain=gain).draw(seed, "x", (rows, columns))
    square = w.T @ w if rows >= columns else w @ w.T
    length = GAINS[gain] if isinstance(gain, str) else gain
    np.testing.assert_allclose(square, length**2 * np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_matrices_favour_no_direction() -> None:
    corners = [tn.Orthogonal().draw(seed, "x", (2, 2))[0, 0] for seed in range(400)]
    assert abs(np.mean(corners)) < 0.15  # uniform on the circle: 0 within 4 standard errors
    assert np.std(corners) == pytest.approx(sqrt(0.5), rel=0.1)


def test_constant_is_its_value() -> None:
    assert (tn.Constant(value=0.25).draw(0, "x", (3, 4)) == 0.25).all()


def test_the_gains_are_those_of_the_lesson() -> None:
    lesson = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": sqrt(2)}
    assert lesson.items() <= GAINS.items()


@pytest.mark.parametrize("kind", ["relu", "leaky-relu", "elu", "gelu", "silu", "softplus"])
def test_a_gain_keeps_the_mean_square_of_what_comes_out_at_one(kind: str) -> None:
    network = tn.Network([layer_from({"kind": kind})], dtype="float64", input_shape=(1,))
    z = np.linspace(-12, 12, 40_001)
    weight = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    out = network.predict(z[:, None])[:, 0]
    assert GAINS[kind] ** 2 * (out**2 * weight).sum() == pytest.approx(1, rel=1e-3)


@settings(max_examples=20)
@given(st.floats(-3, 3), st.floats(0, 3), st.floats(-2, 2), st.integers(0))
def test_uniform_stays_within_its_bounds_and_fills_them(low: float, width: float, scale: float, seed: int) -> None:
    values = tn.Uniform(low=low, high=low + width, scale=scale).draw(seed, "x", (2000,), 1)
    lowest, highest = sorted([scale * low, scale * (low + width)])
    slack = 1e-12
    assert values.min() >= lowest - slack
    assert values.max() <= highest + slack
    assert values.mean() == pytest.approx((lowest + highest) / 2, abs=0.05 * (highest - lowest) + slack)


def test_zeros_are_zero_and_normal_has_its_standard_deviation() -> None:
    assert not tn.Zeros().draw(0, "x", (3, 4), 3).any()
    assert tn.Normal(std=0.3).draw(0, "x", (100, 100), 100).std() == pytest.approx(0.3, rel=0.03)


@by_repr
@given(st.floats(-5, 5, allow_subnormal=False))
@settings(max_examples=10)
def test_scale_multiplies_whatever_is_drawn(init: Initializer, scale: float) -> None:
    plain = initializer({**init.config(), "scale": 1.0})
    scaled = initializer({**init.config(), "scale": scale})
    assert np.array_equal(scaled.draw(3, "x", (5, 6), 5), scale * plain.draw(3, "x", (5, 6), 5))


@by_repr
def test_what_is_drawn_depends_on_seed_and_purpose_and_nothing_else(init: Initializer) -> None:
    first = init.draw(1, "init/a.w", (6, 5), 6)
    init.draw(2, "init/b.w", (50,), 1)
    assert np.array_equal(first, init.draw(1, "init/a.w", (6, 5), 6))
    if init.kind not in ("zeros", "constant"):
        assert not np.array_equal(first, init.draw(2, "init/a.w", (6, 5), 6))
        assert not np.array_equal(first, init.draw(1, "init/b.w", (6, 5), 6))


def test_a_layer_starts_the_same_whatever_stands_before_it() -> None:
    alone = tn.Network([tn.Linear(6, 3, name="output")], seed=5)
    behind = tn.Network([tn.Linear(2, 6, name="hidden"), tn.Tanh(), tn.Linear(6, 3, name="output")], seed=5)
    first: Any = alone["output"]
    second: Any = behind["output"]
    assert np.array_equal(first.w, second.w)


def test_float32_starts_at_the_rounded_values_of_float64() -> None:
    double, single = (tn.Network([tn.Linear(20, 20)], seed=1, dtype=dtype) for dtype in ("float64", "float32"))
    assert np.array_equal(double.theta.astype(np.float32), single.theta)


@by_repr
def test_gradients_of_nets_that_start_with_it_are_those_of_central_differences(
    gradients_agree: Callable[..., None], init: Initializer
) -> None:
    layers = [tn.Linear(3, 4, w_init=init, b_init=tn.Normal()), tn.Tanh(), tn.Linear(4, 2, w_init=init, b_init=init)]
    gradients_agree(tn.Network(layers, dtype="float64", seed=2), np.random.default_rng(0).normal(size=(5, 3)))


@by_repr
def test_a_description_makes_the_same_initializer_again(init: Initializer) -> None:
    assert initializer(init.config()) == init


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: tn.Kaiming(gain="tan"),
            f"`kaiming` initializer: `gain` is a number or one of {', '.join(GAINS)}, not 'tan'; did you mean `tanh`?",
        ),
        (
            lambda: tn.Xavier(distribution="unifrm"),
            "`xavier` initializer: `distribution` is one of normal, uniform, not 'unifrm'; did you mean `uniform`?",
        ),
        (lambda: tn.Normal(std=float("nan")), "`normal` initializer: `std` must be a finite number, not nan"),
        (lambda: tn.Normal(scale=float("inf")), "`normal` initializer: `scale` must be a finite number, not inf"),
        (lambda: tn.Uniform(low=True), "`uniform` initializer: `low` must be a finite number, not True"),
        (lambda: tn.Uniform(low="a"), "`uniform` initializer: `low` must be a finite number, not 'a'"),  # type: ignore[arg-type]
        (lambda: tn.Normal(std=10**400), f"`normal` initializer: `std` must be a finite number, not {10**400}"),
    ],
)
def test_impossible_arguments_are_refused(says: Callable[..., Any], make: Callable[[], object], message: str) -> None:
    with says(tn.ShapeError, message):
        make()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_initial_values_that_overflow_are_refused(says: Callable[..., Any], dtype: str) -> None:
    init = tn.Normal(std=1e300, scale=1e300 if dtype == "float64" else 1.0)
    with says(tn.ShapeError, f"`big.w`: Normal(scale={init.scale}, std=1e+300) draws values beyond {dtype}"):
        tn.Network([tn.Linear(2, 2, name="big", w_init=init)], dtype=dtype)
