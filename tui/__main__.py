"""The command `tinynets-lab`: it reads arguments, starts the engine, then imports Textual, which is slow to load."""

from __future__ import annotations

import sys

try:
    import argparse
    import gc
    import os
    from importlib.util import find_spec
    from multiprocessing import resource_tracker
    from pathlib import Path
    from typing import TYPE_CHECKING, Any, NoReturn

    from tinynets.system import stopping, streams
except KeyboardInterrupt:  # for a ctrl+c that comes before `main` can handle it
    sys.exit(130)

if TYPE_CHECKING:
    from tui.app import LabApp  # for its type alone: the app starts sooner without it

MEGABYTE = 2**20
MOST_MEMORY = 2**30
"""The largest memory budget, in MB, that a lab accepts."""


class OneLine(argparse.ArgumentParser):
    """A parser that reports an error in one line, without printing the usage first."""

    def error(self, message: str) -> NoReturn:
        from tinynets.foreign_text import printable  # the app starts sooner without it

        self.exit(2, f"{self.prog}: {printable(message)}; `{self.prog} --help` shows what there is\n")


def parser() -> argparse.ArgumentParser:
    made = OneLine(
        prog="tinynets-lab",
        description="A debugger for small neural networks, in the terminal.",
        epilog="Inside: ? shows all keys. Press space to run, s to step, arrows to walk the units, q to quit.",
    )
    made.add_argument(
        "source",
        nargs="?",
        metavar="RECIPE|SAVE",
        help="what to open; without it, the lab asks",
    )
    made.add_argument("--seed", type=int, default=None, help="seed of initialization and batches (recipes only)")
    made.add_argument(
        "--plugin", action="append", default=[], metavar="FILE", help="a Python file with layers or losses of your own"
    )
    made.add_argument("--data", metavar="FILE", help="the .npz file with the data of a save that does not hold it")
    made.add_argument(
        "--memory",
        type=int,
        metavar="MB",
        help="most that the moments kept for going back may take (default: 256); with less, going back computes more",
    )
    made.add_argument("--threads", type=int, default=None, metavar="N", help="BLAS threads (default: a rule of shapes)")
    made.add_argument("--config", action="store_true", help="print your settings, as the file that they are read from")
    made.add_argument("--web", action="store_true", help="serve the lab to a browser (pip install 'tinynets[web]')")
    made.add_argument("--host", default="127.0.0.1", help="with --web: the address to serve at (default: %(default)s)")
    made.add_argument("--port", type=int, default=8000, help="with --web: the port (default: %(default)s)")
    made.add_argument("--token", help="with --web: what a browser must know; one is made up for any host but this one")
    made.add_argument("--version", action="version", version=f"tinynets-lab {_version()}")
    return made


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # the app starts sooner without it

    try:
        return version("tinynets")
    except PackageNotFoundError:
        return "(not installed)"


def problem_with(source: str) -> str:
    """What is wrong with a source, as far as we can tell without the engine; empty if nothing is."""
    path = Path(source)
    if path.suffix in (".msgpack", ".toml") or "/" in source or "\\" in source:
        if not os.path.exists(path):
            return f"`{source}`: there is no such file"
        return f"`{source}` is a directory; a save or a recipe is a file" if path.is_dir() else ""
    if os.path.isfile(path) or _is_recipe(source):
        return ""
    from tinynets.errors import nearest  # the app starts sooner without it
    from tinynets.recipes.catalog import list_recipes

    names = [info.name for info in list_recipes()]
    return f"`{source}` is neither a recipe nor a file; recipes are {', '.join(names)}{nearest(source, names)}"


def problem_with_seed(seed: int | None, source: str) -> str:
    """What is wrong with a seed; empty if nothing is."""
    if seed is None:
        return ""
    if not 0 <= seed <= 2**63 - 1:
        return f"`seed` must be a whole number from 0 to {2**63 - 1}, not {seed}"
    return f"`seed` cannot be given with a save (`{source}`), which has its own" if _is_save(source) else ""


def problem_with_data(data: str | None, source: str) -> str:
    """What is wrong with a data file, as far as we can tell without the engine; empty if nothing is."""
    if data is None:
        return ""
    if not _is_save(source):
        return f"`data` cannot be given with a recipe (`{source}`), which has its own"
    if not os.path.exists(data):
        return f"data `{data}`: there is no such file"
    return f"data `{data}` is a directory; data are an .npz file" if Path(data).is_dir() else ""


def problem_with_memory(megabytes: int | None) -> str:
    """What is wrong with a memory budget; empty if nothing is."""
    if megabytes is None or 1 <= megabytes <= MOST_MEMORY:
        return ""
    return f"`memory` must be a whole number of MB from 1 to {MOST_MEMORY}, not {megabytes}"


def problem_with_recipe(source: str, plugins: list[str]) -> str:
    """What is wrong with the user's own recipe, as far as we can tell without plugins; empty if nothing is."""
    if not source.endswith(".toml") or plugins:
        return ""
    from tinynets.errors import TinynetsError  # the app starts sooner without it
    from tinynets.recipes.catalog import load_recipe

    try:
        load_recipe(source)
    except TinynetsError as error:
        return " ".join(str(error).split())
    return ""


def problem_with_plugins(paths: list[str]) -> str:
    """What is wrong with the first plugin whose file is missing; empty if all exist."""
    missing = [path for path in paths if not os.path.isfile(path)]
    return f"plugin `{missing[0]}`: there is no such file" if missing else ""


