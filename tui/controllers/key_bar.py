"""Chooses what the key bar shows: the keys that matter now, each labelled with what it would do now."""

from __future__ import annotations

from collections.abc import Callable

from tinynets.server.frame import FROZEN, Status
from tui import actions
from tui.actions import Action
from tui.controllers.base import Controller
from tui.model.selection import RELEASED, UnitNow, unit_now

WIDE, FEW = 100, 3
"""On fewer columns, only so many of the pane's own keys go before those of all panes."""
MODES = {"play": "playing", "rewind": "rewinding"}


class KeyBarController(Controller):
    """Answers the key bar's questions."""

    def shown(self) -> list[Action]:
        found = [action for action in actions.footer_actions(self.ui.desk.choice.active) if self._possible(action)]
        own = [action for action in found if action.pane]
        if self.ui.app.size.width < WIDE:
            found = [action for action in found if action not in own[FEW:]]
        client = self.commands.client
        if client is not None and not client.alive and not self.commands.refused:
            return [actions.BY_ID["restart"], *found]
        return with_travel(found, self.run_now)

    def _possible(self, action: Action) -> bool:
        """Whether an action can do anything now, as far as that is known."""
        frame = self.ui.frame
        if frame is None:
            return True
        if action.id == "undo":
            return frame.status.can_undo
        if action.id == "evaluate":
            return "dev" in frame.splits
        return action.group != actions.EDIT or bool(self.ui.selection.block)

    def label(self, action: Action) -> str:
        """The label of a key: what it would do now."""
        status = self.run_now
        if action.id == "run":
            return "pause" if status and status.mode != "paused" else "run"
        if action.id == "zero":
            return self._counted("release" if self._all(lambda now: now.output in RELEASED) else "zero")
        if action.id == "freeze":
            return self._counted("unfreeze" if self._all(lambda now: now.frozen == FROZEN) else "freeze")
        if action.id in MODES and status and status.mode == MODES[action.id]:
            return "pause"
        if action.id == "phase" and status and status.next_phase and status.phase:
            return f"phase: {status.next_phase}"
        if action.id == "next_example" and status and status.phase:
            return "out of the step"
        if action.id == "zoom":
            return "all panes" if self.ui.desk.choice.zoom else "zoom"
        return action.label

    def _all(self, holds: Callable[[UnitNow], bool]) -> bool:
        """Whether something holds of all that an operation would be done to."""
        return bool(self.targets) and all(holds(unit_now(self.ui.frame, target)) for target in self.targets)

    def _counted(self, what: str) -> str:
        """With the number of marked units, if it would be done to those."""
        count = sum(len(target.group) for target in self.targets)
        return f"{what} {count}" if count else what


def with_travel(found: list[Action], status: Status | None) -> list[Action]:
    """The key bar with the keys for playback, those for the past, or those in mid-step, right behind the help."""
    if status is None:
        return found
    more = ["end", "play"] if status.step < status.end else []
    if status.phase:
        more = ["phase", "phase_back", "next_example"]
    if status.mode in MODES.values():
        more = ["slower", "faster", "rewind" if status.mode == "playing" else "play"]
    taken = {key for action in found if action.pane for key in action.keys.split(",")}
    added = [actions.BY_ID[name] for name in more if not taken & set(actions.BY_ID[name].keys.split(","))]
    return [*found[:1], *added, *(action for action in found[1:] if action not in added)]
