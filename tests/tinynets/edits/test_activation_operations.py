"""Every operation on activations at every kind of layer: values against a slow reference, gradients by differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from slow import Done, Slow

import tinynets as tn
from tinynets.nn.interventions import KINDS
from tinynets.nn.network import network_from
from tinynets.nn.selectors import select
from tinynets.numerics import rng

EXAMPLES, BATCH = 9, 4

NETS: dict[str, tuple[list[tn.Layer], tuple[int, ...] | str]] = {
    "mlp": (
        [
            tn.Linear(3, 5, name="hidden"),
            tn.Tanh(),
            tn.Linear(5, 4, name="second"),
            tn.ReLU(),
            tn.Linear(4, 2, name="output"),
        ],
        (3,),
    ),
    "embedding": (
        [
            tn.Embedding(7, 3, name="embedding"),
            tn.Flatten(),
            tn.Linear(6, 4, name="hidden"),
            tn.Sigmoid(),
            tn.Linear(4, 2),
        ],
        "indices 2",
    ),
    "batch-norm": ([tn.Linear(3, 5, name="hidden"), tn.BatchNorm(5), tn.Tanh(), tn.Linear(5, 2)], (3,)),
    "layer-norm": ([tn.Linear(3, 5, name="hidden"), tn.LayerNorm(5), tn.Sigmoid(), tn.Linear(5, 2)], (3,)),
    "conv2d": (
        [
            tn.Conv2d(2, 3, 3, padding=1, name="conv"),
            tn.ReLU(),
            tn.MaxPool2d(2),
            tn.Conv2d(3, 2, 2, name="second"),
            tn.Tanh(),
            tn.GlobalAvgPool(),
            tn.Linear(2, 2),
        ],
        (6, 6, 2),
    ),
    "avg-pool2d": (
        [tn.Conv2d(1, 3, 3, stride=2, padding=1, name="conv"), tn.AvgPool2d(2), tn.Flatten(), tn.Linear(3, 2)],
        (4, 4, 1),
    ),
    "conv1d": (
        [
            tn.Conv1d(2, 3, 3, padding="same", dilation=2, name="conv"),
            tn.Tanh(),
            tn.Conv1d(3, 2, 2, stride=2, name="second"),
            tn.GlobalAvgPool(),
            tn.Linear(2, 2),
        ],
        (6, 2),
    ),
    "rnn": ([tn.RNN(2, 4, name="rnn"), tn.Linear(4, 2, name="output")], (4, 2)),
    "rnn relu": ([tn.RNN(2, 4, nonlinearity="relu", sequence=False, name="rnn"), tn.Linear(4, 2)], (4, 2)),
    "gru": ([tn.GRU(2, 3, name="gru"), tn.LayerNorm(3), tn.Tanh(), tn.LastStep(), tn.Linear(3, 2)], (4, 2)),
    "gru last": ([tn.GRU(2, 3, sequence=False, name="gru"), tn.Linear(3, 2)], (3, 2)),
    "lstm": ([tn.LSTM(2, 3, name="lstm"), tn.LSTM(3, 3, sequence=False, name="second"), tn.Linear(3, 2)], (3, 2)),
    "attention": (
        [
            tn.Embedding(7, 4, name="embedding"),
            tn.CausalSelfAttention(4, 2, name="attention"),
            tn.Linear(4, 2, name="output"),
        ],
        "indices 3",
    ),
    "residual": (
        [
            tn.Linear(3, 4, name="hidden"),
            tn.Tanh(),
            tn.Residual([tn.Linear(4, 4, name="inner"), tn.Tanh()], name="block"),
            tn.Linear(4, 2),
        ],
        (3,),
    ),
    "parallel": (
        [
            tn.Parallel([[tn.Linear(3, 2, name="a"), tn.Tanh()], [tn.Linear(3, 3, name="b")]], name="both"),
            tn.Parallel([[tn.Linear(5, 2, name="a")], [tn.Linear(5, 2, name="b"), tn.ReLU()]], join="sum", name="sum"),
            tn.Linear(2, 2),
        ],
        (3,),
    ),
    "distances": ([tn.Distances(3, 4, name="centres"), tn.Gaussian(), tn.Linear(4, 2)], (3,)),
}
by_net = pytest.mark.parametrize("kind", NETS)
amounts = st.floats(-2, 2).filter(lambda value: abs(value) > 0.01)


def inputs(kind: str) -> np.ndarray:
    random, shape = np.random.default_rng(3), NETS[kind][1]
    if isinstance(shape, str):
        return random.integers(0, 7, (EXAMPLES, int(shape[-1])))
    return random.normal(size=(EXAMPLES, *shape))


def make(kind: str, dtype: str = "float64") -> tn.Lab:
    x = inputs(kind)
    network = tn.Network(NETS[kind][0], seed=5, dtype=dtype, input_shape=x.shape[1:])
    random = np.random.default_rng(4)
    network.theta[:] += random.normal(size=network.theta.size) * 0.3  # also biases, gains and shifts
    y = random.normal(size=network.predict(x).shape)
    return tn.Lab(network, data=(x, y), loss=tn.MSE(), optimizer=tn.SGD(0.05), batch=BATCH, seed=2, probe=EXAMPLES)


def sites(network: tn.Network) -> list[tuple[str, int, int]]:
    """Every site with its number of units, and of time steps to choose from."""
    found = []
    for block in network.blocks:
        if block.units:
            found.append((block.name, block.units, network.time_steps(block)))
            found += [(f"{block.name}.pre", block.units, 0)] if block.pre is not None else []
    return found


@st.composite
def wanted(
    draw: st.DrawFn, places: list[tuple[str, int, int]], ops: tuple[str, ...] = tuple(KINDS)
) -> tuple[Done, int]:
    """A random operation on some units, and the number of an example."""
    site, units, times = draw(st.sampled_from(places))
    chosen = tuple(sorted(draw(st.sets(st.integers(0, units - 1), min_size=1))))
    time = draw(st.none() | st.integers(0, times - 1)) if times else None
    return Done(draw(st.sampled_from(ops)), site, chosen, time, draw(amounts)), draw(st.integers(0, EXAMPLES - 1))


def slow(lab: tn.Lab, done: list[Done], **options: Any) -> Slow:
    return Slow(lab.network, done, step=lab.step_number, seed=2, **options)


def do(lab: tn.Lab, standing: list[Done], done: Done, example: int) -> None:
    """Apply an operation in the lab, and record it for the slow reference, with the values that this finds."""
    x, done.ordinal = inputs_of(lab), lab.moment.edits
    at, reference = done.selector, slow(lab, standing)
    if done.op == "zero":
        lab.zero(at)
    elif done.op in ("clamp", "scale", "noise"):
        done.amount = abs(done.amount) if done.op == "noise" else done.amount
        getattr(lab, done.op)(at, done.amount)
    elif done.op == "mean":
        found = reference.at(done, x)
        heads = reference.is_heads(done)
        away = (0, 2) if heads else tuple(range(found.ndim - 1))
        done.values = found.mean(axis=away, keepdims=heads)[0] if heads else found.mean(axis=away)
        lab.mean(at)
    elif done.op == "patch":
        done.values = reference.at(done, x)[example]
        lab.patch(at, example=example)
    elif done.op == "resample":
        chosen = np.floor(rng.uniforms(2, f"examples/{done.site}/{done.ordinal}", 0, (5,)) * len(x)).astype(int)
        done.values = reference.at(done, x[chosen])
        lab.resample(at, examples=5)
    else:
        done.values = reference.at(done, x)[example] * done.amount
        lab.steer(at, values=done.values / done.amount, scale=done.amount)
    standing.append(done)


def inputs_of(lab: tn.Lab) -> np.ndarray:
    return np.asarray(lab.data["train"][0])


def agree(lab: tn.Lab, standing: list[Done]) -> None:
    x = inputs_of(lab)
    for training in (False, True):
        reference = slow(lab, standing, training=training)
        with np.errstate(over="ignore"):
            expected = reference.forward(x)
        if not np.isfinite(expected).all():  # a squared distance made negative can be too large for exp
            return
        out = lab.network.forward(x, training=training)
        np.testing.assert_allclose(out, expected, rtol=0, atol=1e-10 * (1 + np.abs(expected).max()))
        for index, values in reference.seen.items():
            layer = lab.network.layers[index]
            ours = layer.site_values(lab.network._bare.buffers[index])  # type: ignore[union-attr]
            np.testing.assert_allclose(ours, values, rtol=0, atol=1e-10 * (1 + np.abs(values).max()))


def standing_alone(lab: tn.Lab) -> tn.Network:
    """An independent network with the lab's interventions, whose parameters can be changed."""
    ours = lab.network
    network = network_from(
        ours.architecture,
        dtype="float64",
        theta=ours.theta.copy(),
        carried=ours.carried.copy(),
        input_shape=ours.input_shape,
    )
    network.taps = list(ours.taps)
    return network


