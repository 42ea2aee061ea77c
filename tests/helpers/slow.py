"""A slow, plain second implementation to compare with: forward passes in float64 with interventions.

It is written from the layers' docstrings. Operations are applied one after the other to the values themselves, unit by
unit and, in recurrent layers, step by step. From the library it takes only the layers' order, settings and parameters,
and uniform numbers by their address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

import tinynets as tn
from tinynets.numerics import rng

SETS = {"zero", "mean", "clamp", "patch", "resample"}


@dataclass
class Done:
    """An operation on activations, written down; `values` has the shape of one example at the site."""

    op: str
    site: str
    units: tuple[int, ...]
    time: int | None = None
    amount: float = 0.0
    values: Any = None
    ordinal: int = 0

    @property
    def selector(self) -> str:
        return f"{self.site}[{','.join(map(str, self.units))}]" + ("" if self.time is None else f"@t={self.time}")


class Slow:
    """A network's forward pass with these operations, at one step of a run with this seed.

    `bare`: a place (site, units, time) at which no operation shows.
    """

    def __init__(
        self, network: tn.Network, done: Iterable[Done] = (), *, step: int = 0, seed: int = 0, training: bool = False
    ) -> None:
        self.network, self.done = network, list(done)
        self.step, self.seed, self.training = step, seed, training
        self.bare: Done | None = None
        self.seen: dict[int, np.ndarray] = {}
        """Layer -> the values at its site, (B, ..., units); of attention (B, heads, T, d)."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        opened: list[list[Any]] = []
        for index, layer in enumerate(self.network.layers):
            if layer.kind in ENDS:
                x = ENDS[layer.kind](layer, x, opened)
            elif layer.kind in INSIDE:
                x = INSIDE[layer.kind](self, index, layer, x)
                continue
            elif layer.kind == "batch-norm":
                x = batch_norm(layer, x, self.training)
            else:
                x = PLAIN[layer.kind](layer, x)
            x = self.seen[index] = self.after(index, x)
        return x

    def at(self, wanted: Done, x: np.ndarray) -> np.ndarray:
        """The values of `wanted`'s units for x, without interventions on these same units at its time."""
        self.bare = wanted
        self.forward(x)
        self.bare = None
        values = self.seen[self.network.site(wanted.site)]
        if self.is_heads(wanted):
            return values[:, list(wanted.units)]
        return (values if wanted.time is None else values[:, wanted.time])[..., list(wanted.units)]

    def is_heads(self, done: Done) -> bool:
        return self.network.layers[self.network.site(done.site)].kind == "causal-self-attention"

    # -- interventions

    def after(self, index: int, x: np.ndarray) -> np.ndarray:
        """x (B, ..., units), the output of a layer, with the operations there applied."""
        x = x.copy()
        for done in self.of(index):
            times = range(x.shape[1]) if done.time is not None or self.bare_at(index) else [None]
            for t, (place, unit) in product(times, enumerate(done.units)):
                if done.time in (None, t) and not self.is_bare(done.site, unit, t):
                    where = (slice(None), ..., unit) if t is None else (slice(None), t, ..., unit)
                    x[where] = self.changed(done, place, x[where], t, x[..., unit].shape)
        return x

    def at_step(self, index: int, h: np.ndarray, t: int, steps: int) -> np.ndarray:
        """The hidden state h (B, units) after step t."""
        h = h.copy()
        for done in self.of(index):
            for place, unit in enumerate(done.units):
                if done.time in (None, t) and not self.is_bare(done.site, unit, t):
                    h[:, unit] = self.changed(done, place, h[:, unit], t, (len(h), steps))
        return h

    def on_heads(self, index: int, y: np.ndarray) -> np.ndarray:
        """The outputs of heads, y (B, heads, T, d), with the operations on them applied."""
        y = y.copy()
        for done in self.of(index):
            for place, unit in enumerate(done.units):
                if not self.is_bare(done.site, unit, None):
                    y[:, unit] = self.changed(done, place, y[:, unit], None, y[:, unit].shape, heads=True)
        return y

    def of(self, index: int) -> list[Done]:
        return [done for done in self.done if self.network.site(done.site) == index]

    def bare_at(self, index: int) -> bool:
        bare = self.bare
        return bare is not None and bare.time is not None and self.network.site(bare.site) == index

    def is_bare(self, site: str, unit: int, t: int | None) -> bool:
        bare = self.bare
        return bare is not None and bare.site == site and unit in bare.units and bare.time in (None, t)

    def changed(
        self, done: Done, place: int, cell: np.ndarray, t: int | None, shape: tuple[int, ...], heads: bool = False
    ) -> Any:
        """One unit's values `cell` (B, ...), at time t or at all; `shape` is that of all its values."""
        if done.op == "zero":
            return 0.0
        if done.op == "clamp":
            return done.amount
        if done.op == "scale":
            return cell * done.amount
        if done.op == "noise":
            drawn = self.normals(done, done.units[place], shape if done.time is None else shape[:1])
            return cell + done.amount * (drawn if done.time is not None or t is None else drawn[:, t])
        values = done.values[..., place, :, :] if heads else done.values[..., place]
        if done.op == "resample":
            chosen = np.floor(self.uniforms(done, (len(cell),)) * len(values)).astype(int)
            values = values[chosen]
        if t is not None and done.time is None and values.ndim > (done.op == "resample"):
            values = values[:, t] if done.op == "resample" else values[t]
        return cell + values if done.op == "steer" else np.broadcast_to(values, cell.shape)

    def uniforms(self, done: Done, shape: tuple[int, ...]) -> np.ndarray:
        return rng.uniforms(self.seed, f"{done.op}/{done.site}/{done.ordinal}", self.step, shape)

    def normals(self, done: Done, unit: int, shape: tuple[int, ...]) -> np.ndarray:
        """The unit's own row of normal numbers, each pair made from two uniform ones (Box and Muller)."""
        half = (int(np.prod(shape)) + 1) // 2
        a, b = self.uniforms(done, (unit + 1, 2, half))[unit]
        radius = np.sqrt(-2 * np.log(1 - a))
        pairs = np.concatenate([radius * np.cos(2 * np.pi * b), radius * np.sin(2 * np.pi * b)])
        return pairs[: int(np.prod(shape))].reshape(shape)


