"""The terminal driver: a signal, or a terminal that goes away, ends the lab cleanly.

On SIGTERM and SIGHUP, Textual's own driver dies and leaves the terminal raw and on the alternate screen; when the
terminal is gone, it reads the end of input for ever. This driver closes the app as `q` would, and keeps the journal. If
the app does not answer, a second signal restores the terminal at once.
"""

from __future__ import annotations

import contextvars
import os
import re
import select
import signal
import sys
import termios
from codecs import getincrementaldecoder
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.messages import TerminalSupportsSynchronizedOutput

from tinynets.system import stopping, streams
from tui.cast import Cast

if TYPE_CHECKING:
    from textual.app import App  # only for its type

LOOK = 0.1  # seconds between checks whether to stop reading keys, as in Textual
ASK_BACKGROUND = "\x1b]11;?\x1b\\"
BACKGROUND = re.compile(r"\x1b\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)[^\x07\x1b]*(?:\x07|\x1b\\)")
BEGUN = re.compile(r"\x1b\]1?1?(?:;[^\x07\x1b]{0,40}\x1b?)?$")
"""A terminal's answer about its background, and the beginning of one at the end of what was read."""
AS_FOUND = (
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # mouse reports
    "\x1b[?2004l\x1b[?2048l\x1b[?1004l\x1b[<u\x1b[?2026l"  # paste, sizes, focus, full key codes, synchronized output
    "\x1b[?7h\x1b[?1049l\x1b[?25h"  # line wrap, the main screen, the cursor
)


SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
BELOW = 7
"""So many lines at the bottom tell of the moment: the timeline with its branches, the status, the keys."""
LINE = re.compile(r"(?=\x1b\[(\d+);\d+H)")
"""Where a line of an update begins, which goes to the place that it is drawn at."""


def outer_lines_first(update: str) -> str:
    """An update with the first line of the screen first, the last ones from below upwards, and then the others.

    The header and the timeline, which tell of the same moment, are then together at its beginning: where a terminal
    draws what it has read of an update without waiting for its end, they still agree.
    """
    pieces = LINE.split(update)
    head, rows = pieces[0], [(int(pieces[at]), pieces[at + 1]) for at in range(1, len(pieces) - 1, 2)]
    if len(rows) < 2:
        return update
    rows, cursor = rows[:-1], rows[-1][1]  # the last goes to where the cursor rests, and draws nothing
    height = max(row for row, _ in rows)

    def rank(row: int) -> int:
        return -1 if row == 1 else height - row if row > height - BELOW else BELOW + row

    rows.sort(key=lambda entry: rank(entry[0]))
    return "".join([head, *(text for _, text in rows), cursor])


