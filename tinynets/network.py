"""Network: layers over one flat vector of parameters, in blocks, with sites where activations are operated on.

A Network is views and arithmetic. What belongs to a batch lives in a `Workspace`; what a run changes lives in a State,
around whose vector a Network can be built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from tinynets.arrays import Array, Shape, as_array, converted, float_dtype, is_integer, shape_text, write_into
from tinynets.errors import DataError, SelectorError, ShapeError, nearest
from tinynets.layers import Activation, Buffers, Context, Layer, Parameter, Tap, describe, layer_from, named
from tinynets.layers.structure import Next, Split, check_names
from tinynets.rules import CURRENT, FIRST
from tinynets.summary import Summary, summarize
from tinynets.tapping import Tapping

MAX_PARAMETERS = 2**28
KEPT_SHAPES = 4  # batch shapes that a workspace keeps buffers for
VECTORS = frozenset({"theta", "grad", "carried"})
KEPT_BYTES = 2**24  # beyond, a workspace is not kept for the next prediction


class Phase(NamedTuple):
    """A piece of a training step, as it is reported when done: `forward` of layer `hidden`."""

    kind: Literal["batch", "forward", "loss", "backward", "update"]
    layer: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.layer}".rstrip()


Act = Callable[[Array], Array]
"""What a phase does: given what the one before gave, it gives that of its own."""


@dataclass(frozen=True)
class Block:
    """A parameterized layer with the normalization and activation behind it, or a lone layer; 0 units: none to select.

    `first` and `last` are indices into the network's layers; the site `name` is at the output of `last`, the site
    `name.pre` at that of the layer before the activation, where there is one.
    """

    name: str
    first: int
    last: int
    units: int
    activation: Activation | None

    @property
    def pre(self) -> int | None:
        """Index of the layer whose output is the sum before the activation, or None."""
        return self.last - 1 if self.activation is not None and self.last > self.first else None


class Workspace:
    """The buffers for forward and backward of one network: one each for training, the probe, evaluation.

    With `input_gradient`, backward also computes the gradient of the input. With `clean`, interventions are passed
    over. `context` says whether this is training, and at which step; `carried` is where a training forward puts what
    the network's carried arrays will be. `forward_acts` and `backward_acts` are the passes, layer by layer.
    """

    def __init__(self, *, input_gradient: bool = False, clean: bool = False, training: bool = False) -> None:
        self.input_gradient = input_gradient
        self.clean = clean
        self.context = Context(training)
        self.carried: Array = np.empty(0)
        self.buffers: list[Buffers] = []
        self.forward_acts: list[Act] = []
        self.backward_acts: list[Act] = []
        self.out: Array = np.empty(0)
        self.dx: Array = np.empty(0)
        self._network: Network | None = None
        self._shape: Shape | None = None
        self._kept: dict[Shape, list[Buffers]] = {}
        self._sizes: dict[Shape, int] = {}

    def __reduce__(self) -> tuple[type[Workspace], tuple[()], dict[str, Any]]:
        """Copies begin empty: what lies in buffers lies there once."""
        made = {"input_gradient": self.input_gradient, "clean": self.clean}
        context = Context(self.context.training, self.context.seed, self.context.step)
        return Workspace, (), {**made, "context": context}

    def fit(self, network: Network, shape: Shape) -> None:
        """Get ready for a batch of `shape`, allocating when it is met first; what another network left is dropped."""
        if network is not self._network:
            self._network, self._shape, self._kept, self._sizes = network, None, {}, {}
            self.carried = network.carried.copy()
        if shape != self._shape:
            if shape not in self._kept:
                while len(self._kept) >= KEPT_SHAPES:
                    del self._kept[next(iter(self._kept))]
                self._kept[shape] = network.allocate(shape, self)
            self._shape, self.buffers = shape, self._kept[shape]
            places = list(enumerate(self.buffers))
            self.forward_acts = [_forward_act(network, *place, self.clean) for place in places]
            self.backward_acts = [_backward_act(network, *place) for place in reversed(places)]

    @property
    def bytes(self) -> int:
        """How many bytes the arrays of all kept batch shapes take, what they only look at included."""
        for shape in self._kept.keys() - self._sizes.keys():
            values = [value for buffers in self._kept[shape] for value in vars(buffers).values()]
            self._sizes[shape] = sum(value.nbytes for value in values if isinstance(value, np.ndarray))
        return sum(map(self._sizes.__getitem__, self._kept))

    def behind(self, layer: int) -> Array:
        """What the last forward gave behind a layer, with interventions."""
        buffers = self.buffers[layer]
        return buffers.out if buffers.tapped is None else buffers.tapped

    def brought_to(self, layer: int) -> Array | None:
        """The gradient that the last backward brought to what lies behind a layer, a copy; None before it."""
        buffers = self.buffers[layer]
        dout: Array | None = getattr(buffers, "dout", None)
        if dout is None or buffers.tapped is None or buffers.tapping is None:
            return None if dout is None else np.array(dout)
        return buffers.tapping.brought(dout)

    def units_behind(self, network: Network, layer: int) -> Array:
        """The same unit by unit, (B, ..., units): of an attention layer its heads."""
        return network.layers[layer].unit_values(self.buffers[layer])


class Spare:
    """Workspaces kept from one use to the next, each lent to one user at a time: so threads need not wait for another.

    One of many values is not kept: beside the arithmetic on them, making it anew costs little. Copies begin empty.
    """

    def __init__(self) -> None:
        self._kept: list[Workspace] = []

    def __reduce__(self) -> tuple[type[Spare], tuple[()]]:
        return Spare, ()

    def take(self) -> Workspace:
        try:
            return self._kept.pop()
        except IndexError:
            return Workspace()

    def give_back(self, workspace: Workspace) -> None:
        if workspace.bytes <= KEPT_BYTES:
            self._kept.append(workspace)


class Network:
    """A stack of layers over one flat vector `theta`, with gradients in `grad` of the same length.

    The layers given are descriptions: the network keeps copies whose `w`, `b` are views into `theta` and whose `dw`,
    `db` are views into `grad`; what layers carry from step to step (running statistics, hidden state) lies in
    `carried`. Containers are laid out flat. `seed` addresses the initial values; `dtype` is float32 or float64;
    `input_shape` (an example's, without the batch) lets shapes be checked before any data is seen; `rules` are those of
    the run that it belongs to (rules.py).

    Raises ShapeError when neighbours do not fit or two layers have one name.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        seed: int = 0,
        dtype: str | np.dtype[Any] | type = "float32",
        input_shape: Shape | None = None,
        theta: Array | None = None,
        carried: Array | None = None,
        rules: int = CURRENT,
    ) -> None:
        self.dtype = float_dtype(dtype)
        self.rules = rules
        self.seed = seed
        self.input_shape = _example_shape(input_shape)
        self.parts = _checked_layers(layers)
        flat = [layer for part in self.parts for layer in part.expand()]
        check_names(layer.name for layer in flat)
        self._starts = _starts([layer.parameters() for layer in flat])
        self._carried_starts = _starts([layer.carried() for layer in flat])
        size = self._starts[-1]
        if size > MAX_PARAMETERS:
            raise ShapeError(f"the layers have {size:,} parameters; at most {MAX_PARAMETERS:,} are allowed")
        self.theta = np.empty(size, self.dtype) if theta is None else theta
        if theta is not None and theta.ndim == 0:  # an outline: nothing is allocated
            self.theta = np.broadcast_to(theta, (size,))
            carried = np.broadcast_to(theta, (self._carried_starts[-1],))
        if self.theta.shape != (size,) or self.theta.dtype != self.dtype:
            raise ShapeError(
                f"`theta` is {shape_text(self.theta.shape)} {self.theta.dtype}; "
                f"the layers take {shape_text((size,))} {self.dtype}"
            )
        self.grad = np.zeros(size, self.dtype) if theta is None or theta.ndim else self.theta
        self.carried = np.empty(self._carried_starts[-1], self.dtype) if carried is None else carried
        self.layers = tuple(
            layer.bind(
                _views(layer.parameters(), self.theta, start),
                _views(layer.parameters(), self.grad, start),
                _views(layer.carried(), self.carried, carried_start),
            )
            for layer, start, carried_start in zip(flat, self._starts[:-1], self._carried_starts[:-1], strict=True)
        )
        for layer in self.layers:
            layer.rules = rules
        self.takers = self._find_takers()
        self.known_input, self.known_shapes = self._infer_shapes()
        self.blocks = self._find_blocks(self.known_shapes)
        self._places_of_blocks = {block.name: place for place, block in enumerate(self.blocks)}
        self.taps: list[Tap | None] = [None] * len(self.layers)
        self.forward_order = tuple(Phase("forward", layer.name) for layer in self.layers)
        self.backward_order = tuple(Phase("backward", layer.name) for layer in reversed(self.layers))
        self._bare: Workspace | None = None
        self._spare = Spare()
        if theta is None:
            self.initialize(seed)
        if carried is None:
            self.reset_carried()

    def __setattr__(self, name: str, value: Any) -> None:
        """What is assigned to `theta`, `grad` or `carried` is written into it: there the layers lie."""
        if name in VECTORS and "layers" in self.__dict__ and value is not self.__dict__[name]:
            write_into(name, self.__dict__[name], value)
        else:
            super().__setattr__(name, value)

    # -- what it is made of

    def __repr__(self) -> str:
        return f"Network({', '.join(map(repr, self.parts))}; {self.theta.size:,} parameters, {self.dtype})"

    def __getitem__(self, name: str) -> Layer:
        """The layer of that name (a block is named after its first layer)."""
        if not isinstance(name, str):
            raise SelectorError(f"a layer is named by text like `{self.layers[0].name}`, not {name!r}")
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        raise SelectorError(
            f"`{name}` is not a layer of this network, which has {', '.join(names)}{nearest(str(name), names)}"
        )

    def __reduce__(self) -> tuple[Callable[..., Network], tuple[Any, ...]]:
        for index, tap in enumerate(self.taps):
            if tap is not None and tap.draw is not None:
                block = next(block for block in self.blocks if block.first <= index <= block.last)
                raise ShapeError(
                    f"a network cannot be pickled: what is drawn at `{block.name}` belongs to its lab; "
                    "release it, or save the lab"
                )
        return self._whole()

    def _whole(self) -> tuple[Callable[..., Network], tuple[Any, ...]]:
        """How a copy is made whole: layers and gradients lie in vectors of its own."""
        made = {"dtype": self.dtype.name, "seed": self.seed, "input_shape": self.input_shape, "rules": self.rules}
        return _copied, (self.parts, made, *(np.array(v) for v in (self.theta, self.grad, self.carried)), self.taps)

    def __copy__(self) -> Network:
        make, arguments = self._whole()
        return make(*arguments)

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        return self.__copy__()

    @property
    def architecture(self) -> tuple[dict[str, Any], ...]:
        """Plain descriptions of the layers, from which `network_from` builds the like."""
        return tuple(describe(part) for part in self.parts)

    def summary(self, input_shape: Shape | None = None) -> Summary:
        """Layers, output shapes, parameters and multiply-adds for one example; `print` shows a table.

        `input_shape` is an example's, without the batch, where the network was not told at its making.
        """
        given = _example_shape(input_shape)
        before = self.known_input if given is None else (None, *given)
        return summarize(self.layers, before, list(self._shapes_from(before)), self.dtype.name, self.dtype.itemsize)

    def has_block(self, name: str) -> bool:
        return name in self._places_of_blocks

    def block(self, name: str) -> Block:
        place = self._places_of_blocks.get(name)
        if place is not None:
            return self.blocks[place]
        names = [block.name for block in self.blocks]
        raise SelectorError(
            f"`{name}` is not a block of this network, which has {', '.join(names)}{nearest(name, names)}"
        )

    def time_steps(self, block: Block) -> int:
        """Over how many time steps a recurrent block goes; 0 for a block of another kind, or where it is not known."""
        layer = self.layers[block.first]
        before = self.known_shapes[block.first - 1] if block.first else self.known_input
        joined = block.last > block.first  # then the site lies behind what joined, where only a sequence has steps
        return 0 if joined and len(self.known_shapes[block.last]) < 3 else layer.time_steps(before)

    def parameter_slice(self, layer: int, parameter: str) -> slice:
        """Where a layer's parameter stands in `theta`."""
        start = self._starts[layer]
        for entry in self.layers[layer].parameters():
            if entry.name == parameter:
                return slice(start, start + entry.size)
            start += entry.size
        raise SelectorError(f"`{self.layers[layer].name}` has no parameter `{parameter}`")

    def carried_slice(self, layer: int, name: str) -> slice:
        """Where what a layer carries stands in `carried`."""
        start = self._carried_starts[layer]
        for entry in self.layers[layer].carried():
            if entry.name == name:
                return slice(start, start + entry.size)
            start += entry.size
        raise SelectorError(f"`{self.layers[layer].name}` carries no `{name}`")

    def block_parameter(self, block: Block, name: str) -> tuple[int, Parameter] | None:
        """The parameter of that name in a block, and the layer that has it."""
        for index in range(block.first, block.last + 1):
            for entry in self.layers[index].parameters():
                if entry.name == name:
                    return index, entry
        return None

    def shared_indices(self, block: Block) -> Array:
        """Positions in `theta` of what belongs to a block but to none of its units."""
        return np.flatnonzero(self.owners(block) < 0) + self._starts[block.first]

    def owners(self, block: Block) -> Array:
        """(n,) the unit that each parameter of a block, in their order in `theta`, belongs to; -1: to no single one."""
        if block.units == 1:  # all of a block belongs to its only unit
            return np.zeros(self.block_parameters(block), np.int64)
        layers = self.layers[block.first : block.last + 1]
        return np.concatenate([np.empty(0, np.int64), *(p.owners() for layer in layers for p in layer.parameters())])

    def shares_in(self, block: Block, places: Array) -> tuple[Array, Array]:
        """Of each unit of a block how many parameters it has, and how many of them are at these sorted places."""
        owners, start = self.owners(block), self._starts[block.first]
        first, last = np.searchsorted(places, (start, start + len(owners)))
        inside = owners[places[first:last] - start]
        has, there = (np.bincount(found[found >= 0], minlength=block.units) for found in (owners, inside))
        return has, there

    def block_parameters(self, block: Block) -> int:
        """How many parameters a block has."""
        return self._starts[block.last + 1] - self._starts[block.first]

    def unit_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `theta` of everything that belongs to these units of a block, sorted; empty if it has none."""
        return self._places(block, units, self._starts, lambda layer: layer.parameters())

    def carried_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `carried` of what belongs to these units and is learned (running statistics), sorted."""
        return self._places(block, units, self._carried_starts, lambda layer: layer.carried(), transient=False)

    def resettable_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `carried` of all that belongs to these units, hidden state too, sorted."""
        return self._places(block, units, self._carried_starts, lambda layer: layer.carried())

    def hidden_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `carried` of the hidden state of these units, sorted."""
        units = list(units)
        return np.setdiff1d(self.resettable_indices(block, units), self.carried_indices(block, units))

    def _places(
        self,
        block: Block,
        units: Iterable[int],
        starts: list[int],
        entries: Callable[[Layer], tuple[Parameter, ...]],
        transient: bool = True,
    ) -> Array:
        wanted = np.unique(np.fromiter(units, np.int64))
        found = [np.empty(0, np.int64)]
        for index in range(block.first, block.last + 1):
            start = starts[index]
            for entry in entries(self.layers[index]):
                if transient or not entry.transient:
                    found.append(start + entry.places(wanted, whole=len(wanted) == block.units))
                start += entry.size
        return np.unique(np.concatenate(found))

    def initialize(self, seed: int) -> None:
        """Draw all parameters anew, each from its own address."""
        for layer, start in zip(self.layers, self._starts[:-1], strict=True):
            for entry in layer.parameters():
                self.theta[start : start + entry.size] = _drawn(seed, layer, entry, self.dtype)
                start += entry.size

    def reset_carried(self) -> None:
        """Set what layers carry from step to step to how it starts."""
        self.carried[:] = self.carried_start()

    def carried_start(self) -> Array:
        """How what layers carry from step to step starts, as a vector of its own."""
        vector = np.empty_like(self.carried)
        for layer, start in zip(self.layers, self._carried_starts[:-1], strict=True):
            for entry in layer.carried():
                vector[start : start + entry.size] = _drawn(self.seed, layer, entry, self.dtype)
                start += entry.size
        return vector

    def check_batch(self, batch: int) -> None:
        """Raise ShapeError where a layer cannot train on batches of so many examples."""
        shapes = [self.known_input, *self.known_shapes]
        for layer, shape in zip(self.layers, shapes, strict=False):
            try:
                layer.check_batch((batch, *shape[1:]))
            except ShapeError as error:
                raise ShapeError(f"`{layer.name}` {layer!r} {error}") from None

    # -- arithmetic

    def allocate(self, shape: Shape, workspace: Workspace) -> list[Buffers]:
        """Buffers for every layer for a batch of `shape`; raises ShapeError where it does not fit."""
        made: list[Buffers] = []
        for index, layer in enumerate(self.layers):
            after = _checked_shape(self.layers, index, shape)
            new = _views(layer.carried(), workspace.carried, self._carried_starts[index])
            buffers = Buffers(index > 0 or workspace.input_gradient, workspace.context, new)
            layer.allocate(buffers, shape, self.dtype)
            made.append(buffers)
            shape = tuple(n or 0 for n in after)
        return made

    def forward(self, x: Any, workspace: Workspace | None = None, *, training: bool = False) -> Array:
        """The output for a batch `x` (B, ...), shape (B, outputs); a buffer that the next forward overwrites.

        `training`: as in a training step (dropout, batch statistics); a bare forward carries nothing on.
        Raises ShapeError or DataError when `x` does not fit.
        """
        if workspace is None:
            workspace = self._bare = self._bare or Workspace(input_gradient=True)
            workspace.context.training = training
        return self.forward_checked(self.checked(x), workspace)

    def forward_checked(self, x: Array, workspace: Workspace) -> Array:
        """Forward of a batch that `checked` has seen already."""
        workspace.fit(self, x.shape)
        for act in workspace.forward_acts:
            x = act(x)
        workspace.out = x
        return x

    def backward(self, dout: Any, workspace: Workspace | None = None) -> Array:
        """Gradients of the last forward into `grad`, given that of its output; returns that of the input.

        Raises ShapeError when there was no forward or `dout` is not shaped like its output.
        """
        workspace = workspace or self._bare
        if workspace is None or not workspace.buffers:
            raise ShapeError("`backward` needs a `forward` before it")
        dout = converted(as_array("dout", dout), self.dtype, "dout")
        if dout.shape != workspace.out.shape:
            raise ShapeError(
                f"`dout` is {shape_text(dout.shape)}; the last forward gave {shape_text(workspace.out.shape)}"
            )
        for act in workspace.backward_acts:
            dout = act(dout)
        workspace.dx = dout
        return workspace.dx

    # -- sites

    def site(self, name: str) -> int:
        """Index of the layer behind which a site lies: `hidden`, a block's output, or `hidden.pre`, its sum before."""
        block = next((entry for entry in self.blocks if entry.name == name), None)
        if block is not None:
            return block.last
        block_name, _, part = name.rpartition(".")
        block = self.block(block_name or name)
        if part == "pre" and block.pre is not None:
            return block.pre
        sites = [block.name, *([f"{block.name}.pre"] if block.pre is not None else [])]
        raise SelectorError(f"`{name}` is not a site; `{block.name}` has {', '.join(sites)}")

    def site_shape(self, index: int) -> Shape:
        """The shape of an example of what interventions behind a layer act on; ShapeError where it is not known."""
        before, after = self.known_shapes[index - 1] if index else self.known_input, self.known_shapes[index]
        shape = self.layers[index].site_shape(*(tuple(n or 0 for n in known[1:]) for known in (before, after)))
        if 0 in shape:
            raise ShapeError(f"`{self.layers[index].name}` gives {shape_text(after)}, which is not known whole")
        return shape

    def site_block(self, name: str) -> Block:
        """The block that a site belongs to."""
        index = self.site(name)
        return next(block for block in self.blocks if block.first <= index <= block.last)

    def activation(self, site: str, workspace: Workspace | None = None) -> Array:
        """What the last forward gave at a site, interventions included: (B, ..., units), a copy.

        Behind attention, whose units are heads, it is the layer's output: (B, T, size).
        """
        index = self.site(site)
        return self._used(workspace, "forward").behind(index).copy()

    def gradient(self, site: str, workspace: Workspace | None = None) -> Array:
        """The gradient that the last backward brought to a site: (B, ..., units), a copy."""
        index = self.site(site)
        gradient = self._used(workspace, "backward").brought_to(index)
        if gradient is None:
            raise ShapeError(f"`gradient` of `{site}` needs a `backward` before it")
        return gradient

    def _used(self, workspace: Workspace | None, what: str) -> Workspace:
        workspace = workspace or self._bare
        if workspace is None or not workspace.buffers:
            raise ShapeError(f"there was no `{what}` yet")
        return workspace

    def intervene(self, site: str, *, multiply: Any = 1.0, add: Any = 0.0) -> None:
        """Operate on a site from here on: activation * multiply + add, each a number or (units,).

        `multiply=1, add=0` takes it off; where nothing stands it costs nothing. A Lab does this through its edits.
        """
        index = self.site(site)
        units = self.site_block(site).units
        if not units:
            layer = self.layers[index]
            raise SelectorError(f"`{site}` {layer!r} has no units to intervene on")
        multiply, add = as_array("multiply", multiply), as_array("add", add)
        try:
            factors = np.array(np.broadcast_to(multiply.astype(self.dtype), (units,)))
            terms = np.array(np.broadcast_to(add.astype(self.dtype), (units,)))
        except ValueError:
            given = shape_text(np.shape(multiply)), shape_text(np.shape(add))
            raise ShapeError(f"`{site}` has {units} units; `multiply` is {given[0]}, `add` is {given[1]}") from None
        nothing = (factors == 1).all() and (terms == 0).all()
        by_unit = self.layers[index].by_unit
        self.taps[index] = None if nothing else Tap(by_unit(factors), by_unit(terms))

    def predict(self, x: Any) -> Array:
        """The output for a batch `x` (B, ...), as an array of its own. Several threads may ask at once."""
        workspace = self._spare.take()
        out = self.forward(x, workspace).copy()
        self._spare.give_back(workspace)
        return out

    def checked(self, x: Any) -> Array:
        """`x` as this network takes it: whole numbers in range for an embedding, else this network's dtype."""
        x = as_array("x", x)
        if x.ndim < 1 or x.shape[0] < 1:
            raise ShapeError(f"a batch needs at least one example; `x` is {shape_text(x.shape)}")
        first = min(self.takers, key=_vocabulary)
        if not first.takes_integers:
            if x.dtype.kind not in "biuf":
                raise ShapeError(f"`x` must hold numbers, not {x.dtype}")
            return converted(x, self.dtype, "x" if self.rules > FIRST else "")
        if not is_integer(x):
            raise ShapeError(f"`{first.name}` {first!r} takes whole numbers, not {x.dtype}")
        vocabulary = _vocabulary(first)
        if x.size and (x.min() < 0 or x.max() >= vocabulary):
            wrong = int(x.min() if x.min() < 0 else x.max())
            raise DataError(f"`{first.name}` {first!r} takes indices 0 to {vocabulary - 1}, not {wrong}")
        return np.ascontiguousarray(x, np.int64)

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of the output for a batch of `shape`; raises ShapeError where it does not fit."""
        *_, last = self._shapes_from(shape)
        return tuple(n or 0 for n in last)

    def shapes_behind(self, shape: Shape) -> list[tuple[int | None, ...]]:
        """The shapes behind all layers for a batch of `shape`; raises ShapeError where it does not fit."""
        return list(self._shapes_from(shape))

    def first_non_finite(self, workspace: Workspace, *, backward: bool) -> str:
        """Name of the first layer, in the order of the pass, where something is NaN or infinite; empty if none.

        Forward that is what lies behind it with what stands there: an infinite unit that is zeroed harms nothing. A
        backward pass is asked only where the forward one before it was finite.
        """
        if backward:
            before = self.first_non_finite(workspace, backward=False)
            if before:
                return before
        order = range(len(self.layers))
        for index in reversed(order) if backward else order:
            layer, buffers = self.layers[index], workspace.buffers[index]
            arrays = [workspace.behind(index)]
            if backward:
                gradients = [getattr(layer, "d" + entry.name) for entry in layer.parameters()]
                arrays = [*gradients, *([buffers.dx] if buffers.needs_dx else [])]
            if not all(np.isfinite(array).all() for array in arrays):
                return layer.name
        return ""

    # -- how it is checked and named

    def _find_takers(self) -> list[Layer]:
        """The layers that take the network's input: all of them whole numbers, or none, as no other layer may."""
        takers: list[Layer] = []
        givers: dict[object, Layer | None] = {}
        giver: Layer | None = None
        for layer in self.layers:
            if isinstance(layer, Split):
                givers[layer.link] = giver
            elif isinstance(layer, Next):
                giver = givers[layer.link]
            else:
                if giver is None:
                    takers.append(layer)
                elif layer.takes_integers:
                    raise ShapeError(
                        f"`{layer.name}` {layer!r} takes whole numbers, not what `{giver.name}` {giver!r} gives"
                    )
                giver = layer
        for layer in takers:
            if layer.takes_integers != takers[0].takes_integers:
                whole, other = (layer, takers[0]) if layer.takes_integers else (takers[0], layer)
                raise ShapeError(
                    f"`{whole.name}` {whole!r} takes the input as whole numbers, `{other.name}` {other!r} does not; "
                    "one input cannot be both"
                )
        return takers

    def _infer_shapes(self) -> tuple[tuple[int | None, ...], list[tuple[int | None, ...]]]:
        """What is known of the input's shape and of those behind the layers.

        Where no input shape was given, the input has as few axes as all layers can take.
        """
        if self.input_shape is not None:
            shape: tuple[int | None, ...] = (None, *self.input_shape)
            return shape, list(self._shapes_from(shape))
        least = self.takers[0].input_shape()
        most = max(len(layer.input_shape()) for layer in self.layers)
        problems: list[tuple[int, ShapeError]] = []
        for more in range(max(most - len(least), 0) + 1):
            shape = (None, *[None] * more, *least[1:])
            shapes: list[tuple[int | None, ...]] = []
            try:
                shapes.extend(self._shapes_from(shape))
            except ShapeError as error:
                problems.append((len(shapes), error))
            else:
                return shape, shapes
        raise max(problems, key=lambda problem: problem[0])[1]  # of the input that got furthest

    def _shapes_from(self, shape: tuple[int | None, ...]) -> Iterator[tuple[int | None, ...]]:
        """The shapes behind the layers, one by one, for an input's."""
        for index in range(len(self.layers)):
            shape = _checked_shape(self.layers, index, shape)
            yield shape

    def _find_blocks(self, shapes: list[tuple[int | None, ...]]) -> tuple[Block, ...]:
        blocks: list[Block] = []
        for index, layer in enumerate(self.layers):
            previous = blocks[-1] if blocks else None
            units = layer.units(shapes[index])
            activation = layer if isinstance(layer, Activation) else None
            open_ = (
                previous is not None
                and previous.activation is None
                and self.block_parameters(previous) > 0
                and not self.layers[previous.last].closed
            )
            if layer.joins and previous is not None and open_ and previous.units:
                blocks[-1] = Block(previous.name, previous.first, index, previous.units, activation)
            else:
                counts = layer.parameters() or layer.has_units or activation is not None
                blocks.append(Block(layer.name, index, index, units if counts else 0, activation))
        return tuple(blocks)


