"""The bars of an explanation tell apart what differs, and say so where they do not begin at 0."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest
from panes import PLAIN, frame_of

import tinynets as tn
from tinynets.measure.explanation import Explanation
from tui.render.palette import Terminal
from tui.screens.explain import Explained


@cache
def explained() -> Explanation:
    return tn.Lab("xor").explain("hidden[1]")


def lines_of(found: Explanation, width: int = 120, look: Terminal = Terminal()) -> list[str]:  # noqa: B008
    shown = Explained(found)
    vars(shown).update(look=look, frame=frame_of("xor"))
    strips = shown.draw(width, 40)
    assert max(strip.cell_length for strip in strips) <= width
    return [strip.text for strip in strips]


def responding(*values: float, nearest: bool = False) -> Explanation:
    one = replace(explained().responses[0], target="", count=1, image=None)
    made = tuple(replace(one, text=f"input {i}", index=i, value=value) for i, value in enumerate(values))
    return replace(explained(), responses=made, variance=1.0, nearest=nearest)


def bars(lines: list[str]) -> list[str]:
    """The bars of the responses without what surrounds them."""
    return [found[1].strip() for text in lines if (found := re.search(r"input \d\s+(.*?) [+-]\d", text))]


@pytest.mark.parametrize("look", [Terminal(), PLAIN])
@pytest.mark.parametrize("width", [120, 96, 60])
@pytest.mark.parametrize("sign", [1, -1])
def test_responses_near_the_end_of_the_activation_have_bars_that_differ(look: Terminal, width: int, sign: int) -> None:
    lines = lines_of(responding(*(sign * value for value in (0.99994, 0.9998, 0.9996, 0.9995))), width, look)
    assert len(set(bars(lines))) == 4
    assert f"bars from {'+' if sign > 0 else '-'}0.9994" in "\n".join(lines)
    told = re.findall(r"[+-]0\.\d+", "".join(text for text in lines if "input " in text))
    assert len(set(told)) >= 4


def test_the_nearest_inputs_are_told_apart_too() -> None:
    lines = lines_of(responding(2.01, 2.03, 2.05, nearest=True))
    assert len(set(bars(lines))) == 3
    assert "bars from +2.00" in "\n".join(lines)


@pytest.mark.parametrize("values", [(1.0, 0.5, 0.2), (0.001, -0.0005), (0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 0.99999999)])
def test_bars_begin_at_0_where_that_tells_them_apart_or_nothing_does(values: tuple[float, ...]) -> None:
    assert "bars from" not in "\n".join(lines_of(responding(*values)))


def test_responses_that_are_the_same_are_said_to_be() -> None:
    assert "all +1.000" in "\n".join(lines_of(responding(1.0, 1.0, 1.0)))
