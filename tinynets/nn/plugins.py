"""Layers and losses of the user's own: registered by the caller, named in saves with the hash of their source.

`register(MyLayer)` makes a class known to recipes and saves under its `kind`. `load_plugin` (`--plugin FILE`) loads a
file of such classes. Reading a save never runs code: what it names must have been registered before.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeVar

from tinynets.errors import PluginError, SaveError, TinynetsError, UnsupportedSave, in_words
from tinynets.nn.layers import LAYERS, Layer
from tinynets.nn.losses import LOSSES, FunctionLoss, Loss, function_loss, is_registered
from tinynets.nn.network import Network
from tinynets.numerics.arrays import is_flat
from tinynets.system.paths import expanded_path, unusable

NEEDED_OF_LAYERS = ("forward", "backward")
NEEDED_OF_LOSSES = ("targets", "allocate", "value", "gradient", "each")

Thing = TypeVar("Thing", bound=Callable[..., Any])


@dataclass(frozen=True)
class Registration:
    """A registered thing: `layer` or `loss`, its kind, and the sha256 of its source ("" without source)."""

    family: str
    kind: str
    sha256: str
    origin: str
    """Module and name, to tell a new version of a thing from another thing of the same kind."""


_OWN: dict[tuple[str, str], Registration] = {}


def register(thing: Thing, kind: str = "") -> Thing:
    """Register a Layer class, a Loss class or a loss function by its kind; returns it, so it can be a decorator.

    The kind of a function (out, y) -> (value, gradient) is `kind`, or else its name. Registering again replaces the
    earlier version. Errors raised by a registered class become PluginErrors that name it. Raises PluginError for
    anything else, for a missing kind or method, or where another thing has that kind.
    """
    family, made = _classified(thing, kind)
    known: dict[str, Any] = LAYERS if family == "layer" else LOSSES
    origin = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"
    own = Registration(family, made.kind, source_hash(thing), origin)
    before = _OWN.get((family, made.kind))
    if made.kind in known and (before is None or before.origin != origin):
        owner = "tinynets" if before is None else before.origin
        raise PluginError(f"the {family} kind `{made.kind}` is taken by {owner}; give yours another `kind`")
    known[made.kind] = made
    _OWN[family, made.kind] = own
    if isinstance(thing, type):
        _tell_errors(thing, family)
    return thing


def _classified(thing: Any, kind: str) -> tuple[str, Any]:
    """`layer` or `loss`, and the class."""
    name = getattr(thing, "__name__", repr(thing))
    if isinstance(thing, type) and issubclass(thing, Layer | Loss):
        if kind and kind != thing.kind:
            raise PluginError(f"`{name}`: a class says its own `kind`; it cannot be registered as `{kind}`")
        if not _is_kind(thing.__dict__.get("kind")):
            raise PluginError(f'`{name}` needs a `kind` of its own: a word such as kind = "{name.lower()}"')
        _check_methods(thing)
        return ("layer" if issubclass(thing, Layer) else "loss"), thing
    if isinstance(thing, type) or not callable(thing):
        raise PluginError(f"what can be registered is a Layer, a Loss or a function as loss, not `{name}`")
    if not _is_kind(kind or name):
        raise PluginError(f'a function needs a name to be registered by, such as kind="my-loss", not `{kind or name}`')
    return "loss", function_loss(thing, kind or name)


def _check_methods(thing: type) -> None:
    """Raise PluginError where a class lacks a method that its base leaves to it."""
    base, needed = (Layer, NEEDED_OF_LAYERS) if issubclass(thing, Layer) else (Loss, NEEDED_OF_LOSSES)
    if issubclass(thing, Layer) and thing.expand is not Layer.expand:  # a container: the layers inside have the methods
        return
    missing = [name for name in needed if getattr(thing, name) is getattr(base, name)]
    if missing:
        raise PluginError(f"`{thing.__name__}` needs a method `{missing[0]}` of its own")


def _tell_errors(thing: type, family: str) -> None:
    """Wrap a registered class's methods so that they raise PluginErrors that name it; tinynets' own stay bare."""
    for name, method in list(vars(thing).items()):
        ours = inspect.isfunction(method) and hasattr(Layer if family == "layer" else Loss, name)
        if ours and not hasattr(method, "__wrapped__"):
            setattr(thing, name, _telling(method, family))


def _telling(method: Callable[..., Any], family: str) -> Callable[..., Any]:
    @wraps(method)
    def told(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except TinynetsError:
            raise
        except Exception as error:
            name = getattr(self, "name", "") or self.kind
            raise PluginError(f"the {family} `{name}` failed in `{method.__name__}`: {in_words(error)}") from error

    return told


def _is_kind(kind: object) -> bool:
    return isinstance(kind, str) and kind.replace("-", "_").isidentifier()


def source_hash(thing: Any) -> str:
    """sha256 of a class's or function's source; empty if there is no source file (typed at a prompt)."""
    try:
        return hashlib.sha256(dedent(inspect.getsource(thing)).encode()).hexdigest()
    except (OSError, TypeError):
        return ""


# -- files


def load_plugin(path: str | Path) -> tuple[str, ...]:
    """Run a Python file and register the layers and losses that it defines; returns their kinds.

    Classes with a `kind` are registered automatically; functions only where the file calls `tn.register`. Raises
    PluginError in one line if the file is missing, cannot be run or defines nothing, or if a kind is taken.
    """
    file = expanded_path(path)
    if why := unusable(file):
        raise PluginError(f"plugin `{path}` cannot be read: {why}")
    if not os.path.isfile(file):
        raise PluginError(f"plugin `{path}`: there is no such file")
    name = f"tinynets_plugin_{hashlib.sha256(os.fsencode(file.resolve())).hexdigest()[:12]}"
    if name in sys.modules:
        return _kinds_of(name)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"plugin `{path}` is not a Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        for thing in list(vars(module).values()):
            if _is_own_class(thing, name):
                register(thing)
        if not _kinds_of(name):
            raise PluginError("it defines no layer and no loss (a class with a `kind`)")
    except BaseException as error:
        _forget(name)
        if isinstance(error, PluginError):
            raise PluginError(f"plugin `{path}`: {error}") from None
        if isinstance(error, SyntaxError):
            raise PluginError(f"plugin `{path}`, line {error.lineno}: {error.msg}") from None
        if isinstance(error, Exception | SystemExit):
            raise PluginError(f"plugin `{path}`: {in_words(error)}") from None
        raise
    return _kinds_of(name)


def _is_own_class(thing: Any, module: str) -> bool:
    own = isinstance(thing, type) and issubclass(thing, Layer | Loss) and thing.__module__ == module
    return own and bool(thing.__dict__.get("kind"))


def _kinds_of(module: str) -> tuple[str, ...]:
    return tuple(own.kind for own in _OWN.values() if own.origin.startswith(f"{module}."))


def _forget(module: str) -> None:
    """Unregister what a file registered before it failed."""
    del sys.modules[module]
    for key, own in list(_OWN.items()):
        if own.origin.startswith(f"{module}."):
            del _OWN[key]
            (LAYERS if own.family == "layer" else LOSSES).pop(own.kind)


# -- in labs and saves


def check_layers(network: Network) -> None:
    """Raise PluginError where a network has a layer that cannot be made from its description."""
    for kind in sorted(kinds_in(network.architecture)):
        if kind not in LAYERS:
            names = [type(layer).__name__ for layer in network.layers if layer.kind == kind]
            name = names[0] if names else kind
            raise PluginError(
                f"the layer `{name}` (kind `{kind}`) is not registered; before the Lab: tn.register({name})"
            )


def kinds_in(architecture: Any) -> set[str]:
    """The kinds of all layers in plain descriptions, including those inside containers."""
    if isinstance(architecture, dict):
        inside = (kinds_in(value) for key, value in architecture.items() if not key.endswith("_init"))
        own = {architecture["kind"]} if isinstance(architecture.get("kind"), str) else set()
        return own.union(*inside)
    if not isinstance(architecture, list | tuple) or is_flat(architecture):
        return set()
    return set[str]().union(*map(kinds_in, architecture))


def own_things(architectures: Iterable[Any], loss: Loss) -> list[dict[str, str]]:
    """The user's own layers and loss, which a save must name, with their hashes.

    Raises SaveError where one is not registered or has no source.
    """
    if not is_registered(loss):
        what = "a plain function" if isinstance(loss, FunctionLoss) else "of your own"
        raise SaveError(f"the loss `{loss.kind}` is {what} and not registered, so no save can name it: tn.register it")
    own_loss = [_named(("loss", loss.kind))] if ("loss", loss.kind) in _OWN else []
    return own_layers(architectures) + own_loss


def own_layers(architectures: Iterable[Any]) -> list[dict[str, str]]:
    """The same for layers only."""
    kinds = sorted(set[str]().union(*map(kinds_in, architectures)))
    return [_named(("layer", kind)) for kind in kinds if ("layer", kind) in _OWN]


def _named(key: tuple[str, str]) -> dict[str, str]:
    own = _OWN[key]
    if not own.sha256:
        raise SaveError(f"the {own.family} `{own.kind}` has no source to be found; define it in a file")
    return {"family": own.family, "kind": own.kind, "sha256": own.sha256}


def check_saved(file: str, named: Iterable[tuple[str, str, str]]) -> None:
    """Raise UnsupportedSave if a thing named in a save (family, kind, sha256) is not registered here, or differs."""
    for family, kind, sha256 in named:
        own = _OWN.get((family, kind))
        if own is None:
            raise UnsupportedSave(
                f"`{file}` needs the {family} `{kind}`, which is not registered: tn.register it first, or --plugin FILE"
            )
        if own.sha256 != sha256:
            raise UnsupportedSave(
                f"`{file}` needs the {family} `{kind}` with source {sha256[:12]}...; "
                f"the one registered here has {own.sha256[:12] or 'none'}..."
            )


def is_own(family: str, kind: str) -> bool:
    """Whether a user registered something of that kind."""
    return (family, kind) in _OWN
