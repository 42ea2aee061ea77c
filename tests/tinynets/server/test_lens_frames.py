"""Frames through a lens: what they say of it, and what they do not compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.experiment.scene import Scene
from tinynets.lab.lab import experiment_of
from tinynets.measure.aside import Aside, Past
from tinynets.measure.block_view import BlockViews
from tinynets.measure.lens import Lenses
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, View
from tinynets.server.frame_builder import FrameBuilder
from tinynets.server.panes.network import EXACT, cells

Make = Callable[..., tn.Lab]


def look(lab: tn.Lab, *, builder: FrameBuilder | None = None, **view: Any) -> Frame:
    panes = ("network", "weights", "activations")
    return (builder or FrameBuilder.of(lab)).frame(View(**({"panes": panes} | view)), 1, Activity())


def test_a_frame_says_which_lens_it_shows_and_of_what(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(4)
    lab.bookmark("here")
    wanted = {
        "auto": ("value", ""),
        "gradient": ("gradient", "of the probe's loss"),
        "change": ("change", "by the update of step 4"),
        "importance": ("importance", "summed over 40 probe examples"),
    }
    for lens, (name, of) in wanted.items():
        shown = look(lab, lens=lens).lens
        assert (shown.name, shown.by_hand, shown.of) == (name, lens != "auto", of)
    assert look(lab, lens="change", against="here").lens.of == "since bookmark here (step 4)"
    lab.phase()
    assert look(lab, lens="gradient").lens.of == "of the batch's loss, ahead of backward"
    assert look(lab, lens="importance").lens.of == "summed over 8 batch examples"
    for _ in range(7):
        lab.phase()
    assert look(lab, lens="gradient").lens.of == "of the batch's loss"


def test_full_colour_fits_what_the_lens_shows(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(4)
    frame = look(lab, lens="gradient", block="hidden")
    assert frame.network is not None
    assert frame.weights is not None
    assert frame.activations is not None
    for pane in (frame.network[0], frame.weights, frame.activations):
        assert 0.1 * pane.limit < np.abs(pane.values).max() < 10 * pane.limit
    assert not frame.activations.saturated.any()


def test_nothing_is_computed_for_panes_that_are_not_shown(make_tiny: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = make_tiny()
    lab.run(4)

    def never(*_: object) -> None:
        raise AssertionError("computed")

    monkeypatch.setattr(Aside, "gradients", never)
    monkeypatch.setattr(Past, "forward", never)
    for lens in ("gradient", "change", "importance"):
        look(lab, lens=lens, panes=("loss", "neuron"))
    monkeypatch.undo()


def test_one_moment_is_computed_once(make_tiny: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = make_tiny()
    lab.run(4)
    builder, begun = FrameBuilder.of(lab), []
    backward = tn.Network.backward
    monkeypatch.setattr(tn.Network, "backward", lambda *given: begun.append(1) or backward(*given))
    for unit in range(3):
        look(lab, builder=builder, lens="gradient", unit=unit)
        look(lab, builder=builder, lens="importance", unit=unit)
    assert len(begun) == 1
    lab.zero("hidden[1]")
    look(lab, builder=builder, lens="gradient")
    assert len(begun) == 2


def test_in_mid_step_the_batch_has_a_selected_example_of_its_own(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(1)
    frame = look(lab, example=30, batch_example=5)
    assert (frame.of_batch, frame.example, len(frame.examples)) == (False, 30, 40)
    for _ in range(3):
        lab.phase()
    frame = look(lab, example=30, batch_example=5, block="hidden")
    assert (frame.of_batch, frame.example, len(frame.examples), frame.view.example) == (True, 5, 8, 30)
    assert frame.network is not None
    expected = lab.player.trainer.workspace.output_of(1)
    np.testing.assert_array_equal(frame.network[0].values[0], expected[5])
    assert look(lab, batch_example=99).example == 7


def test_units_whose_worth_was_measured_show_it_as_their_importance(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(3)
    experiment = experiment_of(lab)
    experiment.probe.forward(lab.network)
    scene, worth = Scene.of(experiment), np.linspace(-0.5, 2, 6)
    for name, exact in (("importance", True), ("gradient", False)):
        lens = Lenses().lens(experiment, scene, name, "", moving=False)
        hidden, output = cells(lens, BlockViews(experiment, scene), 0, {"hidden": worth})
        assert (hidden.words == EXACT) == exact
        assert np.allclose(hidden.values[0], worth) == exact
        assert not output.words


def test_the_edges_of_a_net_are_the_weights_through_the_lens(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(4)
    shown = {lens: look(lab, lens=lens, block="hidden") for lens in ("value", "gradient", "change", "importance")}
    for frame in shown.values():
        assert frame.net is not None
        assert frame.weights is not None
        np.testing.assert_allclose(frame.net.links[0].weights, frame.weights.values, rtol=1e-6)
    for _ in range(6):
        lab.phase()
    hidden, output = look(lab).net.links  # type: ignore[union-attr]
    assert not hidden.weights.any()  # backward has not come there
    assert output.weights.any()
