"""FeatureMap: how features correspond to the earlier ones after units were pruned or grown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinynets.numerics.arrays import Array


@dataclass(frozen=True)
class FeatureMap:
    """How the features along the last axis correspond to the earlier ones after units were pruned or grown.

    source (n,): the old feature that each comes from, -1: none. share (n,): the share of that one's outgoing weights
    that it takes over: 1 where nothing changed, 0 where there are none. fresh (n,): which features are new.
    """

    source: Array
    share: Array
    fresh: Array

    @staticmethod
    def same(count: int) -> FeatureMap:
        return FeatureMap(np.arange(count), np.ones(count), np.zeros(count, np.bool_))

    def repeated(self, times: int, width: int) -> FeatureMap:
        """The same at each of `times` places in a row, with `width` old features each."""
        starts = np.arange(times)[:, None] * width
        source = np.where(self.source < 0, -1, self.source + starts)
        return FeatureMap(source.reshape(-1), np.tile(self.share, times), np.tile(self.fresh, times))
