"""Ends of the lab from outside: signals, a terminal that goes away, closed streams, ctrl+c during the start."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

if sys.platform == "win32":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)

import termios

import terminal as terminals
from interrupting import interrupted_at
from patience import PATIENCE
from terminal import REPOSITORY, Terminal, engine_of, until_gone

import tinynets as tn
from tinynets.storage.recovery import RecoverableJournal, recoverable

pytestmark = pytest.mark.proof  # about two seconds each: CI runs them after the other tests

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
SWITCHED_ON = re.compile(rb"\x1b\[\?([\d;]+)h")
SWITCHED_OFF = re.compile(rb"\x1b\[\?([\d;]+)l")
FROM_THE_START = {7, 25}
"""The modes that a terminal has on by default: lines wrap, the cursor is visible."""


@contextmanager
def lab(*arguments: str, cwd: Path, **others: Any) -> Iterator[Terminal]:
    found = Terminal(*arguments, cwd=cwd, TINYNETS_STATE=str(cwd / "state"), **others)
    try:
        yield found
    finally:
        found.end()


def left(cwd: Path) -> list[RecoverableJournal]:
    return recoverable(cwd / "state" / "journals")


def modes(written: bytes) -> set[int]:
    """The modes of a terminal after all this was written to it."""
    on = set(FROM_THE_START)
    for found in re.finditer(rb"\x1b\[\?([\d;]+)([hl])", written):
        for mode in map(int, found[1].split(b";")):
            (on.add if found[2] == b"h" else on.discard)(mode)
    return on


def as_it_was_found(terminal: Terminal) -> bool:
    """Whether the terminal is as it was before the lab, once the lab has ended."""
    terminal.listen_to_the_end()
    assert modes(bytes(terminal.written)) == FROM_THE_START
    assert terminal.written.count(b"\x1b[>") == terminal.written.count(b"\x1b[<u") or b"\x1b[<u" in terminal.written
    return termios.tcgetattr(terminal.fd) == terminal.modes


def steps(text: str) -> int:
    found = re.search(r"step ([\d,]+)", text.splitlines()[0])
    return int(found[1].replace(",", "")) if found else -1


def to_work(terminal: Terminal, cwd: Path) -> None:
    """Start a run, and wait until its journal has steps."""
    terminal.until("step 0", "? help")
    terminal.press(" ", "running", lambda text: steps(text) > 0 and list((cwd / "state").glob("journals/*.journal")))


STATES = {"at rest": "", "running": " ", "with help open": "?", "with a line typed": ":zero hid", "asked to quit": "q"}


@needs_proc
@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("SIGTERM", "running"),
        ("SIGHUP", "running"),
        ("SIGINT", "at rest"),
        ("SIGTERM", "with help open"),
        ("SIGHUP", "with a line typed"),
        ("SIGTERM", "asked to quit"),
    ],
)
def test_a_signal_ends_the_lab_with_the_terminal_as_it_was_and_the_journal_kept(
    tmp_path: Path, name: str, state: str
) -> None:
    number = getattr(signal, name)
    with lab("xor", cwd=tmp_path) as terminal:
        terminal.until("step 0", "? help")
        terminal.press("s", "step 1 ", "unsaved")
        words = {"running": "running", "with help open": "Going back", "with a line typed": "zero hid"}
        terminal.press(STATES[state], words.get(state, "has not been saved" if state == "asked to quit" else "step 1"))
        assert modes(bytes(terminal.written)) > {1000, 1049, 2004}
        terminal.process.send_signal(number)
        assert terminal.status() == 128 + number
        assert as_it_was_found(terminal)
        until_gone(terminal)
        word = "stopped" if number == signal.SIGINT else f"stopped by {name}"
        last = bytes(terminal.written).split(b"\x1b")[-1].decode()
        assert f"tinynets-lab: {word}; `tinynets recover` has what was not saved" in last
        assert "Traceback" not in last
    (entry,) = left(tmp_path)
    assert entry.step >= 1
    found = tn.Lab(entry.file)
    straight = tn.Lab("xor")
    straight.run(found.end)
    found.seek(found.end)
    assert found.state.digest() == straight.state.digest()


@needs_proc
def test_the_whole_group_can_be_told_to_end(tmp_path: Path) -> None:
    with lab("xor", cwd=tmp_path) as terminal:
        to_work(terminal, tmp_path)
        os.killpg(terminal.process.pid, signal.SIGTERM)
        assert terminal.status() == 128 + signal.SIGTERM
        assert as_it_was_found(terminal)
        until_gone(terminal)
    assert left(tmp_path)[0].step > 0


@needs_proc
def test_a_terminal_that_takes_nothing_any_more_does_not_keep_the_lab(tmp_path: Path) -> None:
    with lab("xor", cwd=tmp_path) as terminal:
        to_work(terminal, tmp_path)
        ended = False
        while not ended:  # nobody reads what it draws
            terminal.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                terminal.process.wait(0.1)
                ended = True
        assert terminal.process.returncode == 128 + signal.SIGTERM
        assert termios.tcgetattr(terminal.fd) == terminal.modes
        until_gone(terminal)
    assert left(tmp_path)[0].step > 0


def no_hang_up() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@needs_proc
@pytest.mark.parametrize("state", ["running", "at rest"])
def test_a_terminal_that_is_gone_ends_a_lab_that_ignores_hang_ups(tmp_path: Path, state: str) -> None:
    with lab("xor", cwd=tmp_path, prepare=no_hang_up) as terminal:
        to_work(terminal, tmp_path)
        if state == "at rest":
            terminal.press(" ", "paused")
        terminal.process.send_signal(signal.SIGHUP)  # this one is ignored
        terminal.press("?", "Going back")
        terminal.close_terminal()
        assert terminal.process.wait(PATIENCE) == 128 + signal.SIGHUP
        until_gone(terminal)
    assert left(tmp_path)[0].step > 0


@needs_proc
def test_a_terminal_that_is_gone_ends_a_lab_that_is_of_another_session(tmp_path: Path) -> None:
    with lab("xor", cwd=tmp_path, prepare=leave_the_session) as terminal:
        to_work(terminal, tmp_path)
        terminal.close_terminal()
        assert terminal.process.wait(PATIENCE) == 128 + signal.SIGHUP
        until_gone(terminal)
    assert left(tmp_path)[0].step > 0


def leave_the_session() -> None:
    """Leave the terminal's session as `setsid` does, so that the terminal sends this process no signals."""
    import fcntl

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    fcntl.ioctl(0, termios.TIOCNOTTY, 0)


