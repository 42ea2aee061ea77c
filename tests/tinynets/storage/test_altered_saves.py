"""Saves with altered records in whole frames: each is refused cheaply with a reason, or works."""

from __future__ import annotations

import copy
import re
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.data.dataset import payload_digest
from tinynets.storage import saves
from tinynets.storage.records import read_records, write_records
from tinynets.training.settings import PER_BLOCK, setting_names

Records = list[dict[str, Any]]
Change = Callable[[Records], object]
PETA = 2**50
SETTABLE = ", ".join((*setting_names(), *(f"BLOCK.{name}" for name in PER_BLOCK)))
NAN = np.full(32, np.nan, np.float32)


@pytest.fixture(scope="module")
def records(run: tn.Lab, tmp_path_factory: pytest.TempPathFactory) -> Records:
    path = tmp_path_factory.mktemp("saves") / "run.msgpack"
    run.save(path)
    return list(read_records(path))


def of(records: Records, kind: str, number: int = 0) -> dict[str, Any]:
    return [record for record in records if record["record"] == kind][number]


def test_another_machine_is_said_and_replays_all_the_same(records: Records, tmp_path: Path) -> None:
    altered = copy.deepcopy(records)
    of(altered, "header")["fingerprint"] = "0" * 64
    path = tmp_path / "other.msgpack"
    write_records(path, altered)
    lab = tn.Lab(path)
    assert lab.warnings == [
        f"`{path}` was saved with another processor, numpy or thread count: replay may differ in the last bits"
    ]
    lab.seek(2)
    assert lab.step_number == 2


def put(kind: str, *path: Any, value: Any, number: int = 0) -> Change:
    """Put a value at a place in a record."""

    def change(records: Records) -> None:
        target: Any = of(records, kind, number)
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value

    return change


def drop(kind: str, key: str) -> Change:
    return lambda records: of(records, kind).pop(key)


def without(kind: str) -> Change:
    def change(records: Records) -> None:
        records[:] = [record for record in records if record["record"] != kind]

    return change


def twice(kind: str) -> Change:
    return lambda records: records.append(copy.deepcopy(of(records, kind)))


def with_layers(outputs: int) -> Change:
    """Give the hidden layer this width, in the recipe and in every keyframe."""

    def change(records: Records) -> None:
        architectures = [of(records, "recipe")["config"]["layers"]]
        architectures += [record["state"]["architecture"] for record in records if record["record"] == "keyframe"]
        for layers in architectures:
            layers[0]["outputs"] = layers[2]["inputs"] = outputs

    return change


def names_of(text: bytes, context: int) -> Change:
    """Replace the data by names, read `context` characters at a time."""

    def change(records: Records) -> None:
        payload = {"kind": "names", "text": text, "context": context, "split_seed": 0}
        of(records, "data").update(payload=payload, sha256=payload_digest(payload))

    return change


def widening(times: int) -> Change:
    """Add layers without parameters, each twice as wide as the one before, until they are averaged."""

    def change(records: Records) -> None:
        twice_as_wide = [[{"kind": "identity", "name": "left"}], [{"kind": "identity", "name": "right"}]]
        made = [{"kind": "parallel", "name": f"p{i}", "branches": twice_as_wide} for i in range(times)]
        made += [{"kind": "reshape", "shape": [2**times, 1, 6]}, {"kind": "global-avg-pool"}]
        of(records, "recipe")["config"]["layers"][2:2] = made

    return change


def edit(op: str, target: str, **args: Any) -> dict[str, Any]:
    return {"op": op, "target": target, "args": args}


