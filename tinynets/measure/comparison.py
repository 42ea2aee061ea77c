"""Comparison: plain data on where two runs part and how far, with a text in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinynets.foreign_text import printable
from tinynets.numerics.arrays import Array

SHOWN_UNITS = 3
AVERAGED = 100  # steps


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two runs, at the compared step."""

    name: str
    end: int
    """Its last recorded step."""
    losses: Array
    """(end,) training loss of every step."""
    probe_loss: float
    probe_accuracy: float | None
    """None for losses without hits."""
    digest: str
    interventions: tuple[str, ...]
    moment: str = ""
    """Which moment of that step it is, if edits were undone or lie ahead: `before 1 edit of ..., undone`."""

    def average(self, step: int) -> float:
        """Mean training loss of the last steps up to `step`; NaN before the first."""
        recent = self.losses[max(step - AVERAGED, 0) : step]
        return float(recent.mean(dtype=np.float64)) if recent.size else float("nan")


@dataclass(frozen=True, eq=False)
class BlockDistance:
    """The distance between a block's parameters: the L2 norm of the difference."""

    block: str
    parameters: int
    distance: float
    relative: float
    """The distance over the length of the first one's parameters."""
    units: Array
    """(units,) the distance for each unit's own parameters; empty if there are none."""
    relative_units: Array
    values: tuple[Array, Array] | None = None
    """(units,) the mean output of each unit over the probe, in both; None if they have other probes."""
    weights: tuple[Array, Array] | None = None
    """(in, units) the incoming weights of each unit, in both; None if they cannot be arranged so."""
    rows: tuple[str, ...] = ()
    """The name of each row of the weights."""

    def largest(self, count: int = SHOWN_UNITS) -> list[tuple[int, float]]:
        """The units that are farthest apart, and how far."""
        order = np.argsort(-self.units, kind="stable")[:count]
        return [(int(unit), float(self.units[unit])) for unit in order if self.units[unit] > 0]


@dataclass(frozen=True)
class Disagreement:
    """How differently the two runs answer on the examples of the probe."""

    examples: int
    split: str
    what: str
    """`probabilities`, or `outputs`."""
    other: float | None
    """The share of answers with another class; None without classes."""
    mean: float
    """Mean |difference|."""
    largest: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two runs compared at `step`."""

    a: Side
    b: Side
    step: int
    first_difference: int | None
    """The first step at which they differ; None if they agree as far as both go."""
    difference: str
    """What that is: `edit at step 500 on what-if: lab.zero("hidden[3]")`."""
    same_batches: bool
    batches: str
    """Why the batches are the same at every step, or what differs."""
    blocks: tuple[BlockDistance, ...]
    """The blocks that both have in the same shape."""
    distance: float
    """Over all these blocks."""
    relative: float
    unlike: tuple[str, ...]
    """What cannot be compared, in words: blocks that only one has, or that have other shapes or activations."""
    disagreement: Disagreement | None
    """None if their outputs cannot be compared: `unlike` says why."""

    @property
    def equal(self) -> bool:
        """Whether both have the same bytes at the compared step."""
        return self.a.digest == self.b.digest

    def config(self) -> dict[str, Any]:
        """All of it as JSON data."""
        plain: dict[str, Any] = _plain(asdict(self))
        for block in plain["blocks"]:  # whole matrices are for who looks at a unit, not for a report
            del block["values"], block["weights"], block["rows"]
        return plain | {"equal": self.equal}

    def __str__(self) -> str:
        return "\n".join(map(printable, self.lines()))

    def lines(self) -> list[str]:
        a, b = self.a, self.b
        made = [f"{a.name} and {b.name} at step {self.step:,}" + (": the same bytes" if self.equal else "")]
        made += [f"  moment      {side.name}: {side.moment}" for side in (a, b) if side.moment]
        made.append(f"  part        {self.difference}")
        made.append(f"  batches     {self.batches}")
        if self.step:
            made.append(
                f"  loss        {a.losses[self.step - 1]:.4f} and {b.losses[self.step - 1]:.4f}; "
                f"mean of the last {min(AVERAGED, self.step)} steps "
                f"{a.average(self.step):.4f} and {b.average(self.step):.4f}"
            )
        accuracy = ""
        if a.probe_accuracy is not None and b.probe_accuracy is not None:
            accuracy = f", accuracy {a.probe_accuracy:.1%} and {b.probe_accuracy:.1%}"
        made.append(f"  probe       loss {a.probe_loss:.4f} and {b.probe_loss:.4f}{accuracy}")
        if self.disagreement is not None:
            made.append(f"  outputs     {_answers(self.disagreement)}")
        made += [f"  standing    {side.name}: {', '.join(side.interventions)}" for side in (a, b) if side.interventions]
        if self.blocks and not self.equal:
            made.append(f"  parameters  {self.distance:.4g} apart ({_share(self.relative)})")
            width = max(len(entry.block) for entry in self.blocks)
            made += [f"    {_block(entry, width)}" for entry in self.blocks]
        return made + [f"  unlike      {line}" for line in self.unlike]


def _answers(found: Disagreement) -> str:
    other = "" if found.other is None else f"another class for {found.other:.1%} of the probe; "
    apart = f"{found.what} {found.mean:.4f} apart on average, {found.largest:.4f} at most"
    return f"{other}{apart} ({found.examples} examples of {found.split})"


def _block(entry: BlockDistance, width: int) -> str:
    most = ", ".join(f"{entry.block}[{unit}] {distance:.3g}" for unit, distance in entry.largest())
    units = f"  most in {most}" if most and len(entry.units) > 1 else ""
    return f"{entry.block:<{width}}  {entry.distance:8.4f}  {_share(entry.relative):>7}{units}"


def _share(relative: float) -> str:
    return f"{relative:.1%}"


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
