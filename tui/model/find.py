"""Finds things by a few typed letters: units, blocks, examples, edits, bookmarks, branches, splits, panes, settings.

Plain functions of a frame; nothing here draws.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tinynets.server.frame import PANES, BlockInfo, Frame
from tui.model.selection import Selection

MOST = 60
"""The most that is listed."""
UNIT = re.compile(r"^(?P<block>[^\[\]]*)\[(?P<unit>\d*)\]?$")
EXACT, WHOLE, BEGINS, HOLDS = range(4)
"""How well something fits, the best first: the number itself, the whole name, its beginning, something in it."""


@dataclass(frozen=True)
class Found:
    """One thing that was found, and where enter goes."""

    kind: str
    """What it is: unit, block, example, step, edit, bookmark, branch, split, pane, setting."""
    name: str
    about: str = ""
    target: tuple[Any, ...] = ()
    """What to go to: block and unit, an example, step and edits, a name."""


def find(text: str, frame: Frame, selection: Selection) -> list[Found]:
    """What fits a text, the best first; without a text, the blocks and what is bookmarked."""
    text = text.strip()
    ranked: list[tuple[int, int, Found]] = []
    for order, (fit, found) in enumerate(_all(text, frame, selection)):
        ranked.append((fit, order, found))
    ranked.sort(key=lambda entry: entry[:2])
    return [found for _, _, found in ranked[:MOST]]


def _all(text: str, frame: Frame, selection: Selection) -> Iterator[tuple[int, Found]]:
    """All that fits and how well; what comes first goes before others that fit as well."""
    if text.isdecimal():
        yield from _numbered(int(text), frame, selection)
    yield from _units(text, frame, selection)
    yield from _blocks(text, frame)
    if not text:
        yield from _bookmarks(text, frame)
        return
    yield from _panes(text)
    yield from _bookmarks(text, frame)
    yield from _branches(text, frame)
    yield from _examples(text, frame)
    yield from _edits(text, frame)
    yield from _splits(text, frame)
    yield from _settings(text)


def _fit(text: str, name: str) -> int | None:
    """How well a name fits; None if it does not."""
    text, name = text.lower(), name.lower()
    if name == text:
        return WHOLE
    return BEGINS if name.startswith(text) else HOLDS if text in name else None


# -- numbers and units


def _numbered(number: int, frame: Frame, selection: Selection) -> Iterator[tuple[int, Found]]:
    """The unit of that number in the selected block, then in others; the example and the step."""
    for block in _own_first(frame, selection):
        if number < block.units:
            yield EXACT, _unit(block, number)
    if number < len(frame.examples):
        yield EXACT, Found("example", frame.examples[number], f"number {number}", (number,))
    if number <= frame.status.end:
        yield EXACT, Found("step", f"step {number:,}", f"of branch {frame.status.branch}", (number, None))


def _units(text: str, frame: Frame, selection: Selection) -> Iterator[tuple[int, Found]]:
    """The units of a text like `hidden[117]` or `hid[11`."""
    parsed = UNIT.match(text)
    if parsed is None:
        return
    for block in _own_first(frame, selection):
        if _fit(parsed["block"], block.name) is None:
            continue
        for unit in range(block.units):
            if str(unit) == parsed["unit"]:
                yield EXACT, _unit(block, unit)
            elif str(unit).startswith(parsed["unit"]):
                yield BEGINS, _unit(block, unit)


def _unit(block: BlockInfo, unit: int) -> Found:
    return Found("unit", f"{block.name}[{unit}]", f"of {block.units:,}: {block.summary}", (block.name, unit))


def _own_first(frame: Frame, selection: Selection) -> list[BlockInfo]:
    return sorted((block for block in frame.blocks if block.units), key=lambda block: block.name != selection.block)


# -- names


def _blocks(text: str, frame: Frame) -> Iterator[tuple[int, Found]]:
    for block in frame.blocks:
        fit = _fit(text, block.name)
        fit = _fit(text, block.summary) and HOLDS if fit is None else fit
        if fit is not None and block.units:
            yield fit, Found("block", block.name, block.summary, (block.name, 0))


def _examples(text: str, frame: Frame) -> Iterator[tuple[int, Found]]:
    """Examples by their words; what follows an arrow counts as the next letters too, so that `emma` finds `emm → a`."""
    for number, words in enumerate(frame.examples):
        fit = _fit(text, words)
        fit = _fit(text, words.replace(" → ", "")) if fit is None else fit
        if fit is not None:
            yield fit, Found("example", words, f"number {number}", (number,))


def _edits(text: str, frame: Frame) -> Iterator[tuple[int, Found]]:
    for mark in reversed(frame.timeline.marks):
        words = mark.text.removeprefix("lab.")
        fit = _fit(text, words)
        if fit is not None:
            yield fit, Found("edit", words, f"at step {mark.step:,}", (mark.step, mark.here))


def _bookmarks(text: str, frame: Frame) -> Iterator[tuple[int, Found]]:
    for pin in frame.timeline.pins:
        fit = _fit(text, pin.name)
        fit = _fit(text, pin.note) and HOLDS if fit is None else fit
        if fit is not None:
            note = f": {pin.note}" if pin.note else ""
            yield fit, Found("bookmark", pin.name, f"step {pin.step:,} of {pin.branch}{note}", (pin.name,))


def _branches(text: str, frame: Frame) -> Iterator[tuple[int, Found]]:
    for branch in frame.timeline.branches:
        fit = _fit(text, branch.name)
        if fit is not None:
            about = "where we are" if branch.current else f"ends at step {branch.end:,}"
            yield fit, Found("branch", branch.name, about, (branch.name,))


def _splits(text: str, frame: Frame) -> Iterator[tuple[int, Found]]:
    for split in frame.splits:
        fit = _fit(text, split)
        if fit is not None:
            yield fit, Found("split", split, "measure its loss", (split,))


def _panes(text: str) -> Iterator[tuple[int, Found]]:
    for number, pane in enumerate(PANES, 1):
        fit = _fit(text, pane)
        if fit is not None:
            yield fit, Found("pane", pane.capitalize(), f"its key is {number}", (pane,))


def _settings(text: str) -> Iterator[tuple[int, Found]]:
    from tinynets.training.settings import setting_names  # the app starts sooner without it

    for name in setting_names():
        fit = _fit(text, name)
        if fit is not None:
            yield fit, Found("setting", name, "opens the command line with it", (name,))
