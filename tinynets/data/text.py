"""Text as numbers: a codec for characters, and the makemore rows of (context, next character) from words.

Source: Karpathy, "makemore" (2022), `build_dataset` in part 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tinynets.data.checks import whole
from tinynets.errors import DataError, unwritable

END = "."
MAX_CONTEXT = 256


@dataclass(frozen=True)
class TextCodec:
    """The number of each character, and how many characters a network sees before the next one.

    characters: all of them, each once; the first is `.`, which marks both start and end.
    context: how many characters make one input row.
    """

    characters: str
    context: int

    def __post_init__(self) -> None:
        if not isinstance(self.characters, str) or not self.characters.startswith(END):
            raise DataError(f"`characters` must start with `{END}`, got {self.characters!r}")
        if why := unwritable(self.characters):
            raise DataError(f"`characters`: {why}")
        if len(set(self.characters)) != len(self.characters):
            raise DataError(f"`characters` must be different, got {self.characters!r}")
        whole("context", self.context, 1, MAX_CONTEXT)

    @classmethod
    def of(cls, words: Iterable[str], context: int) -> TextCodec:
        """The codec of the characters in `words`, sorted, after `.`."""
        return cls(END + "".join(sorted(set("".join(words)) - {END})), context)

    @cached_property
    def _table(self) -> NDArray[np.int64]:
        """The number of each code point, -1 where the character is unknown; one entry more than the largest."""
        points = _code_points(self.characters)
        table = np.full(int(points.max()) + 2, -1, dtype=np.int64)
        table[points] = np.arange(len(points))
        return table

    def encode(self, text: str) -> NDArray[np.int64]:
        """The numbers (len(text),) of its characters; DataError names one that is unknown."""
        points = _code_points(text)
        ids = self._table[np.minimum(points, len(self._table) - 1)]
        if len(ids) and ids.min() < 0:
            unknown = text[int(np.argmax(ids < 0))]
            raise DataError(f"`{unknown}` is not a known character; known are `{self.characters}`")
        return ids

    def decode(self, ids: Sequence[int] | NDArray[np.integer]) -> str:
        """The characters of the numbers `ids`; DataError names one that is out of range."""
        numbers = [int(i) for i in ids]
        for i in numbers:
            if not 0 <= i < len(self.characters):
                raise DataError(f"no character has the number {i}; they go from 0 to {len(self.characters) - 1}")
        return "".join(self.characters[i] for i in numbers)

    def window(self, text: str) -> NDArray[np.int64]:
        """The input row (context,) from which the character after `text` is predicted; `.` fills it from the left."""
        return self.encode((END * self.context + text)[-self.context :])

    def rows(self, words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Contexts (N, context) and next characters (N,): every position of every word, and its end.

        One stream holds `context` dots before each word and after the last. A window ends on a target if its last
        character belongs to a word, or is the first dot after one.
        """
        if not words:
            raise DataError("there are no words to make rows of")
        dots = END * self.context
        if "" in words or END in "".join(words):
            word = next(word for word in words if not word or END in word)
            raise DataError(f"a word must be one or more characters other than `{END}`, got {word!r}")
        stream = self.encode(dots + dots.join(words) + dots)
        inside = stream != 0
        target = inside.copy()
        target[1:] |= inside[:-1]
        wanted = target[self.context :]
        windows = np.lib.stride_tricks.sliding_window_view(stream[:-1], self.context)
        return windows[wanted], stream[self.context :][wanted]


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
