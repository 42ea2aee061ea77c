"""What the driver takes out of what is typed: a terminal's answer about its background, and nothing else."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

if sys.platform == "win32":
    pytest.skip("needs the driver of a Unix terminal", allow_module_level=True)

from tui.driver import LabDriver

LIGHT, DARK = "\x1b]11;rgb:ffff/fafa/f0f0\x1b\\", "\x1b]11;rgb:11/15/1b\x07"


class Told(LabDriver):
    """A driver without a terminal."""

    def __init__(self) -> None:
        self.told: list[bool] = []

    def _tell_background(self, rgb: list[float]) -> None:
        self.told.append(is_dark(rgb))


def is_dark(rgb: list[float]) -> bool:
    return sum(rgb) < 1.5


def read(pieces: list[str]) -> tuple[str, list[bool]]:
    """What is left of pieces that are read one after the other."""
    driver: Any = Told()
    typed, held = "", ""
    for piece in pieces:
        text, held = driver._without_answers(held + piece)
        typed += text
    return typed + held, driver.told


@pytest.mark.parametrize(("answer", "dark"), [(LIGHT, False), (DARK, True)])
@pytest.mark.parametrize("cut", range(0, 20, 3))
def test_an_answer_is_understood_however_it_is_cut_and_what_is_typed_around_it_is_kept(
    answer: str, dark: bool, cut: int
) -> None:
    whole = f"s{answer}\x1b[Ab"
    assert read([whole[:cut], whole[cut:]]) == ("s\x1b[Ab", [dark])


@given(st.lists(st.text(st.sampled_from("s\x1b[]1;?:/rgbABM<~\x07\\"), max_size=6), max_size=6))
def test_keys_are_never_lost(pieces: list[str]) -> None:
    typed, told = read(pieces)
    if not told:
        assert typed == "".join(pieces)
