"""Saves of earlier format versions still open, with everything in them; tests/saves/make.py makes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutations import copied, filed, packed

import tinynets as tn
from tinynets.edits.edit import OPERATIONS
from tinynets.history.timeline import Timeline
from tinynets.storage import saves
from tinynets.storage.records import RecordFile, read_records

FOLDER = Path(__file__).parents[2] / "saves"
OLD = sorted(path.relative_to(FOLDER) for path in FOLDER.glob("v*/*.msgpack"))
JOURNALS = sorted(path.relative_to(FOLDER) for path in FOLDER.glob("v*/*.journal"))


def sha(values: np.ndarray) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()


def facts(name: Path) -> dict[str, Any]:
    """What a save held when it was written, as far as that does not depend on the machine."""
    found: dict[str, Any] = json.loads((FOLDER / name.parent / "facts.json").read_text())[name.stem]
    return found


def points(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The data that one save of make.py leaves out."""
    x = np.arange(2 * count).reshape(count, 2) * 7 % 11 / 11
    return x, (x[:, 0] > x[:, 1]).astype(np.int64)


WHOLE = [path for path in OLD if not facts(path).get("missing")]
SAMPLES = [path for path in OLD if facts(path).get("missing")]


def test_there_are_saves_of_every_version() -> None:
    assert {path.parent.name for path in OLD} >= {"v1", "v2"}
    assert all((FOLDER / path).stat().st_size < 100_000 for path in OLD + JOURNALS)


def test_there_are_saves_with_every_operation_and_every_kind_of_record() -> None:
    lines = {line for path in OLD for branch in facts(path)["branches"] for _, line, _ in branch["edits"]}
    left = OPERATIONS.keys() - {line.split("(")[0].removeprefix("lab.") for line in lines}
    assert not left, "add a save with these to tests/saves/make.py"
    kinds = {record["record"] for path in JOURNALS for record in RecordFile(FOLDER / path, recover=True)}
    assert kinds >= {"losses", "edits", "evaluations", "bookmark", "unbookmark", "rename", "drop"}


def test_there_are_saves_with_edits_in_the_middle_of_steps() -> None:
    labelled = {phase for path in OLD for branch in facts(path)["branches"] for phase in branch.get("phases", [])}
    assert {phase.split()[0] for phase in labelled if phase} >= {"batch", "forward"}


@pytest.mark.parametrize("name", OLD, ids=str)
def test_an_old_save_opens_with_all_its_history(name: Path) -> None:
    wanted, lab = facts(name), tn.Lab(FOLDER / name)
    assert (lab.recipe.name, list(lab.moment), lab.branch) == (wanted["recipe"], wanted["moment"], wanted["current"])
    assert (lab.network.theta.size, lab.network.dtype.name) == (wanted["parameters"], wanted["dtype"])
    assert lab.data.sha256 == wanted["data"]
    assert [str(entry) for entry in lab.interventions] == wanted["interventions"]
    assert {block: list(units) for block, units in lab.frozen.items()} == wanted["frozen"]
    assert wanted.get("digest", lab.state.digest()) == lab.state.digest()
    assert (lab.data.missing is not None) == wanted.get("missing", False)
    check(lab.player.timeline, wanted)
    for told in wanted["keyframes"]:
        for number in told["branches"]:
            state = lab.player.timeline.branches[number].keyframes[told["step"], told["edits"]]
            assert (sha(state.theta), sha(state.buffers)) == (told["theta_sha256"], told["buffers_sha256"])
            assert {key: sha(slot) for key, slot in state.slots.items()} == told["slots_sha256"]
            assert state.frozen.tolist() == told["frozen"]


