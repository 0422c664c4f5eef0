"""The rules of a sheet's source.

Everything that nbgrader would accept without a word and that would then publish an answer, lose
points or grade nothing is refused, with file, 1-based cell and rule.
"""

import ast
import math
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.bindings import bound_names, parse
from autograder.cells import (
    MARKER,
    REGIONS,
    exercise_of,
    grade_id,
    is_code,
    is_graded,
    is_solution,
    is_test,
    region_lines,
    without_region,
)
from autograder.errors import SheetError

# A grade id is a cell's id too, and nbformat allows those 64 of these characters.
_GRADE_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
_KEYS = {
    "grade_id", "grade", "solution", "points", "locked", "task", "schema_version", "cell_type",
}  # fmt: skip

# What was meant to be a marker: nbgrader would publish the lines below it.
_LOOKS_LIKE_A_MARKER = re.compile(
    r"#\s*(BEGIN|END)[\s_-]*(SOLUTION|HIDDEN)|### (BEGIN|END)\b", re.IGNORECASE
)
_DIRECTIVE = re.compile(r"^\s*(```\{|:::|\{\w+\}`)|\{(ref|doc|cite|numref|eq|term)[:\w]*\}`", re.M)


def check_metadata(notebook: NotebookNode, path: Path) -> None:
    """Refuse nbgrader metadata that are no mapping of known keys with a usable id.

    Raises:
        SheetError: the message names file, cell and rule.
    """
    for number, cell in enumerate(notebook.cells, start=1):
        if "nbgrader" not in cell.metadata:
            continue
        where, meta = f"{path}, cell {number}", cell.metadata.nbgrader
        if not isinstance(meta, dict):
            raise SheetError(f"{where}: nbgrader metadata are a mapping, not {meta!r}")
        name = meta.get("grade_id")
        if not (isinstance(name, str) and _GRADE_ID.fullmatch(name)):
            raise SheetError(
                f"{where}: nbgrader metadata need a grade_id of letters, digits and _ "
                f"(at most 64), not {name!r}"
            )
        if set(meta) - _KEYS:
            raise SheetError(
                f"{where} ({name}): unknown nbgrader keys {sorted(map(str, set(meta) - _KEYS))}; "
                "written by hand are grade_id, solution, grade, points, locked"
            )


def check_sheet(notebook: NotebookNode, path: Path, limits: Collection[str]) -> None:
    """Check a notebook whose nbgrader metadata are complete.

    Args:
        limits: names that the header may set under `course: limits:`.

    Raises:
        SheetError: the message names file, cell and rule.
    """
    _check_header(notebook, path, limits)
    for where, cell in numbered(notebook, path):
        _check_cell(cell, where)
        if "limits" in cell.metadata:
            if not is_code(cell) or (grade_id(cell) and not is_solution(cell)):
                raise SheetError(
                    f"{where}: limits belong to an exercise's solution cell, or to a cell that "
                    "shows a result"
                )
            known = limits if is_solution(cell) else ["cell_seconds"]
            _check_limits(cell.metadata["limits"], where, known)
        _check_proof(cell, where)
    ids = [grade_id(cell) for cell in notebook.cells if grade_id(cell)]
    for repeated in {name for name in ids if ids.count(name) > 1}:
        raise SheetError(
            f"{path}: the grade_id '{repeated}' is given to {ids.count(repeated)} cells"
        )
    exercises = {grade_id(c) for c in notebook.cells if is_solution(c) and is_code(c)}
    if not exercises:
        raise SheetError(f"{path}: no exercise: no code cell has 'solution: true'")
    tested = set()
    for where, cell in numbered(notebook, path):
        if is_test(cell):
            exercise = exercise_of(grade_id(cell))
            if not grade_id(cell).startswith("test_") or exercise not in exercises:
                raise SheetError(
                    f"{where}: a test's grade_id is 'test_' and the id of the solution cell that "
                    f"it tests; '{grade_id(cell)}' fits none of {sorted(exercises)}"
                )
            tested.add(exercise)
    if exercises - tested:
        raise SheetError(f"{path}: no test for {sorted(exercises - tested)}")


def numbered(notebook: NotebookNode, path: Path) -> Iterator[tuple[str, NotebookNode]]:
    """Each cell and where it is, for messages: file, 1-based number, grade id."""
    for number, cell in enumerate(notebook.cells, start=1):
        name = f" ({grade_id(cell)})" if grade_id(cell) else ""
        yield f"{path}, cell {number}{name}", cell


def _check_header(notebook: NotebookNode, path: Path, limits: Collection[str]) -> None:
    if not notebook.metadata.get("kernelspec"):
        raise SheetError(f"{path}: the header needs a 'kernelspec:'")
    course = notebook.metadata.get("course")
    if not isinstance(course, dict):
        raise SheetError(f"{path}: the header needs 'course:' with title, chapter and minutes")
    for key, kind in (("title", str), ("minutes", int), ("chapter", str)):
        if not isinstance(course.get(key), kind):
            raise SheetError(f"{path}: the header needs 'course: {key}:' ({kind.__name__})")
    forbidden = course.get("forbidden", [])
    if not _are_names(forbidden):
        raise SheetError(
            f"{path}: 'course: forbidden:' is a list of dotted names, not {forbidden!r}"
        )
    _check_limits(course.get("limits", {}), str(path), limits)
    files = course.get("files", {})
    if not isinstance(files, dict) or not all(
        isinstance(name, str) and Path(name).name == name not in ("", "..") and _is_positive(size)
        for name, size in files.items()
    ):
        raise SheetError(
            f"{path}: 'course: files:' maps file names to their largest size in bytes, "
            f"not {files!r}"
        )


