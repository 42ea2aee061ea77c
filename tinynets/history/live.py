"""LiveModel: the state that steps and edits change, with the network and the trainer around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tinynets.edits import registry
from tinynets.edits.edit import Edit
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array
from tinynets.training.state import State, network_of, state_taps
from tinynets.training.trainer import Trainer


@dataclass(frozen=True, eq=False)
class Examples:
    """The training examples as network and loss take them: x (N, ...), y (N, ...), weight (N,) of each loss."""

    x: Array
    y: Array
    weight: Array | None = None
    missing: str = ""
    """Why these are only a sample of the data, so that no step can be computed; empty if they are complete."""


class LiveModel:
    """State, network and trainer, which are rebuilt when the layers change."""

    def __init__(self, state: State, loss: Loss, examples: Examples) -> None:
        self.loss, self.examples = loss, examples
        self._build(state)

    def _build(self, state: State) -> None:
        """Make live arrays and a network around them, for a state with another architecture."""
        examples, live = self.examples, state.live()
        network = network_of(live, examples.x.shape[1:], read_only=True)
        trainer = Trainer(network, live, self.loss, examples.x, examples.y, examples.weight)
        self.state: State = live
        self.network: Network = network
        self.trainer: Trainer = trainer

    def load(self, state: State) -> None:
        """Make a state the live one."""
        live = self.state
        self.trainer.is_last = False
        if live.architecture != state.architecture:
            self._build(state)
            return
        np.copyto(live.theta, state.theta)
        live.slots = {name: slot.copy() for name, slot in state.slots.items()}
        np.copyto(live.buffers, state.buffers)
        live.frozen, live.frozen_buffers = state.frozen.copy(), state.frozen_buffers.copy()
        live.hyper, live.step, live.counts = state.hyper, state.step, state.counts
        if live.interventions != state.interventions:
            live.interventions = state.interventions
            self.network.taps = state_taps(self.network, live)

    def apply(self, edit: Edit) -> str:
        """Apply an edit, rebuilding the network if the architecture changes; returns what was done."""
        before = self.state.architecture
        self.trainer.is_last = False
        done = registry.apply(self.network, self.state, edit)
        if self.state.architecture != before:
            self._build(self.state)
        return done

    def replay(self, edits: Iterable[Edit]) -> None:
        """Apply recorded edits again, in order."""
        for together in registry.runs(edits):
            if len(together) > 1:
                self.trainer.is_last = False
                registry.apply_run(self.network, self.state, together)
            else:
                self.apply(together[0])
