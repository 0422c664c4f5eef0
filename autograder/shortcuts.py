"""Find forbidden shortcuts: library calls that a sheet asks the student to write.

The solution's syntax tree is read, not run. Names are followed through imports, aliases and the
student's own helper functions, so that an exercise is charged for what it uses and for nothing
else. Comments and strings cost nothing.
"""

import ast
from collections.abc import Iterable

from autograder.bindings import bound_by


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
    aliases: dict[str, str] = {}
    used: dict[str, set[str]] = {}
    statements = [statement for source in sources for statement in _statements(source)]
    for statement in statements:
        for node in ast.walk(statement):
            aliases |= _imported(node)
    for statement in statements:
        names = _dotted_names(statement, aliases)
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


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        # IPython's magics and shell lines are no Python; the rest of the cell is.
        lines = [
            line for line in source.split("\n") if not line.lstrip().startswith(("%", "!", "?"))
        ]
        try:
            return ast.parse("\n".join(lines)).body
        except (SyntaxError, ValueError, RecursionError):
            return []


def _imported(node: ast.AST) -> dict[str, str]:
    """Local name → dotted name, for one import statement."""
    if isinstance(node, ast.Import):
        return {alias.asname: alias.name for alias in node.names if alias.asname}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return {}


def _dotted_names(tree: ast.AST, aliases: dict[str, str]) -> set[str]:
    """Every name and attribute chain in the tree, import aliases resolved."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            dotted = _dotted(node)
            if dotted:
                head, _, rest = dotted.partition(".")
                names.add(".".join(filter(None, [aliases.get(head, head), rest])))
        names |= set(_imported(node).values())
    return names


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = _dotted(node.value)
        return f"{head}.{node.attr}" if head else None
    return None


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
