"""Times a training step of names-mlp with interventions: a unit or the whole layer zeroed, scaled, set, or drawn.

Run: `python tests/benchmarks/interventions.py`, on an idle machine. All run in one process with one thread and take
turns in short rounds; the ratios are medians over rounds. `no taps` is the step as it would be without any support for
interventions: the layers' own forward and backward passes, one after the other.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable
from statistics import median
from typing import Any

import contests
import kinds
import numpy as np

import tinynets as tn

BARE, OFF = "no taps", "none on"
AT_MOST = 1.08  # times as long as with none on, of those that draw nothing
Intervene = Callable[[tn.Lab], object]
AFFINE: dict[str, Intervene] = {
    "zero linear1[3]": lambda lab: lab.zero("linear1[3]"),
    "zero linear1.pre[3]": lambda lab: lab.zero("linear1.pre[3]"),
    "zero linear1": lambda lab: lab.zero("linear1"),
    "scale linear1": lambda lab: lab.scale("linear1", 0.9),
    "mean linear1": lambda lab: lab.mean("linear1"),
    "steer linear1": lambda lab: lab.steer("linear1", toward=1),
}
DRAWN: dict[str, Intervene] = {
    "noise linear1[3]": lambda lab: lab.noise("linear1[3]", 0.1),
    "noise linear1": lambda lab: lab.noise("linear1", 0.1),
    "resample linear1": lambda lab: lab.resample("linear1"),
}


def lab_with(intervene: Intervene | None = None) -> tn.Lab:
    lab = kinds.lab_of(kinds.names_mlp())
    if intervene is not None:
        intervene(lab)
    return lab


def steps(lab: tn.Lab) -> Callable[[int], object]:
    trainer = lab.player.trainer

    def take(count: int) -> None:
        for _ in range(count):
            trainer.step()

    return take


def without_taps(lab: tn.Lab) -> tn.Lab:
    """The lab with steps that go straight through its layers."""
    trainer = lab.player.trainer
    workspace = trainer.workspace
    workspace.fit(trainer.network, trainer.x_batch.shape)
    pairs = list(zip(trainer.network.layers, workspace.buffers, strict=True))

    def act(function: Callable[[Any, Any], Any], buffers: Any) -> Any:
        return lambda value: function(value, buffers)

    workspace.forward_acts = [act(layer.forward, buffers) for layer, buffers in pairs]
    workspace.backward_acts = [act(layer.backward, buffers) for layer, buffers in reversed(pairs)]
    return lab


def contestants() -> dict[str, Callable[[int], object]]:
    made = {BARE: without_taps(lab_with()), OFF: lab_with()}
    made |= {name: lab_with(intervene) for name, intervene in (AFFINE | DRAWN).items()}
    return {name: steps(lab) for name, lab in made.items()}


def main() -> None:
    with np.errstate(all="ignore"):
        times = contests.race(contestants())
    print(f"us a step of names-mlp at batch {contests.BATCH}: the median and the least of {contests.ROUNDS} rounds")
    print(f"{'':22}{'us':>8}{'least':>8}{f'/ {OFF}':>11}{'at most':>9}")
    for name, taken in times.items():
        aim = f"{AT_MOST:9.2f}" if name in AFFINE else ""
        print(f"  {name:20}{median(taken):8.1f}{min(taken):8.1f}{contests.ratio(times, name, OFF):11.3f}{aim}")


if __name__ == "__main__":
    main()
