"""Edits of settings and of what is carried from step to step: `set` and `reset`."""

from __future__ import annotations

from typing import Any

from tinynets.edits.edit import Edit, Operation
from tinynets.edits.kinds import CARRIED, SETTING, SETTING_VALUE, Argument
from tinynets.errors import EditError
from tinynets.nn.network import Network
from tinynets.nn.selectors import Selector, select
from tinynets.numerics.arrays import Array
from tinynets.training import settings
from tinynets.training.state import State


def _carried_places(network: Network, selector: Selector) -> Array:
    if selector.time is not None or selector.pre:
        raise EditError(f"`{selector}` carries nothing; what can be reset is the unit: `{selector.block}[...]`")
    places = network.resettable_indices(network.block(selector.block), selector.units)
    if not places.size:
        raise EditError(f"`{selector}` carries nothing from step to step, so there is nothing to reset")
    return places


def _resolve_reset(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    selector = select(network, target)
    _carried_places(network, selector)
    return Edit("reset", str(selector))


def _check_reset(network: Network, edit: Edit) -> None:
    _carried_places(network, select(network, edit.target))


def _reset(network: Network, state: State, edit: Edit) -> str:
    selector = select(network, edit.target)
    places = _carried_places(network, selector)
    state.buffers[places] = network.carried_start()[places]
    return f"{selector} reset"


def _resolve_set(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    return Edit("set", target, settings.resolved(network, state, target, args))


def _set(network: Network, state: State, edit: Edit) -> str:
    return settings.change(network, state, edit.target, edit.args)


def _check_set(network: Network, edit: Edit) -> None:
    settings.check(network, edit.target, edit.args)


SETTINGS = (
    Operation(
        "reset",
        "state",
        CARRIED,
        "set carried hidden state, or running statistics, to the start",
        (),
        _resolve_reset,
        _reset,
        _check_reset,
    ),
    Operation(
        "set",
        "setting",
        SETTING,
        "change lr, optimizer, schedule, clip_norm, hidden.rate, hidden.l2, ...",
        (Argument("value", SETTING_VALUE, required=True, named=False),),
        _resolve_set,
        _set,
        _check_set,
        open_ended=True,
    ),
)
