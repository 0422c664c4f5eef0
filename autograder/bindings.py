"""Which names a student's code binds, read from its syntax tree without running it."""

import ast
from collections.abc import Iterable


def bound_names(sources: Iterable[str]) -> set[str]:
    """Names that code binds at its top level: definitions, imports, assignments.

    >>> sorted(bound_names(["def f(): pass", "import torch as t; a, b = 1, 2"]))
    ['a', 'b', 'f', 't']
    """
    names: set[str] = set()
    for source in sources:
        try:
            body = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError):
            continue
        for statement in body:
            names |= bound_by(statement)
    return names


def bound_by(statement: ast.stmt) -> set[str]:
    """Names that one top-level statement binds, inside its branches and loops too."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name.partition(".")[0] for alias in aliases}
    names = set()
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.stmt):
            names |= bound_by(node)
        else:
            names |= {
                inner.id
                for inner in ast.walk(node)
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
            }
    return names
