"""Compares two branches or saves: where they part, whether they saw the same batches, and how far apart they are."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import numpy as np

from tinynets.errors import TimelineError, nearest
from tinynets.experiment.experiment import Experiment
from tinynets.experiment.probe import Probe
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment
from tinynets.jobs import Job, Progress
from tinynets.measure.comparison import BlockDistance, Comparison, Disagreement, Side
from tinynets.measure.unit_numbers import shared_edits
from tinynets.measure.weight_matrix import incoming, row_names
from tinynets.nn.block import Block
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.numerics.checks import check_whole
from tinynets.numerics.special import softmax
from tinynets.recipes.recipe import MAX_STEPS
from tinynets.storage.paths import SUFFIX
from tinynets.storage.saves import open_experiment
from tinynets.system.paths import expanded
from tinynets.training.state import State, network_of


@dataclass(frozen=True)
class BranchRef:
    """A branch of a run, its name here, and the run's file, which may be empty."""

    experiment: Experiment
    branch: Branch
    name: str
    path: str = ""

    @property
    def end(self) -> Moment:
        """Its seen end, or the lab's position among the edits there."""
        return self.moment(self.branch.seen_end.step)

    def moment(self, step: int) -> Moment:
        """The moment of a step: the lab's position if it is there, else after the edits that were not undone."""
        here, seen = self.experiment.moment, self.branch.seen_end
        for known in (here, seen):
            if (known.branch, known.step) == (self.branch.number, step):
                return known
        return Moment(self.branch.number, step, self.branch.edits_through(step))

    def place_of(self, moment: Moment) -> str:
        """Which moment of its step this is, in words, if edits there were undone or lie ahead; else empty."""
        undone_to = self.branch.undone_to
        count = self.branch.edits_through(moment.step) - moment.edits
        if count:
            why = "undone" if undone_to is not None and moment[1:] >= undone_to else "ahead of where the lab stands"
            return f"before {count} edit{'s' if count > 1 else ''} of that step, {why}"
        again = 0 if undone_to is None else moment.edits - undone_to[1]
        return f"with {again} edit{'s that were' if again > 1 else ' that was'} undone" if again > 0 else ""


def resolve_branch(experiment: Experiment, path: str, name: str) -> BranchRef:
    """A branch of a run with the file `path`, or of a save if the name is a path."""
    if not isinstance(name, str):
        raise TimelineError(f"a branch is called by its name, not {name!r}")
    branches = [branch.name for branch in experiment.timeline.branches.values()]
    if name in branches:
        return BranchRef(experiment, experiment.timeline.named(name), name, path)
    if SUFFIX in name or os.path.exists(expanded(name)):
        return branch_of_save(name)
    known = ", ".join(branches)
    raise TimelineError(f"`{name}` is neither a branch, only {known}, nor a save{nearest(name, branches)}")


def branch_of_save(source: str) -> BranchRef:
    """A branch of a save, `FILE:BRANCH`, or its current one, `FILE`."""
    source = expanded(source)
    path, colon, branch = source.rpartition(":")
    if not colon or os.path.exists(source):
        path, branch = source, ""
    if not os.path.exists(path):
        raise TimelineError(f"`{path}`: there is no such save")
    experiment = open_experiment(path)
    timeline = experiment.timeline
    found = timeline.named(branch) if branch else experiment.branch
    short = os.path.basename(path)
    return BranchRef(experiment, found, f"{short}:{found.name}" if len(timeline.branches) > 1 else short, path)


