"""What a frame shows for each kind of layer: weights by unit, time steps, gates, patterns, maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import StandingIntervention, View
from tinynets.server.frame_builder import FrameBuilder


def lab_of(layers: list[tn.Layer], x: Any, y: Any = None, loss: tn.Loss | None = None) -> tn.Lab:
    y = np.zeros(len(x), np.int64) if y is None and loss is None else y
    network = tn.Network(layers, dtype="float64", input_shape=x.shape[1:])
    return tn.Lab(network, data=(x, y), loss=loss or tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4)


def seen(lab: tn.Lab, block: str, unit: int = 0, example: int = 0) -> Any:  # a Frame, whose panes are there
    return FrameBuilder.of(lab).frame(View(block=block, unit=unit, example=example), 1, Activity())


def draws(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


@pytest.fixture
def sequences() -> np.ndarray:
    return draws(8, 5, 3)


def test_a_convolution_shows_a_column_for_each_channel() -> None:
    lab = lab_of([tn.Conv2d(2, 4, 3, name="conv"), tn.ReLU(), tn.Flatten(), tn.Linear(36, 3)], draws(8, 5, 5, 2))
    frame = seen(lab, "conv", unit=1)
    w = lab.network["conv"].w
    assert frame.weights.title == "conv.w (18, 4)"
    np.testing.assert_allclose(frame.weights.values, w.reshape(18, 4), rtol=1e-6)
    assert frame.weights.rows[:3] == ("x[0]@0,0", "x[1]@0,0", "x[0]@0,1")
    assert frame.blocks[0].image == (3, 3)
    cells = frame.network[0].values
    assert cells.shape == (9, 4)
    assert frame.neuron.value == pytest.approx(cells[:, 1].max())
    np.testing.assert_allclose(frame.neuron.places, cells[:, 1].reshape(3, 3))
    total = sum(entry.product for entry in frame.neuron.contributions) + frame.neuron.rest
    assert frame.neuron.weighted == pytest.approx(total)
    assert frame.neuron.value == pytest.approx(max(0, total + frame.neuron.bias))
    assert all(name.startswith("linear1[") for name, _ in frame.neuron.outgoing)


def test_pixels_are_named_by_the_channels_they_come_from() -> None:
    lab = lab_of([tn.Conv2d(2, 4, 3, name="conv"), tn.Flatten(), tn.Linear(36, 3, name="out")], draws(8, 5, 5, 2))
    weights = seen(lab, "out").weights
    assert weights is not None
    assert weights.rows[:5] == ("conv[0]@0", "conv[1]@0", "conv[2]@0", "conv[3]@0", "conv[0]@1")


@pytest.mark.parametrize("sequence", [True, False])
@pytest.mark.parametrize(("kind", "gates"), [(tn.RNN, ""), (tn.GRU, "rzn"), (tn.LSTM, "ifgo")])
def test_a_recurrent_layer_shows_its_time_steps_and_gates(
    kind: Any, gates: str, sequence: bool, sequences: np.ndarray
) -> None:
    layers = [kind(3, 4, sequence=sequence, name="r"), *([tn.LastStep()] if sequence else []), tn.Linear(4, 2)]
    lab = lab_of(layers, sequences)
    frame = seen(lab, "r", unit=2)
    count = max(1, len(gates))
    assert frame.blocks[0].positions == 5
    assert frame.network[0].values.shape == (5, 4)
    assert frame.neuron.position == 4
    assert frame.neuron.value == pytest.approx(frame.network[0].values[-1, 2])
    assert frame.weights.title == f"r.w_ih + r.w_hh ({7 * count}, 4)"
    w = lab.network["r"].w_ih
    for gate in range(count):
        lead = f"{gates[gate]} " if gates else ""
        assert frame.weights.rows[3 * gate] == f"{lead}x[0]"
        assert frame.weights.rows[3 * count + 4 * gate + 1] == f"{lead}r[1]@t-1"
        np.testing.assert_allclose(
            frame.weights.values[3 * gate : 3 * gate + 3], w[:, 4 * gate : 4 * gate + 4], rtol=1e-6
        )
    assert (frame.weights.bias is None) == bool(gates)


def test_what_a_recurrent_unit_would_be_without_its_intervention(sequences: np.ndarray) -> None:
    lab = lab_of([tn.LSTM(3, 4, sequence=False, name="r"), tn.Linear(4, 2)], sequences)
    before = seen(lab, "r", unit=2).neuron
    lab.zero("r[2]")
    after = seen(lab, "r", unit=2).neuron
    assert before.clean == before.value != 0
    assert (after.value, after.interventions) == (0, (StandingIntervention("zero"),))
    assert after.clean == pytest.approx(before.value)
    assert seen(lab, "r", unit=2).neuron.value == 0


def test_a_head_shows_its_pattern_and_its_columns(sequences: np.ndarray) -> None:
    attention = tn.CausalSelfAttention(6, 2, name="attention")
    lab = lab_of([tn.Linear(3, 6, name="up"), attention, tn.LastStep(), tn.Linear(6, 2)], sequences)
    frame = seen(lab, "attention", unit=1)
    pattern = frame.neuron.pattern
    assert pattern is not None
    assert pattern.shape == (5, 5)
    np.testing.assert_allclose(pattern.sum(axis=1), 1, rtol=1e-6)
    assert not np.triu(pattern, 1).any()
    w = lab.network["attention"].w_qkv
    assert frame.weights.title == "attention.w_qkv (54, 2)"
    assert frame.weights.rows[:4] == ("q 0 up[0]", "q 1 up[0]", "q 2 up[0]", "q 0 up[1]")
    np.testing.assert_allclose(frame.weights.values[:3, 1], w[0, 3:6], rtol=1e-6)
    np.testing.assert_allclose(frame.weights.values[18:21, 0], w[0, 6:9], rtol=1e-6)
    assert seen(lab, "up").neuron.pattern is None
    lab.zero("attention[1]")
    zeroed = seen(lab, "attention", unit=1).neuron
    assert (zeroed.value, zeroed.clean) == (0, pytest.approx(frame.neuron.value))
    assert seen(lab, "linear2").weights.rows[:2] == ("attention.out[0]", "attention.out[1]")


def test_a_normalization_of_its_own_shows_gain_and_shift() -> None:
    lab = lab_of([tn.LayerNorm(3, name="norm"), tn.Linear(3, 2)], draws(8, 3))
    weights = seen(lab, "norm").weights
    assert weights is not None
    assert weights.title == "norm.gain + norm.shift (2, 3)"
    assert weights.rows == ("gain", "shift")
    assert weights.values.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert weights.bias is None


def test_a_normalized_sum_is_shown_as_what_goes_into_the_activation() -> None:
    lab = lab_of([tn.Linear(3, 4, name="h", bias=False), tn.BatchNorm(4), tn.Tanh(), tn.Linear(4, 2)], draws(8, 3))
    neuron = seen(lab, "h", unit=1).neuron
    assert neuron.value == pytest.approx(np.tanh(neuron.pre))
    assert neuron.weighted is None
    assert len(neuron.contributions) == 3


def test_rows_of_an_embedding_are_characters_and_of_places_numbers() -> None:
    lab = tn.Lab("names-transformer")
    assert seen(lab, "embed").weights.rows[:3] == (".", "a", "b")
    assert seen(lab, "place").weights.rows == tuple("01234567")


def test_branches_are_fed_by_what_stands_before_both_and_give_to_their_join() -> None:
    branches = [[tn.Linear(3, 4, name="left"), tn.Tanh()], [tn.Linear(3, 5, name="right")]]
    layers = [tn.Linear(2, 3, name="first"), tn.Parallel(branches, name="both"), tn.Linear(9, 2, name="out")]
    lab = lab_of(layers, draws(8, 2))
    for name in ("both.branch1.left", "both.branch2.right"):
        frame = seen(lab, name)
        assert frame.weights.rows == ("first[0]", "first[1]", "first[2]")
        assert frame.neuron.outgoing == ()
    joined = seen(lab, "both", unit=8)
    assert joined.weights is None
    assert {name for name, _ in joined.neuron.outgoing} == {"out[0] 0", "out[1]"}
    assert seen(lab, "out").weights.rows[8] == "both[8]"


def test_a_map_of_colours_is_shown_as_its_distances_and_its_colours() -> None:
    x = np.random.default_rng(0).uniform(0, 1, (20, 3))
    lab = lab_of([tn.Distances(3, 6, name="map")], x, loss=tn.Kohonen(grid=(2, 3)))
    frame = seen(lab, "map", example=4)
    grid = frame.output.grid
    assert grid.values.shape == (2, 3)
    assert grid.colors.shape == (2, 3, 3)
    w = lab.network["map"].w
    nearest = int(((x[4][:, None] - w) ** 2).sum(axis=0).argmin())
    assert grid.best == divmod(nearest, 3)
    np.testing.assert_allclose(grid.colors[grid.best], np.clip(w[:, nearest], 0, 1), rtol=1e-6)
    assert frame.output.targets is None
    assert frame.output.plane is None
    assert "→" not in frame.examples[0]


def test_a_map_of_what_is_no_colour_has_none() -> None:
    lab = lab_of([tn.Distances(3, 6)], draws(20, 3), loss=tn.Kohonen(grid=(2, 3)))
    assert seen(lab, "distances1").output.grid.colors is None


@pytest.mark.parametrize("recipe", ["digits", "digits-cnn"])
def test_a_digit_is_shown_as_a_picture_and_has_a_name(recipe: str) -> None:
    lab = tn.Lab(recipe)
    frame = seen(lab, "output", example=3)
    assert frame.output.image.shape == (8, 8)
    np.testing.assert_allclose(frame.output.image.reshape(-1), lab.probe.x[3].reshape(-1), rtol=1e-6)
    assert frame.examples[3].startswith("digit ")


def test_a_unit_of_a_sequence_is_shown_at_every_time_step() -> None:
    frame = seen(tn.Lab("names-lstm"), "lstm", unit=3, example=1)
    np.testing.assert_array_equal(frame.neuron.places, frame.network[1].values[:, 3])
    assert seen(tn.Lab("xor"), "hidden").neuron.places is None


@pytest.mark.parametrize(
    ("recipe", "block"), [("names-lstm", "lstm"), ("names-transformer", "block1a.attention"), ("digits-cnn", "conv1")]
)
def test_the_first_block_looked_at_is_one_that_computes_something(recipe: str, block: str) -> None:
    assert seen(tn.Lab(recipe), "").view.block == block
