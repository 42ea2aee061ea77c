"""The help: what the colours and marks mean, what each key does, and what the command line understands."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from tinynets.foreign_text import printable
from tui import actions, panes
from tui.render import palette
from tui.render.marks import SIGNS
from tui.render.operation_looks import LOOKS
from tui.render.palette import Terminal
from tui.render.plain_text import Typed
from tui.screens.modal import Modal
from tui.widgets.timeline import FAMILIES

TIMELINE = (
    "{here} where we stand, {ahead} what is recorded ahead; above it edits by the glyph of what they did, several at "
    "one step by their number, and bookmarks {pin}; {evaluation} evaluations; below it the other branches from where "
    "they part; a click goes there"
)
MARKS = {
    "On activations; {before} or a line under it: before the activation": (
        *(name for name, look in LOOKS.items() if look.glyphs), "several",
    ),
    "On learning; in Weights, single weights that are frozen have the shade of ice": ("frozen", "partly", "rate"),
    "Not done by anyone: no gradient on any probe example": ("dead",),
}  # fmt: skip
EDITED = {
    "parameter": "parameters",
    "structure": "structure",
    "setting": "settings",
    "undone": "released or unfrozen",
}
VERB_GROUPS = {
    "training": "Training",
    "time": "Time",
    "activation": "On activations: parameters stay, release takes them off",
    "learning": "On learning",
    "parameter": "On parameters",
    "state": "On what is carried",
    "structure": "On structure: the network goes on living",
    "setting": "Settings",
    "looking": "Looking",
    "files": "Files",
}


TYPED = "command line"
"""Where verbs are, beside the panes and groups that keys belong to."""
OWN = "123hjklq"
"""Letters and digits that are keys of the help itself."""


class HelpScreen(Modal[str | None]):
    """Three pages: the panes and marks, the keys, the command line. The answer is the action that is wanted, if any."""

    DEFAULT_CSS = """
    HelpScreen > VerticalScroll { width: 132; height: auto; }
    HelpScreen Static { padding-right: 1; }
    HelpScreen #search { margin-bottom: 1; }
    """
    BINDINGS: ClassVar = [
        ("escape,question_mark,q", "close", "close"),
        ("f1", "dismiss('tour')", "the tour"),
        ("slash", "search", "search"),
        ("right,l,tab", "turn(1)", "next page"),
        ("left,h,shift+tab", "turn(-1)", "page before"),
        ("1", "page(0)", "keys"),
        ("2", "page(1)", "panes and marks"),
        ("3", "page(2)", "command line"),
        ("j", "scroll(1)", "down"),
        ("k", "scroll(-1)", "up"),
    ]
    PAGES: ClassVar = ("Keys", "Panes and marks", "Command line")

    def __init__(self, pane: str = "network") -> None:
        """`pane` is the focused one, whose keys come first."""
        super().__init__()
        self._pane = pane
        self._page = 0

    def compose(self) -> ComposeResult:
        box = VerticalScroll(classes="box")
        box.border_title = "tinynets-lab: a debugger for small neural networks"
        box.border_subtitle = "1 2 3 pages   / searches   f1 the tour   esc closes"
        with box:
            hint = "letters of a key, a pane or a verb"
            search = Input(placeholder=hint, highlighter=Typed(), id="search", select_on_focus=False)
            search.display = False
            yield search
            yield Static(id="pages", markup=False)
            yield Static(id="page", markup=False)

    def on_mount(self) -> None:
        self.action_page(0)

    # -- searching

    def action_search(self, text: str = "") -> None:
        search = self.query_one("#search", Input)
        search.display = True
        search.value = text
        search.cursor_position = len(text)
        self.set_focus(search)  # at once: the letters that are typed next belong to it

    def action_close(self) -> None:
        """Close the search, and without one the help."""
        search = self.query_one("#search", Input)
        if not search.display:
            self.dismiss(None)
            return
        search.display = False
        self.query_one(VerticalScroll).focus()
        self.action_page(self._page)

    def on_key(self, event: events.Key) -> None:
        """A letter that is no key of the help begins a search for it; those that were on their way then follow it."""
        letter, search = event.character or "", self.query_one("#search", Input)
        if not letter.isalnum():
            return
        if search.display:
            event.stop()
            search.insert_text_at_cursor(letter)
        elif letter not in OWN:
            event.stop()
            self.action_search(letter)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.query_one("#search", Input).display:
            self.query_one("#page", Static).update(self._matching(event.value))

    def _matching(self, text: str) -> Group:
        """All keys, panes and verbs that hold every word of a text."""
        from tinynets.lab.verbs import VERBS  # the app starts sooner without it

        words = text.lower().split()
        rows = [(action.shown_keys, action.help, f"{_where(action)} {action.label}") for action in actions.ACTIONS]
        rows += [(row.title, row.help, "pane") for row in panes.ROWS]
        rows += [(f":{verb.usage}", verb.help, TYPED) for verb in VERBS.values()]
        found = [row for row in rows if all(word in " ".join(row).lower() for word in words)]
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, min_width=7)
        for key, help_, where in found:
            if where == TYPED:  # how it is written stands before what it does: the column of keys stays narrow
                written = Text(f"{key[1:]}   ", palette.ACCENT_BOLD)
                table.add_row(Text(":", palette.ACCENT_BOLD), written.append(help_, palette.TEXT))
            else:
                table.add_row(Text(key, palette.ACCENT_BOLD), Text(help_, palette.TEXT))
        return Group(table) if found else Group(Text(f"nothing holds `{printable(text)}`", palette.TEXT))

    # -- pages

    def action_turn(self, by: int) -> None:
        self.action_page((self._page + by) % len(self.PAGES))

    def action_page(self, page: int) -> None:
        self._page = page
        makers: tuple[Callable[[], Group], ...] = (self._keys, self._reading, _verbs)
        tabs = Text()
        for at, name in enumerate(self.PAGES):
            tabs.append(f" {at + 1} {name} ", palette.CHIP if at == page else palette.CHIP_QUIET)
            tabs.append(" ")
        self.query_one("#pages", Static).update(Group(tabs, Text("")))
        self.query_one("#page", Static).update(makers[page]())
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def _keys(self) -> Group:
        """The keys, in two columns if there is room."""
        groups = [_group(name, found) for name, found in actions.groups().items()]
        groups += [_group(f"In {row.title}", own) for row in panes.ROWS if (own := _own(row.name, self._pane))]
        if self.app.size.width < 120:
            return Group(self._here(), *groups)
        keys = Table.grid(padding=(0, 3), expand=True)
        keys.add_row(Group(*groups[:2]), Group(*groups[2:]))
        return Group(self._here(), keys)

    def _here(self) -> Group:
        """The focused pane: what it shows, and the keys that mean something of their own there."""
        row = next(row for row in panes.ROWS if row.name == self._pane)
        own = [action for action in actions.ACTIONS if self._pane in action.pane]
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, min_width=7)
        for action in own:
            table.add_row(Text(action.shown_keys, palette.ACCENT_BOLD), Text(action.help, palette.TEXT))
        name = Text(f"{row.title}, where you are: ", palette.BRIGHT)
        return Group(name.append(row.help, palette.TEXT), *([table] if own else []), Text(""))

    def _reading(self) -> Group:
        """What the panes show, and what colours and marks mean."""
        look: Terminal = getattr(self.app, "look", Terminal())
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        for row in panes.ROWS:
            table.add_row(Text(row.title, palette.ACCENT_BOLD), Text(row.help, palette.TEXT))
        glyphs = {name: look.glyph(name) for name in ("here", "ahead", "pin", "evaluation")}
        table.add_row(Text("Timeline", palette.ACCENT_BOLD), Text(TIMELINE.format(**glyphs), palette.TEXT))
        colours = Text()
        colours.append("orange negative  ", palette.NEGATIVE_INK)
        colours.append("blue positive", palette.POSITIVE_INK)
        return Group(Text("The panes", palette.BRIGHT), table, Text(""), colours, Text(""), *_marks(look))


def _marks(look: Terminal) -> list[Text]:
    """The marks of units by subject, and those of edits that leave no mark on a unit."""
    made = []
    for about, names in MARKS.items():
        made.append(Text(about.format(before=look.glyph("before")), palette.BRIGHT))
        made.append(Text())
        for name in names:
            made[-1].append(f"{SIGNS[name].glyph(look)} {SIGNS[name].words}   ", SIGNS[name].style)
        made.append(Text(""))
    made += [Text("On the timeline, beside these", palette.BRIGHT), Text()]
    for family, words in EDITED.items():
        name, ink = FAMILIES.get(family, (family, "TEXT"))
        made[-1].append(f"{look.glyph(name)} {words}   ", palette.named(ink))
    return made


def _own(pane: str, focused: str) -> list[actions.Action]:
    """The keys of a pane that is not the focused one, whose keys stand first anyway."""
    return [action for action in actions.ACTIONS if pane in action.pane and pane != focused]


def _where(action: actions.Action) -> str:
    return " ".join(action.pane) or action.group


def _group(name: str, found: list[actions.Action]) -> Group:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, min_width=7)
    for action in found:
        table.add_row(Text(action.shown_keys, palette.ACCENT_BOLD), Text(action.help, palette.TEXT))
    return Group(Text(name, palette.BRIGHT), table, Text(""))


def _verbs() -> Group:
    """What the command line understands, by family."""
    from tinynets.lab.verbs import VERBS  # the app starts sooner without it

    made: list[Text | Table] = [
        Text("What is typed behind : ; it takes lines of Python as well: lab.run(100)", palette.TEXT),
        Text(""),
    ]
    others = {verb.group: verb.group.capitalize() for verb in VERBS.values() if verb.group not in VERB_GROUPS}
    for group, title in (VERB_GROUPS | others).items():
        table = Table.grid(padding=(0, 2))
        table.add_column(width=36)
        for verb in VERBS.values():
            if verb.group == group:
                table.add_row(Text(verb.usage, palette.ACCENT_BOLD), Text(verb.help, palette.TEXT))
        made += [Text(title, palette.BRIGHT), table, Text("")]
    return Group(*made)
