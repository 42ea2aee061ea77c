"""Views (what the app looks at) and frames (what it shows), as plain data; one file because a Frame holds all of it.

The app sends a View; the server answers with Frames. Neither holds a Lab, a Network or a layer, so both can be sent to
another process, and a widget can be tested with a handmade Frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinynets.measure.explanation import Contribution
from tinynets.measure.lens_names import AUTO
from tinynets.measure.weight_places import MatrixPart

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]
Codes = NDArray[np.int8]

CURVES = ("loss", "rate", "updates")
"""What the loss pane can show: the training loss, the learning rate, or how far an update moves the parameters."""

PANES = ("network", "units", "weights", "activations", "loss", "neuron", "output", "examples", "log")
"""In the order of their numbers."""

NOTHING, SEVERAL = 0, 1
"""Codes of interventions for none and for several; the codes of the kinds follow."""
FREE, PARTLY, FROZEN = 0, 1, 2
"""Codes of `Standing.frozen`."""


@dataclass(frozen=True)
class OwnInput:
    """An input that the user gives, shown as one more example of the probe, which itself stays as it is."""

    given: str = ""
    """A text, numbers, or values by name, as `lab.predict` takes them."""
    split: str = ""
    """With a split: its example of that number."""
    example: int = 0
    words: str = ""
    """What it is called, if not by what was given: `drawn`."""


@dataclass(frozen=True)
class View:
    """What the app looks at. Names that no longer exist fall back to the first block, numbers to the nearest."""

    block: str = ""
    """Selected block; empty: the server chooses the first hidden one."""
    unit: int = 0
    """Selected unit of that block (last axis of its output)."""
    example: int = 0
    """Selected probe example."""
    panes: tuple[str, ...] = PANES
    """Panes that are visible: others are not computed and arrive as None."""
    plot_columns: int = 100
    """The loss curve has at most this many columns."""
    terms: int = 12
    """How many of a unit's terms, and of its outgoing weights, are listed."""
    own: OwnInput | None = None
    """An input of the user's own: the selected example, in place of `example`."""
    split: str = ""
    """The split whose examples the Examples pane lists; empty: the probe's."""
    samples: int = 10
    """How many texts are generated, where the data are text."""
    temperature: float = 1.0
    """How wild they are: 0 takes the most likely character each time."""
    frame_rate: int = 10
    """The most frames a second while running."""
    batch_example: int = 0
    """Selected example of the batch, which is shown in mid-step."""
    lens: str = AUTO
    """What the panes are painted with: value, gradient, change, importance; or what fits the phase."""
    against: str | int = ""
    """Since when a change is measured: a bookmark, a branch, a step; empty: the last update."""
    every_unit: bool = False
    """The Units pane lists the units of all blocks, not of the selected one alone."""
    log_row: int = -1
    """The row of the log that is looked at; -1: the present one."""
    log_rows: int = 60
    """How many rows of the log are sent, around that one."""
    window: int = 0
    """How many steps the loss curve and the timeline show; 0: all of this branch, as it grows."""
    until: int | None = None
    """The last step that they show; None: the newest."""
    curve: str = "loss"
    """What the loss pane shows: one of `CURVES`."""

    pixels: tuple[int, int] = (8, 8)
    """How many points high and wide the picture of each unit is, where a net is drawn as a net."""
    answer: int = 0
    """The points on each side of the network's answer beside the net; 0 where it has no room."""
    portrait: int = 24
    """The points on each side of the selected unit's picture in the Neuron pane."""
    plane: int = 33
    """The points on each side of the decision plane in the Output pane."""

    def span(self, end: int) -> tuple[int, int]:
        """The steps shown of a branch that ends at a step: those after the first number, through the second."""
        if not self.window:
            return 0, max(1, end)
        last = max(end, self.window) if self.until is None else max(1, self.until)
        return max(0, last - self.window), last


class PhaseMark(NamedTuple):
    """A phase of a step, in the order in which they come."""

    kind: str
    """batch, forward, loss, backward, update."""
    layer: str
    """Empty for a phase of no layer."""
    block: str
    """The block of that layer."""

    @property
    def name(self) -> str:
        """Its name in commands: `backward hidden`."""
        return f"{self.kind} {self.layer}".rstrip()

    @property
    def label(self) -> str:
        """The name in few letters: that of its layer, without the container's."""
        return self.layer.rpartition(".")[2] or self.kind