def _copied(
    parts: Sequence[Layer], made: dict[str, Any], theta: Array, grad: Array, carried: Array, taps: list[Tap | None]
) -> Network:
    network = Network(parts, theta=theta, carried=carried, **made)
    network.grad[:] = grad
    network.taps = list(taps)
    return network


def network_from(
    architecture: Iterable[dict[str, Any]],
    *,
    dtype: str | np.dtype[Any] = "float32",
    theta: Array | None = None,
    carried: Array | None = None,
    input_shape: Shape | None = None,
    seed: int = 0,
    rules: int = CURRENT,
) -> Network:
    """A network from plain descriptions, around `theta` when it is given."""
    layers = [layer_from(description) for description in architecture]
    return Network(
        layers, dtype=dtype, theta=theta, carried=carried, input_shape=input_shape, seed=seed, rules=rules
    )


def parameter_count(layers: Iterable[Layer]) -> int:
    """How many parameters these layers have, before anything is allocated for them."""
    return sum(entry.size for layer in layers for part in layer.expand() for entry in part.parameters())


def carried_count(layers: Iterable[Layer]) -> int:
    """How many values these layers carry from step to step."""
    return sum(entry.size for layer in layers for part in layer.expand() for entry in part.carried())


def _forward_act(network: Network, index: int, buffers: Buffers, clean: bool) -> Act:
    """Forward of a layer, with what stands at its site then."""
    layer = network.layers[index]
    forward = layer.forward

    def act(x: Array) -> Array:
        out = forward(x, buffers)
        tap = network.taps[index]
        if tap is None:
            buffers.tapped = None
            return out
        if buffers.tapping is None or buffers.tapping.tap is not tap:
            buffers.tapping = Tapping(tap, out)
        buffers.tapped = buffers.tapping.forward(out)
        return buffers.tapped

    def tapping_itself(x: Array) -> Array:
        buffers.tap = network.taps[index]
        return forward(x, buffers)

    if clean:
        return lambda x: forward(x, buffers)
    return tapping_itself if layer.taps_itself else act


