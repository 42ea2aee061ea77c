"""Signals are noted while a moment is in the making, and taken when it is whole.

A handler that Python calls (the one that makes KeyboardInterrupt of ctrl+c, or a caller's own) may raise between any
two instructions: between the update of the parameters and the count of the step, say. So long work is done piece by
piece with such signals `held` (jobs.py); behind each piece those that came meanwhile get their own handlers. A step is
a piece at most, and so is one save.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from importlib import import_module
from types import FrameType
from typing import Any

NAMES = ("INT", "TERM", "HUP", "QUIT", "BREAK", "ALRM", "VTALRM", "PROF", "USR1", "USR2", "XCPU")
SIGNALS = tuple(getattr(signal, f"SIG{name}") for name in NAMES if hasattr(signal, f"SIG{name}"))

try:  # the module that `signal` wraps to give enums, which costs twenty times what it does itself
    _raw = import_module("_signal")
except ImportError:  # of CPython alone
    _raw = signal

_own: dict[int, Callable[[int, FrameType | None], Any]] = {}
"""The handlers in whose place `_note` stands."""
_noted: list[int] = []
_depth = 0


def _note(number: int, frame: FrameType | None) -> None:
    if _depth:
        _noted.append(number)
    else:  # left behind by an interrupt that came while handlers were put back
        _own[number](number, frame)


class held:  # noqa: N801 - used like a function
    """Signals that come within are noted; their handlers run at the end of the outermost `held`, or of a `taking` one.

    Python handles signals in the main thread alone: in other threads this does nothing.
    """

    def __init__(self, *, taking: bool = False) -> None:
        self.taking = taking

    def __enter__(self) -> None:
        global _depth
        self._main = threading.current_thread() is threading.main_thread()
        if not self._main:
            return
        if not _depth:
            for number in SIGNALS:
                handler = _raw.getsignal(number)
                if callable(handler) and handler is not _note:
                    _own[number] = handler
                    _raw.signal(number, _note)
        _depth += 1  # last: what raises before this has not entered, and `_note` lets it through

    def __exit__(self, *raised: object) -> None:
        global _depth
        if not self._main:
            return
        _depth -= 1
        if _depth:
            if self.taking:
                take()
            return
        try:
            while _own:
                number, handler = next(iter(_own.items()))
                if _raw.getsignal(number) is _note:
                    _raw.signal(number, handler)
                del _own[number]
        finally:
            take()


def take() -> None:
    """Call the handlers of what was noted; the first that raises ends it, and what was noted with it is done with."""
    while _noted:
        number = _noted.pop(0)
        handler = _own.get(number) or _raw.getsignal(number)
        if callable(handler):
            try:
                handler(number, None)
            except BaseException:
                _noted.clear()
                raise
