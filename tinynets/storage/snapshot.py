"""The records that a save, or a journal, is made of; docs/save-format.md says what each of them means.

`snapshot` gives those of all that there is; the functions for single records are what a journal appends. They stand in
an order such that any part of them from the beginning is a past that can be read: a branch behind the one that it left,
an edit behind the losses of the steps before it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinynets.data import Dataset
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment
from tinynets.history.timeline import Timeline
from tinynets.nn.plugins import own_things
from tinynets.recipes.recipe import Recipe
from tinynets.storage.data_record import data_record
from tinynets.storage.header import header_record
from tinynets.storage.keyframes import _keyframes, keyframe_record
from tinynets.storage.records import Record
from tinynets.storage.timeline_records import (
    MAX_ACTIONS,
    _evaluations,
    _history,
    bookmark_record,
    branch_record,
    position_record,
)
from tinynets.training.state import State


def snapshot(
    recipe: Recipe,
    data: Dataset,
    timeline: Timeline,
    position: Moment,
    live: State,
    *,
    kind: str = "save",
    path: str = "",
) -> Iterator[Record]:
    """The records of all that there is; `kind` is `save` or `journal`, `path` the save that a journal belongs to."""
    yield header_record(recipe, timeline, position, live, kind=kind, path=path)
    yield {"record": "recipe", "config": recipe.config(), "own": own_things([recipe.layers], recipe.training.loss)}
    yield data_record(data, recipe)
    order = [timeline.branches[limb.number] for limb in timeline.tree()]
    children: dict[int | None, list[Branch]] = {}
    for branch in order:
        children.setdefault(branch.parent, []).append(branch)
    held = {branch.number: {id(entry) for entry in branch.evaluations} for branch in order}
    known: dict[int, set[int]] = {}
    for branch in order:
        yield branch_record(branch)
        if branch.parent is None:
            yield keyframe_record((0, 0), [branch.number], branch.keyframes[0, 0])
        yield from _history(branch)
        inherited, left_by = known.get(branch.number, set()), children.get(branch.number, [])
        early = [  # what a branch that leaves this one does not have comes when that has left
            entry
            for entry in branch.evaluations
            if id(entry) not in inherited
            and not any(child.inherits(entry) and id(entry) not in held[child.number] for child in left_by)
        ]
        yield from _evaluations(branch.number, early)
        known[branch.number] = inherited = inherited.union(map(id, early))
        for child in left_by:
            known[child.number] = {id(e) for e in branch.evaluations if id(e) in inherited and child.inherits(e)}
    for branch in order:
        late = [entry for entry in branch.evaluations if id(entry) not in known[branch.number]]
        yield from _evaluations(branch.number, late)
    yield from _keyframes(timeline, position, live, all_of_them=data.missing is not None)
    yield from map(bookmark_record, timeline.bookmarks.values())
    yield position_record(position, timeline.actions[-MAX_ACTIONS:], timeline.undone_ends())
