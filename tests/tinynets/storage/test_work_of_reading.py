"""Reading takes work in proportion to the file: calls are counted for a file and for one with twice as much in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutations import Pairs, copied, filed, packed
from samples import lab_of, snapshot_of
from work import weighed, worked

import tinynets as tn
from tinynets.storage import branch_networks, codec

Record = dict[str, Any]


@lru_cache
def _records(units: int, steps: int) -> list[Record]:
    x = np.random.default_rng(0).normal(size=(40, 2))
    lab = lab_of(
        [tn.Linear(2, units, name="hidden"), tn.Tanh(), tn.Linear(units, 2, name="out")],
        (x, (x[:, 0] > 0).astype(np.int64)),
        (2,),
    )
    if steps:
        lab.run(steps)
    return [codec.unpack(codec.pack(record)) for record in snapshot_of(lab)]


def small(units: int = 3, steps: int = 4) -> list[Any]:
    return [copied(record) for record in _records(units, steps)]


def within(records: list[Any], more: list[Any]) -> list[Any]:
    """Add records before the last one, which holds the lab's position."""
    return [*records[:-1], *more, records[-1]]


def edit(op: str, target: str, args: Record, step: int = 0) -> Record:
    made = {"op": op, "target": target, "args": args}
    return {"step": step, "edit": made, "done": "", "before": 0.0, "after": 0.0}


def edits(entries: list[Record]) -> Record:
    return {"record": "edits", "branch": 0, "edits": entries}


def branch(number: int, parent: int = 0, fork: int = 1, shared: int = 0) -> Record:
    return {
        "record": "branch", "number": number, "name": f"b{number}", "parent": parent, "fork": fork, "shared": shared
    }  # fmt: skip


def evaluation(step: int, count: int = 1) -> Record:
    whole = {key: np.zeros(count, np.int64) for key in ("split", "edits", "examples")}
    real = {key: np.zeros(count) for key in ("loss", "accuracy")}
    kept = {"record": "evaluations", "branch": 0, "splits": ["train"], "clean": np.zeros(count, np.bool_)}
    return {**kept, **whole, **real, "step": np.full(count, step)}


def keys_that_stand_twice(n: int) -> list[Any]:
    pairs = [(f"k{i}", 0) for i in range(50 * n)]
    return [*small()[:1], {"record": "recipe", "x": Pairs([*pairs, ("zz", 0), ("zz", 0)])}]


def branches_that_are_dropped(n: int) -> list[Any]:
    return within(
        small(), [*(branch(i) for i in range(1, n + 1)), *({"record": "drop", "branch": i} for i in range(1, n))]
    )


def bookmarks_on_branches_that_are_dropped(n: int) -> list[Any]:
    marks = [
        {"record": "bookmark", "name": f"m{i}", "note": "", "branch": i, "step": 1, "edits": 0} for i in range(1, n)
    ]
    return within(
        small(),
        [*(branch(i) for i in range(1, n + 1)), *marks, *({"record": "drop", "branch": i} for i in range(1, n))],
    )


def ranges_of_units(n: int) -> list[Any]:
    return within(small(2000, 0), [edits([edit("zero", f"hidden[{','.join(f'{i}:2000' for i in range(n))}]", {})])])


def ranges_of_a_parameter(n: int) -> list[Any]:
    parts = ",".join(f"{i}:2000" for i in range(n))
    return within(small(2000, 0), [edits([edit("nudge", f"hidden.b[{parts}]", {"by": 0.5})])])


def the_same_edit(op: str, args: Record) -> Callable[[int], list[Any]]:
    return lambda n: within(small(2000, 0), [edits([edit(op, "hidden", args) for _ in range(n)])])


def rates_of_units(n: int) -> list[Any]:
    records = small(4000, 0)
    for record in records:
        if record["record"] == "keyframe":
            record["state"]["hyper"]["rates"] = {f"hidden[{i}]": 0.5 for i in range(n)}
    return records


