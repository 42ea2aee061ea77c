"""Puts a command's result into words, as long as the status line has room for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui.actions import keyed
from tui.render.drawing import clip_middle, columns


def message_for(verb: str, value: Any, room: int = 10_000) -> str:
    """A command's result in at most `room` letters; the numbers of an edit are never cut."""
    if value in ((), {}):
        return f"{verb}: nothing yet"
    if value is None:
        return ""
    still = getattr(value, "still", "")
    if still and columns(str(value)) > room:
        return still_words(still)
    if hasattr(value, "accuracy_before"):
        return _edited(value, room)
    return ", ".join(lines_of(value)) if type(value) in (tuple, dict) else str(value)


def still_words(why: str) -> str:
    """The warning that nothing learns, and why."""
    return f"nothing learns: {why}"


def _edited(report: Any, room: int) -> str:
    """What an edit did, and behind it the branch that it began, which is never cut."""
    if not getattr(report, "forked", ""):
        return _effect(report, room)
    tail = f"; {report.forked}: {keyed('{undo}')} goes back"
    return _effect(replace(report, forked=""), max(30, room - len(tail))) + tail


def _effect(report: Any, room: int) -> str:
    """The longest wording that fits; if none does, the effect is kept rather than the name of the edit."""
    before, after = report.before, report.after
    has_accuracy = report.accuracy_before is not None and report.accuracy_after is not None
    share = f"{report.accuracy_before:.1%} -> {report.accuracy_after:.1%}" if has_accuracy else ""
    in_step = " in this step" if report.phase else ""
    short = f": loss {before:.3f} -> {after:.3f}" + (f", acc. {share}" if share else "")
    if in_step:
        short = f"{in_step}{short}"
    if report.batch_after is not None:
        batch = f"{report.batch_before:.3f} -> {report.batch_after:.3f}"
        short = f"{in_step}: batch loss {batch}, probe {before:.3f} -> {after:.3f}"
    first, done = report.finished_first, report.done.split(", ")[0]
    choices = [
        str(report),
        f"{first}{report.done}{in_step}: loss {before:.4f} -> {after:.4f}" + (f", accuracy {share}" if share else "")
        if report.batch_after is None
        else f"{report.done}{short}" + (f", accuracy {share}" if share else ""),
        first + report.done + short,
        first + done + short,
    ]
    if first:
        choices.append(first + done)
    fitting = next((text for text in choices if len(text) <= room), "")
    return fitting or first + clip_middle(done, max(10, room - len(first + short))) + short


def lines_of(value: Any) -> list[str]:
    """A command's result, one entry a line; units are written as selectors, block by block."""
    if isinstance(value, dict):
        return [f"{block}[{','.join(map(str, units))}]" for block, units in value.items()]
    return [str(entry) for entry in value] if type(value) is tuple else str(value).splitlines()
