"""Lenses: gradients are derivatives, changes are differences of states, importance foretells what zeroing would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.experiment.experiment import Experiment
from tinynets.experiment.scene import Scene
from tinynets.jobs import run_to_end
from tinynets.lab.lab import experiment_of
from tinynets.measure.block_view import BlockViews
from tinynets.measure.lens import Lens, Lenses
from tinynets.measure.lens_names import LENSES
from tinynets.measure.weight_matrix import incoming, incoming_flags
from tinynets.nn.block import Block
from tinynets.nn.losses import LossBuffers
from tinynets.nn.network import Network
from tinynets.nn.taps import Tap
from tinynets.nn.workspace import Workspace
from tinynets.recipes.catalog import list_recipes
from tinynets.training.state import network_of

Make = Callable[..., tn.Lab]
RECIPES = [entry.name for entry in list_recipes()]
EPSILON = 1e-6


@pytest.fixture(scope="module", params=RECIPES)
def exact(request: pytest.FixtureRequest) -> Experiment:
    """Each recipe in float64, a few steps on."""
    lab = tn.Lab(request.param)
    recipe = replace(lab.recipe, training=replace(lab.recipe.training, dtype="float64", probe=8))
    experiment = Experiment.start(recipe, lab.data)
    for _ in range(3):
        experiment.player.trainer.step()
        experiment.player.record_step()
    return experiment


def lens_of(experiment: Experiment, wanted: str, lenses: Lenses | None = None, against: str | int = "") -> Lens:
    experiment.probe.forward(experiment.network)
    return (lenses or Lenses()).lens(experiment, Scene.of(experiment), wanted, against, moving=False)


def units(lens: Lens, block: Block) -> Any:
    """(examples, positions, units)."""
    return lens.units(BlockViews(lens.experiment, lens.scene).of(block), block).values


def blocks(experiment: Experiment) -> list[Block]:
    return [block for block in experiment.network.blocks if block.units]


def mean_loss(experiment: Experiment, network: Network) -> float:
    """The mean loss of the probe, computed anew."""
    probe, loss = experiment.probe, experiment.loss
    buffers = LossBuffers()
    buffers.step = loss.measured_at(experiment.state.step)
    out = network.forward_checked(probe.x, Workspace())
    loss.fit(buffers, out)
    return loss.weighted_value(out, probe.y, buffers)


def derivative(measure: Callable[[float], float]) -> float:
    return (measure(EPSILON) - measure(-EPSILON)) / (2 * EPSILON)


def probed(network: Network, block: Block, unit: int, by: float) -> Network:
    """The network with an amount added to a unit's output everywhere; to the size of a head, that share of it."""
    chosen = (np.arange(block.units) == unit) * by
    layer = network.layers[block.last]
    ones = layer.by_unit(np.ones(block.units))
    share = Tap(ones + layer.by_unit(chosen), ones * 0.0) if layer.closed else Tap(ones, layer.by_unit(chosen))
    network.taps[block.last] = share
    return network


def test_gradients_of_units_are_the_derivatives_of_the_probes_loss(exact: Experiment) -> None:
    lens = lens_of(exact, "gradient")
    shape = exact.network.input_shape
    for block in blocks(exact):
        found = units(lens, block)
        if exact.network.layers[block.last].closed:  # of a head's size: what is added is a share of it
            found = found * units(lens_of(exact, "value"), block)
        for unit in {0, block.units - 1}:

            def loss(by: float, block: Block = block, unit: int = unit) -> float:
                return mean_loss(exact, probed(network_of(exact.state.live(), shape), block, unit, by))

            assert found[:, :, unit].sum() == pytest.approx(derivative(loss), rel=1e-4, abs=1e-8), block.name


