"""Every layer can be written as a plain description and rebuilt from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinynets as tn
from tinynets.nn.layers import LAYERS, describe, layer_from

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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tn.Linear(2, 3, w_init="zeros"), "Linear: `w_init` must be an initializer, as Normal(), not 'zeros'"),  # type: ignore[arg-type]
        (lambda: tn.Linear(2, 3, bias="no"), "Linear: `bias` must be True or False, not 'no'"),  # type: ignore[arg-type]
        (lambda: tn.Embedding(2, 3, w_init=""), "Embedding: `w_init` must be an initializer, as Normal(), not ''"),  # type: ignore[arg-type]
        (lambda: tn.Conv2d(1, 2, 3, bias=1), "Conv2d: `bias` must be True or False, not 1"),  # type: ignore[arg-type]
        (lambda: tn.GRU(2, 3, sequence="no"), "GRU: `sequence` must be True or False, not 'no'"),  # type: ignore[arg-type]
        (lambda: tn.GRU(2, 3, carry=False), "GRU: `carry` must be a whole number of at least 0, not False"),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused_at_once(
    says: Callable[..., Any], make: Callable[[], object], message: str
) -> None:
    with says(tn.ShapeError, message):
        make()


@pytest.mark.parametrize(
    "kind", ["linear", "embedding", "positional-embedding", "distances", "conv1d", "gru", "batch-norm"]
)
def test_a_class_is_no_initializer(kind: str) -> None:
    sizes = {"batch-norm": (2,), "conv1d": (2, 3, 1)}.get(kind, (2, 3))
    name = "gain_init" if kind == "batch-norm" else "w_init"
    with pytest.raises(tn.ShapeError, match=f"`{name}` must be an initializer"):
        LAYERS[kind](*sizes, **{name: tn.Normal})


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (tn.Linear(2, 3, bias=False), "Linear(2, 3, no bias)"),
        (tn.Conv2d(1, 8, 3, stride=2, padding=1), "Conv2d(1, 8, 3x3, stride 2x2, padding 1x1)"),
        (
            tn.Conv1d(2, 8, 3, dilation=4, padding="same", bias=False),
            "Conv1d(2, 8, 3, padding same, dilation 4, no bias)",
        ),
        (tn.MaxPool2d(2, stride=1), "MaxPool2d(2x2, stride 1x1)"),
        (tn.LSTM(2, 4, sequence=False, carry=6), "LSTM(2, 4, last step, carry 6)"),
        (tn.RNN(2, 4, nonlinearity="relu"), "RNN(2, 4, relu)"),
        (tn.RNN(2, 4), "RNN(2, 4)"),
    ],
)
def test_a_repr_tells_what_decides_shapes(layer: tn.Layer, text: str) -> None:
    assert repr(layer) == text
