"""Freezing keeps every byte, for every layer and optimizer, and does not affect how the others learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.layers import LAYERS, Layer
from tinynets.nn.losses import LossBuffers
from tinynets.nn.network import Network, network_from
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import ignore_warnings
from tinynets.training.optimizers import Scratch
from tinynets.training.sampler import Sampler
from tinynets.training.state import State

Make = Callable[..., tn.Lab]
OPTIMIZERS: dict[str, tn.Optimizer] = {
    "sgd": tn.SGD(0.05, weight_decay=0.1),
    "momentum": tn.SGD(0.02, momentum=0.9, weight_decay=0.1),
    "nesterov": tn.SGD(0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
    "rmsprop": tn.RMSprop(0.002, weight_decay=0.1),
    "adam": tn.Adam(0.002, weight_decay=0.1),
    "adamw": tn.AdamW(0.002, weight_decay=0.1),
}
RANDOM = np.random.default_rng(0)
FLAT = RANDOM.normal(size=(24, 3))
SERIES = RANDOM.normal(size=(24, 4, 3))
IMAGES = RANDOM.normal(size=(24, 4, 4, 2))
TOKENS = RANDOM.integers(0, 5, (24, 4))


def series(*layers: tn.Layer) -> tuple[list[tn.Layer], np.ndarray]:
    return [*layers, tn.Linear(4, 2, name="output")], SERIES


def tokens(*layers: tn.Layer) -> tuple[list[tn.Layer], np.ndarray]:
    return [*layers, tn.Flatten(), tn.Linear(16, 2, name="output")], TOKENS


NETS: dict[str, tuple[list[tn.Layer], np.ndarray]] = {
    "linear": ([tn.Linear(3, 4, name="hidden"), tn.Tanh(), tn.Linear(4, 2, name="output")], FLAT),
    "batch-norm": (
        [tn.Linear(3, 4, name="hidden"), tn.BatchNorm(4), tn.ReLU(), tn.Linear(4, 2, name="output")],
        FLAT,
    ),
    "layer-norm": ([tn.Linear(3, 4, name="hidden"), tn.LayerNorm(4), tn.Linear(4, 2, name="output")], FLAT),
    "conv1d": (
        [tn.Conv1d(3, 4, 2, name="hidden"), tn.ReLU(), tn.Flatten(), tn.Linear(12, 2, name="output")],
        SERIES,
    ),
    "conv2d": (
        [tn.Conv2d(2, 4, 2, name="hidden"), tn.BatchNorm(4), tn.GlobalAvgPool(), tn.Linear(4, 2, name="output")],
        IMAGES,
    ),
    "rnn": series(tn.RNN(3, 4, sequence=False, name="hidden")),
    "gru": series(tn.GRU(3, 4, sequence=False, name="hidden")),
    "lstm": series(tn.LSTM(3, 4, sequence=False, name="hidden")),
    "embedding": tokens(tn.Embedding(5, 4, name="hidden")),
    "positional-embedding": tokens(tn.Embedding(5, 4), tn.PositionalEmbedding(4, 4, name="hidden")),
    "causal-self-attention": tokens(tn.Embedding(5, 4), tn.CausalSelfAttention(4, 4, name="hidden")),
    "distances": ([tn.Distances(3, 4, name="hidden"), tn.Linear(4, 2, name="output")], FLAT),
}
ENDED = np.arange(24) % 2


def lab_of(net: str, optimizer: str, **options: Any) -> tn.Lab:
    layers, x = NETS[net]
    given = {"loss": tn.CrossEntropy(), "optimizer": OPTIMIZERS[optimizer], "batch": 6, "clip_norm": 0.5}
    return tn.Lab(tn.Network(layers, seed=1, input_shape=x.shape[1:]), data=(x, ENDED), **(given | options))


def kept(network: Network, state: State, block: str, units: tuple[int, ...]) -> dict[str, bytes]:
    """The bytes of all parameters of these units, and of the optimizer's slots for them."""
    found = network.block(block)
    places, carried = network.unit_indices(found, units), network.carried_indices(found, units)
    slots = {name: slot[places].tobytes() for name, slot in state.slots.items()}
    return {"theta": state.theta[places].tobytes(), "buffers": state.buffers[carried].tobytes(), **slots}


# -- the reference: the same gradients, zero for frozen elements, and an optimizer that sees only the others


