"""The weights pane is called after the block that is selected, whether that has weights or not."""

from __future__ import annotations

import pytest
from panes import drawn, frame_of

from tui.widgets.activations import ActivationsPane
from tui.widgets.weights import WeightsPane


def test_the_title_goes_with_the_block_also_where_that_has_no_weights() -> None:
    pane = WeightsPane()
    drawn(pane, frame_of("names-transformer", "block2b.down"), 93, 16)
    assert pane.detail == "block2b.down.w (128, 32)"
    lines = drawn(pane, frame_of("names-transformer", "block2b"), 93, 16)
    assert "no weights in this block" in "".join(lines)
    assert pane.detail == "block2b"


@pytest.mark.parametrize("recipe", ["names-mlp", "spiral", "digits-cnn", "colors-som"])
@pytest.mark.parametrize("pane", [WeightsPane, ActivationsPane])
def test_a_map_is_never_wider_than_its_pane(recipe: str, pane: type[WeightsPane | ActivationsPane]) -> None:
    for width in range(3, 30):
        for height in (1, 2, 5, 12):
            drawn(pane(), frame_of(recipe), width, height)  # asserts that no line is wider