def keyframes_of_all_branches(n: int) -> list[Any]:
    records = small()
    last = records.pop(next(i for i in reversed(range(len(records))) if records[i]["record"] == "keyframe"))
    changes = [edit("activation", "hidden", {"to": "tanh" if i % 2 else "relu"}, 4) for i in range(40)]
    made = [edits(changes), *(branch(i, 0, 4, 40) for i in range(1, 40))]
    return within(records, [*made, *({**last, "branches": list(range(40)), "edits": 0} for _ in range(n // 4))])


def evaluations_that_go_back(n: int) -> list[Any]:
    records = small()
    records[0]["kind"] = "journal"
    next(r for r in records if r["record"] == "losses")["values"] = np.zeros(n, np.float32)
    records[:] = [r for r in records if r["record"] != "keyframe" or r["step"] == 0]
    records[-1] |= {"step": 0, "actions": np.zeros((0, 6), np.int64)}
    return within(records, [evaluation(n - i) for i in range(n)])


def branches_beside_many_evaluations(n: int) -> list[Any]:
    return within(small(), [evaluation(4, 20 * n), *(branch(i) for i in range(1, n))])


def records_of_nothing(n: int) -> list[Any]:
    return within(small(), [edits([])] * n)


def single_edits_behind_many_layers(n: int) -> list[Any]:
    changes = [edit("activation", "hidden", {"to": "tanh" if i % 2 else "relu"}, 4) for i in range(n // 4)]
    return within(small(), [edits(changes), *(edits([edit("zero", "hidden[1]", {}, 4)]) for _ in range(n))])


SHAPES: list[Callable[[int], list[Any]]] = [
    keys_that_stand_twice,
    branches_that_are_dropped,
    bookmarks_on_branches_that_are_dropped,
    ranges_of_units,
    ranges_of_a_parameter,
    the_same_edit("freeze", {"outgoing": True}),
    the_same_edit("sparsify", {"share": 0.5}),
    the_same_edit("zero", {}),
    rates_of_units,
    keyframes_of_all_branches,
    evaluations_that_go_back,
    branches_beside_many_evaluations,
    records_of_nothing,
    single_edits_behind_many_layers,
]


def opened(path: Path) -> str:
    """The reason why a file is refused; empty if a lab opens."""
    try:
        lab = tn.Lab(path, read_only=True)
    except tn.SaveError as error:
        return str(error)
    lab.close()
    return ""


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_twice_as_much_in_a_file_is_at_most_twice_the_work(shape: Callable[[int], list[Any]], tmp_path: Path) -> None:
    counts = []
    for n in (30, 60, 120):
        records = shape(n)
        path = tmp_path / ("x.journal" if records[0].get("kind") == "journal" else "x.msgpack")
        path.write_bytes(filed([packed(record) for record in records], 2, count=None, whole=True))
        opened(path)  # created once per process
        counts.append(worked(lambda: assert_known(opened(path)))[0])  # noqa: B023 - called at once
    assert counts[2] - counts[1] <= 2.2 * (counts[1] - counts[0]) + 300


def assert_known(refusal: str) -> None:
    assert not refusal or "twice" in refusal or "more than" in refusal, refusal


def test_different_edits_of_all_units_are_refused_before_they_take_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(branch_networks, "MAX_SELECTED", 0)
    entries = [edit("zero", f"hidden[{i}:2000]", {}) for i in range(400)]
    path = tmp_path / "x.msgpack"
    path.write_bytes(filed([packed(r) for r in within(small(2000, 0), [edits(entries)])], 2, count=None, whole=True))
    with pytest.raises(tn.CorruptSave, match="name more places, all together, than can be looked at"):
        tn.Lab(path)


Each = Callable[[int], Record]


def zeroed(i: int) -> Record:
    return edit("zero", f"hidden[{i}]", {})


REPLAYED: dict[str, tuple[list[Record], Each]] = {
    "freeze units": ([], lambda i: edit("freeze", f"hidden[{i}]", {})),
    "freeze weights": ([], lambda i: edit("freeze", f"hidden.w[0,{i}]", {})),
    "unfreeze": ([edit("freeze", "hidden", {})], lambda i: edit("unfreeze", f"hidden[{i}]", {})),
    "zero": ([], zeroed),
    "clamp": ([], lambda i: edit("clamp", f"hidden[{i}]", {"value": 0.5})),
    "scale one": ([], lambda i: edit("scale", f"hidden[{i % 2}]", {"factor": 0.5})),
    "clamp what is zeroed": ([edit("zero", "hidden", {})], lambda i: edit("clamp", f"hidden[{i}]", {"value": 0.5})),
    "release": ([edit("zero", "hidden", {})], lambda i: edit("release", f"hidden[{i}]", {})),
    "rate": ([], lambda i: edit("rate", f"hidden[{i}]", {"factor": 1 + i / 1024})),
}


@pytest.mark.parametrize("count", [worked, weighed], ids=["calls", "elements"])
@pytest.mark.parametrize("name", REPLAYED)
def test_twice_as_many_edits_of_twice_as_many_units_are_at_most_twice_the_work_to_replay(
    name: str, count: Callable[[Callable[[], None]], tuple[int, None]], tmp_path: Path
) -> None:
    first, each = REPLAYED[name]
    counts = []
    for n in (40, 80, 160):
        path = tmp_path / "x.msgpack"
        entries = [*first, *(each(i) for i in range(n))]
        records = within(small(20 * n, 0), [edits(entries)])
        path.write_bytes(filed([packed(record) for record in records], 2, count=None, whole=True))
        lab = tn.Lab(path, read_only=True)
        counts.append(count(lambda: lab.seek(0))[0])  # noqa: B023 - called at once
        assert lab.moment.edits == len(entries)
        lab.close()
    assert counts[2] - counts[1] <= 2.2 * (counts[1] - counts[0]) + 300


OPS = ["freeze", "unfreeze", "zero", "clamp", "scale", "noise", "release", "rate", "nudge"]
ARGUMENTS: dict[str, Record] = {"clamp": {"value": 0.5}, "scale": {"factor": 2.0}, "noise": {"sigma": 1.0}}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("optimizer", [tn.SGD(0.1), tn.Adam(0.1)], ids=["sgd", "adam"])
def test_edits_replayed_together_give_the_bytes_that_they_gave_one_by_one(seed: int, optimizer: tn.Optimizer) -> None:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(20, 2))
    layers = [tn.Linear(2, 5, name="a"), tn.BatchNorm(5), tn.Linear(5, 3, name="b"), tn.Tanh(), tn.Linear(3, 2)]
    lab = lab_of(layers, (x, (x[:, 0] > 0).astype(np.int64)), (2,), optimizer=optimizer)
    lab.run(2)
    done = 0
    while done < 40:
        op, block = str(draw.choice(OPS)), str(draw.choice(["a", "b"]))
        units = sorted(set(draw.integers(0, 5 if block == "a" else 3, size=draw.integers(1, 5)).tolist()))
        target = block if draw.random() < 0.3 else f"{block}[{','.join(map(str, units))}]"
        arguments: Record = dict(ARGUMENTS.get(op, {}))
        if op in ("freeze", "unfreeze"):
            arguments = {name: True for name in ("outgoing", "others") if draw.random() < 0.2}
        elif op == "rate":
            arguments = {"factor": float(draw.choice([0.5, 1.0, 2.0]))}
        elif op == "nudge":
            arguments = {"by": 0.25}
        try:
            getattr(lab, op)(target, **arguments)
            done += 1
        except tn.TinynetsError:  # only frozen units can be unfrozen, and only interventions released
            continue
    live, config = lab.state.digest(), lab.state.config()
    lab.step()
    lab.seek(0)
    lab.seek(2)
    assert lab.state.digest() == live
    assert list(lab.state.config()["hyper"]["rates"]) == list(config["hyper"]["rates"])


def structural_edits(layers: int, count: int) -> list[Any]:
    made = [layer for i in range(layers) for layer in (tn.Linear(2, 2, name=f"l{i}"), tn.Tanh())]
    x = np.random.default_rng(0).normal(size=(8, 2))
    records = snapshot_of(lab_of(made, (x, (x[:, 0] > 0).astype(np.int64)), (2,)))
    plain = [codec.unpack(codec.pack(record)) for record in records]
    return within(plain, [edits([edit("insert", "l0", {"kind": "identity", "name": f"i{i}"}) for i in range(count)])])


def test_changes_of_layers_of_deep_networks_are_refused_before_they_take_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(branch_networks, "MAX_RELAID", 1000)
    path = tmp_path / "x.msgpack"
    for count, refused in ((9, False), (20, True)):
        records = structural_edits(50, count)
        path.write_bytes(filed([packed(record) for record in records], 2, count=None, whole=True))
        assert ("have too many layers together" in opened(path)) is refused