def test_gradients_of_weights_are_the_derivatives_of_the_probes_loss(exact: Experiment) -> None:
    lens = lens_of(exact, "gradient")
    network = exact.network
    for block in blocks(exact):
        found = lens.weights(block).values
        if found is None:
            assert incoming(network.layers[block.first], block.units) is None
            continue
        flat = incoming_flags(network, block, np.arange(network.theta.size))
        assert np.array_equal(incoming(network.layers[block.first], block.units), network.theta[flat])
        row, column = np.unravel_index(np.abs(found).argmax(), found.shape)

        def loss(by: float, place: int = int(flat[row, column])) -> float:
            state = exact.state.live()
            state.theta[place] += by
            return mean_loss(exact, network_of(state, network.input_shape))

        assert found[row, column] == pytest.approx(derivative(loss), rel=1e-4, abs=1e-8), block.name


@pytest.fixture(params=RECIPES)
def stepping(request: pytest.FixtureRequest) -> Iterator[tuple[tn.Lab, Lenses]]:
    """A lab of each recipe before its third step, with lenses that have seen the last frame."""
    lab = tn.Lab(request.param)
    lab.run(2)
    return lab, Lenses()


def test_each_phase_shows_what_it_has_brought_and_the_rest_not_yet(stepping: tuple[tn.Lab, Lenses]) -> None:
    lab, lenses = stepping
    experiment, network = experiment_of(lab), lab.network
    trainer = lab.player.trainer
    total = 2 * len(network.layers) + 3
    for done in range(1, total):
        phase = str(lab.phase().phase)
        lens = lens_of(experiment, "auto", lenses)
        assert lens.name == ("gradient" if phase.startswith("backward") else "value")
        assert np.array_equal(lens.scene.watched.x, trainer.x_batch)
        for block in blocks(experiment):
            found = units(lens, block)
            if lens.name == "value":
                assert (found is None) == (block.last >= done - 1), (phase, block.name)
                expected = None if found is None else trainer.workspace.units_behind(network, block.last)
            else:
                back = len(network.layers) - (done - len(network.layers) - 2)
                assert (found is None) == (block.last < back), (phase, block.name)
                assert (lens.weights(block).missing == "not yet") == (block.first < back), (phase, block.name)
                expected = None if found is None else trainer.workspace.unit_gradients(network, block.last)
            if expected is not None:
                assert np.array_equal(found, expected.reshape(found.shape), equal_nan=True)
        losses = lens.scene.losses(experiment)
        assert (losses is None) == (done < len(network.layers) + 2)
        if losses is not None:
            assert losses.mean() == pytest.approx(trainer.batch_loss, rel=1e-4)


def test_what_is_computed_ahead_is_what_backward_then_brings(stepping: tuple[tn.Lab, Lenses]) -> None:
    lab, lenses = stepping
    experiment = experiment_of(lab)
    lab.phase()
    ahead = lens_of(experiment, "gradient", lenses)
    of_units = {block.name: np.array(units(ahead, block)) for block in blocks(experiment)}
    of_weights = {block.name: ahead.weights(block).values for block in blocks(experiment)}
    for _ in range(2 * len(lab.network.layers) + 1):
        lab.phase()
    brought = lens_of(experiment, "auto", lenses)
    for block in blocks(experiment):
        np.testing.assert_allclose(of_units[block.name], units(brought, block), rtol=1e-4, atol=1e-9)
        weights = of_weights[block.name]
        if weights is not None:
            np.testing.assert_allclose(weights, brought.weights(block).values, rtol=1e-4, atol=1e-8)


def test_looking_through_any_lens_at_any_phase_changes_nothing(stepping: tuple[tn.Lab, Lenses]) -> None:
    lab, lenses = stepping
    experiment = experiment_of(lab)
    for turn in range(2 * len(lab.network.layers) + 3):
        lens = lens_of(experiment, [*LENSES][turn % len(LENSES)], lenses)
        for block in blocks(experiment):
            units(lens, block), lens.weights(block)
        lab.phase()
    plain = tn.Lab(lab.recipe.name)
    plain.run(3)
    assert lab.state.digest() == plain.state.digest()