CHANGES: dict[str, tuple[Change, type[Exception], str | None]] = {
    "two headers": (twice("header"), tn.CorruptSave, " has a second record `header`; it must have one"),
    "no recipe": (without("recipe"), tn.CorruptSave, ": record 2 must be `recipe`, not `data`"),
    "no data": (without("data"), tn.CorruptSave, ": record 3 must be `data`, not `branch`"),
    "no position": (without("position"), tn.CorruptSave, " has no record `position`"),
    "no branch": (without("branch"), tn.CorruptSave, ": record 4 must be `branch`, not `keyframe`"),
    "no keyframe": (without("keyframe"), tn.CorruptSave, ": record 5 must be `keyframe`, not `losses`"),
    "nothing but a header": (
        lambda records: records.__delitem__(slice(1, None)),
        tn.CorruptSave,
        " has no record `recipe`",
    ),
    "an unknown record": (
        lambda records: records.append({"record": "poem"}),
        tn.UnsupportedSave,
        " has records of kind `poem`, which this version does not know",
    ),
    "a step that is text": (
        put("header", "step", value="4"),
        tn.CorruptSave,
        ": record `header`: `step` must be int, not str",
    ),
    "a step that is true": (
        put("header", "step", value=True),
        tn.CorruptSave,
        ": record `header`: `step` must be int, not bool",
    ),
    "a step below zero": (
        put("header", "step", value=-1),
        tn.CorruptSave,
        f": record `header`: `step` must be from 0 to {2**62}, not -1",
    ),
    "no name": (drop("branch", "name"), tn.CorruptSave, ": record `branch`: `name` is missing"),
    "a recipe that is none": (
        put("recipe", "config", "training", "batch", value=0),
        tn.CorruptSave,
        ": `training.batch` must be a whole number from 1 to 1048576, not 0",
    ),
    "layers of a petabyte": (
        with_layers(PETA),
        tn.CorruptSave,
        f": its recipe has {5 * PETA + 2:,} parameters, its first keyframe 32",
    ),
    "layers of a gigabyte": (
        with_layers(2**25),
        tn.CorruptSave,
        f": its recipe has {5 * 2**25 + 2:,} parameters, its first keyframe 32",
    ),
    "layers of a petabyte in a keyframe": (
        put("keyframe", "state", "architecture", 0, "outputs", value=PETA),
        tn.CorruptSave,
        ": a keyframe's state: its layers are not those that the recipe and its edits make",
    ),
    "layers that are none": (
        put("keyframe", "state", "architecture", 0, value=5),
        tn.CorruptSave,
        ": a keyframe's state: its layers are not those that the recipe and its edits make",
    ),
    "other layers of as many parameters in a keyframe": (
        put("keyframe", "state", "architecture", value=[{"kind": "linear", "inputs": 2, "outputs": 32, "bias": False}]),
        tn.CorruptSave,
        ": a keyframe's state: its layers are not those that the recipe and its edits make",
    ),
    "an activation of a keyframe that is not an activation": (
        put("keyframe", "state", "architecture", 1, value={"kind": "dropout", "name": "tanh1"}),
        tn.CorruptSave,
        ": a keyframe's state: its layers are not those that the recipe and its edits make",
    ),
    "data of another digest": (
        put("data", "sha256", value="0" * 64),
        tn.CorruptSave,
        None,
    ),
    "data of an unknown kind": (put("data", "payload", "kind", value="poem"), tn.CorruptSave, None),
    "a NaN in theta": (
        put("keyframe", "theta", value=NAN),
        tn.CorruptSave,
        ": record `keyframe`: `theta` holds NaN or infinity",
    ),
    "theta of another length": (
        put("keyframe", "theta", value=np.zeros(31, np.float32), number=1),
        tn.CorruptSave,
        ": record `keyframe`: `theta` must be float32 (32,), not float32 (31,)",
    ),
    "theta of another dtype": (
        put("keyframe", "theta", value=np.zeros(32), number=1),
        tn.CorruptSave,
        ": record `keyframe`: `theta` must be float32 (32,), not float64 (32,)",
    ),
    "the first theta of another dtype": (
        put("keyframe", "theta", value=np.zeros(32)),
        tn.CorruptSave,
        ": record `keyframe`: `theta` must be float32 (n,), not float64 (32,)",
    ),
    "theta of ten thousand rows and none": (
        put("keyframe", "theta", value=np.zeros((10_000, 0), np.float32)),
        tn.CorruptSave,
        ": record `keyframe`: `theta` must be float32 (n,), not float32 (10000, 0)",
    ),
    "theta that is a list": (
        put("keyframe", "theta", value=[0.0] * 32, number=1),
        tn.CorruptSave,
        ": record `keyframe`: `theta` must be ndarray, not list",
    ),
    "a slot too many": (
        put("keyframe", "slots", "other", value=NAN),
        tn.CorruptSave,
        ": a keyframe's slots: they must be ['velocity'], not ['other', 'velocity']",
    ),
    "a NaN in a slot": (
        put("keyframe", "slots", "velocity", value=NAN),
        tn.CorruptSave,
        ": a keyframe's slots: `velocity` holds NaN or infinity",
    ),
    "a keyframe of a wrong step": (
        put("keyframe", "step", value=11, number=1),
        tn.CorruptSave,
        ": record `keyframe`: its state is of step 12, not 11",
    ),
    "a keyframe beyond the end": (
        put("keyframe", "step", value=500, number=1),
        tn.CorruptSave,
        ": record `keyframe`: `step` must be from 0 to 12, not 500",
    ),
    "a keyframe with too many edits": (
        put("keyframe", "edits", value=9, number=1),
        tn.CorruptSave,
        ": record `keyframe`: `edits` must be 3, not 9",
    ),
    "a first keyframe that is not of the start": (
        put("keyframe", "step", value=3),
        tn.CorruptSave,
        ": record `keyframe`: `step` must be 0, not 3",
    ),
    "a keyframe of a branch that is not there": (
        put("keyframe", "branches", value=[7]),
        tn.CorruptSave,
        ": record `keyframe`: there is no branch 7",
    ),
    "a keyframe of one branch many times": (
        put("keyframe", "branches", value=[1] * 200_000, number=1),
        tn.CorruptSave,
        ": record `keyframe`: a branch is there twice",
    ),
    "an intervention on one unit many times": (
        put("keyframe", "state", "interventions", value=[{"op": "zero", "site": "hidden", "units": [1] * 200_000}]),
        tn.CorruptSave,
        ": an intervention: a unit is there twice",
    ),
    "no keyframe at the start": (
        put("keyframe", "branches", value=[]),
        tn.CorruptSave,
        ": record `keyframe`: the first keyframe must be that of the start",
    ),
    "batches that are not the recipe's": (
        put("keyframe", "state", "hyper", "batch", value=5),
        tn.CorruptSave,
        ": a keyframe's settings: its batches are not those of the recipe",
    ),
    "a seed that is not the recipe's": (
        put("keyframe", "state", "hyper", "seed", value=7),
        tn.CorruptSave,
        ": a keyframe's settings: its batches are not those of the recipe",
    ),
    "a schedule that is a list": (
        put("keyframe", "state", "hyper", "schedule", value=[]),
        tn.CorruptSave,
        ": a keyframe's settings: `schedule` must be dict, not list",
    ),
    "batches that are an array": (
        put("keyframe", "state", "hyper", "batch", value=np.arange(3)),
        tn.CorruptSave,
        ": a keyframe's settings: `batch` must be int, not ndarray",
    ),
    "an optimizer with a NaN": (
        put("keyframe", "state", "hyper", "optimizer", "lr", value=float("nan")),
        tn.CorruptSave,
        ": a keyframe's state: it cannot be used: `sgd`: `lr` must be a finite number above or at 0, not nan",
    ),
    "frozen places that fall": (
        put("keyframe", "frozen", value=np.array([3, 2])),
        tn.CorruptSave,
        ": record `keyframe`: `frozen` must be rising positions from 0 to 31",
    ),
    "frozen places beyond theta": (
        put("keyframe", "frozen", value=np.array([32])),
        tn.CorruptSave,
        ": record `keyframe`: `frozen` must be rising positions from 0 to 31",
    ),
    "an intervention on a unit that is not there": (
        put("keyframe", "state", "interventions", value=[{"op": "zero", "site": "hidden", "units": [6]}]),
        tn.CorruptSave,
        ": a keyframe's state: it cannot be used: `hidden[6]`: `hidden` has 6 units, 0 to 5",
    ),
    "an intervention on no site": (
        put("keyframe", "state", "interventions", value=[{"op": "zero", "site": "hidden[0]", "units": [1]}]),
        tn.CorruptSave,
        ": a keyframe's state: it cannot be used: `hidden[0][1]` is not a selector; they read `hidden[3]`, "
        "`hidden[0:8]`, `hidden[1,5]`, `hidden.pre[3]`, `rnn[5]@t=3`",
    ),
    "an unknown intervention": (
        put("keyframe", "state", "interventions", value=[{"op": "tickle", "site": "hidden", "units": [1]}]),
        tn.UnsupportedSave,
        " has an intervention `tickle`, which this version does not know",
    ),
    "an unknown edit": (
        put("edits", "edits", 0, "edit", value=edit("tickle", "hidden[1]")),
        tn.UnsupportedSave,
        " has an edit `tickle`, which this version does not know",
    ),
    "an edit on a unit that is not there": (
        put("edits", "edits", 0, "edit", value=edit("zero", "hidden[6]")),
        tn.CorruptSave,
        ": an edit: `hidden[6]`: `hidden` has 6 units, 0 to 5",
    ),
    "an edit with an argument too many": (
        put("edits", "edits", 0, "edit", value=edit("zero", "hidden[1]", value=1.0)),
        tn.CorruptSave,
        ": an edit: `zero` takes no arguments, not `value`",
    ),
    "an edit that sets what there is not": (
        put("edits", "edits", 0, "edit", value=edit("set", "lrr", value=1.0)),
        tn.CorruptSave,
        f": an edit: `lrr` is not a setting; there are {SETTABLE}; did you mean `lr`?",
    ),
    "an edit that sets what only a block has": (
        put("edits", "edits", 0, "edit", value=edit("set", "rates", value=1.0)),
        tn.CorruptSave,
        f": an edit: `rates` is not a setting; there are {SETTABLE}",
    ),
    "an edit that sets a text": (
        put("edits", "edits", 0, "edit", value=edit("set", "lr", value="fast")),
        tn.CorruptSave,
        ": an edit: `set`: `lr` must be a finite number above or at 0, not 'fast'",
    ),
    "an edit before the last one": (
        put("edits", "edits", 1, "step", value=3),
        tn.CorruptSave,
        ": an edit: `step` must be 4, not 3",
    ),
    "an edit beyond the end": (
        put("edits", "edits", 1, "step", value=99),
        tn.CorruptSave,
        ": an edit: `step` must be 4, not 99",
    ),
    "an edit that is a number": (
        put("edits", "edits", 1, value=5),
        tn.CorruptSave,
        ": an edit is int, not a map",
    ),
    "edits of a branch that is not there": (
        put("edits", "branch", value=9),
        tn.CorruptSave,
        ": record `edits`: there is no branch 9",
    ),
    "a NaN among the losses": (
        put("losses", "values", value=np.full(4, np.nan, np.float32)),
        tn.CorruptSave,
        ": record `losses`: `values` holds NaN or infinity",
    ),
    "losses with two axes": (
        put("losses", "values", value=np.zeros((2, 4), np.float32)),
        tn.CorruptSave,
        ": record `losses`: `values` must be float32 (n,), not float32 (2, 4)",
    ),
    "losses of another dtype": (
        put("losses", "values", value=np.zeros(4)),
        tn.CorruptSave,
        ": record `losses`: `values` must be float32 (n,), not float64 (4,)",
    ),
    "losses that do not follow": (
        put("losses", "first", value=3, number=1),
        tn.CorruptSave,
        ": record `losses`: `first` must be 4, not 3",
    ),
    "losses of a branch that is not there": (
        put("losses", "branch", value=9),
        tn.CorruptSave,
        ": record `losses`: there is no branch 9",
    ),
    "fewer losses than an edit is behind": (
        put("losses", "values", value=np.zeros(3, np.float32)),
        tn.CorruptSave,
        ": an edit: `step` must be 3, not 4",
    ),
    "a branch that is there twice": (
        twice("branch"),
        tn.CorruptSave,
        ": record `branch`: `branch-2` (0) is there twice",
    ),
    "a parent that is not there": (
        put("branch", "parent", value=9, number=1),
        tn.CorruptSave,
        ": record `branch`: there is no branch 9",
    ),
    "a second branch without a parent": (
        put("branch", "parent", value=None, number=1),
        tn.CorruptSave,
        ": record `branch`: `main` (1) has no parent; only the first branch has none",
    ),
    "a branch that left behind its parent's end": (
        put("branch", "fork", value=9, number=1),
        tn.CorruptSave,
        ": record `branch`: `fork` must be from 0 to 8, not 9",
    ),
    "a branch that shares more edits than there are": (
        put("branch", "shared", value=4, number=1),
        tn.CorruptSave,
        ": record `branch`: `shared` must be from 2 to 3, not 4",
    ),
    "evaluations that go back": (
        put("evaluations", "step", value=np.array([-3])),
        tn.CorruptSave,
        ": record `evaluations`: steps, edits and examples must be 0 or more",
    ),
    "evaluations behind the end": (
        put("evaluations", "step", value=np.array([13])),
        tn.CorruptSave,
        ": record `evaluations`: there are evaluations behind the end of the branch, step 8 with 3 edits",
    ),
    "a split that is not there": (
        put("evaluations", "split", value=np.array([5])),
        tn.CorruptSave,
        ": record `evaluations`: `split` points at a name that is not there",
    ),
    "fewer accuracies than evaluations": (
        put("evaluations", "accuracy", value=np.zeros(0)),
        tn.CorruptSave,
        ": record `evaluations`: `accuracy` must be float64 (1,), not float64 (0,)",
    ),
    "evaluations of a branch that is not there": (
        put("evaluations", "branch", value=9),
        tn.CorruptSave,
        ": record `evaluations`: there is no branch 9",
    ),
    "a position beyond the end": (
        put("position", "step", value=99),
        tn.CorruptSave,
        ": record `position`: step 99 with 3 edits is no moment of branch `main`",
    ),
    "a position without a keyframe": (
        put("position", "step", value=11),
        tn.CorruptSave,
        ": record `position`: there is no keyframe where the lab stood",
    ),
    "a branch with a name that a terminal obeys": (
        put("branch", "name", value="\x1b[31m"),
        tn.CorruptSave,
        ": record `branch`: `name` must be 1 to 60 printable characters, not '\\x1b[31m'",
    ),
    "a branch with an endless name": (
        put("branch", "name", value="x" * 70_000),
        tn.CorruptSave,
        f": record `branch`: `name` must be 1 to 60 printable characters, not '{'x' * 47}...{'x' * 48}'",
    ),
    "a recipe with an endless name": (
        put("recipe", "config", "name", value="x" * 70_000),
        tn.CorruptSave,
        f": `name` must be at most 200 characters, not '{'x' * 47}...{'x' * 48}'",
    ),
    "a recipe with an array for a kind": (
        put("recipe", "config", "layers", 0, "kind", value=np.zeros((64, 4))),
        tn.CorruptSave,
        None,
    ),
    "a recipe with a long word for a kind": (
        put("recipe", "config", "layers", 0, "kind", value="linear" * 10_000),
        tn.CorruptSave,
        None,
    ),
    "text that unfolds to gigabytes": (
        names_of(b"emma\n" * 100_000, context=256),
        tn.UnsupportedSave,
        ": its data would take 1,240,800,000 bytes, more than its size bears out; "
        'give it as data=(x, y) or data="points.npz", or in a shell as --data points.npz',
    ),
    "layers that widen without end": (
        widening(40),
        tn.CorruptSave,
        f": `batch`: 8 activations of {24 * 2**40:,} bytes make {192 * 2**40:,}; at most {2**34:,} are allowed",
    ),
    "an evaluation with a NaN for its loss": (
        put("evaluations", "loss", value=np.array([np.nan])),
        tn.CorruptSave,
        ": record `evaluations`: `loss` holds NaN or infinity",
    ),
    "a position with too many edits": (
        put("position", "edits", value=9),
        tn.CorruptSave,
        ": record `position`: step 12 with 9 edits is no moment of branch `main`",
    ),
    "an action from nowhere": (
        put("position", "actions", value=np.array([[9, 0, 0, 9, 1, 0]])),
        tn.CorruptSave,
        ": record `position`: there is no branch 9",
    ),
}


