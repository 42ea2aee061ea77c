"""What operations promise, over random networks of every kind of layer with interventions of every kind.

Each promise holds to 1e-9 in float64, or the operation is refused with a reason and nothing has changed; a save made
afterwards opens with the same digest. `pytest -m proof` takes 1,000 networks; with TINYNETS_PROOF=10 in the environment
ten times as many. A failure names the seed: `random_lab(seed)` in random_labs.py makes the lab again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_labs import a_block, random_lab, selector, some_units

import tinynets as tn
from tinynets.edits import registry
from tinynets.nn.layers import LAYERS
from tinynets.nn.network import network_from
from tinynets.numerics.arrays import ignore_warnings
from tinynets.training.state import State, state_taps
from tinynets.training.trainer import Trainer

PROOF = 1_000 * int(os.environ.get("TINYNETS_PROOF", "1"))
SHORT = 50
TOLERANCE = 1e-9
Generator = np.random.Generator


def outputs(lab: tn.Lab) -> np.ndarray:
    with ignore_warnings():
        return lab.network.predict(lab.split("train")[0])


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    if not np.isfinite(wanted).all():
        raise tn.NonFiniteError("the outputs are not finite before the act")
    assert np.abs(found - wanted).max() <= TOLERANCE * max(1.0, np.abs(wanted).max())


def aside(lab: tn.Lab) -> tuple[tn.Network, State]:
    """An independent network and state, equal to the lab's."""
    state = lab.state.live()
    network = network_from(
        state.architecture,
        dtype=state.theta.dtype,
        theta=state.theta,
        carried=state.buffers,
        input_shape=lab.network.input_shape,
        rules=state.hyper.rules,
    )
    network.taps = state_taps(network, state)
    return network, state


def losses_ahead(lab: tn.Lab, network: tn.Network, state: State, count: int = 2) -> list[float]:
    """The losses of the next steps; the state takes these steps, the lab does not."""
    player = lab.player
    trainer = Trainer(network, state, player.loss, player.examples.x, player.examples.y, player.examples.weight)
    with ignore_warnings():
        return [trainer.step() for _ in range(count)]


def assert_learns_on(lab: tn.Lab, wanted: list[float]) -> None:
    assert losses_ahead(lab, *aside(lab), len(wanted)) == pytest.approx(wanted, rel=TOLERANCE, abs=TOLERANCE)


def bytes_of(lab: tn.Lab, block: str, units: list[int], *, slots: bool = True) -> list[bytes]:
    """The bytes of all parameters of each of some units."""
    network, state = lab.network, lab.state
    found = []
    for unit in units:
        places = network.unit_indices(network.block(block), [unit])
        carried = network.carried_indices(network.block(block), [unit])
        found += [vector[places].tobytes() for vector in (state.theta, *(state.slots.values() if slots else ()))]
        found.append(state.buffers[carried].tobytes())
    return found


# -- the promises: each acts on a lab, and leaves it changed


def pruned_is_zeroed(lab: tn.Lab, rng: Generator) -> None:
    """Pruning a zeroed unit changes nothing, in training either: it carries nothing."""
    at = selector(lab, rng, learned=rng.random() < 0.8, inner=True)
    network, state = aside(lab)
    registry.apply(network, state, registry.resolve(network, state, "zero", at, {}))
    with ignore_warnings():
        wanted = network.predict(lab.split("train")[0])
    lab.prune(at)
    assert_same(outputs(lab), wanted)
    assert_learns_on(lab, losses_ahead(lab, network, state, 1))


def grown_changes_no_output(lab: tn.Lab, rng: Generator) -> None:
    block, wanted = a_block(lab, rng, learned=True, inner=True), outputs(lab)
    losses = losses_ahead(lab, *aside(lab), 1)
    split = int(rng.integers(block.units)) if rng.random() < 0.5 else None
    lab.grow(block.name, int(rng.integers(1, 3)), split=split)
    assert_same(outputs(lab), wanted)
    if split is None or not has_dropout(lab):
        assert_learns_on(lab, losses)


def inserted_changes_no_output_and_is_removed(lab: tn.Lab, rng: Generator) -> None:
    wanted = outputs(lab)
    kind = ("linear", "conv1d", "conv2d", "dropout", "identity")[int(rng.integers(5))]
    before = [layer.name for layer in lab.network.layers]
    lab.insert(a_block(lab, rng).name, kind)
    assert_same(outputs(lab), wanted)
    if rng.random() < 0.5:
        (name,) = {layer.name for layer in lab.network.layers} - set(before)
        lab.remove(name)
        assert_same(outputs(lab), wanted)


def neutral_removed_changes_no_output(lab: tn.Lab, rng: Generator) -> None:
    names = [layer.name for layer in lab.network.layers if layer.kind in ("identity", "dropout")]
    if names:
        wanted = outputs(lab)
        lab.remove(names[int(rng.integers(len(names)))])
        assert_same(outputs(lab), wanted)


def pairs(lab: tn.Lab, rng: Generator) -> tuple[str, list[int], list[int]]:
    block = a_block(lab, rng, learned=True, inner=True)
    count = int(rng.integers(1, 3)) if block.units > 3 else 1
    order = [int(unit) for unit in rng.permutation(block.units)]
    one, other = sorted(order[:count]), sorted(order[count : 2 * count])
    return block.name, one, other


def named(block: str, units: list[int]) -> str:
    return f"{block}[{','.join(map(str, units))}]"


def has_dropout(lab: tn.Lab) -> bool:
    return any(layer.kind == "dropout" for layer in lab.network.layers)


