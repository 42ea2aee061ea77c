"""Edits, as small immutable records, and what an operation is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinynets.foreign_text import printable
from tinynets.numerics.arrays import Values
from tinynets.system.paths import restored, stored

POSITIONAL = frozenset({"value", "to", "factor", "sigma", "over", "bits", "share", "by", "other", "count", "kind"})
"""Arguments that a line of Python gives without their names, where they come first."""
HIDDEN = frozenset({"ordinal"})
"""What an edit holds so that it is done again exactly, and no line of Python says."""
SOURCES = ("branch", "bookmark", "save")
"""Arguments that say from where else values came."""
DERIVED = frozenset({"example", "input", "over", "examples", "toward", "away", *SOURCES})
"""Arguments from which values follow, where the moment is the same."""


@dataclass(frozen=True)
class Edit:
    """One operation with its arguments resolved: `zero` on `hidden[3]`, `set` of lr to 0.01."""

    op: str
    target: str
    """A selector in its shortest form, or the name of a setting."""
    args: dict[str, Any] = field(default_factory=dict)

    def python(self) -> str:
        """The line of Python that does it, where the moment is the same."""
        derived = bool(DERIVED & self.args.keys())
        return self._line({key: value for key, value in self.args.items() if key != "values" or not derived})

    def script(self) -> str:
        """The line of Python that does it with nothing beyond this branch: what came from elsewhere is written out."""
        if not any(source in self.args for source in SOURCES):
            return self.python()
        left = {key: value for key, value in self.args.items() if key == "values" or key not in DERIVED}
        return self._line(left)

    def _line(self, args: Mapping[str, Any]) -> str:
        shown = [(name, value) for name, value in args.items() if name not in HIDDEN]
        parts = [literal(self.target)]
        for place, (name, value) in enumerate(shown):
            parts.append(literal(value) if place == 0 and name in POSITIONAL else f"{name}={literal(value)}")
        return f"lab.{self.op}({', '.join(parts)})"

    def config(self) -> dict[str, Any]:
        """Plain data and arrays."""
        args: dict[str, Any] = dict(self.args)
        args |= {key: value.array for key, value in args.items() if isinstance(value, Values)}
        if isinstance(args.get("save"), str):
            args["save"] = stored(args["save"])
        return {"op": self.op, "target": self.target, "args": args}

    def __hash__(self) -> int:
        return hash((self.op, self.target, repr(sorted(self.args.items()))))


def edit_from(config: Mapping[str, Any]) -> Edit:
    """An edit from plain data, as `Edit.config` gives it."""
    args: dict[str, Any] = {
        key: Values(value) if isinstance(value, np.ndarray) else value for key, value in config["args"].items()
    }
    if isinstance(args.get("save"), bytes):
        args["save"] = restored(args["save"])
    return Edit(config["op"], config["target"], args)


def literal(value: Any) -> str:
    """A plain value as Python code, text in double quotes."""
    return printable(json.dumps(value, ensure_ascii=False)) if isinstance(value, str) else repr(value)