def reference(lab: tn.Lab, start: State, steps: int, missed: np.ndarray | int = 0) -> State:
    """A State trained by a plain loop: frozen elements are left out of every vector given to the optimizer.

    Parameters that have missed so many updates are given to it for themselves, with the count that they have had.
    """
    state = start.copy()
    state = replace(
        state,
        theta=state.theta.copy(),
        buffers=state.buffers.copy(),
        slots={k: v.copy() for k, v in state.slots.items()},
    )
    network = network_from(
        state.architecture, theta=state.theta, carried=state.buffers, input_shape=lab.network.input_shape
    )
    hyper, (x, y), loss = state.hyper, lab.split("train"), lab.recipe.training.loss
    free = np.setdiff1d(np.arange(state.theta.size), state.frozen)
    behind = np.broadcast_to(missed, state.theta.shape)
    groups = [(int(fewer), free[behind[free] == fewer]) for fewer in np.unique(behind[free])]
    learned = np.setdiff1d(np.arange(state.buffers.size), state.frozen_buffers)
    sampler = Sampler(len(x), hyper.batch, hyper.sampling, hyper.seed)
    workspace, buffers = Workspace(training=True), LossBuffers()
    workspace.context.seed = hyper.seed
    for step in range(state.step, state.step + steps):
        workspace.context.step = buffers.step = step
        rows = sampler.indices(step)
        out = network.forward_checked(x[rows], workspace)
        loss.fit(buffers, out)
        loss.weighted_value(out, y[rows], buffers)
        network.backward(loss.weighted_gradient(buffers), workspace)
        gradient = network.grad.copy()
        gradient[state.frozen] = 0
        length = float(gradient.dot(gradient)) ** 0.5
        if hyper.clip_norm and length > hyper.clip_norm:
            gradient *= hyper.clip_norm / length
        for fewer, own in groups:
            slots = {name: slot[own] for name, slot in state.slots.items()}
            scratch, count = Scratch(own.size, state.theta.dtype), step - hyper.since + 1 - fewer
            made = hyper.optimizer.propose(state.theta[own], gradient[own], slots, hyper.lr(step), count, scratch)
            state.theta[own] -= scratch.delta
            for name, slot in made.items():
                state.slots[name][own] = slot
        state.buffers[learned] = workspace.carried[learned]
    return replace(state, step=state.step + steps)


def assert_like(lab: tn.Lab, wanted: State) -> None:
    state = lab.state
    np.testing.assert_array_equal(state.theta, wanted.theta)
    np.testing.assert_array_equal(state.buffers, wanted.buffers)
    for name, slot in wanted.slots.items():
        np.testing.assert_array_equal(state.slots[name], slot)


def check_freezing(net: str, optimizer: str, steps: int) -> None:
    """Freeze in mid-run, for `steps` steps, then unfreeze: bytes are kept meanwhile, the rest equals the reference."""
    lab, units = lab_of(net, optimizer), (1, 3)
    with ignore_warnings():
        lab.run(7)
        assert_like(lab, reference(lab, lab_of(net, optimizer).state, 7))
        lab.freeze("hidden[1,3]")
        frozen, before = kept(lab.network, lab.state, "hidden", units), lab.state
        lab.run(steps)
        assert kept(lab.network, lab.state, "hidden", units) == frozen
        assert_like(lab, reference(lab, before, steps))
        assert (lab.state.theta != before.theta).sum() > before.theta.size - before.frozen.size - 8
        lab.unfreeze("hidden[1,3]")
        assert kept(lab.network, lab.state, "hidden", units) == frozen
        now, missed = lab.state, np.zeros(before.theta.size, np.int64)
        missed[before.frozen] = steps
        lab.run(7)
        assert_like(lab, reference(lab, now, 7, missed))
        assert kept(lab.network, lab.state, "hidden", units)["theta"] != frozen["theta"]


def test_every_layer_kind_with_parameters_is_among_those_that_are_frozen_here() -> None:
    have = {layer.kind for layers, _ in NETS.values() for layer in layers if layer.parameters()}
    assert have == {kind for kind, made in LAYERS.items() if made.parameters is not Layer.parameters}


SHORT = [(net, list(OPTIMIZERS)[number % 6]) for number, net in enumerate(NETS)]


@pytest.mark.parametrize(("net", "optimizer"), SHORT)
def test_frozen_units_keep_their_bytes_and_the_others_learn_as_a_reference_without_them(
    net: str, optimizer: str
) -> None:
    check_freezing(net, optimizer, 60)


