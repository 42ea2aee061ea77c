"""Times a training step of every kind of network: ours, bare numpy calls, PyTorch eager, JAX jitted.

Run: `python tests/benchmarks/kinds.py [KIND ...]`, on an idle machine; all kinds unless some are named. PyTorch and JAX
are left out where they are not installed. Everything runs in one process with one thread, the contestants of a kind
take turns in short rounds, and the ratios are medians over rounds. Before anything is timed, all must agree on the
losses of the first steps, from the same parameters and batches.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice, pairwise
from statistics import median
from typing import Any, NamedTuple

import bare
import contests
import frameworks
import numpy as np
from contests import BATCH, LR, Start, Steps

import tinynets as tn

CHARACTERS, LENGTH = 27, 16
BARE, STEP, RUN = "bare numpy", "Trainer.step", "lab.run"


class Kind(NamedTuple):
    name: str
    layers: list[tn.Layer]
    data: tuple[np.ndarray, np.ndarray]
    bare: Callable[[Start], Steps]
    torch: Callable[..., Any]
    jax: Callable[[Any, Any], Any]
    torch_times: int = 0  # how many times as long PyTorch should take as `lab.run`, at least


def mlp(*sizes: int, torch_times: int = 0) -> Kind:
    random = np.random.default_rng(0)
    x = random.standard_normal((5000, sizes[0])).astype(np.float32)
    layers: list[tn.Layer] = []
    for inputs, outputs in pairwise(sizes):
        layers += [tn.Linear(inputs, outputs), tn.Tanh()]
    data = x, random.integers(0, sizes[-1], 5000)
    nets = bare.mlp, frameworks.torch_mlp, frameworks.jax_mlp
    return Kind("-".join(map(str, sizes)), layers[:-1], data, *nets, torch_times)


def names_mlp() -> Kind:
    """The shape of makemore's MLP: three characters, embedded in ten dimensions."""
    random = np.random.default_rng(0)
    data = random.integers(0, CHARACTERS, (5000, 3)), random.integers(0, CHARACTERS, 5000)
    embedding = [tn.Embedding(CHARACTERS, 10), tn.Flatten()]
    layers = [*embedding, tn.Linear(30, 200), tn.Tanh(), tn.Linear(200, CHARACTERS)]
    return Kind("names-mlp", layers, data, bare.names_mlp, frameworks.torch_names_mlp, frameworks.jax_names_mlp)


def rnn() -> Kind:
    """One-hot characters (N, T, 27), and those that follow (N, T)."""
    characters = np.random.default_rng(0).integers(0, CHARACTERS, 2000 + LENGTH)
    places = np.arange(2000)[:, None] + np.arange(LENGTH)
    data = np.eye(CHARACTERS, dtype=np.float32)[characters[places]], characters[places + 1]
    layers = [tn.RNN(CHARACTERS, 64), tn.Linear(64, CHARACTERS)]
    return Kind("char-rnn", layers, data, bare.rnn, frameworks.torch_rnn, frameworks.jax_rnn)


def cnn() -> Kind:
    random = np.random.default_rng(0)
    data = random.normal(size=(1797, 8, 8, 1)).astype(np.float32), random.integers(0, 10, 1797)
    layers = [tn.Conv2d(1, 8, 3), tn.ReLU(), tn.MaxPool2d(2), tn.Flatten(), tn.Linear(72, 10)]
    return Kind("small-cnn", layers, data, bare.cnn, frameworks.torch_cnn, frameworks.jax_cnn)


def kinds() -> list[Kind]:
    sized = mlp(2, 16, 16, 2, torch_times=5), mlp(30, 200, 27, torch_times=3), mlp(784, 128, 10)
    return [*sized, names_mlp(), rnn(), cnn()]


def lab_of(kind: Kind) -> tn.Lab:
    network = tn.Network(kind.layers, seed=0, input_shape=kind.data[0].shape[1:])
    return tn.Lab(network, data=kind.data, loss=tn.CrossEntropy(), optimizer=tn.SGD(LR), batch=BATCH, seed=0)


def contestants(kind: Kind) -> dict[str, Callable[[int], object]]:
    lab, other = lab_of(kind), lab_of(kind)
    trainer = other.player.trainer
    shapes = [entry.shape for layer in lab.network.layers for entry in layer.parameters()]
    start = Start(lab.network.theta.copy(), shapes, trainer.x, trainer.y, contests.first_batches(len(trainer.x)))
    others = {BARE: kind.bare(start)}
    if find_spec("torch"):
        others["PyTorch"] = frameworks.torch_steps(start, kind.torch)
        others["PyTorch, fused SGD"] = frameworks.torch_steps(start, kind.torch, fused=True)
    if find_spec("jax"):
        others["JAX jit"] = frameworks.jax_steps(start, kind.jax)
    ours = [trainer.step() for _ in range(contests.AGREE)]
    for name, steps in others.items():
        contests.check(f"{kind.name}, {name}", contests.first_losses(steps), ours, 1e-5 if name == BARE else 1e-3)

    def taking(steps: Steps) -> Callable[[int], object]:
        return lambda count: [None for _ in islice(steps, count)]

    def whole_steps(count: int) -> None:
        for _ in range(count):
            trainer.step()

    bare_steps = taking(others.pop(BARE))
    return {BARE: bare_steps, STEP: whole_steps, RUN: lab.run} | {name: taking(steps) for name, steps in others.items()}


def versions() -> str:
    found = [f"numpy {np.__version__}"]
    for name in ("torch", "jax"):
        if find_spec(name):
            found.append(f"{name} {__import__(name).__version__}")
        else:
            found.append(f"no {name}")
    return ", ".join(found)


def main() -> None:
    wanted = sys.argv[1:]
    if unknown := set(wanted) - {kind.name for kind in kinds()}:
        raise SystemExit(f"no such kind: {', '.join(unknown)}; there are {', '.join(kind.name for kind in kinds())}")
    print(f"us a step at batch {BATCH}: the median and the least of {contests.ROUNDS} rounds; {versions()}")
    for kind in kinds():
        if wanted and kind.name not in wanted:
            continue
        with np.errstate(all="ignore"):
            times = contests.race(contestants(kind))
        aim = f", at least {kind.torch_times} aimed at" if kind.torch_times else ""
        print(f"\n{kind.name:22}{'us':>8}{'least':>8}{'/ bare':>9}{'/ lab.run':>11}   (ours at most 1.25 / bare{aim})")
        for name, taken in times.items():
            ratios = f"{contests.ratio(times, name, BARE):9.2f}{contests.ratio(times, name, RUN):11.2f}"
            print(f"  {name:20}{median(taken):8.1f}{min(taken):8.1f}{ratios}")


if __name__ == "__main__":
    main()
