"""The lab as a user meets it: a process in a real pseudo-terminal, with keys in and a screen out."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

if sys.platform == "win32":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)

from patience import PATIENCE
from terminal import Terminal, engine_of, surroundings, until_gone

import tinynets as tn
from tinynets.storage import data_record

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
SAVED = "data/tinynets/saves/names-mlp.msgpack"


@contextmanager
def lab(*arguments: str, cwd: Path, size: tuple[int, int] = (120, 36), **environment: str) -> Iterator[Terminal]:
    terminal = Terminal(*(arguments or ("names-mlp",)), cwd=cwd, size=size, **environment)
    try:
        yield terminal
    finally:
        terminal.end()


def loss_of(text: str) -> str:
    """The loss in the header."""
    found = re.search(r"loss (\S+)", text.splitlines()[0])
    assert found, text
    return found[1]


def steps_of(text: str) -> int:
    found = re.search(r"step ([\d,]+)", text.splitlines()[0])
    return int(found[1].replace(",", "")) if found else -1


def no_traceback(text: str) -> bool:
    return "Traceback" not in text


@pytest.mark.proof
def test_a_session_is_kept_and_plays_again(tmp_path: Path) -> None:
    with lab(cwd=tmp_path) as terminal:
        terminal.until("names-mlp", "paused", "step 0", "1 Network", "6 Neuron hidden[0]", "? help")
        first = terminal.press("s", "step 1 ", "step 1: loss", "lab.step()", "unsaved")
        terminal.press("l", "6 Neuron hidden[1]")
        terminal.press("z", "hidden[1] zeroed: probe loss", 'lab.zero("hidden[1]")', "1 zeroed", "z release")
        second = terminal.press("s", "step 2 ", "step 2: loss")
        assert loss_of(second) != loss_of(first)
        back = terminal.press("b", "step 1 of 2", "lab.back()")
        assert loss_of(back) == loss_of(first)
        terminal.press("w", " saved /", "names-mlp.msgpack (", lambda text: " saved" in text.splitlines()[0])
        terminal.send("q")
        assert terminal.status() == 0

    save = tmp_path / SAVED
    kept = tn.Lab(save)
    assert (kept.step_number, len(kept.losses), [entry.python for entry in kept.log]) == (
        1,
        2,
        ['lab.zero("hidden[1]")'],
    )

    with lab(str(save), cwd=tmp_path) as terminal:
        terminal.until("step 1 of 2", "saved", "1 zeroed", lambda text: loss_of(text) == loss_of(first))
        terminal.press("s", "step 2 ", lambda text: loss_of(text) == loss_of(second))
        terminal.press("<", "step 0 of 2", lambda text: "1 zeroed" not in text)
        terminal.press("p", "step 2 ", "1 zeroed", "paused", lambda text: loss_of(text) == loss_of(second))
        terminal.press("P", "step 0 of 2", "paused")
        terminal.send("q")  # nothing is unsaved, so nothing is asked
        assert terminal.status() == 0


@pytest.mark.proof
def test_a_frame_is_held_until_it_is_whole_and_header_and_timeline_agree(tmp_path: Path) -> None:
    with lab("xor", cwd=tmp_path) as terminal:
        terminal.until("step 0", "? help")
        terminal.send(" ")
        left, shown = b"", 0
        while shown < 20:
            *updates, left = (left + terminal.read(1)).split(b"\x1b[?2026l")
            for update in updates:
                terminal._stream.feed(update)
                (track,) = [row for row in terminal.screen.display if row.startswith(" timeline")]
                assert int(track.split()[-1].replace(",", "")) == steps_of(terminal.text)
                shown += 1
            assert len(left) < 1 << 20, "no update ends"


@pytest.mark.proof
def test_the_path_of_a_save_is_said_in_full_at_the_end(tmp_path: Path) -> None:
    name = f"{'long-' * 8}name.msgpack"
    with lab("xor", cwd=tmp_path, size=(80, 24)) as terminal:
        terminal.until("step 0", "? help")
        terminal.press("s", "step 1: loss")
        terminal.press(f":save {name}\r", " saved ")
        terminal.send("q")
        assert terminal.status() == 0
        terminal.listen_to_the_end()
    assert f"tinynets-lab: saved {tmp_path / name}" in terminal.written.decode().replace("\r\n", "\n")


def test_what_is_typed_before_the_lab_stands_goes_to_the_command_line(tmp_path: Path) -> None:
    with lab(cwd=tmp_path) as terminal:
        terminal.until(lambda text: b"\x1b[?1049h" in terminal.written)
        terminal.press(":lr 0.02\r", "lr 0.02", 'lab.set("lr", 0.02)', no_traceback)


@pytest.mark.proof
def test_an_enter_typed_before_the_lab_has_the_terminal_is_an_enter(tmp_path: Path) -> None:
    with lab(cwd=tmp_path) as terminal:
        terminal.send(":step 5\rn")
        terminal.until("mid-step", "step 5 ")


@pytest.mark.proof
def test_quitting_asks_when_something_is_unsaved(tmp_path: Path) -> None:
    with lab(cwd=tmp_path) as terminal:
        terminal.until("step 0", "? help")
        terminal.press("s", "step 1 ", "unsaved")
        terminal.press("q", "has not been saved")
        terminal.press("\x1b", lambda text: "has not been saved" not in text)
        terminal.press("q", "has not been saved")
        terminal.send("q")
        assert terminal.status() == 0
    assert not (tmp_path / SAVED).exists()


@needs_proc
@pytest.mark.proof
def test_a_terminal_too_small_says_so_and_a_killed_engine_is_told_and_started_again(tmp_path: Path) -> None:
    with lab(cwd=tmp_path, size=(20, 5)) as terminal:
        words = "tinynets-lab needs at least 60x16; this terminal is 20x5"
        terminal.until(lambda text: " ".join(text.split()) == words)
        terminal.resize(100, 30)
        terminal.until("names-mlp", "step 0", "1 Network", "? help", lambda text: "needs at least" not in text)

        written = (tmp_path / "state" / "tinynets" / "journals").glob
        terminal.press(" ", "running", lambda text: steps_of(text) > 0 and list(written("*.journal")))
        os.kill(engine_of(terminal), signal.SIGKILL)
        told = terminal.until("engine stopped", "The engine process ended", "R starts it again", no_traceback)
        assert steps_of(told) > 0  # the last picture stays
        terminal.press("?", "Going back and forth")
        terminal.press("\x1b", "engine stopped", lambda text: "Going back and forth" not in text)
        terminal.press("R", "step 0 ", "ended before its work was saved", lambda text: "engine stopped" not in text)
        terminal.press("\x1b", "paused", lambda text: "ended before its work was saved" not in text)
        terminal.press("s", "step 1 ", "step 1: loss")
        terminal.send("\x11")
        terminal.press("q", lambda text: "has not been saved" in text or terminal.process.poll() is not None)
        assert terminal.status() == 0
        until_gone(terminal)


@needs_proc
@pytest.mark.parametrize("how", ["the app is killed", pytest.param("the terminal is closed", marks=pytest.mark.proof)])
def test_no_process_is_left_behind_while_it_trains(tmp_path: Path, how: str) -> None:
    with lab("xor", cwd=tmp_path, size=(80, 24), NO_COLOR="1") as terminal:
        terminal.until("xor", "step 0", "? help")
        terminal.press(" ", "running", lambda text: steps_of(text) > 0)
        assert engine_of(terminal)
        colours = {cell.fg for row in terminal.screen.buffer.values() for cell in row.values()}
        assert all(len(set(re.findall("..", colour))) == 1 for colour in colours if re.fullmatch("[0-9a-f]{6}", colour))
        if how == "the app is killed":
            terminal.process.kill()
        else:
            terminal.close_terminal()
        until_gone(terminal)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["names-mpl"], "tinynets-lab: `names-mpl` is neither a recipe nor a file; recipes are "),
        (["nowhere/x.msgpack"], "tinynets-lab: `nowhere/x.msgpack`: there is no such file"),
        (["."], "tinynets-lab: `.` "),
        (["saves/"], "tinynets-lab: `saves/` is a directory; a save or a recipe is a file"),
        (["--sed", "1"], "tinynets-lab: "),
        (["--seed", "one"], "tinynets-lab: "),
        (["names-mlp", "xor"], "tinynets-lab: "),
        ([], "tinynets-lab: needs a terminal"),
    ],
)
def test_arguments_that_cannot_be_used_end_with_one_line_and_status_2(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "saves").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=tmp_path,
        env=surroundings(tmp_path),
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.proof
def test_a_save_without_its_data_trains_on_with_the_file_that_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_record, "EMBED_LIMIT", 10)
    x = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    np.savez(tmp_path / "points.npz", x=x, y=(x[:, 1] > 0).astype(np.int64))
    network = tn.Network([tn.Linear(2, 2, name="output")], seed=0)
    tn.Lab(network, data=tmp_path / "points.npz", loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1)).save(
        tmp_path / "small.msgpack"
    )
    (tmp_path / "points.npz").rename(tmp_path / "moved.npz")
    with lab("small.msgpack", cwd=tmp_path) as terminal:
        terminal.until("in a shell as --data points.npz", no_traceback)
    with lab("small.msgpack", "--data", "moved.npz", "--memory", "8", cwd=tmp_path) as terminal:
        terminal.until("step 0", "space runs the training", no_traceback)
        terminal.press("s", "step 1: loss")
    with lab("small.msgpack", "--data", "small.msgpack", cwd=tmp_path) as terminal:
        terminal.until("must be an .npz file", no_traceback)


@pytest.mark.parametrize("damage", ["truncated", "random bytes", "empty"])
@pytest.mark.proof
def test_a_file_that_is_not_a_whole_save_is_named_and_the_app_stands(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "bad.msgpack"
    kept = tn.Lab("xor")
    kept.save(path)
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[:100], "random bytes": bytes(range(7, 250)) * 9, "empty": b""}[damage])
    with lab("bad.msgpack", cwd=tmp_path) as terminal:
        terminal.until("`bad.msgpack` ", "Recipes: start anew", "names-mlp", no_traceback)
        terminal.press("\x1b", "`bad.msgpack` ", lambda text: "Recipes: start anew" not in text)
        terminal.send("q")
        assert terminal.status() == 0


def _ground(terminal: Terminal) -> str:
    """The background behind the middle of the last line."""
    return str(terminal.screen.buffer[terminal.screen.lines - 1][terminal.screen.columns // 2].bg)


@pytest.mark.proof
def test_the_first_lab_has_the_tour_and_later_ones_ask_and_both_follow_the_terminals_background(tmp_path: Path) -> None:
    first = Terminal(cwd=tmp_path)
    try:
        first.until("names-mlp", "paused", "1 of 6", "one training step")
        assert b"\x1b]11;?" in first.written
        assert _ground(first) == "11151b"
        first.press("\x1b]11;rgb:ffff/ffff/f0f0\x1b\\", lambda _: _ground(first) == "fbfcfe")
        first.press("s", "step 1 ", "2 of 6")
        first.press("\x1b", lambda text: "2 of 6" not in text)
        first.press("q", "has not been saved")
        first.send("q")
        assert first.status() == 0
    finally:
        first.end()
    later = Terminal(cwd=tmp_path)
    try:
        later.until("Recipes: start anew", "opened last", "names-mlp")
        later.press("xor", lambda text: "names-mlp" not in text)
        later.press("\r", "1 Network", "xor", "step 0")
    finally:
        later.end()


@pytest.mark.proof
def test_16_colours_are_enough(tmp_path: Path) -> None:
    terminal = Terminal("names-mlp", cwd=tmp_path, TERM="xterm", COLORTERM="")
    try:
        terminal.until("names-mlp", "paused", "1 Network")
        assert b"38;2;" not in terminal.written
        grounds = {cell.bg for row in terminal.screen.buffer.values() for cell in row.values()}
        assert {"brown", "blue", "black"} <= grounds or len(grounds) >= 5, grounds
    finally:
        terminal.end()


@needs_proc
@pytest.mark.proof
@pytest.mark.parametrize("colours", [{}, {"TERM": "xterm", "COLORTERM": ""}], ids=["all colours", "16 colours"])
@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24)])
def test_at_each_size_a_run_is_edited_killed_and_taken_up_again(
    tmp_path: Path, size: tuple[int, int], colours: dict[str, str]
) -> None:
    with lab(cwd=tmp_path, size=size, **colours) as terminal:
        terminal.until("names-mlp", "paused", "step 0", "1 Network", "? help", no_traceback)
        terminal.press("s", "step 1 ", "step 1: loss")
        terminal.press("z", "hidden[0] zeroed")
        terminal.press("s", "step 2: loss", lambda text: steps_of(text) == 2)
        terminal.press("n", "mid-step", no_traceback)
        terminal.press(".", lambda text: steps_of(text) == 3 and "mid-step" not in text, no_traceback)
        assert (b"38;2;" in terminal.written) == (not colours)
        terminal.process.kill()
        until_gone(terminal)
    (left,) = (tmp_path / "state" / "tinynets" / "journals").glob("*.journal")
    kept = Path(shutil.copy(left, tmp_path / "kept.journal"))  # recovering goes on in a journal of its own
    with lab(str(left), cwd=tmp_path, size=size, **colours) as terminal:
        terminal.until("names-mlp", lambda text: steps_of(text) == 3, no_traceback)
        terminal.close_terminal()
        until_gone(terminal)
    found = tn.Lab(kept)
    straight = tn.Lab("names-mlp")
    straight.run(1)
    straight.zero("hidden[0]")
    straight.run(2)
    found.seek(3)
    assert found.state.digest() == straight.state.digest()