class BreakpointMark(NamedTuple):
    """A breakpoint: where runs stop."""

    number: int
    text: str
    at_phase: bool
    on: bool
    rests: str
    """Why the network as it is now never gets there; empty if it may."""


@dataclass(frozen=True)
class Status:
    """The header: the run's position, and what it is doing."""

    recipe: str
    """Name of the recipe, or of the network when built from Python."""
    step: int
    """Steps done at this moment."""
    end: int
    """Last recorded step of this branch; `step < end` means that this moment is in the past."""
    branch: str
    edits_here: int
    """Edits applied at this very step."""
    loss: float | None
    """Training loss of the last step; None before the first."""
    probe_loss: float | None
    lr: float
    """Base learning rate times the schedule, as the next step will use it."""
    steps_per_second: float
    mode: str
    """paused, running, playing, rewinding."""
    phase: str
    """During a step: the phase just done ("forward hidden"); else empty."""
    next_phase: str
    """The phase that `n` would do next."""
    phases_done: int
    phases_total: int
    unsaved: bool
    """Something was done since the last save."""
    path: str
    """File of the last save or load; may be empty."""
    seed: int
    dtype: str
    parameters: int
    can_undo: bool
    can_redo: bool
    note: str = ""
    """A message of the server: why a run stopped (NaN), or the cost of a seek; empty without one."""
    batch_loss: float | None = None
    """During a step: the loss of its batch, once the phase `loss` is done."""
    phase_kind: str = ""
    """During a step: what was just done: batch, forward, loss, backward or update."""
    phase_block: str = ""
    """The block in which it was done; empty for a phase of no block."""
    read_only: bool = False
    """The file is open in another lab: it can be saved under another name only."""
    named_path: str = ""
    """The file that a recovered journal names to save to; the user is asked."""
    still: str = ""
    """Why the next step changes no parameter: the learning rate is 0, everything is frozen; empty if one does."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The settings that `set` changes, as they are now, as one would type them."""
    evaluated: tuple[str, int, float] | None = None
    """The last evaluation up to this moment: split, step and loss; that of `dev` if there is one."""
    phases: tuple[PhaseMark, ...] = ()
    """All phases of a step of this network."""
    breakpoints: tuple[BreakpointMark, ...] = ()


@dataclass(frozen=True)
class LensInfo:
    """What the panes are painted with. The loss is the mean over the examples."""

    name: str = "value"
    by_hand: bool = False
    """It was chosen by hand, and does not follow the phases of a step."""
    units: str = "output"
    """What is shown of units: `d loss / d output`."""
    weights: str = "w"
    """What is shown of weights: `d loss / d w`."""
    of: str = ""
    """Of which loss, or since when: `of the probe's loss`; why there is no change to show."""


@dataclass(frozen=True)
class BlockInfo:
    """One block of the network, or a layer without units between blocks (Flatten): its outline."""

    name: str
    summary: str
    """`Linear(30, 200), Tanh`."""
    units: int
    """0 for a layer without units."""
    positions: int
    """Rows of the output before the last axis (3 for an embedding of 3 characters, time steps, pixels), else 1."""
    parameters: int
    activation: str
    """`tanh`, `relu`, `sigmoid` or empty."""
    has_weights: bool
    image: tuple[int, int] | None = None
    """Height and width, where positions are pixels, row by row."""
    learned: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """The parameters that selectors can name: `w` and its shape."""
    pre: bool = False
    """Whether there is a sum before an activation, for interventions."""
    timed: bool = False
    """Whether positions are time steps, each with interventions of its own."""
    carries: bool = False
    """Whether units carry something from step to step, which `reset` takes back to its start."""
    resizable: bool = False
    """Whether `prune` and `grow` can change how many units there are."""
    removable: tuple[str, ...] = ()
    """The layers of it that `remove` takes."""
    insertable: tuple[str, ...] = ()
    """The kinds of layers that `insert` puts behind it."""
    signed: bool = True
    """Whether its weights determine the sign of its output, so that `sign_flip` can flip it."""


