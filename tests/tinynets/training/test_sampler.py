"""Batches: that of any step can be drawn without the earlier ones, and each pass has every example once."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynets.numerics import rng
from tinynets.numerics.rules import FIRST
from tinynets.training.sampler import BLOCK, DRAWN, SAMPLINGS, Sampler

seeds = st.integers(0, 2**63 - 1)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@settings(max_examples=25)
@given(st.integers(1, 50), st.integers(1, 70), seeds, st.lists(st.integers(0, 3 * BLOCK), min_size=1, max_size=8))
def test_steps_in_any_order_give_what_a_fresh_sampler_gives(
    sampling: str, count: int, batch: int, seed: int, steps: list[int]
) -> None:
    used = Sampler(count, batch, sampling, seed)
    for step in steps:
        indices = used.indices(step)
        assert indices.shape == (batch,)
        assert 0 <= indices.min() <= indices.max() < count
        assert np.array_equal(indices, Sampler(count, batch, sampling, seed).indices(step))


@settings(max_examples=25)
@given(st.integers(1, 30), st.integers(1, 40), seeds)
def test_each_pass_of_epoch_sampling_goes_over_every_example_once(count: int, batch: int, seed: int) -> None:
    sampler = Sampler(count, batch, "epoch", seed)
    steps = -(-3 * count // batch)
    stream = np.concatenate([sampler.indices(step) for step in range(steps)])
    for epoch in range(3):
        assert sorted(stream[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_passes_differ_from_each_other() -> None:
    sampler = Sampler(100, 100, "epoch", 0)
    assert not np.array_equal(sampler.indices(0), sampler.indices(1))


def test_with_replacement_every_example_is_as_likely_as_another() -> None:
    sampler = Sampler(10, 100, "replacement", 0)
    counts = np.bincount(np.concatenate([sampler.indices(step) for step in range(200)]), minlength=10)
    assert counts.min() > 1800  # 2,000 expected, one standard deviation is 42
    assert counts.max() < 2200


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 900), st.integers(1, 5 * DRAWN // BLOCK), seeds, st.integers(0, 3 * BLOCK))
def test_however_many_steps_are_drawn_at_once_batches_are_those_of_whole_blocks(
    count: int, batch: int, seed: int, step: int
) -> None:
    block, row = divmod(step, BLOCK)
    whole = rng.integers(seed, "batch", block, count, (BLOCK, batch))
    assert np.array_equal(Sampler(count, batch, "replacement", seed).indices(step), whole[row])


@pytest.mark.parametrize("batch", [1, 64, 1000, 2**16 - 1, 60_000, 2**18])
def test_what_a_step_draws_takes_room_in_proportion_to_the_batch_not_to_a_thousand_of_them(batch: int) -> None:
    sampler = Sampler(10_000, batch, "replacement", 0)
    tracemalloc.start()
    try:
        for step in (0, 1, 2, BLOCK - 1, BLOCK):
            sampler.indices(step)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 40 * max(batch, DRAWN) + 2**20


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 200), st.integers(0, 100))
def test_a_stream_of_more_rows_than_examples_holds_all_of_them_alike_often(count: int, more: int, step: int) -> None:
    batch = count + more
    indices = Sampler(count, batch, "stream", 0).indices(step)
    times = np.bincount(indices, minlength=count)
    assert times.max() - times.min() <= 1
    old = Sampler(count, batch, "stream", 0, FIRST)
    assert set(old.indices(step).tolist()) == {step % count}
