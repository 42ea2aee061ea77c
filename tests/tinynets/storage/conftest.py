"""Fixtures that tests of saves and journals share: a run to save, and journals written after every piece of work."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import tinynets as tn
from tinynets.storage import journal


@pytest.fixture(scope="module")
def run(make_tiny: Callable[..., tn.Lab]) -> tn.Lab:
    """A run with edits, two branches, evaluations and a few keyframes."""
    lab = make_tiny(optimizer=tn.SGD(0.1, momentum=0.9))
    lab.run(4)
    lab.zero("hidden[1]")
    lab.freeze("hidden[2]")
    lab.evaluate("train")
    lab.run(4)
    lab.set("lr", 0.05)
    lab.undo()
    lab.zero("hidden.pre[0:2]")
    lab.run(4)
    lab.evaluate("train", clean=True)
    assert lab.branches == ("branch-2", "main")
    return lab


@pytest.fixture
def at_every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FLUSH", 0.0)
