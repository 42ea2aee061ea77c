"""Dropout: how much is dropped, where, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.workspace import Workspace


def dropped(
    x: np.ndarray, rate: float = 0.5, *, name: str = "drop", seed: int = 0, step: int = 0, dtype: str = "float64"
) -> np.ndarray:
    network = tn.Network([tn.Dropout(rate, name=name)], dtype=dtype, input_shape=x.shape[1:])
    workspace = Workspace(training=True)
    workspace.context.seed, workspace.context.step = seed, step
    return network.forward(x, workspace).copy()


@settings(max_examples=20)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=3), st.sampled_from([0.0, 0.3, 0.8]), st.integers(0, 99))
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None], shape: list[int], rate: float, seed: int
) -> None:
    layers = [tn.Linear(shape[-1], 3, name="hidden"), tn.Tanh(), tn.Dropout(rate), tn.Linear(3, 2)]
    network = tn.Network(layers, dtype="float64", seed=seed)
    network.intervene("hidden", multiply=[0.0, 1.0, 2.0], add=0.1)
    for training in (True, False):
        gradients_agree(network, np.random.default_rng(seed).normal(size=shape), training=training)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_rate_is_left_out_and_the_rest_scaled_up(rate: float, dtype: str) -> None:
    out = dropped(np.ones((200, 200)), rate, dtype=dtype)
    assert (out == 0).mean() == pytest.approx(rate, abs=0.012)  # 5 standard errors at most
    np.testing.assert_allclose(out[out != 0], 1 / (1 - rate), rtol=1e-6)


def test_otherwise_than_in_training_nothing_is_left_out() -> None:
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    assert np.array_equal(tn.Network([tn.Dropout(0.9)], input_shape=(5,)).predict(x), x)


def test_one_workspace_can_train_and_evaluate_in_turn() -> None:
    network = tn.Network([tn.Dropout(0.5)], dtype="float64", input_shape=(50,))
    x = np.ones((4, 50))
    assert (network.forward(x) == 1).all()
    out = network.forward(x, training=True).copy()
    assert (network.backward(x) == out).all()
    assert (network.forward(x) == 1).all()
    assert (network.backward(x) == 1).all()


def test_what_is_left_out_is_addressed_by_seed_name_and_step() -> None:
    x = np.ones((8, 20))
    first = dropped(x)
    assert np.array_equal(first, dropped(x))
    for other in (dropped(x, seed=1), dropped(x, step=1), dropped(x, name="other")):
        assert not np.array_equal(first, other)


@settings(max_examples=20)
@given(st.integers(1, 9), st.integers(1, 6), st.integers(1, 6))
def test_what_a_unit_loses_does_not_depend_on_how_many_follow_it(batch: int, units: int, more: int) -> None:
    few, many = dropped(np.ones((batch, units))), dropped(np.ones((batch, units + more)))
    assert np.array_equal(few, many[:, :units])


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan"), "a", True])
def test_an_impossible_rate_is_refused(says: Callable[..., Any], rate: Any) -> None:
    with says(tn.ShapeError, f"Dropout: `rate` must be a number from 0 to below 1, not {rate!r}"):
        tn.Dropout(rate)
