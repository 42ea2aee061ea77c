"""What explain, evaluate, compare and the panes show agrees with differences of the loss that the lab reports.

The networks are of many kinds, with negative and zero weights, interventions, penalties, clipping, frozen units and
rates. `pytest -m proof` checks 40 labs of each kind; with TINYNETS_PROOF=10 in the environment, 400.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.nn.block import Block
from tinynets.nn.taps import Tap
from tinynets.server.activity import Activity
from tinynets.server.frame import View
from tinynets.server.frame_builder import FrameBuilder

PROOF = 40 * int(os.environ.get("TINYNETS_PROOF", "1"))
H = 1e-6
Random = np.random.Generator


# -- labs of many kinds, with many interventions


def _layers(random: Random) -> dict[str, tuple[list[tn.Layer], tuple[int, ...]]]:
    """Kind -> hidden layers that produce 6 features, and the shape of an example."""
    activation = [tn.Tanh(), tn.Sigmoid(), tn.GELU(), tn.ELU(), tn.ReLU()][random.integers(5)]
    attention = [tn.Linear(3, 6, name="hidden"), tn.CausalSelfAttention(6, heads=2, name="attention"), tn.LastStep()]
    return {
        "mlp": ([tn.Linear(3, 6, name="first"), activation, tn.Linear(6, 6, name="hidden"), tn.Tanh()], (3,)),
        "normed": ([tn.Linear(3, 6, name="hidden"), tn.BatchNorm(6), activation, tn.Dropout(0.3)], (3,)),
        "layer-normed": ([tn.Linear(3, 6, name="hidden"), tn.LayerNorm(6), activation], (3,)),
        "residual": ([tn.Linear(3, 6, name="hidden"), tn.Residual([tn.Linear(6, 6, name="inner"), tn.Tanh()])], (3,)),
        "convolved": ([tn.Conv1d(3, 3, 3, name="hidden"), activation, tn.Flatten()], (4, 3)),
        "rnn": ([tn.RNN(3, 6, sequence=False, name="hidden")], (4, 3)),
        "gru": ([tn.GRU(3, 6, sequence=False, name="hidden"), activation], (4, 3)),
        "lstm": ([tn.LSTM(3, 6, sequence=True, name="hidden"), tn.LastStep()], (4, 3)),
        "attention": (attention, (4, 3)),
        "sequence": ([tn.RNN(3, 6, sequence=True, name="hidden"), tn.Linear(6, 6, name="each"), tn.Tanh()], (4, 3)),
        "passed-on": (
            [tn.Linear(3, 6, name="hidden"), activation, tn.Identity(name="on"), tn.Dropout(0.2), tn.Identity()],
            (3,),
        ),
        "distances": ([tn.Distances(3, 6, name="hidden"), tn.Gaussian()], (3,)),
    }


KINDS = tuple(_layers(np.random.default_rng(0)))


def _lab(kind: str, random: Random, **options: Any) -> tn.Lab:
    """A lab of a kind after some steps, with random weights, settings, edits and interventions."""
    layers, shape = _layers(random)[kind]
    loss, ending, targets = _loss(random, (30, 4) if kind == "sequence" else (30,))
    network = tn.Network([*layers, *ending], seed=int(random.integers(9)), dtype="float64", input_shape=shape)
    weight = np.round(random.normal(size=30), 1) * random.integers(0, 2, 30)
    splits = {name: (random.normal(size=(30, *shape)), targets, weight) for name in ("train", "dev")}
    defaults = {
        "optimizer": tn.SGD(0.05),
        "l1": {"hidden": 0.01},
        "l2": {"output": 0.1},
        "clip_norm": float(random.choice([0.0, 0.05])),
        "rates": {"hidden": 0.5},
        "batch": 7,
        "probe": 12,
        "seed": int(random.integers(9)),
    }
    lab = tn.Lab(network, data=splits, loss=loss, **(defaults | options))
    lab.run(int(random.integers(1, 5)))
    for block in lab.network.blocks:
        if block.units and random.random() < 0.6:
            _operate(lab, block, random)
    lab.freeze("hidden[0]")
    lab.run(1)
    return lab


def _loss(random: Random, shape: tuple[int, ...]) -> tuple[tn.Loss, list[tn.Layer], np.ndarray]:
    """A loss, the last layers for it, and targets."""
    kind = random.integers(6)
    last: list[tn.Layer] = [tn.Linear(6, 3, name="output")]
    if kind == 0:
        return tn.CrossEntropy(), last, random.integers(0, 3, shape)
    if kind == 1:
        return tn.MSE(), last, random.normal(size=(*shape, 3))
    if kind == 2:
        return tn.BinaryCrossEntropy(), last, random.integers(0, 2, (*shape, 3)).astype(float)
    if kind == 3:
        return tn.Huber(0.5), [*last, tn.Tanh()], random.normal(size=(*shape, 3))
    if kind == 4:
        return tn.MSE(), [*last, tn.Identity(name="out")], random.normal(size=(*shape, 3))
    return tn.MAE(), [*last, tn.Sigmoid()], random.normal(size=(*shape, 3))


def _operate(lab: tn.Lab, block: Block, random: Random) -> None:
    """Apply one to three operations on activations to a block, at its output or before its activation."""
    for _ in range(random.integers(1, 4)):
        site = f"{block.name}.pre" if block.pre is not None and random.random() < 0.4 else block.name
        unit = f"{site}[{random.integers(block.units)}]"
        acts: list[Callable[[], object]] = [
            lambda unit=unit: lab.zero(unit),
            lambda unit=unit: lab.clamp(unit, 0.3),
            lambda unit=unit: lab.scale(unit, -1.5),
            lambda unit=unit: lab.noise(unit, 0.2),
            lambda unit=unit: lab.mean(unit),
            lambda unit=unit: lab.resample(unit, examples=5),
            lambda unit=unit: lab.patch(unit, example=1),
        ]
        acts[random.integers(len(acts))]()


# -- explain


def _slope(lab: tn.Lab, site: str, unit: int, example: int, place: int = -1) -> float:
    """d loss / d value by differences: the loss that the lab reports for an example, a value at a site and place."""
    network, loss = lab.network, lab.recipe.training.loss
    lab.probe.forward(network)
    index = network.site(site)
    values = network.layers[index].site_values(lab.probe.workspace.buffers[index])[example][..., [unit]].copy()
    places, found = values.reshape(-1), []
    for by in (H, -H):
        places[place] += by
        lab.patch(f"{site}[{unit}]", values=values)
        found.append(float(lab.probe.losses(network, loss)[example]))
        lab.undo()
        places[place] -= by
    return (found[0] - found[1]) / (2 * H)


def _explained(kind: str, seed: int) -> int:
    """Compare what explain says about some units with differences; returns how many numbers were compared."""
    random = np.random.default_rng(seed)
    lab, held = _lab(kind, random), 0
    blocks = [block for block in lab.network.blocks if block.units]
    for block in blocks:
        unit, example = int(random.integers(block.units)), int(random.integers(12))
        found = lab.explain(f"{block.name}[{unit}]", example)
        place = found.position if len(lab.network.known_shapes[block.last]) > 2 else -1
        sites = [(block.name, found.gradient), (f"{block.name}.pre", found.gradient_pre)]
        for site, gradient in sites:
            if gradient is not None:
                slope = _slope(lab, site, unit, example, place)
                assert gradient == pytest.approx(slope, rel=1e-4, abs=1e-7), (site, unit, example, str(found))
                held += 1
        assert found.weight == lab.probe.weight[example]
        held += _effects_hold(lab, block, unit, example, found)
    return held


def _effects_hold(lab: tn.Lab, block: Block, unit: int, example: int, found: Any) -> int:
    """Check that a unit adds to the outputs what they lose when its output is 0 and its recurrence unchanged."""
    if not found.effects:
        return 0
    with_it = lab.network.predict(lab.probe.x)[example].reshape(-1, 3)[-1]
    time = f"@t={found.position}" if lab.network.time_steps(block) else ""  # the effect of earlier steps is not its own
    lab.clamp(f"{block.name}[{unit}]{time}", 0.0)
    difference = with_it - lab.network.predict(lab.probe.x)[example].reshape(-1, 3)[-1]
    lab.undo()
    names = list(lab.data.labels) or [f"output[{index}]" for index in range(3)]
    said = {entry.label: entry.value for entry in found.effects}
    assert [said[name] for name in names] == pytest.approx(list(difference), rel=1e-6, abs=1e-9)
    return 3


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_and_effects_that_explain_tells_are_differences_of_what_the_lab_reports(kind: str) -> None:
    assert sum(_explained(kind, seed) for seed in range(4)) >= 8


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
def test_so_they_are_in_many_labs(kind: str) -> None:
    held = sum(_explained(kind, seed) for seed in range(PROOF))
    print(f"\n{kind}: {held:,} numbers of {PROOF} labs held against differences")
    assert held >= 2 * PROOF


# -- what a step does


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["mlp", "convolved", "rnn", "layer-normed"])
def test_what_the_last_step_changed_follows_from_differences_of_its_loss(kind: str, seed: int) -> None:
    """The change is lr times rate times (slope of the loss and penalties), clipped, and 0 for what is frozen."""
    random = np.random.default_rng(seed)
    lab = _lab(kind, random, clip_norm=0.0, clip_value=float(random.choice([0.0, 0.02])))
    hyper = lab.state.hyper
    for unit in (0, 1):
        first = lab.network["hidden"]
        name = "w_ih" if kind == "rnn" else "w"
        shape = getattr(first, name).shape
        row = int(random.integers(np.prod(shape[:-1])))
        place = ",".join(map(str, np.unravel_index(row, shape[:-1])))
        selector, losses = f"hidden.{name}[{place},{unit}]", []
        for by in (H, -H):
            lab.nudge(selector, by)
            losses.append(lab.step().loss)
            lab.undo()
            lab.undo()
        w = float(getattr(lab.network["hidden"], name).reshape(-1, shape[-1])[row, unit])
        slope = (losses[0] - losses[1]) / (2 * H) + 0.01 * np.sign(w)
        slope = float(np.clip(slope, -hyper.clip_value, hyper.clip_value)) if hyper.clip_value else slope
        lab.step()
        changes = {
            entry.weight - entry.change: entry.change for entry in lab.explain(f"hidden[{unit}]", top=99).changes
        }
        change = changes[min(changes, key=lambda before, w=w: abs(before - w))]
        assert change == pytest.approx(0.0 if unit == 0 else -0.05 * 0.5 * slope, rel=1e-3, abs=1e-9)
        lab.undo()


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_that_the_pane_shows_in_mid_step_is_that_of_the_batchs_loss(seed: int) -> None:
    random = np.random.default_rng(seed)
    lab = _lab("mlp", random)
    view = View(block="hidden", unit=1, panes=("neuron",))
    for _ in range(len(lab.player.phase_order) - 1):
        lab.phase()
    shown = FrameBuilder.of(lab).frame(view, 1, Activity()).neuron
    assert shown is not None
    losses = []
    values = lab.player.trainer.workspace.units_behind(lab.network, lab.network.block("hidden").last)[:, 1].copy()
    x = lab.player.trainer.x_batch.copy()
    y, loss = lab.player.trainer.y_batch.copy(), lab.recipe.training.loss
    lab.back()
    weight = lab.player.trainer.loss_buffers.weight
    state, index = lab.state_now, lab.network.site("hidden")
    assert len(values) == 7
    for by in (H, -H):
        tap = lab.network.taps[index]
        lab.network.taps[index] = Tap(
            np.where(np.arange(6) == 1, 0.0, 1.0 if tap is None else tap.multiply),
            np.zeros(6),
            _with_unit(tap, values + by),
        )
        out = lab.network.predict(x)
        lab.network.taps[index] = tap
        losses.append(float((loss.each(out, y) * weight).mean()))
    assert state is lab.state_now
    assert shown.gradient == pytest.approx((losses[0] - losses[1]) / (2 * H) / 7, rel=1e-4, abs=1e-8)


def _with_unit(tap: Any, values: np.ndarray) -> Callable[[int], np.ndarray]:
    """What a tap adds, but with the given values at unit 1."""

    def draw(batch: int) -> np.ndarray:
        add = np.zeros((batch, 6)) if tap is None else np.broadcast_to(tap.terms(batch), (batch, 6)).copy()
        add[:, 1] = values
        return add

    return draw


# -- losses and accuracies


def _measured(lab: tn.Lab, x: Any, y: Any, weight: Any) -> tuple[float, float | None]:
    """Loss and accuracy, computed one example at a time."""
    loss, out = lab.recipe.training.loss, lab.network.predict(x)
    losses = [float(loss.each(out[i : i + 1], y[i : i + 1])[0]) * weight[i] for i in range(len(x))]
    hits: list[bool] = []
    for i in np.flatnonzero(weight):
        right = loss.right(out[i : i + 1], y[i : i + 1])
        if right is None:
            return float(np.mean(losses)), None
        hits += [bool(hit) == (weight[i] > 0) for hit in right.reshape(-1)]
    return float(np.mean(losses)), float(np.mean(hits)) if hits else None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_every_loss_and_accuracy_shown_is_that_of_the_weighted_examples(kind: str, seed: int) -> None:
    lab = _lab(kind, np.random.default_rng(seed))
    for entry in [entry for entry in lab.interventions if entry.op in ("noise", "resample")]:
        lab.release(entry.selector())  # its random numbers depend on the place in a batch
    for split in ("train", "dev"):
        expected = _measured(lab, *lab.split(split), lab.data.weights[split])
        found = lab.evaluate(split)
        assert (found.loss, found.accuracy) == pytest.approx(expected)
    probe = lab.probe
    loss, accuracy = _measured(lab, probe.x, probe.y, probe.weight)
    assert lab.probe_measures() == pytest.approx((loss, accuracy))
    frame = FrameBuilder.of(lab).frame(View(example=3, panes=("output",)), 1, Activity())
    assert frame.status.probe_loss == pytest.approx(loss)
    assert frame.output is not None
    assert frame.output.loss == pytest.approx(float(probe.losses(lab.network, lab.recipe.training.loss)[3]))
    lab.fork("other")
    side = lab.compare("main").b
    assert (side.probe_loss, side.probe_accuracy) == pytest.approx((loss, accuracy))
    report = lab.scale("hidden[2]", 0.5)
    after = _measured(lab, probe.x, probe.y, probe.weight)
    assert (report.before, report.accuracy_before) == pytest.approx((loss, accuracy))
    assert (report.after, report.accuracy_after) == pytest.approx(after)


def test_where_all_weigh_nothing_there_is_no_accuracy() -> None:
    x = np.random.default_rng(0).normal(size=(9, 2))
    network = tn.Network([tn.Linear(2, 2)], dtype="float64")
    lab = tn.Lab(network, data=(x, (x[:, 0] > 0).astype(int), np.zeros(9)), loss=tn.CrossEntropy())
    assert lab.probe_measures() == (0.0, None)
    assert lab.evaluate("train").accuracy is None


def test_the_gradient_of_a_map_is_that_of_the_loss_by_which_it_is_measured() -> None:
    x = np.random.default_rng(0).uniform(size=(30, 3))
    network = tn.Network([tn.Distances(3, 6, name="map")], dtype="float64")
    lab = tn.Lab(network, data=x, loss=tn.Kohonen((2, 3), steps=50), optimizer=tn.SGD(0.2), batch=1)
    lab.run(5)  # the radius, which the steps depend on, has not shrunk yet
    for unit in range(6):
        assert lab.explain(f"map[{unit}]", 2).gradient == pytest.approx(_slope(lab, "map", unit, 2), abs=1e-8)
