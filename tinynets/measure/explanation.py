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
    row: int = -1
    """The row of its weight in the matrix of the block; -1 if not known."""


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
    """Its first place in the split."""
    value: float
    text: str
    """Its context, name or values."""
    target: str
    """The target; if there are several, the most frequent ones."""
    count: int
    """How often the split holds this input."""
    image: Array | None = None
    """(h, w), if the examples are pictures."""

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
    """The given time step, as in `rnn[5]@t=3`; None without one."""
    position: int
    """The place shown: the last one of a sequence, or the pixel of an image where it is largest."""
    place: str
    """The same in words: `t=3`, `row 2, column 3`, `place 4`; empty if there is only one."""
    contributions: tuple[Contribution, ...]
    """Terms x * w of its sum, the largest |product| first."""
    rest: float
    """The sum of the terms that are not listed."""
    bias: float | None
    z: float | None
    """w.x + b; None if there is no single sum (gates, heads, a table of vectors)."""
    gates: tuple[Gate, ...]
    """The sums of a GRU or LSTM, one for each gate."""
    normalized: float | None
    """z after the normalization in the block, before interventions; None without one."""
    pre: float | None
    """The input of the activation: z, normalized if the block does that, with interventions."""
    activation: str
    """The activation; for an RNN the one inside. Empty if there is none."""
    measure: str
    """What the value is, if it is neither a sum nor the output of an activation; else empty."""
    clean: float
    """The output before interventions."""
    value: float
    """The output with interventions; the same if there are none."""
    interventions: tuple[str, ...]
    on_output: tuple[str, ...]
    """Those of them that turn `clean` into `value`: `patch`, `clamp 0.5`."""
    frozen: bool
    gradient: float | None
    """d loss / d value for this example's loss with its weight; for a recurrent layer, that of its output there."""
    gradient_pre: float | None
    """d loss / d pre."""
    changes: tuple[Change, ...]
    """The changes of its incoming weights in the last step, the largest first."""
    bias_change: float | None
    change_ratio: float | None
    """The norm of that change divided by the norm of the weights."""
    split: str
    """The split that the following fields are about."""
    examples: int
    responses: tuple[Response, ...]
    """The inputs with the largest values, or the smallest if `nearest`; each once."""
    nearest: bool
    """Its value is a distance, so it responds most where that is smallest."""
    mean: float
    """Mean of its value, with interventions."""
    variance: float
    """Variance of its value, with interventions."""
    saturated_share: float | None
    """The share where its activation is saturated, before interventions; None without a single activation."""
    dead_share: float | None
    """The share where no gradient passes through it; 1 means that it is dead."""
    effects: tuple[Effect, ...]
    """On each output through the last layer, the largest |value| first; empty if other layers come between."""
    weight: float | None = None
    """The weight of the example's loss, and so of the gradients; None if the data have no weights."""
    verdict: str = ""
    """What the probe says is the matter with the unit, and why."""
    given: str = ""
    """The input that was given, in place of an example."""
    of: str = ""
    """The split that the example is from; empty: the probe."""

    @property
    def dead(self) -> bool:
        return self.dead_share == 1

    @property
    def selector(self) -> str:
        """The selector that was asked for."""
        return self.name if self.time is None else f"{self.name}@t={self.time}"

    @property
    def on(self) -> str:
        """The example, in words."""
        number = f"{self.of} {self.example}" if self.of else f"example {self.example}"
        return f"the input {self.input}" if self.given else f"{number}, {self.input}"

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
        made = [f"{self.name} at step {self.step:,} on {self.on}{where}{frozen}{standing}"]
        made += [f"  {self.verdict}"] if self.verdict else []
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
