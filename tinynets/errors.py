"""All errors that tinynets raises, as a tree. A message names the thing, the rule and the value.

TinynetsError
├── ShapeError          shapes, dtypes or sizes that do not fit, both sides named
├── SelectorError       `hidden[200]` names nothing that exists
├── EditError           an operation that cannot be done as asked
├── RecipeError         a recipe with a wrong key, type or value
├── DataError           data that cannot be read or used
├── CommandError        a command line that cannot be understood
├── PluginError         a layer or loss of the user's own that cannot be registered
├── NonFiniteError      a loss, gradient or update became NaN or infinite
├── TimelineError       a moment that cannot be reached
└── SaveError           a save that cannot be written or read
    ├── CorruptSave     the bytes are not, or no longer, a whole save
    └── UnsupportedSave a whole save that this version cannot use
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from reprlib import Repr
from typing import Any

from tinynets.foreign_text import printable

LONGEST = 2000  # characters of a message
LONGEST_WORD = 60  # characters of a word for which a near name is searched


class TinynetsError(Exception):
    """Base of every error that tinynets raises on purpose; `str` is one line for the user."""

    def __str__(self) -> str:
        text = " ".join(filter(None, map(str.strip, super().__str__().splitlines())))
        return _shortened(printable(_shortened(text)))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2 - 5]} ... {text[-LONGEST // 2 :]}"


class ShapeError(TinynetsError, ValueError):
    """Shapes, dtypes or sizes that do not fit; the message names both sides."""


class SelectorError(TinynetsError, LookupError):
    """A selector that is misspelt or names nothing that exists."""


class EditError(TinynetsError, ValueError):
    """An operation that cannot be done as asked."""


class RecipeError(TinynetsError, ValueError):
    """A recipe with a wrong key, type or value; the message names file, key, rule and value."""


class DataError(TinynetsError, ValueError):
    """Data that cannot be read or used."""


class CommandError(TinynetsError, ValueError):
    """A command line that cannot be understood."""


class PluginError(TinynetsError, ValueError):
    """A layer or loss of the user's own, or a file of them, that cannot be registered."""


class TimelineError(TinynetsError, ValueError):
    """A moment that does not exist or cannot be reached."""


class NonFiniteError(TinynetsError, ArithmeticError):
    """A step met NaN or infinity; the state before that step is kept.

    `step` is the step that was being computed, `where` the first layer where it happened.
    """

    def __init__(self, message: str, *, step: int = 0, where: str = "") -> None:
        super().__init__(message)
        self.step = step
        self.where = where


class SaveError(TinynetsError):
    """A save that cannot be written or read."""


class CorruptSave(SaveError):  # noqa: N818 - the name says what is wrong
    """The bytes are not, or no longer, a whole save."""


class UnsupportedSave(SaveError):  # noqa: N818
    """A whole save that this version of tinynets cannot use."""


@contextmanager
def gate(told: Callable[[str], TinynetsError]) -> Iterator[None]:
    """Wrap the reading of foreign bytes: whatever goes wrong inside is raised as the error that `told` makes of it.

    TinynetsErrors pass unchanged, and so does ctrl+c, which is no Exception.
    """
    try:
        yield
    except TinynetsError:
        raise
    except Exception as error:
        raise told(in_words(error)) from error


def in_words(error: BaseException) -> str:
    """The message of a foreign error in one line, even where its `str` fails."""
    if isinstance(error, MemoryError):
        return "it takes more memory than there is"
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class _Shown(Repr):
    """A `repr` that is short and quick to make, whatever the value holds."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring, self.maxother, self.maxlist, self.maxdict, self.maxlevel = 100, 100, 12, 12, 3

    def repr_bytes(self, value: bytes, level: int) -> str:
        return repr(value) if len(value) <= self.maxstring else f"{value[: self.maxstring]!r}..."

    def repr_ndarray(self, value: Any, level: int) -> str:
        return f"an array of {value.dtype} {value.shape}"


def shown(value: object) -> str:
    """A short text for any value, to be shown in a message."""
    return _SHOWN.repr(value)


_SHOWN = _Shown()


def unwritable(text: str) -> str:
    """Why a text cannot be written as UTF-8, in words; empty if it can."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"{text[:LONGEST_WORD]!a} has a lone surrogate at letter {error.start}, which no file can hold"
    return ""


def nearest(word: str, names: Iterable[str]) -> str:
    """A hint for a misspelling or for a name that is only begun: ``"; did you mean `x`?"``; nothing if none is near."""
    if len(word) > LONGEST_WORD:
        return ""
    known = list(names)
    begun = sorted((name for name in known if len(word) > 1 and name.startswith(word)), key=len)
    close = begun or get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean `{close[0]}`?" if close else ""
