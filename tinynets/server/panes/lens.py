"""The lens of a frame: which it is, and what it shows in words."""

from __future__ import annotations

from tinynets.measure.lens import Lens
from tinynets.measure.lens_names import LENSES
from tinynets.server.frame import LensInfo


def lens_info(lens: Lens) -> LensInfo:
    units, weights = LENSES[lens.name]
    return LensInfo(lens.name, lens.by_hand, units, weights, _of(lens))


def _of(lens: Lens) -> str:
    """Of which loss, or since when."""
    scene = lens.scene
    if lens.name == "change":
        return lens.earlier.words
    if lens.name == "importance":
        return f"summed over {len(scene.watched.x)} {'batch' if scene.of_batch else 'probe'} examples"
    if lens.name == "gradient":
        ahead = scene.of_batch and lens.by_hand and scene.backward > 0
        whose = "batch" if scene.of_batch else "probe"
        return f"of the {whose}'s loss{', ahead of backward' if ahead else ''}"
    return ""
