"""The first lab, the ones after it, the tour, and what is remembered between them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fake import FakeEngine
from hypothesis import given
from hypothesis import strategies as st
from opening import MIDDLE, SMALL, WIDE, lab, left_behind, screen_text, status, until
from textual.pilot import Pilot
from textual.widgets import OptionList

from tinynets.lab.reports import SaveReport
from tinynets.storage.locks import state_folder
from tui.app import LabApp
from tui.config import Config
from tui.render import palette, themes
from tui.screens.help import HelpScreen
from tui.screens.open import OpenScreen
from tui.state import MOST, Place, StateFile, read
from tui.widgets.tour import HINTS


@pytest.fixture(autouse=True)
def _dark_again() -> Iterator[None]:
    yield
    palette.wear(themes.DARK)


@asynccontextmanager
async def started(
    source: str = "names-mlp", size: tuple[int, int] = WIDE, *, tour: bool = False, config: Config | None = None
) -> AsyncIterator[tuple[Pilot[None], list[FakeEngine]]]:
    """A lab as `tinynets-lab` starts it, with the user's own memory."""
    engines: list[FakeEngine] = []

    def spawn(source: str, options: dict[str, object]) -> FakeEngine:
        engines.append(FakeEngine(source, options))
        return engines[-1]

    app = LabApp(spawn, source, config=config, state=StateFile.of_user(), tour=tour)  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        if source:
            await until(pilot, lambda: app.lab.frame is not None)
        yield pilot, engines


# -- the start screen


@pytest.mark.parametrize("size", [SMALL, MIDDLE, WIDE])
async def test_without_a_name_one_is_asked_what_to_open_and_enter_goes_on_where_one_was(size: tuple[int, int]) -> None:
    StateFile.of_user().remember(last="spiral-rbf")
    async with started("", size) as (pilot, engines):
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        await until(pilot, lambda: "opened last" in screen_text(pilot))
        assert engines == []
        await pilot.press("enter")
        await until(pilot, lambda: lab(pilot).frame is not None)
        assert engines[0].world.recipe == "spiral-rbf"
        await pilot.press("s")
        await until(pilot, lambda: [verb for verb, _, _ in engines[0].calls] == ["step"])


async def test_enter_before_the_list_is_there_goes_on_where_one_was() -> None:
    StateFile.of_user().remember(last="xor")
    async with started("") as (pilot, engines):
        await pilot.press("enter")
        await until(pilot, lambda: len(engines) == 1)
        assert engines[0].world.recipe == "xor"


async def test_escape_at_the_start_quits() -> None:
    async with started("") as (pilot, engines):
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        await pilot.press("escape")
        await until(pilot, lambda: not pilot.app.is_running)
        assert engines == []


async def test_what_can_be_recovered_is_a_line_of_it_and_enter_takes_it_up() -> None:
    file = left_behind("one", 1234)
    async with started("") as (pilot, engines):
        await until(pilot, lambda: "step 1,234" in screen_text(pilot))
        found = pilot.app.screen.query_one(OptionList)
        assert found.get_option_at_index(0).disabled
        assert found.highlighted == 1
        await pilot.press("enter")
        await until(pilot, lambda: len(engines) == 1)
        assert engines[0].world.recipe == str(file)


# -- the tour


@pytest.mark.parametrize("size", [SMALL, MIDDLE, WIDE, (60, 16)])
async def test_no_hint_covers_what_it_is_about(size: tuple[int, int]) -> None:
    async with started(size=size, tour=True) as (pilot, _):
        for number, hint in enumerate(HINTS):
            await until(pilot, lambda number=number: lab(pilot).tour.at == number and lab(pilot).tour.display)
            await until(pilot, lambda hint=hint: lab(pilot).query_one(f"#{hint.about}").region)
            await pilot.pause()
            box, about = lab(pilot).tour.region, lab(pilot).query_one(f"#{hint.about}").region
            assert box.intersection(about).area == 0, (hint.about, box, about)
            assert pilot.app.screen.region.contains_region(box)
            shown = " ".join(screen_text(pilot).split())
            assert f"{number + 1} of {len(HINTS)}" in shown
            await pilot.press("enter")
        await until(pilot, lambda: not lab(pilot).tour.display)


