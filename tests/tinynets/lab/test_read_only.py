"""Two labs on one file: the second opens it read-only, says so, and saves elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

import tinynets as tn

OPENS = """
import sys, tinynets as tn
lab = tn.Lab(sys.argv[1])
if len(sys.argv) > 2:
    lab.step()
    lab.save(sys.argv[2])
print(lab.read_only, flush=True)
sys.stdin.read()
"""


@contextmanager
def another(*arguments: object) -> Iterator[int]:
    """Another process with a lab of a file, perhaps saved to a second file."""
    process = subprocess.Popen(
        [sys.executable, "-c", OPENS, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "False\n"
    try:
        yield process.pid
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    lab = tn.Lab("xor")
    lab.run(3)
    lab.save(tmp_path / "x.msgpack")
    lab.close()
    return tmp_path / "x.msgpack"


Says = Callable[[type[Exception], str], AbstractContextManager[None]]


def test_the_second_lab_is_told_reads_and_saves_under_another_name_only(saved: Path, says: Says) -> None:
    other = saved.with_name("other.msgpack")
    with another(saved) as pid:
        lab = tn.Lab(saved)
        assert lab.read_only
        who = f"`{saved}` is open in another lab (process {pid})"
        assert lab.warnings == [f"{who}: it is read-only here, save under another name"]
        before = saved.read_bytes()
        lab.step()
        with says(tn.SaveError, f"`{saved}` is open read-only: save under another name"):
            lab.save()
        assert saved.read_bytes() == before
        assert lab.unsaved
        lab.save(other)
        assert (lab.read_only, lab.path) == (False, str(other))
        lab.step()
        lab.save()
    assert tn.Lab(other).step_number == 5


def test_a_save_to_a_file_that_another_lab_has_open_is_refused_before_anything_is_written(
    saved: Path, says: Says
) -> None:
    lab = tn.Lab("xor")
    lab.step()
    with another(saved) as pid:
        before = saved.read_bytes()
        with says(tn.SaveError, f"`{saved}` is open in another lab (process {pid}): save under another name"):
            lab.save(saved)
        assert saved.read_bytes() == before
        assert lab.path == ""
    lab.save(saved)
    assert tn.Lab(saved).step_number == 1


def test_saving_elsewhere_takes_that_file_and_leaves_the_first(saved: Path) -> None:
    other = saved.with_name("other.msgpack")
    with another(saved, other):
        assert not tn.Lab(saved).read_only
        assert tn.Lab(other).read_only


def test_labs_of_one_process_share_a_file(saved: Path) -> None:
    first, second = tn.Lab(saved), tn.Lab(saved)
    first.step()
    first.save()
    second.run(2)
    second.save()
    assert not first.read_only
    assert not second.read_only


def test_a_lab_that_only_looks_leaves_the_file_to_others_and_does_not_write_it(saved: Path, says: Says) -> None:
    lab = tn.Lab(saved, read_only=True)
    assert lab.warnings == []
    with another(saved):
        lab.step()
    with says(tn.SaveError, f"`{saved}` is open read-only: save under another name"):
        lab.save()
