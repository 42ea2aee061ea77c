"""Checks that tinynets agrees to 1e-6 with a case of make_structured.py, stored or computed live."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import tinynets as tn
from tinynets.nn.layers import layer_from
from tinynets.nn.workspace import Workspace

Case = dict[str, np.ndarray]


def stored() -> dict[str, Case]:
    """The cases of structured.npz by name."""
    found: dict[str, Case] = {}
    with np.load(Path(__file__).with_name("structured.npz")) as file:
        for key in file.files:
            case, _, name = key.rpartition("/")
            found.setdefault(case, {})[name] = file[key]
    return found


def network_of(case: Case) -> tn.Network:
    """The network that a case describes, with its parameters."""
    layers = [layer_from(layer) for layer in json.loads(str(case["layers"]))]
    network = tn.Network(layers, dtype="float64", input_shape=case["x"].shape[2:])
    for index, layer in enumerate(network.layers):
        for entry in layer.parameters():
            np.copyto(getattr(layer, entry.name), case[f"{index}.{entry.name}"])
    return network


def check(case: Case) -> None:
    """Pass the batches of a case, carrying what is carried, and compare outputs and all gradients."""
    network = network_of(case)
    workspace = Workspace(input_gradient=True, training=True)
    for number, (x, dout) in enumerate(zip(case["x"], case["dout"], strict=True)):
        agree("out", network.forward(x, workspace), case["out"][number])
        agree("dx", network.backward(dout, workspace), case["dx"][number])
        for index, layer in enumerate(network.layers):
            for entry in layer.parameters():
                name = f"d{index}.{entry.name}"
                agree(name, getattr(layer, f"d{entry.name}"), case[name][number])
        np.copyto(network.carried, workspace.carried)  # as the last phase of a step does


def agree(what: str, found: Any, expected: np.ndarray) -> None:
    scale = max(float(np.abs(expected).max(initial=0)), 1e-3)
    assert found.shape == expected.shape, what
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * scale, err_msg=what)
