"""Foreign names, notes, paths and messages are shown as they are: nothing in them is markup or a command."""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from foreign import NAMES, ForeignEngine
from hypothesis import given
from hypothesis import strategies as st
from opening import MIDDLE, SMALL, WIDE, commands, lab, left_behind, opened, screen_text, until
from rich.cells import cell_len
from textual.content import Content
from textual.pilot import Pilot
from textual.screen import Screen

import tinynets as tn
import tui
from tinynets.foreign_text import one_for_one
from tinynets.measure.comparison import Comparison
from tinynets.measure.explanation import Explanation
from tinynets.server.frame import BookmarkMark, BranchLine, EditMark
from tui.render import drawing
from tui.screens.ask import AskScreen
from tui.screens.bookmark import BookmarkScreen
from tui.screens.compare import CompareScreen
from tui.screens.drop import DropScreen, UnbookmarkScreen
from tui.screens.entries import EntriesScreen
from tui.screens.explain import ExplainScreen
from tui.screens.leave import LeaveScreen
from tui.screens.open import OpenScreen
from tui.screens.operate import OperateScreen
from tui.screens.overwrite import OverwriteScreen
from tui.screens.recover import RecoverScreen
from tui.screens.tree import TreeScreen

CODES = re.compile(r"\x1b\[[0-9;]*m")
"""Colour codes, the only ones that the app itself writes."""


def seen(pilot: Pilot[None]) -> str:
    """The text on the screen; checks that each line fills it and sends nothing but text and colours."""
    for strip in pilot.app.screen._compositor.render_strips():
        sent = CODES.sub("", strip.render(pilot.app.console))
        assert sent.isprintable(), ascii(sent)
        assert cell_len(sent) == pilot.app.size.width, ascii(sent)
    return screen_text(pilot)


@asynccontextmanager
async def foreign(name: str, size: tuple[int, int]) -> AsyncIterator[tuple[Pilot[None], ForeignEngine]]:
    """The app on an engine that gives this name to everything, including branches, bookmarks and edits."""

    class Engine(ForeignEngine):
        foreign = name

    async with opened(size, engine=Engine) as (pilot, made):
        assert isinstance(made, ForeignEngine)
        world = made.world
        made.answers["compare"] = lambda *_: {}[f"`{name}` cannot be compared"]
        world.go(40)
        world.path = "saves/x"
        world.others = [BranchLine("other", 10, 30, False, "main", 1, 2, 0.5)]
        world.pins = [BookmarkMark("pin", "note", "main", 20, True), BookmarkMark("far", "note", "other", 25, False)]
        world.marks = [EditMark(5, "zero", "lab.zero('hidden[3]')", True, 1, "activation")]
        world.evaluations = {10: 2.0}
        await pilot.press("s")
        await until(pilot, lambda: len(lab(pilot).frame.timeline.branches) == 2)  # type: ignore[union-attr]
        yield pilot, made


def part(name: str) -> str:
    """As much of a name as is visible wherever it is shown, without spaces."""
    return drawing.clip(name, 6).rstrip("…").strip()


@pytest.fixture(scope="module")
def compared() -> Comparison:
    made = tn.Lab("xor")
    made.run(20)
    made.fork("what-if")
    made.zero("hidden[3]")
    made.run(20)
    return made.compare("main", "what-if")


@pytest.fixture(scope="module")
def explained() -> Explanation:
    made = tn.Lab("xor")
    made.run(20)
    return made.explain("hidden[1]")


Place = Callable[[Pilot[None], ForeignEngine, str], Any]


async def _on_top(pilot: Pilot[None], kind: type[Screen[Any]]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))
    await pilot.pause()


async def _close(pilot: Pilot[None]) -> None:
    while len(pilot.app.screen_stack) > 1:
        top = pilot.app.screen
        await pilot.press("escape")
        await until(pilot, lambda top=top: pilot.app.screen is not top)  # type: ignore[misc]


