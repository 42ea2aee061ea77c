"""How long a training step takes beside the bare numpy calls of the same arithmetic, and beside eager PyTorch.

    python tests/benchmarks/layers.py [ROUNDS]

Each round times every contestant in turn, so that a busy machine slows them alike; medians and their ratios are
printed. PyTorch, where it is installed, runs with one thread, as numpy does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import tinynets as tn
from tinynets.network import Network
from tinynets.state import Hyper, State
from tinynets.threads import settle_threads
from tinynets.training import Trainer

Step = Callable[[], object]
BATCH, STEPS, VOCABULARY, HIDDEN = 32, 16, 27, 64
PIECE = 20  # steps timed at once


def trainer(layers: list[tn.Layer], x: np.ndarray, y: np.ndarray) -> Step:
    network = Network(layers, input_shape=x.shape[1:])
    state = State.start(network, Hyper(tn.SGD(0.1), batch=BATCH))
    network = Network(layers, input_shape=x.shape[1:], theta=state.theta, carried=state.buffers)
    return Trainer(network, state, tn.CrossEntropy(), network.checked(x), y).step


def text() -> tuple[np.ndarray, np.ndarray]:
    """One-hot characters (N, STEPS, VOCABULARY) and those that follow (N, STEPS)."""
    characters = np.random.default_rng(0).integers(0, VOCABULARY, 2000 + STEPS)
    places = np.arange(2000)[:, None] + np.arange(STEPS)
    return np.eye(VOCABULARY, dtype=np.float32)[characters[places]], characters[places + 1]


def pictures() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(size=(1797, 8, 8, 1)).astype(np.float32), random.integers(0, 10, 1797)


class Bare:
    """What every step does besides its layers: a batch is taken, softmax and cross-entropy, and SGD."""

    def __init__(self, x: np.ndarray, y: np.ndarray, sizes: list[tuple[int, ...]], classes: int) -> None:
        count = sum(int(np.prod(size)) for size in sizes)
        random = np.random.default_rng(0)
        self.theta = (random.normal(size=count) * 0.1).astype(np.float32)
        self.grad, self.delta = np.empty_like(self.theta), np.empty_like(self.theta)
        self.w, self.dw = [], []
        start = 0
        for size in sizes:
            stop = start + int(np.prod(size))
            self.w.append(self.theta[start:stop].reshape(size))
            self.dw.append(self.grad[start:stop].reshape(size))
            start = stop
        self.x, self.y = x, y
        self.xb, self.yb = np.empty((BATCH, *x.shape[1:]), x.dtype), np.empty((BATCH, *y.shape[1:]), y.dtype)
        self.indices = random.integers(0, len(x), (1024, BATCH))
        self.count = 0
        places = self.yb.size
        self.z, self.e = np.empty((places, classes), np.float32), np.empty((places, classes), np.float32)
        self.column, self.total = np.empty((places, 1), np.float32), np.empty((places, 1), np.float32)
        self.picked, self.places = np.empty(places, np.float32), np.empty(places, np.int64)
        self.starts = np.arange(places) * classes

    def batch(self) -> None:
        self.count += 1
        indices = self.indices[self.count % 1024]
        self.x.take(indices, 0, self.xb, "clip")
        self.y.take(indices, 0, self.yb, "clip")

    def loss(self, out: np.ndarray) -> tuple[float, np.ndarray]:
        z, e, column, total = self.z, self.e, self.column, self.total
        np.maximum.reduce(out, axis=1, out=column, keepdims=True)
        np.subtract(out, column, z)
        np.exp(z, e)
        np.add.reduce(e, axis=1, out=total, keepdims=True)
        np.add(self.starts, self.yb.reshape(-1), self.places)
        z.take(self.places, None, self.picked, "clip")
        np.log(total, column)
        value = float((np.add.reduce(column, axis=None) - np.add.reduce(self.picked)) / len(z))
        np.divide(e, total, e)
        e.reshape(-1)[self.places] -= 1
        np.divide(e, len(e), e)
        return value, e

    def update(self) -> None:
        np.multiply(self.grad, 0.1, self.delta)
        self.delta.dot(self.delta)
        np.subtract(self.theta, self.delta, self.theta)


def bare_rnn(x: np.ndarray, y: np.ndarray) -> Step:
    sizes = [(VOCABULARY, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN,), (HIDDEN,), (HIDDEN, VOCABULARY), (VOCABULARY,)]
    bare = Bare(x, y, sizes, VOCABULARY)
    (w_ih, w_hh, b_ih, b_hh, w, b), (dw_ih, dw_hh, db_ih, db_hh, dw, db) = bare.w, bare.dw

    def empty(*shape: int) -> np.ndarray:
        return np.empty(shape, np.float32)

    xt, sums, h = empty(STEPS, BATCH, VOCABULARY), empty(STEPS, BATCH, HIDDEN), empty(STEPS + 1, BATCH, HIDDEN)
    xt_rows, sum_rows, before_rows = xt.reshape(-1, VOCABULARY), sums.reshape(-1, HIDDEN), h[:-1].reshape(-1, HIDDEN)
    bias, product, flat, out = empty(HIDDEN), empty(BATCH, HIDDEN), empty(BATCH, STEPS, HIDDEN), empty(512, VOCABULARY)
    dflat, dsteps, slope, dh = empty(BATCH, STEPS, HIDDEN), *(empty(STEPS, BATCH, HIDDEN) for _ in "12"), product.copy()
    slope_rows, ones = slope.reshape(-1, HIDDEN), np.ones(512, np.float32)
    onward = list(zip(sums, h[:-1], h[1:], strict=True))
    back = list(zip(dsteps, slope, strict=True))[::-1]

    def step() -> float:
        bare.batch()
        h[0].fill(0)
        np.copyto(xt, bare.xb.transpose(1, 0, 2))
        np.matmul(xt_rows, w_ih, sum_rows)
        np.add(b_ih, b_hh, bias)
        np.add(sum_rows, bias, sum_rows)
        for total, before, after in onward:
            np.matmul(before, w_hh, product)
            np.add(total, product, product)
            np.tanh(product, after)
        np.copyto(flat, h[1:].transpose(1, 0, 2))
        rows = flat.reshape(-1, HIDDEN)
        np.matmul(rows, w, out)
        np.add(out, b, out)
        value, dout = bare.loss(out)
        np.matmul(rows.T, dout, dw)
        np.add.reduce(dout, axis=0, out=db)
        np.matmul(dout, w.T, dflat.reshape(-1, HIDDEN))
        np.copyto(dsteps, dflat.transpose(1, 0, 2))
        np.multiply(h[1:], h[1:], slope)
        np.subtract(1, slope, slope)
        later = None
        for given, dsum in back:
            if later is None:
                np.multiply(dsum, given, dsum)
            else:
                np.matmul(later, w_hh.T, dh)
                np.add(dh, given, dh)
                np.multiply(dsum, dh, dsum)
            later = dsum
        np.matmul(xt_rows.T, slope_rows, dw_ih)
        np.matmul(before_rows.T, slope_rows, dw_hh)
        np.matmul(ones, slope_rows, db_ih)
        np.copyto(db_hh, db_ih)
        bare.update()
        return value

    return step


def bare_cnn(x: np.ndarray, y: np.ndarray) -> Step:
    bare = Bare(x, y, [(9, 8), (8,), (72, 10), (10,)], 10)
    (wc, bc, w, b), (dwc, dbc, dw, db) = bare.w, bare.dw

    def numbers(size: int, kernel: int, stride: int) -> np.ndarray:
        grid = np.arange(BATCH * size * size).reshape(BATCH, size, size)
        views = np.lib.stride_tricks.sliding_window_view(grid, (kernel, kernel), (1, 2))[:, ::stride, ::stride]
        return np.ascontiguousarray(views.reshape(-1, kernel * kernel))

    windows, pools = numbers(8, 3, 1), np.ascontiguousarray(numbers(6, 2, 2).T)
    columns, conv = np.empty((1152, 9, 1), np.float32), np.empty((1152, 8), np.float32)
    rectified, drectified, on = np.empty_like(conv), np.empty((32, 6, 6, 8), np.float32), np.empty(conv.shape, bool)
    gathered, dgathered = np.empty((4, 288, 8), np.float32), np.empty((4, 288, 8), np.float32)
    largest, seen = np.empty(gathered.shape, bool), np.empty((288, 8), bool)
    pooled, dpooled, out = (
        np.empty((288, 8), np.float32),
        np.empty((32, 72), np.float32),
        np.empty((32, 10), np.float32),
    )
    ones = np.ones(1152, np.float32)
    pieces = [drectified[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    parts = [part.reshape(32, 3, 3, 8) for part in dgathered]

    def step() -> float:
        bare.batch()
        bare.xb.reshape(-1, 1).take(windows, 0, columns, "clip")
        rows = columns.reshape(1152, 9)
        np.matmul(rows, wc, conv)
        np.add(conv, bc, conv)
        np.maximum(conv, 0, out=rectified)
        rectified.take(pools, 0, gathered, "clip")
        np.maximum.reduce(gathered, axis=0, out=pooled)
        flat = pooled.reshape(32, 72)
        np.matmul(flat, w, out)
        np.add(out, b, out)
        value, dout = bare.loss(out)
        np.matmul(flat.T, dout, dw)
        np.add.reduce(dout, axis=0, out=db)
        np.matmul(dout, w.T, dpooled)
        np.equal(gathered, pooled, largest)
        np.copyto(seen, largest[0])
        for entry in largest[1:]:
            np.greater(entry, seen, entry)
            np.logical_or(seen, entry, seen)
        np.multiply(largest, dpooled.reshape(288, 8), dgathered)
        for piece, part in zip(pieces, parts, strict=True):
            np.copyto(piece, part)
        np.greater(rectified, 0, on)
        dconv = drectified.reshape(1152, 8)
        np.multiply(dconv, on, dconv)
        np.matmul(rows.T, dconv, dwc)
        np.matmul(ones, dconv, dbc)
        bare.update()
        return value

    return step


def torch_steps(x: np.ndarray, y: np.ndarray, kind: str) -> Step | None:
    """The same in eager PyTorch, or None where there is none."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = torch.nn.RNN(VOCABULARY, HIDDEN, batch_first=True)
            self.out = torch.nn.Linear(HIDDEN, VOCABULARY)

        def forward(self, x: Any) -> Any:
            return self.out(self.rnn(x)[0]).reshape(-1, VOCABULARY)

    layers = [torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten()]
    net = Net() if kind == "rnn" else torch.nn.Sequential(*layers, torch.nn.Linear(72, 10))
    inputs = torch.from_numpy(x if kind == "rnn" else np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    targets = torch.from_numpy(y)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)

    def step() -> float:
        indices = torch.randint(0, len(inputs), (BATCH,))
        loss = torch.nn.functional.cross_entropy(net(inputs[indices]), targets[indices].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def medians(contestants: dict[str, Step], rounds: int) -> dict[str, float]:
    """Median microseconds of a step of each, timed in turn."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, step in contestants.items():
            begun = perf_counter()
            for _ in range(PIECE):
                step()
            times[name].append((perf_counter() - begun) / PIECE * 1e6)
    return {name: median(entry) for name, entry in times.items()}


def contests() -> dict[str, dict[str, Step]]:
    x, y = text()
    rnn: list[tn.Layer] = [tn.RNN(VOCABULARY, HIDDEN), tn.Linear(HIDDEN, VOCABULARY)]
    images, digits = pictures()
    cnn: list[tn.Layer] = [tn.Conv2d(1, 8, 3), tn.ReLU(), tn.MaxPool2d(2), tn.Flatten(), tn.Linear(72, 10)]
    found: dict[str, dict[str, Step | None]] = {
        "char RNN 27-64-27, 16 steps": {
            "tinynets": trainer(rnn, x, y),
            "numpy": bare_rnn(x, y),
            "torch": torch_steps(x, y, "rnn"),
        },
        "CNN on 8x8": {
            "tinynets": trainer(cnn, images, digits),
            "numpy": bare_cnn(images, digits),
            "torch": torch_steps(images, digits, "cnn"),
        },
    }
    return {name: {key: step for key, step in entry.items() if step is not None} for name, entry in found.items()}


def main() -> None:
    settle_threads()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with np.errstate(all="ignore"):
        for name, contestants in contests().items():
            medians(contestants, 3)  # warm
            found = medians(contestants, rounds)
            ours = found["tinynets"]
            ratios = ", ".join(f"{key} / tinynets {found[key] / ours:.2f}" for key in found if key != "tinynets")
            times = ", ".join(f"{key} {value:.0f} us" for key, value in found.items())
            print(f"{name}, batch {BATCH}: {times}; tinynets / numpy {ours / found['numpy']:.2f}; {ratios}")


if __name__ == "__main__":
    main()
