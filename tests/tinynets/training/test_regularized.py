"""A network with batch normalization and dropout: replay, undo, freezing and saves are exact to the byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tinynets as tn


def make(dtype: str = "float32", **options: object) -> tn.Lab:
    layers = [
        tn.Linear(2, 8, name="hidden", bias=False),
        tn.BatchNorm(8),
        tn.Tanh(),
        tn.Dropout(0.3),
        tn.Linear(8, 6, name="second"),
        tn.LayerNorm(6),
        tn.GELU(),
        tn.Linear(6, 2, name="output"),
    ]
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 2))
    data = {"train": (x, (x[:, 0] > x[:, 1] ** 2).astype(np.int64))}
    network = tn.Network(layers, seed=3, dtype=dtype)
    optimizer = tn.SGD(0.1, momentum=0.9)
    return tn.Lab(network, data=data, loss=tn.CrossEntropy(), optimizer=optimizer, batch=8, seed=5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_moment_has_the_same_digest_when_it_is_reached_again(dtype: str, tmp_path: Path) -> None:
    lab = make(dtype)
    digests = {0: lab.state.digest()}
    for step in range(1, 31):
        lab.step()
        digests[step] = lab.state.digest()
        lab.evaluate("train")  # looking changes nothing
    for step in (7, 29, 1, 30, 0, 15):
        lab.seek(step)
        assert lab.state.digest() == digests[step]
    lab.seek(30)
    opened = tn.Lab(lab.save(tmp_path / "regularized").path)
    assert opened.state.digest() == digests[30]
    for step in (12, 30):
        opened.seek(step)
        assert opened.state.digest() == digests[step]
    again = make(dtype)
    again.run(30)
    assert again.state.digest() == digests[30]
    opened.run(5)
    again.run(5)
    assert opened.state.digest() == again.state.digest()


def test_phases_make_the_same_step_as_a_whole_one() -> None:
    whole, pieces = make(), make()
    whole.run(3)
    for _ in range(3 * len(pieces.player.phase_order)):
        pieces.phase()
    assert pieces.state.digest() == whole.state.digest()


def test_undo_takes_running_statistics_back() -> None:
    lab = make()
    lab.run(4)
    before = lab.state.digest()
    lab.run(3)
    lab.freeze("hidden[1]")
    lab.undo()
    lab.undo()
    assert lab.state.digest() == before


def test_frozen_units_keep_every_byte_in_their_whole_block() -> None:
    lab = make()
    lab.run(5)
    lab.freeze("hidden[0:3]")
    lab.freeze("second[4]")
    before = lab.state
    lab.run(20)
    after = lab.state
    network = lab.network
    for block, units in (("hidden", range(3)), ("second", [4])):
        places = network.unit_indices(network.block(block), units)
        assert before.theta[places].tobytes() == after.theta[places].tobytes()
        for name, slot in before.slots.items():
            assert slot[places].tobytes() == after.slots[name][places].tobytes()
    carried = network.carried_indices(network.block("hidden"), range(3))
    assert carried.tolist() == [0, 1, 2, 8, 9, 10]
    assert before.buffers[carried].tobytes() == after.buffers[carried].tobytes()
    free = np.setdiff1d(np.arange(before.buffers.size), carried)
    assert (before.buffers[free] != after.buffers[free]).all()


def test_evaluation_uses_running_statistics_and_drops_nothing() -> None:
    lab = make("float64")
    lab.run(30)
    x = lab.data["train"][0]
    together = lab.network.predict(x)
    apart = np.concatenate([lab.network.predict(x[index : index + 1]) for index in range(len(x))])
    np.testing.assert_allclose(together, apart, rtol=1e-9, atol=1e-12)
