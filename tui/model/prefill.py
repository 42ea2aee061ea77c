"""What the command line fills in by itself: the selected unit where none is named, and today's value of a setting.

Plain functions of a frame and the selection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinynets.server.frame import Frame
from tui.model.operations import FITTING, CommandDraft, line_for
from tui.model.selection import Selection

if TYPE_CHECKING:  # the app starts sooner without it
    from tinynets.lab.verb import Verb


def completed(text: str, frame: Frame | None, selection: Selection) -> CommandDraft | None:
    """The line with the selected unit, where a verb that takes units was typed without; None if nothing is missing.

    A number right behind the verb is what it asks for besides: `clamp 0.5` is `clamp hidden[3] 0.5`.
    """
    words = text.strip().removeprefix(":").split()
    verb = _verb(words[0]) if words else None
    if verb is None or frame is None or not verb.placed or verb.placed[0].kind.name not in FITTING:
        return None
    if not verb.placed[0].required or (len(words) > 1 and not _is_number(words[1])):
        return None
    draft = line_for(verb.name, frame, selection)
    if draft is None or len(words) == 1:
        return draft
    return CommandDraft(" ".join([draft.text, *words[1:]])) if draft.asked else None


def value_now(text: str, frame: Frame | None, selection: Selection) -> str:
    """The present value of what a line like `lr ` or `clamp hidden[3] ` asks for; empty where there is none to show."""
    if frame is None or not text.endswith(" "):
        return ""
    words = text.strip().removeprefix(":").split()
    verb = _verb(words[0]) if words else None
    if verb is None:
        return ""
    name = verb.fixed[0] if verb.fixed and len(words) == 1 else ""
    if verb.name == "set" and len(words) == 2:
        name = words[1]
    if name:
        return frame.status.settings.get(str(name), "")
    if len(words) == 2 and words[1] == selection.selector:
        return _of_unit(verb.name, frame, selection)
    return ""


def _of_unit(verb: str, frame: Frame, selection: Selection) -> str:
    """The selected unit's activation for `clamp`, its factor for `rate`."""
    if verb == "rate":
        standing = frame.standing.get(selection.block)
        return f"{standing.rate[selection.unit]:.4g}" if standing is not None else ""
    neuron = frame.neuron
    known = neuron is not None and (neuron.block, neuron.unit) == (selection.block, selection.unit)
    return f"{neuron.value:.3g}" if verb == "clamp" and neuron is not None and known else ""


def _verb(word: str) -> Verb | None:
    from tinynets.lab.verbs import verb_typed  # the app starts sooner without it

    return verb_typed(word)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
