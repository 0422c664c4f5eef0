"""Find forbidden shortcuts: library calls that a sheet asks the student to write.

The solution's syntax tree is read, not run. Names are followed through imports, aliases and the
student's own helper functions, so that an exercise is charged for what it uses and for nothing
else. Comments and strings cost nothing.
"""

import ast
import symtable
from collections import ChainMap
from collections.abc import Iterable, Mapping

from autograder.bindings import UNPARSABLE, bound_by, statements

# An alias of an alias of an alias grows; no honest dotted name is longer.
_MAX_NAME = 200


def find_shortcuts(
    sources: Iterable[str], exercises: Iterable[str], forbidden: Iterable[str]
) -> dict[str, list[str]]:
    """The forbidden dotted names that each exercise uses, directly or through helpers.

    Args:
        sources: the student's code cells, in order.
        exercises: names of the graded functions.
        forbidden: dotted prefixes, such as `torchvision.ops`.

    Returns: exercises that use any, with the sorted dotted names that they use.

    >>> code = "from torchvision.ops import nms as other\\nnms = other"
    >>> find_shortcuts([code], ["nms"], ["torchvision.ops"])
    {'nms': ['torchvision.ops.nms']}
    """
    prefixes = tuple(forbidden)
    exercises = list(exercises)
    parsed = [statement for source in sources for statement in statements(source)]
    aliases: dict[str, str] = {}
    for statement in parsed:
        nodes = _at_top_level(statement)
        aliases |= _aliases(nodes, aliases) | _below_a_star(nodes, prefixes)
    used: dict[str, set[str]] = {}
    for statement in parsed:
        names = _names_used(statement, aliases)
        # `from module import *` may bind any exercise's name: it counts for all of them.
        bound = exercises if "*" in bound_by(statement) else bound_by(statement)
        for name in bound:
            used.setdefault(name, set()).update(names)
    result = {}
    for exercise in exercises:
        found = {name for name in _reachable(exercise, used) if _matches(name, prefixes)}
        if found:
            # `torchvision.ops.nms` is a use of `torchvision.ops` too: name it once.
            wholes = {name for name in found for other in found if other.startswith(f"{name}.")}
            result[exercise] = sorted(found - wholes)
    return result


def _at_top_level(statement: ast.stmt) -> list[ast.AST]:
    """The statement's nodes that are not inside a function or class of it."""
    nodes: list[ast.AST] = []
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            nodes.append(node)
            waiting += ast.iter_child_nodes(node)
    return nodes


def _aliases(nodes: Iterable[ast.AST], known: dict[str, str]) -> dict[str, str]:
    """Local name → dotted name, from imports and from assignments such as `ops = torchvision.ops`.

    Args:
        known: aliases that hold where the nodes stand.
    """
    found: dict[str, str] = {}
    for node in nodes:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    whole = alias.name if alias.asname else alias.name.partition(".")[0]
                    found[alias.asname or whole] = whole
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    found[alias.asname or alias.name] = f"{module}.{alias.name}"
            case ast.Assign(targets=[ast.Name(id=target)], value=value):
                dotted, both = _dotted(value), ChainMap(found, known)
                if dotted.partition(".")[0] in both and len(dotted) <= _MAX_NAME:
                    found[target] = _resolved(dotted, both)[:_MAX_NAME]
    return found


def _below_a_star(nodes: Iterable[ast.AST], prefixes: Iterable[str]) -> dict[str, str]:
    """What `from math import *` binds of what is forbidden: `fsum` for `math.fsum`."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            for prefix in prefixes:
                name = prefix.removeprefix(f"{node.module}.").partition(".")[0]
                if prefix.startswith(f"{node.module}."):
                    found[name] = f"{node.module}.{name}"
    return found


def _names_used(statement: ast.stmt, aliases: dict[str, str]) -> set[str]:
    """Every name and attribute chain in the statement, aliases resolved.

    A function's own variables are not names of the notebook, even where they are spelt the same.
    """
    nodes = list(ast.walk(statement))
    local = _aliases(nodes, aliases)
    from_outside = _looked_up_outside(statement)
    names = {value for value in local.values() if "." in value}
    inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        dotted = _dotted(node) if id(node) not in inner else ""
        head = dotted.partition(".")[0]
        if head in local:
            names.add(_resolved(dotted, local))
        elif head and (from_outside is None or head in from_outside):
            names |= {dotted, _resolved(dotted, aliases)}
    return names


def _looked_up_outside(statement: ast.stmt) -> set[str] | None:
    """Names that the statement looks up in the notebook; None where that cannot be said."""
    try:
        scopes = [symtable.symtable(ast.unparse(statement), "cell", "exec")]
    except UNPARSABLE:
        return None
    names = set()
    for scope in scopes:
        scopes += scope.get_children()
        whole = scope.get_type() == "module"
        names |= {
            symbol.get_name() for symbol in scope.get_symbols() if whole or symbol.is_global()
        }
    return names


def _dotted(node: ast.AST) -> str:
    """`torchvision.ops.nms`, or "" for what is no such chain."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _resolved(dotted: str, aliases: Mapping[str, str]) -> str:
    head, dot, rest = dotted.partition(".")
    return f"{aliases.get(head, head)}{dot}{rest}"


def _reachable(start: str, used: dict[str, set[str]]) -> set[str]:
    """All dotted names that `start` uses, following names that the student bound."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in used.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name.partition(".")[0])
    return seen


def _matches(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)
