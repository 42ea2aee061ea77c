"""Arguments of verbs and their kinds: their names in usage texts, and how typed words are parsed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

# -- how words are parsed


def _text(word: str) -> str:
    return word


def _whole(word: str) -> int:
    return int(word.replace("_", "").replace(",", ""))


def _moment(word: str) -> int | str:
    """A step, or a bookmark's name."""
    plain = word.replace("_", "").replace(",", "")
    return int(plain) if plain.isdecimal() else word


def _flag(word: str) -> bool:
    return {"true": True, "yes": True, "false": False, "no": False}[word.lower()]


def _input(word: str) -> Any:
    return _listed(word) or word


def _numbers(word: str) -> list[Any]:
    """Numbers separated by commas, with or without brackets; or lists of lists as in Python."""
    if not word.startswith("[["):
        return [float(part) for part in word.strip("[]").split(",")]
    found = _listed(word)
    if found is None:
        raise ValueError
    return found


def _listed(word: str) -> list[Any] | None:
    """A word as a list of numbers, or of such lists; None if it is not one."""
    if not word.startswith("["):
        return None
    try:
        found = ast.literal_eval(word)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    return found if isinstance(found, list) and _of_numbers(found) else None


def _of_numbers(found: object) -> bool:
    if isinstance(found, list):
        return all(map(_of_numbers, found))
    return isinstance(found, int | float) and not isinstance(found, bool)


def _value(word: str) -> Any:
    """A word as what it looks like: a number, true or false, numbers separated by commas, a Python list, or text."""
    if word in ("true", "false"):
        return word == "true"
    listed = _listed(word)
    if listed:
        return listed
    if "," in word:
        parts = [_value(part) for part in word.split(",") if part]
        return parts if _of_numbers(parts) else word
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


# -- kinds


@dataclass(frozen=True)
class Kind:
    """The kind of an argument.

    `name` says which completions to offer (see tui/model/completion.py). `shown` is its name in a usage text; without
    one it is left out there. `read` parses a typed word and raises ValueError or KeyError if it breaks `rule`.
    """

    name: str
    shown: str
    read: Callable[[str], Any] = _text
    rule: str = "text"
    rest: bool = False
    """It takes the rest of the line."""

    def called(self, shown: str) -> Kind:
        """The same kind under another name in usage texts."""
        return replace(self, shown=shown)


TEXT = Kind("text", "TEXT")
NAME = Kind("text", "NAME")
REST = Kind("text", "TEXT", rest=True)
WHOLE = Kind("whole", "N", _whole, "a whole number")
NUMBER = Kind("number", "VALUE", float, "a number")
FLAG = Kind("flag", "true", _flag, "true or false")
ON = Kind("flag", "true", _value)
"""A flag whose typed value is read as what it looks like."""
VALUE = Kind("value", "VALUE", _value)
VALUES = Kind("values", "", _numbers, "numbers: 0.5,-1,2 or [[0.5,-1],[2,3]]")
INPUT = Kind("input", "TEXT", _input)

EXAMPLE = Kind("example", "N", _whole, "a whole number")
"""The number of an example."""
SPLIT = Kind("split", "SPLIT")
PROBE_OR_SPLIT = Kind("probe or split", "SPLIT")
CLASS = Kind("class", "CLASS")
BRANCH = Kind("branch", "B")
OTHER_BRANCH = Kind("other branch", "BRANCH")
BOOKMARK = Kind("bookmark", "M")
SAVE = Kind("save", "FILE")
ELSEWHERE = (BRANCH, BOOKMARK, SAVE)
"""Sources of an edit's values outside its branch."""
MOMENT = Kind("moment", "STEP|BOOKMARK", _moment)
CONDITION = Kind("condition", "CONDITION", rest=True)
PHASE = Kind("phase", "PHASE", rest=True)
"""A phase of a step: `backward hidden`."""
BREAKPOINT = Kind("breakpoint", "N", _whole, "a whole number")
"""The number of a breakpoint."""
BREAKS_AT = Kind("breaks at", "PHASE|CONDITION|STEP", rest=True)
"""Where a breakpoint stops a run."""
COMPARED = Kind("compared", "A")
"""A branch or a save."""
SOURCE = Kind("source", "RECIPE|SAVE")
SCRIPT = Kind("script", "FILE")
OTHER_UNITS = Kind("other units", "UNITS")
"""Units of the same block."""
UNITS_ELSEWHERE = Kind("units elsewhere", "UNITS")
BLOCK = Kind("block", "BLOCK")
"""A block with all of its units."""
UNIT_NUMBER = Kind("unit number", "UNIT", _whole, "a whole number")
ACTIVATION = Kind("activation", "KIND")
LAYER_KIND = Kind("layer kind", "KIND")
SETTING_VALUE = Kind("setting value", "VALUE", _value)
OPTIMIZER = Kind("optimizer", "NAME")
SCHEDULE = Kind("schedule", "NAME")


