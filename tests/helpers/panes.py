"""Draws panes outside any app, on frames of the real recipes."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, View
from tinynets.server.frame_builder import FrameBuilder
from tui.model.selection import Selection
from tui.render.palette import Terminal
from tui.widgets.heatmap import Grid, grid
from tui.widgets.pane import Lines

RECIPES = (
    "colors-som", "digits", "digits-cnn", "modular", "names-gru", "names-lstm", "names-mlp", "names-rnn",
    "names-transformer", "names-wavenet", "perceptron", "spiral", "spiral-rbf", "xor",
)  # fmt: skip
PLAIN = Terminal(colour=False, unicode=False)


@cache
def frame_of(recipe: str, block: str = "", unit: int = 0, example: int = 0) -> Frame:
    """The frame of a recipe at its start."""
    return FrameBuilder.of(tn.Lab(recipe)).frame(View(block, unit, example), 1, Activity())


def drawn(pane: Lines, frame: Frame, width: int, height: int, look: Terminal = Terminal()) -> list[str]:  # noqa: B008
    """The lines of a pane outside any app; none may be wider than the pane."""
    vars(pane).update(look=look, frame=frame, selection=selection_of(frame))
    strips = pane.draw(width, height)[:height]
    assert max(strip.cell_length for strip in strips) <= width
    return [strip.text for strip in strips]


def selection_of(frame: Frame) -> Selection:
    return Selection(frame.view.block, frame.view.unit, frame.example)


@st.composite
def grids(draw: st.DrawFn) -> tuple[Grid, int]:
    """The geometry of a map of any size in any room, and its selected row."""
    rows, columns = draw(st.integers(1, 90)), draw(st.integers(1, 300))
    row, marked = draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1))
    room = (draw(st.integers(1, 40)), draw(st.integers(20, 150)))
    first = (draw(st.integers(0, rows)), draw(st.integers(0, columns)))
    look = Terminal(colour=draw(st.booleans()))
    return grid((rows, columns), room, draw(st.integers(2, 14)), marked, row, first, look), row
