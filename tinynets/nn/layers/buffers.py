"""Buffers: the arrays that a layer computes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynets.nn.taps import AppliedTap, Tap
from tinynets.numerics.arrays import Array


class Context:
    """What a forward needs besides its input, shared by all buffers of a workspace.

    `training`: dropout drops values, batch statistics are used, running ones updated, hidden state carried. `seed` and
    `step` address random numbers. `open` holds what a split keeps for its join (see nn/layers/structure.py).
    """

    def __init__(self, training: bool = False, seed: int = 0, step: int = 0) -> None:
        self.training, self.seed, self.step = training, seed, step
        self.open: dict[object, Any] = {}


class Buffers:
    """The arrays of one layer for one batch shape: allocated once by the layer, then written with `out=`.

    `needs_dx` is False if the gradient of the input is not needed. `new` holds the next values of the layer's carried
    arrays: written in forward, committed in the step's last phase. `tap` belongs to a layer that applies interventions
    itself; `applied_tap` is one applied behind a layer, and `tapped` is its result.
    """

    out: Array
    dx: Array
    dout: Array
    needs_dx: bool
    context: Context
    new: dict[str, Array]
    tap: Tap | None
    tapped: Array | None
    applied_tap: AppliedTap | None

    def __init__(self, needs_dx: bool, context: Context, new: dict[str, Array]) -> None:
        self.needs_dx = needs_dx
        self.context = context
        self.new = new
        self.tap = None
        self.tapped = None
        self.applied_tap = None

    if TYPE_CHECKING:  # a layer's `allocate` adds attributes of its own

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...
