"""Selectors: `hidden[3]`, `hidden[0:8]`, `hidden[1,5]`, `hidden` (all units), `hidden.pre[3]` (before the activation),
`rnn[5]@t=3` (at one time step).

One grammar everywhere: API, command line, saves, lab. What names nothing that exists is an error that lists what does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinynets.errors import SelectorError
from tinynets.network import Block, Network
from tinynets.state import units_text

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
        return (self.site if self.whole else self.site + units_text(self.units)) + time


def select(network: Network, text: object) -> Selector:
    """What a selector stands for in this network; raises SelectorError that names thing, rule and value."""
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


def _block_and_part(network: Network, path: str) -> tuple[Block, str | None]:
    """The block that a path of names leads to, and what of it: the longest name that is a block's wins."""
    head, _, tail = path.rpartition(".")
    names = [block.name for block in network.blocks]
    if path in names or head not in names:
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
            raise SelectorError(f"`{text}`: `{block.name}` has no activation, so nothing comes before it")
        return True
    if part in [entry.name for entry in network.layers[block.first].parameters()]:
        raise SelectorError(f"`{text}` selects parameters; units are selected as `{block.name}[3]`")
    raise SelectorError(f"`{text}`: `{block.name}` has no part `{part}`, only `pre`")


def _units(block: Block, text: str, selector: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        found.update(_range(block, part.strip(), selector))
    return tuple(sorted(found))


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
