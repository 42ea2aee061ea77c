"""Linear: weighted sums, their gradients, and sizes that are refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn

sizes = st.integers(1, 5)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=2), sizes, sizes, st.booleans(), st.integers(0, 9))
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None], leading: list[int], inputs: int, outputs: int, bias: bool, seed: int
) -> None:
    layer = tn.Linear(inputs, outputs, bias=bias, b_init=tn.Normal())
    network = tn.Network([layer], dtype="float64", seed=seed)
    gradients_agree(network, np.random.default_rng(seed).normal(size=(*leading, inputs)))


@settings(max_examples=30)
@given(sizes, sizes, sizes, st.sampled_from(["float32", "float64"]), st.booleans())
def test_output_is_x_times_w_plus_b(batch: int, inputs: int, outputs: int, dtype: str, bias: bool) -> None:
    network = tn.Network([tn.Linear(inputs, outputs, name="only", bias=bias, b_init=tn.Normal())], dtype=dtype)
    x = np.random.default_rng(0).normal(size=(batch, inputs)).astype(dtype)
    layer: Any = network["only"]
    expected = x @ layer.w + (layer.b if bias else 0)
    out = network.predict(x)
    assert out.dtype == np.dtype(dtype)
    np.testing.assert_allclose(out, expected, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)


def test_without_bias_there_is_no_b() -> None:
    network = tn.Network([tn.Linear(3, 2, name="only", bias=False)])
    assert network.theta.size == 6
    assert not hasattr(network["only"], "b")


def test_positions_of_a_three_dimensional_input_are_treated_alike() -> None:
    network = tn.Network([tn.Linear(3, 2)], dtype="float64")
    x = np.random.default_rng(0).normal(size=(4, 5, 3))
    assert np.allclose(network.predict(x), network.predict(x.reshape(20, 3)).reshape(4, 5, 2), rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2), "Linear: `inputs` must be a whole number of at least 1, not 0"),
        ((2, -1), "Linear: `outputs` must be a whole number of at least 1, not -1"),
        ((2.5, 2), "Linear: `inputs` must be a whole number of at least 1, not 2.5"),
        ((2, True), "Linear: `outputs` must be a whole number of at least 1, not True"),
        (("2", 2), "Linear: `inputs` must be a whole number of at least 1, not '2'"),
    ],
)
def test_impossible_sizes_are_refused(says: Callable[..., Any], arguments: tuple[Any, Any], message: str) -> None:
    with says(tn.ShapeError, message):
        tn.Linear(*arguments)


def test_a_name_that_is_no_word_is_refused(says: Callable[..., Any]) -> None:
    with says(tn.ShapeError, "a layer's `name` must be a word of letters, digits and _, not 'a b'"):
        tn.Linear(1, 1, name="a b")
