"""Every recipe that ships steps, replays, freezes, shows itself in every pane, and learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tinynets as tn
from tinynets.history.player import Stops
from tinynets.nn.som import topographic_error
from tinynets.recipes.catalog import list_recipes
from tinynets.server.activity import Activity
from tinynets.server.frame import View
from tinynets.server.frame_builder import FrameBuilder

NAMES = [entry.name for entry in list_recipes()]
TEXTS = [name for name in NAMES if name.startswith("names")]


@pytest.fixture(scope="module", params=NAMES)
def lab(request: pytest.FixtureRequest) -> tn.Lab:
    """A lab of each recipe in turn, shared by the tests: each continues where the last one stopped."""
    made = tn.Lab(request.param)
    made.run(3)
    return made


def blocks(lab: tn.Lab) -> list[str]:
    return [block.name for block in lab.network.blocks if block.units]


def test_a_step_in_phases_is_the_step_at_once(lab: tn.Lab) -> None:
    start = lab.step_number
    lab.step()
    whole = lab.state.digest()
    lab.back()
    first = lab.phase()
    assert first.total == 2 * len(lab.network.layers) + 3
    for _ in range(first.total - 1):
        lab.phase()
    assert lab.step_number == start + 1
    assert lab.state.digest() == whole


def test_what_is_zeroed_is_zero_and_what_is_frozen_stays(lab: tn.Lab) -> None:
    start = lab.moment
    for name in blocks(lab):
        block = lab.network.block(name)
        lab.zero(f"{name}[0]")
        lab.probe.forward(lab.network)
        assert not lab.probe.workspace.units_behind(lab.network, block.last)[..., 0].any()
    learning = [name for name in blocks(lab) if lab.network.block_parameters(lab.network.block(name))]
    for name in learning:
        lab.freeze(f"{name}[0]")
    kept = [lab.network.unit_indices(lab.network.block(name), [0]) for name in learning]
    before = lab.network.theta.copy()
    lab.run(2)
    for name in blocks(lab):
        lab.release(f"{name}[0]")
    lab.run(2)
    for places in kept:
        assert np.array_equal(lab.network.theta[places], before[places])
    if lab.network.theta.size > sum(len(places) for places in kept):
        assert not np.array_equal(lab.network.theta, before)
    for name in learning:
        lab.unfreeze(f"{name}[0]")
    assert lab.moment.step == start.step + 4


def test_a_save_opens_at_the_same_bytes_and_replays_to_the_same(lab: tn.Lab, tmp_path: Path) -> None:
    lab.save(tmp_path / "lab.msgpack")
    again = tn.Lab(tmp_path / "lab.msgpack")
    assert again.recipe == lab.recipe
    assert again.state.digest() == lab.state.digest()
    assert again.data.sha256 == lab.data.sha256
    assert again.data.describe("train", 0) == lab.data.describe("train", 0)
    end = lab.state.digest()
    again.seek(1)
    again.seek(lab.step_number)
    assert again.state.digest() == end


def test_every_pane_shows_every_block(lab: tn.Lab) -> None:
    lab.run(1)
    builder = FrameBuilder.of(lab)
    check_panes(lab, builder, len(lab.probe.x))
    for _ in range(lab.player.phases_done, 2 * len(lab.network.layers) + 1):
        lab.phase()  # the backward pass has passed every block but the first
    check_panes(lab, builder, lab.recipe.training.hyper.batch)


def check_panes(lab: tn.Lab, builder: FrameBuilder, examples: int) -> None:
    for name in blocks(lab):
        block = lab.network.block(name)
        frame = builder.frame(View(block=name, unit=block.units - 1, example=1, lens="value"), 1, Activity())
        assert frame.view.block == name
        outline = next(entry for entry in frame.blocks if entry.name == name)
        cells = next(entry for entry in frame.network or () if entry.name == name)
        assert cells.values.shape == (outline.positions, block.units)
        assert frame.activations is not None
        assert len(frame.examples) == examples
        assert frame.activations.values.shape == (block.units, examples)
        assert (frame.weights is not None) == outline.has_weights
        if frame.weights is not None:
            assert frame.weights.values.shape == (len(frame.weights.rows), block.units)
            assert frame.weights.limit > 0
        neuron = frame.neuron
        assert neuron is not None
        assert neuron.value == pytest.approx(float(cells.values[neuron.position, -1]))
        assert neuron.clean == neuron.value
        if neuron.weighted is not None and neuron.pre is not None:
            assert neuron.pre == pytest.approx(neuron.weighted + (neuron.bias or 0.0), abs=1e-4)
        assert frame.output is not None
        assert np.isfinite(frame.output.values).all()


def test_the_words_of_a_recipe_fit_in_a_line() -> None:
    for entry in list_recipes():
        assert 20 < len(entry.description) < 110, entry.name


@pytest.mark.parametrize("name", TEXTS)
def test_a_network_of_names_writes_names(name: str) -> None:
    lab = tn.Lab(name)
    written = lab.sample(3, prefix="ma")
    assert written == lab.sample(3, prefix="ma")
    assert all(text.startswith("ma") for text in written)
    assert sum(lab.predict("emm").probabilities) == pytest.approx(1)


def learned(name: str, steps: int, split: str = "dev") -> tn.Evaluation:
    """The evaluation after so many steps of a recipe, evaluated only then."""
    lab = tn.Lab(name)
    lab.player.stops = Stops()
    lab.run(steps)
    return lab.evaluate(split)


@pytest.mark.parametrize(
    ("name", "steps", "accuracy"),
    [
        ("xor", 300, 0.98),
        ("spiral", 2000, 0.95),
        ("spiral-rbf", 1000, 0.95),
        ("modular", 1000, 0.95),
        ("perceptron", 600, 1.0),
        ("digits", 600, 0.94),
        ("digits-cnn", 500, 0.95),
    ],
)
def test_a_recipe_learns_its_classes(name: str, steps: int, accuracy: float) -> None:
    found = learned(name, steps).accuracy
    assert found is not None
    assert found >= accuracy


@pytest.mark.parametrize("name", TEXTS)
def test_a_network_of_names_learns_more_than_how_frequent_letters_are(name: str) -> None:
    lab = tn.Lab(name)
    first = lab.probe_loss()
    lab.run(100)
    assert first == pytest.approx(np.log(27), abs=0.05)
    assert lab.losses[80:].mean() < 2.82  # the entropy of single letters


def test_a_map_of_colours_keeps_neighbours_together() -> None:
    lab = tn.Lab("colors-som")
    w = lab.network["map"].w
    every = np.concatenate([x for x, _ in lab.data.splits.values()])
    assert topographic_error(w, every, (12, 12)) > 0.5
    lab.run(lab.recipe.training.steps)
    assert topographic_error(lab.network["map"].w, every, (12, 12)) < 0.1
