"""The standard streams of a command, however it was started: closed, full, narrow, or a pipe that nobody reads."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from tinynets.errors import CommandError
from tinynets.foreign_text import printable


def prepare() -> None:
    """Make the process's streams safe to write to, whatever they are.

    What was closed leads nowhere, so that no file that is opened later takes its number and gets what was meant for
    the terminal. Letters that an encoding lacks are written as Python writes them (`\\u2588`), and what cannot be
    written to stderr is dropped: a word to the person is never worth the work that it tells of.
    """
    for number in range(3):
        _occupy(number)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            if os.name == "posix":  # the descriptor stays open, whatever becomes of this object
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
    if isinstance(sys.stdout, io.TextIOWrapper):  # argparse passes over what cannot be written, `finish` does not
        sys.stdout.reconfigure(write_through=False)


def _occupy(number: int) -> None:
    """Open the null device at a descriptor that is closed; the lower ones are open, so that it gets this very one."""
    if os.name != "posix":
        return
    try:
        os.fstat(number)
    except OSError:
        with suppress(OSError):
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


class _Unfailing(io.FileIO):
    """A file whose writes succeed, were it full, closed at the other end, or a terminal that is gone."""

    def write(self, data: Any) -> int:
        try:
            written = super().write(data)
        except OSError:
            written = None
        return memoryview(data).nbytes if written is None else written


def unfailing(stream: TextIO, errors: str = "backslashreplace") -> io.TextIOWrapper:
    """Another stream to the same file, which drops what cannot be written there."""
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
    """Print a result, to its last byte.

    Raises BrokenPipeError where nobody reads it any more, CommandError where it cannot be written.
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
    """A word to the person, beside the results."""
    with suppress(OSError, ValueError):
        print(f"{command}: {printable(text)}", file=sys.stderr)


def finish(status: int, command: str = "tinynets") -> int:
    """Write what is left for stdout; the status to end with, 1 where it came to nothing."""
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
    """What Python flushes as it ends would fail again, and say so in a way of its own."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
