"""Edits, which are small immutable records, and the operations that apply them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinynets.edits.kinds import ELSEWHERE, FLAG, ORDINAL, Argument, Target, usage
from tinynets.edits.values import Arguments, Bench
from tinynets.errors import EditError
from tinynets.foreign_text import printable
from tinynets.jobs import Job
from tinynets.nn.interventions import InterventionKind
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Values
from tinynets.system.paths import restored, stored
from tinynets.training.state import State


@dataclass(frozen=True)
class Edit:
    """One operation with resolved arguments: `zero` on `hidden[3]`, `set` of lr to 0.01."""

    op: str
    target: str
    """A selector in its shortest form, or the name of a setting."""
    args: dict[str, Any] = field(default_factory=dict)

    def python(self) -> str:
        """The line of Python that does the same at the same moment."""
        known = self._known()
        derived = any(name in known and known[name].derives for name in self.args)
        return self._line({name: value for name, value in self.args.items() if name != "values" or not derived})

    def script(self) -> str:
        """The line of Python that does the same with this branch alone: values from elsewhere are written out."""
        known = self._known()
        if not any(name in known and known[name].kind in ELSEWHERE for name in self.args):
            return self.python()
        return self._line(
            {name: value for name, value in self.args.items() if name not in known or not known[name].derives}
        )

    def _known(self) -> dict[str, Argument]:
        operation = OPERATIONS.get(self.op)
        return {} if operation is None else {argument.name: argument for argument in operation.arguments}

    def _line(self, args: Mapping[str, Any]) -> str:
        known = self._known()
        shown = [(name, value) for name, value in args.items() if name not in known or not known[name].hidden]
        parts = [literal(self.target)]
        for place, (name, value) in enumerate(shown):
            placed = place == 0 and name in known and not known[name].named
            parts.append(literal(value) if placed else f"{name}={literal(value)}")
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
    """Make an edit from plain data, as `Edit.config` returns it."""
    args: dict[str, Any] = {
        key: Values(value) if isinstance(value, np.ndarray) else value for key, value in config["args"].items()
    }
    if isinstance(args.get("save"), bytes):
        args["save"] = restored(args["save"])
    return Edit(config["op"], config["target"], args)


def literal(value: Any) -> str:
    """A plain value as Python code, with text in double quotes."""
    return printable(json.dumps(value, ensure_ascii=False)) if isinstance(value, str) else repr(value)


@dataclass(frozen=True)
class Operation:
    """An operation that can be applied to a network in training.

    `target` is what it acts on, `arguments` are the other arguments. They determine the usage text, the parsing and
    completion of command lines, whether it fits a unit, and the line of Python.
    `resolve(network, state, target, args)` checks and gives the Edit; `check(network, edit)` checks one from a file as
    far as possible without a state; `apply(network, state, edit)` applies it to a State and returns what was done
    ("hidden[3] zeroed"). Applying the same edit to the same state gives the same bytes. `after(network, edit)`, for an
    operation that changes layers, is a network with the layers after it, to be looked at only.
    `apply_all(network, state, edits)` applies several edits (of all operations that share it) in work in proportion to
    what they name, with exactly the same bytes as one after the other.
    `values(bench, target, args)` computes `values` where needed: it returns the arguments to record.
    `open_ended`: it takes arguments of any name and checks them itself.
    """

    name: str
    family: str
    target: Target
    help: str
    arguments: tuple[Argument, ...]
    resolve: Callable[[Network, State, str, Arguments], Edit]
    apply: Callable[[Network, State, Edit], str]
    check: Callable[[Network, Edit], object]
    values: Callable[[Bench, str, Arguments], Job[Arguments]] | None = None
    after: Callable[[Network, Edit], Network] | None = None
    apply_all: Callable[[Network, State, Sequence[Edit]], str] | None = None
    open_ended: bool = False
    intervention: InterventionKind | None = None
    """The kind of intervention that it adds."""
    done: str = ""
    """What it did, in words after the units: "clamped to {amount:g}"."""

    @property
    def typed(self) -> tuple[Argument, ...]:
        """The arguments that can be typed: the target, then those that are not hidden."""
        first = Argument(self.target.argument, self.target, required=True, named=False)
        return (first, *(argument for argument in self.arguments if not argument.hidden))

    @property
    def usage(self) -> str:
        """How it is written on a command line."""
        return usage(self.name, self.typed, open_ended=self.open_ended)

    def given(self, args: Mapping[str, Any], ordinal: int) -> Arguments:
        """The arguments of a call without defaults, with the edit's number if it draws random numbers."""
        known = {argument.name: argument for argument in self.arguments}
        said = {}
        for name, value in args.items():
            argument = known.get(name)
            silent = argument is not None and (
                (value is None and argument.default is None and not argument.required)
                or (value is False and argument.kind is FLAG)
            )
            if not silent:
                said[name] = value
        return {**said, ORDINAL.name: ordinal} if ORDINAL in self.arguments else said

    def reject_unknown(self, args: Mapping[str, Any]) -> None:
        """Raise EditError for an argument that it does not take."""
        known = {argument.name: argument for argument in self.arguments}
        for name in args:
            if name not in known and not self.open_ended:
                takes = ", ".join(name for name in known if not known[name].hidden) or "no arguments"
                raise EditError(f"`{self.name}` takes {takes}, not `{name}`")


OPERATIONS: dict[str, Operation] = {}
"""Name -> operation; `registry.py` gathers them from their families."""
