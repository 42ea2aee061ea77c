"""A few examples of a data set that is too large for a save: enough to look at a network with, not to train it."""

from __future__ import annotations

from tinynets.data.dataset import Dataset

SAMPLE_BYTES = 4 * 2**20  # of each split, at most
FEW = 16  # examples of a split that is not the probe's


def sample_payload(data: Dataset, probe: int) -> dict[str, object]:
    """The payload of the first `probe` examples of the probe's split, and a few of the others."""
    probed = "dev" if "dev" in data.splits else "train"
    splits: dict[str, dict[str, object]] = {}
    for split, (x, y) in data.splits.items():
        fit = SAMPLE_BYTES // max((x.nbytes + y.nbytes) // len(x), 1)
        count = max(1, min(len(x), fit, probe if split == probed else FEW))
        splits[split] = {"x": x[:count], "y": y[:count]}
        if split in data.weights:
            splits[split]["weight"] = data.weights[split][:count]
        if split in data.captions:
            splits[split]["captions"] = list(data.captions[split][:count])
    payload: dict[str, object] = {"kind": "arrays", "name": data.name, "splits": splits, "labels": list(data.labels)}
    if data.image is not None:
        payload["image"] = list(data.image)
    if data.text is not None:
        payload["text"] = {"characters": data.text.characters, "context": data.text.context}
    return payload