def _backward_act(network: Network, index: int, buffers: Buffers) -> Act:
    """Backward of a layer into the network's `grad`."""
    layer = network.layers[index]
    backward, by_itself = layer.backward, layer.is_activation and not layer.mixes_units
    own = index + 1 < len(network.layers) and network.layers[index + 1].own_dx

    def act(dout: Array) -> Array:
        buffers.dout = dout
        if buffers.tapped is None or buffers.tapping is None:
            return backward(dout, buffers)
        dx = backward(buffers.tapping.backward(dout, own), buffers)
        if by_itself:
            buffers.tapping.still(dx)
        return dx

    return act


def _checked_layers(layers: Sequence[Layer]) -> list[Layer]:
    """Copies of the layers, named."""
    if not isinstance(layers, Sequence):
        raise ShapeError(f"a network takes a list of layers, not {layers!r}")
    if not layers:
        raise ShapeError("a network needs at least one layer")
    for layer in layers:
        if not isinstance(layer, Layer):
            raise ShapeError(f"a network is made of layers, not {type(layer).__name__}: {layer!r}")
    return named(layers)


def _drawn(seed: int, layer: Layer, entry: Parameter, dtype: np.dtype[Any]) -> Array:
    name = f"{layer.name}.{entry.name}"
    with np.errstate(over="ignore", invalid="ignore"):
        values = entry.init.draw(seed, f"init/{name}", entry.shape, entry.fan_in, entry.fan_out)
        drawn: Array = values.reshape(-1).astype(dtype)
    if drawn.size and not (np.isfinite(drawn.max()) and np.isfinite(drawn.min())):
        raise ShapeError(f"`{name}`: {entry.init!r} draws values beyond {dtype}")
    return drawn


