"""The neuron pane begins with what is the matter, and shows the unit's picture where there is room."""

from __future__ import annotations

import pytest
from panes import PLAIN, drawn, frame_of

from tui.render.palette import Terminal
from tui.widgets.network import NetworkPane
from tui.widgets.neuron import NeuronPane

RECIPES = ["xor", "digits", "digits-cnn", "names-mlp", "colors-som", "names-transformer"]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("size", [(62, 11), (40, 17), (38, 10), (158, 38)])
@pytest.mark.parametrize("look", [Terminal(), PLAIN])
def test_the_sentence_stands_below_the_name(recipe: str, size: tuple[int, int], look: Terminal) -> None:
    frame = frame_of(recipe)
    assert frame.neuron is not None
    lines = drawn(NeuronPane(), frame, *size, look)
    assert len(lines) <= size[1]
    assert lines[0].startswith(frame.neuron.name)
    assert lines[1].split()[0] == frame.neuron.verdict.split()[0]


def test_the_picture_stands_beside_the_numbers_in_a_wide_pane_and_below_them_in_a_tall_one() -> None:
    frame = frame_of("xor")
    wide, tall = drawn(NeuronPane(), frame, 62, 12), drawn(NeuronPane(), frame, 40, 24)
    caption = "over the inputs"
    assert any(caption in line and not line.startswith(caption) for line in wide)
    assert tall[-1].startswith(caption)
    assert "w·x" in "".join(wide)
    assert "w·x" in "".join(tall)


def test_a_small_pane_has_no_picture_but_the_numbers() -> None:
    text = "\n".join(drawn(NeuronPane(), frame_of("xor"), 38, 8))
    assert "over the inputs" not in text
    assert "tanh(" in text


@pytest.mark.parametrize("size", [(62, 13), (150, 38)])
def test_an_embedding_is_its_letters_on_a_plane(size: tuple[int, int]) -> None:
    lines = drawn(NeuronPane(), frame_of("names-mlp", "embed", 2), *size)
    first = next(y for y, line in enumerate(lines) if "2 principal components" in line)
    letters = set("".join(lines[first + 1 : -1]).replace(" ", ""))
    assert len(letters & set(".abcdefghijklmnopqrstuvwxyz")) >= (18 if size[1] < 20 else 26)
    assert lines[-1].rstrip().endswith("largest loading is positive")


def test_a_network_shown_alone_has_the_table_of_the_selected_embedding_beside_it() -> None:
    pane = NetworkPane()
    pane.alone = True
    text = "\n".join(drawn(pane, frame_of("names-mlp", "embed", 2), 158, 38))
    assert "2 principal components" in text
    assert "2 principal components" not in "\n".join(drawn(pane, frame_of("names-mlp", "hidden", 2), 158, 38))
    assert "2 principal components" not in "\n".join(drawn(pane, frame_of("names-mlp", "embed", 2), 90, 38))


def test_the_first_example_of_a_sequence_has_something_to_attend_to() -> None:
    frame = frame_of("names-transformer")
    letters = [len(text.rpartition(" → ")[0].lstrip(".")) for text in frame.examples]
    assert letters[frame.view.example] == max(letters)
    assert frame_of("names-transformer", "block1a.attention").view.example == 0


def test_a_convolution_shows_its_kernel_and_its_map() -> None:
    text = "\n".join(drawn(NeuronPane(), frame_of("digits-cnn", "conv2", 3), 158, 38))
    assert "its kernel, 8 channels" in text
    assert "the channel" in text


def test_a_head_with_nothing_to_look_at_hints_at_other_examples() -> None:
    at = next(i for i, text in enumerate(frame_of("names-transformer").examples) if text.startswith("......."))
    lines = drawn(NeuronPane(), frame_of("names-transformer", "block1a.attention", 0, at), 62, 16)
    assert any("nothing to look at but padding: , and . show others" in line for line in lines)
    lines = drawn(NeuronPane(), frame_of("names-transformer", "block1a.attention", 0, 0), 62, 16)
    assert not any("padding" in line for line in lines)


def test_up_and_down_walk_the_terms_and_then_the_bias() -> None:
    frame, pane = frame_of("xor", "hidden", 1), NeuronPane()
    drawn(pane, frame, 62, 12)
    neuron = frame.neuron
    assert neuron is not None
    rows = []
    for _ in range(4):
        chosen = pane.moved(0, 1)
        assert chosen is not None
        rows.append(chosen.row)
        vars(pane)["selection"] = type(pane.selection)("hidden", 1, 0, chosen.row)
    order = [term.row for term in neuron.contributions]
    assert rows[-1] == 2
    assert set(rows[:-1]) <= {*order, 2}
    assert pane.moved(1, 0) is None


@pytest.mark.parametrize("block", ["conv1", "conv2"])
def test_a_channel_in_a_wide_pane_has_its_kernel_its_terms_and_its_map(block: str) -> None:
    lines = drawn(NeuronPane(), frame_of("digits-cnn", block, 3), 62, 14)
    text = "\n".join(lines)
    assert "its kernel" in text
    assert "the channel" in text
    assert "@" in "".join(line for line in lines if line.startswith(("x[", "conv")))
