"""What the panes show through each lens, and at each phase of a step."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from panes import PLAIN, RECIPES, drawn

import tinynets as tn
from tinynets.measure.lens_names import LENSES
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, View
from tinynets.server.frame_builder import FrameBuilder
from tui.render.palette import Terminal
from tui.widgets.activations import ActivationsPane
from tui.widgets.network import NetworkPane
from tui.widgets.neuron import NeuronPane
from tui.widgets.output import OutputPane
from tui.widgets.weights import WeightsPane

SHOWN = ("network", "weights", "activations", "neuron", "output")
KINDS = (NetworkPane, WeightsPane, ActivationsPane, NeuronPane, OutputPane)
SIZES = ((93, 16), (57, 9), (36, 7))
STEP = {
    "batch": 1,
    "embed": 2,
    "sum": 4,
    "tanh": 5,
    "loss": 7,
    "back output": 8,
    "back tanh": 9,
    "back hidden": 10,
    "update": 13,
}
"""Phases of names-mlp, by how many are done."""


@cache
def at(done: int, block: str = "hidden", lens: str = "auto") -> Frame:
    """The frame of names-mlp in its third step, after that many phases."""
    lab = tn.Lab("names-mlp")
    lab.run(2)
    builder = FrameBuilder.of(lab)
    view = View(block, panes=SHOWN, lens=lens, batch_example=3)
    for number in range(done):
        lab.phase()
        builder.frame(view, number, Activity())
    return builder.frame(view, done + 1, Activity())


@pytest.mark.proof
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_pane_draws_every_recipe_at_every_phase_through_every_lens(recipe: str) -> None:
    lab = tn.Lab(recipe)
    lab.run(2)
    builder = FrameBuilder.of(lab)
    block = builder.frame(View(panes=()), 0, Activity()).view.block
    for done in range(2 * len(lab.network.layers) + 4):
        for lens in ("auto", *LENSES):
            view = View(block, panes=SHOWN, lens=lens)
            frame = builder.frame(view, done, Activity())
            look = PLAIN if done % 2 else Terminal()
            for kind in KINDS:
                drawn(kind(), frame, *SIZES[done % len(SIZES)], look)
        lab.phase()


def lines(kind: type, frame: Frame, width: int = 93, height: int = 16, look: Terminal = Terminal()) -> tuple[str, str]:  # noqa: B008
    """The title and the lines of a pane."""
    pane = kind()
    text = "\n".join(drawn(pane, frame, width, height, look))
    return pane.detail, text


def test_the_batch_is_listed_as_soon_as_it_is_drawn() -> None:
    frame = at(STEP["batch"])
    title, text = lines(ActivationsPane, frame)
    assert title == "batch of step 3: 32 examples"
    assert all(example in text for example in frame.examples)
    assert lines(NeuronPane, frame) == ("hidden[0]", lines(NeuronPane, frame)[1])
    assert "not yet: forward has not reached hidden" in lines(NeuronPane, frame)[1]
    title, text = lines(OutputPane, frame)
    assert title == "not yet; the batch of step 3"
    assert frame.examples[3] in text
    title, text = lines(NetworkPane, frame)
    assert title == f"each unit on the batch of step 3: {frame.examples[3]}  (4 of 32; key , changes it)"
    assert text.count("not yet") == 4
    assert text.rstrip().endswith("hidden: not yet")


@pytest.mark.parametrize(("look", "hatch"), [(Terminal(), "╱"), (PLAIN, "/")])
def test_what_forward_has_not_reached_is_hatched(look: Terminal, hatch: str) -> None:
    title, text = lines(ActivationsPane, at(STEP["sum"]), look=look)
    assert title == "hidden on batch of step 3: 32 examples, not yet"
    assert hatch * 40 in text
    title, text = lines(ActivationsPane, at(STEP["tanh"]), look=look)
    assert title == "hidden on batch of step 3: 32 examples, arrived"
    assert hatch * 2 not in text
    network = lines(NetworkPane, at(STEP["tanh"]), look=look)[1].split("\n")
    row = next(i for i, text in enumerate(network) if "output  not yet" in text)
    assert hatch * 54 in network[row + 1]


def test_the_losses_of_the_examples_are_listed_with_the_worst_first() -> None:
    frame = at(STEP["loss"])
    title, text = lines(ActivationsPane, frame)
    assert title == "batch of step 3: 32 examples, the largest loss first"
    assert frame.activations is not None
    losses = frame.activations.losses
    assert losses is not None
    worst = max(range(32), key=lambda example: losses[example])
    assert text.startswith(f"{frame.examples[worst]} ")
    assert f"mean {losses.mean():.3f}" in text
    pane = ActivationsPane()
    drawn(pane, frame, 93, 12)
    pane.selection = replace(pane.selection, example=worst)
    chosen = pane.moved(0, 1)
    assert chosen is not None
    second = sorted(losses, reverse=True)[1]
    assert chosen.example is not None
    assert losses[chosen.example] == second


def test_gradients_go_back_from_block_to_block() -> None:
    title, text = lines(WeightsPane, at(STEP["back tanh"]))
    assert title == "hidden.w (30, 200)  d loss / d w of the batch's loss"
    assert "╱" in text
    assert text.split("\n")[-1].startswith("not yet")
    assert "╱" not in lines(WeightsPane, at(STEP["back hidden"]))[1]
    network = lines(NetworkPane, at(STEP["back output"]))[1]
    assert network.count("not yet") == 3  # two blocks, and the legend of the selected one
    assert "lens auto: gradient  d loss / d output of the batch's loss" in network
    neuron = lines(NeuronPane, at(STEP["back tanh"]))[1]
    frame = at(STEP["back tanh"])
    assert frame.neuron is not None
    assert f"here {frame.neuron.gradient_here:+.1e}" in neuron


def test_the_update_is_shown_as_what_it_changed() -> None:
    frame = at(STEP["update"])
    assert not frame.of_batch
    assert lines(WeightsPane, frame)[0] == "hidden.w (30, 200)  change of w by the update of step 3"
    assert lines(ActivationsPane, frame)[0] == (
        "hidden  change of output by the update of step 3, on 64 probe examples"
    )
    assert "lens auto: change  change of output by the update of step 3" in lines(NetworkPane, frame)[1]


@pytest.mark.parametrize("lens", LENSES)
def test_what_is_saturated_is_said_of_values_alone(lens: str) -> None:
    text = lines(ActivationsPane, at(0, lens=lens))[1]
    assert ("saturated" in text) == (lens == "value")
    assert f"lens {lens}" in lines(NetworkPane, at(0, lens=lens))[1]


def test_exact_worth_is_called_so() -> None:
    frame = at(0, lens="importance")
    assert frame.network is not None
    exact = [replace(cells, words="loss without it - loss, measured") for cells in frame.network]
    text = lines(NetworkPane, replace(frame, network=tuple(exact)))[1]
    assert "lens importance  loss without it - loss, measured  " in text
    title, text = lines(NetworkPane, frame)
    assert title == "importance of each unit, summed over 64 probe examples"
    assert "lens importance  -output x d loss / d output  " in text


@pytest.mark.parametrize("kind", KINDS)
def test_no_title_stays_behind_where_a_block_has_nothing_to_show(kind: type) -> None:
    lab = tn.Lab("names-transformer")
    builder = FrameBuilder.of(lab)
    pane = kind()
    drawn(pane, builder.frame(View("block2b.down", panes=SHOWN), 1, Activity()), 93, 16)
    before = pane.detail
    after = replace(builder.frame(View("block2b", panes=SHOWN), 2, Activity()))
    drawn(pane, after, 93, 16)
    assert "block2b.down" not in pane.detail
    assert before
    nothing = replace(after, activations=None, neuron=None, weights=None, output=None)
    drawn(pane, nothing, 93, 16)
    assert "block2b.down" not in pane.detail
