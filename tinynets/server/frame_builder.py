"""FrameBuilder: builds the Frame for a View."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.generation import TextGenerator
from tinynets.experiment.scene import Scene
from tinynets.lab.breakpoints import Breakpoint
from tinynets.lab.lab import Lab, experiment_of
from tinynets.measure.block_view import BlockViews, UnitView
from tinynets.measure.lens import Lens, Lenses
from tinynets.nn.block import Block
from tinynets.nn.network import Network
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import ignore_warnings
from tinynets.server.activity import Activity
from tinynets.server.frame import CURVES, BlockInfo, Examples, Floats, Frame, View
from tinynets.server.panes.activations import activations
from tinynets.server.panes.examples import ExampleLists
from tinynets.server.panes.lens import lens_info
from tinynets.server.panes.log import ActionList
from tinynets.server.panes.loss import curve
from tinynets.server.panes.net import net
from tinynets.server.panes.network import cells
from tinynets.server.panes.neuron import neuron
from tinynets.server.panes.outline import outline
from tinynets.server.panes.output import output
from tinynets.server.panes.own_input import OwnInputs, inputs_of
from tinynets.server.panes.phases import PhaseList, breakpoint_marks
from tinynets.server.panes.standing import StandingCache
from tinynets.server.panes.status import FileStatus, status
from tinynets.server.panes.timeline import timeline
from tinynets.server.panes.units import UnitTable
from tinynets.server.panes.updates import Updates
from tinynets.server.panes.weights import weights
from tinynets.server.panes.worth import KeptWorths

MOST_SAMPLES = 200


@dataclass
class FrameBuilder:
    """Builds the Frames of a run. It keeps what does not change between two frames at the same moment."""

    experiment: Experiment
    file_status: Callable[[], FileStatus]
    """Returns the present status of the run's file."""
    breakpoints: Callable[[], tuple[Breakpoint, ...]]
    """Returns the breakpoints."""
    worths: KeptWorths = field(default_factory=KeptWorths)
    _samples: tuple[tuple[int, int, int, int, float] | None, tuple[str, ...], int] = (None, (), 0)
    _plane: Workspace = field(default_factory=Workspace)
    _net: Workspace = field(default_factory=Workspace)
    _portrait: Workspace = field(default_factory=Workspace)
    _spare: Workspace = field(default_factory=Workspace)
    _standing: StandingCache = field(default_factory=StandingCache)
    _updates: Updates = field(default_factory=Updates)
    _outlines: tuple[Network | None, tuple[BlockInfo, ...]] = (None, ())
    _own: OwnInputs = field(default_factory=OwnInputs)
    _lists: ExampleLists = field(default_factory=ExampleLists)
    _actions: ActionList = field(default_factory=ActionList)
    _phases: PhaseList = field(default_factory=PhaseList)
    _lenses: Lenses = field(default_factory=Lenses)
    _units: UnitTable = field(default_factory=UnitTable)

    @classmethod
    def of(cls, lab: Lab) -> FrameBuilder:
        """A builder for a lab's experiment."""
        return cls(
            experiment_of(lab),
            lambda: FileStatus(lab.unsaved, lab.path, lab.read_only, lab.named_path),
            lambda: lab.breakpoints,
        )

    def __post_init__(self) -> None:
        self._generator = TextGenerator(self.experiment.data)
        self._inputs = inputs_of(self.experiment)

    @property
    def worth(self) -> Mapping[str, Floats] | None:
        """The exact worth of the units of blocks, as it was measured at the present moment; None if it was not."""
        return self.worths.at(self.experiment)

    def frame(self, view: View, number: int, activity: Activity, *, renew_samples: bool = True) -> Frame:
        """A Frame with what the visible panes of `view` show now, be it finite or not."""
        with ignore_warnings():
            return self._frame(view, number, activity, renew_samples)

    def _frame(self, view: View, number: int, activity: Activity, renew_samples: bool) -> Frame:
        experiment, network = self.experiment, self.experiment.network
        experiment.probe.forward(network)
        shown, refused = self._own.joined(experiment, view.own)
        self._updates.note(experiment)
        scene = Scene.of(shown, of_probe=shown is not experiment)
        watched = scene.watched
        view = self._existing(view, scene)
        lens = self._lenses.lens(shown, scene, view.lens, view.against, moving=activity.mode != "paused")
        return Frame(
            number,
            view,
            replace(
                status(experiment, self.file_status(), activity),
                phases=self._phases.of(experiment.player.trainer),
                breakpoints=breakpoint_marks(self.breakpoints()),
            ),
            self._outline(network),
            tuple(f"{x} → {y}" if y else x for x, y in zip(watched.examples, watched.targets, strict=True)),
            timeline(experiment, view),
            self._standing.of(experiment),
            tuple(experiment.data.labels),
            tuple(experiment.data.splits),
            answers=self._answers(scene, view, activity.mode != "paused"),
            inputs=self._inputs,
            own=shown is not experiment,
            refused=refused,
            of_batch=scene.of_batch,
            lens=lens_info(lens),
            worth=self.worth,
            **self._panes(view, lens, renew_samples, activity),
        )

    def _answers(self, scene: Scene, view: View, moving: bool) -> Examples | None:
        """What the network says for the watched examples, or for the split that the Examples pane lists if visible."""
        visible = "examples" in view.panes
        if visible and view.split:
            return self._lists.split(self.experiment, view.split, moving)
        if not scene.of_batch:
            return self._lists.probe(self.experiment, visible)
        return self._lists.batch(self.experiment, scene, visible)

    def _panes(self, view: View, lens: Lens, renew_samples: bool, activity: Activity) -> dict[str, Any]:
        """The contents of the visible panes; a block without units has fewer."""
        experiment, network, scene = lens.experiment, lens.experiment.network, lens.scene
        block = network.block(view.block)
        example = view.batch_example if scene.of_batch else view.example
        views = BlockViews(experiment, scene)

        def neuron_pane() -> Any:
            found = views.of(block)
            if found is None:
                return None
            at = UnitView.of(experiment, found, view.unit, example)
            return neuron(at, scene, view, self._standing, self._spare, self._portrait)

        panes: dict[str, Callable[[], Any]] = {
            "network": lambda: cells(lens, views, example, self.worth),
            "units": lambda: self._units.of(lens, views, view, self.worths, moving=activity.mode != "paused"),
            "weights": lambda: weights(lens, block, view.unit),
            "activations": lambda: activations(lens, views.of(block), block, views.dead(block)),
            "loss": lambda: curve(experiment, view, self._updates),
            "neuron": neuron_pane,
            "log": lambda: self._actions.log(experiment, view.log_row, view.log_rows),
            "output": lambda: output(experiment, scene, view, self._texts(view, renew_samples), self._plane),
        }
        if not block.units:
            panes = {pane: panes[pane] for pane in ("network", "loss", "output", "log")}
        made = {pane: panes[pane]() for pane in view.panes if pane in panes}
        return made | ({"net": net(lens, view, self._net)} if "network" in made else {})

    def _outline(self, network: Network) -> tuple[BlockInfo, ...]:
        if self._outlines[0] is not network:
            self._outlines = network, tuple(outline(network, entry) for entry in network.blocks)
        return self._outlines[1]

    def _existing(self, view: View, scene: Scene) -> View:
        """The view with a block, unit and example that exist; a block without units only if no block has any."""
        network = self.experiment.network
        blocks = [block for block in network.blocks if block.units]
        hidden = [block for block in blocks if _is_hidden(network, block)]
        named = [block for block in blocks if block.name == view.block]
        block = (named or hidden or blocks or list(network.blocks))[0]
        unit = min(max(view.unit, 0), max(block.units - 1, 0))
        wanted = view.example or (0 if named else self._most_telling())
        example = min(max(wanted, 0), len(self.experiment.probe.x) - 1)
        if len(scene.watched.x) > len(self.experiment.probe.x) and not scene.of_batch:
            example = len(scene.watched.x) - 1
        of_batch = min(max(view.batch_example, 0), len(scene.watched.x) - 1) if scene.of_batch else view.batch_example
        return replace(
            view,
            block=block.name,
            unit=unit,
            example=example,
            split=view.split if view.split in self.experiment.data.splits else "",
            batch_example=of_batch,
            plot_columns=max(2, min(view.plot_columns, 2000)),
            terms=max(1, min(view.terms, 200)),
            log_rows=max(1, min(view.log_rows, 400)),
            samples=max(1, min(view.samples, MOST_SAMPLES)),
            temperature=max(0.0, min(view.temperature, 1000.0)),
            window=max(0, view.window),
            curve=view.curve if view.curve in CURVES else CURVES[0],
            pixels=(max(1, min(view.pixels[0], 64)), max(1, min(view.pixels[1], 64))),
            answer=max(0, min(view.answer, 128)),
            portrait=max(8, min(view.portrait, 128)),
            plane=max(9, min(view.plane, 128)),
        )

    def _most_telling(self) -> int:
        """The example to begin with: of texts the one with the most letters before the answer, else the first."""
        if self.experiment.data.text is None:
            return 0
        letters = [len(text.lstrip(".")) for text in self.experiment.probe.examples]
        return letters.index(max(letters))

    def _texts(self, view: View, renew: bool) -> dict[str, Any]:
        """Generated names, drawn anew when the moment changes."""
        experiment = self.experiment
        if experiment.data.text is None:
            return {}
        wanted = view.samples, view.temperature
        moment = (experiment.moment.branch, experiment.moment.step, experiment.moment.edits, *wanted)
        if self._samples[0] is None or (renew and self._samples[0] != moment):
            seed = experiment.recipe.training.hyper.seed
            drawn = self._generator.sample(experiment.network, *wanted, seed, "")
            self._samples = (moment, drawn, experiment.moment.step)
        return {"samples": self._samples[1], "samples_step": self._samples[2]}


def _is_hidden(network: Network, block: Block) -> bool:
    """Whether a block has an activation, behind its layers or inside one."""
    return block.activation is not None or network.layers[block.first].taps_itself
