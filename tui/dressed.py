"""An app in our colours: it wears those of its theme, and draws all its screens anew when that changes."""

from __future__ import annotations

from textual.app import App

from tui.render import palette, themes
from tui.render.palette import Terminal, speaks_unicode
from tui.render.textual_themes import colours_of, textual_theme
from tui.render.themes import Colours


class DressedApp(App[None]):
    """Knows our themes beside Textual's."""

    def __init__(self) -> None:
        super().__init__()
        for colours in themes.OURS:
            self.register_theme(textual_theme(colours))
        self.animation_level = "none"
        self.look = Terminal(colour=not self.no_color, unicode=speaks_unicode())

    def dress(self, name: str) -> None:
        """Wear a theme from the first line on."""
        self.theme = name
        palette.wear(self._colours)

    def theme_names(self) -> list[str]:
        """The themes that there are; those in the terminal's own colours would leave the panes nothing to mix."""
        return [name for name, theme in self.available_themes.items() if not theme.ansi]

    @property
    def _colours(self) -> Colours:
        return colours_of(self.current_theme, few=self.console.color_system == "standard")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.css_variables(self._colours)

    def watch_theme(self, name: str) -> None:
        """Wear the colours of a theme, and draw every screen in them."""
        palette.wear(self._colours)
        self.call_next(self._draw_again)

    def _draw_again(self) -> None:
        for screen in self.screen_stack:
            self.stylesheet.update(screen, animate=False)
            for widget in screen.query("*"):
                widget.refresh()
            screen.refresh()
