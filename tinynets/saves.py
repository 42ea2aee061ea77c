"""The save: a whole lab as msgpack records, written at once, read without trust.

    header     what it is, for lists: recipe, step, branch, versions, threads, fingerprint
    recipe     the recipe as plain data
    data       the data set's payload (up to 16 MB), or its digest
    branch     a branch's number, name, parent, fork, losses and evaluations
    edits      some edits of a branch, in order
    keyframe   a State at (step, edits), on one or more branches
    position   where the lab stood, and the actions that undo goes back over

Reading stands in save_reader.py, the framing of records in records.py, that of values in packing.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata, resources
from math import nan
from pathlib import Path

import numpy as np
import platformdirs

from tinynets.data import Dataset
from tinynets.errors import SaveError
from tinynets.plugins import own_things
from tinynets.recipe import Recipe
from tinynets.records import Record, write_records
from tinynets.save_reader import Header, Loaded, read, read_header
from tinynets.state import State
from tinynets.threads import fingerprint, settle_threads
from tinynets.timeline import Branch, Moment, Timeline

EMBED_LIMIT = 16 * 2**20  # bytes of data that a save carries itself
KEYFRAME_BYTES = 4 * 2**20  # bytes of keyframes that a save carries
SPACING = 4  # of so many keyframes in memory one is saved: what lies between is recomputed in about a fifth of a second
EDITS_A_RECORD = 1000
MAX_ACTIONS = 1000
SUFFIX = ".msgpack"

__all__ = [
    "SUFFIX",
    "Header",
    "Loaded",
    "default_folder",
    "free_name",
    "list_saves",
    "read",
    "read_header",
    "shipped_folder",
    "target",
    "writable",
    "write",
]


# -- where saves are


def default_folder() -> Path:
    """Where the lab saves by default: `saves` here when there is such a folder, else the user's own data folder."""
    here = Path("saves")
    return here if here.is_dir() else Path(platformdirs.user_data_path("tinynets", appauthor=False)) / "saves"


def free_name(name: str) -> Path:
    """A file in the default folder, called after `name`, that is not there yet: what was saved before stays."""
    folder = default_folder()
    names = (f"{name}{SUFFIX}", *(f"{name}-{number}{SUFFIX}" for number in range(2, 10_000)))
    return next((folder / entry for entry in names if not (folder / entry).exists()), folder / names[0])


def target(path: object) -> str:
    """The file that a save of that path is, its ending added; raises SaveError where it cannot be one."""
    if not isinstance(path, str | Path) or not str(path).strip() or "\0" in str(path):
        raise SaveError(f"a save needs a path, not {path!r}")
    if Path(path).is_dir():
        raise SaveError(f"`{path}` is a folder, not a save")
    return str(path) if str(path).endswith(SUFFIX) else f"{path}{SUFFIX}"


def writable(path: object) -> str:
    """`target`, when a save can be written there as far as can be told without writing; else SaveError."""
    file = target(path)
    folder = next((entry for entry in Path(file).absolute().parents if entry.exists()), Path())
    if not folder.is_dir():
        raise SaveError(f"`{file}` cannot be written: `{folder}` is not a folder")
    if not os.access(folder, os.W_OK):
        raise SaveError(f"`{file}` cannot be written: there is no permission to write in `{folder}`")
    return file


def shipped_folder() -> Path:
    """The saves that ship with the package."""
    installed = Path(str(resources.files("tinynets"))) / "saves_shipped"
    return installed if installed.is_dir() else Path(str(resources.files("tinynets"))).parent / "saves"


def list_saves() -> list[Path]:
    """The saves in the default folder, newest first, and behind them those that ship."""
    found: dict[Path, float] = {}
    for folder in (default_folder(), shipped_folder()):
        if folder.is_dir():
            entries = [entry for entry in folder.iterdir() if entry.name.endswith(SUFFIX) and entry.is_file()]
            for entry in sorted(entries, key=lambda path: -path.stat().st_mtime):
                found.setdefault(entry.resolve(), 0.0)
    return list(found)


# -- writing


def write(
    path: str | os.PathLike[str], recipe: Recipe, data: Dataset, timeline: Timeline, position: Moment, live: State
) -> int:
    """Write a save; returns its bytes. Raises SaveError, and then an earlier file of that name stands as it was."""
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"`{target}` cannot be written: its folder cannot be made: {error.strerror}") from None
    write_records(target, _records(recipe, data, timeline, position, live))
    return target.stat().st_size


