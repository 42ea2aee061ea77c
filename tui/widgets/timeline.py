"""The timeline strip: the run, its edits and bookmarks, the other branches, and the present step."""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tinynets.foreign_text import printable
from tinynets.server.frame import EditMark, Frame, TimelineStrip
from tui.actions import keyed
from tui.model.selection import Selection
from tui.model.stops import Lane, Place, Stop, cost_words, shown_lanes, stops
from tui.render import palette, themes
from tui.render.drawing import Part, clip, length, line
from tui.render.marks import SIGNS
from tui.render.operation_looks import LOOKS
from tui.render.sparks import sparks
from tui.widgets.pane import Lines

FAMILIES = {
    "activation": ("several", "DONE"),
    "learning": ("frozen", "ICE"),
    "parameter": ("weights", "BRIGHT"),
    "state": ("weights", "BRIGHT"),
    "structure": ("structure", "WARN"),
    "setting": ("setting", "ACCENT_BOLD"),
}
"""Family of an operation -> its glyph and colour; each operation on activations has a glyph of its own."""
LABEL = 10
WIDE = 96
"""From this many columns on, names are shown at the right."""
NAMES = 24, 13
"""Columns at the right: with names, and with numbers only."""
LANES = ((44, 4), (34, 3), (28, 2))
"""(From this many lines of the terminal on, so many other branches get a line each); on fewer they share one."""

Cell = tuple[str, Style]


@dataclass(frozen=True)
class StepScale:
    """The place of each step in a line of a given width; the same for all branches.

    It is fitted to what is looked at: the current branch, or a part of it.
    """

    width: int
    first: int
    last: int

    @classmethod
    def of(cls, strip: TimelineStrip, width: int) -> StepScale:
        return cls(width, *strip.span)

    @property
    def right(self) -> int:
        """Columns at the right, for names and numbers."""
        return NAMES[0] if self.width >= WIDE else NAMES[1]

    @property
    def span(self) -> int:
        """Columns from the first step to the last."""
        return max(10, self.width - LABEL - self.right)

    def x(self, step: int) -> int:
        """The column of a step; of steps out of sight, the nearest end."""
        share = (step - self.first) / max(1, self.last - self.first)
        return round(min(1.0, max(0.0, share)) * (self.span - 1))

    def step(self, x: int) -> int:
        """The step at a column."""
        share = min(1.0, max(0.0, x / max(1, self.span - 1)))
        return self.first + round(share * (self.last - self.first))

    def sees(self, step: int) -> bool:
        return self.first <= step <= self.last


@dataclass(frozen=True)
class MouseTarget:
    """What is under the mouse: a place to go to or a branch to switch to, and its description."""

    text: str
    place: Place | None = None
    edited: bool = False
    branch: str = ""
    step: int | None = None
    """The step of that branch; None: its end."""


