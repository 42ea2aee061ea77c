"""What is the matter with a unit, and why: a sentence from what the probe shows, for the lab and for `explain`.

Causes are looked for in the unit's own sum over the examples concerned: the term or the bias that pushes it furthest.
Where a unit has no single sum (gates, heads, softmax, what is normalized), the sentence says only what is the matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinynets.measure.block_view import BlockView, UnitView
from tinynets.measure.unit_terms import UnitTerms, inputs_of
from tinynets.nn.interventions import Intervention, recurs
from tinynets.nn.saturation import activation_of
from tinynets.numerics.arrays import Array
from tinynets.training.frozen import frozen_share

NOTABLE = 0.1
"""The share of saturated examples from which it is worth a word."""
DONE = {
    "zero": "zeroed",
    "mean": "held at its mean",
    "clamp": "clamped to {}",
    "scale": "scaled by {}",
    "noise": "given noise of {}",
    "patch": "patched",
}
"""What was done to a unit, by the name of the intervention."""


@dataclass(frozen=True)
class Verdict:
    """What is the matter with a unit."""

    state: str
    """held, dead, saturated, frozen, constant, broken (not finite) or healthy: the first thing to know."""
    text: str
    """All that is the matter, and why."""

    def __str__(self) -> str:
        return self.text


def verdict_of(at: UnitView, clean: float) -> Verdict:
    """The verdict on a unit; `clean` is what it would be on the example without interventions."""
    held = _held(at, clean)
    if at.watched is not at.experiment.probe:  # in mid-step the batch is watched, but a verdict is about the probe
        view = BlockView.of(at.experiment, at.block)
        at = UnitView.of(at.experiment, view, at.unit, min(at.example, len(view.out) - 1), at.time)
    found = [*held, *_lifeless(at), *_still(at)] or [_range(at)]
    return Verdict(found[0][0], "; ".join(text for _, text in found))


def _held(at: UnitView, clean: float) -> list[tuple[str, str]]:
    sites = at.block.name, f"{at.block.name}.pre"
    standing = [entry for entry in at.experiment.interventions if entry.site in sites and at.unit in entry.units]
    if not standing:
        return []
    done = " and ".join(dict.fromkeys(map(_words, standing)))
    return [("held", f"{done} by you: would be {clean:+.3g} here, and is {at.value:+.3g}")]


def _words(entry: Intervention) -> str:
    amount = "" if entry.amount is None else f"{entry.amount:g}"
    words = DONE.get(entry.op, f"under `{entry.op}`" + (" {}" if amount else "")).format(amount)
    return words if entry.time is None else f"{words} at t={entry.time}"


def _lifeless(at: UnitView) -> list[tuple[str, str]]:
    """Dead or saturated on much of the probe, or the same on all of it."""
    view, out = at.block_view, at.block_view.out[:, :, at.unit]
    activation = activation_of(at.network, at.block)
    saturated = view.saturated[:, :, at.unit]
    if activation is not None and view.dead[at.unit]:
        return [("dead", f"dead: {_why_dead(at, bool(saturated.all()))}")]
    share = float(saturated.mean())
    if activation is not None and share >= NOTABLE:
        return [("saturated", f"saturated on {share:.0%} of the examples{_pushed(at, saturated)}")]
    if len(out) > 1 and np.isfinite(out).all() and float(np.ptp(out)) <= 1e-6 * max(1.0, float(np.abs(out).max())):
        terms = UnitTerms.of(at) if not recurs(at.network.layers[at.block.first]) else None
        why = "; its weights are all 0" if terms is not None and not terms.w.any() else ""
        return [("constant", f"the same on all {len(out)} examples: {float(out.flat[0]):+.3g}{why}")]
    return []


def _why_dead(at: UnitView, saturated: bool) -> str:
    activation, pre = at.block.activation, at.block_view.pre
    if saturated:
        everywhere = np.ones(at.block_view.out.shape[:2], np.bool_)
        return f"saturated on every example of the probe, where no gradient passes{_pushed(at, everywhere)}"
    if activation is None or pre is None:
        return "on no example of the probe does a gradient pass"
    sums = pre[:, :, at.unit]
    if activation.output_range[0] == 0 and np.isfinite(sums).all() and float(sums.max()) <= 0:
        return f"on no example of the probe is its sum above 0{_held_down(at)}"
    if activation.kind == "gaussian":
        nearest = max(0.0, float(sums.min())) ** 0.5
        return f"no example of the probe is near enough to its centre; the nearest is {nearest:.3g} away"
    return "on no example of the probe does a gradient pass"


def _held_down(at: UnitView) -> str:
    """What keeps the sum at or below 0."""
    sums = _Sums.of(at, np.ones(len(at.block_view.out), np.bool_))
    if sums is None:
        return ""
    if not sums.x.any():
        return f"; all that comes in is 0, and the bias is {sums.bias:+.3g}"
    name, value, mean = sums.furthest(-1)
    return (
        f"; {name} {value:+.3g} holds it down" if name == "the bias" else f"; {name} = {value:+.3g} {mean}holds it down"
    )


def _pushed(at: UnitView, mask: Array) -> str:
    """What pushes the sum into saturation on the masked examples and places, (examples, places)."""
    pre, activation = at.block_view.pre, at.block.activation
    if pre is None or activation is None or activation.kind == "softmax":
        return ""
    sums = pre[:, :, at.unit][mask]
    if not sums.size or not np.isfinite(sums).all():
        return ""
    sign = 1 if (sums > 0).mean() >= 0.5 else -1
    beyond = float(np.abs(sums[np.sign(sums) == sign]).min()) if (np.sign(sums) == sign).any() else 0.0
    own = _Sums.of(at, mask.any(axis=1) & (np.sign(pre[:, at.position, at.unit]) == sign))
    if own is None:
        return ""
    name, value, mean = own.furthest(sign)
    where = f"beyond {beyond:.2g}" if sign > 0 else f"below {-beyond:.2g}"
    named = f"{name} {value:+.3g}" if name == "the bias" else f"{name} = {value:+.3g} {mean}"
    return f": {named.rstrip()} pushes the sum {where}"


def _still(at: UnitView) -> list[tuple[str, str]]:
    """Whether it learns nothing."""
    share = float(frozen_share(at.network, at.experiment.state.frozen, at.block)[at.unit])
    if share == 1:
        return [("frozen", "frozen: nothing of it learns")]
    return [("frozen", f"frozen in part: {share:.0%} of its numbers do not learn")] if share > 0 else []


def _range(at: UnitView) -> tuple[str, str]:
    out = at.block_view.out[:, :, at.unit]
    if not np.isfinite(out).all():
        return "broken", f"not finite on {int((~np.isfinite(out).all(axis=1)).sum())} of {len(out)} examples"
    return "healthy", f"healthy: on {len(out)} examples between {float(out.min()):+.3g} and {float(out.max()):+.3g}"


@dataclass(frozen=True)
class _Sums:
    """The terms of a unit's sum on some examples of the probe: x (examples, terms) and w (terms,)."""

    names: tuple[str, ...]
    x: Array
    w: Array
    bias: float

    @staticmethod
    def of(at: UnitView, examples: Array) -> _Sums | None:
        """None if it has no single sum, or one that is normalized before the activation."""
        normed = at.block.last - at.block.first > (at.block.activation is not None)
        if normed or not examples.any() or recurs(at.network.layers[at.block.first]):
            return None
        terms = UnitTerms.of(at)
        if terms is None or not at.network.layers[at.block.first].turns_with_weights:
            return None
        found = [inputs_of(replace(at, example=int(index))) for index in np.flatnonzero(examples)]
        x = np.stack([own for own in found if own is not None]).astype(np.float64)
        return _Sums(terms.names, x, terms.w, terms.bias or 0.0)

    def furthest(self, sign: int) -> tuple[str, float, str]:
        """What pushes the sum furthest to a side: its name, its weight (or the bias), and where it comes from."""
        pushes = sign * (self.x * self.w).mean(axis=0)
        index = int(pushes.argmax()) if pushes.size else -1
        if index < 0 or sign * self.bias > pushes[index]:
            return "the bias", self.bias, ""
        return f"w[{index}]", float(self.w[index]), f"from {self.names[index]} "