def check(timeline: Timeline, wanted: dict[str, Any]) -> None:
    """Check that a timeline has the branches, edits, losses, evaluations, bookmarks and actions that it had."""
    assert len(timeline.actions) == wanted["actions"]
    marks = sorted(timeline.bookmarks.values(), key=lambda mark: mark.moment[1:])
    assert [[mark.name, mark.note, list(mark.moment)] for mark in marks] == wanted.get("bookmarks", [])
    for branch, told in zip(timeline.branches.values(), wanted["branches"], strict=True):
        assert (branch.name, branch.parent, branch.fork) == (told["name"], told["parent"], told["fork"])
        assert (len(branch.losses), sha(branch.losses.values)) == (told["losses"], told["losses_sha256"])
        assert [[placed.step, placed.edit.python(), placed.done] for placed in branch.edits] == told["edits"]
        assert [placed.phase for placed in branch.edits] == told.get("phases", [""] * len(branch.edits))
        assert [str(entry) for entry in branch.evaluations] == told["evaluations"]


@pytest.mark.parametrize("name", SAMPLES, ids=str)
def test_an_old_save_without_its_data_goes_on_with_them(name: Path) -> None:
    path = FOLDER / name
    assert "it came from no file" in tn.Lab(path).warnings[0]
    lab = tn.Lab(path, data={"train": points(200), "dev": points(50)}, read_only=True)
    assert (lab.data.sha256, lab.data.missing) == (facts(name)["data"], None)
    lab.run(3)


@pytest.mark.parametrize("name", JOURNALS, ids=str)
def test_an_old_journal_is_read_up_to_what_was_cut(name: Path) -> None:
    wanted, found = facts(name), saves.read(FOLDER / name, recover=True)
    assert found.header.kind == "journal"
    assert 0 < found.whole < found.size
    assert list(found.position) == wanted["moment"]
    assert found.timeline.branch.name == wanted["current"]
    check(found.timeline, wanted)


@pytest.mark.parametrize("name", WHOLE, ids=str)
def test_an_old_save_goes_on_and_is_saved_anew(name: Path, tmp_path: Path) -> None:
    lab = tn.Lab(FOLDER / name)
    for branch in lab.branches:
        lab.switch(branch)
        lab.seek(lab.end // 2)
    lab.run(3)
    lab.save(tmp_path / "again.msgpack")
    again = tn.Lab(tmp_path / "again.msgpack")
    assert again.state.digest() == lab.state.digest()
    assert (again.branches, again.losses.tobytes(), again.log) == (lab.branches, lab.losses.tobytes(), lab.log)


def first_version(records: list[dict[str, Any]], path: Path) -> Path:
    path.write_bytes(filed([packed(record) for record in records], 1, count=None, whole=True))
    return path


def test_branches_of_an_old_save_that_come_from_each_other_are_refused(
    tmp_path: Path, says: Callable[..., Any]
) -> None:
    for parents in ({0: 1, 1: 0}, {0: None, 1: None}):
        records = [copied(record) for record in read_records(FOLDER / "v1" / "xor.msgpack")]
        for record in records:
            if record["record"] == "branch" and record["number"] in parents:
                record |= {"parent": parents[record["number"]], "fork": 0}
        path = first_version(records, tmp_path / "round.msgpack")
        with says(tn.CorruptSave, f"`{path}`: not all of its branches come from one"):
            tn.Lab(path)


def test_an_evaluation_behind_the_last_edit_of_an_old_save_is_refused(tmp_path: Path, says: Callable[..., Any]) -> None:
    records = [copied(record) for record in read_records(FOLDER / "v1" / "adam.msgpack")]
    branch = next(record for record in records if record["record"] == "branch")
    branch["evaluations"]["edits"] = branch["evaluations"]["edits"] + 1000
    path = first_version(records, tmp_path / "behind.msgpack")
    with says(tn.CorruptSave, f"`{path}`: branch `{branch['name']}` has evaluations behind its last edit"):
        tn.Lab(path)


def test_an_edit_of_an_old_save_that_two_branches_tell_differently_is_refused(tmp_path: Path) -> None:
    records = [copied(record) for record in read_records(FOLDER / "v1" / "xor.msgpack")]
    edits = [record for record in records if record["record"] == "edits"]
    last = edits[-1]["edits"][0]
    last["before"] += 1.0
    path = first_version(records, tmp_path / "differs.msgpack")
    name = next(r["name"] for r in records if r["record"] == "branch" and r["number"] == edits[-1]["branch"])
    with pytest.raises(tn.CorruptSave, match=f"branch `{name}` is not what its parent was up to step"):
        tn.Lab(path)
