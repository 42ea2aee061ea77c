"""The registry of everything a user can do, long because it is one table: keys, palette, key bar and help read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from textual.binding import Binding

from tinynets.server.frame import PANES

KEY_NAMES = {
    "question_mark": "?",
    "colon": ":",
    "comma": ",",
    "full_stop": ".",
    "slash": "/",
    "semicolon": ";",
    "exclamation_mark": "!",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "ctrl+r": "^r",
    "ctrl+u": "^u",
    "ctrl+p": "^p",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "apostrophe": "'",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "asterisk": "*",
    "backslash": "\\",
    "vertical_line": "|",
    "tilde": "~",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "escape": "esc",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}


@dataclass(frozen=True)
class Action:
    """One thing a user can do. `footer` is its place in the key bar (lower first), None if only the help shows it."""

    id: str
    keys: str
    """The keys by Textual's names, separated by commas."""
    label: str
    """A word or two for the key bar."""
    help: str
    group: str
    handler: str
    """The controller and the method called with `args`: "history.undo" is `undo` in `controllers/history.py`."""
    footer: int | None = None
    palette: bool = True
    args: tuple[Any, ...] = ()
    pane: tuple[str, ...] = ()
    """The panes in which it holds; there it precedes a key that holds everywhere. Empty: everywhere."""

    @property
    def command(self) -> str:
        """The action string that Textual runs on the app; the palette uses one of Textual's own actions."""
        return self.handler.removeprefix("app.") if self.handler.startswith("app.") else f"perform('{self.id}')"

    @property
    def keys_now(self) -> str:
        """The keys that the user has given it, or else its own."""
        return _given.get(self.id, self.keys)

    @property
    def shown_key(self) -> str:
        """The first key as printed on the keyboard."""
        return shown_key(self.keys_now.split(",")[0])

    @property
    def shown_keys(self) -> str:
        return " ".join(shown_key(key) for key in self.keys_now.split(","))


_given: dict[str, str] = {}


def give_keys(given: Mapping[str, str]) -> None:
    """Let actions have other keys than their own, in all that shows them: action -> keys, by Textual's names."""
    _given.clear()
    _given.update(given)


def shown_key(key: str) -> str:
    return KEY_NAMES.get(key, key)


