"""Linear, Embedding, norms and activations agree with values of PyTorch 2.13 (tests/references/make_basic.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.nn.layers import layer_from
from tinynets.nn.workspace import Workspace

STORED = np.load(Path(__file__).parents[3] / "references" / "basic.npz")
CASES: dict[str, dict[str, np.ndarray]] = {}
for key in STORED.files:
    CASES.setdefault(key.split("/")[0], {})[key.split("/")[1]] = STORED[key]
TRAINED = sorted(case for case in CASES if case.startswith("batch-norm"))


def agree(found: Any, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def compare(network: tn.Network, case: dict[str, np.ndarray], workspace: Workspace | None = None) -> None:
    """Check that one pass with the case's parameters gives its output and gradients."""
    layer: Any = network.layers[0]
    for entry in layer.parameters():
        getattr(layer, entry.name)[:] = case[entry.name]
    agree(network.forward(case["x"], workspace), case["out"])
    dx = network.backward(case["dout"], workspace)
    if "dx" in case:
        agree(dx, case["dx"])
    for entry in layer.parameters():
        agree(getattr(layer, f"d{entry.name}"), case[f"d{entry.name}"])


def network_of(layer: tn.Layer, case: dict[str, np.ndarray]) -> tn.Network:
    shape = () if layer.kind == "embedding" else case["x"].shape[1:]
    return tn.Network([layer], dtype="float64", input_shape=shape or None)


@pytest.mark.parametrize("case", sorted(CASES.keys() - set(TRAINED)))
def test_output_and_gradients_are_those_of_pytorch(case: str) -> None:
    special: dict[str, tn.Layer] = {
        "linear": tn.Linear(3, 5),
        "embedding": tn.Embedding(7, 4),
        "layer-norm": tn.LayerNorm(5),
        "gelu tanh": tn.GELU(approximate="tanh"),
    }
    layer = special[case] if case in special else layer_from({"kind": case})
    compare(network_of(layer, CASES[case]), CASES[case])


def test_batch_norm_follows_pytorch_through_steps_and_into_evaluation() -> None:
    network = tn.Network([tn.BatchNorm(4)], dtype="float64")
    layer: Any = network.layers[0]
    training, evaluation = Workspace(training=True, input_gradient=True), Workspace(input_gradient=True)
    for case in (CASES[name] for name in TRAINED):
        last = case is CASES[TRAINED[-1]]
        compare(network, case, evaluation if last else training)
        if not last:
            network.carried[:] = training.carried  # as in the last phase of a step
        agree(layer.running_mean, case["running_mean"])
        agree(layer.running_var, case["running_var"])
