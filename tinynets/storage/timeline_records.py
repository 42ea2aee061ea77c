"""Writes and reads the records of branches, losses, edits, evaluations, bookmarks and the position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import nan
from typing import Any, NamedTuple

import numpy as np

from tinynets.edits.edit import OPERATIONS, edit_from
from tinynets.errors import UnsupportedSave
from tinynets.history.branch import Branch
from tinynets.history.evaluation import Evaluation
from tinynets.history.moment import MAX_NOTE, Bookmark, Moment, RecordedEdit
from tinynets.numerics.arrays import Array
from tinynets.storage.fields import MAX_NUMBER, RecordFields
from tinynets.storage.records import Record
from tinynets.storage.user_code import named_layers

EDITS_A_RECORD = 1000
MAX_ACTIONS = 1000

Branches = Mapping[int, Branch]
"""By their numbers."""


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


def read_branch(fields: RecordFields, branches: Branches, names: set[str]) -> tuple[int, str]:
    """Number and name of a new branch."""
    number, name = fields.whole("number", 0, MAX_NUMBER), fields.name("name")
    if number in branches or name in names:
        fields.wrong(f"`{name}` ({number}) is there twice")
    return number, name


def read_fork(fields: RecordFields, branches: Branches) -> Moment | None:
    """The branch and the moment that a branch was forked from; None without a parent."""
    if fields.record.get("parent") is None:
        return None
    parent = branch_of(fields, branches, "parent")
    step = fields.whole("fork", 0, len(parent.losses))
    return Moment(
        parent.number, step, fields.whole("shared", parent.edits_through(step - 1), parent.edits_through(step))
    )


def branch_of(fields: RecordFields, branches: Branches, key: str = "branch") -> Branch:
    """The branch whose number is under that key of a record."""
    return numbered(fields, branches, fields.whole(key, 0, MAX_NUMBER))


def numbered(fields: RecordFields, branches: Branches, number: int) -> Branch:
    if number not in branches:
        fields.wrong(f"there is no branch {number}")
    return branches[number]


def rename_record(branch: Branch) -> Record:
    return {"record": "rename", "branch": branch.number, "name": branch.name}


def read_rename(fields: RecordFields, branches: Branches, names: set[str]) -> tuple[Branch, str]:
    """A branch and its new name, which no other branch has."""
    branch, name = branch_of(fields, branches), fields.name("name")
    if name in names:
        fields.wrong(f"there is a branch `{name}` already")
    return branch, name


def drop_record(number: int) -> Record:
    """A branch that is forgotten. Journals hold it; this version begins a journal anew instead."""
    return {"record": "drop", "branch": number}


# -- losses and edits


def history_records(branch: Branch, losses: int, edits: int) -> Iterator[Record]:
    """Losses and edits after the first `losses` and `edits`; the losses up to an edit's step come before the edit."""
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


def losses_record(branch: Branch, first: int, end: int) -> Record:
    """The losses of the steps after `first`, through `end`."""
    return {"record": "losses", "branch": branch.number, "first": first, "values": branch.losses.part(first, end)}


def read_losses(fields: RecordFields, branches: Branches, dtype: Any) -> tuple[Branch, Array]:
    """Losses, and the branch that they continue."""
    branch = branch_of(fields, branches)
    fields.whole("first", len(branch.losses), len(branch.losses))
    return branch, fields.array("values", dtype, (None,))


def edits_record(branch: Branch, first: int, through: int) -> Record:
    """The edits from index `first` up to, but not including, `through`."""
    edits = branch.edits[first:through]
    switched = [{"kind": entry.edit.args.get("to")} for entry in edits if entry.edit.op == "activation"]
    return {"record": "edits", "branch": branch.number, "edits": list(map(_placed, edits)), **named_layers(switched)}


def _placed(entry: RecordedEdit) -> Record:
    return {
        "step": entry.step,
        "edit": entry.edit.config(),
        "done": entry.done,
        "before": entry.before,
        "after": entry.after,
        **({"phase": entry.phase} if entry.phase else {}),
    }


