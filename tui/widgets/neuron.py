"""The neuron pane: how the selected unit gets its value on the selected example, and where that value goes."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import Floats, Neuron
from tui.render import drawing, palette
from tui.render.drawing import (
    Part,
    centred,
    chip,
    clip,
    clip_name,
    columns,
    length,
    line,
    number,
    padded,
    padded_left,
    places,
    signed,
    signed_bar,
    wrapped,
)
from tui.render.marks import SIGNS, sign_of
from tui.render.palette import Terminal
from tui.render.pictures import extent, fitting, mapped, picture
from tui.widgets.pane import Pane
from tui.widgets.portrait import WIDEST, beside, portrait, portrait_side, scattered

BESIDE = 56
"""From this width on, the unit's picture stands beside its numbers."""
STATES = {
    "held": "DONE",
    "dead": "BAD",
    "broken": "BAD",
    "frozen": "ICE",
    "saturated": "WARN",
    "constant": "WARN",
    "healthy": "GOOD",
}
"""State of a unit -> the style of the word for it, as the palette names it."""
NUMBERS = 35
"""The width of the numbers of a unit in a narrow pane, with the gap behind them."""
FIRST_WORDS = re.compile(r"the same|\S+")
"""What a verdict begins with: the words that are coloured."""
WHEN_DEAD = "^u: back to when it was not"