def _starts(entries: Sequence[tuple[Parameter, ...]]) -> list[int]:
    """Where each layer's arrays start in a flat vector, and its length."""
    starts = [0]
    for group in entries:
        starts.append(starts[-1] + sum(entry.size for entry in group))
    return starts


def _views(entries: tuple[Parameter, ...], vector: Array, start: int) -> dict[str, Array]:
    views = {}
    for entry in entries:
        views[entry.name] = vector[start : start + entry.size].reshape(entry.shape)
        start += entry.size
    return views


def _checked_shape(layers: Sequence[Layer], index: int, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    layer = layers[index]
    try:
        return layer.output_shape(shape)
    except ShapeError as error:
        giver = f"`{layers[index - 1].name}` {layers[index - 1]!r} gives" if index else "the input has"
        raise ShapeError(f"`{layer.name}` {layer!r} {error}, which {giver}") from None


def _vocabulary(layer: Layer) -> int:
    """How many indices a layer knows; where it does not say, any number."""
    known: int = getattr(layer, "vocabulary", 2**62)
    return known


def _example_shape(shape: object) -> Shape | None:
    """An example's shape as it was given, as a tuple; None stays None."""
    if shape is None:
        return None
    if not isinstance(shape, list | tuple) or not all(
        isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 0 for n in shape
    ):
        raise ShapeError(f"`input_shape` must be the sizes of an example's axes, as (28, 28, 1), not {shape!r}")
    return tuple(int(n) for n in shape)
