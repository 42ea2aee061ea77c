"""Asks before a branch is dropped, and says what goes with it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tinynets.frame import TimelineStrip
from tui.drawing import clip
from tui.screens.modal import Modal

TIGHT = 20
"""Lines of the terminal under which the dialog does without blank ones."""


class DropScreen(Modal[bool]):
    """Enter keeps the branch: dropping takes a letter or a choice."""

    DEFAULT_CSS = "DropScreen > Vertical { width: 64; } DropScreen Static { margin-bottom: 1; }"
    BINDINGS: ClassVar = [("d,y", "dismiss(True)", "drop"), ("escape,n,q", "dismiss(False)", "keep")]

    def __init__(self, strip: TimelineStrip, name: str) -> None:
        super().__init__()
        self._strip, self._branch = strip, name

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = f"Drop branch {clip(self._branch, 40)}?"
        with box:
            lines = what_goes(self._strip, self._branch)
            tight = self.app.size.height < TIGHT
            yield Static("\n".join(text for text in lines if text or not tight), markup=False)
            yield OptionList(Option("esc  keep it", id="keep"), Option("d    drop it for good", id="drop"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id == "drop")


def what_goes(strip: TimelineStrip, name: str) -> list[str]:
    """What would be lost with a branch, and what stays, in sentences."""
    branch = next(line for line in strip.branches if line.name == name)
    children = [line for line in strip.branches if line.parent == name]
    kept = max([branch.fork if branch.parent else 0, *(child.fork for child in children)])
    steps = max(0, branch.end - kept)
    lost = [f"{steps:,} step{'s' if steps != 1 else ''} that only it holds"]
    if branch.edits and children:
        lost[0] += ", with what was edited there"
    elif branch.edits:
        lost.append(f"its {branch.edits} edit{'s' if branch.edits != 1 else ''}")
    pins = [
        f"`{pin.name}`"
        for pin in strip.pins
        if pin.branch == name and (pin.step > kept or not (children or branch.parent))
    ]
    if pins:
        lost.append(f"bookmark{'s' if len(pins) > 1 else ''} {', '.join(pins)}")
    where = f"It left `{branch.parent}` at step {branch.fork:,} and ends" if branch.parent else "It ends"
    said = [f"{where} at step {branch.end:,}.", "", f"Lost: {'; '.join(lost)}."]
    if children:
        several = "es" if len(children) > 1 else ""
        said.append(f"Kept whole: branch{several} {', '.join(f'`{child.name}`' for child in children)}.")
    return [*said, "", "This cannot be undone."]
