"""Part: a named part of a network, whose arrays are views into the network's vectors."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from tinynets.errors import ShapeError
from tinynets.numerics.arrays import Array, write_into
from tinynets.numerics.rules import CURRENT


class Part:
    """Base of `Layer`: values assigned to its arrays go into the network's vectors; its settings cannot change."""

    name: str
    rules: int = CURRENT
    """The rules of the run that its network belongs to (numerics/rules.py); the network sets them."""
    _own_arrays: Mapping[str, Array] = MappingProxyType({})
    """The arrays of a layer in a network, by name: views into the network's vectors."""
    _settled: bool = False
    """It is part of a network, so its name and settings cannot be assigned any more."""

    def config(self) -> dict[str, Any]:
        """Plain keyword arguments that rebuild this layer."""
        return {}

    def bind(self, theta: dict[str, Array], grad: dict[str, Array], carried: dict[str, Array]) -> Self:
        """A copy of this layer whose arrays are the given views: `w` as `self.w`, its gradient as `self.dw`."""
        bound = copy.copy(self)
        bound._own_arrays = {}
        views = theta | carried | {f"d{name}": view for name, view in grad.items()}
        for name, view in views.items():
            setattr(bound, name, view)
        bound._own_arrays = views
        return bound

    def settle(self, rules: int) -> None:
        """Become part of a network that follows these rules: from now on name and settings are fixed."""
        self.rules = rules
        self._settled = True

    def __setattr__(self, name: str, value: Any) -> None:
        """In a network, write a value assigned to an array into the network's vectors.

        Raises ShapeError for its name and settings, since the network's copies, labs and saves would not follow.
        """
        view = self._own_arrays.get(name)
        if view is None or value is view:
            if self._settled and self._is_setting(name):
                raise ShapeError(
                    f"`{self.name}.{name}` cannot change once `{self.name}` stands in a network: make another network"
                )
            super().__setattr__(name, value)
        else:
            write_into(f"{self.name}.{name}", view, value)

    def __delattr__(self, name: str) -> None:
        """Raises ShapeError for attributes that a network needs."""
        if name in self._own_arrays or (self._settled and self._is_setting(name)):
            raise ShapeError(f"`{self.name}.{name}` belongs to a network and cannot be deleted")
        super().__delattr__(name)

    def _is_setting(self, name: str) -> bool:
        return name == "name" or name in self.config()

    def __getstate__(self) -> dict[str, Any]:
        """The state of a copy: arrays of its own instead of views into the network's vectors."""
        return {
            name: np.array(value) if name in self._own_arrays else value
            for name, value in self.__dict__.items()
            if name not in ("_own_arrays", "_settled")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
