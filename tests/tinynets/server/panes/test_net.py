"""A small network comes to the app as a net: its weights, and each unit over the plane at the resolution asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tinynets as tn
from tinynets.lab.lab import experiment_of
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, NetGraph, View
from tinynets.server.frame_builder import FrameBuilder


def frame_of(recipe: str, view: View = View(), steps: int = 0) -> Frame:  # noqa: B008
    lab = tn.Lab(recipe)
    if steps:
        lab.run(steps)
    return FrameBuilder.of(lab).frame(view, 1, Activity())


def net_of(recipe: str, view: View = View()) -> NetGraph:  # noqa: B008
    net = frame_of(recipe, view).net
    assert net is not None
    return net


@pytest.mark.parametrize("recipe", ["xor", "spiral", "perceptron"])
def test_links_are_the_weights_from_block_to_block(recipe: str) -> None:
    net, network = net_of(recipe), experiment_of(tn.Lab(recipe)).network
    before = ""
    for link in net.links:
        assert link.sources == (before,)
        assert np.array_equal(link.weights, network[link.block].w)
        before = link.block


def test_the_answers_of_branches_come_together_one_after_another() -> None:
    links = {link.block: link for link in net_of("modular").links}
    assert links["modules.branch1.waves"].sources == links["modules.branch2.bumps"].sources == ("",)
    assert links["modules"].sources == ("modules.branch1.waves", "modules.branch2.bumps")
    assert np.array_equal(links["modules"].weights, np.eye(32))
    assert links["hidden"].sources == ("modules",)


def test_a_response_is_what_the_unit_answers_to_each_point_of_the_plane() -> None:
    lab = tn.Lab("xor")
    lab.run(50)
    builder = FrameBuilder.of(lab)
    net = builder.frame(View(pixels=(3, 5), answer=7), 1, Activity()).net
    assert net is not None
    across, down = net.pictures[""].values
    assert (across[0] == across[1]).all()
    assert (np.diff(across[0]) > 0).all()
    assert (np.diff(down[:, 0]) < 0).all()
    points = np.stack([across.ravel(), down.ravel()], axis=1)
    network = experiment_of(lab).network
    hidden = np.tanh(points @ network["hidden"].w + network["hidden"].b)
    assert np.allclose(net.pictures["hidden"].values.reshape(4, -1).T, hidden, atol=1e-5)
    assert np.allclose(net.pictures["output"].values.reshape(2, -1).T, network.predict(points), atol=1e-5)
    assert net.answer is not None
    assert net.answer.values.shape == (7, 7)


@pytest.mark.parametrize("pixels", [(4, 6), (16, 16)])
def test_pictures_are_computed_for_the_room_that_they_have(pixels: tuple[int, int]) -> None:
    net = net_of("spiral", View(pixels=pixels))
    assert {own.values.shape[1:] for own in net.pictures.values()} == {pixels}


def test_planes_and_portraits_are_computed_for_the_room_that_they_have() -> None:
    frame = frame_of("spiral", View(plane=50, portrait=41))
    assert frame.output is not None
    assert frame.neuron is not None
    assert frame.output.plane is not None
    assert frame.output.plane.values.shape == (50, 50)
    assert frame.neuron.picture is not None
    assert frame.neuron.picture.values.shape == (41, 41)


def test_a_unit_that_sees_an_image_has_the_weights_of_its_pixels_as_its_picture() -> None:
    net, network = net_of("digits"), experiment_of(tn.Lab("digits")).network
    assert net.inputs == ("image",)
    assert np.array_equal(net.pictures["hidden"].values, network["hidden"].w.T.reshape(32, 8, 8))
    assert net.pictures[""].values.shape == (1, 8, 8)


def test_a_small_recurrent_net_has_the_course_of_each_unit() -> None:
    x = np.random.default_rng(0).normal(size=(40, 6, 2)).astype(np.float32)
    network = tn.Network([tn.RNN(2, 5, name="rnn"), tn.LastStep(), tn.Linear(5, 2, name="output")], input_shape=(6, 2))
    lab = tn.Lab(network, data=(x, (x[:, :, 0].sum(axis=1) > 0).astype(int)), loss=tn.CrossEntropy(), batch=8)
    net = FrameBuilder.of(lab).frame(View(example=3), 1, Activity()).net
    assert net is not None
    assert net.pictures["rnn"].kind == "course"
    assert net.pictures["rnn"].values.shape == (5, 1, 6)
    assert np.array_equal(net.links[0].weights, network["rnn"].w_ih)


def test_a_map_comes_as_its_grid() -> None:
    net = net_of("colors-som")
    assert net.links == ()
    assert net.grid is not None
    assert net.grid.values.shape == (12, 12)


@pytest.mark.parametrize("recipe", ["names-mlp", "names-transformer", "names-lstm", "digits-cnn"])
def test_what_is_no_small_net_stays_cells(recipe: str) -> None:
    assert frame_of(recipe).net is None


def test_a_net_is_made_only_for_the_pane_that_shows_it() -> None:
    assert frame_of("xor", View(panes=("weights", "neuron"))).net is None


def test_looking_changes_nothing_of_the_run() -> None:
    lab = tn.Lab("spiral")
    lab.run(3)
    digest, builder = lab.state.digest(), FrameBuilder.of(lab)
    first = builder.frame(View(pixels=(9, 9), answer=30), 1, Activity())
    again = builder.frame(replace(first.view, pixels=(4, 4), answer=0), 2, Activity())
    assert lab.state.digest() == digest
    assert first.network is not None
    assert again.network is not None
    for one, other in zip(first.network, again.network, strict=True):
        assert np.array_equal(one.values, other.values)


def test_in_mid_step_the_net_is_still_there() -> None:
    lab = tn.Lab("xor")
    for _ in range(6):
        lab.phase()
        frame = FrameBuilder.of(lab).frame(View(batch_example=15), 1, Activity())
        assert frame.net is not None
        assert frame.neuron is None or frame.neuron.verdict
