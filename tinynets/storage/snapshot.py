"""The order of the records in a whole save; docs/save-format.md says what each of them means.

Any part of them from the beginning is a readable past: a branch comes after its parent, and an edit after the losses of
the steps before it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinynets.data import Dataset
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment
from tinynets.history.timeline import Timeline
from tinynets.recipes.recipe import Recipe
from tinynets.storage.data_record import data_record
from tinynets.storage.header import header_record
from tinynets.storage.keyframes import keyframe_record, spaced_keyframes
from tinynets.storage.records import Record
from tinynets.storage.timeline_records import (
    MAX_ACTIONS,
    bookmark_record,
    branch_record,
    evaluations_record,
    history_records,
    position_record,
)
from tinynets.storage.user_code import recipe_record
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
    """The records of a whole run; `kind` is `save` or `journal`, `path` the save that a journal belongs to."""
    yield header_record(recipe, timeline, position, live, kind=kind, path=path)
    yield recipe_record(recipe)
    yield data_record(data, recipe)
    order = [timeline.branches[entry.number] for entry in timeline.tree()]
    children: dict[int | None, list[Branch]] = {}
    for branch in order:
        children.setdefault(branch.parent, []).append(branch)
    held = {branch.number: {id(entry) for entry in branch.evaluations} for branch in order}
    known: dict[int, set[int]] = {}
    for branch in order:
        yield branch_record(branch)
        if branch.parent is None:
            yield keyframe_record((0, 0), [branch.number], branch.keyframes[0, 0])
        shared = (branch.fork, branch.shared) if branch.parent is not None else (0, 0)
        yield from history_records(branch, *shared)
        inherited, left_by = known.get(branch.number, set()), children.get(branch.number, [])
        early = [  # what a forked branch does not share comes after the fork
            entry
            for entry in branch.evaluations
            if id(entry) not in inherited
            and not any(child.inherits(entry) and id(entry) not in held[child.number] for child in left_by)
        ]
        if early:
            yield evaluations_record(branch.number, early)
        known[branch.number] = inherited = inherited.union(map(id, early))
        for child in left_by:
            known[child.number] = {id(e) for e in branch.evaluations if id(e) in inherited and child.inherits(e)}
    for branch in order:
        late = [entry for entry in branch.evaluations if id(entry) not in known[branch.number]]
        if late:
            yield evaluations_record(branch.number, late)
    yield from spaced_keyframes(timeline, position, live, all_of_them=data.missing is not None)
    yield from map(bookmark_record, timeline.bookmarks.values())
    yield position_record(position, timeline.actions[-MAX_ACTIONS:], timeline.undone_ends())
