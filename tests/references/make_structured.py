"""Makes structured.npz: results of PyTorch 2.13 for convolutions, pools, RNN, GRU, LSTM and attention, in float64.

A case is layers (as tinynets describes them), their parameters as tinynets lays them out, and batches passed one after
the other: inputs, outputs, the gradients sent back and the resulting gradients. Run with PyTorch installed: python
tests/references/make_structured.py
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

Case = dict[str, np.ndarray]
Parameters = dict[str, tuple[nn.Parameter, Callable[[Any], Any]]]
"""`0.w` (layer and name) -> PyTorch's parameter, and how it is turned into tinynets' layout."""


def recorded(
    layers: list[dict[str, Any]], forward: Callable[[Any], Any], xs: list[torch.Tensor], parameters: Parameters
) -> Case:
    """The batches `xs` (tinynets' layout) through `forward`, one after the other, with random gradients sent back."""
    found: dict[str, list[Any]] = {"x": [], "out": [], "dout": [], "dx": []} | {f"d{name}": [] for name in parameters}
    for batch in xs:
        x = batch.clone().requires_grad_()
        out = forward(x)
        dout = torch.randn_like(out)
        for parameter, _ in parameters.values():
            parameter.grad = None
        out.backward(dout)
        for name, value in (("x", x), ("out", out), ("dout", dout), ("dx", x.grad)):
            found[name].append(value)
        for name, (parameter, turned) in parameters.items():
            found[f"d{name}"].append(turned(parameter.grad))
    case = {name: np.stack([value.detach().numpy() for value in values]) for name, values in found.items()}
    case |= {name: turned(parameter).detach().numpy().copy() for name, (parameter, turned) in parameters.items()}
    return case | {"layers": np.array(json.dumps(layers))}


def channels_first(x: Any) -> Any:
    return x.movedim(-1, 1)


def channels_last(x: Any) -> Any:
    return x.movedim(1, -1)


def convolution(
    axes: int, batch: int, grid: list[int], inputs: int, outputs: int, kernel: list[int], **options: Any
) -> Case:
    """Conv1d or Conv2d over a grid; `stride`, `padding` and `dilation` as both take them."""
    module = (nn.Conv1d, nn.Conv2d)[axes - 1](inputs, outputs, tuple(kernel), **options).double()
    layer = {"kind": f"conv{axes}d", "inputs": inputs, "outputs": outputs, "kernel": kernel} | {
        name: list(value) if isinstance(value, tuple) else value for name, value in options.items()
    }
    order = (*range(2, axes + 2), 1, 0)
    parameters: Parameters = {
        "0.w": (module.weight, lambda w: w.permute(order)),
        "0.b": (module.bias, lambda b: b),
    }
    x = torch.randn(batch, *grid, inputs, dtype=torch.float64)
    return recorded([layer], lambda x: channels_last(module(channels_first(x))), [x], parameters)


def pool(kind: str, shape: list[int], kernel: list[int], stride: list[int]) -> Case:
    """`max` or `avg` over x (B, H, W, C), half of it zeros, so that there are equals."""
    module = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}[kind](tuple(kernel), tuple(stride))
    layer = {"kind": f"{kind}-pool2d", "kernel": kernel, "stride": stride}
    x = torch.randn(*shape, dtype=torch.float64).clamp(min=0)
    return recorded([layer], lambda x: channels_last(module(channels_first(x))), [x], {})


def global_pool(shape: list[int]) -> Case:
    x = torch.randn(*shape, dtype=torch.float64)
    return recorded([{"kind": "global-avg-pool"}], lambda x: x.flatten(1, -2).mean(1), [x], {})


def recurrent(
    kind: str,
    batch: int,
    steps: int,
    inputs: int,
    size: int,
    *,
    depth: int = 1,
    sequence: bool = True,
    batches: int = 1,
    **options: Any,
) -> Case:
    """A stack of `depth` layers; over several batches the hidden state is carried, without its gradient."""
    module = getattr(nn, kind.upper())(inputs, size, num_layers=depth, batch_first=True, **options).double()
    carry = batch if batches > 1 else 0
    layers = [
        {"kind": kind, "inputs": size if level else inputs, "size": size, "carry": carry} | options
        for level in range(depth)
    ]
    layers[-1]["sequence"] = sequence
    state: Any = None

    def forward(x: Any) -> Any:
        nonlocal state
        out, state = module(x, state)
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        return out if sequence else out[:, -1]

    parameters: Parameters = {}
    for level in range(depth):
        for ours, theirs in (("w_ih", "weight_ih"), ("w_hh", "weight_hh"), ("b_ih", "bias_ih"), ("b_hh", "bias_hh")):
            parameters[f"{level}.{ours}"] = getattr(module, f"{theirs}_l{level}"), lambda value: value.T
    xs = [torch.randn(batch, steps, inputs, dtype=torch.float64) for _ in range(batches)]
    return recorded(layers, forward, xs, {name: (p, _turned(p)) for name, (p, _) in parameters.items()})


