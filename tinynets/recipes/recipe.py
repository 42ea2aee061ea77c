"""Recipe: data, layers and training as plain data, and the network that they describe."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from tinynets.data import Dataset
from tinynets.data import load as load_data
from tinynets.errors import DataError, RecipeError, SelectorError, ShapeError, TinynetsError, gate, in_words
from tinynets.nn.layers import layer_from
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array
from tinynets.training.hyper import Hyper
from tinynets.training.settings import CLIPPING, PER_BLOCK

MAX_BATCH, MAX_STEPS, MAX_PROBE, MAX_LAYERS = 2**20, 10**12, 4096, 1000
MAX_BATCH_BYTES = 2**34


@dataclass(frozen=True)
class Recipe:
    """A whole experiment as plain data; `file` is its source, for messages; empty if it is from Python."""

    name: str
    data: dict[str, Any]
    layers: tuple[dict[str, Any], ...]
    training: Training
    description: str = ""
    file: str = field(default="", compare=False)

    def config(self) -> dict[str, Any]:
        """Plain data that `recipe_from` turns back into the same recipe."""
        return {
            "name": self.name,
            "description": self.description,
            "data": dict(self.data),
            "layers": [dict(layer) for layer in self.layers],
            "training": self.training.config(),
        }

    def load_data(self) -> Dataset:
        """Load the data set that it names; raises RecipeError if it cannot be used."""
        options = dict(self.data)
        try:
            with gate(DataError):
                return load_data(options.pop("set"), **options)
        except (DataError, ShapeError) as error:
            raise RecipeError(f"`{self.file}`: `data`: {error}") from None

    def build(
        self, data: Dataset, seed: int | None = None, *, theta: Array | None = None, carried: Array | None = None
    ) -> Network:
        """Build the network, drawn from the seed or around existing parameters and carried values.

        If it does not fit the data, raises RecipeError, or from Python ShapeError, DataError or SelectorError.
        """
        train = data.splits["train"]
        try:
            network = Network(
                [layer_from(layer) for layer in self.layers],
                seed=self.training.hyper.seed if seed is None else seed,
                dtype=self.training.dtype,
                input_shape=train[0].shape[1:],
                theta=theta,
                carried=carried,
                rules=self.training.hyper.rules,
            )
            network.checked(train[0][:1])
            self._check_batch(train[0][:1].nbytes, "examples")
            widest = max(math.prod(n or 1 for n in shape[1:]) for shape in network.shapes_behind(train[0].shape))
            self._check_batch(widest * network.dtype.itemsize, "activations")
            network.check_batch(self.training.hyper.batch)
            self.training.hyper.check(network)
            self.training.loss.targets(train[1], network.output_shape(train[0].shape), network.dtype)
        except (DataError, ShapeError, SelectorError, MemoryError) as error:
            if not self.file:
                raise
            said = error if isinstance(error, TinynetsError) else in_words(error)
            raise RecipeError(f"`{self.file}`: {said}") from None
        return network

    def _check_batch(self, size: int, what: str) -> None:
        """Raise ShapeError if a batch of examples or activations of `size` bytes is too large for any machine."""
        batch = self.training.hyper.batch
        if batch * size > MAX_BATCH_BYTES:
            raise ShapeError(
                f"`batch`: {batch:,} {what} of {size:,} bytes make {batch * size:,}; "
                f"at most {MAX_BATCH_BYTES:,} are allowed"
            )


@dataclass(frozen=True)
class Training:
    """How a recipe trains: everything but data and layers."""

    loss: Loss
    hyper: Hyper
    steps: int = 1000
    dtype: str = "float32"
    probe: int = 64
    evaluate_every: int = 0

    def config(self) -> dict[str, Any]:
        hyper = self.hyper.config()
        loss = self.loss.config()
        return {
            "loss": loss if len(loss) > 1 else self.loss.kind,
            "batch": hyper["batch"],
            "sampling": hyper["sampling"],
            "seed": hyper["seed"],
            "steps": self.steps,
            "dtype": self.dtype,
            "probe": self.probe,
            "evaluate_every": self.evaluate_every,
            "optimizer": hyper["optimizer"],
            "schedule": hyper["schedule"],
        } | {name: hyper[name] for name in (*CLIPPING, *PER_BLOCK.values(), "rules") if hyper.get(name)}
