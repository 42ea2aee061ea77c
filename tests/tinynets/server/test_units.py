"""The rows of the Units pane: each number is compared with one computed in another way."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.lab.lab import experiment_of
from tinynets.recipes.catalog import list_recipes
from tinynets.server.activity import Activity
from tinynets.server.frame import Units, View
from tinynets.server.frame_builder import FrameBuilder

Make = Callable[..., tn.Lab]
EPS = 1e-6


def units(lab: tn.Lab, builder: FrameBuilder | None = None, mode: str = "paused", **view: Any) -> Units:
    found = (builder or FrameBuilder.of(lab)).frame(View(**view), 1, Activity(mode)).units
    assert found is not None
    return found


@pytest.mark.parametrize("recipe", [entry.name for entry in list_recipes()])
def test_every_unit_of_every_block_has_a_row(recipe: str) -> None:
    lab = tn.Lab(recipe)
    lab.run(2)
    found = units(lab, panes=("units",), every_unit=True)
    sizes = {block.name: block.units for block in lab.network.blocks if block.units}
    assert found.blocks == tuple(sizes)
    assert [(found.blocks[b], u) for b, u in zip(found.block, found.unit, strict=True)] == [
        (name, unit) for name, size in sizes.items() for unit in range(size)
    ]
    for values in (found.mean, found.std, found.gradient, found.change, found.limit, found.worth, found.bins):
        assert len(values) == sum(sizes.values())
    assert np.isfinite(found.mean).all()
    assert np.isfinite(found.gradient).any()
    assert pickle.loads(pickle.dumps(found)).blocks == found.blocks


def test_the_rows_are_those_of_the_selected_block_and_only_where_they_are_looked_at(make_tiny: Make) -> None:
    lab = make_tiny()
    assert units(lab, block="output").blocks == ("output",)
    assert FrameBuilder.of(lab).frame(View(panes=("network",)), 1, Activity()).units is None


def test_mean_deviation_and_saturated_share_are_those_of_the_probe() -> None:
    lab = tn.Lab("names-mlp")
    lab.run(20)
    found, probe = units(lab, block="hidden"), experiment_of(lab).probe
    out = probe.values(lab.network, lab.network.block("hidden"))[:, 0]
    np.testing.assert_allclose(found.mean, out.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.std, out.std(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.flat, (np.abs(out) > 0.97).mean(axis=0))
    assert found.off == (False,)
    np.testing.assert_allclose(found.bins.mean(axis=1), found.mean, atol=1e-6)


def test_of_a_relu_it_is_the_share_on_which_it_is_off(make_tiny: Make) -> None:
    lab = make_tiny(tn.ReLU())
    found, probe = units(lab, block="hidden"), experiment_of(lab).probe
    out = probe.values(lab.network, lab.network.block("hidden"))[:, 0]
    assert found.off == (True,)
    np.testing.assert_allclose(found.flat, (out <= 0).mean(axis=0))
    assert np.isnan(units(lab, block="output").flat).all()


def test_the_gradient_is_that_of_each_examples_own_loss(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    lab.run(5)
    found, experiment = units(lab, block="hidden"), experiment_of(lab)
    losses = []
    for step in (EPS, -EPS):
        lab.steer("hidden[3]", values=[step])
        losses.append(experiment.probe.losses(lab.network, experiment.loss))
        lab.undo()
    assert found.gradient[3] == pytest.approx(float(np.abs(losses[0] - losses[1]).mean()) / (2 * EPS), rel=1e-5)


def test_the_change_is_that_of_the_last_update_relative_to_the_weights(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    lab.run(3)
    layer: Any = lab.network["hidden"]
    before = np.vstack([layer.w, layer.b])
    lab.step()
    after = np.vstack([layer.w, layer.b])
    wanted = np.linalg.norm(after - before, axis=0) / np.linalg.norm(after, axis=0)
    np.testing.assert_allclose(units(lab, block="hidden").change, wanted, rtol=1e-6)
    lab.run(5)
    lab.seek(4)
    np.testing.assert_allclose(units(lab, block="hidden").change, wanted, rtol=1e-6)
    lab.seek(0)
    assert np.isnan(units(lab, block="hidden").change).all()


def test_frozen_units_do_not_change(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.freeze("hidden[2]")
    lab.step()
    found = units(lab, block="hidden").change
    assert found[2] == 0
    assert (np.delete(found, 2) > 0).all()


def test_in_mid_step_the_numbers_are_those_of_the_probe_and_the_batch_arrives(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(2)
    before = units(lab, block="hidden")
    lab.phase()
    found = units(lab, block="hidden")
    assert np.isnan(found.bins).all()
    np.testing.assert_array_equal(found.mean, before.mean)
    np.testing.assert_allclose(found.gradient, before.gradient)
    for _ in range(2):
        lab.phase()
    found = units(lab, block="hidden")
    assert np.isfinite(found.bins[:, :8]).all()  # a batch of 8
    assert np.isnan(found.bins[:, 8:]).all()


def test_the_bars_are_what_the_lens_shows(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    lab.run(3)
    shown = {name: units(lab, block="hidden", lens=name).bins for name in ("value", "gradient", "change", "importance")}
    assert len({bins.tobytes() for bins in shown.values()}) == 4
    layer: Any = lab.network["output"]
    out = lab.network.forward(lab.probe.x)
    odds = np.exp(out) / np.exp(out).sum(axis=1, keepdims=True)
    gradient = (odds - np.eye(2)[lab.probe.y]) @ layer.w.T / len(lab.probe.x)
    np.testing.assert_allclose(np.nanmean(shown["gradient"], axis=1) * 16, _binned(gradient).sum(axis=1), rtol=1e-5)


def _binned(values: np.ndarray) -> np.ndarray:
    """(units, 16) the means of neighbouring examples."""
    edges = np.linspace(0, len(values), 17).astype(int)
    return np.array([values[a:b].mean(axis=0) for a, b in pairwise(edges)]).T


def test_nothing_of_the_run_is_touched(make_tiny: Make) -> None:
    lab, other = make_tiny(), make_tiny()
    builder = FrameBuilder.of(lab)
    for _ in range(15):
        lab.phase()
        other.phase()
        units(lab, builder, every_unit=True)
    assert lab.state.digest() == other.state.digest()


def test_what_costs_most_is_kept_for_a_while_while_steps_are_taken(make_tiny: Make) -> None:
    lab = make_tiny()
    builder = FrameBuilder.of(lab)
    first = units(lab, builder, "running")
    builder._units._due = np.inf
    lab.step()
    again = units(lab, builder, "running")
    np.testing.assert_array_equal(again.gradient, first.gradient)
    assert (again.mean != first.mean).any()
    assert (units(lab, builder).gradient != first.gradient).any()


def test_worth_holds_at_its_moment_and_is_old_at_any_other(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(4)
    builder = FrameBuilder.of(lab)
    found = lab.worth("hidden")
    builder.worths.keep(found, lab.player)
    frame = builder.frame(View("hidden"), 1, Activity())
    assert frame.worth is not None
    np.testing.assert_array_equal(frame.worth["hidden"], found.values)
    assert frame.units is not None
    np.testing.assert_array_equal(frame.units.worth, found.values)
    assert (frame.units.worth_holds.all(), frame.units.measured) == (True, ("on train, 40 examples",))
    lab.prune("hidden[1]")
    lab.step()
    frame = builder.frame(View("hidden"), 1, Activity())
    assert frame.worth is None
    assert frame.units is not None
    np.testing.assert_array_equal(frame.units.worth, np.delete(found.values, 1))  # by the units' own numbers
    assert (frame.units.worth_holds.any(), frame.units.measured) == (False, ("measured at step 4",))
    lab.fork("other")
    lab.step()
    frame = builder.frame(View("output", every_unit=True), 1, Activity())
    assert frame.units is not None
    assert frame.units.measured == ("measured at step 4 of main", "")
    lab.switch("main")
    lab.seek(4, edits=0)
    assert builder.worth is not None
