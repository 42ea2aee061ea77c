"""The explanation of a unit is true: each number is compared with one computed in another way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.lab.command_line import parse
from tinynets.server.activity import Activity
from tinynets.server.frame import View
from tinynets.server.frame_builder import FrameBuilder

EPS = 1e-6


@pytest.fixture
def lab(make_tiny: Callable[..., tn.Lab]) -> tn.Lab:
    lab = make_tiny(dtype="float64", optimizer=tn.SGD(0.1, momentum=0.9))
    lab.run(20)
    return lab


def own_loss(lab: tn.Lab, example: int) -> float:
    return float(lab.probe.losses(lab.network, lab.recipe.training.loss)[example])


def test_the_terms_and_the_bias_sum_to_what_the_activation_is_given(lab: tn.Lab) -> None:
    found = lab.explain("hidden[3]", 4, top=1)
    hidden: Any = lab.network["hidden"]
    x = lab.probe.x[4]
    assert len(found.contributions) == 1
    assert found.contributions[0].product == max(x * hidden.w[:, 3], key=abs)
    assert found.z == pytest.approx(found.contributions[0].product + found.rest + hidden.b[3], rel=1e-12)
    assert found.pre == pytest.approx(float(x @ hidden.w[:, 3] + hidden.b[3]), rel=1e-12)
    assert found.value == pytest.approx(np.tanh(found.pre), rel=1e-12)
    assert (found.activation, found.example, found.step) == ("tanh", 4, 20)
    assert found.input == lab.probe.examples[4]


def test_the_gradient_is_that_of_the_examples_own_loss(lab: tn.Lab) -> None:
    found = lab.explain("hidden[3]", 4)
    for site, gradient in (("hidden[3]", found.gradient), ("hidden.pre[3]", found.gradient_pre)):
        losses = []
        for step in (EPS, -EPS):
            lab.steer(site, values=[step])
            losses.append(own_loss(lab, 4))
            lab.undo()
        assert gradient == pytest.approx((losses[0] - losses[1]) / (2 * EPS), rel=1e-6)


def test_a_unit_explains_itself_on_an_example_of_a_split_and_on_an_input_that_is_given() -> None:
    lab = tn.Lab("spiral")
    lab.run(20)
    x, digest, loss = lab.split("dev")[0], lab.state.digest(), lab.probe_loss()
    of_split = lab.explain("hidden1[3]", 7, of="dev", split="dev")
    given = lab.explain("hidden1[3]", input=x[7].tolist(), split="dev")
    typed = lab.explain("hidden1[3]", input=f"x={x[7][0]} y={x[7][1]}", split="dev")
    assert of_split.z == given.z == typed.z
    hidden: Any = lab.network["hidden1"]
    assert of_split.z == pytest.approx(float(x[7] @ hidden.w[:, 3] + hidden.b[3]), rel=1e-5)
    assert (given.contributions, given.effects) == (of_split.contributions, of_split.effects)
    assert (given.gradient, given.gradient_pre, given.target) == (None, None, "")
    assert of_split.gradient is not None
    assert of_split.target == lab.data.describe_target("dev", 7)
    assert f"on dev 7, {of_split.input}" in str(of_split)
    assert f"on the input x={x[7][0]}" in str(typed)
    assert (lab.state.digest(), lab.probe_loss()) == (digest, loss)


def test_explaining_leaves_a_half_done_step_and_everything_else_as_it_is(lab: tn.Lab) -> None:
    other = make_other(lab)
    for _ in range(7):
        lab.phase()
        other.phase()
    lab.explain("hidden[3]", 2)
    lab.step()
    other.step()
    assert lab.state.digest() == other.state.digest()


def make_other(lab: tn.Lab) -> tn.Lab:
    """A lab with the same start that took the same steps."""
    network = tn.Network(lab.recipe.build(lab.data).parts, dtype="float64", seed=0)
    splits = {name: tuple(map(np.asarray, pair)) for name, pair in lab.data.splits.items()}
    other = tn.Lab(network, data=splits, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1, momentum=0.9), batch=8, seed=0)
    other.run(20)
    assert other.state.digest() == lab.state.digest()
    return other


def test_what_the_last_step_changed_is_the_difference_to_the_step_before(lab: tn.Lab) -> None:
    found = lab.explain("hidden[3]")
    after = np.array(lab.network["hidden"].w[:, 3]), float(lab.network["hidden"].b[3])
    lab.back()
    before = np.array(lab.network["hidden"].w[:, 3]), float(lab.network["hidden"].b[3])
    change = after[0] - before[0]
    assert [entry.change for entry in found.changes] == sorted(change, key=lambda value: -abs(value))
    assert found.bias_change == after[1] - before[1]
    assert found.change_ratio == pytest.approx(np.linalg.norm(change) / np.linalg.norm(after[0]))


def test_an_edit_behind_the_last_step_is_not_taken_for_what_the_step_did(lab: tn.Lab) -> None:
    before = lab.explain("hidden[3]").changes
    lab.nudge("hidden[3]", 0.5)
    assert lab.explain("hidden[3]").changes == before
    lab.prune("hidden[0]")
    assert lab.explain("hidden[2]").changes == ()


def test_at_the_start_nothing_has_changed_yet(make_tiny: Callable[..., tn.Lab]) -> None:
    found = make_tiny().explain("hidden[0]")
    assert (found.changes, found.bias_change, found.change_ratio, found.step) == ((), None, None, 0)


def test_the_examples_it_responds_to_most_and_its_statistics_are_those_of_the_split(lab: tn.Lab) -> None:
    found = lab.explain("hidden[3]", top=5)
    values = lab.network.forward(lab.data.splits["train"][0]) is not None and lab.network.activation("hidden")[:, 3]
    assert [entry.value for entry in found.responses] == sorted(values, reverse=True)[:5]
    assert [entry.index for entry in found.responses] == list(np.argsort(-values, kind="stable")[:5])
    assert (found.mean, found.variance) == (pytest.approx(values.mean()), pytest.approx(values.var()))
    assert found.saturated_share == (np.abs(values) > 0.97).mean()
    assert found.responses[0].text == lab.data.describe("train", found.responses[0].index)


def test_what_all_units_add_to_the_outputs_and_the_bias_are_the_outputs(lab: tn.Lab) -> None:
    output: Any = lab.network["output"]
    total = np.array(output.b)
    for unit in range(6):
        for entry in lab.explain(f"hidden[{unit}]", 7, top=2).effects:
            total[int(entry.label.removeprefix("output[").removesuffix("]"))] += entry.value
    assert total == pytest.approx(lab.probe.forward(lab.network)[7], rel=1e-12)


def test_what_a_unit_adds_and_where_it_goes_is_seen_through_layers_that_pass_on(lab: tn.Lab) -> None:
    def seen(name: str) -> tuple[Any, Any]:
        neuron = FrameBuilder.of(lab).frame(View(block=name, unit=3), 1, Activity()).neuron
        return lab.explain(f"{name}[3]", 7).effects, neuron and neuron.outgoing

    before = seen("hidden")
    assert before[0]
    assert before[1]
    lab.insert("hidden", "identity")
    lab.insert("hidden", "dropout")
    passing = next(block.name for block in lab.network.blocks if "identity" in block.name)
    assert seen("hidden") == seen(passing) == before
    assert lab.explain("output[0]", 7).contributions[0].label.startswith("hidden[")
    lab.scale(f"{passing}[3]", 2)
    assert [entry.value for entry in seen("hidden")[0]] == [2 * entry.value for entry in before[0]]


def test_what_the_channels_add_behind_a_pooling_is_what_arrives_of_them() -> None:
    lab = tn.Lab("digits-cnn", seed=1)
    lab.run(3)
    output: Any = lab.network["output"]
    total = np.array(output.b, np.float64)
    for unit in range(lab.network.block("conv2").units):
        for entry in lab.explain(f"conv2[{unit}]", 7, split="dev", top=10).effects:
            total[lab.data.labels.index(entry.label)] += entry.value
    assert total == pytest.approx(lab.probe.forward(lab.network)[7], rel=1e-4, abs=1e-5)


def test_a_unit_that_never_lets_a_gradient_through_is_dead(make_tiny: Callable[..., tn.Lab]) -> None:
    lab = make_tiny(tn.ReLU())
    lab.set_weight("hidden.b[2]", -100)
    found = lab.explain("hidden[2]")
    assert (found.dead, found.dead_share, found.value) == (True, 1.0, 0.0)
    assert "(dead)" in str(found)
    assert not lab.explain("hidden[1]").dead


def test_what_stands_on_a_unit_is_told_and_counts(lab: tn.Lab) -> None:
    lab.clamp("hidden[3]", 0.25)
    lab.freeze("hidden[3]")
    found = lab.explain("hidden[3]", 1)
    assert (found.value, found.interventions, found.frozen) == (0.25, ("clamp hidden[3] 0.25",), True)
    assert found.gradient != 0
    assert found.gradient_pre == 0
    assert "frozen, clamp hidden[3] 0.25" in str(found).splitlines()[0]


def test_what_stands_on_the_output_is_told_apart_from_what_the_activation_makes(lab: tn.Lab) -> None:
    lab.set_weight("hidden.b[3]", 6.0)
    before = lab.explain("hidden[3]", 2)
    lab.clamp("hidden[3]", 0.25)
    found = lab.explain("hidden[3]", 2)
    assert found.pre == before.pre
    assert (found.clean, found.value) == (pytest.approx(np.tanh(found.pre)), 0.25)
    assert (found.on_output, before.on_output) == (("clamp 0.25",), ())
    assert f"tanh makes of {found.pre:+.4f}: {found.clean:+.4f} -> clamp 0.25: +0.2500" in str(found)
    assert (found.mean, found.variance) == (0.25, 0)
    assert found.saturated_share == before.saturated_share == 1
    assert "with what stands on it mean +0.2500, variance 0.0000; tanh itself saturated 100.0%" in str(found)


def test_what_stands_before_the_activation_is_no_change_of_what_it_makes(lab: tn.Lab) -> None:
    lab.clamp("hidden.pre[3]", 0.5)
    found = lab.explain("hidden[3]", 2)
    assert found.value == found.clean == pytest.approx(np.tanh(0.5))
    assert found.on_output == ()


@pytest.mark.proof
def test_what_a_head_would_give_is_told_beside_what_stands_on_it() -> None:
    lab = tn.Lab("names-transformer")
    name = next(block.name for block in lab.network.blocks if "attention" in block.name)
    before = lab.explain(f"{name}[0]", 1, split="dev", top=1)
    lab.scale(f"{name}[0]", 2)
    found = lab.explain(f"{name}[0]", 1, split="dev", top=1)
    assert found.clean == before.clean == before.value
    assert found.value == pytest.approx(2 * before.value, rel=1e-5)


def test_an_intervention_at_another_time_step_is_not_said_to_make_the_value() -> None:
    lab = sequences(tn.RNN(3, 5, name="rnn"))
    lab.clamp("rnn[1]@t=2", 0.5)
    found = lab.explain("rnn[1]")
    assert (found.position, found.on_output, found.interventions) == (3, (), ("clamp rnn[1]@t=2 0.5",))
    assert found.value == found.clean


def sequences(*layers: tn.Layer) -> tn.Lab:
    """A lab of (40, 4, 3) sequences in two classes."""
    x = np.random.default_rng(1).normal(size=(40, 4, 3))
    network = tn.Network([*layers, tn.LastStep(), tn.Linear(5, 2, name="output")], dtype="float64", seed=3)
    classes = (x.sum(axis=(1, 2)) > 0).astype(np.int64)
    return tn.Lab(network, data=(x, classes), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=8, seed=0)


def hidden_states(lab: tn.Lab, squash: Callable[[Any], Any]) -> np.ndarray:
    """The hidden states of the layer `rnn`, computed step by step: (40, 4, 5)."""
    rnn: Any = lab.network["rnn"]
    x, h, states = lab.data.splits["train"][0], np.zeros((40, 5)), []
    for step in range(4):
        h = squash(x[:, step] @ rnn.w_ih + rnn.b_ih + h @ rnn.w_hh + rnn.b_hh)
        states.append(h)
    return np.stack(states, axis=1)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_an_rnn_is_saturated_and_dead_where_its_hidden_states_are(nonlinearity: str) -> None:
    lab = sequences(tn.RNN(3, 5, nonlinearity=nonlinearity, name="rnn"))
    for name in ("b_ih", "b_hh"):
        lab.set_weight(f"rnn.{name}[2]", 0.9 if nonlinearity == "tanh" else -4.0)
    h = hidden_states(lab, np.tanh if nonlinearity == "tanh" else lambda z: np.maximum(z, 0))
    flat = np.abs(h) > 0.97 if nonlinearity == "tanh" else np.zeros(h.shape, np.bool_)
    for unit in (2, 3):
        found = lab.explain(f"rnn[{unit}]", top=1)
        off = flat[..., unit] if nonlinearity == "tanh" else h[..., unit] == 0
        assert found.saturated_share == pytest.approx(flat[..., unit].mean())
        assert found.dead_share == pytest.approx(off.mean())
        neuron = FrameBuilder.of(lab).frame(View(block="rnn", unit=unit), 1, Activity()).neuron
        assert neuron is not None
        assert (neuron.saturated_share, neuron.dead) == (pytest.approx(flat[..., unit].mean()), bool(off.all()))
    assert (flat if nonlinearity == "tanh" else h == 0)[..., 2].mean() > 0.1


def test_what_stands_on_an_rnn_is_not_taken_for_its_saturation() -> None:
    lab = sequences(tn.RNN(3, 5, name="rnn"))
    share = lab.explain("rnn[1]", top=1).saturated_share
    lab.clamp("rnn[1]@t=3", 1.0)
    assert lab.explain("rnn[1]", top=1).saturated_share == share == 0


@pytest.mark.parametrize("layer", [tn.GRU(3, 5, name="rnn"), tn.LSTM(3, 5, name="rnn"), tn.Linear(3, 5, name="rnn")])
def test_what_no_activation_makes_has_no_saturation(layer: tn.Layer) -> None:
    lab = sequences(layer)
    found = lab.explain("rnn[1]")
    assert (found.saturated_share, found.dead_share, found.dead) == (None, None, False)
    assert "saturated" not in str(found)
    neuron = FrameBuilder.of(lab).frame(View(block="rnn"), 1, Activity()).neuron
    assert neuron is not None
    assert neuron.saturated_share is None


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_an_rnn_says_what_it_makes_of_its_sum(nonlinearity: str) -> None:
    found = sequences(tn.RNN(3, 5, nonlinearity=nonlinearity, name="rnn")).explain("rnn[1]", 4)
    squash: Any = np.tanh if nonlinearity == "tanh" else lambda z: max(z, 0.0)
    assert found.activation == nonlinearity
    assert found.value == pytest.approx(squash(found.z))
    assert f"{nonlinearity} makes of {found.z:+.4f}: {found.value:+.4f}" in str(found)


def test_an_rnn_that_a_normalization_follows_sums_what_its_last_step_does() -> None:
    x = np.random.default_rng(1).normal(size=(40, 4, 3))
    layers = [tn.RNN(3, 5, sequence=False, name="rnn"), tn.LayerNorm(5), tn.Linear(5, 2)]
    data = x, (x[:, 0, 0] > 0).astype(np.int64)
    network = tn.Network(layers, dtype="float64", seed=3)
    lab = tn.Lab(network, data=data, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=8)
    assert lab.explain("rnn[1]", 4).z == pytest.approx(np.arctanh(hidden_states(lab, np.tanh)[4, 3, 1]))


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def test_each_gate_of_a_gru_has_its_own_sum_and_together_they_make_the_value() -> None:
    lab = sequences(tn.GRU(3, 5, name="rnn"))
    for name in ("b_ih", "b_hh"):
        lab.set_weight(f"rnn.{name}[11]", 0.3)
    gru, x, h = lab.network["rnn"], lab.data.splits["train"][0][4], np.zeros(5)
    for step in range(4):
        of_x, of_h = x[step] @ gru.w_ih + gru.b_ih, h @ gru.w_hh + gru.b_hh
        r, z = sigmoid(of_x + of_h)[:10].reshape(2, 5)
        n_sum = of_x[10:] + r * of_h[10:]
        before, h = h, (1 - z) * np.tanh(n_sum) + z * h
    found = lab.explain("rnn[1]", 4, top=2)
    assert [gate.name for gate in found.gates] == ["r (reset)", "z (update)", "n (new)"]
    assert [gate.value for gate in found.gates] == pytest.approx([r[1], z[1], np.tanh(n_sum[1])])
    assert found.gates[2].z == pytest.approx(n_sum[1])
    new = found.gates[2]
    assert sum(term.product for term in new.contributions) + new.rest + new.bias == pytest.approx(new.z)
    assert all(term.label.startswith(("x[", "rnn[")) for gate in found.gates for term in gate.contributions)
    assert found.value == pytest.approx((1 - z[1]) * np.tanh(n_sum[1]) + z[1] * before[1])
    assert (found.contributions, found.z, found.activation) == ((), None, "")
    assert "n (new), the sum of" in str(found)


def test_each_gate_of_an_lstm_has_its_own_sum() -> None:
    lab = sequences(tn.LSTM(3, 5, name="rnn"))
    lstm, x, h, c = lab.network["rnn"], lab.data.splits["train"][0][4], np.zeros(5), np.zeros(5)
    for step in range(4):
        sums = x[step] @ lstm.w_ih + lstm.b_ih + h @ lstm.w_hh + lstm.b_hh
        i, f, g, o = [np.tanh(part) if place == 2 else sigmoid(part) for place, part in enumerate(sums.reshape(4, 5))]
        c = f * c + i * g
        h = o * np.tanh(c)
    found = lab.explain("rnn[1]", 4)
    assert [gate.name[0] for gate in found.gates] == list("ifgo")
    assert [gate.z for gate in found.gates] == pytest.approx(list(sums.reshape(4, 5)[:, 1]))
    assert [gate.value for gate in found.gates] == pytest.approx([i[1], f[1], g[1], o[1]])
    assert found.value == pytest.approx(h[1])


@pytest.mark.parametrize("activation", [[tn.Tanh()], []])
def test_what_a_normalization_makes_of_the_sum_is_told(activation: list[tn.Layer]) -> None:
    layers = [tn.Linear(2, 6, name="hidden"), tn.LayerNorm(6), *activation, tn.Linear(6, 2, name="output")]
    network = tn.Network(layers, dtype="float64", seed=0)
    data = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    lab = tn.Lab(network, data=data, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=8)
    found, hidden = lab.explain("hidden[3]", 4), lab.network["hidden"]
    sums = lab.probe.x[4] @ hidden.w + hidden.b
    assert found.z == pytest.approx(sums[3])
    assert found.normalized == pytest.approx((sums - sums.mean())[3] / np.sqrt(sums.var() + 1e-5))
    assert f": z = {found.z:+.4f}, normalized {found.normalized:+.4f}" in str(found)
    assert lab.explain("output[1]").normalized is None


@pytest.mark.proof
def test_a_heads_value_is_said_to_be_a_root_mean_square() -> None:
    lab = tn.Lab("names-transformer")
    block = next(block for block in lab.network.blocks if "attention" in block.name)
    found = lab.explain(f"{block.name}[1]", 1, split="dev", top=1)
    layer, buffers = lab.network.layers[block.first], lab.probe.workspace.buffers[block.first]
    gives = layer.site_values(buffers)[1, 1, -1]
    assert found.value == pytest.approx(np.sqrt((gives**2).mean()), rel=1e-5)
    assert f"it gives (root mean square of what the head gives): {found.value:+.4f}" in str(found)


def test_a_unit_of_a_map_responds_to_the_nearest_examples() -> None:
    lab = tn.Lab("colors-som")
    found = lab.explain("map[7]", top=3)
    x = lab.data.splits["train"][0]
    distances = ((x - lab.network["map"].w[:, 7]) ** 2).sum(axis=1)
    assert found.nearest
    assert [entry.value for entry in found.responses] == pytest.approx(sorted(distances)[:3], rel=1e-4)
    assert "the nearest examples (smallest distance)" in str(found)
    assert "->" not in str(found)


def test_an_input_that_a_split_holds_several_times_is_listed_once(names: tn.Lab) -> None:
    found = names.explain("hidden[3]", split="dev", top=30)
    x, y = names.data.splits["dev"]
    assert len({entry.text for entry in found.responses}) == 30
    for entry in found.responses:
        same = [i for i in np.flatnonzero(x[:, -1] == x[entry.index, -1]) if (x[i] == x[entry.index]).all()]
        assert (entry.index, entry.count) == (same[0], len(same))
        listed = entry.target.removesuffix(", ...").split(", ")
        frequent = np.bincount(y[same], minlength=27)
        letters = [names.data.labels[i] for i in np.flatnonzero(frequent)]
        assert len(listed) == min(3, len(letters))
        assert frequent[names.data.labels.index(listed[0])] == frequent.max()
    most = max(found.responses, key=lambda entry: entry.count)
    assert most.count > 1
    assert f"{most.text} -> {most.target} ({most.count:,} times)" in str(found)


@pytest.mark.parametrize("step", [0, 2, 3])
def test_a_unit_explains_itself_at_a_time_step(step: int) -> None:
    lab = sequences(tn.RNN(3, 5, name="rnn"))
    h = hidden_states(lab, np.tanh)[..., 1]
    found = lab.explain(f"rnn[1]@t={step}", 4, top=2)
    assert (found.selector, found.position, found.place) == (f"rnn[1]@t={step}", step, f"t={step}")
    assert found.value == pytest.approx(h[4, step])
    assert np.tanh(found.z) == pytest.approx(h[4, step])
    assert (found.mean, found.variance) == (pytest.approx(h[:, step].mean()), pytest.approx(h[:, step].var()))
    assert [entry.index for entry in found.responses] == list(np.argsort(-h[:, step])[:2])
    assert bool(found.effects) == (step == 3)  # only the last one goes to the outputs
    assert f" at t={step}" in str(found).splitlines()[0]


@pytest.mark.parametrize("sequence", [True, False])
def test_the_gradient_at_a_time_step_is_that_of_its_own_output(sequence: bool) -> None:
    x = np.random.default_rng(1).normal(size=(40, 4, 3))
    behind = [tn.Flatten(), tn.Linear(20, 2, name="output")] if sequence else [tn.Linear(5, 2, name="output")]
    network = tn.Network([tn.RNN(3, 5, sequence=sequence, name="rnn"), *behind], dtype="float64", input_shape=(4, 3))
    data = x, (x[:, 0, 0] > 0).astype(np.int64)
    lab = tn.Lab(network, data=data, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=8)
    out = lab.network.predict(lab.probe.x)[4]
    shares = np.exp(out) / np.exp(out).sum()
    shares[lab.probe.y[4]] -= 1
    w = lab.network["output"].w.reshape(-1, 5, 2)
    for step in (1, 3):
        found = lab.explain(f"rnn[1]@t={step}", 4)
        if not sequence and step == 1:
            assert (found.gradient, found.effects) == (None, ())
            continue
        taken = w[step if sequence else 0, 1]
        assert found.gradient == pytest.approx(float(shares @ taken))
        added = {entry.label: entry.value for entry in found.effects}
        assert [added[label] for label in lab.data.labels] == pytest.approx(list(found.value * taken))


def test_the_place_in_an_image_is_told_by_row_and_column() -> None:
    lab = tn.Lab("digits-cnn")
    found = lab.explain("conv2[1]", 3, split="dev")
    values = lab.network.forward(lab.probe.x) is not None and lab.network.activation("conv2")[3, ..., 1]
    row, column = np.unravel_index(np.abs(values).argmax(), values.shape)
    assert found.place == f"row {row}, column {column}"
    assert f" at row {row}, column {column}" in str(found)


@pytest.mark.parametrize(
    "recipe",
    ["digits-cnn", "names-rnn", "spiral-rbf", "modular"]
    + [pytest.param(f"names-{kind}", marks=pytest.mark.proof) for kind in ("gru", "lstm", "transformer")],
)
def test_every_unit_of_every_kind_explains_itself(recipe: str) -> None:
    lab = tn.Lab(recipe)
    lab.run(2)
    split = "dev" if "dev" in lab.data.splits else "train"
    blocks = [block for block in lab.network.blocks if block.units]
    for block in blocks[:: max(1, len(blocks) // 4)]:
        found = lab.explain(f"{block.name}[{block.units - 1}]", 1, split=split, top=3)
        assert len(found.responses) == 3
        assert len(str(found).splitlines()) > 4
        if found.z is not None and block.pre == block.first:
            assert found.z == pytest.approx(found.pre, rel=1e-4, abs=1e-5)


def test_a_picture_comes_with_the_examples_that_are_pictures() -> None:
    found = tn.Lab("digits-cnn").explain("conv1[0]", top=1)
    assert found.responses[0].image is not None
    assert found.responses[0].image.shape == (8, 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda lab: lab.explain("hidden"), "`explain` is about one unit, as `hidden[0]`, not `hidden`"),
        (lambda lab: lab.explain("hidden.pre[1]"), "`explain` is about one unit, as `hidden[0]`, not `hidden.pre[1]`"),
        (lambda lab: lab.explain("hidden[1]", 99), "`example` must be a whole number from 0 to 39, not 99"),
        (lambda lab: lab.explain("hidden[1]", split="x"), "`explain`: `split` is one of train, not 'x'"),
        (lambda lab: lab.explain("hidden[1]", top=0), "`top` must be a whole number from 1 to 1000, not 0"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    lab: tn.Lab, says: Callable[..., Any], call: Callable[[tn.Lab], object], message: str
) -> None:
    with says(tn.EditError, message):
        call(lab)


def test_the_command_line_asks_for_it() -> None:
    assert parse("explain hidden[3] 2 top=3").python() == 'lab.explain("hidden[3]", 2, top=3)'
    assert parse("explain rnn[5]@t=3 2 top=3").python() == 'lab.explain("rnn[5]@t=3", 2, top=3)'
    assert parse("patch rnn[5]@t=3 example=2").python() == 'lab.patch("rnn[5]@t=3", example=2)'