@pytest.mark.proof
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("net", NETS)
def test_over_a_thousand_steps_frozen_units_keep_their_bytes(net: str, optimizer: str) -> None:
    check_freezing(net, optimizer, 1000)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("net", ["batch-norm", "causal-self-attention", "gru"])
def test_frozen_and_unfrozen_with_no_step_between_is_as_never_frozen(net: str, optimizer: str) -> None:
    touched, never = lab_of(net, optimizer), lab_of(net, optimizer)
    for lab in (touched, never):
        lab.run(5)
    for selector in ("hidden", "hidden[0:2]", "output", "hidden[0,3]"):
        touched.freeze(selector)
    touched.unfreeze("hidden")
    touched.unfreeze("output")
    assert touched.state.digest() == never.state.digest()
    for lab in (touched, never):
        lab.run(5)
    assert touched.state.digest() == never.state.digest()


# -- what can be frozen


def moved(lab: tn.Lab, steps: int = 20) -> np.ndarray:
    """Which parameters change during training."""
    before = lab.state.theta
    with ignore_warnings():
        lab.run(steps)
    changed: np.ndarray = lab.state.theta != before
    return changed


def where(lab: tn.Lab, layer: str, parameter: str) -> np.ndarray:
    """The positions of a parameter in theta, in the parameter's shape."""
    index = next(index for index, entry in enumerate(lab.network.layers) if entry.name == layer)
    place = lab.network.parameter_slice(index, parameter)
    array: Any = getattr(lab.network.layers[index], parameter)
    return np.arange(place.start, place.stop).reshape(array.shape)


def test_a_single_weight_keeps_its_bytes_and_all_others_learn() -> None:
    lab = lab_of("linear", "adamw")
    assert lab.freeze("hidden.w[2,3]").done == "hidden.w[2,3] frozen"
    changed = moved(lab)
    assert np.flatnonzero(~changed).tolist() == [where(lab, "hidden", "w")[2, 3]]
    lab.unfreeze("hidden.w[2,3]")
    assert moved(lab).all()


@pytest.mark.parametrize(
    ("selector", "places"),
    [
        ("hidden.w[0:2,1]", lambda lab: where(lab, "hidden", "w")[0:2, 1]),
        ("hidden.w[:,2]", lambda lab: where(lab, "hidden", "w")[:, 2]),
        ("hidden.w[1,:]", lambda lab: where(lab, "hidden", "w")[1]),
        ("hidden.w", lambda lab: where(lab, "hidden", "w")),
        ("hidden.b[3]", lambda lab: where(lab, "hidden", "b")[3]),
        ("hidden.b", lambda lab: where(lab, "hidden", "b")),
        ("hidden.gain[1:3]", lambda lab: where(lab, "batch_norm1", "gain")[1:3]),
    ],
)
def test_slices_of_parameters_are_frozen_exactly(selector: str, places: Callable[[tn.Lab], np.ndarray]) -> None:
    lab = lab_of("batch-norm", "adam")
    lab.freeze(selector)
    wanted = np.sort(np.ravel(places(lab)))
    np.testing.assert_array_equal(lab.state.frozen, wanted)
    assert not moved(lab)[wanted].any()


def test_with_outgoing_both_sides_of_a_unit_keep_their_bytes() -> None:
    lab = lab_of("conv1d", "adamw")
    assert lab.freeze("hidden[2]", outgoing=True).done == "hidden[2] and what it gives on frozen"
    w, b, out = where(lab, "hidden", "w"), where(lab, "hidden", "b"), where(lab, "output", "w")
    wanted = np.concatenate([w[..., 2].ravel(), b[[2]], out[[2, 6, 10]].ravel()])  # one row for each of three places
    np.testing.assert_array_equal(lab.state.frozen, np.sort(wanted))
    changed = moved(lab)
    assert not changed[wanted].any()
    assert changed[np.setdiff1d(np.arange(changed.size), wanted)].mean() > 0.9


@pytest.mark.parametrize("net", ["rnn", "gru", "lstm"])
def test_the_outgoing_weights_of_a_recurrent_unit_are_those_back_into_its_layer_too(net: str) -> None:
    lab = lab_of(net, "adam")
    lab.freeze("hidden[1]", outgoing=True)
    recurrent, output = where(lab, "hidden", "w_hh"), where(lab, "output", "w")
    assert np.isin([*recurrent[1], *output[1]], lab.state.frozen).all()
    columns = recurrent.reshape(4, -1, 4)[:, :, 1]  # (from, gate): into the unit
    assert np.isin(columns, lab.state.frozen).all()
    assert not np.isin(np.delete(recurrent.reshape(4, -1, 4), 1, axis=2)[[0, 2, 3]], lab.state.frozen).any()


