"""Jobs: long work as generators that can be watched and cancelled.

A job works in pieces and yields Progress between them. Closing it cancels it and leaves the run at a whole moment.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from tinynets.interrupts import held, take

Result = TypeVar("Result")
Lock = AbstractContextManager[Any]

NO_LOCK: Lock = nullcontext()


@dataclass(frozen=True)
class Progress:
    """How far a piece of long work has come; `total` is None where it has no end."""

    done: int
    total: int | None
    what: str


Job = Generator[Progress, None, Result]
"""Work that reports its progress, can be closed early, and returns a result."""

Work = Job[None]
"""The same without a result."""


def between_pieces(job: Job[Result], lock: Lock) -> Job[Result]:
    """The same job, with signals handled only between its pieces; what one raises ends it at a whole moment.

    `lock` is held during a piece, so that another thread that takes it finds a whole moment too.
    """
    ended = False
    try:
        while True:
            try:
                with held(taking=True), lock:
                    progress = next(job)
            except StopIteration as stop:
                ended = True
                result: Result = stop.value
                return result
            yield progress
    finally:
        if not ended:
            with held(), lock:
                job.close()


def run_to_end(job: Job[Result], lock: Lock = NO_LOCK) -> Result:
    """Do a job and return its result; signals are handled between its pieces, and the lock is held during each."""
    with held():
        try:
            while True:
                with lock:
                    next(job)
                take()
        except StopIteration as stop:
            result: Result = stop.value
            return result
        except BaseException:
            with lock:
                job.close()
            raise


def at_once(call: Callable[..., Result], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Job[Result]:
    """A plain call as a job of one piece."""
    yield from ()
    return call(*args, **kwargs)
