"""The app on the real engine, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from opening import SMALL, lab, real, screen_text, status, step, type_line, until
from patience import PATIENCE
from textual.widgets import Input

import tinynets as tn
from tinynets.storage.paths import journal_folder
from tui.screens.ask import AskScreen
from tui.screens.compare import CompareScreen
from tui.screens.entries import EntriesScreen
from tui.screens.open import OpenScreen
from tui.screens.recover import RecoverScreen


@pytest.mark.proof
async def test_step_zero_back_save_and_open_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saves").mkdir()
    async with real() as (pilot, _):
        await pilot.press("s", "s", "right", "z")
        await until(pilot, lambda: status(pilot).startswith("hidden[1] zeroed: probe loss "))
        assert lab(pilot).status.python == 'lab.zero("hidden[1]")'
        await until(pilot, lambda: "∅ zeroed" in screen_text(pilot))
        await pilot.press("s")
        await until(pilot, lambda: step(pilot) == 3)
        await pilot.press("b")
        await until(pilot, lambda: step(pilot) == 2 and "2 of 3" in screen_text(pilot))
        await pilot.press("w")
        await until(pilot, lambda: status(pilot).startswith("saved "))
        path = next((tmp_path / "saves").glob("*.msgpack"))
    async with real(str(path)) as (pilot, _):
        await until(pilot, lambda: step(pilot) == 2 and "2 of 3" in screen_text(pilot))
        assert [mark.op for mark in lab(pilot).frame.timeline.marks] == ["zero"]  # type: ignore[union-attr]
        await pilot.press("P")
        await until(pilot, lambda: step(pilot) == 0)
        await pilot.press("p")
        await until(pilot, lambda: step(pilot) == 3)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        assert "names-mlp at step 2" in screen_text(pilot)
        await pilot.press("escape")


async def test_in_mid_step_z_acts_in_this_very_step_and_what_cannot_says_that_the_step_was_finished_first() -> None:
    async with real(size=SMALL) as (pilot, _):
        await pilot.press("s", "n", "n", "z")
        await until(pilot, lambda: status(pilot).startswith("hidden[0] zeroed in this step: "))
        assert step(pilot) == 1
        assert " mid-step " in screen_text(pilot).split("\n")[0]
        await pilot.press("f")
        await until(pilot, lambda: status(pilot).startswith("step 2 was finished first; hidden[0] frozen"))
        await until(pilot, lambda: step(pilot) == 2 and "mid-step" not in screen_text(pilot).split("\n")[0])


async def test_training_runs_while_everything_is_shown_and_edits_apply_on_the_way() -> None:
    async with real() as (pilot, _):
        await pilot.press("space")
        await until(pilot, lambda: step(pilot) > 200)
        await pilot.press("f")
        await until(pilot, lambda: status(pilot).startswith("hidden[0] frozen"))
        await until(pilot, lambda: "✱ frozen" in screen_text(pilot))
        await pilot.press("space")
        await until(pilot, lambda: "paused" in screen_text(pilot))


async def test_a_bookmark_made_while_running_is_of_the_step_in_its_name() -> None:
    async with real() as (pilot, _):
        await pilot.press("space")
        await until(pilot, lambda: step(pilot) > 200)
        await pilot.press("m", "enter")  # at once, before the pause is known
        await until(pilot, lambda: lab(pilot).frame.timeline.pins)  # type: ignore[union-attr]
        (pin,) = lab(pilot).frame.timeline.pins  # type: ignore[union-attr]
        assert pin.name == f"step-{pin.step}"


@pytest.mark.proof
async def test_the_command_line_speaks_the_api() -> None:
    async with real() as (pilot, _):
        await pilot.press("colon", *"lr 0.01", "enter")
        await until(pilot, lambda: lab(pilot).status.python == 'lab.set("lr", 0.01)')
        await until(pilot, lambda: "lr 0.01" in screen_text(pilot))
        await pilot.press("colon", *"zer", "tab", "space", "tab", "enter")
        await until(pilot, lambda: lab(pilot).status.python == 'lab.zero("hidden[0]")')
        await pilot.press("colon", *"zero hidden[200]", "enter")
        await until(pilot, lambda: "`hidden` has 200 units, 0 to 199" in status(pilot))
        assert lab(pilot).command_line.display  # what was refused stays, to be mended
        await pilot.press("escape", "colon", *"zerro hidden", "enter")
        await until(pilot, lambda: "did you mean `zero`?" in status(pilot))


async def test_a_step_can_be_walked_through_phase_by_phase() -> None:
    async with real("xor") as (pilot, _):
        await pilot.press("n")
        await until(pilot, lambda: status(pilot).startswith("batch done (1 of "))
        await until(pilot, lambda: " mid-step " in screen_text(pilot).split("\n")[0])
        for _ in range(30):
            before = status(pilot)
            await pilot.press("n")
            await until(pilot, lambda before=before: status(pilot) != before)
            if "is complete" in status(pilot):
                break
        await until(pilot, lambda: step(pilot) == 1)


@pytest.mark.proof
async def test_a_long_run_and_a_verification_show_how_far_they_are_and_can_be_cancelled() -> None:
    async with real() as (pilot, _):
        await pilot.press("colon", *"run 500000", "enter")
        await until(pilot, lambda: "escape cancels" in screen_text(pilot) and "of 500,000" in screen_text(pilot))
        await until(pilot, lambda: step(pilot) > 8000)
        await pilot.press("escape")
        await until(pilot, lambda: status(pilot).startswith("cancelled `run`"))
        await until(pilot, lambda: "escape cancels" not in screen_text(pilot))
        ran = f"{step(pilot):,}"
        await type_line(pilot, "verify")
        await until(pilot, lambda: "escape cancels" in screen_text(pilot) and f"of {ran}" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: status(pilot).startswith(f"cancelled `verify` at step {ran}"))


@pytest.fixture(scope="module")
def branched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A save of xor with two branches, edits and a bookmark, in the past of `main`."""
    made = tn.Lab("xor")
    made.run(60)
    made.bookmark("middle", "half of it")
    made.run(60)
    made.seek(40)
    made.fork("what-if")
    made.freeze("hidden[1]")
    made.run(50)
    made.switch("main")
    made.seek(60)
    path = tmp_path_factory.mktemp("saves") / "branched.msgpack"
    made.save(path)
    made.close()
    return path


