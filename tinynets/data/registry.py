"""The data sets that ship with tinynets, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tinynets.data.colors import colors
from tinynets.data.dataset import Dataset
from tinynets.data.digits import digits
from tinynets.data.names import names
from tinynets.data.points import halves, spiral, xor
from tinynets.errors import DataError, nearest

DATASETS: dict[str, Callable[..., Dataset]] = {
    "names": names,
    "digits": digits,
    "colors": colors,
    "spiral": spiral,
    "xor": xor,
    "halves": halves,
}


def load(name: str, **options: Any) -> Dataset:
    """Make the data set `name` with its options; raises DataError that names what is unknown and what is near."""
    if name not in DATASETS:
        raise DataError(f"there is no data set `{name}`, only {', '.join(DATASETS)}{nearest(name, DATASETS)}")
    known = list(inspect.signature(DATASETS[name]).parameters)
    for option in options:
        if option not in known:
            raise DataError(
                f"the data set `{name}` has no option `{option}`, only {', '.join(known)}{nearest(option, known)}"
            )
    return DATASETS[name](**options)
