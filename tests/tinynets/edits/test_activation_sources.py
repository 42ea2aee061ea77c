"""Sources of values: means, other examples, inputs, classes, branches, bookmarks, saves; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.nn.workspace import Workspace

Make = Callable[..., tn.Lab]
Says = Callable[..., Any]


def read(lab: tn.Lab, site: str = "hidden", x: Any = None) -> np.ndarray:
    """The present values at a site, (B, ..., units)."""
    workspace = Workspace()
    with np.errstate(all="ignore"):
        lab.network.forward(lab.probe.x if x is None else x, workspace)
    return lab.network.activation(site, workspace)


def values(lab: tn.Lab) -> np.ndarray:
    found = lab.interventions[-1].values
    assert found is not None
    return found.array


def splits() -> dict[str, Any]:
    random = np.random.default_rng(0)
    made = {}
    for name, count in (("train", 40), ("dev", 20)):
        x = random.uniform(-1, 1, (count, 2))
        made[name] = x, (x[:, 1] > x[:, 0] ** 2).astype(np.int64)
    return made


# -- the values found


@pytest.mark.parametrize("over", ["probe", "train", "dev"])
def test_the_mean_is_that_over_the_probe_or_a_split(make_tiny: Make, over: str) -> None:
    lab = make_tiny(dtype="float64", data=splits())
    lab.run(3)
    x = lab.probe.x if over == "probe" else lab.split(over)[0]
    expected = read(lab, x=x).mean(axis=0)[[1, 4]]
    assert lab.mean("hidden[1,4]", over).python == f'lab.mean("hidden[1,4]", "{over}")'
    np.testing.assert_allclose(values(lab), expected, rtol=1e-12)
    np.testing.assert_allclose(read(lab)[:, [1, 4]], np.tile(expected, (len(lab.probe.x), 1)), rtol=1e-12)


def test_a_mean_over_more_examples_than_one_chunk_is_the_mean_of_all() -> None:
    lab = tn.Lab("names-mlp")
    x = lab.split("dev")[0]
    assert len(x) > 2 * 4096
    expected = read(lab, "hidden.pre", x).mean(axis=0, dtype=np.float64)
    lab.mean("hidden.pre", "dev")
    np.testing.assert_allclose(values(lab), expected, atol=1e-6)


def test_values_are_read_without_what_stands_on_the_very_units_and_with_all_else(make_tiny: Make) -> None:
    lab, bare = make_tiny(dtype="float64"), make_tiny(dtype="float64")
    lab.zero("hidden[2,3]")
    lab.mean("hidden[2]")
    assert values(lab) == pytest.approx(read(bare)[:, 2].mean())
    lab.clamp("hidden.pre[2]", 0.5)
    lab.mean("hidden[2]")
    assert values(lab) == pytest.approx(np.tanh(0.5))
    assert [str(entry) for entry in lab.interventions] == [
        "zero hidden[3]",
        "clamp hidden.pre[2] 0.5",
        "mean hidden[2]",
    ]


def test_one_time_step_is_read_without_what_stands_on_it_at_all_times() -> None:
    x = np.random.default_rng(0).normal(size=(8, 4, 2))
    network = tn.Network([tn.GRU(2, 3, name="rnn"), tn.Linear(3, 2)], dtype="float64", input_shape=(4, 2))
    lab = tn.Lab(network, data=(x, np.zeros((8, 4), np.int64)), loss=tn.CrossEntropy(), batch=4)
    first = read(lab, "rnn")[:, 0, 1]
    lab.zero("rnn[1]")
    lab.patch("rnn[1]@t=0", example=5)
    assert values(lab) == pytest.approx(first[5])
    assert read(lab, "rnn")[:, :, 1] == pytest.approx(np.array([[first[5], 0, 0, 0]] * 8))


def test_a_patch_from_another_example_is_what_the_probe_shows_for_it(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.noise("hidden.pre", 0.5)
    shown = read(lab)
    lab.patch("hidden[1:4]", example=7)
    assert values(lab).tobytes() == shown[7, 1:4].tobytes()
    assert (read(lab)[:, 1:4] == shown[7, 1:4]).all()


def test_a_patch_from_an_input_takes_numbers_of_any_kind(make_tiny: Make) -> None:
    for given in ([0.5, 1], (0.5, 1), np.array([[0.5, 1.0]]), np.array([0.5, 1], np.float32)):
        lab = make_tiny()
        expected = read(lab, x=np.array([[0.5, 1.0]]))[0]
        lab.patch("hidden", input=given)
        np.testing.assert_allclose(values(lab), expected, rtol=1e-6)


def test_a_patch_from_a_text_is_what_the_text_gives() -> None:
    lab = tn.Lab("names-mlp")
    lab.run(5)
    codec = lab.data.text
    assert codec is not None
    expected = read(lab, x=codec.window("emm")[None])[0]
    assert lab.patch("hidden", input="emm").python == 'lab.patch("hidden", input="emm")'
    np.testing.assert_allclose(values(lab), expected, rtol=1e-6)


def test_patches_come_from_the_end_of_a_branch_from_a_bookmark_and_from_a_save(make_tiny: Make, tmp_path: Path) -> None:
    lab = make_tiny(dtype="float64")
    lab.run(4)
    lab.scale("hidden[0]", 3)  # interventions there count
    lab.bookmark("early")
    early = read(lab)[5]
    lab.run(6)
    late = read(lab)[5]
    lab.save(tmp_path / "late.msgpack")
    lab.seek(2)
    lab.fork("what-if")
    lab.run(1)
    now, here = lab.state.digest(), read(lab)[5]
    for source, expected in (
        ({"branch": "main"}, late),
        ({"bookmark": "early"}, early),
        ({"save": str(tmp_path / "late.msgpack")}, late),
        ({}, here),
    ):
        lab.patch("hidden", example=5, **source)
        np.testing.assert_allclose(values(lab), expected, rtol=1e-12)
        lab.undo()
        assert lab.state.digest() == now
    lab.patch("hidden", input=[0.5, 0.5], save=str(tmp_path / "late.msgpack"))
    there = tn.Lab(tmp_path / "late.msgpack", read_only=True)
    np.testing.assert_allclose(values(lab), read(there, x=np.array([[0.5, 0.5]]))[0], rtol=1e-12)


def test_a_patch_from_elsewhere_is_written_out_in_the_script_and_named_in_the_log(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(2)
    lab.fork("other")
    lab.patch("hidden[3]", example=1, branch="main")
    entry = lab.player.branch.edits[-1].edit
    assert entry.python() == 'lab.patch("hidden[3]", example=1, branch="main")'
    assert entry.script() == f'lab.patch("hidden[3]", values={values(lab).tolist()})'


def test_steering_adds_the_difference_of_two_classes_means() -> None:
    lab = tn.Lab("digits")
    lab.run(20)
    x, y = lab.split("train")
    found = read(lab, x=x).astype(np.float64)
    report = lab.steer("hidden", toward=3, away="8", scale=0.5)
    assert report.python == 'lab.steer("hidden", toward=3, away="8", over="train", scale=0.5)'
    expected = (found[y == 3].mean(axis=0) - found[y == 8].mean(axis=0)) / 2
    np.testing.assert_allclose(values(lab), expected, atol=1e-5)
    before = read(tn.Lab("digits"), x=x)  # the same start
    lab.seek(0)
    np.testing.assert_allclose(read(lab, x=x), before, atol=1e-6)


def test_steering_without_a_class_to_leave_takes_the_mean_of_all_off_and_makes_the_class_likelier() -> None:
    lab = tn.Lab("names-mlp")
    lab.run(200)
    x, y = lab.split("dev")
    place = lab.data.labels.index("n")
    found = read(lab, x=x).astype(np.float64)
    before = lab.predict("emm").probabilities[place]
    lab.steer("hidden", toward="n", over="dev", scale=2.0)
    np.testing.assert_allclose(values(lab), 2 * (found[y == place].mean(0) - found.mean(0)), atol=1e-5)
    assert lab.predict("emm").probabilities[place] > before


def test_steering_by_values_adds_them_scaled(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    before = read(lab)
    lab.steer("hidden[1,2]", values=[0.25, -1], scale=2)
    np.testing.assert_allclose(read(lab) - before, [[0, 0.5, -2, 0, 0, 0]] * len(before), atol=1e-15)


def test_resampling_gives_each_row_what_one_other_example_gives(make_tiny: Make) -> None:
    lab = make_tiny()
    pool = {row.tobytes() for row in read(lab, x=lab.split("train")[0])[:, 1:3]}
    lab.resample("hidden[1:3]", examples=5)
    rows = [row.tobytes() for row in read(lab)[:, 1:3]]
    assert {row.tobytes() for row in values(lab)} <= pool
    assert set(rows) <= {row.tobytes() for row in values(lab)}
    assert len(set(rows)) > 1


def test_resampling_from_one_example_is_a_patch(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.resample("hidden", examples=1)
    assert (read(lab) == values(lab)[0]).all()


@pytest.mark.parametrize("shape", [(3,), (1, 1, 3), (4, 1, 3), (1, 4, 3), (4, 4, 3)])
def test_values_for_a_channel_may_differ_from_place_to_place_or_not(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(8, 4, 4, 2))
    layers = [tn.Conv2d(2, 5, 3, padding=1, name="conv"), tn.ReLU(), tn.GlobalAvgPool(), tn.Linear(5, 2)]
    lab = tn.Lab(tn.Network(layers, dtype="float64"), data=(x, np.arange(8) % 2), loss=tn.CrossEntropy(), batch=4)
    given = np.random.default_rng(1).normal(size=shape)
    lab.patch("conv[0,2,4]", values=given)
    assert (read(lab, "conv")[..., [0, 2, 4]] == given).all()
    lab.run(2)
    lab.scale("conv[2]", 2)
    assert (read(lab, "conv")[..., [0, 2, 4]] == given * [1, 2, 1]).all()


def test_a_unit_that_became_infinite_can_be_held(make_tiny: Make) -> None:
    lab = make_tiny(tn.ReLU())
    lab.scale("hidden.pre[2]", 3e38)
    lab.scale("hidden.pre[2]", 3e38)
    assert not np.isfinite(read(lab)).all()
    for act in (
        lambda: lab.zero("hidden[2]"),
        lambda: lab.clamp("hidden[1:4]", 0.5),
        lambda: lab.scale("hidden[0]", 2),
    ):
        act()
        assert np.isfinite(read(lab)).all()
        assert np.isfinite(lab.probe_loss())


def test_numbers_of_numpy_are_kept_as_plain_ones(make_tiny: Make) -> None:
    lab = make_tiny()
    lines = [
        lab.patch("hidden[0]", example=np.int64(3)).python,
        lab.steer("hidden[1]", toward=np.int64(1), scale=np.float32(0.5)).python,
        lab.resample("hidden[2]", examples=np.int32(4)).python,
        lab.clamp("hidden[3]", np.float32(0.5)).python,
        lab.patch("hidden[4]", input=np.array([0.5, 1.0])).python,
    ]
    assert lines == [
        'lab.patch("hidden[0]", example=3)',
        'lab.steer("hidden[1]", toward=1, over="train", scale=0.5)',
        'lab.resample("hidden[2]", "train", examples=4)',
        'lab.clamp("hidden[3]", 0.5)',
        'lab.patch("hidden[4]", input=[0.5, 1.0])',
    ]


# -- unfinished steps


SOURCED: dict[str, Callable[[tn.Lab], object]] = {
    "mean": lambda lab: lab.mean("hidden[1]"),
    "resample": lambda lab: lab.resample("hidden[1]"),
    "patch": lambda lab: lab.patch("hidden[1]", example=2),
    "steer": lambda lab: lab.steer("hidden[1]", toward=1),
}


@pytest.mark.parametrize("op", SOURCED)
def test_in_a_half_done_step_values_are_those_at_its_beginning(make_tiny: Make, op: str) -> None:
    half, whole = make_tiny(), make_tiny()
    for _ in range(4):
        half.phase()
    SOURCED[op](half)
    half.step_out()
    SOURCED[op](whole)
    whole.step()
    assert half.state.digest() == whole.state.digest()


@pytest.mark.parametrize(
    "act",
    [
        lambda lab: lab.mean("hidden[1]", "valid"),
        lambda lab: lab.resample("hidden[1]", examples=0),
        lambda lab: lab.patch("hidden[1]", example=40),
        lambda lab: lab.patch("hidden[1]", input="emma"),
        lambda lab: lab.patch("hidden[1]", example=1, branch="other"),
        lambda lab: lab.patch("hidden[1]", values=[1, 2]),
        lambda lab: lab.steer("hidden[1]", toward=7),
        lambda lab: lab.clamp("hidden[1]", float("nan")),
    ],
)
def test_what_is_refused_leaves_a_half_done_step_half_done(make_tiny: Make, act: Callable[[tn.Lab], object]) -> None:
    lab = make_tiny()
    for _ in range(4):
        lab.phase()
    before = lab.state.digest(), lab.moment, lab.player.phases_done
    with pytest.raises(tn.TinynetsError):
        act(lab)
    assert (lab.state.digest(), lab.moment, lab.player.phases_done) == before


# -- refusals


NEEDS = (
    "`patch` needs `example=` (of the probe) or `input=`, here or with one of `branch=`, `bookmark=`, `save=`; "
    "or `values=`"
)

REFUSED: list[tuple[Callable[[tn.Lab], object], type[Exception], str]] = [
    (lambda lab: lab.mean("hidden[9]"), tn.SelectorError, "`hidden[9]`: `hidden` has 6 units, 0 to 5"),
    (lambda lab: lab.zero("hidden[]"), tn.SelectorError, "`hidden[]` names no unit; `hidden` has 6 units, 0 to 5"),
    (
        lambda lab: lab.noise("hidden[0]@t=1", 1),
        tn.SelectorError,
        "`hidden[0]@t=1`: `hidden` has no time steps to choose from",
    ),
    (
        lambda lab: lab.patch("output.pre[0]", example=1),
        tn.SelectorError,
        "`output.pre[0]`: `output` has no activation, so nothing comes before it",
    ),
    (
        lambda lab: lab.clamp("hidden", "much"),
        tn.EditError,
        "`clamp`: `value` must be a finite number, not 'much'",
    ),
    (
        lambda lab: lab.clamp("hidden", 1e39),
        tn.EditError,
        "`clamp`: `value` must be a finite number from -3.40282e+38 to 3.40282e+38, not 1e+39",
    ),
    (lambda lab: lab.scale("hidden", None), tn.EditError, "`scale`: `factor` must be a finite number, not None"),
    (lambda lab: lab.scale("hidden", True), tn.EditError, "`scale`: `factor` must be a finite number, not True"),
    (
        lambda lab: lab.noise("hidden", -1),
        tn.EditError,
        "`noise`: `sigma` must be a finite number from 0 to 1e+30, not -1",
    ),
    (
        lambda lab: lab.noise("hidden", float("inf")),
        tn.EditError,
        "`noise`: `sigma` must be a finite number from 0 to 1e+30, not inf",
    ),
    (lambda lab: lab.mean("hidden", "valid"), tn.EditError, "`mean`: `over` is one of probe, train, dev, not 'valid'"),
    (
        lambda lab: lab.mean("hidden", "trian"),
        tn.EditError,
        "`mean`: `over` is one of probe, train, dev, not 'trian'; did you mean `train`?",
    ),
    (lambda lab: lab.mean("hidden", 3), tn.EditError, "`mean`: `over` is one of probe, train, dev, not 3"),
    (
        lambda lab: lab.mean("hidden", values=[1, 2]),
        tn.EditError,
        "`mean` hidden: `values` must be (6,), not (2,)",
    ),
    (
        lambda lab: lab.mean("hidden", values=["a"] * 6),
        tn.EditError,
        "`mean`: `values` must be numbers, not ['a', 'a', 'a', 'a', 'a', 'a']",
    ),
    (
        lambda lab: lab.mean("hidden[0,1]", values=[1, float("nan")]),
        tn.EditError,
        "`mean`: `values` holds NaN or infinity",
    ),
    (
        lambda lab: lab.mean("hidden[0]", values=[1e300]),
        tn.EditError,
        "`mean`: `values` has 1e+300 in row 0; float32 holds at most 3.40282e+38",
    ),
    (
        lambda lab: lab.resample("hidden", examples=0),
        tn.EditError,
        "`examples` must be a whole number from 1 to 4096, not 0",
    ),
    (
        lambda lab: lab.resample("hidden", examples=2.5),
        tn.EditError,
        "`examples` must be a whole number from 1 to 4096, not 2.5",
    ),
    (
        lambda lab: lab.resample("hidden", "test"),
        tn.EditError,
        "`resample`: `over` is one of probe, train, dev, not 'test'",
    ),
    (
        lambda lab: lab.resample("hidden[0,1]", values=[1, 2]),
        tn.EditError,
        "`resample` hidden[0,1]: `values` must be (examples, 2), not (2,)",
    ),
    (
        lambda lab: lab.resample("hidden[0,1]", values=np.empty((0, 2))),
        tn.EditError,
        "`resample` hidden[0,1]: `values` must be (examples, 2), not (0, 2)",
    ),
    (
        lambda lab: lab.resample("hidden", values=np.zeros((200_000, 6))),
        tn.EditError,
        "`resample` hidden: it would hold 4,800,000 bytes; at most 4,194,304 are allowed",
    ),
    (
        lambda lab: lab.patch("hidden"),
        tn.EditError,
        NEEDS,
    ),
    (
        lambda lab: lab.patch("hidden", branch="main"),
        tn.EditError,
        NEEDS,
    ),
    (
        lambda lab: lab.patch("hidden", example=1, input=[1, 2]),
        tn.EditError,
        "`patch` takes `example` or `input`, not both",
    ),
    (
        lambda lab: lab.patch("hidden", example=1, values=[0] * 6),
        tn.EditError,
        "`patch` takes `values` alone, or where they come from",
    ),
    (
        lambda lab: lab.patch("hidden", example=20),
        tn.EditError,
        "`example` must be a whole number from 0 to 19, not 20",
    ),
    (
        lambda lab: lab.patch("hidden", example=-1),
        tn.EditError,
        "`example` must be a whole number from 0 to 19, not -1",
    ),
    (
        lambda lab: lab.patch("hidden", input="emma"),
        tn.EditError,
        "`input` must be numbers (2,), as the data is no text, not 'emma'",
    ),
    (
        lambda lab: lab.patch("hidden", input=[1, 2, 3]),
        tn.EditError,
        "`input` must be one example (2,), not (3,)",
    ),
    (
        lambda lab: lab.patch("hidden", input=np.zeros((2, 2))),
        tn.EditError,
        "`input` must be one example (2,), not (2, 2)",
    ),
    (
        lambda lab: lab.patch("hidden", input=[[1], [2, 3]]),
        tn.ShapeError,
        "`input` is not one array: its rows differ in shape",
    ),
    (lambda lab: lab.patch("hidden", input=[1, float("nan")]), tn.EditError, "`input` holds NaN or infinity"),
    (
        lambda lab: lab.patch("hidden", input=[1, 1e300]),
        tn.EditError,
        "`input` has 1e+300 in row 1; float32 holds at most 3.40282e+38",
    ),
    (
        lambda lab: lab.patch("hidden", input={"x": 1}),
        tn.EditError,
        "`input` must be numbers (2,), not {'x': 1}",
    ),
    (
        lambda lab: lab.patch("hidden", example=1, branch="main", bookmark="here"),
        tn.EditError,
        "`patch` takes one of branch, bookmark, save, not branch and bookmark",
    ),
    (
        lambda lab: lab.patch("hidden", example=1, branch=3),
        tn.EditError,
        "`patch`: `branch` must be text, not 3",
    ),
    (
        lambda lab: lab.patch("hidden", example=1, branch="mian"),
        tn.TimelineError,
        "there is no branch `mian`, only main; did you mean `main`?",
    ),
    (
        lambda lab: lab.patch("hidden", example=1, save="nowhere.msgpack"),
        tn.SaveError,
        "`nowhere.msgpack` does not exist",
    ),
    (lambda lab: lab.steer("hidden"), tn.EditError, "`steer` needs `toward=` (a class), or `values=`"),
    (
        lambda lab: lab.steer("hidden", toward=1, values=[0] * 6),
        tn.EditError,
        "`steer` takes `values` alone, or classes",
    ),
    (
        lambda lab: lab.steer("hidden", toward="cat"),
        tn.EditError,
        "`steer`: `toward` must be a class, 0, 1, not 'cat'",
    ),
    (lambda lab: lab.steer("hidden", toward=0.5), tn.EditError, "`steer`: `toward` must be a class, 0, 1, not 0.5"),
    (lambda lab: lab.steer("hidden", toward=7), tn.EditError, "`steer`: no example is of the class 7"),
    (
        lambda lab: lab.steer("hidden", toward=1, away=-1),
        tn.EditError,
        "`steer`: no example is of the class -1",
    ),
    (
        lambda lab: lab.steer("hidden", toward=1, scale="big"),
        tn.EditError,
        "`steer`: `scale` must be a finite number, not 'big'",
    ),
    (
        lambda lab: lab.steer("hidden[0]", values=[1e30], scale=1e30),
        tn.EditError,
        "`steer`: `values` holds NaN or infinity",
    ),
    (
        lambda lab: lab.release("hidden[0]"),
        tn.EditError,
        "`hidden[0]`: no intervention stands there; standing: zero hidden[5]",
    ),
]


@pytest.mark.parametrize(("act", "kind", "message"), REFUSED)
def test_what_cannot_be_done_is_refused_in_words_and_changes_nothing(
    make_tiny: Make, says: Says, act: Callable[[tn.Lab], object], kind: type[Exception], message: str
) -> None:
    lab = make_tiny(data=splits())
    lab.zero("hidden[5]")
    before = lab.state.digest(), lab.log, lab.moment, lab.branches, lab.network.predict(lab.probe.x).tobytes()
    with says(kind, message):
        act(lab)
    after = lab.state.digest(), lab.log, lab.moment, lab.branches, lab.network.predict(lab.probe.x).tobytes()
    assert after == before


def test_another_example_of_other_data_is_refused_but_an_input_is_not(
    make_tiny: Make, says: Says, tmp_path: Path
) -> None:
    other = make_tiny(data=splits(), net_seed=3)
    path = str(tmp_path / "other.msgpack")
    other.save(path)
    lab = make_tiny()
    before = lab.state.digest()
    with says(tn.EditError, f"`patch`: `{path}` has other data, so example 3 is another there; give `input=`"):
        lab.patch("hidden", example=3, save=path)
    assert lab.state.digest() == before
    lab.patch("hidden", input=[0.5, 0.25], save=path)
    np.testing.assert_allclose(values(lab), read(other, x=np.array([[0.5, 0.25]]))[0], rtol=1e-6)


def test_units_that_are_not_there_in_the_other_net_are_refused(make_tiny: Make, says: Says) -> None:
    lab = make_tiny()
    lab.fork("small")
    lab.prune("hidden[4,5]")
    lab.switch("main")
    before = lab.state.digest()
    with says(tn.SelectorError, "`patch`: in branch `small`: `hidden[5]`: `hidden` has 4 units, 0 to 3"):
        lab.patch("hidden[5]", example=1, branch="small")
    with says(tn.EditError, "`patch`: `hidden` has 6 units here, 4 in branch `small`; name them"):
        lab.patch("hidden", example=1, branch="small")
    assert lab.state.digest() == before


def test_classes_are_asked_for_where_targets_are_none(says: Says) -> None:
    x = np.random.default_rng(0).normal(size=(8, 2))
    network = tn.Network([tn.Linear(2, 3, name="hidden"), tn.Tanh(), tn.Linear(3, 1)])
    lab = tn.Lab(network, data=(x, x[:, :1]), loss=tn.MSE(), batch=4)
    with says(tn.EditError, "`steer`: classes need targets that are classes; give `values=` instead"):
        lab.steer("hidden", toward=1)


def test_a_character_that_the_data_does_not_know_is_refused(says: Says) -> None:
    lab = tn.Lab("names-mlp")
    before = lab.state.digest()
    with pytest.raises(tn.TinynetsError) as caught:
        lab.patch("hidden", input="é")
    assert "é" in str(caught.value)
    with says(tn.EditError, "`input` must be one example (3,), not (2,)"):
        lab.patch("hidden", input=[1, 2])
    with says(tn.DataError, "`embed` Embedding(27, 10) takes indices 0 to 26, not 99"):
        lab.patch("hidden", input=[1, 2, 99])
    assert lab.state.digest() == before


def test_heads_are_patched_with_what_a_head_gives_at_every_position(says: Says) -> None:
    x = np.random.default_rng(0).normal(size=(8, 3, 4))
    layers = [tn.CausalSelfAttention(4, 2, name="attention"), tn.Linear(4, 2)]
    lab = tn.Lab(tn.Network(layers), data=(x, np.zeros((8, 3), np.int64)), loss=tn.CrossEntropy(), batch=4)
    message = "`patch` attention[1]: `values` must be (1, 1, 2) or (1, 3, 2), not (1,)"
    with says(tn.EditError, message):
        lab.patch("attention[1]", values=[0.5])
    with says(tn.SelectorError, "`attention[2]`: `attention` has 2 units, 0 to 1"):
        lab.zero("attention[2]")
    lab.patch("attention[1]", values=np.ones((1, 3, 2)))
    lab.patch("attention[0]", values=np.ones((1, 1, 2)))
    layer: Any = lab.network["attention"]
    expected = np.ones(4) @ layer.w_out + layer.b_out
    np.testing.assert_allclose(read(lab, "attention"), np.broadcast_to(expected, (8, 3, 4)), rtol=1e-5)