async def _panes(pilot: Pilot[None], name: str) -> None:
    """Visit all panes, also each alone, with the cursor in several places, and the line for the mouse."""
    assert part(name) in seen(pilot)
    for key in "123456":
        await pilot.press(key, "x", "down", "right", "full_stop")
        await pilot.pause()
        assert part(name) in seen(pilot) or key == "4"
        await pilot.press("x")
    app = lab(pilot)
    width = app.timeline.size.width
    found = [app.timeline.target(x, y) for y in range(app.timeline.size.height) for x in range(0, width, 9)]
    for target in {target.text: target for target in found if target}.values():
        app.status.hint(target.text)
        await pilot.pause()
        seen(pilot)
    app.status.hint("")


async def _tree(pilot: Pilot[None], name: str) -> None:
    """Visit every row of the tree, and the questions it leads to."""
    await pilot.press("t")
    await _on_top(pilot, TreeScreen)
    for _ in range(4):
        for key in "rdc":
            await pilot.press(key)
            await pilot.pause()
            assert part(name) in seen(pilot)
            if not isinstance(pilot.app.screen, TreeScreen):
                await pilot.press("escape")
                await _on_top(pilot, TreeScreen)
        await pilot.press("down")
    await _close(pilot)


async def _questions(pilot: Pilot[None], name: str) -> None:
    """Visit every question that a key asks."""
    for key in ("m", "F", "U", "ctrl+u", "S", "B", "a", "question_mark", "o", "W", "c"):
        await pilot.press(key)
        await pilot.pause()
        await pilot.pause()
        if key in ("U", "a", "W", "c"):
            assert part(one_for_one(name) if key in "UWc" else name) in seen(pilot) or key in ("W", "c", "U")
        seen(pilot)
        await _close(pilot)
        if lab(pilot).command_line.display:
            await pilot.press("escape")


async def _screens(pilot: Pilot[None], name: str, compared: Comparison, explained: Explanation) -> None:
    """Visit everything that is shown in a screen of its own."""
    app, frame = lab(pilot), lab(pilot).frame
    assert frame is not None
    sides = [replace(side, name=side.name + name, interventions=(name,)) for side in (compared.a, compared.b)]
    both = replace(compared, a=sides[0], b=sides[1], difference=name * 3, batches=name, unlike=(name * 40,))
    words = {"name": name + "[1]", "input": name, "target": name, "interventions": (name,), "on_output": (name,)}
    responses = tuple(replace(entry, text=name, target=name) for entry in explained.responses)
    effects = tuple(replace(entry, label=name) for entry in explained.effects)
    terms = tuple(replace(entry, label=name) for entry in explained.contributions)
    one = replace(explained, **words, responses=responses, effects=effects, contributions=terms, place=name, split=name)

    async def ask(*_: Any) -> None: ...

    shown: list[Screen[Any]] = [
        CompareScreen(both, f"lab.compare({name!r})"),
        ExplainScreen(one, ask),
        EntriesScreen(name, [name, name], name),
        LeaveScreen(frame.status),
        OverwriteScreen(f"/saves/{name}", name),
        DropScreen(frame.timeline, frame.timeline.branches[1].name),
        UnbookmarkScreen(frame.timeline.pins[0]),
        BookmarkScreen(frame),
        OperateScreen(frame, app.selection),
    ]
    for screen in shown:
        pilot.app.push_screen(screen)
        await _on_top(pilot, type(screen))
        assert part(name) in seen(pilot) or isinstance(screen, BookmarkScreen), screen
        await _close(pilot)


