"""Draws a picture for the network with mouse or keys; what it answers is seen while one draws."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import numpy as np
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Static

from tinynets.server.frame import Floats
from tui.render import palette
from tui.render.drawing import clip, columns, line, padded_left, plain_bar, wrapped
from tui.render.pictures import extent, fitting, greys, picture
from tui.render.plain_text import plain
from tui.screens.modal import Modal
from tui.widgets.pane import Lines

GREYS = (0.0, 0.33, 0.67, 1.0)
"""Black, two greys and white, as the keys 0 to 3 paint them."""
KEYS = (
    "mouse: drag paints, right button erases",
    "arrows move, space: next grey, 0 to 3: a grey, c clears",
)
WIDE = 26
"""The width of the answers."""


class Canvas(Lines, can_focus=True):
    """The pixels, with a cursor; dragging the mouse paints, with the right button it erases."""

    class Painted(Message):
        """A pixel has changed."""

    def __init__(self, shape: tuple[int, int], start: Floats | None, room: tuple[int, int]) -> None:
        super().__init__(id="canvas")
        self.values = np.zeros(shape, np.float32) if start is None else np.array(start, np.float32).reshape(shape)
        self.scale = fitting(shape, *room, most=3)
        self.at = (shape[0] // 2, shape[1] // 2)
        self._dragging: float | None = None

    def on_mount(self) -> None:
        tall, wide = extent(self._shape, self.scale, self.look)
        self.styles.width, self.styles.height = wide, tall

    @property
    def _shape(self) -> tuple[int, int]:
        return self.values.shape[0], self.values.shape[1]

    def draw(self, width: int, height: int) -> list[Strip]:
        rows = picture(greys(self.values), self.scale, self.look, {self.at: self.look.glyph("here")})
        return [line(row, width) for row in rows]

    def paint(self, row: int, column: int, value: float) -> None:
        if 0 <= row < self._shape[0] and 0 <= column < self._shape[1]:
            self.at = row, column
            if self.values[row, column] != np.float32(value):
                self.values[row, column] = value
                self.post_message(self.Painted())
            self.redraw()

    def clear(self) -> None:
        self.values[:] = 0
        self.post_message(self.Painted())
        self.redraw()

    def move(self, right: int, down: int) -> None:
        rows, across = self._shape
        self.at = max(0, min(rows - 1, self.at[0] + down)), max(0, min(across - 1, self.at[1] + right))
        self.redraw()

    def _pixels(self, event: events.MouseEvent) -> list[tuple[int, int]]:
        """The pixels under the mouse: two where one line shows two rows."""
        if self.scale:
            return [(event.y // self.scale, event.x // (2 * self.scale))]
        each = 2 if self.look.half_blocks else 1
        return [(event.y * each + row, event.x) for row in range(each)]

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragging = 0.0 if event.button == 3 else 1.0
        self.capture_mouse()
        self._stroke(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._stroke(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._dragging = None
        self.release_mouse()

    def _stroke(self, event: events.MouseEvent) -> None:
        if self._dragging is not None:
            for row, column in self._pixels(event):
                self.paint(row, column, self._dragging)


class Answer(Lines):
    """What the network says for what is drawn so far."""

    def __init__(self) -> None:
        super().__init__(id="answer")
        self.found: Any = None
        self.wrong = ""

    def draw(self, width: int, height: int) -> list[Strip]:
        if self.wrong:
            return [line([(text, palette.BAD)], width) for text in wrapped(self.wrong, width)][:height]
        if self.found is None:
            return [line([("draw, and see what it says", palette.FAINT)], width)]
        shares = self.found.probabilities
        if not shares:
            return [line([(clip(text, width), palette.TEXT)], width) for text in self.found.lines(height, "{} {}")]
        room = min(8, max(map(columns, self.found.labels)))
        best = max(range(len(shares)), key=shares.__getitem__)
        order = list(range(len(shares)))
        if len(order) > height - 1:
            order.sort(key=lambda index: -shares[index])
        head = line([("it answers ", palette.DIM), (self.found.labels[best], palette.BRIGHT)], width)
        return [head, *(self._bar(i, room, i == best, width) for i in order[: height - 1])]

    def _bar(self, index: int, room: int, best: bool, width: int) -> Strip:
        share = self.found.probabilities[index]
        style: Style = palette.ACCENT_BOLD if best else palette.POSITIVE_INK
        label = padded_left(clip(self.found.labels[index], room), room)
        bar = plain_bar(share, max(3, width - room - 6), style, self.look)
        ink = palette.BRIGHT if best else palette.TEXT
        return line([(f"{label} ", ink), *bar, (f"{share:5.0%}", palette.DIM)], width)


class DrawScreen(Modal[list[float] | None]):
    """Enter takes the picture, row by row from 0 (black) to 1 (white); escape does not."""

    DEFAULT_CSS = """
    DrawScreen > Vertical { width: auto; }
    DrawScreen Horizontal { width: auto; height: auto; }
    DrawScreen #answer { width: 26; height: 12; margin-left: 3; }
    DrawScreen #keys { width: 58; height: auto; color: #8b95a5; }
    """
    BINDINGS: ClassVar = [
        ("escape", "dismiss(None)", "cancel"),
        ("enter", "take", "take it"),
        ("space", "cycle", "next grey"),
        *((key, f"paint({value})", "paint") for key, value in zip("0123", GREYS, strict=True)),
        ("backspace,delete", "paint(0.0)", "erase"),
        ("c", "clear", "clear"),
        ("left,h", "move(-1, 0)", "left"),
        ("right,l", "move(1, 0)", "right"),
        ("up,k", "move(0, -1)", "up"),
        ("down,j", "move(0, 1)", "down"),
    ]

    def __init__(
        self,
        shape: tuple[int, int],
        start: Floats | None,
        answer: Callable[[list[float]], Awaitable[tuple[Any, str]]],
    ) -> None:
        """`answer` asks the network about a picture; it returns a Prediction, or what is wrong."""
        super().__init__()
        self._shape, self._start, self._ask = shape, start, answer
        self._asking = self._changed = False

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "Draw"
        box.border_subtitle = "enter: every pane follows it   esc: cancel"
        room = self.app.size.width - WIDE - 12, self.app.size.height - 8
        with box:
            with Horizontal():
                yield Canvas(self._shape, self._start, room)
                yield Answer()
            yield Static(plain(*KEYS), id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one(Canvas).focus()
        if self._start is not None:
            self._painted()

    @property
    def _canvas(self) -> Canvas:
        return self.query_one(Canvas)

    def on_canvas_painted(self) -> None:
        self._painted()

    def _painted(self) -> None:
        """Ask about the picture, or once the answer to the last question is there."""
        self._changed = True
        if not self._asking:
            self._asking = True
            self.run_worker(self._answers())

    async def _answers(self) -> None:
        try:
            while self._changed:
                self._changed = False
                answer = self.query_one(Answer)
                answer.found, answer.wrong = await self._ask(self._canvas.values.reshape(-1).tolist())
                answer.redraw()
        finally:
            self._asking = False

    def action_take(self) -> None:
        self.dismiss(self._canvas.values.reshape(-1).tolist())

    def action_cycle(self) -> None:
        row, column = self._canvas.at
        now = int(np.argmin(np.abs(np.array(GREYS) - self._canvas.values[row, column])))
        self._canvas.paint(row, column, GREYS[now - 1])

    def action_paint(self, value: float) -> None:
        self._canvas.paint(*self._canvas.at, value)

    def action_clear(self) -> None:
        self._canvas.clear()

    def action_move(self, right: int, down: int) -> None:
        self._canvas.move(right, down)
