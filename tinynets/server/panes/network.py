"""The Network pane: the units of every block on one example of the probe."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tinynets.measure.block_view import BlockView
from tinynets.server.frame import BlockCells


def cells(views: Iterable[BlockView], example: int) -> tuple[BlockCells, ...]:
    """The units of every block on one example of the probe."""
    return tuple(
        BlockCells(view.block.name, view.out[example].astype(np.float32), view.limit, view.dead) for view in views
    )
