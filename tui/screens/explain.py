"""Explains a unit: its sum, its gradient, the last step, what it responds to, what it adds to the outputs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from math import ceil, copysign, floor, log10
from typing import Any, ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.strip import Strip

from tinynets.measure.explanation import Contribution, Explanation, Response
from tui.render import palette
from tui.render.drawing import (
    Part,
    blank,
    chip,
    clip,
    clip_name,
    columns,
    length,
    line,
    number,
    padded,
    signed,
    signed_bar,
    wrapped,
)
from tui.render.pictures import greys, picture
from tui.render.plain_text import plain
from tui.screens.modal import Modal
from tui.widgets.pane import Lines

Ask = Callable[[str, int, str, dict[str, str]], Awaitable[Any]]
"""Explains a unit on an example, over a split; the last says which example it is, if it is none of the probe's."""
TWO_COLUMNS = 96
LABEL = 16
GAP = 4


class ExplainScreen(Modal[None]):
    """Shows as much of the explanation as there is room for; arrows scroll, other examples and units need a new one."""

    DEFAULT_CSS = "ExplainScreen > VerticalScroll { width: 136; height: auto; }"
    BINDINGS: ClassVar = [
        ("escape,enter,q,E", "dismiss(None)", "close"),
        ("comma", "example(-1)", "example before"),
        ("full_stop", "example(1)", "next example"),
        ("h,left", "unit(-1)", "unit before"),
        ("l,right", "unit(1)", "next unit"),
        ("s", "split", "next split"),
        ("j", "scroll(1)", "down"),
        ("k", "scroll(-1)", "up"),
    ]

    def __init__(self, found: Explanation, ask: Ask, splits: Sequence[str] = ()) -> None:
        super().__init__()
        self._found, self._ask, self._splits = found, ask, splits

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box"):
            yield Explained(self._found)

    def on_mount(self) -> None:
        self._show(self._found)

    def _show(self, found: Explanation) -> None:
        self._found = found
        box = self.query_one(VerticalScroll)
        target = f" → {found.target}" if found.target else ""
        title = f"{found.selector} at step {found.step:,} on {found.input}{target}"
        box.border_title = plain(clip(title, self.size.width - 10))
        keys = ", . example   h l unit   s split   arrows scroll   esc closes"
        box.border_subtitle = plain(keys if self.size.width >= 76 else ", . example   h l unit   s split")
        self.query_one(Explained).take(found)

    def action_example(self, by: int) -> None:
        """Go to the example before or after; from an input that was given, to the first of the probe."""
        found = self._found
        example, own = (0, {}) if found.given else (found.example + by, self._own)
        self.run_worker(self._go(found.selector, example, found.split, own), exclusive=True)

    @property
    def _own(self) -> dict[str, str]:
        found = self._found
        return {"input": found.given} if found.given else {"of": found.of} if found.of else {}

    def action_unit(self, by: int) -> None:
        block, _, unit = self._found.name.rstrip("]").rpartition("[")
        time = self._found.selector.removeprefix(self._found.name)
        self.run_worker(
            self._go(f"{block}[{int(unit) + by}]{time}", self._found.example, self._found.split, self._own),
            exclusive=True,
        )

    def action_split(self) -> None:
        """Explain the same unit over the next split."""
        if self._found.split in self._splits:
            split = self._splits[(self._splits.index(self._found.split) + 1) % len(self._splits)]
            self.run_worker(self._go(self._found.selector, self._found.example, split, self._own), exclusive=True)

    async def _go(self, name: str, example: int, split: str, own: dict[str, str]) -> None:
        """Ask for another explanation; if there is none, the one shown stays."""
        if example >= 0 and "[-" not in name:
            found = await self._ask(name, example, split, own)
            if isinstance(found, Explanation) and self.is_current:
                self._show(found)

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