async def test_the_tour_goes_on_when_one_does_what_it_says() -> None:
    async with started(tour=True) as (pilot, engines):
        tour = lab(pilot).tour
        await until(pilot, lambda: tour.at == 0)
        await pilot.press("b")
        assert tour.at == 0
        await pilot.press("s")
        await until(pilot, lambda: tour.at == 1)
        await pilot.press("space")
        assert tour.at == 1
        await pilot.press("space")
        await until(pilot, lambda: tour.at == 2)
        await pilot.press("right")
        await until(pilot, lambda: tour.at == 3)
        await pilot.press("z")
        await until(pilot, lambda: tour.at == 4)
        await pilot.press("u")
        await until(pilot, lambda: tour.at == 5)
        await pilot.press("question_mark")
        await until(pilot, lambda: tour.at == -1 and not tour.display)
        await until(pilot, lambda: len(engines[0].calls) == 6)
        assert [verb for verb, _, _ in engines[0].calls] == ["back", "step", "start", "pause", "zero", "undo"]


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_where_a_hint_asks_for_arrows_they_walk_the_units_and_the_neuron_is_beside(size: tuple[int, int]) -> None:
    async with started(size=size, tour=True) as (pilot, _):
        await until(pilot, lambda: lab(pilot).tour.at == 0)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: lab(pilot).tour.at == 2 and lab(pilot).tour.display)
        await until(pilot, lambda: lab(pilot).panes["neuron"].display)
        await pilot.press("right")
        await until(pilot, lambda: lab(pilot).selection.unit == 1 and lab(pilot).tour.at == 3)


async def test_escape_ends_the_tour_and_help_names_the_key_that_has_it_again() -> None:
    async with started(tour=True) as (pilot, _):
        await until(pilot, lambda: lab(pilot).tour.at == 0)
        await pilot.press("escape")
        await until(pilot, lambda: not lab(pilot).tour.display)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        assert "f1 the tour" in screen_text(pilot)
        await pilot.press("f1")
        await until(pilot, lambda: lab(pilot).tour.at == 0)
    assert not StateFile.of_user().first_time


async def test_in_a_line_that_is_typed_enter_is_enter() -> None:
    async with started(tour=True) as (pilot, engines):
        await until(pilot, lambda: lab(pilot).tour.at == 0)
        await pilot.press(":", *"step", "enter")
        await until(pilot, lambda: [verb for verb, _, _ in engines[0].calls] == ["step"])
        assert lab(pilot).tour.at == 0


# -- what is remembered


async def test_the_cursor_the_example_and_the_pane_are_where_they_were_when_it_is_opened_again() -> None:
    async with started("xor") as (pilot, _):
        await pilot.press("right", "right", ".", ".", "3")
        await pilot.pause()
        was = lab(pilot).selection
        assert was.unit == 2
    async with started("names-mlp") as (pilot, _):
        assert lab(pilot).selection.unit == 0
    async with started("xor") as (pilot, engines):
        assert lab(pilot).selection == was
        assert lab(pilot).desk.choice.active == "weights"
        await until(pilot, lambda: engines[0].views[-1].unit == 2)


async def test_a_save_remembers_its_own_cursor() -> None:
    async with started("names-mlp") as (pilot, engines):
        path = str(state_folder() / "x.msgpack")
        engines[0].answers["save"] = lambda: SaveReport(path, 1000, 2)
        await pilot.press("right", "right", "w")
        await until(pilot, lambda: status(pilot).startswith("saved "))
    place = StateFile.of_user().place_of(path)
    assert place is not None
    assert place.unit == 2


@pytest.mark.parametrize(("theme", "way"), [("tinynets-light", "down"), ("tokyo-night", "up")])
async def test_a_chosen_theme_is_kept(theme: str, way: str) -> None:
    async with started() as (pilot, _):
        await pilot.press("T")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
        while pilot.app.theme != theme:
            await pilot.press(way)
            await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: status(pilot) == f"theme {theme}, from now on")
    async with started() as (pilot, _):
        assert pilot.app.theme == theme


async def test_a_light_theme_takes_three_keys_and_escape_restores() -> None:
    async with started() as (pilot, _):
        await pilot.press("T", "down")
        await until(pilot, lambda: themes.LIGHT.back == palette.BACK)
        await pilot.press("escape")
        await until(pilot, lambda: themes.DARK.back == palette.BACK)
        await pilot.press("T", "down", "enter")
        await until(pilot, lambda: themes.LIGHT.back == palette.BACK and len(pilot.app.screen_stack) == 1)


