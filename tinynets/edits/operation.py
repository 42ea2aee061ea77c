"""What an operation is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinynets.edits.edit import Edit
from tinynets.nn.network import Network
from tinynets.training.state import State


@dataclass(frozen=True)
class Operation:
    """What can be done to a running net.

    `resolve(network, state, target, args)` checks and gives the Edit; `check(network, edit)` checks one from a file as
    far as that can be done without a state; `apply(network, state, edit)` does it to a State and says what was done
    ("hidden[3] zeroed"). Applying the same edit to the same state gives the same bytes. `after(network, edit)` is a
    network of the layers behind it to look at, of an operation that changes them. `apply_all(network, state, edits)`
    does several of them (of all operations that have the same one) in work in proportion to what they name; it gives
    the very bytes that doing one after the other would.
    `kinds` and `options` are those of the command line's arguments behind the target (see lab/verbs.py).
    """

    name: str
    family: str
    usage: str
    help: str
    resolve: Callable[[Network, State, str, dict[str, Any]], Edit]
    apply: Callable[[Network, State, Edit], str]
    check: Callable[[Network, Edit], object]
    kinds: tuple[str, ...] = ("units",)
    options: Mapping[str, str] = field(default_factory=dict)
    after: Callable[[Network, Edit], Network] | None = None
    apply_all: Callable[[Network, State, Sequence[Edit]], str] | None = None
