"""The Examples pane: those of the probe or of a split, the wrong ones first, or which class is taken for which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from textual import events
from textual.strip import Strip

from tinynets.server.frame import Examples, Frame, OwnInput
from tui.model.bands import Band, Bands
from tui.model.example_list import (
    ORDERS,
    UNGROUPED,
    Cell,
    Group,
    caption,
    chosen,
    groups,
    hard_ones,
    hard_word,
    place_of,
    sequence,
    verdict_words,
)
from tui.model.selection import Selection
from tui.render import drawing, palette
from tui.render.confusion import Matrix
from tui.render.drawing import clip, columns, line, number
from tui.render.example_rows import Table, Tiles, group_line
from tui.widgets.pane import Pane

PROBED = 200
"""The width of the names is found from so many examples."""


class ExamplesPane(Pane):
    """A list of examples, or the confusion matrix; the cursor is the selected example, which every pane follows."""

    NAME = "examples"

    def __init__(self) -> None:
        super().__init__()
        self.order, self.split = "class", ""
        self._only: Cell | None = None
        self._cell: Cell | None = None
        """The cell under the cursor; None while the examples are listed."""
        self._matrix: Matrix | None = None
        self._corner = (0, 0)
        self._found: tuple[Examples, tuple[str, Cell | None], list[Group]] | None = None
        self._bands = Bands()
        self._seen: list[tuple[int, Band]] = []
        """The bands in sight, with their first lines."""
        self._column = 1
        """The width of each of the examples that stand side by side."""

    # -- drawing

    def draw(self, width: int, height: int) -> list[Strip]:
        examples = self.frame.answers if self.frame else None
        self._matrix = None
        if self.frame is None or examples is None:
            self.title("")
            self.note("")
            waits = self.frame is not None and self.frame.of_batch
            return self.message("not yet: the loss of the batch comes first" if waits else self.waiting, width, height)
        if self._cell is not None and examples.labels:
            return self._matrix_lines(examples, width, height)
        found = self._groups(examples)
        self._headline(examples, found)
        place = place_of(examples, self.selection)
        tiles = Tiles(examples, self.look) if examples.pictures is not None else None
        if tiles is not None and (height <= tiles.height or width < 2 * tiles.width):
            tiles = None
        self._column = tiles.width if tiles else width
        headings = examples.wrong is not None
        self._bands.arrange(found, max(1, width // self._column), tiles.height if tiles else 1, headings)
        if not self._bands.all:
            return self.message("no examples", width, height)
        table = Table(examples, self._caption_width(examples), width, self.look) if tiles is None else None
        lines: list[Strip] = [table.head()] if table is not None and height > 3 else []
        self._bands.scroll(place, height - len(lines))
        self._seen = list(self._bands.in_sight(len(lines), height))
        for _, band in self._seen:
            lines += self._band_lines(examples, band, place, table, tiles, width)
        return lines[:height]

    def _band_lines(
        self, examples: Examples, band: Band, place: int | None, table: Table | None, tiles: Tiles | None, width: int
    ) -> list[Strip]:
        assert self.frame is not None
        if band.group is not None:
            return [self._heading(examples, band.group, width)]
        if tiles is not None:
            return tiles.band(band.places, place, width)
        assert table is not None
        return [table.row(at, caption(examples, at, self.frame), at == place) for at in band.places]

    def _heading(self, examples: Examples, group: Group, width: int) -> Strip:
        name = examples.labels[group.label] if group.label < len(examples.labels) else "without a class"
        return group_line(name, group.right, len(group.places), width, self.look)

    def _caption_width(self, examples: Examples) -> int:
        assert self.frame is not None
        count = min(PROBED, len(examples.rows))
        return max(7, max((columns(caption(examples, at, self.frame)) for at in range(count)), default=7))

    def _headline(self, examples: Examples, found: list[Group]) -> None:
        """Title and lower line: which examples these are, how many are right, and how they are ordered."""
        count = sum(len(group.places) for group in found)
        of = f" of {examples.total:,}" if count != examples.total and self._only is None else ""
        where = f"{_whose(examples)}: "
        only = self._cell_listed(examples)
        if only is not None:
            truth, answer = examples.labels[only[0]], examples.labels[only[1]]
            self.title(f"{where}{count} of {truth} answered {answer}   esc: all")
        elif examples.wrong is not None and len(examples.wrong):
            right = int((~examples.wrong).sum())
            self.title(f"{where}{right:,} of {count:,} right ({right / count:.0%})")
        else:
            self.title(f"{where}{count:,}{of}")
        words = (ORDERS if examples.labels else UNGROUPED)[self.order]
        place = place_of(examples, self.selection)
        at = np.flatnonzero(sequence(found) == place) if place is not None else np.empty(0, np.int64)
        words = f"{int(at[0]) + 1:,} of {count:,}, {words}" if at.size else words
        if examples.wrong is None:
            words += f"; n: next {hard_word(examples)} ({int(hard_ones(examples).sum())})"
        if examples.split and count < examples.total and only is None:
            words += f"; {count:,} of {examples.total:,}, evenly spaced"
        self.note(words + ("; only a sample of the data is here" if examples.missing else ""))

    def _cell_listed(self, examples: Examples) -> Cell | None:
        """The cell of the matrix whose examples are listed, as long as there are such classes."""
        return self._only if self._only is not None and max(self._only) < len(examples.labels) else None

    # -- the matrix

    def _matrix_lines(self, examples: Examples, width: int, height: int) -> list[Strip]:
        self.title(f"{_whose(examples)}: truth down, answer across")
        if examples.confusion is None or self._cell is None:
            return self.message("counting", width, height)
        count = len(examples.labels)
        self._cell = cell = min(self._cell[0], count - 1), min(self._cell[1], count - 1)
        made = Matrix.fit(examples.confusion, examples.labels, cell, self._corner, width, height - 1)
        self._matrix, self._corner = made, made.first
        self.note("enter lists a cell; \\ back to the examples" + made.out_of_sight())
        lines = made.lines(width, self.look)[: height - 1]
        lines += [drawing.blank(width)] * (height - 1 - len(lines))
        return [*lines, line([(clip(made.words("   enter lists them"), width), palette.BRIGHT)], width)]

    def open_matrix(self, examples: Examples, frame: Frame, selection: Selection) -> None:
        """Show the matrix, with the cursor in the cell of the selected example."""
        place = place_of(examples, selection)
        at = place if place is not None else 0
        truth, answer = int(examples.truth[at]), int(examples.answer[at])
        self._cell = max(0, truth), max(0, answer)
        self._only = None
        self.redraw()

    def close_matrix(self) -> bool:
        """Show the examples again; whether the matrix was shown."""
        shown, self._cell = self._cell is not None, None
        self.redraw()
        return shown

    def list_cell(self) -> bool:
        """List the examples of the cell under the cursor; whether the matrix was shown."""
        if self._cell is None:
            return False
        self._only, self._cell, self._bands.top = self._cell, None, 0
        self.redraw()
        return True

    def escaped(self) -> bool:
        """Close the matrix, or list all examples again; whether there was anything to close."""
        if self.close_matrix():
            return True
        was, self._only = self._only is not None, None
        self.redraw()
        return was

    # -- the list

    def set_order(self, order: str) -> None:
        self.order, self._bands.top = order, 0
        self.redraw()

    def set_split(self, split: str) -> None:
        self.split, self._bands.top, self._only = split, 0, None

    def ordered(self, examples: Examples) -> NDArray[np.int64]:
        """The places of the listed examples, in their order."""
        return sequence(self._groups(examples))

    def _groups(self, examples: Examples) -> list[Group]:
        """The listed examples in their order, found once for each frame."""
        key = self.order, self._cell_listed(examples)
        if self._found is None or self._found[0] is not examples or self._found[1] != key:
            self._found = examples, key, groups(examples, *key)
        return self._found[2]

    def jumped(self, examples: Examples, where: str) -> int | None:
        """The place of the first example, the last, or one a page up or down."""
        ordered = self.ordered(examples)
        if not len(ordered):
            return None
        if where in ("home", "end"):
            return int(ordered[0 if where == "home" else -1])
        place = place_of(examples, self.selection)
        at = int(np.flatnonzero(ordered == place)[0]) if place is not None and (ordered == place).any() else 0
        by = max(1, self._bands.page - 1) * self._bands.wide * (1 if where == "pagedown" else -1)
        return int(ordered[max(0, min(len(ordered) - 1, at + by))])

    def jump_cell(self, where: str) -> bool:
        """Move the cursor in the matrix to its first or last row or by ten; whether the matrix is shown."""
        if self._cell is None:
            return False
        self._move_cell(0, {"home": -10_000, "end": 10_000, "pageup": -10, "pagedown": 10}[where])
        return True

    def _move_cell(self, right: int, down: int) -> None:
        count = len(self.frame.answers.labels) if self.frame and self.frame.answers else 1
        row, column = self._cell or (0, 0)
        self._cell = max(0, min(count - 1, row + down)), max(0, min(count - 1, column + right))
        self.redraw()

    def moved(self, right: int, down: int) -> Pane.Chosen | None:
        examples = self.frame.answers if self.frame else None
        if self._cell is not None:
            self._move_cell(right, down)
            return self.Chosen()
        if examples is None or (right and self._bands.wide == 1):
            return None
        ordered = self.ordered(examples)
        if not len(ordered):
            return self.Chosen()
        place = place_of(examples, self.selection)
        at = np.flatnonzero(ordered == place) if place is not None else np.empty(0, np.int64)
        if not at.size:
            return self._choice(examples, int(ordered[0 if right + down > 0 else -1]))
        if right:
            return self._choice(examples, int(ordered[max(0, min(len(ordered) - 1, int(at[0]) + right))]))
        below = self._bands.beside(place, down)
        return self._choice(examples, int(ordered[0]) if below is None else below)

    def _choice(self, examples: Examples, place: int) -> Pane.Chosen:
        what = chosen(examples, place)
        return self.Chosen(own=what) if isinstance(what, OwnInput) else self.Chosen(example=what)

    # -- the mouse

    def on_click(self, event: events.Click) -> None:
        at, examples = event.get_content_offset(self), self.frame.answers if self.frame else None
        if at is None or examples is None:
            return
        if self._matrix is not None:
            cell = self._matrix.at(at.x, at.y)
            if cell is not None:
                again, self._cell = cell == self._cell, cell
                self.redraw()
                if again:
                    self.list_cell()
            return
        place = self._place_at(at.x, at.y)
        if place is not None:
            self.post_message(self._choice(examples, place))

    def wheel(self, by: int) -> None:
        found = self.moved(0, by)
        if found is not None:
            self.post_message(found)

    def reading(self, x: int, y: int) -> str:
        """The example under the mouse with its answer and loss, or what a cell of the matrix counts."""
        examples = self.frame.answers if self.frame else None
        if self.frame is None or examples is None:
            return ""
        if self._matrix is not None:
            cell = self._matrix.at(x, y)
            return replace(self._matrix, cursor=cell).words("") if cell is not None else ""
        place = self._place_at(x, y)
        if place is None:
            return ""
        loss = number(float(examples.loss[place]))
        return f"{caption(examples, place, self.frame)}: {verdict_words(examples, place)}, loss {loss}"

    def _place_at(self, x: int, y: int) -> int | None:
        """The example at a place of the list."""
        for first, band in self._seen:
            if first <= y < first + band.height and band.places:
                return band.places[min(x // self._column, len(band.places) - 1)]
        return None


def _whose(examples: Examples) -> str:
    return examples.split or ("batch" if examples.of_batch else "probe")
