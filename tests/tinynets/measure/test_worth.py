"""The worth of a unit is what zeroing it does to the loss, whatever the network, the data and what stands on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from samples import lab_of

import tinynets as tn
from tinynets.experiment.experiment import Experiment
from tinynets.jobs import run_to_end
from tinynets.lab.lab import experiment_of
from tinynets.measure.worth import worth
from tinynets.nn.layers import LAYERS
from tinynets.numerics import rng
from tinynets.recipes.catalog import list_recipes

Make = Callable[..., tn.Lab]
RECIPES = [entry.name for entry in list_recipes()]


def checked(lab: tn.Lab, block: str, units: list[int], within: float, **how: Any) -> None:
    """Compare with zeroing these units in the lab itself and evaluating."""
    digest = lab.state.digest()
    found = lab.worth(block, **how)
    assert lab.state.digest() == digest
    examples = how.get("examples", 2000)
    now = lab.evaluate(how.get("split"), examples=examples).loss
    assert found.loss == pytest.approx(now, abs=within)
    for unit in units:
        lab.zero(f"{block}[{unit}]")
        assert found.without[unit] == pytest.approx(lab.evaluate(how.get("split"), examples=examples).loss, abs=within)
        lab.undo()


@pytest.mark.parametrize("recipe", RECIPES)
def test_worth_is_what_zeroing_and_evaluating_gives(recipe: str) -> None:
    lab = tn.Lab(recipe)
    lab.run(2)
    for block in (block for block in lab.network.blocks if block.units):
        checked(lab, block.name, [0, block.units - 1], 1e-5, examples=50)


@pytest.mark.parametrize("recipe", ["names-gru", "modular", "digits-cnn"])
def test_it_is_exact_in_double_precision(recipe: str) -> None:
    lab = tn.Lab(recipe)
    made = replace(lab.recipe, training=replace(lab.recipe.training, dtype="float64"))
    experiment = Experiment.start(made, lab.data)
    for block in (block for block in experiment.network.blocks if block.units):
        found = run_to_end(worth(experiment, block.name, "train", 40))
        x, y = (part[rows_of(experiment, 40)] for part in experiment.splits["train"])
        for unit in (0, block.units - 1):
            network = tn.Network(experiment.network.parts, dtype="float64", theta=experiment.network.theta.copy())
            multiply = np.ones(block.units)
            multiply[unit] = 0
            if not network.layers[block.first].taps_itself:
                network.intervene(block.name, multiply=multiply)
                loss = float(experiment.loss.each(network.forward(x), y).mean())
                assert found.without[unit] == pytest.approx(loss, abs=1e-12)


def rows_of(experiment: Experiment, count: int) -> Any:
    total = len(experiment.data.splits["train"][0])
    return np.sort(rng.permutation(experiment.evaluator.seed, "evaluate train", 0, total)[:count])


WORDS = np.random.default_rng(0).integers(0, 5, (30, 4)), np.random.default_rng(1).integers(0, 2, 30)
IMAGES = np.random.default_rng(2).normal(size=(30, 8, 8, 1)), WORDS[1]
POINTS = np.random.default_rng(3).normal(size=(30, 6)), WORDS[1]
ROWS = np.random.default_rng(4).normal(size=(30, 4, 6)), WORDS[1]


def _of_points(*layers: tn.Layer) -> tn.Lab:
    return lab_of([*layers, tn.Linear(6, 2, name="out")], POINTS, (6,))


def _of_rows(layer: tn.Layer, size: int) -> tn.Lab:
    return lab_of([layer, tn.Flatten(), tn.Linear(size, 2, name="out")], ROWS, (4, 6))


def _of_words(*layers: tn.Layer, size: int) -> tn.Lab:
    return lab_of([tn.Embedding(5, 4), *layers, tn.Linear(size, 2, name="out")], WORDS, (4,))


def _of_images(*layers: tn.Layer, size: int) -> tn.Lab:
    return lab_of([*layers, tn.Flatten(), tn.Linear(size, 2, name="out")], IMAGES, (8, 8, 1))


LABS: dict[str, Callable[[], tn.Lab]] = {
    "linear": lambda: _of_points(tn.Linear(6, 6)),
    "embedding": lambda: _of_words(tn.Flatten(), size=16),
    "flatten": lambda: _of_words(tn.Flatten(), size=16),
    "batch-norm": lambda: _of_points(tn.Linear(6, 6), tn.BatchNorm(6), tn.Tanh()),
    "layer-norm": lambda: _of_points(tn.Linear(6, 6), tn.LayerNorm(6)),
    "dropout": lambda: _of_points(tn.Linear(6, 6), tn.Dropout(0.3)),
    "positional-embedding": lambda: _of_words(tn.PositionalEmbedding(4, 4), tn.Flatten(), size=16),
    "flatten-consecutive": lambda: _of_words(tn.FlattenConsecutive(2), tn.Linear(8, 3), tn.Flatten(), size=6),
    "reshape": lambda: _of_words(tn.Reshape([2, -1]), tn.Linear(8, 3), tn.Flatten(), size=6),
    "last-step": lambda: _of_words(tn.LastStep(), size=4),
    "conv1d": lambda: _of_rows(tn.Conv1d(6, 3, 2), 9),
    "conv2d": lambda: _of_images(tn.Conv2d(1, 2, 3), tn.ReLU(), size=72),
    "max-pool2d": lambda: _of_images(tn.Conv2d(1, 2, 3), tn.MaxPool2d(2), size=18),
    "avg-pool2d": lambda: _of_images(tn.Conv2d(1, 2, 3), tn.AvgPool2d(2), size=18),
    "global-avg-pool": lambda: lab_of(
        [tn.Conv2d(1, 3, 3), tn.GlobalAvgPool(), tn.Linear(3, 2)], IMAGES, (8, 8, 1)
    ),
    "rnn": lambda: _of_rows(tn.RNN(6, 3), 12),
    "gru": lambda: _of_rows(tn.GRU(6, 3), 12),
    "lstm": lambda: _of_rows(tn.LSTM(6, 3), 12),
    "causal-self-attention": lambda: _of_rows(tn.CausalSelfAttention(6, 2), 24),
    "distances": lambda: _of_points(tn.Distances(6, 6), tn.Gaussian(0.9)),
    "residual": lambda: _of_points(tn.Linear(6, 6), tn.Residual([tn.Linear(6, 6), tn.Tanh()])),
    "parallel": lambda: _of_points(
        tn.Linear(6, 6), tn.Parallel([[tn.Linear(6, 2)], [tn.Linear(6, 4, name="other"), tn.ReLU()]])
    ),
    **{
        kind: lambda kind=kind: _of_points(tn.Linear(6, 6), LAYERS[kind]())
        for kind in (
            "tanh", "relu", "sigmoid", "identity", "step", "leaky-relu", "elu", "gelu", "silu", "softplus", "gaussian",
            "softmax",
        )
    },
}  # fmt: skip


def test_the_labs_here_have_every_kind_of_layer() -> None:
    assert set(LABS) == set(LAYERS)


@pytest.mark.parametrize("kind", sorted(LABS))
def test_worth_is_right_before_and_behind_every_kind_of_layer(kind: str) -> None:
    lab = LABS[kind]()
    for block in (block for block in lab.network.blocks if block.units):
        checked(lab, block.name, list(range(block.units)), 1e-6, split="train")


def test_what_stands_on_activations_stands_while_it_is_measured(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    lab.clamp("hidden[1]", 0.5)
    lab.noise("hidden[0,1,2]", 0.3)
    lab.scale("hidden.pre[3]", 2)
    lab.zero("hidden[5]")
    checked(lab, "hidden", list(range(6)), 1e-12)
    assert lab.worth("hidden").values[5] == 0


def test_larger_splits_are_measured_in_parts(monkeypatch: pytest.MonkeyPatch, make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    whole = lab.worth("hidden", examples=None).without
    monkeypatch.setattr("tinynets.measure.worth.CHUNK", 7)
    np.testing.assert_allclose(lab.worth("hidden", examples=None).without, whole, rtol=1e-13)


def test_it_can_be_cancelled_and_says_how_far_it_is(make_tiny: Make) -> None:
    lab = make_tiny()
    digest = lab.state.digest()
    job = lab.work("worth", ("hidden",), {})
    told = [next(job) for _ in range(4)]
    job.close()
    assert [progress.done for progress in told] == [40, 80, 120, 160]
    assert {progress.total for progress in told} == {280}
    assert lab.state.digest() == digest
    assert len(lab.worth("hidden").values) == 6


def test_it_says_which_matter_most_and_on_what(make_tiny: Make) -> None:
    lab = make_tiny()
    found = lab.worth("hidden", examples=10)
    best = int(found.values.argmax())
    assert found.best == best
    assert f"hidden[{best}] {found.values[best]:+.4f}" in str(found)
    assert "(train, 10 of 40 examples)" in str(found)
    assert (found.step, found.moment) == (0, experiment_of(lab).moment)


def test_what_cannot_be_measured_is_refused(make_tiny: Make, says: Callable[..., Any]) -> None:
    lab = make_tiny()
    with says(tn.SelectorError, "`worth` is of all units of a block, as `hidden`, not of `hidden[3]`"):
        lab.worth("hidden[3]")
    with says(tn.EditError, "there is no split `dve`, only train"):
        lab.worth("hidden", split="dve")
    with pytest.raises(tn.TinynetsError, match="examples"):
        lab.worth("hidden", examples=0)


def test_a_loss_that_overflows_has_a_worth_that_is_no_number_and_warns_of_nothing() -> None:
    network = tn.Network([tn.Linear(2, 3, name="hidden"), tn.Linear(3, 2, name="output")], seed=0)
    lab = tn.Lab(network, data=(np.eye(2), [0, 1]), loss=tn.CrossEntropy())
    lab.scale("output", 3e38)
    lab.scale("output", 3e38)
    found = lab.worth("hidden")
    assert not np.isfinite(found.loss)
    assert np.isnan(found.values).all()
    assert (found.best, str(found).startswith("worth most: hidden[0]")) == (0, True)
