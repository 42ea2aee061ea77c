"""Starts the server's process, and runs the server in it.

The app imports this file, and imports Textual while the new process imports numpy. So neither this file nor anything
that it imports may load numpy or Textual.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from tinynets.server.bell import Bell
from tinynets.system import stopping


@dataclass
class ServerProcess:
    """The server's process, and our end of its pipe."""

    process: BaseProcess
    connection: Connection


def spawn(source: str, options: dict[str, Any] | None = None) -> ServerProcess:
    """Start a process with a Lab of `source` and return at once.

    `options` are those of Lab, and `plugins`: paths of files with layers and losses to load before the Lab is made.

    Inside a running Textual app call `multiprocessing.resource_tracker.ensure_running()` before the app starts.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, source, options or {}), name="tinynets engine", daemon=True)
    with stopping.held_off():  # a signal before the engine handles it would end in a traceback
        process.start()
    theirs.close()
    return ServerProcess(process, ours)


def serve(connection: Connection, source: str, options: dict[str, Any]) -> None:
    """Run a Server in this process, until its pipe closes or it is told to quit."""
    bell = Bell()
    for number in stopping.SIGNALS:  # ctrl+c and a closed terminal are for the app; when it ends, our pipe closes
        signal.signal(number, bell.ring if number == signal.SIGTERM else signal.SIG_IGN)
    stopping.let_through()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - the terminal is the app's, to the end
    gc.disable()  # what is imported stays: looking for garbage in it would only take time
    # only this process imports numpy, while the app imports Textual
    from tinynets.errors import TinynetsError
    from tinynets.nn.plugins import load_plugin
    from tinynets.server.server import Server

    gc.freeze()
    gc.enable()
    server: Server | None = None
    try:
        for plugin in options.pop("plugins", ()):
            load_plugin(plugin)
        server = Server(connection, source, options, bell)
        server.loop()
    except EOFError:
        return  # the app is gone
    except Exception as error:
        expected = isinstance(error, TinynetsError)
        kind, cause = (
            (type(error).__name__, str(error)) if expected else ("InternalError", f"internal error: {error!r}")
        )
        with suppress(OSError):  # the app may be gone
            connection.send(("said", cause, "error") if server and server.shown else ("error", 0, kind, cause))
    finally:
        if server is not None:
            server.lab.close(discard=server.asked_to_quit)
