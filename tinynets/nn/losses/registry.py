"""The kinds of losses by name, and the making of losses from plain descriptions and functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tinynets.errors import ShapeError, nearest, shown
from tinynets.nn.losses.base import Loss
from tinynets.nn.losses.classification import BinaryCrossEntropy, CrossEntropy, Hinge, Perceptron
from tinynets.nn.losses.custom import FunctionLoss, function_loss
from tinynets.nn.losses.kohonen import Kohonen
from tinynets.nn.losses.regression import MAE, MSE, Huber

LOSSES: dict[str, type[Loss]] = {
    cls.kind: cls for cls in (CrossEntropy, BinaryCrossEntropy, MSE, MAE, Huber, Hinge, Perceptron, Kohonen)
}


def loss_from(config: dict[str, Any]) -> Loss:
    """Make a loss from a plain description; raises ShapeError for an unknown kind or wrong arguments."""
    arguments = dict(config)
    kind = arguments.pop("kind", None)
    if not isinstance(kind, str) or kind not in LOSSES:
        raise ShapeError(f"a loss is one of {', '.join(LOSSES)}, not {kind!r}{nearest(_plain(kind), LOSSES)}")
    return LOSSES[kind](**arguments)


def _plain(kind: object) -> str:
    """A class's name or another spelling as a kind in recipes, for a hint."""
    spelt = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", str(kind))
    return spelt.lower().replace("_", "-")


def as_loss(given: Any) -> Loss:
    """Make a loss from a Loss, from its kind as in recipes, `"mse"` or `{"kind": "huber", ...}`, or from a function.

    A function is (out, y) -> (value, gradient). Raises ShapeError for anything else.
    """
    if isinstance(given, Loss):
        return given
    if isinstance(given, str | Mapping):
        try:
            return loss_from({"kind": given} if isinstance(given, str) else dict(given))
        except TypeError as error:
            raise ShapeError(f"`loss`: {error}") from None
    if isinstance(given, type) or not callable(given):
        raise ShapeError(f"`loss` must be a loss such as tn.CrossEntropy() or 'mse', or a function, not {shown(given)}")
    for known in LOSSES.values():
        if issubclass(known, FunctionLoss) and known.function is given:
            return known()
    return function_loss(given)()


def is_registered(loss: Loss) -> bool:
    """Whether `loss_from` can rebuild it."""
    known = LOSSES.get(loss.kind)
    if isinstance(loss, FunctionLoss) and known is not None and issubclass(known, FunctionLoss):
        return known.function is type(loss).function
    return known is type(loss)
