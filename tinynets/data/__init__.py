"""Data sets: those that ship with tinynets, and the caller's own."""

from tinynets.data.colors import colors
from tinynets.data.dataset import Dataset, arrays, payload_digest
from tinynets.data.digits import digits
from tinynets.data.names import names
from tinynets.data.payload import from_payload
from tinynets.data.points import halves, spiral, xor
from tinynets.data.registry import DATASETS, load
from tinynets.data.text import TextCodec

__all__ = [
    "DATASETS",
    "Dataset",
    "TextCodec",
    "arrays",
    "colors",
    "digits",
    "from_payload",
    "halves",
    "load",
    "names",
    "payload_digest",
    "spiral",
    "xor",
]