@contextmanager
def little_memory(limit: int = 32 * 2**20) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", CHANGES)
def test_an_altered_save_is_refused_in_words_and_without_allocating_much(
    records: Records, tmp_path: Path, name: str
) -> None:
    change, kind, message = CHANGES[name]
    altered = copy.deepcopy(records)
    change(altered)
    path = tmp_path / "altered.msgpack"
    write_records(path, altered)
    with little_memory(), pytest.raises(tn.SaveError) as caught:
        tn.Lab(path)
    assert caught.type is kind
    if message is not None:
        assert str(caught.value) == f"`{path}`{message}"


def test_whole_numbers_in_a_save_do_for_floats(records: Records, tmp_path: Path) -> None:
    changed = copy.deepcopy(records)
    for record in changed:
        if record["record"] == "keyframe":
            record["state"]["hyper"]["clip_norm"] = 0
    write_records(tmp_path / "whole.msgpack", changed)
    assert tn.Lab(tmp_path / "whole.msgpack").state.hyper.clip_norm == 0.0


def test_of_endless_actions_the_last_thousand_are_kept(records: Records, tmp_path: Path) -> None:
    altered = copy.deepcopy(records)
    of(altered, "position")["actions"] = np.tile(np.array([[0, 0, 0, 0, 4, 0]]), (300_000, 1))
    write_records(tmp_path / "long.msgpack", altered)
    with little_memory(2**24):
        lab = tn.Lab(tmp_path / "long.msgpack")
    assert len(lab.player.timeline.actions) == 1000


