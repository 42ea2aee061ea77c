"""Operations on the selected unit: which ones fit it, their keys, and the command lines that apply them.

Plain functions of a frame; the menu and the keys use them.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinynets.server.frame import BlockInfo, Frame
from tui.model.selection import Selection, UnitNow, probe_example, unit_now
from tui.render.operation_looks import menu_keys

if TYPE_CHECKING:  # the verbs are needed only once the engine runs; the app starts without them
    from tinynets.edits.kinds import Argument
    from tinynets.lab.verb import Verb

FAMILIES = {
    "activation": "activations",
    "learning": "learning",
    "parameter": "parameters",
    "state": "parameters",
    "structure": "structure",
    "looking": "looking",
}
"""Family of a verb -> its title in the menu."""


@dataclass(frozen=True)
class CommandDraft:
    """A line for the command line; `asked` is its last part, which the user is to replace."""

    text: str
    asked: str = ""

    @property
    def whole(self) -> str:
        return f"{self.text} {self.asked}" if self.asked else self.text


@dataclass(frozen=True)
class Entry:
    """One entry of the menu."""

    verb: str
    family: str
    help: str
    line: CommandDraft
    key: str


@dataclass(frozen=True)
class Site:
    """Where operations on activations apply: at the output, before the activation, or at one time step of a block.

    At a time step, only operations on activations are offered.
    """

    before: bool = False
    time: int | None = None


OUTPUT = Site()


def sites(block: BlockInfo, time: int) -> list[Site]:
    """The sites of a block's units, with the given time step."""
    before = [Site(before=True)] if block.pre else []
    return [OUTPUT, *before, *([Site(time=time)] if block.timed else [])]


def menu(frame: Frame, selection: Selection, site: Site = OUTPUT) -> list[Entry]:
    """All operations that fit the selected unit, by family; those on activations apply at `site`."""
    from tinynets.lab.verbs import VERBS  # the app starts sooner without it

    order = list(FAMILIES)
    verbs = [verb for verb in VERBS.values() if verb.placed and verb.placed[0].kind.name in FITTING]
    verbs.sort(key=lambda verb: order.index(verb.group) if verb.group in order else len(order))
    keys = menu_keys(verb.name for verb in verbs)
    lines = [(verb, line_for(verb.name, frame, selection, site)) for verb in verbs]
    return [
        Entry(verb.name, FAMILIES.get(verb.group, verb.group), verb.help, line, keys[verb.name])
        for verb, line in lines
        if line is not None
    ]


def line_for(verb: str, frame: Frame, selection: Selection, site: Site = OUTPUT) -> CommandDraft | None:
    """The line that applies a verb to the selected unit; None if the verb does not fit it."""
    from tinynets.lab.verbs import VERBS  # the app starts sooner without it

    block = next((block for block in frame.blocks if block.name == selection.block), None)
    if block is None:
        return None
    cursor = Cursor(frame, selection, block, site, unit_now(frame, selection))
    kind = VERBS[verb].placed[0].kind.name
    target = FITTING[kind](cursor) if site.time is None or kind in AT_A_TIME else None
    if target is None:
        return None
    return CommandDraft(verb, target) if kind == "layer" else _draft(VERBS[verb], target, cursor)


def _draft(verb: Verb, target: str, cursor: Cursor) -> CommandDraft | None:
    """The line of a verb and its target, followed by an example of the argument it asks for."""
    if verb.name == "explain":
        split = " split=dev" if "dev" in cursor.frame.splits else ""  # the training examples of a text take long
        return CommandDraft(f"explain {target} {_explained_on(cursor)}{split}")
    asked = next((argument for argument in verb.arguments if argument.example is not None), None)
    if asked is None:
        return CommandDraft(f"{verb.name} {target}")
    example = _example(asked, cursor)
    if example is None:
        return None
    return CommandDraft(f"{verb.name} {target}", f"{asked.name}={example}" if asked.named else example)


def _explained_on(cursor: Cursor) -> str:
    """The example that is looked at, or the user's own input, as `explain` takes it."""
    own = cursor.selection.own
    if own is None or not cursor.frame.own:
        return str(probe_example(cursor.selection, cursor.frame))
    return f"{own.example} of={own.split}" if own.split else f"input={shlex.quote(own.given)}"


def _example(argument: Argument, cursor: Cursor) -> str | None:
    """The value that the menu suggests for an argument; None if there is none."""
    if argument.example or argument.kind.name not in SUGGESTED:
        return argument.example
    return SUGGESTED[argument.kind.name](cursor)


