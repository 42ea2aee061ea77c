"""Small networks are drawn as nets: pictures in the nodes, edges between them, the answer at the right."""

from __future__ import annotations

from dataclasses import replace

import pytest
from opening import MIDDLE, SMALL, WIDE, lab, opened, real, screen_text, status, until
from panes import PLAIN, drawn, frame_of, selection_of

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, View
from tinynets.server.frame_builder import FrameBuilder
from tui.render.palette import Terminal
from tui.widgets.network import NetworkPane

SIZES = [(94, 23), (56, 13), (38, 17), (158, 38)]
LOOKS = [Terminal(), PLAIN, Terminal(colour=False), Terminal(unicode=False)]


def marks(lines: list[str]) -> str:
    return "".join(lines)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("recipe", ["xor", "spiral", "perceptron", "modular", "spiral-rbf", "digits", "colors-som"])
def test_nets_are_drawn_in_every_size_and_terminal(recipe: str, size: tuple[int, int], look: Terminal) -> None:
    frame = frame_of(recipe)
    lines = drawn(NetworkPane(), frame, *size, look)
    assert len(lines) <= size[1]
    assert all(len(line) == size[0] for line in lines)
    if not look.unicode:
        assert marks(lines).replace("…", "").isascii()


@pytest.mark.parametrize("size", SIZES)
def test_xor_and_spiral_are_nets_at_every_size(size: tuple[int, int]) -> None:
    for recipe, names in (("xor", ("hidden", "output")), ("spiral", ("hidden1", "hidden2", "output"))):
        lines = drawn(NetworkPane(), frame_of(recipe), *size)
        assert all(name[:3] in lines[0] for name in ("input", *names))
        assert any(0x2800 < ord(letter) < 0x2900 for letter in marks(lines))
        assert lines[-1].startswith(frame_of(recipe).view.block)


def test_the_data_are_left_and_the_answer_is_right() -> None:
    lines = drawn(NetworkPane(), frame_of("xor"), 94, 23)
    heads = [lines[0].index(word) for word in ("input", "hidden", "output", "the answer")]
    assert heads == sorted(heads)
    body = "\n".join(lines)
    assert "x[0]" in body
    assert "x[1]" in body


def test_a_pane_too_small_for_a_net_shows_cells_as_before() -> None:
    lines = drawn(NetworkPane(), frame_of("spiral"), 94, 8)
    assert lines[0].startswith("▶ hidden1  Linear(2, 16)")


def test_arrows_go_from_node_to_node() -> None:
    pane, frame = NetworkPane(), frame_of("xor", "hidden", 1)
    drawn(pane, frame, 94, 23)
    down = pane.moved(0, 1)
    assert down is not None
    assert (down.block, down.unit) == (None, 2)
    right = pane.moved(1, 0)
    assert right is not None
    assert right.block == "output"
    assert pane.moved(-1, 0) is None
    drawn(pane, frame_of("xor", "output", 1), 94, 23)
    left = pane.moved(-1, 0)
    assert left is not None
    assert left.block == "hidden"


def test_arrows_walk_a_map_in_two_directions() -> None:
    pane = NetworkPane()
    drawn(pane, frame_of("colors-som", "map", 13), 94, 23)
    for (right, down), unit in (((1, 0), 14), ((-1, 0), 12), ((0, 1), 25), ((0, -1), 1)):
        chosen = pane.moved(right, down)
        assert chosen is not None
        assert chosen.unit == unit
    drawn(pane, frame_of("colors-som", "map", 3), 94, 23)
    up = pane.moved(0, -1)
    assert up is not None
    assert up.unit == 3


def test_the_pane_asks_for_pictures_of_the_size_that_it_has_room_for() -> None:
    frame = frame_of("xor")
    sizes = []
    for width, height in ((94, 23), (158, 38)):
        pane = NetworkPane()
        vars(pane).update(_inner=lambda width=width, height=height: (width, height))
        pixels, answer = pane.pixels(frame)
        sizes.append((*pixels, answer))
    assert all(large > small for small, large in zip(*sizes, strict=True))


