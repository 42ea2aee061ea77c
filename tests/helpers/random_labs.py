"""Labs of random networks with every kind of layer and intervention, to test what must hold for any lab.

`random_lab(seed)` always makes the same lab.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

import tinynets as tn
from tinynets.nn.layers import LAYERS, Activation
from tinynets.numerics.arrays import ignore_warnings

BATCH, EXAMPLES = 4, 8
STEPS = 4  # in time
ACTIVATIONS = [kind for kind, layer in LAYERS.items() if issubclass(layer, Activation)]
Generator = np.random.Generator


class _Builder:
    """Puts layers together, keeping the shape of an example as it goes."""

    def __init__(self, rng: Generator) -> None:
        self.rng = rng

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def size(self) -> int:
        return int(self.rng.integers(2, 7))

    def activation(self) -> tn.Layer:
        kind = "tanh" if self.chance(0.3) else str(self.rng.choice(ACTIVATIONS))
        return LAYERS[kind]()

    def joined(self, size: int) -> list[tn.Layer]:
        """Layers that may join a block: norms, an activation."""
        made: list[tn.Layer] = []
        if self.chance(0.3):
            made.append(tn.BatchNorm(size) if self.chance(0.7) else tn.LayerNorm(size))
        if self.chance(0.6):
            made.append(self.activation())
        return made

    def same(self, shape: tuple[int, ...], depth: int) -> list[tn.Layer]:
        """Layers whose output has the shape of their input."""
        size = shape[-1]
        kinds = ["dropout", "dropout", "activation", "activation", "norm", "residual"]
        kinds += ["positions", "attention"] if len(shape) == 2 else []
        match str(self.rng.choice(kinds)):
            case "dropout":
                return [tn.Dropout(0.3)]
            case "activation":
                return [tn.Identity() if self.chance(0.4) else self.activation()]
            case "norm":
                return [tn.BatchNorm(size) if self.chance(0.6) else tn.LayerNorm(size), *self.joined(size)[1:]]
            case "positions":
                return [tn.PositionalEmbedding(shape[0], size), *self.joined(size)]
            case "attention":
                heads = 2 if size % 2 == 0 else 1
                return [tn.CausalSelfAttention(size, heads)]
            case _:
                if depth > 1:
                    return [tn.Identity()]
                inside, _ = self.some(shape, depth + 1)
                last = self.width(inside, shape)
                return [tn.Residual([*inside, *([] if last == size else [tn.Linear(last, size)])])]

    def width(self, layers: list[tn.Layer], shape: tuple[int, ...]) -> int:
        network = tn.Network([tn.Identity(), *layers], input_shape=shape)
        return network.known_shapes[-1][-1] or 0

    def weighing(self, shape: tuple[int, ...]) -> tuple[list[tn.Layer], tuple[int, ...]]:
        """A layer with weights and those that join it, and the shape of its output."""
        size, inputs = self.size(), shape[-1]
        kinds: list[Callable[[], tuple[tn.Layer, tuple[int, ...]]]] = [
            lambda: (tn.Linear(inputs, size, bias=self.chance(0.8)), (*shape[:-1], size)),
            lambda: (tn.Distances(inputs, size), (*shape[:-1], size)),
        ]
        if len(shape) == 2:
            kinds.append(lambda: (tn.Conv1d(inputs, size, 3, padding="same"), (shape[0], size)))
            kinds += [lambda: self.recurrent(inputs, size, shape[0])] * 4
        if len(shape) == 3:
            kinds += [lambda: (tn.Conv2d(inputs, size, 3, padding="same"), (*shape[:-1], size))] * 4
        weights = np.array([3, 1, *[1] * (len(kinds) - 2)], float)
        layer, after = kinds[int(self.rng.choice(len(kinds), p=weights / weights.sum()))]()
        return [layer, *self.joined(size)], after

    def recurrent(self, inputs: int, size: int, steps: int) -> tuple[tn.Layer, tuple[int, ...]]:
        kind = (tn.RNN, tn.GRU, tn.LSTM)[int(self.rng.integers(3))]
        options: dict[str, Any] = {"carry": BATCH if self.chance(0.4) else 0}
        if kind is tn.RNN and self.chance(0.3):
            options["nonlinearity"] = "relu"
        return kind(inputs, size, **options), (steps, size)

    def some(self, shape: tuple[int, ...], depth: int) -> tuple[list[tn.Layer], tuple[int, ...]]:
        """One to three pieces that keep the number of axes."""
        layers: list[tn.Layer] = []
        for _ in range(int(self.rng.integers(1, 4 - depth))):
            if self.chance(0.35):
                layers += self.same(shape, depth)
            elif depth < 2 and self.chance(0.2):
                branches = [self.some(shape, depth + 1)[0] for _ in range(2)]
                layers.append(tn.Parallel(branches))
                shape = (*shape[:-1], sum(self.width(branch, shape) for branch in branches))
            else:
                made, shape = self.weighing(shape)
                layers += made
        return layers, shape

    def collapsed(self, shape: tuple[int, ...]) -> tuple[list[tn.Layer], tuple[int, ...]]:
        """Layers that turn an example into one row."""
        if len(shape) == 3:
            pool = [tn.MaxPool2d(2)] if self.chance(0.4) else [tn.AvgPool2d(2)] if self.chance(0.5) else []
            shape = (shape[0] // 2, shape[1] // 2, shape[2]) if pool else shape
            if self.chance(0.4):
                return [*pool, tn.GlobalAvgPool()], (shape[-1],)
            return [*pool, tn.Flatten()], (int(np.prod(shape)),)
        match int(self.rng.integers(5)):
            case 0:
                return [tn.LastStep()], (shape[-1],)
            case 1:
                return [tn.GlobalAvgPool()], (shape[-1],)
            case 2:
                return [tn.FlattenConsecutive(2), tn.FlattenConsecutive(2)], (4 * shape[-1],)
            case 3:
                size = self.size()
                layer = (tn.RNN, tn.GRU, tn.LSTM)[int(self.rng.integers(3))](shape[-1], size, sequence=False)
                return [layer, *self.joined(size)], (size,)
            case _:
                return [tn.Flatten()], (shape[0] * shape[-1],)

    def network(self) -> tuple[list[tn.Layer], tuple[int, ...], bool]:
        """Layers, the shape of an example, and whether examples are whole numbers."""
        start = [(3,), (STEPS, 2), (STEPS, 3), (STEPS,), (4, 4, 2)][int(self.rng.integers(5))]
        tokens, shape, layers = start == (STEPS,), start, []
        if tokens:
            size = self.size()
            layers, shape = [tn.Embedding(5, size), *self.joined(size)], (STEPS, size)
        more, shape = self.some(shape, 0)
        layers += more
        if len(shape) > 1:
            more, shape = self.collapsed(shape)
            layers += more
            if self.chance(0.5):
                more, shape = self.some(shape, 1)
                layers += more
        return [*layers, tn.Linear(shape[0], 2, name="output")], start, tokens


OPTIMIZERS = [
    lambda: tn.SGD(0.05),
    lambda: tn.SGD(0.05, momentum=0.9),
    lambda: tn.Adam(0.01),
    lambda: tn.RMSprop(0.01),
    lambda: tn.AdamW(0.01),
]


def random_lab(seed: int, dtype: str = "float64") -> tn.Lab:
    """A lab that has taken a few steps, with interventions on it."""
    rng = np.random.default_rng(seed)
    builder = _Builder(rng)
    layers, shape, tokens = builder.network()
    x = rng.integers(0, 5, (EXAMPLES, *shape)) if tokens else rng.normal(size=(EXAMPLES, *shape))
    network = tn.Network(layers, seed=seed, dtype=dtype, input_shape=shape)
    optimizer = OPTIMIZERS[int(rng.integers(len(OPTIMIZERS)))]()
    y = rng.integers(0, 2, EXAMPLES)
    lab = tn.Lab(network, data=(x, y), loss=tn.CrossEntropy(), optimizer=optimizer, batch=BATCH, seed=seed)
    with ignore_warnings():
        lab.run(2)
        for _ in range(int(rng.integers(0, 5))):
            tried(lab, rng, STANDS)
        if builder.chance(0.5):
            lab.run(1)
    return lab


def tried(lab: tn.Lab, rng: Generator, acts: list[Callable[[tn.Lab, Generator], object]]) -> None:
    """Do one of some acts that can be done."""
    with suppress(tn.EditError, tn.SelectorError, tn.ShapeError):
        acts[int(rng.integers(len(acts)))](lab, rng)


def a_block(lab: tn.Lab, rng: Generator, *, learned: bool = False, inner: bool = False) -> Any:
    """A random block with units; `learned`: one with parameters; `inner`: not the last one."""
    network = lab.network
    blocks = [
        block
        for block in network.blocks
        if block.units
        and (not learned or network.block_parameters(block))
        and not (inner and block.last == len(network.layers) - 1)
    ]
    return blocks[int(rng.integers(len(blocks)))] if blocks else network.blocks[-1]


def some_units(rng: Generator, count: int, most: int = 2) -> list[int]:
    chosen = rng.choice(count, min(count, int(rng.integers(1, most + 1))), replace=False)
    return sorted(int(unit) for unit in chosen)


def selector(lab: tn.Lab, rng: Generator, *, learned: bool = False, inner: bool = False) -> str:
    block = a_block(lab, rng, learned=learned, inner=inner)
    return f"{block.name}[{','.join(map(str, some_units(rng, block.units)))}]"


def site(lab: tn.Lab, rng: Generator) -> str:
    """A selector of units: at the output, before the activation, or at one time step if there are any."""
    block = a_block(lab, rng)
    units = f"[{','.join(map(str, some_units(rng, block.units)))}]"
    if block.pre is not None and rng.random() < 0.3:
        return f"{block.name}.pre{units}"
    if lab.network.time_steps(block) and rng.random() < 0.4:
        return f"{block.name}{units}@t={int(rng.integers(lab.network.time_steps(block)))}"
    return block.name + units


STANDS: list[Callable[[tn.Lab, Generator], object]] = [
    lambda lab, rng: lab.zero(site(lab, rng)),
    lambda lab, rng: lab.clamp(site(lab, rng), 0.7),
    lambda lab, rng: lab.scale(site(lab, rng), -1.5),
    lambda lab, rng: lab.noise(site(lab, rng), 0.3),
    lambda lab, rng: lab.mean(site(lab, rng)),
    lambda lab, rng: lab.patch(site(lab, rng), example=1),
    lambda lab, rng: lab.steer(site(lab, rng), toward=0, away=1),
    lambda lab, rng: lab.resample(site(lab, rng), examples=3),
    lambda lab, rng: lab.freeze(selector(lab, rng, learned=True)),
    lambda lab, rng: lab.freeze(selector(lab, rng, learned=True), outgoing=True),
    lambda lab, rng: lab.freeze(a_block(lab, rng, learned=True).name),
    lambda lab, rng: lab.rate(selector(lab, rng, learned=True), 0.3),
    lambda lab, rng: lab.rate(a_block(lab, rng, learned=True).name, 0.5),
    lambda lab, rng: lab.set(f"{a_block(lab, rng, learned=True).name}.l2", 0.1),
    lambda lab, rng: lab.sparsify(selector(lab, rng, learned=True), 0.5),
    lambda lab, rng: lab.sparsify("output", 0.5),
    lambda lab, rng: lab.insert(a_block(lab, rng, inner=True).name, "identity"),
    lambda lab, rng: lab.insert(a_block(lab, rng, inner=True).name, "dropout", rate=0.3),
]