# -- what fits


@dataclass(frozen=True)
class Cursor:
    """The selected unit, the chosen site, and the unit's present state."""

    frame: Frame
    selection: Selection
    block: BlockInfo
    site: Site
    now: UnitNow


def _site(cursor: Cursor) -> str:
    site, block = cursor.site, cursor.block
    target = cursor.selection.of(f"{block.name}.pre" if site.before and block.pre else block.name)
    return target if site.time is None else f"{target}@t={site.time}"


def _standing(cursor: Cursor) -> str | None:
    site, now = cursor.site, cursor.now
    there = now.before if site.before else now.output or now.times if site.time is None else site.time in now.times
    return _site(cursor) if there else None


def _learned(cursor: Cursor) -> str | None:
    return cursor.selection.selector if cursor.block.has_weights else None


def _weights(cursor: Cursor) -> str | None:
    matrix = any(len(shape) > 1 for shape in dict(cursor.block.learned).values())
    return _learned(cursor) if matrix else None


def _weights_or_bias(cursor: Cursor) -> str | None:
    block = cursor.block
    if block.has_weights and dict(block.learned).get("b") == (block.units,):
        return cursor.selection.of(f"{block.name}.b")
    return _weights(cursor)


def _elements(cursor: Cursor) -> str | None:
    alone = cursor.block.has_weights and not cursor.selection.group
    return weights_of(cursor.block, cursor.selection) or None if alone else None


def _prunable(cursor: Cursor) -> str | None:
    left = cursor.block.units - len(cursor.selection.units)
    return cursor.selection.selector if left > 0 and cursor.block.resizable else None


def _block(able: Callable[[BlockInfo], object]) -> Callable[[Cursor], str | None]:
    """The selected unit's block, if `able` is true of it."""
    return lambda cursor: cursor.block.name if able(cursor.block) else None


FITTING: dict[str, Callable[[Cursor], str | None]] = {
    "site": _site,
    "standing": _standing,
    "learned": _learned,
    "learned or elements": _learned,
    "frozen": lambda cursor: _learned(cursor) if cursor.now.frozen else None,
    "flippable": lambda cursor: _learned(cursor) if cursor.block.signed else None,
    "weights": _weights,
    "weights or bias": _weights_or_bias,
    "elements": _elements,
    "carried": lambda cursor: cursor.selection.selector if cursor.block.carries else None,
    "prunable": _prunable,
    "resizable": _block(lambda block: block.resizable),
    "insertable": _block(lambda block: block.insertable),
    "activated": _block(lambda block: block.activation),
    "block": _block(lambda block: block.units),
    "layer": lambda cursor: cursor.block.removable[0] if cursor.block.removable else None,
    "unit": lambda cursor: None if cursor.selection.group else cursor.selection.selector,
}
"""Kind of target -> the target that the selected unit stands for; None if it stands for none."""
AT_A_TIME = ("site", "standing")


def _next_example(cursor: Cursor) -> str:
    at = probe_example(cursor.selection, cursor.frame)
    return str(max(0, at - 1) if cursor.frame.of_batch else (at + 1) % max(1, len(cursor.frame.examples)))


def _label(cursor: Cursor) -> str | None:
    labels = cursor.frame.labels
    return labels[min(1, len(labels) - 1)] if labels else None


def _other_unit(cursor: Cursor) -> str | None:
    block, unit = cursor.block, cursor.selection.unit
    return f"{block.name}[{unit + 1 if unit + 1 < block.units else 0}]" if block.units > 1 else None


def _layer_kind(cursor: Cursor) -> str:
    last = cursor.block.name == cursor.frame.blocks[-1].name
    return "dropout" if last else cursor.block.insertable[0]


SUGGESTED: dict[str, Callable[[Cursor], str | None]] = {
    "example": _next_example,
    "class": _label,
    "other units": _other_unit,
    "layer kind": _layer_kind,
    "activation": lambda cursor: "tanh" if cursor.block.activation == "relu" else "relu",
}
"""Kind of argument -> the value that the menu suggests; None if there is none."""


def weights_of(block: BlockInfo, selection: Selection) -> str:
    """The weight under the cursor if the block's weights are a plain matrix; otherwise all of the unit's parameters."""
    for name, shape in block.learned:
        if shape[-1] == block.units:
            places = [":"] * (len(shape) - 1)
            if len(shape) == 2:
                places = [str(min(selection.row, shape[0] - 1))]
            return f"{block.name}.{name}[{','.join([*places, str(selection.unit)])}]"
    return ""
