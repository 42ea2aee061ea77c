"""The examples with what the network says for each, against the lab's own measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panes import RECIPES

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import Examples, View
from tinynets.server.frame_builder import FrameBuilder
from tinynets.server.panes.examples import MOST, rows_of


def listed(lab: tn.Lab, **view: Any) -> Examples:
    found = FrameBuilder.of(lab).frame(View(**view), 1, Activity()).answers
    assert found is not None
    return found


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_losses_of_the_examples_are_those_of_the_probe(recipe: str) -> None:
    lab = tn.Lab(recipe)
    found = listed(lab)
    loss, accuracy = lab.probe_measures()
    assert found.loss.mean() == pytest.approx(loss, rel=1e-5)
    assert (found.wrong is None) == (accuracy is None)
    if found.wrong is not None:
        assert (~found.wrong).mean() == pytest.approx(accuracy)
    assert len(found.captions) == len(found.rows) == found.total == len(lab.probe.x)


@pytest.mark.parametrize("recipe", ["digits", "xor", "perceptron"])
def test_a_whole_split_is_what_the_lab_evaluates(recipe: str) -> None:
    lab = tn.Lab(recipe)
    lab.run(20)
    found, dev = listed(lab, split="dev"), lab.evaluate("dev")
    assert found.loss.mean() == pytest.approx(dev.loss, rel=1e-5)
    assert found.wrong is not None
    assert (~found.wrong).mean() == pytest.approx(dev.accuracy)
    assert found.confusion is not None
    assert np.trace(found.confusion) == (~found.wrong).sum()
    assert found.confusion.sum() == found.total


def test_of_a_large_split_evenly_spaced_examples_are_listed() -> None:
    lab = tn.Lab("names-mlp")
    found = listed(lab, split="dev")
    assert (len(found.rows), found.total) == (MOST, len(lab.data["dev"][0]))
    assert (found.rows[0], found.rows[-1]) == (0, found.total - 1)
    at = 1234
    said = lab.predict(example=int(found.rows[at]), split="dev")
    assert found.share[at] == pytest.approx(max(said.probabilities), abs=1e-6)
    assert found.captions[at] == said.text
    assert rows_of(7).tolist() == list(range(7))


def test_digits_come_as_small_pictures() -> None:
    lab = tn.Lab("digits")
    found = listed(lab)
    assert found.pictures is not None
    assert found.pictures.shape == (64, 8, 8)
    ink = lab.probe.x[5].reshape(8, 8)
    assert np.abs(found.pictures[5] / 255 - ink).max() < 0.01
    assert listed(tn.Lab("xor")).pictures is None


def test_what_no_pane_shows_is_not_sent() -> None:
    found = listed(tn.Lab("digits"), panes=("loss",), split="dev")
    assert (found.split, found.captions, found.pictures, found.confusion) == ("", (), None, None)


def test_while_a_run_moves_the_answers_for_a_split_are_asked_only_now_and_then() -> None:
    lab = tn.Lab("xor")
    builder = FrameBuilder.of(lab)

    def loss(mode: str) -> float:
        found = builder.frame(View(split="dev"), 1, Activity(mode)).answers
        assert found is not None
        return float(found.loss.mean())

    first = loss("running")
    lab.run(5)
    assert loss("running") == first
    assert loss("paused") != first


def test_nan_outputs_are_wrong_and_no_answer() -> None:
    lab = tn.Lab("xor")
    lab.set_weight("output.w[0,0]", 3e38)
    lab.set_weight("output.w[1,0]", 3e38)
    lab.scale("hidden", 1e38)
    found = listed(lab)
    assert found.wrong is not None
    assert found.wrong[found.answer < 0].all()
    assert (found.answer < 0).any()
