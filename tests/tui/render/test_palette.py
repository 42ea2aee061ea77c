"""Colours, bars and numbers: a sign has one colour everywhere, and numbers are short."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render import palette
from tui.render.drawing import legend, number, signed, signed_bar
from tui.render.palette import Terminal

values = st.floats(-1e6, 1e6)


def test_negative_is_orange_and_positive_is_blue() -> None:
    red, _, blue = palette.rgb(0)
    assert red > 2 * blue
    red, _, blue = palette.rgb(palette.LEVELS - 1)
    assert blue > 2 * red


def test_nothing_and_what_is_not_a_number_are_neutral() -> None:
    levels = palette.levels(np.array([0.0, np.nan]), 1.0)
    assert levels.tolist() == [palette.MIDDLE, palette.MIDDLE]
    assert palette.levels(np.array([3.0]), 0.0).tolist() == [palette.MIDDLE]


@given(values, st.floats(1e-3, 1e6))
def test_a_value_and_its_opposite_are_equally_strong(value: float, limit: float) -> None:
    above, below = palette.levels(np.array([value, -value]), limit)
    assert above - palette.MIDDLE == palette.MIDDLE - below


@given(st.lists(values, min_size=2), st.floats(1e-3, 1e6))
def test_a_larger_value_is_never_more_orange(found: list[float], limit: float) -> None:
    assert np.all(np.diff(palette.levels(np.sort(found), limit)) >= 0)


def test_there_are_at_most_1024_colour_pairs_and_each_is_made_once() -> None:
    assert palette.LEVELS**2 <= 1024
    assert palette.pair(3, 9) is palette.pair(3, 9)
    assert palette.cell(3, " ") is palette.cell(3, " ")


@pytest.mark.parametrize("width", [1, 2])
def test_without_colour_a_glyph_tells_the_sign(width: int) -> None:
    texts = [palette.sign_glyph(level, width) for level in range(palette.LEVELS)]
    assert set("".join(texts[:10])) <= set("-=.")
    assert not set("".join(texts[-10:])) & set("-=")
    assert {len(text) for text in texts} == {width}
    legend_text = "".join(part[0] for part in legend(1.0, Terminal(colour=False)))
    assert all(text == text[0] * width and text[0] in legend_text for text in texts)


def test_the_legend_names_both_ends() -> None:
    for look in (Terminal(), Terminal(colour=False)):
        text = "".join(part[0] for part in legend(0.5, look))
        assert text.startswith("-0.5")
        assert text.endswith("+0.50")


@given(values, st.integers(3, 60), st.booleans())
def test_a_signed_bar_grows_to_its_own_side_and_keeps_its_width(value: float, width: int, unicode: bool) -> None:
    left, axis, *right = (part[0] for part in signed_bar(value, 1e6, width, Terminal(unicode=unicode)))
    assert len(left) == len("".join(right)) == max(1, (width - 1) // 2)
    assert len(axis) == 1
    if value > 0:
        assert not left.strip()
    if value < 0:
        assert not "".join(right).strip()


def test_ascii_terminals_get_ascii_only() -> None:
    look = Terminal(unicode=False)
    assert all(look.glyph(name).isascii() for name in palette.GLYPHS)
    assert not look.half_blocks


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (float("nan"), "NaN"), (0.5, "0.500"), (2.41234, "2.412"), (1e-9, "1.0e-09")]
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert number(value) == text


def test_signed_numbers_always_show_their_sign() -> None:
    assert signed(0.25) == "+0.250"
    assert signed(-0.25) == "-0.250"
