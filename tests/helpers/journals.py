"""Small labs that write a journal, and a summary of what a journal restores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import tinynets as tn
from tinynets.storage import journal


def made(folder: Path | bool = True, **options: Any) -> tn.Lab:
    """A lab of a small network that writes a journal."""
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    layers = [tn.Linear(2, 6, name="hidden"), tn.Tanh(), tn.Linear(6, 2, name="output")]
    return tn.Lab(
        tn.Network(layers, seed=0),
        data=(x, (x[:, 1] > x[:, 0] ** 2).astype(np.int64)),
        loss=tn.CrossEntropy(),
        optimizer=tn.SGD(0.1, momentum=0.9),
        batch=8,
        seed=0,
        journal=folder,
        **options,
    )


def file_of(lab: tn.Lab) -> Path:
    written = lab._files.journal
    assert written is not None
    assert written.file is not None
    return written.file


def copied(file: Path, to: Path, size: int | None = None) -> Path:
    """Copy the first bytes of a journal to another file."""
    to.write_bytes(file.read_bytes()[:size])
    return to


def shape(lab: tn.Lab) -> dict[str, Any]:
    """Everything that a journal restores."""
    timeline = lab.player.timeline
    return {
        "branches": {
            branch.number: (
                branch.name,
                (branch.parent, branch.fork, branch.shared),
                branch.losses.values.tobytes(),
                list(map(repr, branch.edits)),
                branch.evaluations,
            )
            for branch in timeline.branches.values()
        },
        "bookmarks": timeline.bookmarks,
        "position": lab.moment,
        "actions": timeline.actions[-journal.ACTIONS :],
        "digest": lab.state.digest(),
    }
