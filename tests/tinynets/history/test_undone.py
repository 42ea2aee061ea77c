"""Undone edits have no effect at the end of their branch, however it is reached, until they are redone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.storage.records import read_records

Make = Callable[..., tn.Lab]
Undo = Callable[[tn.Lab], object]


def _edit(lab: tn.Lab) -> None:
    lab.nudge("hidden[1]", 1.0)
    lab.undo()


def _two(lab: tn.Lab) -> None:
    lab.nudge("hidden[1]", 1.0)
    lab.zero("hidden[2]")
    lab.undo()
    lab.undo()


def _with_a_run(lab: tn.Lab) -> None:
    lab.nudge("hidden[1]", 1.0)
    lab.run(7)
    lab.undo()
    lab.undo()


def _two_and_one_again(lab: tn.Lab) -> None:
    _two(lab)
    lab.redo()
    lab.undo()


def _of_structure(lab: tn.Lab) -> None:
    lab.grow("hidden", 2)
    lab.run(3)
    lab.set("lr", 0.01)
    for _ in range(3):
        lab.undo()


UNDONE: dict[str, Undo] = {
    "an edit": _edit,
    "two edits": _two,
    "an edit and a run": _with_a_run,
    "two of which one was done again": _two_and_one_again,
    "a change of structure": _of_structure,
}


def _looked_about(lab: tn.Lab) -> None:
    lab.back(5)


def _gone_on_elsewhere(lab: tn.Lab) -> None:
    lab.switch("main")
    lab.run(3)
    lab.undo()


def _stayed(lab: tn.Lab) -> None:
    pass


LEFT: dict[str, Undo] = {"stayed": _stayed, "looked about": _looked_about, "gone on elsewhere": _gone_on_elsewhere}


@pytest.fixture
def make(make_tiny: Make) -> Callable[[], tn.Lab]:
    """Makes identical labs with two branches, `main` and the current one, `w`."""

    def made() -> tn.Lab:
        lab = make_tiny(optimizer=tn.SGD(0.1, momentum=0.9))
        lab.run(20)
        lab.fork("w")
        lab.run(20)
        lab.switch("main")
        lab.run(20)
        lab.switch("w")
        return lab

    return made


@pytest.fixture(params=[(undo, left) for undo in UNDONE for left in LEFT], ids=lambda entry: " and ".join(entry))
def lab(request: Any, make: Callable[[], tn.Lab]) -> tn.Lab:
    """Such a lab, after something was undone on `w`, which was then left in some way."""
    lab = make()
    UNDONE[request.param[0]](lab)
    LEFT[request.param[1]](lab)
    return lab


def test_two_branches_are_equal_where_what_was_done_on_one_is_undone(lab: tn.Lab) -> None:
    found = lab.compare("main", "w")
    assert found.equal
    assert found.step == 40
    assert (found.first_difference, found.distance) == (None, 0.0)
    assert found.b.moment.startswith("before ")
    assert "of that step, undone" in str(found)
    assert found.a.moment == ""


def test_the_end_of_a_branch_is_before_what_was_undone_there(lab: tn.Lab, make: Callable[[], tn.Lab]) -> None:
    digest = make().state.digest()
    lab.switch("main")
    said = str(lab.switch("w"))
    assert lab.state.digest() == digest
    assert "on branch w, before " in said
    assert "undone" in said


def test_what_units_give_and_have_learned_at_the_end_of_a_branch_is_that_before_what_was_undone(
    lab: tn.Lab, make: Callable[[], tn.Lab]
) -> None:
    other = make()
    lab.switch("main")
    other.switch("main")
    for each in (lab, other):
        each.seek(30)
    for act in (
        lambda lab: lab.patch("hidden[1]", example=2, branch="w"),
        lambda lab: lab.transplant("hidden[1]", branch="w"),
    ):
        found = act(lab)
        assert ", as on w before " in found.done
        assert found.done.startswith(act(other).done)
        assert lab.state.digest() == other.state.digest()


def test_going_on_from_there_does_not_do_again_what_was_undone(lab: tn.Lab, make: Callable[[], tn.Lab]) -> None:
    other = make()
    other.run(30)
    lab.switch("w")
    lab.seek(35)
    lab.run(35)
    assert lab.step_number == other.step_number == 70
    assert lab.state.digest() == other.state.digest()
    kept = [branch for branch in lab.player.timeline.branches.values() if branch.name not in ("main", "w")]
    assert len(kept) == 1  # what was undone still exists on a branch of its own, and has its effect there
    assert kept[0].seen_end == kept[0].end
    assert len(kept[0].edits) > len(lab.log)
    lab.undo()
    assert (lab.branch, lab.step_number) == ("w", 35)
    lab.redo()
    assert lab.state.digest() == other.state.digest()


def test_a_save_and_a_journal_keep_what_was_undone_as_undone(lab: tn.Lab, tmp_path: Path) -> None:
    ends = lab.player.timeline.undone_ends()
    lab.save(tmp_path / "x.msgpack")
    again = tn.Lab(tmp_path / "x.msgpack")
    assert again.player.timeline.undone_ends() == ends
    assert again.compare("main", "w").equal
    assert tn.compare(tmp_path / "x.msgpack", f"{tmp_path / 'x.msgpack'}:w").b.moment


def test_a_journal_keeps_what_was_undone_as_undone(make_tiny: Make, tmp_path: Path) -> None:
    lab = make_tiny(journal=tmp_path)
    lab.run(10)
    _two(lab)
    lab.flush()
    lab.redo()
    lab.flush()
    (file,) = tmp_path.glob("*.journal")
    lab.close()
    (file,) = tmp_path.glob("*.journal")
    again = tn.Lab(file)
    assert (again.moment.edits, again.player.branch.seen_end.edits) == (1, 1)


def test_undone_ends_that_are_none_are_refused(make_tiny: Make, tmp_path: Path) -> None:
    from mutations import copied, filed, packed

    lab = make_tiny()
    lab.run(3)
    _edit(lab)
    lab.save(tmp_path / "x.msgpack")
    for rows in ([[0, 3, 1]], [[0, 4, 0]], [[7, 3, 0]], [[0, 3, -1]]):
        records = [copied(record) for record in read_records(tmp_path / "x.msgpack")]
        position = next(record for record in records if record["record"] == "position")
        assert position["undone"].tolist() == [[0, 3, 0]]
        position["undone"] = np.array(rows)
        path = tmp_path / "wrong.msgpack"
        path.write_bytes(filed([packed(record) for record in records], 2, count=None, whole=True))
        with pytest.raises(tn.CorruptSave):
            tn.Lab(path)


def test_what_is_done_again_counts_again(make: Callable[[], tn.Lab]) -> None:
    lab = make()
    _two(lab)
    lab.redo()
    lab.switch("main")
    found = lab.compare("main", "w")
    assert found.difference == 'edit at step 40 on w: lab.nudge("hidden[1]", 1.0)'
    lab.switch("w")
    assert len(lab.log) == 1
    lab.redo()
    lab.switch("main")
    lab.switch("w")
    assert len(lab.log) == 2
    assert lab.player.timeline.undone_ends() == []


def test_who_goes_beyond_what_was_undone_takes_it_up_again(make: Callable[[], tn.Lab]) -> None:
    lab = make()
    _edit(lab)
    lab.seek(40)
    assert not lab.log
    lab.seek(40, edits=1)
    lab.switch("main")
    lab.switch("w")
    assert len(lab.log) == 1


def test_a_lab_is_compared_as_it_stands_and_says_so(make: Callable[[], tn.Lab]) -> None:
    lab = make()
    lab.nudge("hidden[1]", 1.0)
    lab.seek(40, edits=0)
    found = lab.compare("main", "w")
    assert found.equal
    assert "  moment      w: before 1 edit of that step, ahead of where the lab stands" in found.lines()
    lab.seek(30)
    assert not lab.compare("main", "w").equal


def test_a_step_behind_what_was_undone_can_be_compared_and_says_so(
    make: Callable[[], tn.Lab],
) -> None:
    lab = make()
    _with_a_run(lab)
    lab.switch("main")
    lab.run(7)
    assert lab.compare("main", "w").equal
    found = lab.compare("main", "w", step=45)
    assert not found.equal
    assert "  moment      w: with 1 edit that was undone" in found.lines()
    assert found.difference == 'edit at step 40 on w: lab.nudge("hidden[1]", 1.0)'


ACTS = ("edit", "run", "undo", "undo", "redo", "back", "seek", "switch", "fork")


@pytest.mark.proof
@settings(max_examples=60)
@given(st.lists(st.sampled_from(ACTS), max_size=14), st.integers(0, 2**20))
def test_the_end_of_every_branch_is_the_last_moment_that_was_not_undone(acts: list[str], seed: int) -> None:
    """Compared with a plain record: for each branch the edits at its end, without the undone ones."""
    random = np.random.default_rng(seed)
    x = np.random.default_rng(0).normal(size=(12, 2))
    network = tn.Network([tn.Linear(2, 3, name="hidden"), tn.Tanh(), tn.Linear(3, 2)])
    lab = tn.Lab(network, data=(x, (x[:, 0] > 0).astype(int)), loss=tn.CrossEntropy(), batch=4)
    lab.run(2)
    for act in acts:
        try:
            _act(lab, act, random)
        except tn.TimelineError:
            continue
        branch, timeline = lab.player.branch, lab.player.timeline
        assert branch.seen_end <= branch.end
        if act in ("edit", "run", "fork") and not lab.player.in_past:
            assert branch.seen_end == lab.moment
        if act == "undo" and lab.player.branch.edits_through(lab.step_number) > lab.moment.edits:
            before, after = timeline.undone[-1]
            if before.branch == after.branch and before.step == after.step:
                assert branch.seen_end == lab.moment
        for other in timeline.branches.values():
            state = lab.compare(other.name).b
            assert len(other.edits[: other.seen_end.edits]) == other.seen_end.edits
            assert state.name == other.name


def _act(lab: tn.Lab, act: str, random: np.random.Generator) -> None:
    if act == "edit":
        lab.nudge("hidden[1]", float(random.normal()))
    elif act == "run":
        lab.run(int(random.integers(1, 4)))
    elif act == "seek":
        lab.seek(int(random.integers(0, lab.end + 1)))
    elif act == "switch":
        lab.switch(lab.branches[random.integers(len(lab.branches))])
        assert lab.moment == lab.player.branch.seen_end
    elif act == "fork":
        lab.fork(f"f{len(lab.branches)}")
    else:
        getattr(lab, act)()
