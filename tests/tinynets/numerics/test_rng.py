"""Random numbers have addresses, and the number at an address never changes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynets.numerics import rng

seeds = st.integers(0, rng.MAX_SEED)
indices = st.integers(0, 2**63 - 1)


def test_words_at_known_addresses_have_not_changed() -> None:
    assert rng.words(0, "a", 0, 3).tolist() == [5677778392040902981, 8006102198085091064, 7016970001271607550]
    assert rng.words(1, "data/split", 7, 2).tolist() == [6132607495189207778, 17537702003488786010]


def test_numbers_derived_from_words_have_not_changed() -> None:
    assert rng.uniforms(0, "a", 0, (2,)).tolist() == [0.30779298337710004, 0.4340116698152413]
    assert rng.integers(0, "a", 3, 27, (8,)).tolist() == [21, 26, 3, 23, 12, 4, 9, 13]
    assert rng.permutation(42, "p", 0, 8).tolist() == [0, 4, 1, 5, 7, 6, 2, 3]
    # cos, sin and log1p may differ in the last bit from one processor to another
    expected = [-0.6267146688662999, 0.15189149560266377, 0.5856356769312895]
    np.testing.assert_allclose(rng.normals(0, "a", 0, (3,)), expected, rtol=1e-14)


def test_an_index_gives_the_same_whether_or_not_those_before_it_were_drawn() -> None:
    alone = rng.words(3, "batch", 7, 1000)
    in_order = [rng.words(3, "batch", index, 1000) for index in range(8)]
    assert np.array_equal(alone, in_order[7])


@given(seeds, st.text(max_size=20), indices, st.integers(1, 50), st.integers(0, 50))
def test_more_numbers_at_an_address_begin_with_the_fewer(
    seed: int, purpose: str, index: int, few: int, more: int
) -> None:
    assert np.array_equal(rng.words(seed, purpose, index, few), rng.words(seed, purpose, index, few + more)[:few])


def test_seed_purpose_and_index_each_change_the_numbers() -> None:
    addresses = [(seed, purpose, index) for seed in range(4) for purpose in "abcd" for index in range(16)]
    drawn = np.concatenate([rng.words(*address, 64) for address in addresses])
    assert len(np.unique(drawn)) == len(drawn)


def test_neighbouring_indices_never_overlap_in_long_draws() -> None:
    a, b = rng.words(0, "x", 0, 100_000), rng.words(0, "x", 1, 100_000)
    assert not np.intersect1d(a, b).size


def test_uniforms_are_in_the_half_open_unit_interval_and_even() -> None:
    drawn = rng.uniforms(5, "u", 0, (100, 1000))
    assert drawn.shape == (100, 1000)
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    counts = np.histogram(drawn, bins=20, range=(0, 1))[0]
    chi_square = float(((counts - 5000) ** 2 / 5000).sum())
    assert chi_square < 45  # 19 degrees of freedom: 99.9 % lie below 43.8


def test_normals_have_the_moments_of_the_standard_normal() -> None:
    drawn = rng.normals(5, "n", 0, (100_001,))
    assert abs(drawn.mean()) < 0.015
    assert abs(drawn.std() - 1) < 0.01
    assert abs((drawn**3).mean()) < 0.05
    assert abs((drawn**4).mean() - 3) < 0.15
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize("shape", [(), (1,), (3,), (0,), (2, 3)])
def test_draws_have_the_shape_asked_for(shape: tuple[int, ...]) -> None:
    for drawn in (rng.uniforms(0, "s", 0, shape), rng.normals(0, "s", 0, shape), rng.integers(0, "s", 0, 9, shape)):
        assert drawn.shape == shape


@given(seeds, indices, st.integers(1, 2**53))
def test_integers_are_below_the_bound_and_not_negative(seed: int, index: int, high: int) -> None:
    drawn = rng.integers(seed, "i", index, high, (32,))
    assert drawn.dtype == np.int64
    assert drawn.min() >= 0
    assert drawn.max() < high


def test_integers_meet_every_value_alike_often() -> None:
    counts = np.bincount(rng.integers(0, "i", 0, 27, (270_000,)), minlength=27)
    assert len(counts) == 27
    assert float(((counts - 10_000) ** 2 / 10_000).sum()) < 56  # 26 degrees of freedom: 99.95 % lie below


@given(seeds, indices, st.integers(0, 500))
def test_a_permutation_holds_each_number_once(seed: int, index: int, count: int) -> None:
    assert np.array_equal(np.sort(rng.permutation(seed, "p", index, count)), np.arange(count))


def test_every_order_of_three_is_alike_often() -> None:
    orders = [tuple(rng.permutation(0, "p", index, 3).tolist()) for index in range(6000)]
    counts = np.array([orders.count(order) for order in set(orders)])
    assert len(counts) == 6
    assert float(((counts - 1000) ** 2 / 1000).sum()) < 22  # 5 degrees of freedom: 99.9 % lie below 20.5


@given(seeds, indices, st.integers(0, 100), st.integers(0, 100))
def test_words_and_numbers_can_be_drawn_from_any_place_on(seed: int, index: int, first: int, count: int) -> None:
    whole = rng.words(seed, "w", index, first + count)
    assert np.array_equal(rng.words(seed, "w", index, count, first), whole[first:])
    assert np.array_equal(
        rng.integers(seed, "w", index, 1000, (count,), first),
        rng.integers(seed, "w", index, 1000, (first + count,))[first:],
    )


@pytest.mark.parametrize("count", [1, 2, 3, 9, 1000, 2 * rng.CHUNK - 1, 2 * rng.CHUNK, 2 * rng.CHUNK + 3, 70_001])
def test_normals_are_bit_for_bit_those_of_the_formula_over_all_words_at_once(count: int) -> None:
    pairs = (rng.words(7, "n", 3, 2 * ((count + 1) // 2)) >> np.uint64(11)) * np.float64(2.0**-53)
    one, other = pairs.reshape(2, -1)
    radius, angle = np.sqrt(-2.0 * np.log1p(-one)), 2.0 * np.pi * other
    plain = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]
    assert rng.normals(7, "n", 3, (count,)).tobytes() == plain.tobytes()


def test_a_large_draw_takes_little_more_room_than_what_it_gives() -> None:
    tracemalloc.start()
    try:
        drawn = rng.normals(0, "n", 0, (2**20,))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < drawn.nbytes + 2**20