def compare_branches(a: BranchRef, b: BranchRef, step: int | None = None) -> Job[Comparison]:
    """The comparison of two branches, as a job; neither run moves."""
    common = min(a.end.step, b.end.step)
    if step is not None:
        check_whole("step", step, 0, MAX_STEPS)
        short = min(a, b, key=lambda ref: len(ref.branch.losses))
        last = len(short.branch.losses)
        if step > last:
            raise TimelineError(f"step {step:,} is not recorded on `{short.name}`, which ends at step {last:,}")
        common = int(step)
    if a.name == b.name and a.experiment is not b.experiment:
        a, b = replace(a, name=_long_name(a)), replace(b, name=_long_name(b))
    if a.name == b.name and a.experiment is not b.experiment:
        a, b = replace(a, name=f"{a.name} (1)"), replace(b, name=f"{b.name} (2)")
    moments = a.moment(common), b.moment(common)
    first = yield from a.experiment.state_at(moments[0])
    second = yield from b.experiment.state_at(moments[1])
    yield Progress(common, common, "steps")
    return _compared(a, b, moments, first, second)


def _long_name(ref: BranchRef) -> str:
    return f"{ref.path or ref.experiment.recipe.name}:{ref.branch.name}"


def _compared(a: BranchRef, b: BranchRef, moments: tuple[Moment, Moment], first: State, second: State) -> Comparison:
    step = moments[0].step
    first_difference, difference = _parting(a, b, *(max(ref.end, at) for ref, at in zip((a, b), moments, strict=True)))
    same, batches = _batches(a, b, first, second)
    ours, theirs = _network(a, first), _network(b, second)
    pairs, unlike = _pairs(a, b, ours, theirs)
    of_a = _length(np.concatenate([np.empty(0), *(_parameters(ours, one) for one, _ in pairs)]))
    probe = replace(a.experiment.probe, workspace=Workspace())
    loss = a.experiment.loss
    same_probe = a.experiment.data.sha256 == b.experiment.data.sha256 and loss.config() == b.experiment.loss.config()
    disagreement = None
    if not same_probe:
        unlike.append("the data or the losses are other ones: each was measured on its own probe, the outputs were not")
    out_a, side_a = _side(a, moments[0], first, ours, probe)
    others = probe if same_probe else replace(b.experiment.probe, workspace=Workspace())
    means_a = _means(ours, probe)
    out_b, side_b = _side(b, moments[1], second, theirs, others)
    means = (means_a, _means(theirs, others)) if same_probe else None
    blocks = tuple(_side_by_side(a, _distance(ours, theirs, *pair), (ours, theirs), pair, means) for pair in pairs)
    distance = _length(np.array([entry.distance for entry in blocks]))
    if same_probe and out_a.shape != out_b.shape:
        unlike.append(f"the outputs have shapes {out_a.shape[1:]} and {out_b.shape[1:]}")
    elif same_probe:
        disagreement = _disagreement(probe, loss, out_a, out_b)
    return Comparison(
        a=side_a,
        b=side_b,
        step=step,
        first_difference=first_difference,
        difference=difference,
        same_batches=same,
        batches=batches,
        blocks=blocks,
        distance=distance,
        relative=_relative(distance, of_a),
        unlike=tuple(unlike),
        disagreement=disagreement,
    )


# -- where they part


def _parting(a: BranchRef, b: BranchRef, end_a: Moment, end_b: Moment) -> tuple[int | None, str]:
    """The first step at which two branches, up to these ends, differ, and what differs there."""
    ours, theirs = a.branch, b.branch
    if ours.keyframes[0, 0].digest() != theirs.keyframes[0, 0].digest():
        return 0, "they start from different states"
    both = min(end_a.step, end_b.step)
    unequal = np.flatnonzero(ours.losses.part(0, both) != theirs.losses.part(0, both))
    of_loss = int(unequal[0]) + 1 if unequal.size else None
    edited = _first_edit(a, b, end_a.edits, end_b.edits)
    if edited is not None and edited[0] <= both and (of_loss is None or edited[0] < of_loss):
        return edited
    if of_loss is not None:
        values = [ref.branch.losses.part(of_loss - 1, of_loss)[0] for ref in (a, b)]
        return of_loss, f"loss of step {of_loss:,}: {values[0]:.6g} and {values[1]:.6g}"
    longer, end = max((a, end_a), (b, end_b), key=lambda found: found[1].step)
    goes_on = f"; {longer.name} goes on to step {end.step:,}" if both < end.step else ""
    return None, f"nowhere: the same edits and losses through step {both:,}{goes_on}"


