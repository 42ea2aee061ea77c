"""Sparklines: as many characters as asked for, higher for more, blank for what is not there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tui.render.palette import Terminal
from tui.render.sparks import sparks, spread


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=50), st.integers(1, 60), st.booleans())
def test_a_sparkline_is_as_wide_as_asked_for(values: list[float], width: int, unicode: bool) -> None:
    drawn = sparks(np.array(values), width, Terminal(unicode=unicode))
    assert len(drawn) == width
    assert unicode or drawn.isascii()
    assert drawn.isspace() or np.isfinite(values).any()


def test_values_that_share_a_character_show_their_mean_and_none_is_invented() -> None:
    assert spread(np.array([1.0, 3.0, 5.0, 7.0]), 2).tolist() == [2.0, 6.0]
    found = spread(np.array([1.0, np.nan, 5.0]), 3)
    assert found[[0, 2]].tolist() == [1.0, 5.0]
    assert np.isnan(found[1])
    assert sparks(np.array([3.0, 2.0, 1.0, np.nan]), 4, Terminal()) == "█▄▁ "
