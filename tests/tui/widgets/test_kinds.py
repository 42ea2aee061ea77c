"""What the panes show for each kind of network, on frames of the real recipes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from panes import PLAIN, RECIPES, drawn, frame_of

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import BlockInfo, View
from tinynets.server.frame_builder import FrameBuilder
from tui.model.completion import completions
from tui.model.selection import Selection
from tui.render.arrangement import Room, fit
from tui.render.drawing import clip_name, places
from tui.render.palette import Terminal
from tui.render.pictures import colours, greys, mapped, picture
from tui.widgets.activations import ActivationsPane
from tui.widgets.header import Header
from tui.widgets.network import NetworkPane
from tui.widgets.neuron import NeuronPane
from tui.widgets.output import OutputPane
from tui.widgets.weights import WeightsPane


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("width", "height"), [(93, 16), (38, 15), (28, 4)])
def test_every_pane_draws_every_recipe_with_and_without_colours(recipe: str, width: int, height: int) -> None:
    lab_frame = frame_of(recipe)
    for look in (Terminal(), PLAIN):
        for pane in (NetworkPane(), WeightsPane(), NeuronPane(), OutputPane()):
            text = "\n".join(drawn(pane, lab_frame, width, height, look))
            assert "NaN" not in text
            assert look.unicode or not set("▀▐▌■█◆●▶│") & set(text)


def test_a_head_shows_which_character_looks_at_which() -> None:
    frame = frame_of("names-transformer", "block1a.attention", 1, 3)
    lines = drawn(NeuronPane(), frame, 60, 20)
    start = next(i for i, text in enumerate(lines) if "where each position looks" in text)
    word = frame.examples[3].split(" ")[0]
    assert lines[start + 1].split() == list(word)
    assert "".join(text[0] for text in lines[start + 2 : start + 10]) == word
    assert frame.neuron is not None
    assert frame.neuron.pattern is not None
    shares = [f"{100 * share:.0f}" for share in frame.neuron.pattern[7]]
    assert lines[start + 9].split()[1:] == shares


def test_of_a_pattern_that_does_not_fit_the_end_is_shown() -> None:
    lines = drawn(NeuronPane(), frame_of("names-transformer", "block1a.attention", 1, 3), 60, 9)
    assert len(lines) == 9
    assert lines[-1].startswith(frame_of("names-transformer").examples[3].split(" ")[0][-1])


def test_a_map_shows_its_colours_its_distances_and_the_nearest_unit() -> None:
    frame = frame_of("colors-som")
    text = "\n".join(drawn(OutputPane(), frame, 62, 16))
    assert "colours learned" in text
    assert "distance to neighbours" in text
    assert frame.output is not None
    assert frame.output.grid is not None
    row, column = frame.output.grid.best
    assert f"unit {row * 12 + column} is nearest" in text


@pytest.mark.parametrize("size", [(62, 12), (40, 21), (38, 15)])
def test_a_map_is_marked_wherever_it_stands(size: tuple[int, int]) -> None:
    assert "◆" in "\n".join(drawn(OutputPane(), frame_of("colors-som"), *size))


@pytest.mark.parametrize(
    ("recipe", "heading"),
    [
        ("names-rnn", "probability of what comes next"),
        ("digits", "probability of each class"),
        ("spiral", "each class"),
    ],
)
def test_the_output_is_called_what_it_is(recipe: str, heading: str) -> None:
    pane = OutputPane()
    drawn(pane, frame_of(recipe), 62, 12)
    assert heading in pane.footnote


def test_plain_values_stand_beside_what_they_should_be() -> None:
    line = drawn(OutputPane(), frame_of("perceptron"), 62, 12)[1]
    assert line.startswith("output ")
    assert "◀ -1.00" in line


def test_a_digit_is_a_picture_beside_its_classes() -> None:
    frame = frame_of("digits")
    assert frame.output is not None
    assert frame.output.image is not None
    ink = frame.output.image
    rows = picture(greys(ink), 1, Terminal())
    assert [len(row) for row in rows] == [8] * 8
    bright = [[segment.style.bgcolor.triplet.red for segment in row] for row in rows]  # type: ignore[union-attr]
    assert np.argmax(bright) == np.argmax(ink)


def test_a_channel_is_a_picture_of_half_as_many_lines_as_rows() -> None:
    values = np.linspace(-1, 1, 30).reshape(5, 6)
    assert [len(row) for row in picture(mapped(values, 1), 0, Terminal())] == [6] * 3
    assert [len(row) for row in picture(mapped(values, 1), 0, PLAIN)] == [6] * 5
    marked = picture(colours(np.zeros((4, 4, 3))), 2, Terminal(), {(3, 1): "◆"})
    assert [y for y, row in enumerate(marked) if "◆" in "".join(s.text for s in row)] == [6]


def room(width: int = 90) -> Room:
    return Room(width, "", True)


def test_a_convolution_is_shown_per_channel() -> None:
    blocks = frame_of("digits-cnn").blocks
    rows = fit(blocks, room(), 16, "conv1").rows
    first = [row for row in rows if row.spans and row.spans[0].block == "conv1"]
    assert len(first) == 4
    assert [span.first for span in first[0].spans] == list(range(8))


def test_a_network_that_does_not_fit_is_folded_around_the_selected_block() -> None:
    blocks = frame_of("names-transformer").blocks
    rows = fit(blocks, room(), 15, "block1b.up").rows
    assert {blocks[row.block].name for row in rows} == {block.name for block in blocks if block.units}
    unfolded = [row for row in rows if not row.folded]
    assert {blocks[row.block].name for row in unfolded} == {"block1b.up"}
    assert any(span.home for row in unfolded for span in row.spans)
    tall = fit(blocks, room(), 300, "block1b.up").rows
    assert not any(row.folded for row in tall)
    assert len({row.block for row in tall}) == len(blocks)


def test_layers_without_units_give_way_before_blocks_are_folded() -> None:
    blocks = (BlockInfo("a", "", 4, 1, 0, "", True), BlockInfo("f", "", 0, 1, 0, "", False))
    assert [row.block for row in fit(blocks, room(), 3, "a").rows] == [0, 0, 1]
    assert [row.block for row in fit(blocks, room(), 2, "a").rows] == [0, 0]


@pytest.mark.parametrize("block", [block.name for block in frame_of("names-transformer").blocks if block.units])
@pytest.mark.parametrize("size", [(93, 16), (36, 13)])
def test_the_selected_block_is_to_be_seen(block: str, size: tuple[int, int]) -> None:
    lines = drawn(NetworkPane(), frame_of("names-transformer", block), *size)
    assert any(text.startswith(f"▶ {block}") for text in lines)
    assert any("▐▌" in text or "■" in text for text in lines)


def test_down_walks_through_all_blocks_of_a_folded_network() -> None:
    frame = frame_of("names-transformer", "embed")
    pane, seen = NetworkPane(), ["embed"]
    drawn(pane, frame, 93, 16)
    while (chosen := pane.moved(0, 1)) is not None:
        assert chosen.block is not None
        assert chosen.unit is not None
        seen.append(chosen.block)
        vars(pane).update(selection=Selection(chosen.block, chosen.unit, 0))
        pane.draw(93, 16)
    assert list(dict.fromkeys(seen)) == [block.name for block in frame.blocks if block.units]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("block1.norm[3]@2", "norm[3]@2"),
        ("q 12 block1.norm[3]", "q 12 norm[3]"),
        ("hidden[3]", "hidden[3]"),
        ("a_very_long_name[12]", "…ong_name[12]"),
    ],
)
def test_a_name_keeps_its_numbers_when_it_is_cut(name: str, short: str) -> None:
    assert clip_name(name, 13) == short


def test_positions_are_called_by_their_characters_where_there_is_one_for_each() -> None:
    assert places(".em → m", 3) == (".", "e", "m")
    assert places(".em → m", 2) == ("0", "1")


@pytest.mark.parametrize(
    ("recipe", "typed", "offered"),
    [
        ("names-rnn", "zero rnn[5]@", "zero rnn[5]@t=3"),
        ("names-transformer", "activation ", "activation block1b.up"),
        ("names-transformer", "activation block1b.up g", "activation block1b.up gelu"),
        ("names-rnn", "set optimizer ", "set optimizer adam"),
        ("names-transformer", "zero block1a.a", "zero block1a.attention[0]"),
    ],
)
def test_what_may_come_next_is_offered(recipe: str, typed: str, offered: str) -> None:
    found: list[Any] = completions(typed, frame_of(recipe))
    assert offered in found
    assert all(line.startswith(typed) for line in found)


@pytest.mark.parametrize(("width", "lead"), [(60, "tanh("), (30, "-")])
def test_what_a_zeroed_unit_would_be_comes_before_what_it_is(width: int, lead: str) -> None:
    lab = tn.Lab("names-mlp")
    lab.probe.forward(lab.network)
    negative = int(lab.probe.values(lab.network, lab.network.block("hidden"))[:, 0, 3].argmin())
    lab.zero("hidden[3]")
    frame = FrameBuilder.of(lab).frame(View("hidden", 3, negative), 1, Activity())
    neuron = frame.neuron
    assert neuron is not None
    assert neuron.clean < 0
    shown = next(text for text in drawn(NeuronPane(), frame, width, 12) if "zero: " in text)
    assert shown.startswith(lead)
    assert f"{neuron.clean:.3f} → zero: 0.000" in shown


def test_the_share_of_saturated_cells_is_said_to_be_the_layers() -> None:
    lab = tn.Lab("names-mlp")
    frame = FrameBuilder.of(lab).frame(View("hidden"), 1, Activity())
    assert frame.activations is not None
    assert f"layer {frame.activations.saturated.mean():.0%} saturated" in drawn(ActivationsPane(), frame, 93, 16)[-1]


@pytest.mark.parametrize("look", [Terminal(), PLAIN])
def test_the_network_has_the_legend_of_the_selected_block(look: Terminal) -> None:
    last = drawn(NetworkPane(), frame_of("names-mlp", "hidden"), 93, 16, look)[-1]
    assert last.startswith("lens auto: value  scale of hidden")
    assert last.rstrip().endswith("+1.00")


def test_a_half_done_step_is_marked_where_it_is() -> None:
    lab = tn.Lab("names-mlp")
    seen: dict[str, tuple[int, int, bool, bool]] = {}
    while "update" not in seen:
        phase = lab.phase().phase
        frame = FrameBuilder.of(lab).frame(View("hidden", 3), 1, Activity())
        text = "\n".join(drawn(NetworkPane(), frame, 93, 16))
        neuron = "\n".join(drawn(NeuronPane(), frame, 60, 16))
        header = drawn(Header(), frame, 80, 1)[0]
        seen[phase] = (text.count("▼ forward"), text.count("▲ backward"), "batch: mean" in neuron, "gradient" in neuron)
        assert ("batch loss" in header) == ("loss" in seen and phase != "update")
    assert seen["batch"] == seen["update"] == (0, 0, False, False)
    assert seen["forward embed"] == (1, 0, False, False)
    assert seen["loss"] == (0, 0, True, False)
    assert seen["backward hidden"] == (0, 1, True, True)
