"""Which names a student's code binds, read from its syntax tree without running it."""

import ast
import re
import threading
from collections.abc import Iterable

# What a parser of a student's code may say to it; very deep code exhausts its memory or stack.
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)

# Before 3.12 the counter of a tree's depth is shared: threads that make trees disturb each other.
_one_tree_at_a_time = threading.Lock()

# Magics, shell lines and questions, `%time`, `!ls`, `nms?`, and what is assigned from one.
_IPYTHON_LINE = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*)$", re.M)
_IPYTHON_VALUE = re.compile(r"^([\w., \t]+=)[ \t]*[%!].*$", re.M)


def parse(source: str, filename: str = "<cell>") -> ast.Module:
    """The syntax tree of Python code, in any thread.

    Raises:
        one of UNPARSABLE: it is none.
    """
    with _one_tree_at_a_time:
        return ast.parse(source, filename)


def statements(source: str) -> list[ast.stmt]:
    """The top-level statements of a cell; of one with IPython's own syntax, those around it.

    >>> [type(statement).__name__ for statement in statements("%%time\\nx = !ls\\nf(x)")]
    ['Pass', 'Assign', 'Expr']
    """
    plain = _IPYTHON_VALUE.sub(r"\1 None", _IPYTHON_LINE.sub(r"\1pass", source))
    for text in (source, plain):
        try:
            return parse(text).body
        except UNPARSABLE:
            continue
    return []


def bound_names(sources: Iterable[str]) -> set[str]:
    """Names that code binds at its top level: definitions, imports, assignments.

    >>> sorted(bound_names(["def f(): pass", "import torch as t; a, b = 1, 2"]))
    ['a', 'b', 'f', 't']
    """
    return {
        name
        for source in sources
        for statement in statements(source)
        for name in bound_by(statement)
    }


def looked_up(source: str) -> set[str] | None:
    """Names that plain Python code looks up; None where it is not plain Python.

    >>> sorted(looked_up("x = f(y)")), looked_up("%time f()")
    (['f', 'y'], None)
    """
    try:
        nodes = ast.walk(parse(source))
    except UNPARSABLE:
        return None
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def bound_by(statement: ast.stmt) -> set[str]:
    """Names that one top-level statement binds: in its branches, loops and handlers too, and
    those that a function declares global."""
    names: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
                for inner in ast.walk(node):
                    names.update(inner.names if isinstance(inner, ast.Global) else ())
            case ast.Import() | ast.ImportFrom():
                names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            case ast.MatchAs(name=str(captured)) | ast.MatchStar(name=str(captured)):
                names.add(captured)
                waiting += ast.iter_child_nodes(node)
            case ast.Lambda():
                continue
            case ast.comprehension():  # its target is bound inside it alone
                waiting += [node.iter, *node.ifs]
            case _:
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    names.add(node.id)
                waiting += ast.iter_child_nodes(node)
    return names
