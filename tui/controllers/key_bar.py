"""Chooses what the key bar shows: the keys that matter now, each labelled with what it would do now."""

from __future__ import annotations

from tinynets.server.frame import FROZEN, Status
from tui import actions
from tui.actions import Action
from tui.controllers.base import Controller
from tui.model.selection import RELEASED

MODES = {"play": "playing", "rewind": "rewinding"}


class KeyBarController(Controller):
    """Answers the key bar's questions."""

    def shown(self) -> list[Action]:
        found = actions.footer_actions(self.ui.desk.choice.active)
        client = self.commands.client
        if client is not None and not client.alive and not self.commands.refused:
            return [actions.BY_ID["restart"], *found]
        return with_travel(found, self.run_now)

    def label(self, action: Action) -> str:
        """The label of a key: what it would do now."""
        status = self.run_now
        if action.id == "run":
            return "pause" if status and status.mode != "paused" else "run"
        if action.id == "zero":
            return "release" if self.unit_now.output in RELEASED else "zero"
        if action.id == "freeze":
            return "unfreeze" if self.unit_now.frozen == FROZEN else "freeze"
        if action.id in MODES and status and status.mode == MODES[action.id]:
            return "pause"
        if action.id == "phase" and status and status.next_phase and status.phase:
            return f"phase: {status.next_phase}"
        if action.id == "next_example" and status and status.phase:
            return "out of the step"
        if action.id == "zoom":
            return "all panes" if self.ui.desk.choice.zoom else "zoom"
        return action.label


def with_travel(found: list[Action], status: Status | None) -> list[Action]:
    """The key bar with the keys for playback, those for the past, or those in mid-step, put after its second key."""
    if status is None:
        return found
    more = ["end"] if status.step < status.end else []
    if status.phase:
        more = ["phase", "phase_back", "next_example"]
    if status.mode in MODES.values():
        more = ["slower", "faster", "rewind" if status.mode == "playing" else "play"]
    added = [actions.BY_ID[name] for name in more]
    return [*found[:2], *added, *(action for action in found[2:] if action not in added)]
