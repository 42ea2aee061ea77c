"""The record of the data, which are embedded or named by their digest.

Data that are only named must be given again, are found where they were, or are missing; a few examples are in the save.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinynets.data import Dataset, from_payload, payload_digest
from tinynets.data.dataset import Missing
from tinynets.data.names import expanded_bytes
from tinynets.data.sample import sample_payload
from tinynets.errors import DataError, TinynetsError, UnsupportedSave, gate
from tinynets.recipes.from_python import dataset_of
from tinynets.recipes.recipe import Recipe
from tinynets.storage.fields import RecordFields
from tinynets.storage.records import Record
from tinynets.system.paths import stored

EMBED_LIMIT = 16 * 2**20  # bytes of data that a save holds itself
MADE_LIMIT = 48 * 2**20  # bytes of the arrays made from them
HINT = 'give it as data=(x, y) or data="points.npz", or in a shell as --data points.npz'
MOST_POINTS = 400_000  # making a million takes 120 MB


def data_record(data: Dataset, recipe: Recipe) -> Record:
    """The whole data set, or its digest, its path, and enough examples to inspect a network."""
    record: Record = {"record": "data", "name": data.name, "sha256": data.sha256, "path": stored(data.path) or None}
    if data.missing is None:
        payload = data.payload()
        if _size(payload) <= EMBED_LIMIT and expanded_bytes(payload) <= MADE_LIMIT:
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


# -- reading


def read_data(fields: RecordFields, given: object, recipe: Recipe, warnings: list[str]) -> Dataset:
    """The data set of a record `data`. An incomplete one is `missing`; `warnings` gets what a person should know.

    `given` is what `tn.Lab(net, data=...)` takes, or None. Raises DataError if it cannot be used at all.
    """
    digest, path = fields.get("sha256", str), "" if fields.record.get("path") is None else fields.path("path")
    own = None if given is None else dataset_of(given, recipe.training.loss)
    payload = fields.optional("payload", dict)
    if payload is not None:
        _check_digest(fields, payload_digest(payload), digest)
        if own is not None and own.sha256 != digest:
            warnings.append(
                f"`{fields.file}` holds data of its own; the data given is other "
                f"({_short(own.sha256)}, not {_short(digest)}) and is not used"
            )
        if expanded_bytes(payload) <= MADE_LIMIT:
            return replace(_built(fields, payload), path=path)
        if own is not None and own.sha256 == digest:
            return own
        raise UnsupportedSave(
            f"`{fields.file}`: its data would take {expanded_bytes(payload):,} bytes, more than its size bears out; "
            + HINT
        )
    if own is not None:
        if own.sha256 == digest and own.missing is None:
            return replace(own, path=path) if path and not own.path else own
        warnings.append(f"the data given is not used: it is other ({_short(own.sha256)}, not {_short(digest)})")
    found, where = _look_for(path, digest, recipe)
    return found or _sample(fields, digest, path, where, warnings)


def _look_for(path: str, digest: str, recipe: Recipe) -> tuple[Dataset | None, str]:
    """The data set of that digest, from its file or made by the recipe; or None and the reason.

    Data that would take far more memory than the save are not made: rows of text, and too many points.
    """
    made = recipe.data["set"] not in ("arrays", "names")
    if made and recipe.data.get("n", 0) > MOST_POINTS:
        return None, f"its {recipe.data['n']:,} points are too many to be made again unasked"
    if not made and not path:
        return None, "it came from no file"
    if not made and not os.path.lexists(path):
        return None, f"it was in `{path}`, which is no longer there"
    try:
        with gate(DataError):
            found = recipe.load_data() if made else dataset_of(Path(path), recipe.training.loss)
    except TinynetsError as error:
        return None, f"what it came from cannot be used: {error}"
    if found.sha256 == digest:
        return found, ""
    what = f"the data set `{recipe.data['set']}` is made otherwise" if made else f"`{path}` holds other data"
    return None, f"{what} now ({_short(found.sha256)})"


def _sample(fields: RecordFields, digest: str, path: str, where: str, warnings: list[str]) -> Dataset:
    """The sample of the data in the save, with the reason why there is no more."""
    name = fields.get("name", str)
    lacks = (
        f"`{fields.file}` does not hold its data `{name}` ({_short(digest)}), which is too large for a save; {where}"
    )
    if fields.optional("sample", dict) is None:
        raise UnsupportedSave(f"{lacks}; {HINT}")
    reason = f"{lacks}; only a few examples of it are here, to look at: {HINT}"
    warnings.append(reason)
    return replace(_built(fields, fields.get("sample", dict)), name=name, path=path, missing=Missing(digest, reason))


def read_written(fields: RecordFields, whole: Dataset) -> Dataset:
    """The data set of a record just written from `whole`; it may hold only a part."""
    payload, sample = fields.optional("payload", dict), fields.optional("sample", dict)
    if payload is None and sample is None:
        fields.wrong("there is neither a payload nor a sample")
    built = _built(fields, sample if payload is None else payload)
    if payload is not None and built.sha256 != fields.get("sha256", str):
        fields.wrong("its digest is another")
    return whole if payload is None else built


def _built(fields: RecordFields, payload: Mapping[str, Any]) -> Dataset:
    try:
        return from_payload(payload)
    except TinynetsError as error:
        fields.wrong(str(error))


def _check_digest(fields: RecordFields, found: str, wanted: str) -> None:
    if found != wanted:
        fields.wrong(f"its data has digest {found[:12]}..., not {wanted[:12]}...")


def _short(digest: str) -> str:
    return f"sha256 {digest[:12]}..."
