"""Convolutions, pools, recurrent layers and attention against PyTorch at random shapes; skipped if it is absent."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch: Any = pytest.importorskip("torch")

sys.path.insert(0, str(Path(__file__).parents[1] / "references"))

make, structured = import_module("make_structured"), import_module("structured")

few, seeds, yes = st.integers(1, 4), st.integers(0, 9999), st.booleans()
often = settings(max_examples=25, deadline=None)


@often
@given(
    few, few, few, st.lists(st.tuples(few, few, st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=2), seeds
)
def test_convolutions(batch: int, inputs: int, outputs: int, axes: list[tuple[int, int, int, int]], seed: int) -> None:
    torch.manual_seed(seed)
    kernel, stride, dilation, padding = (list(values) for values in zip(*axes, strict=True))
    grid = [max(1, d * (k - 1) + 1 - 2 * p + seed % 3) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    options = {"stride": tuple(stride), "dilation": tuple(dilation), "padding": tuple(padding)}
    structured.check(make.convolution(len(axes), batch, grid, inputs, outputs, kernel, **options))


@often
@given(few, few, st.lists(few, min_size=1, max_size=2), st.integers(1, 3), seeds)
def test_convolutions_that_keep_the_shape(batch: int, inputs: int, kernel: list[int], dilation: int, seed: int) -> None:
    torch.manual_seed(seed)
    grid = [seed % 5 + 1] * len(kernel)
    structured.check(make.convolution(len(kernel), batch, grid, inputs, 2, kernel, padding="same", dilation=dilation))


@often
@given(st.sampled_from(["max", "avg"]), few, few, few, few, few, few, few, seeds)
def test_pools(kind: str, batch: int, kh: int, kw: int, sh: int, sw: int, more: int, channels: int, seed: int) -> None:
    torch.manual_seed(seed)
    structured.check(make.pool(kind, [batch, kh + more, kw + more - 1, channels], [kh, kw], [sh, sw]))


@often
@given(st.sampled_from(["rnn", "gru", "lstm"]), few, few, few, few, few, yes, st.integers(1, 3), yes, seeds)
def test_recurrent_layers(
    kind: str,
    batch: int,
    steps: int,
    inputs: int,
    size: int,
    depth: int,
    sequence: bool,
    batches: int,
    relu: bool,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    options = {"nonlinearity": "relu"} if relu and kind == "rnn" else {}
    shape = {"depth": depth, "sequence": sequence, "batches": batches}
    structured.check(make.recurrent(kind, batch, steps, inputs, size, **shape, **options))


@often
@given(few, few, few, few, seeds)
def test_attention(batch: int, steps: int, heads: int, each: int, seed: int) -> None:
    torch.manual_seed(seed)
    structured.check(make.attention(batch, steps, heads * each, heads))
