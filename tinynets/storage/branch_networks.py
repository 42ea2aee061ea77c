"""BranchNetworks: checks each edit in a save against the network that it was applied to.

Edits that change layers lead to many large networks, so only their layers are kept; memory and work are bounded.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, NoReturn

import msgpack

from tinynets.edits import registry
from tinynets.edits.edit import OPERATIONS, Edit
from tinynets.edits.surgery.plan import shape_network
from tinynets.errors import CorruptSave, SaveError, SelectorError
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment, RecordedEdit
from tinynets.nn.network import Network
from tinynets.nn.selectors import ParameterSelector, select_learned
from tinynets.numerics.arrays import Values
from tinynets.numerics.canonical import canonical
from tinynets.storage.fields import UNUSABLE

MAX_UNITS = 2**23  # units of all networks that edits lead through, each of which is examined
RECENT = 16  # networks kept for checks
MAX_REBUILT = 2**16  # layers of networks that are built again
MAX_RELAID = 2**17  # layers of all networks that edits lead through
MAX_SELECTED = 2**25  # places that different edits name, plus SELECTED_A_BYTE for each byte of the file
SELECTED_A_BYTE = 16
REMEMBERED = 4096  # checked edits of the last network


class BranchNetworks:
    """The layers of each branch: those at the start, and those after each edit that changed them."""

    def __init__(self, file: str, start: Network, check_layers: Callable[[Any], None]) -> None:
        """`check_layers` raises SaveError if the user's own layers were not named."""
        self.file, self.start_layers = file, canonical(start.architecture)
        self._start = start
        self._check_layers = check_layers
        self._layers: dict[int, list[tuple[int, bytes]]] = {}
        """The layers of each branch in canonical bytes, each with the number of edits after which it has them."""
        self._networks: dict[bytes, Network] = {}
        self._checked: tuple[Network | None, set[bytes]] = None, set()
        """Edits that were checked against the last network."""
        self._units = self._rebuilt = self._selected = self._relaid = 0
        self._may_select = MAX_SELECTED + SELECTED_A_BYTE * _size_of(file)

    def layers(self, branch: int, edits: int) -> bytes:
        """The layers of a branch after its first `edits` edits, in canonical bytes."""
        known = self._of(branch)
        return known[_count_through(known, edits) - 1][1]

    def network(self, layers: bytes) -> Network:
        """A network of these layers, to be looked at."""
        if layers not in self._networks:
            found = shape_network(self._start, msgpack.unpackb(layers))
            self._rebuilt += len(found.layers)
            if self._rebuilt > MAX_REBUILT:
                raise CorruptSave(f"`{self.file}`: it goes back and forth between too many networks")
            self._remember(found)
        return self._networks[layers]

    def append(self, branch: Branch, edits: Iterable[RecordedEdit]) -> None:
        """Append edits to a branch, each checked against the network after the one before; all of them or none."""
        known = self._of(branch.number)
        network = self.network(known[-1][1])
        made: list[tuple[int, bytes]] = []
        checked: list[RecordedEdit] = []
        for entry in edits:
            after = self._after(network, entry.edit)
            checked.append(entry)
            if after is not None:
                made.append((len(branch.edits) + len(checked), self._remember(after)))
                network = after
        known += made
        for entry in checked:
            branch.append_edit(entry)

    def fork(self, number: int, left: Moment) -> None:
        """Give a new branch the layers that its parent has at the fork."""
        known = self._of(left.branch)
        self._layers[number] = known[: _count_through(known, left.edits)]

    def forget(self, branch: int) -> None:
        self._layers.pop(branch, None)

    def _of(self, branch: int) -> list[tuple[int, bytes]]:
        if branch not in self._layers:
            self._layers[branch] = [(0, self._remember(self._start))]
        return self._layers[branch]

    def _remember(self, network: Network) -> bytes:
        """Its layers in few bytes: a network takes a hundred times more, so only the last ones are kept."""
        layers = canonical(network.architecture)
        self._networks[layers] = network
        if len(self._networks) > RECENT:
            del self._networks[next(iter(self._networks))]
        return layers

    def _after(self, network: Network, edit: Edit) -> Network | None:
        """The network after an edit, None if it stays the same; raises CorruptSave if the edit is impossible."""
        try:
            if OPERATIONS[edit.op].after is None:
                self._check(network, edit)
                return None
            after = registry.network_after(network, edit)
            if after is not None:
                self._count(after)
            return after
        except SaveError:
            raise
        except UNUSABLE as error:
            self._wrong(str(error))

    def _count(self, network: Network) -> None:
        """Add up the size of the networks that edits made."""
        self._check_layers(network.architecture)
        self._units += sum(block.units for block in network.blocks)
        if self._units > MAX_UNITS:
            self._wrong("the networks that its changes of layers lead through are too large together")
        self._relaid += len(network.layers)
        if self._relaid > MAX_RELAID:
            self._wrong("the networks that its changes of layers lead through have too many layers together")

    def _check(self, network: Network, edit: Edit) -> None:
        """Check an edit, equal ones only once. What it names is counted, since a few bytes may stand for all units."""
        key = None if any(isinstance(value, Values) for value in edit.args.values()) else canonical(edit.config())
        if self._checked[0] is not network or len(self._checked[1]) > REMEMBERED:
            self._checked = network, set()
        if key is None or key not in self._checked[1]:
            if edit.op != "set":
                self._selected += selected(network, edit)
            if self._selected > self._may_select:
                self._wrong("its edits name more places, all together, than can be looked at")
            registry.check(network, edit)
            self._checked[1].update(() if key is None else (key,))

    def _wrong(self, message: str) -> NoReturn:
        raise CorruptSave(f"`{self.file}`: an edit: {message}")


def selected(network: Network, edit: Edit) -> int:
    """Roughly how many places the check of an edit looks at."""
    try:
        found = select_learned(network, edit.target)
    except SelectorError:  # its check reports that
        return 1
    if edit.args.get("others"):
        return network.theta.size + network.carried.size
    if isinstance(found, ParameterSelector):
        return found.count(network)
    block = network.block(found.block)
    each = 1 + network.block_parameters(block) // block.units
    return len(found.units) * each + (64 * block.units if edit.args.get("outgoing") else 0)


def _count_through(known: list[tuple[int, bytes]], edits: int) -> int:
    """How many of these layers come with the first `edits` edits."""
    return bisect_right(known, edits, key=itemgetter(0))


def _size_of(file: str) -> int:
    try:
        return os.stat(file).st_size
    except OSError:
        return 0
