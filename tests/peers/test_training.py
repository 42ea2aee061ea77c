"""Losses and optimizers against PyTorch at random shapes and seeds; skipped if it is absent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch: Any = pytest.importorskip("torch")

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))

import make_training as make  # noqa: E402
import training  # noqa: E402

seeds = st.integers(0, 9999)


@pytest.mark.parametrize(("kind", "arguments"), make.LOSSES, ids=str)
@settings(max_examples=20, deadline=None)
@given(shape=st.lists(st.integers(1, 5), min_size=2, max_size=3).map(tuple), seed=seeds)
def test_losses(kind: str, arguments: dict[str, Any], shape: tuple[int, ...], seed: int) -> None:
    training.check(make.judged(kind, arguments, shape, seed))


@pytest.mark.parametrize("clip", make.CLIPS)
@pytest.mark.parametrize("name", make.OPTIMIZERS)
@settings(max_examples=3, deadline=None)
@given(seed=seeds)
def test_optimizers_over_fifty_steps(name: str, clip: str, seed: int) -> None:
    training.check(make.trained(name, clip, seed))