class _Keys(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return BY_ID[name].shown_key


def keyed(text: str) -> str:
    """A text with the keys of actions as they are now, where it names these in braces: `{undo} goes back`."""
    return text.format_map(_Keys())


RUN, TIME, EDIT, LOOK, FILE = "Running", "Going back and forth", "The selected unit", "Looking", "Saves and the app"
UNITS = "In the Units pane"

_PANES = tuple(
    Action(
        f"pane{number}",
        str(number),
        name.capitalize(),
        f"To the {name.capitalize()} pane",
        LOOK,
        "view.pane",
        args=(name,),
    )
    for number, name in enumerate(PANES, 1)
)

_UNITS = tuple(
    Action(f"units_{name}", keys, label, text, UNITS, f"units.{method}", footer, not args, args, ("units",))
    for name, keys, label, text, method, footer, args in (
        ("sort_left", "left,h", "sort by", "Sort the units by the column to the left", "sort", None, (-1,)),
        ("sort_right", "right,l", "sort by", "Sort the units by the column to the right", "sort", 1, (1,)),
        ("turn", "d", "turn", "Turn the order of the units round", "turn", 6, ()),
        (
            "filter",
            "backslash",
            "filter",
            "Show units by what they are, as saturated > 30; asks for it",
            "filter",
            2,
            (),
        ),
        (
            "mark",
            "asterisk",
            "mark",
            "Mark the unit: z, f, a and others act on all marked ones; esc unmarks",
            "mark",
            3,
            (),
        ),
        ("mark_all", "vertical_line", "mark all", "Mark all units that are shown, or none of them", "mark_all", 5, ()),
        ("everywhere", "tilde", "all blocks", "The units of all blocks, or of the selected one", "everywhere", 7, ()),
        (
            "worth",
            "A",
            "worth",
            "Measure how the loss rises without each unit of the block, and sort by it",
            "worth",
            4,
            (),
        ),
        ("open", "enter", "select", "Select the unit, and go to it in the Neuron pane", "open", None, ()),
    )
)
_IN_LOG = ("log",)
_LOG = (
    Action("log_up", "up,k", "up", "The action before", LOOK, "record.move", palette=False, args=(-1,), pane=_IN_LOG),
    Action(
        "log_down", "down,j", "down", "The action after", LOOK, "record.move", palette=False, args=(1,), pane=_IN_LOG
    ),
    Action(
        "log_page_up",
        "pageup",
        "page up",
        "A page of actions up",
        LOOK,
        "record.page",
        palette=False,
        args=(-1,),
        pane=_IN_LOG,
    ),
    Action(
        "log_page_down",
        "pagedown",
        "page down",
        "A page of actions down",
        LOOK,
        "record.page",
        palette=False,
        args=(1,),
        pane=_IN_LOG,
    ),
    Action(
        "log_first",
        "home",
        "first",
        "To the first action",
        LOOK,
        "record.ends",
        palette=False,
        args=(-1,),
        pane=_IN_LOG,
    ),
    Action(
        "log_last",
        "end",
        "last",
        "To the last action, be it ahead",
        LOOK,
        "record.ends",
        palette=False,
        args=(1,),
        pane=_IN_LOG,
    ),
    Action(
        "log_go",
        "enter",
        "go there",
        "Go to the moment after the action under the cursor",
        LOOK,
        "record.go",
        1,
        pane=_IN_LOG,
    ),
    Action(
        "log_copy",
        "y",
        "copy line",
        "Copy the line of Python under the cursor",
        LOOK,
        "record.copy_row",
        2,
        pane=_IN_LOG,
    ),
)
_LOSS = tuple(
    Action(f"loss_{name}", keys, label, text, LOOK, f"curve.{method}", footer, not args, args, ("loss",))
    for name, keys, label, text, method, footer, args in (
        ("left", "left,h", "cursor", "The cursor a column to the left; a cursor, if there is none", "cursor", 1, (-1,)),
        ("right", "right,l", "cursor", "The cursor a column to the right", "cursor", None, (1,)),
        ("down", "down,j", "dev", "The cursor to the evaluation before, or columns to the left", "leap", None, (-1,)),
        ("up", "up,k", "dev", "The cursor to the next evaluation, or columns to the right", "leap", 3, (1,)),
        ("go", "enter", "go there", "To the step under the cursor", "go", 2, ()),
        ("curve", "d", "curve", "The loss, the learning rate, or how far updates move each block", "next_curve", 4, ()),
        ("whole", "home", "all", "All steps of the branch, without a cursor", "whole", None, ()),
        ("page_up", "pageup", "earlier", "Earlier steps, where not all are shown", "along", None, (-1,)),
        ("page_down", "pagedown", "later", "Later steps, where not all are shown", "along", None, (1,)),
        ("newest", "end", "newest", "Follow the newest steps, without a cursor", "newest", None, ()),
    )
)

ACTIONS: tuple[Action, ...] = (
    Action("run", "space", "run", "Run until paused; pause", RUN, "running.run_or_pause", 1),
    Action("step", "s", "step", "Train one step (one minibatch)", RUN, "running.step", 2, args=(1,)),
    Action("step_count", "S", "step n", "Train a number of steps; asks how many", RUN, "running.ask_steps"),
    Action(
        "phase",
        "n",
        "phase",
        "The next phase of a step: batch, forward by layer, loss, backward, update",
        RUN,
        "running.phase",
        9,
    ),
    Action(
        "phase_back",
        "N",
        "phase back",
        "A phase back; between steps, into the step just done",
        RUN,
        "running.phase_back",
    ),
    Action(
        "breakpoints",
        "exclamation_mark",
        "breakpoints",
        "Breakpoints, where runs stop: at a phase, a step, a condition; add, switch, remove",
        RUN,
        "running.breakpoints",
    ),
    Action(
        "evaluate",
        "e",
        "evaluate",
        "Loss and accuracy over the dev split, where there is one",
        RUN,
        "running.evaluate",
        12,
    ),
    Action(
        "cancel",
        "escape",
        "cancel",
        "Cancel what is at work; close what is open; leave the zoom",
        RUN,
        "running.cancel",
    ),
    Action("back", "b", "back", "One step back in time", TIME, "history.back", 3, args=(1,)),
    Action("back_count", "B", "back n", "A number of steps back; asks how many", TIME, "history.ask_back"),
    Action("start", "less_than_sign", "start", "To the first moment of the run", TIME, "history.seek_start"),
    Action("end", "greater_than_sign", "end", "To the last recorded moment", TIME, "history.seek_end"),
    Action(
        "previous_stop",
        "left_square_bracket",
        "mark",
        "To the edit, bookmark or fork before this moment; before and after an edit are two moments",
        TIME,
        "history.stop",
        args=(-1,),
    ),
    Action(
        "next_stop",
        "right_square_bracket",
        "mark",
        "To the next edit, bookmark or fork",
        TIME,
        "history.stop",
        args=(1,),
    ),
    Action(
        "bookmark", "m", "bookmark", "Bookmark this moment; asks for a name and a note", TIME, "history.bookmark", 17
    ),
    Action(
        "tree",
        "t,apostrophe",
        "tree",
        "The tree of branches, and the bookmarks: go there, rename, drop, compare",
        TIME,
        "history.tree",
        10,
    ),
    Action("fork", "F", "fork", "Go on from here on a new branch; asks for its name", TIME, "history.fork"),
    Action("until", "U", "until", "Run until something holds, as loss < 2.3; asks for it", TIME, "history.until"),
    Action(
        "back_until",
        "ctrl+u",
        "back until",
        "Back to where something last held; asks for it",
        TIME,
        "history.until",
        args=(True,),
    ),
    Action("play", "p", "play", "Play the recorded run forward; again: pause", TIME, "history.play", 14, args=(1,)),
    Action("rewind", "P", "rewind", "Play the recorded run backward; again: pause", TIME, "history.play", args=(-1,)),
    Action(
        "faster",
        "plus,equals_sign",
        "faster",
        "Half as many steps in Loss and on the timeline; while playing: twice as fast",
        TIME,
        "curve.nearer",
        args=(2.0,),
    ),
    Action(
        "slower",
        "minus",
        "slower",
        "Twice as many steps in Loss and on the timeline; while playing: half as fast",
        TIME,
        "curve.nearer",
        args=(0.5,),
    ),
    Action(
        "earlier",
        "left_curly_bracket",
        "earlier",
        "Earlier steps in Loss and on the timeline",
        TIME,
        "curve.along",
        args=(-1,),
    ),
    Action(
        "later",
        "right_curly_bracket",
        "later",
        "Later steps in Loss and on the timeline",
        TIME,
        "curve.along",
        args=(1,),
    ),
    Action("all_steps", "0", "all steps", "All steps in Loss and on the timeline", TIME, "curve.whole"),
    Action("undo", "u", "undo", "Take back the last action", TIME, "history.undo", 8),
    Action("redo", "ctrl+r", "redo", "Do again what was taken back", TIME, "history.redo"),
    Action("zero", "z", "zero", "Zero the unit's output; again: release it", EDIT, "unit.zero_or_release", 4),
    Action(
        "freeze",
        "f",
        "freeze",
        "Freeze everything that the unit learns; again: unfreeze it",
        EDIT,
        "unit.freeze_or_unfreeze",
        5,
    ),
    Action("operate", "a", "act", "All that can be done to the unit: a menu, by family", EDIT, "unit.operate", 5),
    Action(
        "explain",
        "E",
        "explain",
        "The unit explains itself: its sum, what came back, what for",
        EDIT,
        "unit.operate",
        6,
        args=("explain",),
    ),
    Action("release", "r", "release", "Take off all that stands on the unit", EDIT, "unit.release"),
    Action("mean", "M", "mean", "Hold the unit at its mean over the probe", EDIT, "unit.operate", args=("mean",)),
    Action("clamp", "c", "clamp", "Hold the unit at a value; asks for it", EDIT, "unit.operate", args=("clamp",)),
    Action(
        "scale", "C", "scale", "Multiply the unit's output; asks by how much", EDIT, "unit.operate", args=("scale",)
    ),
    Action("reinit", "I", "reinit", "Draw anew all that the unit has learned", EDIT, "unit.operate", args=("reinit",)),
    Action(
        "prune",
        "D",
        "prune",
        "Remove the unit from the network; u brings it back",
        EDIT,
        "unit.operate",
        args=("prune",),
    ),
    Action(
        "edit_weight",
        "enter",
        "edit weight",
        "Another value for the weight or bias under the cursor; its value stands there to be typed over",
        EDIT,
        "unit.edit_weight",
        1,
        pane=("weights", "neuron"),
    ),
    Action("left", "left,h", "left", "The unit to the left", LOOK, "view.move", palette=False, args=(-1, 0)),
    Action("right", "right,l", "right", "The unit to the right", LOOK, "view.move", palette=False, args=(1, 0)),
    Action(
        "up",
        "up,k",
        "up",
        "The row above: units, inputs or examples, by pane",
        LOOK,
        "view.move",
        palette=False,
        args=(0, -1),
    ),
    Action("down", "down,j", "down", "The row below", LOOK, "view.move", palette=False, args=(0, 1)),
    *(
        Action(f"leap_{to}", key, label, text, LOOK, "view.leap", palette=False, args=(to,))
        for to, key, label, text in (
            ("home", "home", "first", "To the first unit of the block"),
            ("end", "end", "last", "To the last unit of the block"),
            ("up", "pageup", "page up", "A page up: rows, or in Network the block before"),
            ("down", "pagedown", "page down", "A page down: rows, or in Network the block after"),
        )
    ),
    *_UNITS,
    Action("previous_example", "comma", "example", "The probe example before", LOOK, "view.example", args=(-1,)),
    Action(
        "next_example",
        "full_stop",
        "example",
        "The next probe example; in mid-step: out, to the end of the step",
        LOOK,
        "running.out_or_next_example",
        11,
    ),
    Action(
        "find",
        "slash",
        "find",
        "Find a unit, block, example, edit, bookmark, branch, pane or setting, and go there",
        LOOK,
        "find.find",
        7,
    ),
    Action("number", "g", "go to", "Go to a number: of a unit, an example or a step, by pane", LOOK, "find.number", 16),
    Action(
        "jump", "semicolon", "labels", "A letter on each pane and moment: its key goes there", LOOK, "find.jump", 17
    ),
    Action(
        "own",
        "i",
        "your input",
        "Type an input of your own, a text, a point, dev 12, or draw one: every pane follows it",
        LOOK,
        "examples.own",
        12,
    ),
    Action(
        "next_wrong",
        "n",
        "next wrong",
        "The next example that is answered wrong, in the order of the Examples pane",
        LOOK,
        "examples.wrong",
        1,
        args=(1,),
        pane=("output", "examples"),
    ),
    Action(
        "previous_wrong",
        "N",
        "wrong before",
        "The example before that is answered wrong",
        LOOK,
        "examples.wrong",
        args=(-1,),
        pane=("output", "examples"),
    ),
    Action(
        "matrix",
        "backslash",
        "confusion",
        "Which class is taken for which: the confusion matrix; again: the examples",
        LOOK,
        "examples.matrix",
        2,
        pane=("output", "examples"),
    ),
    Action(
        "order",
        "d",
        "order",
        "Order the examples by class, by loss, by number",
        LOOK,
        "examples.order",
        3,
        pane=("examples",),
    ),
    Action(
        "split",
        "asterisk",
        "probe/dev",
        "List the examples of the next split, or the probe's again",
        LOOK,
        "examples.split",
        4,
        pane=("examples",),
    ),
    Action(
        "list_cell",
        "enter",
        "list",
        "In the matrix: list the examples of the cell; in a list: the pane alone",
        LOOK,
        "examples.enter",
        pane=("examples",),
    ),
    *(
        Action(
            f"examples_{key}",
            key,
            key,
            f"{words} in the Examples pane",
            LOOK,
            "examples.jump",
            palette=False,
            args=(key,),
            pane=("examples",),
        )
        for key, words in {
            "home": "The first example",
            "end": "The last example",
            "pageup": "A page up",
            "pagedown": "A page down",
        }.items()
    ),
    *_PANES,
    Action(
        "next_pane",
        "tab",
        "next pane",
        "To the next pane (shift+tab: the one before)",
        LOOK,
        "view.next_pane",
        13,
        palette=False,
        args=(1,),
    ),
    Action(
        "previous_pane",
        "shift+tab",
        "pane before",
        "To the pane before",
        LOOK,
        "view.next_pane",
        palette=False,
        args=(-1,),
    ),
    Action("zoom", "x,enter", "zoom", "The pane alone; again: all panes", LOOK, "view.zoom", 15),
    Action(
        "lens",
        "v",
        "lens",
        "Paint the panes with values, gradients, changes, importance, or what fits the phase",
        LOOK,
        "view.lens",
        9,
    ),
    Action(
        "against",
        "V",
        "lens since",
        "Since when the lens measures a change: the last update, a step, a bookmark, a branch",
        LOOK,
        "view.against",
    ),
    *_LOG,
    Action("log", "L", "log10", "The loss as log10, or as it is", LOOK, "curve.log"),
    *_LOSS,
    Action(
        "command",
        "colon",
        "command",
        "A command line with the API's verbs: zero hidden[3], lr 0.01, seek 200",
        FILE,
        "view.command_line",
        6,
    ),
    Action(
        "palette",
        "ctrl+p",
        "palette",
        "Search all keys and verbs by what they do",
        FILE,
        "offering.palette",
        palette=False,
    ),
    Action("copy", "y", "copy", "Copy the line of Python of the last action", FILE, "record.copy", 16),
    Action("save", "w", "save", "Write a save", FILE, "files.save", 9),
    Action("save_as", "W", "save as", "Write a save under a name; asks for it", FILE, "files.save_as"),
    Action(
        "take_out",
        "X",
        "take out",
        "Write a pane or the screen as a picture or text, or a pane's data as CSV",
        FILE,
        "taking_out.ask_what",
    ),
    Action("record", "f12", "record", "Record the terminal (asciinema); again: end it", FILE, "taking_out.record"),
    Action("open", "o", "open", "Open a save or a recipe", FILE, "files.open", 13),
    Action(
        "recover", "O", "recover", "What a lab that ended unsaved left behind: take it up again", FILE, "files.recover"
    ),
    Action(
        "restart", "R", "restart", "Start the engine again after it died, from the last save", FILE, "engine.restart"
    ),
    Action("theme", "T", "theme", "Other colours: dark, light, for the colour-blind, and more", FILE, "style.theme"),
    Action("tour", "f1", "tour", "The tour: six hints at what there is", FILE, "style.tour"),
    Action("help", "question_mark", "help", "All keys and what they do", FILE, "view.help", 0),
    Action("quit", "q,ctrl+q", "quit", "Quit; asks if something is unsaved", FILE, "files.leave", 7),
)

BY_ID = {action.id: action for action in ACTIONS}


def bindings(pane: str = "") -> list[Binding]:
    """The key bindings that hold everywhere, or those of one pane alone; their ids let a keymap change them."""
    return [
        Binding(
            action.keys,
            f"app.{action.command}" if pane else action.command,
            action.label,
            show=False,
            id=action.id,
            priority=action.id in PRIORITY,
        )
        for action in ACTIONS
        if (pane in action.pane if pane else not action.pane)
    ]


# Textual's screens use tab to move the focus, which would skip hidden panes. And what is typed right after `:`
# belongs in the command line, which must have the focus by then.
PRIORITY = frozenset({"next_pane", "previous_pane", "command"})


def footer_actions(pane: str = "") -> list[Action]:
    """The actions of the key bar: help, then those of the focused pane, then those of all, by importance."""
    shown = [action for action in ACTIONS if action.footer is not None and (not action.pane or pane in action.pane)]
    taken = {key for action in shown if action.pane for key in action.keys_now.split(",")}
    shown = [action for action in shown if action.pane or not taken & set(action.keys_now.split(","))]
    return sorted(shown, key=lambda action: (action.id != "help", not action.pane, action.footer))


def groups() -> dict[str, list[Action]]:
    """The actions that hold everywhere, by group, in the order of the help."""
    found: dict[str, list[Action]] = {}
    for action in ACTIONS:
        if not action.pane:
            found.setdefault(action.group, []).append(action)
    return found
