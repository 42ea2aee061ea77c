"""Foreign text reaches the terminal in readable form, and never as something that the terminal acts on."""

from __future__ import annotations

import ast
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.data import TextCodec, arrays
from tinynets.errors import DataError
from tinynets.foreign_text import MOST_MARKS, one_for_one, printable, printable_lines
from tinynets.storage import locks
from tinynets.storage.paths import journal_folder

ANY = st.text(st.characters(codec=None, exclude_categories=()))
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ZERO_WIDTH = (
    "\xad\u034f\u115f\u1160\u17b4\u180b\u180e\u200b\u200c\u200d\u2060\u2064\u3164\ufe0f\ufeff\uffa0\U000e0041\U000e0100"
)
CONTROLS = "".join(map(chr, [*range(0x20), 0x7F, *range(0x80, 0xA0)]))


@pytest.mark.parametrize("letter", CONTROLS + BIDI + ZERO_WIDTH + "\u2028\u2029\ud800\udcff", ids=ascii)
def test_what_acts_or_cannot_be_seen_is_written_out(letter: str) -> None:
    assert printable(f"a{letter}b") == f"a{letter.encode('unicode_escape').decode()}b"


@pytest.mark.parametrize(
    "text",
    ["[/]", "[red]x[/red]", r"C:\a\b", "é", "e\u0301", "日本語", "שלום", "สวัสดี", "→ ·", "🦊", "Việt", "क्षि"],
)
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert printable(text) == text == one_for_one(text)


@given(ANY)
@example("\x1b]52;c;aGk=\x07")
@example("a" + "\u0301" * 50)
@example("\u0301")
@example("\x9b\u0301\u0301")
def test_all_that_is_shown_is_printable_and_shown_again_the_same(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    shown.encode("utf-8")
    assert printable(shown) == shown
    runs = "".join("m" if unicodedata.category(letter) in ("Mn", "Me") else " " for letter in shown).split()
    assert all(len(run) <= MOST_MARKS for run in runs)
    assert not shown or unicodedata.category(shown[0]) not in ("Mn", "Me")


@given(ANY)
def test_where_places_are_counted_there_are_as_many_as_before(text: str) -> None:
    assert len(one_for_one(text)) == len(text)
    assert one_for_one(text).isprintable()


@given(ANY)
def test_of_text_with_lines_the_ends_of_lines_stay(text: str) -> None:
    assert printable_lines(text).count("\n") == text.count("\n")
    assert all(line.isprintable() for line in printable_lines(text).split("\n"))


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_a_literal_of_python_that_is_shown_still_means_the_same(text: str) -> None:
    assert eval(printable(repr("x" + text))) == "x" + text


@given(ANY)
def test_an_error_is_printable(text: str) -> None:
    assert str(DataError(f"`{text}` is not a class")).isprintable()


EVIL = "a\x1b]52;c;aGk=\x07\x9b31m\u202eb\u200b\x7f\r\n\tz"
"""Such text would write to the clipboard, colour or reverse what follows, or begin another line."""


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., list[str]]:
    """The lines that a command prints on both streams; checks that a terminal would only show them."""
    monkeypatch.setenv(locks.STATE, str(tmp_path / "state"))

    def command(*arguments: str) -> list[str]:
        with pytest.raises(SystemExit):
            main(arguments)
        lines = "".join(capsys.readouterr()).removesuffix("\n").split("\n")
        assert [line for line in lines if not line.isprintable()] == []
        return lines

    return command


def text_lab(name: str, **options: Any) -> tn.Lab:
    """A lab of foreign words, with a foreign recipe name and foreign names of branches and bookmarks."""
    words = ["ab\x1b]\x07", "b\x9bm\u202e", "\u200b\x7f\r\n\tz"]
    codec = TextCodec.of(words, 2)
    x, y = codec.rows(words)
    data = arrays({"train": (x, y), name: (x, y)}, name=name, labels=tuple(codec.characters), text=codec)
    layers = [tn.Embedding(len(codec.characters), 3), tn.Flatten(), tn.Linear(6, len(codec.characters), name="output")]
    lab = tn.Lab(
        tn.Network(layers, seed=0), data=data, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4, seed=0, **options
    )
    lab.run(3)
    lab.evaluate(name)
    lab.zero("embedding1[1]")
    lab.bookmark("here", name)
    lab.fork("[red]branch[/]")
    lab.run(3)
    return lab


