"""Training steps as bare sequences of numpy calls: straight-line code over preallocated buffers, with `out=`.

Like our layers, they use the fastest calls for the arithmetic (`a.dot(b, out)` rather than `np.matmul`, sums by dot
products, arrays without axes rather than Python numbers). They update all parameters as one vector, and check nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import numpy as np
from contests import BATCH, LR, Start, Steps, views

F = np.float32
ONE = np.ones((), F)
RATE = np.array(LR, F)


def empty(*shape: int) -> np.ndarray:
    return np.empty(shape, F)


class Vectors:
    """Parameters and gradients, each as one vector and as arrays."""

    def __init__(self, start: Start) -> None:
        self.theta, self.grad, self.delta = start.theta.copy(), np.empty_like(start.theta), np.empty_like(start.theta)
        self.values, self.slopes = views(self.theta, start.shapes), views(self.grad, start.shapes)

    def update(self) -> None:
        np.multiply(self.grad, RATE, self.delta)
        np.subtract(self.theta, self.delta, self.theta)


def draws(start: Start) -> tuple[np.ndarray, np.ndarray, Callable[[], None]]:
    """Arrays for a batch, and what fills them with the next."""
    x, y, batches = start.x, start.y, cycle(list(start.batches))
    xb, yb = np.empty((BATCH, *x.shape[1:]), x.dtype), np.empty((BATCH, *y.shape[1:]), y.dtype)

    def draw() -> None:
        index = next(batches)
        x.take(index, 0, xb, "clip")
        y.take(index, 0, yb, "clip")

    return xb, yb, draw


def cross_entropy(out: np.ndarray, y: np.ndarray) -> tuple[Callable[[], float], np.ndarray]:
    """What computes the loss of these outputs (n, classes) and the gradient, and the array that the gradient is in."""
    count, classes = out.shape
    y = y.reshape(-1)
    z, e, column, sums, picked = empty(*out.shape), empty(*out.shape), empty(count, 1), empty(count, 1), empty(count)
    places, starts = np.empty(count, np.int64), np.arange(count) * classes
    per_class, per_row = np.ones(classes, F), np.ones(count, F)
    rows, share = np.array(count, F), np.array(1 / count, F)
    flat_column, flat_sums, flat_e = column.reshape(-1), sums.reshape(-1), e.reshape(-1)

    def loss() -> float:
        np.maximum.reduce(out, axis=1, out=column, keepdims=True)
        np.subtract(out, column, z)
        np.exp(z, e)
        e.dot(per_class, flat_sums)
        np.add(starts, y, places)
        z.take(places, None, picked, "clip")
        np.log(sums, column)
        value = float((per_row.dot(flat_column) - per_row.dot(picked)) / count)
        np.multiply(sums, rows, sums)
        np.divide(e, sums, e)
        flat_e[places] -= share
        return value

    return loss, e


def names_mlp(start: Start) -> Steps:
    """Embedding, Linear, Tanh, Linear."""
    vectors = Vectors(start)
    (c, w1, b1, w2, b2), (dc, dw1, db1, dw2, db2) = vectors.values, vectors.slopes
    xb, yb, draw = draws(start)
    vocabulary, width = c.shape
    embedded = empty(*xb.shape, width)
    joined = embedded.reshape(BATCH, -1)
    h, dh, slope = (empty(BATCH, len(b1)) for _ in range(3))
    out, de = empty(BATCH, len(b2)), empty(*joined.shape)
    loss, dout = cross_entropy(out, yb)
    one_hot, identity, ones = empty(xb.size, vocabulary), np.eye(vocabulary, dtype=F), np.ones(BATCH, F)
    flat_x, de_rows = xb.reshape(-1), de.reshape(-1, width)
    while True:
        draw()
        c.take(xb, 0, embedded, "clip")
        joined.dot(w1, h)
        np.add(h, b1, h)
        np.tanh(h, h)
        h.dot(w2, out)
        np.add(out, b2, out)
        value = loss()
        h.T.dot(dout, dw2)
        ones.dot(dout, db2)
        dout.dot(w2.T, dh)
        np.multiply(h, h, slope)
        np.subtract(ONE, slope, slope)
        np.multiply(dh, slope, dh)
        joined.T.dot(dh, dw1)
        ones.dot(dh, db1)
        dh.dot(w1.T, de)
        identity.take(flat_x, 0, one_hot, "clip")
        one_hot.T.dot(de_rows, dc)
        vectors.update()
        yield value


def mlp(start: Start) -> Steps:
    """Linear and Tanh in turn, Linear last."""
    vectors = Vectors(start)
    xb, yb, draw = draws(start)
    ones = np.ones(BATCH, F)
    w, b, dw, db = vectors.values[::2], vectors.values[1::2], vectors.slopes[::2], vectors.slopes[1::2]
    outs = [empty(BATCH, len(bias)) for bias in b]
    inputs = [xb, *outs[:-1]]
    out = outs[-1]
    loss, dout = cross_entropy(out, yb)
    douts = [*(np.empty_like(h) for h in outs[:-1]), dout]
    slopes = [np.empty_like(h) for h in outs]
    forward = list(zip(inputs, w, b, outs, strict=True))
    backward = list(zip(douts, inputs, dw, db, w, [xb, *douts[:-1]], [xb, *slopes[:-1]], strict=True))[::-1]
    (x, last_w, last_b, _), hidden = forward[-1], forward[:-1]
    (first_dout, _, first_dw, first_db, *_), above = backward[-1], backward[:-1]
    while True:
        draw()
        for x_layer, w_layer, b_layer, h in hidden:
            x_layer.dot(w_layer, h)
            np.add(h, b_layer, h)
            np.tanh(h, h)
        x.dot(last_w, out)
        np.add(out, last_b, out)
        value = loss()
        for given, x_layer, dw_layer, db_layer, w_layer, dx, slope in above:
            x_layer.T.dot(given, dw_layer)
            ones.dot(given, db_layer)
            given.dot(w_layer.T, dx)
            np.multiply(x_layer, x_layer, slope)
            np.subtract(ONE, slope, slope)
            np.multiply(dx, slope, dx)
        xb.T.dot(first_dout, first_dw)
        ones.dot(first_dout, first_db)
        vectors.update()
        yield value


def rnn(start: Start) -> Steps:
    """Elman's, and a Linear at every time step."""
    vectors = Vectors(start)
    (w_ih, w_hh, b_ih, b_hh, w, b), (dw_ih, dw_hh, db_ih, db_hh, dw, db) = vectors.values, vectors.slopes
    xb, yb, draw = draws(start)
    (_, steps, inputs), size = xb.shape, len(b_ih)
    count = steps * BATCH
    xt, sums, h = empty(steps, BATCH, inputs), empty(steps, BATCH, size), empty(steps + 1, BATCH, size)
    x_rows, sum_rows, before_rows = xt.reshape(-1, inputs), sums.reshape(-1, size), h[:-1].reshape(-1, size)
    bias, product, flat, out = empty(size), empty(BATCH, size), empty(BATCH, steps, size), empty(count, len(b))
    flat_rows = flat.reshape(-1, size)
    loss, dout = cross_entropy(out, yb)
    dflat, dsteps, slope, dh = empty(count, size), empty(steps, BATCH, size), empty(steps, BATCH, size), product.copy()
    slope_rows, ones = slope.reshape(-1, size), np.ones(count, F)
    across, dacross = h[1:].transpose(1, 0, 2), dflat.reshape(BATCH, steps, size).transpose(1, 0, 2)
    onward = list(zip(sums, h[:-1], h[1:], strict=True))
    (last_given, last_slope), *back = list(zip(dsteps, slope, strict=True))[::-1]
    h[0].fill(0)
    while True:
        draw()
        np.copyto(xt, xb.transpose(1, 0, 2))
        x_rows.dot(w_ih, sum_rows)
        np.add(b_ih, b_hh, bias)
        np.add(sum_rows, bias, sum_rows)
        for total, before, after in onward:
            before.dot(w_hh, product)
            np.add(total, product, product)
            np.tanh(product, after)
        np.copyto(flat, across)
        flat_rows.dot(w, out)
        np.add(out, b, out)
        value = loss()
        flat_rows.T.dot(dout, dw)
        ones.dot(dout, db)
        dout.dot(w.T, dflat)
        np.copyto(dsteps, dacross)
        np.multiply(h[1:], h[1:], slope)
        np.subtract(ONE, slope, slope)
        np.multiply(last_slope, last_given, last_slope)
        later = last_slope
        for given, dsum in back:
            later.dot(w_hh.T, dh)
            np.add(dh, given, dh)
            np.multiply(dsum, dh, dsum)
            later = dsum
        x_rows.T.dot(slope_rows, dw_ih)
        before_rows.T.dot(slope_rows, dw_hh)
        ones.dot(slope_rows, db_ih)
        np.copyto(db_hh, db_ih)
        vectors.update()
        yield value