def test_a_message_is_one_line_however_much_a_file_says(records: Records, tmp_path: Path) -> None:
    for value in (np.zeros((64, 4)), ["line\nline"] * 1000, "line\nline" * 10_000, b"x" * 10**7):
        altered = copy.deepcopy(records)
        of(altered, "recipe")["config"]["layers"][0]["kind"] = value
        write_records(tmp_path / "long.msgpack", altered)
        with pytest.raises(tn.CorruptSave, match="must be one of linear, ") as caught:
            tn.Lab(tmp_path / "long.msgpack")
        assert len(str(caught.value).splitlines()) == 1
        assert len(str(caught.value)) <= 2000


def test_what_a_recipe_would_draw_is_not_drawn_to_open_a_save(records: Records, tmp_path: Path) -> None:
    altered = copy.deepcopy(records)
    of(altered, "recipe")["config"]["layers"][0]["w_init"] |= {"scale": 1e300}
    for record in altered:
        if record["record"] == "keyframe":
            record["state"]["architecture"][0]["w_init"] |= {"scale": 1e300}
    write_records(tmp_path / "drawn.msgpack", altered)
    lab = tn.Lab(tmp_path / "drawn.msgpack")
    lab.seek(3)
    assert lab.run(2).step == 5


def test_points_that_a_save_only_names_are_not_made_by_the_million(records: Records, tmp_path: Path) -> None:
    altered, path = copy.deepcopy(records), tmp_path / "named.msgpack"
    of(altered, "recipe")["config"]["data"] = {"set": "spiral", "n": 1_000_000}
    data = of(altered, "data")
    data.update(sample=data["payload"], payload=None)
    write_records(path, altered)
    with little_memory():
        lab = tn.Lab(path)
    assert "its 1,000,000 points are too many to be made again unasked" in lab.warnings[0]
    assert lab.state.digest()


