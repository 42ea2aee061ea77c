"""The settings that `set` changes: the optimizer and its settings, the schedule, clipping, and settings of a block.

lr, momentum, ...                   a setting of the optimizer
optimizer                           sgd, momentum, nesterov, rmsprop, adam, adamw, with its settings
schedule                            constant, step, linear, cosine, exponential, with its arguments; its steps count
                                    from this edit on
clip_norm, clip_value               0: no clipping
BLOCK.rate, BLOCK.l1, BLOCK.l2      learning-rate factor and penalties of a block
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tinynets.errors import EditError, SelectorError, ShapeError, nearest
from tinynets.nn.network import Network
from tinynets.numerics.arrays import plain as as_plain
from tinynets.numerics.rules import FIRST
from tinynets.training.optimizers import OPTIMIZERS, Optimizer, check_setting, named_optimizer
from tinynets.training.schedules import Schedule, schedule_from
from tinynets.training.state import State

PER_BLOCK = {"rate": "rates", "l1": "l1", "l2": "l2"}
BLOCK_DEFAULTS = {"rate": 1.0, "l1": 0.0, "l2": 0.0}
BY_KIND = ("optimizer", "schedule")
"""Settings that are set to a kind with arguments."""
CLIPPING = ("clip_norm", "clip_value")


def resolved(network: Network, state: State, target: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a `set`, checked and as plain data; raises EditError or SelectorError."""
    optimizer = state.hyper.optimizer
    plain = dict(args)
    if target == "optimizer":
        plain = {"value": plain.pop("value", None), "lr": optimizer.lr} | plain
    plain = {key: as_plain(value) for key, value in plain.items()}
    _known(target, _settings(optimizer))
    thing = optimizer.kind if target in optimizer.config() else "set"
    try:
        check(network, target, plain, thing)
        if target not in BY_KIND:
            plain["value"] = check_setting(target, _rule(target), plain["value"])
    except ShapeError as error:
        raise EditError(str(error)) from None
    return plain


def check(network: Network, target: str, args: Mapping[str, Any], thing: str = "set") -> None:
    """Check a `set` as far as possible without a state; raises ShapeError, EditError or SelectorError.

    `thing` is the owner of the setting in messages.
    """
    rest = {key: value for key, value in args.items() if key != "value"}
    _known(target, setting_names())
    if "value" not in args:
        raise EditError(f"`set`: `{target}` needs a value")
    if target == "optimizer":
        named_optimizer(args["value"], rest)
        return
    if target == "schedule":
        schedule_from({**rest, "kind": args["value"]})
        return
    if rest:
        raise EditError(f"`set`: `{target}` takes a value and nothing else, not {', '.join(map(repr, rest))}")
    if "." in target:
        _block(network, target)
    check_setting(target if "." in target else thing, _rule(target), args["value"])


def change(network: Network, state: State, target: str, args: Mapping[str, Any]) -> str:
    """Apply a `set` to a state; returns what was done. Raises EditError if the optimizer has no such setting."""
    hyper = state.hyper
    value, rest = args["value"], {key: entry for key, entry in args.items() if key != "value"}
    if target == "optimizer":
        chosen = named_optimizer(value, rest)
        state.hyper = replace(hyper, optimizer=chosen, since=state.step)
        state.slots = {name: np.zeros_like(state.theta) for name in chosen.slot_names()}
        return f"optimizer {hyper.optimizer.kind} -> {value}, lr {chosen.lr:g}"
    if target == "schedule":
        begins, schedule = state.step if hyper.rules > FIRST else 0, schedule_from({**rest, "kind": value})
        state.hyper = replace(hyper, schedule=schedule, scheduled=begins)
        counted = f", its steps counted from step {begins:,}" if begins and schedule != Schedule() else ""
        return f"schedule {hyper.schedule.kind} -> {value}{counted}"
    if target in CLIPPING:
        state.hyper = replace(hyper, **{target: value})
        return f"{target} {getattr(hyper, target):g} -> {value:g}"
    if "." in target:
        return _change_block(network, state, target, value)
    return _change_optimizer(state, target, value)


def _change_block(network: Network, state: State, target: str, value: float) -> str:
    block, name = _block(network, target)
    entries = dict(getattr(state.hyper, PER_BLOCK[name]))
    before = entries.pop(block, BLOCK_DEFAULTS[name])
    if value != BLOCK_DEFAULTS[name]:
        entries[block] = value
    changed: dict[str, Any] = {PER_BLOCK[name]: entries}
    state.hyper = replace(state.hyper, **changed)
    return f"{target} {before:g} -> {value:g}"


def _change_optimizer(state: State, target: str, value: float) -> str:
    was = state.hyper.optimizer
    if target not in was.config():
        raise EditError(f"`{was.kind}` has no setting `{target}`")
    before = getattr(was, target)
    optimizer = replace(was, **{target: value})
    state.hyper = replace(state.hyper, optimizer=optimizer)
    if optimizer.slot_names() != was.slot_names():
        state.slots = {name: state.slots.get(name, np.zeros_like(state.theta)) for name in optimizer.slot_names()}
    return f"{target} {before} -> {value}" if isinstance(value, bool) else f"{target} {before:g} -> {value:g}"


def _block(network: Network, target: str) -> tuple[str, str]:
    """The block and the name of a block's setting such as `hidden.rate`."""
    block, _, name = target.rpartition(".")
    if name not in PER_BLOCK:
        raise EditError(
            f"`{target}`: of a block {', '.join(PER_BLOCK)} can be set, not `{name}`{nearest(name, PER_BLOCK)}"
        )
    if not network.block_parameters(network.block(block)):
        raise SelectorError(f"`{target}`: `{block}` has no parameters")
    return block, name


def _rule(target: str) -> str:
    """The name under which a setting's rule is stored."""
    name = target.rpartition(".")[2]
    return PER_BLOCK.get(name, name) if "." in target else target


def _known(target: str, names: Iterable[str]) -> None:
    """Raise EditError if a setting is neither one of these names nor a block's."""
    if not isinstance(target, str) or (target not in names and "." not in target):
        there = ", ".join((*names, *(f"BLOCK.{name}" for name in PER_BLOCK)))
        raise EditError(f"`{target}` is not a setting; there are {there}{nearest(str(target), names)}")


def setting_names() -> tuple[str, ...]:
    """All settings, for lists: those of any optimizer and those of the training."""
    return _settings(*(kind() for kind in OPTIMIZERS.values()))


def _settings(*optimizers: Optimizer) -> tuple[str, ...]:
    found = {key: None for optimizer in optimizers for key in optimizer.config() if key != "kind"}
    return (*found, *BY_KIND, *CLIPPING)
