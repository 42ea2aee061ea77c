"""The lens of a frame: which it is, and what it shows in words."""

from __future__ import annotations

from tinynets.measure.lens import Lens
from tinynets.server.frame import LensInfo

FORMULAS = {
    "value": ("output", "w"),
    "gradient": ("d loss / d output", "d loss / d w"),
    "change": ("change of output", "change of w"),
    "importance": ("-output x d loss / d output", "-w x d loss / d w"),
}
"""What each lens shows of units and of weights."""


def lens_info(lens: Lens) -> LensInfo:
    units, weights = FORMULAS[lens.name]
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
