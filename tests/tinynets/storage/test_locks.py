"""Locks: one process holds a file at a time, however it ends; labs in one process share it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from patience import PATIENCE

from tinynets.storage import locks

HOLDS = (
    "import sys; from tinynets.storage import locks; print(locks.acquire(sys.argv[1]), flush=True); sys.stdin.read()"
)


@contextmanager
def another(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A running process that has asked for a file's lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.answer = process.stdout.readline().strip()  # type: ignore[attr-defined]
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_file_that_another_process_holds_is_not_given_and_its_process_is_named(tmp_path: Path) -> None:
    with another(tmp_path / "x") as process:
        assert locks.acquire(tmp_path / "x") is None
        assert locks.holder(tmp_path / "x") == f"another lab (process {process.pid})"
        other = locks.acquire(tmp_path / "y")
        assert other is not None
        other.release()


def test_a_process_that_is_killed_leaves_nothing_locked(tmp_path: Path) -> None:
    with another(tmp_path / "x") as process:
        os.kill(process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait()
        held = locks.acquire(tmp_path / "x")
        assert held is not None
        held.release()


def test_a_process_shares_a_file_with_itself_until_the_last_lets_go(tmp_path: Path) -> None:
    first, second = locks.acquire(tmp_path / "x"), locks.acquire(tmp_path / "x")
    assert first is not None
    assert second is not None
    first.release()
    first.release()  # twice is the same as once
    with another(tmp_path / "x") as process:
        assert process.answer == "None"  # type: ignore[attr-defined]
    second.release()
    with another(tmp_path / "x"):
        assert locks.acquire(tmp_path / "x") is None


def test_a_holder_that_is_collected_while_another_lock_is_taken_lets_go_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, take = locks.acquire(tmp_path / "x"), locks.take_lock
    assert first is not None

    def collecting(place: Path) -> object:
        first.release()
        return take(place)

    monkeypatch.setattr(locks, "take_lock", collecting)
    taken: list[locks.HeldLock | None] = []
    thread = threading.Thread(target=lambda: taken.append(locks.acquire(tmp_path / "y")), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert taken
    with another(tmp_path / "x") as process:
        assert process.answer.startswith("HeldLock")  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(os, "symlink") or sys.platform == "win32", reason="needs links")
def test_a_file_is_the_same_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    with another(tmp_path / "link"):
        assert locks.acquire(tmp_path / "x") is None


def test_where_no_lock_can_be_made_everything_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TINYNETS_STATE", str(tmp_path / "file"))
    held = locks.acquire(tmp_path / "x")
    assert held is not None
    held.release(forget=True)


def test_what_is_forgotten_leaves_no_file_behind(tmp_path: Path) -> None:
    held = locks.acquire(tmp_path / "x")
    assert held is not None
    assert len(list((locks.state_folder() / "locks").glob("*"))) == 2
    held.release(forget=True)
    assert list((locks.state_folder() / "locks").glob("*")) == []