def test_settings_are_each_keyframes_own_whatever_else_stands_beside_them(records: Records, tmp_path: Path) -> None:
    altered = copy.deepcopy(records)
    for number, record in enumerate(record for record in altered if record["record"] == "keyframe"):
        record["state"]["hyper"] |= {"unknown": np.zeros(2), "clip_norm": float(number)}
    write_records(tmp_path / "own.msgpack", altered)
    branches = saves.read(tmp_path / "own.msgpack").timeline.branches.values()
    assert {state.hyper.clip_norm for branch in branches for state in branch.keyframes.values()} == {0.0, 1.0}


def test_a_save_of_endless_batches_opens_without_room_for_them(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(4, 500))
    network = tn.Network([tn.Linear(500, 2, name="hidden")])
    tn.Lab(network, data=(x, np.arange(4) % 2), loss=tn.CrossEntropy(), batch=4).save(tmp_path / "run.msgpack")
    altered = list(read_records(tmp_path / "run.msgpack"))
    of(altered, "recipe")["config"]["training"]["batch"] = 2**20
    of(altered, "keyframe")["state"]["hyper"]["batch"] = 2**20
    write_records(tmp_path / "endless.msgpack", altered)
    with little_memory():
        tn.Lab(tmp_path / "endless.msgpack")


