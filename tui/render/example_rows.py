"""Examples as lines: a row for each, or small pictures side by side, with what is right and what was answered."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import Examples
from tui.render import palette
from tui.render.drawing import Part, clip, columns, line, number, padded, plain_bar
from tui.render.palette import Terminal
from tui.render.pictures import extent, greys, picture

LABEL = 8
"""The most cells that the name of a class takes."""


class Table:
    """The columns of a list of examples, for a width."""

    def __init__(self, examples: Examples, caption: int, width: int, look: Terminal) -> None:
        self.examples, self.width, self.look = examples, width, look
        self.label = max(5, min(LABEL, max(map(columns, examples.labels), default=0)))
        self.numbers = not examples.labels
        self.word = width >= 46
        wide = 2 + self._truth + self._answer + 8 + (8 if self.word else 2)
        self.caption = max(4, min(caption, width - wide))

    @property
    def _truth(self) -> int:
        if self.examples.kind == "map":
            return 0
        return (9 if self.examples.targets is not None else 0) if self.numbers else self.label + 1

    @property
    def _answer(self) -> int:
        return 9 if self.numbers else self.label + 6

    def head(self) -> Strip:
        """The names of the columns."""
        text = "  " + padded("example", self.caption) + " "
        text += padded("truth", self._truth) if self._truth else ""
        return line([(clip(text + padded("answer", self._answer) + "   loss", self.width), palette.DIM)], self.width)

    def row(self, place: int, caption: str, selected: bool) -> Strip:
        """One example."""
        examples, look = self.examples, self.look
        wrong = None if examples.wrong is None else bool(examples.wrong[place])
        mark = look.glyph("right") if selected else " "
        style = palette.BRIGHT if selected else palette.TEXT
        parts: list[Part] = [
            (f"{mark} ", palette.ACCENT_BOLD),
            (padded(clip(caption, self.caption), self.caption) + " ", style),
        ]
        if self._truth:
            parts.append((padded(clip(truth_of(examples, place), self._truth - 1), self._truth), palette.TEXT))
        said = padded(clip(answer_of(examples, place), self._answer - 1), self._answer)
        parts.append((said, miss_style(examples) if wrong else palette.GOOD if wrong is False else palette.TEXT))
        parts.append((f"{number(float(examples.loss[place])):>7}", palette.DIM))
        if wrong is not None:
            glyph, words = look.glyph("miss" if wrong else "hit"), "wrong" if wrong else "right"
            ink = miss_style(examples) if wrong else palette.GOOD
            parts.append((f" {glyph} {words}" if self.word else f" {glyph}", ink))
        return line(parts, self.width)


def miss_style(examples: Examples) -> Style:
    """The style of a wrong answer; in texts, where many are as good as the right one, it is no alarm."""
    return palette.WARN if examples.texts else palette.BAD


def truth_of(examples: Examples, place: int) -> str:
    truth = int(examples.truth[place])
    if examples.labels:
        return examples.labels[truth] if 0 <= truth < len(examples.labels) else "?"
    if examples.targets is None:
        return ""
    return " ".join(number(value, 3) for value in examples.targets[place].tolist())


def answer_of(examples: Examples, place: int) -> str:
    answer, share = int(examples.answer[place]), float(examples.share[place])
    if examples.kind == "map":
        return f"unit {answer}" if answer >= 0 else "NaN"
    if examples.labels:
        chance = f" {share:.0%}" if share == share else ""
        return (examples.labels[answer] if answer >= 0 else "NaN") + chance
    return " ".join(number(value, 3) for value in examples.values[place].tolist())


def group_line(name: str, right: int, count: int, width: int, look: Terminal) -> Strip:
    """A class: how many there are, and how many of them are answered right."""
    share = right / count if count else 0.0
    parts: list[Part] = [(padded(clip(name, LABEL), 2) + " ", palette.BRIGHT)]
    parts += plain_bar(share, 10, palette.GOOD if share >= 0.5 else palette.WARN, look)
    parts.append((f" {share:.0%}  {right} of {count} right", palette.DIM))
    return line(parts, width)


class Tiles:
    """The size of the pictures of a list of examples."""

    def __init__(self, examples: Examples, look: Terminal) -> None:
        assert examples.pictures is not None
        self.examples, self.look = examples, look
        self.shape = examples.pictures.shape[1], examples.pictures.shape[2]
        lines, wide = extent(self.shape, 0, look)
        self.width = max(wide, 10) + 2
        self.height = lines + 1

    def band(self, places: tuple[int, ...], selected: int | None, width: int) -> list[Strip]:
        """Pictures side by side, each with its answer below."""
        assert self.examples.pictures is not None
        images = [_thumb(self.examples.pictures[place].tobytes(), self.shape, self.look) for place in places]
        lines = []
        for y in range(self.height - 1):
            parts: list[Part | Segment] = []
            for image in images:
                used = sum(segment.cell_length for segment in image[y])
                parts += [(" ", palette.TEXT), *image[y], (" " * (self.width - 1 - used), palette.TEXT)]
            lines.append(line(parts, width))
        lines.append(line([self._label(place, place == selected) for place in places], width))
        return lines

    def _label(self, place: int, selected: bool) -> Part:
        """`▶7→3 61%✗`: truth, answer, its probability and the verdict."""
        examples, look = self.examples, self.look
        wrong = None if examples.wrong is None else bool(examples.wrong[place])
        mark = look.glyph("right") if selected else " "
        verdict = "" if wrong is None else look.glyph("miss" if wrong else "hit")
        truth = f"{truth_of(examples, place)}{look.glyph('arrow')}" if examples.labels else ""
        text = clip(f"{mark}{truth}{answer_of(examples, place)}", self.width - 2)
        style = palette.CHIP if selected else miss_style(examples) if wrong else palette.GOOD
        return (padded(f"{text}{verdict}", self.width), style if wrong is not None or selected else palette.TEXT)


@palette.themed
def _thumb(pixels: bytes, shape: tuple[int, int], look: Terminal) -> list[list[Segment]]:
    return picture(greys(np.frombuffer(pixels, np.uint8).reshape(shape) / 255.0), 0, look)
