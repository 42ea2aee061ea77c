"""Selectors: text that names units or parameters, such as `hidden[3]` or `hidden.w[4,3]`.

Units: `hidden[3]`, `hidden[0:8]`, `hidden[1,5]`, `hidden` (all units), `hidden.pre[3]` (before the activation),
`rnn[5]@t=3` (at one time step). Parameters: `hidden.w[4,3]` (from input 4 to unit 3), `hidden.b[3]`, `hidden.w`.

The grammar is the same in the API, on the command line and in saves. A selector that names nothing is an error that
lists what exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

import numpy as np

from tinynets.errors import SelectorError
from tinynets.nn.block import Block
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array, shape_text

_SELECTOR = re.compile(r"(?P<path>\w+(?:\.\w+)*)(?:\[(?P<units>[^\]]*)\])?(?:@t=(?P<time>[0-9]{1,9}))?")
_WHOLE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Selector:
    """Units of a block, at its output or (`pre`) before its activation."""

    block: str
    pre: bool
    units: tuple[int, ...]
    whole: bool
    """All units of the block."""
    time: int | None = None
    """One time step of a recurrent block; None: all."""

    @property
    def site(self) -> str:
        return f"{self.block}.pre" if self.pre else self.block

    def __str__(self) -> str:
        time = "" if self.time is None else f"@t={self.time}"
        return (self.site if self.whole else self.site + format_units(self.units)) + time


def format_units(units: tuple[int, ...]) -> str:
    """`[3]`, `[0:8]` for a run of three and more, `[1,5,9:12]` for several."""
    parts: list[str] = []
    start = 0
    for place in range(1, len(units) + 1):
        if place < len(units) and units[place] == units[place - 1] + 1:
            continue
        run = units[start:place]
        parts += [f"{run[0]}:{run[-1] + 1}"] if len(run) > 2 else map(str, run)
        start = place
    return f"[{','.join(parts)}]"


def select(network: Network, text: object) -> Selector:
    """Resolve a selector of units in this network; raises SelectorError that names thing, rule and value."""
    if not isinstance(text, str):
        raise SelectorError(f"a selector is text like `hidden[3]`, not {text!r}")
    match = _SELECTOR.fullmatch(text.strip())
    if match is None:
        raise SelectorError(
            f"`{text}` is not a selector; they read `hidden[3]`, `hidden[0:8]`, `hidden[1,5]`, `hidden.pre[3]`, "
            "`rnn[5]@t=3`"
        )
    block, part = _block_and_part(network, match["path"])
    if not block.units:
        owners = ", ".join(entry.name for entry in network.blocks if entry.units)
        raise SelectorError(f"`{block.name}` has no units of its own; blocks with units: {owners or 'none'}")
    pre = _is_pre(network, block, part, text)
    units = tuple(range(block.units)) if match["units"] is None else _units(block, match["units"], text)
    time = None if match["time"] is None else _time(network, block, pre, int(match["time"]), text)
    return Selector(block.name, pre, units, len(units) == block.units, time)


@dataclass(frozen=True)
class ParameterSelector:
    """Elements of one parameter: some places along each axis, or all of them (None)."""

    block: str
    layer: int
    parameter: str
    axes: tuple[tuple[int, ...] | None, ...]

    def __str__(self) -> str:
        name = f"{self.block}.{self.parameter}"
        if all(places is None for places in self.axes):
            return name
        if len(self.axes) == 1:
            return name + format_units(self.axes[0] or ())
        return f"{name}[{','.join(map(_places_text, self.axes))}]"

    def count(self, network: Network) -> int:
        """How many elements there are."""
        entry = next(e for e in network.layers[self.layer].parameters() if e.name == self.parameter)
        return prod(size if p is None else len(p) for size, p in zip(entry.shape, self.axes, strict=True))

    def places(self, network: Network) -> Array:
        """Their positions in theta, sorted."""
        where = network.parameter_slice(self.layer, self.parameter)
        entry = next(e for e in network.layers[self.layer].parameters() if e.name == self.parameter)
        found: Array = np.array([where.start])
        for size, places in zip(entry.shape, self.axes, strict=True):  # within each place so far
            along = np.arange(size) if places is None else np.unique(np.array(places, np.int64))
            found = ((found[:, None] - where.start) * size + along).reshape(-1) + where.start
        return found


def select_learned(network: Network, text: object) -> Selector | ParameterSelector:
    """Resolve a selector of something learned: units, or elements of a parameter."""
    match = _SELECTOR.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or match["time"] is not None:
        return select(network, text)
    block, part = _block_and_part(network, match["path"])
    found = None if part is None else network.block_parameter(block, part)
    if found is None:
        return select(network, text)
    index, entry = found
    given = [part.strip() for part in (match["units"] or "").split(",")]
    if match["units"] is None:
        return ParameterSelector(block.name, index, entry.name, (None,) * len(entry.shape))
    if len(entry.shape) == 1:
        size = entry.shape[0]
        return ParameterSelector(
            block.name,
            index,
            entry.name,
            (_together(_along(size, part, str(text)) or range(size) for part in dict.fromkeys(given)),),
        )
    if len(given) != len(entry.shape):
        raise SelectorError(
            f"`{text}`: `{block.name}.{entry.name}` is {shape_text(entry.shape)}, so it takes {len(entry.shape)} "
            f"places, not {len(given)}"
        )
    axes = (_along(size, part, str(text)) for size, part in zip(entry.shape, given, strict=True))
    return ParameterSelector(block.name, index, entry.name, tuple(None if a is None else tuple(a) for a in axes))


def _together(ranges: Iterable[range]) -> tuple[int, ...]:
    """The union of some ranges in rising order: each place occurs once, however often it is named."""
    found: list[int] = []
    end = 0
    for each in sorted(ranges, key=lambda each: each.start):
        if each.stop > end:
            found += range(max(each.start, end), each.stop)
            end = each.stop
    return tuple(found)


def _along(size: int, part: str, selector: str) -> range | None:
    """The places that a part of a selector names along an axis; None for all."""
    bounds = [bound.strip() for bound in part.split(":")]
    if len(bounds) > 2 or part == "" or any(bound and not _WHOLE.fullmatch(bound) for bound in bounds):
        raise SelectorError(f"`{selector}`: `{part}` is neither a place nor a range like 0:8")
    low = int(bounds[0] or 0)
    high = low + 1 if len(bounds) == 1 else int(bounds[1] or size)
    if high > size or low >= high:
        raise SelectorError(f"`{selector}`: `{part}` does not lie within 0 to {size - 1}")
    return None if (low, high) == (0, size) and len(bounds) == 2 else range(low, high)


def _places_text(places: tuple[int, ...] | None) -> str:
    """The text of one part of a selector; a comma would begin the next part."""
    if places is None:
        return ":"
    return str(places[0]) if len(places) == 1 else f"{places[0]}:{places[-1] + 1}"


def _block_and_part(network: Network, path: str) -> tuple[Block, str | None]:
    """The block that a path names, and the rest of the path: the longest name that is a block's wins."""
    head, _, tail = path.rpartition(".")
    if network.has_block(path) or not network.has_block(head):
        return network.block(path), None
    return network.block(head), tail