def test_the_change_is_the_difference_of_the_states(stepping: tuple[tn.Lab, Lenses]) -> None:
    lab, lenses = stepping
    experiment, network = experiment_of(lab), lab.network
    before = run_to_end(experiment.state_at(lab.moment._replace(step=1)))
    old = network_of(before.live(), network.input_shape)
    workspace = Workspace()
    old.forward_checked(experiment.probe.x, workspace)
    lens = lens_of(experiment, "change", lenses)
    assert lens.earlier.words == "by the update of step 2"
    for block in blocks(experiment):
        now = experiment.probe.values(network, block)
        then = workspace.units_behind(old, block.last).reshape(now.shape)
        np.testing.assert_allclose(units(lens, block), now - then, rtol=1e-3, atol=2e-5)
        matrix, was = (incoming(n.layers[block.first], block.units) for n in (network, old))
        if matrix is not None and was is not None:
            np.testing.assert_allclose(lens.weights(block).values, matrix - was, rtol=1e-4, atol=1e-6)


def test_right_after_the_update_the_lens_shows_what_it_did_until_something_else_is_done(make_tiny: Make) -> None:
    lab, lenses = make_tiny(), Lenses()
    experiment = experiment_of(lab)
    for _ in range(9):
        lab.phase()
        lens = lens_of(experiment, "auto", lenses)
    assert (lab.step_number, lens.name, lens.earlier.words) == (1, "change", "by the update of step 1")
    assert lens_of(experiment, "auto", lenses).name == "change"
    assert lens_of(experiment, "value", lenses).name == "value"
    lab.zero("hidden[1]")
    assert lens_of(experiment, "auto", lenses).name == "value"
    lab.step()
    assert lens_of(experiment, "auto", lenses).name == "value"


@pytest.mark.parametrize("how", ["step", "seek", "edit", "undo"])
def test_the_last_update_is_found_however_one_came_here(make_tiny: Make, how: str) -> None:
    lab = make_tiny(optimizer=tn.Adam(0.01), dtype="float64")
    lab.run(40)
    if how == "seek":
        lab.seek(17)
    elif how == "edit":
        lab.set_weight("hidden.w[0,1]", 3.0)
    elif how == "undo":
        lab.zero("hidden[1]")
        lab.undo()
    step = lab.step_number
    found = lens_of(experiment_of(lab), "change").weights(lab.network.block("hidden")).values
    now = lab.network["hidden"].w.copy()  # type: ignore[attr-defined]
    lab.seek(step - 1)
    np.testing.assert_allclose(found, now - lab.network["hidden"].w, rtol=1e-9, atol=1e-15)  # type: ignore[attr-defined]


