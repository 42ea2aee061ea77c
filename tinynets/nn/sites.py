"""Sites: finds blocks and sites in a stack of layers by name, and the shapes that interventions act on there."""

from __future__ import annotations

from collections.abc import Sequence

from tinynets.errors import SelectorError, ShapeError, nearest
from tinynets.nn.block import Block
from tinynets.nn.layers import Layer
from tinynets.nn.shapes import Known
from tinynets.numerics.arrays import Shape, shape_text


class Sites:
    """A network's blocks by name. A block's output is the site `hidden`, its sum before the activation `hidden.pre`."""

    def __init__(
        self, layers: Sequence[Layer], blocks: Sequence[Block], known_input: Known, known_shapes: Sequence[Known]
    ) -> None:
        self.layers, self.blocks = layers, blocks
        self.by_name = {block.name: block for block in blocks}
        self.befores = [known_input, *known_shapes[:-1]]
        self.afters = known_shapes

    def block(self, name: str) -> Block:
        """The block of that name."""
        found = self.by_name.get(name)
        if found is not None:
            return found
        raise SelectorError(
            f"`{name}` is not a block of this network, which has {', '.join(self.by_name)}"
            f"{nearest(name, list(self.by_name))}"
        )

    def index(self, name: str) -> int:
        """Index of the layer behind which a site lies."""
        if name in self.by_name:
            return self.by_name[name].last
        block_name, _, part = name.rpartition(".")
        block = self.block(block_name or name)
        if part == "pre" and block.pre is not None:
            return block.pre
        sites = [block.name, *([f"{block.name}.pre"] if block.pre is not None else [])]
        raise SelectorError(f"`{name}` is not a site; `{block.name}` has {', '.join(sites)}")

    def block_at(self, index: int) -> Block:
        """The block that a layer belongs to."""
        return next(block for block in self.blocks if block.first <= index <= block.last)

    def shape(self, index: int) -> Shape:
        """The shape of one example at the site behind a layer; raises ShapeError while it is not known."""
        before, after = self.befores[index], self.afters[index]
        shape = self.layers[index].site_shape(*(tuple(n or 0 for n in known[1:]) for known in (before, after)))
        if 0 in shape:
            raise ShapeError(f"`{self.layers[index].name}` gives {shape_text(after)}, which is not known whole")
        return shape

    def time_steps(self, block: Block) -> int:
        """The number of time steps of a recurrent block; 0 for a block of another kind, or while it is not known."""
        joined = block.last > block.first  # then the site lies behind the joined layer, where only a sequence has steps
        if joined and len(self.afters[block.last]) < 3:
            return 0
        return self.layers[block.first].time_steps(self.befores[block.first])
