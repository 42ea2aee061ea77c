"""Selectors: `hidden[3]`, `hidden[0:8]`, `hidden[1,5]`, `hidden` (all units), `hidden.pre[3]` (before the activation).

One grammar everywhere: API, command line, saves, lab. What names nothing that exists is an error that lists what does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinynets.errors import SelectorError
from tinynets.network import Block, Network
from tinynets.state import units_text

_SELECTOR = re.compile(r"(?P<block>\w+)(?:\.(?P<part>\w+))?(?:\[(?P<units>[^\]]*)\])?")
_WHOLE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Selector:
    """Units of a block, at its output or (`pre`) before its activation."""

    block: str
    pre: bool
    units: tuple[int, ...]
    whole: bool
    """All units of the block."""

    @property
    def site(self) -> str:
        return f"{self.block}.pre" if self.pre else self.block

    def __str__(self) -> str:
        return self.site if self.whole else self.site + units_text(self.units)


def select(network: Network, text: object) -> Selector:
    """What a selector stands for in this network; raises SelectorError that names thing, rule and value."""
    if not isinstance(text, str):
        raise SelectorError(f"a selector is text like `hidden[3]`, not {text!r}")
    match = _SELECTOR.fullmatch(text.strip())
    if match is None:
        raise SelectorError(
            f"`{text}` is not a selector; they read `hidden[3]`, `hidden[0:8]`, `hidden[1,5]`, `hidden.pre[3]`"
        )
    block = network.block(match["block"])
    if not block.units:
        owners = ", ".join(entry.name for entry in network.blocks if entry.units)
        raise SelectorError(f"`{block.name}` has no units of its own; blocks with units: {owners}")
    pre = _is_pre(network, block, match["part"], text)
    units = tuple(range(block.units)) if match["units"] is None else _units(block, match["units"], text)
    return Selector(block.name, pre, units, whole=len(units) == block.units)


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
