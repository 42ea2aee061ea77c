"""Unit numbers: numbers that stay a unit's own when others are pruned or grown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinynets.edits.edit import Edit
from tinynets.history.moment import RecordedEdit
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array
from tinynets.training.param_groups import parse_key

GROWN = 1_000_000  # larger than any width
Numbers = dict[str, Array]


def unit_numbers(network: Network, edits: Sequence[RecordedEdit], shared: int | None = None) -> Numbers:
    """The numbers of the units of blocks that were pruned or grown by these edits, in the order of the units.

    Grown units get numbers that none had before. Those that were grown after the first `shared` edits get other numbers
    than any that were grown elsewhere after those.
    """
    sizes = {block.name: block.units for block in network.blocks}
    changed = [(place, entry.edit) for place, entry in enumerate(edits) if entry.edit.op in ("prune", "grow")]
    found: dict[str, list[int]] = {}
    fresh = GROWN
    for place, edit in changed:
        name, units = parse_key(edit.target)
        own = found.setdefault(name, _before(name, sizes, [edit for _, edit in changed]))
        if edit.op == "grow":
            fresh = max(fresh, 2 * GROWN) if shared is not None and place >= shared else fresh
            own += range(fresh, fresh + edit.args["count"])
            fresh += edit.args["count"]
        else:
            gone = set(units or ())
            own[:] = [number for place, number in enumerate(own) if place not in gone]
    return {name: np.array(own) for name, own in found.items() if len(own) == sizes.get(name)}


def shared_edits(ours: Sequence[RecordedEdit], theirs: Sequence[RecordedEdit]) -> int:
    """How many of the first edits are the same."""
    count = 0
    while count < min(len(ours), len(theirs)) and _told(ours[count]) == _told(theirs[count]):
        count += 1
    return count


def numbers_of(numbers: Mapping[str, Array], block: str, units: int) -> Array:
    """The numbers of a block's units: their places, if none were pruned or grown."""
    return numbers.get(block, np.arange(units))


def _told(recorded: RecordedEdit) -> tuple[int, str]:
    return recorded.step, recorded.edit.python()


def _before(name: str, sizes: dict[str, int], changed: list[Edit]) -> list[int]:
    """The numbers of a block's units before all of these edits."""
    count = sizes.get(name, 0)
    for edit in changed:
        block, units = parse_key(edit.target)
        if block == name:
            count -= edit.args["count"] if edit.op == "grow" else -len(units or ())
    return list(range(max(0, count)))
