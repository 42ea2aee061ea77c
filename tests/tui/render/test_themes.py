"""Colours: legible in every theme, changed everywhere at once, and never kept by anyone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from opening import lab, opened
from rich._palettes import STANDARD_PALETTE
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES

import tui
from tui.app import LabApp
from tui.render import palette, themes
from tui.render.textual_themes import colours_of, textual_theme
from tui.render.themes import READABLE, SEEN, Colours, contrast
from tui.widgets.pane import Lines

TEXTUALS = [theme for theme in BUILTIN_THEMES.values() if not theme.ansi]
ALL = [*themes.OURS, *map(colours_of, TEXTUALS)]
WORDS = ("text", "bright", "dim", "accent", "good", "warn", "bad", "ice", "done", "negative", "positive")
FILES = sorted(Path(tui.__file__).parent.rglob("*.py"))


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    palette.wear(themes.DARK)


@pytest.mark.parametrize("on", ALL, ids=lambda on: on.name)
def test_every_text_of_every_theme_is_legible(on: Colours) -> None:
    assert {
        name: contrast(getattr(on, name), on.back) for name in WORDS if contrast(getattr(on, name), on.back) < READABLE
    } == {}
    assert contrast(on.faint, on.back) >= SEEN
    for ground in ("accent", "good", "warn", "ice", "done"):
        assert contrast(on.on_chip, getattr(on, ground)) >= READABLE, ground
    assert contrast(on.text, on.line) >= READABLE
    assert contrast(on.text, on.raised) >= READABLE
    assert contrast(themes.WHITE, on.alarm) >= READABLE


@pytest.mark.parametrize("on", ALL, ids=lambda on: on.name)
def test_numbers_are_legible_on_every_cell_of_the_map_and_zero_is_close_to_the_background(on: Colours) -> None:
    palette.wear(on)
    for level in range(palette.ALL):
        style = palette.paper(level)
        assert style.color is not None
        assert style.bgcolor is not None
        assert contrast(style.color.name, style.bgcolor.name) >= READABLE, level
    away = [contrast(themes.hex_of(palette.rgb(level)), on.back) for level in range(palette.LEVELS)]
    assert min(away) == away[palette.MIDDLE] < 1.6
    assert away[0] > 2.5
    assert away[-1] > 2.5
    for level in range(palette.LEVELS):
        mark = palette.cursor_cell(level).color
        assert mark is not None
        assert contrast(mark.name, on.cursor) >= SEEN, level


@pytest.mark.parametrize("on", ALL, ids=lambda on: on.name)
def test_both_signs_fade_alike(on: Colours) -> None:
    """A value looks as large as its opposite."""
    palette.wear(on)
    for step in range(1, palette.MIDDLE + 1):
        low, high = (contrast(themes.hex_of(palette.rgb(palette.MIDDLE + by)), on.back) for by in (-step, step))
        assert 0.5 < low / high < 2


@pytest.mark.parametrize("dark", [True, False])
def test_with_16_colours_every_one_is_one_of_the_16(dark: bool) -> None:
    on = themes.FEW[dark]
    palette.wear(on)
    shown = {palette.rgb(level) for level in range(palette.LEVELS)}
    assert len(shown) >= 5
    for level in range(palette.ALL):
        colour = palette.colour(level)
        number = colour.downgrade(ColorSystem.STANDARD).number
        assert number is not None
        assert colour.triplet == STANDARD_PALETTE[number]
    signs = [getattr(on, name) for name in ("good", "bad", "ice", "done", "accent", "text")]
    assert len(set(signs)) == len(signs)
    assert on.back not in signs


@pytest.mark.parametrize("on", themes.OURS, ids=lambda on: on.name)
def test_with_256_colours_signs_and_shades_stay_apart(on: Colours) -> None:
    palette.wear(on)
    names = ("text", "dim", "faint", "accent", "good", "warn", "bad", "ice", "done", "back")
    inks = {Color.parse(getattr(on, name)).downgrade(ColorSystem.EIGHT_BIT).number for name in names}
    assert len(inks) == len(names)
    shades = {palette.colour(level).downgrade(ColorSystem.EIGHT_BIT).number for level in range(palette.LEVELS)}
    assert len(shades) >= 12


# -- a change of theme


def _grounds(pilot: Pilot[None]) -> set[str]:
    """The backgrounds of all that the lab's own widgets show."""
    found = set()
    for widget in lab(pilot).query(Lines):
        if widget.display and widget.size:
            for strip in widget.render_lines(widget.outer_size.region):
                found |= {s.style.bgcolor.name for s in strip if s.style is not None and s.style.bgcolor is not None}
    return found


