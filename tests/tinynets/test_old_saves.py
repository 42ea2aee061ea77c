"""Saves that earlier versions of the format wrote open for ever, with everything that was in them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn

FOLDER = Path(__file__).parents[1] / "saves"
OLD = sorted(path.relative_to(FOLDER) for path in FOLDER.glob("v*/*.msgpack"))


def sha(values: np.ndarray) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()


def facts(name: Path) -> dict[str, Any]:
    """What was in a save when it was written; nothing of it depends on the machine."""
    found: dict[str, Any] = json.loads((FOLDER / name.parent / "facts.json").read_text())[name.stem]
    return found


def test_there_are_saves_of_every_earlier_version() -> None:
    assert {path.parent.name for path in OLD} >= {"v1"}
    assert all((FOLDER / path).stat().st_size < 100_000 for path in OLD)


@pytest.mark.parametrize("name", OLD, ids=str)
def test_an_old_save_opens_with_all_its_history(name: Path) -> None:
    wanted, lab = facts(name), tn.Lab(FOLDER / name)
    assert (lab.recipe.name, list(lab.moment), lab.branch) == (wanted["recipe"], wanted["moment"], wanted["current"])
    assert (lab.network.theta.size, lab.network.dtype.name) == (wanted["parameters"], wanted["dtype"])
    assert lab.data.sha256 == wanted["data"]
    assert [str(entry) for entry in lab.interventions] == wanted["interventions"]
    assert {block: list(units) for block, units in lab.frozen.items()} == wanted["frozen"]
    timeline = lab.player.timeline
    assert len(timeline.actions) == wanted["actions"]
    for branch, told in zip(timeline.branches.values(), wanted["branches"], strict=True):
        assert (branch.name, branch.parent, branch.fork) == (told["name"], told["parent"], told["fork"])
        assert (len(branch.losses), sha(branch.losses.values)) == (told["losses"], told["losses_sha256"])
        assert [[placed.step, placed.edit.python(), placed.done] for placed in branch.edits] == told["edits"]
        assert [str(entry) for entry in branch.evaluations] == told["evaluations"]
    for told in wanted["keyframes"]:
        for number in told["branches"]:
            state = timeline.branches[number].keyframes[told["step"], told["edits"]]
            assert (sha(state.theta), sha(state.buffers)) == (told["theta_sha256"], told["buffers_sha256"])
            assert {key: sha(slot) for key, slot in state.slots.items()} == told["slots_sha256"]
            assert state.frozen.tolist() == told["frozen"]


@pytest.mark.parametrize("name", OLD, ids=str)
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
