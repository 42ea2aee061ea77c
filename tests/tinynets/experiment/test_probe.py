"""The probe: examples drawn from a whole split, the same ones for the same run, and unchanged in old saves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import copied, filed, packed

import tinynets as tn
from tinynets.data import arrays
from tinynets.data.sample import probe_rows, sample_payload
from tinynets.nn.interventions import examples_from
from tinynets.numerics import rng
from tinynets.numerics.rules import CURRENT, FIRST
from tinynets.storage import data_record
from tinynets.storage.records import read_records
from tinynets.training.hyper import Hyper
from tinynets.training.state import State, state_taps

OLD = Path(__file__).parents[2] / "saves"


def by_class(count: int = 300, classes: int = 3, **options: Any) -> tn.Lab:
    """A lab of data sorted by class, as in many files; an example's first feature is its number."""
    y = np.repeat(np.arange(classes), count // classes)
    x = np.stack([np.arange(count) / 100, np.random.default_rng(0).normal(size=count)], axis=1)
    network = tn.Network([tn.Linear(2, 4, name="hidden"), tn.Tanh(), tn.Linear(4, classes)])
    return tn.Lab(network, data=(x, y), loss=tn.CrossEntropy(), **({"seed": 0, "probe": 60} | options))


def rows(lab: tn.Lab) -> list[int]:
    """The numbers of the split's examples that are in the probe."""
    return np.rint(lab.probe.x[:, 0].astype(float) * 100).astype(int).tolist()


def test_of_data_sorted_by_class_the_probe_has_all_classes() -> None:
    for seed in range(20):
        counts = np.bincount(by_class(seed=seed).probe.y, minlength=3)
        assert counts.sum() == 60
        assert counts.min() >= 8  # of the 20 expected


def test_it_is_addressed_by_the_seed_of_the_run() -> None:
    assert rows(by_class(seed=1)) == rows(by_class(seed=1))
    assert rows(by_class(seed=1)) != rows(by_class(seed=2))


def test_where_it_is_the_whole_split_it_is_in_its_order() -> None:
    assert rows(by_class(probe=300)) == rows(by_class(probe=1000)) == list(range(300))


def test_what_is_said_of_its_examples_is_said_of_those_drawn() -> None:
    lab = by_class()
    for place, index in enumerate(rows(lab)):
        assert lab.probe.examples[place] == lab.data.describe("train", index)
        assert lab.probe.targets[place] == lab.data.describe_target("train", index) == str(lab.probe.y[place])


def test_weights_are_those_of_the_examples_drawn() -> None:
    x = np.arange(100.0)[:, None]
    lab = tn.Lab(tn.Network([tn.Linear(1, 1)]), data=(x, x, np.arange(100) - 50.0), loss=tn.MSE(), probe=10)
    assert lab.probe.weight is not None
    assert lab.probe.weight.tolist() == (lab.probe.x[:, 0] - 50).tolist()


@given(size=st.integers(1, 400), count=st.integers(1, 400), seed=st.integers(0, 2**40))
def test_so_many_different_examples_are_drawn_rising(size: int, count: int, seed: int) -> None:
    data = arrays(np.zeros((size, 1)), np.zeros(size, np.int64))
    found = probe_rows(data, count, seed, CURRENT)
    assert len(found) == min(size, count)
    assert (np.diff(found) > 0).all()
    assert 0 <= found.min() <= found.max() < size
    assert probe_rows(data, count, seed, FIRST).tolist() == list(range(min(size, count)))


def test_every_example_is_as_likely() -> None:
    data = arrays(np.zeros((20, 1)), np.zeros(20, np.int64))
    drawn = np.bincount(np.concatenate([probe_rows(data, 5, seed, CURRENT) for seed in range(4000)]), minlength=20)
    assert abs(drawn - 1000).max() < 5 * np.sqrt(1000 * 0.75)


@pytest.mark.parametrize("path", sorted(OLD.glob("v*/*.msgpack")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_run_of_an_old_save_keeps_the_first_examples(path: Path) -> None:
    try:
        lab = tn.Lab(path)
    except tn.UnsupportedSave:
        pytest.skip("it has layers of one's own")
    assert np.array_equal(lab.probe.x, lab.split(lab.probe.split)[0][: len(lab.probe.x)])


def test_a_save_of_large_data_holds_the_examples_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_record, "EMBED_LIMIT", 1000)
    lab = by_class()
    lab.run(5)
    lab.save(tmp_path / "x.msgpack")
    alone = tn.Lab(tmp_path / "x.msgpack")
    assert alone.data.missing is not None
    assert rows(alone) == rows(lab)
    assert (alone.probe.examples, alone.probe.targets) == (lab.probe.examples, lab.probe.targets)
    assert alone.probe_loss() == lab.probe_loss()
    alone.save(tmp_path / "again.msgpack")
    assert rows(tn.Lab(tmp_path / "again.msgpack")) == rows(lab)


def test_a_sample_has_weights_and_captions_of_the_very_examples() -> None:
    made = arrays(np.arange(50.0)[:, None], np.arange(50) % 2, np.arange(50.0))
    object.__setattr__(made, "captions", {"train": tuple(f"no. {i}" for i in range(50))})
    found: Any = sample_payload(made, 7, 3, CURRENT)["splits"]
    split = found["train"]
    chosen = split["x"][:, 0].astype(int).tolist()
    assert chosen == probe_rows(made, 7, 3, CURRENT).tolist() != list(range(7))
    assert split["weight"].tolist() == chosen
    assert split["captions"] == [f"no. {index}" for index in chosen]


def test_accuracies_of_old_runs_are_judged_as_they_were(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    weight = (np.arange(40) % 4 > 0).astype(float)
    lab = tn.Lab(tn.Network([tn.Linear(2, 2)]), data=(x, y, weight), loss=tn.CrossEntropy(), seed=0)
    right = lab.network.predict(x).argmax(axis=1) == y
    assert lab.evaluate("train").accuracy == lab.probe_measures()[1] == right[weight > 0].mean() != right.mean()
    lab.save(tmp_path / "x.msgpack")
    records = [copied(record) for record in read_records(tmp_path / "x.msgpack")]
    for record in records:
        if record["record"] == "keyframe":
            del record["state"]["hyper"]["rules"]
        if record["record"] == "recipe":
            del record["config"]["training"]["rules"]
    (tmp_path / "old.msgpack").write_bytes(filed([packed(record) for record in records], 2, count=None, whole=True))
    old = tn.Lab(tmp_path / "old.msgpack")
    assert old.evaluate("train").accuracy == old.probe_measures()[1] == right.mean()


# -- random numbers over a split


def test_what_is_drawn_is_not_the_same_every_few_thousand_examples() -> None:
    """Noise, resample, means and explain, over a split of more than one chunk."""
    x = np.zeros((3 * 4096, 2))
    network = tn.Network([tn.Linear(2, 2, name="hidden"), tn.Linear(2, 2, name="out")], dtype="float64")
    for op in ("noise", "resample"):
        lab = tn.Lab(network, data=(x, np.zeros(len(x), np.int64)), loss=tn.CrossEntropy(), seed=0)
        random = np.random.default_rng(0).normal(size=(64, 1))
        lab.noise("hidden[0]", 1.0) if op == "noise" else lab.resample("hidden[0]", values=random)
        found = lab.explain("hidden[0]", top=1)
        drawn = _drawn(lab, len(x))
        assert len({part.tobytes() for part in drawn}) == 3
        whole = np.concatenate(drawn)
        assert (found.mean, found.variance) == (pytest.approx(whole.mean()), pytest.approx(whole.var()))
        lab.mean("out[0]", "train")
        w, b = lab.network["out"].w, lab.network["out"].b
        values = lab.interventions[-1].values
        assert values is not None
        hidden1 = lab.network["hidden"].b[1]
        assert values.array[0] == pytest.approx(whole.mean() * w[0, 0] + hidden1 * w[1, 0] + b[0])
        lab.release("out[0]")
        out = np.stack([whole, np.full(len(x), hidden1)], axis=1) @ w + b
        losses = np.log(np.exp(out).sum(axis=1)) - out[:, 0]
        assert lab.evaluate("train").loss == pytest.approx(losses.mean())


def _drawn(lab: tn.Lab, count: int) -> list[np.ndarray]:
    """The first unit's values over identical examples, computed from addresses chunk by chunk."""
    entry, state = lab.interventions[0], lab.state
    parts = []
    for place in range(0, count, 4096):
        address = f"{entry.op}/hidden/{entry.ordinal}" + (f"/{place}" if place else "")
        if entry.op == "noise":
            bias = lab.network["hidden"].b[0]
            parts.append(bias + rng.normal_rows(state.hyper.seed, address, state.step, 1, 4096)[0])
        else:
            assert entry.values is not None
            chosen = rng.integers(state.hyper.seed, address, state.step, 64, (4096,))
            parts.append(entry.values.array[chosen, 0])
    return parts


def test_what_is_drawn_over_a_split_in_an_old_run_is_what_it_was() -> None:
    x = np.zeros((2 * 4096, 2))
    network = tn.Network([tn.Linear(2, 1, name="hidden")], dtype="float64", rules=FIRST)
    state = State.start(network, Hyper(tn.SGD(0.1), rules=FIRST))
    lab = tn.Lab(network, data=(x, np.zeros((len(x), 1))), loss=tn.MSE(), seed=0)
    lab.noise("hidden[0]", 1.0)
    network.taps = state_taps(network, replace(state, interventions=lab.interventions))
    first = network.predict(x[:4096])
    with examples_from(network, 4096):
        assert np.array_equal(network.predict(x[4096:]), first)
    lab.network.taps = state_taps(lab.network, lab.state_now)
    first = lab.network.predict(x[:4096])
    with examples_from(lab.network, 4096):
        assert not np.array_equal(lab.network.predict(x[4096:]), first)
    assert np.array_equal(lab.network.predict(x[:4096]), first)
