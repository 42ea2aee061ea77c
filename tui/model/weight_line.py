"""The line that sets the weight under the cursor, with its value as it is: the user types another over it."""

from __future__ import annotations

from tinynets.measure.weight_places import weight_selector
from tinynets.server.frame import Frame, Neuron, Weights
from tui.model.operations import CommandDraft
from tui.model.selection import Selection


def weight_line(frame: Frame, at: Selection, pane: str) -> CommandDraft | str:
    """`set_weight hidden.w[4,3]` with the weight as what is asked; or why there is no weight under the cursor."""
    shown = frame.neuron if pane == "neuron" else frame.weights
    if shown is None:
        return f"no weights come into {at.selector}"
    if shown.block != at.block or frame.view.unit != at.unit:
        return "the cursor has moved on: wait for what is shown to follow"
    rows = sum(part.rows for part in shown.parts)
    if not rows:
        return f"{at.selector} has no weights of its own that could be set one by one here: see the Weights pane"
    if at.row >= rows:
        return _bias_line(shown, at)
    value = _weight(shown, at)
    if value is None:
        return "that weight is not among the terms shown: choose one with the arrows"
    return CommandDraft(f"set_weight {weight_selector(at.block, shown.parts, at.row, at.unit)}", typed(value))


def _weight(shown: Neuron | Weights, at: Selection) -> float | None:
    if isinstance(shown, Weights):
        return None if shown.column is None else float(shown.column[at.row])
    return next((term.w for term in shown.contributions if term.row == at.row), None)


def _bias_line(shown: Neuron | Weights, at: Selection) -> CommandDraft | str:
    if not shown.biases or shown.bias is None:
        return f"{at.selector} has no bias"
    if len(shown.biases) > 1:
        names = " and ".join(f"{at.block}.{name}[{at.unit}]" for name in shown.biases)
        return f"the bias is the sum of {names}: set one of them by its name with :"
    value = shown.bias if isinstance(shown, Neuron) else shown.own_bias
    return CommandDraft(f"set_weight {at.block}.{shown.biases[0]}[{at.unit}]", typed(value))


def last_row(shown: Neuron | Weights) -> int:
    """The last row that the cursor can be on: the bias stands below the weights."""
    rows = shown.values.shape[0] if isinstance(shown, Weights) else sum(part.rows for part in shown.parts)
    return rows - (0 if shown.biases else 1)


def typed(value: float) -> str:
    """A weight as a user would type it, to as many digits as change anything that is seen."""
    return f"{value:.6g}"
