"""The neuron pane: how the selected unit comes to its value on the selected example, and where that goes."""

from __future__ import annotations

from rich.style import Style
from textual.strip import Strip

from tinynets.frame import Neuron
from tui import drawing, palette
from tui.drawing import Part, chip, clip, line, number, signed, signed_bar
from tui.widgets.pane import Pane

OPERATIONS = {
    "zero": "zeroed",
    "mean": "mean",
    "clamp": "clamped",
    "scale": "scaled",
    "noise": "noise",
    "patch": "patched",
}


class NeuronPane(Pane):
    """The selected unit in numbers and bars."""

    NUMBER = 5
    NAME = "neuron"

    def draw(self, width: int, height: int) -> list[Strip]:
        neuron = self.frame.neuron if self.frame else None
        if neuron is None:
            return self.message(self.WAITING if self.frame is None else "no unit is selected", width, height)
        self.title(f"{neuron.name} on {self._example()}")
        top = [self._name_line(neuron, width), *self._sum_lines(neuron, width), self._probe_line(neuron, width)]
        return top + self._terms(neuron, width, height - len(top))

    def _example(self) -> str:
        frame = self.frame
        example = frame.view.example if frame else 0
        return frame.examples[example] if frame and example < len(frame.examples) else ""

    def _name_line(self, neuron: Neuron, width: int) -> Strip:
        parts: list[Part] = [(f"{neuron.name}  ", palette.BRIGHT)]
        if neuron.frozen:
            parts += [chip(f"{self.look.glyph('frozen')} frozen", palette.CHIP_QUIET), (" ", palette.TEXT)]
        for operation in neuron.interventions:
            name = OPERATIONS.get(operation.split("(")[0].split(" ")[0], operation)
            parts += [chip(f"{self.look.glyph('zeroed')} {name}", palette.CHIP_WARN), (" ", palette.TEXT)]
        if neuron.dead:
            parts += [chip(f"{self.look.glyph('dead')} dead", palette.CHIP_BAD), (" ", palette.TEXT)]
        if neuron.saturated:
            parts.append(chip("saturated here", palette.CHIP_QUIET))
        if len(parts) == 1:
            parts.append(("z zeroes it, f freezes it", palette.FAINT))
        return line(parts, width)

    def _sum_lines(self, neuron: Neuron, width: int) -> list[Strip]:
        dot, minus = self.look.glyph("sum"), self.look.glyph("minus")
        lines = []
        if neuron.weighted is not None and neuron.pre is not None:
            bias = neuron.bias or 0.0
            parts: list[Part] = [(f"w{dot}x + b = ", palette.DIM), (number(neuron.weighted), palette.TEXT)]
            parts += [
                (f" {'+' if bias >= 0 else minus} {number(abs(bias))} = ", palette.DIM),
                (number(neuron.pre), palette.BRIGHT),
            ]
            lines.append(line(parts, width))
        parts = []
        if neuron.activation and neuron.pre is not None:
            parts += [(f"{neuron.activation}({number(neuron.pre)}) = ", palette.DIM)]
        else:
            parts += [("value = ", palette.DIM)]
        parts += [(signed(neuron.value), palette.sign_ink(neuron.value) + palette.CURSOR.without_color)]
        if abs(neuron.clean - neuron.value) > 1e-9:
            parts += [(f"  (without the intervention {signed(neuron.clean)})", palette.WARN)]
        return [*lines, line(parts, width)]

    def _probe_line(self, neuron: Neuron, width: int) -> Strip:
        saturated = "saturated" if width >= 50 else "sat."
        parts: list[Part] = [
            ("probe: mean " if width >= 50 else "mean ", palette.DIM),
            (signed(neuron.mean), palette.TEXT),
        ]
        parts += [("  std ", palette.DIM), (number(neuron.std), palette.TEXT)]
        parts += [(f"  {saturated} ", palette.DIM), (f"{neuron.saturated_share:.0%}", _alarm(neuron.saturated_share))]
        if neuron.gradient is not None:
            parts += [
                ("  gradient " if width >= 50 else "  grad ", palette.DIM),
                (signed(neuron.gradient), palette.sign_ink(neuron.gradient)),
            ]
        return line(parts, width)

    def _terms(self, neuron: Neuron, width: int, room: int) -> list[Strip]:
        """Incoming and outgoing side by side where it is wide enough, else one after the other."""
        incoming = [
            (t.label, t.product, f"{signed(t.x, 3)} {self.look.glyph('times')} {signed(t.w, 3)}")
            for t in neuron.contributions
        ]
        if incoming and abs(neuron.rest) > 0:
            incoming.append(("the others", neuron.rest, ""))
        outgoing = [(label, weight, "") for label, weight in neuron.outgoing]
        if width >= 56 and incoming and outgoing:
            left_width = (width - 3) * 3 // 5
            left = self._bars("largest terms x·w of the sum", incoming, left_width, room)
            right = self._bars("weights out", outgoing, width - left_width - 3, room)
            return [_beside(a, b, left_width, width) for a, b in _padded(left, right)]
        rooms = self._split(len(incoming), len(outgoing), room)
        lines = self._bars("largest terms x·w of the sum", incoming, width, rooms[0]) if incoming else []
        return lines + (self._bars("weights out", outgoing, width, rooms[1]) if outgoing else [])

    def _split(self, incoming: int, outgoing: int, room: int) -> tuple[int, int]:
        """Lines for each list when they stand one above the other."""
        if not outgoing:
            return room, 0
        lower = min(outgoing + 1, max(room // 3, room - incoming - 1)) if incoming else room
        return room - lower, lower

    def _bars(self, heading: str, rows: list[tuple[str, float, str]], width: int, room: int) -> list[Strip]:
        if room < 2:
            return []
        limit = max((abs(value) for _, value, _ in rows), default=1.0)
        label_width = min(12, max((len(label) for label, _, _ in rows), default=0))
        detail_width = max((len(d) for _, _, d in rows), default=0) if width >= 44 else 0
        bar_width = max(3, width - label_width - 9 - (detail_width + 1 if detail_width else 0))
        lines = [line([(heading, palette.DIM)], width)]
        for label, value, detail in rows[: room - 1]:
            parts: list[Part] = [(clip(label, label_width).ljust(label_width) + " ", palette.TEXT)]
            parts += [
                *signed_bar(value, limit, bar_width, self.look),
                (f"{signed(value, 3):>7} ", palette.sign_ink(value)),
            ]
            lines.append(line([*parts, (detail.rjust(detail_width) if detail_width else "", palette.FAINT)], width))
        return lines


def _alarm(share: float) -> Style:
    return palette.BAD if share > 0.9 else palette.WARN if share > 0.3 else palette.TEXT


def _padded(left: list[Strip], right: list[Strip]) -> list[tuple[Strip | None, Strip | None]]:
    count = max(len(left), len(right))
    return [(left[i] if i < len(left) else None, right[i] if i < len(right) else None) for i in range(count)]


def _beside(left: Strip | None, right: Strip | None, at: int, width: int) -> Strip:
    first = left if left is not None else drawing.blank(at)
    return line([*first, ("   ", palette.TEXT), *(right if right is not None else [])], width)