def _turned(parameter: Any) -> Callable[[Any], Any]:
    return (lambda value: value.T) if parameter.ndim == 2 else (lambda value: value)


def attention(batch: int, steps: int, size: int, heads: int) -> Case:
    module = nn.MultiheadAttention(size, heads, batch_first=True).double()
    for bias in (module.in_proj_bias, module.out_proj.bias):
        nn.init.normal_(bias)
    future = torch.triu(torch.ones(steps, steps, dtype=torch.bool), 1)
    out = module.out_proj
    parameters: Parameters = {
        "0.w_qkv": (module.in_proj_weight, lambda w: w.T),
        "0.b_qkv": (module.in_proj_bias, lambda b: b),
        "0.w_out": (out.weight, lambda w: w.T),
        "0.b_out": (out.bias, lambda b: b),
    }
    patterns = []

    def forward(x: Any) -> Any:
        given, pattern = module(x, x, x, attn_mask=future, average_attn_weights=False)
        patterns.append(pattern.detach().numpy())
        return given

    x = torch.randn(batch, steps, size, dtype=torch.float64)
    layer = {"kind": "causal-self-attention", "size": size, "heads": heads}
    case = recorded([layer], forward, [x], parameters)
    return case | {"pattern": np.stack(patterns)}


def cases() -> dict[str, Case]:
    return {
        "conv1d": convolution(1, 2, [9], 3, 4, [3]),
        "conv1d stride, padding, dilation": convolution(1, 2, [9], 3, 2, [3], stride=2, padding=1, dilation=2),
        "conv1d same": convolution(1, 2, [7], 2, 3, [4], padding="same", dilation=2),
        "conv2d": convolution(2, 2, [5, 6], 2, 3, [3, 3]),
        "conv2d stride, padding, dilation": convolution(
            2, 2, [6, 8], 2, 3, [2, 3], stride=(2, 1), padding=(1, 2), dilation=(2, 1)
        ),
        "conv2d same": convolution(2, 1, [4, 5], 2, 2, [2, 3], padding="same"),
        "max pool": pool("max", [2, 5, 6, 3], [2, 2], [2, 2]),
        "max pool, overlapping": pool("max", [2, 5, 6, 3], [3, 2], [1, 1]),
        "average pool": pool("avg", [2, 5, 6, 3], [2, 3], [2, 3]),
        "average pool, overlapping": pool("avg", [2, 5, 6, 3], [3, 2], [2, 1]),
        "global pool": global_pool([2, 3, 4, 5]),
        "rnn": recurrent("rnn", 3, 5, 4, 6),
        "rnn relu, last": recurrent("rnn", 3, 5, 4, 6, nonlinearity="relu", sequence=False),
        "rnn two layers, carried": recurrent("rnn", 3, 4, 2, 5, depth=2, batches=3),
        "gru": recurrent("gru", 3, 5, 4, 6),
        "gru last": recurrent("gru", 3, 5, 4, 6, sequence=False),
        "gru two layers, carried": recurrent("gru", 3, 4, 2, 5, depth=2, batches=3),
        "lstm": recurrent("lstm", 3, 5, 4, 6),
        "lstm last": recurrent("lstm", 3, 5, 4, 6, sequence=False),
        "lstm three layers, carried": recurrent("lstm", 3, 4, 2, 5, depth=3, batches=3),
        "attention": attention(2, 5, 6, 2),
        "attention, one head": attention(3, 4, 5, 1),
    }


def main() -> None:
    torch.manual_seed(0)
    flat = {f"{case}/{name}": value for case, arrays in cases().items() for name, value in arrays.items()}
    np.savez_compressed(Path(__file__).with_name("structured.npz"), **flat)


if __name__ == "__main__":
    main()
