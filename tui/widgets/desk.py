"""Where each pane stands: all six on a large terminal, fewer at once on a small one.

Plain numbers first (`plan`), then the container that follows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from textual.containers import Container, Vertical
from textual.geometry import Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.render.drawing import blank
from tui.widgets.pane import Pane

LARGE = (140, 34)
"""From this size of the desk on (terminal of about 140x40), all panes are shown."""


@dataclass(frozen=True)
class PaneChoice:
    """What the person last asked for: the pane with the keys, the last pane chosen on each side, one pane alone."""

    active: str = "network"
    left: str = "weights"
    right: str = "neuron"
    other: str = "neuron"
    """The pane beside the network where only two fit."""
    zoom: bool = False
    network_height: int = 14
    """Lines the network would like, frame included; until one is seen, those of the recipe that opens by itself."""


@dataclass(frozen=True)
class Slot:
    """Where a pane stands when all are shown: its side, and its share of the lines that those above it have left."""

    side: str
    share: tuple[int, int] = (1, 1)
    least: int = 0


def picked(pane: str, slot: Slot) -> dict[str, Any]:
    """The fields of a wish that change when a pane is picked."""
    changes: dict[str, Any] = {"active": pane}
    if pane != "network":
        changes |= {slot.side: pane, "other": pane}
    return changes


def plan(width: int, height: int, wish: PaneChoice, slots: Mapping[str, Slot]) -> dict[str, Region]:
    """The region of each visible pane."""
    if wish.zoom:
        return {wish.active: Region(0, 0, width, height)}
    if width >= LARGE[0] and height >= LARGE[1]:
        left = round(width * 0.6)
        return _column("left", 0, left, height, wish, slots) | _column("right", left, width - left, height, wish, slots)
    if width >= 96 and height >= 22:
        return _four(width, height, wish)
    return _two(width, height, wish)


def _column(
    side: str, x: int, width: int, height: int, wish: PaneChoice, slots: Mapping[str, Slot]
) -> dict[str, Region]:
    """All panes of a side, one under another; the last has the lines that are left."""
    names = [name for name, slot in slots.items() if slot.side == side]
    regions, top = {}, 0
    for name in names:
        part, of = slots[name].share
        tall = height - top
        if name != names[-1]:
            tall = tall * part // of
            tall = max(slots[name].least, min(tall, wish.network_height) if name == "network" else tall)
        regions[name] = Region(x, top, width, tall)
        top += tall
    return regions


def _four(width: int, height: int, wish: PaneChoice) -> dict[str, Region]:
    """Network and one map at the left, one pane over the whole height at the right."""
    left = round(width * 0.58)
    network = max(6, min(wish.network_height, height * 3 // 5))
    return {
        "network": Region(0, 0, left, network),
        wish.left: Region(0, network, left, height - network),
        wish.right: Region(left, 0, width - left, height),
    }


def _two(width: int, height: int, wish: PaneChoice) -> dict[str, Region]:
    left = width // 2
    return {"network": Region(0, 0, left, height), wish.other: Region(left, 0, width - left, height)}


class DeskLayout(Layout):
    """Puts the children where the plan has them."""

    name = "desk"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        assert isinstance(parent, Desk)
        regions = plan(size.width, size.height, parent.wish, parent.slots)
        no_margin = parent.styles.margin
        return [
            WidgetPlacement(regions[child.id], Region(0, 0, 0, 0).offset, no_margin, child)
            for child in children
            if child.id in regions
        ]


class Bare(Widget):
    """A container that its children cover; Textual asks each of these for all of its lines whenever one is painted."""

    def render_lines(self, crop: Region) -> list[Strip]:
        return [blank(crop.width)] * crop.height


class Body(Bare, Vertical):
    """All that the screen shows in the ordinary case."""


class Desk(Bare, Container):
    """The container of the panes."""

    DEFAULT_CSS = "Desk { width: 1fr; height: 1fr; overflow: hidden hidden; }"

    class Arranged(Message):
        """Other panes are visible now, or they stand elsewhere."""

    def __init__(self, slots: Mapping[str, Slot], *panes: Widget) -> None:
        super().__init__(*panes, id="desk")
        self.slots = slots
        self.wish = PaneChoice()
        self._desk_layout = DeskLayout()

    @property
    def layout(self) -> Layout:
        return self._desk_layout

    def visible_panes(self) -> tuple[str, ...]:
        """The panes of the plan, in the order of their numbers."""
        regions = plan(self.size.width, self.size.height, self.wish, self.slots)
        return tuple(pane for pane in self.slots if pane in regions)

    def ask(self, wish: PaneChoice) -> None:
        """Arrange by another wish."""
        if wish != self.wish:
            self.wish = wish
            self.arrange_panes()

    def pick(self, pane: str) -> None:
        """Show a pane as the active one."""
        self.ask(replace(self.wish, **picked(pane, self.slots[pane])))

    def on_resize(self) -> None:
        self.arrange_panes()

    def arrange_panes(self) -> None:
        visible = self.visible_panes()
        for pane in self.children:
            pane.display = pane.id in visible
            if isinstance(pane, Pane):
                pane.alone = self.wish.zoom
        # A container keeps its last arrangement until one of its children asks for another.
        self.children[0].refresh(layout=True)
        self.post_message(self.Arranged())
