"""Answers: what a network says for many examples, what would be right, and which class it takes for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinynets.nn.losses import Kohonen, Loss
from tinynets.numerics.arrays import Array, ignore_warnings

NONE = -1
"""The class of an example without one, and the answer of a network whose outputs are not numbers."""


@dataclass(frozen=True)
class Answers:
    """What a network says for N examples; of a sequence, what it says last."""

    kind: str
    """`classes`: one of many; `sides`: one output says which of two; `map`: the nearest unit; `values`."""
    answer: Array
    """(N,) the class (or unit of a map) that the network takes it for, else NONE."""
    truth: Array
    """(N,) the right class, else NONE."""
    share: Array
    """(N,) the probability of the answer; NaN without one."""
    truth_share: Array
    """(N,) the probability of the right class; NaN without one."""
    values: Array
    """(N, outputs) the outputs, or where they stand for probabilities, those."""
    targets: Array | None
    """(N, outputs) what they should be, for plain values."""
    loss: Array
    """(N,)."""
    wrong: Array | None
    """(N,) which are missed; None where nothing is right or wrong: for plain values, maps and sequences of answers."""


def answers_of(loss: Loss, out: Array, y: Array, weight: Array | None = None) -> Answers:
    """What outputs (N, ..., units) say, and how they compare with their targets, which `weight` may multiply."""
    with ignore_warnings():
        rows = out.reshape(len(out), -1, out.shape[-1])[:, -1].astype(np.float64)
        shares = loss.probabilities(rows)
        losses = loss.each(out, y)
        hits = None if out.ndim > 2 else loss.right(out, y)
    losses = losses if weight is None else losses * weight
    finite = np.asarray(np.isfinite(rows).all(axis=1))
    kind = _kind(loss, rows, hits)
    answer, truth = _answer(kind, rows, finite), _truth(kind, y)
    values, targets = rows, None
    if kind == "sides" and shares.size:
        shares = np.concatenate([1 - shares, shares], axis=1)
    if shares.size and (kind != "sides" or shares.shape[1] == 2):
        values = shares
    if kind in ("values", "sides") and y.size:
        targets = y.reshape(len(y), -1)[:, -rows.shape[1] :].astype(np.float64)  # of a sequence, the last
    if hits is not None and weight is not None:
        hits = (hits.T ^ (weight < 0)).T
    wrong = None if hits is None else np.asarray(~hits.reshape(len(hits), -1).all(axis=1) | ~finite)
    return Answers(kind, answer, truth, _picked(shares, answer), _picked(shares, truth), values, targets, losses, wrong)


def _kind(loss: Loss, rows: Array, hits: Array | None) -> str:
    if loss.classes:
        return "classes"
    if isinstance(loss, Kohonen):
        return "map"
    return "sides" if hits is not None and rows.shape[1] == 1 else "values"


def _answer(kind: str, rows: Array, finite: Array) -> Array:
    if kind == "classes":
        said: Array = rows.argmax(axis=1)
    elif kind == "map":
        said = rows.argmin(axis=1)
    elif kind == "sides":
        said = rows[:, 0] > 0
    else:
        said = np.full(len(rows), NONE)
    return np.where(finite, said, NONE).astype(np.int64)


def _truth(kind: str, y: Array) -> Array:
    if kind == "classes":
        return np.array(y.reshape(len(y), -1)[:, -1], np.int64)
    if kind == "sides":
        return np.array(y.reshape(len(y), -1)[:, -1] > 0.5, np.int64)
    return np.full(len(y), NONE)


def _picked(shares: Array, chosen: Array) -> Array:
    """(N,) each row's share of the class chosen for it; NaN where there is none."""
    if shares.ndim != 2 or not shares.size:
        return np.full(len(chosen), np.nan)
    known = (chosen >= 0) & (chosen < shares.shape[1])
    return np.where(known, shares[np.arange(len(chosen)), np.where(known, chosen, 0)], np.nan)


def confusion(truth: Array, answer: Array, classes: int) -> Array:
    """(classes, classes) how often each class (down) was taken for each (across); examples without either are left out.

    truth, answer (N,) whole numbers; NONE, or whatever is no class, is left out.
    """
    known = (truth >= 0) & (truth < classes) & (answer >= 0) & (answer < classes)
    counts = np.bincount(truth[known] * classes + answer[known], minlength=classes * classes)
    return np.asarray(counts.reshape(classes, classes), np.int64)
