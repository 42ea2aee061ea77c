"""Journals left behind are found, and a lab opened from one has what was done but not saved."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from journals import file_of, made, shape
from patience import until

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.storage import locks
from tinynets.storage.paths import journal_folder
from tinynets.storage.recovery import discard, find, recoverable

Says = Callable[[type[Exception], str], AbstractContextManager[None]]


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
