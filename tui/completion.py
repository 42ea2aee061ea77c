"""What the command line offers: the verbs, then units, splits and files by what the verb takes."""

from __future__ import annotations

from pathlib import Path

from tinynets.frame import Frame

SPLITS = ("train", "dev", "test")


def completions(text: str, frame: Frame | None) -> list[str]:
    """Whole lines that the line so far could become."""
    from tinynets.commands import COMMANDS

    head, space, last = text.rpartition(" ")
    words = sorted(COMMANDS) if not space else _arguments(head.split()[0] if head.split() else "", frame)
    return [f"{head}{space}{word}" for word in words if word.startswith(last) and word != last]


def _arguments(verb: str, frame: Frame | None) -> list[str]:
    if verb in ("evaluate", "eval"):
        return list(SPLITS)
    if verb in ("set", "optimizer", "schedule"):
        return _settings(verb)
    if verb in ("open", "save"):
        return sorted(str(path) for folder in (Path("."), Path("saves")) for path in _files(folder))
    if verb in ("switch",) and frame is not None:
        return [branch.name for branch in frame.timeline.branches]
    return _selectors(frame)


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


def _selectors(frame: Frame | None) -> list[str]:
    """The selected unit first, then the blocks."""
    if frame is None:
        return []
    blocks = [block.name for block in frame.blocks if block.units]
    return [f"{frame.view.block}[{frame.view.unit}]", *blocks]


def usage(text: str) -> str:
    """The usage and help of the verb at the start of a line; empty when it is none."""
    from tinynets.commands import COMMANDS

    words = text.split()
    command = COMMANDS.get(words[0]) if words else None
    return f"{command.usage}   {command.help}" if command else ""
