"""The same training in PyTorch (eager) and in JAX (one jitted step, called for every batch), each with one thread.

Both start from our parameters, are given the indices of a batch, and hand the loss of every step back as a float.
Imported only where PyTorch, or JAX, is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
from contests import LR, Start, Steps

# Before JAX is first imported.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

CELLS = (3, 3, 8)  # what the small CNN flattens: height, width, channels


# -- PyTorch


def torch_linear(w: np.ndarray, b: np.ndarray) -> Any:
    import torch

    linear = torch.nn.Linear(*w.shape)
    return torch_filled(linear, weight=w.T, bias=b)


def torch_filled(module: Any, **values: np.ndarray) -> Any:
    import torch

    with torch.no_grad():
        for name, value in values.items():
            getattr(module, name).copy_(torch.from_numpy(np.ascontiguousarray(value)))
    return module


def torch_names_mlp(c: np.ndarray, *rest: np.ndarray) -> Any:
    import torch

    embedding = torch_filled(torch.nn.Embedding(*c.shape), weight=c)
    return torch.nn.Sequential(embedding, torch.nn.Flatten(), *torch_mlp(*rest))


def torch_mlp(*parameters: np.ndarray) -> Any:
    import torch

    modules: list[Any] = []
    for w, b in zip(parameters[::2], parameters[1::2], strict=True):
        modules += [torch_linear(w, b), torch.nn.Tanh()]
    return torch.nn.Sequential(*modules[:-1])


def torch_rnn(*parameters: np.ndarray) -> Any:
    import torch

    w_ih, w_hh, b_ih, b_hh, w, b = parameters

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = torch_filled(
                torch.nn.RNN(*w_ih.shape, batch_first=True),
                weight_ih_l0=w_ih.T,
                weight_hh_l0=w_hh.T,
                bias_ih_l0=b_ih,
                bias_hh_l0=b_hh,
            )
            self.out = torch_linear(w, b)

        def forward(self, x: Any) -> Any:
            return self.out(self.rnn(x)[0]).flatten(0, 1)

    return Net()


def torch_cnn(*parameters: np.ndarray) -> Any:
    import torch

    wc, bc, w, b = parameters
    rows = w.reshape(*CELLS, -1).transpose(2, 0, 1, 3).reshape(w.shape)  # it flattens with the channels first
    convolution = torch_filled(torch.nn.Conv2d(1, len(bc), 3), weight=wc.transpose(3, 2, 0, 1), bias=bc)
    return torch.nn.Sequential(
        convolution, torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch_linear(rows, b)
    )


def torch_steps(start: Start, net: Callable[..., Any], *, fused: bool = False) -> Steps:
    import torch

    torch.set_num_threads(1)
    model = net(*start.parameters())
    optimizer = torch.optim.SGD(model.parameters(), LR, fused=fused)
    x = start.x.transpose(0, 3, 1, 2) if start.x.ndim == 4 else start.x
    xs, ys = torch.from_numpy(x.copy()), torch.from_numpy(start.y.copy())
    for index in cycle(list(torch.from_numpy(start.batches))):
        loss = torch.nn.functional.cross_entropy(model(xs[index]), ys[index].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


# -- JAX


def jax_names_mlp(parameters: Any, x: Any) -> Any:
    c, *rest = parameters
    return jax_mlp(rest, c[x].reshape(len(x), -1))


def jax_mlp(parameters: Any, x: Any) -> Any:
    import jax.numpy as jnp

    *hidden, (last_w, last_b) = zip(parameters[::2], parameters[1::2], strict=True)
    for w, b in hidden:
        x = jnp.tanh(x @ w + b)
    return x @ last_w + last_b


def jax_rnn(parameters: Any, x: Any) -> Any:
    import jax
    import jax.numpy as jnp

    w_ih, w_hh, b_ih, b_hh, w, b = parameters

    def step(h: Any, total: Any) -> Any:
        h = jnp.tanh(total + h @ w_hh)
        return h, h

    sums = x.transpose(1, 0, 2) @ w_ih + b_ih + b_hh
    _, h = jax.lax.scan(step, jnp.zeros((len(x), len(b_ih)), x.dtype), sums)
    return h.transpose(1, 0, 2).reshape(-1, len(b_ih)) @ w + b


def jax_cnn(parameters: Any, x: Any) -> Any:
    import jax
    import jax.numpy as jnp

    wc, bc, w, b = parameters
    h = jax.lax.conv_general_dilated(x, wc, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    h = jnp.maximum(h + bc, 0)
    h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return h.reshape(len(x), -1) @ w + b


def jax_steps(start: Start, net: Callable[[Any, Any], Any]) -> Steps:
    import jax
    import jax.numpy as jnp

    def mean_loss(parameters: Any, x: Any, y: Any) -> Any:
        out = jax.nn.log_softmax(net(parameters, x))
        return -out[jnp.arange(len(out)), y.reshape(-1)].mean()

    def step(parameters: Any, xs: Any, ys: Any, index: Any) -> Any:
        value, gradient = jax.value_and_grad(mean_loss)(parameters, xs[index], ys[index])
        return [p - LR * g for p, g in zip(parameters, gradient, strict=True)], value

    jitted = jax.jit(step, donate_argnums=0)
    parameters = [jnp.asarray(part) for part in start.parameters()]
    xs, ys = jnp.asarray(start.x), jnp.asarray(start.y, jnp.int32)
    for index in cycle(list(start.batches.astype(np.int32))):
        parameters, value = jitted(parameters, xs, ys, index)
        yield float(value)
