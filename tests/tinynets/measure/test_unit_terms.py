"""The terms of a unit's sum add up to what its layer computes, whatever the layer."""

from __future__ import annotations

import numpy as np
import pytest

import tinynets as tn
from tinynets.experiment.experiment import Experiment
from tinynets.lab.lab import experiment_of
from tinynets.measure.block_view import BlockView, UnitView
from tinynets.measure.unit_terms import UnitTerms, gates_of

LAYERS: dict[str, list[tn.Layer]] = {
    "linear": [tn.Linear(3, 4, name="hidden"), tn.Tanh(), tn.Flatten()],
    "no bias": [tn.Linear(3, 4, bias=False, name="hidden"), tn.Tanh(), tn.Flatten()],
    "convolved": [tn.Conv1d(3, 4, 2, name="hidden"), tn.Tanh(), tn.Flatten()],
}


def experiment_with(layers: list[tn.Layer]) -> Experiment:
    x = np.random.default_rng(0).normal(size=(8, 5, 3))
    network = tn.Network([*layers], dtype="float64", input_shape=(5, 3), seed=1)
    return experiment_of(tn.Lab(network, data=(x, np.zeros(8, np.int64)), loss=tn.CrossEntropy(), batch=4, probe=8))


def unit(experiment: Experiment, index: int) -> UnitView:
    experiment.probe.forward(experiment.network)
    view = BlockView.of(experiment, experiment.network.block("hidden"))
    return UnitView.of(experiment, view, index, 2)


@pytest.mark.parametrize("kind", LAYERS)
def test_the_terms_come_to_what_the_activation_is_given(kind: str) -> None:
    experiment = experiment_with(LAYERS[kind])
    for index in range(4):
        at = unit(experiment, index)
        terms = UnitTerms.of(at)
        assert terms is not None
        assert terms.z == pytest.approx(at.pre)
        assert terms.weighted + (terms.bias or 0) == pytest.approx(terms.z)
        assert len(terms.names) == len(terms.x) == len(terms.w)
        assert at.value == pytest.approx(np.tanh(at.pre))


def test_what_is_listed_and_the_rest_are_all_of_the_sum() -> None:
    terms = UnitTerms.of(unit(experiment_with(LAYERS["convolved"]), 1))
    assert terms is not None
    for top in (0, 1, 4, 100):
        listed = terms.listed(top)
        assert [abs(entry.product) for entry in listed] == sorted((abs(e.product) for e in listed), reverse=True)
        assert sum(entry.product for entry in listed) + terms.rest(top) == pytest.approx(terms.weighted)


def test_a_recurrent_unit_sums_its_own_past_too() -> None:
    at = unit(experiment_with([tn.RNN(3, 4, sequence=False, name="hidden")]), 3)
    terms = UnitTerms.of(at)
    assert terms is not None
    assert terms.names[3:] == tuple(f"hidden[{index}]@t-1" for index in range(4))
    assert np.tanh(terms.z) == pytest.approx(at.value)
    assert gates_of(at, 5) == ()


def test_a_gated_unit_has_no_single_sum_but_one_for_each_gate() -> None:
    at = unit(experiment_with([tn.GRU(3, 4, sequence=False, name="hidden")]), 3)
    assert UnitTerms.of(at) is None
    _, update, new = gates_of(at, 5)
    before = at.block_view.out[2, -2, 3]
    assert (1 - update.value) * new.value + update.value * before == pytest.approx(at.value)
