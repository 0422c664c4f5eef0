"""Library calls that a sheet asks the student to write, made unusable for graded functions.

A deterrent, not a lock: the sheet's author is told of honest use by the syntax tree already
(`autograder.shortcuts`); this stops the detours that no tree shows.
"""

import functools
import importlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

_OURS = "detseg."


class ShortcutError(Exception):
    """A forbidden library call was made on behalf of a graded function."""


class Blocker:
    """Wraps the named functions; once `active`, they refuse to be called from a notebook's code.

    Args:
        forbidden: dotted names of functions, or of modules and operator namespaces, all of whose
            functions are meant.
        namespace: the notebook's, by which its code is recognised.
    """

    def __init__(self, forbidden: list[str], namespace: dict[str, Any]) -> None:
        self.active = False
        self._namespace = namespace
        for name in forbidden:
            self._block(name)

    def _block(self, name: str) -> None:
        target = _resolve(name)
        parent_name, _, attribute = name.rpartition(".")
        if name.startswith("torch.ops.") and isinstance(target, types.ModuleType):
            guarded = _GuardedOperators(target, name, self._check)
            setattr(_resolve(parent_name), attribute, guarded)
        elif isinstance(target, types.ModuleType):
            for module, key, function in _functions_below(name):
                setattr(module, key, self._wrapped(function, f"{name}.{key}"))
        elif callable(target):
            wrapped = self._wrapped(target, name)
            setattr(_resolve(parent_name), attribute, wrapped)
            for module, key in _places_of(target, name.partition(".")[0]):
                setattr(module, key, wrapped)

    def _wrapped(self, function: Callable, name: str) -> Callable:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._check(name)
            return function(*args, **kwargs)

        del guarded.__wrapped__
        return guarded

    def _check(self, name: str) -> None:
        if not self.active:
            return
        frame = sys._getframe(2)
        while frame is not None:
            if frame.f_globals is self._namespace:
                raise ShortcutError(name)
            if f"{frame.f_globals.get('__name__')}.".startswith(_OURS):
                return
            frame = frame.f_back  # type: ignore[assignment]
        # Nobody's: the notebook gave the tests the library's own function, or a thread calls it.
        raise ShortcutError(name)


class _GuardedOperators:
    """`torch.ops.<library>`, looked up by a notebook's code only while that is allowed."""

    def __init__(self, operators: Any, name: str, check: Callable[[str], None]) -> None:
        self._operators = operators
        self._name = name
        self._check = check

    def __getattr__(self, attribute: str) -> Any:
        self._check(f"{self._name}.{attribute}")
        return getattr(self._operators, attribute)


def _resolve(name: str) -> Any:
    """The object of a dotted name: its longest part that is a module, then attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found
    return None


def _functions_below(prefix: str) -> Iterator[tuple[types.ModuleType, str, Callable]]:
    """Functions that a module or one below it defines, wherever its package holds them."""
    package = prefix.partition(".")[0]
    for module in _modules(package):
        for key, value in list(vars(module).items()):
            home = f"{getattr(value, '__module__', '')}."
            if isinstance(value, types.FunctionType) and home.startswith(f"{prefix}."):
                yield module, key, value


def _places_of(function: object, package: str) -> Iterator[tuple[types.ModuleType, str]]:
    for module in _modules(package):
        for key, value in list(vars(module).items()):
            if value is function:
                yield module, key


def _modules(package: str) -> list[types.ModuleType]:
    return [
        module
        for name, module in list(sys.modules.items())
        if isinstance(module, types.ModuleType) and f"{name}.".startswith(f"{package}.")
    ]
