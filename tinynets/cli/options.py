"""The options that commands share, and their effects: plugins, a lab of the source, the result as text or JSON."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinynets.errors import SaveError
from tinynets.foreign_text import printable
from tinynets.system import streams
from tinynets.system.paths import expanded

if TYPE_CHECKING:
    from tinynets.lab.lab import Lab  # loads numpy, which help and wrong arguments do not need

MEGABYTE = 2**20
MOST_MEMORY = 2**30  # MB, the most that a lab accepts
DELETE = chr(0x7F)  # the one control character that JSON does not escape


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command."""
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")
    parser.add_argument(
        "--plugin", action="append", default=[], metavar="FILE", help="a Python file with your own layers or losses"
    )
    parser.add_argument("--threads", type=count, metavar="N", help="BLAS threads (default: a rule of the shapes)")


def add_source(parser: argparse.ArgumentParser, metavar: str, *, optional: bool = False) -> None:
    """Add the recipe or save that a command works on, and the path of the save's data."""
    parser.add_argument("source", metavar=metavar, nargs="?" if optional else None)
    parser.add_argument("--data", metavar="FILE", help="the .npz file with the data of a save that does not hold it")


# -- values of options


def whole(text: str) -> int:
    """A whole number of at least 0."""
    return _at_least(0, text)


def count(text: str) -> int:
    """A whole number of at least 1."""
    return _at_least(1, text)


def _at_least(least: int, text: str) -> int:
    value = int(text.replace("_", ""))
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, not {text}")
    return value


def examples(text: str) -> int:
    """The maximum number of examples; 0 for none, -1 for all."""
    return {"none": 0, "all": -1}[text] if text in ("none", "all") else count(text)


def megabytes(text: str) -> int:
    """A number of MB in bytes."""
    value = int(text.replace("_", ""))
    if not 1 <= value <= MOST_MEMORY:
        raise argparse.ArgumentTypeError(f"must be a whole number of MB from 1 to {MOST_MEMORY}, not {text}")
    return value * MEGABYTE


megabytes.__name__ = "whole number of MB"
examples.__name__ = "number of examples, none or all"
whole.__name__ = count.__name__ = "whole number"  # the name in argparse's messages


# -- effects of options


def load_plugins(options: argparse.Namespace) -> None:
    if options.plugin:
        from tinynets.nn.plugins import load_plugin  # loads numpy

        for path in options.plugin:
            load_plugin(path)


def open_lab(
    options: argparse.Namespace, source: str | None = None, *, needs_data: bool = False, **settings: Any
) -> Lab:
    """A lab of the command's source, with its warnings printed; raises DataError if it needs data that are not here."""
    from tinynets.lab.lab import Lab  # loads numpy

    data = getattr(options, "data", None)
    lab = Lab(options.source if source is None else source, data=data, threads=options.threads, **settings)
    missing = lab.data.missing
    for warning in lab.warnings:
        if not (needs_data and missing and warning == missing.reason):
            streams.say(warning)
    if needs_data:
        lab.player.need_data()
    return lab


def open_save(options: argparse.Namespace) -> Lab:
    """A lab of a save, with its data, that changes no file; raises SaveError if there is no such save."""
    if not os.path.exists(expanded(options.source)):
        raise SaveError(f"`{options.source}`: there is no such save")
    return open_lab(options, needs_data=True, read_only=True)


def put_result(options: argparse.Namespace, data: dict[str, Any], lines: Sequence[str]) -> int:
    """Print the result, one entry of `lines` per line, with foreign text made printable. Returns the status, 0."""
    shown = json.dumps(data).replace(DELETE, r"\u007f") if options.json else "\n".join(map(printable, lines))
    streams.put(shown)
    return 0
