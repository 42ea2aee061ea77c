"""A throw-away operation and verb, each added in only two places: its registry entry, and its method of Lab."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import pytest

import tinynets as tn
from tinynets.edits.activations import intervening
from tinynets.edits.arguments import number
from tinynets.edits.edit import OPERATIONS, Edit, Operation
from tinynets.edits.kinds import FLAG, LEARNED, NUMBER, SPLIT, WHOLE, Argument
from tinynets.edits.registry import register
from tinynets.edits.values import Arguments
from tinynets.jobs import Job, Progress
from tinynets.lab import verbs
from tinynets.lab.inspector import Inspector
from tinynets.lab.reports import EditReport
from tinynets.lab.verb import verb
from tinynets.nn.interventions import KINDS, InterventionKind
from tinynets.nn.network import Network
from tinynets.nn.selectors import select
from tinynets.training.state import State

# -- the entries of operations, as they would be in the files of their families


def _resolve(network: Network, state: State, target: str, args: Arguments) -> Edit:
    factor = number("dampen", args, "factor")
    return Edit("dampen", str(select(network, target)), {**args, "factor": factor})


def _apply(network: Network, state: State, edit: Edit) -> str:
    selector = select(network, edit.target)
    places = network.unit_indices(network.block(selector.block), selector.units)
    state.theta[places] *= edit.args["factor"]
    return f"{selector} dampened by {edit.args['factor']:g}"


DAMPEN = Operation(
    "dampen",
    "parameter",
    LEARNED,
    "multiply what units have learned",
    (Argument("factor", NUMBER.called("FACTOR"), required=True, named=False, example="0.5"), Argument("twice", FLAG)),
    _resolve,
    _apply,
    lambda network, edit: number("dampen", edit.args, "factor"),
)


LIFT = intervening(
    "lift",
    "lifted by {amount:g}",
    "add a number to units' activations",
    Argument("by", NUMBER.called("BY"), required=True, named=False, example="1"),
    kind=InterventionKind("adds"),
)

FADE = intervening(
    "fade",
    "faded by {amount:g}",
    "multiply units' activations",
    Argument("factor", NUMBER.called("FACTOR"), required=True, named=False, example="0.5"),
    kind=InterventionKind("multiplies"),
)


# -- their methods of Lab


def dampen(lab: tn.Lab, selector: str, factor: float, *, twice: bool = False) -> EditReport:
    return lab._edit("dampen", selector, factor=factor, twice=twice)


def lift(lab: tn.Lab, selector: str, by: float) -> EditReport:
    return lab._edit("lift", selector, by=by)


def fade(lab: tn.Lab, selector: str, factor: float) -> EditReport:
    return lab._edit("fade", selector, factor=factor)


# -- a verb, as it would be in the part of a lab that does it, and its method of Lab


@verb("looking", "count the examples of a split", lets_run=True, shows=True)
def tally(self: Inspector, split: Annotated[str, SPLIT] = "train", *, every: Annotated[int, WHOLE] = 1) -> Job[str]:
    x, _ = self._experiment.split(split)
    yield Progress(len(x), len(x), "examples")
    return f"{len(x) // every} examples"


def lab_tally(lab: tn.Lab, split: str = "train", *, every: int = 1) -> str:
    return lab._do(lab._inspector.tally(split, every=every))  # type: ignore[attr-defined,no-any-return]


@contextmanager
def registered() -> Iterator[None]:
    """The library with the two added: what is collected at import is collected again."""
    tables: tuple[dict[str, object], ...] = (OPERATIONS, KINDS, verbs.VERBS)  # type: ignore[assignment]
    before = [dict(table) for table in tables]
    try:
        with pytest.MonkeyPatch.context() as patch:
            register(DAMPEN)
            register(LIFT)
            register(FADE)
            patch.setattr(tn.Lab, "dampen", dampen, raising=False)
            patch.setattr(tn.Lab, "lift", lift, raising=False)
            patch.setattr(tn.Lab, "fade", fade, raising=False)
            patch.setattr(Inspector, "tally", tally, raising=False)
            patch.setattr(tn.Lab, "tally", lab_tally, raising=False)
            verbs.VERBS.update(verbs.gather())
            yield
    finally:
        for table, kept in zip(tables, before, strict=True):
            table.clear()
            table.update(kept)