@dataclass(frozen=True)
class Target(Kind):
    """The target of an operation, selected by its first argument."""

    argument: str = "selector"
    """The name of the first argument."""


SITE = Target("site", "UNITS")
"""Units at a place where activations can be changed: the output, before the activation, a time step."""
STANDING = Target("standing", "UNITS")
"""Units with interventions."""
UNIT = Target("unit", "UNIT")
"""One unit."""
LEARNED = Target("learned", "UNITS")
"""Units of a block that learns."""
FLIPPABLE = Target("flippable", "UNITS")
"""Those of them whose sign can be flipped."""
LEARNED_OR_ELEMENTS = Target("learned or elements", "UNITS|WEIGHTS")
"""All that units have learned, or elements of a parameter."""
FROZEN = Target("frozen", "UNITS|WEIGHTS")
"""The same for frozen units or elements."""
WEIGHTS = Target("weights", "UNITS|WEIGHTS")
"""The incoming weights of units, or elements of a parameter."""
WEIGHTS_OR_BIAS = Target("weights or bias", "UNITS|WEIGHTS")
"""The same; for one unit, its bias is offered first."""
ELEMENTS = Target("elements", "WEIGHTS")
"""Elements of a parameter."""
CARRIED = Target("carried", "UNITS")
"""Units that carry something from step to step."""
PRUNABLE = Target("prunable", "UNITS")
RESIZABLE = Target("resizable", "BLOCK", argument="block")
INSERTABLE = Target("insertable", "BLOCK", argument="block")
ACTIVATED = Target("activated", "BLOCK", argument="block")
LAYER = Target("layer", "LAYER", argument="layer")
SETTING = Target("setting", "NAME", argument="name")


@dataclass(frozen=True)
class Argument:
    """An argument of a verb."""

    name: str
    kind: Kind
    required: bool = False
    named: bool = True
    """Given as `name=value`; else by position."""
    either: bool = False
    """Given instead of the argument before it."""
    example: str | None = None
    """The value that a menu suggests; if empty, that of the kind. None: a menu does not ask for it."""
    default: Any = None
    """Its default; None if there is none to show."""
    derives: bool = False
    """It names the source of `values`, so the line of Python leaves those out."""
    hidden: bool = False
    """Stored so that an edit can be repeated exactly; never typed."""


ORDINAL = Argument("ordinal", WHOLE, required=True, hidden=True)
"""The edit's number on its branch, which addresses its random numbers."""


def usage(name: str, arguments: tuple[Argument, ...], *, open_ended: bool = False) -> str:
    """The usage text of a verb: `grow BLOCK [COUNT] [split=UNIT]`."""
    parts: list[list[str]] = []
    needed: list[bool] = []
    for argument in arguments:
        if argument.hidden or not argument.kind.shown:
            continue
        text = f"{argument.name}={argument.kind.shown}" if argument.named else argument.kind.shown
        if argument.either:
            parts[-1].append(text)
        else:
            parts.append([text])
            needed.append(argument.required)
    written = ["|".join(part) if need else f"[{'|'.join(part)}]" for part, need in zip(parts, needed, strict=True)]
    return " ".join([name, *written, *(["[name=value ...]"] if open_ended else [])])


def bind(
    name: str, arguments: tuple[Argument, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any], open_ended: bool
) -> dict[str, Any]:
    """The arguments of a call by name, defaults included; raises TypeError with Python's message."""
    placed = [argument for argument in arguments if not argument.named]
    known = [argument.name for argument in arguments]
    if len(args) > len(placed):
        takes = f"{len(placed) + 1} positional argument{'s' if placed else ''}"
        raise TypeError(f"{name}() takes {takes} but {len(args) + 1} were given")
    given = {argument.name: value for argument, value in zip(placed, args, strict=False)}
    for key, value in kwargs.items():
        if key in given:
            raise TypeError(f"{name}() got multiple values for argument '{key}'")
        if key not in known and not open_ended:
            raise TypeError(f"{name}() got an unexpected keyword argument '{key}'")
        given[key] = value
    missing = [f"'{argument.name}'" for argument in placed if argument.required and argument.name not in given]
    if missing:
        what = f"{len(missing)} required positional argument{'s' if len(missing) > 1 else ''}"
        raise TypeError(f"{name}() missing {what}: {' and '.join(missing)}")
    defaults = {argument.name: argument.default for argument in arguments if argument.default is not None}
    ordered = {key: given.get(key, defaults.get(key)) for key in known if key in given or key in defaults}
    return ordered | given
