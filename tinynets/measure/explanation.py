"""Explanation: plain data about one unit, with a text in words."""

from __future__ import annotations

from dataclasses import dataclass

from tinynets.foreign_text import printable
from tinynets.numerics.arrays import Array


@dataclass(frozen=True)
class Contribution:
    """One term of a unit's sum: `product = x * w`."""

    label: str
    x: float
    w: float
    product: float


@dataclass(frozen=True)
class Gate:
    """One gate of a GRU or LSTM: its sum and its output."""

    name: str
    """`f (forget)`."""
    contributions: tuple[Contribution, ...]
    rest: float
    """The sum of the terms that are not listed."""
    bias: float
    z: float
    activation: str
    """`sigmoid` or `tanh`."""
    value: float


@dataclass(frozen=True)
class Change:
    """What the last step did to one incoming weight."""

    label: str
    weight: float
    change: float


@dataclass(frozen=True)
class Response:
    """An input that a unit responds to."""

    index: int
    """Where it first stands in its split."""
    value: float
    text: str
    """Its context, name or values."""
    target: str
    """What follows; where that differs, the most frequent ones."""
    count: int
    """How often the split holds this very input."""
    image: Array | None = None
    """(h, w), where the examples are pictures."""

    def words(self) -> str:
        times = f" ({self.count:,} times)" if self.count > 1 else ""
        return f"{self.text} -> {self.target}{times}" if self.target else self.text + times


@dataclass(frozen=True)
class Effect:
    """What a unit adds to one output: through its weight in the last layer, and interventions there."""

    label: str
    value: float


