"""Makes basic.npz: results of PyTorch 2.13 for Linear, Embedding, BatchNorm, LayerNorm and all activations, float64.

Each case holds its input, parameters and output, the gradient `dout` sent back, and the resulting gradients. Run with
PyTorch installed: python tests/references/make_basic.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

ACTIVATIONS: dict[str, nn.Module] = {
    "identity": nn.Identity(),
    "tanh": nn.Tanh(),
    "sigmoid": nn.Sigmoid(),
    "relu": nn.ReLU(),
    "leaky-relu": nn.LeakyReLU(0.01),
    "elu": nn.ELU(),
    "gelu": nn.GELU(),
    "gelu tanh": nn.GELU(approximate="tanh"),
    "silu": nn.SiLU(),
    "softplus": nn.Softplus(),
    "softmax": nn.Softmax(dim=-1),
}
NORM_STEPS = 5


def passed(module: nn.Module, x: torch.Tensor, **parameters: torch.Tensor) -> dict[str, np.ndarray]:
    """Input, output and gradients of one pass; `parameters` by the names they have here."""
    x = x.clone()
    if x.is_floating_point():
        x.requires_grad_()
    out = module(x)
    dout = torch.randn_like(out)
    module.zero_grad()
    out.backward(dout)
    found = {"x": x, "out": out, "dout": dout}
    if x.grad is not None:
        found["dx"] = x.grad
    for name, parameter in parameters.items():
        turned = name == "w" and isinstance(module, nn.Linear)  # here (in, out), there (out, in)
        found[name] = parameter.T if turned else parameter
        found[f"d{name}"] = parameter.grad.T if turned else parameter.grad
    return {name: value.detach().numpy().copy() for name, value in found.items()}


def cases() -> dict[str, dict[str, np.ndarray]]:
    made = {}
    linear, table = nn.Linear(3, 5), nn.Embedding(7, 4)
    made["linear"] = passed(linear, torch.randn(4, 2, 3), w=linear.weight, b=linear.bias)
    made["embedding"] = passed(table, torch.randint(0, 7, (4, 3)), w=table.weight)
    for name, module in ACTIVATIONS.items():
        made[name] = passed(module, 3 * torch.randn(6, 5))
    layer_norm = nn.LayerNorm(5)
    torch.nn.init.normal_(layer_norm.weight)
    torch.nn.init.normal_(layer_norm.bias)
    made["layer-norm"] = passed(layer_norm, torch.randn(4, 3, 5), gain=layer_norm.weight, shift=layer_norm.bias)
    return made | batch_norm()


def batch_norm() -> dict[str, dict[str, np.ndarray]]:
    """Several training steps, whose running statistics build upon each other, and then evaluation."""
    norm = nn.BatchNorm1d(4)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    made = {}
    for step in range(NORM_STEPS + 1):
        norm.train(step < NORM_STEPS)
        made[f"batch-norm {step}"] = passed(norm, 1 + 2 * torch.randn(6, 4), gain=norm.weight, shift=norm.bias) | {
            "running_mean": norm.running_mean.numpy().copy(),
            "running_var": norm.running_var.numpy().copy(),
        }
    return made


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    arrays = {f"{case}/{name}": array for case, group in cases().items() for name, array in group.items()}
    np.savez_compressed(Path(__file__).with_name("basic.npz"), **arrays)
