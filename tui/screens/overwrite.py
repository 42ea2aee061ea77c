"""Asks before a save takes the place of a file that is another's, and says what that holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.drawing import clip_middle
from tui.screens.modal import Modal


class OverwriteScreen(Modal[bool]):
    """Enter keeps the file: overwriting takes a letter or a choice."""

    DEFAULT_CSS = "OverwriteScreen > Vertical { width: 64; } OverwriteScreen Static { margin-bottom: 1; }"
    BINDINGS: ClassVar = [("o,y", "dismiss(True)", "overwrite"), ("escape,n,q", "dismiss(False)", "keep")]

    def __init__(self, file: str, holds: str) -> None:
        super().__init__()
        self._file, self._holds = file, holds

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = f"Overwrite {clip_middle(Path(self._file).name, 40)}?"
        with box:
            yield Static(
                f"`{self._file}` is there already and is not this run's.\nIt holds {self._holds}.", markup=False
            )
            yield OptionList(Option("esc  keep it", id="keep"), Option("o    overwrite it for good", id="overwrite"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id == "overwrite")


def in_the_way(path: str, own: str) -> tuple[str, str]:
    """The file that saving to `path` would overwrite and what it holds; empty where that is nobody's or our `own`."""
    from tinynets.errors import SaveError
    from tinynets.save_list import shown
    from tinynets.saves import read_header, target

    try:
        file = target(path)
    except SaveError:  # which the lab says when it is asked to
        return "", ""
    if not os.path.exists(file) or (own and os.path.exists(own) and os.path.samefile(file, own)):
        return "", ""
    try:
        header = read_header(file)
    except SaveError:
        return file, "something that cannot be read as a save"
    branches = header.branches or 1
    several = f", {branches:,} branches" if branches > 1 else ""
    return file, shown(f"{header.recipe} at step {header.step:,} ({header.branch}){several}")
