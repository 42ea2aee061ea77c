"""An input of the user's own is one more example, which every pane follows; the run's probe stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panes import RECIPES

import tinynets as tn
from tinynets.data.sample import probe_rows
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, OwnInput, View
from tinynets.server.frame_builder import FrameBuilder

EXAMPLE = 3


def frame_of(builder: FrameBuilder, **view: Any) -> Frame:
    return builder.frame(View(**view), 1, Activity())


def row_of(lab: tn.Lab, example: int) -> int:
    """The number of a probe example in its split."""
    rows = probe_rows(lab.data, len(lab.probe.x), lab.recipe.training.hyper.seed, lab.network.rules)
    return int(rows[example])


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_probe_example_given_as_ones_own_input_shows_the_same_in_every_pane(recipe: str) -> None:
    lab = tn.Lab(recipe)
    lab.run(3)
    builder = FrameBuilder.of(lab)
    before = frame_of(builder, example=EXAMPLE)
    own = frame_of(builder, own=OwnInput(split=lab.probe.split, example=row_of(lab, EXAMPLE)))
    assert (own.own, own.refused, own.view.example) == (True, "", len(before.examples))
    assert own.examples[:-1] == before.examples
    assert own.examples[-1].partition(": ")[2] == before.examples[EXAMPLE]
    assert own.status == before.status
    for mine, theirs in zip(own.network or (), before.network or (), strict=True):
        assert mine.values == pytest.approx(theirs.values, abs=1e-5)
    assert own.activations is not None
    assert own.activations.values[:, -1] == pytest.approx(own.activations.values[:, EXAMPLE], abs=1e-5)
    assert own.neuron is not None
    assert before.neuron is not None
    assert own.neuron.value == pytest.approx(before.neuron.value, abs=1e-5)
    assert own.output is not None
    assert before.output is not None
    assert own.output.values == pytest.approx(before.output.values, abs=1e-5)
    assert (own.output.answer, own.output.target) == (before.output.answer, before.output.target)
    assert own.output.loss == pytest.approx(before.output.loss, abs=1e-5)


def test_the_probe_and_its_numbers_stay_bit_for_bit() -> None:
    lab = tn.Lab("names-mlp")
    lab.run(3)
    builder = FrameBuilder.of(lab)
    before, digest = frame_of(builder), lab.state.digest()
    assert frame_of(builder, own=OwnInput("emma")).status == before.status
    after = frame_of(builder)
    assert (after.examples, lab.state.digest(), len(lab.probe.x)) == (before.examples, digest, len(before.examples))
    assert after.network is not None
    assert before.network is not None
    for mine, theirs in zip(after.network, before.network, strict=True):
        assert np.array_equal(mine.values, theirs.values)


@pytest.mark.parametrize(
    ("recipe", "given"),
    [("names-mlp", "emma"), ("names-transformer", "em"), ("xor", "x=0.3 y=-1.2"), ("xor", "0.3 -1")],
)
def test_ones_own_input_is_what_the_lab_predicts(recipe: str, given: str) -> None:
    lab = tn.Lab(recipe)
    shown = frame_of(FrameBuilder.of(lab), own=OwnInput(given)).output
    assert shown is not None
    assert (shown.input, shown.loss, shown.right, shown.target) == (f"yours: {given}", None, None, -1)
    assert shown.values == pytest.approx(lab.predict(given).probabilities, abs=1e-6)


@pytest.mark.parametrize(
    ("recipe", "own", "words"),
    [
        ("names-mlp", OwnInput("Emma"), "`E` is not a known character"),
        ("xor", OwnInput("emma"), "not 'emma'"),
        ("xor", OwnInput("x=1 z=2"), "`z=2`: there is no input `z`, only x, y"),
        ("xor", OwnInput("x=1"), "x2 has none"),
        ("xor", OwnInput("x=1 x1=2 y=3"), "`x1` is given twice"),
        ("xor", OwnInput(split="dev", example=10**9), "0 to 199"),
        ("xor", OwnInput(split="nowhere"), "there is no split `nowhere`"),
        ("digits-cnn", OwnInput("x1=2"), "inputs without names"),
    ],
)
def test_what_cannot_be_an_input_is_refused_in_words_and_the_probe_is_shown(
    recipe: str, own: OwnInput, words: str
) -> None:
    frame = frame_of(FrameBuilder.of(tn.Lab(recipe)), own=own, example=2)
    assert words in frame.refused
    assert (frame.own, frame.view.example, frame.view.own) == (False, 2, own)


def test_names_of_inputs_can_stand_in_any_order() -> None:
    lab = tn.Lab("xor")
    assert lab.predict("y=-1.2, x = 0.3").values == lab.predict([0.3, -1.2]).values
    assert lab.predict("x2=-1.2 x1=0.3").values == lab.predict([0.3, -1.2]).values


def test_an_intervention_holds_on_ones_own_input_too() -> None:
    lab = tn.Lab("names-mlp")
    lab.clamp("hidden[3]", 0.25)
    frame = frame_of(FrameBuilder.of(lab), own=OwnInput("emma"), block="hidden", unit=3)
    assert frame.neuron is not None
    assert frame.neuron.value == pytest.approx(0.25)
    assert frame.neuron.clean != pytest.approx(0.25)


@pytest.mark.parametrize("recipe", ["names-mlp", "xor", "colors-som"])
@pytest.mark.parametrize("lens", ["gradient", "change", "importance"])
def test_every_lens_follows_from_the_probe_to_ones_own_input_and_to_another(recipe: str, lens: str) -> None:
    lab = tn.Lab(recipe)
    lab.run(3)
    builder = FrameBuilder.of(lab)
    frame_of(builder, lens=lens)  # what it has found for the probe does not serve
    for example in (EXAMPLE, 5):
        own = OwnInput(split=lab.probe.split, example=row_of(lab, example))
        shown, anew = (frame_of(one, lens=lens, own=own) for one in (builder, FrameBuilder.of(lab)))
        assert shown.network is not None
        assert anew.network is not None
        for mine, theirs in zip(shown.network, anew.network, strict=True):
            assert np.array_equal(mine.values, theirs.values)


@pytest.mark.parametrize(("recipe", "given"), [("names-mlp", "emma"), ("xor", "0.3 -1")])
def test_an_input_without_a_target_leaves_the_gradients_of_the_probes_loss(recipe: str, given: str) -> None:
    lab = tn.Lab(recipe)
    lab.run(3)
    builder = FrameBuilder.of(lab)
    before, own = frame_of(builder, lens="gradient"), frame_of(builder, lens="gradient", own=OwnInput(given))
    assert before.weights is not None
    assert own.weights is not None
    assert before.weights.values.any()
    assert own.weights.values == pytest.approx(before.weights.values, rel=1e-4, abs=1e-7)
    assert own.network is not None
    assert not any(cells.values.any() for cells in own.network)  # its loss is none, and has no gradient
