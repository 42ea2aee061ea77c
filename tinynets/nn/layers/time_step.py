"""The work of recurrent layers at one time step: open gates, apply interventions, gather gradients."""

from __future__ import annotations

import numpy as np

from tinynets.numerics.arrays import Array


def apply_tap(raw: Array, after: Array, tap: tuple[Array, Array, Array | None]) -> None:
    """raw * factor + term, or just the term where units are held."""
    factor, term, held = tap
    np.multiply(raw, factor, after)
    np.add(after, term, after)
    if held is not None:
        after[:, held] = term[..., held]


def release_held(held: Array | None, *arrays: Array) -> None:
    """Block the gradient of held units: set their factors (T, B, size) to 0, whatever they were."""
    if held is not None:
        for array in arrays:
            np.copyto(array, 0, where=held)


def sigmoid_gates(sums: Array, gates: Array, e: Array, steepest: Array) -> None:
    """Write the sigmoids of `sums` (..., n), 1 / (1 + exp(-sums)), to `gates`; their slopes are gates (1 - gates).

    A gate below the smallest normal number is held at about that number, so that nothing overflows.
    """
    np.negative(sums, e)
    np.minimum(e, steepest, out=e)
    np.exp(e, e)
    np.add(e, 1, e)
    np.reciprocal(e, gates)


def gather_gradient(later: Array | None, w: Array, dout: Array | None, dh: Array, kept: Array | None = None) -> None:
    """dh = later @ w + kept + dout: the gradients from the next step and from the step's own output."""
    if later is not None:
        later.dot(w, dh)
        if kept is not None:
            np.add(dh, kept, dh)
        if dout is not None:
            np.add(dh, dout, dh)
    elif dout is not None:
        np.copyto(dh, dout)