def _records(recipe: Recipe, data: Dataset, timeline: Timeline, position: Moment, live: State) -> Iterator[Record]:
    version = metadata.version("tinynets") if _installed() else "0"
    created = datetime.now(UTC).isoformat(timespec="seconds")
    branch = timeline.branches[position.branch]
    yield Header(
        recipe.name, position.step, branch.name, live.theta.size, created, version, settle_threads(), fingerprint()
    ).config()
    states = [live, *(state for entry in timeline.branches.values() for state in entry.keyframes.values())]
    architectures = {id(state.architecture): state.architecture for state in states}
    own = own_things([recipe.layers, *architectures.values()], recipe.training.loss)
    yield {"record": "recipe", "config": recipe.config(), "own": own}
    yield _data_record(data)
    for entry in timeline.branches.values():
        yield from _branch_records(entry)
    yield from _keyframe_records(timeline, position, live)
    actions = [
        [before.branch, before.step, before.edits, after.branch, after.step, after.edits]
        for before, after in timeline.actions[-MAX_ACTIONS:]
    ]
    yield {
        "record": "position",
        "branch": position.branch,
        "step": position.step,
        "edits": position.edits,
        "actions": np.array(actions, np.int64).reshape(-1, 6),
    }


def _installed() -> bool:
    try:
        metadata.version("tinynets")
    except metadata.PackageNotFoundError:
        return False
    return True


def _data_record(data: Dataset) -> Record:
    payload = data.payload()
    embedded = _size(payload) <= EMBED_LIMIT
    return {"record": "data", "sha256": data.sha256, "name": data.name, "payload": payload if embedded else None}


def _size(value: object) -> int:
    if isinstance(value, dict):
        return sum(_size(part) for part in value.values())
    if isinstance(value, np.ndarray):
        return value.nbytes
    return len(value) if isinstance(value, bytes | str | list) else 8


def _branch_records(branch: Branch) -> Iterator[Record]:
    evaluations = branch.evaluations
    splits = sorted({entry.split for entry in evaluations})
    yield {
        "record": "branch",
        "number": branch.number,
        "name": branch.name,
        "parent": branch.parent,
        "fork": branch.fork,
        "losses": branch.losses.values,
        "evaluations": {
            "splits": splits,
            "split": np.array([splits.index(entry.split) for entry in evaluations], np.int64),
            "step": np.array([entry.step for entry in evaluations], np.int64),
            "edits": np.array([entry.edits for entry in evaluations], np.int64),
            "examples": np.array([entry.examples for entry in evaluations], np.int64),
            "loss": np.array([entry.loss for entry in evaluations], np.float64),
            "accuracy": np.array([nan if e.accuracy is None else e.accuracy for e in evaluations], np.float64),
            "clean": np.array([entry.clean for entry in evaluations], np.bool_),
        },
    }
    for start in range(0, len(branch.edits), EDITS_A_RECORD):
        yield {
            "record": "edits",
            "branch": branch.number,
            "edits": [
                {"step": e.step, "edit": e.edit.config(), "done": e.done, "before": e.before, "after": e.after}
                for e in branch.edits[start : start + EDITS_A_RECORD]
            ],
        }


def _keyframe_records(timeline: Timeline, position: Moment, live: State) -> Iterator[Record]:
    """The start, evenly spaced keyframes within the bytes allowed, and the state where the lab stands."""
    owners: dict[int, list[int]] = {}
    kept: dict[int, tuple[tuple[int, int], State]] = {}
    for branch in timeline.branches.values():
        for key, state in branch.keyframes.items():
            owners.setdefault(id(state), []).append(branch.number)
            kept[id(state)] = (key, state)
    every = max(SPACING, -(-sum(state.nbytes() for _, state in kept.values()) // KEYFRAME_BYTES))
    for index, (identity, (key, state)) in enumerate(sorted(kept.items(), key=lambda item: item[1][0])):
        if key == (0, 0) or index % every == 0:
            yield _keyframe(key, owners[identity], state)
    if (position.step, position.edits) not in timeline.branches[position.branch].keyframes:
        yield _keyframe((position.step, position.edits), [position.branch], live)


def _keyframe(key: tuple[int, int], branches: list[int], state: State) -> Record:
    return {
        "record": "keyframe",
        "step": key[0],
        "edits": key[1],
        "branches": branches,
        "state": state.config(),
        "theta": state.theta,
        "buffers": state.buffers,
        "frozen": state.frozen,
        "frozen_buffers": state.frozen_buffers,
        "slots": dict(state.slots),
    }