def test_a_change_is_measured_against_a_bookmark_a_branch_or_a_step(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    lab.run(4)
    lab.bookmark("early")
    lab.run(6)
    lab.seek(7)
    lab.fork("other")
    lab.run(1)
    lab.zero("hidden[2]")
    lab.run(12)
    experiment, hidden = experiment_of(lab), lab.network.block("hidden")
    now = lab.network["hidden"].w.copy()  # type: ignore[attr-defined]
    wanted = {
        "early": (experiment.timeline.bookmarks["early"].moment, "since bookmark early (step 4)"),
        6: (lab.moment._replace(step=6, edits=0), "since step 6"),
        "main": (experiment.timeline.named("main").end, "against main at step 10"),
    }
    for against, (moment, words) in wanted.items():
        lens = lens_of(experiment, "change", against=against)
        assert lens.earlier.words == words
        then = network_of(run_to_end(experiment.state_at(moment)).live(), (2,))["hidden"].w  # type: ignore[attr-defined]
        np.testing.assert_array_equal(lens.weights(hidden).values, now - then)
    for against, words in (
        ("qqq", "`qqq` is neither a bookmark nor a branch, only early, main, other"),
        (99, "step 99 is not recorded on `other`, 0 to 20 are"),
    ):
        lens = lens_of(experiment, "change", against=against)
        assert (lens.earlier.state, lens.earlier.words) == (None, words)
        assert lens.weights(hidden).missing == words
        assert units(lens, hidden) is None


def test_without_a_step_there_is_no_change_and_it_says_so(make_tiny: Make) -> None:
    lab = make_tiny()
    lens = lens_of(experiment_of(lab), "change")
    assert lens.weights(lab.network.block("hidden")).missing == "no step has been done yet"


def test_units_are_compared_with_themselves_where_others_were_pruned_or_grown(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    lab.run(5)
    before = {name: lab.network[name].w.copy() for name in ("hidden", "output")}  # type: ignore[attr-defined]
    lab.bookmark("before")
    lab.prune("hidden[1]")
    lab.grow("hidden", 2)
    lab.run(3)
    lens = lens_of(experiment_of(lab), "change", against="before")
    kept = [0, 2, 3, 4, 5]
    hidden = lens.weights(lab.network.block("hidden"))
    now = {name: lab.network[name].w for name in ("hidden", "output")}  # type: ignore[attr-defined]
    assert hidden.values is not None
    np.testing.assert_array_equal(hidden.values[:, :5], now["hidden"][:, :5] - before["hidden"][:, kept])
    assert np.isnan(hidden.values[:, 5:]).all()
    assert np.isnan(hidden.biases[0][5:]).all()
    output = lens.weights(lab.network.block("output")).values
    assert output is not None
    np.testing.assert_array_equal(output[:5], now["output"][:5] - before["output"][kept])
    assert np.isnan(output[5:]).all()
    activations = units(lens, lab.network.block("hidden"))
    assert np.isnan(activations[:, :, 5:]).all()
    assert np.isfinite(activations[:, :, :5]).all()


def test_units_grown_on_two_branches_are_not_taken_for_the_same(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(3)
    lab.fork("other")
    lab.grow("hidden", 1)
    lab.run(3)
    lab.switch("main")
    lab.freeze("hidden[0]")
    lab.grow("hidden", 1)
    lab.run(3)
    values = lens_of(experiment_of(lab), "change", against="other").weights(lab.network.block("hidden")).values
    assert values is not None
    assert np.isfinite(values[:, :6]).all()
    assert np.isnan(values[:, 6]).all()


def test_importance_foretells_how_the_loss_changes_as_a_unit_goes_to_0(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    lab.run(50)
    experiment = experiment_of(lab)
    lens, block = lens_of(experiment, "importance"), lab.network.block("hidden")
    field = lens.units(BlockViews(experiment, lens.scene).of(block), block)
    assert field.together is not None
    for unit in range(block.units):

        def loss(less: float, unit: int = unit) -> float:
            network = network_of(experiment.state.live(), (2,))
            network.taps[block.last] = Tap(1 - less * (np.arange(6) == unit), np.zeros(6))
            return mean_loss(experiment, network)

        assert field.together[0, unit] == pytest.approx(derivative(loss), rel=1e-5)


def test_an_edit_in_mid_step_is_seen_at_once(make_tiny: Make) -> None:
    lab, lenses = make_tiny(), Lenses()
    experiment, hidden = experiment_of(lab), lab.network.block("hidden")
    lab.run(2)
    for _ in range(3):
        lab.phase()
    assert units(lens_of(experiment, "auto", lenses), hidden)[:, :, 1].any()
    ahead = np.array(units(lens_of(experiment, "importance", lenses), hidden))
    lab.zero("hidden[1]")
    lens = lens_of(experiment, "auto", lenses)
    assert lens.scene.of_batch
    assert not units(lens, hidden)[:, :, 1].any()
    assert not np.array_equal(units(lens_of(experiment, "importance", lenses), hidden), ahead)


def test_while_steps_are_taken_what_takes_long_stays_what_was_found_last(make_tiny: Make) -> None:
    lab, lenses = make_tiny(), Lenses()
    experiment = experiment_of(lab)
    lab.run(600)
    lab.seek(300)
    lab.fork("other")
    lab.run(5)

    def words(*, moving: bool) -> str:
        experiment.probe.forward(experiment.network)
        return lenses.lens(experiment, Scene.of(experiment), "change", "main", moving=moving).earlier.words

    assert words(moving=True) == "against main at step 305"
    lab.run(100)
    lab.player.seconds_per_step = 1.0
    assert words(moving=True) == "against main at step 305"
    assert words(moving=False) == "against main at step 405"
