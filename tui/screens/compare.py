"""Compares two runs at a step that can be moved, and shows a unit in both of them side by side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Region

from tinynets.measure.comparison import Comparison
from tui.render.plain_text import plain
from tui.screens.modal import Modal
from tui.widgets.compared import Compared

At = Callable[[int], Awaitable[tuple[Comparison, str] | None]]
"""Compares the same two at another step, and says the line of Python that does; None if that failed."""


class CompareScreen(Modal[None]):
    """Shows the comparison at a step, which can be moved, and one unit in both.

    `at` compares at another step; `lens` shows the difference to the second run in the panes.
    """

    DEFAULT_CSS = "CompareScreen > VerticalScroll { width: 132; height: auto; }"
    BINDINGS: ClassVar = [
        ("escape,enter,q,c", "dismiss(None)", "close"),
        ("left_square_bracket", "scrub(-1)", "earlier"),
        ("right_square_bracket", "scrub(1)", "later"),
        ("left_curly_bracket", "scrub(-10)", "earlier"),
        ("right_curly_bracket", "scrub(10)", "later"),
        ("left,h", "unit(-1)", "unit"),
        ("right,l", "unit(1)", "unit"),
        ("up,k", "block(-1)", "block"),
        ("down,j", "block(1)", "block"),
        ("v", "lens", "lens"),
    ]

    def __init__(
        self, found: Comparison, python: str, at: At | None = None, lens: Callable[[str], None] | None = None
    ) -> None:
        super().__init__()
        self._found, self._python = found, python
        self._at, self._lens = at, lens
        self._wanted = found.step
        self._asking = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box", can_focus=False):
            keys = "[ ] { } move the step   arrows the unit" if self._at else "arrows move over units"
            yield Compared(self._found, f"{keys}{'   v shows it through the lens' if self._lens else ''}")

    def on_mount(self) -> None:
        self._call_it()

    def _call_it(self) -> None:
        found, box = self._found, self.query_one(VerticalScroll)
        box.border_title = plain(f"{found.a.name} and {found.b.name} at step {found.step:,}")
        box.border_subtitle = plain(f"{self._python}   esc closes")

    @property
    def compared(self) -> Compared:
        return self.query_one(Compared)

    def action_scrub(self, by: int) -> None:
        """Move the step at which both are compared; what is shown of it follows as soon as it is computed."""
        if self._at is None:
            return
        self._wanted = self.compared.scrubbed(self._wanted, by)
        self.compared.scrub(self._wanted)
        if not self._asking:
            self._asking = True
            self.run_worker(self._follow(), exit_on_error=False)

    async def _follow(self) -> None:
        """Compare at the wanted step, until that is the one compared."""
        try:
            while self._at is not None and self._wanted != self._found.step and not self._answered:
                step = self._wanted
                answer = await self._at(step)
                if answer is None:
                    self._wanted = self._found.step
                    self.compared.scrub(self._wanted)
                    return
                self._found, self._python = answer
                self.compared.take(self._found, self._wanted)
                self._call_it()
        finally:
            self._asking = False

    def action_unit(self, by: int) -> None:
        self._move(unit=by)

    def action_block(self, by: int) -> None:
        self._move(block=by)

    def _move(self, **by: int) -> None:
        first, last = self.compared.move(**by)
        self.query_one(VerticalScroll).scroll_to_region(Region(0, first, 1, max(1, last - first)))

    def action_lens(self) -> None:
        """Close, and show in the panes how the current run differs from the other."""
        if self._lens is not None:
            self._lens(self._found.b.name)
            self.dismiss(None)

    def key_pagedown(self) -> None:
        self.query_one(VerticalScroll).scroll_page_down()

    def key_pageup(self) -> None:
        self.query_one(VerticalScroll).scroll_page_up()

    def key_home(self) -> None:
        self.query_one(VerticalScroll).scroll_home()

    def key_end(self) -> None:
        self.query_one(VerticalScroll).scroll_end()