def test_other_lenses_fill_the_nodes_with_their_numbers() -> None:
    lab = tn.Lab("xor")
    lab.run(5)
    builder = FrameBuilder.of(lab)
    texts = []
    for lens in ("value", "gradient"):
        frame: Frame = builder.frame(View(lens=lens, pixels=(9, 9)), 1, Activity())
        pane = NetworkPane()
        vars(pane).update(look=Terminal(colour=False), frame=frame, selection=selection_of(frame))
        texts.append("\n".join(strip.text for strip in pane.draw(94, 23)))
    assert texts[0] != texts[1]


def test_a_zeroed_unit_has_its_mark_on_its_picture() -> None:
    lab = tn.Lab("xor")
    lab.zero("hidden[2]")
    lines = drawn(NetworkPane(), FrameBuilder.of(lab).frame(View(), 1, Activity()), 94, 23)
    assert any(Terminal().glyph("zero") in line for line in lines[1:-1])
    assert f"{Terminal().glyph('zero')} 1 zeroed" in lines[-1]


def test_a_made_up_frame_without_a_net_is_drawn_as_cells() -> None:
    frame = replace(frame_of("xor"), net=None)
    assert drawn(NetworkPane(), frame, 94, 23)[0].startswith("▶ hidden")


@pytest.mark.proof
@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL])
async def test_the_net_is_walked_clicked_zoomed_and_runs(size: tuple[int, int]) -> None:
    async with real("xor", size) as (pilot, _):
        ui = lab(pilot)
        await until(pilot, lambda: ui.frame is not None and ui.frame.net is not None)
        await pilot.press("down", "right")
        await until(pilot, lambda: ui.selection.block == "output")
        await pilot.press("x")
        before = ui.frame.view.pixels if ui.frame else (0, 0)
        await until(pilot, lambda: ui.frame is not None and ui.frame.view.pixels >= before)
        network = ui.panes["network"]
        assert isinstance(network, NetworkPane)
        await until(pilot, lambda: ui.frame is not None and ui.frame.view.pixels == network.pixels(ui.frame)[0])
        where = network._net
        assert where is not None
        node = where.at["hidden", 3]
        await pilot.click(network, offset=(node.x + 2, 2 + (node.y + where.size.tall // 2) // 2))
        await until(pilot, lambda: ui.selection.block == "hidden" and ui.selection.unit == 3)
        await pilot.press("x", "s")
        await until(pilot, lambda: ui.frame is not None and ui.frame.status.step == 1)
        assert status(pilot)
        assert "input" in screen_text(pilot)


async def test_enter_in_weights_edits_the_weight_with_its_value_to_be_typed_over() -> None:
    async with real("xor", WIDE) as (pilot, _):
        ui = lab(pilot)
        await until(pilot, lambda: ui.frame is not None and ui.frame.weights is not None)
        await pilot.press("3", "down", "right")
        await until(pilot, lambda: ui.frame is not None and ui.frame.view.unit == 1)
        await pilot.press("enter")
        assert ui.command_line.value.startswith("set_weight hidden.w[1,1] ")
        await pilot.press(*"0.25", "enter")
        await until(pilot, lambda: ui.frame is not None and float(ui.frame.weights.values[1, 1]) == 0.25)  # type: ignore[union-attr]


async def test_enter_in_the_neuron_pane_edits_the_weight_of_a_term() -> None:
    async with real("xor", WIDE) as (pilot, _):
        ui = lab(pilot)
        await until(pilot, lambda: ui.frame is not None and ui.frame.neuron is not None)
        await pilot.press("6", "down", "down", "down", "enter")
        assert ui.command_line.value == "set_weight hidden.b[0] 0"


async def test_enter_says_why_where_there_is_nothing_to_edit() -> None:
    async with opened() as (pilot, _):
        await pilot.press("3", "enter")
        assert not lab(pilot).command_line.display
        assert "weights" in status(pilot)