async def test_a_theme_in_the_settings_comes_first_and_one_is_told_how_to_keep_another() -> None:
    StateFile.of_user().remember(theme="dracula")
    async with started(config=Config(Path("lab.toml"), theme="nord")) as (pilot, _):
        assert pilot.app.theme == "nord"
        await pilot.press("T", "down", "enter")
        await until(pilot, lambda: "in lab.toml keeps it" in status(pilot))


async def test_the_theme_follows_the_terminals_background_until_one_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORFGBG", "0;15")
    async with started() as (pilot, _):
        app = pilot.app
        assert isinstance(app, LabApp)
        assert app.theme == "tinynets-light"
        app.found_background(True)
        await pilot.pause()
        assert app.theme == "tinynets"
        StateFile.of_user().remember(theme="nord")
    async with started() as (pilot, _):
        app = pilot.app
        assert isinstance(app, LabApp)
        assert not app.follows_background
        app.found_background(False)
        assert app.theme == "nord"


# -- the file


def test_a_damaged_file_is_said_and_forgotten() -> None:
    path = state_folder() / "lab.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'{"last": "x')
    found = StateFile.of_user()
    assert "is damaged" in found.memory.damage
    assert not found.first_time
    found.remember(last="xor")
    assert StateFile.of_user().memory.last == "xor"
    assert StateFile.of_user().memory.damage == ""


async def test_a_damaged_file_keeps_nobody_out() -> None:
    path = state_folder() / "lab.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\x00")
    async with started() as (pilot, _):
        await until(pilot, lambda: "is damaged: what the lab remembered is forgotten" in status(pilot))


keys = st.sampled_from(["tour", "last", "theme", "places", "unit", "block"])
anything = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(keys, inner)
)


@given(st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
def test_no_content_raises(content: bytes) -> None:
    path = state_folder() / "any.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    found = read(path)
    assert isinstance(found.last, str)


def test_two_labs_at_once_keep_what_the_other_wrote() -> None:
    one, other = StateFile.of_user(), StateFile.of_user()
    one.remember(last="xor")
    other.put_place("spiral", Place("hidden", 3))
    one.put_place("xor", Place("hidden", 1))
    found = StateFile.of_user()
    assert found.memory.last == "xor"
    assert (found.place_of("spiral"), found.place_of("xor")) == (Place("hidden", 3), Place("hidden", 1))


def test_only_so_many_places_are_kept_and_no_file_is_left_beside() -> None:
    state = StateFile.of_user()
    for number in range(MOST + 5):
        state.put_place(f"s{number}", Place())
    assert state.place_of("s4") is None
    assert StateFile.of_user().place_of("s5") is not None
    assert [file.name for file in state_folder().iterdir() if "lab" in file.name] == ["lab.json"]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    state = StateFile(file / "lab.json")
    state.remember(last="xor")
    assert file.read_text() == ""


# -- going on, and looks


class _Saved(str):
    """What a save answers."""

    path = "saves/mine.msgpack"


async def test_after_a_save_enter_goes_on_with_it() -> None:
    async with started() as (pilot, engines):
        engines[0].do_save = lambda path=None: _Saved("saved it")  # type: ignore[method-assign]
        await pilot.press("s", "w")
        await until(pilot, lambda: StateFile.of_user().memory.last.endswith(".msgpack"))


async def test_the_last_hint_of_the_tour_says_that_it_is_the_last() -> None:
    async with started(tour=True) as (pilot, _):
        await until(pilot, lambda: "enter: go on" in str(lab(pilot).tour.border_subtitle))
        await pilot.press(*["enter"] * (len(HINTS) - 1))
        await until(pilot, lambda: str(lab(pilot).tour.border_subtitle) == "enter: done")


@pytest.mark.proof
async def test_themes_and_the_tour_can_be_typed() -> None:
    async with started() as (pilot, engines):
        await pilot.press("colon", *"theme nord", "enter")
        await until(pilot, lambda: pilot.app.theme == "nord" and StateFile.of_user().memory.theme == "nord")
        await pilot.press("colon", *"theme nort", "enter")
        await until(pilot, lambda: "no theme `nort`; did you mean `nord`?" in status(pilot))
        await pilot.press("escape", "colon", *"tour", "enter")
        await until(pilot, lambda: lab(pilot).tour.at == 0)
        assert engines[0].calls == []


async def test_phrases_name_the_keys_as_they_are_now() -> None:
    async with started(config=Config(Path(), keys={"run": "f9", "help": "H"})) as (pilot, _):
        assert "f9 runs" in status(pilot)
        assert "H is help" in status(pilot)
        assert "s makes one, f9 runs" in screen_text(pilot)
