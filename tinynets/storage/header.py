"""The header: the first record of a save, which describes it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np

from tinynets.history.moment import Moment
from tinynets.history.timeline import Timeline
from tinynets.numerics.determinism import MAX_THREADS, fingerprint, fix_threads
from tinynets.recipes.recipe import Recipe
from tinynets.storage.fields import MAX_STEP, RecordFields
from tinynets.storage.records import Record
from tinynets.system.paths import stored
from tinynets.training.state import State

MAX_HEADER = 2**16  # bytes


@dataclass(frozen=True)
class SaveHeader:
    """The description of a save; None for what a file of the first version does not hold."""

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


def header_record(
    recipe: Recipe, timeline: Timeline, position: Moment, live: State, *, kind: str = "save", path: str = ""
) -> Record:
    branch = timeline.branches[position.branch]
    header = SaveHeader(
        recipe.name,
        position.step,
        branch.name,
        live.theta.size,
        datetime.now(UTC).isoformat(timespec="seconds"),
        _version(),
        fix_threads(),
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


def read_header_record(fields: RecordFields, version: int) -> SaveHeader:
    if fields.record.get("record") != "header":
        fields.wrong("a save begins with its header")
    values: dict[str, Any] = {
        key: fields.get(key, str) for key in ("recipe", "branch", "created", "version", "fingerprint")
    }
    values |= {key: fields.whole(key, 0, MAX_STEP) for key in ("step", "parameters")}
    values["threads"] = fields.whole("threads", 1, MAX_THREADS)
    if version > 1:
        values |= {key: fields.get(key, str) for key in ("kind", "numpy")} | {"path": fields.path("path")}
        values |= {key: fields.whole(key, 0, MAX_STEP) for key in ("end", "branches", "edits", "bookmarks")}
        values["loss"] = fields.optional("loss", float)
        values["elsewhere"] = fields.get("elsewhere", bool)
        if values["kind"] not in ("save", "journal"):
            fields.wrong(f"`kind` must be save or journal, not {values['kind']!r}")
    return SaveHeader(**values)


def _version() -> str:
    try:
        return metadata.version("tinynets")
    except metadata.PackageNotFoundError:
        return "0"
