"""Finds things and goes there: by letters, by a number, or by a label over the place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tinynets.server.frame import PANES
from tui.controllers.base import Controller
from tui.screens.ask import AskScreen

if TYPE_CHECKING:  # the app starts sooner without these
    from tui.model.find import Found
    from tui.screens.jump import Spot

NOT_YET = "nothing to find yet: the first picture has not come"


class FindController(Controller):
    """The actions that go to a place by its name."""

    # -- by letters

    def find(self) -> None:
        from tui.screens.find import FindScreen  # the app starts sooner without it

        if self.ui.frame is None:
            self.ui.status.say(NOT_YET)
            return
        self.ask(FindScreen(self._found), self._go)

    def _found(self, text: str) -> list[Found]:
        from tui.model.find import find  # the app starts sooner without it

        frame = self.ui.frame
        return find(text, frame, self.ui.selection) if frame is not None else []

    def _go(self, found: Found | None) -> None:
        """Go to what was found."""
        if found is None:
            return
        match found.kind, found.target:
            case (("unit" | "block"), (block, unit)):
                self.ui.select(block=block, unit=unit)
            case "example", (example,):
                self.ui.select(example=example)
            case (("step" | "edit"), (step, edits)):
                self.commands.do("seek", step, **({} if edits is None else {"edits": edits}))
                return
            case "bookmark", (name,):
                self.commands.do("seek", name)
                return
            case "branch", (name,):
                if self.run_now and name != self.run_now.branch:
                    self.commands.do("switch", name)
                    return
            case "split", (name,):
                self.commands.do("evaluate", name)
                return
            case "pane", (name,):
                self.ui.pick_pane(name)
            case "setting", (name,):
                self.ui.open_command_line(f"set {name} ")
                return
        self.ui.status.say(f"{found.kind} {found.name}   {found.about}")

    # -- by a number

    def number(self) -> None:
        """Ask for a number: of an example or a step where the pane is about those, otherwise of a unit."""
        frame, at, pane = self.ui.frame, self.ui.selection, self.ui.desk.choice.active
        if frame is None:
            self.ui.status.say(NOT_YET)
        elif pane in ("loss", "log"):
            self._ask_number("step", frame.status.end, lambda number: self.commands.do("seek", number))
        elif pane in ("activations", "output", "examples"):
            self._ask_number("example", len(frame.examples) - 1, lambda number: self.ui.select(example=number))
        else:
            units = next((block.units for block in frame.blocks if block.name == at.block), 0)
            if not units:
                self.commands.fail(f"`{at.block}` has no units to go to")
                return
            self._ask_number(f"unit of {at.block}", units - 1, lambda number: self.ui.select(unit=number))

    def _ask_number(self, what: str, last: int, then: Callable[[int], None]) -> None:
        def answered(text: str | None) -> None:
            if text is None:
                return
            digits = text.replace(",", "").replace("_", "").strip()
            if not digits.isdecimal() or int(digits) > last:
                self.commands.fail(f"`{text}` is no {what}: 0 to {last:,}")
            else:
                then(int(digits))

        self.ask(AskScreen(f"Go to {what}, 0 to {last:,}", "", "a number"), answered)

    # -- by a label

    def jump(self) -> None:
        """Put letters on the panes, the tabs, the moments of the timeline and the command line."""
        from tui.screens.jump import JumpScreen  # the app starts sooner without it

        self.ask(JumpScreen(list(self._spots())), self._jumped)

    def _spots(self) -> Iterator[Spot]:
        from tui.screens.jump import Spot  # the app starts sooner without it

        shown = self.ui.desk.visible_panes()
        for name in shown:
            region = self.ui.panes[name].region
            yield Spot(region.x + 1, region.y, "pane", (name,))
        yield from self._hidden(shown)
        line = self.ui.status.region
        yield Spot(line.x, line.y, "line")
        strip, timeline = self.ui.timeline.region, self.ui.timeline
        for x, y, place, edited in timeline.spots():
            yield Spot(strip.x + x - 1, strip.y + y, "moment", (place[0], place[1] if edited else None))

    def _hidden(self, shown: tuple[str, ...]) -> Iterator[Spot]:
        """The panes out of sight: on their tabs, or on their names in the frame of the one in front."""
        from tui.screens.jump import Spot  # the app starts sooner without it

        for name in PANES:
            if name in shown:
                continue
            if self.ui.tabs.display:
                yield Spot(self.ui.tabs.place_of(name), self.ui.tabs.region.y, "pane", (name,))
                continue
            for front in shown:
                pane = self.ui.panes[front]
                at = pane.place_beside(name)
                if at >= 0:
                    yield Spot(pane.region.x + at - 1, pane.region.y, "pane", (name,))

    def _jumped(self, spot: Spot | None) -> None:
        if spot is None:
            return
        if spot.kind == "pane":
            self.ui.pick_pane(spot.target[0])
        elif spot.kind == "line":
            self.ui.open_command_line()
        else:
            step, edits = spot.target
            self.commands.do("seek", step, **({} if edits is None else {"edits": edits}))
