"""A unit that has become infinite can be zeroed anywhere, and the first place that overflows is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.numerics.rules import FIRST

HUGE = 3e38
X = np.random.default_rng(0).uniform(0.5, 2, (4, 3, 2))
Y = np.zeros((4, 1))

Layers = Callable[[], list[tn.Layer]]

BLOCKS: dict[str, tuple[Layers, list[str]]] = {
    # the layers before the last Linear, and the weights that make unit 0 infinite
    **{
        repr(activation): (
            lambda activation=activation: [tn.Flatten(), tn.Linear(6, 3, name="h"), activation],
            ["h.b[0]"],
        )
        for activation in (tn.ReLU(), tn.LeakyReLU(), tn.ELU(), tn.SiLU(), tn.GELU(), tn.GELU("tanh"), tn.Softplus())
    },
    **{
        f"{activation!r} of minus infinity": (
            lambda activation=activation: [tn.Flatten(), tn.Linear(6, 3, name="h"), activation],
            ["-h.b[0]"],
        )
        for activation in (tn.SiLU(), tn.GELU(), tn.GELU("tanh"), tn.Tanh(), tn.Sigmoid(), tn.ELU())
    },
    "Conv1d": (lambda: [tn.Conv1d(2, 3, 1, name="h"), tn.ReLU(), tn.Flatten()], ["h.b[0]"]),
    "RNN relu": (lambda: [tn.RNN(2, 3, nonlinearity="relu", name="h")], ["h.b_ih[0]"]),
    "RNN tanh": (lambda: [tn.RNN(2, 3, name="h")], ["h.b_ih[0]"]),
    "GRU": (lambda: [tn.GRU(2, 3, name="h")], ["h.b_ih[6]"]),
    "GRU hidden": (lambda: [tn.GRU(2, 3, name="h")], ["h.b_hh[6]"]),
    "GRU shut": (lambda: [tn.GRU(2, 3, name="h")], ["-h.b_ih[0]", "h.b_hh[6]"]),
    "LSTM": (lambda: [tn.LSTM(2, 3, name="h")], ["h.b_ih[0]", "h.b_ih[6]"]),
    "CausalSelfAttention": (lambda: [tn.Linear(2, 4), tn.CausalSelfAttention(4, 2, name="h")], ["h.b_qkv[8]"]),
    "CausalSelfAttention query": (lambda: [tn.Linear(2, 4), tn.CausalSelfAttention(4, 2, name="h")], ["h.b_qkv[0]"]),
}


def lab_of(layers: Layers, *, rules: int | None = None) -> tn.Lab:
    before = layers()
    width = {"Flatten": 3}.get(type(before[0]).__name__, 9)
    width = 12 if any(isinstance(layer, tn.CausalSelfAttention) for layer in before) else width
    flat = [] if any(isinstance(layer, tn.Flatten) for layer in before) else [tn.Flatten()]
    given = {} if rules is None else {"rules": rules}
    network = tn.Network([*before, *flat, tn.Linear(width, 1, name="out")], seed=0, input_shape=(3, 2), **given)
    return tn.Lab(network, data=(X, Y), loss=tn.MSE(), optimizer=tn.SGD(1e-3), batch=4)


def overflowing(lab: tn.Lab, weights: list[str]) -> None:
    """Make the sums of unit 0 infinite: what a bias of 3e38 and inputs up to 2 by such weights give."""
    for selector in weights:
        sign, selector = (-1, selector[1:]) if selector.startswith("-") else (1, selector)
        lab.set_weight(selector, sign * HUGE)
        block, _, rest = selector.partition(".")
        name, _, column = rest.rstrip("]").partition("[")
        w = {"b": "w", "b_ih": "w_ih", "b_hh": "w_hh", "b_qkv": "w_qkv"}[name]
        rows = getattr(lab.network[block], w).shape[0]
        if w != "w_hh" and getattr(lab.network[block], w).ndim == 2:
            for row in range(rows):
                lab.set_weight(f"{block}.{w}[{row},{column}]", sign * HUGE)


@pytest.mark.parametrize("op", ["zero", "clamp"])
@pytest.mark.parametrize("block", BLOCKS)
def test_a_run_with_an_infinite_unit_zeroed_is_that_with_any_unit_zeroed(block: str, op: str) -> None:
    layers, weights = BLOCKS[block]
    losses = []
    for infinite in (False, True):
        lab = lab_of(layers)
        if infinite:
            overflowing(lab, weights)
        if op == "zero":
            lab.zero("h[0]")
        else:
            lab.clamp("h[0]", 0.5)
        lab.run(3)
        losses.append(lab.loss)
        assert np.isfinite(lab.network.grad).all()
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("bias", [1, -1])
def test_a_carried_infinite_unit_that_is_zeroed_carries_nothing_on(kind: str, bias: int) -> None:
    """With a bias of the opposite sign, its sum is NaN instead of infinite."""
    layer: Any = {"rnn": tn.RNN, "gru": tn.GRU, "lstm": tn.LSTM}[kind]
    lab = lab_of(lambda: [layer(2, 3, carry=4, name="h")])
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    for gate in range(gates):
        for row in range(2):
            lab.set_weight(f"h.w_ih[{row},{gate * 3}]", HUGE)
        for name in ("b_ih", "b_hh"):
            lab.set_weight(f"h.{name}[{gate * 3}]", bias * HUGE)
    lab.zero("h[0]")
    lab.run(4)
    assert np.isfinite(lab.loss)
    assert np.isfinite(lab.state.buffers).all()


def test_at_single_time_steps_too() -> None:
    lab = lab_of(lambda: [tn.RNN(2, 3, nonlinearity="relu", name="h")])
    overflowing(lab, ["h.b_ih[0]"])
    for t in range(3):
        lab.zero(f"h[0]@t={t}")
    lab.run(3)
    assert np.isfinite(lab.loss)


def test_a_run_by_the_first_rules_multiplies_as_it_did() -> None:
    layers, _ = BLOCKS["RNN relu"]
    lab = lab_of(layers, rules=FIRST)
    lab.zero("h[0]")
    lab.run(3)
    again = lab_of(layers)
    again.zero("h[0]")
    again.run(3)
    assert again.loss == lab.loss


BEHIND: list[Layers] = [
    lambda: [tn.LayerNorm(3, name="norm")],
    lambda: [tn.BatchNorm(3, name="norm")],
    lambda: [tn.Linear(3, 3, name="next"), tn.LayerNorm(3, name="norm")],
    lambda: [tn.ReLU(name="act"), tn.Linear(3, 3, name="next")],
    lambda: [tn.Tanh(name="act"), tn.Linear(3, 3, name="next")],
    lambda: [tn.GELU(name="act"), tn.Linear(3, 3, name="next"), tn.GELU(name="act2")],
    lambda: [tn.Residual([tn.Linear(3, 3, name="next")])],
    lambda: [tn.Softmax(name="act")],
]


@pytest.mark.parametrize("behind", BEHIND, ids=lambda behind: "-".join(type(x).__name__ for x in behind()))
def test_the_layer_that_overflowed_first_is_named_whatever_stands_behind_it(behind: Layers) -> None:
    lab = lab_of(lambda: [tn.Flatten(), tn.Linear(6, 3, name="h"), *behind()])
    overflowing(lab, ["h.b[0]"])
    named = "h"
    try:
        lab.run(3)
    except tn.NonFiniteError as error:
        named = error.where
    assert named == "h"
    assert np.isfinite(lab.state.theta).all()


@pytest.mark.parametrize("size", [1e20, 1e30, 3e38])
@pytest.mark.parametrize("norm", [tn.LayerNorm(6, name="norm"), tn.BatchNorm(6, name="norm")], ids=repr)
@pytest.mark.parametrize("frozen", [False, True])
def test_a_norm_of_a_spread_too_large_for_its_square_is_named(norm: tn.Layer, size: float, frozen: bool) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (8, 6)) * size
    network = tn.Network([norm, tn.Linear(6, 1, name="out")], seed=0)
    lab = tn.Lab(network, data=(x, np.zeros((8, 1))), loss=tn.MSE(), optimizer=tn.SGD(1e-3), batch=4)
    if frozen:
        lab.freeze("norm")
    with pytest.raises(tn.NonFiniteError, match="first in `norm`"):
        lab.run(1)
