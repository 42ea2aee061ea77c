"""The line that edits the weight under the cursor names exactly it and starts from its value."""

from __future__ import annotations

import pytest

import tinynets as tn
from tinynets.lab.lab import experiment_of
from tinynets.nn.selectors import select_learned
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, View
from tinynets.server.frame_builder import FrameBuilder
from tui.model.operations import CommandDraft
from tui.model.selection import Selection
from tui.model.weight_line import last_row, weight_line


def at_of(recipe: str, block: str, unit: int, row: int, lens: str = "value") -> tuple[tn.Lab, Frame, Selection]:
    lab = tn.Lab(recipe)
    frame = FrameBuilder.of(lab).frame(View(block, unit, terms=200, lens=lens), 1, Activity())
    return lab, frame, Selection(block, unit, 0, row)


@pytest.mark.parametrize(
    ("recipe", "block", "unit", "row"),
    [
        ("spiral", "hidden2", 3, 7),
        ("names-mlp", "hidden", 117, 29),
        ("names-lstm", "lstm", 5, 300),
        ("digits-cnn", "conv2", 9, 40),
        ("names-transformer", "block1a.attention", 2, 500),
        ("names-transformer", "norm", 4, 1),
    ],
)
@pytest.mark.parametrize("lens", ["value", "gradient"])
def test_the_line_names_the_weight_and_holds_its_value(recipe: str, block: str, unit: int, row: int, lens: str) -> None:
    lab, frame, at = at_of(recipe, block, unit, row, lens)
    line = weight_line(frame, at, "weights")
    assert isinstance(line, CommandDraft)
    verb, selector = line.text.split()
    network = experiment_of(lab).network
    place = select_learned(network, selector).places(network)[0]  # type: ignore[union-attr]
    assert verb == "set_weight"
    assert float(line.asked) == pytest.approx(float(network.theta[place]), rel=1e-4)


def test_the_neuron_pane_offers_the_weight_of_the_term_under_the_cursor() -> None:
    _, frame, at = at_of("spiral", "hidden2", 3, 7)
    assert weight_line(frame, at, "neuron") == weight_line(frame, at, "weights")


def test_below_the_last_weight_is_the_bias() -> None:
    for pane in ("weights", "neuron"):
        _, frame, at = at_of("spiral", "hidden2", 3, 16)
        shown = frame.neuron if pane == "neuron" else frame.weights
        assert shown is not None
        assert last_row(shown) == 16
        assert weight_line(frame, at, pane) == CommandDraft("set_weight hidden2.b[3]", "0")


def test_where_there_is_no_such_number_the_line_says_why() -> None:
    _, frame, at = at_of("names-transformer", "block1a", 3, 0)
    assert weight_line(frame, at, "weights") == "no weights come into block1a[3]"
    _, frame, at = at_of("names-rnn", "rnn", 3, 80)
    assert weight_line(frame, at, "weights") == (
        "the bias is the sum of rnn.b_ih[3] and rnn.b_hh[3]: set one of them by its name with :"
    )
    _, frame, at = at_of("names-mlp", "embed", 3, 0)
    assert "Weights pane" in str(weight_line(frame, at, "neuron"))
    _, frame, at = at_of("spiral", "hidden2", 3, 0)
    assert "moved on" in str(weight_line(frame, Selection("hidden2", 4, 0, 0), "weights"))