@dataclass(frozen=True)
class Standing:
    """Interventions on the units of a block, whether they learn, and their numbers; each (units,)."""

    output: Codes
    """The intervention on the output, an index into `kinds`; for a sequence, the one at every time step."""
    before: Codes
    """The intervention before the activation."""
    frozen: Codes
    """FREE, PARTLY (some of what the unit has learned) or FROZEN."""
    rate: Floats
    """The factor on its learning rate."""
    numbers: NDArray[np.int64]
    """Numbers that stay a unit's own when others are pruned or grown."""
    timed: Mapping[int, Codes] = field(default_factory=dict)
    """Time step -> the intervention on the output at that step alone, for steps that have one."""
    kinds: tuple[str, ...] = ("", "several")
    """The meaning of the codes of interventions: NOTHING, SEVERAL, then each kind."""

    @staticmethod
    def none(units: int) -> Standing:
        codes = np.zeros(units, np.int8)
        return Standing(codes, codes, codes, np.ones(units), np.arange(units))

    @property
    def op(self) -> Codes:
        """The intervention at either site; `several` if both have one."""
        return _together(self.output, self.before)

    def at(self, time: int) -> Standing:
        """The interventions at one time step: those there alone, and those at every step."""
        there = self.timed.get(time)
        return replace(self, output=self.output if there is None else _together(self.output, there), timed={})

    def anywhere(self) -> Standing:
        """The interventions at any time step, combined: the same kind at all of them, or several."""
        found = np.zeros_like(self.output)
        for there in self.timed.values():
            found = np.where((found > 0) & (there > 0) & (found != there), np.int8(SEVERAL), np.maximum(found, there))
        return replace(self, output=_together(self.output, found), timed={})


def _together(one: Codes, other: Codes) -> Codes:
    return np.where((one > 0) & (other > 0), np.int8(SEVERAL), np.maximum(one, other))


@dataclass(frozen=True)
class BlockCells:
    """The units of a block on the selected example, through the lens."""

    name: str
    values: Floats
    """(positions, units); NaN for units that have no counterpart to be compared with."""
    limit: float
    """The value of full colour: colours run from -limit to +limit."""
    dead: Mask
    """(units,) over the whole probe."""
    missing: str = ""
    """Why there are no values (they are NaN then): `not yet`; empty if there are."""
    words: str = ""
    """What the values are, if it is not what the lens shows elsewhere."""


@dataclass(frozen=True)
class Weights:
    """A block's weights as one matrix, (in, out): column j holds the incoming weights of unit j.

    A convolution's kernel is arranged as (kernel positions x channels, out), gates are below one another, and input
    weights above recurrent ones; a normalization has two rows, gain and shift.
    """

    block: str
    title: str
    """`hidden.w (30, 200)`, `rnn.w_ih + rnn.w_hh (80, 64)`."""
    values: Floats
    limit: float
    bias: Floats | None
    """(out,) the bias of each unit's sum, or None (gates have biases of their own)."""
    rows: tuple[str, ...]
    """The name of each row: `embed[2]@0`, a character for an embedding, `f rnn[2]@t-1` for a gate."""
    held: Mask | None = None
    """(in, out) the weights frozen one by one, in units that are not frozen whole; None if there are none."""
    missing: str = ""
    """Why there is nothing to show of them through the lens (they are NaN then); empty if there is."""
    parts: tuple[MatrixPart, ...] = ()
    """The parameters whose elements are the rows, in their order."""
    biases: tuple[str, ...] = ()
    """The names of the parameters that come to `bias`."""
    column: Floats | None = None
    """(in,) the weights themselves of the view's unit, whatever the lens shows."""
    own_bias: float = 0.0
    """The bias itself of that unit; 0 without one."""


@dataclass(frozen=True)
class Activations:
    """A block's output through the lens, units x examples: those of the probe, or in mid-step of the batch."""

    block: str
    values: Floats
    """(units, examples); positions of an embedding are averaged, of importance summed."""
    limit: float
    saturated: Mask
    """(units, examples); none through another lens than that of values."""
    dead: Mask
    """(units,)."""
    examples: tuple[str, ...]
    """A short text for each example: `.em`, or `(0.3, -1.2)`."""
    missing: str = ""
    """Why there are no values (they are NaN then): `not yet`; empty if there are."""
    losses: Floats | None = None
    """(examples,) the loss of each, right after the phase that computes it; else None."""


@dataclass(frozen=True)
class BranchCurve:
    """The loss of another branch behind the step at which it parts from this one: its average in each column."""

    name: str
    steps: NDArray[np.int64]
    """(columns,) first step of each column."""
    mean: Floats


