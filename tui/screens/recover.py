"""Offers to recover the journal of a lab that ended before it saved: now, later, or never."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tinynets.errors import TinynetsError
from tinynets.storage.recovery import RecoverableJournal, discard
from tui.render import palette
from tui.render.drawing import clip, columns
from tui.render.plain_text import plain
from tui.screens.modal import Modal

WIDTH = 78


class RecoverScreen(Modal[RecoverableJournal | None]):
    """Enter recovers a journal; to throw one away takes the same key twice."""

    DEFAULT_CSS = """
    RecoverScreen > Vertical { width: 78; }
    RecoverScreen Static { margin-bottom: 1; }
    RecoverScreen #said { color: $lab-warn; }
    """
    BINDINGS: ClassVar = [
        ("r", "recover", "recover"),
        ("d", "throw_away", "throw away"),
        ("escape,n,q,l", "dismiss(None)", "later"),
    ]

    def __init__(self, found: list[RecoverableJournal]) -> None:
        super().__init__()
        self._found = found
        self._doomed: RecoverableJournal | None = None

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "Not saved, and still there"
        with box:
            yield Static(WHAT, markup=False)
            yield OptionList(markup=False)
            yield Static("", id="said", markup=False)
            yield Static(KEYS, markup=False, id="recover-keys")

    def on_mount(self) -> None:
        self.query_one("#recover-keys").styles.margin = 0
        self._list()

    def _list(self) -> None:
        room = min(WIDTH, self.app.size.width * 96 // 100) - 6
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(_two_lines(entry, room)) for entry in self._found])
        options.highlighted = 0
        options.styles.max_height = max(2, self.app.size.height - 14)
        options.focus()
        self._say("")

    def _say(self, text: str) -> None:
        said = self.query_one("#said", Static)
        said.update(plain(text))
        said.display = bool(text)

    def _chosen(self) -> RecoverableJournal:
        return self._found[self.query_one(OptionList).highlighted or 0]

    def action_recover(self) -> None:
        self.dismiss(self._chosen())

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.action_recover()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if self._doomed is not None and self._doomed is not self._chosen():
            self._doomed = None
            self._say("")

    def action_throw_away(self) -> None:
        """Ask the first time; the second time, throw the journal away for good."""
        chosen = self._chosen()
        if self._doomed is not chosen:
            self._doomed = chosen
            self._say("d again throws it away for good; esc keeps it")
            return
        try:
            discard(chosen)
        except TinynetsError as error:
            self._say(str(error))
            return
        self._found.remove(chosen)
        if self._found:
            self._list()
        else:
            self.dismiss(None)


WHAT = "A lab ended before its work was saved. What it did was written down as it did it."
KEYS = "enter recover   d throw away   esc later (O asks again)"


def _two_lines(entry: RecoverableJournal, room: int) -> Text:
    """What a journal holds, and on a second line its date and save."""
    held = [f"step {entry.step:,}"]
    if entry.edits:
        held.append(f"{entry.edits} edit{'s' if entry.edits != 1 else ''}")
    if entry.branches > 1:
        held.append(f"{entry.branches} branches")
    save = f"of {entry.save}" if entry.save else "never saved"
    return Text.assemble(
        (clip(entry.recipe, 30), "bold"),
        clip(f"  {', '.join(held)}", room - min(columns(entry.recipe), 30)),
        "\n  ",
        (clip(f"{_when(entry.when)}, {save}", room - 2), palette.DIM),
    )


def _when(text: str) -> str:
    """A time as people say it: without the date if it is today."""
    when = datetime.fromisoformat(text)
    return f"today at {when:%H:%M}" if when.date() == date.today() else f"{when:%Y-%m-%d %H:%M}"
