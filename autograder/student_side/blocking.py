"""Library calls that a sheet asks the student to write, made unusable for graded functions.

A deterrent, not a lock: the sheet's author is told of honest use by the syntax tree already
(`autograder.shortcuts`); this stops the detours that no tree shows.
"""

import functools
import sys
import types
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

_OURS = "detseg."


class ShortcutError(Exception):
    """A forbidden library call was made on behalf of a graded function."""


class Blocker(MetaPathFinder):
    """Wraps the named functions; once `active`, they refuse to be called from a notebook's code.

    A forbidden module that nobody has imported yet is not imported for this, which may take
    seconds: its functions are wrapped when a notebook imports it.

    Args:
        forbidden: dotted names of functions, or of modules and operator namespaces, all of whose
            functions are meant.
        namespace: the notebook's, by which its code is recognised.
    """

    def __init__(self, forbidden: list[str], namespace: dict[str, Any]) -> None:
        self.active = False
        self._namespace = namespace
        self._forbidden = forbidden
        self._made: dict[int, Callable] = {}  # its own wrappers, by identity
        self._block(forbidden, _modules({name.partition(".")[0] for name in forbidden}))
        sys.meta_path.insert(0, self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """How others load a module; if forbidden functions come with it, they are wrapped."""
        inside = [name for name in self._forbidden if _is_in(fullname, name)]
        on_the_way = [name for name in self._forbidden if _is_in(name, fullname)]
        if not inside and not on_the_way:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((each for each in found if each), None)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_block(module: types.ModuleType) -> None:
                load(module)
                modules = _modules({fullname.partition(".")[0]}) if on_the_way else [module]
                self._block(inside + on_the_way, modules)

            spec.loader.exec_module = load_and_block  # type: ignore[method-assign]
        return spec

    def _block(self, names: list[str], modules: list[types.ModuleType]) -> None:
        """Wrap what is there under these names, wherever these modules hold it."""
        functions: dict[int, Callable] = {}
        whole: list[str] = []
        for name in names:
            target = _resolve(name)
            parent_name, _, attribute = name.rpartition(".")
            if isinstance(target, types.ModuleType):
                if name.startswith("torch.ops."):
                    guarded = _GuardedOperators(target, name, self._check)
                    setattr(_resolve(parent_name), attribute, guarded)
                else:
                    whole.append(name)
            elif callable(target) and not self._is_ours(target):
                functions[id(target)] = self._wrapped(target, name)
                setattr(_resolve(parent_name), attribute, functions[id(target)])
        for module in modules:
            for key, value in list(vars(module).items()):
                if id(value) in functions:
                    setattr(module, key, functions[id(value)])
                elif whole and type(value) is types.FunctionType and not self._is_ours(value):
                    prefix = next((each for each in whole if _is_in(value.__module__, each)), None)
                    if prefix:
                        setattr(module, key, self._wrapped(value, f"{prefix}.{key}"))

    def _is_ours(self, function: Callable) -> bool:
        return self._made.get(id(function)) is function

    def _wrapped(self, function: Callable, name: str) -> Callable:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._check(name)
            return function(*args, **kwargs)

        del guarded.__wrapped__
        self._made[id(guarded)] = guarded
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
    """The object of a dotted name: its longest part that is imported, then attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        found: Any = sys.modules.get(".".join(parts[:length]))
        if found is not None:
            for part in parts[length:]:
                found = getattr(found, part, None)
            return found
    return None


def _modules(packages: set[str]) -> list[types.ModuleType]:
    return [
        module
        for name, module in list(sys.modules.items())
        if isinstance(module, types.ModuleType) and name.partition(".")[0] in packages
    ]


def _is_in(name: str, module: str) -> bool:
    """Whether a dotted name is a module's, or that of something below it."""
    return f"{name}.".startswith(f"{module}.")
