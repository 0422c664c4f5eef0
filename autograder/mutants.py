"""Mutants of a reference solution: small changes that a good test notices.

Tools such as mutmut and cosmic-ray mutate modules under a pytest suite; here the code is a
notebook cell under a notebook's tests, and the changes are those that people make in tensor code
(axes, boundaries, signs, forgotten clamps), so the operators are written for that.
"""

import ast
import difflib
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

from autograder.bindings import parse

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
}
_TWINS = {
    "maximum": "minimum",
    "max": "min",
    "amax": "amin",
    "argmax": "argmin",
    "zeros": "ones",
    "zeros_like": "ones_like",
    "sum": "mean",
    "floor": "ceil",
    "any": "all",
    "logical_and": "logical_or",
}
_TWINS |= {right: left for left, right in _TWINS.items()}
# Methods that return their own tensor, changed a little: forgetting one is a likely mistake.
_FORGETTABLE = {
    "abs", "clamp", "clip", "clone", "contiguous", "detach", "double", "exp", "float", "log",
    "long", "round", "sigmoid", "softmax", "sqrt", "square", "flip", "sort",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One changed solution cell. `before` and `after` are the lines that differ."""

    exercise: str
    before: str
    after: str
    code: str


def mutants(exercise: str, source: str) -> list[Mutant]:
    """All mutants of a solution cell, each with one change, no two with the same code.

    >>> [(m.before, m.after) for m in mutants("f", "def f(x):\\n    return x > 2")][:2]
    [('return x > 2', 'return x >= 2'), ('return x > 2', 'return x < 2')]
    """
    tree = parse(source)
    original = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    for position, node in enumerate(ast.walk(tree)):
        for change in _changes(node):
            copy = deepcopy(tree)
            twin = next(other for index, other in enumerate(ast.walk(copy)) if index == position)
            change(twin)
            code = ast.unparse(ast.fix_missing_locations(copy))
            if code != original and code not in found:
                found[code] = Mutant(exercise, *_difference(original, code), code)
    return list(found.values())


Change = Callable[[ast.AST], None]


def _changes(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                for other in _COMPARISONS.get(type(operator), ()):
                    yield _set_item("ops", index, other())
        case ast.BinOp(op=arithmetic) | ast.AugAssign(op=arithmetic):
            for twin in _ARITHMETIC.get(type(arithmetic), ()):
                yield _set("op", twin())
        case ast.BoolOp(op=junction):
            yield _set("op", ast.Or() if isinstance(junction, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert(), operand=operand):
            yield _become(operand)
        case ast.Constant(value=bool(value)):
            yield _set("value", not value)
        case ast.Constant(value=int(value) | float(value)):
            yield _set("value", value + 1)
            yield _set("value", value - 1)
        case ast.If() | ast.IfExp():
            yield _set("test", ast.Constant(True))
            yield _set("test", ast.Constant(False))
        case ast.Subscript(slice=ast.Tuple(elts=elements)) if len(elements) > 1:
            yield _reverse_index
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            if name in _FORGETTABLE and not _is_module(value):
                yield _become(value)
            if name in _TWINS:
                yield _rename_method
    for block in ("body", "orelse"):
        statements = getattr(node, block, None)
        for index, statement in enumerate(statements if isinstance(statements, list) else ()):
            if _is_forgettable(statement):
                yield _set_item(block, index, ast.Pass())


def _is_forgettable(statement: ast.AST) -> bool:
    """A step of a sum, a call for its effect, a jump: what code still runs without."""
    return isinstance(statement, ast.AugAssign | ast.Continue | ast.Break) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    )


def _is_module(node: ast.AST) -> bool:
    """`torch.clamp(x)` is a function of a module, `x.clamp()` a method."""
    return isinstance(node, ast.Name) and node.id in {"torch", "np", "numpy", "math", "F", "nn"}


def _set(name: str, value: object) -> Change:
    return lambda node: setattr(node, name, value)


def _set_item(name: str, index: int, value: object) -> Change:
    return lambda node: getattr(node, name).__setitem__(index, value)


def _become(other: ast.AST) -> Change:
    def change(node: ast.AST) -> None:
        # The node's place in the tree stays; what it is changes.
        node.__class__ = type(other)
        node.__dict__ = deepcopy(other.__dict__)

    return change


def _reverse_index(node: ast.AST) -> None:
    assert isinstance(node, ast.Subscript)
    assert isinstance(node.slice, ast.Tuple)
    node.slice.elts.reverse()


def _rename_method(node: ast.AST) -> None:
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Attribute)
    node.func.attr = _TWINS[node.func.attr]


def _difference(before: str, after: str) -> tuple[str, str]:
    removed, added = [], []
    for line in difflib.ndiff(before.split("\n"), after.split("\n")):
        if line.startswith("- "):
            removed.append(line[2:].strip())
        elif line.startswith("+ "):
            added.append(line[2:].strip())
    return "\n".join(removed), "\n".join(added)
