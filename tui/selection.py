"""What is selected in the app: a block, a unit, a probe example, an input row. The cursor moves here first, at once."""

from __future__ import annotations

from dataclasses import dataclass

from tinynets.frame import Frame


@dataclass(frozen=True)
class Selection:
    block: str = ""
    unit: int = 0
    example: int = 0
    row: int = 0
    """Input row of the weight matrix; the engine need not know."""

    @property
    def selector(self) -> str:
        return f"{self.block}[{self.unit}]"


def fitted(selection: Selection, frame: Frame) -> Selection:
    """The selection cut to what the frame has; the engine's choice where there is none yet."""
    sizes = {block.name: block.units for block in frame.blocks if block.units}
    if selection.block not in sizes:
        view = frame.view
        return Selection(view.block, view.unit, view.example, 0)
    unit = max(0, min(selection.unit, sizes[selection.block] - 1))
    example = max(0, min(selection.example, len(frame.examples) - 1))
    return Selection(selection.block, unit, example, max(0, selection.row))


def unit_is(frame: Frame | None, selection: Selection, mask: str) -> bool:
    """Whether the selected unit is frozen, zeroed or dead, by the panes that know."""
    if frame is None:
        return False
    cells = next((block for block in frame.network or () if block.name == selection.block), None)
    source = cells or frame.activations
    if source is not None:
        return bool(getattr(source, mask)[selection.unit])
    neuron = frame.neuron
    return bool(neuron and (neuron.interventions if mask == "zeroed" else getattr(neuron, mask)))
