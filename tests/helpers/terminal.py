"""The lab in a real pseudo-terminal: started as a person starts it, its keys typed, its screen read off an emulator."""

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
    """A command in a pseudo-terminal of its own, and the bytes that it writes there."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        size: tuple[int, int] = (160, 48),
        prepare: Callable[[], object] = lambda: None,
        **environment: str,
    ) -> None:
        """`prepare` is done in the new process before it becomes the command."""
        self.mark = uuid.uuid4().hex
        self.fd, inside = pty.openpty()
        self.modes = termios.tcgetattr(self.fd)
        """Of the terminal, as the command finds it."""
        self._resize(size)

        def begin() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # as a terminal does: closing it is a hang-up
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
        """What has been written, waiting at most so long for it to begin; nothing when the terminal has closed."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        with suppress(OSError):
            return os.read(self.fd, 1 << 16)
        return b""

    def send(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def close_terminal(self) -> None:
        """What closing the window does."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def end(self) -> None:
        """Leave nothing behind, however the test went."""
        self.close_terminal()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pid in processes(self.mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Terminal(Pty):
    """The same, with an emulator that knows what stands on the screen."""

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
        self._resize((columns, lines))  # tells the app as well

    def _listen(self) -> None:
        """Take in what has been written since, all of it, as looking at the screen costs more than writing there."""
        found = self.read(0.05)
        while len(found) < 1 << 18 and (more := self.read(0)):
            found += more
        self.written += found
        self._stream.feed(found)

    def listen_to_the_end(self) -> None:
        """Take in all that is still written, until nobody has the terminal open for that."""
        end = monotonic() + PATIENCE
        while True:
            assert monotonic() < end, "something still has the terminal open"
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    found = os.read(self.fd, 1 << 16)
                except OSError:  # Linux says so of a terminal that has no other end any more
                    return
                if not found:
                    return
                self.written += found
                self._stream.feed(found)

    def until(self, *wanted: str | Callable[[str], object]) -> str:
        """Read on until all of this stands on the screen, or holds of its text; returns the text."""
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
        """Type, and wait for what that brings."""
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
    """An environment in which everything that is written lands in `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "TEXTUAL", "TINYNETS"))}
    for name in ("NO_COLOR", "TMUX", "COLUMNS", "LINES"):
        kept.pop(name, None)
    paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "CONFIG", "CACHE", "STATE")}
    return kept | folders | {"HOME": str(home), "PYTHONPATH": os.pathsep.join(paths), "LC_ALL": "C.UTF-8"}


def processes(mark: str, word: str = "") -> list[int]:
    """Living processes with this mark in their environment, and a word in their command line. Needs /proc."""
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
