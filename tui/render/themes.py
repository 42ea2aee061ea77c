"""Sets of colours: those of our own, dark and light and safe for the colour-blind, and others made from a few colours.

They are plain data; `palette.wear` makes styles of one of them. Text has a contrast of at least 4.5 to its background,
and what may be overlooked of at least 3 (WCAG 2.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Rgb = tuple[int, int, int]
READABLE, SEEN = 4.5, 3.0
"""The least contrast of text, and of what is only there for who looks for it."""
BLACK, WHITE = "#000000", "#ffffff"


@dataclass(frozen=True)
class Colours:
    """A colour for each purpose, as `#rrggbb`."""

    name: str
    dark: bool
    back: str
    raised: str
    """The ground of fields and notifications."""
    line: str
    """Frames around panes."""
    text: str
    bright: str
    dim: str
    faint: str
    accent: str
    good: str
    warn: str
    bad: str
    ice: str
    """What is frozen."""
    done: str
    """Interventions."""
    negative: str
    positive: str
    """The inks of signed numbers."""
    neutral: str
    low: str
    high: str
    """The map of values: at zero, close to the background; at both ends."""
    saturated: tuple[str, str, str]
    held: tuple[str, str, str]
    """Marked cells of a map: negative, positive, near zero."""
    cursor: str
    """The ground of the cell under the cursor."""
    on_chip: str
    """Letters on a coloured ground."""
    alarm: str
    """The ground of what must be seen; letters on it are white."""
    band: str
    """The range of losses behind their mean."""
    steps: tuple[str, ...] = ()
    """The map in few colours, from low to high, where the terminal has few; otherwise empty."""


DARK = Colours(
    name="tinynets", dark=True, back="#11151b", raised="#1d2430", line="#343d4b",
    text="#d5dbe5", bright="#ffffff", dim="#8b95a5", faint="#5f6a7b", accent="#c9a6ff",
    good="#7fd88f", warn="#ffd76a", bad="#ff7b72", ice="#8ff0ff", done="#ff7ae0",
    negative="#ff9e2c", positive="#3aa0ff", neutral="#262c36", low="#ff9e2c", high="#3aa0ff",
    saturated=("#ffd6a6", "#a6d5ff", "#d6dce6"), held=("#d6be96", "#7ec4e2", "#4a707a"),
    cursor="#ffffff", on_chip="#11151b", alarm="#b3312c", band="#3a4352",
)  # fmt: skip
LIGHT = Colours(
    name="tinynets-light", dark=False, back="#fbfcfe", raised="#e9edf3", line="#c3cbd7",
    text="#2a323e", bright="#05080d", dim="#5b6675", faint="#7f8a9a", accent="#6d3fc4",
    good="#1a7f37", warn="#8a5a00", bad="#c62828", ice="#00708a", done="#b0148c",
    negative="#b45309", positive="#0b5fc0", neutral="#e6eaf0", low="#d96a00", high="#0f68cf",
    saturated=("#7a3300", "#04366f", "#5a6472"), held=("#c3a573", "#6fb2cc", "#a9cbd4"),
    cursor="#141a23", on_chip="#ffffff", alarm="#b3312c", band="#cdd5e0",
)  # fmt: skip
SAFE = replace(
    DARK, name="tinynets-safe", good="#5dffbb", warn="#ccb662", bad="#e94c01", ice="#5fd1ff", done="#c747d5",
    accent="#a071b4",
)  # fmt: skip
SAFE_LIGHT = replace(
    LIGHT, name="tinynets-safe-light", good="#0c8463", warn="#6f6234", bad="#7d0401", ice="#2a4874", done="#ad4aa3",
    accent="#331394",
)  # fmt: skip
"""The signs of these two differ for people without red, green or blue cones; the map of values does in all four."""
OURS = (DARK, LIGHT, SAFE, SAFE_LIGHT)

# Terminals of 16 colours get exactly these: they are the ones by which rich finds the nearest of the 16.
FEW = {
    True: replace(
        DARK, back="#000000", raised="#555555", line="#555555", text="#aaaaaa", bright="#ffffff", dim="#aaaaaa",
        faint="#555555", accent="#ff55ff", good="#55ff55", warn="#ffff55", bad="#ff5555", ice="#55ffff", done="#aa00aa",
        negative="#ffff55", positive="#5555ff", neutral="#555555", low="#ffff55", high="#5555ff",
        saturated=("#ffffff", "#55ffff", "#aaaaaa"), held=("#aa5500", "#00aaaa", "#aaaaaa"),
        on_chip="#000000", alarm="#aa0000", band="#555555",
        steps=("#ffff55", "#aa5500", "#aa5500", "#555555", "#0000aa", "#0000aa", "#5555ff"),
    ),
    False: replace(
        LIGHT, back="#ffffff", raised="#aaaaaa", line="#aaaaaa", text="#000000", bright="#000000", dim="#555555",
        faint="#aaaaaa", accent="#aa00aa", good="#00aa00", warn="#aa5500", bad="#aa0000", ice="#00aaaa", done="#ff55ff",
        negative="#aa5500", positive="#0000aa", neutral="#aaaaaa", low="#aa5500", high="#0000aa", cursor="#000000",
        saturated=("#aa0000", "#000000", "#555555"), held=("#ffff55", "#55ffff", "#aaaaaa"),
        on_chip="#ffffff", alarm="#aa0000", band="#aaaaaa",
        steps=("#aa5500", "#ffff55", "#ffff55", "#aaaaaa", "#55ffff", "#5555ff", "#0000aa"),
    ),
}  # fmt: skip
"""By whether the background is dark."""


# -- contrast


def rgb_of(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def hex_of(rgb: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def mixed(one: str, other: str, share: float) -> str:
    """A colour between two, `share` of the way to the other."""
    first, second = rgb_of(one), rgb_of(other)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return hex_of((red, green, blue))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    red, green, blue = (linear(part / 255) for part in rgb_of(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(share: float) -> float:
    """A share of an sRGB channel as a share of its light."""
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """From 1 (none) to 21 (black on white)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def legible(colour: str, back: str, least: float = READABLE) -> str:
    """The colour, moved towards black or white until its contrast to the background suffices."""
    away = WHITE if luminance(back) < 0.18 else BLACK
    shades = (mixed(colour, away, step / 20) for step in range(21))
    return next((shade for shade in shades if contrast(shade, back) >= least), away)


