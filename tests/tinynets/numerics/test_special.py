"""Our erf agrees with that of the standard library."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tinynets.numerics.special import erf


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-15), (np.float32, 5e-7)])
def test_erf_is_exact_to_the_last_bits(dtype: type, error: float) -> None:
    x = np.concatenate([np.linspace(-7, 7, 20_001), [0.5, -0.5, 4.0, 6.0, 1e30, -1e30]]).astype(dtype)
    expected = np.array([math.erf(value) for value in x])
    out = erf(x)
    assert out.dtype == dtype
    np.testing.assert_allclose(out, expected, rtol=error, atol=0)


@settings(max_examples=30)
@given(arrays.arrays(np.float64, (3, 4), elements=st.floats(allow_nan=False)))
def test_erf_is_odd_and_within_its_bounds(x: np.ndarray) -> None:
    assert np.array_equal(erf(-x), -erf(x))
    assert (np.abs(erf(x)) <= 1).all()


def test_erf_of_nan_is_nan_and_of_infinity_one() -> None:
    assert np.isnan(erf(np.array([np.nan]))).all()
    assert erf(np.array([np.inf, -np.inf])).tolist() == [1, -1]
