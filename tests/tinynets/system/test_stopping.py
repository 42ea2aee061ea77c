"""Signals that end a command: no work is lost, and only one line is printed.

`pytest -m proof` presses ctrl+c at each of the imports that a start makes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from interrupting import interrupted_at
from patience import PATIENCE, until

import tinynets as tn
from tinynets.cli import progress_bar
from tinynets.cli.entry import main
from tinynets.storage.recovery import RecoverableJournal, recoverable
from tinynets.system import stopping

pytestmark = pytest.mark.proof  # CI runs them after the other tests

posix = pytest.mark.skipif(os.name != "posix", reason="sends signals")
REPOSITORY = Path(tn.__file__).parents[1]
ENDING = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
ENDLESS = ("--steps", "500000000")


class Command:
    """`tinynets ...` in a process of its own."""

    def __init__(self, *arguments: str, cwd: Path, ignoring: int | None = None, **environment: str) -> None:
        self.state = cwd / "state"
        surroundings = os.environ | {"TINYNETS_STATE": str(self.state), "PYTHONPATH": str(REPOSITORY)} | environment
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tinynets.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=surroundings,
            text=True,
            preexec_fn=None if ignoring is None else lambda: signal.signal(ignoring, signal.SIG_IGN),
        )

    def at_work(self) -> None:
        """Wait until it has taken steps that are in its journal."""
        until(lambda: self.process.poll() is not None or self.written())
        assert self.process.poll() is None, self.process.communicate()

    def written(self) -> bool:
        return any(file.stat().st_size for file in (self.state / "journals").glob("*.journal"))

    def ended(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    @property
    def left(self) -> list[RecoverableJournal]:
        return recoverable(self.state / "journals")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    begun: list[Command] = []

    def begin(*arguments: str, **options: Any) -> Command:
        begun.append(Command(*arguments, cwd=tmp_path, **options))
        return begun[-1]

    yield begin
    for command in begun:
        if command.process.poll() is None:
            command.process.kill()
        command.process.communicate()


def is_what_it_was(lab: tn.Lab) -> None:
    """Check that the lab's last moment equals that of the same run without a stop."""
    lab.seek(lab.end)
    straight = tn.Lab(lab.recipe.name)
    straight.run(lab.end)
    assert lab.state.digest() == straight.state.digest()


@posix
@pytest.mark.parametrize("name", ENDING)
def test_a_run_that_is_stopped_is_saved_and_says_so(start: Callable[..., Command], tmp_path: Path, name: str) -> None:
    number = getattr(signal, name)
    command = start("train", "xor", *ENDLESS, "--save", "x.msgpack", "--json")
    command.at_work()
    command.process.send_signal(number)
    status, out, err = command.ended()
    lab = tn.Lab(tmp_path / "x.msgpack")
    words = "stopped" if number == signal.SIGINT else f"stopped by {name}"
    assert err.splitlines()[-1] == f"tinynets: {words} at step {lab.step_number:,}"
    told = json.loads(out)
    assert (status, told["stopped"], told["step"], told["save"]) == (128 + number, name, lab.step_number, "x.msgpack")
    assert lab.step_number > 0
    is_what_it_was(lab)
    assert command.left == []


@posix
@pytest.mark.parametrize("name", ENDING)
def test_a_run_that_is_stopped_and_has_no_file_can_be_recovered(
    start: Callable[..., Command], tmp_path: Path, name: str
) -> None:
    command = start("train", "xor", *ENDLESS)
    command.at_work()
    command.process.send_signal(getattr(signal, name))
    status, out, err = command.ended()
    (entry,) = command.left
    assert status == 128 + getattr(signal, name)
    assert err.splitlines()[-1].endswith(f" at step {entry.step:,}; `tinynets recover {entry.name}` saves it")
    assert f"step {entry.step:,} after" in out
    assert start("recover", entry.name, "--save", "kept.msgpack").ended()[0] == 0
    assert tn.Lab(tmp_path / "kept.msgpack").step_number == entry.step
    assert command.left == []


@posix
def test_a_run_that_is_killed_leaves_a_journal(start: Callable[..., Command]) -> None:
    command = start("train", "xor", *ENDLESS, "--save", "x.msgpack")
    command.at_work()
    command.process.kill()
    assert command.ended()[0] == -signal.SIGKILL
    (entry,) = command.left
    assert entry.name in start("recover").ended()[1]
    lab = tn.Lab(entry.file)
    assert lab.end == entry.step
    is_what_it_was(lab)


