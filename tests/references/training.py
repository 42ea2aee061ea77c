"""Checks that tinynets agrees to 1e-6 with a case of make_training.py, stored or computed live."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import tinynets as tn
from tinynets.nn.losses import loss_from
from tinynets.training.optimizers import optimizer_from

Case = dict[str, np.ndarray]


def stored() -> dict[str, Case]:
    """The cases of training.npz by name."""
    found: dict[str, Case] = {}
    with np.load(Path(__file__).with_name("training.npz")) as file:
        for key in file.files:
            case, _, name = key.rpartition("/")
            found.setdefault(case, {})[name] = file[key]
    return found


def check(case: Case) -> None:
    check_loss(case) if "loss" in case else check_optimizer(case)


def check_loss(case: Case) -> None:
    value, gradient = loss_from(json.loads(str(case["loss"])))(case["out"], case["y"])
    np.testing.assert_allclose(value, case["value"], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(gradient, case["gradient"], rtol=1e-6, atol=1e-12)


def check_optimizer(case: Case) -> None:
    """Train the same network on the same examples: each batch is a permutation of all, so the mean is the same."""
    network = tn.Network([tn.Linear(3, 4), tn.Tanh(), tn.Linear(4, 2)], dtype="float64")
    network.theta[:] = case["theta"][0]
    lab = tn.Lab(
        network,
        data=(case["x"], case["y"]),
        loss=tn.MSE(),
        optimizer=optimizer_from(json.loads(str(case["optimizer"]))),
        batch=len(case["x"]),
        sampling="epoch",
        **json.loads(str(case["clip"])),
    )
    for step, theta in zip(case["at"].tolist(), case["theta"], strict=True):
        lab.seek(step)
        np.testing.assert_allclose(lab.network.theta, theta, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(lab.losses, case["losses"], rtol=1e-6)
