"""Paths as people type them, and names that are not valid text: accepted everywhere, or refused with a reason."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.lab.command_line import parse, split_words
from tinynets.lab.script import write_script
from tinynets.nn import plugins
from tinynets.nn.layers import LAYERS
from tinynets.storage import paths
from tinynets.storage.catalog import list_headers
from tinynets.storage.paths import list_saves
from tinynets.storage.recovery import recoverable
from tinynets.system.paths import expanded, restored, stored
from tui.__main__ import problem_with, problem_with_data, problem_with_plugins

X = np.random.default_rng(0).normal(size=(20, 2))
Y = (X[:, 0] > 0).astype(np.int64)
LATIN = os.fsdecode(b"caf\xe9") if os.name == "posix" else "café"
GOOD = ["plain", "with space", "it's", 'a "quote"', "ünï", LATIN, "[b]", "a\\b" if os.name == "posix" else "ab"]
BAD = ["a\ud800b", "n" * 300, "x/" * 3000, "a\0b", f"{LATIN}\ud800"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def lab(data: Any = (X, Y), **options: Any) -> tn.Lab:
    network = tn.Network([tn.Linear(2, 2, name="hidden")], seed=0)
    return tn.Lab(network, data=data, loss="cross-entropy", optimizer="sgd", **options)


def recipe() -> bytes:
    return resources.files("tinynets").joinpath("recipes/xor.toml").read_bytes()


@pytest.fixture(autouse=True)
def own_layers_of_one_test_alone() -> Iterator[None]:
    before = dict(LAYERS), dict(plugins._OWN)
    yield
    for now, then in zip((LAYERS, plugins._OWN), before, strict=True):
        now.clear()
        now.update(then)  # type: ignore[call-overload]


PLUGIN = "import tinynets as tn\nclass Own(tn.Identity):\n    kind = 'own-{}'\n"


# -- the user's own folder


def test_a_tilde_is_the_folder_of_ones_own_wherever_a_path_is_taken(home: Path) -> None:
    made = lab(journal="~/journals")
    made.run(3)
    made.flush()
    assert len(list((home / "journals").iterdir())) == 1
    assert made.save("~/run").path == str(home / "run.msgpack")
    assert made.claim("~/other") == str(home / "other.msgpack")
    assert tn.Lab("~/run.msgpack", read_only=True).step_number == 3
    assert tn.Lab(Path("~/run.msgpack"), read_only=True).path == str(home / "run.msgpack")
    assert [path.name for path in list_saves("~")] == ["run.msgpack"]
    assert [entry.name for entry in list_headers("~")] == ["run"]
    made.patch("hidden[0]", example=0, save="~/run.msgpack")
    made.transplant("hidden[1]", save="~/run.msgpack")
    assert made.compare("~/run.msgpack")
    assert tn.compare("~/run.msgpack", "~/run.msgpack:main")
    np.savez(home / "points.npz", x=X, y=Y)
    assert lab("~/points.npz").data.path == str(home / "points.npz")
    (home / "own.toml").write_bytes(recipe())
    assert tn.Lab("~/own.toml").recipe.name == tn.load_recipe("~/own.toml").name == "xor"
    (home / "own.py").write_text(PLUGIN.format("tilde"))
    assert tn.load_plugin("~/own.py") == ("own-tilde",)
    tn.Lab("~/own.toml").script("~/own_script.py")
    assert (home / "own_script.py").is_file()
    assert problem_with(expanded("~/run.msgpack")) == problem_with_data(expanded("~/points.npz"), "a.msgpack") == ""
    assert not Path("~").exists()


@pytest.mark.parametrize("name", ["~nobody-of-that-name/run", "~nobody-of-that-name/a/b.msgpack"])
def test_a_tilde_of_nobody_makes_no_folder_of_that_name(name: str, home: Path) -> None:
    made = lab()
    for write in (made.save, paths.writable, lambda path: write_script("", path), lambda path: lab(journal=path)):
        with pytest.raises(tn.TinynetsError, match="there is no user `nobody-of-that-name`"):
            write(name)
    assert not list(home.parent.glob("~*"))


@pytest.mark.parametrize("name", ["new/", "new//", "there/new/"])
def test_a_path_that_ends_as_a_folder_does_is_no_file_without_a_name(name: str, home: Path) -> None:
    made = lab()
    for write in (made.save, paths.writable, lambda path: write_script("", path)):
        with pytest.raises(tn.TinynetsError, match="a folder"):
            write(name)
    assert [entry.name for entry in home.parent.iterdir()] == ["home"]


def test_a_folder_that_is_called_as_one_of_nobody_is_written_to(home: Path) -> None:
    Path("~nobody-of-that-name").mkdir()
    assert Path(lab().save("~nobody-of-that-name/run").path).exists()


def test_the_command_line_takes_a_tilde_that_no_shell_has_seen(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0, capsys.readouterr()
        return capsys.readouterr().out

    assert str(home / "a.msgpack") in run("train", "xor", "--steps", "3", "--save", "~/a")
    assert "xor" in run("info", "~/a.msgpack")
    assert "xor" in run("info", "--all", "~")
    assert "1" in run("verify", "~/a.msgpack")
    assert run("diff", "~/a.msgpack", "~/a.msgpack")
    assert "own.py" in run("script", "~/a.msgpack", "--save", "~/own.py")
    assert not Path("~").exists()


# -- names


@pytest.mark.parametrize("name", GOOD)
def test_every_name_that_a_file_can_have_works_everywhere(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    data, save, toml = folder / f"{name}.npz", folder / f"{name}.msgpack", folder / f"{name}.toml"
    with open(data, "wb") as file:
        np.savez(file, x=X, y=Y)
    toml.write_bytes(recipe())
    made = lab(str(data), journal=folder / "journals")
    made.run(5)
    made.save(save)
    made.patch("hidden[0]", example=0, save=str(save))
    made.transplant("hidden[1]", save=str(save))
    made.save(save)
    again = tn.Lab(str(save), read_only=True)
    assert again.data.path == made.data.path == str(data)
    assert again.state.digest() == made.state.digest()
    assert [edit.edit.args for edit in again.player.branch.edits] == [e.edit.args for e in made.player.branch.edits]
    made.zero("hidden[0]")
    made.run(5)
    made.flush()
    made.close()
    (left,) = recoverable(folder / "journals")
    assert left.save == str(save)
    back = tn.Lab(str(left.file))
    assert back.data.path == str(data)
    assert back.path == str(save)
    assert back.step_number == 10
    assert tn.Lab(str(toml)).recipe.file == str(toml)
    (folder / f"{name}.py").write_text(PLUGIN.format(f"n{abs(hash(name))}"))
    assert tn.load_plugin(str(folder / f"{name}.py"))
    back.save(folder / "copy")
    back.script(str(folder / f"{name}_script.py"))
    for said in (again, *again.log, left, back.save(folder / f"{name}-2"), *back.warnings, back.script()):
        str(said).encode()
    for arguments in (["info", "--all", str(folder)], ["info", str(save)], ["script", str(save)]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
    capsys.readouterr().out.encode()


@pytest.mark.parametrize("missing", [True, False])
def test_large_data_of_a_file_whose_name_is_no_text_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: bool
) -> None:
    monkeypatch.setattr("tinynets.storage.data_record.EMBED_LIMIT", 10)
    data = tmp_path / f"{LATIN}.npz"
    with open(data, "wb") as file:
        np.savez(file, x=X, y=Y)
    made = lab(str(data))
    made.run(5)
    made.save("run")
    if missing:
        data.unlink()
    again = tn.Lab("run.msgpack")
    assert bool(again.data.missing) is missing
    assert again.data.path == str(data)
    for warning in again.warnings:
        tn.DataError(warning).__str__().encode()


PLACES: dict[str, Callable[[tn.Lab, str], Any]] = {
    "save": lambda made, path: made.save(path),
    "claim": lambda made, path: made.claim(path),
    "open": lambda made, path: tn.Lab(f"{path}.msgpack"),
    "open-bare": lambda made, path: tn.Lab(path),
    "journal": lambda made, path: tn.Lab(f"{path}.journal"),
    "recipe": lambda made, path: tn.Lab(f"{path}.toml"),
    "recipe-path": lambda made, path: tn.load_recipe(Path(f"{path}.toml")),
    "data": lambda made, path: lab(f"{path}.npz"),
    "data-path": lambda made, path: lab(Path(f"{path}.npz")),
    "plugin": lambda made, path: tn.load_plugin(f"{path}.py"),
    "script": lambda made, path: made.script(f"{path}.py"),
    "patch": lambda made, path: made.patch("hidden", example=0, save=f"{path}.msgpack"),
    "transplant": lambda made, path: made.transplant("hidden", save=f"{path}.msgpack"),
    "compare": lambda made, path: made.compare(f"{path}.msgpack"),
    "compare-two": lambda made, path: tn.compare(path, f"{path}:main"),
    "list": lambda made, path: list_saves(path),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", BAD, ids=range(len(BAD)))
def test_a_name_that_no_file_can_have_is_refused_in_words(place: str, name: str) -> None:
    made = tn.Lab("xor")
    if place == "transplant" or place == "patch":
        made = lab()
    with pytest.raises(tn.TinynetsError) as caught:
        PLACES[place](made, name)
    str(caught.value).encode()


@pytest.mark.parametrize("name", BAD, ids=range(len(BAD)))
def test_the_commands_refuse_such_a_name_in_a_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["info", f"{name}.msgpack"],
        ["replay", f"{name}.msgpack"],
        ["train", f"{name}.toml"],
        ["train", "xor", "--steps", "1", "--save", name],
        ["info", "--all", name],
        ["info", "xor", "--plugin", name],
        ["diff", name, name],
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 1
        said = capsys.readouterr().err
        assert said.startswith("tinynets: ")
        assert said.count("\n") == 1
        said.encode()
    if "\0" not in name:
        assert problem_with(f"{name}.msgpack")
        assert problem_with_data(name, "a.msgpack")
        assert problem_with_plugins([name])


@pytest.mark.parametrize("name", ["a\ud800b", "a\0b"])
def test_a_folder_of_journals_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(tn.SaveError, match="can hold no journals"):
        lab(journal=name)


def test_a_path_is_kept_as_bytes_where_it_is_no_text() -> None:
    assert stored("/a/ü") == "/a/ü"
    if os.name == "posix" and sys.getfilesystemencoding() == "utf-8":
        assert stored(f"/a/{LATIN}") == b"/a/caf\xe9"
    assert restored(stored(f"/a/{LATIN}")) == f"/a/{LATIN}"


@given(st.text(st.characters(exclude_categories=()), max_size=8))
def test_whatever_a_path_is_can_be_stored(path: str) -> None:
    kept = stored(path)
    assert isinstance(kept, bytes) or kept.encode() is not None


# -- text that cannot be written


LONE = "a\udce9b"
TEXTS: list[Callable[[], Any]] = [
    lambda: lab().bookmark(LONE),
    lambda: lab().bookmark("a", LONE),
    lambda: lab().fork(LONE),
    lambda: lab().rename("main", LONE),
    lambda: lab({"train": (X, Y), LONE: (X, Y)}),
    lambda: lab(tn.Dataset(LONE, {"train": (X, Y)}, ("0", "1"))),
    lambda: lab(tn.Dataset("d", {"train": (X, Y)}, ("0", LONE))),
    lambda: lab(tn.Dataset("d", {"train": (X, Y)}, ("0", "1"), captions={"train": (LONE,) * 20})),
    lambda: tn.data.arrays(X, Y, name=LONE),
    lambda: tn.data.arrays(X, Y, labels=["0", LONE]),
    lambda: tn.data.arrays(X, Y, labels=[0, 1]),  # type: ignore[list-item]
    lambda: tn.data.TextCodec(f".{LONE}", 3),
    lambda: tn.data.TextCodec.of([LONE], 3),
    lambda: tn.Linear(2, 2, name=LONE),
    lambda: tn.Lab("xor").insert("hidden", "identity", name=LONE),
    lambda: tn.Lab("names-mlp").predict(LONE),
    lambda: tn.Lab("names-mlp").sample(1, prefix=LONE),
    lambda: tn.Lab("names-mlp").patch("hidden", input=LONE),
    lambda: lab().zero(LONE),
    lambda: lab().evaluate(LONE),
    lambda: lab().set(LONE, 1),
    lambda: lab().switch(LONE),
    lambda: tn.Lab(LONE),
    lambda: parse(f"zero '{LONE}"),
    lambda: parse(LONE),
]


@pytest.mark.parametrize("place", range(len(TEXTS)))
def test_text_that_cannot_be_written_is_refused_where_it_enters(place: int) -> None:
    with pytest.raises(tn.TinynetsError) as caught:
        TEXTS[place]()
    str(caught.value).encode()


# -- the lab's command line

WINDOWS = [
    r"C:\a\b.msgpack",
    r"C:\Users\me\runs\x.msgpack",
    r"\\server\share\x.msgpack",
    r"..\up\x.msgpack",
    "C:\\dir\\",
]


@pytest.mark.parametrize("path", WINDOWS)
@pytest.mark.parametrize("verb", ["save", "open", "script"])
def test_backslashes_of_a_path_stay(path: str, verb: str) -> None:
    for line in (f"{verb} {path}", f'{verb} "{path}"', f"{verb} '{path}'"):
        assert parse(line).args == (path,)
    assert parse(f"patch hidden[0] example=1 save={path}").kwargs["save"] == path
    spaced = f"C:\\Program Files\\{path[3:]}"
    assert parse(f'{verb} "{spaced}"').args == (spaced,)


def test_spaces_and_quotes_are_written_as_in_a_shell() -> None:
    assert parse(r"save my\ run").args == parse("save 'my run'").args == parse('save "my run"').args == ("my run",)
    assert parse(r"save it\'s").args == parse('save "it\'s"').args == ("it's",)
    assert parse(r'save "a \"b\" c"').args == ('a "b" c',)


@given(st.lists(st.text(st.characters(exclude_characters="\"'\0", exclude_categories=()), min_size=1), max_size=5))
@example(["C:\\a b\\", "\\\\s\\x"])
def test_quoted_words_come_back_as_they_are(words: list[str]) -> None:
    assert split_words(" ".join(f"'{word}'" for word in words)) == words


@given(st.text())
def test_every_line_is_read_or_refused_in_words(line: str) -> None:
    try:
        parse(line)
    except tn.CommandError as error:
        str(error).encode()


def test_lists_are_typed_as_python_has_them() -> None:
    made = tn.Lab("xor")
    for line, answer in (
        ("patch hidden[0] input=[1,2]", {"input": [1, 2]}),
        ("patch hidden[0] input=[ 1, .5 ]", {"input": [1, 0.5]}),
        ("patch hidden[0] input=[[1, -2e-1]]", {"input": [[1, -0.2]]}),
        ("schedule step at=[10,20] factor=.1", {"at": [10, 20], "factor": 0.1}),
        ("schedule step at=10,20 factor=.1", {"at": [10, 20], "factor": 0.1}),
        ("predict [0.5, -1]", {}),
    ):
        call = parse(line)
        assert call.kwargs == answer
        assert getattr(made, call.verb)(*call.args, **call.kwargs)
    assert parse("predict [0.5, -1]").args == ([0.5, -1],)
    assert parse("patch hidden[0] input=[ab").kwargs == {"input": "[ab"}
    assert parse("patch hidden[0] input=emma").kwargs == {"input": "emma"}


@pytest.mark.parametrize("depth", [10, 1000, 100_000])
def test_lists_as_deep_as_one_likes_are_read_or_refused_in_words(depth: int) -> None:
    call = parse(f"patch hidden[0] input={'[' * depth}1{']' * depth}")
    with pytest.raises(tn.TinynetsError):
        tn.Lab("xor").patch(*call.args, **call.kwargs)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_recipe_that_begins_with_a_byte_order_mark_is_a_recipe(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(recipe().decode().replace("\n", "\r\n").encode(encoding))
    assert tn.Lab(file).recipe == tn.Lab("xor").recipe


def test_a_plugin_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "marked.py").write_bytes(PLUGIN.format("marked").encode("utf-8-sig"))
    assert tn.load_plugin(tmp_path / "marked.py") == ("own-marked",)