def _first_edit(a: BranchRef, b: BranchRef, count_a: int, count_b: int) -> tuple[int, str] | None:
    """The first edit at which the two differ, among so many of each: its step, and the difference in words."""
    first, second = a.branch.edits[:count_a], b.branch.edits[:count_b]
    same = shared_edits(first, second)
    ours, theirs = (entries[same] if same < len(entries) else None for entries in (first, second))
    if ours is not None and theirs is not None and ours.step == theirs.step:
        both = f"{a.name} {ours.edit.python()}, {b.name} {theirs.edit.python()}"
        return ours.step, f"edits at step {ours.step:,}: {both}"
    if ours is not None and (theirs is None or ours.step < theirs.step):
        return ours.step, f"edit at step {ours.step:,} on {a.name}: {ours.edit.python()}"
    if theirs is not None:
        return theirs.step, f"edit at step {theirs.step:,} on {b.name}: {theirs.edit.python()}"
    return None


def _batches(a: BranchRef, b: BranchRef, first: State, second: State) -> tuple[bool, str]:
    """Whether every step of both trains on the same batch, which depends only on data, seed, size and sampling."""
    draws: list[dict[str, str | int]] = [
        {
            "data": ref.experiment.data.sha256,
            "seed": state.hyper.seed,
            "batch": state.hyper.batch,
            "sampling": state.hyper.sampling,
        }
        for ref, state in ((a, first), (b, second))
    ]
    ours, theirs = draws
    shown = [{**draw, "data": f"{ref.experiment.data.sha256[:8]}..."} for ref, draw in zip((a, b), draws, strict=True)]
    unequal = [name for name in ours if ours[name] != theirs[name]]
    if unequal:
        return False, "others: " + ", ".join(f"{name} {shown[0][name]} and {shown[1][name]}" for name in unequal)
    known = shown[0]
    return True, (
        f"the same at every step (data {known['data']}, seed {known['seed']}, {known['batch']} examples each, "
        f"sampling {known['sampling']})"
    )


# -- how far apart they are


def _network(ref: BranchRef, state: State) -> Network:
    return network_of(state, ref.experiment.probe.x.shape[1:])


def _pairs(a: BranchRef, b: BranchRef, ours: Network, theirs: Network) -> tuple[list[tuple[Block, Block]], list[str]]:
    """The blocks with parameters that both have in the same shape; and the differences in words."""
    others = {block.name: block for block in theirs.blocks}
    pairs, unlike = [], []
    for block in ours.blocks:
        other = others.pop(block.name, None)
        if other is None:
            unlike.append(f"only {a.name} has `{block.name}`")
            continue
        shapes, other_shapes = _shapes(ours, block), _shapes(theirs, other)
        if shapes != other_shapes:
            unlike.append(
                f"`{block.name}` has {_shapes_text(shapes)} on {a.name}, {_shapes_text(other_shapes)} on {b.name}"
            )
        elif ours.block_parameters(block):
            pairs.append((block, other))
        kinds = [repr(entry.activation) if entry.activation else "none" for entry in (block, other)]
        if kinds[0] != kinds[1]:
            unlike.append(f"`{block.name}` has the activation {kinds[0]} on {a.name}, {kinds[1]} on {b.name}")
    return pairs, [*unlike, *(f"only {b.name} has `{name}`" for name in others)]


def _shapes(network: Network, block: Block) -> list[tuple[str, tuple[int, ...]]]:
    return [
        (entry.name, tuple(entry.shape))
        for layer in network.layers[block.first : block.last + 1]
        for entry in layer.parameters()
    ]


