"""Saves with false edits of the structure are refused with a reason, before anything they ask for is built."""

from __future__ import annotations

import copy
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from work import worked

import tinynets as tn
from tinynets.storage.records import read_records, write_records

Records = list[dict[str, Any]]
MEMORY = 512 * 2**20  # bytes that a network of 16 million parameters may take while its layers are checked
CALLS = 400_000  # calls of functions while one is read
ENDS = np.arange(24) % 2


def living() -> tn.Lab:
    images = np.random.default_rng(0).normal(size=(24, 4, 4, 2))
    layers = [
        tn.Conv2d(2, 4, 3, padding="same", name="look"),
        tn.ReLU(),
        tn.Flatten(),
        tn.Linear(64, 6, name="hidden"),
        tn.Tanh(),
        tn.Dropout(0.2),
        tn.Linear(6, 2, name="output"),
    ]
    network = tn.Network(layers, input_shape=(4, 4, 2))
    lab = tn.Lab(network, data=(images, ENDS), loss=tn.CrossEntropy(), optimizer=tn.Adam(0.01), batch=6)
    lab.run(3)
    lab.rate("hidden[2]", 0.5)
    lab.noise("hidden[3]", 0.1)
    lab.freeze("hidden[4]")
    lab.prune("hidden[5]")
    lab.run(3)
    lab.grow("hidden", 2, split=1)
    lab.run(3)
    lab.insert("hidden", "linear", name="more")
    lab.transplant("hidden[0]", branch="main", source="hidden[1]")
    lab.seek(4)
    lab.fork("other")
    lab.grow("look", 1)
    lab.run(2)
    return lab


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    path = tmp_path_factory.mktemp("surgery") / "s.msgpack"
    living().save(path)
    return list(read_records(path))


def edits(records: Records) -> list[dict[str, Any]]:
    """All edits, in file order."""
    found: list[dict[str, Any]] = []
    for record in records:
        if record["record"] == "branch":
            found += (record.get("edits") or {}).get("edits", []) if isinstance(record.get("edits"), dict) else []
        if record["record"] == "edits":
            found += record["edits"]
    return found


def edit_of(records: Records, op: str, target: str = "") -> dict[str, Any]:
    return next(e["edit"] for e in edits(records) if e["edit"]["op"] == op and e["edit"]["target"].startswith(target))


def with_arg(op: str, name: str, value: Any, target: str = "") -> Callable[[Records], None]:
    def change(records: Records) -> None:
        edit_of(records, op, target)["args"][name] = value

    return change


def with_target(op: str, target: str) -> Callable[[Records], None]:
    def change(records: Records) -> None:
        edit_of(records, op)["target"] = target

    return change


def without_arg(op: str, name: str) -> Callable[[Records], None]:
    def change(records: Records) -> None:
        del edit_of(records, op)["args"][name]

    return change


def many(entry: dict[str, Any], count: int) -> Callable[[Records], None]:
    """Add so many edits after the prune."""

    def change(records: Records) -> None:
        for record in records:
            places = record.get("edits") if record["record"] == "edits" else None
            for number, placed in enumerate(places or []):
                if placed["edit"]["op"] == "prune":
                    made = [copy.deepcopy(placed) | {"edit": copy.deepcopy(entry)} for _ in range(count)]
                    places[number + 1 : number + 1] = made  # type: ignore[index]
                    return

    return change


def grow(block: str, count: Any, **more: Any) -> dict[str, Any]:
    return {"op": "grow", "target": block, "args": {"count": count, "ordinal": 9, **more}}


CHANGES: dict[str, tuple[Callable[[Records], None], str]] = {
    "a count beyond all": (with_arg("grow", "count", 10**15), "`grow`: `count` must be a whole number from 1 to 65536"),
    "a count below all": (with_arg("grow", "count", -3), "`grow`: `count` must be a whole number from 1 to 65536"),
    "a count that is none": (with_arg("grow", "count", "two"), "`grow`: `count` must be a whole number"),
    "no count": (without_arg("grow", "count"), "`grow`: `count` must be a whole number from 1 to 65536, not None"),
    "no ordinal": (without_arg("grow", "ordinal"), "`grow`: `ordinal` must be a whole number"),
    "an argument of another": (with_arg("grow", "rate", 0.1), "`grow` takes count, split, not `rate`"),
    "a part of a unit that is pruned": (with_arg("grow", "split", 5), "`split` must be a whole number from 0 to 4"),
    "a unit that is pruned": (with_target("transplant", "hidden[7]"), "`hidden` has 7 units, 0 to 6"),
    "all units pruned": (with_target("prune", "hidden"), "at least one unit must be left"),
    "the outputs pruned": (with_target("prune", "output[0]"), "gives the network's outputs"),
    "a block that is not there": (with_target("grow", "nowhere"), "`nowhere` is not a block of this network"),
    "values for other units": (
        with_arg("transplant", "values", np.zeros(9, np.float32)),
        "`values` must be (65,), not (9,)",
    ),
    "a kind that is not inserted": (with_arg("insert", "kind", "softmax"), "`kind` is one of linear"),
    "a name that is taken": (with_arg("insert", "name", "output"), "there is a layer `output` already"),
    "a name that is none": (with_arg("insert", "name", 7), "`name` must be a word"),
    "a huge block behind places": (many(grow("look", 65536), 3), "surgery makes it at most 16,777,216"),
    "blocks that become huge": (many(grow("hidden", 65536), 400), "surgery makes it at most 16,777,216"),
    "a matrix of huge sides": (
        lambda records: (
            many({"op": "insert", "target": "hidden", "args": {"kind": "linear"}}, 1)(records),
            many(grow("hidden", 65536, split=0), 2)(records),
        )[0],
        "surgery makes it at most 16,777,216",
    ),
    "a removed layer that is not there": (
        many({"op": "remove", "target": "nothing", "args": {}}, 1),
        "`nothing` is not a layer of this network",
    ),
    "a layer removed that changes shapes": (
        many({"op": "remove", "target": "hidden", "args": {}}, 1),
        "gives another shape than it takes",
    ),
}


