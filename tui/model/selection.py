"""The app's selection: block, unit, probe example and input row. A cursor key changes it at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinynets.server.frame import FREE, Frame, OwnInput

RELEASED = ("zero", "several")
"""Interventions on a unit's output that `z` removes."""


@dataclass(frozen=True)
class Selection:
    block: str = ""
    unit: int = 0
    example: int = 0
    row: int = 0
    """The input row of the weight matrix; the engine need not know it."""
    other: int = 0
    """The example selected among those that are not shown: of the batch, or in mid-step of the probe."""
    own: OwnInput | None = None
    """An input of the user's own, which is looked at in place of the example."""
    group: tuple[int, ...] = ()
    """Units of the block that are operated on together; empty: the selected one alone."""

    @property
    def units(self) -> tuple[int, ...]:
        """The units to be operated on."""
        return self.group or (self.unit,)

    @property
    def selector(self) -> str:
        return self.of(self.block)

    def of(self, path: str) -> str:
        """The units at a site: `hidden.pre[1,5,9]`."""
        return f"{path}[{','.join(map(str, self.units))}]"

    def shown(self, frame: Frame) -> int:
        """Which of a frame's examples is selected: the last one if that is the user's own."""
        if self.own is not None and frame.own:
            return len(frame.examples) - 1
        return max(0, min(self.example, _without_own(frame) - 1))


@dataclass(frozen=True)
class UnitNow:
    """The selected unit's interventions, whether it learns and whether it is dead."""

    output: str = ""
    """The intervention on its output (in a sequence: on every time step), named as in `Standing.kinds`."""
    before: str = ""
    """The intervention before its activation."""
    frozen: int = FREE
    dead: bool = False
    times: tuple[int, ...] = ()
    """The time steps that have an intervention of their own."""


def unit_now(frame: Frame | None, selection: Selection) -> UnitNow:
    """What a frame says about the selected unit, or what holds of all that are operated on together.

    Whether it is dead is known only while a pane shows it.
    """
    found = [_one_now(frame, replace(selection, unit=unit)) for unit in selection.units]
    if len(found) == 1:
        return found[0]
    times = sorted({time for now in found for time in now.times})
    return UnitNow(
        _common([now.output for now in found]),
        _common([now.before for now in found]),
        min(now.frozen for now in found),
        all(now.dead for now in found),
        tuple(times),
    )


def _common(names: list[str]) -> str:
    """The intervention on all of them: `several` if they differ, empty if one has none."""
    return names[0] if len(set(names)) == 1 else "several" if all(names) else ""


def _one_now(frame: Frame | None, selection: Selection) -> UnitNow:
    standing = frame.standing.get(selection.block) if frame else None
    if frame is None or standing is None or selection.unit >= len(standing.frozen):
        return UnitNow()
    at = selection.unit
    ops = standing.kinds[standing.output[at]], standing.kinds[standing.before[at]]
    times = tuple(time for time, codes in standing.timed.items() if codes[at])
    return UnitNow(*ops, int(standing.frozen[at]), _dead(frame, selection), times)


def _dead(frame: Frame, selection: Selection) -> bool:
    own = next((block for block in frame.network or () if block.name == selection.block), None)
    source = own or frame.activations
    if source is not None:
        return bool(source.dead[selection.unit]) if selection.unit < len(source.dead) else False
    return bool(frame.neuron and frame.neuron.dead)


def followed(selection: Selection, before: Frame | None, frame: Frame) -> Selection:
    """The selection on the same unit after the network has changed: the unit may have moved, or be gone.

    Where a batch is shown in place of the probe, or the other way round, it is on the example last selected there.
    """
    if frame.of_batch != (before is not None and before.of_batch):
        selection = replace(selection, example=selection.other, other=selection.example)
    if before is None or selection.block not in before.standing:
        return fitted(selection, frame)
    if selection.block not in frame.standing:
        return fitted(replace(selection, block=_beside(selection.block, before, frame), unit=0, row=0), frame)
    old, new = before.standing[selection.block].numbers, frame.standing[selection.block].numbers
    if selection.unit >= len(old) or np.array_equal(old, new):
        return fitted(selection, frame)
    at = np.flatnonzero(new == old[selection.unit])
    # Gone: select the unit that took its place.
    unit = int(at[0]) if at.size else int(np.isin(new, old[: selection.unit]).sum())
    return fitted(replace(selection, unit=unit), frame)


def _beside(block: str, before: Frame, frame: Frame) -> str:
    """The block before one that is gone, or else the block after it."""
    names = [entry.name for entry in before.blocks]
    at = names.index(block)
    found = [name for name in [*reversed(names[:at]), *names[at:]] if name in frame.standing]
    return found[0] if found else ""


def fitted(selection: Selection, frame: Frame) -> Selection:
    """The selection limited to what the frame has; the engine's choice if there is none yet."""
    sizes = {block.name: block.units for block in frame.blocks if block.units}
    if selection.block not in sizes:
        view = frame.view
        example = min(frame.example, _without_own(frame) - 1)
        return replace(selection, block=view.block, unit=view.unit, example=example, row=0)
    unit = max(0, min(selection.unit, sizes[selection.block] - 1))
    example = max(0, min(selection.example, _without_own(frame) - 1))
    return replace(selection, unit=unit, example=example, row=max(0, selection.row))


def _without_own(frame: Frame) -> int:
    """How many of a frame's examples are not the user's own."""
    return len(frame.examples) - frame.own


def probe_example(selection: Selection, frame: Frame) -> int:
    """The selected example of the probe, also while a batch is shown."""
    return selection.other if frame.of_batch else selection.example
