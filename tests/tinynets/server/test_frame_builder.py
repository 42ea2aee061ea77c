"""Frames: the panes show what the lab computes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.nn.interventions import KINDS
from tinynets.server.activity import Activity
from tinynets.server.frame import FREE, FROZEN, NOTHING, PANES, PARTLY, SEVERAL, Frame, StandingIntervention, View
from tinynets.server.frame_builder import FrameBuilder

Make = Callable[..., tn.Lab]


LISTS = ("examples", "log")
"""Panes that list what a run has, whatever is looked at."""


def filled(frame: Frame) -> list[str]:
    """The panes that a frame has something for, apart from lists."""
    return [pane for pane in PANES if pane not in LISTS and getattr(frame, pane) is not None]


def look(lab: tn.Lab, **view: Any) -> Frame:
    return FrameBuilder.of(lab).frame(View(**view), 1, Activity())


@pytest.mark.parametrize("recipe", ["names-mlp", "xor", "spiral"])
def test_every_recipe_gives_a_frame_of_all_panes_that_crosses_to_another_process(recipe: str) -> None:
    lab = tn.Lab(recipe)
    for _ in range(2):
        frame = look(lab)
        assert filled(frame) == [pane for pane in PANES if pane not in LISTS]
        assert pickle.loads(pickle.dumps(frame)).status == frame.status
        lab.run(3)


def test_a_network_without_units_shows_what_comes_out_of_it() -> None:
    network = tn.Network([tn.Flatten()])
    lab = tn.Lab(network, data=(np.eye(2), [0, 1]), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1))
    frame = look(lab)
    assert (frame.view.block, frame.network) == ("flatten1", ())
    assert filled(frame) == ["network", "loss", "output"]


def test_panes_that_are_not_looked_at_are_not_computed(make_tiny: Make) -> None:
    frame = look(make_tiny(), panes=("loss",))
    assert filled(frame) == ["loss"]


def test_a_neuron_comes_to_its_value_by_what_is_listed(names: tn.Lab) -> None:
    neuron = look(names, block="hidden", unit=7, example=3).neuron
    assert neuron is not None
    assert sum(entry.product for entry in neuron.contributions) + neuron.rest == pytest.approx(neuron.weighted)
    assert neuron.pre == pytest.approx(neuron.weighted + neuron.bias, rel=1e-4)
    assert neuron.value == pytest.approx(np.tanh(neuron.pre), rel=1e-5)
    assert all(entry.product == pytest.approx(entry.x * entry.w) for entry in neuron.contributions)
    sizes = [abs(entry.product) for entry in neuron.contributions]
    assert sizes == sorted(sizes, reverse=True)
    layer: Any = names.network["output"]
    label, weight = neuron.outgoing[0]
    assert abs(weight) == np.abs(layer.w[7]).max()
    assert label.startswith("output[")


def test_cells_and_activations_are_the_output_of_the_block(names: tn.Lab) -> None:
    frame = look(names, block="hidden", example=5)
    names.probe.forward(names.network)
    expected = names.probe.workspace.output_of(names.network.block("hidden").last)
    cells = {entry.name: entry for entry in frame.network or ()}
    assert list(cells) == ["embed", "hidden", "output"]
    assert np.array_equal(cells["hidden"].values[0], expected[5])
    assert cells["embed"].values.shape == (3, 10)
    assert frame.activations is not None
    assert np.array_equal(frame.activations.values, expected.T)


def test_the_output_is_the_distribution_that_the_network_gives(names: tn.Lab) -> None:
    frame = look(names, example=2)
    assert frame.output is not None
    assert frame.output.values.sum() == pytest.approx(1)
    text = frame.examples[2].split(" ")[0]
    assert frame.output.input == text
    expected = names.predict(text.lstrip(".")).probabilities
    np.testing.assert_allclose(frame.output.values, expected, rtol=1e-4)
    right = frame.output.values[frame.output.target]
    assert frame.output.loss == pytest.approx(-np.log(right), rel=1e-4)
    assert frame.output.samples == names.sample(10)


def test_zeroed_frozen_dead_and_saturated_units_are_marked(make_tiny: Make) -> None:
    lab = make_tiny(tn.ReLU())
    lab.zero("hidden[1]")
    lab.zero("hidden.pre[2]")
    lab.freeze("hidden[4]")
    frame = look(lab, block="hidden", unit=2)
    cells = (frame.network or ())[0]
    standing = frame.standing["hidden"]
    zero = standing.kinds.index("zero")
    assert (standing.output.tolist(), standing.before.tolist()) == ([0, zero, 0, 0, 0, 0], [0, 0, zero, 0, 0, 0])
    assert np.flatnonzero(standing.frozen == FROZEN).tolist() == [4]
    assert cells.dead[2]  # always 0 before the activation: it is never on
    assert frame.neuron is not None
    assert frame.neuron.interventions == (StandingIntervention("zero", before=True),)
    assert frame.neuron.dead
    assert not frame.neuron.frozen


def test_each_kind_of_intervention_is_told_and_several_on_a_unit_are_told_to_be(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.clamp("hidden[0]", 0.5)
    lab.scale("hidden[1]", 2)
    lab.noise("hidden[1]", 0.1)
    lab.noise("hidden.pre[2]", 0.1)
    lab.steer("hidden[2]", values=[1.0])
    lab.mean("hidden[3]")
    frame = look(lab, block="hidden", unit=1)
    standing = frame.standing["hidden"]
    assert [standing.kinds[code] for code in standing.op] == ["clamp", "several", "several", "mean", "", ""]
    assert frame.neuron is not None
    assert frame.neuron.interventions == (StandingIntervention("scale", 2.0), StandingIntervention("noise", 0.1))
    assert [str(entry) for entry in frame.neuron.interventions] == ["scale 2", "noise 0.1"]


def test_the_codes_of_what_stands_are_the_kinds_of_interventions(make_tiny: Make) -> None:
    kinds = look(make_tiny()).standing["hidden"].kinds
    assert (kinds[NOTHING], kinds[SEVERAL]) == ("", "several")
    assert kinds[SEVERAL + 1 :] == tuple(KINDS)


def test_a_unit_of_which_some_weights_are_frozen_is_frozen_in_part(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.freeze("hidden[1]")
    lab.freeze("hidden.w[0,2]")
    lab.rate("hidden[3]", 0.5)
    frame = look(lab, block="hidden", unit=2)
    assert frame.standing["hidden"].frozen.tolist() == [FREE, FROZEN, PARTLY, FREE, FREE, FREE]
    assert frame.standing["hidden"].rate.tolist() == [1, 1, 1, 0.5, 1, 1]
    assert frame.weights is not None
    assert frame.weights.held is not None
    assert np.argwhere(frame.weights.held).tolist() == [[0, 2]]
    assert frame.neuron is not None
    assert 0 < frame.neuron.frozen < 1


def test_units_keep_their_numbers_when_others_are_pruned_or_grown(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.prune("hidden[0,2]")
    assert look(lab, block="hidden").standing["hidden"].numbers.tolist() == [1, 3, 4, 5]
    lab.grow("hidden", 1)
    numbers = look(lab, block="hidden").standing["hidden"].numbers
    assert numbers[:4].tolist() == [1, 3, 4, 5]
    assert numbers[4] > 5
    lab.undo()
    lab.undo()
    assert look(lab, block="hidden").standing["hidden"].numbers.tolist() == [0, 1, 2, 3, 4, 5]


def test_what_a_unit_would_be_is_without_what_stands_before_the_activation_too(make_tiny: Make) -> None:
    lab = make_tiny()
    before = look(lab, block="hidden", unit=1).neuron
    lab.clamp("hidden.pre[1]", 5)
    lab.scale("hidden[1]", 2)
    after = look(lab, block="hidden", unit=1).neuron
    assert before is not None
    assert after is not None
    assert after.value != before.value
    assert after.clean == pytest.approx(before.value)


def test_the_value_without_the_intervention_is_shown_beside_it(make_tiny: Make) -> None:
    lab = make_tiny()
    before = look(lab, block="hidden", unit=1).neuron
    lab.zero("hidden[1]")
    after = look(lab, block="hidden", unit=1).neuron
    assert before is not None
    assert after is not None
    assert (after.value, after.clean) == (0.0, before.value)


def test_a_view_of_what_is_not_there_falls_back_to_what_is(make_tiny: Make) -> None:
    view = look(make_tiny(), block="gone", unit=99, example=10**6, plot_columns=-5).view
    assert (view.block, view.unit, view.example, view.plot_columns) == ("hidden", 5, 39, 2)
    assert look(make_tiny(), unit=-3).view.unit == 0


@pytest.mark.parametrize("steps", [0, 1, 7, 100, 101, 1000])
def test_the_loss_curve_covers_every_step_once(make_tiny: Make, steps: int) -> None:
    lab = make_tiny()
    if steps:
        lab.run(steps)
    curve = look(lab, plot_columns=100).loss
    assert curve is not None
    assert len(curve.steps) == min(steps, 100)
    assert (curve.step, curve.end) == (steps, steps)
    if steps:
        assert curve.steps[0] == 1
        assert curve.low.min() == lab.losses.min()
        assert curve.high.max() == lab.losses.max()
        counts = np.diff([*curve.steps, steps + 1])
        assert (curve.mean * counts).sum() == pytest.approx(lab.losses.astype(np.float64).sum(), rel=1e-6)


def test_the_gradient_is_shown_once_backward_has_come_past(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    seen = {}
    for _ in range(9):
        done = lab.phase().phase
        neuron = look(lab, block="hidden", unit=3, batch_example=2).neuron
        if done in ("batch", "forward hidden"):
            assert neuron is None  # forward has not reached its end
            continue
        assert neuron is not None
        seen[done] = neuron.gradient
        if neuron.gradient is not None:
            gradients = lab.player.trainer.workspace.gradient_at(lab.network.block("hidden").last)
            assert neuron.gradient_here == gradients[2, 3]
        if done == "backward hidden":
            output: Any = lab.network["output"]
            logits_gradient = lab.player.trainer.loss_buffers.e
            assert neuron.gradient == pytest.approx((logits_gradient @ output.w.T)[:, 3].mean(), rel=1e-9)
    assert [phase for phase, gradient in seen.items() if gradient is not None] == ["backward tanh1", "backward hidden"]


def test_the_status_tells_where_the_lab_stands(make_tiny: Make) -> None:
    lab = make_tiny(schedule=tn.StepSchedule((3,), 0.5))
    lab.run(5)
    lab.zero("hidden[1]")
    lab.seek(2)
    status = look(lab).status
    assert (status.step, status.end, status.edits_here) == (2, 5, 0)
    assert (status.lr, status.loss) == (0.1, lab.losses[1])
    assert status.probe_loss == pytest.approx(lab.probe_loss())
    assert (status.can_undo, status.can_redo, status.unsaved) == (True, False, True)
    lab.seek(5)
    strip = look(lab).timeline
    assert [(mark.step, mark.op, mark.text, mark.applied) for mark in strip.marks] == [
        (5, "zero", 'lab.zero("hidden[1]")', True)
    ]
    assert look(lab).status.lr == 0.05


def test_looking_changes_nothing(make_tiny: Make) -> None:
    looked, plain = make_tiny(), make_tiny()
    for _ in range(25):
        look(looked)
        looked.phase()
        plain.phase()
    assert looked.state.digest() == plain.state.digest()


def test_values_are_shown_for_a_loss_without_classes() -> None:
    x = np.linspace(-1, 1, 20).reshape(10, 2)
    lab = tn.Lab(tn.Network([tn.Linear(2, 1)]), data=(x, x[:, 0]), loss=tn.MSE(), batch=2)
    output = look(lab).output
    assert output is not None
    assert (output.kind, output.target, output.labels) == ("values", -1, ("output",))
    assert output.targets is not None
    assert output.values.shape == output.targets.shape == (1,)
    assert output.plane is not None


def test_as_many_texts_as_the_view_asks_for_at_its_temperature(names: tn.Lab) -> None:
    builder = FrameBuilder.of(names)
    for view in (View(samples=3, temperature=0.0), View(samples=3, temperature=2.0), View(samples=1)):
        frame = builder.frame(view, 1, Activity())
        assert frame.output is not None
        assert frame.output.samples == names.sample(view.samples, temperature=view.temperature)
