"""How much a training step costs above the bare numpy calls that do its arithmetic, and below eager PyTorch.

Run: `python tests/benchmarks/step.py`. Everything runs in one process, the contestants take turns in short rounds, and
the ratios are medians over rounds. Before anything is timed, the contestants must agree on the losses of a few hundred
steps from the same parameters and batches. PyTorch is left out where it is not installed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable, Iterator
from itertools import count, islice, pairwise
from statistics import median
from time import perf_counter

import numpy as np

import tinynets as tn
from tinynets.sampling import BLOCK, Sampler

ROUNDS = 31
STEPS = 400  # of each contestant in a round
AGREE = 300

Step = Callable[[], object]


def bare(lab: tn.Lab, x: np.ndarray, y: np.ndarray, batches: np.ndarray, *, flat: bool) -> Iterator[float]:
    """A step of names-mlp as a straight line of numpy calls, over buffers made beforehand; yields the losses.

    `flat` updates all parameters as one vector, in two calls, the fewest there can be; without it each array is updated
    by itself, as a lesson writes it.
    """
    theta, grad = lab.network.theta.copy(), np.empty_like(lab.network.theta)
    shapes = ((27, 10), (30, 200), (200,), (200, 27), (27,))
    c, w1, b1, w2, b2 = views(theta, shapes)
    dc, dw1, db1, dw2, db2 = views(grad, shapes)
    size, f = batches.shape[1], theta.dtype
    xb, yb, places = np.empty((size, 3), x.dtype), np.empty(size, y.dtype), np.empty(size, np.int64)
    embedded = np.empty((size, 3, 10), f)
    joined = embedded.reshape(size, 30)
    h, dh, slope, de = (np.empty((size, n), f) for n in (200, 200, 200, 30))
    out, z, e = (np.empty((size, 27), f) for _ in range(3))
    column, sums, picked = np.empty((size, 1), f), np.empty((size, 1), f), np.empty(size, f)
    one_hot, identity, starts = np.empty((size * 3, 27), f), np.eye(27, dtype=f), np.arange(size) * 27
    flat_x, flat_e, de_rows, update = xb.reshape(-1), e.reshape(-1), de.reshape(-1, 10), np.empty_like(theta)
    parts = [(vector,) if flat else views(vector, shapes) for vector in (theta, grad, update)]
    updates = list(zip(*parts, strict=True))
    for number in count():
        index = batches[number % len(batches)]
        x.take(index, 0, xb, "clip")
        y.take(index, 0, yb, "clip")
        c.take(xb, 0, embedded, "clip")
        np.matmul(joined, w1, h)
        np.add(h, b1, h)
        np.tanh(h, h)
        np.matmul(h, w2, out)
        np.add(out, b2, out)
        np.maximum.reduce(out, axis=1, out=column, keepdims=True)
        np.subtract(out, column, z)
        np.exp(z, e)
        np.add.reduce(e, axis=1, out=sums, keepdims=True)
        np.add(starts, yb, places)
        z.take(places, None, picked, "clip")
        np.log(sums, column)
        loss = float((np.add.reduce(column, axis=None) - np.add.reduce(picked)) / size)
        np.divide(e, sums, e)
        flat_e[places] -= 1
        np.divide(e, size, e)
        np.matmul(h.T, e, dw2)
        np.add.reduce(e, axis=0, out=db2)
        np.matmul(e, w2.T, dh)
        np.multiply(h, h, slope)
        np.subtract(1, slope, slope)
        np.multiply(dh, slope, dh)
        np.matmul(joined.T, dh, dw1)
        np.add.reduce(dh, axis=0, out=db1)
        np.matmul(dh, w1.T, de)
        identity.take(flat_x, 0, one_hot, "clip")
        np.matmul(one_hot.T, de_rows, dc)
        for values, slope_of, change in updates:
            np.multiply(slope_of, 0.1, change)
            np.subtract(values, change, values)
        yield loss


def views(vector: np.ndarray, shapes: tuple[tuple[int, ...], ...]) -> list[np.ndarray]:
    """The parameters in one vector, in the order of the layers."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes, strict=True)]


def first_batches(examples: int, batch: int, seed: int) -> np.ndarray:
    """(steps, batch): the indices of a block of steps, as a lab of that seed draws them."""
    sampler = Sampler(examples, batch, "replacement", seed)
    return np.array([sampler.indices(step) for step in range(BLOCK)])


def names_mlp() -> dict[str, Step]:
    """The contestants of names-mlp by name, the bare calls first; each takes `STEPS` steps."""
    run, trained = tn.Lab("names-mlp"), tn.Lab("names-mlp")
    trainer = trained.player.trainer
    batches = first_batches(len(trainer.x), 32, 0)
    with np.errstate(all="ignore"):
        losses = [trainer.step() for _ in range(AGREE)]
        flat, apiece = (bare(tn.Lab("names-mlp"), trainer.x, trainer.y, batches, flat=flat) for flat in (True, False))
        check("the bare calls", list(islice(flat, AGREE)), losses)
        check("the bare calls, an update for each array", list(islice(apiece, AGREE)), losses)

    def steps() -> None:
        with np.errstate(all="ignore"):
            for _ in range(STEPS):
                trainer.step()

    def calls(of: Iterator[float]) -> None:
        with np.errstate(all="ignore"):
            for _ in range(STEPS):
                next(of)

    return {
        "bare numpy calls": lambda: calls(flat),
        "  with an update for each array": lambda: calls(apiece),
        "Trainer.step": steps,
        "lab.run": lambda: run.run(STEPS),
    }


