"""Takes pictures, texts and data out of the lab, and records the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.strip import Strip

from tinynets.foreign_text import printable
from tinynets.system.paths import expanded_path, names_folder, unusable
from tui.actions import keyed
from tui.controllers.base import Controller
from tui.controllers.commands import Commands
from tui.screens.lab import LabScreen

if TYPE_CHECKING:  # the app starts sooner without it
    from tinynets.lab.command_line import Call
    from tui.cast import Cast

WHOLE = "screen"
"""What stands for all that is shown, in place of the name of a pane."""
ENDINGS = (".svg", ".png", ".txt", ".csv")


class TakingOutController(Controller):
    """The actions that write what is seen. `shown` gives the lines of the screen, `recorder` what can record it."""

    def __init__(
        self,
        ui: LabScreen,
        commands: Commands,
        *,
        shown: Callable[[], Sequence[Strip]],
        recorder: Callable[[], Any],
    ) -> None:
        super().__init__(ui, commands)
        self._shown, self._recorder = shown, recorder
        commands.on_line("snapshot", self._snapshot_line)
        commands.on_line("record", self._record_line)

    # -- a pane, or the screen

    def ask_what(self) -> None:
        """Ask what to take out, and to which file."""
        frame = self.ui.frame
        if frame is None:
            self.ui.status.say("there is nothing to take out yet")
            return
        from tui.render.export import makes_png  # the app starts sooner without these
        from tui.screens.take_out import Offer, TakeOutScreen

        pane = self.ui.desk.choice.active
        name = pane.capitalize()
        stem = f"{Path(frame.status.recipe).stem}-{{}}-step-{frame.status.step}"
        kinds = [(f"{name} as a picture (SVG)", pane, ".svg"), (f"{name} as text", pane, ".txt")]
        kinds.append((f"{name}: its data (CSV)", pane, ".csv"))
        kinds += [("the screen as a picture (SVG)", WHOLE, ".svg"), ("the screen as text", WHOLE, ".txt")]
        if makes_png():
            kinds += [(f"{name} as a picture (PNG)", pane, ".png"), ("the screen as a picture (PNG)", WHOLE, ".png")]
        offers = [Offer(words, what, _free(stem.format(what), ending)) for words, what, ending in kinds]
        self.ask(TakeOutScreen(offers), lambda answer: self.take_out(*answer) if answer else None)

    def take_out(self, what: str, path: str) -> None:
        """Write a pane, or the screen, to a new file; its ending says as what."""
        problem = self._problem(what, path)
        if problem:
            self.commands.fail(problem)
            return
        target = expanded_path(path)
        content = self._content(what, target.suffix)
        if content is None:
            self.commands.fail(f"{what.capitalize()} has no data to write as CSV now: .svg and .txt show what it says")
            return
        try:
            with target.open("xb") as file:
                file.write(content)
        except OSError as error:
            self.commands.fail(f"`{printable(path)}`: {error.strerror or error}")
            return
        shown = "the screen" if what == WHOLE else what.capitalize()
        self.ui.status.say(f"{shown} written to {printable(str(target.resolve()))}")
        self.commands.notify_cut(self.ui.status.message, "information")

    def _problem(self, what: str, path: str) -> str:
        """Why this cannot be written there; empty if it can."""
        from tui.render.export import LIBRARY, makes_png  # the app starts sooner without it

        known = (*self.ui.panes, WHOLE)
        target, shown = expanded_path(path), printable(path)
        if self.ui.frame is None:
            return "there is nothing to take out yet"
        if what not in known:
            return f"`{printable(what)}` is no pane: there are {', '.join(known)}"
        if problem := unusable(path):
            return f"`{shown}`: {problem}"
        if names_folder(path) or target.is_dir():
            return f"`{shown}` is a folder; a file is needed"
        if target.suffix not in ENDINGS:
            return f"`{shown}`: the ending says what it is to be, {', '.join(ENDINGS)}"
        if target.suffix == ".png" and not makes_png():
            return f"`{shown}`: a PNG needs `{LIBRARY}` (pip install 'tinynets[png]'); .svg needs nothing"
        if target.suffix == ".csv" and what == WHOLE:
            return f"`{shown}`: the screen is many panes; a CSV holds one"
        if what != WHOLE and target.suffix != ".csv" and not self.ui.panes[what].display:
            take = keyed("and {take_out} takes it out")
            return f"{what.capitalize()} is not shown: {self.ui.panes[what].number()} shows it, {take}"
        if target.exists():
            return f"`{shown}` is there already, and stays as it is: give another name"
        return ""

    def _content(self, what: str, ending: str) -> bytes | None:
        frame = self.ui.frame
        assert frame is not None
        if ending == ".csv":
            from tui.model.table import csv_of  # the app starts sooner without it

            text = csv_of(frame, what)
            return None if text is None else text.encode()
        from tui.render.export import as_png, as_svg, as_text  # the app starts sooner without them

        lines = self._shown() if what == WHOLE else self.ui.panes[what].strips()
        title = f"{frame.status.recipe}, step {frame.status.step:,}"
        if ending == ".png":
            return as_png(lines, title)
        return (as_text(lines) if ending == ".txt" else as_svg(lines, title)).encode()

    def _snapshot_line(self, call: Call) -> bool:
        what = call.kwargs.get("pane", WHOLE)
        if not call.args:
            self.ask_what()
        else:
            self.take_out(str(what), str(call.args[0]))
        return True

    # -- a recording

    def record(self, path: str = "") -> None:
        """Begin a recording of the terminal; end the one that goes on."""
        recorder = self._recorder()
        if recorder is None:
            self.commands.fail("only what is shown in a terminal of this system can be recorded")
            return
        if recorder.cast is not None:
            cast: Cast = recorder.end_cast()
            self.ui.status.say(f"recorded {cast.seconds:,.0f} s in {printable(str(cast.path))}: asciinema plays it")
            return
        name = Path(self.ui.frame.status.recipe).stem if self.ui.frame else "lab"
        target = expanded_path(path or _free(name, ".cast"))
        if problem := unusable(str(target)):
            self.commands.fail(f"`{printable(path)}`: {problem}")
            return
        try:
            recorder.begin_cast(target.resolve(), f"tinynets-lab, {name}")
        except FileExistsError:
            self.commands.fail(f"`{printable(path)}` is there already, and stays as it is: give another name")
        except OSError as error:
            self.commands.fail(f"`{printable(str(target))}`: {error.strerror or error}")
        else:
            self.ui.status.say(f"recording to {printable(str(target))}; :record ends it")

    def _record_line(self, call: Call) -> bool:
        self.record(str(call.args[0]) if call.args else "")
        return True


def _free(stem: str, ending: str) -> str:
    """A name in this folder that no file has yet."""
    names = (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}" for number in count(1))
    return next(name for name in names if not Path(name).exists())