@dataclass(frozen=True)
class Explanation:
    """Everything that `explain` finds; `print` shows it in words. What a kind of layer lacks is None or empty."""

    name: str
    """`hidden[3]`."""
    step: int
    example: int
    input: str
    target: str
    time: int | None
    """The time step that was asked for, `rnn[5]@t=3`; None: none was."""
    position: int
    """Where it is looked at: the last place of a sequence, of an image (pixel by pixel) where it is largest."""
    place: str
    """The same in words: `t=3`, `row 2, column 3`, `place 4`; empty where there is only one."""
    contributions: tuple[Contribution, ...]
    """Terms x * w of its sum, the largest |product| first."""
    rest: float
    """The sum of the terms that are not listed."""
    bias: float | None
    z: float | None
    """w.x + b; None where there is no single sum (gates, heads, a table of vectors)."""
    gates: tuple[Gate, ...]
    """The sums of a GRU or LSTM, one for each gate."""
    normalized: float | None
    """What the normalization in the block makes of z, before what stands there; None where there is none."""
    pre: float | None
    """What the activation was given: z, normalized where the block does that, with interventions there."""
    activation: str
    """What makes the value of that; of an RNN the one inside. Empty where there is none."""
    measure: str
    """What the value is, where it is neither a sum nor what an activation makes of one; else empty."""
    clean: float
    """What it makes, before what stands on the output."""
    value: float
    """What that is made into by what stands on the output; the same where nothing does."""
    interventions: tuple[str, ...]
    on_output: tuple[str, ...]
    """Those of them that make the value of `clean`: `patch`, `clamp 0.5`."""
    frozen: bool
    gradient: float | None
    """d loss / d value, of this example's loss with its weight; of a recurrent layer what its output there is told."""
    gradient_pre: float | None
    """d loss / d what the activation was given."""
    changes: tuple[Change, ...]
    """What the step that led here did to its incoming weights, the largest first."""
    bias_change: float | None
    change_ratio: float | None
    """The length of that change over the length of the weights."""
    split: str
    """What follows is over this split."""
    examples: int
    responses: tuple[Response, ...]
    """The inputs on which its value is largest, or smallest where `nearest`; each once."""
    nearest: bool
    """Its value is a distance, so that it answers most where that is smallest."""
    mean: float
    """Of its value, with what stands on it."""
    variance: float
    """Of the same."""
    saturated_share: float | None
    """Where its activation itself is saturated, before what stands on the output; None where there is no one."""
    dead_share: float | None
    """Where no gradient passes through that; 1: it is dead."""
    effects: tuple[Effect, ...]
    """On each output through the last layer, the largest |value| first; empty where others come between."""
    weight: float | None = None
    """By which the example's loss is multiplied, and so the gradients; None: none of the data has weights."""

    @property
    def dead(self) -> bool:
        return self.dead_share == 1

    @property
    def selector(self) -> str:
        """The selector that was asked for."""
        return self.name if self.time is None else f"{self.name}@t={self.time}"

    @property
    def answers(self) -> str:
        """What the responses mean, in words."""
        return "the nearest examples (smallest distance)" if self.nearest else "it responds most to"

    def __str__(self) -> str:
        return "\n".join(map(printable, self.lines()))

    def lines(self) -> list[str]:
        where = f" at {self.place}" if self.place else ""
        frozen = ", frozen" if self.frozen else ""
        standing = f", {', '.join(self.interventions)}" if self.interventions else ""
        made = [f"{self.name} at step {self.step:,} on example {self.example}, {self.input}{where}{frozen}{standing}"]
        made += self._sum()
        gives = f"it gives ({self.measure})" if self.measure else "it gives"
        of = f"{self.activation} makes of {self.pre:+.4f}" if self.activation and self.pre is not None else gives
        then = f" -> {', '.join(self.on_output)}: {self.value:+.4f}" if self.on_output else ""
        made.append(f"  {of}: {self.clean:+.4f}{then}")
        if self.gradient is not None:
            before = "" if self.gradient_pre is None else f", before the activation {self.gradient_pre:+.3g}"
            step = "" if self.time is None else " by its output at that step"
            times = "" if self.weight is None else f" (times {self.weight:g})"
            made.append(f"  gradient of this example's loss{times}{step} {self.gradient:+.3g}{before}")
        if self.changes:
            listed = ", ".join(f"{entry.label} {entry.change:+.3g}" for entry in self.changes)
            ratio = "" if self.change_ratio is None else f" ({self.change_ratio:.2g} of their length)"
            made.append(f"  the last step changed its weights{ratio}: {listed}")
        step = "" if self.time is None else f" at t={self.time}"
        made.append(f"  over {self.examples:,} examples of {self.split}{step}: {self._statistics()}")
        made += [f"  {self.answers}:", *(f"    {entry.value:+.4f}  {entry.words()}" for entry in self.responses)]
        if self.effects:
            listed = ", ".join(f"{entry.label} {entry.value:+.3f}" for entry in self.effects)
            made.append(f"  adds to the outputs: {listed}")
        return made

    def _statistics(self) -> str:
        standing = "with what stands on it " if self.interventions else ""
        of_value = f"{standing}mean {self.mean:+.4f}, variance {self.variance:.4f}"
        if self.saturated_share is None or self.dead_share is None:
            return of_value
        dead = " (dead)" if self.dead else ""
        itself = f"; {self.activation} itself" if self.interventions else ","
        return f"{of_value}{itself} saturated {self.saturated_share:.1%}, no gradient {self.dead_share:.1%}{dead}"

    def _sum(self) -> list[str]:
        """The terms of its sum, or of the sums of its gates."""
        made = []
        for gate in self.gates:
            end = f"    and the others {gate.rest:+.4f}, bias {gate.bias:+.4f}: sum {gate.z:+.4f}"
            of = f"{gate.activation} of it {gate.value:+.4f}"
            made += [f"  {gate.name}, the sum of", *_term_lines(gate.contributions), f"{end}, {of}"]
        if not self.contributions:
            return made
        bias = "" if self.bias is None else f", bias {self.bias:+.4f}"
        total = "" if self.z is None else f": z = {self.z:+.4f}"
        between = "" if self.normalized is None else f", normalized {self.normalized:+.4f}"
        end = f"    and the others {self.rest:+.4f}{bias}{total}{between}"
        return ["  the sum of", *_term_lines(self.contributions), end]


def _term_lines(terms: tuple[Contribution, ...]) -> list[str]:
    width = max(len(entry.label) for entry in terms)
    return [f"    {entry.label:<{width}}  {entry.x:+9.4f} * {entry.w:+9.4f} = {entry.product:+9.4f}" for entry in terms]
