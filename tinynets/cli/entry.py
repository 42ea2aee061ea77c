"""`tinynets COMMAND ...`: the table of commands, and how to run one.

Errors end with one line and status 1, wrong arguments with status 2. A new command is two functions in a file of this
folder, one that adds its arguments and one that runs it, and a row here.
"""

from __future__ import annotations

import sys

try:
    import argparse
    from collections.abc import Callable, Sequence
    from dataclasses import dataclass
    from typing import NoReturn

    import tinynets
    from tinynets.cli import generate, info, recover, train, verify
    from tinynets.cli.options import add_shared, load_plugins
    from tinynets.errors import TinynetsError
    from tinynets.foreign_text import printable
    from tinynets.system import stopping, streams
except KeyboardInterrupt:  # ctrl+c before `main` handles it
    sys.exit(130)


@dataclass(frozen=True)
class Command:
    """A command: its name, what it does, its arguments besides the shared ones, and how to run it."""

    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None


COMMANDS = (
    Command("train", "train a recipe, or go on with a save", train.train, train.train_arguments),
    Command("info", "tell what a recipe or a save is, or which saves there are", info.info, info.info_arguments),
    Command("replay", "compute a save again from its start and compare", verify.replay, verify.replay_arguments),
    Command(
        "diff", "compare two saves: where they part, and how far apart they are", verify.diff, verify.diff_arguments
    ),
    Command(
        "verify",
        "compute every branch of a save again and compare each keyframe",
        verify.verify,
        verify.verify_arguments,
    ),
    Command("script", "print a save as a Python script that rebuilds it", info.script, info.script_arguments),
    Command(
        "recover",
        "list what labs left behind that ended unsaved, or save it",
        recover.recover,
        recover.recover_arguments,
    ),
    Command("sample", "write texts with a recipe's or a save's network", generate.sample, generate.sample_arguments),
    Command(
        "predict",
        "tell what comes after a text, or out for numbers or an example",
        generate.predict,
        generate.predict_arguments,
    ),
    Command("recipes", "list the recipes that ship", info.recipes),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point; ends the process with the status. By default it takes the process's own arguments."""
    if arguments is not None:
        sys.exit(_status(arguments))
    stopping.end_at_once("tinynets")
    streams.prepare()
    status = streams.finish(_status(None))
    stopping.decided()
    sys.exit(status)


def _status(arguments: Sequence[str] | None) -> int:
    """Run a command; returns its status."""
    try:
        options = _parser().parse_args(arguments)
        load_plugins(options)
        status: int = options.run(options)
    except SystemExit as ended:  # from the parser: help, or invalid arguments
        status = int(ended.code or 0)
    except TinynetsError as error:
        streams.say(str(error))
        status = 1
    except KeyboardInterrupt:
        streams.say("stopped")
        status = 130
    except BrokenPipeError:  # the reader of our output has closed it
        status = 1
    except OSError as error:
        streams.say(str(error))
        status = 1
    return status


class _Parser(argparse.ArgumentParser):
    """A parser whose errors can show any file name that a shell fills in."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tinynets", description="Small neural networks that can be stepped, operated on and rewound.")
    parser.add_argument("--version", action="version", version=f"tinynets {tinynets.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        described = f"{command.help[0].upper()}{command.help[1:]}."
        own = commands.add_parser(command.name, help=command.help, description=described)
        own.set_defaults(run=command.run)
        add_shared(own)
        if command.add_arguments is not None:
            command.add_arguments(own)
    return parser
