"""Initializers: what they draw is distributed as they say, and addressed by seed, layer and parameter."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.initializers import GAINS, INITIALIZERS, Initializer, initializer

ALL: list[Initializer] = [
    tn.Zeros(),
    tn.Uniform(low=-0.5, high=0.25),
    tn.Normal(std=0.3),
    tn.Kaiming(gain="tanh"),
    tn.Kaiming(gain=0.7, scale=0.1),
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


def test_the_gains_are_those_of_the_lesson() -> None:
    assert {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": sqrt(2)} == GAINS


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
    if init.kind != "zeros":
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
            "`kaiming` initializer: `gain` is a number or one of linear, sigmoid, tanh, relu, not 'tan'; "
            "did you mean `tanh`?",
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
