"""Made-up but lifelike frames of names-mlp, xor and a save in the past."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from tinynets.measure import explanation
from tinynets.server import frame as f

LETTERS = ".abcdefghijklmnopqrstuvwxyz"
NAMES = ("emma", "olivia", "ava", "isabella", "sophia", "charlotte", "mia", "amelia", "harper", "evelyn", "abigail")
SIZES = {"embed": 10, "hidden": 200, "output": 27}
KINDS = ("", "several", "zero")


def examples() -> tuple[tuple[str, int], ...]:
    """64 contexts of three letters, each with the letter that follows."""
    found = []
    for name in NAMES:
        text = "..." + name + "."
        found += [(text[i : i + 3], LETTERS.index(text[i + 3])) for i in range(len(name) + 1)]
    return tuple(found[:64])


@dataclass
class World:
    """The state of the made-up run: its position, and what was done to it."""

    recipe: str = "names-mlp"
    step: int = 0
    end: int = 0
    lr: float = 0.1
    unsaved: bool = False
    path: str = ""
    marks: list[f.EditMark] = field(default_factory=list)
    others: list[f.BranchLine] = field(default_factory=list)
    """The branches other than `main`, the current one."""
    pins: list[f.BookmarkMark] = field(default_factory=list)
    evaluations: dict[int, float] = field(default_factory=dict)
    worths: dict[str, tuple[int, np.ndarray]] = field(default_factory=dict)
    """Block -> the step at which its worth was measured, and that of each unit."""
    frozen: dict[str, np.ndarray] = field(default_factory=lambda: {k: np.zeros(v, bool) for k, v in SIZES.items()})
    zeroed: dict[str, np.ndarray] = field(default_factory=lambda: {k: np.zeros(v, bool) for k, v in SIZES.items()})

    def go(self, step: int) -> None:
        self.step, self.end, self.unsaved = step, max(self.end, step), True

    def loss(self, step: int | None = None) -> float:
        at = self.step if step is None else step
        wobble = np.random.default_rng(at).normal() * 0.15
        return float(2.1 + 1.2 * np.exp(-at / 400) + wobble)


BLOCKS = (
    f.BlockInfo("embed", "Embedding(27, 10)", 10, 3, 270, "", True),
    f.BlockInfo("flatten", "Flatten", 0, 1, 0, "", False),
    f.BlockInfo(
        "hidden",
        "Linear(30, 200), Tanh",
        200,
        1,
        6200,
        "tanh",
        True,
        learned=(("w", (30, 200)), ("b", (200,))),
        pre=True,
        resizable=True,
    ),
    f.BlockInfo("output", "Linear(200, 27)", 27, 1, 5427, "", True),
)


@dataclass
class Net:
    """Weights that change slowly from step to step, and the activations that follow from them."""

    weights: dict[str, np.ndarray]
    embedded: np.ndarray
    outputs: dict[str, np.ndarray]
    pre: np.ndarray
    probabilities: np.ndarray


def net(world: World) -> Net:
    rng = np.random.default_rng(7)
    turn = world.step / (world.step + 600)
    shapes = {"embed": (27, 10), "hidden": (30, 200), "output": (200, 27)}
    w = {k: rng.normal(size=s) * (1 - turn) + rng.normal(size=s) * turn for k, s in shapes.items()}
    w["hidden"] *= 0.35
    w["output"] *= 0.12
    contexts = np.array([[LETTERS.index(c) for c in text] for text, _ in examples()])
    embedded = w["embed"][contexts] * ~world.zeroed["embed"]
    pre = embedded.reshape(len(contexts), 30) @ w["hidden"]
    hidden = np.tanh(pre) * ~world.zeroed["hidden"]
    logits = hidden @ w["output"] * ~world.zeroed["output"]
    right = np.eye(27)[[t for _, t in examples()]] * 3 * turn
    odds = np.exp(logits + right)
    outputs = {"embed": embedded.mean(axis=1), "hidden": hidden, "output": logits}
    return Net(w, embedded, outputs, pre, odds / odds.sum(axis=1, keepdims=True))


def frame(world: World, view: f.View, number: int = 1) -> f.Frame:
    """A frame for a view, with the panes that it asks for."""
    block = view.block if view.block in SIZES else "hidden"
    unit = max(0, min(view.unit, SIZES[block] - 1))
    example = max(0, min(view.example, 63))
    view = replace(view, block=block, unit=unit, example=example)
    made = net(world)
    panes = {
        "network": lambda: _network(made, world, example),
        "units": lambda: _units(made, world, list(SIZES) if view.every_unit else [block]),
        "weights": lambda: _weights(made, world, block),
        "activations": lambda: _activations(made, world, block),
        "loss": lambda: _loss(world, view),
        "neuron": lambda: _neuron(made, world, view),
        "output": lambda: _output(made, world, example),
        "log": lambda: _log(world, view),
    }
    return f.Frame(
        number=number,
        view=view,
        status=_status(world),
        blocks=BLOCKS,
        examples=tuple(f"{text} → {LETTERS[target]}" for text, target in examples()),
        timeline=_timeline(world, view),
        standing=_standing(world),
        labels=tuple(LETTERS),
        splits=("train", "dev", "test"),
        answers=_answers(made),
        inputs=f.Inputs((3,), characters=LETTERS),
        **{pane: panes[pane]() for pane in view.panes if pane in panes},  # type: ignore[arg-type]
    )


def _standing(world: World) -> dict[str, f.Standing]:
    made = {}
    for name, units in SIZES.items():
        frozen = world.frozen[name].astype(np.int8) * np.int8(f.FROZEN)
        output = world.zeroed[name].astype(np.int8) * np.int8(KINDS.index("zero"))
        made[name] = f.Standing(output, output * np.int8(0), frozen, np.ones(units), np.arange(units), kinds=KINDS)
    return made


def _status(world: World) -> f.Status:
    return f.Status(
        recipe=world.recipe, step=world.step, end=world.end, branch="main", edits_here=0,
        loss=world.loss() if world.step else None, probe_loss=world.loss(), lr=world.lr, steps_per_second=5210.0,
        mode="paused", phase="", next_phase="batch", phases_done=0, phases_total=7, unsaved=world.unsaved,
        path=world.path, seed=0, dtype="float32", parameters=11897, can_undo=world.step > 0, can_redo=False,
    )  # fmt: skip


def _timeline(world: World, view: f.View) -> f.TimelineStrip:
    marks = tuple(f.EditMark(m.step, m.op, m.text, m.step <= world.step, m.here, m.family) for m in world.marks)
    lines = (f.BranchLine("main", 0, world.end, True), *world.others)
    dots = tuple(sorted(world.evaluations))
    first, last = span = view.span(world.end)
    parts = np.linspace(first + 1, last, min(100, last - first)).astype(int)
    losses = np.array([world.loss(int(step)) if step <= world.end else np.nan for step in parts])
    return f.TimelineStrip(world.step, world.end, marks, dots, 5, lines, tuple(world.pins), 0.0, span, losses)


def _network(made: Net, world: World, example: int) -> tuple[f.BlockCells, ...]:
    values = {k: v[example][None] for k, v in made.outputs.items()} | {"embed": made.embedded[example]}
    limits = {"embed": 2.5, "hidden": 1.0, "output": 4.0}
    return tuple(f.BlockCells(name, values[name], limits[name], _dead(name)) for name in SIZES)


def _dead(name: str) -> np.ndarray:
    dead = np.zeros(SIZES[name], bool)
    if name == "hidden":
        dead[[13, 77, 140]] = True
    return dead


def _rows(block: str) -> tuple[str, ...]:
    if block == "embed":
        return tuple(LETTERS)
    if block == "hidden":
        return tuple(f"embed[{u}]@{p}" for p in range(3) for u in range(10))
    return tuple(f"hidden[{u}]" for u in range(200))


def _weights(made: Net, world: World, block: str) -> f.Weights:
    values = made.weights[block]
    bias = None if block == "embed" else np.sin(np.arange(SIZES[block])) * 0.1
    title = f"{block}.w {values.shape}"
    return f.Weights(block, title, values, float(np.abs(values).max()), bias, _rows(block))


def _activations(made: Net, world: World, block: str) -> f.Activations:
    values = made.outputs[block].T
    saturated = np.abs(values) > 0.97 if block == "hidden" else np.zeros(values.shape, bool)
    limit = 1.0 if block == "hidden" else float(np.abs(values).max() or 1.0)
    texts = tuple(text for text, _ in examples())
    return f.Activations(block, values, limit, saturated, _dead(block), texts)


def _units(made: Net, world: World, blocks: list[str]) -> f.Units:
    sizes = [SIZES[name] for name in blocks]
    values = np.concatenate([made.outputs[name].T for name in blocks])
    known = [block for block in blocks if block in world.worths]
    worth = [world.worths[name][1] if name in known else np.full(SIZES[name], np.nan) for name in blocks]
    holds = [name in known and world.worths[name][0] == world.step for name in blocks]
    measured = {name: "on dev, 64 examples" if world.worths[name][0] == world.step
                else f"measured at step {world.worths[name][0]}" for name in known}  # fmt: skip
    return f.Units(
        blocks=tuple(blocks),
        block=np.repeat(np.arange(len(blocks)), sizes),
        unit=np.concatenate([np.arange(size) for size in sizes]),
        bins=values.reshape(len(values), 16, 4).mean(axis=2),
        limit=np.repeat([1.0 if name == "hidden" else 4.0 for name in blocks], sizes),
        mean=values.mean(axis=1),
        std=values.std(axis=1),
        flat=np.where(np.repeat([name == "hidden" for name in blocks], sizes),
                      (np.abs(values) > 0.97).mean(axis=1), np.nan),
        dead=np.concatenate([_dead(name) for name in blocks]),
        gradient=np.abs(values).mean(axis=1) / 100,
        change=np.full(len(values), 1e-3 if world.step else np.nan),
        worth=np.concatenate(worth),
        worth_holds=np.repeat(holds, sizes),
        measured=tuple(measured.get(name, "") for name in blocks),
        off=(False,) * len(blocks),
    )  # fmt: skip


def _loss(world: World, view: f.View) -> f.LossCurve:
    first, last = span = view.span(world.end)
    count = max(0, min(last, world.end) - first)
    edges = first + (
        np.unique(np.linspace(0, count, min(view.plot_columns, count) + 1).astype(int)) if count else np.zeros(1, int)
    )
    spans = [
        np.array([world.loss(s) for s in range(a + 1, b + 1, max(1, (b - a) // 8))])
        for a, b in pairwise(edges.tolist())
    ]
    dev = (np.array(list(world.evaluations), dtype=np.int64), np.array(list(world.evaluations.values())))
    return f.LossCurve(
        steps=edges[:-1].astype(np.int64) + 1,
        low=np.array([s.min() for s in spans]),
        high=np.array([s.max() for s in spans]),
        mean=np.array([s.mean() for s in spans]),
        evaluations={"dev": dev} if world.evaluations else {},
        step=world.step,
        end=world.end,
        shown=span,
        kind=view.curve,
    )


def _log(world: World, view: f.View) -> f.Log:
    """The start, each edit, and a run between edits of different steps."""
    rows = [f.LogRow('lab = tn.Lab("names-mlp")', 'lab = tn.Lab("names-mlp")', 0)]
    ends = [*world.marks, *([None] if world.end > max((mark.step for mark in world.marks), default=0) else [])]
    for mark in ends:
        step, at = mark.step if mark else world.end, rows[-1].step
        if step > at:
            line = f"lab.run({step - at})"
            rows.append(f.LogRow(line, line, step, 0 if mark else None, world.loss(at), world.loss(step), first=at))
        if mark:
            rows.append(f.LogRow(mark.text, mark.text, step, mark.here, world.loss(step), 2.447, mark.op, step))
    done = sum(row.step <= world.step for row in rows)
    within = world.step if done < len(rows) and rows[done].first < world.step else None
    middle = view.log_row if view.log_row >= 0 else done
    first = max(0, min(middle - view.log_rows // 2, len(rows) - view.log_rows))
    return f.Log(tuple(rows[first : first + view.log_rows]), first, len(rows), done, within)


def _neuron(made: Net, world: World, view: f.View) -> f.Neuron:
    block, unit = view.block, view.unit
    value = float(made.outputs[block][view.example, unit])
    terms: list[explanation.Contribution] = []
    pre, bias, weighted = None, None, None
    if block == "hidden":
        x, w = made.embedded[view.example].reshape(30), made.weights["hidden"][:, unit]
        order = np.argsort(-np.abs(x * w))
        terms = [
            explanation.Contribution(_rows("hidden")[i], float(x[i]), float(w[i]), float(x[i] * w[i])) for i in order
        ]
        pre, bias = float(made.pre[view.example, unit]), 0.031
        weighted = pre - bias
    outgoing = []
    if block == "hidden":
        w = made.weights["output"][unit]
        outgoing = [(f"output[{i}] {LETTERS[i]}", float(w[i])) for i in np.argsort(-np.abs(w))[:12]]
    zeroed = bool(world.zeroed[block][unit])
    column = made.outputs[block][:, unit]
    return f.Neuron(
        block=block, unit=unit, name=f"{block}[{unit}]", activation="tanh" if block == "hidden" else "", bias=bias,
        weighted=weighted, pre=pre, value=value, clean=float(np.tanh(pre)) if pre is not None else value,
        contributions=tuple(terms[:12]), rest=sum(t.product for t in terms[12:]), outgoing=tuple(outgoing),
        frozen=float(world.frozen[block][unit]), interventions=(f.StandingIntervention("zero"),) if zeroed else (),
        dead=bool(_dead(block)[unit]),
        saturated=abs(value) > 0.97 and block == "hidden", saturated_share=float((np.abs(column) > 0.97).mean()),
        mean=float(column.mean()), std=float(column.std()), gradient=None,
    )  # fmt: skip


def _answers(made: Net) -> f.Examples:
    truth = np.array([target for _, target in examples()])
    answer = made.probabilities.argmax(axis=1)
    rows = np.arange(len(truth))
    return f.Examples(
        "", rows, len(rows), "classes", tuple(LETTERS), truth, answer, made.probabilities.max(axis=1),
        -np.log(made.probabilities[rows, truth]), truth != answer, made.probabilities[:, :3], None, True,
        tuple(text for text, _ in examples()),
    )  # fmt: skip


def _output(made: Net, world: World, example: int) -> f.Output:
    text, target = examples()[example]
    probabilities = made.probabilities[example]
    names = ("mora", "kaylen", "jeri", "amiah", "dex", "ruthan", "ellie", "sio", "caylin", "brennon")
    return f.Output(
        "classes", text, tuple(LETTERS), probabilities, target, None, float(-np.log(probabilities[target])), names,
        world.step // 100 * 100, answer=int(probabilities.argmax()), right=bool(probabilities.argmax() == target),
    )  # fmt: skip
