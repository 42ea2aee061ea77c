"""What is seen can be taken out: panes and the screen as pictures and text, their data, the terminal as a cast."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pyte
import pytest
from opening import app_of, lab, opened, screen_text, status, type_line, until
from panes import frame_of

from tinynets.server.frame import PANES
from tui.model.table import FIELDS, csv_of
from tui.render.export import makes_png


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_x_writes_the_pane_in_focus_as_a_picture_under_the_name_that_is_proposed(here: Path) -> None:
    async with opened() as (pilot, _):
        await pilot.press("X", "enter")
        await until(pilot, lambda: "written to" in status(pilot))
        (file,) = here.iterdir()
        assert file.name == "names-mlp-network-step-0.svg"
        picture = file.read_text()
        assert picture.startswith("<svg")
        assert "Network" in picture
        assert "Weights" not in picture


@pytest.mark.proof
async def test_each_offer_writes_its_kind_of_file_and_none_of_them_the_same(here: Path) -> None:
    async with opened() as (pilot, _):
        offers = 7 if makes_png() else 5
        for down in range(offers):
            await pilot.press("3", "X", *["down"] * down, "enter")
            await until(pilot, lambda: len([*here.iterdir()]) == down + 1)  # noqa: B023
        names = {file.name for file in here.iterdir()}
    stem = "names-mlp-{}-step-0"
    wanted = {f"{stem.format('weights')}{ending}" for ending in (".svg", ".txt", ".csv")}
    wanted |= {f"{stem.format('screen')}{ending}" for ending in (".svg", ".txt")}
    if offers == 7:
        wanted |= {f"{stem.format(what)}.png" for what in ("weights", "screen")}
        assert (here / f"{stem.format('screen')}.png").read_bytes().startswith(b"\x89PNG")
    assert names == wanted


async def test_the_screen_as_text_is_what_is_seen(here: Path) -> None:
    async with opened() as (pilot, _):
        shown = screen_text(pilot)
        await type_line(pilot, "snapshot all.txt")
        await until(pilot, lambda: (here / "all.txt").exists())
        written = (here / "all.txt").read_text()
    seen = [row.rstrip() for row in shown.splitlines()]
    assert written.splitlines()[:-2] == seen[:-2]  # the status line and the key bar have changed by then


async def test_the_numbers_of_a_csv_are_those_of_the_pane(here: Path) -> None:
    async with opened() as (pilot, _):
        frame = lab(pilot).frame
        assert frame is not None
        assert frame.weights is not None
        await type_line(pilot, "snapshot w.csv pane=weights")
        await until(pilot, lambda: (here / "w.csv").exists())
    with (here / "w.csv").open(newline="") as file:
        rows = [*csv.reader(file)]
    assert rows[0][:2] == ["input", "hidden[0]"]
    assert [row[0] for row in rows[1:31]] == list(frame.weights.rows)
    assert [float(value) for value in rows[5][1:]] == pytest.approx(frame.weights.values[4].tolist(), abs=0)


@pytest.mark.parametrize("pane", PANES)
async def test_every_pane_has_its_data(here: Path, pane: str) -> None:
    async with opened() as (pilot, _):
        await pilot.press("s", str(1 + PANES.index(pane)))
        await until(pilot, lambda: getattr(lab(pilot).frame, FIELDS.get(pane, pane)) is not None)
        await type_line(pilot, f"snapshot d.csv pane={pane}")
        await until(pilot, lambda: (here / "d.csv").exists())
    with (here / "d.csv").open(newline="") as file:
        rows = [*csv.reader(file)]
    assert len(rows) > 1
    assert len({len(row) for row in rows}) == 1


def test_the_rows_of_units_examples_and_log_are_what_the_panes_say() -> None:
    frame = frame_of("names-mlp")
    assert frame.units is not None
    assert frame.answers is not None
    assert frame.log is not None
    units, examples, log = (
        [*csv.DictReader((csv_of(frame, pane) or "").splitlines())] for pane in ("units", "examples", "log")
    )
    assert [row["unit"] for row in units] == [f"hidden[{unit}]" for unit in range(len(frame.units.unit))]
    assert [float(row["mean"]) for row in units] == pytest.approx(frame.units.mean.tolist(), abs=0)
    assert {row["worth"] for row in units if np.isnan(frame.units.worth).all()} <= {""}
    assert [int(row["number"]) for row in examples] == frame.answers.rows.tolist()
    assert [row["truth"] for row in examples] == [frame.answers.labels[truth] for truth in frame.answers.truth]
    assert [row["python"] for row in log] == [row.python for row in frame.log.rows]
    assert sum(row["to come"] == "0" for row in log) == frame.log.done - frame.log.first


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("snapshot there.svg", "`there.svg` is there already, and stays as it is: give another name"),
        ("snapshot a.gif", "`a.gif`: the ending says what it is to be, .svg, .png, .txt, .csv"),
        ("snapshot no/where.svg", "`no/where.svg`: No such file or directory"),
        ("snapshot folder/", "`folder/` is a folder; a file is needed"),
        ("snapshot a.csv", "`a.csv`: the screen is many panes; a CSV holds one"),
        ("snapshot a.svg pane=nothing", "`nothing` is no pane: there are network, units"),
        ("snapshot a.svg pane=activations", "Activations is not shown: 4 shows it, and X takes it out"),
    ],
)
async def test_what_cannot_be_written_is_named_and_nothing_is_lost(here: Path, line: str, said: str) -> None:
    (here / "there.svg").write_text("mine")
    async with opened() as (pilot, _):
        await type_line(pilot, line)
        await until(pilot, lambda: said in status(pilot))
    assert [file.name for file in here.iterdir()] == ["there.svg"]
    assert (here / "there.svg").read_text() == "mine"


async def test_x_before_the_first_frame_says_that_there_is_nothing() -> None:
    async with opened() as (pilot, _):
        lab(pilot).frame = None
        app_of(pilot).taking_out.ask_what()
        assert status(pilot) == "there is nothing to take out yet"


async def test_without_a_terminal_there_is_nothing_to_record(here: Path) -> None:
    async with opened() as (pilot, _):
        await type_line(pilot, "record a.cast")
        await until(pilot, lambda: "only what is shown in a terminal" in status(pilot))
    assert not [*here.iterdir()]


@pytest.mark.proof
@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_a_cast_plays_to_the_screen_that_was_seen(here: Path) -> None:
    from terminal import Terminal

    terminal = Terminal("xor", cwd=here, size=(120, 36))
    try:
        terminal.until("xor", "step 0", "? help")
        terminal.press(":record a.cast\r", "recording to")
        terminal.press("s", "step 1 ", "lab.step()")
        seen = terminal.press(":record\r", "recorded")
        terminal.press("q", "unsaved")
    finally:
        terminal.end()
    head, *events = [json.loads(line) for line in (here / "a.cast").read_text().splitlines()]
    assert (head["version"], head["width"], head["height"]) == (2, 120, 36)
    assert [event[0] for event in events] == sorted(event[0] for event in events)
    screens, screen = [], pyte.Screen(120, 36)
    stream = pyte.Stream(screen)
    for _, kind, text in events:
        assert kind == "o"
        stream.feed(text)
        screens.append("\n".join(screen.display))
    steps = [shown for shown in screens if "step 1 " in shown.splitlines()[0]]
    assert steps
    assert steps[-1].splitlines()[3:20] == seen.splitlines()[3:20]
