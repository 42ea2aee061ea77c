"""The registry of operations, and how their edits are resolved, checked and applied.

An operation is defined once, in the file of its family: its target, arguments, checks, effect on a State and line of
help. Besides, it has one typed method of Lab. The verb of the command line and its completions, the line in the log,
the entries in palette and menu and the allowed content of saves all follow from its entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import groupby
from typing import Any

from tinynets.edits.activations import ACTIVATIONS
from tinynets.edits.edit import OPERATIONS as OPERATIONS
from tinynets.edits.edit import Edit as Edit
from tinynets.edits.edit import Operation
from tinynets.edits.learning import LEARNING
from tinynets.edits.parameters import PARAMETERS
from tinynets.edits.settings import SETTINGS
from tinynets.edits.structure import STRUCTURE
from tinynets.errors import EditError, SelectorError, nearest
from tinynets.nn.interventions import KINDS
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Values
from tinynets.training.counts import moving_counts
from tinynets.training.state import State, network_of, state_taps


def register(operation: Operation) -> None:
    """Add an operation."""
    OPERATIONS[operation.name] = operation
    if operation.intervention is not None:
        KINDS[operation.name] = operation.intervention


for entry in (*ACTIVATIONS, *LEARNING, *PARAMETERS, *STRUCTURE, *SETTINGS):
    register(entry)


def named(op: str) -> Operation:
    """The operation of a name; raises EditError if there is none."""
    if op not in OPERATIONS:
        raise EditError(f"`{op}` is not an operation; there are {', '.join(OPERATIONS)}{nearest(op, OPERATIONS)}")
    return OPERATIONS[op]


def resolve(network: Network, state: State, op: str, target: str, args: dict[str, Any]) -> Edit:
    """The Edit for a requested operation; changes nothing. Raises EditError or SelectorError."""
    operation = named(op)
    if not isinstance(target, str | int | float):  # an array would not compare
        raise SelectorError(f"what `{op}` acts on is named by text like `hidden` or `hidden[3]`, not {target!r}")
    operation.reject_unknown(args)
    return operation.resolve(network, state, target, args)


def apply(network: Network, state: State, edit: Edit) -> str:
    """Apply an edit to a state and its network; returns what was done.

    All of it or nothing: it is applied to a copy, whose network and taps are then built, and only then taken over. If
    it changes the layers, the network is no longer that of the state.
    """
    made = state.live()
    operation = OPERATIONS[edit.op]
    with nullcontext() if operation.family == "activation" else moving_counts(made):
        done = operation.apply(network, made, edit)
    if made.architecture == state.architecture:
        standing = state_taps(network, state, made.interventions)
        state.become(made)
        network.taps = standing
        return done
    network_of(made, network.input_shape)  # raises if an intervention does not fit it
    state.become(made)
    return done


def runs(several: Iterable[Edit]) -> Iterator[list[Edit]]:
    """Edits in order, grouped while none of them changes the layers."""
    for changes, together in groupby(several, lambda edit: OPERATIONS[edit.op].after is not None):
        if changes:
            yield from ([edit] for edit in together)
        else:
            yield list(together)


def apply_run(network: Network, state: State, several: Iterable[Edit]) -> None:
    """Apply edits that do not change the layers, one after the other: all of them, or none if one cannot be."""
    made = state.live()
    for apply_all, together in groupby(several, lambda edit: OPERATIONS[edit.op].apply_all):
        if apply_all is None:
            for edit in together:
                with moving_counts(made):
                    OPERATIONS[edit.op].apply(network, made, edit)
            continue
        edits = list(together)
        activation = OPERATIONS[edits[0].op].family == "activation"
        with nullcontext() if activation else moving_counts(made):
            apply_all(network, made, edits)
    standing = state_taps(network, state, made.interventions)
    state.become(made)
    network.taps = standing


def check(network: Network, edit: Edit) -> None:
    """Check that an edit from a file can be applied to this network; raises what `resolve` would."""
    OPERATIONS[edit.op].reject_unknown(edit.args)
    OPERATIONS[edit.op].check(network, edit)
    values = edit.args.get("values")
    if values is not None and (not isinstance(values, Values) or values.array.dtype != network.dtype):
        what = values.array.dtype if isinstance(values, Values) else type(values).__name__
        raise EditError(f"`{edit.op}`: `values` must be an array of {network.dtype}, not {what}")


def network_after(network: Network, edit: Edit) -> Network | None:
    """A network with the layers after an edit, to be looked at; None if they stay. Raises what `check` would."""
    OPERATIONS[edit.op].reject_unknown(edit.args)
    after = OPERATIONS[edit.op].after
    return None if after is None else after(network, edit)