def swapped_on_both_sides_computes_what_it_did(lab: tn.Lab, rng: Generator) -> None:
    block, one, other = pairs(lab, rng)
    wanted, before = outputs(lab), bytes_of(lab, block, one + other)
    losses = losses_ahead(lab, *aside(lab))
    lab.swap(named(block, one), named(block, other), outgoing=True)
    assert_same(outputs(lab), wanted)
    if not has_dropout(lab):
        assert_learns_on(lab, losses)
    lab.swap(named(block, one), named(block, other), outgoing=True)
    assert bytes_of(lab, block, one + other) == before


def swapped_twice_is_as_it_was(lab: tn.Lab, rng: Generator) -> None:
    block, one, other = pairs(lab, rng)
    before, stood = lab.state, [entry.selector() for entry in lab.interventions]
    for _ in range(2):
        lab.swap(named(block, one), named(block, other))
    for vector, was in ((lab.state.theta, before.theta), (lab.state.frozen, before.frozen)):
        assert vector.tobytes() == was.tobytes()
    assert lab.state.hyper.rates == before.hyper.rates
    assert [entry.selector() for entry in lab.interventions] == stood


def flipped_on_both_sides_computes_what_it_did(lab: tn.Lab, rng: Generator) -> None:
    at = selector(lab, rng, learned=True, inner=True)
    wanted, losses = outputs(lab), losses_ahead(lab, *aside(lab))
    lab.sign_flip(at, outgoing=True)
    assert_same(outputs(lab), wanted)
    assert_learns_on(lab, losses)


def copied_is_alike(lab: tn.Lab, rng: Generator) -> None:
    block, one, other = pairs(lab, rng)
    lab.copy(named(block, one), named(block, other), outgoing=rng.random() < 0.5)
    assert bytes_of(lab, block, one) == bytes_of(lab, block, other)


def transplanted_is_what_it_was(lab: tn.Lab, rng: Generator) -> None:
    block = a_block(lab, rng, learned=True)
    units = some_units(rng, block.units)
    lab.bookmark("then")
    wanted = bytes_of(lab, block.name, units, slots=False)
    lab.reinit(named(block.name, units))
    lab.transplant(named(block.name, units), bookmark="then")
    lab.unbookmark("then")
    assert bytes_of(lab, block.name, units, slots=False) == wanted


def reset_is_the_start(lab: tn.Lab, rng: Generator) -> None:
    block = a_block(lab, rng)
    units = some_units(rng, block.units)
    lab.reset(named(block.name, units))
    places = lab.network.resettable_indices(block, units)
    assert lab.state.buffers[places].tobytes() == lab.network.carried_start()[places].tobytes()


def frozen_keeps_its_bytes(lab: tn.Lab, rng: Generator) -> None:
    block = a_block(lab, rng, learned=True)
    units = some_units(rng, block.units)
    lab.freeze(named(block.name, units))
    wanted = bytes_of(lab, block.name, units)
    with ignore_warnings():
        lab.run(2)
    assert bytes_of(lab, block.name, units) == wanted


PROMISES: list[Callable[[tn.Lab, Generator], None]] = [
    pruned_is_zeroed,
    pruned_is_zeroed,
    grown_changes_no_output,
    inserted_changes_no_output_and_is_removed,
    neutral_removed_changes_no_output,
    swapped_on_both_sides_computes_what_it_did,
    swapped_twice_is_as_it_was,
    flipped_on_both_sides_computes_what_it_did,
    copied_is_alike,
    transplanted_is_what_it_was,
    reset_is_the_start,
    frozen_keeps_its_bytes,
]


def held_or_refused(lab: tn.Lab, rng: Generator, promise: Callable[[tn.Lab, Generator], None]) -> bool:
    """Whether a promise was kept; if the act was refused, by an error of ours, it has changed nothing."""
    before: list[tuple[str, int]] = []
    act = lab._edit

    def noted(*args: Any, **more: Any) -> Any:
        before[:] = [(lab.state.digest(), len(lab.log))]
        return act(*args, **more)

    lab._edit = noted  # type: ignore[method-assign]
    try:
        promise(lab, rng)
    except (tn.EditError, tn.SelectorError):
        assert not before or before == [(lab.state.digest(), len(lab.log))]
        return False
    finally:
        del lab._edit
    return True


def proved(seed: int, path: Path, done: Counter[str]) -> None:
    """Check three promises on one network, one after the other, and then a save."""
    lab, rng = random_lab(seed), np.random.default_rng((seed, 1))
    done.update(layer.kind for layer in lab.network.layers)
    for _ in range(3):
        promise = PROMISES[int(rng.integers(len(PROMISES)))]
        held = held_or_refused(lab, rng, promise)
        done[f"{promise.__name__} {'held' if held else 'refused'}"] += 1
    with ignore_warnings():
        lab.run(1)
    lab.save(path)
    again = tn.Lab(path)
    assert again.state.digest() == lab.state.digest()
    again.close()
    lab.close()
    path.unlink()


def many(count: int, path: Path) -> Counter[str]:
    done: Counter[str] = Counter()
    for seed in range(count):
        try:
            proved(seed, path, done)
        except tn.NonFiniteError:  # distances of distances grow fast
            done["not finite"] += 1
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
    return done


def test_operations_do_what_they_promise_or_are_refused(tmp_path: Path) -> None:
    many(SHORT, tmp_path / "s.msgpack")


@pytest.mark.proof
def test_operations_do_what_they_promise_on_many_networks(tmp_path: Path) -> None:
    done = many(PROOF, tmp_path / "s.msgpack")
    inside = {"residual", "parallel", "reshape"}
    assert set(LAYERS) - inside <= set(done)
    assert done["not finite"] < PROOF / 100
    for promise in PROMISES:
        assert done[f"{promise.__name__} held"] > PROOF / 100
    print(dict(sorted(done.items())))
