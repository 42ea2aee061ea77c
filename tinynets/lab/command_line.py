"""Parses a command line, `zero hidden[3]` or `lab.zero("hidden[3]")`, into a call."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from tinynets.edits.kinds import VALUE, Kind
from tinynets.errors import CommandError, nearest
from tinynets.lab.verb import Verb, call_line
from tinynets.lab.verbs import OF_THE_APP, VERBS, verb_called, verb_typed

FIRST = ("step", "run", "phase", "back", "seek")
"""Verbs that an empty line is answered with."""


@dataclass(frozen=True)
class Call:
    """A verb of the Lab with its arguments."""

    verb: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    def python(self) -> str:
        """The same as a line of Python: `lab.zero("hidden[3]")`; empty for commands of an app alone."""
        if self.verb in OF_THE_APP:
            return ""
        known = verb_called(self.verb)
        return f"lab.{self.verb}" if known and known.read else call_line(self.verb, self.args, self.kwargs)


def parse(line: str) -> Call:
    """Parse a command line; raises CommandError that says what is wrong with it."""
    if line.strip().removeprefix(":").lstrip().startswith(("lab.", "lab =", "lab=")):
        return _pasted(line.strip().removeprefix(":").lstrip())
    words = split_words(line.strip().removeprefix(":"))
    if not words:
        raise CommandError(f"a command begins with a verb, such as {', '.join(FIRST)}")
    name, *rest = words
    verb = verb_typed(name)
    if verb is None:
        raise CommandError(f"`{name}` is not a command; `?` lists them{nearest(name, VERBS)}")
    kwargs, plain = _options(verb, _joined(verb, rest))
    args = _arguments(verb, plain, kwargs)
    return Call(verb.python, (*verb.fixed, *args), kwargs)


def split_words(line: str) -> list[str]:
    """Split a line into words as a shell does, but keep backslashes, so that `C:\\a\\b.msgpack` is a path.

    A backslash escapes only a space or a quote. Raises CommandError for an unclosed quote.
    """
    words: list[str] = []
    word, quote, at = None, "", 0
    while at < len(line):
        letter, behind = line[at], line[at + 1 : at + 2]
        if letter == "\\" and _escapes(behind, quote, line[at + 2 :]):
            word = (word or "") + behind
            at += 1
        elif quote:
            word, quote = (word, "") if letter == quote else ((word or "") + letter, quote)
        elif letter in QUOTES:
            word, quote = word or "", letter
        elif letter.isspace():
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + letter
        at += 1
    if quote:
        raise CommandError(f"`{line.strip()}`: no closing quotation")
    return words if word is None else [*words, word]


QUOTES = ("'", '"')


def _escapes(letter: str, quote: str, rest: str) -> bool:
    """Whether a backslash escapes the letter behind it; of a closing quote, only where another one follows."""
    if quote:
        return quote == letter == '"' and '"' in rest
    return letter == " " or letter in QUOTES


def _pasted(line: str) -> Call:
    """Parse a line of Python, as `Call.python` writes it; it is never run."""
    rule = "a line of Python here is one call on `lab` with plain values, such as `lab.run(100)`"
    try:
        match ast.parse(line).body:
            case [ast.Expr(ast.Attribute(ast.Name("lab"), verb))] if _read(verb):
                return Call(verb)
            case [ast.Expr(ast.Call(ast.Attribute(ast.Name("lab"), verb), args, keywords))] if not _read(verb):
                pass
            case [ast.Assign([ast.Name("lab")], ast.Call(ast.Attribute(ast.Name("tn"), "Lab"), [source], []))]:
                verb, args, keywords = "open", [source], []
            case _:
                raise CommandError(f"`{line}`: {rule}")
        values = tuple(ast.literal_eval(entry) for entry in args)
        named = {entry.arg: ast.literal_eval(entry.value) for entry in keywords if entry.arg is not None}
        if len(named) < len(keywords) or (verb == "open" and not isinstance(values[0], str)):
            raise CommandError(f"`{line}`: {rule}")
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise CommandError(f"`{line}`: {rule}") from None
    methods = [entry.python for entry in VERBS.values() if entry.name not in OF_THE_APP]
    if verb not in methods:
        raise CommandError(f"`lab.{verb}` is not something a lab does; `?` lists the verbs{nearest(verb, methods)}")
    return Call(verb, values, named)


def _read(method: str) -> bool:
    """Whether `method` is an attribute of a lab, to be read and not called."""
    known = verb_called(method)
    return known is not None and known.read


def _joined(verb: Verb, words: list[str]) -> list[str]:
    """The words, with those inside brackets joined: `hidden[1, 5]`, `values=[[1, 2], [3, 4]]`."""
    if _takes_rest(verb):
        return words
    made: list[str] = []
    for place, word in enumerate(words):
        if made and _open(made[-1]):
            made[-1] += word
        elif _open(word) and _open("".join(words[place:])):  # for good
            return [*made, *words[place:]]
        else:
            made.append(word)
    return made


def _open(text: str) -> bool:
    return text.count("[") > text.count("]")


def _takes_rest(verb: Verb) -> bool:
    return any(argument.kind.rest for argument in verb.placed[-1:])


def _options(verb: Verb, words: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The arguments given by name, and the remaining words."""
    kwargs: dict[str, Any] = {}
    plain: list[str] = []
    for word in words:
        key, found, value = word.partition("=")
        kind = _kind(verb, key, len(plain)) if found else None
        if kind is None:
            plain.append(word)
        elif key in kwargs:
            raise CommandError(f"`{verb.name}`: {key} is given twice")
        else:
            kwargs[key] = _value(verb, key, kind, value)
    return kwargs, plain


def _kind(verb: Verb, key: str, before: int) -> Kind | None:
    """The kind of a named argument; None for a word that just contains a =, as `rnn[5]@t=3` or `step>=500`.

    `before`: the number of unnamed words before it.
    """
    known = {argument.name: argument for argument in (*verb.placed, *verb.named)}
    text = _takes_rest(verb)
    if key in known and known[key].named:
        return known[key].kind
    if not key.isidentifier() or (text and before >= len(verb.placed)):
        return None
    if key in known:
        return known[key].kind
    if verb.open_ended:
        return VALUE
    if text or not verb.named:
        return None
    raise CommandError(f"`{verb.name}` has no option `{key}`, only {', '.join(known)}{nearest(key, known)}")


def _arguments(verb: Verb, words: list[str], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments in order; those given by name are taken out of `kwargs`."""
    placed = verb.placed
    named = [argument.name for argument in placed if argument.name in kwargs]
    if _takes_rest(verb) and placed[-1].name not in kwargs:
        place = len(placed) - 1 - len(named)
        words = [*words[:place], *([" ".join(words[place:])] if words[place:] else [])]
    left, args = list(words), list[Any]()
    for place, argument in enumerate(placed):
        if argument.name in kwargs:
            args.append(kwargs.pop(argument.name))
        elif left:
            args.append(_value(verb, f"argument {place + 1}", argument.kind, left.pop(0)))
        else:
            break
    if left or len(args) < sum(argument.required for argument in placed):
        count = len(words) + len(named)
        given = f"{count} argument{'s' if count != 1 else ''}"
        raise CommandError(f"`{verb.name}` is written `{verb.usage}`; it was given {given}")
    return tuple(args)


def _value(verb: Verb, what: str, kind: Kind, word: str) -> Any:
    try:
        return kind.read(word)
    except (ValueError, KeyError):
        raise CommandError(
            f"`{verb.name}`: {what} must be {kind.rule}, not {word!r}; it is written `{verb.usage}`"
        ) from None
