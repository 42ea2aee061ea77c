"""The loss pane: the training curve and evaluations, linear or log10, redrawn at most four times a second."""

from __future__ import annotations

from time import monotonic

from rich.style import Style
from textual.strip import Strip

from tui.render import palette
from tui.render.drawing import Part, both_ends, number
from tui.render.plot import BAND_HEIGHT, fits_log, loss_plot, lowest
from tui.widgets.pane import Pane

INTERVAL = 0.25
LOG10 = "log10 of the training loss"
STAYS_LINEAR = "linear: some losses are <= 0"


class LossPane(Pane):
    """The training curve in dots, with a legend under it."""

    NAME = "loss"

    def __init__(self) -> None:
        super().__init__()
        self.log10 = False
        self._plot: list[Strip] = []
        self._plotted: object = None
        self._at = 0.0
        self._late = False

    def toggle_log(self) -> str:
        """Switch between linear and log10. Returns the message that says which it is now."""
        self.log10 = not self.log10
        self._at = 0.0
        self.redraw()
        curve = self.frame.loss if self.frame else None
        if self.log10 and curve is not None and not fits_log(curve):
            return f"loss stays {STAYS_LINEAR}, down to {number(lowest(curve))}"
        return "loss as log10" if self.log10 else "loss, linear"

    def draw(self, width: int, height: int) -> list[Strip]:
        curve = self.frame.loss if self.frame else None
        if curve is None:
            return self.message(self.waiting, width, height)
        fits = not self.log10 or fits_log(curve)
        self.title((LOG10 if fits else STAYS_LINEAR) if self.log10 else "training loss by step")
        if not len(curve.steps) and not curve.evaluations:
            return self.message("no step yet: s makes one, space runs", width, height)
        if lowest(curve) is None:
            return self.message("no loss is a finite number", width, height)
        wanted = (
            width,
            height,
            self.log10,
            palette.worn,
            curve.step,
            curve.end,
            len(curve.steps),
            sum(len(s) for s, _ in curve.evaluations.values()),
        )
        if wanted != self._plotted:
            self._plot_again(wanted, width, height)
        return [*self._plot, self._legend(width)]

    def _plot_again(self, wanted: tuple[object, ...], width: int, height: int) -> None:
        """Plot now, or a little later if the last plot is too recent; the newest curve is always drawn."""
        wait = self._at + INTERVAL - monotonic()
        if wait > 0 and self._plotted is not None and self._plotted[:2] == wanted[:2]:  # type: ignore[index]
            if not self._late:
                self._late = True
                self.set_timer(wait, self._redraw_late)
            return
        assert self.frame is not None
        assert self.frame.loss is not None
        self._plot = loss_plot(self.frame.loss, width, height - 1, self.log10, self.look)
        self._plotted, self._at = wanted, monotonic()

    def _redraw_late(self) -> None:
        self._late = False
        self.redraw()

    def _legend(self, width: int) -> Strip:
        curve = self.frame.loss if self.frame else None
        assert curve is not None
        parts: list[Part] = [("• mean " if self.look.unicode else "* mean ", palette.TEXT)]
        if self.size.height > BAND_HEIGHT:
            parts.append(("░ min to max " if self.look.unicode else ". min to max ", palette.FAINT))
        for split, (_, losses) in curve.evaluations.items():
            style = _split_style(split)
            parts.append((f"{self.look.glyph('dot')} {split} {number(float(losses[-1]))} ", style))
        right: list[Part] = [("g log10" if not self.log10 else "g linear", palette.FAINT)]
        return both_ends([*parts], [*right], width)


@palette.themed
def _split_style(split: str) -> Style:
    return Style(bgcolor=palette.BACK, color="rgb({},{},{})".format(*palette.SPLITS.get(split, palette.MEAN)))