class NeuronPane(Pane):
    """The selected unit in numbers and bars."""

    NAME = "neuron"

    def draw(self, width: int, height: int) -> list[Strip]:
        neuron = self.frame.neuron if self.frame else None
        if neuron is None:
            return self.message(self._why_nothing(), width, height)
        self.title(f"{neuron.name} on {self._example()}")
        top = [self._name_line(neuron, width), *_verdict_lines(neuron, width, 3 if height >= 10 else 1)]
        top += self._standing_lines(neuron, width, max(1, height // 4))
        room = height - len(top)
        shown, below = self._picture(neuron, width, room)
        wide = shown[0].cell_length + 2 if shown else 0
        body = self._body(neuron, width - wide, room - len(below))
        if shown and neuron.picture is not None and neuron.picture.kind == "kernel":
            return top + self._above_map(neuron, shown, width, room)
        if below:
            body += [drawing.blank(width)] * (room - len(below) - len(body))
        return top + beside(body, shown, width, room) + below

    def _above_map(self, neuron: Neuron, kernel: list[Strip], width: int, room: int) -> list[Strip]:
        """A channel: its kernel beside its numbers, and below both the map that it makes of the image."""
        head = beside(self._numbers(neuron, width - kernel[0].cell_length - 2), kernel, width, len(kernel))
        return head + self._details(neuron, width, room - len(head))

    def _numbers(self, neuron: Neuron, width: int) -> list[Strip]:
        return [*self._sum_lines(neuron, width), self._probe_line(neuron, width), *self._batch_line(neuron, width)]

    def _body(self, neuron: Neuron, width: int, room: int) -> list[Strip]:
        """The sum, the numbers of the probe, and what comes in and goes out."""
        lines = self._numbers(neuron, width)
        if neuron.places is not None and neuron.places.ndim == 1:
            lines.append(self._place_line(neuron, neuron.places, width))
        return (lines + self._details(neuron, width, room - len(lines)))[: max(0, room)]

    def _picture(self, neuron: Neuron, width: int, room: int) -> tuple[list[Strip], list[Strip]]:
        """The unit's picture: beside the numbers in a wide pane, below them in a tall one."""
        if neuron.scatter is not None and self.frame is not None:
            return [], scattered(neuron.scatter, self._example(), width, max(0, room - 4), self.look)
        if neuron.picture is None:
            return [], []
        kernel = neuron.picture.kind == "kernel"
        if width >= BESIDE:
            tall = min(room, max(6, room // 2)) if kernel else room
            return portrait(neuron.picture, int(width * WIDEST), tall, self.look), []
        if kernel:
            return portrait(neuron.picture, width - NUMBERS, min(room, 4), self.look), []
        return [], portrait(neuron.picture, width, min(room // 2, width // 2 + 1), self.look)

    def portrait(self) -> int:
        """How many points wide the picture of a unit is here."""
        width, height = self._inner()
        room = (int(width * WIDEST), height - 4) if width >= BESIDE else (width, min((height - 3) // 2, width // 2))
        return portrait_side(room[0], room[1] - 1, self.look.half_blocks)

    def _why_nothing(self) -> str:
        """Why there is no unit to show; the title goes with it."""
        frame = self.frame
        block = next((entry for entry in frame.blocks if entry.name == frame.view.block), None) if frame else None
        self.title(f"{self.selection.selector}" if block is not None and block.units else "")
        if frame is None:
            return self.waiting
        if frame.of_batch and block is not None and block.units:
            if frame.status.phase_block == block.name:
                return f"not yet: the value of {block.name} comes with {frame.status.next_phase}"
            return f"not yet: forward has not reached {block.name}"
        return "no unit is selected"

    def _example(self) -> str:
        frame = self.frame
        example = frame.example if frame else 0
        return frame.examples[example] if frame and example < len(frame.examples) else ""

    def _name_line(self, neuron: Neuron, width: int) -> Strip:
        parts: list[Part] = [(f"{neuron.name}  ", palette.BRIGHT)]
        if neuron.frozen:
            sign = SIGNS["frozen" if neuron.frozen == 1 else "partly"]
            share = "" if neuron.frozen == 1 else f" {neuron.frozen:.0%}"
            parts += [chip(f"{sign.glyph(self.look)} frozen{share}", palette.CHIP_ICE), (" ", palette.TEXT)]
        if neuron.rate != 1:
            parts += [chip(f"{self.look.glyph('rate')} rate x {neuron.rate:g}", palette.CHIP_ICE), (" ", palette.TEXT)]
        if neuron.dead:
            parts += [chip(f"{self.look.glyph('dead')} dead", palette.CHIP_BAD), (" ", palette.TEXT)]
        if neuron.saturated:
            parts += [chip("saturated here", palette.CHIP_QUIET), (" ", palette.TEXT)]
        plain = len(parts) == 1 and not neuron.interventions
        hint = WHEN_DEAD if neuron.dead else "a: what can be done to it   E explains it" if plain else ""
        if length(parts) + len(hint) < width:
            parts.append((hint, palette.FAINT))
        return line(parts, width)

    def _standing_lines(self, neuron: Neuron, width: int, room: int) -> list[Strip]:
        """The unit's interventions in order: in one line if there is room, else one below another."""
        chips = [chip(f"{sign_of(one.op).glyph(self.look)} {one}", palette.CHIP_DONE) for one in neuron.interventions]
        arrow: Part = (f" {self.look.glyph('arrow')} ", palette.DIM)
        row = [part for one in chips for part in (arrow, one)][1:]
        if not chips or length(row) <= width or room < 2:
            return [line(row, width)] if chips else []
        shown = chips if len(chips) <= room else chips[: room - 1]
        lines = [line([one], width) for one in shown]
        return lines + (
            [line([(f"and {len(chips) - len(shown)} more", palette.DONE)], width)] if shown != chips else []
        )

    def _sum_lines(self, neuron: Neuron, width: int) -> list[Strip]:
        dot, minus = self.look.glyph("sum"), self.look.glyph("minus")
        lines = []
        if neuron.weighted is not None and neuron.pre is not None:
            bias = neuron.bias or 0.0
            parts: list[Part] = [(f"w{dot}x + b = ", palette.DIM), (number(neuron.weighted), palette.TEXT)]
            parts += [
                (f" {'+' if bias >= 0 else minus} ", palette.DIM),
                (number(abs(bias)), palette.CURSOR if self._on_bias(neuron) else palette.DIM),
                (f"{self.look.glyph('left')} bias = " if self._on_bias(neuron) else " = ", palette.DIM),
                (number(neuron.pre), palette.BRIGHT),
            ]
            lines.append(line(parts, width))
        return [*lines, self._value_line(neuron, width)]

    def _on_bias(self, neuron: Neuron) -> bool:
        """Whether the cursor is on the bias, and this pane has the keys."""
        rows = sum(part.rows for part in neuron.parts)
        return bool(self.has_focus and neuron.biases and rows and self.selection.row >= rows)

    def _value_line(self, neuron: Neuron, width: int) -> Strip:
        """The activation's value, and what an intervention makes of it."""
        known = neuron.activation and neuron.pre is not None
        lead: Part = (f"{neuron.activation}({number(neuron.pre)}) = " if known else "value = ", palette.DIM)
        where: Part = (self._where(neuron), palette.DIM)
        ink = palette.sign_ink(neuron.value) + palette.CURSOR.without_color
        if abs(neuron.clean - neuron.value) <= 1e-9:
            return line([lead, (signed(neuron.value), ink), where], width)
        value: Part = (number(neuron.value), ink)
        clean: Part = (number(neuron.clean), palette.TEXT)
        here = [one for one in neuron.interventions if one.time in (None, neuron.position)]
        sites = {one.before for one in here}
        if sites == {False} and len(here) == len(neuron.interventions):
            done = ", ".join(one.op for one in here)
            changed: list[Part] = [(f" {self.look.glyph('arrow')} {done}: ", palette.DONE), value]
            choices = [[lead, clean, where, *changed], [lead, clean, *changed], [clean, *changed]]
        else:
            lead = lead if len(sites) < 2 else ("value = ", palette.DIM)
            without: list[Part] = [("  without: ", palette.DONE), clean]
            choices = [[lead, value, where, *without], [lead, value, *without], [value, *without]]
            if not here:
                times = sorted({one.time for one in neuron.interventions if one.time is not None})
                earlier = f"  without what stands at t={', '.join(map(str, times))}: "
                choices.insert(0, [lead, value, where, (earlier, palette.DONE), clean])
        return line(next((parts for parts in choices if length(parts) <= width), choices[-1]), width)

    def _probe_line(self, neuron: Neuron, width: int) -> Strip:
        saturated = "saturated" if width >= 50 else "sat."
        parts: list[Part] = [
            ("probe: mean " if width >= 50 else "mean ", palette.DIM),
            (signed(neuron.mean), palette.TEXT),
        ]
        parts += [("  std ", palette.DIM), (number(neuron.std), palette.TEXT)]
        if neuron.saturated_share is not None:
            share: Part = (f"{neuron.saturated_share:.0%}", _alarm(neuron.saturated_share))
            parts += [(f"  {saturated} ", palette.DIM), share]
        return line(parts, width)

    def _batch_line(self, neuron: Neuron, width: int) -> list[Strip]:
        """The unit on the training batch of an unfinished step, as far as that has got."""
        if neuron.batch_mean is None:
            return []
        parts: list[Part] = [("batch: mean ", palette.DIM), (signed(neuron.batch_mean), palette.TEXT)]
        if neuron.gradient is not None:
            parts += [
                ("  gradient " if width >= 50 else "  grad ", palette.DIM),
                (signed(neuron.gradient), palette.sign_ink(neuron.gradient)),
            ]
        if neuron.gradient_here is not None:
            here: list[Part] = [
                ("  here ", palette.DIM),
                (signed(neuron.gradient_here), palette.sign_ink(neuron.gradient_here)),
            ]
            parts += here if length([*parts, *here]) <= width else []
        return [line(parts, width)]

    def _where(self, neuron: Neuron) -> str:
        """The position of the value, if there are several."""
        if neuron.places is None:
            return ""
        if neuron.places.ndim == 2:
            row, column = divmod(neuron.position, neuron.places.shape[1])
            return f" at pixel {row},{column}"
        name = places(self._example(), len(neuron.places))[neuron.position]
        position = f"t={neuron.position}" if self._timed(neuron) else f"position {neuron.position}"
        return f" at {position}" + ("" if name == str(neuron.position) else f" ({name})")

    def _timed(self, neuron: Neuron) -> bool:
        """Whether positions are time steps, named like `@t=3`."""
        return any(block.name == neuron.block and block.timed for block in self.frame.blocks) if self.frame else False

    def _place_line(self, neuron: Neuron, values: Floats, width: int) -> Strip:
        """The unit at every position, as coloured labels; only the last ones if there are too many."""
        names = places(self._example(), len(values))
        lead = "by position " if width >= 50 else ""
        cell = max(1, min(7, (width - len(lead)) // len(values)))
        shown = min(len(values), (width - len(lead)) // cell)
        levels = palette.levels(values, self._limit(neuron, values)).tolist()
        if self._timed(neuron) and cell >= 4 and names[0] != "0":
            names = tuple(f"{time} {name}" for time, name in enumerate(names))
        parts: list[Part | Segment] = [(lead, palette.DIM)]
        for name, level in list(zip(names, levels, strict=True))[-shown:]:
            text = centred(name, cell)
            parts.append(palette.cell(level, text) if self.look.colour else Segment(text, palette.TEXT))
        return line(parts, width)

    def _limit(self, neuron: Neuron, values: Floats) -> float:
        """The value that has full colour: the same as in the network pane if that is visible."""
        cells = next((c for c in self.frame.network or () if c.name == neuron.block), None) if self.frame else None
        valued = self.frame is not None and self.frame.lens.name == "value"
        return cells.limit if cells and valued else float(np.nanmax(np.abs(values))) or 1.0

    def _details(self, neuron: Neuron, width: int, room: int) -> list[Strip]:
        """What the unit sums and where it goes, what a head attends to, or what a channel responds to."""
        if neuron.pattern is not None:
            return self._pattern(neuron.pattern, width, room)
        if neuron.places is None or neuron.places.ndim == 1 or room < 4:
            return self._terms(neuron, width, room)
        channel = self._channel(neuron, neuron.places, min(width // 2, max(11, width - 27)), room)
        wide = channel[0].cell_length
        if width - wide < 24:
            terms = self._terms(neuron, width, room - len(channel))
            return terms + [line([*strip], width) for strip in channel]
        terms = self._terms(replace(neuron, outgoing=()), width - wide - 3, room)
        outgoing = [(*out, "") for out in neuron.outgoing]
        below = self._bars("weights out", outgoing, wide, room - len(channel)) if outgoing and wide >= 20 else []
        return [_beside(a, b, width - wide - 3, width) for a, b in _padded(terms, channel + below)]

    def _channel(self, neuron: Neuron, values: Floats, width: int, room: int) -> list[Strip]:
        """The unit at every pixel, with the pixel of its value marked."""
        shape = values.shape[0], values.shape[1]
        size = fitting(shape, width, room - 1)
        at = divmod(neuron.position, shape[1])
        rows = picture(mapped(values, self._limit(neuron, values)), size, self.look, {at: self.look.glyph("here")})
        wide = max(26 if width >= 25 else len("the channel"), extent(shape, size, self.look)[1])
        return [line([("the channel", palette.DIM)], wide), *(line(row, wide) for row in rows)][:room]

    def _pattern(self, pattern: Floats, width: int, room: int) -> list[Strip]:
        """How much each position (row) attends to each other (column), in shares; only the end of a long one."""
        names = places(self._example(), len(pattern))
        label = max(map(columns, names)) + 1
        cell = max(1, min(7, (width - label) // len(pattern)))
        first, top_row = max(0, len(pattern) - (width - label) // cell), max(0, len(pattern) - max(1, room - 2))
        arrow = self.look.glyph("arrow")
        nothing = len(pattern) > 2 and len(set(names[:-1])) == 1
        words = f"where each position looks: row {arrow} column, shares of 100"
        heading: list[Part] = [(words if len(words) <= width else "row looks at column, shares of 100", palette.DIM)]
        if nothing:
            heading = [("nothing to look at but padding: , and . show others"[:width], palette.WARN)]
        top: list[Part] = [(" " * label, palette.DIM)]
        top += [(centred(name, cell), palette.TEXT) for name in names[first:]]
        lines = [line(heading, width), line(top, width)]
        for at in range(max(first, top_row), len(pattern)):
            cells = [_share(float(pattern[at, to]), cell, to <= at, self.look) for to in range(first, len(pattern))]
            lines.append(line([(padded_left(names[at], label - 1) + " ", palette.TEXT), *cells], width))
        return lines[:room]

    def _terms(self, neuron: Neuron, width: int, room: int) -> list[Strip]:
        """Incoming terms and outgoing weights: side by side if the pane is wide enough, else one above the other."""
        row = self.selection.row if self.has_focus else -2
        incoming = [
            (
                f"{self.look.glyph('right')}{t.label}" if t.row == row else t.label,
                t.product,
                f"{signed(t.x, 3)} {self.look.glyph('times')} {signed(t.w, 3)}",
            )
            for t in neuron.contributions
        ]
        if incoming and abs(neuron.rest) > 0:
            incoming.append(("the others", neuron.rest, ""))
        outgoing = [(label, weight, "") for label, weight in neuron.outgoing]
        if width >= 56 and incoming and outgoing:
            left_width = (width - 3) * 3 // 5
            left = self._bars("largest terms x·w of the sum", _within(incoming, room - 1), left_width, room)
            right = self._bars("weights out", outgoing, width - left_width - 3, room)
            return [_beside(a, b, left_width, width) for a, b in _padded(left, right)]
        if not outgoing:
            incoming = _within(incoming, room - 1)
        rooms = _split(len(incoming), len(outgoing), room)
        lines = self._bars("largest terms x·w of the sum", incoming, width, rooms[0]) if incoming else []
        return lines + (self._bars("weights out", outgoing, width, rooms[1]) if outgoing else [])

    def moved(self, right: int, down: int) -> Pane.Chosen | None:
        """Up and down walk the terms, the largest first, and the bias after them; left and right go to other units."""
        neuron = self.frame.neuron if self.frame else None
        if neuron is None or not down or not neuron.contributions:
            return None
        rows = [term.row for term in neuron.contributions]
        if neuron.biases:
            rows.append(sum(part.rows for part in neuron.parts))
        if self.selection.row not in rows:
            return self.Chosen(row=rows[0])
        return self.Chosen(row=rows[max(0, min(len(rows) - 1, rows.index(self.selection.row) + down))])

    def _bars(self, heading: str, rows: list[tuple[str, float, str]], width: int, room: int) -> list[Strip]:
        if room < 2:
            return []
        limit = max((abs(value) for _, value, _ in rows), default=1.0)
        heading = heading if len(heading) <= width else heading.removesuffix(" of the sum")
        label_width = min(14 if width >= 26 else 12, max((columns(label) for label, _, _ in rows), default=0))
        detail_width = max((len(d) for _, _, d in rows), default=0) if width >= 44 else 0
        bar_width = max(3, width - label_width - 9 - (detail_width + 1 if detail_width else 0))
        lines = [line([(heading, palette.DIM)], width)]
        for label, value, detail in rows[: room - 1]:
            parts: list[Part] = [(padded(clip_name(label, label_width), label_width) + " ", palette.TEXT)]
            parts += [
                *signed_bar(value, limit, bar_width, self.look),
                (f"{signed(value, 3):>7} ", palette.sign_ink(value)),
            ]
            lines.append(line([*parts, (detail.rjust(detail_width) if detail_width else "", palette.FAINT)], width))
        return lines


def _share(share: float, cell: int, possible: bool, look: Terminal) -> Segment:
    if not possible:
        return Segment(" " * cell, palette.GROUND)
    text = (f"{100 * share:.0f}" if cell >= 3 else "").center(cell)
    level = palette.MIDDLE + round(share * palette.MIDDLE) if np.isfinite(share) else palette.MIDDLE
    if not look.colour:
        return Segment(text if cell >= 3 else palette.sign_glyph(level, cell), palette.TEXT)
    return palette.cell(level, text)


def _split(incoming: int, outgoing: int, room: int) -> tuple[int, int]:
    """The lines of each list when one is above the other."""
    if not outgoing:
        return room, 0
    lower = min(outgoing + 1, max(room // 3, room - incoming - 1)) if incoming else room
    return room - lower, lower


def _verdict_lines(neuron: Neuron, width: int, most: int) -> list[Strip]:
    """What is the matter with the unit: its first words in the colour of its state."""
    rows = wrapped(neuron.verdict, width)
    if len(rows) > most:
        rows = [*rows[: most - 1], clip(" ".join(rows[most - 1 :]), width)]
    state = FIRST_WORDS.match(rows[0] if rows else "")
    word = state.group() if state else ""
    style = palette.named(STATES.get(neuron.state, "TEXT"))
    first = [line([(word, style), (rows[0][len(word) :], palette.TEXT)], width)] if rows else []
    return first + [line([(row, palette.TEXT)], width) for row in rows[1:]]


def _within(rows: list[tuple[str, float, str]], most: int) -> list[tuple[str, float, str]]:
    """The first of the terms; the last row of these is what the others come to where there are too many."""
    if len(rows) <= most or most < 1:
        return rows
    return [*rows[: most - 1], ("the others", sum(product for _, product, _ in rows[most - 1 :]), "")]


def _alarm(share: float) -> Style:
    return palette.BAD if share > 0.9 else palette.WARN if share > 0.3 else palette.TEXT


def _padded(left: list[Strip], right: list[Strip]) -> list[tuple[Strip | None, Strip | None]]:
    count = max(len(left), len(right))
    return [(left[i] if i < len(left) else None, right[i] if i < len(right) else None) for i in range(count)]


def _beside(left: Strip | None, right: Strip | None, at: int, width: int) -> Strip:
    first = left if left is not None else drawing.blank(at)
    return line([*first, ("   ", palette.TEXT), *(right if right is not None else [])], width)
