"""The app's connection to the engine: commands to await, the latest frame, and notice when the process is gone."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from tinynets.server.frame import Frame, View

JOURNAL = 10
"""How many times longer we wait for an engine to end if its work is to be kept."""


class Pipe(Protocol):
    """The part of `multiprocessing.connection.Connection` that we use."""

    def send(self, obj: Any, /) -> None: ...
    def recv(self) -> Any: ...
    def close(self) -> None: ...


class Process(Protocol):
    """The part of a `multiprocessing` process that we use."""

    @property
    def exitcode(self) -> int | None: ...
    def join(self, timeout: float | None = None) -> None: ...
    def is_alive(self) -> bool: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Spawned(Protocol):
    """What `tinynets.server.process.spawn` returns."""

    @property
    def process(self) -> Process: ...
    @property
    def connection(self) -> Pipe: ...


class EngineError(Exception):
    """A command that the engine refused or could not carry out; `kind` is the class name of the engine's error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


class Listener(Protocol):
    """Callbacks for what the engine reports; all are called in the app's own thread."""

    def frame(self, frame: Frame) -> None: ...
    def progress(self, done: int, total: int | None, what: str) -> None: ...
    def said(self, message: str, severity: str) -> None: ...
    def failed(self, kind: str, message: str) -> None: ...
    def died(self, exitcode: int | None) -> None: ...


class Client:
    """One engine, as the app sees it."""

    def __init__(self, spawned: Spawned, listener: Listener) -> None:
        self._process, self._connection = spawned.process, spawned.connection
        self._listener = listener
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._sending = threading.Lock()
        self._loop = asyncio.get_running_loop()
        # Textual keeps its app in a context variable, which the reader thread lacks.
        self._context = contextvars.copy_context()
        self._closing = False
        self._dropped: set[int] = set()
        self.alive = True
        self._reader = threading.Thread(target=self._read, name="engine-reader", daemon=True)
        self._reader.start()

    @property
    def busy(self) -> bool:
        """Whether a command was sent and is still unanswered."""
        return bool(self._waiting)

    async def call(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        """Send a command and wait for its result; raises EngineError."""
        if not self.alive:
            raise EngineError("EngineDied", "the engine is not running")
        number = next(self._numbers)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[number] = future
        self._send(("call", number, verb, args, kwargs))
        try:
            return await future
        finally:
            self._waiting.pop(number, None)

    def look(self, view: View) -> None:
        """Tell the engine what the user is looking at."""
        self._send(("view", view))

    def acknowledge(self, number: int) -> None:
        """Tell the engine that a frame was drawn, so that it may send the next."""
        self._send(("ack", number))

    def cancel(self) -> None:
        """Stop the command that is running, and drop those that wait behind it."""
        self._dropped = set(self._waiting)
        self._send(("cancel",))

    def close(self, patience: float = 0.5, *, quit_for_good: bool = False) -> None:
        """End the engine: ask it first, then terminate it, then kill it.

        Unsaved work is dropped if the user has `quit`; otherwise the engine gets longer, to finish its journal.
        """
        self._closing = True
        self._send(("quit" if quit_for_good else "leave",))
        self._process.join(patience if quit_for_good else JOURNAL * patience)
        for end in (self._process.terminate, self._process.kill):
            if not self._process.is_alive():
                break
            end()
            self._process.join(patience)
        with contextlib.suppress(OSError):
            self._connection.close()

    def _send(self, message: tuple[Any, ...]) -> None:
        # The reader thread notices a dead pipe too, and tells the app once.
        with self._sending, contextlib.suppress(OSError, ValueError):
            self._connection.send(message)

    def _read(self) -> None:
        """Pass everything on to the app's thread until the pipe ends; runs in a thread of its own."""
        while True:
            try:
                message = self._connection.recv()
            except Exception:
                # EOFError and OSError: the engine ended. Anything else: it was killed in the middle of a message.
                self._hand_over(self._ended)
                return
            self._hand_over(self._receive, message)

    def _hand_over(self, callback: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the app's loop is closed: nobody is listening any more
            self._loop.call_soon_threadsafe(callback, *args, context=self._context)

    def _ended(self) -> None:
        if not self.alive:
            return
        self.alive = False
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(EngineError("EngineDied", "the engine ended before it answered"))
        if not self._closing:
            self._process.join(0.2)
            self._listener.died(self._process.exitcode)

    def _receive(self, message: tuple[Any, ...]) -> None:
        if self._closing:
            return
        match message:
            case ("frame", Frame() as frame):
                self._listener.frame(frame)
            case ("result", int(number), value):
                self._answer(number, value, None)
            case ("error", 0, str(kind), str(text)):
                self._listener.failed(kind, text)
            case ("error", int(number), str(kind), str(text)):
                self._answer(number, None, EngineError(kind, text))
                if kind == "Cancelled":
                    self._drop(EngineError(kind, text))
            case ("progress", _, progress):
                self._listener.progress(progress.done, progress.total, progress.what)
            case ("said", str(text), str(severity)):
                self._listener.said(text, severity)

    def _drop(self, error: EngineError) -> None:
        """Fail the commands that waited behind a cancelled one; the engine never answers them."""
        for number in self._dropped:
            self._answer(number, None, error)
        self._dropped = set()

    def _answer(self, number: int, value: Any, error: EngineError | None) -> None:
        future = self._waiting.get(number)
        if future is None or future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
