"""The lab in a browser: `tinynets-lab --web` serves it through textual-serve, one lab for each page.

Without a token only this machine may look: the server listens on loopback, and takes no page that another site opened
(by the Host and Origin of a request, as a foreign page can send requests to loopback too). Elsewhere a token is needed,
once in the address; a cookie keeps it.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
COOKIE = "tinynets-lab"
SHORTEST = 8
"""The fewest letters of a token of one's own."""


def problem_with(host: str, port: int, token: str | None) -> str:
    """Why the lab cannot be served so; empty if it can."""
    if find_spec("textual_serve") is None:
        return "--web needs textual-serve: pip install 'tinynets[web]'"
    if not 1 <= port <= 65535:
        return f"`port` must be a whole number from 1 to 65535, not {port}"
    if token is not None and len(token) < SHORTEST:
        return f"`token` must have at least {SHORTEST} letters, not {len(token)}"
    if not host or any(letter.isspace() or letter in "/?#@" for letter in host):
        return f"`host` must be a name or an address, not {host!r}"
    return ""


def token_for(host: str, token: str | None) -> str | None:
    """The token to ask for: the one given, a new one beyond this machine, none on it."""
    return token if token is not None or host in LOOPBACK else secrets.token_urlsafe(16)


def may_look(token: str | None, host: str, origin: str | None, given: Sequence[str | None]) -> bool:
    """Whether a request is answered; `given` are the tokens that it brings."""
    if origin is not None and urlsplit(origin).netloc != host:
        return False
    if token is None:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    return any(hmac.compare_digest(one.encode(), token.encode()) for one in given if one is not None)


def command_line(arguments: Sequence[str]) -> str:
    """The command that opens the lab of one page."""
    words = [sys.executable, "-m", "tui", *arguments]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def serve(arguments: Sequence[str], host: str, port: int, token: str | None) -> None:
    """Serve labs opened with these arguments until ctrl+c; OSError if the port cannot be had."""
    asked = token_for(host, token)
    address = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    _server(command_line(arguments), host, port, asked, address + (f"?token={asked}" if asked else "")).serve()


def _server(command: str, host: str, port: int, token: str | None, address: str) -> Any:
    """A server of textual-serve that asks who looks."""
    from aiohttp import web  # with textual-serve, an extra
    from textual_serve.server import Server

    @web.middleware  # type: ignore[untyped-decorator]
    async def guard(request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]) -> Any:
        given = (request.query.get("token"), request.cookies.get(COOKIE))
        if not may_look(token, request.host, request.headers.get("Origin"), given):
            raise web.HTTPForbidden(text="tinynets-lab: this address needs the token that the command has printed\n")
        answer = await handler(request)
        if token is not None and not answer.prepared:
            answer.set_cookie(COOKIE, token, httponly=True, samesite="Strict")
        return answer

    class LabServer(Server):  # type: ignore[misc]
        """Says its address in one line, and writes it into pages as the browser knows it."""

        async def _make_app(self) -> web.Application:
            app = await super()._make_app()
            app.middlewares.append(guard)
            return app

        async def on_startup(self, app: web.Application) -> None:
            print(f"tinynets-lab: {address} (ctrl+c ends it)", flush=True)

        async def handle_index(self, request: web.Request) -> Any:
            self.public_url = f"{request.scheme}://{request.host}"
            return await super().handle_index(request)

        def initialize_logging(self) -> None:
            """Nothing is logged: what went wrong is printed."""

    return LabServer(command, host=host, port=port, title="tinynets-lab")
