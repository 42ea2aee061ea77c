"""Claims: what a kind of layer declares about itself, so that no other code needs a table of kinds."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar, NamedTuple

Range = tuple[float, float]
FREE: Range = (-inf, inf)
NEVER_NEGATIVE: Range = (0.0, inf)
SHARE: Range = (0.0, 1.0)
EITHER_SIDE: Range = (-1.0, 1.0)


class GateSum(NamedTuple):
    """One gate of a recurrent layer: its letter, what it does, and the function it applies to its sum."""

    letter: str
    meaning: str
    squash: str
    reset: bool = False
    """Whether the terms from the layer's own units are multiplied by the first gate."""

    @property
    def name(self) -> str:
        return f"{self.letter} ({self.meaning})"


class Claims:
    """What is true of a kind of layer, with defaults.

    A subclass with a `kind` of its own may compute something else: it inherits none of these and declares its own.
    """

    group_names: ClassVar[tuple[str, ...]] = ()
    """Names of the groups of columns; each unit has one column in each (gates)."""
    gate_sums: ClassVar[tuple[GateSum, ...]] = ()
    """The gates of its units, in the order of their columns; empty: a unit has one sum."""
    unit_measure: ClassVar[str] = ""
    """What the value of a unit is, if it is neither a sum nor the output of an activation."""
    output_range: Range = FREE
    """The range of its outputs for any input."""
    keeps_range: ClassVar[bool] = False
    """Its outputs have the range of its inputs."""
    insertable: ClassVar[bool] = False
    """It can be made to pass its input on unchanged, by `passing` and `passing_values`."""
    is_odd: ClassVar[bool] = False
    """Flipping the sign of its input flips that of its output, unit by unit."""
    turns_with_weights: ClassVar[bool] = False
    """Flipping the signs of its units' weights flips that of its output (edits/symmetry.py)."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "kind" in vars(cls):
            for name in Claims.__annotations__.keys() - vars(cls).keys():
                setattr(cls, name, getattr(Claims, name))
