"""Fixtures that the library's tests share: small labs, central differences, and exact messages of errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import pytest

import tinynets as tn


def points(count: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(count, 2) points and their classes: on which side of a curve they are."""
    x = np.random.default_rng(seed).uniform(-1, 1, (count, 2))
    return x, (x[:, 1] > x[:, 0] ** 2).astype(np.int64)


@pytest.fixture(scope="session")
def make_tiny() -> Callable[..., tn.Lab]:
    """Makes labs of a 2-6-2 network: `make_tiny(tn.ReLU(), dtype="float64", optimizer=tn.SGD(0.1, momentum=0.9))`."""

    def make(
        activation: tn.Layer | None = None, *, dtype: str = "float32", net_seed: int = 0, **options: Any
    ) -> tn.Lab:
        layers = [tn.Linear(2, 6, name="hidden"), activation or tn.Tanh(), tn.Linear(6, 2, name="output")]
        network = tn.Network(layers, seed=net_seed, dtype=dtype)
        defaults = {"data": points(), "loss": tn.CrossEntropy(), "optimizer": tn.SGD(0.1), "batch": 8, "seed": 0}
        return tn.Lab(network, **(defaults | options))

    return make


@pytest.fixture(scope="module")
def names() -> tn.Lab:
    """A lab of names-mlp that a whole module shares: leave it unchanged."""
    return tn.Lab("names-mlp")


@pytest.fixture(scope="session")
def says() -> Callable[[type[Exception], str], AbstractContextManager[None]]:
    """`with says(tn.EditError, "the very words"):` expects an error of that type with exactly that message."""

    @contextmanager
    def expected(kind: type[Exception], message: str) -> Iterator[None]:
        with pytest.raises(kind) as caught:
            yield
        assert str(caught.value) == message
        assert caught.type is kind

    return expected


@pytest.fixture(scope="session")
def central_differences() -> Callable[..., np.ndarray]:
    """d f() / d array by central differences; `array` is changed and restored. `places`: only these flat indices."""

    def differences(
        function: Callable[[], float], array: np.ndarray, *, h: float = 1e-5, places: np.ndarray | None = None
    ) -> np.ndarray:
        flat = array.reshape(-1)
        assert not flat.size or np.shares_memory(flat, array)
        found = np.empty(flat.size if places is None else len(places))
        for index, place in enumerate(range(flat.size) if places is None else places):
            before = flat[place]
            flat[place] = before + h
            high = function()
            flat[place] = before - h
            low = function()
            flat[place] = before
            found[index] = (high - low) / (2 * h)
        return found.reshape(array.shape) if places is None else found

    return differences


@pytest.fixture(scope="session")
def close() -> Callable[[np.ndarray, np.ndarray], None]:
    """Check that two gradients agree to 1e-6 of the larger norm (what central differences in float64 can show)."""

    def check(analytic: np.ndarray, numeric: np.ndarray) -> None:
        assert analytic.shape == numeric.shape
        scale = max(np.abs(analytic).max(initial=0), np.abs(numeric).max(initial=0), 1e-3)
        np.testing.assert_allclose(analytic, numeric, rtol=0, atol=1e-6 * scale)

    return check


Value = Callable[[np.ndarray], tuple[float, np.ndarray]]


@pytest.fixture(scope="session")
def gradients_agree(
    central_differences: Callable[..., np.ndarray], close: Callable[[np.ndarray, np.ndarray], None]
) -> Callable[..., None]:
    """Check all gradients of a float64 network for a batch: parameters, and the input if it has a gradient.

    `value(out)` returns a number and its gradient; by default a random weighted sum of the output. `training`: as in a
    training step.
    """

    def check(network: tn.Network, x: np.ndarray, value: Value | None = None, *, training: bool = False) -> None:
        weights = np.random.default_rng(1).normal(size=network.forward(x, training=training).shape)
        value = value or (lambda out: (float((out * weights).sum()), weights))

        def total() -> float:
            return value(network.forward(x, training=training))[0]

        dx = network.backward(value(network.forward(x, training=training))[1]).copy()
        grad = network.grad.copy()
        close(grad, central_differences(total, network.theta))
        if x.dtype.kind == "f":
            close(dx, central_differences(total, x))

    return check
