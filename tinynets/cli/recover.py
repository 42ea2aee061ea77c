"""`tinynets recover`: list the journals of labs that ended unsaved, or save one."""

from __future__ import annotations

import argparse

from tinynets.cli.options import open_lab, put_result
from tinynets.errors import CommandError


def recover_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the list, or `latest`")
    parser.add_argument("--save", metavar="FILE", help="the file to save it to (default: a new one among the saves)")


def recover(options: argparse.Namespace) -> int:
    from tinynets.storage import paths, recovery  # loads numpy

    if options.name is None:
        if options.save is not None:
            raise CommandError("--save needs the name of what is to be saved, or `latest`")
        found = recovery.recoverable()
        lines = [f"{entry.name}  {entry}" for entry in found] or ["there is nothing to recover"]
        return put_result(options, {"leftovers": [entry.config() for entry in found]}, lines)
    entry = recovery.find(options.name)
    lab = open_lab(options, str(entry.file))
    saved = lab.save(options.save or paths.free_name(lab.recipe.name))
    data = {"name": entry.name, "save": saved.path, "step": saved.step, "digest": lab.state.digest()}
    return put_result(options, data, [f"{entry}", str(saved)])
