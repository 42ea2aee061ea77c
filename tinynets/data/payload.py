"""Rebuilds data sets from the payloads in saves, which are checked first."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynets.data import checks
from tinynets.data.dataset import MAX_SPLITS, Dataset, Split, built
from tinynets.data.names import from_text
from tinynets.data.text import TextCodec
from tinynets.errors import DataError, ShapeError, nearest


def from_payload(payload: object) -> Dataset:
    """Rebuild the data set that `Dataset.payload` describes; raises DataError that says what is wrong with it."""
    if not isinstance(payload, Mapping):
        raise DataError(f"a data set's payload must be a map, got {type(payload).__name__}")
    kind = payload.get("kind")
    if kind is not None and not isinstance(kind, str):  # comparing an array would fail
        raise DataError(f"`kind` must be `names` or `arrays`, got {type(kind).__name__}")
    if kind == "names":
        _keys(payload, {"kind", "text", "context", "split_seed"})
        return from_text(payload["text"], context=payload["context"], split_seed=payload["split_seed"])
    if kind == "arrays":
        _keys(payload, {"kind", "name", "splits", "labels"}, {"image", "text"})
        try:
            name, pairs, labels, weights = _fields(payload)
            data = built(name, pairs, labels, _text(payload.get("text")), weights)
            return replace(data, captions=_captions(payload["splits"]), image=_image(payload.get("image"), pairs))
        except ShapeError as error:
            raise DataError(str(error)) from None
    raise DataError(f"`kind` must be `names` or `arrays`, got {kind!r}")


def _keys(payload: Mapping[str, object], wanted: set[str], allowed: Set[str] = frozenset()) -> None:
    for key in sorted(wanted - payload.keys()):
        raise DataError(f"a data set's payload of kind `{payload['kind']}` needs `{key}`")
    for key in payload.keys() - wanted - allowed:
        raise DataError(f"a data set's payload of kind `{payload['kind']}` has no `{key}`{nearest(str(key), wanted)}")


def _fields(
    payload: Mapping[str, object],
) -> tuple[str, dict[str, Split], tuple[str, ...], dict[str, NDArray[np.float64]]]:
    name, splits, labels = payload["name"], payload["splits"], payload["labels"]
    if not isinstance(name, str):
        raise DataError(f"`name` must be text, got {type(name).__name__}")
    if not isinstance(labels, list | tuple) or not all(isinstance(label, str) for label in labels):
        raise DataError("`labels` must be a list of texts")
    if len(labels) > checks.MAX_CLASSES:
        raise DataError(f"`labels` must be at most {checks.MAX_CLASSES}, got {len(labels)}")
    if not isinstance(splits, Mapping) or not 0 < len(splits) <= MAX_SPLITS:
        raise DataError(f"`splits` must be a map of 1 to {MAX_SPLITS} splits")
    pairs, weights = {}, {}
    for split, sides in splits.items():
        if not isinstance(split, str) or not split:
            raise DataError(f"the name of a split must be text, got {split!r}")
        if not isinstance(sides, Mapping) or sides.keys() - {"weight", "captions"} != {"x", "y"}:
            raise DataError(f"`{split}`: a split must be a map of `x` and `y`")
        for side, value in ((side, value) for side, value in sides.items() if side != "captions"):
            if not isinstance(value, np.ndarray) or value.dtype not in (np.dtype(np.int64), np.dtype(np.float64)):
                what = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
                raise DataError(f"`{split} {side}` must be an array of int64 or float64, got {what}")
            if value.ndim == 0:
                raise DataError(f"`{split} {side}` must have a row for each example, got a single number")
        x = checks.array(f"{split} x", sides["x"])
        pairs[split] = (x, checks.targets(split, sides["y"], len(x)))
        if "weight" in sides:
            weights[split] = checks.weights(split, sides["weight"], len(x))
    return name, pairs, tuple(labels), weights


def _captions(splits: Any) -> dict[str, tuple[str, ...]]:
    """The captions of those splits that have any."""
    found = {split: sides["captions"] for split, sides in splits.items() if "captions" in sides}
    for split, captions in found.items():
        listed = isinstance(captions, list | tuple) and all(isinstance(caption, str) for caption in captions)
        if not listed or len(captions) != len(splits[split]["x"]):
            raise DataError(f"`{split} captions` must be a list of texts, one for each row of x")
    return {split: tuple(captions) for split, captions in found.items()}


def _text(codec: object) -> TextCodec | None:
    """How indices and characters correspond; None if the payload has no text."""
    if codec is None:
        return None
    if not isinstance(codec, Mapping) or codec.keys() != {"characters", "context"}:
        raise DataError("`text` must be a map of `characters` and `context`")
    return TextCodec(codec["characters"], codec["context"])


def _image(size: object, splits: Mapping[str, Split]) -> tuple[int, int] | None:
    """The size of the pictures in the rows; None if the payload has none."""
    if size is None:
        return None
    x = next(iter(splits.values()))[0]
    if not isinstance(size, list | tuple) or len(size) != 2 or not all(type(side) is int and side > 0 for side in size):
        raise DataError("`image` must be the height and the width of a picture")
    if x.shape[1:] != (size[0] * size[1],):
        raise DataError(f"`image`: {size[0]} x {size[1]} does not fit rows of shape {x.shape[1:]}")
    return size[0], size[1]
