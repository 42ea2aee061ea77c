"""Dataset: named splits of (x, y), with labels to describe examples, and a payload from which it can be rebuilt."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynets.data import checks
from tinynets.data.text import TextCodec
from tinynets.errors import DataError, ShapeError, nearest
from tinynets.numerics.arrays import foreign

Split = tuple[NDArray[Any], NDArray[Any]]
MAX_SPLITS = 64


@dataclass(frozen=True)
class Missing:
    """Why the whole data set is not here: its digest, and what to do about it, in words."""

    sha256: str
    reason: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples and their targets, by split; the arrays are read-only.

    splits: name -> (x, y); x is (N, T) int64 indices or (N, ...) float64, y is (N, ...) int64 classes, (N, d) float64,
        or (N, 0) where there are no targets.
    labels: the names of the classes; empty if the targets are plain values.
    text: how indices and characters correspond, if the examples are text.
    origin: a payload shorter than the arrays, for sets that are made from something smaller.
    weights: split -> (N,) float64 that multiply each example's loss (below 0: to be avoided); empty if all are 1.
    captions: split -> a name for each example, if they have names.
    image: (height, width), if each row of x is a flattened picture.
    path: the file that it came from; empty if none.
    missing: why only a sample is here, if the save does not hold its data; None if it is whole.
    """

    name: str
    splits: dict[str, Split]
    labels: tuple[str, ...] = ()
    text: TextCodec | None = None
    origin: Mapping[str, object] | None = field(default=None, repr=False)
    weights: Mapping[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)
    captions: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    image: tuple[int, int] | None = None
    path: str = ""
    missing: Missing | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the arrays of a copy read-only too, so that its digest stays right."""
        self.__dict__.update(state)
        for array in (*(side for pair in self.splits.values() for side in pair), *self.weights.values()):
            array.flags.writeable = False

    def __repr__(self) -> str:
        sizes = ", ".join(f"{split} {len(x):,}" for split, (x, _) in self.splits.items())
        return f"Dataset({self.name!r}: {sizes})"

    def __getitem__(self, split: str) -> Split:
        """The (x, y) of a split; raises DataError that lists the splits if it does not exist."""
        if split not in self.splits:
            known = ", ".join(self.splits)
            raise DataError(f"`{self.name}` has no split `{split}`, only {known}{nearest(str(split), self.splits)}")
        return self.splits[split]

    def describe(self, split: str, index: int) -> str:
        """An example's name, or its input in a few characters: `..e`, `(0.31, -1.20)`, `64 values, 0.00 to 16.00`."""
        row = self[split][0][self._index(split, index)]
        if split in self.captions:
            return self.captions[split][index]
        return self.text.decode(row) if self.text is not None else _short(row)

    def picture(self, split: str, index: int) -> NDArray[Any] | None:
        """An example as a picture (h, w); None if the examples are not pictures."""
        row = self[split][0][self._index(split, index)]
        if self.image is not None and row.size == self.image[0] * self.image[1]:
            shaped: NDArray[Any] = row.reshape(self.image)
            return shaped
        return row[..., 0] if row.ndim == 3 and row.shape[-1] == 1 else None

    def describe_target(self, split: str, index: int) -> str:
        """An example's target: the name of its class, or its values."""
        value = self[split][1][self._index(split, index)]
        if value.size == 0:
            return ""
        if value.dtype.kind == "f":
            return f"{value[0]:.2f}" if value.shape == (1,) else _short(value)
        if not value.ndim:
            return self.labels[int(value)] if self.labels else str(int(value))
        if self.labels and value.size <= 12:
            joint = "" if all(len(label) == 1 for label in self.labels) else " "
            return joint.join(self.labels[int(part)] for part in value.reshape(-1))
        return _short(value)

    def _index(self, split: str, index: int) -> int:
        return checks.whole(f"{split} example", index, 0, len(self[split][0]) - 1)

    def payload(self) -> dict[str, object]:
        """Everything needed to rebuild it: strings, numbers, bytes, arrays, lists of strings and dicts of these."""
        if self.origin is not None:
            return dict(self.origin)
        splits: dict[str, dict[str, object]] = {split: {"x": x, "y": y} for split, (x, y) in self.splits.items()}
        for split, weight in self.weights.items():
            splits[split]["weight"] = weight
        for split, captions in self.captions.items():
            splits[split]["captions"] = list(captions)
        payload: dict[str, object] = {
            "kind": "arrays",
            "name": self.name,
            "splits": splits,
            "labels": list(self.labels),
        }
        return payload if self.image is None else {**payload, "image": list(self.image)}

    @cached_property
    def sha256(self) -> str:
        """The digest of the payload: equal for data sets with equal contents."""
        return self.missing.sha256 if self.missing else payload_digest(self.payload())


