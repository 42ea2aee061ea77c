"""Every layer is a plain description and comes back from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinynets as tn
from tinynets.layers import LAYERS, describe, layer_from

EXAMPLES: list[tn.Layer] = [
    tn.Linear(3, 2, name="a", bias=False, w_init=tn.Kaiming(gain="relu", scale=0.5)),
    tn.Linear(3, 2, b_init=tn.Uniform(low=-0.5, high=0.25)),
    tn.Embedding(5, 4, name="e", w_init=tn.Normal(std=0.1)),
    tn.Flatten(name="f"),
    tn.Tanh(),
    tn.ReLU(name="r"),
    tn.Sigmoid(),
    tn.Identity(),
    tn.Step(),
    tn.LeakyReLU(0.2),
    tn.ELU(0.5, name="elu"),
    tn.GELU(approximate="tanh"),
    tn.SiLU(),
    tn.Softplus(),
    tn.Gaussian(0.3),
    tn.Softmax(),
    tn.BatchNorm(4, momentum=0.2, eps=1e-3),
    tn.LayerNorm(4, gain_init=tn.Constant(value=0.5)),
    tn.Dropout(0.2, name="d"),
    tn.PositionalEmbedding(8, 4),
    tn.FlattenConsecutive(2),
    tn.Reshape([2, -1]),
    tn.LastStep(),
    tn.Conv1d(2, 3, 2, padding="same", dilation=3, bias=False, name="c"),
    tn.Conv2d(2, 3, (2, 3), stride=[2, 1], padding=(0, 1)),
    tn.MaxPool2d(2),
    tn.AvgPool2d((2, 1), stride=(1, 2), name="p"),
    tn.GlobalAvgPool(),
    tn.RNN(2, 3, nonlinearity="relu", sequence=False, carry=4),
    tn.GRU(2, 3, name="g", b_init=tn.Normal()),
    tn.LSTM(2, 3, w_init=tn.Xavier()),
    tn.CausalSelfAttention(6, 2, name="attention"),
    tn.Distances(2, 5, w_init=tn.Xavier(distribution="uniform")),
    tn.Residual([tn.Linear(3, 3), tn.Tanh()], name="block1"),
    tn.Parallel([[tn.Linear(3, 2)], [tn.Linear(3, 2, name="other"), tn.ReLU()]], join="sum"),
]


def test_the_examples_here_are_of_every_kind() -> None:
    assert {layer.kind for layer in EXAMPLES} == set(LAYERS)


@pytest.mark.parametrize("layer", EXAMPLES, ids=repr)
def test_a_description_makes_the_same_layer_again(layer: tn.Layer) -> None:
    bound = tn.Network([layer]).parts[0]
    made = layer_from(describe(bound))
    assert type(made) is type(layer)
    assert describe(made) == describe(bound)


def test_an_unknown_kind_is_refused_with_the_nearest(says: Callable[..., Any]) -> None:
    known = ", ".join(LAYERS)
    with says(tn.ShapeError, f"`kind` is one of {known}, not 'liner'; did you mean `linear`?"):
        layer_from({"kind": "liner"})
