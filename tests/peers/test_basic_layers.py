"""Linear, Embedding, norms and activations against PyTorch at random shapes; skipped if it is not installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.workspace import Workspace

torch: Any = pytest.importorskip("torch")
nn = torch.nn

PAIRS: dict[str, tuple[Any, Any]] = {
    "linear": (lambda size: tn.Linear(size, 3), lambda size: nn.Linear(size, 3)),
    "batch-norm": (lambda size: tn.BatchNorm(size, momentum=0.3), lambda size: nn.BatchNorm1d(size, momentum=0.3)),
    "layer-norm": (tn.LayerNorm, nn.LayerNorm),
    "tanh": (lambda size: tn.Tanh(), lambda size: nn.Tanh()),
    "sigmoid": (lambda size: tn.Sigmoid(), lambda size: nn.Sigmoid()),
    "relu": (lambda size: tn.ReLU(), lambda size: nn.ReLU()),
    "leaky-relu": (lambda size: tn.LeakyReLU(0.2), lambda size: nn.LeakyReLU(0.2)),
    "elu": (lambda size: tn.ELU(0.7), lambda size: nn.ELU(0.7)),
    "gelu": (lambda size: tn.GELU(), lambda size: nn.GELU()),
    "gelu-tanh": (lambda size: tn.GELU(approximate="tanh"), lambda size: nn.GELU(approximate="tanh")),
    "silu": (lambda size: tn.SiLU(), lambda size: nn.SiLU()),
    "softplus": (lambda size: tn.Softplus(), lambda size: nn.Softplus()),
    "softmax": (lambda size: tn.Softmax(), lambda size: nn.Softmax(dim=-1)),
}
THEIRS = {"w": "weight", "b": "bias", "gain": "weight", "shift": "bias"}


def agree(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, np.asarray(expected.detach()), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("training", [True, False])
@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=2), st.integers(1, 6), st.integers(0, 999))
def test_output_and_gradients_are_alike(kind: str, training: bool, sizes: list[int], size: int, seed: int) -> None:
    if kind == "batch-norm":
        sizes = [sizes[0] + 1]  # PyTorch has the channels on another axis
    ours, theirs = PAIRS[kind][0](size), PAIRS[kind][1](size).double().train(training)
    network = tn.Network([ours], dtype="float64", seed=seed, input_shape=(*sizes[1:], size))
    layer: Any = network.layers[0]
    x = np.random.default_rng(seed).normal(0, 3, (*sizes, size))
    for entry in layer.parameters():
        value = torch.tensor(getattr(layer, entry.name))
        getattr(theirs, THEIRS[entry.name]).data = value.T.contiguous() if entry.name == "w" else value
    given_x = torch.tensor(x, requires_grad=True)
    expected = theirs(given_x)
    workspace = Workspace(training=training, input_gradient=True)
    out = network.forward(x, workspace)
    agree(out, expected)
    dout = np.random.default_rng(seed + 1).normal(size=out.shape)
    expected.backward(torch.tensor(dout))
    agree(network.backward(dout, workspace), given_x.grad)
    for entry in layer.parameters():
        gradient = getattr(theirs, THEIRS[entry.name]).grad
        agree(getattr(layer, f"d{entry.name}"), gradient.T if entry.name == "w" else gradient)
    if kind == "batch-norm" and training:
        agree(workspace.carried, torch.cat([theirs.running_mean, theirs.running_var]))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=2), st.integers(1, 6), st.integers(1, 4), st.integers(0, 999))
def test_embeddings_are_alike(shape: list[int], vocabulary: int, size: int, seed: int) -> None:
    network = tn.Network([tn.Embedding(vocabulary, size)], dtype="float64", seed=seed)
    layer: Any = network.layers[0]
    theirs = nn.Embedding(vocabulary, size).double()
    theirs.weight.data = torch.tensor(layer.w)
    x = np.random.default_rng(seed).integers(0, vocabulary, shape)
    expected = theirs(torch.tensor(x))
    agree(network.forward(x), expected)
    dout = np.random.default_rng(seed + 1).normal(size=expected.shape)
    expected.backward(torch.tensor(dout))
    network.backward(dout)
    agree(layer.dw, theirs.weight.grad)


@pytest.mark.parametrize("kind", ["leaky-relu", "relu", "tanh", "sigmoid", "linear"])
def test_gains_are_alike(kind: str) -> None:
    from tinynets.nn.initializers import GAINS

    assert pytest.approx(nn.init.calculate_gain(kind.replace("-", "_"))) == GAINS[kind]
