"""The command line's verbs, as the API has them: `zero hidden[3]`, `lr 0.01`, and the line of Python that each is.

Verbs of operations come from `edits.OPERATIONS`; the others are the Lab's own.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from tinynets.edits.edit import literal
from tinynets.errors import CommandError, nearest
from tinynets.lab.verbs import ANY_OPTION, COMMANDS, METHODS, OF_THE_APP, PROPERTIES, Command, names_of


@dataclass(frozen=True)
class Call:
    """A verb of the Lab with its arguments."""

    verb: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    def python(self) -> str:
        """The line of Python that does the same: `lab.zero("hidden[3]")`; empty for what only an app does."""
        if self.verb in OF_THE_APP:
            return ""
        if self.verb in PROPERTIES:
            return f"lab.{self.verb}"
        parts = [literal(value) for value in self.args]
        parts += [f"{name}={literal(value)}" for name, value in self.kwargs.items()]
        called = "lab = tn.Lab" if self.verb == "open" else f"lab.{self.verb}"
        return f"{called}({', '.join(parts)})"


def parse(line: str) -> Call:
    """The call that a command line stands for; raises CommandError that says what is wrong with it."""
    if line.strip().removeprefix(":").lstrip().startswith(("lab.", "lab =", "lab=")):
        return _pasted(line.strip().removeprefix(":").lstrip())
    words = split_words(line.strip().removeprefix(":"))
    if not words:
        raise CommandError(f"a command begins with a verb, such as {', '.join(list(COMMANDS)[:5])}")
    name, *rest = words
    name = METHODS.get(name, name)
    if name not in COMMANDS:
        raise CommandError(f"`{name}` is not a command; `?` lists them{nearest(name, COMMANDS)}")
    command = COMMANDS[name]
    kwargs, plain = _options(command, _joined(command, rest))
    args = _arguments(command, plain, kwargs)
    return Call(command.verb or name, (*command.fixed, *args), kwargs)


def split_words(line: str) -> list[str]:
    """The words of a line, as a shell has them, but for backslashes: they stay, so that `C:\\a\\b.msgpack` is a path.

    Only in front of a space or a quote a backslash means that one itself. Raises CommandError for a quote that is open.
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
    """Whether a backslash in front of a letter takes its meaning away: of a quote's own end where another one comes."""
    if quote:
        return quote == letter == '"' and '"' in rest
    return letter == " " or letter in QUOTES


def _pasted(line: str) -> Call:
    """The call that a line of Python stands for, as `Call.python` writes it: read, never run."""
    rule = "a line of Python here is one call on `lab` with plain values, such as `lab.run(100)`"
    try:
        match ast.parse(line).body:
            case [ast.Expr(ast.Attribute(ast.Name("lab"), verb))] if verb in PROPERTIES:
                return Call(verb)
            case [ast.Expr(ast.Call(ast.Attribute(ast.Name("lab"), verb), args, keywords))] if verb not in PROPERTIES:
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
    methods = [command.verb or name for name, command in COMMANDS.items() if name not in OF_THE_APP]
    if verb not in methods:
        raise CommandError(f"`lab.{verb}` is not something a lab does; `?` lists the verbs{nearest(verb, methods)}")
    return Call(verb, values, named)


def _joined(command: Command, words: list[str]) -> list[str]:
    """The words, those from an open bracket to its end as one: `hidden[1, 5]`, `values=[[1, 2], [3, 4]]`."""
    if command.kinds[-1:] and command.kinds[-1].startswith("rest"):
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


def _options(command: Command, words: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The arguments that are given by name, and the words of the others."""
    kwargs: dict[str, Any] = {}
    plain: list[str] = []
    for word in words:
        key, found, value = word.partition("=")
        kind = _kind(command, key, len(plain)) if found else None
        if kind is None:
            plain.append(word)
        elif key in kwargs:
            raise CommandError(f"`{command.name}`: {key} is given twice")
        else:
            kwargs[key] = _value(command, key, kind, value)
    return kwargs, plain


def _kind(command: Command, key: str, before: int) -> str | None:
    """What the argument of a name is; None for a word that has a = of its own, as `rnn[5]@t=3` or `step>=500`.

    `before`: how many words without a name came before it.
    """
    if key and key in command.options:
        return command.options[key]
    text = command.kinds[-1:] in (("rest",), ("rest?",))
    if not key.isidentifier() or (text and before >= len(command.kinds)):
        return None
    names = names_of(command.name)
    if key in names:
        return command.kinds[names.index(key)].rstrip("?")
    if command.options is ANY_OPTION:
        return "value"
    if text or not command.options:
        return None
    known = (*names, *command.options)
    raise CommandError(f"`{command.name}` has no option `{key}`, only {', '.join(known)}{nearest(key, known)}")


def _arguments(command: Command, words: list[str], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments one after the other; those of them that were given by name are taken out of `kwargs`."""
    names = names_of(command.name) if kwargs else ()
    named = [name for name in names if name in kwargs]
    if command.kinds and command.kinds[-1].startswith("rest") and not kwargs.keys() & set(names[-1:]):
        place = len(command.kinds) - 1 - len(named)
        words = [*words[:place], *([" ".join(words[place:])] if words[place:] else [])]
    left, args = list(words), list[Any]()
    for place, kind in enumerate(command.kinds):
        if names[place : place + 1] and names[place] in kwargs:
            args.append(kwargs.pop(names[place]))
        elif left:
            args.append(_value(command, f"argument {place + 1}", kind.rstrip("?"), left.pop(0)))
        else:
            break
    if left or len(args) < sum(not kind.endswith("?") for kind in command.kinds):
        count = len(words) + len(named)
        given = f"{count} argument{'s' if count != 1 else ''}"
        raise CommandError(f"`{command.name}` is written `{command.usage}`; it was given {given}")
    return tuple(args)


def _value(command: Command, what: str, kind: str, word: str) -> Any:
    try:
        if kind == "whole":
            return int(word.replace("_", "").replace(",", ""))
        if kind == "step":
            plain = word.replace("_", "").replace(",", "")
            return int(plain) if plain.isdecimal() else word
        if kind == "number":
            return float(word)
        if kind == "value":
            return _guessed(word)
        if kind == "input":
            return _listed(word) or word
        if kind == "numbers":
            return _numbers(word)
        if kind == "flag":
            return {"true": True, "yes": True, "false": False, "no": False}[word.lower()]
    except (ValueError, KeyError):
        words = {
            "whole": "a whole number",
            "number": "a number",
            "flag": "true or false",
            "numbers": "numbers: 0.5,-1,2 or [[0.5,-1],[2,3]]",
        }
        raise CommandError(
            f"`{command.name}`: {what} must be {words[kind]}, not {word!r}; it is written `{command.usage}`"
        ) from None
    return word


def _numbers(word: str) -> list[Any]:
    """Numbers with commas between them, in a bracket or not; lists of lists as Python has them."""
    if not word.startswith("[["):
        return [float(part) for part in word.strip("[]").split(",")]
    found = _listed(word)
    if found is None:
        raise ValueError
    return found


def _listed(word: str) -> list[Any] | None:
    """The list of numbers, or of such lists, that a word is; None where it is none."""
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


def _guessed(word: str) -> Any:
    """A value as it looks: a number, true or false, numbers with commas between them, a list of Python's, or text."""
    if word in ("true", "false"):
        return word == "true"
    listed = _listed(word)
    if listed:
        return listed
    if "," in word:
        parts = [_guessed(part) for part in word.split(",") if part]
        return parts if _of_numbers(parts) else word
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
