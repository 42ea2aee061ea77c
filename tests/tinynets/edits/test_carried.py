"""Hidden state carried from step to step: replayed, undone, saved and reset to the byte, with units frozen too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.history.verify import replay
from tinynets.lab.command_line import parse
from tinynets.training.sampler import Sampler


def windows(count: int = 60, steps: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Consecutive pieces of one long series, and what follows each position."""
    series = np.random.default_rng(0).normal(size=(count * steps + 1, 2))
    return series[:-1].reshape(count, steps, 2), (series[1:, 0] > 0).astype(np.int64).reshape(count, steps)


def reader(kind: Any = tn.LSTM, **options: Any) -> tn.Lab:
    """A recurrent network that reads on, with two layers that carry state."""
    layers = [kind(2, 4, carry=6, name="first"), kind(4, 4, carry=6, name="second"), tn.Linear(4, 2, name="output")]
    defaults: dict[str, Any] = {"optimizer": tn.SGD(0.1, momentum=0.9), "batch": 6, "sampling": "stream", "seed": 0}
    network = tn.Network(layers, dtype="float64", input_shape=(5, 2))
    return tn.Lab(network, data=windows(), loss=tn.CrossEntropy(), **(defaults | options))


# -- stream sampling


@settings(max_examples=25)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 200))
def test_in_a_stream_each_row_takes_the_example_that_follows_its_last(count: int, batch: int, step: int) -> None:
    sampler = Sampler(count, batch, "stream", 0)
    rows = np.arange(batch) * (count // batch) if batch <= count else np.arange(batch) * count // batch
    assert sampler.indices(step).tolist() == ((rows + step) % count).tolist()
    assert ((sampler.indices(step) + 1) % count).tolist() == sampler.indices(step + 1).tolist()


def test_a_lab_that_carries_without_a_stream_is_told() -> None:
    assert reader().warnings == []
    assert reader(sampling="epoch").warnings == [
        "`first` carries its hidden state from batch to batch (`carry`), but `sampling` is 'epoch': "
        'only with "stream" does a row of a batch go on where that of the batch before ended'
    ]


# -- time travel


@pytest.mark.parametrize("kind", [tn.RNN, tn.GRU, tn.LSTM])
def test_replay_undo_and_seek_come_back_to_the_same_bytes(kind: Any) -> None:
    lab = reader(kind)
    digests = [lab.state.digest()]
    for _ in range(12):
        lab.step()
        digests.append(lab.state.digest())
    assert len(set(digests)) == 13
    assert lab.state.buffers.any()
    for step in (3, 11, 0, 7):
        lab.seek(step)
        assert lab.state.digest() == digests[step]
    lab.seek(12)
    lab.zero("first[1]")
    lab.freeze("second[0:2]")
    changed = lab.state.digest()
    lab.run(5)
    end = lab.state.digest()
    lab.undo()
    assert lab.state.digest() == changed
    lab.undo()
    lab.undo()
    assert lab.state.digest() == digests[12]
    for _ in range(3):
        lab.redo()
    assert lab.state.digest() == end


def test_a_save_brings_back_hidden_state_single_steps_and_resets(tmp_path: Path) -> None:
    lab = reader()
    lab.run(4)
    lab.zero("first[2]@t=3")
    lab.run(3)
    lab.reset("second")
    lab.run(3)
    lab.save(tmp_path / "x.msgpack")
    again = tn.Lab(str(tmp_path / "x.msgpack"))
    assert again.state.digest() == lab.state.digest()
    again.seek(2)
    again.seek(10)
    assert again.state.digest() == lab.state.digest()
    assert lab.run(5).loss == again.run(5).loss
    assert again.state.digest() == lab.state.digest()


def test_batches_follow_each_other_in_training_while_evaluation_starts_from_zeros() -> None:
    lab = reader(optimizer=tn.SGD(0.0))
    before = lab.evaluate("train").loss
    losses = [lab.step().loss for _ in range(3)]
    assert lab.evaluate("train").loss == before
    x, y = windows()
    rows = np.arange(6) * 10
    network = tn.Network(list(lab.network.parts), dtype="float64", input_shape=(5, 2))
    network.theta[:] = lab.network.theta
    whole = network.predict(np.concatenate([x[rows + step] for step in range(3)], axis=1))
    for step, loss in enumerate(losses):
        value, _ = tn.CrossEntropy()(whole[:, 5 * step : 5 * step + 5], y[rows + step])
        assert loss == pytest.approx(value, rel=1e-9)


def test_a_step_that_is_dropped_half_way_carries_nothing() -> None:
    lab = reader()
    lab.run(3)
    before = lab.state.digest()
    for _ in range(4):
        lab.phase()
    lab.undo()
    assert lab.state.digest() == before


def test_batches_of_another_size_than_is_carried_are_found_when_the_lab_is_built(says: Callable[..., Any]) -> None:
    message = "`first` LSTM(2, 4, carry 6) carries the hidden state of 6 examples, so it cannot train on 8"
    with says(tn.ShapeError, message):
        reader(batch=8)


# -- reset


def test_reset_sets_hidden_state_to_zero_and_can_be_undone() -> None:
    lab = reader()
    lab.run(3)
    before = lab.state
    report = lab.reset("first")
    assert report.done == "first reset"
    after = lab.state
    half = before.buffers.size // 2
    assert before.buffers[:half].all()
    assert not after.buffers[:half].any()
    assert np.array_equal(after.buffers[half:], before.buffers[half:])
    assert np.array_equal(after.theta, before.theta)
    lab.undo()
    assert lab.state.digest() == before.digest()


def test_reset_of_single_units_leaves_the_others() -> None:
    lab = reader(tn.GRU)
    lab.run(3)
    lab.reset("second[1,3]")
    state = lab.state.buffers[24:].reshape(6, 4)
    assert not state[:, [1, 3]].any()
    assert state[:, [0, 2]].all()


def test_reset_of_batch_norm_sets_its_running_statistics_to_their_start() -> None:
    layers = [tn.Linear(2, 3, name="hidden"), tn.BatchNorm(3), tn.Tanh(), tn.Linear(3, 2)]
    x = np.random.default_rng(0).normal(size=(40, 2))
    network = tn.Network(layers, input_shape=(2,))
    lab = tn.Lab(network, data=(x, (x[:, 0] > 0).astype(np.int64)), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1))
    lab.run(5)
    assert not np.array_equal(lab.state.buffers, network.carried)
    lab.reset("hidden")
    assert np.array_equal(lab.state.buffers, network.carried)


