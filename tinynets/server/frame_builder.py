"""Observer: makes the Frames of a lab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tinynets.lab.lab import Lab, experiment_of
from tinynets.measure.block_view import BlockView
from tinynets.nn.block import Block
from tinynets.nn.network import Network
from tinynets.nn.workspace import Workspace
from tinynets.server.activity import Activity
from tinynets.server.frame import BlockInfo, Frame, View
from tinynets.server.panes.cells import activations, cells
from tinynets.server.panes.loss import curve
from tinynets.server.panes.neuron import neuron
from tinynets.server.panes.outline import outline
from tinynets.server.panes.output import output
from tinynets.server.panes.standing import StandingCache
from tinynets.server.panes.status import status
from tinynets.server.panes.timeline import Filed, timeline
from tinynets.server.panes.weights import weights

SAMPLES = 10


@dataclass
class FrameBuilder:
    """Makes Frames of a lab. Keeps what does not change between two frames at the same moment."""

    lab: Lab
    _samples: tuple[tuple[int, int, int] | None, tuple[str, ...], int] = (None, (), 0)
    _grid: Workspace = field(default_factory=Workspace)
    _spare: Workspace = field(default_factory=Workspace)
    _stood: StandingCache = field(default_factory=StandingCache)
    _outlines: tuple[Network | None, tuple[BlockInfo, ...]] = (None, ())

    def frame(self, view: View, number: int, doing: Activity, *, renew_samples: bool = True) -> Frame:
        """One picture: what the visible panes of `view` show now."""
        experiment = experiment_of(self.lab)
        network, probe = experiment.network, experiment.probe
        probe.forward(network)
        view = self._existing(view)
        block = network.block(view.block)
        looks = {entry.name: BlockView.of(experiment, entry) for entry in network.blocks if entry.units}
        panes: dict[str, Callable[[], Any]] = {
            "network": lambda: tuple(cells(look, view.example) for look in looks.values()),
            "weights": lambda: weights(experiment, block),
            "activations": lambda: activations(looks[block.name], probe.examples),
            "loss": lambda: curve(experiment, view.plot_columns),
            "neuron": lambda: neuron(experiment, block, view, looks[block.name], self._spare, self._stood),
            "output": lambda: output(experiment, view, self._texts(renew_samples), self._grid),
        }
        if not block.units:
            panes = {pane: panes[pane] for pane in ("network", "loss", "output")}
        drawn = {pane: panes[pane]() for pane in view.panes if pane in panes}
        return Frame(
            number,
            view,
            status(experiment, self._filed(), doing),
            self._outline(network),
            tuple(f"{x} → {y}" if y else x for x, y in zip(probe.examples, probe.targets, strict=True)),
            timeline(experiment),
            self._stood.of(experiment),
            tuple(experiment.data.labels),
            tuple(experiment.data.splits),
            **drawn,
        )

    def _filed(self) -> Filed:
        lab = self.lab
        return Filed(lab.unsaved, lab.path, lab.read_only, lab.named_path)

    def _outline(self, network: Network) -> tuple[BlockInfo, ...]:
        if self._outlines[0] is not network:
            self._outlines = network, tuple(outline(network, entry) for entry in network.blocks)
        return self._outlines[1]

    def _existing(self, view: View) -> View:
        """The view with a block, unit and example that exist; a block without units only where none has any."""
        blocks = [block for block in self.lab.network.blocks if block.units]
        hidden = [block for block in blocks if self._is_hidden(block)]
        named = [block for block in blocks if block.name == view.block]
        block = (named or hidden or blocks or list(self.lab.network.blocks))[0]
        unit = min(max(view.unit, 0), max(block.units - 1, 0))
        example = min(max(view.example, 0), len(self.lab.probe.x) - 1)
        return replace(
            view, block=block.name, unit=unit, example=example, plot_columns=max(2, min(view.plot_columns, 2000))
        )

    def _is_hidden(self, block: Block) -> bool:
        """A block that computes something of its own: with an activation, or one inside of it."""
        return block.activation is not None or self.lab.network.layers[block.first].taps_itself

    def _texts(self, renew: bool) -> dict[str, Any]:
        """Generated names, drawn anew when the moment is another."""
        lab = self.lab
        if lab.data.text is None:
            return {}
        moment = (lab.moment.branch, lab.moment.step, lab.moment.edits)
        if self._samples[0] is None or (renew and self._samples[0] != moment):
            self._samples = (moment, lab.sample(SAMPLES), lab.step_number)
        return {"samples": self._samples[1], "samples_step": self._samples[2]}
