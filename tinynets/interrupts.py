"""Holds signals back while a moment is incomplete, and handles them when it is whole.

A signal handler in Python (the one that turns ctrl+c into KeyboardInterrupt, or a caller's own) may raise between any
two instructions: say, between the update of the parameters and the count of the step. So long work is done piece by
piece with such signals `held` (jobs.py); after each piece, those that came meanwhile are handled. A piece is at most
one step, or one save.
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

try:  # `signal` wraps this module to return enums, which is twenty times slower
    _raw = import_module("_signal")
except ImportError:  # only CPython has it
    _raw = signal

_own: dict[int, Callable[[int, FrameType | None], Any]] = {}
"""The handlers that `_note` replaces."""
_noted: list[int] = []
_depth = 0


def _note(number: int, frame: FrameType | None) -> None:
    if _depth:
        _noted.append(number)
    else:  # left over from an interrupt while handlers were being restored
        _own[number](number, frame)


class held:  # noqa: N801 - used like a function
    """Notes signals that come inside; their handlers run at the end of the outermost `held`, or of a `taking` one.

    Python handles signals only in the main thread: in other threads this does nothing.
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
        _depth += 1  # last: before this line we have not entered, and `_note` lets signals through

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
    """Call the handlers of noted signals; if one raises, the other noted signals are dropped."""
    while _noted:
        number = _noted.pop(0)
        handler = _own.get(number) or _raw.getsignal(number)
        if callable(handler):
            try:
                handler(number, None)
            except BaseException:
                _noted.clear()
                raise
