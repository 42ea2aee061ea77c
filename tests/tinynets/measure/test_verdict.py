"""A verdict says what is the matter with a unit, and which term or bias of its sum is the cause."""

from __future__ import annotations

import numpy as np
import pytest

import tinynets as tn
from tinynets.experiment.experiment import Experiment
from tinynets.lab.lab import experiment_of
from tinynets.measure.block_view import BlockView, UnitView
from tinynets.measure.verdict import Verdict, verdict_of

X = np.random.default_rng(0).uniform(0.2, 1.0, (32, 3))
"""Inputs above 0, so that the sign of a weight is that of what it adds."""


def lab_with(
    *layers: tn.Layer, x: np.ndarray = X, w: dict[tuple[int, int], float] | None = None, b: float = 0
) -> tn.Lab:
    """A lab of one block `hidden` with the given weights, others 0, and the bias of unit 0."""
    network = tn.Network([*layers], dtype="float64", input_shape=x.shape[1:], seed=1)
    hidden = network["hidden"]
    if w is not None:
        hidden.w[...] = 0
        for place, value in w.items():
            hidden.w[place] = value
        hidden.b[0] = b
    return tn.Lab(network, data=(x, np.zeros(len(x), np.int64)), loss=tn.CrossEntropy(), batch=4, probe=32)


def verdict(lab: tn.Lab, unit: int = 0, clean: float = 0.0) -> Verdict:
    experiment: Experiment = experiment_of(lab)
    experiment.probe.forward(experiment.network)
    view = BlockView.of(experiment, experiment.network.block("hidden"))
    return verdict_of(UnitView.of(experiment, view, unit, 0), clean)


def linear() -> tn.Linear:
    return tn.Linear(3, 4, name="hidden")


def test_a_weight_that_drives_tanh_to_its_end_is_named() -> None:
    found = verdict(lab_with(linear(), tn.Tanh(), w={(1, 0): 4.0, (2, 0): 0.1}))
    assert found.state == "saturated"
    assert "w[1] = +4 from x[1] pushes the sum beyond 2." in found.text
    share = float((np.abs(np.tanh(X @ [0, 4.0, 0.1])) > 0.97).mean())
    assert found.text.startswith(f"saturated on {share:.0%} of the examples:")


def test_a_bias_that_drives_sigmoid_to_its_lower_end_is_named() -> None:
    found = verdict(lab_with(linear(), tn.Sigmoid(), w={(0, 0): -1.0}, b=-3.5))
    assert found.state in ("saturated", "dead")
    assert "the bias -3.5 pushes the sum below -4." in found.text


def test_a_relu_held_down_by_its_bias_is_dead_because_of_it() -> None:
    found = verdict(lab_with(linear(), tn.ReLU(), w={(0, 0): 1.0}, b=-2.3))
    assert found == Verdict("dead", "dead: on no example of the probe is its sum above 0; the bias -2.3 holds it down")


def test_a_relu_held_down_by_a_weight_is_dead_because_of_it() -> None:
    found = verdict(lab_with(linear(), tn.ReLU(), w={(0, 0): -3.0, (1, 0): 0.5}, b=-0.1))
    assert found.text.endswith("w[0] = -3 from x[0] holds it down")


def test_a_relu_that_gets_nothing_says_so() -> None:
    found = verdict(lab_with(linear(), tn.ReLU(), x=np.zeros((32, 3)), w={(0, 0): 1.0}, b=-0.5))
    assert found.text.endswith("all that comes in is 0, and the bias is -0.5")


def test_a_bounded_unit_that_is_saturated_everywhere_is_dead() -> None:
    found = verdict(lab_with(linear(), tn.Tanh(), w={(0, 0): 1.0}, b=9.0))
    assert found.state == "dead"
    assert "saturated on every example of the probe, where no gradient passes" in found.text
    assert "the bias +9 pushes the sum beyond 9." in found.text


@pytest.mark.parametrize(
    "activation",
    [tn.LeakyReLU(), tn.ELU(), tn.Softplus(), tn.SiLU(), tn.GELU(), tn.Identity(), tn.Tanh(), tn.Sigmoid(), tn.ReLU()],
    ids=lambda layer: layer.kind,
)
def test_a_unit_that_moves_within_bounds_is_healthy_in_every_activation(activation: tn.Layer) -> None:
    lab = lab_with(linear(), activation, w={(0, 0): 1.0, (1, 0): -0.4})
    found = verdict(lab)
    values = experiment_of(lab).probe.workspace.out[:, 0]
    assert found.state == "healthy"
    assert found.text == f"healthy: on 32 examples between {values.min():+.3g} and {values.max():+.3g}"


@pytest.mark.parametrize("activation", [tn.ELU(), tn.Softplus(), tn.SiLU(), tn.GELU()], ids=lambda layer: layer.kind)
def test_a_smooth_rectifier_far_below_0_names_what_pushes_it_there(activation: tn.Layer) -> None:
    found = verdict(lab_with(linear(), activation, w={(0, 0): 1.0}, b=-12.0))
    assert found.state in ("saturated", "dead")
    assert "the bias -12" in found.text


def test_softmax_says_what_but_not_why() -> None:
    found = verdict(lab_with(linear(), tn.Softmax(), w={(0, 0): 60.0}))
    assert found.state in ("saturated", "dead")
    assert "pushes" not in found.text


def test_gates_say_what_but_not_why() -> None:
    x = np.random.default_rng(0).normal(size=(32, 5, 3))
    for layer in (tn.GRU(3, 4, sequence=False, name="hidden"), tn.LSTM(3, 4, sequence=False, name="hidden")):
        lab = lab_with(layer, x=x)
        assert verdict(lab).text.startswith("healthy: on 32 examples between")


def test_a_bump_that_no_example_is_near_says_how_far_the_nearest_is() -> None:
    lab = lab_with(tn.Distances(3, 4, name="hidden"), tn.Gaussian(0.1))
    lab.set_weight("hidden.w[:,0]", 9.0)
    nearest = float(np.linalg.norm(X - 9.0, axis=1).min())
    assert f"the nearest is {nearest:.3g} away" in verdict(lab).text


def test_weights_that_are_all_0_are_the_cause_of_a_constant() -> None:
    found = verdict(lab_with(linear(), w={}))
    assert found == Verdict("constant", "the same on all 32 examples: +0; its weights are all 0")


def test_what_was_done_to_a_unit_comes_first_and_then_what_it_is_like() -> None:
    lab = lab_with(linear(), tn.Tanh(), w={(0, 0): 1.0})
    lab.zero("hidden[0]")
    lab.freeze("hidden[0]")
    found = verdict(lab, clean=0.42)
    assert found.state == "held"
    assert found.text.startswith("zeroed by you: would be +0.42 here, and is +0")
    assert found.text.endswith("; frozen: nothing of it learns")
    lab.release("hidden[0]")
    assert verdict(lab).state == "frozen"
    lab.clamp("hidden[0]", 0.5)
    assert verdict(lab).text.startswith("clamped to 0.5 by you")


def test_explain_says_it_too() -> None:
    lab = lab_with(linear(), tn.ReLU(), w={(0, 0): 1.0}, b=-2.3)
    explained = lab.explain("hidden[0]")
    assert explained.verdict.startswith("dead: on no example")
    assert explained.verdict in str(explained)