@pytest.mark.parametrize("net", NETS)
def test_a_whole_block_is_frozen_and_unfrozen_with_what_belongs_to_none_of_its_units(net: str) -> None:
    lab = lab_of(net, "adam")
    block = lab.network.block("hidden")
    start = lab.network.unit_indices(block, range(block.units))
    for unit in range(block.units):
        lab.freeze(f"hidden[{unit}]")
    np.testing.assert_array_equal(lab.state.frozen, start)
    assert lab.frozen == {"hidden": tuple(range(block.units))}
    shared = lab.network.shared_indices(block)
    assert shared.size == (4 if net == "causal-self-attention" else 0)
    lab.unfreeze("hidden[2]")
    assert not np.isin(shared, lab.state.frozen).any()
    lab.unfreeze("hidden")
    assert lab.state.frozen.size == lab.state.frozen_buffers.size == 0


def test_all_but_a_block_is_frozen_running_statistics_too() -> None:
    lab = lab_of("conv2d", "adamw")
    assert lab.freeze("output", others=True).done == "all but output frozen"
    before = lab.state
    changed = moved(lab)
    output = lab.network.block("output")
    np.testing.assert_array_equal(np.flatnonzero(changed), lab.network.unit_indices(output, range(2)))
    assert lab.state.buffers.tobytes() == before.buffers.tobytes()
    lab.unfreeze("output", others=True)
    assert lab.state.frozen.size == lab.state.frozen_buffers.size == 0


def test_all_but_a_weight_is_frozen() -> None:
    lab = lab_of("linear", "sgd")
    lab.freeze("hidden.w[0,0]", others=True)
    assert np.flatnonzero(moved(lab)).tolist() == [where(lab, "hidden", "w")[0, 0]]


@settings(max_examples=20)
@given(st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 3), min_size=1)), max_size=6))
def test_units_are_frozen_and_unfrozen_as_a_set(acts: list[tuple[bool, set[int]]]) -> None:
    lab, held = lab_of("causal-self-attention", "sgd"), set[int]()
    for freeze, units in acts:
        selector = f"hidden[{','.join(map(str, sorted(units)))}]"
        if freeze:
            lab.freeze(selector)
            held |= units
        elif held & units:
            lab.unfreeze(selector)
            held -= units
    assert set(lab.frozen.get("hidden", ())) == held
    shared = lab.network.shared_indices(lab.network.block("hidden"))
    assert np.isin(shared, lab.state.frozen).all() == (held == {0, 1, 2, 3})


# -- learning rates of units


def steps_of(lab: tn.Lab) -> np.ndarray:
    before = lab.state.theta.astype(np.float64)
    lab.step()
    return before - lab.state.theta


def float64_lab(net: str = "linear", optimizer: str = "momentum", **options: Any) -> tn.Lab:
    layers, x = NETS[net]
    network = tn.Network(layers, seed=1, input_shape=x.shape[1:], dtype="float64")
    given = {"loss": tn.CrossEntropy(), "optimizer": OPTIMIZERS[optimizer], "batch": 6}
    return tn.Lab(network, data=(x, ENDED), **(given | options))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("net", ["batch-norm", "lstm"])
def test_the_update_of_a_unit_is_exactly_its_factor_times_what_it_was(net: str, optimizer: str) -> None:
    lab, plain = float64_lab(net, optimizer), float64_lab(net, optimizer)
    assert lab.rate("hidden[3]", 0.25).done == "hidden[3] learns at 0.25 times the rate"
    block = lab.network.block("hidden")
    factor = np.ones(lab.network.theta.size)
    factor[lab.network.unit_indices(block, [3])] = 0.25
    np.testing.assert_allclose(steps_of(lab), factor * steps_of(plain), rtol=1e-9, atol=1e-15)


