"""A what-if experiment: two branches of names-mlp on the very same batches, one with a unit zeroed."""

from __future__ import annotations

import numpy as np
import pytest

import tinynets as tn
from tinynets.history import moves
from tinynets.jobs import run_to_end
from tinynets.measure.comparison import Comparison

FORK, MORE = 500, 2000
END = FORK + MORE


def trained(lab: tn.Lab, steps: int) -> list[bytes]:
    """Take steps; returns the indices of the examples that each of them trained on."""
    drawn = []
    for _ in range(steps):
        lab.step()
        trainer = lab.player.trainer
        indices = trainer.sampler.indices(lab.step_number - 1)
        assert np.array_equal(trainer.x_batch, trainer.x[indices])
        assert np.array_equal(trainer.y_batch, trainer.y[indices])
        drawn.append(indices.tobytes())
    return drawn


@pytest.fixture(scope="module")
def experiment() -> tuple[tn.Lab, dict[str, list[bytes]]]:
    """names-mlp to step 500, and 2,000 steps more on two branches, on one of them without `hidden[3]`."""
    lab, drawn = tn.Lab("names-mlp"), {}
    lab.run(FORK)
    lab.fork("what-if")
    lab.zero("hidden[3]")
    drawn["what-if"] = trained(lab, MORE)
    lab.switch("main")
    drawn["main"] = trained(lab, MORE)
    return lab, drawn


@pytest.fixture(scope="module")
def found(experiment: tuple[tn.Lab, dict[str, list[bytes]]]) -> Comparison:
    return experiment[0].compare("main", "what-if")


Experiment = tuple[tn.Lab, dict[str, list[bytes]]]


def test_both_branches_draw_the_very_same_examples_at_each_step(experiment: Experiment, found: Comparison) -> None:
    _, drawn = experiment
    assert len(drawn["main"]) == MORE
    assert drawn["main"] == drawn["what-if"]
    assert len(set(drawn["main"])) == MORE  # and a different batch at each of them
    assert found.same_batches


def test_the_branches_are_one_up_to_the_fork_and_part_at_the_edit(experiment: Experiment, found: Comparison) -> None:
    lab, _ = experiment
    assert (found.step, found.first_difference) == (END, FORK)
    assert found.difference == f'edit at step {FORK} on what-if: lab.zero("hidden[3]")'
    assert np.array_equal(found.a.losses[:FORK], found.b.losses[:FORK])
    assert not np.any(found.a.losses[FORK : FORK + 10] == found.b.losses[FORK : FORK + 10])
    assert lab.compare("main", "what-if", step=FORK - 1).equal


def test_how_far_they_part_is_the_distance_of_their_parameters(experiment: Experiment, found: Comparison) -> None:
    lab, _ = experiment
    thetas = {}
    for name in ("main", "what-if"):
        branch = lab.player.timeline.named(name)
        thetas[name] = run_to_end(moves.state_at(lab.player, branch.end)).theta.astype(np.float64)
    apart = np.linalg.norm(thetas["main"] - thetas["what-if"])
    assert apart > 0
    assert found.distance == pytest.approx(apart)
    hidden = next(entry for entry in found.blocks if entry.block == "hidden")
    assert np.all(hidden.units > 0)  # the missing unit changes all the others


def test_a_comparison_prints_where_and_by_how_much(found: Comparison) -> None:
    text = str(found)
    assert found.difference in text
    for words in (
        "main",
        "what-if",
        "the same at every step",
        f"{found.a.probe_loss:.4f}",
        f"{found.b.probe_loss:.4f}",
    ):
        assert words in text
    assert f"parameters  {found.distance:.4g} apart" in text
    for entry in found.blocks:
        assert f"{entry.distance:.4f}" in text


def test_what_was_compared_is_what_the_two_runs_are_when_run_apart(experiment: Experiment, found: Comparison) -> None:
    for zeroed, side in ((False, found.a), (True, found.b)):
        lab = tn.Lab("names-mlp")
        lab.run(FORK)
        if zeroed:
            lab.zero("hidden[3]")
        lab.run(MORE)
        assert lab.state.digest() == side.digest
