"""Runs the lab in a real pseudo-terminal: starts it as a user would, types keys, reads the screen of an emulator."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pyte
from patience import PATIENCE, until

REPOSITORY = Path(__file__).resolve().parents[2]
MARK = "TINYNETS_STARTED_BY"


class Pty:
    """A command in its own pseudo-terminal, and the bytes that it writes there."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        size: tuple[int, int] = (160, 48),
        prepare: Callable[[], object] = lambda: None,
        **environment: str,
    ) -> None:
        """Start a command; `prepare` is called in the new process before it becomes the command."""
        self.mark = uuid.uuid4().hex
        self.fd, inside = pty.openpty()
        self.modes = termios.tcgetattr(self.fd)
        """The settings of the terminal before the command starts."""
        self._resize(size)

        def begin() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # as in a real terminal, closing it is a hang-up
            prepare()

        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui", *arguments],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            cwd=cwd,
            env=surroundings(cwd) | {"TERM": "xterm-256color", "COLORTERM": "truecolor", MARK: self.mark} | environment,
            start_new_session=True,
            preexec_fn=begin,
        )
        os.close(inside)

    def _resize(self, size: tuple[int, int]) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def read(self, seconds: float) -> bytes:
        """What the command has written, waiting at most `seconds` for it to begin; empty if the terminal is closed."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        with suppress(OSError):
            return os.read(self.fd, 1 << 16)
        return b""

    def send(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def close_terminal(self) -> None:
        """Do what closing the window does."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def end(self) -> None:
        """End the command and close the terminal, however the test went."""
        self.close_terminal()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pid in processes(self.mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Terminal(Pty):
    """A pseudo-terminal with an emulator that knows what is on the screen."""

    def __init__(self, *arguments: str, cwd: Path, size: tuple[int, int] = (120, 36), **others: Any) -> None:
        super().__init__(*arguments, cwd=cwd, size=size, **others)
        self.written = bytearray()
        """All that the command has written."""
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)
        self._resize((columns, lines))  # this tells the app too

    def _listen(self) -> None:
        """Read all that has been written since; at once, as the screen takes longer to read than to write."""
        found = self.read(0.05)
        while len(found) < 1 << 18 and (more := self.read(0)):
            found += more
        self.written += found
        self._stream.feed(found)

    def listen_to_the_end(self) -> None:
        """Read all that is still written, until nobody has the terminal open for writing."""
        end = monotonic() + PATIENCE
        while True:
            assert monotonic() < end, "something still has the terminal open"
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    found = os.read(self.fd, 1 << 16)
                except OSError:  # Linux raises this for a terminal whose other end is closed
                    return
                if not found:
                    return
                self.written += found
                self._stream.feed(found)

    def until(self, *wanted: str | Callable[[str], object]) -> str:
        """Read on until all of `wanted` is on the screen, or true of its text; returns the text."""
        end = monotonic() + PATIENCE
        while not self._shows(wanted):
            assert monotonic() < end, f"{wanted} not on the screen in {PATIENCE:g} s:\n{self.text}"
            if self.process.poll() is None:
                self._listen()
            else:
                self.listen_to_the_end()
                assert self._shows(wanted), f"ended without {wanted} on the screen:\n{self.text}"
        return self.text

    def _shows(self, wanted: tuple[str | Callable[[str], object], ...]) -> bool:
        text = self.text
        return all(want in text if isinstance(want, str) else want(text) for want in wanted)

    def press(self, keys: str, *wanted: str | Callable[[str], object]) -> str:
        """Type keys, and wait for their effect."""
        self.send(keys)
        return self.until(*wanted)

    def status(self) -> int:
        """The exit status, once the app has ended."""
        end = monotonic() + PATIENCE
        while self.process.poll() is None:
            assert monotonic() < end, f"still there after {PATIENCE:g} s:\n{self.text}"
            self._listen()
        return self.process.returncode


def surroundings(home: Path) -> dict[str, str]:
    """An environment in which all files are written to `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "TEXTUAL", "TINYNETS"))}
    for name in ("NO_COLOR", "TMUX", "COLUMNS", "LINES"):
        kept.pop(name, None)
    paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "CONFIG", "CACHE", "STATE")}
    return kept | folders | {"HOME": str(home), "PYTHONPATH": os.pathsep.join(paths), "LC_ALL": "C.UTF-8"}


def processes(mark: str, word: str = "") -> list[int]:
    """Running processes with this mark in their environment and a word in their command line. Needs /proc."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            marked = f"{MARK}={mark}".encode() in (folder / "environ").read_bytes()
            if marked and word.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def engine_of(terminal: Pty) -> int:
    """The engine's process."""
    (pid,) = processes(terminal.mark, "spawn_main")
    return pid


def until_gone(terminal: Pty) -> None:
    """Wait until every process that the lab started has ended."""
    until(lambda: (terminal.process.poll(), not processes(terminal.mark))[1])
