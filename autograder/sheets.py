"""Read a sheet's source: a MyST notebook with nbgrader metadata, solutions and hidden tests.

An author writes as little metadata as possible (`nbgrader: {grade_id: nms, solution: true}`);
everything that can be derived is filled in here, and everything that nbgrader would silently
accept or drop is refused with file, 1-based cell and rule.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

from autograder.errors import SheetError, UsageError

REPOSITORY = Path(__file__).resolve().parent.parent
SOLUTIONS = REPOSITORY / "solutions"

REGIONS = ("SOLUTION", "HIDDEN TESTS")
_MARKER = re.compile(r"^\s*### (BEGIN|END) (.*?)\s*$")
_POINTS = re.compile(r"\{\{points\.(\w+)\}\}")
_DIRECTIVE = re.compile(r"^\s*(```\{|:::|\{\w+\}`)|\{(ref|doc|cite|numref|eq|term)[:\w]*\}`", re.M)


@dataclass(frozen=True)
class Check:
    """One automatically graded test cell: `points` are won by passing all of it."""

    id: str
    exercise: str
    points: float


@dataclass(frozen=True)
class Limits:
    """What one submission may use; a sheet's header overrides under `course: limits:`.

    Units: seconds of wall time, bytes of text output.
    """

    cell_seconds: float = 60.0
    submission_seconds: float = 180.0
    output_bytes: int = 1_000_000


@dataclass(frozen=True)
class Sheet:
    """A checked sheet. `notebook` is the whole source: solutions and hidden tests included."""

    name: str
    notebook: NotebookNode = field(repr=False)

    @property
    def title(self) -> str:
        return str(self.notebook.metadata.course.title)

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Dotted names whose use, or the use of anything below them, is a forbidden shortcut."""
        return tuple(self.notebook.metadata.course.get("forbidden", ()))

    @cached_property
    def limits(self) -> Limits:
        return Limits(**self.notebook.metadata.course.get("limits", {}))

    @cached_property
    def exercises(self) -> tuple[str, ...]:
        """Ids of the code cells that a student fills in, which are also the graded names."""
        return tuple(
            grade_id(cell) for cell in self.notebook.cells if is_solution(cell) and is_code(cell)
        )

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        return tuple(
            Check(
                grade_id(cell), _exercise_of(grade_id(cell)), float(cell.metadata.nbgrader.points)
            )
            for cell in self.notebook.cells
            if is_test(cell)
        )

    @property
    def max_score(self) -> float:
        return sum(check.points for check in self.checks)

    @cached_property
    def manual_points(self) -> dict[str, float]:
        """Points of the cells that a person grades, by grade id."""
        return {
            grade_id(cell): float(cell.metadata.nbgrader.points)
            for cell in self.notebook.cells
            if is_manual(cell)
        }

    @property
    def manual_max(self) -> float:
        return sum(self.manual_points.values())

    def to_json(self) -> str:
        """The sheet as text that `from_json` reads: what a worker elsewhere is given."""
        return nbformat.writes(self.notebook)

    @classmethod
    def from_json(cls, name: str, text: str) -> "Sheet":
        return cls(name, nbformat.reads(text, as_version=4))


