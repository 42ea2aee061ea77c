"""The picture of a unit, and the points of a table of vectors, do not depend on what an algorithm happens to return."""

from __future__ import annotations

import numpy as np

import tinynets as tn
from tinynets.lab.lab import experiment_of
from tinynets.server.activity import Activity
from tinynets.server.frame import Neuron, View
from tinynets.server.frame_builder import FrameBuilder
from tinynets.server.panes.portrait import principal


def neuron_of(recipe: str, view: View) -> Neuron:
    neuron = FrameBuilder.of(tn.Lab(recipe)).frame(view, 1, Activity()).neuron
    assert neuron is not None
    return neuron


def test_components_have_a_sign_of_their_own() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 5)) * [5, 3, 1, 1, 1]
    points, shares = principal(rows)
    other, _ = principal(rows[::-1])
    assert np.allclose(points, other[::-1])
    assert shares[0] > shares[1] > 0
    centred = rows - rows.mean(axis=0)
    for number in range(2):
        loading = centred.T @ points[:, number]
        assert loading[np.abs(loading).argmax()] > 0


def test_components_hold_as_much_of_the_variance_as_they_say() -> None:
    rows = np.random.default_rng(1).normal(size=(20, 5))
    points, shares = principal(rows)
    total = ((rows - rows.mean(axis=0)) ** 2).sum()
    assert np.allclose((points**2).sum(axis=0) / total, shares)


def test_an_embedding_is_a_scatter_of_its_letters() -> None:
    neuron = neuron_of("names-mlp", View("embed", 3))
    assert neuron.scatter is not None
    assert neuron.scatter.labels == tuple(".abcdefghijklmnopqrstuvwxyz")
    assert neuron.scatter.points.shape == (27, 2)
    assert np.array_equal(neuron.scatter.entries, experiment_of(tn.Lab("names-mlp")).network["embed"].w[:, 3])


def test_a_convolution_shows_its_kernel_over_each_channel() -> None:
    neuron, network = neuron_of("digits-cnn", View("conv2", 5)), experiment_of(tn.Lab("digits-cnn")).network
    assert neuron.picture is not None
    assert neuron.picture.kind == "kernel"
    assert np.array_equal(neuron.picture.values, network["conv2"].w[..., 5].transpose(2, 0, 1))


def test_a_response_says_where_the_example_is() -> None:
    view = View("hidden", 1, example=2, portrait=64)
    neuron, experiment = neuron_of("xor", view), experiment_of(tn.Lab("xor"))
    assert neuron.picture is not None
    assert neuron.picture.at is not None
    down, across = (int(share * 64) for share in neuron.picture.at)
    assert abs(neuron.picture.values[down, across] - neuron.value) < 0.1
    assert experiment.probe.x.shape[1] == 2
