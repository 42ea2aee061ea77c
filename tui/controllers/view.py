"""Changes the view: the cursor, the example, the visible panes, the command line, the help."""

from __future__ import annotations

from tinynets.measure.lens_names import AUTO, LENSES
from tinynets.server.frame import PANES
from tui.actions import BY_ID, keyed
from tui.controllers.base import Controller
from tui.screens.ask import AskScreen
from tui.widgets.pane import Leap

MOST = 4
"""How many names of bookmarks and branches are told."""


def lens_words(name: str, against: str | int) -> str:
    """What a lens shows."""
    if name == AUTO:
        return "lens auto: values, in a backward pass gradients, after the update what it changed"
    if name == "importance":
        return keyed("lens importance: about how much the loss would rise without a unit or a weight; {lens} goes on")
    since = "" if name != "change" else f" since {against}" if against != "" else " by the last update"
    units, weights = LENSES[name]
    hint = keyed("; {against} asks since when") if name == "change" else ""
    return f"lens {name}: {units}, {weights}{since}; {keyed('{lens}')} goes on{hint}"


class ViewController(Controller):
    """The actions that change the view, and nothing in the run."""

    def move(self, right: int, down: int) -> None:
        pane = self.ui.active_pane
        chosen = pane.moved(right, down)
        if chosen is None and pane.NAME not in ("network", "units", "weights", "activations"):
            chosen = self.ui.panes["network"].moved(right, down)
        if chosen:
            self.ui.choose(chosen)

    def leap(self, to: Leap) -> None:
        """Leap in the pane; in one where that means nothing, as in the network."""
        chosen = self.ui.active_pane.leapt(to) or self.ui.panes["network"].leapt(to)
        if chosen:
            self.ui.choose(chosen)

    def example(self, by: int) -> None:
        self.ui.select(example=self.ui.selection.example + by)

    def lens(self) -> None:
        """Paint the panes with the next of the lenses; after the last, with the one that fits the phase."""
        names = [AUTO, *LENSES]
        name = names[(names.index(self.ui.lens) + 1) % len(names)]
        self._look_through(name, self.ui.against)

    def _look_through(self, name: str, against: str | int) -> None:
        self.ui.look(lens=name, against=against)
        self.ui.status.say(lens_words(name, against))

    def against(self) -> None:
        """Ask since when a change is measured, and show that change."""
        frame = self.ui.frame
        if frame is None:
            return
        names = [*(pin.name for pin in frame.timeline.pins), *(line.name for line in frame.timeline.branches)]

        def answered(text: str | None) -> None:
            if text is None:
                return
            text = text.strip()
            digits = text.replace(",", "").replace("_", "")
            against: str | int = int(digits) if digits.isdecimal() and text not in names else text
            if isinstance(against, str) and against and against not in names:
                self.commands.fail(f"`{text}` is neither a step nor a bookmark nor a branch, only {', '.join(names)}")
                return
            self._look_through("change", against)

        known = ", ".join(names[:MOST])
        title = f"Change since: a step, {known}{', ...' if len(names) > MOST else ''}"
        self.ask(AskScreen(title, str(self.ui.against), "empty: the last update"), answered)

    def pane(self, name: str) -> None:
        self.ui.pick_pane(name)

    def next_pane(self, by: int) -> None:
        """Go to the next pane; while a line is being typed, to its next completion."""
        if self.ui.command_line.display:
            self.ui.command_line.complete()
            return
        at = PANES.index(self.ui.desk.choice.active)
        self.ui.pick_pane(PANES[(at + by) % len(PANES)])

    def zoom(self) -> None:
        self.ui.toggle_zoom()

    def command_line(self) -> None:
        self.ui.open_command_line()

    def help(self) -> None:
        from tui.screens.help import HelpScreen  # the app starts sooner without it

        def answered(action: str | None) -> None:
            if action:
                self.ui.app.call_later(self.ui.app.run_action, BY_ID[action].command)

        self.ask(HelpScreen(self.ui.desk.choice.active), answered)