def test_no_command_gives_the_terminal_anything_to_act_on(run: Callable[..., list[str]], tmp_path: Path) -> None:
    save, other = str(tmp_path / "a\x1b]0;x\x07.msgpack"), str(tmp_path / "b.msgpack")
    lab = text_lab(EVIL)
    lab.save(save)
    lab.run(2)
    lab.save(other)
    seen = ["info", "train", "replay", "verify", "script", "predict", "sample"]
    more = {"train": ["--steps", "2", "--save", str(tmp_path / "c\x9b.msgpack")], "predict": ["ab"]}
    for verb in seen:
        lines = run(verb, save, *more.get(verb, ()))
        run(verb, save, *more.get(verb, ()), "--json")
        run(verb, str(tmp_path / f"{EVIL}.msgpack"), *more.get(verb, ()))
        assert lines
    assert any(printable(EVIL) in line for line in run("info", save))
    run("diff", save, other)
    run("diff", save, f"{save}:{EVIL}")
    run("info", "--all", str(tmp_path))
    run("predict", save, EVIL)
    run("sample", save, "--prefix", "\x1b")
    run("info", save, EVIL)
    run(EVIL)
    run("info", save, "--threads", EVIL)


def test_a_recipe_is_told_without_its_control_characters(run: Callable[..., list[str]], tmp_path: Path) -> None:
    text = (Path(tn.__file__).parent / "recipes" / "xor.toml").read_text(encoding="utf-8")
    written = json.dumps(EVIL).replace("\x7f", r"\u007f")
    lines = text.splitlines()
    lines[:2] = [f"name = {written}", f"description = {written}"]
    file = tmp_path / "own.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert run("info", str(file))[0] == f"{printable(EVIL)}: {printable(EVIL)}"
    assert run("train", str(file), "--steps", "2")[0].startswith(f"{printable(EVIL)}: step 2")
    file.write_text(text.replace('kind = "tanh"', f"kind = {written}"), encoding="utf-8")
    assert any(printable("a\x1b]52") in line for line in run("info", str(file)))


def test_what_can_be_recovered_is_told_without_its_control_characters(
    run: Callable[..., list[str]], tmp_path: Path
) -> None:
    lab = text_lab(EVIL, journal=tmp_path)
    lab.save(tmp_path / "s\x1b.msgpack")
    lab.zero("output[0]")
    written = lab._files.journal
    assert written is not None
    assert written.file is not None
    journal_folder().mkdir(parents=True)
    (journal_folder() / "left\x9b.journal").write_bytes(written.file.read_bytes())
    assert r"s\x1b.msgpack" in run("recover")[0]
    assert r"r\x9b.msgpack" in run("recover", "left\x9b", "--save", str(tmp_path / "r\x9b.msgpack"))[-1]
    run("recover", EVIL)


def test_a_script_that_is_printed_is_the_script(run: Callable[..., list[str]], tmp_path: Path) -> None:
    save = tmp_path / "a.msgpack"
    lab = text_lab("\u3164\ufe0f" + EVIL)
    lab.save(save)
    lab = tn.Lab(save)
    shown, whole = "\n".join(run("script", str(save))), lab.script().rstrip("\n")
    assert ast.dump(ast.parse(shown)) == ast.dump(ast.parse(whole))


def test_reports_are_printable_as_they_are() -> None:
    lab = text_lab(EVIL)
    reports = [
        lab.predict("ab"), lab.evaluate(EVIL), lab.explain("embedding1[0]"), lab.compare("main", lab.branch),
        lab.verify(), lab.tree, *lab.bookmarks, *lab.log, *lab.interventions,
    ]  # fmt: skip
    for report in reports:
        assert all(line.isprintable() for line in str(report).split("\n")), report
