"""Looking at a lab: the Frame that a View asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinynets import edits
from tinynets.arrays import Array
from tinynets.evaluation import softmax
from tinynets.frame import (
    Activations,
    BlockCells,
    BlockInfo,
    BranchLine,
    Contribution,
    Frame,
    LossCurve,
    Mark,
    Neuron,
    Output,
    Plane,
    Status,
    TimelineStrip,
    View,
    Weights,
)
from tinynets.lab import Lab
from tinynets.layers import Embedding, Linear
from tinynets.network import Block, Network, Workspace
from tinynets.playback import quiet

TOP = 12  # contributions and outgoing weights listed
PLANE = 33  # points a side of the decision map
SAMPLES = 10
BOUNDED = ("tanh", "sigmoid", "softmax", "gaussian", "step")  # activations whose outputs reach 1 and no further


@dataclass(frozen=True)
class Doing:
    """What the engine is at, which a Lab does not know: mode, speed, and what it wants said."""

    mode: str = "paused"
    steps_per_second: float = 0.0
    note: str = ""


@dataclass
class Observer:
    """Makes Frames of a lab. Keeps what does not change between two frames at the same moment."""

    lab: Lab
    _samples: tuple[tuple[int, int, int] | None, tuple[str, ...], int] = (None, (), 0)
    _grid: Workspace = field(default_factory=Workspace)

    def frame(self, view: View, number: int, doing: Doing, *, renew_samples: bool = True) -> Frame:
        """One picture: what the visible panes of `view` show now."""
        lab = self.lab
        network, probe = lab.network, lab.probe
        probe.forward(network)
        view = self._existing(view)
        block = network.block(view.block)
        looks = {entry.name: _Look.of(lab, entry) for entry in network.blocks if entry.units}
        panes: dict[str, Callable[[], Any]] = {
            "network": lambda: tuple(look.cells(view.example) for look in looks.values()),
            "weights": lambda: _weights(network, block, looks[block.name]),
            "activations": lambda: looks[block.name].activations(probe.examples),
            "loss": lambda: _curve(lab, view.plot_columns),
            "neuron": lambda: _neuron(lab, block, view, looks[block.name]),
            "output": lambda: self._output(view, renew_samples),
        }
        drawn = {pane: panes[pane]() for pane in view.panes if pane in panes}
        return Frame(
            number,
            view,
            _status(lab, doing),
            tuple(_info(network, entry) for entry in network.blocks),
            tuple(f"{x} → {y}" for x, y in zip(probe.examples, probe.targets, strict=True)),
            _strip(lab),
            **drawn,
        )

    def _existing(self, view: View) -> View:
        """The view with a block, unit and example that exist."""
        blocks = [block for block in self.lab.network.blocks if block.units]
        hidden = [block for block in blocks if block.activation is not None]
        named = [block for block in blocks if block.name == view.block]
        block = (named or hidden or blocks)[0]
        unit = min(max(view.unit, 0), block.units - 1)
        example = min(max(view.example, 0), len(self.lab.probe.x) - 1)
        return replace(
            view, block=block.name, unit=unit, example=example, plot_columns=max(2, min(view.plot_columns, 2000))
        )

    def _output(self, view: View, renew_samples: bool) -> Output:
        lab = self.lab
        probe, loss = lab.probe, lab.recipe.training.loss
        out = probe.workspace.out[view.example].reshape(-1, probe.workspace.out.shape[-1])[-1]
        target = probe.y[view.example]
        with quiet():
            alone = float(probe.losses_here(loss)[view.example])
            values = softmax(out) if loss.classes else out.astype(np.float64)
        return Output(
            kind="classes" if loss.classes else "values",
            input=probe.examples[view.example],
            labels=_labels(lab, len(out)),
            values=values,
            target=int(target.reshape(-1)[-1]) if loss.classes else -1,
            targets=None if loss.classes else np.array(target, np.float64).reshape(-1),
            loss=alone,
            **self._texts(renew_samples),
            plane=self._plane(),
        )

    def _texts(self, renew: bool) -> dict[str, Any]:
        """Generated names, drawn anew when the moment is another."""
        lab = self.lab
        if lab.data.text is None:
            return {}
        moment = (lab.moment.branch, lab.moment.step, lab.moment.edits)
        if self._samples[0] is None or (renew and self._samples[0] != moment):
            self._samples = (moment, lab.sample(SAMPLES), lab.step_number)
        return {"samples": self._samples[1], "samples_step": self._samples[2]}

    def _plane(self) -> Plane | None:
        """What the network says over the plane, for two inputs and two or more classes or one value."""
        lab = self.lab
        x, loss = lab.probe.x, lab.recipe.training.loss
        if x.ndim != 2 or x.shape[1] != 2 or x.dtype.kind != "f":
            return None
        reach = float(np.abs(x).max()) * 1.1 or 1.0
        line = np.linspace(-reach, reach, PLANE)
        points = np.stack(np.meshgrid(line, line[::-1]), axis=-1).reshape(-1, 2).astype(x.dtype)
        with quiet():
            out = lab.network.forward_checked(points, self._grid)
            if loss.classes:
                shares = softmax(out)
                values = 2 * shares[:, 1] - 1 if shares.shape[1] == 2 else 2 * shares[:, 0] - 1
            else:
                values = np.tanh(out[:, 0].astype(np.float64))
        targets = lab.probe.y.reshape(len(x), -1)
        labels = lab.probe.y if loss.classes else targets[:, 0] > 0 if targets.size else np.zeros(len(x), np.bool_)
        return Plane(
            values.reshape(PLANE, PLANE).astype(np.float32), (-reach, reach, -reach, reach), x, labels.astype(np.int64)
        )


def _labels(lab: Lab, count: int) -> tuple[str, ...]:
    """The names of the outputs: those of the classes, where there is an output for each."""
    names = lab.data.labels
    return names if len(names) == count else tuple(f"output {index}" for index in range(count))


@dataclass(frozen=True)
class _Look:
    """A block over the whole probe: output (examples, positions, units), with what stands on its units."""

    block: Block
    out: Array
    pre: Array | None
    limit: float
    saturated: Array
    dead: Array
    frozen: Array
    zeroed: Array

    @staticmethod
    def of(lab: Lab, block: Block) -> _Look:
        workspace, units = lab.probe.workspace, block.units
        out = workspace.behind(block.last)
        shaped = out.reshape(len(out), -1, units)
        saturated: Array = np.zeros(shaped.shape, np.bool_)
        dead: Array = np.zeros(units, np.bool_)
        if block.activation is not None:
            raw = workspace.buffers[block.last].out  # what the activation itself gave
            before = lab.probe.input_of(lab.network, block.last)
            saturated = block.activation.saturated(raw, before).reshape(shaped.shape)
            dead = np.asarray(block.activation.blocked(raw, before).reshape(-1, units).all(axis=0))
        zeroed = np.zeros(units, np.bool_)
        for entry in lab.interventions:
            if entry.site in (block.name, f"{block.name}.pre"):
                zeroed[list(entry.units)] = True
        kind = block.activation.kind if block.activation is not None else ""
        limit = 1.0 if kind in BOUNDED else _limit(shaped)
        pre = None if block.pre is None else workspace.behind(block.pre).reshape(shaped.shape)
        return _Look(
            block,
            shaped,
            pre,
            limit,
            saturated,
            dead,
            edits.frozen_units(lab.network, lab.state_now, block.name),
            zeroed,
        )

    def cells(self, example: int) -> BlockCells:
        return BlockCells(
            self.block.name,
            self.out[example].astype(np.float32),
            self.limit,
            self.frozen,
            self.zeroed,
            self.dead,
        )

    def activations(self, examples: tuple[str, ...]) -> Activations:
        return Activations(
            self.block.name,
            self.out.mean(axis=1).T.astype(np.float32),
            self.limit,
            np.asarray(self.saturated.all(axis=1)).T,
            self.dead,
            self.frozen,
            self.zeroed,
            examples,
        )


def _limit(values: Array) -> float:
    """The value of full colour: all but the largest hundredth lie within it."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.quantile(finite, 0.99)) or 1.0 if finite.size else 1.0


