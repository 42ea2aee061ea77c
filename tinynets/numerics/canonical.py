"""Canonical bytes of plain data, for digests: equal data gives equal bytes."""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np

from tinynets.numerics.arrays import is_flat


def canonical(value: Any) -> bytes:
    """The same bytes for equal plain data, whatever the order of its keys."""

    def ordered(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: ordered(item[key]) for key in sorted(item)}
        if isinstance(item, np.ndarray):
            return [item.dtype.str, list(item.shape), item.tobytes()]
        nested = isinstance(item, list | tuple) and not is_flat(item)
        return [ordered(part) for part in item] if nested else item

    packed: bytes = msgpack.packb(ordered(value))
    return packed