class TimelineStripWidget(Lines):
    """Losses, with edits and bookmarks on them; under them the track, with evaluations as dots; then other branches.

    A click goes to what it hits: the moment of a mark, a step of this branch or of another.
    """

    class Sought(Message):
        """The user wants to go to a step, after the first `edits` edits there; None: after all of them."""

        def __init__(self, step: int, edits: int | None = None) -> None:
            super().__init__()
            self.step, self.edits = step, edits

    class Switched(Message):
        """The user wants to go to a step of another branch; None: to its end."""

        def __init__(self, branch: str, step: int | None = None) -> None:
            super().__init__()
            self.branch, self.step = branch, step

    _tall = 2

    def show(self, frame: Frame, selection: Selection, *, hold: bool = False) -> None:
        others = len(frame.timeline.branches) - 1
        tall = 2 + min(others, max(1, self._lane_room()))
        if tall != self._tall:
            self._tall = tall
            self.styles.height = tall
        super().show(frame, selection, hold=hold)

    def _lane_room(self) -> int:
        """How many other branches get a line of their own; 0 if they share one."""
        size = self.app.size
        return next((count for lines, count in LANES if size.height >= lines and size.width >= WIDE), 0)

    def draw(self, width: int, height: int) -> list[Strip]:
        if self.frame is None:
            return [line([], width)] * height
        strip = self.frame.timeline
        scale = StepScale.of(strip, width)
        drawn = [self._edits(strip, scale), self._track(strip, scale)]
        if len(strip.branches) > 1:
            drawn += self._lane_lines(strip, scale) if self._lane_room() else [self._names(strip, width)]
        return drawn

    # -- the lines

    def _edits(self, strip: TimelineStrip, scale: StepScale) -> Strip:
        """Each edit as the glyph of its family, several in one place as a number; those still ahead are faint."""
        row: list[Cell] = [(" ", palette.TEXT)] * scale.span
        places: dict[int, list[EditMark]] = {}
        for mark in strip.marks:
            if scale.sees(mark.step):
                places.setdefault(scale.x(mark.step), []).append(mark)
        for x, marks in places.items():
            glyph, style = self._mark(marks)
            row[x] = (glyph, style if any(mark.applied for mark in marks) else palette.FAINT)
        for pin in [pin for pin in strip.pins if pin.on_branch and scale.sees(pin.step)]:
            self._pin(row, scale.x(pin.step), pin.name)
        self._losses(row, strip, scale)
        label = (" edits" if strip.marks else " loss") + (f" {self.look.glyph('pin')}" if strip.pins else "")
        return line([(label.ljust(LABEL), palette.DIM), *row, *self._cost(strip, scale)], scale.width)

    def _losses(self, row: list[Cell], strip: TimelineStrip, scale: StepScale) -> None:
        """The losses of this branch in the cells that are free, fainter ahead of the present step."""
        if strip.losses is None or not strip.end:
            return
        at = scale.x(strip.step)
        for x, spark in enumerate(sparks(strip.losses, scale.span, self.look)):
            if row[x][0] == " ":
                row[x] = (spark, _spark(x > at))

    def _mark(self, marks: list[EditMark]) -> Cell:
        """The glyph of an edit, or the number of several, in the colour of their family if they share one."""
        styles = {mark_sign(mark)[1] for mark in marks}
        style = styles.pop() if len(styles) == 1 else palette.ACCENT_BOLD
        if len(marks) > 1:
            return (str(len(marks)) if len(marks) < 10 else "+", style)
        return (self.look.glyph(mark_sign(marks[0])[0]), style)

    def _pin(self, row: list[Cell], x: int, name: str) -> None:
        """Put a bookmark into the nearest free cell, with its name if that has room too."""
        x = next((at for at in (x, x + 1, x - 1) if 0 <= at < len(row) and row[at][0] == " "), -1)
        if x < 0:
            return
        row[x] = (self.look.glyph("pin"), palette.GOOD)
        name = printable(name)
        after = row[x + 1 : x + 2 + len(name)]
        if len(after) == len(name) + 1 and all(text == " " for text, _ in after) and name.isascii():
            row[x + 1 : x + 1 + len(name)] = [(letter, palette.GOOD) for letter in name]

    def _cost(self, strip: TimelineStrip, scale: StepScale) -> list[Part]:
        if not strip.seek_seconds or not strip.end:
            return []
        cost = cost_words(strip.seek_seconds)
        text = f"any step within {cost}" if scale.width >= WIDE else f"seek {cost}"
        return [(text.rjust(scale.right - 1), palette.FAINT)]

    def _track(self, strip: TimelineStrip, scale: StepScale) -> Strip:
        at, end = scale.x(strip.step), scale.x(strip.end)
        done, ahead = self.look.glyph("line"), self.look.glyph("ahead")
        row: list[Cell] = [(done, palette.ACCENT)] * at + [(ahead, palette.DIM)] * max(0, end + 1 - at)
        row += [(" ", palette.TEXT)] * (scale.span - len(row))
        last = -3
        for step in filter(scale.sees, strip.evaluations):
            x = scale.x(step)
            if x - last > 2:  # any closer together they would hide the track
                row[x] = (self.look.glyph("evaluation"), palette.WARN if step <= strip.step else palette.FAINT)
                last = x
        if self._lane_room():
            for lane in shown_lanes(strip, self._lane_room())[0]:
                if not lane.on and scale.sees(lane.start):
                    x = scale.x(lane.start)
                    past = x < at
                    row[x] = (self.look.glyph("fork" if past else "fork ahead"), row[x][1] if past else palette.DIM)
        if strip.end > scale.last:
            row[end] = (self.look.glyph("right"), palette.DIM)
        if scale.first:
            row[0] = (self.look.glyph("left"), palette.DIM)
        row[at] = (self.look.glyph("here" if scale.sees(strip.step) else "left" if not at else "right"), palette.CURSOR)
        name = next((branch.name for branch in strip.branches if branch.current), "")
        return line(
            [(" timeline ", palette.DIM), *row, *self._end(name, strip.end, scale, palette.BRIGHT)], scale.width
        )

    def _end(self, name: str, end: int, scale: StepScale, style: Style) -> list[Part]:
        """The right end of a line: a branch's name, and its last step."""
        number, room = f"{end:,}", scale.right - 1
        if scale.width < WIDE:
            return [(number.rjust(room), palette.DIM)]
        name = clip(name, room - len(number) - 2)
        gap = " " * (room - length([(name, style)]) - len(number) - 1)
        return [(" " + name, style), (gap + number, palette.DIM)]

    def _lane_lines(self, strip: TimelineStrip, scale: StepScale) -> list[Strip]:
        """A thin line for each other branch, joined to the line that it forks from."""
        shown, left_out = shown_lanes(strip, self._lane_room())
        grid = [[" "] * scale.span for _ in shown]
        glyph, rows = self.look.glyph, {lane.name: y for y, lane in enumerate(shown)}
        for y, lane in enumerate(shown):
            x = scale.x(lane.start)
            if scale.sees(lane.start):
                grid[y][x] = glyph("leave")
            for at in range(x + scale.sees(lane.start), scale.x(lane.end) + 1):
                grid[y][at] = glyph("lane")
            if lane.start > scale.last or lane.end > scale.last:
                grid[y][-1] = glyph("right")
            elif lane.end < scale.first:
                grid[y][0] = glyph("left")
        through = {glyph("leave"): "leave and pass", glyph("lane"): "cross", " ": "bar"}
        for y, lane in enumerate(shown):
            if not scale.sees(lane.start):
                continue
            x, top = scale.x(lane.start), rows.get(lane.on, -1)
            for between in range(top + 1, y):
                grid[between][x] = glyph(through.get(grid[between][x], "leave and pass"))
            if top >= 0:
                grid[top][x] = glyph("leave and pass" if grid[top][x] == glyph("leave") else "lane fork")
        pins = [
            (rows[pin.branch], pin)
            for pin in strip.pins
            if not pin.on_branch and pin.branch in rows and scale.sees(pin.step)
        ]
        drawn = [[(text, palette.DIM) for text in cells] for cells in grid]
        for y, pin in pins:
            drawn[y][scale.x(pin.step)] = (glyph("pin"), palette.GOOD)
        made = []
        for y, lane in enumerate(shown):
            label = " branches " if y == 0 else " " * LABEL
            end = self._end(lane.name, lane.end, scale, palette.TEXT)
            made.append(line([(label, palette.DIM), *drawn[y], *end], scale.width))
        if left_out:
            made.append(line([(" " * LABEL, palette.DIM), (_more(left_out), palette.FAINT)], scale.width))
        return made

    def _names(self, strip: TimelineStrip, width: int) -> Strip:
        """All branches in one line, the current one first."""
        return line([(" branches ", palette.DIM), *(part for part, _ in self._named(strip, width))], width)

    def _named(self, strip: TimelineStrip, width: int) -> list[tuple[Part, str]]:
        """The parts of the line of names, each with the branch it names."""
        room = width - LABEL
        parts: list[tuple[Part, str]] = []
        ordered = sorted(strip.branches, key=lambda branch: not branch.current)
        for i, branch in enumerate(ordered):
            mark = self.look.glyph("here") + " " if branch.current else ""
            name: Part = (f"{mark}{clip(branch.name, 20)}", palette.BRIGHT if branch.current else palette.TEXT)
            about = f" {branch.end:,}" if not branch.parent else f" {branch.fork:,}-{branch.end:,}"
            added: list[tuple[Part, str]] = [(name, branch.name), ((about + "   ", palette.DIM), branch.name)]
            more: Part = (_more(len(ordered) - i), palette.FAINT)
            rest = length([more]) if i + 1 < len(ordered) else 0
            if length([part for part, _ in [*parts, *added]]) + rest > room:
                return [*parts, (more, "")]
            parts += added
        return parts

    def spots(self) -> list[tuple[int, int, Place, bool]]:
        """Where the moments worth going to stand: column, line, the moment, and whether its step has edits.

        Of several in one column, the last.
        """
        if self.frame is None:
            return []
        scale = StepScale.of(self.frame.timeline, self.size.width)
        found = {scale.x(stop.place[0]): stop for stop in stops(self.frame.timeline)}
        return [(LABEL + x, 1, stop.place, stop.edited) for x, stop in found.items() if x is not None and x >= 0]

    # -- the mouse

    def _places(self, strip: TimelineStrip, scale: StepScale) -> dict[int, list[Stop]]:
        """The moments at each column that has any."""
        found: dict[int, list[Stop]] = {}
        for stop in stops(strip):
            if not scale.sees(stop.place[0]):
                continue
            if stop.edited or "bookmark" in stop.text:
                found.setdefault(scale.x(stop.place[0]), []).append(stop)
        return found

    def target(self, x: int, y: int) -> MouseTarget | None:
        """What a click at this place would do."""
        if self.frame is None:
            return None
        strip, width = self.frame.timeline, self.size.width
        column, scale = x - LABEL, StepScale.of(strip, width)
        if y == 0:
            return self._mark_at(strip, column, scale)
        if y == 1:
            step = min(strip.end, scale.step(column))
            return MouseTarget(f"step {step:,}", (step, 0)) if 0 <= column < scale.span else None
        if not self._lane_room():
            for part, name in self._named(strip, width):
                if 0 <= column < length([part]):
                    return self._branch(strip, name)
                column -= length([part])
            return None
        shown = shown_lanes(strip, self._lane_room())[0]
        return self._on_lane(strip, shown[y - 2], column, scale) if y - 2 < len(shown) else None

    def _on_lane(self, strip: TimelineStrip, lane: Lane, column: int, scale: StepScale) -> MouseTarget | None:
        """The step of another branch under the mouse; beside its line, its end."""
        if 0 <= column < scale.span and scale.x(lane.start) <= column <= scale.x(lane.end):
            return self._branch(strip, lane.name, min(max(scale.step(column), lane.start), lane.end))
        return self._branch(strip, lane.name)

    def _mark_at(self, strip: TimelineStrip, column: int, scale: StepScale) -> MouseTarget | None:
        """The mark under or beside the mouse; repeated clicks on several in one place go through them in turn."""
        assert self.frame is not None
        places = self._places(strip, scale)
        at = min(places, key=lambda x: abs(x - column), default=None)
        if at is None or abs(at - column) > 1:
            return None
        here = strip.step, self.frame.status.edits_here
        # A click goes to the moment after an edit; the moment before it is reached by keys.
        found = [stop for stop in places[at] if not stop.text.startswith("before")] or places[at]
        stop = next((stop for stop in found if stop.place > here), found[0])
        more = f"; {len(found)} moments here, a click each" if len(found) > 1 else ""
        return MouseTarget(f"step {stop.place[0]:,}, {stop.text}{more}", stop.place, stop.edited)

    def _branch(self, strip: TimelineStrip, name: str, step: int | None = None) -> MouseTarget | None:
        branch = next((branch for branch in strip.branches if branch.name == name and not branch.current), None)
        if branch is None:
            return None
        left = f"left {branch.parent} at step {branch.fork:,}, " if branch.parent else ""
        there = "click to go there" if step is None else f"click to go to step {step:,} of it"
        return MouseTarget(f"branch {name}: {left}ends at step {branch.end:,}; {there}", branch=name, step=step)

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        found = self.target(at.x, at.y) if at is not None else None
        if found and found.place is not None:
            self.post_message(self.Sought(found.place[0], found.place[1] if found.edited else None))
        elif found and found.branch:
            self.post_message(self.Switched(found.branch, found.step))

    def on_mouse_scroll_down(self) -> None:
        self.post_message(self.Wheeled(1))

    def on_mouse_scroll_up(self) -> None:
        self.post_message(self.Wheeled(-1))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        at = event.get_content_offset(self)
        found = self.target(at.x, at.y) if at is not None else None
        self._tell(found.text if found else "")

    def on_leave(self) -> None:
        self._tell("")


@palette.themed
def _spark(ahead: bool) -> Style:
    """The style of the losses: what lies ahead of the present step is fainter."""
    on = palette.colours
    return Style(bgcolor=on.back, color=themes.mixed(on.back, on.dim, 0.35 if ahead else 0.6))


def mark_sign(mark: EditMark) -> Cell:
    """The glyph of an edit, by name, and its colour."""
    name, ink = FAMILIES.get(mark.family, FAMILIES["setting"])
    style = palette.named(ink)
    look = LOOKS.get(mark.op)
    if look is not None and look.on_timeline:
        return (look.on_timeline, style)
    return (mark.op if mark.op in SIGNS else name, style)


def _more(count: int) -> str:
    return keyed(f"… {count} more: {{tree}} shows the tree")
