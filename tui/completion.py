"""What the command line offers: the verbs, then units, splits and files by what the verb takes."""

from __future__ import annotations

from pathlib import Path

from tinynets.frame import Frame

RECURRENT = ("RNN", "GRU", "LSTM")
SPLITS = ("train", "dev", "test")


def completions(text: str, frame: Frame | None) -> list[str]:
    """Whole lines that the line so far could become."""
    from tinynets.commands import COMMANDS

    head, space, last = text.rpartition(" ")
    words = sorted(COMMANDS) if not space else _arguments(head.split(), frame, last)
    return [f"{head}{space}{word}" for word in words if word.startswith(last) and word != last]


def _arguments(typed: list[str], frame: Frame | None, last: str) -> list[str]:
    """What may come after the words that are typed."""
    verb, second = typed[0] if typed else "", len(typed) > 1
    if verb == "set" and typed[1:] in (["optimizer"], ["schedule"]):
        verb, second = typed[1], False
    if verb == "activation":
        from tinynets.commands import activations

        return activations() if second else _blocks(frame, with_activation=True)
    if verb in ("optimizer", "schedule", "set") and second:
        return []
    if verb in ("evaluate", "eval"):
        return list(SPLITS)
    if verb in ("set", "optimizer", "schedule"):
        return _settings(verb)
    if verb in ("open", "save"):
        return sorted(str(path) for folder in (Path("."), Path("saves")) for path in _files(folder))
    if verb in ("switch",) and frame is not None:
        return [branch.name for branch in frame.timeline.branches]
    return _selectors(frame, last)


def _blocks(frame: Frame | None, *, with_activation: bool = False) -> list[str]:
    """The blocks that have units; the selected one first."""
    blocks = [block for block in frame.blocks if block.units] if frame else []
    blocks.sort(key=lambda block: frame is not None and block.name != frame.view.block)
    return [block.name for block in blocks if block.activation or not with_activation]


def _settings(verb: str) -> list[str]:
    from tinynets.optimizers import NAMED
    from tinynets.schedules import SCHEDULES
    from tinynets.settings import setting_names

    if verb == "set":
        return list(setting_names())
    return list(NAMED) if verb == "optimizer" else list(SCHEDULES)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.suffix in (".msgpack", ".toml") and path.name != "pyproject.toml"]


def _selectors(frame: Frame | None, last: str) -> list[str]:
    """The selected unit first, then the blocks; behind a unit of a recurrent block its time steps."""
    if frame is None:
        return []
    unit, at, _ = last.partition("@")
    for block in frame.blocks:
        if at and unit.startswith(f"{block.name}[") and block.summary.partition("(")[0] in RECURRENT:
            return [f"{unit}@t={step}" for step in range(block.positions)]
    return [f"{frame.view.block}[{frame.view.unit}]", *_blocks(frame)]


def usage(text: str) -> str:
    """The usage and help of the verb at the start of a line; empty when it is none."""
    from tinynets.commands import COMMANDS

    words = text.split()
    command = COMMANDS.get(words[0]) if words else None
    return f"{command.usage}   {command.help}" if command else ""
