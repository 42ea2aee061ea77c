"""Paths as people type them, and as a file holds them: in text, or in bytes where their name is no text."""

from __future__ import annotations

import os
from pathlib import Path

from tinynets.foreign_text import printable

AnyPath = str | os.PathLike[str]


def expanded(path: AnyPath) -> str:
    """The path, with `~` and `~name` in front as the folder that they stand for."""
    text = os.fspath(path)
    return os.path.expanduser(text) if isinstance(text, str) and text.startswith("~") else text


def expanded_path(path: AnyPath) -> Path:
    """The same as a Path."""
    return Path(expanded(path))


def unusable(path: AnyPath) -> str:
    """Why no file can be called so, in words; empty where one can."""
    text = os.fspath(path)
    first, behind, _ = text.replace(os.altsep or os.sep, os.sep).partition(os.sep)
    if behind and first.startswith("~") and expanded(text) == text and not (no_name(first) or os.path.exists(first)):
        return f"there is no user `{first[1:]}` whose folder `{first}` could be"
    return no_name(text)


def names_folder(path: AnyPath) -> bool:
    """Whether a path ends as only one of a folder does: a file there would have no name of its own."""
    return os.fspath(path).endswith((os.sep, os.altsep or os.sep))


def no_name(text: str) -> str:
    """Why it is no text that a file can be called by, in words; empty where it is."""
    if "\0" in text:
        return "its name has a null character"
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        return f"its name has a lone surrogate at letter {error.start}, which no file's name can hold"
    return ""


def stored(path: str) -> str | bytes:
    """What a save holds of a path: its text, or its bytes where the name of a file in it is no text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return printable(path) if no_name(path) else os.fsencode(path)
    return path


def restored(path: str | bytes) -> str:
    """The path that `stored` gave."""
    return path if isinstance(path, str) else os.fsdecode(path)
