"""Operating: the half of a Lab that does edits to the running net."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynets import edits
from tinynets.reports import EditReport
from tinynets.timeline import Placed

if TYPE_CHECKING:
    from tinynets.playback import Player


class Operating:
    """Every method is one operation of `edits.OPERATIONS`: recorded, undoable, answered with what it did."""

    player: Player

    def probe_loss(self) -> float:
        raise NotImplementedError

    def zero(self, selector: str) -> EditReport:
        """Hold the activations of units at zero: `lab.zero("hidden[3]")`."""
        return self._edit("zero", selector)

    def release(self, selector: str) -> EditReport:
        """Take the interventions off units."""
        return self._edit("release", selector)

    def freeze(self, selector: str) -> EditReport:
        """Keep every byte of units (incoming weights, bias, optimizer slots) while the rest trains."""
        return self._edit("freeze", selector)

    def unfreeze(self, selector: str) -> EditReport:
        """Let frozen units learn again."""
        return self._edit("unfreeze", selector)

    def reset(self, selector: str) -> EditReport:
        """Set what units carry from step to step (hidden state; running statistics) to how it started."""
        return self._edit("reset", selector)

    def activation(self, block: str, to: str, **arguments: Any) -> EditReport:
        """Give a block another activation, by its kind and arguments; its weights stay.

        `lab.activation("hidden", "relu")`, `lab.activation("hidden", "gaussian", width=0.2)`.
        """
        return self._edit("activation", block, to=to, **arguments)

    def set(self, name: str, value: Any, **arguments: Any) -> EditReport:
        """Change a setting from here on.

        `lr` (the base that the schedule multiplies), `momentum`, ...: what the optimizer has. `clip_norm`,
        `clip_value`: 0 for none. `optimizer`: sgd, momentum, nesterov, rmsprop, adam or adamw, with arguments
        (`set("optimizer", "adam", lr=0.001)`); lr is kept unless given, and what it carries starts at zero. `schedule`:
        constant, step, linear, cosine or exponential (`set("schedule", "cosine", steps=1000, warmup=100)`).
        `hidden.rate`, `hidden.l1`, `hidden.l2`: learning-rate factor of a block, and penalties as
        `Lab` takes them.
        """
        return self._edit("set", name, value=value, **arguments)

    def _edit(self, op: str, target: str, **args: Any) -> EditReport:
        player = self.player
        edit = edits.resolve(player.network, player.state, op, target, args)
        player.finish_half()
        before = self.probe_loss()

        def report(done: str) -> Placed:
            return Placed(player.position.step, edit, done, before, self.probe_loss())

        placed = player.edit(edit, report)
        return EditReport(placed.step, placed.done, placed.before, placed.after, edit.python())
