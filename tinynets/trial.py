"""What is tried once when a lab is made: a function as loss, and whether what is carried can mean anything."""

from __future__ import annotations

from tinynets.data import Dataset
from tinynets.losses import FunctionLoss, Loss
from tinynets.network import Network
from tinynets.playback import quiet

TRIED = 4  # examples


def warnings_of(network: Network, data: Dataset, loss: Loss, sampling: str) -> list[str]:
    """What a person should know before training; raises ShapeError where a function as loss cannot train at all."""
    found = [_carries(network, sampling)]
    if isinstance(loss, FunctionLoss):
        found.append(_tried(network, data, loss))
    return [warning for warning in found if warning]


def _tried(network: Network, data: Dataset, loss: FunctionLoss) -> str:
    """Try a function as loss on the first examples; a warning where its gradient seems wrong."""
    x, y = data["train"]
    few = min(len(x), TRIED)
    with quiet():
        out = network.predict(x[:few])
        return loss.tried(out, loss.targets(None if y is None else y[:few], out.shape, network.dtype))


def _carries(network: Network, sampling: str) -> str:
    """A warning where hidden state is carried from one batch to the next, which is no continuation of it."""
    carrying = [layer.name for layer in network.layers if any(entry.transient for entry in layer.carried())]
    if not carrying or sampling == "stream":
        return ""
    return (
        f"`{carrying[0]}` carries its hidden state from batch to batch (`carry`), but `sampling` is {sampling!r}: "
        'only with "stream" does a row of a batch go on where that of the batch before ended'
    )
