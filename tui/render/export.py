"""Lines of the screen as text, as SVG and as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from io import StringIO

from rich.console import Console
from rich.segment import Segment, Segments
from textual.strip import Strip

LIBRARY = "resvg_py"
"""What makes a PNG of an SVG, where it is installed."""


def as_text(lines: Sequence[Strip]) -> str:
    """The letters of the lines, without their colours."""
    return "".join(f"{strip.text.rstrip()}\n" for strip in lines)


def as_svg(lines: Sequence[Strip], title: str) -> str:
    """The lines as a picture of a terminal with a title."""
    width = max((strip.cell_length for strip in lines), default=1)
    console = Console(
        width=width, height=len(lines), file=StringIO(), force_terminal=True, color_system="truecolor", record=True,
        legacy_windows=False, safe_box=False,
    )  # fmt: skip
    segments = [part for strip in lines for part in (*strip.adjust_cell_length(width), Segment.line())]
    console.print(Segments(segments), end="")
    return console.export_svg(title=title)


def makes_png() -> bool:
    """Whether a library is there that makes a PNG."""
    return find_spec(LIBRARY) is not None


def as_png(lines: Sequence[Strip], title: str) -> bytes:
    """The lines as a PNG; only where `makes_png`."""
    import resvg_py  # an extra

    return bytes(resvg_py.svg_to_bytes(svg_string=as_svg(lines, title)))
