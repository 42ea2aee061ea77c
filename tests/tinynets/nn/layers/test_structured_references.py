"""Convolutions, pools, recurrent layers and attention agree with values of PyTorch 2.13 (tests/references)."""

from __future__ import annotations

import numpy as np
import pytest
import structured

CASES = structured.stored()


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients_are_those_of_pytorch(name: str) -> None:
    structured.check(CASES[name])


@pytest.mark.parametrize("name", [name for name in CASES if "pattern" in CASES[name]])
def test_the_pattern_of_attention_is_that_of_pytorch(name: str) -> None:
    case = CASES[name]
    network = structured.network_of(case)
    workspace = structured.Workspace()
    network.forward(case["x"][0], workspace)
    np.testing.assert_allclose(network.layers[0].attention_pattern(workspace.buffers[0]), case["pattern"][0], atol=1e-6)