# -- layers


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def normal(x: np.ndarray, axes: tuple[int, ...], eps: float) -> np.ndarray:
    return np.asarray((x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps))


def batch_norm(layer: Any, x: np.ndarray, training: bool) -> np.ndarray:
    if training:
        x = normal(x, tuple(range(x.ndim - 1)), layer.eps)
    else:
        x = (x - layer.running_mean) / np.sqrt(layer.running_var + layer.eps)
    return np.asarray(x * layer.gain + layer.shift)


def convolution(layer: Any, x: np.ndarray) -> np.ndarray:
    """out[p] = b + the sum over the kernel's positions k of x[stride p + dilation k] @ w[k]."""
    kernel, axes = layer.kernel, len(layer.kernel)
    reach = [d * (k - 1) for k, d in zip(kernel, layer.dilation, strict=True)]
    pads = [(n // 2, n - n // 2) for n in reach] if layer.padding == "same" else [(p, p) for p in layer.padding]
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    grid = [(n - r - 1) // s + 1 for n, r, s in zip(x.shape[1:-1], reach, layer.stride, strict=True)]
    out = np.zeros((len(x), *grid, layer.outputs)) + (layer.b if layer.bias else 0.0)
    for p in product(*map(range, grid)):
        for k in product(*map(range, kernel)):
            at = tuple(layer.stride[a] * p[a] + layer.dilation[a] * k[a] for a in range(axes))
            out[(slice(None), *p)] += np.einsum("bi,io->bo", x[(slice(None), *at)], layer.w[k])
    return out


def pool(take: Callable[..., Any]) -> Callable[[Any, np.ndarray], np.ndarray]:
    def pooled(layer: Any, x: np.ndarray) -> np.ndarray:
        (kh, kw), (sh, sw) = layer.kernel, layer.stride
        rows = [
            [take(x[:, i : i + kh, j : j + kw], axis=(1, 2)) for j in range(0, x.shape[2] - kw + 1, sw)]
            for i in range(0, x.shape[1] - kh + 1, sh)
        ]
        return np.array(rows).transpose(2, 0, 1, 3)

    return pooled


def distances(layer: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(((x[..., :, None] - layer.w) ** 2).sum(axis=-2))


def linear(layer: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("...i,io->...o", x, layer.w) + layer.b)


PLAIN: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "linear": linear,
    "embedding": lambda layer, x: np.array([layer.w[i] for i in x.reshape(-1)]).reshape(*x.shape, -1),
    "flatten": lambda layer, x: x.reshape(len(x), -1),
    "tanh": lambda layer, x: np.tanh(x),
    "sigmoid": lambda layer, x: sigmoid(x),
    "relu": lambda layer, x: np.where(x > 0, x, 0.0),
    "gaussian": lambda layer, x: np.exp(-x / (2 * layer.width**2)),
    "layer-norm": lambda layer, x: normal(x, (-1,), layer.eps) * layer.gain + layer.shift,
    "conv1d": convolution,
    "conv2d": convolution,
    "max-pool2d": pool(np.max),
    "avg-pool2d": pool(np.mean),
    "global-avg-pool": lambda layer, x: x.mean(axis=tuple(range(1, x.ndim - 1))),
    "last-step": lambda layer, x: x[:, -1],
    "distances": distances,
}


def rnn_step(layer: Any, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sums = x @ layer.w_ih + layer.b_ih + h @ layer.w_hh + layer.b_hh
    return np.tanh(sums) if layer.nonlinearity == "tanh" else np.where(sums > 0, sums, 0.0), c


def gru_step(layer: Any, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    xr, xz, xn = np.split(x @ layer.w_ih + layer.b_ih, 3, axis=1)
    hr, hz, hn = np.split(h @ layer.w_hh + layer.b_hh, 3, axis=1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    return (1 - z) * np.tanh(xn + r * hn) + z * h, c


def lstm_step(layer: Any, x: np.ndarray, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    i, f, g, o = np.split(x @ layer.w_ih + layer.b_ih + h @ layer.w_hh + layer.b_hh, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def recurrent(step: Callable[..., tuple[np.ndarray, np.ndarray]]) -> Callable[..., np.ndarray]:
    def unrolled(slow: Slow, index: int, layer: Any, x: np.ndarray) -> np.ndarray:
        h, c = np.zeros((2, len(x), layer.size))
        states = []
        for t in range(x.shape[1]):
            h, c = step(layer, x[:, t], h, c)
            h = slow.at_step(index, h, t, x.shape[1])
            states.append(h)
        slow.seen[index] = np.stack(states, axis=1)
        return slow.seen[index] if layer.sequence else h

    return unrolled


def attention(slow: Slow, index: int, layer: Any, x: np.ndarray) -> np.ndarray:
    """Attention computed head by head and position by position."""
    batch, steps, size = x.shape
    d = size // layer.heads
    qkv = x @ layer.w_qkv + layer.b_qkv
    y = np.zeros((batch, layer.heads, steps, d))
    for b, head, t in product(range(batch), range(layer.heads), range(steps)):
        own = slice(head * d, (head + 1) * d)
        q, k, v = qkv[b, t, :size][own], qkv[b, :, size : 2 * size][:, own], qkv[b, :, 2 * size :][:, own]
        scores = np.exp(k[: t + 1] @ q / np.sqrt(d))
        y[b, head, t] = scores @ v[: t + 1] / scores.sum()
    slow.seen[index] = y = slow.on_heads(index, y)
    return np.asarray(np.concatenate(list(y.transpose(1, 0, 2, 3)), axis=-1) @ layer.w_out + layer.b_out)


INSIDE: dict[str, Callable[..., np.ndarray]] = {
    "rnn": recurrent(rnn_step),
    "gru": recurrent(gru_step),
    "lstm": recurrent(lstm_step),
    "causal-self-attention": attention,
}


def _split(layer: Any, x: np.ndarray, opened: list[list[Any]]) -> np.ndarray:
    opened.append([x])
    return x


def _next(layer: Any, x: np.ndarray, opened: list[list[Any]]) -> np.ndarray:
    opened[-1].append(x)
    return np.asarray(opened[-1][0])


def _add(layer: Any, x: np.ndarray, opened: list[list[Any]]) -> np.ndarray:
    return np.asarray(x + opened.pop()[0])


def _join(layer: Any, x: np.ndarray, opened: list[list[Any]]) -> np.ndarray:
    outputs = [*opened.pop()[1:], x]
    return np.concatenate(outputs, axis=-1) if layer.join == "concatenate" else np.sum(outputs, axis=0)


ENDS: dict[str, Callable[..., np.ndarray]] = {"split": _split, "next": _next, "add": _add, "join": _join}
