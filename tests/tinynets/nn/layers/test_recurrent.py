"""RNN, GRU and LSTM: gradients, interventions at one step or all, and state carried from batch to batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.taps import Tap
from tinynets.nn.workspace import Workspace

KINDS: dict[str, Callable[..., Any]] = {
    "rnn": tn.RNN,
    "rnn relu": lambda *sizes, **options: tn.RNN(*sizes, nonlinearity="relu", **options),
    "gru": tn.GRU,
    "lstm": tn.LSTM,
}
few, kinds = st.integers(1, 4), st.sampled_from(list(KINDS))


def stack(kind: str, inputs: int, size: int, depth: int, sequence: bool = True, **options: Any) -> list[tn.Layer]:
    """`depth` layers one after another, called `level1`, `level2`, ..."""
    return [
        KINDS[kind](
            size if level else inputs,
            size,
            sequence=sequence or level < depth - 1,
            b_init=tn.Normal(),
            name=f"level{level + 1}",
            **options,
        )
        for level in range(depth)
    ]


# -- gradients


@settings(max_examples=30)
@given(kinds, few, few, few, few, st.integers(1, 3), st.booleans(), st.booleans(), st.integers(0, 9))
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None],
    kind: str,
    batch: int,
    steps: int,
    inputs: int,
    size: int,
    depth: int,
    sequence: bool,
    intervened: bool,
    seed: int,
) -> None:
    layers = stack(kind, inputs, size, depth, sequence)
    network = tn.Network(layers, dtype="float64", seed=seed, input_shape=(steps, inputs))
    random = np.random.default_rng(seed)
    if intervened:
        network.intervene("level1", multiply=random.normal(size=size), add=random.normal(size=size))
        network.taps[-1] = Tap(random.normal(size=(steps, size)), random.normal(size=(steps, size)))
    gradients_agree(network, random.normal(size=(batch, steps, inputs)))


@settings(max_examples=20)
@given(kinds, few, few, few, st.booleans())
def test_gradients_stop_at_what_was_carried_in(
    gradients_agree: Callable[..., None], kind: str, batch: int, steps: int, size: int, sequence: bool
) -> None:
    layers = stack(kind, 2, size, 2, sequence, carry=batch)
    network = tn.Network(layers, dtype="float64", input_shape=(steps, 2))
    random = np.random.default_rng(0)
    network.carried[:] = random.normal(size=network.carried.size)
    gradients_agree(network, random.normal(size=(batch, steps, 2)), training=True)


# -- the same, slowly: one step and one gate at a time, with interventions where they should act


def sigmoid(z: np.ndarray) -> np.ndarray:
    result: np.ndarray = 1 / (1 + np.exp(-z))
    return result


def slow(layer: Any, x: np.ndarray, tap: Callable[[int, np.ndarray], np.ndarray], state: list[np.ndarray]) -> Any:
    """Hidden states (B, T, size) and the last state, computed as in the textbook."""
    n, outs = layer.size, []
    w = [layer.w_ih[:, g * n : (g + 1) * n] for g in range(layer.gates)]
    u = [layer.w_hh[:, g * n : (g + 1) * n] for g in range(layer.gates)]
    b = [layer.b_ih[g * n : (g + 1) * n] for g in range(layer.gates)]
    c = [layer.b_hh[g * n : (g + 1) * n] for g in range(layer.gates)]
    h, *rest = state
    for t in range(x.shape[1]):
        a = [x[:, t] @ w[g] + b[g] for g in range(layer.gates)]
        r = [h @ u[g] + c[g] for g in range(layer.gates)]
        if isinstance(layer, tn.RNN):
            h = np.tanh(a[0] + r[0]) if layer.nonlinearity == "tanh" else np.maximum(a[0] + r[0], 0)
        elif isinstance(layer, tn.GRU):
            reset, update = sigmoid(a[0] + r[0]), sigmoid(a[1] + r[1])
            h = (1 - update) * np.tanh(a[2] + reset * r[2]) + update * h
        else:
            i, f, g, o = sigmoid(a[0] + r[0]), sigmoid(a[1] + r[1]), np.tanh(a[2] + r[2]), sigmoid(a[3] + r[3])
            rest = [f * rest[0] + i * g]
            h = o * np.tanh(rest[0])
        h = tap(t, h)
        outs.append(h)
    return np.stack(outs, axis=1), [h, *rest]


def zeros(layer: Any, batch: int) -> list[np.ndarray]:
    return [np.zeros((batch, layer.size)) for _ in layer.states]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("time", [None, 0, 2, 4])
def test_an_intervention_acts_within_the_recurrence_at_all_steps_or_one(
    central_differences: Callable[..., np.ndarray], close: Callable[..., None], kind: str, time: int | None
) -> None:
    network = tn.Network(stack(kind, 2, 3, 1), dtype="float64", input_shape=(5, 2), seed=1)
    lab_taps = Tap(np.ones((5, 3)), np.zeros((5, 3)))
    where = slice(None) if time is None else time
    lab_taps.multiply[where, 1], lab_taps.add[where, 1] = 0.5, 2.0
    network.taps[0] = lab_taps if time is not None else Tap(lab_taps.multiply[0], lab_taps.add[0])
    layer: Any = network["level1"]

    def tap(t: int, h: np.ndarray) -> np.ndarray:
        return h * lab_taps.multiply[t] + lab_taps.add[t]

    random = np.random.default_rng(0)
    x, weights = random.normal(size=(4, 5, 2)), random.normal(size=(4, 5, 3))
    expected, _ = slow(layer, x, tap, zeros(layer, 4))
    np.testing.assert_allclose(network.forward(x), expected, rtol=1e-9, atol=1e-12)
    dx = network.backward(weights)

    def total() -> float:
        return float((slow(layer, x, tap, zeros(layer, 4))[0] * weights).sum())

    close(dx, central_differences(total, x))
    close(network.grad, central_differences(total, network.theta))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sequence", [True, False])
def test_carried_over_batches_it_is_as_one_long_sequence(kind: str, sequence: bool) -> None:
    network = tn.Network(stack(kind, 2, 3, 1, sequence, carry=4), dtype="float64", seed=2)
    layer: Any = network["level1"]
    x = np.random.default_rng(0).normal(size=(4, 12, 2))
    expected, _ = slow(layer, x, lambda t, h: h, zeros(layer, 4))
    workspace = Workspace(training=True)
    for start in (0, 3, 6, 9):
        out = network.forward(x[:, start : start + 3], workspace)
        wanted = expected[:, start : start + 3] if sequence else expected[:, start + 2]
        np.testing.assert_allclose(out, wanted, rtol=1e-9, atol=1e-12)
        np.copyto(network.carried, workspace.carried)
    np.testing.assert_allclose(network.predict(x[:, :3]), expected[:, :3] if sequence else expected[:, 2], rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_where_only_the_last_step_is_given_out_the_lab_can_still_see_all(kind: str) -> None:
    whole = tn.Network(stack(kind, 2, 3, 1), seed=3)
    last = tn.Network(stack(kind, 2, 3, 1, sequence=False), seed=3)
    x = np.random.default_rng(0).normal(size=(4, 5, 2))
    workspace = Workspace()
    out = last.forward(x, workspace)
    assert out.shape == (4, 3)
    np.testing.assert_array_equal(workspace.units_behind(last, 0), whole.predict(x))
    np.testing.assert_array_equal(out, whole.predict(x)[:, -1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_unit_owns_its_column_of_every_gate(kind: str) -> None:
    network = tn.Network(stack(kind, 2, 3, 1))
    layer: Any = network["level1"]
    owned = network.unit_indices(network.block("level1"), [1])
    mask = np.zeros(network.theta.size, bool)
    mask[owned] = True
    rows = mask.reshape(2 + 3 + 2, layer.gates, 3)  # w_ih, w_hh, b_ih, b_hh one below another
    assert rows[..., 1].all()
    assert rows.sum() == 7 * layer.gates


# -- what is refused


def test_sizes_and_words_that_cannot_be_are_refused(says: Callable[..., Any]) -> None:
    with says(tn.ShapeError, "RNN: `nonlinearity` must be one of tanh, relu, not 'tan'; did you mean `tanh`?"):
        tn.RNN(1, 1, nonlinearity="tan")
    with says(tn.ShapeError, "LSTM: `size` must be a whole number of at least 1, not 0"):
        tn.LSTM(1, 0)
    with says(tn.ShapeError, "GRU: `carry` must be a whole number of at least 0, not -1"):
        tn.GRU(1, 1, carry=-1)


def test_neighbours_that_do_not_fit_are_found_when_the_network_is_built(says: Callable[..., Any]) -> None:
    with says(tn.ShapeError, "`gru2` GRU(3, 4) takes (B, T, 3), not (?, 3), which `gru1` GRU(2, 3, last step) gives"):
        tn.Network([tn.GRU(2, 3, sequence=False), tn.GRU(3, 4)])


def test_training_on_another_number_of_examples_than_are_carried_is_refused(says: Callable[..., Any]) -> None:
    network = tn.Network([tn.LSTM(2, 3, carry=4, name="lstm")])
    assert network.predict(np.ones((7, 5, 2))).shape == (7, 5, 3)
    with says(tn.ShapeError, "`lstm` LSTM(2, 3, carry 4) carries 4 examples; this batch has 7"):
        network.forward(np.ones((7, 5, 2)), training=True)


def test_interventions_on_single_steps_need_an_input_of_as_many(says: Callable[..., Any]) -> None:
    network = tn.Network([tn.RNN(2, 3, name="rnn")], input_shape=(5, 2))
    network.taps[0] = Tap(np.ones((5, 3)), np.zeros((5, 3)))
    message = "`rnn` RNN(2, 3): an intervention stands on single time steps of 5; this input has 4"
    with says(tn.ShapeError, message):
        network.forward(np.ones((2, 4, 2)))