def test_hundreds_of_changes_of_layers_take_little_to_read(make_tiny: Callable[..., tn.Lab], tmp_path: Path) -> None:
    lab = make_tiny()
    lab.grow("hidden", 1)
    lab.save(tmp_path / "grown.msgpack")
    altered = list(read_records(tmp_path / "grown.msgpack"))
    edits = of(altered, "edits")["edits"]
    edits += edits * 300
    write_records(tmp_path / "many.msgpack", altered)
    with little_memory(2**22):
        assert len(tn.Lab(tmp_path / "many.msgpack").player.branch.edits) == 301


def test_what_a_layer_put_in_would_hold_is_not_made_to_read_that_it_was(
    make_tiny: Callable[..., tn.Lab], tmp_path: Path
) -> None:
    lab = make_tiny()
    lab.grow("hidden", 1)
    lab.insert("hidden", "linear")
    lab.save(tmp_path / "small.msgpack")
    altered = list(read_records(tmp_path / "small.msgpack"))
    for entry in of(altered, "edits")["edits"]:
        if entry["edit"]["op"] == "grow":
            entry["edit"]["args"]["count"] = 4000
    write_records(tmp_path / "large.msgpack", altered)
    with little_memory(2**24), pytest.raises(tn.CorruptSave, match=r"must be float32 \(16072074,\)"):
        tn.Lab(tmp_path / "large.msgpack")


