"""Branches, losses, edits, evaluations and bookmarks as records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import nan

import numpy as np

from tinynets.history.branch import Branch
from tinynets.history.evaluation import Evaluation
from tinynets.history.moment import Bookmark, Moment, RecordedEdit
from tinynets.nn.plugins import own_layers
from tinynets.storage.fields import RecordFields
from tinynets.storage.keyframes import _own
from tinynets.storage.records import Record

EDITS_A_RECORD = 1000
MAX_ACTIONS = 1000


# -- branches


def branch_record(branch: Branch) -> Record:
    return {
        "record": "branch",
        "number": branch.number,
        "name": branch.name,
        "parent": branch.parent,
        "fork": branch.fork if branch.parent is not None else 0,
        "shared": branch.shared if branch.parent is not None else 0,
    }


def losses_record(branch: Branch, first: int, end: int) -> Record:
    """The losses of the steps behind `first`, through `end`."""
    return {"record": "losses", "branch": branch.number, "first": first, "values": branch.losses.part(first, end)}


def edits_record(branch: Branch, first: int, through: int) -> Record:
    """The edits from index `first`, before `through`."""
    edits = branch.edits[first:through]
    switched = [entry.edit.args for entry in edits if entry.edit.op == "activation"]
    own = own_layers([{"kind": args.get("to")} for args in switched])
    return {"record": "edits", "branch": branch.number, "edits": list(map(_placed, edits)), **_own(own)}


def _placed(entry: RecordedEdit) -> Record:
    return {
        "step": entry.step,
        "edit": entry.edit.config(),
        "done": entry.done,
        "before": entry.before,
        "after": entry.after,
    }


def _history(branch: Branch) -> Iterator[Record]:
    """Losses and edits beyond what a branch shares, the losses up to an edit's step before that edit."""
    losses, edits = (branch.fork, branch.shared) if branch.parent is not None else (0, 0)
    while edits < len(branch.edits):
        step = branch.edits[edits].step
        if step > losses:
            yield losses_record(branch, losses, step)
            losses = step
        through = min(branch.edits_through(step), edits + EDITS_A_RECORD)
        yield edits_record(branch, edits, through)
        edits = through
    if losses < len(branch.losses):
        yield losses_record(branch, losses, len(branch.losses))


def _evaluations(branch: int, entries: Sequence[Evaluation]) -> Iterator[Record]:
    if entries:
        yield evaluations_record(branch, entries)


def evaluations_record(branch: int, entries: Sequence[Evaluation]) -> Record:
    """Evaluations, column by column; an accuracy that is not known is NaN."""
    splits = sorted({entry.split for entry in entries})
    return {
        "record": "evaluations",
        "branch": branch,
        "splits": splits,
        "split": np.array([splits.index(entry.split) for entry in entries], np.int64),
        "step": np.array([entry.step for entry in entries], np.int64),
        "edits": np.array([entry.edits for entry in entries], np.int64),
        "examples": np.array([entry.examples for entry in entries], np.int64),
        "loss": np.array([entry.loss for entry in entries], np.float64),
        "accuracy": np.array([nan if e.accuracy is None else e.accuracy for e in entries], np.float64),
        "clean": np.array([entry.clean for entry in entries], np.bool_),
    }


def rename_record(branch: Branch) -> Record:
    return {"record": "rename", "branch": branch.number, "name": branch.name}


def drop_record(number: int) -> Record:
    return {"record": "drop", "branch": number}


# -- places


def bookmark_record(mark: Bookmark) -> Record:
    branch, step, edits = mark.moment
    return {"record": "bookmark", "name": mark.name, "note": mark.note, "branch": branch, "step": step, "edits": edits}


def unbookmark_record(name: str) -> Record:
    return {"record": "unbookmark", "name": name}


def position_record(
    position: Moment, actions: Iterable[tuple[Moment, Moment]], undone: Iterable[Moment] = ()
) -> Record:
    """Where the lab stands, and the actions that undo goes back over: the moment before each, and that behind it.

    `undone`: of branches on which edits were undone, the moment before those.
    """
    ends = [list(moment) for moment in undone]
    rows = [[*before, *after] for before, after in actions]
    return {
        "record": "position",
        "branch": position.branch,
        "step": position.step,
        "edits": position.edits,
        "actions": np.array(rows, np.int64).reshape(-1, 6),
        **({"undone": np.array(ends, np.int64)} if ends else {}),
    }


def read_evaluations(fields: RecordFields, end: Moment | None) -> list[Evaluation]:
    """Evaluations from their columns, in the order of their steps; none behind `end`, where it is given."""
    splits = fields.get("splits", list)
    if not all(isinstance(split, str) for split in splits):
        fields.wrong("`splits` must be names")
    which = fields.array("split", np.int64, (None,))
    shape = which.shape
    split = which.tolist()
    step, edits, examples = (fields.array(key, np.int64, shape).tolist() for key in ("step", "edits", "examples"))
    loss = fields.array("loss", np.float64, shape).tolist()
    accuracy = fields.array("accuracy", np.float64, shape, finite=False).tolist()
    clean = fields.array("clean", np.bool_, shape).tolist()
    if not split:
        return []
    if not (min(split) >= 0 and max(split) < len(splits)):
        fields.wrong("`split` points at a name that is not there")
    if min(map(min, (step, edits, examples))) < 0:
        fields.wrong("steps, edits and examples must be 0 or more")
    if end is not None and (max(step) > end.step or max(edits) > end.edits):
        fields.wrong(f"there are evaluations behind the end of the branch, step {end.step} with {end.edits} edits")
    if any(later < earlier for earlier, later in pairwise(step)):
        fields.wrong("steps must not go back")
    columns = split, step, loss, accuracy, examples, clean, edits
    return [
        Evaluation(splits[number], at, value, None if right != right else right, count, bare, done)
        for number, at, value, right, count, bare, done in zip(*columns, strict=True)
    ]
