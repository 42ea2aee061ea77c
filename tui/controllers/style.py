"""How the lab looks and greets: themes, the tour, and what is wrong in the user's own settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.geometry import Region

from tinynets.errors import nearest
from tinynets.foreign_text import printable, printable_lines
from tui.config import AUTO, Config
from tui.controllers.base import Controller
from tui.controllers.commands import Commands
from tui.render import themes
from tui.screens.lab import LabScreen
from tui.state import StateFile
from tui.widgets.tour import HINTS, TourHint

if TYPE_CHECKING:  # the app starts sooner without it
    from tinynets.lab.command_line import Call

LINES = "header", "tabs", "status", "keys"
"""The lines that no hint is to cover where there is other room."""


class StyleController(Controller):
    """Themes and the tour. `names` lists the themes that there are."""

    def __init__(
        self, ui: LabScreen, commands: Commands, config: Config, state: StateFile, names: Callable[[], list[str]]
    ) -> None:
        super().__init__(ui, commands)
        self._config, self._state, self._names = config, state, names
        self._background = dark_by_environment()
        """Whether the terminal's background is dark."""
        self._chosen = config.theme if config.theme != AUTO else state.memory.theme or AUTO
        commands.on_line("theme", self._theme_line)
        commands.on_line("tour", self._tour_line)
        self._left = 0
        """How many times the present hint's key is still to be pressed."""

    # -- themes

    @property
    def wanted(self) -> str:
        """The theme to wear."""
        known = self._chosen in self._names()
        return self._chosen if known else (themes.DARK if self._background else themes.LIGHT).name

    @property
    def follows(self) -> bool:
        """Whether the theme follows the terminal's background."""
        return self._chosen not in self._names()

    def found_background(self, dark: bool) -> None:
        """Take what the terminal says about its background."""
        self._background = dark
        if self.follows:
            self.ui.app.theme = self.wanted

    def theme(self) -> None:
        """Choose a theme, each of which is shown as it is highlighted."""
        from tui.screens.theme import ThemeScreen  # the app starts sooner without it

        before = self.ui.app.theme

        def answered(name: str | None) -> None:
            if name:
                self._wear(name)
            else:
                self._show(before)

        self.ask(ThemeScreen(self._listed(), before, self._show), answered)

    def _listed(self) -> list[str]:
        """All themes, our own first."""
        ours = [colours.name for colours in themes.OURS]
        return [*ours, AUTO, *sorted(set(self._names()) - set(ours))]

    def _show(self, name: str) -> None:
        self.ui.app.theme = name if name != AUTO else (themes.DARK if self._background else themes.LIGHT).name

    def _wear(self, name: str) -> None:
        """Wear a theme from now on."""
        self._show(name)
        self._chosen = name
        self._state.remember(theme="" if name == AUTO else name)
        self.ui.status.say(self._kept(name))

    def _theme_line(self, call: Call) -> bool:
        wanted = call.args[0] if call.args else ""
        if not wanted:
            self.theme()
        elif wanted in self._listed():
            self._wear(wanted)
        else:
            close = nearest(str(wanted), self._listed())
            self.commands.fail(f"there is no theme `{printable(str(wanted))}`{close}; `theme` lists all")
        return True

    def _tour_line(self, call: Call) -> bool:
        self.tour()
        return True

    def _kept(self, name: str) -> str:
        if self._config.theme == AUTO:
            return f"theme {name}, from now on"
        return f'theme {name} for now: `theme = "{name}"` in {self._config.path} keeps it'

    # -- what is wrong in the settings

    def complain(self) -> None:
        """Say once what was skipped."""
        problems = [*self._config.problems, *filter(None, [self._state.memory.damage])]
        if not problems:
            return
        said = problems[0] if len(problems) == 1 else f"{len(problems)} entries of your settings are skipped"
        self.ui.status.say(f"{said} (tinynets-lab --config shows {'all' if len(problems) > 1 else 'it'})", warning=True)
        self.ui.app.notify(
            printable_lines("\n".join(f"- {problem}" for problem in problems)),
            severity="warning",
            timeout=12,
            markup=False,
        )

    # -- the tour

    @property
    def _hint(self) -> TourHint:
        return self.ui.tour

    def tour(self) -> None:
        """Begin the tour, or begin it anew."""
        self._state.remember(tour=True)
        self._go(0)

    def heard(self, action: str) -> None:
        """An action was carried out: the tour goes on if that is what the hint was about."""
        hint = self._hint.hint
        if hint is None or action not in hint.done_by:
            return
        self._left -= 1
        if self._left <= 0:
            self._go(self._hint.at + 1)

    def takes(self, key: str) -> bool:
        """Whether the tour has taken a key: enter goes on, escape ends it."""
        usable = len(self.ui.app.screen_stack) == 1 and not self.ui.command_line.display and self._hint.display
        if not usable or key not in ("enter", "escape"):
            return False
        self._go(self._hint.at + 1 if key == "enter" else len(HINTS))
        return True

    def _go(self, at: int) -> None:
        if at >= len(HINTS):
            self._hint.at = -1
            self._hint.display = False
            self.ui.status.say("that was the tour; ? has it again" if at == len(HINTS) else "")
            return
        self._hint.at = at
        self._left = HINTS[at].times
        for name in (*HINTS[at].beside, HINTS[at].about):  # the last has the focus, so that the key is its own
            if name in self.ui.panes:
                self.ui.pick_pane(name)
        self.ui.call_after_refresh(self.place)

    def place(self) -> None:
        """Put the hint beside what it is about; again when panes have moved."""
        hint = self._hint.hint
        if hint is None:
            return
        others = [self._region(name) for name in (*hint.beside, *LINES) if name != hint.about]
        self._hint.point(self.ui.size, self._region(hint.about), others, self.ui.header.look)

    def _region(self, name: str) -> Region:
        return self.ui.query_one(f"#{name}").region


def dark_by_environment() -> bool:
    """Whether the background is dark by what some terminals put into the environment; dark if none is told."""
    last = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return not (last.isdigit() and int(last) in (7, 9, 10, 11, 12, 13, 14, 15))