def test_units_that_a_save_only_says_to_have_grown_are_too_many_at_some_point(
    make_tiny: Callable[..., tn.Lab], tmp_path: Path
) -> None:
    lab = make_tiny()
    lab.grow("hidden", 1)
    lab.save(tmp_path / "grown.msgpack")
    altered = list(read_records(tmp_path / "grown.msgpack"))
    edits = of(altered, "edits")["edits"]
    edits[0]["edit"]["args"]["count"] = 65_536
    edits += edits * 45
    write_records(tmp_path / "many.msgpack", altered)
    with pytest.raises(tn.CorruptSave, match=r"lead through are too large together$"):
        tn.Lab(tmp_path / "many.msgpack")


@pytest.mark.parametrize(
    ("values", "what"), [(np.array([True]), "bool"), (np.array([0.5]), "float64"), ([0.5], "list")], ids=str
)
def test_the_values_of_an_edit_are_an_array_of_the_runs_own_dtype(
    records: Records, tmp_path: Path, values: Any, what: str
) -> None:
    altered = copy.deepcopy(records)
    of(altered, "edits")["edits"][0]["edit"] = edit("patch", "hidden[1]", example=0, values=values)
    write_records(tmp_path / "altered.msgpack", altered)
    with pytest.raises(tn.CorruptSave, match=f"`patch`: `values` must be an array of float32, not {what}$"):
        tn.Lab(tmp_path / "altered.msgpack")


def test_indices_that_the_network_of_a_save_has_no_row_for_are_refused(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 5, (20, 3))
    layers = [tn.Embedding(5, 2, name="table"), tn.Flatten(), tn.Linear(6, 2, name="output")]
    tn.Lab(tn.Network(layers, seed=0), data=(x, x[:, 0] % 2), loss=tn.CrossEntropy()).save(tmp_path / "x.msgpack")
    altered = list(read_records(tmp_path / "x.msgpack"))
    payload = copy.deepcopy(of(altered, "data")["payload"])
    rows = payload["splits"]["train"]["x"].copy()
    rows[-1, 0] = 7  # not in the first rows, where a quick look would find it
    payload["splits"]["train"]["x"] = rows
    of(altered, "data").update(payload=payload, sha256=payload_digest(payload))
    write_records(tmp_path / "x.msgpack", altered)
    message = "its data do not fit its network: `table` Embedding(5, 2) takes indices 0 to 4, not 7"
    with pytest.raises(tn.CorruptSave, match=re.escape(message)):
        tn.Lab(tmp_path / "x.msgpack")
