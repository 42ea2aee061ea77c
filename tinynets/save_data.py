"""The data of a save: embedded; or named by its digest, and then given again, found where it was, or missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinynets.data import Dataset, from_payload, payload_digest
from tinynets.data.dataset import Missing
from tinynets.errors import TinynetsError, UnsupportedSave
from tinynets.save_fields import Fields


def read_data(fields: Fields, given: Dataset | None, warnings: list[str]) -> Dataset:
    """The data set of a record `data`. One that is not whole is `missing`; what a person should know is told."""
    digest = fields.get("sha256", str)
    payload = fields.optional("payload", dict)
    if payload is not None:
        _check_digest(fields, payload_digest(payload), digest)
        if given is not None and given.sha256 != digest:
            warnings.append(
                f"`{fields.file}` holds data of its own; the data given is other "
                f"({_short(given.sha256)}, not {_short(digest)}) and is not used"
            )
        return _built(fields, payload)
    name, path = fields.get("name", str), fields.optional("path", str) or ""
    if given is not None and given.sha256 == digest:
        return replace(given, path=path) if path and not given.path else given
    if fields.optional("sample", dict) is None:
        raise UnsupportedSave(
            f"`{fields.file}` does not hold its data `{name}`, which is too large; pass it: data=(x, y)"
        )
    if given is not None:
        warnings.append(f"the data given is not used: it is other ({_short(given.sha256)}, not {_short(digest)})")
    reason = (
        f"the data `{name}` ({_short(digest)}) is not here, only a few examples of it: it is too large for a save, and "
        f"{f'was in `{path}`' if path else 'came from no file'}; give it: tn.Lab({fields.file!r}, data=...)"
    )
    warnings.append(reason)
    sample = _built(fields, fields.get("sample", dict))
    return replace(sample, name=name, path=path, missing=Missing(digest, reason))


def _built(fields: Fields, payload: dict[str, Any]) -> Dataset:
    try:
        return from_payload(payload)
    except TinynetsError as error:
        fields.wrong(str(error))


def _check_digest(fields: Fields, found: str, wanted: str) -> None:
    if found != wanted:
        fields.wrong(f"its data has digest {found[:12]}..., not {wanted[:12]}...")


def _short(digest: str) -> str:
    return f"sha256 {digest[:12]}..."
