"""Summary of a network: layers, output shapes, parameters and multiply-adds, as data and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinynets.nn.layers import Layer
from tinynets.numerics.arrays import shape_text


@dataclass(frozen=True)
class LayerSummary:
    """One layer: its name, its kind, its output shape for one example, and its costs (None: not known yet)."""

    name: str
    what: str
    shape: tuple[int | None, ...]
    parameters: int
    multiply_adds: int | None


@dataclass(frozen=True)
class Summary:
    """All layers and their totals; `str` is a table."""

    layers: tuple[LayerSummary, ...]
    dtype: str
    nbytes: int

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int | None:
        """Multiply-adds of a forward pass of one example; None if an input shape is not known."""
        known = [layer.multiply_adds for layer in self.layers if layer.multiply_adds is not None]
        return sum(known) if len(known) == len(self.layers) else None

    @property
    def largest(self) -> int:
        """The multiply-adds of the largest layer; 0 if none are known."""
        return max((layer.multiply_adds or 0 for layer in self.layers), default=0)

    def __str__(self) -> str:
        head = ("layer", "", "output", "parameters", "multiply-adds")
        body = [
            (entry.name, entry.what, shape_text(entry.shape), f"{entry.parameters:,}", _count(entry.multiply_adds))
            for entry in self.layers
        ]
        total = (
            "total",
            f"{self.dtype}, {self.nbytes:,} bytes",
            "",
            f"{self.parameters:,}",
            _count(self.multiply_adds),
        )
        rows = [head, *body, total]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines = [
            "  ".join(
                cell.rjust(width) if column > 2 else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def summarize(
    layers: tuple[Layer, ...],
    shape: tuple[int | None, ...],
    shapes: Sequence[tuple[int | None, ...]],
    dtype: str,
    itemsize: int,
) -> Summary:
    """Summarize layers for an input of `shape` and outputs of `shapes` (batch axis first; None: not known)."""
    rows = []
    for layer, after in zip(layers, shapes, strict=True):
        parameters = sum(entry.size for entry in layer.parameters())
        costs = layer.multiply_adds((1, *shape[1:]), (1, *after[1:]))
        rows.append(LayerSummary(layer.name, repr(layer), after[1:], parameters, costs))
        shape = after
    return Summary(tuple(rows), dtype, itemsize * sum(row.parameters for row in rows))