def _info(network: Network, block: Block) -> BlockInfo:
    layers = network.layers[block.first : block.last + 1]
    shape = network.known_shapes[block.last]
    inner = [n for n in shape[1:-1] if n is not None]
    return BlockInfo(
        block.name,
        ", ".join(map(repr, layers)),
        block.units,
        int(np.prod(inner)) if inner else 1,
        network.block_parameters(block),
        block.activation.kind if block.activation is not None else "",
        isinstance(layers[0], Linear | Embedding),
    )


def _status(lab: Lab, doing: Doing) -> Status:
    player = lab.player
    order, done = player.phase_order, player.phases_done
    hyper = lab.state_now.hyper
    moment = lab.moment
    here = moment.edits - player.branch.edits_through(moment.step - 1)
    probe_loss = float(lab.probe.losses_here(lab.recipe.training.loss).mean())
    return Status(
        recipe=lab.recipe.name,
        step=moment.step,
        end=lab.end,
        branch=lab.branch,
        edits_here=here,
        loss=lab.loss,
        probe_loss=probe_loss,
        lr=hyper.lr(moment.step),
        steps_per_second=doing.steps_per_second,
        mode=doing.mode,
        phase=str(order[done - 1]) if done else "",
        next_phase=str(order[done % len(order)]),
        phases_done=done,
        phases_total=len(order),
        unsaved=lab.unsaved,
        path=lab.path,
        seed=hyper.seed,
        dtype=lab.network.dtype.name,
        parameters=lab.network.theta.size,
        can_undo=bool(player.timeline.actions) or done > 0,
        can_redo=bool(player.timeline.undone),
        note=doing.note,
    )


