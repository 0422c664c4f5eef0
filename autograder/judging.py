"""What came of a test cell, and what its student is told.

A test cell is run twice: first as it was released, then whole. What the first run says is shown as
it is, since no hidden input has been seen by then. Of the second run only the author's own words
are shown: a function that has seen a hidden input could repeat it in any text that it makes.
"""

import ast
import builtins

from autograder.bindings import parse
from autograder.cell_reports import CellError, CellReport
from autograder.cells import region_lines

HIDDEN_ERROR = "the code raised {name} on an input of the hidden tests"
HIDDEN_ERROR_AT = "the code raised {name} where this is checked: {check}"
HIDDEN_REFUSED = "what the code returns is refused where this is checked: {check}"
NOT_AGAIN = (
    "what the visible part of this check asks for held once and not again: is it left to chance?"
)
NOT_WRITTEN = "not written yet: the stub is still there"
NOT_RUN = "the check was not reached"

SHORTCUT = "a library call that is not allowed here was used: you are asked to write it"

# What the end of a student's kernel means for the check during which it ended.
_ENDINGS = {
    "timeout": "the submission's time was used up",
    "memory": "the code uses too much memory",
    "died": "the process ended while this was checked",
    "protocol": "the process sent what it must not send",
}


def judge(
    source: str, released: CellReport | None, whole: CellReport | None, cell_seconds: float
) -> tuple[str, str]:
    """The verdict on one test cell, and the message for the student.

    Args:
        source: the test cell, hidden tests included.
        released: the report on the cell as it was released; None where it was not run.
        whole: the report on the whole cell.
        cell_seconds: the limit that a cell which ran too long had.
    """
    for report, hidden in ((released, False), (whole, True)):
        if report is None:
            return "not-run", NOT_RUN
        if report.ran_too_long:
            return "timeout", f"stopped: longer than {cell_seconds:g} seconds"
        if report.ending:
            return report.ending, _ENDINGS[report.ending]
        if report.error:
            return _judge_error(report.error, source, hidden)
    return "pass", ""


def points_of(whole: CellReport | None, max_points: float) -> float:
    """What a test that passed earns: all, or the part that it ends in.

    Args:
        whole: the report on the cell with its hidden tests.
    """
    part = whole.points if whole else None
    return max_points if part is None else min(max(part, 0.0), max_points)


def _judge_error(error: CellError, source: str, hidden: bool) -> tuple[str, str]:
    if error.name == "NotImplementedError" and not error.message and not error.by_cell:
        return "error", NOT_WRITTEN
    if error.name == "ShortcutUsedError":
        return "fail", SHORTCUT
    failed = error.name == "AssertionError" and error.by_cell
    verdict = "fail" if failed else "memory" if error.name == "MemoryError" else "error"
    if not hidden:
        return verdict, error.message if failed else f"{error.name}: {error.message}".strip(": ")
    innermost = error.lines[-1] if error.lines else 0
    # Not the innermost line alone, which may stand in a helper above all asserts.
    inside = set(region_lines(source, "HIDDEN TESTS")).intersection(error.lines)
    check = _words_of(_assert_from(source, max(inside, default=innermost)))
    if failed:
        node = _assert_in(source, innermost)
        words = _words_of(node)
        if not inside:
            return verdict, words or NOT_AGAIN
        return verdict, words if node or not check else HIDDEN_REFUSED.format(check=check)
    name = error.name if _is_builtin(error.name) else "an exception"
    return verdict, (HIDDEN_ERROR_AT if check else HIDDEN_ERROR).format(name=name, check=check)


def _is_builtin(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, BaseException)


def _asserts(source: str) -> list[ast.Assert]:
    found = [node for node in ast.walk(parse(source)) if isinstance(node, ast.Assert)]
    return sorted(found, key=lambda node: node.lineno)


def _assert_in(source: str, line: int) -> ast.Assert | None:
    """The assert that `line` belongs to."""
    return next(
        (n for n in _asserts(source) if n.lineno <= line <= (n.end_lineno or n.lineno)), None
    )


def _assert_from(source: str, line: int) -> ast.Assert | None:
    """The assert that `line` belongs to, or the next one below it."""
    return next((n for n in _asserts(source) if (n.end_lineno or n.lineno) >= line), None)


def _words_of(node: ast.Assert | None) -> str:
    """What an assert says, with "…" for what is only known when it is run."""
    match node:
        case ast.Assert(msg=ast.Constant(value=text)):
            return str(text)
        case ast.Assert(msg=ast.JoinedStr(values=parts)):
            return "".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in parts)
    return ""