@dataclass(frozen=True)
class Units:
    """Units over the probe, one row a unit: those of the selected block, or of all. All but `bins` are (rows,)."""

    blocks: tuple[str, ...]
    """The blocks, in the order of their rows."""
    block: NDArray[np.int64]
    """The block of each row, an index into `blocks`."""
    unit: NDArray[np.int64]
    bins: Floats
    """(rows, columns) what the lens shows of the unit on the examples in their order, several in each column; NaN if
    there is nothing yet."""
    limit: Floats
    """The value of a full bar of `bins`."""
    mean: Floats
    std: Floats
    flat: Floats
    """The share of examples on which its activation is saturated, or off; NaN without a single activation."""
    dead: Mask
    gradient: Floats
    """Mean over the examples of |d loss / d output|, of each example's own loss; NaN if no gradient gets there."""
    change: Floats
    """Change of all that it has learned by the last update, as a share of its size; NaN if that is not known."""
    worth: Floats
    """By how much the loss rises without it; NaN as long as that was not measured."""
    worth_holds: Mask
    """Whether that was measured at this very moment."""
    measured: tuple[str, ...]
    """For each block, on what and when its worth was measured; empty if it was not."""
    off: tuple[bool, ...]
    """For each block, whether its activation can only be off, as a ReLU, rather than saturated."""


@dataclass(frozen=True)
class LossCurve:
    """The training loss of this branch, decimated: min, max and mean of each column.

    As a curve of the learning rate, all of these are the rate at the first step of the column.
    """

    steps: NDArray[np.int64]
    """(columns,) first step of each column."""
    low: Floats
    high: Floats
    mean: Floats
    evaluations: dict[str, tuple[NDArray[np.int64], Floats]] = field(default_factory=dict)
    """Split -> (steps, losses)."""
    step: int = 0
    """The present step."""
    end: int = 0
    shown: tuple[int, int] = (0, 0)
    """The range of steps asked for: those after the first number, through the second; (0, 0): all."""
    average: Floats | None = None
    """(columns,) the mean over the column and `around` others on either side; None if that is the mean itself."""
    around: int = 0
    others: tuple[BranchCurve, ...] = ()
    """The curves of other branches, each from where it parts from this one."""
    left_out: int = 0
    """How many branches more there are in this range."""
    kind: str = "loss"
    """One of `CURVES`."""
    updates: dict[str, tuple[NDArray[np.int64], Floats]] = field(default_factory=dict)
    """Block -> (steps, log10 of the update's size over the parameters'), for the steps at which it was measured."""

    @property
    def span(self) -> tuple[int, int]:
        """The steps shown: those after the first number, through the second."""
        return self.shown if self.shown[1] else (0, max(1, self.end))

    @property
    def ends(self) -> NDArray[np.int64]:
        """(columns,) last step of each column."""
        last = min(self.end, self.span[1])
        return np.append(self.steps[1:] - 1, last)[: len(self.steps)]

    @property
    def single(self) -> bool:
        """Whether each column is one step, so that what is drawn is the losses themselves."""
        return bool((self.ends <= self.steps).all())


@dataclass(frozen=True)
class StandingIntervention:
    """An intervention on the selected unit."""

    op: str
    amount: float | None = None
    """Value, factor or sigma; None without one."""
    before: bool = False
    """Before the activation."""
    time: int | None = None
    """At one time step; None: at all."""

    def __str__(self) -> str:
        amount = "" if self.amount is None else f" {self.amount:g}"
        time = "" if self.time is None else f" at t={self.time}"
        return f"{self.op}{amount}{' before the activation' if self.before else ''}{time}"


@dataclass(frozen=True)
class UnitPicture:
    """What a unit responds to, as a picture: (rows, columns), or one for each channel, (channels, rows, columns)."""

    kind: str
    """`response` over the plane of two inputs, `field` of the weights that see an image, `kernel` of a convolution."""
    values: Floats
    limit: float
    caption: str
    at: tuple[float, float] | None = None
    """Where the selected example is on the plane: shares of its height from the top, and of its width."""


@dataclass(frozen=True)
class Scatter:
    """The rows of a table of vectors as points of a plane, each with its label."""

    points: Floats
    """(rows, 2) along the first two principal components of the rows."""
    labels: tuple[str, ...]
    entries: Floats
    """(rows,) the selected unit's entry in each."""
    shares: tuple[float, float]
    """How much of the rows' variance each component holds, 0 to 1."""


