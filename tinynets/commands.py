"""The command line's verbs, as the API has them: `zero hidden[3]`, `lr 0.01`, and the line of Python that each is.

Verbs of operations come from `edits.OPERATIONS`; the others are the Lab's own.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache
from inspect import isfunction, signature
from typing import Any

from tinynets.edits import OPERATIONS
from tinynets.errors import CommandError, nearest
from tinynets.operations.base import literal
from tinynets.optimizers import NAMED, SETTINGS
from tinynets.schedules import SCHEDULES
from tinynets.settings import OF_TRAINING

PROPERTIES = ("log", "interventions", "frozen", "frozen_weights", "evaluations", "tree", "bookmarks")
OF_THE_APP = ("start", "play", "recover")

ANY_OPTION = {"": "value"}
"""`name=value` arguments of any name; what they may be is known where they are used."""


@dataclass(frozen=True)
class Command:
    """A verb: how it is written, what it does, and the kinds of its arguments."""

    name: str
    usage: str
    help: str
    group: str
    kinds: tuple[str, ...] = ()
    """`text`, `whole`, `number`, `numbers`, `value` (what it looks like), `input` (a list of numbers, else text),
    `units`, `step` (a whole number, or a bookmark's name).

    One that ends in ? may be left out; `rest` is text that takes what is left of the line.
    """
    options: dict[str, str] = field(default_factory=dict)
    """`name=value` arguments: name -> kind."""
    fixed: tuple[Any, ...] = ()
    """Arguments that the verb stands for: `lr 0.01` is `set("lr", 0.01)`."""
    verb: str = ""
    """The Lab's method, where it is not called like the command."""


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


def _operations() -> list[Command]:
    return [
        Command(
            entry.name,
            entry.usage,
            entry.help,
            entry.family,
            entry.kinds,
            ANY_OPTION if "" in entry.options else dict(entry.options),
        )
        for entry in OPERATIONS.values()
    ]


def _settings() -> list[Command]:
    made = []
    for name in (*SETTINGS, *OF_TRAINING):
        kinds = ("number",)
        made.append(Command(name, f"{name} VALUE", f"change {name} from here on", "setting", kinds, {}, (name,), "set"))
    for name, choices in (("optimizer", NAMED), ("schedule", SCHEDULES)):
        usage, help_ = f"{name} NAME [name=value ...]", f"from here on: {', '.join(choices)}"
        made.append(Command(name, usage, help_, "setting", ("text",), ANY_OPTION, (name,), "set"))
    return made


COMMANDS: dict[str, Command] = {
    entry.name: entry
    for entry in (
        Command("step", "step [N]", "take a step, or N", "training", ("whole?",)),
        Command("run", "run N", "take N steps", "training", ("whole",)),
        Command("phase", "phase", "do the next phase of a step", "training"),
        Command("back", "back [N]", "go a step back, or N", "time", ("whole?",)),
        Command(
            "seek",
            "seek STEP|BOOKMARK [edits=N]",
            "go to after the last (or the Nth) edit at a step; beyond the end, run there",
            "time",
            ("step",),
            {"edits": "whole"},
        ),
        Command(
            "until",
            "until CONDITION [limit=N]",
            "step until it holds, N steps at most: loss < 2.3, dead hidden[7]",
            "time",
            ("rest",),
            {"limit": "whole"},
            verb="run_until",
        ),
        Command(
            "back_until",
            "back_until CONDITION",
            "back to the last moment at which it held: alive hidden[7], loss < 2.3",
            "time",
            ("rest",),
        ),
        Command("seek_cost", "seek_cost STEP", "what going to a recorded step costs", "time", ("whole",)),
        Command("undo", "undo", "undo the last edit or run of steps", "time"),
        Command("redo", "redo", "redo what was undone", "time"),
        Command("fork", "fork NAME", "go on from here on a new branch", "time", ("text",)),
        Command("switch", "switch BRANCH", "go to the end of another branch", "time", ("text",)),
        Command("rename", "rename BRANCH NAME", "give a branch another name", "time", ("text", "text")),
        Command("drop", "drop BRANCH", "forget a branch and what only it holds", "time", ("text",)),
        Command("tree", "tree", "the branches: where each left its parent, where it ends", "time"),
        Command(
            "compare",
            "compare A [B] [step=N]",
            "two branches or saves side by side; with one, the current branch against it",
            "time",
            ("text", "text?"),
            {"step": "whole"},
        ),
        Command("verify", "verify", "compute every branch again and compare with what was kept", "files"),
        Command(
            "script",
            "script [FILE] [overwrite=true]",
            "the whole run as a Python script that rebuilds it",
            "files",
            ("text?",),
            {"overwrite": "value"},
        ),
        Command(
            "bookmark",
            "bookmark NAME [NOTE]",
            "mark this moment, to come back with seek NAME",
            "time",
            ("text", "rest?"),
        ),
        Command("unbookmark", "unbookmark NAME", "take a bookmark away", "time", ("text",)),
        Command("bookmarks", "bookmarks", "the moments that are marked", "time"),
        *_operations(),
        *_settings(),
        Command(
            "explain",
            "explain UNIT [EXAMPLE] [split=SPLIT] [top=N]",
            "how a unit comes to its value, what it responds to, what it does to the outputs",
            "looking",
            ("units", "whole?"),
            {"split": "text", "top": "whole"},
        ),
        Command(
            "evaluate",
            "evaluate [SPLIT] [clean=true] [examples=N]",
            "loss and accuracy over a split (dev), or over N of it; clean: without the interventions",
            "looking",
            ("text?",),
            {"clean": "value", "examples": "whole"},
        ),
        Command(
            "sample",
            "sample [N] [temperature=T] [seed=S] [prefix=TEXT]",
            "write N names with the network as it stands",
            "looking",
            ("whole?",),
            {"temperature": "number", "seed": "whole", "prefix": "text"},
        ),
        Command(
            "predict",
            "predict [TEXT|NUMBERS] [example=N] [split=SPLIT]",
            "what comes after a text, or out for numbers, as 0.3,-1, or for an example of the data",
            "looking",
            ("input?",),
            {"example": "whole", "split": "text"},
        ),
        Command("log", "log", "the edits that led to this moment", "looking"),
        Command("interventions", "interventions", "what stands on activations at this moment", "looking"),
        Command("frozen", "frozen", "the units that are frozen at this moment", "looking"),
        Command("frozen_weights", "frozen_weights", "how many single weights are frozen, by parameter", "looking"),
        Command("evaluations", "evaluations", "the evaluations of this branch, in the order of their steps", "looking"),
        Command("save", "save [FILE]", "write everything to a file", "files", ("text?",)),
        Command("open", "open RECIPE|SAVE", "open a recipe or a save in this lab", "files", ("text",)),
        Command("recover", "recover", "what a lab that ended unsaved left behind: take it up again", "files"),
        Command(
            "play",
            "play [SPEED]",
            "play what is recorded, so many steps a second; below 0 backward",
            "time",
            ("number?",),
        ),
    )
}

METHODS = {command.verb: name for name, command in COMMANDS.items() if command.verb and not command.fixed}
"""The names that verbs have in Python, where those are others: they are understood as well."""


def activations() -> list[str]:
    """The kinds that `activation` can switch a block to."""
    from tinynets.layers import LAYERS, Activation

    return sorted(kind for kind, layer in LAYERS.items() if issubclass(layer, Activation))


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


@cache
def names_of(command: str) -> tuple[str, ...]:
    """The names by which the Lab's method knows the arguments that a command takes one after the other."""
    from tinynets.lab import Lab

    entry = COMMANDS[command]
    method = Lab.__init__ if command == "open" else getattr(Lab, entry.verb or command, None)
    if not isfunction(method):
        return ()
    found = [name for name, given in signature(method).parameters.items() if given.kind is given.POSITIONAL_OR_KEYWORD]
    return tuple(found[1 + len(entry.fixed) :][: len(entry.kinds)])


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
