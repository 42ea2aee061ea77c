"""The structural rules, checked for each folder: how long things are, what they import, and how they are named.

The length of a function or method is that of its whole definition, docstring included. A room is a folder of
`tinynets` or `tui`; the files directly in either of them are a room too.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE, TESTS, HELPERS = (ROOT / "tinynets", ROOT / "tui"), ROOT / "tests", ROOT / "tests" / "helpers"
LONGEST_FUNCTION, MOST_METHODS, LONGEST_FILE = 50, 25, 450
FACADES = {
    "Lab": "the one object that people hold: a typed and documented method for each thing that can be done",
    "LabApp": "what a widget says and what a key does is passed on to the controller that it concerns",
    "Network": "what people ask of a network is answered by its parts, and many ask",
}
"""Classes whose one-statement methods do not count: they delegate to the part that does the work."""
OF_THE_WHOLE = {
    "tinynets": {"house", "imports", "packaging", "public_api"},
    "tui": {"ending", "foreign_text", "monkey", "real", "snapshots", "tasks", "terminal", "typed"},
}
"""Tests that belong to no single room."""
BY_HAND = {"fuzz_saves.py"}
"""Files among the tests that are run by hand."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def rooms() -> list[str]:
    """The folders with code, as paths from the root."""
    folders = [path.parent for top in HOUSE for path in top.rglob("*.py")]
    return sorted({folder.relative_to(ROOT).as_posix() for folder in folders})


def files_of(room: str) -> list[Path]:
    return sorted((ROOT / room).glob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(room: str) -> tuple[tuple[str, ast.AST], ...]:
    """Every syntax node of a room, with its file."""
    return tuple((path.name, node) for path in files_of(room) for node in ast.walk(parsed(path)))


def opening(path: Path) -> str:
    """The first line of a file's docstring; empty if it has none."""
    return (ast.get_docstring(parsed(path)) or "").partition("\n")[0]


def listed(found: list[str]) -> str:
    return "\n".join(["", *found])


# -- how long things are


@pytest.mark.parametrize("room", rooms())
def test_a_function_fits_on_a_screen(room: str) -> None:
    found = [
        f"{file}: {node.name} has {length} lines"
        for file, node in nodes(room)
        if isinstance(node, Function) and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not found, listed(found)


@pytest.mark.parametrize("room", rooms())
def test_a_class_does_one_thing(room: str) -> None:
    found = []
    for file, node in nodes(room):
        if isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, Function)]
            counted = [method for method in methods if node.name not in FACADES or not hands_on(method)]
            if len(counted) > MOST_METHODS:
                found.append(f"{file}: {node.name} has {len(counted)} methods")
    assert not found, listed(found)


def hands_on(method: Function) -> bool:
    """Whether a method is one statement after its docstring."""
    return len(method.body) - (ast.get_docstring(method) is not None) <= 1


@pytest.mark.parametrize("room", rooms())
def test_a_long_file_says_why_in_its_first_line(room: str) -> None:
    found = [
        f"{path.name} has {length} lines"
        for path in files_of(room)
        if (length := path.read_text(encoding="utf-8").count("\n")) > LONGEST_FILE and "because" not in opening(path)
    ]
    assert not found, listed(found)


# -- what they import


@pytest.mark.parametrize("room", rooms())
def test_an_import_that_waits_says_why(room: str) -> None:
    """An import in a function or under TYPE_CHECKING has a comment beside it, or beside another of its group."""
    found = []
    for path in files_of(room):
        reasons = reasons_in(path)
        for group in groups_that_wait(parsed(path)):
            lines = range(group[0].lineno - 1, (group[-1].end_lineno or 0) + 1)
            if reasons.isdisjoint(lines):
                found.append(f"{path.name}:{group[0].lineno}: {ast.unparse(group[0])}")
    assert not found, listed(found)


def groups_that_wait(tree: ast.Module) -> list[list[ast.stmt]]:
    """Imports that are not run when the module loads, in file order; adjacent ones form a group."""
    waiting = [
        node
        for node in ast.walk(tree)
        if isinstance(node, Function) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ]
    found: dict[int, list[ast.stmt]] = {}
    for scope in waiting:
        for node in ast.walk(scope):
            for block in (getattr(node, name, []) for name in ("body", "orelse", "finalbody")):
                for group in side_by_side(block if isinstance(block, list) else []):
                    found[group[0].lineno] = group
    return [found[line] for line in sorted(found)]


def test_imports_that_wait_are_found_wherever_they_stand() -> None:
    text = (
        "import a\nif TYPE_CHECKING:\n    import b\ndef f():\n    import c\n    import d\n    if x:\n        import e\n"
    )
    found = groups_that_wait(ast.parse(text))
    assert [[ast.unparse(part) for part in group] for group in found] == [
        ["import b"],
        ["import c", "import d"],
        ["import e"],
    ]


def side_by_side(block: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    group: list[ast.stmt] = []
    for statement in [*block, None]:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            group.append(statement)
        elif group:
            yield group
            group = []


def reasons_in(path: Path) -> set[int]:
    """The lines with a comment for people, not for tools."""
    text = path.read_text(encoding="utf-8")
    return {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and not re.match(r"#\s*(noqa|type:|fmt:)[^-]*$", token.string)
    }


@pytest.mark.parametrize("room", rooms())
def test_what_is_private_is_used_in_its_own_file(room: str) -> None:
    found = [
        f"{file}:{node.lineno}: {alias.name} of {node.module}"
        for file, node in nodes(room)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if is_private(alias.name)
    ]
    for path in files_of(room):
        imported = modules_imported(parsed(path))
        found += [
            f"{path.name}:{node.lineno}: {node.value.id}.{node.attr}"
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.Attribute) and is_private(node.attr)
            if isinstance(node.value, ast.Name) and node.value.id in imported
        ]
    assert not found, listed(found)


def modules_imported(tree: ast.Module) -> set[str]:
    """The names under which our modules and classes are imported."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("tinynets", "tui")
        for alias in node.names
    }


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


# -- how they are named


@pytest.mark.parametrize("room", rooms())
def test_a_file_says_in_a_sentence_what_it_is(room: str) -> None:
    found = [f"{path.name}: {opening(path)!r}" for path in files_of(room) if not opening(path).endswith(".")]
    assert not found, listed(found)


@pytest.mark.parametrize("top", HOUSE, ids=lambda top: top.name)
def test_tests_lie_where_what_they_test_lies(top: Path) -> None:
    """Tests are in the folder they test, or beside it; shared code is in tests/helpers, fixtures are in a conftest."""
    tests = TESTS / top.name
    names = OF_THE_WHOLE[top.name] | {path.stem for path in top.glob("*.py")}
    found = []
    for path in sorted(tests.rglob("*.py")):
        folder = path.parent.relative_to(tests)
        if not (top / folder).is_dir():
            found.append(f"{folder} is no folder of {top.name}")
        elif path.name != "conftest.py" and path.name not in BY_HAND:
            named = path.stem.removeprefix("test_")
            if named == path.stem or (folder == Path() and named not in names):
                found.append(path.relative_to(tests).as_posix())
    assert not found, listed(found)


@pytest.mark.parametrize("folder", [*(TESTS / top.name for top in HOUSE), HELPERS], ids=lambda folder: folder.name)
def test_tests_say_in_a_sentence_what_they_are_of(folder: Path) -> None:
    found = [path.relative_to(TESTS).as_posix() for path in sorted(folder.rglob("*.py")) if not opening(path)]
    assert not found, listed(found)
