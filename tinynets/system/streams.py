"""Makes the standard streams of a command safe: closed, full, without some letters, or a pipe that nobody reads."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from tinynets.errors import CommandError
from tinynets.foreign_text import printable


def prepare() -> None:
    """Make the process's streams safe to write to, in whatever state they are.

    A closed stream becomes the null device, so that no file opened later gets its number and the text for the
    terminal. Letters that an encoding lacks are written as Python escapes (`\\u2588`). Text that cannot be written to
    stderr is dropped, since a message must never cost the work that it reports.
    """
    for number in range(3):
        _occupy(number)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            if os.name == "posix":  # the descriptor stays open when this object goes
                made = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            else:
                made = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - as long as the process
            setattr(sys, name, made)
            setattr(sys, f"__{name}__", made)
    if os.name == "posix":
        with suppress(OSError, ValueError):
            sys.stderr = sys.__stderr__ = unfailing(sys.stderr)  # type: ignore[misc]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdout, io.TextIOWrapper):  # argparse ignores write errors, `finish` does not
        sys.stdout.reconfigure(write_through=False)


def _occupy(number: int) -> None:
    """Open the null device at a closed descriptor; the lower ones are open, so it gets exactly this one."""
    if os.name != "posix":
        return
    try:
        os.fstat(number)
    except OSError:
        with suppress(OSError):
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


class _Unfailing(io.FileIO):
    """A file whose writes always succeed, even if it is full, closed at the other end, or a terminal that is gone."""

    def write(self, data: Any) -> int:
        try:
            written = super().write(data)
        except OSError:
            written = None
        return memoryview(data).nbytes if written is None else written


def unfailing(stream: TextIO, errors: str = "backslashreplace") -> io.TextIOWrapper:
    """Another stream to the same file, which drops text that cannot be written."""
    raw = _Unfailing(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=stream.encoding, errors=errors, line_buffering=True)


def speaks(stream: TextIO, letters: str) -> bool:
    """Whether a stream's encoding has these letters."""
    try:
        letters.encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def put(text: str) -> None:
    """Print a whole result.

    Raises BrokenPipeError if nobody reads it any more, CommandError if it cannot be written.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(_unwritten(error)) from None


def _unwritten(error: OSError) -> str:
    return f"the output cannot be written: {(error.strerror or str(error)).lower()}"


def say(text: str, command: str = "tinynets") -> None:
    """Print a message to the person, separate from the results."""
    with suppress(OSError, ValueError):
        print(f"{command}: {printable(text)}", file=sys.stderr)


def finish(status: int, command: str = "tinynets") -> int:
    """Flush stdout; returns the status to end with, 1 if that failed."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = status or 1
        _lead_nowhere()
    except OSError as error:
        if not status:
            say(_unwritten(error), command)
        status = status or 1
        _lead_nowhere()
    return status


def _lead_nowhere() -> None:
    """Redirect stdout to the null device, since Python's flush at the end would fail again with its own message."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
