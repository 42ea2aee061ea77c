"""The kinds of layers by name, and the conversion of layers to plain descriptions and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinynets.errors import ShapeError, nearest
from tinynets.nn.initializers import initializer
from tinynets.nn.layers.base import Layer
from tinynets.numerics.arrays import is_flat

LAYERS: dict[str, type[Layer]] = {}
"""Layer classes by kind: those imported in nn/layers/__init__.py, in its order, and those that a user registers."""


def gather(names: Mapping[str, object]) -> None:
    """Put every layer class with a kind among these into LAYERS."""
    found = [thing for thing in names.values() if isinstance(thing, type) and issubclass(thing, Layer)]
    LAYERS.update({layer.kind: layer for layer in found if layer.kind})


def describe(layer: Layer) -> dict[str, Any]:
    """A plain description: kind, name and arguments, including the layers inside a container."""

    def plain(value: Any) -> Any:
        if isinstance(value, Layer):
            return describe(value)
        if not isinstance(value, list | tuple):
            return value
        return list(value) if is_flat(value) else [plain(part) for part in value]

    name = {"name": layer.name} if layer.name else {}
    return {"kind": layer.kind} | name | {key: plain(value) for key, value in layer.config().items()}


def layer_from(description: dict[str, Any]) -> Layer:
    """Make a layer from a description: its `kind`, `name` and that kind's arguments.

    Raises ShapeError for an unknown kind, a wrong argument or an impossible size.
    """
    arguments = dict(description)
    kind = arguments.pop("kind", None)
    if kind not in LAYERS:
        raise ShapeError(f"`kind` is one of {', '.join(LAYERS)}, not {kind!r}{nearest(str(kind), LAYERS)}")

    def made(key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return initializer(value) if key.endswith("_init") else layer_from(value)
        nested = isinstance(value, list) and not is_flat(value)
        return [made(key, part) for part in value] if nested else value

    return LAYERS[kind](**{key: made(key, value) for key, value in arguments.items()})