def _check_proof(cell: NotebookNode, where: str) -> None:
    """What `verify` is told: where the reference's tools come from, and what has no mutants."""
    tools = cell.metadata.get("tools", {})
    if tools and (not is_code(cell) or is_solution(cell) or is_test(cell)):
        raise SheetError(f"{where}: tools belong to a code cell that is not graded")
    if not (isinstance(tools, dict) and all(_are_names(names) for names in tools.values())):
        raise SheetError(
            f"{where}: 'tools:' maps sheets to lists of their exercises, not {tools!r}"
        )
    reason = cell.metadata.get("without_mutants", "-")
    if not (isinstance(reason, str) and reason.strip()):
        raise SheetError(f"{where}: 'without_mutants:' gives a reason, not {reason!r}")
    if "without_mutants" in cell.metadata and not (is_code(cell) and is_solution(cell)):
        raise SheetError(f"{where}: 'without_mutants:' belongs to an exercise's solution cell")


def _are_names(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(name, str) for name in given)


def _check_limits(given: Any, where: str, limits: Collection[str]) -> None:
    if not isinstance(given, dict) or set(given) - set(limits):
        raise SheetError(
            f"{where}: unknown limits {sorted(set(given) - set(limits)) if given else given!r}; "
            f"known: {sorted(limits)}"
        )
    for name, value in given.items():
        if not _is_positive(value):
            raise SheetError(f"{where}: the limit '{name}' is a number above 0, not {value!r}")


def _is_positive(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value > 0
    )


def _check_cell(cell: NotebookNode, where: str) -> None:
    _check_regions(cell, where)
    if cell.cell_type == "markdown" and _DIRECTIVE.search(cell.source):
        raise SheetError(
            f"{where}: a sheet is plain Markdown; Sphinx directives and roles do not work in it"
        )
    meta: dict[str, Any] = cell.metadata.get("nbgrader", {})
    if not meta:
        return
    if meta["task"]:
        raise SheetError(f"{where}: nbgrader's tasks are not used here: 'solution: true' instead")
    if is_graded(cell) and not is_code(cell) and not is_solution(cell):
        raise SheetError(f"{where}: text that earns points is the student's: it needs solution")
    if is_graded(cell) and not _is_positive(meta.get("points")):
        raise SheetError(f"{where}: a graded cell needs points above 0, not {meta.get('points')!r}")
    if is_code(cell) and is_solution(cell):
        _check_solution(cell, where)
    if is_test(cell):
        _check_asserts(cell, where)


def _check_solution(cell: NotebookNode, where: str) -> None:
    if not region_lines(cell.source, "SOLUTION"):
        raise SheetError(
            f"{where}: a solution cell needs a region from ### BEGIN SOLUTION to ### END SOLUTION"
        )
    _parsed(cell.source, where)
    name = grade_id(cell)
    if name not in bound_names([cell.source]):
        raise SheetError(f"{where}: the cell must define '{name}', the name that is graded")
    # Where nbgrader puts `raise NotImplementedError()`; a marker stands where the region was.
    stub = re.sub(r"### BEGIN SOLUTION", "raise", without_region(cell.source, "SOLUTION"))
    if name not in bound_names([stub]):
        raise SheetError(
            f"{where}: the line that defines '{name}' stands inside the solution, "
            "so the student would not get it"
        )


def _check_regions(cell: NotebookNode, where: str) -> None:
    """nbgrader drops a stray END and lets a BEGIN in the wrong kind of cell pass: refuse both."""
    open_region = None
    for line in cell.source.split("\n"):
        marker = MARKER.match(line)
        if marker is None:
            if is_code(cell) and _LOOKS_LIKE_A_MARKER.search(line):
                raise SheetError(
                    f"{where}: the marker '{line.strip()}' must stand alone on its line, "
                    "written as '### BEGIN SOLUTION'"
                )
            continue
        edge, region = marker.groups()
        if region not in REGIONS:
            raise SheetError(f"{where}: unknown region '{region}'; known: {', '.join(REGIONS)}")
        if edge == "BEGIN" and open_region:
            raise SheetError(f"{where}: {region} begins inside {open_region}")
        if edge == "END" and open_region != region:
            raise SheetError(f"{where}: '### END {region}' without its BEGIN")
        if region == "SOLUTION" and not is_solution(cell):
            raise SheetError(f"{where}: a solution outside a solution cell would be published")
        if region == "HIDDEN TESTS" and not is_test(cell):
            raise SheetError(
                f"{where}: hidden tests belong into a cell with grade: true and points"
            )
        open_region = region if edge == "BEGIN" else None
    if open_region:
        raise SheetError(f"{where}: '### BEGIN {open_region}' without its END")


def _check_asserts(cell: NotebookNode, where: str) -> None:
    """A student sees a failed check by its message alone, so every assert has one."""
    asserts = [n for n in ast.walk(_parsed(cell.source, where)) if isinstance(n, ast.Assert)]
    if not asserts:
        raise SheetError(f"{where}: a test cell without an assert can only pass")
    for node in asserts:
        if node.msg is None:
            raise SheetError(
                f"{where}: the assert in line {node.lineno} has no message for the student"
            )
    # What students get must run for them.
    _parsed(without_region(cell.source, "HIDDEN TESTS"), f"{where}, without its hidden tests")


def _parsed(source: str, where: str) -> ast.Module:
    try:
        return parse(source)
    except SyntaxError as error:
        raise SheetError(f"{where}: {error.msg} in line {error.lineno}") from error