@by_net
@settings(max_examples=4)
@given(data=st.data())
def test_operations_in_any_order_give_what_a_slow_engine_gives(kind: str, data: st.DataObject) -> None:
    lab, standing = make(kind), []
    agree(lab, standing)
    for _ in range(data.draw(st.integers(1, 5))):
        do(lab, standing, *data.draw(wanted(sites(lab.network))))
        agree(lab, standing)
    lab.step()
    agree(lab, standing)


@pytest.mark.proof
@by_net
@settings(max_examples=100)
@given(data=st.data())
def test_operations_in_any_order_give_what_a_slow_engine_gives_at_length(kind: str, data: st.DataObject) -> None:
    test_operations_in_any_order_give_what_a_slow_engine_gives.hypothesis.inner_test(kind, data)  # type: ignore[attr-defined]


@by_net
@pytest.mark.parametrize("op", KINDS)
@pytest.mark.proof
def test_every_operation_alone_on_all_units_and_on_one_and_at_every_site(kind: str, op: str) -> None:
    places = sites(make(kind).network)
    for site, units, times in places:
        for chosen in {(units - 1,), tuple(range(units))}:
            for time in {None, times - 1} - {-1}:
                lab, standing = make(kind), []
                do(lab, standing, Done(op, site, chosen, time, 0.7), 1)
                agree(lab, standing)


