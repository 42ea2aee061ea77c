"""A fake engine whose names, labels, notes and messages are hostile, or just in an unusual script."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from fake import FakeEngine

from tinynets.server import frame as f

NAMES = {
    "closing tag": "[/]",
    "tag": "[red]x[/red]",
    "action": "[@click=app.quit]x[/]",
    "open tag": "[b",
    "clipboard": "a\x1b]52;c;aGk=\x07b",
    "C1": "\x9b31mx\x9d",
    "lines": "a\nb\tc\rd\x0b\x85\u2028",
    "bidi": "\u202eabc\u2066",
    "unseen": "x\u200by\u3164\ufe0f\x7f\xad",
    "marks": "\u0301e" + "\u0301" * 40,
    "wide": "日本語" * 12,
    "long": "long" * 60,
    "surrogate": "x\udce9y",
    "right to left": "שלום עולם",
}

NAMED = frozenset(
    {"recipe", "branch", "note", "path", "name", "summary", "block", "phase_block", "title", "rows", "examples"}
    | {"label", "outgoing", "input", "labels", "samples", "text", "parent", "splits", "standing", "evaluations"}
    | {"activation"}
)
"""The fields of a frame that hold names."""


class ForeignEngine(FakeEngine):
    """Adds the foreign name to every name in a frame."""

    foreign = ""

    def frame(self) -> f.Frame:
        view = replace(self.view, block=self.view.block.removesuffix(self.foreign))
        own, self.view = self.view, view
        made = super().frame()
        self.view = own
        return _named(made, self.foreign)


def _named(thing: Any, name: str) -> Any:
    changed = {}
    for entry in fields(thing):
        value = getattr(thing, entry.name)
        if entry.name in NAMED and not (isinstance(thing, f.TimelineStrip) and entry.name == "evaluations"):
            value = _with(value, name)
        elif is_dataclass(value):
            value = _named(value, name)
        elif isinstance(value, tuple) and any(map(is_dataclass, value)):
            value = tuple(_named(part, name) for part in value)
        changed[entry.name] = value
    return replace(thing, **changed)


def _with(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value + name if value else value
    if isinstance(value, dict):
        return {key + name: part for key, part in value.items()}
    return tuple(_with(part, name) for part in value) if isinstance(value, tuple) else value