def cnn(start: Start) -> Steps:
    """Conv2d 3x3, ReLU, MaxPool2d 2, Linear, on images of one channel."""
    vectors = Vectors(start)
    (wc, bc, w, b), (dwc, dbc, dw, db) = vectors.values, vectors.slopes
    wc, dwc = wc.reshape(9, -1), dwc.reshape(9, -1)
    xb, yb, draw = draws(start)
    channels, side = len(bc), xb.shape[1] - 2

    def numbers(size: int, kernel: int, stride: int) -> np.ndarray:
        grid = np.arange(BATCH * size * size).reshape(BATCH, size, size)
        windows = np.lib.stride_tricks.sliding_window_view(grid, (kernel, kernel), (1, 2))[:, ::stride, ::stride]
        return np.ascontiguousarray(windows.reshape(-1, kernel * kernel))

    places, cells = numbers(side + 2, 3, 1), np.ascontiguousarray(numbers(side, 2, 2).T)
    x_flat, columns, conv = xb.reshape(-1), empty(*places.shape), empty(len(places), channels)
    h, dh, mask, zeros = np.empty_like(conv), np.empty_like(conv), np.empty_like(conv), np.zeros_like(conv)
    on = np.empty(conv.shape, bool)
    gathered, dgathered = empty(*cells.shape, channels), empty(*cells.shape, channels)
    largest, seen = np.empty(gathered.shape, bool), np.empty(gathered.shape[1:], bool)
    first, second, third, fourth = largest
    dg_rows, sources = dgathered.reshape(-1, channels), cells.reshape(-1).argsort()
    pooled = empty(*gathered.shape[1:])
    flat, dpooled, out = pooled.reshape(BATCH, -1), np.empty_like(pooled), empty(BATCH, len(b))
    dflat = dpooled.reshape(BATCH, -1)
    loss, dout = cross_entropy(out, yb)
    ones, per_place = np.ones(BATCH, F), np.ones(len(places), F)
    examples, biases = conv.reshape(BATCH, -1), empty(side * side * channels)
    bias_rows = biases.reshape(-1, channels)
    while True:
        draw()
        x_flat.take(places, None, columns, "clip")
        columns.dot(wc, conv)
        np.copyto(bias_rows, bc)
        np.add(examples, biases, examples)
        np.maximum(conv, zeros, out=h)
        h.take(cells, 0, gathered, "clip")
        np.maximum.reduce(gathered, axis=0, out=pooled)
        flat.dot(w, out)
        np.add(out, b, out)
        value = loss()
        flat.T.dot(dout, dw)
        ones.dot(dout, db)
        dout.dot(w.T, dflat)
        np.equal(gathered, pooled, largest)
        np.greater(second, first, second)
        np.logical_or(first, second, seen)
        np.greater(third, seen, third)
        np.logical_or(seen, third, seen)
        np.greater(fourth, seen, fourth)
        np.copyto(dgathered, largest)
        np.multiply(dgathered, dpooled, dgathered)
        dg_rows.take(sources, 0, dh, "clip")
        np.greater(h, zeros, on)
        np.copyto(mask, on)
        np.multiply(dh, mask, dh)
        columns.T.dot(dh, dwc)
        per_place.dot(dh, dbc)
        vectors.update()
        yield value
