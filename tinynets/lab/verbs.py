"""The verbs that can be typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from inspect import isfunction, signature
from typing import Any

from tinynets.edits.registry import OPERATIONS
from tinynets.training.optimizers import NAMED, SETTINGS
from tinynets.training.schedules import SCHEDULES
from tinynets.training.settings import CLIPPING

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
    for name in (*SETTINGS, *CLIPPING):
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
    from tinynets.nn.layers import LAYERS, Activation

    return sorted(kind for kind, layer in LAYERS.items() if issubclass(layer, Activation))


@cache
def names_of(command: str) -> tuple[str, ...]:
    """The names by which the Lab's method knows the arguments that a command takes one after the other."""
    from tinynets.lab.lab import Lab

    entry = COMMANDS[command]
    method = Lab.__init__ if command == "open" else getattr(Lab, entry.verb or command, None)
    if not isfunction(method):
        return ()
    found = [name for name, given in signature(method).parameters.items() if given.kind is given.POSITIONAL_OR_KEYWORD]
    return tuple(found[1 + len(entry.fixed) :][: len(entry.kinds)])