def _is_save(source: str) -> bool:
    path = Path(source)
    return path.suffix in (".msgpack", ".journal") or (os.path.isfile(path) and path.suffix != ".toml")


def _is_recipe(name: str) -> bool:
    """Whether a recipe of this name ships. Looks for the file, since importing numpy here would delay the engine."""
    found = find_spec("tinynets")
    places = found.submodule_search_locations if found else None
    return any((Path(place) / "recipes" / f"{name}.toml").is_file() for place in places or ())


def main(arguments: list[str] | None = None) -> int:
    """Run the app. Returns 2 for unusable arguments, and 128 plus the signal's number if a signal ended the app."""
    if arguments is None:  # this process runs nothing but this command
        stopping.end_at_once("tinynets-lab")
        streams.prepare()
    try:
        status = _run(arguments)
    except SystemExit as ended:  # the parser printed help or refused the arguments
        status = int(ended.code or 0)
    except BrokenPipeError:
        status = 1
    status = streams.finish(status, "tinynets-lab")
    if arguments is None:
        stopping.decided()
    return status


def _run(arguments: list[str] | None) -> int:
    options = parser().parse_args(arguments)
    if options.config:
        return _print_config()
    from tinynets.system.paths import SAVES, expanded  # the app starts sooner without these
    from tui.state import StateFile

    state = StateFile.of_user()
    asks = options.source is None and options.seed is None and options.data is None and not state.first_time
    tour = options.source is None and state.first_time
    options.source = expanded(options.source or "names-mlp")
    options.plugin = [expanded(path) for path in options.plugin]
    options.data = options.data and expanded(options.data)
    if problem := _problem(options):
        streams.say(problem, "tinynets-lab")
        return 2
    if options.web:
        return _serve(options)
    if not (sys.stdin.isatty() and sys.stdout.isatty()) and "TEXTUAL_DRIVER" not in os.environ:
        streams.say("needs a terminal; `tinynets --help` shows what works without one", "tinynets-lab")
        return 2
    # Started now: a running app replaces stderr by an object without a file number, with which starting would fail.
    resource_tracker.ensure_running()
    from tinynets.server.process import spawn  # the app starts sooner without these
    from tui.config import load

    chosen, config = _of_lab(options), load()
    if config.saves:
        os.environ.setdefault(SAVES, config.saves_folder)  # before there is an engine, which inherits it
    engine = None if asks else spawn(options.source, chosen)
    # A key takes effect on the screen only when Textual next checks what to paint.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    gc.disable()  # what is imported stays: looking for garbage in it would only take time
    from tui.app import LabApp  # the app starts sooner without it

    gc.freeze()
    gc.enable()
    source = "" if asks else options.source
    app = LabApp(spawn, source, chosen, engine, config=config, state=state, tour=tour)
    try:
        app.run()
    finally:
        app.engine.close()
    return _ended(app)


def _problem(options: argparse.Namespace) -> str:
    """What is wrong with what was given, as far as we can tell without the engine; empty if nothing is."""
    source, plugins = options.source, options.plugin
    return (
        problem_with(source)
        or problem_with_seed(options.seed, source)
        or problem_with_data(options.data, source)
        or problem_with_memory(options.memory)
        or problem_with_plugins(plugins)
        or problem_with_recipe(source, plugins)
    )


def _of_lab(options: argparse.Namespace) -> dict[str, Any]:
    """The options of the Lab among those that were given."""
    given = {
        "seed": options.seed,
        "data": options.data,
        "memory": options.memory and options.memory * MEGABYTE,
        "threads": options.threads,
        "plugins": tuple(options.plugin) or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _print_config() -> int:
    """Print the settings in effect, as lines of the file that they are read from; 1 if something in it is skipped."""
    from textual.theme import BUILTIN_THEMES  # the app starts sooner without these

    from tui.config import as_toml, checked, load
    from tui.render.themes import OURS

    names = (*(colours.name for colours in OURS), *(name for name, theme in BUILTIN_THEMES.items() if not theme.ansi))
    config = checked(load(), names)
    print("\n".join(as_toml(config)))
    return 1 if config.problems else 0


def _serve(options: argparse.Namespace) -> int:
    """Serve the lab to browsers."""
    from tui import web  # the app starts sooner without it

    if problem := web.problem_with(options.host, options.port, options.token):
        streams.say(problem, "tinynets-lab")
        return 2
    given = {"seed": options.seed, "data": options.data, "memory": options.memory, "threads": options.threads}
    words = [f"--{name}={value}" for name, value in given.items() if value is not None]
    words += [f"--plugin={path}" for path in options.plugin]
    try:
        web.serve([*words, "--", options.source], options.host, options.port, options.token)
    except OSError as error:
        streams.say(f"`{options.host}` port {options.port}: {error.strerror or error}", "tinynets-lab")
        return 2
    return 0


def _ended(app: LabApp) -> int:
    """Say where the run was saved to, and what ended the lab where a signal did; the status to end with."""
    if app.files.written:
        streams.say(f"saved {os.path.abspath(app.files.written)}", "tinynets-lab")
    status = app.return_code or 0
    if status > stopping.status_of(0):
        word = stopping.stopped(status - stopping.status_of(0))
        unsaved = app.lab.frame is not None and app.lab.frame.status.unsaved
        kept = "; `tinynets recover` has what was not saved" if unsaved else ""
        streams.say(f"{word}{kept}", "tinynets-lab")
    return status


if __name__ == "__main__":
    sys.exit(main())
