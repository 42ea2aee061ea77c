"""The journal: what a lab does is on the disk as it does it, and any part of that from its beginning is a past."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patience import until

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.history.moment import Moment
from tinynets.jobs import run_to_end
from tinynets.storage import journal, locks
from tinynets.storage.paths import journal_folder
from tinynets.storage.records import RecordFile
from tinynets.storage.recovery import discard, find, recoverable

Says = Callable[[type[Exception], str], AbstractContextManager[None]]


def made(folder: Path | bool = True, **options: Any) -> tn.Lab:
    """A lab of a small network that writes a journal."""
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    layers = [tn.Linear(2, 6, name="hidden"), tn.Tanh(), tn.Linear(6, 2, name="output")]
    return tn.Lab(
        tn.Network(layers, seed=0),
        data=(x, (x[:, 1] > x[:, 0] ** 2).astype(np.int64)),
        loss=tn.CrossEntropy(),
        optimizer=tn.SGD(0.1, momentum=0.9),
        batch=8,
        seed=0,
        journal=folder,
        **options,
    )


def file_of(lab: tn.Lab) -> Path:
    written = lab._files.journal
    assert written is not None
    assert written.file is not None
    return written.file


def kinds(file: Path) -> list[str]:
    return [record["record"] for record in RecordFile(file, recover=True)]


def copied(file: Path, to: Path, size: int | None = None) -> Path:
    """The first bytes of a journal, as a file of another name."""
    to.write_bytes(file.read_bytes()[:size])
    return to


def shape(lab: tn.Lab) -> dict[str, Any]:
    """All that a journal brings back."""
    timeline = lab.player.timeline
    return {
        "branches": {
            branch.number: (
                branch.name,
                (branch.parent, branch.fork, branch.shared),
                branch.losses.values.tobytes(),
                list(map(repr, branch.edits)),
                branch.evaluations,
            )
            for branch in timeline.branches.values()
        },
        "bookmarks": timeline.bookmarks,
        "position": lab.moment,
        "actions": timeline.actions[-journal.ACTIONS :],
        "digest": lab.state.digest(),
    }


@pytest.fixture
def at_every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FLUSH", 0.0)


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
    assert tn.Lab(again).end >= ends[40]  # what was done when that time began
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


# -- any part of it is a past


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
    """Writes down what a lab was seen to hold, action by action."""

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
        """What was recovered is a part, from the beginning, of what was done."""
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
            assert run_to_end(found.player.state_at(moment)).digest() == self.digests[moment]


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
                assert before == (0, 0)  # cut before its start was whole
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


# -- how long it stays


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
    """Wait for what is being begun anew, however slow the disk is."""
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
    (tmp_path / f".{file_of(lab).name}.tmp").mkdir()  # where the new one would be written
    for unit in range(6):
        lab.zero(f"hidden[{unit}]")
    assert lab.warnings == []
    assert shape(tn.Lab(copied(file_of(lab), tmp_path / "copy.journal"))) == shape(lab)


# -- recovery


@pytest.fixture
def left() -> tuple[Path, dict[str, Any]]:
    """A journal that was left behind, and all that its lab did."""
    lab = made()
    lab.run(20)
    lab.zero("hidden[1]")
    lab.run(10)
    lab.seek(15)
    lab.fork("b")
    lab.freeze("hidden[2]")
    lab.bookmark("here")
    done = shape(lab)
    file = file_of(lab)
    lab.close()
    return file, done


Left = tuple[Path, dict[str, Any]]


def test_a_lab_of_a_journal_is_what_was_done_and_not_saved_yet(left: Left) -> None:
    lab = tn.Lab(str(left[0]))
    assert shape(lab) == left[1]
    assert lab.unsaved
    assert (lab.path, lab.warnings) == ("", [])
    lab.undo()
    assert lab.log == ()
    assert lab.step_number == 15


def test_saved_a_recovered_lab_takes_its_journal_away(left: Left, tmp_path: Path) -> None:
    lab = tn.Lab(left[0])
    lab.close()
    assert left[0].exists()
    lab = tn.Lab(left[0])
    lab.save(tmp_path / "x.msgpack")
    assert not lab.unsaved
    assert recoverable() == []
    assert not left[0].exists()
    assert shape(tn.Lab(tmp_path / "x.msgpack")) == left[1]


@pytest.mark.usefixtures("at_every_piece")
def test_a_recovered_lab_with_a_journal_of_its_own_replaces_the_first_once_that_is_on_the_disk(left: Left) -> None:
    lab = tn.Lab(left[0], journal=True)
    until(lambda: (lab.step(), not left[0].exists())[1])
    lab.close()
    (other,) = recoverable()
    assert other.file != left[0]
    assert tn.Lab(other.file).state.digest() == lab.state.digest()


def test_a_recovered_lab_goes_on_with_its_save(tmp_path: Path) -> None:
    lab = made()
    lab.run(5)
    lab.save(tmp_path / "x.msgpack")
    lab.zero("hidden[1]")
    lab.close()
    (entry,) = recoverable()
    assert entry.save == str(tmp_path / "x.msgpack")
    lab = tn.Lab(entry.file)
    assert lab.path == entry.save
    lab.save()
    assert [entry.python for entry in tn.Lab(tmp_path / "x.msgpack").log] == ['lab.zero("hidden[1]")']


def test_a_save_written_since_is_left_alone_by_what_is_recovered(tmp_path: Path) -> None:
    path = tmp_path / "x.msgpack"
    lab = made()
    lab.save(path)
    lab.zero("hidden[1]")
    lab.close()
    other = tn.Lab(path)
    other.run(7)
    other.save()
    other.close()
    lab = tn.Lab(recoverable()[0].file)
    assert lab.path == ""
    assert lab.warnings == [f"`{path}` was written after what is recovered here: save under another name"]


HOLDS = """
import sys, tinynets as tn
lab = tn.Lab("xor", journal=True)
lab.zero("hidden[1]")
print(lab._files.journal.file, flush=True)
sys.stdin.read()
"""


def test_a_journal_whose_lab_lives_is_not_left_over_cannot_be_recovered_and_can_be_looked_at(says: Says) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    file = Path(process.stdout.readline().strip())
    try:
        assert recoverable() == []
        with says(tn.SaveError, f"`{file}` is open in another lab (process {process.pid})"):
            tn.Lab(file)
        assert len(tn.Lab(file, read_only=True).log) == 1
    finally:
        process.kill()
        process.communicate()
    (entry,) = recoverable()
    assert entry.file == file
    assert len(tn.Lab(file).log) == 1


def test_a_journal_of_this_very_process_is_not_left_over_either(says: Says) -> None:
    lab = made()
    lab.zero("hidden[1]")
    assert recoverable() == []
    file = file_of(lab)
    lab.close()
    (entry,) = recoverable()
    held = locks.acquire(file)
    assert held is not None
    with says(tn.SaveError, f"`{file}` is open in this process"):
        discard(entry)
    held.release()
    discard(entry)
    assert not file.exists()


def test_leftovers_come_newest_first_and_are_found_by_name(says: Says) -> None:
    with says(tn.SaveError, "there is nothing to recover"):
        find("latest")
    for steps in (1, 2, 3):
        lab = made()
        lab.run(steps)
        lab.close()
    found = recoverable()
    assert [entry.step for entry in found] == [3, 2, 1]
    assert find("latest") == found[0]
    assert find(found[1].name) == find(str(found[1].file)) == found[1]
    with pytest.raises(tn.SaveError, match=r"there is no journal `x`, only "):
        find("x")
    (journal_folder() / "noise.journal").write_bytes(b"no journal")
    assert recoverable() == found


@pytest.mark.parametrize("content", [b"", b"tinynets\x02\x00", b"nothing"])
def test_a_journal_that_holds_no_start_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.journal").write_bytes(content)
    with pytest.raises(tn.CorruptSave, match=r"x\.journal"):
        tn.Lab(tmp_path / "x.journal")
    with pytest.raises(tn.SaveError, match=r"no\.journal` does not exist"):
        tn.Lab(tmp_path / "no.journal")


# -- at a shell


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return command


Run = Callable[..., tuple[int, str, str]]


def test_recover_lists_what_was_left_behind_and_saves_it(run: Run, left: Left, tmp_path: Path) -> None:
    (entry,) = recoverable()
    assert run("recover") == (0, f"{entry.name}  {entry}\n", "")
    assert json.loads(run("recover", "--json")[1])["leftovers"] == [entry.config()]
    path = tmp_path / "kept.msgpack"
    status, out, errors = run("recover", "latest", "--save", str(path))
    assert (status, errors) == (0, "")
    assert out.splitlines()[1].startswith(f"saved {path} (")
    assert shape(tn.Lab(path)) == left[1]
    assert run("recover") == (0, "there is nothing to recover\n", "")
    assert run("recover", "latest") == (1, "", "tinynets: there is nothing to recover\n")
    assert run("recover", "--save", "x")[0] == 1


def test_recovered_without_a_name_a_save_is_made_that_was_not_there(
    run: Run, left: Left, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "saves").mkdir()
    monkeypatch.chdir(tmp_path)
    saved = json.loads(run("recover", recoverable()[0].name, "--json")[1])
    assert (saved["step"], saved["digest"]) == (left[1]["position"].step, left[1]["digest"])
    assert Path(saved["save"]).exists()


def test_a_journal_can_be_looked_at_verified_and_trained_on_from_a_shell(run: Run, left: Left, tmp_path: Path) -> None:
    file = str(left[0])
    told = json.loads(run("info", file, "--json")[1])
    assert (told["step"], told["branch"], told["digest"]) == (15, "b", left[1]["digest"])
    assert run("verify", file)[0] == 0
    assert left[0].exists()
    path = tmp_path / "on.msgpack"
    assert run("train", file, "--steps", "5", "--save", str(path))[0] == 0
    assert tn.Lab(path).end == 20
    assert not left[0].exists()


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
