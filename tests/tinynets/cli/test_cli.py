"""The command `tinynets ...`: what it prints, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tinynets as tn
from tinynets.cli import progress_bar
from tinynets.cli.entry import COMMANDS, Command, main
from tinynets.history import runs
from tinynets.storage import keyframes

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process; returns its status, output and errors."""

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return command


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saves") / "names.msgpack"
    lab = tn.Lab("names-mlp", seed=1)
    lab.run(60)
    lab.zero("hidden[3]")
    lab.run(40)
    lab.save(path)
    return path


def test_training_ends_with_losses_and_a_save_that_stands_there(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "xor.msgpack"
    status, out, _ = run("train", "xor", "--steps", "50", "--seed", "3", "--save", str(path), "--json")
    told = json.loads(out)
    lab = tn.Lab(path)
    assert status == 0
    assert (told["step"], told["recipe"], told["save"]) == (50, "xor", str(path))
    assert told["digest"] == lab.state.digest()
    assert told["evaluations"]["dev"]["loss"] == pytest.approx(float(lab.evaluate("dev")))


def test_training_goes_on_where_a_save_stands(run: Run, trained: Path) -> None:
    status, out, _ = run("train", str(trained), "--steps", "10", "--json")
    whole = tn.Lab(trained)
    whole.run(10)
    assert (status, json.loads(out)["step"], json.loads(out)["digest"]) == (0, 110, whole.state.digest())


def test_with_less_memory_a_run_keeps_fewer_moments(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEYFRAME_COST", 1e-9)
    monkeypatch.setattr(keyframes, "SPACING", 1)
    kept = {}
    for memory in ((), ("--memory", "1")):
        path = tmp_path / "run.msgpack"
        assert run("train", "names-mlp", "--steps", "600", "--save", str(path), *memory)[0] == 0
        kept[memory] = sum(state.theta.nbytes for state in tn.Lab(path).player.timeline.branch.keyframes.values())
    assert 0 < kept["--memory", "1"] <= 2**20 < kept[()]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_says_what_it_does_and_takes_plugins_threads_and_json(run: Run, command: Command) -> None:
    status, out, err = run(command.name, "--help")
    assert (status, err) == (0, "")
    assert command.help in " ".join(run("--help")[1].split())
    for words in (f"usage: tinynets {command.name}", "--json", "--plugin FILE", "--threads N"):
        assert words in out


@pytest.mark.parametrize("memory", ["0", "-5", "nan", "much", str(2**30 + 1)])
def test_memory_is_a_whole_number_of_megabytes(run: Run, memory: str) -> None:
    status, out, err = run("train", "xor", "--memory", memory)
    assert (status, out) == (2, "")
    assert "argument --memory: " in err.splitlines()[-1]
    assert "whole number of MB" in err.splitlines()[-1]


def test_a_seed_cannot_be_given_to_a_save(run: Run, trained: Path) -> None:
    assert run("train", str(trained), "--seed", "1") == (
        1,
        "",
        "tinynets: `seed` cannot be given with a save, which has its own\n",
    )


def test_info_tells_layers_data_log_and_where_it_stands(run: Run, trained: Path) -> None:
    status, out, _ = run("info", str(trained))
    assert status == 0
    for part in ("names (train 183,646", "Linear(30, 200)", "11,897", "step 100 of 100", 'lab.zero("hidden[3]")'):
        assert part in out
    told = json.loads(run("info", "xor", "--json")[1])
    assert (told["step"], told["parameters"], told["blocks"]) == (0, 22, {"hidden": 4, "output": 2})
    transformer = json.loads(run("info", "names-transformer", "--json")[1])["layers"]
    assert any(layer.startswith("Residual(") for layer in transformer)
    assert not {"Split", "Add"} & set(transformer)


def test_a_map_is_measured_by_its_errors(run: Run, tmp_path: Path) -> None:
    save = str(tmp_path / "map.msgpack")
    out = run("train", "colors-som", "--steps", "5", "--save", save)[1]
    lab = tn.Lab(save)
    x, w = lab.data["train"][0], lab.state.theta.reshape(3, -1)
    grid = lab.recipe.training.loss.config()["grid"]
    errors = {
        "quantization_error": pytest.approx(tn.quantization_error(w, x)),
        "topographic_error": pytest.approx(tn.topographic_error(w, x, grid)),
    }
    assert lab.evaluate("train").map_errors == errors
    assert json.loads(run("info", save, "--json")[1])["map_errors"] == errors
    for text in (out, run("info", save)[1]):
        assert f"quantization error {tn.quantization_error(w, x):.4f}" in text
        assert "topographic error" in text
    assert tn.Lab("xor").evaluate("train").map_errors == {}


def test_a_replay_says_that_every_byte_came_out_again(run: Run, trained: Path) -> None:
    status, out, _ = run("replay", str(trained), "--every", "50", "--json")
    told = json.loads(out)
    lab = tn.Lab(trained)
    lab.seek(50)
    assert status == 0
    assert (told["steps"], told["edits"], told["equal"], told["first_difference"]) == (100, 1, True, None)
    assert told["compared"] >= 2
    assert told["digests"]["50"] == lab.state.digest()


def test_samples_begin_with_their_prefix_and_come_again(run: Run, trained: Path) -> None:
    first = run("sample", str(trained), "-n", "5", "--prefix", "bro")
    assert first == run("sample", str(trained), "-n", "5", "--prefix", "bro")
    assert first[0] == 0
    assert len(first[1].splitlines()) == 5
    assert all(name.startswith("bro") for name in first[1].splitlines())
    assert first != run("sample", str(trained), "-n", "5", "--prefix", "bro", "--seed", "2")


def test_a_prediction_lists_the_likeliest_first(run: Run, trained: Path) -> None:
    shares = json.loads(run("predict", str(trained), "emm", "--json")[1])["probabilities"]
    assert sum(shares.values()) == pytest.approx(1)
    assert run("predict", str(trained), "emm")[1][0] == max(shares, key=shares.__getitem__)


def test_every_recipe_is_listed_with_what_it_is(run: Run) -> None:
    out = run("recipes")[1]
    for recipe in tn.list_recipes():
        assert recipe.name in out
        assert recipe.description in out
    lines = zip(out.splitlines(), tn.list_recipes(), strict=True)
    assert len({line.index(recipe.description, len(recipe.name)) for line, recipe in lines}) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sample", "spiral"), "`sample` goes on from a text, so it needs data that is text; `spiral` is not"),
        (
            ("predict", "digits", "3"),
            "`predict` takes numbers (64,), as `digits` is no text, or example=N, not '3'",
        ),
        (("replay", "nope.msgpack"), "`nope.msgpack`: there is no such save"),
        (("info", "nope.toml"), "`nope.toml`: there is no such file"),
        (("predict", "names-mlp", "E"), "`E` is not a known character; known are `.abcdefghijklmnopqrstuvwxyz`"),
        (
            ("sample", "names-mlp", "--prefix", "bro."),
            "`prefix` must not hold `.`, which ends a text, but it is 'bro.'",
        ),
        (("sample", "names-mlp", "--temperature", "-1"), "`temperature` must be a number from 0 to 1000, not -1.0"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_1(run: Run, arguments: tuple[str, ...], message: str) -> None:
    assert run(*arguments) == (1, "", f"tinynets: {message}\n")


@pytest.mark.parametrize(
    "arguments", [(), ("trian",), ("train",), ("train", "xor", "--steps", "0"), ("train", "--stepz")]
)
def test_wrong_arguments_end_with_status_2(run: Run, arguments: tuple[str, ...]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert "error:" in err
    assert "Traceback" not in err


def test_a_run_that_meets_nan_keeps_what_was_before_and_says_where(run: Run, tmp_path: Path) -> None:
    recipe = tmp_path / "wild.toml"
    text = (Path(tn.__file__).parent / "recipes" / "xor.toml").read_text()
    recipe.write_text(
        text.replace('kind = "tanh"', 'kind = "relu"', 1)
        .replace('gain = "tanh"', 'gain = "relu"')
        .replace("lr = 0.1", "lr = 1e30")
    )
    save = tmp_path / "wild.msgpack"
    status, _, err = run("train", str(recipe), "--steps", "50", "--save", str(save))
    assert status == 1
    assert "first in `" in err
    assert "the state before that step is kept" in err
    assert tn.Lab(save).step_number < 50


def test_a_save_that_could_not_be_written_is_refused_before_the_work(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    target = file / "x.msgpack"
    for path, message in (
        (target, f"`{target}` cannot be written: `{file}` is not a folder"),
        ("", "a save needs a path, not ''"),
    ):
        assert run("train", "names-mlp", "--save", str(path)) == (1, "", f"tinynets: {message}\n")


def test_a_save_that_has_done_its_steps_does_not_go_on_unasked(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "xor.msgpack"
    run("train", "xor", "--save", str(path))
    message = f"tinynets: `{path}` has done the 1,000 steps of its recipe; --steps N goes on\n"
    assert run("train", str(path)) == (1, "", message)
    assert json.loads(run("train", str(path), "--steps", "5", "--json")[1])["step"] == 1005


# -- how much is evaluated, and the progress of that


def test_a_run_is_evaluated_over_all_examples_some_or_none(run: Run) -> None:
    train, evaluations = ("train", "names-mlp", "--steps", "20", "--json"), {}
    for amount in ("all", "1000", "none"):
        evaluations[amount] = json.loads(run(*train, "--evaluate", amount)[1])["evaluations"]
    lab = tn.Lab("names-mlp")
    lab.run(20)
    sizes = {split: len(x) for split, (x, _) in lab.data.splits.items()}
    assert {split: entry["examples"] for split, entry in evaluations["all"].items()} == sizes
    assert {split: (entry["examples"], entry["of"]) for split, entry in evaluations["1000"].items()} == {
        split: (1000, size) for split, size in sizes.items()
    }
    assert evaluations["none"] == {}
    assert json.loads(run(*train)[1])["evaluations"] == evaluations["all"]
    assert "(1,000 of 183,646 examples, drawn, step 20)" in run(*train[:-1], "--evaluate", "1000")[1]


def test_without_evaluation_there_is_none_on_the_way_either_and_the_run_is_the_same(run: Run, tmp_path: Path) -> None:
    digests = {}
    for amount in ("all", "none"):
        path = tmp_path / f"{amount}.msgpack"
        run("train", "xor", "--steps", "600", "--save", str(path), "--evaluate", amount)
        lab = tn.Lab(path)
        digests[amount] = lab.state.digest()
        assert bool(lab.evaluations) == (amount == "all")
    assert digests["all"] == digests["none"]


@pytest.mark.parametrize("amount", ["0", "-1", "some", "1.5", ""])
def test_how_much_is_evaluated_is_a_number_all_or_none(run: Run, amount: str) -> None:
    status, out, err = run("train", "xor", f"--evaluate={amount}")
    assert (status, out) == (2, "")
    assert "argument --evaluate: " in err.splitlines()[-1]


def test_some_examples_are_always_the_same_weigh_as_they_do_and_are_not_kept() -> None:
    lab = tn.Lab("names-mlp")
    lab.run(10)
    first = lab.evaluate("train", examples=500)
    assert (first.examples, first.of) == (500, 183_646)
    assert lab.evaluate("train", examples=500) == first
    assert lab.evaluations == ()
    whole = lab.evaluate("dev")
    assert lab.evaluate("dev", examples=10**9) == whole
    assert whole.of == 0
    x = np.zeros((40, 2))
    x[:, 0] = np.arange(40)
    weight = np.r_[np.full(39, 2.0), 2.0]
    network = tn.Network([tn.Linear(2, 2, name="output")], seed=0)
    data = (x, (x[:, 0] > 20).astype(np.int64), weight)
    weighed = tn.Lab(network, data=data, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1))
    plain = tn.Lab(network, data=data[:2], loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1))
    some = [lab.evaluate("train", examples=7).loss for lab in (weighed, plain)]
    assert some[0] == pytest.approx(2 * some[1])
    with pytest.raises(tn.EditError, match="`examples` must be a whole number"):
        lab.evaluate("dev", examples=0)


@pytest.mark.parametrize("arguments", [("train", "names-mlp", "--steps", "40"), ("verify",), ("replay",)])
def test_where_no_terminal_is_a_line_tells_now_and_then_how_far_it_is(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr(progress_bar, "LINE_SECONDS", 0.0)
    whole = (*arguments, str(trained)) if len(arguments) == 1 else arguments
    status, out, err = run(*whole)
    assert status == 0
    assert "\r" not in err + out
    assert "\x1b" not in err + out
    if arguments[0] == "train":
        for what in ("steps ", "examples of train ", "examples of dev ", "examples of test "):
            assert any(line.startswith(what) for line in err.splitlines()), what
    else:
        assert err


def test_evaluations_on_the_way_tell_how_far_they_are() -> None:
    lab, heard = tn.Lab("names-mlp"), []
    lab.watched = lambda progress: heard.append((progress.what, progress.done, progress.total))
    lab.run(lab.recipe.training.evaluate_every)
    size, times = len(lab.data["dev"][0]), len(lab.evaluations)
    assert times > 1
    assert heard.count(("examples of dev", size, size)) == times
    assert len(heard) > times
