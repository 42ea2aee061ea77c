"""The arrays that a layer computes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynets.nn.taps import AppliedTap, Tap
from tinynets.numerics.arrays import Array


class Context:
    """What a forward needs to know beyond its input; one for all buffers of a workspace.

    `training`: dropout drops, batch statistics are used and running ones renewed, carried state is carried. `seed` and
    `step` address what is random. `open` holds what a split keeps for its join (see nn/layers/structure.py).
    """

    def __init__(self, training: bool = False, seed: int = 0, step: int = 0) -> None:
        self.training, self.seed, self.step = training, seed, step
        self.open: dict[object, Any] = {}


class Buffers:
    """The arrays of one layer for one batch shape: allocated once by the layer, then written with `out=`.

    `needs_dx` is False where nobody asks for the gradient of the input. `new` are the values that this step would
    give the layer's carried arrays: written in forward, taken over in the step's last phase. `tap` is what stands on a
    layer that applies interventions itself; `applied_tap` applies those behind one, `tapped` is what that gave.
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

    if TYPE_CHECKING:  # a layer's `allocate` puts here what it likes

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...