def arrays(
    x: object,
    y: object = None,
    weight: object = None,
    *,
    name: str = "data",
    labels: Sequence[str] = (),
    text: TextCodec | None = None,
) -> Dataset:
    """Make a data set from the caller's arrays; they are copied.

    x, y: one split, `train`: x is (N, ...) numbers, y is (N, ...) whole classes, (N,) or (N, d) floats, or None for
        data without targets. Or x is a dict of splits, name -> (x, y) or (x, y, weight), and y is left out.
    weight: (N,) by which each example's loss is multiplied; a negative one is to be avoided.
    labels: the names of the classes (default: their numbers).

    Raises ShapeError if lengths or shapes do not fit, DataError for values that cannot be used.
    """
    if isinstance(x, Mapping):
        if y is not None:
            raise DataError("`y` must be left out where `x` is a dict of splits")
        given = checks.splits("x", x)
    else:
        given = {"train": (x, y, weight)}
    with foreign("x"):
        given = {split: tuple(value) if isinstance(value, tuple | list) else value for split, value in given.items()}
    splits = {split: _pair(split, value) for split, value in given.items()}
    for what, said in (("name", [name]), ("labels", labels)):
        checks.texts(what, said)
    return built(name, splits, tuple(labels), text, _weights(given, splits))


def _weights(given: Mapping[str, Any], splits: Mapping[str, Split]) -> dict[str, NDArray[np.float64]]:
    """The weights of those splits that are (x, y, weight)."""
    found = {split: value[2] for split, value in given.items() if len(value) == 3 and value[2] is not None}
    return {split: checks.weights(split, weight, len(splits[split][0])) for split, weight in found.items()}


def _pair(split: str, value: object) -> Split:
    checks.no_pairs(split, value)
    if not isinstance(value, tuple | list) or len(value) not in (2, 3):
        raise DataError(f"`{split}`: a split must be (x, y) or (x, y, weight), got {type(value).__name__}")
    x = checks.array(f"{split} x", value[0])
    if not x.ndim:
        raise ShapeError(f"`{split}`: x must have at least 2 dimensions, (N, ...), got the number {x}")
    y = checks.targets(split, value[1], len(x))
    if not y.ndim:
        raise ShapeError(f"`{split}`: y must be (N, ...) whole classes or (N, d) floats, got the number {y}")
    return x, y[:, None] if y.ndim == 1 and y.dtype.kind == "f" else y


def built(
    name: str,
    splits: dict[str, Split],
    labels: tuple[str, ...],
    text: TextCodec | None,
    weights: dict[str, NDArray[np.float64]],
) -> Dataset:
    """Make a data set from checked arrays, after checking the splits against each other and the labels."""
    if not splits:
        raise DataError("a data set needs at least one split, got none")
    for split, (x, y) in splits.items():
        checks.pair(split, x, y)
    (first, (x0, y0)), *others = splits.items()
    for split, (x, y) in others:
        for side, a, b in (("x", x0, x), ("y", y0, y)):
            if (a.shape[1:], a.dtype) != (b.shape[1:], b.dtype):
                raise ShapeError(
                    f"{side} must be alike in all splits: `{first}` has rows of {a.dtype} {a.shape[1:]}, "
                    f"`{split}` of {b.dtype} {b.shape[1:]}"
                )
    if y0.dtype.kind == "i":
        largest = max(int(y.max()) for _, y in splits.values())
        if largest >= checks.MAX_CLASSES:
            raise DataError(f"classes are 0 to {checks.MAX_CLASSES - 1}, got {largest}")
        labels = labels or tuple(str(i) for i in range(largest + 1))
        for split, (_, y) in splits.items():
            checks.classes(split, y, len(labels))
    elif labels:
        raise DataError(f"`labels` name classes, but y holds floats; got {len(labels)} labels")
    if text is not None:
        _fits_text(splits, text)
    return Dataset(name, splits, labels, text, weights=weights)


def _fits_text(splits: dict[str, Split], text: TextCodec) -> None:
    for split, (x, _) in splits.items():
        if x.dtype.kind != "i" or x.min() < 0 or x.max() >= len(text.characters):
            raise DataError(f"`{split}`: x must hold indices 0 to {len(text.characters) - 1} of the text's characters")


def payload_digest(payload: Mapping[str, object]) -> str:
    """The `sha256` of the data set that a payload describes, without building it."""
    digest = hashlib.sha256()
    _feed(digest, payload)
    return digest.hexdigest()


def _short(values: NDArray[Any]) -> str:
    if values.ndim == 1 and len(values) <= 4:
        form = "{:.2f}" if values.dtype.kind == "f" else "{}"
        return f"({', '.join(form.format(v) for v in values)})"
    form = "{:.2f} to {:.2f}" if values.dtype.kind == "f" else "{} to {}"
    return f"{values.size} values, {form.format(values.min(), values.max())}"


def _feed(digest: Any, value: object) -> None:
    """Feed `value` with its kind and length, so that different payloads never give the same bytes."""
    if isinstance(value, Mapping):
        digest.update(b"m" + struct.pack("<Q", len(value)))
        for key in sorted(value):
            _feed(digest, key)
            _feed(digest, value[key])
    elif isinstance(value, list | tuple):
        digest.update(b"l" + struct.pack("<Q", len(value)))
        for item in value:
            _feed(digest, item)
    elif isinstance(value, np.ndarray):
        _feed(digest, f"{value.dtype.str} {value.shape}")
        digest.update(np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<")).data)
    else:
        raw = value if isinstance(value, bytes) else str(value).encode()
        digest.update(type(value).__name__[:1].encode() + struct.pack("<Q", len(raw)) + raw)
