"""Looking changes nothing: a run that was looked at in every way ends bit for bit as one that never was."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from random_labs import STANDS, Generator, a_block, random_lab, selector, site

import tinynets as tn
from tinynets.measure.lens_names import AUTO, LENSES
from tinynets.numerics.arrays import ignore_warnings
from tinynets.recipes.catalog import list_recipes
from tinynets.server.activity import Activity
from tinynets.server.frame import CURVES, OwnInput, View
from tinynets.server.frame_builder import FrameBuilder

Act = Callable[[tn.Lab, Generator], object]
MANY = range(12 * int(os.environ.get("TINYNETS_PROOF", "1")))
MOVES: list[Act] = [
    lambda lab, rng: lab.undo(),
    lambda lab, rng: lab.redo(),
    lambda lab, rng: lab.back(),
    lambda lab, rng: lab.phase_back(),
    lambda lab, rng: lab.seek(int(rng.integers(lab.end + 1))),
    lambda lab, rng: lab.prune(selector(lab, rng, learned=True)),
    lambda lab, rng: lab.grow(a_block(lab, rng, learned=True).name, 2),
    lambda lab, rng: lab.remove(a_block(lab, rng).name),
    lambda lab, rng: lab.zero_weights(selector(lab, rng, learned=True)),
]
HUGE: list[Act] = [
    lambda lab, rng: lab.scale(site(lab, rng), 1e30),
    lambda lab, rng: lab.clamp(site(lab, rng), 3e38),
    lambda lab, rng: lab.clamp(site(lab, rng), -3e38),
]
"""What makes activations overflow."""


def own_input(lab: tn.Lab, eye: Generator) -> OwnInput | None:
    """None, an example of a split, numbers of one's own, or what cannot be one."""
    match int(eye.integers(5)):
        case 0:
            return OwnInput(split="train", example=int(eye.integers(5)))
        case 1 if lab.data.text is None:
            return OwnInput(" ".join(f"{number:.2f}" for number in eye.normal(size=lab.probe.x[0].size)))
        case 1:
            return OwnInput("em")
        case 2:
            return OwnInput("nan inf")
        case _:
            return None


def some_view(lab: tn.Lab, eye: Generator, lens: str) -> View:
    return View(
        block=str(eye.choice([block.name for block in lab.network.blocks])),
        unit=int(eye.integers(8)),
        example=int(eye.integers(10)),
        batch_example=int(eye.integers(10)),
        own=own_input(lab, eye),
        split=str(eye.choice(["", "train", "dev"])),
        lens=lens,
        against=["", 0, "main", "mark", lab.end, 99_999][int(eye.integers(6))],
        every_unit=bool(eye.random() < 0.5),
        curve=str(eye.choice(CURVES)),
        window=int(eye.integers(3)),
        answer=5 * int(eye.integers(2)),
        samples=2,
    )


def look_around(lab: tn.Lab, builder: FrameBuilder, eye: Generator) -> None:
    """Every lens, an explanation, and the worth of a block."""
    for lens in (AUTO, *LENSES):
        builder.frame(some_view(lab, eye, lens), 1, Activity(str(eye.choice(["paused", "running"]))))
    with suppress(tn.TinynetsError):
        lab.explain(selector(lab, eye))
    if eye.random() < 0.2:
        with suppress(tn.TinynetsError):
            builder.worths.keep(lab.worth(a_block(lab, eye).name, examples=20), lab.player)


def played(make: Callable[[], tn.Lab], seed: int, acts: list[Act], *, looked: bool, turns: int = 14) -> tuple[Any, ...]:
    """Where a run ends that takes random turns: phases, steps, edits and moves."""
    lab, rng, eye = make(), np.random.default_rng(seed), np.random.default_rng(seed + 1)
    builder = FrameBuilder.of(lab)
    for _ in range(turns):
        choice = rng.random()
        with suppress(tn.TinynetsError):
            if choice < 0.35:
                acts[int(rng.integers(len(acts)))](lab, rng)
            elif choice < 0.9:
                lab.phase()
            else:
                lab.step()
        if looked:
            look_around(lab, builder, eye)
    probe = lab.probe_loss()
    return lab.state.digest(), lab.moment, lab.player.phases_done, lab.losses.tobytes(), repr(probe), lab.branches


QUICK = ("perceptron", "xor", "spiral")
"""Recipes that are looked at in a second; the others are proofs."""
LONG = ("names-transformer", "names-lstm")
"""Recipes that take half a minute: by command."""


@pytest.mark.parametrize(
    "recipe",
    [pytest.param(entry.name, marks=() if entry.name in QUICK else pytest.mark.proof) for entry in list_recipes()],
)
def test_a_run_that_was_looked_at_in_every_way_is_bit_for_bit_one_that_was_not(recipe: str) -> None:
    acts = [*STANDS[:8], *MOVES[:5]]
    looked, plain = (played(lambda: tn.Lab(recipe), 1, acts, looked=here, turns=9) for here in (True, False))
    assert looked == plain


@pytest.mark.proof
def test_looking_changes_nothing_and_never_fails_in_random_networks() -> None:
    for seed in MANY:
        acts = [*STANDS, *MOVES, *MOVES, *(HUGE * 3 if seed % 2 else ())]
        dtype = "float32" if seed % 3 else "float64"
        with ignore_warnings():  # a frame turns them off for itself; training on huge numbers is not what is looked at
            plain = played(lambda: random_lab(seed, dtype), seed, acts, looked=False)  # noqa: B023 - called at once
        looked = played(lambda: random_lab(seed, dtype), seed, acts, looked=True)  # noqa: B023
        assert looked == plain, seed
