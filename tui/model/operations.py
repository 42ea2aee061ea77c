"""What can be done to the selected unit: which operations fit it, their keys, and the lines that do them.

Plain functions of a frame; the menu and the keys draw on them.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinynets.server.frame import BlockInfo, Frame
from tui.model.selection import Selection, UnitNow, unit_now

FAMILIES = {
    "activation": "activations",
    "learning": "learning",
    "parameter": "parameters",
    "state": "parameters",
    "structure": "structure",
    "looking": "looking",
}
"""Family of a verb -> what the menu calls it."""

KEYS = {
    "zero": "z", "mean": "M", "resample": "R", "clamp": "c", "scale": "C", "noise": "n", "patch": "p", "steer": "S",
    "release": "r", "freeze": "f", "unfreeze": "u", "rate": "l", "set_weight": "w", "nudge": "plus",
    "zero_weights": "0", "reinit": "I", "copy": "y", "swap": "x", "sign_flip": "minus", "round": "b", "sparsify": "s",
    "transplant": "t", "reset": "e", "activation": "a", "prune": "D", "grow": "G", "insert": "i", "remove": "d",
    "explain": "E",
}  # fmt: skip
"""Verb -> its key in the menu; those that have a key of their own in the lab have the same here."""


@dataclass(frozen=True)
class CommandDraft:
    """A line of the command line; `asked` is the end of it, which a person is to say."""

    text: str
    asked: str = ""

    @property
    def whole(self) -> str:
        return f"{self.text} {self.asked}" if self.asked else self.text


@dataclass(frozen=True)
class Entry:
    """A line of the menu."""

    verb: str
    family: str
    help: str
    line: CommandDraft


@dataclass(frozen=True)
class Site:
    """Where operations on activations are done: at the output, before the activation, or at one time step of a block.

    With a time step there are those on activations alone.
    """

    before: bool = False
    time: int | None = None


OUTPUT = Site()


def sites(block: BlockInfo, time: int) -> list[Site]:
    """The sites of a block's units, its time step being this one."""
    before = [Site(before=True)] if block.pre else []
    return [OUTPUT, *before, *([Site(time=time)] if block.timed else [])]


def menu(frame: Frame, selection: Selection, site: Site = OUTPUT) -> list[Entry]:
    """All operations that fit a unit, by family; those on activations at a site."""
    from tinynets.lab.verbs import COMMANDS

    found = []
    for verb in sorted(KEYS, key=lambda verb: list(FAMILIES).index(COMMANDS[verb].group)):
        line = line_for(verb, frame, selection, site)
        if line is not None:
            found.append(Entry(verb, FAMILIES[COMMANDS[verb].group], COMMANDS[verb].help, line))
    return found


def line_for(verb: str, frame: Frame, selection: Selection, site: Site = OUTPUT) -> CommandDraft | None:
    """The line that does a verb to a unit; None where it does not fit."""
    block = next((block for block in frame.blocks if block.name == selection.block), None)
    if block is None:
        return None
    now, unit = unit_now(frame, selection), selection.selector
    if verb in ON_ACTIVATIONS:
        target = f"{block.name}.pre[{selection.unit}]" if site.before and block.pre else unit
        target += "" if site.time is None else f"@t={site.time}"
        return _on_activations(verb, target, site, frame, selection, now)
    if site.time is not None:
        return None
    if verb == "explain":
        split = " split=dev" if "dev" in frame.splits else ""  # of text the training examples take long
        return CommandDraft(f"explain {unit} {selection.example}{split}")
    if verb in ("prune", "grow", "insert", "remove", "activation"):
        return _on_structure(verb, block, unit, last=block.name == frame.blocks[-1].name)
    if verb == "reset":
        return CommandDraft(f"reset {unit}") if block.carries else None
    if not block.has_weights or (verb == "sign_flip" and not block.signed):
        return None
    return _on_learned(verb, block, selection, now)


ON_ACTIVATIONS = {
    "zero": "", "mean": "", "resample": "", "clamp": "0.5", "scale": "2", "noise": "0.1", "patch": "example=",
    "steer": "toward=", "release": "",
}  # fmt: skip
"""What is asked for each."""


def _on_activations(
    verb: str, target: str, site: Site, frame: Frame, selection: Selection, now: UnitNow
) -> CommandDraft | None:
    if verb == "release":
        there = now.before if site.before else now.output or now.times if site.time is None else site.time in now.times
        return CommandDraft(f"release {target}") if there else None
    if verb == "steer" and not frame.labels:
        return None
    asked = ON_ACTIVATIONS[verb]
    if verb == "patch":
        asked += str((selection.example + 1) % max(1, len(frame.examples)))
    if verb == "steer":
        asked += frame.labels[min(1, len(frame.labels) - 1)]
    return CommandDraft(f"{verb} {target}", asked)


def _on_structure(verb: str, block: BlockInfo, unit: str, last: bool) -> CommandDraft | None:
    if verb == "prune":
        return CommandDraft(f"prune {unit}") if block.units > 1 and block.resizable else None
    if verb == "grow":
        return CommandDraft(f"grow {block.name}", "1") if block.resizable else None
    if verb == "insert":
        return (
            CommandDraft(f"insert {block.name}", "dropout" if last else block.insertable[0])
            if block.insertable
            else None
        )
    if verb == "remove":
        return CommandDraft("remove", block.removable[0]) if block.removable else None
    other = "tanh" if block.activation == "relu" else "relu"
    return CommandDraft(f"activation {block.name}", other) if block.activation else None


def _on_learned(verb: str, block: BlockInfo, selection: Selection, now: UnitNow) -> CommandDraft | None:
    unit = selection.selector
    other = f"{block.name}[{selection.unit + 1 if selection.unit + 1 < block.units else 0}]"
    names = dict(block.learned)
    if verb == "unfreeze" and not now.frozen:
        return None
    if verb in ("copy", "swap") and block.units < 2:
        return None
    asked = {
        "rate": "0.1", "set_weight": "0", "nudge": "0.1", "copy": other, "swap": other, "round": "3",
        "sparsify": "0.5", "transplant": "branch=",
    }  # fmt: skip
    if verb == "set_weight":
        weight = weights_of(block, selection)
        return CommandDraft(f"set_weight {weight}", "0") if weight else None
    if verb == "nudge" and names.get("b") == (block.units,):
        return CommandDraft(f"nudge {block.name}.b[{selection.unit}]", "0.1")
    if verb in ("nudge", "zero_weights", "round", "sparsify") and all(len(shape) < 2 for shape in names.values()):
        return None
    return CommandDraft(f"{verb} {unit}", asked.get(verb, ""))


def weights_of(block: BlockInfo, selection: Selection) -> str:
    """The weight under the cursor where the block's weights are a plain matrix, else what is learned of the unit."""
    for name, shape in block.learned:
        if shape[-1] == block.units:
            places = [":"] * (len(shape) - 1)
            if len(shape) == 2:
                places = [str(min(selection.row, shape[0] - 1))]
            return f"{block.name}.{name}[{','.join([*places, str(selection.unit)])}]"
    return ""
