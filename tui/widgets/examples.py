"""The Examples pane: those of the probe or of a split, the wrong ones first, or which class is taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from textual import events
from textual.strip import Strip

from tinynets.server.frame import Examples, Frame, OwnInput
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


@dataclass(frozen=True)
class Band:
    """What stands in one row of the list: a class's heading, or one example or several."""

    height: int
    places: tuple[int, ...] = ()
    group: Group | None = None


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
        self._bands: list[Band] = []
        self._top = 0
        self._seen: list[tuple[int, Band]] = []
        """The bands in sight, with their first lines."""
        self._page, self._wide = 1, 1

    # -- drawing

    def draw(self, width: int, height: int) -> list[Strip]:
        examples = self.frame.answers if self.frame else None
        self._matrix = None
        if self.frame is None or examples is None:
            return self.message(self.waiting, width, height)
        if self._cell is not None and examples.labels:
            return self._matrix_lines(examples, width, height)
        found = groups(examples, self.order, self._cell_listed(examples))
        self._tell(examples, found)
        place = place_of(examples, self.selection)
        tiles = Tiles(examples, self.look) if examples.pictures is not None else None
        if tiles is not None and (height <= tiles.height or width < 2 * tiles.width):
            tiles = None
        self._bands = self._arranged(examples, found, tiles, width)
        if not self._bands:
            return self.message("no examples", width, height)
        table = Table(examples, self._caption_width(examples), width, self.look) if tiles is None else None
        head = [table.head()] if table is not None and height > 3 else []
        self._scroll(place, height - len(head))
        lines: list[Strip] = list(head)
        self._seen = []
        for band in self._bands[self._top :]:
            if len(lines) >= height:
                break
            self._seen.append((len(lines), band))
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

    def _arranged(self, examples: Examples, found: list[Group], tiles: Tiles | None, width: int) -> list[Band]:
        """The list as bands."""
        self._wide = max(1, width // tiles.width) if tiles else 1
        bands = []
        for group in found:
            if group.label >= 0 and examples.wrong is not None:
                bands.append(Band(1, group=group))
            places = group.places.tolist()
            for first in range(0, len(places), self._wide):
                bands.append(Band(tiles.height if tiles else 1, tuple(places[first : first + self._wide])))
        return bands

    def _scroll(self, place: int | None, height: int) -> None:
        """Scroll no more than needed to show the selected example, with the heading of its class if it is the first."""
        at = self._band_of(place)
        self._top = max(0, min(self._top, len(self._bands) - 1))
        if at is not None:
            with_heading = at - 1 if at and self._bands[at - 1].group is not None else at
            self._top = min(self._top, with_heading)
            while self._top < at and sum(band.height for band in self._bands[self._top : at + 1]) > height:
                self._top += 1
        used, self._page = 0, 0
        for band in self._bands[self._top :]:
            used += band.height
            if used > height:
                break
            self._page += 1
        while self._top and used + self._bands[self._top - 1].height <= height:  # no empty lines below the last
            self._top -= 1
            used += self._bands[self._top].height
        self._page = max(1, self._page)

    def _band_of(self, place: int | None) -> int | None:
        return next((i for i, band in enumerate(self._bands) if place is not None and place in band.places), None)

    def _caption_width(self, examples: Examples) -> int:
        assert self.frame is not None
        count = min(PROBED, len(examples.rows))
        return max(7, max((columns(caption(examples, at, self.frame)) for at in range(count)), default=7))

    def _tell(self, examples: Examples, found: list[Group]) -> None:
        """Title and lower line: which examples these are, how many are right, and how they are ordered."""
        count = sum(len(group.places) for group in found)
        of = f" of {examples.total:,}" if count != examples.total and self._only is None else ""
        where = f"{examples.split or 'probe'}: "
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
        where = examples.split or "probe"
        self.title(f"{where}: truth down, answer across")
        self.note("enter lists a cell; \\ back to the examples")
        if examples.confusion is None or self._cell is None:
            return self.message("counting", width, height)
        count = len(examples.labels)
        self._cell = cell = min(self._cell[0], count - 1), min(self._cell[1], count - 1)
        made = Matrix.fit(examples.confusion, examples.labels, cell, self._corner, width, height - 1)
        self._matrix, self._corner = made, made.first
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
        self._only, self._cell, self._top = self._cell, None, 0
        self.redraw()
        return True

    def close(self) -> bool:
        """Close the matrix, or list all examples again; whether there was anything to close."""
        if self.close_matrix():
            return True
        was, self._only = self._only is not None, None
        self.redraw()
        return was

    # -- the list

    def set_order(self, order: str) -> None:
        self.order, self._top = order, 0
        self.redraw()

    def set_split(self, split: str) -> None:
        self.split, self._top, self._only = split, 0, None

    def ordered(self, examples: Examples) -> NDArray[np.int64]:
        """The places of the listed examples, in their order."""
        return sequence(groups(examples, self.order, self._cell_listed(examples)))

    def verdict(self, examples: Examples, place: int) -> str:
        loss = float(examples.loss[place])
        return f"{verdict_words(examples, place)}, loss {number(loss)}"

    def jumped(self, examples: Examples, where: str) -> int | None:
        """The place of the first example, the last, or one a page up or down."""
        ordered = self.ordered(examples)
        if not len(ordered):
            return None
        if where in ("home", "end"):
            return int(ordered[0 if where == "home" else -1])
        place = place_of(examples, self.selection)
        at = int(np.flatnonzero(ordered == place)[0]) if place is not None and (ordered == place).any() else 0
        by = max(1, self._page - 1) * self._wide * (1 if where == "pagedown" else -1)
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
        if examples is None or (right and self._wide == 1):
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
        return self._choice(examples, self._in_row(place, down))

    def _in_row(self, place: int | None, down: int) -> int:
        """The example above or below, in the same column if there is one."""
        rows = [band.places for band in self._bands if band.places]
        at = next((i for i, places in enumerate(rows) if place in places), 0)
        column = rows[at].index(place) if place in rows[at] else 0
        below = rows[max(0, min(len(rows) - 1, at + down))]
        return below[min(column, len(below) - 1)]

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
        for first, band in self._seen:
            if first <= at.y < first + band.height and band.places:
                wide = (self.size.width or 1) if self._wide == 1 else self._tile_width()
                self.post_message(self._choice(examples, band.places[min(at.x // wide, len(band.places) - 1)]))
                return

    def _tile_width(self) -> int:
        assert self.frame is not None
        assert self.frame.answers is not None
        return Tiles(self.frame.answers, self.look).width

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        found = self.moved(0, by)
        if found is not None:
            self.post_message(found)
