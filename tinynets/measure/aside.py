"""Aside: forward and backward of the watched examples beside the run, in a network and workspaces of its own.

Nothing of the run is touched: its gradients, the batch of a half-done step and what layers carry stay as they are.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.probe import Probe
from tinynets.experiment.scene import Scene
from tinynets.nn.losses import LossBuffers
from tinynets.nn.network import Network
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.training.state import State, network_of, state_taps


def moment_key(experiment: Experiment, scene: Scene) -> tuple[Hashable, ...]:
    """What is computed aside stays right as long as this is the same."""
    return (
        experiment.network,
        scene.watched.workspace,  # those of an input of one's own are others than those of the probe
        experiment.moment,
        scene.of_batch,
        experiment.player.phases_done if scene.of_batch else 0,
        experiment.state.interventions,
    )


def workspace_for(scene: Scene, experiment: Experiment) -> Workspace:
    """A workspace in which a forward does what the watched examples went through: training, if they are a batch."""
    context = scene.watched.workspace.context
    workspace = Workspace(training=context.training)
    workspace.context.seed, workspace.context.step = context.seed, experiment.state.step
    return workspace


@dataclass
class Aside:
    """The gradients of the mean loss of the watched examples; they are computed once for a moment."""

    _network: Network | None = None
    _of: Network | None = None
    """The live network around whose parameters `_network` is built."""
    _workspaces: dict[bool, Workspace] = field(default_factory=dict)
    _key: tuple[Hashable, ...] = ()

    def gradients(self, experiment: Experiment, scene: Scene) -> tuple[Network, Workspace]:
        """The network with the gradients of all weights, and the workspace with those of all outputs."""
        network = self._beside(experiment)
        key = moment_key(experiment, scene)
        if scene.of_batch not in self._workspaces:
            self._workspaces[scene.of_batch] = workspace_for(scene, experiment)
        workspace = self._workspaces[scene.of_batch]
        if key != self._key:
            workspace.context.step = experiment.state.step
            network.taps = experiment.network.taps
            _backward(experiment, scene, network, workspace)
            self._key = key
        return network, workspace

    def _beside(self, experiment: Experiment) -> Network:
        """A network around the same parameters, with gradients of its own."""
        if self._network is None or self._of is not experiment.network:
            self._of = experiment.network
            self._network = network_of(experiment.state, experiment.network.input_shape, read_only=True)
            self._workspaces, self._key = {}, ()
        return self._network


def _backward(experiment: Experiment, scene: Scene, network: Network, workspace: Workspace) -> None:
    watched, loss, step = scene.watched, experiment.loss, experiment.state.step
    buffers = LossBuffers()
    buffers.step = step if scene.of_batch else loss.measured_at(step)
    buffers.weight = watched.weight if watched.has_targets else _of_targets(watched)
    with ignore_warnings():
        out = network.forward_checked(watched.x, workspace)
        loss.fit(buffers, out)
        loss.weighted_value(out, watched.y, buffers)
        network.backward(loss.weighted_gradient(buffers), workspace)


def _of_targets(watched: Probe) -> Array:
    """Weights with which the mean loss is that of all examples but the last, which has no target."""
    count = len(watched.x)
    weight = np.ones(count) if watched.weight is None else watched.weight.astype(np.float64)
    weight *= count / max(count - 1, 1)
    weight[-1] = 0
    return weight


@dataclass
class Past:
    """The watched examples as another state of the run would see them."""

    _network: Network | None = None
    _architecture: object = None
    _workspaces: dict[bool, Workspace] = field(default_factory=dict)
    _state: State | None = None
    _key: tuple[Hashable, ...] = ()

    def forward(self, experiment: Experiment, scene: Scene, state: State) -> tuple[Network, Workspace]:
        """A network in that state, and the workspace with the outputs of its layers."""
        network = self.network(experiment, state)
        if scene.of_batch not in self._workspaces:
            self._workspaces[scene.of_batch] = workspace_for(scene, experiment)
        workspace, key = self._workspaces[scene.of_batch], moment_key(experiment, scene)
        if state is not self._state or key != self._key:
            workspace.context.step = experiment.state.step
            with ignore_warnings():
                network.forward_checked(scene.watched.x, workspace)
            self._state, self._key = state, key
        return network, workspace

    def network(self, experiment: Experiment, state: State) -> Network:
        """A network in that state; built anew only if its layers are others."""
        if self._network is None or self._architecture != state.architecture:
            self._network = network_of(state.live(), experiment.network.input_shape)
            self._architecture, self._workspaces, self._state = state.architecture, {}, None
            return self._network
        _fill(self._network.theta, state.theta)
        _fill(self._network.carried, state.buffers)
        self._network.taps = state_taps(self._network, state)
        return self._network


def _fill(vector: Array, values: Array) -> None:
    vector[:] = values
