"""What the Network and Activations panes show of a block."""

from __future__ import annotations

import numpy as np

from tinynets.measure.block_view import BlockView
from tinynets.server.frame import Activations, BlockCells


def cells(look: BlockView, example: int) -> BlockCells:
    """A block's units at one example of the probe."""
    return BlockCells(look.block.name, look.out[example].astype(np.float32), look.limit, look.dead)


def activations(look: BlockView, examples: tuple[str, ...]) -> Activations:
    """A block's units at every example of the probe."""
    return Activations(
        look.block.name,
        look.out.mean(axis=1).T.astype(np.float32),
        look.limit,
        np.asarray(look.saturated.all(axis=1)).T,
        look.dead,
        examples,
    )
