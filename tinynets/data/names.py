"""Names: 32,257 US first names, character by character, as in the makemore lessons (sources: SOURCES.md)."""

from __future__ import annotations

from collections.abc import Mapping

from tinynets.data.checks import whole
from tinynets.data.dataset import Dataset
from tinynets.data.shipped import shipped
from tinynets.data.text import END, MAX_CONTEXT, TextCodec
from tinynets.errors import DataError
from tinynets.numerics import rng

MAX_BYTES = 64 * 2**20
MIN_WORDS = 10


def names(context: int = 3, split_seed: int = 42) -> Dataset:
    """The names: x (N, context) characters before, y (N,) the next one; `.` is start and end.

    context: how many characters the network sees, 1 to 256.
    split_seed: shuffles the names before 80 % go to `train`, 10 % to `dev` and 10 % to `test`.
    """
    return from_text(shipped("names.txt"), context=context, split_seed=split_seed)


def expanded_bytes(payload: Mapping[str, object]) -> int:
    """Roughly how many bytes it takes to make and hold the rows of a payload's text; 0 for other payloads."""
    kind, text, context = (payload.get(key) for key in ("kind", "text", "context"))
    if not isinstance(kind, str) or kind != "names" or not isinstance(text, bytes) or not isinstance(context, int):
        return 0
    return 8 * (context + 1) * len(text) + (8 * context + 80) * text.count(b"\n")


def from_text(text: object, *, context: object = 3, split_seed: object = 42) -> Dataset:
    """The same construction from `text`, the bytes of a UTF-8 file with one name per line."""
    if not isinstance(text, bytes):
        raise DataError(f"`text` must be bytes, got {type(text).__name__}")
    if len(text) > MAX_BYTES:
        raise DataError(f"`text` must be at most {MAX_BYTES:,} bytes, got {len(text):,}")
    context, split_seed = whole("context", context, 1, MAX_CONTEXT), whole("split_seed", split_seed, 0, rng.MAX_SEED)
    try:
        words = text.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"`text` must be UTF-8: byte {error.start} is not") from None
    if words[-1] == "":
        words.pop()
    if "" in words or END.encode() in text:
        line = next(i for i, word in enumerate(words) if not word or END in word)
        raise DataError(f"`text` must hold one name a line, without `{END}`: line {line + 1} is {words[line]!r}")
    if len(words) < MIN_WORDS:
        raise DataError(f"`text` must hold at least {MIN_WORDS} names, got {len(words)}")
    codec = TextCodec.of(words, context)
    shuffled = [words[i] for i in rng.permutation(split_seed, "data/split", 0, len(words))]
    first, second = int(0.8 * len(words)), int(0.9 * len(words))
    parts = {"train": shuffled[:first], "dev": shuffled[first:second], "test": shuffled[second:]}
    splits = {split: codec.rows(part) for split, part in parts.items()}
    for side in (side for pair in splits.values() for side in pair):
        side.flags.writeable = False
    origin = {"kind": "names", "text": text, "context": context, "split_seed": split_seed}
    return Dataset("names", dict(splits), tuple(codec.characters), codec, origin)
