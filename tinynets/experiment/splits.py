"""PreparedSplits: the splits of a data set in the form that a network and a loss take."""

from __future__ import annotations

from tinynets.data import Dataset
from tinynets.errors import DataError, ShapeError
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array, converted
from tinynets.numerics.rules import FIRST


class PreparedSplits:
    """The splits of a data set in the form that a network and a loss take, converted once."""

    def __init__(self, data: Dataset, network: Network, loss: Loss) -> None:
        self.data, self._network, self._loss = data, network, loss
        self._ready: dict[str, tuple[Array, Array]] = {}

    def __getitem__(self, split: str) -> tuple[Array, Array]:
        if not isinstance(split, str):
            raise DataError(f"a split is named by text like `train`, not {split!r}")
        if split not in self._ready:
            try:
                self._ready[split] = self._fitting(*self.data[split])
            except (DataError, ShapeError) as error:
                if split == "train":
                    raise
                raise type(error)(f"`{split}`: {error}") from None
        return self._ready[split]

    def _fitting(self, x: Array, y: Array) -> tuple[Array, Array]:
        x = self._network.checked(x)
        return x, self._loss.targets(y, self._network.output_shape(x.shape), self._network.dtype)

    def weight(self, split: str) -> Array | None:
        """(N,) the weights that multiply each example's loss; None if all are the same."""
        weight = self.data.weights.get(split)
        thing = f"{split} weight" if self._network.rules > FIRST else ""
        return None if weight is None else converted(weight, self._network.dtype, thing)
