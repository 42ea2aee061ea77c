"""Parameter groups: settings of a block or some of its units, under keys such as `hidden` and `hidden[3]` in Hyper.

An entry for single units overrides that of their block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tinynets.errors import SelectorError
from tinynets.nn.block import Block
from tinynets.nn.network import Network
from tinynets.nn.selectors import format_units

_KEY = re.compile(r"(?P<block>[^\[\]]+)\[(?P<units>[0-9]{1,9}(:[0-9]{1,9})?(,[0-9]{1,9}(:[0-9]{1,9})?)*)\]")


def check_keys(what: str, settings: Mapping[str, float], network: Network) -> None:
    """Raise SelectorError if a key names no units, units without parameters, or units of another key.

    A key never takes more memory than there are units, whatever it says.
    """
    taken: set[tuple[str, int]] = set()
    for key in settings:
        match = _KEY.fullmatch(key) if isinstance(key, str) else None
        block = network.block(match["block"] if match else str(key))
        if not network.block_parameters(block):
            raise SelectorError(f"`{what}`: `{block.name}` has no parameters")
        for part in match["units"].split(",") if match else ():
            for unit in _range(what, str(key), part, block):
                if (block.name, unit) in taken:
                    raise SelectorError(f"`{what}`: `{block.name}[{unit}]` is there twice")
                taken.add((block.name, unit))


def _range(what: str, key: str, part: str, block: Block) -> range:
    low, colon, high = part.partition(":")
    found = range(int(low), int(high) if colon else int(low) + 1)
    if not found or found.stop > block.units:
        raise SelectorError(f"`{what}`: `{key}`: `{block.name}` has {block.units} units")
    return found


def parse_key(key: str) -> tuple[str, tuple[int, ...] | None]:
    """The block of a key and its units; None for all of them."""
    match = _KEY.fullmatch(key)
    if match is None:
        return key, None
    units: list[int] = []
    for part in match["units"].split(","):
        low, colon, high = part.partition(":")
        units += range(int(low), int(high)) if colon else [int(low)]
    return match["block"], tuple(units)


def blocks_first(settings: Mapping[str, float]) -> Iterator[tuple[str, tuple[int, ...] | None, float]]:
    """Block, units and value of each entry, entries of whole blocks first."""
    entries = [(*parse_key(key), value) for key, value in settings.items()]
    return iter(sorted(entries, key=lambda entry: entry[1] is not None))


def by_unit(settings: Mapping[str, float], block: str) -> dict[int, float]:
    """The settings of single units of a block."""
    found: dict[int, float] = {}
    for name, units, value in blocks_first(settings):
        if name == block and units is not None:
            found |= dict.fromkeys(units, value)
    return found


def with_units(settings: Mapping[str, float], block: str, settings_of_units: Mapping[int, float]) -> dict[str, float]:
    """Replace the settings of single units of a block; units with the same value share an entry."""
    made = {key: value for key, value in settings.items() if parse_key(key)[0] != block or parse_key(key)[1] is None}
    return made | of_units(block, settings_of_units)


def of_units(block: str, settings: Mapping[int, float]) -> dict[str, float]:
    """The settings of single units of a block; units with the same value share an entry."""
    together: dict[float, list[int]] = {}
    for unit in sorted(settings):
        together.setdefault(settings[unit], []).append(unit)
    return {f"{block}{format_units(tuple(units))}": value for value, units in together.items()}


class UnitRates:
    """Learning-rate factors during many changes; a factor for all units of a block becomes the block's."""

    def __init__(self, rates: Mapping[str, float]) -> None:
        self._rates = rates
        self._usual: dict[str, float] = {}
        """The factor of each changed block itself."""
        self._of_units: dict[str, dict[int, float]] = {}
        self._last: dict[tuple[str, bool], None] = {}
        """The changed blocks, whole or in part, the last change last."""
        self._had: dict[str, dict[int, float]] = {}
        for name, units, value in blocks_first(rates):
            if units is not None:
                self._had.setdefault(name, {}).update(dict.fromkeys(units, value))

    def put(self, block: Block, units: Iterable[int], factor: float) -> None:
        name, wanted = block.name, set(units)
        if name not in self._usual:
            self._usual[name] = self._rates.get(name, 1.0)
            self._of_units[name] = dict(self._had.get(name, {}))
        if len(wanted) == block.units:
            self._usual[name] = factor
            self._of_units[name] = {}
            self._last.pop((name, False), None)
        else:
            self._of_units[name].update(dict.fromkeys(wanted, factor))
        key = name, len(wanted) == block.units
        self._last.pop(key, None)
        self._last[key] = None

    def settings(self) -> dict[str, float]:
        made = {}
        for key, value in self._rates.items():
            name, units = parse_key(key)
            if (name, True) not in self._last and (units is None or name not in self._usual):
                made[key] = value
        for name, whole in self._last:
            usual = self._usual[name]
            if not whole:
                different = {unit: value for unit, value in self._of_units[name].items() if value != usual}
                made = made | of_units(name, different)
            elif usual != 1:
                made[name] = usual
        return made
