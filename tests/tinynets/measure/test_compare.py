"""Two branches or two saves compared: where they part, and how far apart they are."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.measure.comparison import Comparison
from tinynets.numerics.special import softmax
from tinynets.training.sampler import Sampler

Make = Callable[..., tn.Lab]


@pytest.fixture
def lab(make_tiny: Make) -> tn.Lab:
    """A lab with two branches, 100 and 90 steps long, that part at step 40, where `what-if` has a unit zeroed."""
    lab = make_tiny(optimizer=tn.SGD(0.1, momentum=0.9))
    lab.run(100)
    lab.seek(40)
    lab.fork("what-if")
    lab.zero("hidden[3]")
    lab.run(50)
    return lab


def batches(lab: tn.Lab, steps: int) -> list[bytes]:
    """The indices of the examples that the steps of this branch train on."""
    hyper = lab.state.hyper
    sampler = Sampler(len(lab.data.splits["train"][0]), hyper.batch, hyper.sampling, hyper.seed)
    return [sampler.indices(step).tobytes() for step in range(steps)]


def parameters(lab: tn.Lab, name: str) -> np.ndarray:
    layer = lab.network[name]
    return np.concatenate([layer.w.reshape(-1), layer.b.reshape(-1)]).astype(np.float64)  # type: ignore[attr-defined]


def test_branches_part_at_the_edit_and_share_their_batches(lab: tn.Lab) -> None:
    found = lab.compare("main")
    assert (found.a.name, found.b.name, found.step) == ("what-if", "main", 90)
    assert found.first_difference == 40
    assert found.difference == 'edit at step 40 on what-if: lab.zero("hidden[3]")'
    assert found.same_batches
    assert np.array_equal(found.a.losses[:40], found.b.losses[:40])
    assert found.a.losses[40] != found.b.losses[40]
    ours = batches(lab, 90)
    lab.switch("main")
    assert batches(lab, 90) == ours


def test_the_batches_that_the_steps_draw_are_those_of_the_sampler(lab: tn.Lab) -> None:
    drawn = []
    x = lab.data.splits["train"][0].astype(np.float32)
    for name in ("main", "what-if"):
        lab.switch(name)
        for step in (40, 70, 89):
            lab.seek(step)
            lab.phase()
            indices = np.frombuffer(batches(lab, step + 1)[-1], np.int64)
            assert np.array_equal(lab.player.trainer.x_batch, x[indices])
            drawn.append(lab.player.trainer.x_batch.tobytes())
            lab.back()
    assert drawn[:3] == drawn[3:]


def test_distances_and_answers_are_those_of_the_two_networks(lab: tn.Lab) -> None:
    found = lab.compare("main", "what-if")
    seen = {}
    for name in ("main", "what-if"):
        lab.switch(name)
        lab.seek(90)
        out = lab.network.forward(lab.probe.x).copy()
        w, b = lab.network["hidden"].w, lab.network["hidden"].b  # type: ignore[attr-defined]
        unit = np.append(w[:, 2], b[2]).astype(np.float64)
        seen[name] = (parameters(lab, "hidden"), parameters(lab, "output"), unit, out, lab.probe_loss(), lab.state)
    ours, theirs = seen["main"], seen["what-if"]
    for entry, one, other in zip(found.blocks, ours, theirs, strict=False):
        assert entry.distance == pytest.approx(np.linalg.norm(one - other))
        assert entry.relative == pytest.approx(np.linalg.norm(one - other) / np.linalg.norm(one))
    assert found.distance == pytest.approx(np.linalg.norm([entry.distance for entry in found.blocks]))
    assert found.blocks[0].units[2] == pytest.approx(np.linalg.norm(ours[2] - theirs[2]))
    assert found.blocks[0].largest(1)[0][0] == int(found.blocks[0].units.argmax())
    assert (found.a.probe_loss, found.b.probe_loss) == (ours[4], theirs[4])
    assert (found.a.digest, found.b.digest) == (ours[5].digest(), theirs[5].digest())
    answers = found.disagreement
    assert answers is not None
    assert answers.other == np.mean(ours[3].argmax(1) != theirs[3].argmax(1))
    apart = np.abs(softmax(ours[3]) - softmax(theirs[3]))
    assert (answers.mean, answers.largest) == (apart.mean(), apart.max())
    assert found.b.interventions == ("zero hidden[3]",)


def test_comparing_moves_nothing_not_even_a_half_done_step(lab: tn.Lab) -> None:
    lab.seek(70)
    lab.phase()
    lab.phase()
    before = (lab.moment, lab.player.phases_done, lab.branch, lab.end, lab.network.theta.tobytes(), lab.tree)
    first = str(lab.compare("main", step=33))
    assert (lab.moment, lab.player.phases_done, lab.branch, lab.end, lab.network.theta.tobytes(), lab.tree) == before
    job = lab.work("compare", ("main",), {})
    next(job)
    assert lab.branch == "what-if"
    job.close()
    assert (lab.moment, lab.player.phases_done, lab.branch, lab.end, lab.network.theta.tobytes(), lab.tree) == before
    assert str(lab.compare("main", step=33)) == first
    other = lab.step()
    assert other.step == 71


def test_before_they_part_two_branches_are_the_same_bytes(lab: tn.Lab) -> None:
    found = lab.compare("main", step=39)
    assert found.equal
    assert found.distance == 0
    assert found.disagreement is not None
    assert (found.disagreement.other, found.disagreement.largest) == (0, 0)
    assert lab.compare("main", "main").first_difference is None
    lab.switch("main")
    lab.fork("longer")
    lab.run(20)
    assert str(lab.compare("main").difference) == (
        "nowhere: the same edits and losses through step 100; longer goes on to step 120"
    )


def test_one_seed_or_another_is_told_from_an_edit(make_tiny: Make, tmp_path: Path) -> None:
    a, b, c = make_tiny(), make_tiny(seed=1), make_tiny(net_seed=1)
    for lab in (a, b, c):
        lab.run(10)
    found = tn.compare(a, b)
    assert found.first_difference == 0
    assert not found.same_batches
    assert found.batches == "others: seed 0 and 1"
    assert tn.compare(a, c).difference == "they start from different states"
    assert tn.compare(a, c).same_batches


def test_different_edits_at_one_step_are_both_named(lab: tn.Lab) -> None:
    lab.switch("main")
    lab.seek(40)
    lab.fork("other")
    lab.freeze("hidden[1]")
    lab.run(3)
    found = lab.compare("what-if")
    assert found.difference == ('edits at step 40: other lab.freeze("hidden[1]"), what-if lab.zero("hidden[3]")')


def test_saves_are_compared_and_so_are_branches_of_saves(lab: tn.Lab, tmp_path: Path) -> None:
    lab.save(tmp_path / "x.msgpack")
    within, path = lab.compare("main", "what-if"), str(tmp_path / "x.msgpack")
    across = tn.compare(f"{path}:main", f"{path}:what-if")
    assert (across.a.name, across.b.name) == ("x.msgpack:main", "x.msgpack:what-if")
    assert (across.a.digest, across.b.digest, across.distance) == (within.a.digest, within.b.digest, within.distance)
    assert lab.compare(path).equal
    assert lab.compare("what-if", f"{path}:main", step=50).b.digest == lab.compare("main", step=50).b.digest


def test_networks_of_other_shapes_are_told_apart_in_words() -> None:
    x = np.random.default_rng(0).normal(size=(20, 2))
    data = (x, (x[:, 0] > 0).astype(np.int64))

    def make(width: int, *more: tn.Layer, activation: tn.Layer | None = None) -> tn.Lab:
        layers = [
            tn.Linear(2, width, name="hidden"),
            activation or tn.Tanh(),
            *more,
            tn.Linear(width, 2, name="output"),
        ]
        made = tn.Lab(tn.Network(layers, seed=0), data=data, loss=tn.CrossEntropy(), batch=4)
        made.run(5)
        return made

    found = tn.compare(make(4), make(6, tn.Linear(6, 6, name="extra")))
    assert found.blocks == ()
    assert found.unlike == (
        "`hidden` has w 2x4 b 4 on network:main (1), w 2x6 b 6 on network:main (2)",
        "`output` has w 4x2 b 2 on network:main (1), w 6x2 b 2 on network:main (2)",
        "only network:main (2) has `extra`",
    )
    assert found.disagreement is not None
    found = tn.compare(make(4), make(4, activation=tn.ReLU()))
    assert [entry.block for entry in found.blocks] == ["hidden", "output"]
    assert found.unlike == ("`hidden` has the activation Tanh() on network:main (1), ReLU() on network:main (2)",)


def test_outputs_without_classes_are_compared_by_their_values(make_tiny: Make) -> None:
    x = np.random.default_rng(0).normal(size=(20, 2))
    network = tn.Network([tn.Linear(2, 3, name="hidden"), tn.Tanh(), tn.Linear(3, 1, name="output")], seed=0)
    lab = tn.Lab(network, data=(x, x[:, :1]), loss=tn.MSE(), batch=4)
    lab.run(10)
    lab.fork("b")
    lab.zero("hidden")
    found = lab.compare("main").disagreement
    assert found is not None
    assert found.other is None
    assert found.what == "outputs"
    assert found.largest > 0


def test_a_comparison_crosses_pipes_and_is_json(
    lab: tn.Lab, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = lab.compare("main")
    again: Comparison = pickle.loads(pickle.dumps(found))
    assert str(again) == str(found)
    assert json.loads(json.dumps(found.config()))["first_difference"] == 40
    lab.save(tmp_path / "x.msgpack")
    arguments = ["diff", f"{tmp_path / 'x.msgpack'}:main", str(tmp_path / "x.msgpack")]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json"])
    assert ended.value.code == 0
    data = json.loads(capsys.readouterr().out)
    assert data["difference"] == 'edit at step 40 on x.msgpack:what-if: lab.zero("hidden[3]")'
    with pytest.raises(SystemExit):
        main([*arguments, "--step", "10"])
    assert "x.msgpack:main and x.msgpack:what-if at step 10: the same bytes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "step", "message"),
    [
        (("mian",), None, "`mian` is neither a branch, only main, what-if, nor a save; did you mean `main`?"),
        (("none.msgpack",), None, "`none.msgpack`: there is no such save"),
        (("main",), 91, "step 91 is not recorded on `what-if`, which ends at step 90"),
        ((3,), None, "a branch is called by its name, not 3"),
    ],
)
def test_what_cannot_be_compared_is_named(
    lab: tn.Lab, arguments: tuple[str, ...], step: int | None, message: str
) -> None:
    with pytest.raises(tn.TimelineError) as caught:
        lab.compare(*arguments, step=step)
    assert str(caught.value) == message


def test_the_units_of_a_block_come_with_what_they_do_and_have_in_both_runs() -> None:
    lab = tn.Lab("xor")
    lab.run(30)
    lab.fork("what-if")
    lab.zero("hidden[1]")
    lab.run(20)
    found = lab.compare("main", "what-if", step=30)
    later = lab.compare("what-if", "main", step=30)
    hidden = found.blocks[0]
    assert hidden.values is not None
    assert hidden.weights is not None
    assert hidden.values[1][1] == 0 != hidden.values[0][1]
    assert np.array_equal(later.blocks[0].values[0], hidden.values[1])  # type: ignore[index]
    assert hidden.rows == ("x[0]", "x[1]")
    lab.seek(30)
    layer: Any = lab.network["hidden"]
    assert np.array_equal(hidden.weights[1], layer.w)
    assert np.array_equal(hidden.weights[0], layer.w)
    plain = json.loads(json.dumps(found.config()))
    assert not {"values", "weights", "rows"} & set(plain["blocks"][0])
