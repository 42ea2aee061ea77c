"""Lists recipes and saves with their descriptions, and opens the one picked or a typed path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tinynets.foreign_text import printable
from tui.render import palette
from tui.render.drawing import clip, columns, padded
from tui.render.plain_text import Typed
from tui.screens.modal import Modal


class OpenScreen(Modal[str | None]):
    """Arrows and enter pick; a path can be typed below."""

    DEFAULT_CSS = "OpenScreen > Vertical { width: 92; } OpenScreen Input { margin-top: 1; }"
    BINDINGS: ClassVar = [("escape", "dismiss(None)", "close")]

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "Open a save or a recipe"
        box.border_subtitle = "enter: open   tab: type a path   esc: close"
        with box:
            yield OptionList(*self._options(), markup=False)
            path = Input(placeholder="path of a save (.msgpack) or a recipe (.toml)", highlighter=Typed())
            path.cursor_blink = False
            yield path

    def _options(self) -> Iterator[Option | None]:
        room = min(92, self.app.size.width * 96 // 100) - 8  # including the scroll bar
        found = saves()
        if found:
            yield _heading("Saves: go on where you were")
        for path, *about in found:
            yield Option(_row(printable(path.name), _joined(about, room - 27), room), id=str(path))
        yield _heading("Recipes: start anew")
        for name, description in recipes():
            yield Option(_row(name, description, room), id=name)

    def on_resize(self) -> None:
        """Shrink the list so that the field below it stays visible."""
        self.query_one(OptionList).styles.max_height = max(2, self.app.size.height * 95 // 100 - 8)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)


def _heading(text: str) -> Option:
    return Option(Text(text, palette.ACCENT_BOLD), disabled=True)


def _row(name: str, about: str, room: int) -> Text:
    return Text.assemble((f"  {padded(clip(name, 24), 25)}", "bold"), clip(about, room - 27))


def recipes() -> list[tuple[str, str]]:
    """Name and description of each recipe that ships."""
    from tinynets.recipes.catalog import list_recipes  # the app starts sooner without it

    return [(info.name, info.description) for info in list_recipes()]


def _joined(about: list[str], room: int) -> str:
    """As many of the parts as fit, each whole: the size (last) is left out first, then the date."""
    shown = about[0]
    made = padded(shown, 34) if 34 + sum(len(more) + 2 for more in about[1:]) <= room else shown
    for more in about[1:]:
        if columns(made) + 2 + len(more) > room:
            break
        made += f"  {more}"
    return made


def saves() -> list[tuple[Path, str, str, str]]:
    """The saves in the usual places, newest first: what each holds, when it was written, how large it is."""
    from tinynets.storage.catalog import list_headers, size_text  # the app starts sooner without it

    return [(entry.path, entry.holds, entry.when, size_text(entry.size)) for entry in list_headers()]
