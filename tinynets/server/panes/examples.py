"""The Examples pane: what the network says for each example of the probe, or of a split."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.scene import Scene
from tinynets.measure.answers import Answers, answers_of, confusion
from tinynets.measure.confusion import class_names
from tinynets.nn.interventions import examples_from
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.server.frame import Examples
from tinynets.server.panes.output import picture_size

MOST = 2000
"""So many examples of a split are listed at most: evenly spaced ones of a larger split."""
VALUES = 3
PICTURE = 12
"""Pictures are at most so many pixels wide and high."""
PICTURE_BYTES = 400_000
"""All pictures together; where they would take more, examples are listed by their names alone."""
SHARE = 0.05
"""How much of the time of a run the answers for a split may take."""


@dataclass(frozen=True)
class _Asked:
    """The answers for a split at a moment, and what they cost."""

    answers: Answers
    split: tuple[Experiment, str]
    moment: object
    when: float
    seconds: float


@dataclass
class ExampleLists:
    """Finds what the network says; keeps the answers for a split as long as it need not ask anew."""

    _workspace: Workspace = field(default_factory=Workspace)
    _kept: _Asked | None = None
    _named: tuple[object, dict[str, Any]] = (None, {})

    def probe(self, experiment: Experiment, shown: bool) -> Examples:
        """The examples of the probe, after its forward; with names and pictures if they are shown."""
        probe = experiment.probe
        found = answers_of(experiment.loss, probe.workspace.out, probe.y, probe.weight)
        rows = np.arange(len(probe.x))
        looks = self._looks(experiment, "", probe.x, rows) if shown else {}
        return _examples(experiment, "", rows, len(rows), found, looks)

    def batch(self, experiment: Experiment, scene: Scene, shown: bool) -> Examples | None:
        """The examples of the batch of the half-done step; None before its loss is known."""
        losses = scene.losses(experiment)
        if losses is None:
            return None
        batch = scene.watched
        found = replace(answers_of(experiment.loss, batch.workspace.out, batch.y, batch.weight), loss=losses)
        rows = np.arange(len(batch.x))
        looks = {"captions": batch.examples, "pictures": _pictures(experiment, batch.x)} if shown else {}
        return replace(_examples(experiment, "", rows, len(rows), found, looks), of_batch=True)

    def split(self, experiment: Experiment, split: str, moving: bool) -> Examples:
        """The examples of a split; while the run is `moving`, their answers may be somewhat old."""
        total = len(experiment.data.splits[split][0])
        rows = rows_of(total)
        x = experiment.split(split)[0][rows]
        position = experiment.moment
        moment = experiment.network, position.branch, position.step, position.edits
        kept, now = self._kept, perf_counter()
        if (
            kept is None
            or kept.split != (experiment, split)
            or (kept.moment != moment and not _recent(kept, now, moving))
        ):
            found = self._ask(experiment, split, x, rows)
            self._kept = kept = _Asked(found, (experiment, split), moment, now, perf_counter() - now)
        return _examples(experiment, split, rows, total, kept.answers, self._looks(experiment, split, x, rows))

    def _ask(self, experiment: Experiment, split: str, x: Array, rows: Array) -> Answers:
        y, weight = experiment.split(split)[1][rows], experiment.splits.weight(split)
        with ignore_warnings(), examples_from(experiment.network, 0):
            out = experiment.network.forward_checked(x, self._workspace)
        return answers_of(experiment.loss, out, y, None if weight is None else weight[rows])

    def _looks(self, experiment: Experiment, split: str, x: Array, rows: Array) -> dict[str, Any]:
        """The names of the examples, and their pictures; they stay the same."""
        if self._named[0] != (experiment, split):
            data, probe = experiment.data, experiment.probe
            captions = tuple(data.describe(split, row) for row in rows.tolist()) if split else probe.examples
            self._named = (experiment, split), {"captions": captions, "pictures": _pictures(experiment, x)}
        return self._named[1]


def _recent(kept: _Asked, now: float, moving: bool) -> bool:
    return moving and now - kept.when < max(1.0, kept.seconds / SHARE)


def rows_of(size: int) -> Array:
    """The examples of a split of that size that are listed: all, or MOST of them, evenly spaced."""
    return np.arange(size) if size <= MOST else np.linspace(0, size - 1, MOST).round().astype(np.int64)


def _examples(
    experiment: Experiment, split: str, rows: Array, total: int, found: Answers, looks: dict[str, Any]
) -> Examples:
    labels = class_names(experiment, found.kind, found.values.shape[1])
    return Examples(
        split,
        rows,
        total,
        found.kind,
        labels,
        found.truth,
        found.answer,
        found.share.astype(np.float32),
        found.loss.astype(np.float32),
        found.wrong,
        found.values[:, :VALUES].astype(np.float32),
        None if found.targets is None else found.targets[:, :VALUES].astype(np.float32),
        experiment.data.text is not None,
        missing=experiment.data.missing is not None,
        confusion=confusion(found.truth, found.answer, len(labels)) if looks and labels else None,
        **looks,
    )


def _pictures(experiment: Experiment, x: Array) -> Array | None:
    """The examples as small pictures (n, h, w) from 0 to 255; larger ones are made smaller by the means of squares."""
    size = picture_size(experiment)
    if size is None:
        return None
    factor = -(-max(size) // PICTURE)
    high, wide = size[0] // factor, size[1] // factor
    if len(x) * high * wide > PICTURE_BYTES or not high or not wide:
        return None
    whole = x.reshape(len(x), *size)[:, : high * factor, : wide * factor].astype(np.float32)
    small = whole.reshape(len(x), high, factor, wide, factor).mean(axis=(2, 4))
    low, top = float(experiment.probe.x.min()), float(experiment.probe.x.max())
    return np.asarray(np.clip((small - low) / ((top - low) or 1.0) * 255, 0, 255).astype(np.uint8))