@dataclass(frozen=True)
class Neuron:
    """The selected unit on the selected example: how it gets its value, and where that goes."""

    block: str
    unit: int
    name: str
    """`hidden[3]`."""
    activation: str
    """Name of the activation, or empty."""
    bias: float | None
    weighted: float | None
    """sum of w.x; None for a block without one (embedding), or one that normalizes it before the activation."""
    pre: float | None
    """w.x + b before the activation, normalized if the block does that (with interventions)."""
    value: float
    """The block's output (with interventions)."""
    clean: float
    """What the output would be without the interventions on this block."""
    contributions: tuple[Contribution, ...]
    """Largest |product| first, as many as the view asks for."""
    rest: float
    """Sum of the products that are not listed."""
    outgoing: tuple[tuple[str, float], ...]
    """(`output[5] e`, weight), largest |weight| first, as many as the view asks for; empty at the last block."""
    frozen: float
    """The share of what it has learned that is frozen, 0 to 1."""
    interventions: tuple[StandingIntervention, ...]
    """In the order in which they were made."""
    dead: bool
    saturated: bool
    """On this example."""
    saturated_share: float | None
    """Over the probe, 0 to 1; None without a single activation (gates, heads, a table of vectors)."""
    mean: float
    std: float
    gradient: float | None
    """d loss / d output of this unit, on the training batch of the half-done step, averaged; None otherwise."""
    position: int = 0
    """The position in the block's output: the last one of a sequence, the largest value of an image."""
    pattern: Floats | None = None
    """(T, T) for an attention head: row t holds the attention weights of position t."""
    places: Floats | None = None
    """The unit at every position of the selected example: (T,) for a sequence, (h, w) for an image, else None."""
    rate: float = 1.0
    """The factor on its learning rate."""
    batch_mean: float | None = None
    """Mean output of this unit over the training batch of the half-done step, once forward has passed it; else None."""
    gradient_here: float | None = None
    """The same gradient on the selected example of the batch alone."""
    state: str = ""
    """held, dead, saturated, frozen, constant, broken (not finite) or healthy."""
    verdict: str = ""
    """What is the matter with it and why, in a sentence."""
    picture: UnitPicture | None = None
    """What it responds to, as a picture."""
    parts: tuple[MatrixPart, ...] = ()
    """The parameters that hold the weights of its terms, in the order of their rows."""
    biases: tuple[str, ...] = ()
    """The names of the parameters that come to its bias."""
    scatter: Scatter | None = None
    """For a unit of a table of vectors: the whole table."""


@dataclass(frozen=True)
class Plane:
    """A two-dimensional input space, coloured by the network's prediction at each point."""

    values: Floats
    """(rows, columns), first row on top; -1 to 1: probability or output, centred."""
    extent: tuple[float, float, float, float]
    """x0, x1, y0, y1."""
    points: Floats
    """(n, 2) probe inputs."""
    labels: NDArray[np.int64]
    """(n,)."""


@dataclass(frozen=True)
class MapGrid:
    """A self-organizing map, with each unit at its place: unit j at row j // columns, column j % columns."""

    values: Floats
    """(rows, columns) mean distance of a unit's prototype to its neighbours' (the U-matrix)."""
    best: tuple[int, int]
    """The row and column of the unit nearest to the selected example."""
    colors: Floats | None = None
    """(rows, columns, 3) the prototypes as red, green, blue, 0 to 1, if the inputs are colours."""


@dataclass(frozen=True)
class NetLink:
    """What comes into the units of a block, in a net that is drawn as a net."""

    block: str
    sources: tuple[str, ...]
    """The blocks whose units come in, one block after another; "" stands for the inputs."""
    weights: Floats
    """(units of the sources, units); 0 where nothing comes in, NaN where more comes in than one weight can say."""


@dataclass(frozen=True)
class UnitPictures:
    """A picture of each unit of a block, (units, rows, columns)."""

    kind: str
    """`response` over the plane of two inputs, `field` of weights that see an image, `course` over time, `image`."""
    values: Floats
    limit: float