def test_reset_of_what_carries_nothing_is_refused(says: Callable[..., Any]) -> None:
    lab = reader()
    before = lab.state.digest()
    with says(tn.EditError, "`output` carries nothing from step to step, so there is nothing to reset"):
        lab.reset("output")
    with says(tn.EditError, "`first@t=1` carries nothing; what can be reset is the unit: `first[...]`"):
        lab.reset("first@t=1")
    assert lab.state.digest() == before


def test_reset_is_a_command() -> None:
    assert parse("reset first").python() == 'lab.reset("first")'
    assert parse("reset first[1, 2]").args == ("first[1,2]",)


# -- freezing


FROZEN: dict[str, tuple[list[tn.Layer], tuple[int, ...], str]] = {
    "conv1d": ([tn.Conv1d(2, 4, 2, name="it"), tn.Tanh(), tn.GlobalAvgPool()], (5, 2), "it[1,3]"),
    "conv2d": ([tn.Conv2d(2, 4, 2, name="it"), tn.ReLU(), tn.MaxPool2d(2), tn.Flatten()], (3, 3, 2), "it[1,3]"),
    "rnn": ([tn.RNN(2, 4, carry=8, sequence=False, name="it")], (5, 2), "it[1,3]"),
    "gru": ([tn.GRU(2, 4, carry=8, sequence=False, name="it")], (5, 2), "it[1,3]"),
    "lstm": ([tn.LSTM(2, 4, carry=8, sequence=False, name="it")], (5, 2), "it[1,3]"),
    "attention": ([tn.CausalSelfAttention(4, 2, name="it"), tn.GlobalAvgPool()], (5, 4), "it[1]"),
}