def read_edits(fields: RecordFields) -> list[Any]:
    """The entries of a record of edits, each for `read_edit`, which needs to know the edits before it."""
    entries: list[Any] = fields.get("edits", list)
    return entries


def read_edit(file: str, entry: Any, first: int, last: int) -> RecordedEdit:
    """An edit at a step from `first` to `last`; it is not checked against its network."""
    fields = RecordFields(file, entry, "an edit")
    step, edit = fields.whole("step", first, last), fields.inner("edit", "an edit")
    config = {"op": edit.get("op", str), "target": edit.get("target", str), "args": edit.get("args", dict)}
    if config["op"] not in OPERATIONS:
        raise UnsupportedSave(f"`{file}` has an edit `{config['op']}`, which this version does not know")
    phase = fields.optional("phase", str) or ""
    if len(phase) > MAX_NOTE:
        fields.wrong(f"`phase` must be at most {MAX_NOTE:,} characters, not {len(phase):,}")
    before, after = fields.get("before", float), fields.get("after", float)
    return RecordedEdit(step, edit_from(config), fields.get("done", str), before, after, phase)


# -- evaluations


def evaluations_record(branch: int, entries: Sequence[Evaluation]) -> Record:
    """Evaluations, column by column; an unknown accuracy is NaN."""
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


def read_evaluations(fields: RecordFields, end: Moment | None) -> list[Evaluation]:
    """Evaluations from their columns, in the order of their steps; none after `end`, if it is given."""
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


# -- places


def bookmark_record(mark: Bookmark) -> Record:
    branch, step, edits = mark.moment
    return {"record": "bookmark", "name": mark.name, "note": mark.note, "branch": branch, "step": step, "edits": edits}


def read_bookmark(fields: RecordFields, branches: Branches) -> Bookmark:
    numbers = _moment_numbers(fields)
    name, note = fields.name("name"), fields.get("note", str)
    if len(note) > MAX_NOTE:
        fields.wrong(f"`note` must be at most {MAX_NOTE:,} characters, not {len(note):,}")
    return Bookmark(name, note, _moment(fields, branches, numbers))


def unbookmark_record(name: str) -> Record:
    return {"record": "unbookmark", "name": name}


def position_record(
    position: Moment, actions: Iterable[tuple[Moment, Moment]], undone: Iterable[Moment] = ()
) -> Record:
    """The position of the lab, and the actions for undo: the moments before and after each.

    `undone`: for branches with undone edits, the moment before those edits.
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


class Position(NamedTuple):
    """The contents of a position record, as `position_record` takes them."""

    moment: Moment
    actions: list[tuple[Moment, Moment]]
    undone: list[Moment]


def read_position(fields: RecordFields, branches: Branches) -> Position:
    moment = _moment(fields, branches, _moment_numbers(fields))
    rows = fields.array("actions", np.int64, (None, 6))[-MAX_ACTIONS:].tolist()
    undone = fields.array("undone", np.int64, (None, 3)).tolist() if "undone" in fields.record else []
    ends = [_moment(fields, branches, row) for row in undone]
    if any(end.edits >= len(branches[end.branch].edits) for end in ends):
        fields.wrong("`undone` must be moments before edits")
    actions = [(_moment(fields, branches, row[:3]), _moment(fields, branches, row[3:])) for row in rows]
    return Position(moment, actions, ends)


def _moment_numbers(fields: RecordFields) -> list[int]:
    return [fields.get(key, int) for key in ("branch", "step", "edits")]


def _moment(fields: RecordFields, branches: Branches, numbers: Sequence[int]) -> Moment:
    moment = Moment(*numbers)
    branch = numbered(fields, branches, moment.branch)
    lowest, highest = branch.edits_through(moment.step - 1), branch.edits_through(moment.step)
    if not 0 <= moment.step <= len(branch.losses) or not lowest <= moment.edits <= highest:
        fields.wrong(f"step {moment.step} with {moment.edits} edits is no moment of branch `{branch.name}`")
    return moment