def is_code(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code")


def grade_id(cell: NotebookNode) -> str:
    """The cell's nbgrader id, or "" for a cell that nbgrader does not know."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def is_solution(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_test(cell: NotebookNode) -> bool:
    """A code cell that earns points and that a student does not write."""
    return is_code(cell) and _is_graded(cell) and not is_solution(cell)


def is_manual(cell: NotebookNode) -> bool:
    """A cell that the student writes and a person grades."""
    return is_solution(cell) and _is_graded(cell)


def _is_graded(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def sheet_names(solutions: Path = SOLUTIONS) -> list[str]:
    """All sheets there are, in the order of their names."""
    return sorted(
        path.parent.name for path in solutions.glob("*/*.md") if path.stem == path.parent.name
    )


def load_sheets(names: list[str], solutions: Path = SOLUTIONS) -> list[Sheet]:
    """The named sheets, or all of them where no name is given.

    Raises:
        UsageError: there is no sheet of that name; the message lists those that exist.
    """
    known = sheet_names(solutions)
    for name in names:
        if name not in known:
            raise UsageError(
                f"no sheet is called '{name}'; there are: {', '.join(known) or 'none'}"
            )
    return [load_sheet(name, solutions) for name in names or known]


def load_sheet(name: str, solutions: Path = SOLUTIONS) -> Sheet:
    """Read and check `solutions/<name>/<name>.md`.

    Raises:
        SheetError: the source breaks a rule; the message names file, cell and rule.
    """
    path = solutions / name / f"{name}.md"
    try:
        notebook = jupytext.read(path, fmt="md:myst")
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SheetError(f"{path}: cannot be read as a MyST notebook: {error}") from error
    for number, cell in enumerate(notebook.cells, start=1):
        _complete_metadata(cell, number)
    _check(notebook, path)
    _fill_in_points(notebook, path)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": notebook.metadata.kernelspec, "course": notebook.metadata.course}
    )
    return Sheet(name, notebook)


def region_lines(source: str, region: str) -> list[int]:
    """1-based numbers of the lines inside `### BEGIN region` … `### END region`.

    >>> region_lines("a\\n### BEGIN SOLUTION\\nb\\n### END SOLUTION\\nc", "SOLUTION")
    [3]
    """
    inside, lines = False, []
    for number, line in enumerate(source.split("\n"), start=1):
        marker = _MARKER.match(line)
        if marker and marker[2] == region:
            inside = marker[1] == "BEGIN"
        elif inside:
            lines.append(number)
    return lines


def _exercise_of(test_id: str) -> str:
    """`test_nms` and `test_nms__crowd` both test `nms`."""
    return test_id.removeprefix("test_").partition("__")[0]


def _complete_metadata(cell: NotebookNode, number: int) -> None:
    """Fill in what nbgrader's format wants and an author should not have to write."""
    # Ids of our own making, since random ones would make two releases of one source differ.
    cell.id = grade_id(cell) or f"cell-{number}"
    if "nbgrader" in cell.metadata:
        given = cell.metadata.nbgrader
        solution, grade = bool(given.get("solution")), bool(given.get("grade"))
        cell.metadata.nbgrader = nbformat.from_dict(
            {
                "schema_version": 3,
                "cell_type": cell.cell_type,
                "grade": grade,
                "solution": solution,
                "locked": not solution,
                "task": False,
                **given,
            }
        )


def _check(notebook: NotebookNode, path: Path) -> None:
    course = notebook.metadata.get("course", {})
    for key, kind in (("title", str), ("minutes", int), ("chapter", str)):
        if not isinstance(course.get(key), kind):
            raise SheetError(f"{path}: the header needs 'course: {key}:' ({kind.__name__})")
    unknown = set(course.get("limits", {})) - set(Limits.__dataclass_fields__)
    if unknown:
        raise SheetError(
            f"{path}: unknown limits {sorted(unknown)}; "
            f"known: {sorted(Limits.__dataclass_fields__)}"
        )
    for where, cell in _numbered(notebook, path):
        _check_cell(cell, where)
    ids = [grade_id(cell) for cell in notebook.cells if grade_id(cell)]
    for repeated in {name for name in ids if ids.count(name) > 1}:
        raise SheetError(
            f"{path}: the grade_id '{repeated}' is given to {ids.count(repeated)} cells"
        )
    exercises = {grade_id(c) for c in notebook.cells if is_solution(c) and is_code(c)}
    tested = set()
    for where, cell in _numbered(notebook, path):
        if is_test(cell):
            exercise = _exercise_of(grade_id(cell))
            if not grade_id(cell).startswith("test_") or exercise not in exercises:
                raise SheetError(
                    f"{where}: a test's grade_id is 'test_' and the id of the solution cell that "
                    f"it tests; '{grade_id(cell)}' fits none of {sorted(exercises)}"
                )
            tested.add(exercise)
    if exercises - tested:
        raise SheetError(f"{path}: no test for {sorted(exercises - tested)}")


def _numbered(notebook: NotebookNode, path: Path) -> Iterator[tuple[str, NotebookNode]]:
    for number, cell in enumerate(notebook.cells, start=1):
        name = f" ({grade_id(cell)})" if grade_id(cell) else ""
        yield f"{path}, cell {number}{name}", cell


def _check_cell(cell: NotebookNode, where: str) -> None:
    _check_regions(cell, where)
    if cell.cell_type == "markdown" and _DIRECTIVE.search(cell.source):
        raise SheetError(
            f"{where}: a sheet is plain Markdown; Sphinx directives and roles do not work in it"
        )
    meta: dict[str, Any] = cell.metadata.get("nbgrader", {})
    if not meta:
        return
    if not re.fullmatch(r"\w+", meta.get("grade_id", "")):
        raise SheetError(f"{where}: nbgrader metadata need a grade_id of letters, digits and _")
    points = meta.get("points")
    if meta["grade"] and not (isinstance(points, int | float) and points > 0):
        raise SheetError(f"{where}: a graded cell needs points above 0, not {points!r}")
    if is_code(cell) and meta["solution"]:
        if (
            f"def {meta['grade_id']}(" not in cell.source
            and f"class {meta['grade_id']}" not in cell.source
        ):
            raise SheetError(
                f"{where}: the cell must define '{meta['grade_id']}', the name that is graded"
            )
        if not region_lines(cell.source, "SOLUTION"):
            raise SheetError(
                f"{where}: a solution cell needs a region from ### BEGIN SOLUTION "
                "to ### END SOLUTION"
            )
    if is_test(cell):
        _check_asserts(cell, where)


def _check_regions(cell: NotebookNode, where: str) -> None:
    """nbgrader drops a stray END and lets a BEGIN in the wrong kind of cell pass: refuse both."""
    open_region = None
    for line in cell.source.split("\n"):
        marker = _MARKER.match(line)
        if marker is None:
            if "### BEGIN" in line or "### END" in line:
                raise SheetError(
                    f"{where}: the marker '{line.strip()}' must stand alone on its line"
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
    try:
        tree = ast.parse(cell.source)
    except SyntaxError as error:
        raise SheetError(f"{where}: {error.msg} in line {error.lineno}") from error
    asserts = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    if not asserts:
        raise SheetError(f"{where}: a test cell without an assert can only pass")
    for node in asserts:
        if node.msg is None:
            raise SheetError(
                f"{where}: the assert in line {node.lineno} has no message for the student"
            )


def _fill_in_points(notebook: NotebookNode, path: Path) -> None:
    """Points in prose come from the metadata: `{{points.nms}}` becomes "3 points"."""
    points: dict[str, float] = {"automatic": 0, "manual": 0}
    for cell in notebook.cells:
        if is_test(cell):
            exercise = _exercise_of(grade_id(cell))
            points[exercise] = points.get(exercise, 0) + cell.metadata.nbgrader.points
            points["automatic"] += cell.metadata.nbgrader.points
        elif is_manual(cell):
            points[grade_id(cell)] = cell.metadata.nbgrader.points
            points["manual"] += cell.metadata.nbgrader.points
    for where, cell in _numbered(notebook, path):
        if cell.cell_type == "markdown":
            for name in _POINTS.findall(cell.source):
                if name not in points:
                    raise SheetError(
                        f"{where}: {{{{points.{name}}}}} names none of {sorted(points)}"
                    )
            cell.source = _POINTS.sub(lambda match: _in_words(points[match[1]]), cell.source)
    notebook.metadata.course.points = points["automatic"]
    notebook.metadata.course.manual_points = points["manual"]


def _in_words(points: float) -> str:
    return f"{points:g} point" + ("" if points == 1 else "s")