@pytest.mark.parametrize("name", ["tinynets-light", "nord", "solarized-light"])
async def test_a_theme_is_worn_by_every_line_of_the_screen(name: str) -> None:
    async with opened((160, 48)) as (pilot, _):
        assert themes.DARK.back == palette.BACK
        seen = _grounds(pilot)
        assert themes.DARK.back in seen
        pilot.app.theme = name
        await pilot.pause()
        await pilot.pause()
        wanted = colours_of(pilot.app.current_theme)
        strips = pilot.app.screen._compositor.render_strips()
        shown = {s.style.bgcolor.name for strip in strips for s in strip if s.style and s.style.bgcolor}
        old = {themes.DARK.back, themes.hex_of(themes.rgb_of(themes.DARK.neutral)), themes.DARK.line}
        assert shown & old == set()
        assert wanted.back.lower() in {ground.lower() for ground in shown}
        inks = {s.style.color.name.lower() for strip in strips for s in strip if s.style and s.style.color}
        assert inks & {themes.DARK.text, themes.DARK.dim, themes.DARK.faint} == set()


async def test_what_lies_under_a_dialog_changes_with_it() -> None:
    async with opened((160, 48)) as (pilot, _):
        await pilot.press("question_mark")
        pilot.app.theme = "tinynets-light"
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert themes.DARK.back not in _grounds(pilot)
        assert pilot.app.screen.styles.background.hex.lower() == themes.LIGHT.back


def test_our_themes_dress_textuals_own_widgets_too() -> None:
    for on in themes.OURS:
        made = textual_theme(on)
        assert (made.name, made.dark, made.background) == (on.name, on.dark, on.back)
        assert colours_of(made) is on


def test_an_app_wears_its_own_colours_whatever_was_worn_before() -> None:
    palette.wear(themes.LIGHT)
    LabApp(lambda *_: None, "names-mlp")  # type: ignore[arg-type, return-value]
    assert themes.DARK.back == palette.BACK


# -- nobody keeps a colour


def _kept(file: Path) -> list[int]:
    """Lines on which a style of the palette is taken when the file is imported, or by a cache that is never cleared."""
    tree = ast.parse(file.read_text())
    found: list[int] = []

    def used(node: ast.AST) -> list[int]:
        return [
            inner.lineno
            for inner in ast.walk(node)
            if isinstance(inner, ast.Attribute)
            and isinstance(inner.value, ast.Name)
            and inner.value.id == "palette"
            and isinstance(getattr(palette, inner.attr, None), Style | Color | str)
        ]

    def walk(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                defaults = [*child.args.defaults, *filter(None, child.args.kw_defaults)]
                found.extend(line for default in defaults for line in used(default))
                cached = any("cache" in ast.unparse(decorator) for decorator in child.decorator_list)
                found.extend(used(child) if cached else [])
            elif not isinstance(child, ast.Lambda):
                if isinstance(child, ast.Attribute):
                    found.extend(used(child))
                walk(child)

    walk(tree)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_style_is_asked_for_when_it_is_drawn_and_never_kept(file: Path) -> None:
    assert _kept(file) == [], "ask the palette when drawing; name styles (`palette.named`); cache with `palette.themed`"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_colours_are_written_down_in_themes_only(file: Path) -> None:
    if file.name == "themes.py":
        return
    literals = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
    text = [node.value for node in literals if isinstance(node.value, str)]
    assert [value for value in text if re.fullmatch("#[0-9a-f]{6}", value)] == []


# -- without red, green or blue cones

CONES = {
    "all": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""Machado, Oliveira and Fernandes 2009, at full severity, on linear light."""
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
SIGNS = ("text", "dim", "good", "warn", "bad", "ice", "done", "accent", "negative", "positive")


def _seen(colour: str, cones: np.ndarray) -> np.ndarray:
    """A colour in CIE L*a*b*, as it is seen with these cones."""
    light = np.array([themes.linear(part / 255) for part in themes.rgb_of(colour)])
    white = XYZ @ np.clip(cones @ light, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    x, y, z = np.where(white > 0.008856, np.cbrt(white), 7.787 * white + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _distance(one: str, other: str, cones: np.ndarray) -> float:
    return float(np.linalg.norm(_seen(one, cones) - _seen(other, cones)))


@pytest.mark.parametrize("cones", CONES)
@pytest.mark.parametrize("on", [themes.SAFE, themes.SAFE_LIGHT], ids=lambda on: on.name)
def test_the_safe_themes_keep_all_signs_apart_whatever_cones_one_has(on: Colours, cones: str) -> None:
    pairs = {
        (one, other): _distance(getattr(on, one), getattr(on, other), CONES[cones])
        for one, other in combinations(SIGNS, 2)
        if {one, other} != {"text", "dim"}
    }
    assert min(pairs.values()) > 12, min(pairs, key=lambda pair: pairs[pair])


@pytest.mark.parametrize("cones", CONES)
@pytest.mark.parametrize("on", themes.OURS, ids=lambda on: on.name)
def test_the_map_of_values_is_told_apart_whatever_cones_one_has(on: Colours, cones: str) -> None:
    palette.wear(on)
    shades = [themes.hex_of(palette.rgb(level)) for level in range(palette.LEVELS)]
    for step in range(3, palette.MIDDLE + 1):
        low, high = shades[palette.MIDDLE - step], shades[palette.MIDDLE + step]
        assert _distance(low, high, CONES[cones]) > 3 * step, step
