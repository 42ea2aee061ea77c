"""The driver writes an update at once, its outer lines first, and takes a terminal's answers out of what is typed."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

if sys.platform == "win32":
    pytest.skip("needs the driver of a Unix terminal", allow_module_level=True)

from pathlib import Path
from typing import Any

import pyte
from terminal import Terminal

from tui.driver import SYNC_END, LabDriver, outer_lines_first


def at(row: int, column: int, text: str) -> str:
    return f"\x1b[{row};{column}H{text}"


def test_the_header_and_the_lines_at_the_bottom_come_first_and_the_cursor_stays_last() -> None:
    pane, track, keys = at(2, 1, "a") + at(2, 9, "b") + at(3, 1, "c"), at(33, 1, "track"), at(36, 1, "keys")
    update = at(1, 1, "header") + pane + track + keys + at(7, 7, "")
    assert outer_lines_first(update) == at(1, 1, "header") + keys + track + pane + at(7, 7, "")


@pytest.mark.parametrize("update", ["", "\x1b[2J", at(1, 1, "all\nlines\nof a screen") + at(3, 3, "")])
def test_what_is_no_list_of_lines_stays_as_it_is(update: str) -> None:
    assert outer_lines_first(update) == update


def seen_at_each_chunk(terminal: Terminal, count: int) -> list[tuple[str, str]]:
    """The step of the header and that of the timeline after each chunk of updates, as a plain terminal draws them."""
    screen = pyte.Screen(120, 36)
    stream = pyte.ByteStream(screen)
    stream.feed(bytes(terminal.written))
    seen: list[tuple[str, str]] = []
    chunks: list[bytes] = []
    while sum(chunk.count(SYNC_END.encode()) for chunk in chunks) < count:
        chunks.append(terminal.read(1))
    for chunk in chunks:
        stream.feed(chunk)
        rows = screen.display
        (track,) = [row for row in rows if row.startswith(" timeline")]
        seen.append((rows[0].partition("step ")[2].split()[0], track.split()[-1]))
    return seen


@pytest.mark.proof
def test_where_a_terminal_draws_each_chunk_header_and_timeline_hardly_ever_disagree(tmp_path: Path) -> None:
    terminal = Terminal("names-mlp", cwd=tmp_path)
    try:
        terminal.until("step 0", "? help")
        terminal.press(" ", "running")
        terminal.until(lambda text: "step 0" not in text.split("\n")[0])
        seen = seen_at_each_chunk(terminal, 60)
    finally:
        terminal.end()
    assert len({header for header, _ in seen}) > 10
    torn = [pair for pair in seen if pair[0] != pair[1]]  # a chunk may end between the two where the reader is late
    assert len(torn) <= len(seen) / 20, torn


# -- what is typed

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
