"""What the lab remembers from one time to the next: the last source, where the cursor was, whether the tour was seen.

It is a small file in the user's state folder. Nothing depends on it: a file that is damaged is set aside with a word,
and one that cannot be written is not written. Two labs at once each read it again before they write their own part.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tinynets.storage.locks import state_folder

MOST = 100
"""How many sources are remembered; the oldest are forgotten first."""
MOST_BYTES = 2**20


@dataclass(frozen=True)
class Place:
    """Where someone was in a source: the cursor, and the pane with the focus."""

    block: str = ""
    unit: int = 0
    example: int = 0
    row: int = 0
    pane: str = ""


@dataclass(frozen=True)
class Memory:
    """The content of the file."""

    tour: bool = False
    """Whether the tour was begun once."""
    last: str = ""
    """The recipe or save that was opened last."""
    theme: str = ""
    places: Mapping[str, Place] | None = None
    """Source -> where one was in it, the latest last."""
    damage: str = ""
    """Why the file could not be read; empty if it could, or if there is none."""


class StateFile:
    """The file; without a path, it forgets everything when the lab ends."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._memory = read(path) if path else Memory()

    @classmethod
    def of_user(cls) -> StateFile:
        return cls(state_folder() / "lab.json")

    @property
    def memory(self) -> Memory:
        return self._memory

    @property
    def first_time(self) -> bool:
        """Whether no lab was ever opened here, as far as is known."""
        return not (self._memory.tour or self._memory.last or self._memory.damage)

    def remember(self, **changes: Any) -> None:
        """Change some of it, and write it; what other labs have written meanwhile stays."""
        fresh = self._memory if self._path is None else read(self._path)
        self._memory = replace(fresh, damage="", **changes)
        self._write()

    def place_of(self, source: str) -> Place | None:
        return (self._memory.places or {}).get(key_of(source))

    def put_place(self, source: str, place: Place) -> None:
        """Remember where someone was in a source."""
        fresh = self._memory if self._path is None else read(self._path)
        places = {name: kept for name, kept in (fresh.places or {}).items() if name != key_of(source)}
        places[key_of(source)] = place
        self._memory = replace(fresh, damage="", places=dict(list(places.items())[-MOST:]))
        self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        content = json.dumps({name: value for name, value in asdict(self._memory).items() if name != "damage"})
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                beside.write_text(content, "utf-8")
                os.replace(beside, self._path)
            finally:
                beside.unlink(missing_ok=True)


def key_of(source: str) -> str:
    """A recipe's name, or a file's whole path."""
    return os.path.realpath(source) if os.path.exists(source) else source


def read(path: Path) -> Memory:
    """The content of a file, as far as it is right; never raises."""
    try:
        with open(path, "rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Memory()
    except OSError as error:
        return Memory(damage=f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}")
    try:
        if len(content) > MOST_BYTES:
            raise ValueError
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return Memory(damage=f"`{path}` is damaged: what the lab remembered is forgotten")
    return Memory(
        tour=found.get("tour") is True,
        last=_text(found.get("last")),
        theme=_text(found.get("theme")),
        places=_places(found.get("places")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 2**31 else 0


def _places(value: Any) -> dict[str, Place]:
    found = value.items() if isinstance(value, dict) else ()
    return {
        source: Place(
            _text(entry.get("block")),
            _number(entry.get("unit")),
            _number(entry.get("example")),
            _number(entry.get("row")),
            _text(entry.get("pane")),
        )
        for source, entry in found
        if isinstance(entry, dict)
    }
