"""What can be opened: recipes, saves, and what labs that ended unsaved have left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time

from tinynets.foreign_text import printable

RECIPE, SAVE, LOST = "recipe", "save", "lost"
TITLES = {
    LOST: "Not saved, and still there",
    SAVE: "Saves: go on where you were",
    RECIPE: "Recipes: start anew",
}
"""The kinds in the order in which they are listed."""


@dataclass(frozen=True)
class Openable:
    """One source."""

    kind: str
    source: str
    name: str
    about: str
    data: str = ""
    widths: tuple[int, ...] = ()
    """What its picture is drawn from: the data set and the widths of the layers of its recipe."""

    def matches(self, words: Sequence[str]) -> bool:
        text = f"{self.name} {self.about}".lower()
        return all(word in text for word in words)


def everything(last: str = "") -> list[Openable]:
    """All that can be opened, in the order in which it is listed; the source that was opened last is marked."""
    from tinynets.recipes.catalog import list_recipes  # the app starts sooner without it

    recipes = {info.name: Openable(RECIPE, info.name, info.name, info.description, info.data, info.widths)
               for info in list_recipes()}  # fmt: skip
    found = [*_lost(recipes), *_saves(recipes, last), *recipes.values()]
    return sorted(found, key=lambda entry: list(TITLES).index(entry.kind))


def _saves(recipes: dict[str, Openable], last: str) -> list[Openable]:
    """The saves of the usual folders and the one that was open last, newest first."""
    from tinynets.storage.catalog import list_headers, listed  # the app starts sooner without it

    entries = list_headers()
    if last and last not in recipes and all(Path(last) != entry.path.absolute() for entry in entries):
        entries = [*listed([Path(last)]), *entries]
    made = []
    for entry in entries:
        header = entry.header
        told = [entry.holds, *filter(None, [entry.loss]), age(time() - entry.modified)]
        of = recipes.get(header.recipe) if header else None
        made.append(_drawn_as(of, SAVE, str(entry.path), printable(entry.name), ", ".join(told)))
    return made


def _lost(recipes: dict[str, Openable]) -> list[Openable]:
    from tinynets.storage.recovery import recoverable  # the app starts sooner without it

    return [
        _drawn_as(
            recipes.get(entry.recipe), LOST, str(entry.file), printable(entry.recipe), str(entry).partition(" ")[2]
        )
        for entry in recoverable()
    ]


def _drawn_as(recipe: Openable | None, kind: str, source: str, name: str, about: str) -> Openable:
    """A source with the picture of its recipe, where that is known."""
    return Openable(kind, source, name, about, recipe.data if recipe else "", recipe.widths if recipe else ())


def lost_count() -> int:
    """How many labs that ended unsaved have left something behind."""
    from tinynets.storage.recovery import recoverable  # the app starts sooner without it

    return len(recoverable())


def age(seconds: float) -> str:
    """How long ago, in one unit: 5 minutes ago."""
    for size, word in ((86400 * 365, "year"), (86400 * 30, "month"), (86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {word}{'s' if count != 1 else ''} ago"
    return "just now"
