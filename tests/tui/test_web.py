"""The lab in a browser: who may look, and the whole of it in a headless Chromium where one is installed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

import pyte
import pytest
from patience import PATIENCE

from tui.web import command_line, may_look, problem_with, token_for

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def test_on_this_machine_no_token_is_needed_and_a_foreign_page_gets_nothing() -> None:
    assert token_for("127.0.0.1", None) is None
    assert may_look(None, "localhost:8000", None, [None])
    assert may_look(None, "127.0.0.1:8000", "http://127.0.0.1:8000", [None])
    assert may_look(None, "[::1]:8000", None, [None])
    assert not may_look(None, "evil.example", None, [None]), "a name that leads to loopback"
    assert not may_look(None, "localhost:8000", "http://evil.example", [None]), "a page of another site"


def test_beyond_this_machine_a_token_is_made_up_and_asked_for() -> None:
    token = token_for("0.0.0.0", None)
    assert token is not None
    assert len(token) > 16
    assert token != token_for("0.0.0.0", None)
    assert may_look(token, "lab.example:8000", None, [token, None])
    assert may_look(token, "lab.example:8000", None, [None, token])
    assert not may_look(token, "lab.example:8000", None, [None, None])
    assert not may_look(token, "lab.example:8000", None, ["wrong"])
    assert not may_look(token, "localhost:8000", None, [None]), "on this machine too"


@pytest.mark.skipif(find_spec("textual_serve") is None, reason="textual-serve is not installed")
@pytest.mark.parametrize(
    ("host", "port", "token", "said"),
    [
        ("127.0.0.1", 0, None, "`port` must be a whole number from 1 to 65535, not 0"),
        ("127.0.0.1", 8000, "short", "`token` must have at least 8 letters, not 5"),
        ("a/b", 8000, None, "`host` must be a name or an address, not 'a/b'"),
        ("127.0.0.1", 8000, None, ""),
    ],
)
def test_wrong_options_are_named(host: str, port: int, token: str | None, said: str) -> None:
    assert problem_with(host, port, token) == said


def test_the_command_of_a_page_keeps_words_together() -> None:
    assert command_line(["--", "my save.msgpack"]).endswith("-m tui -- 'my save.msgpack'")


# -- in a browser


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("textual_serve", reason="textual-serve is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tui", "--web", "--port", str(port), "xor"]
    environment = {**os.environ, "TINYNETS_STATE": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as serving:
        assert serving.stdout is not None
        line = serving.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        yield found[0]
        serving.send_signal(signal.SIGINT)


class Page:
    """A page of a browser with the lab in it, and what its terminal shows."""

    def __init__(self, page: Any, address: str, columns: int, rows: int) -> None:
        self._page, self._columns, self._rows = page, columns, rows
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        page.on("websocket", lambda socket: socket.on("framereceived", self._received))
        page.goto(address)

    def _received(self, data: bytes | str) -> None:
        if isinstance(data, bytes):
            self._stream.feed(data)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def until(self, condition: Callable[[], object]) -> None:
        end = monotonic() + PATIENCE
        while not condition():
            assert monotonic() < end, self.text
            self._page.wait_for_timeout(20)

    def press(self, key: str) -> None:
        self._page.keyboard.press(key)

    def click(self, column: int, row: int) -> None:
        box = self._page.locator(".xterm-screen").bounding_box()
        x = box["x"] + (column + 0.5) * box["width"] / self._columns
        y = box["y"] + (row + 0.5) * box["height"] / self._rows
        self._page.mouse.click(x, y)

    def find(self, words: str) -> tuple[int, int]:
        """Column and row of some words."""
        return next((line.index(words), y) for y, line in enumerate(self._screen.display) if words in line)


@pytest.fixture
def browser() -> Iterator[Any]:
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    with driver.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield opened
        opened.close()


@pytest.mark.proof
def test_in_a_browser_the_lab_opens_steps_and_a_unit_is_zeroed_by_clicks(browser: Any, address: str) -> None:
    sizes: list[tuple[int, int]] = []
    probing = browser.new_page(viewport={"width": 1500, "height": 900})
    probing.on("websocket", lambda socket: sizes.append(_asked(socket.url)))
    probing.goto(address)
    probing.wait_for_selector(".xterm-screen")
    while not sizes:
        probing.wait_for_timeout(20)
    probing.close()
    page = Page(browser.new_page(viewport={"width": 1500, "height": 900}), address, *sizes[0])
    page.until(lambda: "xor" in page.text and "1 Network" in page.text and "6 Neuron hidden[0]" in page.text)
    page.click(*page.find("6 Neuron"))  # the first click gives the page the keys
    page.press("s")
    page.until(lambda: "step 1 " in page.text)
    page.click(*page.find("hidden[1]"))  # its row in Units
    page.until(lambda: "6 Neuron hidden[1]" in page.text)
    page.click(*page.find(" z zero"))
    page.until(lambda: "hidden[1] zeroed" in page.text)


def _asked(url: str) -> tuple[int, int]:
    """The size in cells that a page asks for."""
    width, height = re.search(r"width=(\d+)", url), re.search(r"height=(\d+)", url)
    assert width, url
    assert height, url
    return int(width[1]), int(height[1])
