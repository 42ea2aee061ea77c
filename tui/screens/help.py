"""All keys and what they do, from the registry; how to read the colours and marks."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui import actions, palette
from tui.marks import SIGNS
from tui.palette import Look
from tui.screens.modal import Modal

PANE_HELP = (
    ("1 Network", "each unit a cell, coloured by its activation on the selected probe example"),
    ("2 Weights", "what comes into each unit: inputs down, units across; the selected column between bars"),
    ("3 Activations", "each unit (across) on each probe example (down); under it the share of saturated ones"),
    ("4 Loss", "mean and range of the training loss; dots are evaluations (e makes one)"),
    ("5 Neuron", "the selected unit: its sum, its largest terms, where it goes"),
    ("6 Output", "what the network says for the selected example, and what it generates"),
)
TIMELINE = (
    "{here} where we stand, {ahead} what is recorded ahead; above it edits by the glyph of what they did, several at "
    "one step by their number, and bookmarks {pin}; {evaluation} evaluations; below it the other branches from where "
    "they part; a click goes there"
)


class HelpScreen(Modal[None]):
    """Two columns where there is room."""

    DEFAULT_CSS = "HelpScreen > VerticalScroll { width: 132; height: auto; } HelpScreen Static { padding-right: 1; }"
    BINDINGS: ClassVar = [("escape,question_mark,q", "dismiss(None)", "close")]

    def compose(self) -> ComposeResult:
        box = VerticalScroll(classes="box")
        box.border_title = "tinynets-lab: a debugger for small neural networks"
        box.border_subtitle = "arrows scroll   esc closes"
        with box:
            yield Static(self._content())

    def _content(self) -> Group:
        look: Look = getattr(self.app, "look", Look())
        groups = [_group(name, found) for name, found in actions.groups().items()]
        wide = self.app.size.width >= 120
        keys: Group | Table = Group(*groups)
        if wide:
            keys = Table.grid(padding=(0, 3), expand=True)
            keys.add_row(Group(*groups[:3]), Group(*groups[3:]))
        return Group(_reading(look), keys, _verbs())


def _group(name: str, found: list[actions.Action]) -> Group:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, min_width=7)
    for action in found:
        table.add_row(Text(action.shown_keys, palette.ACCENT_BOLD), Text(action.help, palette.TEXT))
    return Group(Text(name, palette.BRIGHT), table, Text(""))


def _verbs() -> Group:
    """What the command line understands."""
    from tinynets.commands import COMMANDS

    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=36)
    for command in COMMANDS.values():
        table.add_row(Text(command.usage, palette.ACCENT_BOLD), Text(command.help, palette.TEXT))
    heading = Text("The command line (:), which takes lines of Python as well: lab.run(100)", palette.BRIGHT)
    return Group(heading, table)


def _reading(look: Look) -> Group:
    """What the panes show, and what colours and marks mean."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for name, what in PANE_HELP:
        table.add_row(Text(name, palette.ACCENT_BOLD), Text(what, palette.TEXT))
    glyphs = {name: look.glyph(name) for name in ("here", "ahead", "pin", "evaluation")}
    table.add_row(Text("Timeline", palette.ACCENT_BOLD), Text(TIMELINE.format(**glyphs), palette.TEXT))
    marks = Text()
    marks.append("orange negative  ", palette.NEGATIVE_INK)
    marks.append("blue positive  ", palette.POSITIVE_INK)
    for sign in SIGNS.values():
        marks.append(f"  {sign.glyph(look)} {sign.words}", sign.style)
    return Group(Text("The panes", palette.BRIGHT), table, Text(""), marks, Text(""))
