"""`tinynets ...`, the command line."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its status; by default the process's own arguments."""
    from tinynets.cli.entry import main as enter  # here, to handle ctrl+c: `python -m` imports this file itself

    enter(arguments)
