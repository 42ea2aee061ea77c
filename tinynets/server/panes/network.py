"""The Network pane: the units of every block on one example, through the lens."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinynets.measure.block_view import BlockViews, limit_of
from tinynets.measure.lens import Lens, UnitField
from tinynets.nn.block import Block
from tinynets.numerics.arrays import Array
from tinynets.server.frame import BlockCells, Floats, Mask

EXACT = "loss without it - loss, measured"


def cells(
    lens: Lens, views: BlockViews, example: int, worth: Mapping[str, Floats] | None = None
) -> tuple[BlockCells, ...]:
    """The units of all blocks on one example; `worth`: the exact importance of blocks for which it was measured."""
    found = []
    for block in lens.experiment.network.blocks:
        exact = (worth or {}).get(block.name) if lens.name == "importance" else None
        if exact is not None:
            values = np.broadcast_to(exact.astype(np.float32), (views.positions(block), block.units))
            found.append(BlockCells(block.name, values, limit_of(exact), views.dead(block), words=EXACT))
        elif block.units:
            field = lens.units(views.of(block), block)
            found.append(_cells(block, field, views.positions(block), views.dead(block), example))
    return tuple(found)


def _cells(block: Block, field: UnitField, positions: int, dead: Mask, example: int) -> BlockCells:
    shown: Array | None = field.at(example)
    if shown is None:
        nothing = np.full((positions, block.units), np.nan, np.float32)
        return BlockCells(block.name, nothing, field.limit, dead, missing=field.missing)
    return BlockCells(block.name, shown.astype(np.float32), field.limit, dead)