class LabDriver(LinuxDriver):
    """Tells the app to end in cases where Textual's driver would not."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._screen = self._file = streams.unfailing(screen(), "replace")
        self.cast: Cast | None = None
        """The recording that goes on."""
        self._before: list[tuple[int, Any]] = []
        self._update: list[str] | None = None
        """What was written so far of the update that is being written."""
        self._noted = stopping.Noted(self._at_once, stopping.SIGNALS)
        # Textual keeps its app in a context variable, which signal handlers and threads lack.
        self._context = contextvars.copy_context()

    # -- output

    def write(self, data: str) -> None:
        """Write data; an update of the screen is held until it is whole, and written at once."""
        if data == SYNC_START:
            self._update = []
        elif self._update is None:
            self._write(data)
        elif data == SYNC_END:
            update, self._update = "".join(self._update), None
            self._write(f"{SYNC_START}{outer_lines_first(update)}{SYNC_END}")
        else:
            self._update.append(data)

    def _write(self, data: str) -> None:
        if self.cast is not None:
            self.cast.resize(*self._app.size)
            self.cast.output(data)
        super().write(data)

    def begin_cast(self, path: Path, title: str) -> None:
        """Record from now on what is written; first all that is on the screen."""
        cast = Cast(path, *self._app.size, title)
        shown = self._app.screen._compositor.render_full_update().render_segments(self._app.console)
        cast.output(f"\x1b[?25l\x1b[2J\x1b[H{shown}")
        self.cast = cast

    def end_cast(self) -> Cast | None:
        """End the recording, and return it."""
        cast, self.cast = self.cast, None
        if cast is not None:
            cast.close()
        return cast

    # -- signals

    def start_application_mode(self) -> None:
        if not self._before:
            self._before = [(number, stopping.take(number, self._signal)) for number in stopping.SIGNALS]
        super().start_application_mode()  # type: ignore[no-untyped-call]
        # Some terminals hold a picture until it is whole and do not say that they can; one that cannot skips the mode.
        self.process_message(TerminalSupportsSynchronizedOutput())

        if getattr(self._app, "follows_background", False):
            self.write(ASK_BACKGROUND)  # the answer, where there is one, comes with the keys
            self.flush()

    def close(self) -> None:
        self.end_cast()
        super().close()
        before, self._before = self._before, []
        for number, handler in before:
            if handler is not None:
                signal.signal(number, handler)

    def _signal(self, number: int, frame: Any) -> None:
        first = self._noted.number is None
        self._noted.note(number)
        if first:
            self._end_app(number)

    def _at_once(self, number: int) -> None:
        """Restore the terminal without the app, which does not answer. The engine notices that its pipe has closed."""
        self._restore()
        stopping.leave(number, f"tinynets-lab: {stopping.stopped(number)} at once")

    def _restore(self) -> None:
        with suppress(OSError, ValueError):
            stopping.write_now(self._screen.fileno(), AS_FOUND)
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)

    # -- input

    def run_input_thread(self) -> None:
        """Read keys until told to stop, or until the terminal is gone."""
        parser, decode = XTermParser(self._debug), getincrementaldecoder("utf-8")("replace").decode
        held = ""  # the beginning of an answer
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], LOOK)[0]:
                try:
                    read = os.read(self.fileno, 1 << 12)
                except OSError:  # raised if this process no longer owns its terminal
                    read = b""
                if not read:
                    self._end_app(signal.SIGHUP)
                    return
                text, held = self._without_answers(held + decode(read))
                # An enter that was typed before the terminal was made raw comes as a line feed.
                for event in parser.feed(text.replace("\n", "\r")) if text else ():  # nothing is not the end of input
                    self.process_message(event)
            elif held:  # the rest of it does not come: it was no answer
                for event in parser.feed(held):
                    self.process_message(event)
                held = ""
            for event in parser.tick():
                self.process_message(event)

    def _without_answers(self, text: str) -> tuple[str, str]:
        """What was typed, without a terminal's answer about its background; and the beginning of one, to be held."""
        found = BACKGROUND.search(text)
        if found:
            self._tell_background([int(part, 16) / (16 ** len(part) - 1) for part in found.groups()])
            text = text[: found.start()] + text[found.end() :]
        begun = BEGUN.search(text)
        return (text[: begun.start()], text[begun.start() :]) if begun else (text, "")

    def _tell_background(self, rgb: list[float]) -> None:
        dark = 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] < 0.5
        with suppress(RuntimeError):  # the loop has already ended
            self._loop.call_soon_threadsafe(self._app.found_background, dark, context=self._context)  # type: ignore[attr-defined]

    def _end_app(self, number: int) -> None:
        with suppress(RuntimeError):  # the loop has already ended
            self._loop.call_soon_threadsafe(self._app.exit, None, stopping.status_of(number), context=self._context)


def screen() -> TextIO:
    """The stream to draw on: stderr, as in Textual, or stdout if only that is a terminal."""
    error, out = sys.__stderr__, sys.__stdout__
    if error is not None and error.isatty():
        return error
    assert out is not None  # `tinynets-lab` made sure that stdout is a terminal
    return out