def _shapes_text(shapes: list[tuple[str, tuple[int, ...]]]) -> str:
    return " ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes) or "no parameters"


def _parameters(network: Network, block: Block) -> Array:
    return network.theta[network.block_slice(block)].astype(np.float64)


def _distance(ours: Network, theirs: Network, block: Block, other: Block) -> BlockDistance:
    first = _parameters(ours, block)
    apart = _parameters(theirs, other) - first
    start = ours.block_slice(block).start
    owned = [ours.unit_indices(block, [unit]) - start for unit in range(block.units)]
    units = np.array([_length(apart[places]) for places in owned] if any(map(len, owned)) else [])
    lengths = [_length(first[places]) for places in owned][: len(units)]
    relative = np.array([_relative(unit, length) for unit, length in zip(units, lengths, strict=True)])
    distance = _length(apart)
    return BlockDistance(block.name, apart.size, distance, _relative(distance, _length(first)), units, relative)


def _means(network: Network, probe: Probe) -> dict[str, Array]:
    """Block -> (units,) the mean output of each unit in the last forward of the probe, over examples and positions."""
    means = {block.name: probe.values(network, block).mean(axis=(0, 1)) for block in network.blocks if block.units}
    return {name: values.copy() for name, values in means.items()}


def _side_by_side(
    a: BranchRef,
    found: BlockDistance,
    networks: tuple[Network, Network],
    pair: tuple[Block, Block],
    means: tuple[dict[str, Array], dict[str, Array]] | None,
) -> BlockDistance:
    """The same distance with what the units of the block do and have in both."""
    name = found.block
    values = (means[0][name], means[1][name]) if means is not None and name in means[0] else None
    ours, theirs = (
        incoming(network.layers[block.first], block.units) for network, block in zip(networks, pair, strict=True)
    )
    if ours is None or theirs is None:
        return replace(found, values=values)
    return replace(found, values=values, weights=(ours, theirs), rows=_row_names(a.experiment, name, len(ours)))


def _row_names(experiment: Experiment, name: str, count: int) -> tuple[str, ...]:
    """The names of the rows of a block's weights; numbers if the network as it is now has other ones."""
    live = next((block for block in experiment.network.blocks if block.name == name and block.units), None)
    named = row_names(experiment, live) if live is not None else []
    return tuple(named) if len(named) == count else tuple(map(str, range(count)))


def _length(vector: Array) -> float:
    return float(np.sqrt(vector.dot(vector)))


def _relative(distance: float, length: float) -> float:
    return distance / length if length else 0.0 if not distance else float("inf")


def _side(ref: BranchRef, moment: Moment, state: State, network: Network, probe: Probe) -> tuple[Array, Side]:
    """The outputs of a state on the probe, and its side of the comparison."""
    loss = ref.experiment.loss
    out = probe.forward(network).copy()
    losses = ref.branch.losses.part(0, len(ref.branch.losses)).copy()
    standing = tuple(str(entry) for entry in state.interventions)
    return out, Side(
        ref.name,
        len(losses),
        losses,
        float(probe.losses_here(loss).mean()),
        probe.accuracy_here(loss),
        state.digest(),
        standing,
        ref.place_of(moment),
    )


def _disagreement(probe: Probe, loss: Loss, ours: Array, theirs: Array) -> Disagreement:
    with ignore_warnings():
        if loss.classes:
            other = ours.argmax(axis=-1) != theirs.argmax(axis=-1)
            apart = np.abs(softmax(ours) - softmax(theirs))
        else:
            hits = [loss.right(out, probe.y) for out in (ours, theirs)]
            other = None if hits[0] is None or hits[1] is None else hits[0] != hits[1]
            apart = np.abs(ours.astype(np.float64) - theirs)
    return Disagreement(
        len(probe.x),
        probe.split,
        "probabilities" if loss.classes else "outputs",
        None if other is None else float(np.mean(other)),
        float(apart.mean()),
        float(apart.max(initial=0.0)),
    )
