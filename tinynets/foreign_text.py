r"""Makes foreign text (names, notes, labels, paths, messages) safe to print and draw.

A terminal acts on what it is sent: an escape sequence in a recipe's name could move the cursor or write to the
clipboard, and invisible characters make one name look like another. So all foreign text passes through here on its way
out. Readable characters stay as they are; others are written as Python escapes: `\x1b`, `\n`, `\u202e`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MOST_MARKS = 4
"""Accents on one letter; more of them would be drawn over the lines above."""
STAND_IN = "?"
"""Replaces a character if there is room for only one."""

_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Characters of Unicode's Default_Ignorable_Code_Point that `str.isprintable` takes for printable."""


def printable(text: str) -> str:
    """Foreign text as one line: control and invisible characters are written as escapes."""
    if text.isascii():
        return text if text.isprintable() else _written(text)
    return _looked_through(text)


def printable_lines(text: str) -> str:
    """The same for text with several lines."""
    return "\n".join(map(printable, text.split("\n")))


def one_for_one(text: str) -> str:
    """Foreign text with the same number of characters, for columns and where places are counted."""
    if printable(text) == text:
        return text
    return "".join(shown if len(shown := printable(letter)) == 1 else STAND_IN for letter in text)


def _written(text: str) -> str:
    made: list[str] = []
    marks = MOST_MARKS  # before the first letter there is nothing to carry any
    for letter in text:
        category = unicodedata.category(letter)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category == "Zs":
            made.append(" ")
        elif letter.isprintable() and not _UNSEEN.match(letter) and marks <= MOST_MARKS:
            made.append(letter)
        else:
            made.append(letter.encode("unicode_escape").decode("ascii"))
            marks = MOST_MARKS
    return "".join(made)


_looked_through = lru_cache(4096)(_written)