@pytest.mark.proof
async def test_a_save_plays_forward_and_backward_at_a_speed_that_can_be_changed(branched: Path) -> None:
    async with real(str(branched), SMALL) as (pilot, _):
        await type_line(pilot, "play -0.01")  # so slow that the app cannot miss it
        await until(pilot, lambda: "rewinding" in screen_text(pilot) and "0.01 steps/s" in screen_text(pilot))
        await type_line(pilot, "play -100")
        await until(pilot, lambda: step(pilot) == 0 and "paused" in screen_text(pilot))
        await type_line(pilot, "play 0.01")
        await until(pilot, lambda: "playing" in screen_text(pilot) and "0.01 steps/s" in screen_text(pilot))
        await pilot.press("plus")
        await until(pilot, lambda: "0.5 steps/s" in screen_text(pilot))
        await pilot.press(*["plus"] * 10)
        await until(pilot, lambda: step(pilot) == 120 and "paused" in screen_text(pilot))
        await pilot.press("p")
        await until(pilot, lambda: "there is nothing recorded beyond this step" in status(pilot))
        await type_line(pilot, "seek middle")
        await until(pilot, lambda: status(pilot).startswith("at bookmark middle, at step 60"))


@pytest.mark.proof
async def test_two_branches_are_compared_verified_and_written_as_a_script(branched: Path, tmp_path: Path) -> None:
    async with real(str(branched)) as (pilot, _):
        await type_line(pilot, "compare what-if")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
        assert 'edit at step 40 on what-if: lab.freeze("hidden[1]")' in screen_text(pilot)
        await pilot.press("escape")
        await type_line(pilot, "verify")
        await until(pilot, lambda: status(pilot).startswith("2 branches, ") and "the same bytes" in status(pilot))
        await type_line(pilot, "seek_cost 30")
        await until(pilot, lambda: "to compute again" in status(pilot))
        await type_line(pilot, f"script {tmp_path / 'run.py'}")
        await until(pilot, (tmp_path / "run.py").exists)
        assert 'lab.fork("what-if")' in (tmp_path / "run.py").read_text()
        await type_line(pilot, "script")
        await until(pilot, lambda: isinstance(pilot.app.screen, EntriesScreen))
        assert "script FILE writes it" in screen_text(pilot)
        await pilot.press("escape", "greater_than_sign")
        await until(pilot, lambda: step(pilot) == 120)
        assert "any step within" in screen_text(pilot)


