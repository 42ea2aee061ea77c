"""Signals that end a process: ctrl+c, SIGTERM, and SIGHUP, which a terminal sends when it closes.

While a command starts, they end it at once with one line: as an exception in the middle of an import they would end in
a traceback. While it works, they are noted, so that it can stop where nothing is half done. Signals ignored from the
start (nohup, a shell's background) stay ignored. The status is the shell's convention, 128 + the signal's number.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from types import FrameType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
AGAIN = 0.5
"""Seconds after which a second ctrl+c is from an impatient person, not the first one passed on by a parent."""


def end_at_once(command: str) -> None:
    """From now on a signal ends the process with one line; call it while nothing can be lost yet."""

    def end(number: int, frame: FrameType | None) -> None:
        leave(number, f"{command}: {stopped(number)}")

    for number in SIGNALS:
        take(number, end)


def take(number: int, handler: Callable[[int, FrameType | None], None] | Any) -> Any:
    """Handle a signal, unless it is ignored; returns the earlier handler. Only the main thread can do this."""
    before = signal.getsignal(number)
    if before is None or before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(number, handler)


def decided() -> None:
    """Ignore signals from now on: the command is done and its status known, and Python is about to end."""
    for number in SIGNALS:
        take(number, signal.SIG_IGN)


def leave(number: int, words: str) -> None:
    """End the process immediately, with a line on stderr."""
    write_now(2, f"{words}\n")
    os._exit(status_of(number))


def write_now(descriptor: int, text: str) -> None:
    """Write to a terminal only if it accepts text, since a blocked one would delay the end."""
    with suppress(OSError, ValueError):
        if os.name != "posix" or select.select([], [descriptor], [], 0)[1]:
            os.write(descriptor, text.encode("ascii", "backslashreplace"))


def status_of(number: int) -> int:
    """The exit status of a process that a signal ended."""
    return 128 + number


def stopped(number: int) -> str:
    """`stopped`, and by which signal unless it was ctrl+c."""
    return "stopped" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"


class Noted:
    """The first signal that has come, if any. An insisting one, some time after it, calls `at_once`."""

    def __init__(self, at_once: Callable[[int], None], insisting: Container[int] = (signal.SIGINT,)) -> None:
        self.number: int | None = None
        self._at_once, self._insisting, self._when = at_once, insisting, 0.0

    def note(self, number: int, frame: FrameType | None = None) -> None:
        if self.number is None:
            self.number, self._when = number, monotonic()
        elif number in self._insisting and monotonic() - self._when > AGAIN:
            self._at_once(number)


@contextmanager
def noted(at_once: Callable[[int], None]) -> Iterator[Noted]:
    """Inside this context, signals are noted instead of raised."""
    found = Noted(at_once)
    before = [(number, take(number, found.note)) for number in SIGNALS]
    try:
        yield found
    finally:
        for number, handler in before:
            if handler is not None:
                signal.signal(number, handler)


@contextmanager
def held_off() -> Iterator[None]:
    """Signals wait until this context ends; a process started in it begins with them held off."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_through() -> None:
    """Accept the signals that were held off when this process was started."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
