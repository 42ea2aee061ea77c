"""The command line: the API's verbs, with completion, history and a hint at what comes next."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input
from textual.widgets.input import Selection

from tui.model.completion import usage
from tui.render.drawing import clip_words
from tui.render.plain_text import Typed

COMMAND_HINT = "type a verb: zero hidden[3], lr 0.01, seek 200; tab completes, escape closes"

TYPING_HINT = "tab completes"
"""Said before the candidates, while the verb itself is still being typed."""


class CommandLine(Input):
    """Hidden until `:`; enter runs a line, tab completes it, arrows go through earlier lines, escape closes."""

    BINDINGS: ClassVar = [
        Binding("up", "older", show=False),
        Binding("down", "newer", show=False),
    ]

    class Entered(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Edited(Message):
        """The line has changed; `grown`: letters were added."""

        def __init__(self, text: str, grown: bool) -> None:
            super().__init__()
            self.text, self.grown = text, grown

    def __init__(self, complete: Callable[[str], list[str]], left: Callable[[], None] = lambda: None) -> None:
        """`complete` gives the completions of a text; `left` is called as soon as a line is entered."""
        hint = "zero hidden[3] · lr 0.01 · seek 200 · tab completes · esc closes"
        super().__init__(id="command", placeholder=hint, highlighter=Typed(), select_on_focus=False)
        self.cursor_blink = False
        self._complete, self._left = complete, left
        self._history: list[str] = []
        self._at = 0
        self._offers: list[str] = []
        self._told = ""
        """The text that was last told of."""

    def open(self, text: str = "", asked: int = 0) -> None:
        """Open with a text whose last `asked` letters are selected, so that typing replaces them."""
        self.value = text
        self.selection = Selection(len(text) - asked, len(text))
        self._at = len(self._history)
        self._told = text
        self.display = True
        self.screen.set_focus(self)  # at once: after `focus` the panes would still get the next keys

    def fill(self, text: str, value: str) -> None:
        """Put a value behind the text, if that still stands; it is selected, so that typing replaces it."""
        if self.value == text:
            self.value = self._told = text + value
            self.selection = Selection(len(text), len(self.value))

    def close(self) -> None:
        self.display = False

    def complete(self) -> None:
        """Fill in the next completion; called again, the one after it."""
        if self.value in self._offers:
            at = (self._offers.index(self.value) + 1) % len(self._offers)
        else:
            self._offers, at = self._complete(self.value), 0
        if self._offers:
            self.value = self._offers[at]
            self.cursor_position = len(self.value)
        if len(self._offers) == 1:
            self._offers = []  # then tab completes what comes after it

    async def _on_key(self, event: events.Key) -> None:
        """Take a letter, and enter at once: its binding is reached behind the keys that are on their way here.

        Those are given back once the line is left.
        """
        if self.display and event.key != "enter":
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        if self.display:
            await self.action_submit()
        else:
            self.app.post_message(events.Key(event.key, event.character))

    async def action_submit(self) -> None:
        """Enter the line, and leave it at once: the next keys are meant for the lab."""
        text = self.value.strip()
        if text and text not in self._history[-1:]:
            self._history.append(text)
        self.post_message(self.Entered(text))
        self._left()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display and self.value == event.value != self._told:
            before, self._told = self._told, self.value
            self.post_message(self.Edited(self.value, len(self.value) > len(before)))

    def action_older(self) -> None:
        self._recall(-1)

    def action_newer(self) -> None:
        self._recall(1)

    def _recall(self, by: int) -> None:
        self._at = max(0, min(len(self._history), self._at + by))
        self.value = self._history[self._at] if self._at < len(self._history) else ""
        self.cursor_position = len(self.value)


def offers(lines: list[str]) -> list[str]:
    """The last word of each line that the typed one can be completed to."""
    return [line.rstrip().rpartition(" ")[2] if " " in line.rstrip() else line.strip() for line in lines]


def hint(text: str, room: int) -> str:
    """What the status line says while a command is typed, in at most `room` letters."""
    begun = TYPING_HINT if text.strip() else COMMAND_HINT
    return clip_words(usage(text) or begun, room)
