"""Losses and optimizers agree with values of PyTorch 2.13 (tests/references)."""

from __future__ import annotations

import pytest
import training

CASES = training.stored()


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("loss")])
def test_value_and_gradient_of_losses_are_those_of_pytorch(name: str) -> None:
    training.check(CASES[name])


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("optimizer")])
def test_fifty_steps_of_optimizers_are_those_of_pytorch(name: str) -> None:
    training.check(CASES[name])
