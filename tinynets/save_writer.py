"""The records that a save, or a journal, is made of; docs/save-format.md says what each of them means.

`snapshot` gives those of all that there is; the functions for single records are what a journal appends. They stand in
an order such that any part of them from the beginning is a past that can be read: a branch behind the one that it left,
an edit behind the losses of the steps before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from math import nan
from typing import Any

import msgpack
import numpy as np

from tinynets.canonical import canonical
from tinynets.data import Dataset
from tinynets.data.names import bytes_made
from tinynets.data.sample import sample_payload
from tinynets.layers import Layer, layer_from
from tinynets.paths import stored
from tinynets.plugins import own_layers, own_things
from tinynets.recipe import Recipe
from tinynets.records import Record
from tinynets.state import State
from tinynets.threads import fingerprint, settle_threads
from tinynets.timeline import Bookmark, Branch, Evaluation, Moment, Placed, Timeline

EMBED_LIMIT = 16 * 2**20  # bytes of data that a save carries itself
MADE_LIMIT = 48 * 2**20  # bytes of what is made of them
KEYFRAME_BYTES = 8 * 2**20  # bytes of keyframes that a save carries
SPACING = 2  # of so many keyframes in memory one is saved: what lies between is recomputed in about a tenth of a second
MAX_OWNERS = 100_000  # branches that the keyframes of a save name, all together
EDITS_A_RECORD = 1000
MAX_ACTIONS = 1000

Layout = list[list[Any]]
"""Names and shapes of arrays that lie one behind the other in a vector."""


@dataclass(frozen=True)
class Header:
    """What a save says of itself; None where a file of the first version does not say it."""

    recipe: str
    step: int
    branch: str
    parameters: int
    created: str
    version: str
    threads: int
    fingerprint: str
    kind: str = "save"
    end: int | None = None
    branches: int | None = None
    edits: int | None = None
    bookmarks: int | None = None
    loss: float | None = None
    numpy: str = ""
    path: str = ""
    elsewhere: bool = False


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


# -- what comes first


def header_record(
    recipe: Recipe, timeline: Timeline, position: Moment, live: State, *, kind: str = "save", path: str = ""
) -> Record:
    branch = timeline.branches[position.branch]
    header = Header(
        recipe.name,
        position.step,
        branch.name,
        live.theta.size,
        datetime.now(UTC).isoformat(timespec="seconds"),
        _version(),
        settle_threads(),
        fingerprint(),
        kind,
        len(branch.losses),
        len(timeline.branches),
        sum(len(entry.edits) - entry.shared for entry in timeline.branches.values()),
        len(timeline.bookmarks),
        float(branch.losses.part(position.step - 1, position.step)[0]) if position.step else None,
        np.__version__,
        path,
        timeline.elsewhere,
    )
    return {"record": "header", **asdict(header), "path": stored(path)}


def _version() -> str:
    try:
        return metadata.version("tinynets")
    except metadata.PackageNotFoundError:
        return "0"


def data_record(data: Dataset, recipe: Recipe) -> Record:
    """The data set whole, or its digest, where it was, and enough of it to look at a network with."""
    record: Record = {"record": "data", "name": data.name, "sha256": data.sha256, "path": stored(data.path) or None}
    if data.missing is None:
        payload = data.payload()
        if _size(payload) <= EMBED_LIMIT and bytes_made(payload) <= MADE_LIMIT:
            return {**record, "payload": payload, "sample": None}
    training = recipe.training
    sample = sample_payload(data, training.probe, training.hyper.seed, training.hyper.rules)
    return {**record, "payload": None, "sample": sample}


def _size(value: object) -> int:
    if isinstance(value, dict):
        return sum(_size(part) for part in value.values())
    if isinstance(value, list | tuple):
        return sum(_size(part) for part in value)
    if isinstance(value, np.ndarray):
        return value.nbytes
    return len(value) if isinstance(value, bytes | str) else 8


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


def _placed(entry: Placed) -> Record:
    return {
        "step": entry.step,
        "edit": entry.edit.config(),
        "done": entry.done,
        "before": entry.before,
        "after": entry.after,
    }


def _own(own: list[dict[str, str]]) -> Record:
    return {"own": own} if own else {}


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


# -- keyframes


def keyframe_record(key: tuple[int, int], branches: Sequence[int], state: State) -> Record:
    """A State at (step, edits) of some branches, given by their numbers; its arrays are not copied."""
    parameters, carried = _layouts_of(canonical(list(state.architecture)))
    return {
        "record": "keyframe",
        "step": key[0],
        "edits": key[1],
        "branches": list(branches),
        "state": state.config(),
        "theta": state.theta,
        "buffers": state.buffers,
        "frozen": state.frozen,
        "frozen_buffers": state.frozen_buffers,
        "slots": dict(state.slots),
        **({"counts": state.counts} if state.counts.size else {}),
        "parameters": parameters,
        "carried": carried,
        **_own(own_layers([state.architecture])),
    }


@lru_cache(maxsize=16)
def _layouts_of(architecture: bytes) -> tuple[Layout, Layout]:
    return layouts([part for entry in msgpack.unpackb(architecture) for part in layer_from(entry).expand()])


def layouts(layers: Sequence[Layer]) -> tuple[Layout, Layout]:
    """What lies one behind the other in theta and in the buffers: names like `hidden.w`, and shapes."""
    parameters = [[f"{layer.name}.{entry.name}", list(entry.shape)] for layer in layers for entry in layer.parameters()]
    carried = [[f"{layer.name}.{entry.name}", list(entry.shape)] for layer in layers for entry in layer.carried()]
    return parameters, carried


def _keyframes(timeline: Timeline, position: Moment, live: State, *, all_of_them: bool) -> Iterator[Record]:
    """Evenly spaced keyframes within the bytes allowed, and the state where the lab stands; not the start.

    All of them, where what lies between cannot be computed again.
    """
    owners: dict[int, list[int]] = {}
    kept: dict[int, tuple[tuple[int, int], State]] = {}
    for branch in timeline.branches.values():
        for key, state in branch.keyframes.items():
            if key != (0, 0):
                owners.setdefault(id(state), []).append(branch.number)
                kept[id(state)] = (key, state)
    size = sum(state.nbytes() for _, state in kept.values())
    every = (
        1 if all_of_them else max(SPACING, -(-size // KEYFRAME_BYTES), -(-sum(map(len, owners.values())) // MAX_OWNERS))
    )
    here = position.step, position.edits
    has_here = here == (0, 0)
    for identity, (key, state) in sorted(kept.items(), key=lambda item: item[1][0])[every - 1 :: every]:
        has_here |= key == here and position.branch in owners[identity]
        yield keyframe_record(key, owners[identity], state)
    if not has_here:
        yield keyframe_record(here, [position.branch], live)


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