def _strip(lab: Lab) -> TimelineStrip:
    player = lab.player
    branch = player.branch
    return TimelineStrip(
        lab.step_number,
        lab.end,
        tuple(
            Mark(placed.step, placed.edit.op, placed.edit.python(), index < lab.moment.edits)
            for index, placed in enumerate(branch.edits)
        ),
        tuple(sorted({entry.step for entry in branch.evaluations})),
        len(branch.keyframes),
        tuple(
            BranchLine(entry.name, entry.fork, len(entry.losses), entry is branch)
            for entry in player.timeline.branches.values()
        ),
    )


def _curve(lab: Lab, columns: int) -> LossCurve:
    """The losses of the branch, min, max and mean of each column."""
    values = lab.player.branch.losses.values
    starts = np.unique(np.linspace(0, len(values), min(columns, len(values)), endpoint=False).astype(np.int64))
    evaluations: dict[str, tuple[Array, Array]] = {}
    entries = [entry for entry in lab.player.branch.evaluations if not entry.clean]
    for split in sorted({entry.split for entry in entries}):
        chosen = [entry for entry in entries if entry.split == split]
        evaluations[split] = (np.array([e.step for e in chosen], np.int64), np.array([e.loss for e in chosen]))
    if not len(values):
        nothing = np.empty(0)
        return LossCurve(starts, nothing, nothing, nothing, evaluations, lab.step_number, lab.end)
    counts = np.diff([*starts, len(values)])
    return LossCurve(
        starts + 1,
        np.minimum.reduceat(values, starts),
        np.maximum.reduceat(values, starts),
        np.add.reduceat(values.astype(np.float64), starts) / counts,
        evaluations,
        lab.step_number,
        lab.end,
    )


def _inputs(network: Network, block: Block) -> tuple[str, ...]:
    """What each row of a block's matrix stands for."""
    first = network.layers[block.first]
    if isinstance(first, Embedding):
        return tuple(str(index) for index in range(first.vocabulary))
    count = first.inputs if isinstance(first, Linear) else 0
    before = [entry for entry in network.blocks if entry.units and entry.last < block.first]
    if not before:
        return tuple(f"x[{index}]" for index in range(count))
    giver = before[-1]
    if count == giver.units:
        return tuple(f"{giver.name}[{index}]" for index in range(count))
    return tuple(f"{giver.name}[{index % giver.units}]@{index // giver.units}" for index in range(count))


