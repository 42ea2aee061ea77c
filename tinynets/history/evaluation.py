"""Evaluation: a measured loss and accuracy, as the history keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinynets.foreign_text import printable


@dataclass(frozen=True)
class Evaluation:
    """A split's mean loss (and accuracy, if there are classes) at a step; `float` of it is the loss."""

    split: str
    step: int
    loss: float
    accuracy: float | None
    examples: int
    clean: bool = False
    """Computed without the interventions."""
    edits: int = 0
    """How many edits of the branch had been applied."""
    map_errors: dict[str, float] = field(default_factory=dict, compare=False)
    """Quantization and topographic error of a self-organizing map; not kept in saves."""
    of: int = field(default=0, compare=False)
    """The size of the split, if examples were drawn from it; 0 if all were used."""

    def __float__(self) -> float:
        return self.loss

    def __str__(self) -> str:
        accuracy = "" if self.accuracy is None else f", accuracy {self.accuracy:.1%}"
        clean = ", without interventions" if self.clean else ""
        errors = "".join(f", {name.replace('_', ' ')} {value:.4f}" for name, value in self.map_errors.items())
        measured = f"{self.split} loss {loss_text(self.loss)}{accuracy}{errors}"
        examples = f"{self.examples:,} of {self.of:,} examples, drawn" if self.of else f"{self.examples:,} examples"
        return printable(f"{measured} ({examples}, step {self.step:,}{clean})")


def loss_text(loss: float) -> str:
    """Four digits after the point; scientific notation if it is too large for that."""
    return f"{loss:.4f}" if abs(loss) < 1e7 else f"{loss:.4g}"