def opened(records: Records, path: Path) -> str:
    """The message of opening the file; checks that it takes little memory and work."""
    write_records(path, records)
    tracemalloc.start()
    try:
        calls, said = worked(lambda: refused(path))
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert calls < CALLS
    return said


def refused(path: Path) -> str:
    with pytest.raises(tn.SaveError) as caught:
        tn.Lab(path)
    assert caught.type is tn.CorruptSave
    return str(caught.value)


LONG = ("blocks that become huge", "a matrix of huge sides")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.proof] if n in LONG else []) for n in CHANGES])
def test_a_structural_edit_that_lies_is_refused_in_words(records: Records, tmp_path: Path, name: str) -> None:
    change, message = CHANGES[name]
    altered = copy.deepcopy(records)
    change(altered)
    said = opened(altered, tmp_path / "altered.msgpack")
    assert message in said


def keyframes(records: Records) -> list[dict[str, Any]]:
    return [record for record in records if record["record"] == "keyframe" and record["edits"]]


def last_hyper(records: Records) -> dict[str, Any]:
    hyper: dict[str, Any] = keyframes(records)[-1]["state"]["hyper"]
    return hyper


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({"hidden[0:999999999]": 0.5}, "`rates`: `hidden[0:999999999]`: `hidden` has "),
        ({"hidden[0:99999999999999]": 0.5}, "`hidden[0:99999999999999]` is not a block"),
        ({"hidden[:]": 0.5}, "`hidden[:]` is not a block"),
        ({"hidden[1:2:3]": 0.5}, "`hidden[1:2:3]` is not a block"),
        ({"hidden[3:1]": 0.5}, "`rates`: `hidden[3:1]`: `hidden` has "),
        ({"hidden[" + ",".join(["0:4"] * 10_000) + "]": 0.5}, "`hidden[0]` is there twice"),
        ({"hidden[1]": 0.5, "hidden[0:3]": 0.1}, "`hidden[1]` is there twice"),
        ({"hidden[7]": 0.5}, "`hidden` has "),
    ],
)
def test_rates_of_units_that_lie_are_refused_in_words(
    records: Records, tmp_path: Path, rates: dict[str, float], message: str
) -> None:
    altered = copy.deepcopy(records)
    last_hyper(altered)["rates"] = rates
    assert message in opened(altered, tmp_path / "altered.msgpack")


def test_layers_that_the_edits_do_not_make_are_refused(records: Records, tmp_path: Path) -> None:
    altered = copy.deepcopy(records)
    for layer in keyframes(altered)[-1]["state"]["architecture"]:
        if layer.get("name") == "hidden":
            layer["outputs"] = 2**20
    assert "its layers are not those that the recipe and its edits make" in opened(altered, tmp_path / "x.msgpack")


plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from([2**31, 2**62, -(2**63)]),
    st.floats(),
    st.sampled_from(
        ["", "hidden", "hidden[1]", "look", "output", "prune", "grow", "insert", "remove", "linear", "more"]
    ),
    st.sampled_from([np.zeros(65, np.float32), np.zeros(8, np.float32), np.arange(6)]),
)


def alter(records: Records, path: Path, data: st.DataObject) -> None:
    """Alter an edit or two: the file is refused, or is a lab that goes everywhere or says why it cannot."""
    altered = copy.deepcopy(records)
    found = [placed["edit"] for placed in edits(altered)]
    for _ in range(data.draw(st.integers(1, 2))):
        edit = data.draw(st.sampled_from(range(len(found))))
        target: Any = found[edit]
        key = data.draw(st.sampled_from(["op", "target", *target["args"]]) if target["args"] else st.just("target"))
        if key in ("op", "target"):
            target[key] = data.draw(plain)
        elif data.draw(st.booleans()):
            target["args"][key] = data.draw(plain)
        else:
            del target["args"][key]
    write_records(path, altered)
    try:
        lab = tn.Lab(path)
        for branch in lab.branches:
            lab.switch(branch)
            for step in (0, lab.end // 2, lab.end):
                lab.seek(step)
        lab.step()
    except (tn.CorruptSave, tn.UnsupportedSave, tn.NonFiniteError, tn.EditError):
        return
    lab.save(path)
    assert tn.Lab(path).state.digest() == lab.state.digest()


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_structural_edit_altered_anywhere_is_refused_or_works(
    records: Records, tmp_path: Path, data: st.DataObject
) -> None:
    alter(records, tmp_path / "altered.msgpack", data)


@pytest.mark.proof
@settings(max_examples=1_000, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_structural_edit_altered_anywhere_is_refused_or_works_at_length(
    records: Records, tmp_path: Path, data: st.DataObject
) -> None:
    alter(records, tmp_path / "altered.msgpack", data)