def mlp(sizes: tuple[int, ...]) -> tuple[tn.Lab, np.ndarray, np.ndarray]:
    """A lab of a tanh network on made-up points, with its data."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5000, sizes[0])).astype(np.float32)
    y = rng.integers(0, sizes[-1], 5000)
    layers: list[tn.Layer] = []
    for inputs, outputs in pairwise(sizes):
        layers += [tn.Linear(inputs, outputs), tn.Tanh()]
    network = tn.Network(layers[:-1], seed=0)
    lab = tn.Lab(network, data=(x, y), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=32, seed=0)
    return lab, x, y


def eager(lab: tn.Lab, x: np.ndarray, y: np.ndarray, sizes: tuple[int, ...], *, fused: bool) -> Iterator[float]:
    """The same training in PyTorch, from the same parameters; yields the losses."""
    import torch

    modules: list[torch.nn.Module] = []
    weights = views(lab.network.theta, tuple(shape for a, b in pairwise(sizes) for shape in ((a, b), (b,))))
    for place, (inputs, outputs) in enumerate(pairwise(sizes)):
        linear = torch.nn.Linear(inputs, outputs)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights[2 * place].T.copy()))
            linear.bias.copy_(torch.from_numpy(weights[2 * place + 1].copy()))
        modules += [linear, torch.nn.Tanh()]
    model = torch.nn.Sequential(*modules[:-1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=fused)
    xs, ys, batches = torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(first_batches(len(x), 32, 0))
    for number in count():
        index = batches[number % len(batches)]
        loss = torch.nn.functional.cross_entropy(model(xs[index]), ys[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def against_torch(sizes: tuple[int, ...]) -> dict[str, Step]:
    """The contestants of a small network, PyTorch first."""
    import torch

    many = torch.get_num_threads()
    ours, x, y = mlp(sizes)
    plain, fused = (eager(ours, x, y, sizes, fused=fused) for fused in (False, True))
    theirs = [list(islice(steps, AGREE)) for steps in (plain, fused)]  # first, while the lab's parameters are new
    losses = [ours.step().loss for _ in range(AGREE)]
    check("PyTorch", theirs[0], losses, 1e-3)
    check("PyTorch with the fused SGD", theirs[1], losses, 1e-3)

    def torch_steps(steps: Iterator[float], threads: int) -> Step:
        def go() -> None:
            torch.set_num_threads(threads)
            for _ in range(STEPS):
                next(steps)

        return go

    return {
        "PyTorch, 1 thread": torch_steps(plain, 1),
        f"PyTorch, {many} threads": torch_steps(plain, many),
        "PyTorch, 1 thread, fused SGD": torch_steps(fused, 1),
        "lab.run": lambda: ours.run(STEPS),
    }


def check(who: str, losses: list[float], ours: list[float], tolerance: float = 1e-5) -> None:
    """Different losses mean different work: then there is nothing to compare."""
    apart = float(np.max(np.abs(np.subtract(losses, ours))))
    if not apart <= tolerance:
        raise SystemExit(f"{who}: the losses of the first {AGREE} steps differ by up to {apart:.2g}")


def race(contestants: dict[str, Step]) -> dict[str, list[float]]:
    """Microseconds a step of each, round by round; who begins changes from round to round."""
    names = list(contestants)
    times: dict[str, list[float]] = {name: [] for name in names}
    for contestant in contestants.values():
        contestant()
    for number in range(ROUNDS):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            begun = perf_counter()
            contestants[name]()
            times[name].append((perf_counter() - begun) / STEPS * 1e6)
    return times


def ratio(times: dict[str, list[float]], name: str, base: str) -> float:
    """How many times as long one takes as another, the median over rounds."""
    return median(a / b for a, b in zip(times[name], times[base], strict=True))


def main() -> None:
    print(f"us a step: the median and the least of {ROUNDS} rounds of {STEPS} steps; ratios: medians over the rounds\n")
    times = race(names_mlp())
    print(f"{'names-mlp, batch 32':34}{'us':>8}{'least':>8}   of the bare calls (at most 1.25)")
    for name, taken in times.items():
        print(f"  {name:32}{median(taken):8.1f}{min(taken):8.1f}   {ratio(times, name, 'bare numpy calls'):.2f}")
    try:
        import torch
    except ImportError:
        print("\nPyTorch is not installed: no comparison with it")
        return
    for sizes, least in (((2, 16, 16, 2), 5), ((30, 200, 27), 3)):
        times = race(against_torch(sizes))
        title = f"{'-'.join(map(str, sizes))}, batch 32, torch {torch.__version__}"
        print(f"\n{title:34}{'us':>8}{'least':>8}   of lab.run (at least {least})")
        for name, taken in times.items():
            print(f"  {name:32}{median(taken):8.1f}{min(taken):8.1f}   {ratio(times, name, 'lab.run'):.2f}")


if __name__ == "__main__":
    main()
