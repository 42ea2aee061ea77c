"""How far updates move the parameters, block by block, measured at the steps that the lab was seen at."""

from __future__ import annotations

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.numerics.arrays import Array, ignore_warnings

MOST = 4096
"""So many measured steps are kept; of more, every second one is dropped."""


class Updates:
    """log10 of the size of the last update over the size of the parameters (both as standard deviations), per block.

    It is measured whenever a frame is made right behind a step, from what that step has just done, so it costs the run
    nothing between frames, and there are points only where it was measured.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], dict[str, float]] = {}
        """(branch, step) -> block -> ratio."""

    def note(self, experiment: Experiment) -> None:
        """Measure the update that led to the present moment, if this is known."""
        player = experiment.player
        number, step, _ = experiment.moment
        trainer = player.trainer
        if not step or player.half is not None or not trainer.is_last or (number, step) in self._found:
            return
        if len(self._found) >= MOST:
            self._found = dict(list(self._found.items())[::2])
        self._found[number, step] = _ratios(experiment, trainer.scratch.delta)

    def of(self, experiment: Experiment, span: tuple[int, int]) -> dict[str, tuple[Array, Array]]:
        """Block -> (steps, ratios): what was measured on this branch and on the past that it shares with others."""
        timeline, branch = experiment.timeline, experiment.branch
        ends = {other.number: timeline.shared_steps(branch, other) for other in timeline.branches.values()}
        ends[branch.number] = len(branch.losses)
        known: dict[int, dict[str, float]] = {}
        for (number, step), ratios in self._found.items():
            if step <= ends.get(number, 0) and span[0] < step <= span[1]:
                known[step] = ratios
        by_block: dict[str, list[tuple[int, float]]] = {}
        for step in sorted(known):
            for block, ratio in known[step].items():
                by_block.setdefault(block, []).append((step, ratio))
        return {
            block: (np.array([step for step, _ in points], np.int64), np.array([ratio for _, ratio in points]))
            for block, points in by_block.items()
        }


def _ratios(experiment: Experiment, delta: Array) -> dict[str, float]:
    """The ratio of each block that has parameters; -inf where nothing moved."""
    network = experiment.network
    found = {}
    with ignore_warnings():
        for block in network.blocks:
            if not network.block_parameters(block):
                continue
            places = network.block_slice(block)
            moved, size = (float(part[places].std(dtype=np.float64)) for part in (delta, network.theta))
            found[block.name] = float(np.log10(moved / size)) if size > 0 and moved > 0 else float("-inf")
    return found