@pytest.mark.parametrize("kind", FROZEN)
def test_frozen_units_keep_their_bytes_through_200_steps_of_sgd_with_momentum(kind: str) -> None:
    layers, shape, target = FROZEN[kind]
    x = np.random.default_rng(0).normal(size=(40, *shape))
    y = (x.reshape(40, -1).mean(1) > 0).astype(np.int64)
    network = tn.Network([*layers, tn.Linear(4, 2)], input_shape=shape)
    optimizer = tn.SGD(0.05, momentum=0.9, weight_decay=0.01)
    lab = tn.Lab(network, data=(x, y), loss=tn.CrossEntropy(), optimizer=optimizer, batch=8)
    lab.run(3)
    lab.freeze(target)
    before = lab.state
    lab.run(200)
    after = lab.state
    frozen = before.frozen
    assert frozen.size
    assert np.array_equal(after.theta[frozen], before.theta[frozen])
    assert np.array_equal(after.slots["velocity"][frozen], before.slots["velocity"][frozen])
    assert (np.delete(after.theta, frozen) != np.delete(before.theta, frozen)).mean() > 0.9


def attentive() -> tn.Lab:
    x = np.random.default_rng(0).normal(size=(40, 5, 4))
    y = (x.reshape(40, -1).mean(1) > 0).astype(np.int64)
    layers = [tn.CausalSelfAttention(4, 2, name="it"), tn.GlobalAvgPool(), tn.Linear(4, 2)]
    network = tn.Network(layers, input_shape=(5, 4))
    return tn.Lab(network, data=(x, y), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.05), batch=8)


def test_what_belongs_to_no_single_head_is_frozen_exactly_while_all_heads_are(tmp_path: Path) -> None:
    lab = attentive()
    size = lab.network.block_parameters(lab.network.block("it"))
    shared = lab.network.parameter_slice(0, "b_out")

    def learns() -> bool:
        before = lab.state.theta[shared]
        lab.step()
        return bool((lab.state.theta[shared] != before).all())

    lab.freeze("it[0]")
    assert learns()
    lab.freeze("it[1]")
    assert lab.frozen == {"it": (0, 1)}
    assert lab.state.frozen.size == size
    assert not learns()
    lab.unfreeze("it[0]")
    assert learns()
    lab.freeze("it")
    assert not learns()
    lab.unfreeze("it[0]")
    lab.unfreeze("it[1]")
    assert lab.frozen == {}
    assert lab.state.frozen.size == 0
    assert learns()
    lab.save(tmp_path / "heads.msgpack")
    assert replay(tn.Lab(tmp_path / "heads.msgpack").player).equal


def test_a_frozen_recurrent_layer_goes_on_carrying_its_hidden_state() -> None:
    lab = reader()
    lab.run(3)
    lab.freeze("first")
    before = lab.state
    lab.step()
    after = lab.state
    half = before.buffers.size // 2
    assert not before.frozen_buffers.size
    assert (after.buffers[:half] != before.buffers[:half]).all()
    assert lab.frozen == {"first": (0, 1, 2, 3)}


def test_what_the_network_carries_can_be_read_and_not_written() -> None:
    layers = [tn.Linear(2, 4), tn.BatchNorm(4, name="norm"), tn.Linear(4, 2)]
    points = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    lab = tn.Lab(tn.Network(layers), data=points, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=8)
    lab.run(3)
    norm: Any = lab.network["norm"]
    before = lab.state.digest()
    with pytest.raises(ValueError, match="read-only"):
        norm.running_mean[:] = 9
    with pytest.raises(ValueError, match="read-only"):
        lab.network.reset_carried()
    assert lab.state.digest() == before
    lab.step()
    assert norm.running_mean.any()
    assert lab.state.buffers[:4].tobytes() == norm.running_mean.tobytes()
    assert replay(lab.player).equal


@pytest.mark.parametrize("which", ["buffers", "velocity"])
def test_replay_measures_differences_of_slots_and_of_what_is_carried(which: str) -> None:
    lab = reader()
    lab.step()
    kept = lab.player.branch.keyframes
    moment = (lab.step_number, 0)
    state = lab.state
    array = state.buffers if which == "buffers" else state.slots[which]
    array.flags.writeable = True
    array[0] += 0.5
    kept[moment] = state
    report = replay(lab.player)
    assert not report.equal
    assert report.largest_difference == pytest.approx(0.5)
