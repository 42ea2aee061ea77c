"""Network: a stack of layers over one flat vector of parameters, with blocks, and sites for interventions.

A Network is views and arithmetic. What belongs to a batch lives in a `Workspace`. What a run changes lives in a State,
and a Network can be built around its vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tinynets.errors import SelectorError, ShapeError, nearest
from tinynets.nn.block import Block, Phase
from tinynets.nn.layers import Buffers, Layer, Parameter, describe, layer_from, named
from tinynets.nn.layers.structure import check_names
from tinynets.nn.layout import Layout
from tinynets.nn.shapes import (
    check_batch,
    checked_input,
    example_shape,
    find_blocks,
    find_input_layers,
    infer_shapes,
    output_shape,
    shape_behind,
    shapes_from,
)
from tinynets.nn.sites import Sites
from tinynets.nn.summary import Summary, summarize
from tinynets.nn.taps import Tap
from tinynets.nn.workspace import Spare, Workspace
from tinynets.numerics.arrays import Array, Shape, as_array, converted, float_dtype, shape_text, write_into
from tinynets.numerics.rules import CURRENT

VECTORS = frozenset({"theta", "grad", "carried"})
MADE_OF = frozenset({"layers", "parts", "blocks", "dtype", "seed", "input_shape", "rules"})


class Network:
    """A stack of layers over one flat vector `theta`, with gradients in `grad` of the same length.

    The layers given are descriptions: the network keeps copies whose `w`, `b` are views into `theta` and whose `dw`,
    `db` are views into `grad`; what layers carry from step to step (running statistics, hidden state) lies in
    `carried`. Containers are expanded into layers. `seed` addresses the initial values; `dtype` is float32 or float64;
    `input_shape` (an example's, without the batch) lets shapes be checked before any data is seen; `rules` are those of
    its run (numerics/rules.py).

    Many public methods are one-line delegates: `sites` knows where blocks and sites are, `layout` knows where arrays
    and units lie in the flat vectors, and a `Workspace` holds what a batch leaves behind.

    Raises ShapeError when neighbouring layers do not fit or two layers have the same name.
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
        self.input_shape = example_shape(input_shape)
        self.parts = _checked_layers(layers)
        flat = [layer for part in self.parts for layer in part.expand()]
        check_names(layer.name for layer in flat)
        self.layout = Layout(flat)
        theta = theta if theta is None else as_array("theta", theta)
        carried = carried if carried is None else as_array("carried", carried)
        self.theta, self.grad, self.carried = self.layout.vectors(self.dtype, theta, carried)
        self.layers = self.layout.bind(flat, self.theta, self.grad, self.carried)
        for layer in self.layers:
            layer.settle(rules)
        self.input_layers = find_input_layers(self.layers)
        self.known_input, self.known_shapes = infer_shapes(self.layers, self.input_layers, self.input_shape)
        self.blocks = find_blocks(self.layers, self.known_shapes)
        self.sites = Sites(self.layers, self.blocks, self.known_input, self.known_shapes)
        self.taps: list[Tap | None] = [None] * len(self.layers)
        self.forward_order = tuple(Phase("forward", layer.name) for layer in self.layers)
        self.backward_order = tuple(Phase("backward", layer.name) for layer in reversed(self.layers))
        self._bare: Workspace | None = None
        self._spare = Spare()
        if theta is None:
            self.initialize(seed)
        if carried is None and (theta is None or theta.ndim):
            self.reset_carried()

    def __setattr__(self, name: str, value: Any) -> None:
        """Write a value assigned to `theta`, `grad` or `carried` into that vector, since the layers are views of it.

        Raises ShapeError for attributes that are fixed when the network is made.
        """
        made = "_spare" in self.__dict__
        if made and name in VECTORS and value is not self.__dict__[name]:
            write_into(name, self.__dict__[name], value)
        elif made and name in MADE_OF:
            raise ShapeError(f"`{name}` of a network cannot change: make another, tn.Network([...])")
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Raises ShapeError for attributes that a network needs."""
        if name in (*VECTORS, *MADE_OF):
            raise ShapeError(f"`{name}` of a network cannot be deleted")
        super().__delattr__(name)

    # -- what to write it is made of

    def __repr__(self) -> str:
        return f"Network({', '.join(map(repr, self.parts))}; {self.theta.size:,} parameters, {self.dtype})"

    def __getitem__(self, name: str) -> Layer:
        """The layer of that name (a block is named after its first layer)."""
        if not isinstance(name, str | int | float):  # comparing an array would fail
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
                drawn_at = self.sites.block_at(index).name
                raise ShapeError(
                    f"a network cannot be pickled: what is drawn at `{drawn_at}` belongs to its lab; "
                    "release it, or save the lab"
                )
        return self._whole()

    def _whole(self) -> tuple[Callable[..., Network], tuple[Any, ...]]:
        """How to copy or pickle it, with its layers and gradients in vectors of its own."""
        made = {"dtype": self.dtype.name, "seed": self.seed, "input_shape": self.input_shape, "rules": self.rules}
        return _copied, (self.parts, made, *(np.array(v) for v in (self.theta, self.grad, self.carried)), self.taps)

    def __copy__(self) -> Network:
        make, arguments = self._whole()
        return make(*arguments)

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        return self.__copy__()

    @property
    def architecture(self) -> tuple[dict[str, Any], ...]:
        """Plain descriptions of the layers, from which `network_from` builds the same network."""
        return tuple(describe(part) for part in self.parts)

    def summary(self, input_shape: Shape | None = None) -> Summary:
        """Layers, output shapes, parameters and multiply-adds for one example; `print` shows a table.

        `input_shape` is an example's, without the batch; needed if the network was made without one.
        """
        given = example_shape(input_shape)
        before = self.known_input if given is None else (None, *given)
        shapes = list(shapes_from(self.layers, before))
        return summarize(self.layers, before, shapes, self.dtype.name, self.dtype.itemsize)

    # -- blocks and sites: see `sites`

    def has_block(self, name: str) -> bool:
        return name in self.sites.by_name

    def block(self, name: str) -> Block:
        return self.sites.block(name)

    def time_steps(self, block: Block) -> int:
        """The number of time steps of a recurrent block; 0 for a block of another kind, or while it is not known."""
        return self.sites.time_steps(block)

    def site(self, name: str) -> int:
        """Index of the layer behind which a site lies: `hidden`, a block's output, or `hidden.pre`, its sum before."""
        return self.sites.index(name)

    def site_shape(self, index: int) -> Shape:
        """The shape of one example at the site behind a layer; raises ShapeError while it is not known."""
        return self.sites.shape(index)

    def site_block(self, name: str) -> Block:
        """The block that a site belongs to."""
        return self.sites.block_at(self.sites.index(name))

    # -- places in the flat vectors: see `layout`

    def parameter_slice(self, layer: int, parameter: str) -> slice:
        """Where a layer's parameter lies in `theta`."""
        return self.layout.parameter_slice(layer, parameter)

    def carried_slice(self, layer: int, name: str) -> slice:
        """Where a layer's carried array lies in `carried`."""
        return self.layout.carried_slice(layer, name)

    def block_parameter(self, block: Block, name: str) -> tuple[int, Parameter] | None:
        """The parameter of that name in a block, after the index of its layer; None if there is none."""
        return self.layout.block_parameter(block, name)

    def first_index(self, block: Block) -> int:
        """Where a block's parameters begin in `theta`."""
        return self.layout.starts[block.first]

    def shared_indices(self, block: Block) -> Array:
        """Positions in `theta` that belong to a block but to none of its units."""
        return self.layout.shared_indices(block)

    def owners(self, block: Block) -> Array:
        """(n,) the unit that each parameter of a block belongs to, in the order of `theta`; -1: to no single unit."""
        return self.layout.owners(block)

    def shares_in(self, block: Block, places: Array) -> tuple[Array, Array]:
        """How many parameters each unit of a block has, and how many of them are at these sorted places."""
        return self.layout.shares_in(block, places)

    def block_parameters(self, block: Block) -> int:
        """How many parameters a block has."""
        return self.layout.block_parameters(block)

    def block_slice(self, block: Block) -> slice:
        """Where a block's parameters lie in `theta`."""
        return self.layout.block_slice(block)

    def unit_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `theta` of all that belongs to these units of a block, sorted; empty without parameters."""
        return self.layout.unit_indices(block, units)

    def carried_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `carried` of what these units learned (running statistics), sorted."""
        return self.layout.carried_indices(block, units)

    def resettable_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `carried` of everything that belongs to these units, including hidden state, sorted."""
        return self.layout.resettable_indices(block, units)

    def hidden_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `carried` of the hidden state of these units, sorted."""
        return self.layout.hidden_indices(block, units)

    def initialize(self, seed: int) -> None:
        """Draw all parameters anew, each from its own address."""
        self.layout.draw_parameters(self.theta, seed)

    def reset_carried(self) -> None:
        """Set what layers carry from step to step to its starting values."""
        self.carried[:] = self.carried_start()

    def carried_start(self) -> Array:
        """The starting values of what layers carry from step to step, as a vector of its own."""
        vector = np.empty_like(self.carried)
        self.layout.draw_carried(vector, self.seed)
        return vector

    def check_batch(self, batch: int) -> None:
        """Raise ShapeError where a layer cannot train on batches of `batch` examples."""
        check_batch(self.layers, [self.known_input, *self.known_shapes], batch)

    # -- arithmetic

    def allocate(self, shape: Shape, workspace: Workspace) -> list[Buffers]:
        """Buffers for every layer for a batch of `shape`; raises ShapeError where it does not fit."""
        made: list[Buffers] = []
        for index, layer in enumerate(self.layers):
            after = shape_behind(self.layers, index, shape)
            new = self.layout.carried_views(index, workspace.carried)
            buffers = Buffers(index > 0 or workspace.input_gradient, workspace.context, new)
            layer.allocate(buffers, shape, self.dtype)
            made.append(buffers)
            shape = tuple(n or 0 for n in after)
        return made

    def forward(self, x: Any, workspace: Workspace | None = None, *, training: bool = False) -> Array:
        """The output (B, outputs) for a batch `x` (B, ...); a buffer that the next forward overwrites.

        `training`: as in a training step (dropout, batch statistics); what layers carry does not change.
        Raises ShapeError or DataError when `x` does not fit.
        """
        if workspace is None:
            workspace = self._bare = self._bare or Workspace(input_gradient=True)
            workspace.context.training = training
        return self.forward_checked(self.checked(x), workspace)

    def forward_checked(self, x: Array, workspace: Workspace) -> Array:
        """Forward of a batch that has been through `checked`."""
        workspace.fit(self, x.shape)
        for act in workspace.forward_acts:
            x = act(x)
        workspace.out = x
        return x

    def backward(self, dout: Any, workspace: Workspace | None = None) -> Array:
        """Write the gradients of the last forward to `grad`, given that of its output; returns that of the input.

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

    # -- activations, gradients and interventions at sites

    def activation(self, site: str, workspace: Workspace | None = None) -> Array:
        """The activations of the last forward at a site, interventions included: (B, ..., units), a copy.

        For attention, whose units are heads, it is the layer's output: (B, T, size).
        """
        index = self.site(site)
        return _used(workspace or self._bare, "forward").output_of(index).copy()

    def gradient(self, site: str, workspace: Workspace | None = None) -> Array:
        """The gradient of the last backward at a site: (B, ..., units), a copy."""
        index = self.site(site)
        gradient = _used(workspace or self._bare, "backward").gradient_at(index)
        if gradient is None:
            raise ShapeError(f"`gradient` of `{site}` needs a `backward` before it")
        return gradient

    def intervene(self, site: str, *, multiply: Any = 1.0, add: Any = 0.0) -> None:
        """Operate on a site from here on: activation * multiply + add, each a number or (units,).

        `multiply=1, add=0` removes it again; a site without one costs nothing. A Lab does this through its edits.
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
        """The output for a batch `x` (B, ...), as an array of its own. Several threads may call it at once."""
        workspace = self._spare.take()
        out = self.forward(x, workspace).copy()
        self._spare.give_back(workspace)
        return out

    def checked(self, x: Any) -> Array:
        """`x` in the form that this network takes: whole numbers in range for an embedding, else its dtype."""
        return checked_input(self.input_layers, x, self.dtype, self.rules)

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of the output for a batch of `shape`; raises ShapeError where it does not fit."""
        return output_shape(self.layers, shape)

    def shapes_behind(self, shape: Shape) -> list[tuple[int | None, ...]]:
        """The shapes behind all layers for a batch of `shape`; raises ShapeError where it does not fit."""
        return list(shapes_from(self.layers, shape))

    def first_non_finite(self, workspace: Workspace, *, backward: bool) -> str:
        """The name of the first layer, in the order of the pass, with a NaN or infinite value; empty if none."""
        return workspace.first_non_finite(self, backward=backward)


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
    """Build a network from plain descriptions, around `theta` if it is given."""
    layers = [layer_from(description) for description in architecture]
    return Network(layers, dtype=dtype, theta=theta, carried=carried, input_shape=input_shape, seed=seed, rules=rules)


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


def _used(workspace: Workspace | None, what: str) -> Workspace:
    if workspace is None or not workspace.buffers:
        raise ShapeError(f"there was no `{what}` yet")
    return workspace