def _weights(network: Network, block: Block, look: _Look) -> Weights | None:
    first = network.layers[block.first]
    if not isinstance(first, Linear | Embedding):
        return None
    w = np.array(first.w, np.float32)
    rows = _inputs(network, block)
    bias = np.array(first.b, np.float32) if isinstance(first, Linear) and first.bias else None
    title = f"{block.name}.w ({w.shape[0]}, {w.shape[1]})"
    return Weights(block.name, title, w, _limit(w), bias, rows, look.frozen)


def _neuron(lab: Lab, block: Block, view: View, look: _Look) -> Neuron:
    network, unit, example = lab.network, view.unit, view.example
    first = network.layers[block.first]
    out = look.out[:, :, unit]
    listed: tuple[Contribution, ...] = ()
    weighted = bias = pre = None
    rest = 0.0
    if isinstance(first, Linear):
        x = (
            lab.probe.input_of(network, block.first)
            .reshape(len(look.out), -1, first.inputs)[example, -1]
            .astype(np.float64)
        )
        w = np.array(first.w[:, unit], np.float64)
        products = x * w
        order = np.argsort(-np.abs(products), kind="stable")
        rows = _inputs(network, block)
        listed = tuple(Contribution(rows[i], float(x[i]), float(w[i]), float(products[i])) for i in order[:TOP])
        weighted, rest = float(products.sum()), float(products[order[TOP:]].sum())
        bias = float(first.b[unit]) if first.bias else 0.0
        pre = float(look.pre[example, -1, unit]) if look.pre is not None else weighted + bias
    clean = lab.probe.workspace.buffers[block.last].out.reshape(look.out.shape)[example, -1, unit]
    standing = tuple(
        entry.op + (" before the activation" if entry.site.endswith(".pre") else "")
        for entry in lab.interventions
        if entry.site in (block.name, f"{block.name}.pre") and unit in entry.units
    )
    return Neuron(
        block=block.name,
        unit=unit,
        name=f"{block.name}[{unit}]",
        activation=block.activation.kind if block.activation is not None else "",
        bias=bias,
        weighted=weighted,
        pre=pre,
        value=float(out[example, -1]),
        clean=float(clean),
        contributions=listed,
        rest=rest,
        outgoing=_outgoing(lab, block, unit),
        frozen=bool(look.frozen[unit]),
        interventions=standing,
        dead=bool(look.dead[unit]),
        saturated=bool(look.saturated[example, -1, unit]),
        saturated_share=float(look.saturated[:, :, unit].mean()),
        mean=float(out.mean()),
        std=float(out.std()),
        gradient=_gradient(lab, block, unit),
    )


def _outgoing(lab: Lab, block: Block, unit: int) -> tuple[tuple[str, float], ...]:
    """The weights with which the next block takes up this unit, largest first."""
    network = lab.network
    after = [entry for entry in network.blocks if entry.first > block.last and entry.units]
    layer = network.layers[after[0].first] if after else None
    if not isinstance(layer, Linear):
        return ()
    rows = [index for index in range(layer.inputs) if index % block.units == unit]
    w = np.array(layer.w[rows], np.float64)
    order = np.argsort(-np.abs(w), axis=None, kind="stable")[:TOP]
    is_last = after[0] is network.blocks[-1]
    named = []
    for flat in order:
        row, column = divmod(int(flat), w.shape[1])
        name = f"{after[0].name}[{column}]"
        if is_last and column < len(lab.data.labels):
            name += f" {lab.data.labels[column]}"
        named.append((name + (f"@{row}" if len(rows) > 1 else ""), float(w[row, column])))
    return tuple(named)


def _gradient(lab: Lab, block: Block, unit: int) -> float | None:
    """Mean gradient at this unit's output over the batch of a half-done step, once backward has come past it."""
    player = lab.player
    order = player.phase_order
    at = [index for index, phase in enumerate(order) if str(phase) == f"backward {lab.network.layers[block.last].name}"]
    if not at or player.phases_done <= at[0]:
        return None
    gradient = player.trainer.workspace.buffers[block.last].dout
    return float(gradient.reshape(-1, block.units)[:, unit].mean())
