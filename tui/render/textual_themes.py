"""Our colours as themes of Textual, and Textual's themes as our colours."""

from __future__ import annotations

from textual.theme import Theme

from tui.render import themes
from tui.render.themes import Colours


def textual_theme(on: Colours) -> Theme:
    """Our colours, for Textual's own widgets."""
    return Theme(
        name=on.name,
        dark=on.dark,
        primary=on.accent,
        secondary=on.positive,
        accent=on.accent,
        warning=on.warn,
        error=on.bad,
        success=on.good,
        foreground=on.text,
        background=on.back,
        surface=on.back,
        panel=on.raised,
    )


def colours_of(theme: Theme, few: bool = False) -> Colours:
    """What to draw in under a theme, perhaps on a terminal with few colours, of which there are 16."""
    if few:
        return themes.FEW[theme.dark]
    ours = {colours.name: colours for colours in themes.OURS}
    return ours.get(theme.name) or themes.derived(theme.name, theme.dark, theme.to_color_system().generate())