@dataclass(frozen=True)
class NetGraph:
    """A small network to be drawn as a net: its inputs, its blocks with their weights, and a picture of each unit."""

    inputs: tuple[str, ...]
    """A name for each input node; a single one for an image, or for what is looked up in a table."""
    values: Floats
    """(inputs,) on the selected example."""
    links: tuple[NetLink, ...]
    limit: float
    """The weight of full colour."""
    pictures: Mapping[str, UnitPictures] = field(default_factory=dict)
    """Block -> its units; "" -> the inputs."""
    answer: Plane | None = None
    """What the network says over the plane of its two inputs."""
    grid: MapGrid | None = None
    """The units of a self-organizing map at their places; it has no links."""
    names: tuple[str, ...] = ()
    """The names of the units of the last block."""


@dataclass(frozen=True)
class Output:
    """The output for the selected probe example."""

    kind: str
    """`classes`: values are probabilities of the labels; `values`: plain outputs."""
    input: str
    """The example in words: `.em`."""
    labels: tuple[str, ...]
    values: Floats
    target: int
    """Index of the right class; -1 for plain values, and where the right one is unknown."""
    targets: Floats | None
    """The right outputs, for plain values."""
    loss: float | None
    """Of this example alone; None where it has no target."""
    samples: tuple[str, ...] = ()
    """Generated names, if the network generates text."""
    samples_step: int = 0
    """The step at which they were drawn."""
    plane: Plane | None = None
    grid: MapGrid | None = None
    image: Floats | None = None
    """(h, w) the input as a picture, 0 to 1, if it is one."""
    answer: int = -1
    """Index of the class (or of the unit of a map) that the network takes it for; -1 without one."""
    right: bool | None = None
    """Whether the target is hit; None where nothing is right or wrong."""
    sides: tuple[str, ...] = ()
    """The two classes that a single output tells apart by its sign; `answer` and `target` are then of these."""
    shares: bool = False
    """Plain values are the probabilities that each output is on."""


@dataclass(frozen=True)
class Examples:
    """What the network says for each example of the probe, or of a split."""

    split: str
    """Empty: the examples that are watched, those of the probe or in mid-step of the batch."""
    rows: NDArray[np.int64]
    """(n,) the number of each example in its split, or in the probe."""
    total: int
    """How many there are in the split; more than n if only some are listed."""
    kind: str
    """`classes`, `sides` (two classes told apart by one output), `map` (the nearest unit) or `values`."""
    labels: tuple[str, ...]
    """The names of the classes; empty where there are none."""
    truth: NDArray[np.int64]
    """(n,) the right class; -1 without one."""
    answer: NDArray[np.int64]
    """(n,) the class or unit that the network takes it for; -1 without one."""
    share: Floats
    """(n,) the probability of the answer; NaN without one."""
    loss: Floats
    """(n,)."""
    wrong: Mask | None
    """(n,) which are missed; None where nothing is right or wrong."""
    values: Floats
    """(n, at most 3) the first outputs."""
    targets: Floats | None
    """(n, at most 3) what they should be, for plain values."""
    texts: bool = False
    """Whether the examples are text, where many answers are as good as the right one."""
    captions: tuple[str, ...] = ()
    """(n,) what each is called; empty while nothing shows it."""
    pictures: NDArray[np.uint8] | None = None
    """(n, h, w) the examples as small pictures, 0 to 255, if they are pictures; None while nothing shows them."""
    confusion: NDArray[np.int64] | None = None
    """(classes, classes) how often each class (down) was taken for each (across); None while nothing shows it."""
    missing: bool = False
    """Only a sample of the data is here."""
    of_batch: bool = False
    """The examples are those of the batch of the half-done step."""


@dataclass(frozen=True)
class Inputs:
    """What a person can give the network as an input."""

    shape: tuple[int, ...]
    names: tuple[str, ...] = ()
    """By which values can be given, if they are a row of numbers."""
    characters: str = ""
    """Of which a text can be made, if inputs are texts."""
    image: tuple[int, int] | None = None
    """Height and width, if inputs are pictures of one channel."""
    low: float = 0.0
    high: float = 1.0
    """The values of black and of white, over the probe."""


@dataclass(frozen=True)
class LogRow:
    """One action on the way from the start to the end of a branch, and the moment that it leads to."""

    text: str
    """What is shown: its line of Python, or `lab.step() x 12` for steps that were made one by one."""
    python: str
    """The line of Python that does it."""
    step: int
    """Steps done after it."""
    edits: int | None = None
    """How many of the edits at that step are applied after it; None: all of them."""
    before: float | None = None
    """The loss before it: the probe's for an edit, the training loss for steps."""
    after: float | None = None
    op: str = ""
    """The operation of an edit; empty for other actions."""
    first: int = 0
    """Steps done before it."""


