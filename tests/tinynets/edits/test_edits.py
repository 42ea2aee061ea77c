"""The basic operations zero, release, freeze, unfreeze and set: what they do, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.edits.edit import OPERATIONS
from tinynets.training.settings import BY_KIND, CLIPPING, PER_BLOCK

Make = Callable[..., tn.Lab]
ACTIVATIONS = [tn.Tanh(), tn.Sigmoid(), tn.ReLU()]
by_activation = pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
units = st.sets(st.integers(0, 5), min_size=1)


def hidden(lab: tn.Lab) -> np.ndarray:
    """The output of `hidden` over the probe, (examples, 6)."""
    lab.probe.forward(lab.network)
    return lab.probe.workspace.output_of(lab.network.block("hidden").last).copy()


def selector(chosen: set[int], site: str = "hidden") -> str:
    return f"{site}[{','.join(map(str, sorted(chosen)))}]"


@by_activation
@settings(max_examples=8)
@given(units)
def test_zeroing_units_makes_the_output_of_their_block_zero_there_and_leaves_the_others(
    make_tiny: Make, activation: tn.Layer, chosen: set[int]
) -> None:
    lab = make_tiny(activation)
    lab.run(5)
    before = hidden(lab)
    lab.zero(selector(chosen))
    after = hidden(lab)
    others = [unit for unit in range(6) if unit not in chosen]
    assert not after[:, sorted(chosen)].any()
    assert after[:, others].tobytes() == before[:, others].tobytes()
    assert before.any(axis=0).all() or activation.kind == "relu"


@pytest.mark.parametrize(("activation", "at_zero"), zip(ACTIVATIONS, [0.0, 0.5, 0.0], strict=True), ids=repr)
def test_zeroing_the_sum_before_the_activation_gives_the_activation_of_zero(
    make_tiny: Make, activation: tn.Layer, at_zero: float
) -> None:
    lab = make_tiny(activation)
    before = hidden(lab)
    lab.zero("hidden.pre[3]")
    after = hidden(lab)
    assert (after[:, 3] == at_zero).all()
    assert np.delete(after, 3, axis=1).tobytes() == np.delete(before, 3, axis=1).tobytes()


@by_activation
def test_release_brings_back_the_very_bytes(make_tiny: Make, activation: tn.Layer) -> None:
    lab = make_tiny(activation)
    lab.run(5)
    before, digest = hidden(lab), lab.state.digest()
    loss = lab.probe_loss()
    lab.zero("hidden[1,3]")
    lab.zero("hidden.pre[2]")
    lab.release("hidden[1]")
    lab.release("hidden[3]")
    lab.release("hidden.pre")
    assert hidden(lab).tobytes() == before.tobytes()
    assert lab.probe_loss() == loss
    assert lab.state.digest() == digest
    assert lab.interventions == ()


def test_training_runs_with_the_intervention_on(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    lab.zero("hidden[2]")
    output: Any = lab.network["output"]
    hidden_layer: Any = lab.network["hidden"]
    before = lab.state.theta
    lab.run(5)
    moved = lab.state.theta != before
    network = lab.network
    assert not moved[network.unit_indices(network.block("hidden"), [2])].any()  # no gradient reaches it
    assert not output.dw[2].any()  # and none its outgoing weights
    assert output.dw[[0, 1, 3, 4, 5]].all()
    assert hidden_layer.dw[:, [0, 1, 3, 4, 5]].all()


def test_clean_evaluation_is_the_evaluation_without_interventions(make_tiny: Make) -> None:
    lab, bare = make_tiny(), make_tiny()
    lab.zero("hidden[0:3]")
    lab.zero("hidden.pre[4]")
    assert lab.evaluate("train", clean=True).loss == bare.evaluate("train").loss
    assert lab.evaluate("train").loss != bare.evaluate("train").loss
    assert lab.evaluate("train", clean=True).loss == bare.evaluate("train").loss


def test_an_edit_reports_the_probe_loss_before_and_after(make_tiny: Make) -> None:
    lab = make_tiny()
    before = lab.probe_loss()
    report = lab.zero("hidden[3]")
    assert (report.before, report.after) == (before, lab.probe_loss())
    assert report.before != report.after
    assert report.accuracy_after == lab.probe.accuracy(lab.network, lab.recipe.training.loss)
    accuracy = f"accuracy {report.accuracy_before:.1%} -> {report.accuracy_after:.1%}"
    assert str(report) == f"hidden[3] zeroed: probe loss {report.before:.4f} -> {report.after:.4f}, {accuracy}"
    assert report.python == 'lab.zero("hidden[3]")'


def test_every_operation_says_what_it_did() -> None:
    layers = [tn.Linear(2, 6, name="hidden"), tn.BatchNorm(6), tn.Tanh(), tn.Linear(6, 2, name="output")]
    points = np.random.default_rng(0).uniform(-1, 1, (40, 2)), np.arange(40) % 2
    lab = tn.Lab(tn.Network(layers), data=points, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=8)
    lab.run(2)
    done = [
        lab.zero("hidden[0:4]").done,
        lab.release("hidden[1]").done,
        lab.freeze("hidden").done,
        lab.unfreeze("hidden[2,4]").done,
        lab.set("lr", 0.01).done,
        lab.set("momentum", 0.9).done,
        lab.set("optimizer", "adam", lr=0.002).done,
        lab.set("schedule", "cosine", steps=100).done,
        lab.set("clip_norm", 1).done,
        lab.set("hidden.l2", 0.1).done,
        lab.reset("hidden[1]").done,
        lab.activation("hidden", "relu").done,
    ]
    assert done == [
        "hidden[0:4] zeroed",
        "hidden[1] released",
        "hidden frozen",
        "hidden[2,4] unfrozen",
        "lr 0.1 -> 0.01",
        "momentum 0 -> 0.9",
        "optimizer sgd -> adam, lr 0.002",
        "schedule constant -> cosine, its steps counted from step 2",
        "clip_norm 0 -> 1",
        "hidden.l2 0 -> 0.1",
        "hidden[1] reset",
        "hidden: tanh -> relu",
    ]
    assert {entry.python.split("(")[0].removeprefix("lab.") for entry in lab.log} < set(OPERATIONS)
    assert [str(entry) for entry in lab.interventions] == ["zero hidden[0,2,3]"]
    assert lab.frozen == {"hidden": (0, 1, 3, 5)}


def test_set_changes_the_base_that_the_schedule_multiplies(make_tiny: Make) -> None:
    lab = make_tiny(schedule=tn.StepSchedule((10,), 0.1))
    lab.set("lr", 0.5)
    assert [lab.state.hyper.lr(step) for step in (0, 9, 10, 50)] == [0.5, 0.5, 0.05, 0.05]


def test_momentum_set_and_taken_away_brings_its_slot_and_takes_it(make_tiny: Make) -> None:
    lab = make_tiny()
    assert lab.state.slots == {}
    lab.set("momentum", 0.5)
    lab.run(3)
    assert lab.state.slots["velocity"].any()
    lab.set("momentum", 0)
    assert lab.state.slots == {}
    lab.run(3)


# -- refusals


OF_SGD = [key for key in tn.SGD().config() if key != "kind"]
SETTABLE = ", ".join((*OF_SGD, *BY_KIND, *CLIPPING, *(f"BLOCK.{name}" for name in PER_BLOCK)))
LR = "`sgd`: `lr` must be a finite number above or at 0, not "


@pytest.mark.parametrize(
    ("act", "kind", "message"),
    [
        (
            lambda lab: lab.zero("hidden[6]"),
            tn.SelectorError,
            "`hidden[6]`: `hidden` has 6 units, 0 to 5",
        ),
        (
            lambda lab: lab.release("hidden[3]"),
            tn.EditError,
            "`hidden[3]`: no intervention stands there; standing: zero hidden[0], zero hidden.pre[1]",
        ),
        (
            lambda lab: lab.release("hidden.pre[0]"),
            tn.EditError,
            "`hidden.pre[0]`: no intervention stands there; standing: zero hidden[0], zero hidden.pre[1]",
        ),
        (lambda lab: lab.unfreeze("hidden[3]"), tn.EditError, "`hidden[3]` is not frozen"),
        (
            lambda lab: lab.freeze("hidden.pre[3]"),
            tn.EditError,
            "`hidden.pre[3]` is a sum on its way; what can be frozen is the unit: `hidden[...]`",
        ),
        (
            lambda lab: lab.set("lrr", 1),
            tn.EditError,
            f"`lrr` is not a setting; there are {SETTABLE}; did you mean `lr`?",
        ),
        (lambda lab: lab.set("lr", nan), tn.EditError, LR + "nan"),
        (lambda lab: lab.set("lr", float("inf")), tn.EditError, LR + "inf"),
        (lambda lab: lab.set("lr", -1), tn.EditError, LR + "-1"),
        (lambda lab: lab.set("lr", True), tn.EditError, LR + "True"),
        (lambda lab: lab.set("lr", "0.1"), tn.EditError, LR + "'0.1'"),
        (lambda lab: lab.set("lr", None), tn.EditError, LR + "None"),
        (lambda lab: lab.set("lr", [0.1]), tn.EditError, LR + "[0.1]"),
        (
            lambda lab: lab.set("momentum", 1),
            tn.EditError,
            "`sgd`: `momentum` must be a number from 0 up to, but not, 1, not 1",
        ),
        (
            lambda lab: lab.set("weight_decay", -0.5),
            tn.EditError,
            "`sgd`: `weight_decay` must be a finite number above or at 0, not -0.5",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    make_tiny: Make, says: Callable[..., Any], act: Callable[[tn.Lab], object], kind: type[Exception], message: str
) -> None:
    lab = make_tiny()
    lab.zero("hidden[0]")
    lab.zero("hidden.pre[1]")
    lab.freeze("hidden[2]")
    before, log, moment = lab.state.digest(), lab.log, lab.moment
    with says(kind, message):
        act(lab)
    assert (lab.state.digest(), lab.log, lab.moment) == (before, log, moment)


def test_release_where_nothing_stands_at_all_says_none(make_tiny: Make, says: Callable[..., Any]) -> None:
    with says(tn.EditError, "`hidden`: no intervention stands there; standing: none"):
        make_tiny().release("hidden")


def test_a_block_without_parameters_cannot_be_frozen(says: Callable[..., Any]) -> None:
    network = tn.Network([tn.Tanh(name="squash"), tn.Linear(2, 2)], input_shape=(2,))
    lab = tn.Lab(network, data=([[0.0, 1.0], [1.0, 0.0]], [0, 1]), loss=tn.CrossEntropy(), batch=2)
    with says(tn.EditError, "`squash` has no parameters, so there is nothing to freeze"):
        lab.freeze("squash")
    assert lab.zero("squash[0]").done == "squash[0] zeroed"


@pytest.mark.parametrize("name", [np.array([1.0, 2.0]), np.ones((2, 2)), {"a": 1}, ["hidden"], slice(1, 2), b"h", None])
def test_what_is_no_name_is_refused_where_a_name_is_due(make_tiny: Make, name: Any) -> None:
    for ask in (
        lambda lab: lab.set(name, 1),
        lambda lab: lab.remove(name),
        lambda lab: lab.zero(name),
        lambda lab: lab.split(name),
        lambda lab: lab.mean("hidden[0]", over=name),
        lambda lab: lab.resample("hidden[0]", over=name),
        lambda lab: lab.network[name],
    ):
        lab = make_tiny()
        with pytest.raises(tn.TinynetsError):
            ask(lab)
        assert not lab.log
