"""TextGenerator: lets a network write text, one character after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinynets.data import Dataset
from tinynets.data.text import END
from tinynets.errors import EditError
from tinynets.nn.network import Network
from tinynets.nn.workspace import Workspace
from tinynets.numerics import rng
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.numerics.checks import check_number, check_whole
from tinynets.numerics.special import softmax

MAX_LENGTH = 40  # characters of a generated name that does not end before
MAX_SAMPLES = 10_000


@dataclass
class TextGenerator:
    """Writes text with a network that predicts the next character; the same when asked again at the same moment."""

    data: Dataset
    workspace: Workspace = field(default_factory=Workspace)

    def _windows(self, text: str, count: int, verb: str) -> tuple[Array, str]:
        """`count` rows (count, T) of the last characters of a text that the network sees, and all characters."""
        codec = self.data.text
        if codec is None:
            raise EditError(f"`{verb}` goes on from a text, so it needs data that is text; `{self.data.name}` is not")
        if not isinstance(text, str):
            raise EditError(f"the text to go on from must be text, not {text!r}")
        codec.encode(text)  # every character must be known, including those before the window
        return np.tile(codec.window(text), (count, 1)), codec.characters

    def sample(self, network: Network, count: int, temperature: float, seed: int, prefix: str) -> tuple[str, ...]:
        """`count` texts that start with `prefix`, drawn from softmax(logits / temperature) until the end character."""
        check_number("temperature", temperature, 0, 1000)
        check_whole("n", count, 1, MAX_SAMPLES)
        check_whole("seed", seed, 0, rng.MAX_SEED)
        if isinstance(prefix, str) and END in prefix:
            raise EditError(f"`prefix` must not hold `{END}`, which ends a text, but it is {prefix!r}")
        contexts, characters = self._windows(prefix, count, "sample")
        texts = [prefix] * count
        going = np.ones(count, np.bool_)
        for place in range(MAX_LENGTH):
            with ignore_warnings():
                shares = softmax(_after_last(network.forward_checked(contexts, self.workspace)), temperature)
            draws = rng.uniforms(seed, "sample", place, (count,))
            chosen = np.minimum((shares.cumsum(axis=1) < draws[:, None]).sum(axis=1), shares.shape[1] - 1)
            going &= chosen != 0
            if not going.any():
                break
            for index in np.flatnonzero(going):
                texts[index] += characters[int(chosen[index])]
            contexts = np.concatenate([contexts[:, 1:], chosen[:, None]], axis=1)
        return tuple(texts)


def _after_last(out: Array) -> Array:
    """The output after the last character, (B, C), even if the network gives one after each."""
    return out if out.ndim == 2 else out[:, -1]
