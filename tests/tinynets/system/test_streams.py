"""Every command with its standard streams closed, full, narrow, or no longer read.

`pytest -m proof` tries every command with every kind of streams.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from patience import PATIENCE

import tinynets as tn

pytestmark = pytest.mark.proof  # CI runs them after the other tests

posix = pytest.mark.skipif(os.name != "posix" or not Path("/dev/full").exists(), reason="needs a shell and /dev/full")


@dataclass(frozen=True)
class Streams:
    """How a command is started: the shell's redirections, and the encoding of its output."""

    redirected: str
    encoding: str = ""
    written: bool = True
    """Whether its stdout reaches anybody."""
    errors: bool = True
    """Whether its stderr reaches anybody."""


KINDS = {
    "all closed": Streams("<&- >&- 2>&-", written=False, errors=False),
    "stderr closed": Streams("2>&-", errors=False),
    "stdout closed": Streams(">&-", written=False),
    "stdin closed": Streams("<&-"),
    "stdout full": Streams("> /dev/full", written=False),
    "stderr full": Streams("2> /dev/full", errors=False),
    "both full": Streams("> /dev/full 2>&1", written=False, errors=False),
    "cp1252": Streams("", "cp1252"),
    "ISO-8859-1": Streams("", "iso-8859-1"),
    "ascii": Streams("", "ascii"),
    "ascii, as of C": Streams("", "ascii:surrogateescape"),
    "unbuffered and full": Streams("> /dev/full", "utf-8 unbuffered", written=False),
    "read by nobody": Streams("| true", written=False),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a save and a recipe whose names and labels no narrow encoding can represent."""
    made = tmp_path_factory.mktemp("streams")
    lab = tn.Lab("names-mlp", seed=1)
    lab.run(20)
    lab.bookmark("naïve █ ☃", "“quoted” — ☃")
    lab.fork("☃ branch")
    lab.zero("hidden[3]")
    lab.save(made / "names.msgpack")
    lab.close()
    recipe = (Path(tn.__file__).parent / "recipes" / "xor.toml").read_text(encoding="utf-8")
    description = next(line for line in recipe.splitlines() if line.startswith("description"))
    (made / "snow.toml").write_text(recipe.replace(description, 'description = "☃ █ naïve"'), encoding="utf-8")
    return made


COMMANDS: dict[str, Sequence[str]] = {
    "train": ("train", "snow.toml", "--steps", "30", "--save", "{out}"),
    "train json": ("train", "snow.toml", "--steps", "30", "--json"),
    "info": ("info", "names.msgpack"),
    "info recipe": ("info", "snow.toml"),
    "info all": ("info", "--all", "."),
    "replay": ("replay", "names.msgpack", "--every", "10"),
    "diff": ("diff", "names.msgpack:main", "names.msgpack:☃ branch"),
    "verify": ("verify", "names.msgpack"),
    "script": ("script", "names.msgpack"),
    "recover": ("recover",),
    "sample": ("sample", "names.msgpack", "-n", "3"),
    "predict": ("predict", "names.msgpack", "emm"),
    "recipes": ("recipes",),
    "help": ("--help",),
    "version": ("--version",),
    "a mistake": ("info", "nowhere-☃.msgpack"),
}


def tinynets(
    arguments: Sequence[str], streams: Streams, folder: Path, state: Path
) -> subprocess.CompletedProcess[bytes]:
    encoding, _, unbuffered = streams.encoding.partition(" ")
    environment = os.environ | {"TINYNETS_STATE": str(state), "PYTHONPATH": str(Path(tn.__file__).parents[1])}
    environment |= {"PYTHONIOENCODING": encoding} if encoding else {}
    environment |= {"PYTHONUNBUFFERED": "1"} if unbuffered else {}
    # The status is that of the command, even at the head of a pipe.
    line = f'({{ "$@"; echo $? > "{state}.status"; }}) {streams.redirected}'
    command = ["/bin/sh", "-c", line, "sh", sys.executable, "-m", "tinynets.cli", *arguments]
    return subprocess.run(command, capture_output=True, cwd=folder, env=environment, timeout=PATIENCE)


def check(name: str, kind: str, folder: Path, tmp_path: Path) -> None:
    streams, state, out = KINDS[kind], tmp_path / f"{name} {kind}", tmp_path / f"{name} {kind}.msgpack"
    done = tinynets([part.format(out=out) for part in COMMANDS[name]], streams, folder, state)
    status = int(Path(f"{state}.status").read_text())
    said = done.stderr.decode(errors="replace")
    assert "Traceback" not in said, (name, kind, said)
    assert "Exception" not in said, (name, kind, said)
    refused = name == "a mistake"
    full = kind in ("stdout full", "both full", "unbuffered and full") and not refused
    if kind != "read by nobody":  # if it finishes before the reader is gone, nothing is wrong
        assert status == (1 if refused or full else 0), (name, kind, said)
    if streams.errors and (refused or full):
        assert said.splitlines()[-1].startswith("tinynets: "), (name, kind, said)
        assert len(said.splitlines()) == 1
    if streams.errors and full:
        assert "the output cannot be written: no space left on device" in said
    if streams.written and not refused:
        assert done.stdout.strip(), (name, kind)
    if name == "train":
        assert tn.Lab(out, read_only=True).step_number == 30, kind


@posix
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_saved_whatever_its_streams_are(kind: str, folder: Path, tmp_path: Path) -> None:
    check("train", kind, folder, tmp_path)


@posix
@pytest.mark.parametrize("place", range(1, len(COMMANDS)))
def test_no_command_fails_of_its_streams(place: int, folder: Path, tmp_path: Path) -> None:
    name, kind = list(COMMANDS)[place], list(KINDS)[place % len(KINDS)]
    check(name, kind, folder, tmp_path)


@pytest.mark.proof
@posix
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_fails_of_any_streams(name: str, kind: str, folder: Path, tmp_path: Path) -> None:
    check(name, kind, folder, tmp_path)


@posix
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_a_prediction_is_drawn_in_letters_that_the_output_has(encoding: str, folder: Path, tmp_path: Path) -> None:
    out = tinynets(COMMANDS["predict"], Streams("", encoding), folder, tmp_path / "state").stdout.decode(encoding)
    assert ("█" in out, "#" in out) == ((True, False) if encoding == "utf-8" else (False, True))


@posix
def test_a_script_that_was_printed_in_ascii_is_the_same_program(folder: Path, tmp_path: Path) -> None:
    narrow = tinynets(COMMANDS["script"], Streams("", "ascii"), folder, tmp_path / "state").stdout.decode("ascii")
    wide = tinynets(COMMANDS["script"], Streams("", "utf-8"), folder, tmp_path / "state").stdout.decode("utf-8")
    assert narrow != wide
    (folder / "narrow.py").write_text(narrow, encoding="ascii")
    assert compile(narrow, "script", "exec").co_consts == compile(wide, "script", "exec").co_consts
