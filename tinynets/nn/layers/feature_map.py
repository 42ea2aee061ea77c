"""How features follow from those that were there before units were pruned or grown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinynets.numerics.arrays import Array


@dataclass(frozen=True)
class FeatureMap:
    """How the features along the last axis follow from those that were: when units are pruned, or grown.

    source (n,): which old feature each is like, -1: none. share (n,): what part of that one's outgoing weights it
    takes over: 1 where nothing changed, 0 where there are none to take. fresh (n,): which were not there before.
    """

    source: Array
    share: Array
    fresh: Array

    @staticmethod
    def same(count: int) -> FeatureMap:
        return FeatureMap(np.arange(count), np.ones(count), np.zeros(count, np.bool_))

    def repeated(self, times: int, width: int) -> FeatureMap:
        """The same at each of so many places laid behind one another, `width` old features each."""
        starts = np.arange(times)[:, None] * width
        source = np.where(self.source < 0, -1, self.source + starts)
        return FeatureMap(source.reshape(-1), np.tile(self.share, times), np.tile(self.fresh, times))
