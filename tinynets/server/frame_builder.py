"""FrameBuilder: builds the Frame for a View."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.generation import TextGenerator
from tinynets.lab.lab import Lab, experiment_of
from tinynets.measure.block_view import BlockView, UnitView
from tinynets.nn.block import Block
from tinynets.nn.network import Network
from tinynets.nn.workspace import Workspace
from tinynets.server.activity import Activity
from tinynets.server.frame import BlockInfo, Examples, Frame, View
from tinynets.server.panes.activations import activations
from tinynets.server.panes.examples import ExampleLists
from tinynets.server.panes.loss import curve
from tinynets.server.panes.network import cells
from tinynets.server.panes.neuron import neuron
from tinynets.server.panes.outline import outline
from tinynets.server.panes.output import output
from tinynets.server.panes.own_input import OwnInputs, inputs_of
from tinynets.server.panes.standing import StandingCache
from tinynets.server.panes.status import FileStatus, status
from tinynets.server.panes.timeline import timeline
from tinynets.server.panes.weights import weights

SAMPLES = 10


@dataclass
class FrameBuilder:
    """Builds the Frames of a run. It keeps what does not change between two frames at the same moment."""

    experiment: Experiment
    file_status: Callable[[], FileStatus]
    """Returns the present status of the run's file."""
    _samples: tuple[tuple[int, int, int] | None, tuple[str, ...], int] = (None, (), 0)
    _plane: Workspace = field(default_factory=Workspace)
    _spare: Workspace = field(default_factory=Workspace)
    _standing: StandingCache = field(default_factory=StandingCache)
    _outlines: tuple[Network | None, tuple[BlockInfo, ...]] = (None, ())
    _own: OwnInputs = field(default_factory=OwnInputs)
    _lists: ExampleLists = field(default_factory=ExampleLists)

    @classmethod
    def of(cls, lab: Lab) -> FrameBuilder:
        """A builder for a lab's experiment."""
        return cls(experiment_of(lab), lambda: FileStatus(lab.unsaved, lab.path, lab.read_only, lab.named_path))

    def __post_init__(self) -> None:
        self._generator = TextGenerator(self.experiment.data)
        self._inputs = inputs_of(self.experiment)

    def frame(self, view: View, number: int, activity: Activity, *, renew_samples: bool = True) -> Frame:
        """A Frame with what the visible panes of `view` show now."""
        experiment, network = self.experiment, self.experiment.network
        experiment.probe.forward(network)
        shown, refused = self._own.joined(experiment, view.own)
        view = self._existing(view, shown)
        return Frame(
            number,
            view,
            status(experiment, self.file_status(), activity),
            self._outline(network),
            tuple(f"{x} → {y}" if y else x for x, y in zip(shown.probe.examples, shown.probe.targets, strict=True)),
            timeline(experiment),
            self._standing.of(experiment),
            tuple(experiment.data.labels),
            tuple(experiment.data.splits),
            answers=self._answers(view, activity.mode != "paused"),
            inputs=self._inputs,
            own=shown is not experiment,
            refused=refused,
            **self._panes(shown, view, renew_samples),
        )

    def _answers(self, view: View, moving: bool) -> Examples:
        """What the network says for the probe, or for the split that the Examples pane lists while it is visible."""
        visible = "examples" in view.panes
        if visible and view.split:
            return self._lists.split(self.experiment, view.split, moving)
        return self._lists.probe(self.experiment, visible)

    def _panes(self, experiment: Experiment, view: View, renew_samples: bool) -> dict[str, Any]:
        """The contents of the visible panes; a block without units has fewer."""
        network = experiment.network
        block = network.block(view.block)
        views = {entry.name: BlockView.of(experiment, entry) for entry in network.blocks if entry.units}

        def selected() -> UnitView:
            return UnitView.of(experiment, views[block.name], view.unit, view.example)

        panes: dict[str, Callable[[], Any]] = {
            "network": lambda: cells(views.values(), view.example),
            "weights": lambda: weights(experiment, block),
            "activations": lambda: activations(views[block.name], experiment.probe.examples),
            "loss": lambda: curve(experiment, view.plot_columns),
            "neuron": lambda: neuron(selected(), view.terms, self._spare, self._standing),
            "output": lambda: output(experiment, view, self._texts(renew_samples), self._plane),
        }
        if not block.units:
            panes = {pane: panes[pane] for pane in ("network", "loss", "output")}
        return {pane: panes[pane]() for pane in view.panes if pane in panes}

    def _outline(self, network: Network) -> tuple[BlockInfo, ...]:
        if self._outlines[0] is not network:
            self._outlines = network, tuple(outline(network, entry) for entry in network.blocks)
        return self._outlines[1]

    def _existing(self, view: View, shown: Experiment) -> View:
        """The view with a block, unit and example that exist; a block without units only if no block has any."""
        network = self.experiment.network
        blocks = [block for block in network.blocks if block.units]
        hidden = [block for block in blocks if _is_hidden(network, block)]
        named = [block for block in blocks if block.name == view.block]
        block = (named or hidden or blocks or list(network.blocks))[0]
        unit = min(max(view.unit, 0), max(block.units - 1, 0))
        last = len(shown.probe.x) - 1
        example = min(max(view.example, 0), last) if shown is self.experiment else last
        return replace(
            view,
            block=block.name,
            unit=unit,
            example=example,
            split=view.split if view.split in self.experiment.data.splits else "",
            plot_columns=max(2, min(view.plot_columns, 2000)),
            terms=max(1, min(view.terms, 200)),
        )

    def _texts(self, renew: bool) -> dict[str, Any]:
        """Generated names, drawn anew when the moment changes."""
        experiment = self.experiment
        if experiment.data.text is None:
            return {}
        moment = (experiment.moment.branch, experiment.moment.step, experiment.moment.edits)
        if self._samples[0] is None or (renew and self._samples[0] != moment):
            seed = experiment.recipe.training.hyper.seed
            drawn = self._generator.sample(experiment.network, SAMPLES, 1.0, seed, "")
            self._samples = (moment, drawn, experiment.moment.step)
        return {"samples": self._samples[1], "samples_step": self._samples[2]}


def _is_hidden(network: Network, block: Block) -> bool:
    """Whether a block has an activation, behind its layers or inside one."""
    return block.activation is not None or network.layers[block.first].taps_itself
