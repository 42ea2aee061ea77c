"""Asks before a branch or a bookmark is dropped, and says what goes with it."""

from __future__ import annotations

from typing import ClassVar

from tinynets.server.frame import BookmarkMark, TimelineStrip
from tui.render.drawing import clip
from tui.screens.confirm import ConfirmScreen


class DropScreen(ConfirmScreen):
    """Asks before a branch is dropped."""

    BINDINGS: ClassVar = [("d", "dismiss(True)", "drop")]

    def __init__(self, strip: TimelineStrip, name: str) -> None:
        super().__init__(f"Drop branch {clip(name, 40)}?", what_goes(strip, name), "d    drop it for good")


class UnbookmarkScreen(ConfirmScreen):
    """Asks before a bookmark is dropped."""

    BINDINGS: ClassVar = [("d", "dismiss(True)", "drop")]

    def __init__(self, pin: BookmarkMark) -> None:
        lines = [f"It marks step {pin.step:,} of `{pin.branch}`" + (f": {pin.note}" if pin.note else ".")]
        lines += ["", "The step stays, and m there marks it again."]
        super().__init__(f"Take away bookmark {clip(pin.name, 36)}?", lines, "d    take it away")


def what_goes(strip: TimelineStrip, name: str) -> list[str]:
    """Sentences on what would be lost with a branch, and what stays."""
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
