"""The journal: what a lab does reaches the disk at once, and any beginning of a journal is a valid past."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journals import copied, file_of, made, shape
from patience import until

import tinynets as tn
from tinynets.history import moves
from tinynets.history.moment import Moment
from tinynets.jobs import run_to_end
from tinynets.storage import journal
from tinynets.storage.records import RecordFile
from tinynets.storage.recovery import recoverable

Says = Callable[[type[Exception], str], AbstractContextManager[None]]


def kinds(file: Path) -> list[str]:
    return [record["record"] for record in RecordFile(file, recover=True)]


# -- when it is written


def test_nothing_is_written_before_something_is_done(tmp_path: Path) -> None:
    lab = made(tmp_path)
    lab.flush()
    lab.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "act",
    [
        lambda lab: lab.zero("hidden[1]"),
        lambda lab: lab.fork("b"),
        lambda lab: lab.rename("main", "first"),
        lambda lab: lab.bookmark("here", "a note"),
        lambda lab: lab.unbookmark("mark"),
        lambda lab: lab.drop("spare"),
    ],
    ids=["edit", "fork", "rename", "bookmark", "unbookmark", "drop"],
)
def test_what_a_person_does_is_written_at_once_with_the_steps_before_it(
    tmp_path: Path, act: Callable[[tn.Lab], object]
) -> None:
    lab = made(tmp_path)
    lab.run(10)
    lab.fork("spare")
    lab.switch("main")
    lab.bookmark("mark")
    lab.run(10)
    act(lab)
    assert shape(tn.Lab(copied(file_of(lab), tmp_path / "copy.journal"))) == shape(lab)


def test_the_losses_of_a_run_are_written_at_intervals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(journal, "perf_counter", lambda: now[0])
    lab = made(tmp_path)
    lab.zero("hidden[0]")
    file, sizes, ends = file_of(lab), list[int](), [0]
    run = lab.work("run", (10**9,), {})
    for _ in range(41):
        next(run)
        sizes.append(file.stat().st_size)
        ends.append(lab.step_number)
        now[0] += journal.FLUSH / 4
    grown = [at for at, (before, size) in enumerate(pairwise(sizes), 1) if size > before]
    assert grown == list(range(4, 41, 4))
    again = copied(file, tmp_path / "copy.journal")
    assert tn.Lab(again).end >= ends[40]  # what was done when that interval began
    run.close()
    written = [record for record in RecordFile(file, recover=True) if record["record"] == "losses"]
    assert all(one["first"] + len(one["values"]) == next_["first"] for one, next_ in pairwise(written))
    assert written[0]["first"] == 0


@pytest.mark.usefixtures("at_every_piece")
def test_a_keyframe_is_written_where_computing_again_would_take_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "JOURNAL_KEYFRAME_SECONDS", 0.02)
    monkeypatch.setattr(journal, "KEYFRAME_SHARE", 0)
    lab = made(tmp_path)
    lab.zero("hidden[0]")
    run = lab.work("run", (10**9,), {})
    for _ in range(10_000):
        next(run)
        if kinds(file_of(lab)).count("keyframe") >= 5:
            break
    run.close()
    lab.flush()
    again = tn.Lab(copied(file_of(lab), tmp_path / "copy.journal"))
    assert kinds(file_of(lab)).count("keyframe") > 3
    assert len(again.player.branch.keyframes) > 3
    assert again.state.digest() == lab.state.digest()


IDLE = """
import sys, time
import tinynets as tn
lab = tn.Lab("spiral", seed=1, journal=True)
lab.run(500)
lab.zero("hidden1[0]")
lab.run(60)
lab.step()
print(lab.step_number, flush=True)
sys.stdin.read()
"""


def test_what_a_call_has_done_comes_to_the_disk_without_another_call(tmp_path: Path) -> None:
    environment = os.environ | {"TINYNETS_STATE": str(tmp_path), "PYTHONPATH": str(Path(tn.__file__).parents[1])}
    command = [sys.executable, "-c", IDLE]
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **piped) as process:
        assert process.stdout is not None
        said = int(process.stdout.readline())
        (file,) = (tmp_path / "journals").glob("*.journal")
        until(lambda: tn.Lab(file, read_only=True).end >= said)
        process.kill()
    lab = tn.Lab(file, read_only=True)
    assert (lab.end, lab.step_number, len(lab.log)) == (said, said, 1)


# -- any beginning of it is a past


ACTIONS = st.one_of(
    st.tuples(st.just("run"), st.integers(1, 30)),
    st.tuples(st.sampled_from(["zero", "freeze", "release"]), st.integers(0, 5)),
    st.tuples(st.sampled_from(["undo", "redo", "evaluate"]), st.just(0)),
    st.tuples(st.sampled_from(["seek", "fork", "switch", "rename", "drop", "bookmark", "unbookmark"]), st.integers(0)),
)


def act(lab: tn.Lab, count: int, verb: str, value: int) -> None:
    name = lab.branches[value % len(lab.branches)]
    arguments: dict[str, tuple[Any, ...]] = {
        "run": (value,),
        "fork": (f"fork {count}",),
        "bookmark": (f"mark {value % 3}", f"the {count}th"),
        "unbookmark": (f"mark {value % 3}",),
        "rename": (name, f"name {count}"),
        "switch": (name,),
        "drop": (name,),
        "seek": (value % (lab.end + 1),),
        "evaluate": ("train",),
    }
    units = (f"hidden[{value}]",) if verb in ("zero", "freeze", "release") else ()
    getattr(lab, verb)(*arguments.get(verb, units))


class Witness:
    """Records what a lab held after each action."""

    def __init__(self, lab: tn.Lab) -> None:
        self.lab = lab
        self.digests: dict[Moment, str] = {}
        self.names: set[tuple[int, str]] = set()
        self.marks: set[Any] = set()
        self.look()

    def look(self) -> None:
        lab = self.lab
        assert self.digests.setdefault(lab.moment, lab.state.digest()) == lab.state.digest()
        self.names |= {(branch.number, branch.name) for branch in lab.player.timeline.branches.values()}
        self.marks |= set(lab.bookmarks)

    def check(self, found: tn.Lab) -> None:
        """Check that what was recovered is a beginning of what was done."""
        ours = self.lab.player.timeline.branches
        for number, branch in found.player.timeline.branches.items():
            whole = ours[number]
            assert (branch.parent, branch.fork, branch.shared) == (whole.parent, whole.fork, whole.shared)
            assert whole.losses.values.tobytes().startswith(branch.losses.values.tobytes())
            assert list(map(repr, branch.edits)) == list(map(repr, whole.edits[: len(branch.edits)]))
            assert all(entry in whole.evaluations for entry in branch.evaluations)
            assert (number, branch.name) in self.names
        assert set(found.bookmarks) <= self.marks
        assert found.state.digest() == self.digests.get(found.moment, found.state.digest())
        for moment in [moment for moment in self.digests if held(found, moment)][:4]:
            assert run_to_end(moves.state_at(found.player, moment)).digest() == self.digests[moment]


def held(lab: tn.Lab, moment: Moment) -> bool:
    branch = lab.player.timeline.branches.get(moment.branch)
    return (
        branch is not None
        and moment.step <= len(branch.losses)
        and branch.edits_through(moment.step - 1) <= moment.edits <= branch.edits_through(moment.step)
    )


def extent(lab: tn.Lab) -> tuple[int, int]:
    branches = lab.player.timeline.branches.values()
    return sum(len(branch.edits) for branch in branches), sum(len(branch.losses) for branch in branches)


@pytest.mark.usefixtures("at_every_piece")
@given(st.lists(ACTIONS, min_size=1, max_size=25), st.lists(st.floats(0, 1), max_size=6), st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_part_of_a_journal_recovers_to_a_part_of_what_was_done(
    monkeypatch: pytest.MonkeyPatch, actions: list[tuple[str, int]], cuts: list[float], often_anew: bool
) -> None:
    monkeypatch.setattr(journal, "BOUND", 1 if often_anew else 2**26)
    monkeypatch.setattr(journal, "GROWTH", 1)
    with TemporaryDirectory() as folder:
        lab = made(Path(folder))
        witness = Witness(lab)
        for count, (verb, value) in enumerate(actions):
            with suppress(tn.TinynetsError):
                act(lab, count, verb, value)
            witness.look()
        lab.run(1)
        lab.flush()
        witness.look()
        whole, copy = file_of(lab), Path(folder) / "copy.journal"
        assert shape(tn.Lab(copied(whole, copy), read_only=True)) == shape(lab)
        before = (0, 0)
        for share in sorted(cuts):
            copied(whole, copy, int(share * whole.stat().st_size))
            try:
                found = tn.Lab(copy, read_only=True)
            except tn.CorruptSave:
                assert before == (0, 0)  # cut before its start was complete
                continue
            witness.check(found)
            assert extent(found) >= before or often_anew
            before = extent(found)
        lab.close(discard=True)


def test_a_journal_cut_in_a_record_tells_what_is_lost_and_has_the_rest(tmp_path: Path) -> None:
    lab = made(tmp_path)
    lab.run(10)
    lab.zero("hidden[1]")
    before = file_of(lab).stat().st_size
    lab.zero("hidden[2]")
    cut = copied(file_of(lab), tmp_path / "cut.journal", before + 20)
    found = tn.Lab(cut)
    assert [entry.python for entry in found.log] == ['lab.zero("hidden[1]")']
    assert found.warnings[0].endswith("; what came before is here, 20 bytes behind it are lost")


# -- how long it is kept


def test_once_all_is_saved_it_is_gone_and_what_comes_next_goes_to_another(tmp_path: Path) -> None:
    lab = made(tmp_path / "journals")
    lab.run(5)
    lab.flush()
    first = file_of(lab)
    lab.save(tmp_path / "x.msgpack")
    assert not first.exists()
    lab.flush()
    assert list((tmp_path / "journals").iterdir()) == []
    lab.zero("hidden[1]")
    assert file_of(lab) != first
    lab.save()
    lab.close()
    assert list((tmp_path / "journals").iterdir()) == []


def test_closed_with_something_unsaved_it_stays_and_discarded_it_goes(tmp_path: Path) -> None:
    lab = made(tmp_path)
    lab.run(5)
    lab.close()
    lab.close()
    (left,) = recoverable(tmp_path)
    assert (left.step, left.edits, left.branches, left.save) == (5, 0, 1, "")
    assert tn.Lab(left.file, read_only=True).state.digest() == lab.state.digest()
    lab = tn.Lab(left.file, journal=tmp_path)
    lab.run(3)
    lab.close(discard=True)
    assert list(tmp_path.iterdir()) == []


def test_a_lab_that_is_forgotten_leaves_its_journal_to_be_recovered() -> None:
    lab = made()
    lab.run(5)
    lab.zero("hidden[1]")
    file, digest = file_of(lab), lab.state.digest()
    assert recoverable() == []
    del lab
    gc.collect()
    assert [entry.file for entry in recoverable()] == [file]
    assert tn.Lab(file).state.digest() == digest


def test_beyond_its_bound_it_is_begun_anew_and_holds_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = made(tmp_path)
    lab.run(5)
    lab.flush()
    monkeypatch.setattr(journal, "BOUND", 2 * file_of(lab).stat().st_size)
    monkeypatch.setattr(journal, "GROWTH", 1)
    lab.close(discard=True)
    lab = made(tmp_path)
    for round_ in range(100):
        lab.run(3)
        lab.zero(f"hidden[{round_ % 6}]")
        if round_ % 10 == 0:
            until_on_disk(lab)
    until_on_disk(lab)
    total = shape(lab)
    lab.close()
    (left,) = recoverable(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert shape(tn.Lab(left.file)) == total
    assert kinds(left.file).count("position") < 80


def until_on_disk(lab: tn.Lab) -> None:
    """Wait for the new journal, however slow the disk is."""
    written = lab._files.journal
    assert written is not None
    assert written._file is not None
    file = written._file
    until(lambda: not file.settling)


# -- a disk that is full


FULL = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tinynets.storage import journal

import tinynets as tn

journal.RETRY = 0.0
folder = Path(sys.argv[1])
lab = tn.Lab("xor", journal=folder)
told = []
lab.hear(told.append)
lab.run(10)
lab.flush()
size = lab._files.journal.file.stat().st_size
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
for unit in range(4):
    lab.zero(f"hidden[{unit}]")
assert len(told) == 1, told
assert told[0] == (
    "the journal cannot be written (file too large): what is done from here on is safe only once saved"
), told
copy = folder / "copy.journal"
copy.write_bytes(lab._files.journal.file.read_bytes())
assert tn.Lab(copy, read_only=True).step_number == 10
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
lab.flush()
assert told[1:] == ["the journal is written again"], told
lab.freeze("hidden[2]")
assert len(told) == 2, told
copy.write_bytes(lab._files.journal.file.read_bytes())
found = tn.Lab(copy, read_only=True)
assert found.state.digest() == lab.state.digest()
assert len(found.log) == 5
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on a file's size")
def test_a_full_disk_is_told_once_and_with_room_again_nothing_is_missing(tmp_path: Path) -> None:
    here = str(Path(tn.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path), here], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode == 0


def test_where_there_is_no_room_to_begin_it_anew_the_old_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "BOUND", 1)
    monkeypatch.setattr(journal, "GROWTH", 1)
    lab = made(tmp_path)
    lab.freeze("hidden[0]")
    (tmp_path / f".{file_of(lab).name}.tmp").mkdir()  # the file that the new one would be written to
    for unit in range(6):
        lab.zero(f"hidden[{unit}]")
    assert lab.warnings == []
    assert shape(tn.Lab(copied(file_of(lab), tmp_path / "copy.journal"))) == shape(lab)
