"""Zero, mean and patch against PyTorch's forward hooks on the same weights: outputs, losses, gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn

torch: Any = pytest.importorskip("torch")

SITES = {"hidden.pre": 0, "hidden": 1, "second.pre": 2, "second": 3}
"""Site -> the module of `theirs` whose output it is."""
Hook = Callable[[Any, Any, Any], Any]


def ours() -> tn.Lab:
    random = np.random.default_rng(0)
    layers = [
        tn.Linear(3, 8, name="hidden"),
        tn.Tanh(),
        tn.Linear(8, 6, name="second"),
        tn.ReLU(),
        tn.Linear(6, 4, name="output"),
    ]
    data = random.normal(size=(24, 3)), random.integers(0, 4, 24)
    network = tn.Network(layers, seed=1, dtype="float64")
    return tn.Lab(network, data=data, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=24, seed=0, probe=24)


def theirs(lab: tn.Lab) -> Any:
    nn = torch.nn
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4)).double()
    for name, place in (("hidden", 0), ("second", 2), ("output", 4)):
        layer: Any = lab.network[name]
        model[place].weight.data = torch.tensor(layer.w.T.copy())
        model[place].bias.data = torch.tensor(layer.b.copy())
    return model


def seen(model: Any, module: int, x: Any) -> Any:
    """The output of a module, with its hooks applied."""
    found = []
    handle = model[module].register_forward_hook(lambda m, i, out: found.append(out.detach().clone()))
    model(x)
    handle.remove()
    return found[0]


def held_at(units: list[int], values: Any) -> Hook:
    def hook(module: Any, given: Any, out: Any) -> Any:
        out = out.clone()
        out[:, units] = values
        return out

    return hook


def intervene(lab: tn.Lab, model: Any, op: str, site: str, units: list[int], example: int, x: Any) -> None:
    """Apply the same intervention in both."""
    selector = f"{site}[{','.join(map(str, units))}]"
    before = seen(model, SITES[site], x)[:, units]
    if op == "zero":
        lab.zero(selector)
        values = torch.zeros(len(units), dtype=torch.float64)
    elif op == "mean":
        lab.mean(selector)
        values = before.mean(0)
    else:
        lab.patch(selector, example=example)
        values = before[example]
    model[SITES[site]].register_forward_hook(held_at(units, values))


def agree(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=0, atol=1e-6)


entries = st.tuples(
    st.sampled_from(["zero", "mean", "patch"]),
    st.sampled_from(list(SITES)),
    st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True).map(sorted),
    st.integers(0, 23),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(entries, min_size=1, max_size=3, unique_by=lambda entry: entry[1]))
def test_interventions_are_forward_hooks(done: list[tuple[str, str, list[int], int]]) -> None:
    lab = ours()
    model = theirs(lab)
    x, y = torch.tensor(lab.probe.x), torch.tensor(lab.probe.y)
    for op, site, units, example in done:
        intervene(lab, model, op, site, units, example, x)
    out = model(x)
    loss = torch.nn.functional.cross_entropy(out, y)
    loss.backward()
    agree(lab.network.predict(lab.probe.x), out)
    assert abs(lab.probe_loss() - float(loss.detach())) < 1e-6
    network = lab.network
    ours_out = network.forward(lab.probe.x)
    dout = torch.softmax(torch.tensor(ours_out), 1) - torch.nn.functional.one_hot(y, 4)
    network.backward(dout.numpy() / len(x))
    for name, place in (("hidden", 0), ("second", 2), ("output", 4)):
        layer: Any = network[name]
        agree(layer.dw.T, gradient(model[place].weight))
        agree(layer.db, gradient(model[place].bias))


def gradient(parameter: Any) -> Any:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


@pytest.mark.parametrize("op", ["zero", "mean", "patch"])
def test_training_with_an_intervention_on_moves_the_weights_alike(op: str) -> None:
    lab = ours()
    model = theirs(lab)
    intervene(lab, model, op, "hidden", [1, 4], 3, torch.tensor(lab.probe.x))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x, y = (torch.tensor(side) for side in lab.split("train"))
    for step in range(10):
        rows = lab.player.trainer.sampler.indices(step)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    lab.run(10)
    for name, place in (("hidden", 0), ("second", 2), ("output", 4)):
        layer: Any = lab.network[name]
        agree(layer.w.T, model[place].weight)
        agree(layer.b, model[place].bias)