@posix
def test_a_run_that_ignores_hang_ups_goes_on(start: Callable[..., Command]) -> None:
    command = start("train", "xor", *ENDLESS, "--save", "x.msgpack", ignoring=signal.SIGHUP)
    command.at_work()
    command.process.send_signal(signal.SIGHUP)
    command.process.send_signal(signal.SIGTERM)
    status, _, err = command.ended()
    assert status == 128 + signal.SIGTERM
    assert "stopped by SIGTERM" in err


@posix
def test_a_signal_that_comes_twice_at_once_is_one(start: Callable[..., Command], tmp_path: Path) -> None:
    command = start("train", "names-mlp", *ENDLESS, "--save", "x.msgpack")
    command.at_work()
    for _ in range(100):  # as `timeout` and wrappers pass signals on
        command.process.send_signal(signal.SIGTERM)
    assert command.ended()[0] == 128 + signal.SIGTERM
    assert tn.Lab(tmp_path / "x.msgpack").step_number > 0


class Sends:
    """A stream that sends this process a signal when something is written to it."""

    encoding = "utf-8"

    def __init__(self, number: int, words: str) -> None:
        self.number, self.words, self.said = number, words, ""

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> int:
        self.said += text
        if self.words and self.words in text:
            self.words = ""
            signal.raise_signal(self.number)
        return len(text)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("name", ENDING)
@pytest.mark.parametrize("words", ["steps ", "examples of train", "examples of dev"])
def test_whatever_a_run_is_at_it_stops_at_a_whole_moment_and_saves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    monkeypatch.setattr(progress_bar, "LINE_SECONDS", 0.0)
    number, path = getattr(signal, name), tmp_path / "x.msgpack"
    heard = Sends(number, words)
    monkeypatch.setattr(sys, "stderr", heard)
    handlers = [signal.getsignal(entry) for entry in stopping.SIGNALS]
    with pytest.raises(SystemExit) as ended:
        main(("train", "names-mlp", "--steps", "500", "--save", str(path)))
    assert ended.value.code == 128 + number
    assert [signal.getsignal(entry) for entry in stopping.SIGNALS] == handlers
    lab = tn.Lab(path)
    assert (lab.step_number == 500) == (words != "steps ")
    assert heard.said.splitlines()[-1].endswith(f"at step {lab.step_number:,}")
    is_what_it_was(lab)


def test_a_run_that_is_done_leaves_nothing_behind(tmp_path: Path) -> None:
    for more in ((), ("--save", str(tmp_path / "x.msgpack"))):
        with pytest.raises(SystemExit) as ended:
            main(("train", "xor", "--steps", "2000", *more))
        assert not ended.value.code
        assert recoverable() == []


def test_a_run_whose_save_fails_can_be_recovered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setattr(progress_bar, "LINE_SECONDS", 0.0)

    class Removes(Sends):
        def write(self, text: str) -> int:
            if folder.is_dir():
                folder.rmdir()
                folder.write_text("")
            return super().write(text)

    heard = Removes(0, "")
    monkeypatch.setattr(sys, "stderr", heard)
    with pytest.raises(SystemExit) as ended:
        main(("train", "xor", "--steps", "2000", "--save", str(folder / "x.msgpack")))
    (entry,) = recoverable()
    assert (ended.value.code, entry.step) == (1, 2000)
    last = heard.said.splitlines()[-1]
    assert last.startswith("tinynets: `")
    assert last.endswith(f"; `tinynets recover {entry.name}` saves it")


# -- while it starts


def check_start(count: int, tmp_path: Path, *arguments: str) -> bool:
    """Press ctrl+c at an import; returns whether the command ran that long."""
    command = Command(*arguments, cwd=tmp_path, **interrupted_at(count, tmp_path, str(REPOSITORY)))
    status, _, err = command.ended()
    assert "Traceback" not in err, (count, err)
    assert "Exception" not in err, (count, err)
    assert status in (0, 130), (count, status, err)
    assert len(err.splitlines()) <= (status == 130), (count, err)
    assert err == "" or err.startswith("tinynets: stopped"), (count, err)  # at a step, if it was training by then
    return status == 130


@posix
@pytest.mark.parametrize("count", [1, 7, 20, 50, 100, 150, 200, 250])
def test_ctrl_c_while_a_command_starts_is_no_traceback(tmp_path: Path, count: int) -> None:
    assert check_start(count, tmp_path, "info", "xor")


@pytest.mark.proof
@posix
def test_ctrl_c_at_any_import_is_no_traceback(tmp_path: Path) -> None:
    count = 1
    while check_start(count, tmp_path, "train", "names-mlp", "--steps", "1"):
        count += max(1, 8 // int(os.environ.get("TINYNETS_PROOF", "1")))
    assert count > 200
