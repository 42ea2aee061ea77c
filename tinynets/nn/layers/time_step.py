"""What recurrent layers do at one time step: gates opened, interventions applied, gradients gathered."""

from __future__ import annotations

import numpy as np

from tinynets.numerics.arrays import Array


def apply_tap(raw: Array, after: Array, tap: tuple[Array, Array, Array | None]) -> None:
    """raw * factor + term, and the term alone where units are held."""
    factor, term, held = tap
    np.multiply(raw, factor, after)
    np.add(after, term, after)
    if held is not None:
        after[:, held] = term[..., held]


def release_held(held: Array | None, *arrays: Array) -> None:
    """Nothing passes back through units that are held: their factors (T, B, size) become 0, whatever they were."""
    if held is not None:
        for array in arrays:
            np.copyto(array, 0, where=held)


def sigmoid_gates(sums: Array, gates: Array, e: Array, steepest: Array) -> None:
    """The sigmoids of `sums` (..., n) as 1 / (1 + exp(-sums)) into `gates`, whose slopes are theirs times 1 less them.

    Where a gate lets through less than the smallest normal number, it is held at about that, so that nothing overflows.
    """
    np.negative(sums, e)
    np.minimum(e, steepest, out=e)
    np.exp(e, e)
    np.add(e, 1, e)
    np.reciprocal(e, gates)


def gather_gradient(later: Array | None, w: Array, dout: Array | None, dh: Array, kept: Array | None = None) -> None:
    """dh = later @ w + kept + dout: what the next step and the step's own output ask for."""
    if later is not None:
        later.dot(w, dh)
        if kept is not None:
            np.add(dh, kept, dh)
        if dout is not None:
            np.add(dh, dout, dh)
    elif dout is not None:
        np.copyto(dh, dout)