# -- streams


@needs_proc
def test_a_lab_without_stderr_draws_on_stdout(tmp_path: Path) -> None:
    with lab("xor", cwd=tmp_path, prepare=lambda: os.close(2)) as terminal:
        terminal.until("step 0", "1 Network", "? help")
        terminal.press("s", "step 1: loss")
        engine_of(terminal)
        terminal.press("q", "has not been saved")
        terminal.send("q")
        assert terminal.status() == 0
        assert as_it_was_found(terminal)


@pytest.mark.parametrize("closed", [0, 1])
def test_a_lab_without_input_or_output_says_that_it_needs_a_terminal(tmp_path: Path, closed: int) -> None:
    with lab("xor", cwd=tmp_path, prepare=lambda: os.close(closed)) as terminal:
        assert terminal.status() == 2
        assert as_it_was_found(terminal)
        assert terminal.written.decode().splitlines() == [
            "tinynets-lab: needs a terminal; `tinynets --help` shows what works without one"
        ]


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("nowhere",), ("xor",)])
@pytest.mark.parametrize("redirected", ["<&- >&- 2>&-", "> /dev/full", "2> /dev/full", "2>&-"])
def test_no_stream_makes_a_traceback(tmp_path: Path, arguments: tuple[str, ...], redirected: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {redirected}', "sh", sys.executable, "-m", "tui", *arguments],
        capture_output=True,
        env=terminals.surroundings(tmp_path),
        text=True,
        timeout=PATIENCE,
    )
    shown = arguments[0].startswith("--")
    assert done.returncode == ((1 if redirected == "> /dev/full" else 0) if shown else 2)
    assert len(done.stderr.splitlines()) <= 1


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_lab_is_drawn_in_letters_that_the_terminal_has(tmp_path: Path, encoding: str) -> None:
    with lab("xor", cwd=tmp_path, PYTHONIOENCODING=encoding) as terminal:
        terminal.until("step 0", "1 Network", "? help")
        terminal.press("s", "step 1: loss")
        assert "\\u" not in terminal.text
        terminal.process.terminate()
        assert terminal.status() == 128 + signal.SIGTERM


# -- while it starts


def check_start(tmp_path: Path, count: int) -> bool:
    """Press ctrl+c at an import of the lab or of its engine; returns whether the lab was still starting."""
    path = interrupted_at(count, tmp_path, str(REPOSITORY))
    with lab("xor", cwd=tmp_path, **path) as terminal:
        shown = False
        while terminal.process.poll() is None:
            terminal._listen()
            if not shown and "? help" in terminal.text:
                shown = True
                terminal.process.terminate()
        status = terminal.status()
        # Once the lab is shown, both ctrl+c at a later import and this signal may come: the first one ends it.
        ends = {128 + signal.SIGINT, 128 + signal.SIGTERM} if shown else {128 + signal.SIGINT}
        assert status in ends, (count, terminal.text)
        assert as_it_was_found(terminal)
        assert b"Traceback" not in terminal.written, (count, bytes(terminal.written))
        assert b"Exception" not in terminal.written, (count, bytes(terminal.written))
        until_gone(terminal)
    return not shown


@needs_proc
@pytest.mark.parametrize("count", [1, 5, 20, 60, 120, 250, 400])
def test_ctrl_c_while_the_lab_starts_is_no_traceback(tmp_path: Path, count: int) -> None:
    check_start(tmp_path, count)


@pytest.mark.proof
@needs_proc
def test_ctrl_c_at_any_import_of_the_lab_is_no_traceback(tmp_path: Path) -> None:
    count, later = 1, 0
    while later < 3:
        later = 0 if check_start(tmp_path, count) else later + 1
        count += max(1, 16 // int(os.environ.get("TINYNETS_PROOF", "1")))
    assert count > 300
