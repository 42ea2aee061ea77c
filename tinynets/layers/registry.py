"""Layers by kind, and to and from plain descriptions."""

from __future__ import annotations

from typing import Any

from tinynets.errors import ShapeError, nearest
from tinynets.initializers import initializer
from tinynets.layers.activations import ReLU, Sigmoid, Tanh
from tinynets.layers.base import Layer
from tinynets.layers.embedding import Embedding
from tinynets.layers.linear import Linear
from tinynets.layers.shape import Flatten

LAYERS: dict[str, type[Layer]] = {cls.kind: cls for cls in (Linear, Embedding, Flatten, Tanh, ReLU, Sigmoid)}


def describe(layer: Layer) -> dict[str, Any]:
    """A plain description: kind, name and arguments."""
    return {"kind": layer.kind, "name": layer.name} | layer.config()


def layer_from(description: dict[str, Any]) -> Layer:
    """The layer that a description makes: its `kind`, `name` and that kind's arguments.

    Raises ShapeError for an unknown kind, a wrong argument or an impossible size.
    """
    arguments = dict(description)
    kind = arguments.pop("kind", None)
    if kind not in LAYERS:
        raise ShapeError(f"`kind` is one of {', '.join(LAYERS)}, not {kind!r}{nearest(str(kind), LAYERS)}")
    for key, value in arguments.items():
        if key.endswith("_init") and isinstance(value, dict):
            arguments[key] = initializer(value)
    return LAYERS[kind](**arguments)