@dataclass(frozen=True)
class Log:
    """The actions of a branch in the order of their moments: a window of them, and where the present is."""

    rows: tuple[LogRow, ...]
    first: int
    """The place of the first of `rows` among all."""
    total: int
    done: int
    """How many of all rows lie behind the present; those after them are still to come."""
    within: int | None = None
    """The present step, if it lies inside the first row still to come; None between two rows."""


@dataclass(frozen=True)
class EditMark:
    """An edit on the timeline."""

    step: int
    op: str
    """`zero`, `freeze`, `set`, ..."""
    text: str
    """The line of Python: `lab.zero("hidden[3]")`."""
    applied: bool
    """False for those after the present moment."""
    here: int = 1
    """Its number among the edits at its step: the moment after it is `seek(step, edits=here)`."""
    family: str = ""
    """The family of its operation: activation, learning, parameter, structure, state or setting."""


@dataclass(frozen=True)
class BookmarkMark:
    """A bookmark on the timeline."""

    name: str
    note: str
    branch: str
    step: int
    on_branch: bool
    """Whether its moment lies on the branch that is shown."""
    here: int = 0
    """How many of the edits at its step come before it."""


@dataclass(frozen=True)
class BranchLine:
    """A branch of the tree; each comes after its parent."""

    name: str
    fork: int
    """Step at which it was forked from its parent; 0 for the first."""
    end: int
    current: bool
    parent: str = ""
    depth: int = 0
    edits: int = 0
    """Edits of its own."""
    loss: float | None = None
    """Training loss of its last step."""


@dataclass(frozen=True)
class TimelineStrip:
    """The history of this branch, and the position on it."""

    step: int
    end: int
    marks: tuple[EditMark, ...]
    evaluations: tuple[int, ...]
    keyframes: int
    """How many keyframes are kept."""
    branches: tuple[BranchLine, ...]
    """All of them, in the order of the tree."""
    pins: tuple[BookmarkMark, ...] = ()
    """All bookmarks, in the order of their steps."""
    seek_seconds: float = 0.0
    """Roughly the most seconds that going to a step can take."""
    shown: tuple[int, int] = (0, 0)
    """The range of steps asked for: those after the first number, through the second; (0, 0): all of this branch."""
    losses: Floats | None = field(default=None, compare=False)
    """(parts,) the mean training loss of equal parts of that range; NaN where no step is recorded."""

    @property
    def span(self) -> tuple[int, int]:
        """The steps shown: those after the first number, through the second."""
        return self.shown if self.shown[1] else (0, max(1, self.end))


@dataclass(frozen=True)
class Frame:
    """One picture of the lab. Panes that the view does not show are None."""

    number: int
    view: View
    """The view as the server understood it: block, unit and example that exist."""
    status: Status
    blocks: tuple[BlockInfo, ...]
    examples: tuple[str, ...]
    """A short text for each example: of the probe, or in mid-step of the batch."""
    timeline: TimelineStrip
    standing: Mapping[str, Standing] = field(default_factory=dict)
    """For each block with units."""
    labels: tuple[str, ...] = ()
    """The classes, if the targets are classes."""
    splits: tuple[str, ...] = ()
    network: tuple[BlockCells, ...] | None = None
    net: NetGraph | None = None
    """With the Network pane; None where the network is no small net."""
    weights: Weights | None = None
    activations: Activations | None = None
    loss: LossCurve | None = None
    neuron: Neuron | None = None
    output: Output | None = None
    answers: Examples | None = None
    """What the network says for the examples of the probe, or for those that the Examples pane lists."""
    inputs: Inputs | None = None
    own: bool = False
    """The selected example, the last one, is an input of the user's own."""
    refused: str = ""
    """Why the input of the user's own is not shown; empty if it is, or if there is none."""
    units: Units | None = None
    log: Log | None = None
    of_batch: bool = False
    """The examples are those of the batch of the half-done step."""
    lens: LensInfo = LensInfo()
    worth: Mapping[str, Floats] | None = None
    """For blocks for which it was measured at this moment: by how much the loss rises without each unit, (units,)."""

    @property
    def example(self) -> int:
        """The selected one of the examples."""
        return self.view.batch_example if self.of_batch else self.view.example
