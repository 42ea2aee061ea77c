"""Nets and maps are drawn whatever the network has become: pruned, grown, full of NaN, unlike anything that ships."""

from __future__ import annotations

import numpy as np
import pytest
from panes import PLAIN, drawn

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, View
from tinynets.server.frame_builder import FrameBuilder
from tui.render.palette import Terminal
from tui.widgets.network import NetworkPane
from tui.widgets.neuron import NeuronPane

SIZES = [(94, 23), (56, 13), (30, 9), (158, 38)]


def drawn_everywhere(lab: tn.Lab, view: View = View()) -> Frame:  # noqa: B008
    frame = FrameBuilder.of(lab).frame(view, 1, Activity())
    for size in SIZES:
        for look in (Terminal(), PLAIN):
            drawn(NetworkPane(), frame, *size, look)
            drawn(NeuronPane(), frame, *size, look)
    return frame


def test_a_net_that_was_operated_on_is_drawn_as_it_is_now() -> None:
    lab = tn.Lab("xor")
    lab.prune("hidden[1:4]")
    frame = drawn_everywhere(lab, View("hidden", 3))
    assert frame.net is not None
    assert frame.net.links[0].weights.shape == (2, 1)
    lab.grow("hidden", 30)
    frame = drawn_everywhere(lab, View("hidden", 30))
    assert frame.net is not None
    assert frame.net.links[0].weights.shape == (2, 31)


@pytest.mark.parametrize("recipe", ["xor", "colors-som"])
def test_numbers_that_are_not_finite_are_drawn_and_named(recipe: str) -> None:
    lab = tn.Lab(recipe)
    block = "hidden" if recipe == "xor" else "map"
    x = np.array(lab.network[block].w)
    lab.set_weight(f"{block}.w[0,0]", 3e38)
    lab.set_weight(f"{block}.w[1,0]", 3e38)
    frame = drawn_everywhere(lab, View(block, 0))
    assert frame.neuron is not None
    assert frame.neuron.verdict
    assert np.isfinite(x).all()


def test_a_network_of_ones_own_is_a_net_too() -> None:
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    network = tn.Network(
        [tn.Linear(3, 6, name="a"), tn.LayerNorm(6, name="norm"), tn.GELU(), tn.Linear(6, 3, name="b"), tn.Softmax()],
        input_shape=(3,),
    )
    lab = tn.Lab(network, data=(x, x.argmax(axis=1)), loss=tn.CrossEntropy(), batch=8)
    frame = drawn_everywhere(lab)
    assert frame.net is not None
    assert frame.net.inputs == ("x[0]", "x[1]", "x[2]")


def test_a_network_that_adds_up_is_not_drawn_as_one_that_weighs() -> None:
    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    inner = tn.Residual([tn.Linear(2, 2, name="inner"), tn.Tanh()], name="around")
    network = tn.Network([inner, tn.Linear(2, 2, name="out")], input_shape=(2,))
    lab = tn.Lab(network, data=(x, x.argmax(axis=1)), loss=tn.CrossEntropy(), batch=8)
    assert drawn_everywhere(lab).net is None


def test_the_map_marks_the_unit_nearest_to_the_example() -> None:
    lab = tn.Lab("colors-som")
    frame = FrameBuilder.of(lab).frame(View("map", 5), 1, Activity())
    lines = drawn(NetworkPane(), frame, 94, 27)
    assert sum(Terminal().glyph("here") in line for line in lines[1:-1]) == 1
    assert "is nearest to the example" in lines[-1]
    assert lines[-1].startswith("map[5] distance")
