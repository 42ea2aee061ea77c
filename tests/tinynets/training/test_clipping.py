"""Clipping by norm over the whole range of a dtype: squares that overflow or vanish do not mislead it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.training.clipping import norm_of, scale


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=200)
@given(st.integers(1, 50), st.floats(-1, 1), st.floats(0, 6), st.integers(0, 99))
def test_the_length_of_a_gradient_has_its_digits_whatever_its_size(
    dtype: str, size: int, place: float, spread: float, seed: int
) -> None:
    info = np.finfo(dtype)
    power = place * (np.log10(float(info.max)) - 5)
    random = np.random.default_rng(seed)
    shares = random.normal(size=size) * 10.0 ** -random.uniform(0, spread, size)
    grad = (shares * 10.0**power).astype(dtype)
    exact = grad.astype(np.longdouble)
    expected = float(np.sqrt((exact / np.abs(exact).max()).dot(exact / np.abs(exact).max())) * np.abs(exact).max())
    with np.errstate(all="ignore"):  # as a trainer computes it
        length = norm_of(grad)
    assert length == pytest.approx(expected, rel=1e-5 if dtype == "float32" else 1e-9, abs=float(info.tiny))


def test_of_no_gradient_and_of_an_infinite_one_the_length_is_told() -> None:
    assert norm_of(np.zeros(3, np.float32)) == 0
    assert norm_of(np.zeros(0, np.float32)) == 0
    assert norm_of(np.array([1, np.inf], np.float32)) == np.inf
    assert np.isnan(norm_of(np.array([1, np.nan], np.float32)))


@pytest.mark.parametrize("factor", [1.0, 0.3, 1e-20, 1e-37, 1e-39, 1e-50])
def test_a_gradient_is_scaled_by_factors_that_float32_cannot_hold(factor: float) -> None:
    grad = np.array([3e38, -1e38, 1e30], np.float32)
    expected = grad.astype(np.float64) * factor
    scale(grad, factor)
    np.testing.assert_allclose(grad, expected, rtol=1e-5, atol=1e-37)


@pytest.mark.parametrize("size", [1e-30, 1e-22, 1e-15, 1.0, 1e15, 1e30])
@pytest.mark.parametrize("share", [0.01, 0.5])
def test_a_step_with_clipping_moves_by_rate_times_the_bound(size: float, share: float) -> None:
    """A Linear of one weight, whose gradient is the input's size times the gradient of the loss: here 1."""
    bound = size * share
    network = tn.Network([tn.Linear(1, 1, bias=False, w_init=tn.Zeros())])
    data = np.full((4, 1), size), np.full((4, 1), -1.0)
    lab = tn.Lab(network, data=data, loss=tn.MAE(), optimizer=tn.SGD(1e-3 / bound), batch=4, clip_norm=bound)
    lab.step()
    assert lab.state.theta[0] == pytest.approx(-1e-3, rel=1e-4)