def _time(network: Network, block: Block, pre: bool, time: int, text: str) -> int:
    steps = network.time_steps(block)
    if not steps or pre:
        raise SelectorError(f"`{text}`: `{block.name}` has no time steps to choose from")
    if time >= steps:
        raise SelectorError(f"`{text}`: `{block.name}` has {steps} time steps, 0 to {steps - 1}")
    return time


def _is_pre(network: Network, block: Block, part: str | None, text: str) -> bool:
    if part is None:
        return False
    if part == "pre":
        if block.pre is None:
            if network.time_steps(block):
                raise SelectorError(f"`{text}`: `{block.name}` has its activations within the recurrence, out of reach")
            raise SelectorError(f"`{text}`: `{block.name}` has no activation, so nothing comes before it")
        return True
    layers = network.layers[block.first : block.last + 1]
    parameters = [entry.name for layer in layers for entry in layer.parameters()]
    if part in parameters:
        raise SelectorError(f"`{text}` selects parameters; units are selected as `{block.name}[3]`")
    parts = [*(["pre"] if block.pre is not None else []), *parameters]
    only = f"only {', '.join(f'`{name}`' for name in parts)}" if parts else "nor any other"
    raise SelectorError(f"`{text}`: `{block.name}` has no part `{part}`, {only}")


def _units(block: Block, text: str, selector: str) -> tuple[int, ...]:
    return _together(_range(block, part, selector) for part in dict.fromkeys(map(str.strip, text.split(","))))


def _range(block: Block, part: str, selector: str) -> range:
    bounds = part.split(":")
    if len(bounds) > 2 or any(bound.strip() and not _WHOLE.fullmatch(bound.strip()) for bound in bounds):
        raise SelectorError(f"`{selector}`: `{part}` is neither a unit's number nor a range like 0:8")
    if len(bounds) == 1:
        if not part:
            raise SelectorError(f"`{selector}` names no unit; `{block.name}` has {_extent(block)}")
        low, high = int(part), int(part) + 1
    else:
        low = int(bounds[0] or 0)
        high = int(bounds[1] or block.units)
    if high > block.units:
        raise SelectorError(f"`{selector}`: `{block.name}` has {_extent(block)}")
    if low >= high:
        raise SelectorError(f"`{selector}` names no unit: {low}:{high} is empty")
    return range(low, high)


def _extent(block: Block) -> str:
    return f"{block.units} units, 0 to {block.units - 1}" if block.units > 1 else "1 unit, 0"
