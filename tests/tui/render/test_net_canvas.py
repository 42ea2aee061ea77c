"""What is drawn on a canvas is seen in every terminal: with colours and without, with Unicode and without."""

from __future__ import annotations

import numpy as np
import pytest

from tui.render import palette
from tui.render.net_canvas import Curve, NetCanvas, chosen
from tui.render.palette import Terminal

LOOKS = [Terminal(colour, unicode) for colour in (True, False) for unicode in (True, False)]
HIGH, LOW = palette.LEVELS - 1, 0


def text(canvas: NetCanvas) -> list[str]:
    strips = canvas.strips()
    assert all(strip.cell_length == canvas.width for strip in strips)
    return [strip.text for strip in strips]


@pytest.mark.parametrize("look", LOOKS)
def test_lines_join_both_ends_and_stay_in_the_alphabet(look: Terminal) -> None:
    canvas = NetCanvas(20, 6, look)
    canvas.curves([Curve(0, 0, 19, 11, HIGH, False)])
    rows = text(canvas)
    assert rows[0][0] != " "
    assert rows[-1][-1] != " "
    assert look.unicode or "".join(rows).isascii()


@pytest.mark.parametrize("look", [look for look in LOOKS if not look.colour])
def test_without_colour_a_negative_weight_has_another_line(look: Terminal) -> None:
    drawn = []
    for level in (LOW, HIGH):
        canvas = NetCanvas(20, 6, look)
        canvas.curves([Curve(0, 0, 19, 11, level, False)])
        drawn.append(text(canvas))
    assert drawn[0] != drawn[1]


def test_the_sign_of_a_weight_is_the_colour_of_its_line() -> None:
    for level, colour in ((LOW, palette.rgb(LOW)), (HIGH, palette.rgb(HIGH))):
        canvas = NetCanvas(10, 2, Terminal())
        canvas.curves([Curve(0, 1, 9, 1, level, False)])
        inks = {seg.style.color.triplet for seg in canvas.strips()[0] if seg.text.strip() and seg.style}  # type: ignore[union-attr]
        assert inks == {colour}


def test_what_is_strong_and_selected_is_thick_and_what_is_not_is_dim() -> None:
    dots = []
    for dim in (True, False):
        canvas = NetCanvas(10, 2, Terminal())
        canvas.curves([Curve(0, 1, 9, 1, HIGH, dim)])
        letters = "".join(strip.text for strip in canvas.strips()).replace(" ", "")
        dots.append(sum(bin(ord(letter) - 0x2800).count("1") for letter in letters))
    assert dots[1] == 2 * dots[0]


@pytest.mark.parametrize("look", LOOKS)
def test_a_picture_covers_lines_and_a_ring_goes_around_it(look: Terminal) -> None:
    canvas = NetCanvas(12, 5, look)
    canvas.curves([Curve(0, 5, 11, 5, HIGH, False)])
    canvas.ring(3, 2, 4, 5, chosen())
    canvas.picture(3, 2, np.full((5, 4), LOW))
    rows = text(canvas)
    if look.half_blocks:
        assert rows[2][2:8] == "▀" * 6
    elif not look.colour:
        assert rows[2][3:7] == "===="
        assert rows[2][2] == rows[2][7] == "|"


def test_letters_stand_before_everything() -> None:
    canvas = NetCanvas(6, 2, Terminal())
    canvas.picture(0, 0, np.full((4, 6), HIGH))
    canvas.write(1, 4, "abc", palette.BRIGHT)
    assert text(canvas)[1].endswith("ab")


def test_wide_and_unprintable_letters_do_not_shift_what_follows() -> None:
    canvas = NetCanvas(10, 1, Terminal())
    canvas.write(0, 1, "漢\x1bé→", palette.BRIGHT)
    row = canvas.strips()[0]
    assert row.cell_length == 10
    assert len(row.text) == 10
    assert "\x1b" not in row.text