def test_what_is_set_for_units_goes_before_what_is_set_for_their_block() -> None:
    lab, plain = float64_lab(), float64_lab()
    lab.rate("hidden[1]", 2)
    lab.set("hidden.rate", 0.5)
    lab.rate("hidden[2,3]", 0)
    assert lab.state.hyper.rates == {"hidden": 0.5, "hidden[1]": 2.0, "hidden[2,3]": 0.0}
    factor = np.ones(lab.network.theta.size)
    for unit, value in enumerate((0.5, 2, 0, 0)):
        factor[lab.network.unit_indices(lab.network.block("hidden"), [unit])] = value
    np.testing.assert_allclose(steps_of(lab), factor * steps_of(plain), rtol=1e-9, atol=1e-15)
    lab.rate("hidden", 1)
    assert lab.state.hyper.rates == {}
    lab.rate("hidden[0]", 1)
    assert lab.state.hyper.rates == {}


def test_rates_follow_their_units_when_others_are_pruned_and_grown() -> None:
    lab = float64_lab()
    lab.rate("hidden[1,3]", 0.1)
    lab.rate("output", 0.5)
    lab.prune("hidden[0,1]")
    assert lab.state.hyper.rates == {"output": 0.5, "hidden[1]": 0.1}
    lab.grow("hidden", 2)
    assert lab.state.hyper.rates == {"output": 0.5, "hidden[1]": 0.1}
    lab.run(3)
    lab.prune("hidden[1]")
    assert lab.state.hyper.rates == {"output": 0.5}
    lab.run(3)


# -- refusals


@pytest.mark.parametrize(
    ("act", "kind", "message"),
    [
        (lambda lab: lab.freeze("hidden[4]"), tn.SelectorError, "`hidden[4]`: `hidden` has 4 units, 0 to 3"),
        (
            lambda lab: lab.freeze("hidden.w[3,0]"),
            tn.SelectorError,
            "`hidden.w[3,0]`: `3` does not lie within 0 to 2",
        ),
        (
            lambda lab: lab.freeze("hidden.w[3]"),
            tn.SelectorError,
            "`hidden.w[3]`: `hidden.w` is (3, 4), so it takes 2 places, not 1",
        ),
        (
            lambda lab: lab.freeze("hidden.w[0,0]", outgoing=True),
            tn.EditError,
            "`hidden.w[0,0]` is a parameter; only units have outgoing weights",
        ),
        (
            lambda lab: lab.freeze("output[0]", outgoing=True),
            tn.EditError,
            "`output` gives the network's outputs, so it has no outgoing weights",
        ),
        (
            lambda lab: lab.freeze("hidden", outgoing=1),
            tn.EditError,
            "`freeze`: `outgoing` must be True or False, not 1",
        ),
        (lambda lab: lab.unfreeze("hidden.w[0,0]"), tn.EditError, "`hidden.w[0,0]` is not frozen"),
        (
            lambda lab: lab.rate("hidden[0]", -1),
            tn.EditError,
            "`rate`: `factor` must be a finite number from 0 to 3.40282e+38, not -1",
        ),
        (
            lambda lab: lab.rate("hidden[0]", float("nan")),
            tn.EditError,
            "`rate`: `factor` must be a finite number from 0 to 3.40282e+38, not nan",
        ),
        (
            lambda lab: lab.rate("hidden.pre[0]", 1),
            tn.EditError,
            "`hidden.pre[0]` has no parameters that a learning rate could be for",
        ),
    ],
)
def test_what_cannot_be_frozen_or_rated_is_refused_and_changes_nothing(
    says: Callable[..., Any], act: Callable[[tn.Lab], object], kind: type[Exception], message: str
) -> None:
    lab = lab_of("linear", "sgd")
    before, log = lab.state.digest(), lab.log
    with says(kind, message):
        act(lab)
    assert (lab.state.digest(), lab.log) == (before, log)


def test_weights_frozen_alone_are_counted_by_parameter(make_tiny: Callable[..., tn.Lab]) -> None:
    lab = make_tiny()
    assert lab.frozen_weights == {}
    lab.freeze("hidden.w[1,3]")
    lab.freeze("hidden[2]", outgoing=True)
    assert (lab.frozen, lab.frozen_weights) == ({"hidden": (2,)}, {"hidden.w": 1, "output.w": 2})
    lab.unfreeze("hidden[2]")
    assert (lab.frozen, lab.frozen_weights) == ({}, {"hidden.w": 1, "output.w": 2})
    lab.freeze("hidden[3]")
    assert (lab.frozen, lab.frozen_weights) == ({"hidden": (3,)}, {"output.w": 2})
