"""What a test cell may use, since it runs twice: in the student's notebook, and apart from it.

`solutions/README.md` says the same to authors.
"""

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

from autograder.bindings import bound_names, parse
from autograder.cells import is_test
from autograder.errors import SheetError
from autograder.sheet_rules import numbered
from autograder.sheets import Sheet

# They ask about the process that they run in, which is not the student's.
_OF_THE_PROCESS = {"get_ipython", "globals", "locals", "vars", "display", "inspect", "__main__"}

_ABOUT_CLASSES = {"isinstance", "issubclass"}


def check_tests(sheet: Sheet, path: Path) -> None:
    """Refuse tests that could not run apart from the student's code.

    Raises:
        SheetError: the message names file, cell, line and rule.
    """
    theirs = set(sheet.names)
    known = theirs | bound_names(sheet.setup) | set(dir(builtins)) | {"__name__"}
    for where, cell in numbered(sheet.notebook, path):
        if is_test(cell):
            for line, problem in _problems(parse(cell.source), known, theirs):
                raise SheetError(f"{where}, line {line}: {problem}; see solutions/README.md")


def _problems(tree: ast.Module, known: set[str], theirs: set[str]) -> Iterator[tuple[int, str]]:
    own = set(_bound_anywhere(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(a.name in _OF_THE_PROCESS for a in names):
                yield node.lineno, f"tests do not import {names[0].name}"
            case ast.Name(id=name, ctx=ast.Load()):
                if name in _OF_THE_PROCESS:
                    yield node.lineno, f"tests do not use '{name}'"
                elif name not in known | own:
                    yield (
                        node.lineno,
                        f"'{name}' is neither an exercise's name, nor from a cell that prepares "
                        "the tests, nor the test's own",
                    )
            case ast.Call(func=ast.Name(id=about), args=[_, kind]) if about in _ABOUT_CLASSES:
                if _names(kind) & theirs:
                    yield node.lineno, f"{about}() cannot know a class that the student defines"


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _bound_anywhere(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