async def _messages(pilot: Pilot[None], engine: ForeignEngine, name: str) -> None:
    """Visit messages in the status line and in notifications, of commands and of errors."""
    app, name = lab(pilot), name.replace("\n", "")  # a message may have several lines
    for severity in ("information", "warning", "error"):
        engine.say(f"{name} {severity}", severity)
        await until(pilot, lambda: part(name) in app.status.message)
        engine.say(f"{name}\nand more of {name} " + "x" * 200, severity)
        await until(pilot, lambda: not app.status.message.endswith(severity))  # noqa: B023 - called within the turn
        assert part(name) in seen(pilot)
    engine.answers["zero"] = lambda *_: {}[f"`{name}` is none"]
    engine.answers["log"] = lambda *_: (name, name)
    engine.answers["predict"] = lambda *_: name
    commands(pilot).run_line("zero hidden[0]")
    await until(pilot, lambda: app.status.message.startswith("`"))
    assert part(name) in seen(pilot)
    commands(pilot).run_line("log")
    await _on_top(pilot, EntriesScreen)
    assert part(name) in seen(pilot)
    await _close(pilot)
    app.status.working(name, 1, 2)
    await pilot.pause()
    assert part(name) in seen(pilot)
    app.status.rest()
    app.open_command_line(f"save {name}")
    await pilot.pause()
    assert one_for_one(name)[:4] in seen(pilot).replace("\n", "")
    app.command_line.complete()
    await pilot.press("escape")
    commands(pilot).run_line(name)
    await pilot.pause()
    seen(pilot)


async def _left_behind(pilot: Pilot[None], name: str) -> None:
    name = name.encode("utf-8", "ignore").decode()  # a journal cannot hold half a character
    left_behind("one", save=f"saves/{name}", recipe=name)
    await pilot.press("O")
    await _on_top(pilot, RecoverScreen)
    assert part(name) in seen(pilot)
    await pilot.press("d")
    seen(pilot)
    await _close(pilot)


async def walk(name: str, size: tuple[int, int], compared: Comparison, explained: Explanation) -> None:
    """Visit every place of every screen."""
    async with foreign(name, size) as (pilot, engine):
        await _panes(pilot, name)
        await _tree(pilot, name)
        await _questions(pilot, name)
        await _screens(pilot, name, compared, explained)
        await _messages(pilot, engine, name)
        await _left_behind(pilot, name)
        engine.die()
        await until(pilot, lambda: lab(pilot).header.dead)
        seen(pilot)


@pytest.mark.proof
async def test_every_place_shows_a_foreign_name_as_it_is(compared: Comparison, explained: Explanation) -> None:
    await walk("[/]" + "".join(NAMES.values()), SMALL, compared, explained)


AT_EVERY_SIZE = ("tag", "long", "wide")
"""The names that CI walks at every size; the others at the smallest, where most is cut."""


def walks() -> Iterator[Any]:
    """Every name at every size, as proofs or, where it is long since proven, as slow tests."""
    for kind, name in NAMES.items():
        for size in (WIDE, MIDDLE, SMALL):
            mark = pytest.mark.proof if size == SMALL or kind in AT_EVERY_SIZE else pytest.mark.slow
            yield pytest.param(name, size, marks=mark, id=f"{kind}-{size[0]}x{size[1]}")


@pytest.mark.parametrize(("name", "size"), walks())
async def test_every_place_shows_every_kind_of_name_at_every_size(
    name: str, size: tuple[int, int], compared: Comparison, explained: Explanation
) -> None:
    await walk(name, size, compared, explained)


# -- the open dialog, and widgets in which Textual reads markup by default


@pytest.mark.parametrize("name", [name for name in NAMES.values() if len(name) < 200 and "\udce9" not in name])
@pytest.mark.proof
async def test_files_are_listed_with_their_names_as_they_are(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("saves").mkdir()
    file = f"{name.replace('/', '|')}.msgpack"
    Path("saves", file).write_bytes(b"no save")
    async with opened(SMALL) as (pilot, _):
        await pilot.press("o")
        await _on_top(pilot, OpenScreen)
        await until(pilot, lambda: part(Path(file).stem) in seen(pilot))
        await _close(pilot)
        lab(pilot).open_command_line("open saves/")
        await pilot.press("tab")
        assert one_for_one(file)[:3] in seen(pilot)


async def test_a_save_is_asked_for_under_the_name_that_it_has() -> None:
    async with opened(SMALL) as (pilot, engine):
        engine.read_only, engine.world.path = True, "saves/[red]\x1b[31m.msgpack"
        await pilot.press("s")
        await until(pilot, lambda: lab(pilot).frame.status.path)  # type: ignore[union-attr]
        await pilot.press("W")
        await _on_top(pilot, AskScreen)
        assert r"Save as ([red]\x1b[31m.msgpack is read-only here)" in seen(pilot)
        assert "saves/[red]?[31m.msgpack" in seen(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: ("save", ("saves/[red]\x1b[31m.msgpack",), {}) in engine.calls)


async def test_the_search_for_commands_reads_no_markup_in_them() -> None:
    async with opened(SMALL) as (pilot, _):
        for command in pilot.app.get_system_commands(pilot.app.screen):
            assert Content.from_markup(command.title).plain == command.title
            assert Content.from_markup(command.help).plain == command.help


# -- pieces of lines


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=40), st.integers(0, 24))
def test_text_that_is_cut_is_printable_and_fits(text: str, width: int) -> None:
    for cut in (drawing.clip, drawing.clip_words, drawing.clip_name, drawing.clip_middle):
        shown = cut(text, width)
        assert shown.isprintable()
        assert cell_len(shown) <= width
    assert cell_len(drawing.centred(text, width)) == width
    assert cell_len(drawing.padded(drawing.clip(text, width), width)) == width
    assert cell_len(drawing.padded_left(drawing.clip(text, width), width)) == width
    assert all(row.isprintable() and cell_len(row) <= width + 4 for row in drawing.wrapped(text, width + 4))


