"""What an operation can be done to, as selectors: what the command line offers is what the engine takes."""

from __future__ import annotations

from tinynets.server.frame import BlockInfo, Frame

ON_ACTIVATIONS = ("zero", "mean", "resample", "clamp", "scale", "noise", "patch", "steer", "release")
ON_WEIGHTS = ("freeze", "unfreeze", "nudge", "zero_weights", "round", "sparsify", "set_weight")
"""Verbs that take single weights too; the last one takes nothing else."""
ON_LEARNED = (*ON_WEIGHTS, "rate", "reinit", "copy", "swap", "sign_flip", "transplant")
MOST = 40
"""Units of a block that are offered one by one."""


def first(verb: str, frame: Frame, last: str) -> list[str]:
    """What a verb's first argument can be, the selected unit first; parts of a block once its name is written."""
    blocks = _in_order(frame)
    if verb == "remove":
        return [name for block in frame.blocks for name in block.removable]
    if verb == "activation":
        return [block.name for block in blocks if block.activation]
    if verb in ("grow", "insert"):
        return [block.name for block in blocks if (block.resizable if verb == "grow" else block.insertable)]
    if verb in ON_ACTIVATIONS:
        return [*units(frame, last), *_before(frame, last)]
    if verb == "set_weight":
        return [name for block in blocks for name in _weights(block, _unit(frame, block))]
    if verb in ON_LEARNED:
        named = [block for block in blocks if block.has_weights and last.startswith(f"{block.name}.")]
        inside = [name for block in named for name in _weights(block, _unit(frame, block)) if verb in ON_WEIGHTS]
        able = [block for block in blocks if block.has_weights and (block.signed or verb != "sign_flip")]
        return [*_of(frame, able, last), *inside]
    if verb == "explain":
        return [name for name in units(frame, last) if "[" in name]
    if verb == "prune":  # of a block not all
        found = [*_of(frame, [block for block in blocks if block.resizable], last), *_dead(frame)]
        return [name for name in found if name.endswith("]")]
    return _of(frame, [block for block in blocks if block.carries], last) if verb == "reset" else []


def second(verb: str, frame: Frame, target: str, last: str) -> list[str]:
    """What a verb's second argument can be."""
    from tinynets.lab.verbs import activations

    block = next((block for block in frame.blocks if block.name == target.partition("[")[0]), None)
    if verb in ("mean", "resample"):
        return [*(["probe"] if verb == "mean" else []), *frame.splits]
    if verb == "activation":
        return activations()
    if verb == "insert":
        return list(block.insertable) if block else []
    if verb in ("copy", "swap") and block is not None and "[" in target:
        return [name for name in _each(block, MOST) if name != target]
    return []


def units(frame: Frame, last: str) -> list[str]:
    """The selected unit first, then the blocks; a block's units once its bracket is open, its time steps behind @."""
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
    """The dead units of the selected block together, where others are left."""
    own = next((cells for cells in frame.network or () if cells.name == frame.view.block), None)
    block = next((block for block in frame.blocks if block.name == frame.view.block), None)
    if own is None or block is None or not block.resizable or not own.dead.any() or own.dead.all():
        return []
    return [f"{own.name}[{','.join(map(str, own.dead.nonzero()[0].tolist()))}]"]


def _before(frame: Frame, last: str) -> list[str]:
    """The sums before the activation of a block whose name is written."""
    named = [block for block in _in_order(frame) if block.pre and last.startswith(f"{block.name}.")]
    return [name for block in named for name in (f"{block.name}.pre[{_unit(frame, block)}]", f"{block.name}.pre")]


def _weights(block: BlockInfo, unit: int) -> list[str]:
    """What a unit has learned, and the whole parameters: `hidden.w[:,3]`, `hidden.w`."""
    made: list[str] = []
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in block.learned:
        shapes.setdefault(name, shape)  # a selector means the first of the name
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
    """The selected unit, where it is the block's."""
    return frame.view.unit if block.name == frame.view.block else 0


def _in_order(frame: Frame) -> list[BlockInfo]:
    """The blocks that have units; the selected one first."""
    return sorted((block for block in frame.blocks if block.units), key=lambda block: block.name != frame.view.block)
