"""Writing to a layer's array changes its network; copies and pickles are complete and independent."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_labs import random_lab

import tinynets as tn
from tinynets.data import Dataset
from tinynets.nn.interventions import Intervention
from tinynets.nn.layers import Layer
from tinynets.numerics.canonical import canonical
from tinynets.training.state import State

WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
}


def arrays_of(network: tn.Network) -> list[tuple[Layer, str, np.ndarray]]:
    """Every array of every layer, by its attribute's name."""
    return [(layer, name, view) for layer in network.layers for name, view in layer._own_arrays.items() if view.size]


def lies_in(network: tn.Network, view: np.ndarray) -> bool:
    return any(np.shares_memory(view, whole) for whole in (network.theta, network.grad, network.carried))


@given(st.integers(0, 10**6))
@settings(max_examples=15)
def test_what_is_assigned_to_an_array_of_a_layer_is_written_into_the_networks_vectors(seed: int) -> None:
    network = copy.deepcopy(random_lab(seed).network)
    for layer, name, view in arrays_of(network):
        wanted = np.random.default_rng(seed).normal(size=view.shape).astype(view.dtype)
        setattr(layer, name, wanted)
        assert getattr(layer, name) is view
        assert (view == wanted).all()
        setattr(layer, name, getattr(layer, name) * 2)
        assert (view == wanted * 2).all()
        assert lies_in(network, view)


@given(st.integers(0, 10**6), st.sampled_from(["copy", "deepcopy"]))
@settings(max_examples=15)
def test_a_copy_of_a_network_is_whole_and_its_own(seed: int, way: str) -> None:
    lab = random_lab(seed)
    network, before = lab.network, lab.network.theta.copy()
    made = WAYS[way](network)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(made.predict(lab.probe.x), network.predict(lab.probe.x))
    assert (made.rules, made.seed, made.dtype, made.input_shape) == (
        network.rules, network.seed, network.dtype, network.input_shape,
    )  # fmt: skip
    assert all(lies_in(made, view) and not lies_in(network, view) for _, _, view in arrays_of(made))
    made.theta[:] = 1
    made.carried[:] = 1
    made.grad[:] = 1
    assert (network.theta == before).all()
    assert all((view == 1).all() for _, _, view in arrays_of(made))


def convolutional() -> tn.Network:
    layers = [tn.Conv2d(1, 3, 3, name="c"), tn.BatchNorm(3), tn.ReLU(), tn.Flatten(), tn.Linear(108, 2, name="h")]
    return tn.Network(layers, seed=1, input_shape=(8, 8, 1))


def test_a_pickled_network_computes_learns_and_can_be_written_to_as_before() -> None:
    network, x = convolutional(), np.random.default_rng(0).normal(size=(5, 8, 8, 1))
    network.intervene("c", multiply=[1, 0, 1])
    made = WAYS["pickle"](network)
    assert (made.predict(x) == network.predict(x)).all()
    for each in (made, network):
        each.forward(x, training=True)
        each.backward(np.ones((5, 2)))
    assert (made.grad == network.grad).all()
    made["c"].w = 0.5
    network["c"].w[:] = 0.5
    assert (made.predict(x) == network.predict(x)).all()


@pytest.mark.parametrize("way", WAYS)
def test_a_layer_taken_out_of_a_network_has_arrays_of_its_own(way: str) -> None:
    network = convolutional()
    layer, before = WAYS[way](network["c"]), network.theta.copy()
    layer.w = np.zeros((2, 2))
    assert layer.w.shape == (2, 2)
    assert (network.theta == before).all()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((2, 2)), "`h.w` is (108, 2), not (2, 2)"),
        (np.zeros((108, 2), complex), "`h.w` takes numbers, not complex128"),
        ("text", "`h.w` takes numbers, not <U4"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    says: Callable[..., Any], value: Any, message: str
) -> None:
    network = convolutional()
    before = network.theta.copy()
    with says(tn.ShapeError, message):
        network["h"].w = value  # type: ignore[attr-defined]
    assert (network.theta == before).all()


SETTLED: list[tuple[tn.Layer, str, Any]] = [
    (tn.Dropout(0.5, name="it"), "rate", 0.0),
    (tn.LeakyReLU(0.1, name="it"), "slope", 0.5),
    (tn.ELU(1.0, name="it"), "alpha", 2.0),
    (tn.Gaussian(1.0, name="it"), "width", 2.0),
    (tn.BatchNorm(3, name="it"), "momentum", 0.5),
    (tn.LayerNorm(3, name="it"), "eps", 0.1),
    (tn.Linear(3, 3, name="it"), "inputs", 2),
    (tn.Linear(3, 3, name="it"), "name", "other"),
    (tn.Tanh(name="it"), "name", "other"),
]


@pytest.mark.parametrize(("layer", "setting", "value"), SETTLED, ids=lambda value: str(value))
def test_what_a_network_was_made_of_is_not_assigned_so_that_copies_and_labs_compute_the_same(
    says: Callable[..., Any], layer: tn.Layer, setting: str, value: Any
) -> None:
    network = tn.Network([layer, tn.Linear(3, 2, name="out")])
    was = getattr(network["it"], setting)
    with says(tn.ShapeError, f"`it.{setting}` cannot change once `it` stands in a network: make another network"):
        setattr(network["it"], setting, value)
    with says(tn.ShapeError, f"`it.{setting}` belongs to a network and cannot be deleted"):
        delattr(network["it"], setting)
    assert getattr(network["it"], setting) == was
    for free in (layer, copy.copy(network["it"])):  # in no network
        setattr(free, setting, value)
        assert getattr(free, setting) == value


