"""What is written to the terminal looks as its segments say, however it was made."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from panes import grids
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from tui.render import palette
from tui.render.palette import Terminal
from tui.render.strips import LazyLine, StyledLine, ansi, between, joined
from tui.widgets.heatmap import Grid, cell_lines

STYLES = [
    palette.TEXT, palette.BRIGHT, palette.CHIP, Style(), Style(bold=True), Style(color="#123456"),
    Style(bgcolor="#654321"), Style(reverse=True, color="#123456", bgcolor="#654321"),
]  # fmt: skip
TOKEN = re.compile(r"\x1b\[([0-9;]*)m|(.)", re.DOTALL)


def seen(written: str) -> list[tuple[str, frozenset[str], str, str]]:
    """Each character with its attributes, colour and background, as a terminal would show it."""
    shown, attributes, colour, ground = [], set[str](), "", ""
    for codes, character in TOKEN.findall(written):
        if character:
            shown.append((character, frozenset(attributes), colour, ground))
            continue
        rest = codes.split(";")
        while rest:
            code = rest.pop(0)
            if code == "0":
                attributes, colour, ground = set(), "", ""
            elif code == "38":
                colour, rest = ";".join(rest[:4]), rest[4:]
            elif code == "48":
                ground, rest = ";".join(rest[:4]), rest[4:]
            else:
                attributes.add(code)
    return shown


def plainly(segments: list[Segment]) -> str:
    return "".join(StyledLine.render_style(afresh(s.style or Style()), s.text, ColorSystem.TRUECOLOR) for s in segments)


def afresh(style: Style) -> Style:
    """The same style without cached colour codes, which another test may have left."""
    made = style.copy()
    made._ansi = None
    return made


@given(st.lists(st.tuples(st.sampled_from(["a", "bc", "▀"]), st.sampled_from(STYLES)), max_size=12))
def test_only_codes_that_differ_are_written_and_nothing_looks_otherwise(parts: list[tuple[str, Style]]) -> None:
    segments = [Segment(*part) for part in parts]
    written = ansi(segments, ColorSystem.TRUECOLOR)
    assert seen(written) == seen(plainly(segments))
    assert written.endswith("\x1b[0m")
    assert seen(plainly(list(joined(parts, 30, palette.GROUND))))[: len(seen(written))] == seen(written)


@given(grids(), st.booleans())
def test_a_map_is_written_as_its_segments_say(found: tuple[Grid, int], saturate: bool) -> None:
    place, row = found
    rng = np.random.default_rng(0)
    values = rng.normal(size=(place.rows, place.columns))
    mask = np.abs(values) > 1.5 if saturate else None
    for line in cell_lines(values, 2.0, place, row, ("label",) * place.rows, Terminal(), mask):
        if isinstance(line, LazyLine):
            framed = between(Segment("│", palette.DIM), line, line.cell_length + 2)
            assert isinstance(framed, LazyLine)
            assert seen(framed._write(ColorSystem.TRUECOLOR)) == seen(plainly(list(framed)))
            assert sum(segment.cell_length for segment in framed) == framed.cell_length