def derived(name: str, dark: bool, given: Mapping[str, str]) -> Colours:
    """Colours made of the few that a theme of Textual has: the others are ours, moved until they are legible there."""
    like = DARK if dark else LIGHT
    back = given["background"]
    text = legible(given["foreground"], back, 7.0)
    inks: dict[str, Any] = {
        "accent": legible(given["accent"], back),
        "good": legible(given["success"], back),
        "warn": legible(given["warning"], back),
        "bad": legible(given["error"], back),
        "ice": legible(like.ice, back),
        "done": legible(like.done, back),
        "negative": legible(like.negative, back),
        "positive": legible(like.positive, back),
    }
    return replace(
        like,
        name=name,
        back=back,
        raised=mixed(back, text, 0.08),
        line=mixed(back, text, 0.2),
        text=text,
        bright=WHITE if dark else like.bright,
        dim=legible(mixed(back, text, 0.6), back),
        faint=legible(mixed(back, text, 0.4), back, SEEN),
        neutral=mixed(back, text, 0.1),
        band=mixed(back, text, 0.22),
        on_chip=BLACK if dark else WHITE,
        **inks,
    )


def css_variables(on: Colours) -> dict[str, str]:
    """The colours as variables of the style sheet, `$lab-dim` and the like."""
    names = ("back", "raised", "line", "text", "bright", "dim", "faint", "accent", "warn", "bad", "alarm")
    veil = "#05070a 60%" if on.dark else f"{on.text} 35%"
    return {f"lab-{name}": getattr(on, name) for name in names} | {"lab-on-chip": on.on_chip, "lab-veil": veil}
