"""Two runs in one plot: whatever their losses are, fitted to what both have."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.render.pair import Pair
from tui.render.palette import Terminal
from tui.render.plot import draw

WIDTH, HEIGHT = 60, 16
LOSSES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=32),
    st.floats(-3, 3),
    st.sampled_from([0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38, 1.0]),
)


@given(st.lists(LOSSES, max_size=30), st.lists(LOSSES, max_size=30), st.none() | st.integers(0, 40), st.booleans())
@settings(max_examples=80, deadline=None)
def test_two_runs_are_drawn_whatever_their_losses_are(
    first: list[float], second: list[float], parted: int | None, colour: bool
) -> None:
    pair, look = Pair(np.array(first), np.array(second), parted), Terminal(colour=colour)
    chart = pair.chart(WIDTH - 8, HEIGHT - 2, look, ("•", "×"))
    assert len(draw(chart, WIDTH, HEIGHT, look).strips()) == HEIGHT
    assert all(np.isfinite(chart.axis.ticks))
    assert not np.isinf(pair.difference(WIDTH - 8)).any()


def test_the_plot_is_fitted_to_what_both_have_and_not_to_the_longer_run() -> None:
    pair = Pair(np.ones(1000), np.ones(90_000), 800)
    assert (pair.first, pair.end, pair.common) == (600, 1000, 1000)
    alone = Pair(np.ones(800), np.ones(900), 800)
    assert (alone.first, alone.end) == (700, 900)


def test_the_difference_in_a_column_is_the_mean_over_its_steps() -> None:
    one, other = np.zeros(101), np.concatenate([np.zeros(1), np.full(100, 0.5)])
    found = Pair(one, other, 1).difference(11)
    assert np.allclose(found[np.isfinite(found)], 0.5)
    assert np.isfinite(found).sum() >= 10