@given(st.lists(st.text(st.characters(codec=None, exclude_categories=()), max_size=20), max_size=4), st.integers(1, 60))
def test_a_line_is_printable_and_as_wide_as_asked_for(texts: list[str], width: int) -> None:
    made = drawing.line([(text, drawing.palette.TEXT) for text in texts], width)
    assert made.text.isprintable()
    assert cell_len(made.text) == width == made.cell_length


# -- no other way to the screen


def _nodes() -> Iterator[tuple[str, ast.AST]]:
    for file in sorted(Path(tui.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            yield f"{file.name}:{getattr(node, 'lineno', 0)}", node


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _keywords(node: ast.Call) -> dict[str | None, str]:
    return {entry.arg: ast.unparse(entry.value) for entry in node.keywords}


def _own_words(node: ast.AST) -> bool:
    """Whether a node is a constant of ours that contains no possible markup."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and "[" not in node.value


TITLES = ("border_title", "border_subtitle", "tooltip")
NO_MARKUP = ("Static", "OptionList")
"""Widgets of Textual that we use and that read markup unless told not to."""
OTHERS = ("Input",)
"""Widgets of Textual that read no markup."""


def test_every_title_is_plain_text() -> None:
    wrong = []
    for where, node in _nodes():
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Attribute) and target.attr in TITLES for target in targets):
            assert isinstance(node, ast.Assign)
            if _called(node.value) != "plain" and not _own_words(node.value):
                wrong.append(where)
    assert wrong == []


def test_every_widget_is_told_to_read_no_markup() -> None:
    wrong = []
    for where, node in _nodes():
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textual.widgets"):
            known = (*NO_MARKUP, *OTHERS, "Option", "Selection")
            wrong += [f"{where} {name.name}" for name in node.names if name.name not in known]
        if isinstance(node, ast.ClassDef) and {ast.unparse(base) for base in node.bases} & {*NO_MARKUP}:
            wrong.append(where)
        if _called(node) in (*NO_MARKUP, "notify"):
            assert isinstance(node, ast.Call)
            if _keywords(node).get("markup") != "False":
                wrong.append(where)
        if _called(node) == "Input":
            assert isinstance(node, ast.Call)
            if _keywords(node).get("highlighter") != "Typed()":
                wrong.append(where)
        field = isinstance(node, ast.ClassDef) and "Input" in map(ast.unparse, node.bases)
        if field and "highlighter=Typed()" not in ast.unparse(node):
            wrong.append(where)
        if _called(node) == "notify":
            assert isinstance(node, ast.Call)
            if _called(node.args[0]) != "printable_lines":
                wrong.append(where)
        if _called(node) in ("copy_to_clipboard", "copy_outside"):
            assert isinstance(node, ast.Call)
            if _called(node.args[0]) != "printable":
                wrong.append(where)
        if _called(node) in ("from_markup", "render_str"):
            wrong.append(where)
    assert wrong == []
