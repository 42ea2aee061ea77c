"""Paths as people type them and as files store them: as text, or as bytes if a name is not text."""

from __future__ import annotations

import os
from pathlib import Path

from tinynets.foreign_text import printable

SAVES = "TINYNETS_SAVES"
"""The environment variable for another default folder of saves."""

AnyPath = str | os.PathLike[str]


def expanded(path: AnyPath) -> str:
    """The path, with a leading `~` or `~name` replaced by the home folder."""
    text = os.fspath(path)
    return os.path.expanduser(text) if isinstance(text, str) and text.startswith("~") else text


def expanded_path(path: AnyPath) -> Path:
    """The same as a Path."""
    return Path(expanded(path))


def unusable(path: AnyPath) -> str:
    """Why a path is unusable, in words; empty if it is usable."""
    text = os.fspath(path)
    first, behind, _ = text.replace(os.altsep or os.sep, os.sep).partition(os.sep)
    if behind and first.startswith("~") and expanded(text) == text and not (no_name(first) or os.path.exists(first)):
        return f"there is no user `{first[1:]}` whose folder `{first}` could be"
    return no_name(text)


def names_folder(path: AnyPath) -> bool:
    """Whether a path ends like that of a folder, so that a file there would have no name."""
    return os.fspath(path).endswith((os.sep, os.altsep or os.sep))


def no_name(text: str) -> str:
    """Why a text cannot be a file name, in words; empty if it can."""
    if "\0" in text:
        return "its name has a null character"
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        return f"its name has a lone surrogate at letter {error.start}, which no file's name can hold"
    return ""


def stored(path: str) -> str | bytes:
    """A path in the form that saves store: text, or bytes if a name in it is not text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return printable(path) if no_name(path) else os.fsencode(path)
    return path


def restored(path: str | bytes) -> str:
    """The path from the form that `stored` returns."""
    return path if isinstance(path, str) else os.fsdecode(path)
