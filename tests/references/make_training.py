"""Makes training.npz: results of PyTorch 2.13 for losses (value and gradient) and optimizers (50 steps), in float64.

Run with PyTorch installed: python tests/references/make_training.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

Case = dict[str, np.ndarray]

OPTIMIZERS: dict[str, tuple[dict[str, Any], Any, dict[str, Any]]] = {
    "sgd": ({"kind": "sgd", "lr": 0.1}, torch.optim.SGD, {"lr": 0.1}),
    "momentum": (
        {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
        torch.optim.SGD,
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    ),
    "nesterov": (
        {"kind": "sgd", "lr": 0.05, "momentum": 0.8, "weight_decay": 0.02, "nesterov": True},
        torch.optim.SGD,
        {"lr": 0.05, "momentum": 0.8, "weight_decay": 0.02, "nesterov": True},
    ),
    "rmsprop": (
        {"kind": "rmsprop", "lr": 0.01, "decay": 0.9, "epsilon": 1e-6, "weight_decay": 0.03},
        torch.optim.RMSprop,
        {"lr": 0.01, "alpha": 0.9, "eps": 1e-6, "weight_decay": 0.03},
    ),
    "rmsprop-momentum": (
        {"kind": "rmsprop", "lr": 0.01, "momentum": 0.7},
        torch.optim.RMSprop,
        {"lr": 0.01, "momentum": 0.7},
    ),
    "adam": ({"kind": "adam", "lr": 0.02}, torch.optim.Adam, {"lr": 0.02}),
    "adam-decay": (
        {"kind": "adam", "lr": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-5, "weight_decay": 0.1},
        torch.optim.Adam,
        {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-5, "weight_decay": 0.1},
    ),
    "adamw": (
        {"kind": "adamw", "lr": 0.02, "weight_decay": 0.2},
        torch.optim.AdamW,
        {"lr": 0.02, "weight_decay": 0.2},
    ),
}
CLIPS = {"plain": {}, "norm": {"clip_norm": 0.5}, "value": {"clip_value": 0.1}}


def trained(name: str, clip: str, seed: int, steps: int = 50) -> Case:
    """A 3-4-2 tanh network trained for `steps` steps on all of its 6 examples, with squared error."""
    ours, make, theirs = OPTIMIZERS[name]
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    x, y = torch.randn(6, 3, dtype=torch.float64), 3 * torch.randn(6, 2, dtype=torch.float64)
    optimizer = make(net.parameters(), **theirs)
    thetas, losses = [_theta(net)], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = functional.mse_loss(net(x), y)
        loss.backward()
        if clip == "norm":
            # PyTorch divides by norm + 1e-6; here the norm itself becomes the bound, as ours does
            norm = torch.cat([p.grad.reshape(-1) for p in net.parameters()]).norm()
            if norm > CLIPS["norm"]["clip_norm"]:
                for parameter in net.parameters():
                    parameter.grad *= CLIPS["norm"]["clip_norm"] / norm
        elif clip == "value":
            nn.utils.clip_grad_value_(net.parameters(), CLIPS["value"]["clip_value"])
        optimizer.step()
        thetas.append(_theta(net))
        losses.append(loss.item())
    return {
        "optimizer": np.array(json.dumps(ours)),
        "clip": np.array(json.dumps(CLIPS[clip])),
        "x": x.numpy(),
        "y": y.numpy(),
        "theta": np.stack([thetas[place] for place in (0, 1, 2, steps // 2, steps)]),
        "at": np.array([0, 1, 2, steps // 2, steps]),
        "losses": np.array(losses),
    }


def _theta(net: nn.Sequential) -> np.ndarray:
    parts = [part for layer in (net[0], net[2]) for part in (layer.weight.T, layer.bias)]
    return torch.cat([part.reshape(-1) for part in parts]).detach().numpy().copy()


def judged(kind: str, arguments: dict[str, Any], shape: tuple[int, ...], seed: int) -> Case:
    """A loss on random outputs: value and gradient."""
    torch.manual_seed(seed)
    out = (2 * torch.randn(shape, dtype=torch.float64)).requires_grad_()
    target, value = _judgement(kind, arguments, out)
    value.backward()
    return {
        "loss": np.array(json.dumps({"kind": kind} | arguments)),
        "out": out.detach().numpy(),
        "y": target.numpy(),
        "value": np.array(value.item()),
        "gradient": out.grad.numpy(),
    }


def _judgement(kind: str, arguments: dict[str, Any], out: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    if kind == "cross-entropy":
        y = torch.randint(out.shape[-1], out.shape[:-1])
        return y, functional.cross_entropy(out.reshape(-1, out.shape[-1]), y.reshape(-1), **arguments)
    if kind == "binary-cross-entropy":
        y = torch.rand_like(out)
        return y.detach(), functional.binary_cross_entropy_with_logits(out, y)
    if kind in ("hinge", "perceptron"):
        y = 2.0 * torch.randint(2, out.shape) - 1
        return y, torch.relu((1 if kind == "hinge" else 0) - y * out).mean()
    y = torch.randn_like(out).detach()
    value = {
        "mse": functional.mse_loss,
        "mae": functional.l1_loss,
        "huber": functional.huber_loss,
    }[kind](out, y, **arguments)
    return y, value


LOSSES: list[tuple[str, dict[str, Any]]] = [
    ("cross-entropy", {}),
    ("cross-entropy", {"label_smoothing": 0.1}),
    ("binary-cross-entropy", {}),
    ("mse", {}),
    ("mae", {}),
    ("huber", {"delta": 0.7}),
    ("hinge", {}),
    ("perceptron", {}),
]


def main() -> None:
    cases = {f"optimizer {name} {clip}": trained(name, clip, 1) for name in OPTIMIZERS for clip in CLIPS}
    for number, (kind, arguments) in enumerate(LOSSES):
        for shape in ((5, 3), (2, 4, 3)):
            cases[f"loss {number} {kind} {len(shape)}"] = judged(kind, arguments, shape, number)
    flat = {f"{case}/{name}": value for case, arrays in cases.items() for name, value in arrays.items()}
    np.savez_compressed(Path(__file__).with_name("training.npz"), **flat)


if __name__ == "__main__":
    main()
