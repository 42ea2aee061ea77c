"""Targets of operations, as selectors: the command line offers what the engine accepts."""

from __future__ import annotations

from collections.abc import Callable

from tinynets.server.frame import BlockInfo, Frame

MOST = 40
"""The most units of a block that are offered one by one."""


def _site(frame: Frame, last: str) -> list[str]:
    return [*units(frame, last), *_before(frame, last)]


def _unit_of(frame: Frame, last: str) -> list[str]:
    return [name for name in units(frame, last) if "[" in name]


def _learned(frame: Frame, last: str) -> list[str]:
    return _of(frame, [block for block in _in_order(frame) if block.has_weights], last)


def _flippable(frame: Frame, last: str) -> list[str]:
    return _of(frame, [block for block in _in_order(frame) if block.has_weights and block.signed], last)


def _learned_or_elements(frame: Frame, last: str) -> list[str]:
    named = [block for block in _in_order(frame) if block.has_weights and last.startswith(f"{block.name}.")]
    return [*_learned(frame, last), *(name for block in named for name in _weights(block, _unit(frame, block)))]


def _elements(frame: Frame, last: str) -> list[str]:
    return [name for block in _in_order(frame) for name in _weights(block, _unit(frame, block))]


def _carried(frame: Frame, last: str) -> list[str]:
    return _of(frame, [block for block in _in_order(frame) if block.carries], last)


def _prunable(frame: Frame, last: str) -> list[str]:
    """Units of a block, but not the whole block."""
    found = [*_of(frame, [block for block in _in_order(frame) if block.resizable], last), *_dead(frame)]
    return [name for name in found if name.endswith("]")]


def _blocks(able: Callable[[BlockInfo], object]) -> Callable[[Frame, str], list[str]]:
    """The blocks of which `able` is true."""
    return lambda frame, last: [block.name for block in _in_order(frame) if able(block)]


TARGETS: dict[str, Callable[[Frame, str], list[str]]] = {
    "site": _site,
    "standing": _site,
    "unit": _unit_of,
    "learned": _learned,
    "flippable": _flippable,
    "learned or elements": _learned_or_elements,
    "frozen": _learned_or_elements,
    "weights": _learned_or_elements,
    "weights or bias": _learned_or_elements,
    "elements": _elements,
    "carried": _carried,
    "prunable": _prunable,
    "resizable": _blocks(lambda block: block.resizable),
    "insertable": _blocks(lambda block: block.insertable),
    "activated": _blocks(lambda block: block.activation),
    "block": _blocks(lambda block: block.units),
    "layer": lambda frame, last: [name for block in frame.blocks for name in block.removable],
}
"""Kind of target -> the selectors that can be written for it, the selected unit first.

Parts of a block are offered once its name is written.
"""


def other_units(frame: Frame, target: str) -> list[str]:
    """The other units of the target's block."""
    block = block_of(frame, target)
    return [name for name in _each(block, MOST) if name != target] if block is not None and "[" in target else []


def block_of(frame: Frame, target: str) -> BlockInfo | None:
    """The block that a written target belongs to."""
    return next((block for block in frame.blocks if block.name == target.partition("[")[0]), None)


def units(frame: Frame, last: str) -> list[str]:
    """The selected unit, then the blocks; after an open bracket a block's units, after @ its time steps."""
    return _of(frame, _in_order(frame), last)


def _of(frame: Frame, blocks: list[BlockInfo], last: str) -> list[str]:
    unit, at, _ = last.partition("@")
    for block in blocks:
        if at and block.timed and unit.startswith(f"{block.name}["):
            return [f"{unit}@t={step}" for step in range(block.positions)]
    named = [block for block in blocks if last.startswith(f"{block.name}[")]
    if named:
        return [f"{named[0].name}[{_unit(frame, named[0])}]", *_each(named[0], named[0].units)]
    selected = [f"{block.name}[{frame.view.unit}]" for block in blocks if block.name == frame.view.block]
    return [*selected, *(block.name for block in blocks)]


def _dead(frame: Frame) -> list[str]:
    """All dead units of the selected block together, if it has others too."""
    own = next((cells for cells in frame.network or () if cells.name == frame.view.block), None)
    block = next((block for block in frame.blocks if block.name == frame.view.block), None)
    if own is None or block is None or not block.resizable or not own.dead.any() or own.dead.all():
        return []
    return [f"{own.name}[{','.join(map(str, own.dead.nonzero()[0].tolist()))}]"]


def _before(frame: Frame, last: str) -> list[str]:
    """The block's sums before its activation, once its name is written."""
    named = [block for block in _in_order(frame) if block.pre and last.startswith(f"{block.name}.")]
    return [name for block in named for name in (f"{block.name}.pre[{_unit(frame, block)}]", f"{block.name}.pre")]


def _weights(block: BlockInfo, unit: int) -> list[str]:
    """A unit's part of each parameter, and the whole parameters: `hidden.w[:,3]`, `hidden.w`."""
    made: list[str] = []
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in block.learned:
        shapes.setdefault(name, shape)  # a selector names the first parameter of a name
    for name, shape in shapes.items():
        own = f"{block.name}.{name}"
        if shape[-1] == block.units:
            first = [f"{own}[0,{unit}]"] if len(shape) == 2 else []
            made += [*first, f"{own}[{','.join([*[':'] * (len(shape) - 1), str(unit)])}]"]
        made.append(own)
    return made


def _each(block: BlockInfo, most: int) -> list[str]:
    return [f"{block.name}[{unit}]" for unit in range(min(most, block.units))]


def _unit(frame: Frame, block: BlockInfo) -> int:
    """The selected unit if it is in the block; otherwise the first."""
    return frame.view.unit if block.name == frame.view.block else 0


def _in_order(frame: Frame) -> list[BlockInfo]:
    """The blocks that have units, the selected one first."""
    return sorted((block for block in frame.blocks if block.units), key=lambda block: block.name != frame.view.block)