@pytest.mark.parametrize("name", ["layers", "parts", "blocks", "dtype", "seed", "input_shape", "rules"])
def test_the_makeup_of_a_network_is_not_assigned_or_deleted(says: Callable[..., Any], name: str) -> None:
    network = convolutional()
    with says(tn.ShapeError, f"`{name}` of a network cannot change: make another, tn.Network([...])"):
        setattr(network, name, getattr(network, name))
    with says(tn.ShapeError, f"`{name}` of a network cannot be deleted"):
        delattr(network, name)


def test_no_array_of_a_network_is_deleted(says: Callable[..., Any]) -> None:
    network = convolutional()
    for name in ("theta", "grad", "carried"):
        with says(tn.ShapeError, f"`{name}` of a network cannot be deleted"):
            delattr(network, name)
    for layer, name, view in arrays_of(network):
        with says(tn.ShapeError, f"`{layer.name}.{name}` belongs to a network and cannot be deleted"):
            delattr(layer, name)
        assert getattr(layer, name) is view


def test_the_network_of_a_lab_is_written_by_its_operations_alone(says: Callable[..., Any]) -> None:
    network = tn.Lab("xor").network
    with says(tn.ShapeError, "`hidden.w` can only be read: a lab's network changes through the lab's operations"):
        network["hidden"].w = 0  # type: ignore[attr-defined]
    made = copy.deepcopy(network)
    made["hidden"].w = 0  # type: ignore[attr-defined]
    assert not made["hidden"].w.any()  # type: ignore[attr-defined]


@pytest.mark.parametrize("way", WAYS)
def test_a_lab_is_not_copied_and_says_what_to_do(says: Callable[..., Any], way: str) -> None:
    with says(tn.TinynetsError, "a Lab cannot be copied or pickled: save it and open the save, or `fork` a branch"):
        WAYS[way](tn.Lab("xor"))


def test_noise_that_is_drawn_goes_along_with_a_copy_and_is_refused_in_words_by_pickle() -> None:
    lab = tn.Lab("xor")
    lab.noise("hidden[0]", 0.5)
    made = copy.deepcopy(lab.network)
    assert (made.predict(lab.probe.x) == lab.network.predict(lab.probe.x)).all()
    with pytest.raises(tn.TinynetsError, match="what is drawn at `hidden` belongs to its lab"):
        pickle.dumps(lab.network)


# -- everything else that the package returns


def things() -> dict[str, Any]:
    """One object of each class that the package returns, by the name of its class."""
    lab = tn.Lab("digits", seed=1)
    lab.run(2)
    x = np.random.default_rng(0).normal(size=(4, 2))
    found: list[Any] = [
        lab.run(1), lab.clamp("hidden[0]", 0.5), lab.freeze("hidden[1]"), lab.set("optimizer", "adam"), lab.evaluate(),
        lab.predict(example=1), lab.explain("hidden[2]"), lab.compare("main"), lab.undo(), lab.state, lab.data,
        lab.interventions[0], lab.log[0], lab.player.branch.edits[0].edit, lab.recipe, lab.network.summary(),
        lab.bookmark("here"), lab.tree, lab.seek_cost(1), lab.run_until("loss < 100"), lab.verify(), lab.phase(),
        tn.grad_check(tn.Network([tn.Linear(2, 2)]), x), lab.network.layers[0].parameters()[0],
        tn.Adam(), tn.AdamW(), tn.RMSprop(), tn.SGD(0.1, momentum=0.9), tn.StepSchedule((3,), 0.1), tn.Schedule(),
        tn.CosineSchedule(10), tn.LinearSchedule(10), tn.ExponentialSchedule(10, 0.9), tn.MSE(), tn.MAE(), tn.Huber(),
        tn.Hinge(), tn.Perceptron(), tn.CrossEntropy(), tn.BinaryCrossEntropy(), tn.Kohonen(grid=(2, 2)), tn.Uniform(),
        tn.Normal(), tn.Xavier(), tn.Kaiming(), tn.Orthogonal(), tn.Constant(1.0), tn.Zeros(), tn.list_recipes()[0],
    ]  # fmt: skip
    return {type(thing).__name__: thing for thing in found}


THINGS = things()


def content(thing: Any) -> Any:
    if isinstance(thing, State):
        return thing.digest()
    if isinstance(thing, Dataset):
        return thing.sha256
    if isinstance(thing, Intervention):
        return canonical(thing.config())
    return repr(thing), str(thing)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", THINGS)
def test_what_is_handed_out_survives_being_copied(name: str, way: str) -> None:
    made = WAYS[way](THINGS[name])
    assert type(made) is type(THINGS[name])
    assert content(made) == content(THINGS[name])


ERRORS = [kind for name in tn.__all__ if inspect.isclass(kind := getattr(tn, name)) and issubclass(kind, Exception)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_survives_being_copied(kind: type[Exception], way: str) -> None:
    made = WAYS[way](kind("`x` is wrong"))
    assert (type(made), str(made)) == (kind, "`x` is wrong")


def test_every_public_class_is_copied_in_one_of_these_tests() -> None:
    classes = {name for name in tn.__all__ if inspect.isclass(getattr(tn, name))}
    elsewhere = {"Lab", "Network", "Loss", "Buffers", "Activation", "Layer", *(kind.__name__ for kind in ERRORS)}
    layers = {name for name in classes if issubclass(getattr(tn, name), tn.Layer)}
    assert classes - elsewhere - layers <= THINGS.keys()
