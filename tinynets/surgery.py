"""Changing the architecture of a living network: what its layers would be after it, and what must stay."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tinynets.layers import LAYERS, Activation, Layer, Parallel, Residual, named
from tinynets.network import Block, Network


def with_activation(network: Network, block: Block, made: Activation) -> list[Layer]:
    """The layers of a network with another activation in a block, everything else as it is."""
    old = network.layers[block.last]
    return _replaced(network.parts, "", old.name, made, keep_name=block.first == block.last)


def same_but_activations(one: Any, other: Any) -> bool:
    """Whether two descriptions of layers differ in nothing but their activations."""
    return bool(_bare(one) == _bare(other))


def _bare(described: Any) -> Any:
    """A description without its activations."""
    if isinstance(described, Mapping):
        kind = described.get("kind")
        if isinstance(kind, str) and issubclass(LAYERS.get(kind, Layer), Activation):
            return Activation
        return {key: _bare(value) for key, value in described.items()}
    return [_bare(part) for part in described] if isinstance(described, list | tuple) else described


def _replaced(layers: Sequence[Layer], prefix: str, path: str, made: Layer, keep_name: bool) -> list[Layer]:
    """Copies of the layers, the one at `path` replaced, in containers too; all the others keep their names."""
    copies = named(layers)
    for place, layer in enumerate(copies):
        full = prefix + layer.name
        if full == path:
            taken = {other.name for other in copies if other is not layer}
            copies[place] = _renamed(made, layer, taken, keep_name)
        elif path.startswith(f"{full}.") and isinstance(layer, Residual):
            layer.layers = _replaced(layer.layers, f"{full}.", path, made, keep_name)
        elif path.startswith(f"{full}.") and isinstance(layer, Parallel):
            layer.branches = [
                _replaced(branch, f"{full}.branch{number}.", path, made, keep_name)
                if path.startswith(f"{full}.branch{number}.")
                else branch
                for number, branch in enumerate(layer.branches, 1)
            ]
    return copies


def _renamed(made: Layer, old: Layer, taken: set[str], keep_name: bool) -> Layer:
    """A copy of a layer to stand in the place of another.

    It keeps the other's name where that was given to it, or names a block; `tanh1` becomes `relu1`.
    """
    made = copy.copy(made)
    automatic = re.fullmatch(rf"{old.kind.replace('-', '_')}\d+", old.name)
    if keep_name or not automatic:
        made.name = old.name
        return made
    kind = made.kind.replace("-", "_")
    made.name = next(name for number in range(1, len(taken) + 2) if (name := f"{kind}{number}") not in taken)
    return made