@by_net
@settings(max_examples=2)
@given(data=st.data())
def test_gradients_flow_through_what_stands(
    kind: str, gradients_agree: Callable[..., None], data: st.DataObject
) -> None:
    lab, standing = make(kind), []
    for _ in range(data.draw(st.integers(1, 4))):
        do(lab, standing, *data.draw(wanted(sites(lab.network))))
    x = inputs_of(lab)[:BATCH].copy()
    assume(smooth(slow(lab, standing), x))
    for training in (False, True):
        gradients_agree(standing_alone(lab), x, training=training)


@by_net
@pytest.mark.proof
def test_gradients_flow_through_what_stands_at_every_site(kind: str, gradients_agree: Callable[..., None]) -> None:
    for site, units, times in sites(make(kind).network):
        for time in {None, times // 2} if times else {None}:
            lab, standing = make(kind), []
            for done in (
                Done("scale", site, tuple(range(units)), time, 0.6),
                Done("noise", site, (0,), time, 0.1),
                Done("clamp", site, (units - 1,), time, 0.3),
            ):
                do(lab, standing, done, 0)
            x = inputs_of(lab)[:BATCH].copy()
            gradients_agree(standing_alone(lab), x, training=True)


def smooth(reference: Slow, x: np.ndarray) -> bool:
    """Whether no ReLU is so close to its kink that differences would be affected."""
    reference.forward(x)
    for index, layer in enumerate(reference.network.layers):
        if layer.kind == "relu":
            before = np.abs(reference.seen[index - 1])
            if ((before < 1e-3) & (before > 0)).any():
                return False
    return True


@pytest.mark.proof
@by_net
@settings(max_examples=40)
@given(data=st.data())
def test_gradients_flow_through_what_stands_at_length(
    kind: str, gradients_agree: Callable[..., None], data: st.DataObject
) -> None:
    inner: Any = test_gradients_flow_through_what_stands
    inner.hypothesis.inner_test(kind, gradients_agree, data)


@pytest.mark.parametrize("selector", ["second[3]", "second", "second[0,2]"])
@pytest.mark.parametrize("op", ["zero", "scale"])
def test_the_gradient_brought_to_a_site_is_that_before_what_stands_there(op: str, selector: str) -> None:
    layers = [tn.Linear(3, 5), tn.Tanh(), tn.Linear(5, 12, name="second"), tn.Tanh(), tn.Linear(12, 2, name="output")]
    network = tn.Network(layers, dtype="float64", seed=1)
    x = np.random.default_rng(0).normal(size=(BATCH, 3))
    lab = tn.Lab(network, data=(x, x[:, :2]), loss=tn.MSE(), batch=BATCH)
    lab.zero(selector) if op == "zero" else lab.scale(selector, 0.5)
    network = lab.network
    dout = np.random.default_rng(1).normal(size=network.forward(x).shape)
    network.backward(dout)
    output: Any = network["output"]
    factors = np.ones(12)
    factors[list(select(network, selector).units)] = 0 if op == "zero" else 0.5
    brought = dout @ output.w.T
    np.testing.assert_allclose(network.gradient("second"), brought, atol=1e-14)
    slope = 1 - np.tanh(network.activation("second.pre")) ** 2
    np.testing.assert_allclose(network.gradient("second.pre"), brought * factors * slope, atol=1e-14)
    network.backward(dout)  # once more, into the same arrays
    np.testing.assert_allclose(network.gradient("second"), brought, atol=1e-14)


def test_a_gradient_that_someone_gives_is_not_written_to() -> None:
    lab = make("mlp")
    lab.zero("output[1]")
    lab.network.forward(inputs_of(lab))
    dout = np.ones((EXAMPLES, 2))
    lab.network.backward(dout)
    assert (dout == 1).all()
