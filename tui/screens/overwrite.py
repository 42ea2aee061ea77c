"""Asks before a save overwrites a file that is not ours, and says what that file holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from tinynets.errors import SaveError
from tinynets.foreign_text import printable
from tui.render.drawing import clip_middle
from tui.screens.confirm import ConfirmScreen


class OverwriteScreen(ConfirmScreen):
    """Asks before a file is overwritten, and says what it holds."""

    BINDINGS: ClassVar = [("o", "dismiss(True)", "overwrite")]

    def __init__(self, file: str, holds: str) -> None:
        title = f"Overwrite {clip_middle(Path(file).name, 40)}?"
        lines = [f"`{file}` is there already and is not this run's.", f"It holds {holds}."]
        super().__init__(title, lines, "o    overwrite it for good")


def in_the_way(path: str, own: str) -> tuple[str, str]:
    """The file that saving to `path` would overwrite, and what it holds; empty if there is none or it is our `own`."""
    from tinynets.storage.paths import target
    from tinynets.storage.saves import read_header  # the app starts sooner without it

    try:
        file = target(path)
    except SaveError:  # the lab reports the problem when asked to save
        return "", ""
    if not os.path.exists(file) or (own and os.path.exists(own) and os.path.samefile(file, own)):
        return "", ""
    try:
        header = read_header(file)
    except SaveError:
        return file, "something that cannot be read as a save"
    branches = header.branches or 1
    several = f", {branches:,} branches" if branches > 1 else ""
    return file, printable(f"{header.recipe} at step {header.step:,} ({header.branch}){several}")