async def test_the_second_lab_on_a_file_is_told_and_leaves_it_alone(branched: Path, tmp_path: Path) -> None:
    first = tn.Lab(branched)
    before = branched.read_bytes()
    async with real(str(branched), SMALL) as (pilot, _):
        assert "read-only" in screen_text(pilot)
        assert "save under another name" in status(pilot)
        await pilot.press("s", "w")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        pilot.app.screen.query_one(Input).value = str(tmp_path / "mine.msgpack")
        await pilot.press("enter")
        await until(pilot, lambda: status(pilot).startswith("saved ") and "read-only" not in screen_text(pilot))
    assert branched.read_bytes() == before
    assert tn.Lab(tmp_path / "mine.msgpack").step_number == 61
    first.close()


@pytest.mark.proof
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
async def test_an_engine_killed_while_it_trains_is_started_again_and_its_run_recovered() -> None:
    async with real("xor") as (pilot, engine):
        await pilot.press("space")
        await until(pilot, lambda: step(pilot) > 50 and list(journal_folder().glob("*.journal")))
        assert engine.process.pid is not None
        os.kill(engine.process.pid, signal.SIGKILL)
        await until(pilot, lambda: "The engine process ended" in screen_text(pilot))
        assert "1 Network" in screen_text(pilot)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(pilot.app.screen, RecoverScreen))
        assert step(pilot) == 0
        assert "The engine process ended" not in screen_text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: step(pilot) > 0 and not isinstance(pilot.app.screen, RecoverScreen))
        recovered = step(pilot)
        assert "unsaved" in screen_text(pilot)
        await pilot.press("s")
        await until(pilot, lambda: step(pilot) == recovered + 1)


@pytest.mark.proof
async def test_a_save_that_cannot_be_read_is_told_and_another_can_be_opened(tmp_path: Path) -> None:
    broken = tmp_path / "broken.msgpack"
    broken.write_bytes(os.urandom(4096))
    async with real(str(broken)) as (pilot, _):
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        assert "broken.msgpack" in status(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: lab(pilot).frame is not None)
        assert "1 Network" in screen_text(pilot)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui", *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nmes-mlp"], "did you mean `names-mlp`?"),
        (["missing.msgpack"], "`missing.msgpack`: there is no such file"),
        ([f"{os.sep}"], "is a directory"),
        (["--seed", "-1"], f"`seed` must be a whole number from 0 to {2**63 - 1}, not -1"),
        (["tests/tui/test_real.py", "--seed", "3"], "`seed` cannot be given with a save"),
        (["pyproject.toml"], "pyproject.toml"),
        (["xor", "--data", "points.npz"], "`data` cannot be given with a recipe (`xor`), which has its own"),
        (["pyproject.toml", "--data", "points.npz"], "`data` cannot be given with a recipe (`pyproject.toml`)"),
        (["tests/tui/test_real.py", "--data", "nowhere.npz"], "data `nowhere.npz`: there is no such file"),
        (["tests/tui/test_real.py", "--data", "tests"], "data `tests` is a directory; data are an .npz file"),
        (["--memory", "0"], f"`memory` must be a whole number of MB from 1 to {2**30}, not 0"),
        (["--memory", str(2**30 + 1)], f"`memory` must be a whole number of MB from 1 to {2**30}"),
        (["--memory", "nan"], "argument --memory: invalid int value: 'nan'"),
        (["--seed", "x"], "argument --seed: invalid int value: 'x'"),
        ([], "needs a terminal"),
    ],
)
def test_a_bad_argument_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_help_and_version_need_neither_engine_nor_terminal() -> None:
    assert "RECIPE|SAVE" in command("--help").stdout
    assert command("--version").stdout.startswith("tinynets-lab ")
