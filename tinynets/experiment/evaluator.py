"""Evaluator: measures the mean loss and accuracy of a network over a split."""

from __future__ import annotations

import numpy as np

from tinynets.errors import EditError, nearest
from tinynets.experiment.probe import counted_hits
from tinynets.experiment.splits import PreparedSplits
from tinynets.history.evaluation import Evaluation
from tinynets.history.player import Player
from tinynets.jobs import Job, Progress
from tinynets.nn.interventions import examples_from
from tinynets.nn.layers import Distances
from tinynets.nn.losses import Kohonen, Loss
from tinynets.nn.network import Network
from tinynets.nn.som import quantization_error, topographic_error
from tinynets.nn.workspace import CHUNK, Workspace
from tinynets.numerics import rng
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.numerics.checks import check_whole


class Evaluator:
    """Evaluates splits, with a workspace of its own; `seed` is the run's."""

    def __init__(self, splits: PreparedSplits, loss: Loss, seed: int) -> None:
        self.splits, self.loss, self.seed = splits, loss, seed
        self._workspaces = {clean: Workspace(clean=clean) for clean in (False, True)}

    def evaluate(
        self, player: Player, split: str | None = None, *, clean: bool = False, examples: int | None = None
    ) -> Job[Evaluation]:
        """The loss over a split (default: `dev` if there is one, else `train`), kept on the player's branch.

        `clean` leaves the interventions out. `examples`: over this many of a larger split; that is not kept.
        """
        known = self.splits.data.splits
        if split is None:
            split = "dev" if "dev" in known else "train"
        if not isinstance(split, str) or split not in known:
            raise EditError(f"there is no split `{split}`, only {', '.join(known)}{nearest(str(split), known)}")
        player.need_data()
        position = player.position
        there = len(known[split][0])
        only = None
        if examples is not None:
            check_whole("examples", examples, 1, 2**63 - 1)
            if examples < there:
                only = np.sort(rng.permutation(self.seed, f"evaluate {split}", 0, there)[:examples])
        loss, accuracy = yield from self.measure(player.network, split, clean, only)
        count, of = (there, 0) if only is None else (len(only), there)
        errors = self.map_errors(player.network, split) if only is None else {}
        result = Evaluation(split, position.step, loss, accuracy, count, clean, position.edits, errors, of)
        if np.isfinite(loss) and only is None:
            player.branch.record(result)
        return result

    def map_errors(self, network: Network, split: str) -> dict[str, float]:
        """Quantization and topographic error of a self-organizing map, a network of `Distances` alone.

        Empty for other networks, and where the data are not there.
        """
        loss, layer = self.loss, network.layers[0]
        if not isinstance(loss, Kohonen) or not isinstance(layer, Distances) or len(network.layers) > 1:
            return {}
        if self.splits.data.missing is not None:
            return {}
        x = self.splits[split][0]
        errors = {"quantization_error": quantization_error(layer.w, x)}
        return errors | (
            {"topographic_error": topographic_error(layer.w, x, loss.grid)} if layer.prototypes > 1 else {}
        )

    def measure(
        self, network: Network, split: str, clean: bool, only: Array | None = None
    ) -> Job[tuple[float, float | None]]:
        """Loss and accuracy over all examples of a split, or over `only` these, chunk by chunk.

        The loss is the sum of weight times loss, divided by the number of examples. An example of negative weight is
        right if its target is missed; one of weight 0 does not count for the accuracy.
        """
        x, y = self.splits[split]
        weight = self.splits.weight(split)
        if only is not None:
            x, y, weight = x[only], y[only], None if weight is None else weight[only]
        total, right, judged = 0.0, 0, 0
        for start in range(0, len(x), CHUNK):
            with ignore_warnings(), examples_from(network, start):
                out = network.forward_checked(x[start : start + CHUNK], self._workspaces[clean])
                part = y[start : start + CHUNK]
                losses, hits = self.loss.each(out, part), self.loss.right(out, part)
            if weight is not None:
                chunk = weight[start : start + CHUNK]
                losses = losses * chunk
                hits = counted_hits(hits, chunk, self.loss.rules)
            total += float(losses.sum())
            if hits is not None:
                right, judged = right + int(hits.sum()), judged + hits.size
            yield Progress(min(start + CHUNK, len(x)), len(x), f"examples of {split}")
        return total / len(x), right / judged if judged else None
