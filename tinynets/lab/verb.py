"""Verbs: what they are, how a method becomes one, and the line of Python that calls one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, TypeVar, get_args, get_type_hints

from tinynets.edits.edit import literal
from tinynets.edits.kinds import Argument, Kind, usage

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Verb:
    """A verb, something that can be typed: how it is written, what it does, and how callers must treat it."""

    name: str
    group: str
    help: str
    arguments: tuple[Argument, ...] = ()
    method: str = ""
    """Its name in Python, if it differs."""
    part: type | None = None
    """The part of a lab that does it; None for the short form of another verb, or for verbs of an app alone."""
    fixed: tuple[Any, ...] = ()
    """Arguments that it stands for: `lr 0.01` is `set("lr", 0.01)`."""
    open_ended: bool = False
    """It takes `name=value` arguments of any name; they are checked where they are used."""
    takes_steps: bool = False
    """It computes steps, forward or again from a keyframe: the engine is running meanwhile."""
    lets_run: bool = False
    """A run goes on after it; all others pause it."""
    shows: bool = False
    """Its answer is shown in full."""
    read: bool = False
    """It is an attribute in Python: `lab.log`."""
    after: str = ""
    """The verb after which it is listed, if that belongs to another part."""

    @property
    def python(self) -> str:
        """Its name in Python."""
        return self.method or self.name

    @property
    def usage(self) -> str:
        """How it is written on a command line."""
        return usage(self.name, self.arguments, open_ended=self.open_ended)

    @property
    def asks(self) -> bool:
        """Whether it takes arguments."""
        return bool(self.arguments) or self.open_ended

    @property
    def placed(self) -> tuple[Argument, ...]:
        """The positional arguments."""
        return tuple(argument for argument in self.arguments if not argument.named)

    @property
    def named(self) -> tuple[Argument, ...]:
        """The arguments given as `name=value`."""
        return tuple(argument for argument in self.arguments if argument.named)


@dataclass(frozen=True)
class _Marked:
    """What `verb` notes on a method."""

    group: str
    help: str
    name: str
    how: dict[str, Any]


def verb(
    group: str,
    help_: str,
    *,
    name: str = "",
    takes_steps: bool = False,
    lets_run: bool = False,
    shows: bool = False,
    read: bool = False,
    after: str = "",
) -> Callable[[Method], Method]:
    """Make a method of a lab's part a verb; the kinds of its arguments come from their annotations.

    `name`: what is typed, if it differs from the method's name. For the others see `Verb`.
    """

    def mark(method: Method) -> Method:
        how = {"takes_steps": takes_steps, "lets_run": lets_run, "shows": shows, "read": read, "after": after}
        method.__dict__["verb"] = _Marked(group, help_, name, how)
        return method

    return mark


def verbs_of(part: type) -> Iterator[Verb]:
    """The verbs among the methods of a lab's part, in the order of definition."""
    for name, method in vars(part).items():
        marked = getattr(method, "verb", None)
        if isinstance(marked, _Marked):
            typed, called = marked.name or name, name if marked.name else ""
            yield Verb(typed, marked.group, marked.help, _arguments(method), called, part, **marked.how)


def _arguments(method: Callable[..., Any]) -> tuple[Argument, ...]:
    """A method's arguments, each with the kind in its annotation."""
    hints = get_type_hints(method, include_extras=True)
    made = []
    for parameter in list(signature(method).parameters.values())[1:]:
        (kind,) = (entry for entry in get_args(hints[parameter.name]) if isinstance(entry, Kind))
        named = parameter.kind is Parameter.KEYWORD_ONLY
        made.append(Argument(parameter.name, kind, required=parameter.default is parameter.empty, named=named))
    return tuple(made)


def call_line(method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """The line of Python that calls a method of a lab: `lab.zero("hidden[3]")`; `open` makes the lab."""
    parts = [literal(value) for value in args]
    parts += [f"{name}={literal(value)}" for name, value in kwargs.items()]
    called = "lab = tn.Lab" if method == "open" else f"lab.{method}"
    return f"{called}({', '.join(parts)})"