class Explained(Lines):
    """The explanation as lines."""

    DEFAULT_CSS = "Explained { width: 1fr; height: 10; }"

    def __init__(self, found: Explanation) -> None:
        super().__init__()
        self._found = found
        self._made: tuple[int, list[Strip]] | None = None

    def take(self, found: Explanation) -> None:
        self._found, self._made = found, None
        self.redraw()

    def draw(self, width: int, height: int) -> list[Strip]:
        """All lines of the explanation, and make the widget that high."""
        if self._made is None or self._made[0] != width:
            self._made = width, self._all(width)
            self.styles.height = len(self._made[1])
        return self._made[1]

    def _all(self, width: int) -> list[Strip]:
        top = [*self._facts(width), blank(width)]
        if width < TWO_COLUMNS:
            sections = [self._sum(width), self._last_step(width), self._responses(width), self._effects(width)]
            return top + [row for section in sections if section for row in (*section, blank(width))][:-1]
        half = (width - GAP) // 2
        left = _stacked([self._sum(half), self._last_step(half)], half)
        right = _stacked([self._responses(half), self._effects(half)], half)
        rows = max(len(left), len(right))
        pairs = zip(_filled(left, rows, half), _filled(right, rows, half), strict=True)
        return top + [line([*one, (" " * GAP, palette.TEXT), *other], width) for one, other in pairs]

    # -- what it is, and its gradient

    def _facts(self, width: int) -> list[Strip]:
        found = self._found
        chips: list[Part] = []
        if found.frozen:
            chips += [chip(f"{self.look.glyph('frozen')} frozen", palette.CHIP_ICE), (" ", palette.TEXT)]
        for entry in found.interventions:
            chips += [chip(entry, palette.CHIP_DONE), (" ", palette.TEXT)]
        if found.dead:
            chips += [chip(f"{self.look.glyph('dead')} dead", palette.CHIP_BAD), (" ", palette.TEXT)]
        rows = [line([*chips], width)] if chips else []
        rows += [line([(row, palette.BRIGHT)], width) for row in wrapped(found.verdict, width)]
        return [*rows, self._value(width), *self._gradient(width), *self._over(width)]

    def _value(self, width: int) -> Strip:
        found = self._found
        known = found.activation and found.pre is not None
        lead = f"{found.activation}({number(found.pre)}) = " if known else f"{found.measure or 'value'} "
        where: Part = (f"   at {found.place}" if found.place else "", palette.DIM)
        value: Part = (signed(found.value), palette.sign_ink(found.value) + palette.CURSOR.without_color)
        if not found.on_output:
            return line([(lead, palette.DIM), value, where], width)
        then: Part = (f" {self.look.glyph('arrow')} {', '.join(found.on_output)}: ", palette.DONE)
        return line([(lead, palette.DIM), (signed(found.clean), palette.TEXT), then, value, where], width)

    def _gradient(self, width: int) -> list[Strip]:
        """d loss / d value, and which way it pushes the unit: a step goes against it."""
        found = self._found
        if found.gradient is None:
            return []
        step = "" if found.time is None else "by its output at that step "
        parts: list[Part] = [(f"gradient of this loss {step}", palette.DIM), _small(found.gradient)]
        direction = "" if not found.gradient else "less of it" if found.gradient > 0 else "more of it"
        words = f"{direction} would lower the loss" if direction else ""
        if found.gradient_pre is not None:
            parts += [("   before the activation ", palette.DIM), _small(found.gradient_pre)]
            if direction and not found.gradient_pre:
                words = f"nothing of it passes {'what stands here' if found.on_output else 'the activation here'}"
        more: Part = (f"   {words}", palette.DIM)
        return [line([*parts, more] if length([*parts, more]) <= width else parts, width)]

    def _over(self, width: int) -> list[Strip]:
        found = self._found
        standing, itself = (
            ("with what stands on it ", f"{found.activation} itself ") if found.interventions else ("", "")
        )
        step = "" if found.time is None else f" at t={found.time}"
        parts: list[Part] = [
            (f"over {found.examples:,} of {found.split}{step}: {standing}mean ", palette.DIM),
            (signed(found.mean), palette.TEXT),
            ("  variance ", palette.DIM),
            (number(found.variance), palette.TEXT),
        ]
        if found.saturated_share is None or found.dead_share is None:
            return [line(parts, width)]
        more: list[Part] = [
            (f"  {itself}saturated ", palette.DIM),
            (f"{found.saturated_share:.0%}", palette.WARN if found.saturated_share > 0.3 else palette.TEXT),
            ("  no gradient ", palette.DIM),
            (f"{found.dead_share:.0%}", palette.BAD if found.dead_share > 0.9 else palette.TEXT),
        ]
        return (
            [line([*parts, *more], width)]
            if length([*parts, *more]) <= width
            else [line(parts, width), line(more, width)]
        )

    # -- its sum

    def _sum(self, width: int) -> list[Strip]:
        """Its terms as bars, or those of its gates, and their sum."""
        found = self._found
        made: list[Strip] = []
        for gate in found.gates:
            rows = self._terms(gate.contributions, gate.rest, gate.bias)
            end = _total(rows, gate.z, f"  {gate.activation} ", gate.value, width)
            made += [_heading(f"Gate {gate.name}", width), *self._bars(rows, width), end]
        if not found.contributions:
            return made
        rows = self._terms(found.contributions, found.rest, found.bias)
        made = [_heading("The sum: what comes in, times its weight", width), *self._bars(rows, width)]
        return [*made, _total(rows, found.z, "  normalized ", found.normalized, width)] if found.z is not None else made

    def _terms(self, terms: Sequence[Contribution], rest: float, bias: float | None) -> list[tuple[str, float, str]]:
        times = self.look.glyph("times")
        rows = [(t.label, t.product, f"{signed(t.x, 3)} {times} {signed(t.w, 3)}") for t in terms]
        if rest:
            rows.append(("the others", rest, ""))
        return rows if bias is None else [*rows, ("bias", bias, "")]

    def _last_step(self, width: int) -> list[Strip]:
        found = self._found
        if not found.changes:
            return []
        ratio = "" if found.change_ratio is None else f": {found.change_ratio:.2g} of their length"
        rows = [(entry.label, entry.change, f"now {signed(entry.weight, 3)}") for entry in found.changes]
        if found.bias_change is not None:
            rows.append(("bias", found.bias_change, ""))
        if not any(change for _, change, _ in rows):
            return [_heading("The last step changed nothing of its weights", width)]
        return [_heading(f"What the last step did to its weights{ratio}", width), *self._bars(rows, width)]

    # -- what it does

    def _responses(self, width: int) -> list[Strip]:
        found = self._found
        if not found.responses:
            return []
        if not found.variance:
            return [_heading(f"It gives {signed(found.mean, 3)} on every example of {found.split}", width)]
        words = "The nearest (smallest distance)" if found.nearest else "What it responds to most"
        words = f"{words} in {found.split}"
        if found.responses[0].image is not None:
            return [_heading(words, width), *self._pictures(found.responses, width)]
        arrow = self.look.glyph("arrow")
        rows = [
            (
                f"{entry.text} {arrow} {entry.target}" if entry.target else entry.text,
                entry.value,
                f"{entry.count:,} times" if entry.count > 1 else f"{entry.index:,}",
            )
            for entry in found.responses
        ]
        start, scale = _start([value for _, value, _ in rows])
        whole = f"{words}: {scale}" if scale else words
        headings = [whole] if columns(whole) <= width else [words, scale]
        return [*(_heading(text, width) for text in headings), *self._bars(rows, width, 24, start)]

    def _pictures(self, responses: Sequence[Response], width: int) -> list[Strip]:
        """Small pictures side by side, as many as there is room for, with value and class under each."""
        shown = [(entry, picture(greys(entry.image), 0, self.look)) for entry in responses if entry.image is not None]
        wide = max(9, len(shown[0][1][0])) + 2
        made: list[Strip] = []
        for start in range(0, len(shown), max(1, width // wide)):
            some = shown[start : start + max(1, width // wide)]
            tall = len(some[0][1])
            for y in range(tall):
                made.append(line([part for _, rows in some for part in _padded(rows[y], wide)], width))
            made.append(
                line(
                    [(padded(f"{entry.target} {signed(entry.value, 3)}", wide), palette.TEXT) for entry, _ in some],
                    width,
                )
            )
        return made

    def _effects(self, width: int) -> list[Strip]:
        if not self._found.effects:
            return []
        if not any(entry.value for entry in self._found.effects):
            return [_heading("It adds nothing to the outputs", width)]
        rows = [(entry.label, entry.value, "") for entry in self._found.effects]
        return [_heading("What it adds to the outputs", width), *self._bars(rows, width)]

    def _bars(
        self, rows: list[tuple[str, float, str]], width: int, label: int = LABEL, start: float = 0.0
    ) -> list[Strip]:
        """A bar for each of them, from `start` to its value."""
        limit = max((abs(value - start) for _, value, _ in rows), default=1.0)
        name = min(label, max(columns(row[0]) for row in rows))
        detail = max(len(row[2]) for row in rows) if width >= 50 else 0
        bar = max(5, min(31, width - name - 11 - (detail + 1 if detail else 0)))
        made, told = [], f".{_decimals(limit)}f" if start else _digits(limit)
        for text, value, more in rows:
            shown = clip_name(text, name) if "[" in text else clip(text, name)
            parts: list[Part] = [
                (f"{padded(shown, name)} ", palette.TEXT),
                *signed_bar(value - start, limit, bar, self.look),
            ]
            parts += [(f"{value + 0.0:>+9{told}} ", palette.sign_ink(value)), (more if detail else "", palette.FAINT)]
            made.append(line(parts, width))
        return made


def _total(rows: list[tuple[str, float, str]], z: float, then: str, value: float | None, width: int) -> Strip:
    """The sum of the rows, and what the activation makes of it."""
    label = "together".ljust(min(LABEL, max(columns(row[0]) for row in rows)))
    parts: list[Part] = [(f"{label} ", palette.BRIGHT), (f"= {signed(z)}", _ink(z))]
    return line(parts if value is None else [*parts, (then, palette.DIM), (signed(value), _ink(value))], width)


def _ink(value: float) -> Any:
    return palette.sign_ink(value) + palette.CURSOR.without_color


def _start(values: list[float]) -> tuple[float, str]:
    """Where bars begin, and what is to be said of it: at 0, or close below values that would else look alike."""
    low, high = sorted((min(map(abs, values)), max(map(abs, values))))
    spread = high - low
    if min(values) == max(values):
        return 0.0, f"all {signed(values[0])}" if len(values) > 1 else ""
    if min(values) < 0 < max(values) or not 1e-6 * high < spread < high / 10:
        return 0.0, ""
    step = 10.0 ** floor(log10(spread))
    start = copysign((ceil(low / step - 0.5) - 1) * step, values[0])
    return start, f"bars from {start:+.{_decimals(spread)}f}"


def _decimals(spread: float) -> int:
    """How many of them tell numbers apart that lie so close."""
    return min(6, max(0, 1 - floor(log10(spread))))


def _digits(limit: float) -> str:
    """The format of the numbers in a list whose largest is `limit`: all with the same number of decimals."""
    if not 1e-3 <= limit < 1e5:
        return ".2e" if limit else ".3f"
    return f".{max(0, 3 - max(-1, floor(log10(limit))))}f"


def _small(value: float) -> Part:
    """A number of any size, in two digits."""
    return (f"{value + 0.0:+.2g}", _ink(value))  # + 0.0: no negative zero


def _heading(text: str, width: int) -> Strip:
    return line([(clip(text, width), palette.BRIGHT)], width)


def _stacked(sections: list[list[Strip]], width: int) -> list[Strip]:
    return [row for section in sections if section for row in (*section, blank(width))][:-1]


def _filled(rows: list[Strip], count: int, width: int) -> list[Strip]:
    return rows + [blank(width)] * (count - len(rows))


def _padded(row: list[Segment], width: int) -> list[Part | Segment]:
    return [*row, (" " * (width - length(row)), palette.TEXT)]
