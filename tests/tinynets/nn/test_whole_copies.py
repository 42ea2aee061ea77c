"""Assigning to a network's vectors changes its layers; what is read-only stays read-only in a copy."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_labs import random_lab

import tinynets as tn
from tinynets.nn.losses import as_loss
from tinynets.nn.network import Network, network_from
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Values

WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
}
VECTORS = ("theta", "grad", "carried")
OWN = ("deepcopy", "pickle")


def of_its_own(network: Network) -> Network:
    return network_from(network.architecture, dtype=network.dtype, input_shape=network.input_shape, rules=network.rules)


def small() -> Network:
    return Network([tn.Linear(3, 4, name="h"), tn.BatchNorm(4), tn.Tanh()], seed=1)


def squares(out: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return float(np.square(out - y).mean()), 2 * (out - y) / out.size


@given(st.integers(0, 10**6))
@settings(max_examples=15)
def test_layers_follow_what_is_assigned_to_the_vectors_of_their_network(seed: int) -> None:
    network = of_its_own(random_lab(seed).network)
    for name in VECTORS:
        vector = getattr(network, name)
        wanted = np.random.default_rng(seed).normal(size=vector.shape).astype(vector.dtype)
        setattr(network, name, wanted)
        assert getattr(network, name) is vector
        setattr(network, name, getattr(network, name) * 2)
        assert (vector == wanted * 2).all()
        for index, layer in enumerate(network.layers):
            for entry in layer.carried() if name == "carried" else layer.parameters():
                find = network.carried_slice if name == "carried" else network.parameter_slice
                view = getattr(layer, f"d{entry.name}" if name == "grad" else entry.name)
                assert (view.reshape(-1) == vector[find(index, entry.name)]).all()


def test_a_network_computes_with_the_theta_that_was_assigned_or_changed_in_place() -> None:
    network = small()
    network.theta *= 2
    network.theta += 1
    network.theta = network.theta[::-1]
    other = network_from(network.architecture, theta=network.theta.copy())
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert (network.predict(x) == other.predict(x)).all()


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (np.zeros(5), tn.ShapeError, "`theta` is (24,), not (5,)"),
        (np.zeros((24, 1)), tn.ShapeError, "`theta` is (24,), not (24, 1)"),
        (np.zeros(24, complex), tn.ShapeError, "`theta` takes numbers, not complex128"),
        (None, tn.ShapeError, "`theta` takes numbers, not object"),
        (1e300, tn.DataError, "`theta` has 1e+300; float32 holds at most 3.40282e+38"),
    ],
)
def test_a_vector_that_does_not_fit_is_refused_and_nothing_is_written(
    says: Callable[..., Any], value: Any, kind: type[Exception], message: str
) -> None:
    network = small()
    before = network.theta.copy()
    with says(kind, message):
        network.theta = value
    assert (network.theta == before).all()


def test_the_vectors_of_a_labs_network_are_not_assigned(says: Callable[..., Any]) -> None:
    network = tn.Lab("xor").network
    with says(tn.ShapeError, "`theta` can only be read: a lab's network changes through the lab's operations"):
        network.theta = np.zeros_like(network.theta)


@pytest.mark.parametrize("way", WAYS)
def test_a_copied_workspace_leaves_the_buffers_of_the_first_alone(way: str) -> None:
    network, x = small(), np.random.default_rng(0).normal(size=(5, 3))
    workspace = Workspace(input_gradient=True, clean=True, training=True)
    out = network.forward(x, workspace)
    before = out.copy()
    made = WAYS[way](workspace)
    network.forward(x * 2, made)
    assert (out == before).all()
    assert (made.input_gradient, made.clean, made.context.training) == (True, True, True)
    assert network.backward(np.ones((5, 4)), workspace).shape == (5, 3)


def arrays_in(thing: Any) -> Iterator[np.ndarray]:
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, dict | list | tuple):
        for part in thing.values() if isinstance(thing, dict) else thing:
            yield from arrays_in(part)
    elif hasattr(thing, "__dict__"):
        yield from arrays_in(vars(thing))


def read_only_things() -> dict[str, Any]:
    lab = tn.Lab("xor", seed=1)
    lab.set("optimizer", "adam")
    lab.run(3)
    lab.freeze("hidden[0]")
    x = np.random.default_rng(0).normal(size=(8, 2))
    weighted = tn.Lab(Network([tn.Linear(2, 1)]), data=(x, x[:, :1], np.ones(8)), loss=tn.MSE()).data
    return {"state": lab.state, "live state": lab.state.live(), "data": weighted, "values": Values(np.arange(3.0))}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", read_only_things())
def test_of_a_copy_the_same_arrays_can_only_be_read(name: str, way: str) -> None:
    thing = read_only_things()[name]
    made = WAYS[way](thing)
    pairs = list(zip(arrays_in(thing), arrays_in(made), strict=True))
    assert pairs
    for one, other in pairs:
        assert other.flags.writeable == one.flags.writeable
        assert (one == other).all()
        assert way not in OWN or not one.size or not np.shares_memory(one, other)


@pytest.mark.parametrize("way", WAYS)
def test_a_loss_made_of_a_function_is_copied_with_its_rules(way: str) -> None:
    x = np.random.default_rng(0).normal(size=(8, 2))
    for loss in (as_loss(squares), as_loss(squares).following(1)):
        made = WAYS[way](loss)
        assert (made.kind, made.rules, type(made).function) == (loss.kind, loss.rules, squares)
        assert made == loss
    recipe = tn.Lab(Network([tn.Linear(2, 1)]), data=(x, x[:, :1]), loss=squares).recipe
    assert WAYS[way](recipe) == recipe


@given(st.integers(0, 10**6), st.sampled_from(list(WAYS)))
@settings(max_examples=15)
def test_layers_that_are_in_no_network_make_the_same_network_when_copied(seed: int, way: str) -> None:
    network = random_lab(seed).network
    layers = [WAYS[way](layer) for layer in network.parts]
    made = Network(layers, dtype=network.dtype, input_shape=network.input_shape)
    assert made.architecture == network.architecture
