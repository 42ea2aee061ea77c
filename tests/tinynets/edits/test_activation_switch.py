"""Switching a block's activation in a trained network: weights stay, and history and saves still work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.lab.command_line import parse


def test_the_weights_stay_and_what_goes_through_them_changes(make_tiny: Callable[..., tn.Lab]) -> None:
    lab = make_tiny()
    lab.run(5)
    theta, x = lab.state.theta, lab.data["train"][0]
    before = lab.network.predict(x)
    report = lab.activation("hidden", "relu")
    assert report.done == "hidden: tanh -> relu"
    assert report.python == 'lab.activation("hidden", "relu")'
    assert lab.state.theta.tobytes() == theta.tobytes()
    layer, output = lab.network["hidden"], lab.network["output"]
    hidden: Any = layer
    out: Any = output
    expected = np.maximum(x.astype(np.float32) @ hidden.w + hidden.b, 0) @ out.w + out.b
    np.testing.assert_allclose(lab.network.predict(x), expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(before, expected)
    assert [layer.name for layer in lab.network.layers] == ["hidden", "relu1", "output"]
    lab.evaluate("train")
    lab.probe_loss()


def test_it_trains_on_as_a_net_that_was_built_so(make_tiny: Callable[..., tn.Lab]) -> None:
    switched, built = make_tiny(), make_tiny(tn.GELU())
    switched.activation("hidden", "gelu")
    switched.run(20)
    built.run(20)
    assert switched.state.theta.tobytes() == built.state.theta.tobytes()


def test_its_arguments_are_recorded_replayed_and_saved(make_tiny: Callable[..., tn.Lab], tmp_path: Path) -> None:
    lab = make_tiny()
    call = parse("activation hidden gaussian width=0.2")
    report = getattr(lab, call.verb)(*call.args, **call.kwargs)
    assert (report.done, report.python) == (
        "hidden: tanh -> gaussian width=0.2",
        'lab.activation("hidden", "gaussian", width=0.2)',
    )
    assert repr(lab.network["gaussian1"]) == repr(tn.Gaussian(0.2))
    lab.activation("hidden", "gaussian", width=2.0)
    lab.activation("hidden", "leaky-relu", slope=0.3)
    lab.run(5)
    lab.save(tmp_path / "x.msgpack")
    again = tn.Lab(tmp_path / "x.msgpack")
    assert again.log == lab.log
    again.seek(0)
    again.seek(5)
    assert again.state.digest() == lab.state.digest()


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("gaussian", {"widht": 1.0}, "`gaussian` takes width, not `widht`; did you mean `width`?"),
        ("relu", {"width": 1.0}, "`relu` takes no arguments, not `width`"),
        ("gaussian", {"width": 0}, "`gaussian`: Gaussian: `width` must be a number above 0, not 0"),
    ],
)
def test_its_arguments_are_those_of_the_activation(
    make_tiny: Callable[..., tn.Lab], says: Any, kind: str, arguments: dict[str, Any], message: str
) -> None:
    with says(tn.EditError, message):
        make_tiny().activation("hidden", kind, **arguments)


def test_rewind_replay_undo_and_redo_go_across_it(make_tiny: Callable[..., tn.Lab]) -> None:
    lab = make_tiny()
    lab.run(10)
    tanh = lab.state.digest()
    lab.activation("hidden", "elu")
    lab.zero("hidden[2]")
    lab.run(10)
    elu = lab.state.digest()
    lab.seek(3)
    assert repr(lab.network.layers[1]) == "Tanh()"
    lab.seek(20)
    assert lab.state.digest() == elu
    lab.undo()
    lab.undo()
    lab.undo()
    assert lab.state.digest() == tanh
    lab.redo()
    lab.redo()
    lab.redo()
    assert lab.state.digest() == elu


def test_a_save_goes_across_it(make_tiny: Callable[..., tn.Lab], tmp_path: Path) -> None:
    lab = make_tiny()
    lab.run(4)
    lab.activation("hidden", "leaky-relu")
    lab.freeze("hidden[1]")
    lab.run(6)
    lab.activation("hidden", "softplus")
    lab.run(2)
    path = lab.save(tmp_path / "switched").path
    opened = tn.Lab(path)
    assert opened.state.digest() == lab.state.digest()
    for step in (2, 7, 12):
        lab.seek(step)
        opened.seek(step)
        assert opened.state.digest() == lab.state.digest()
        assert repr(opened.network) == repr(lab.network)


def test_interventions_and_frozen_units_stand_through_it(make_tiny: Callable[..., tn.Lab]) -> None:
    lab = make_tiny()
    lab.zero("hidden[3]")
    lab.zero("hidden.pre[1]")
    lab.freeze("hidden[2]")
    standing = lab.interventions
    lab.activation("hidden", "sigmoid")
    assert lab.interventions == standing
    assert lab.frozen == {"hidden": (2,)}
    network = lab.network
    network.forward(lab.data["train"][0][:5])
    assert not network.activation("hidden")[:, 3].any()
    assert (network.activation("hidden")[:, 1] == 0.5).all()


def test_it_reaches_into_containers_and_leaves_other_names_alone() -> None:
    layers = [
        tn.Linear(2, 4, name="first"),
        tn.Residual([tn.Linear(4, 4), tn.Tanh(), tn.Linear(4, 4), tn.Tanh()], name="block"),
        tn.Parallel([[tn.Linear(4, 2), tn.ReLU()], [tn.Linear(4, 2), tn.ReLU(name="mine")]], name="two"),
    ]
    random = np.random.default_rng(0)
    data = (random.normal(size=(20, 2)), random.integers(0, 2, 20))
    lab = tn.Lab(tn.Network(layers), data=data, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4)
    lab.run(3)
    lab.activation("block.linear1", "relu")
    lab.activation("two.branch2.linear1", "silu")
    names = [layer.name for layer in lab.network.layers]
    assert names[2:6] == ["block.linear1", "block.relu1", "block.linear2", "block.tanh2"]
    assert [repr(layer) for layer in lab.network.layers if layer.name == "two.branch2.mine"] == ["SiLU()"]
    lab.run(3)
    after = lab.state.digest()
    lab.seek(1)
    lab.seek(6)
    assert lab.state.digest() == after


def test_an_activation_that_is_a_block_of_its_own_keeps_the_name_of_its_site() -> None:
    layers = [tn.Tanh(), tn.Linear(2, 2, name="output")]
    random = np.random.default_rng(0)
    data = (random.normal(size=(20, 2)), random.integers(0, 2, 20))
    lab = tn.Lab(tn.Network(layers), data=data, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4)
    lab.zero("tanh1[0]")
    lab.activation("tanh1", "relu")
    lab.run(2)
    assert str(lab.interventions[0]) == "zero tanh1[0]"


@pytest.mark.parametrize(
    ("block", "kind", "error", "message"),
    [
        ("output", "relu", tn.EditError, "`output` has no activation to switch; blocks that have one: hidden"),
        (
            "hidden",
            "rleu",
            tn.EditError,
            "`rleu` is not an activation; there are tanh, sigmoid, relu, leaky-relu, elu, gelu, silu, softplus, "
            "gaussian, softmax, step, identity; did you mean `relu`?",
        ),
        ("hidden", "tanh", tn.EditError, "`hidden` has the activation tanh already"),
        (
            "hidden[1]",
            "relu",
            tn.EditError,
            "`hidden[1]`: a block has one activation for all its units; select it as `hidden`",
        ),
        (
            "hiden",
            "relu",
            tn.SelectorError,
            "`hiden` is not a block of this network, which has hidden, output; did you mean `hidden`?",
        ),
    ],
)
def test_what_cannot_be_switched_is_refused(
    make_tiny: Callable[..., tn.Lab],
    says: Callable[..., Any],
    block: str,
    kind: str,
    error: type[Exception],
    message: str,
) -> None:
    lab = make_tiny()
    before = lab.state.digest()
    with says(error, message):
        lab.activation(block, kind)
    assert lab.state.digest() == before


def test_the_command_is_the_line_of_python() -> None:
    assert parse("activation hidden relu").python() == 'lab.activation("hidden", "relu")'
