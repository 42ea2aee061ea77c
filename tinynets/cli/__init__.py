"""`tinynets ...`, the command line."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Do a command and end the process with its status; without `arguments` it is the process's own command."""
    from tinynets.cli.entry import main as enter  # here, where it handles ctrl+c: `python -m` imports this file itself

    enter(arguments)
