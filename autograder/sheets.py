"""Read a sheet's source: a MyST notebook with nbgrader metadata, solutions and hidden tests.

An author writes as little metadata as possible (`nbgrader: {grade_id: nms, solution: true}`);
everything that can be derived is filled in here, and everything that nbgrader would silently
accept or drop is refused with file, 1-based cell and rule.
"""

import re
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import jupytext
import nbformat
import yaml
from jupytext.myst import MystMetadataParsingError
from nbformat import NotebookNode
from nbformat.validator import NotebookValidationError

from autograder.bindings import bound_names, looked_up
from autograder.cells import (
    exercise_of,
    grade_id,
    is_code,
    is_manual,
    is_solution,
    is_test,
    without_region,
)
from autograder.errors import SheetError, UsageError
from autograder.repository import REPOSITORY
from autograder.sheet_rules import check_metadata, check_sheet, numbered
from autograder.student_side.limits import Limits

SOLUTIONS = REPOSITORY / "solutions"

_POINTS = re.compile(r"\{\{\s*points\.(\w+)\s*\}\}")


@dataclass(frozen=True)
class Check:
    """One automatically graded test cell: `points` are won by passing all of it."""

    id: str
    exercise: str
    points: float

    @property
    def label(self) -> str:
        """What a person is shown: `nms`, or `nms: crowd` for the test `test_nms__crowd`."""
        return self.id.removeprefix("test_").replace("__", ": ", 1)


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

    @property
    def files(self) -> dict[str, int]:
        """Files that are handed in beside the notebook: the most bytes that each may have."""
        return dict(self.notebook.metadata.course.get("files", {}))

    @cached_property
    def released(self) -> NotebookNode:
        """The students' notebook, to be looked at only: see `release.student_notebook`."""
        from autograder.release import student_notebook

        return student_notebook(self)

    @cached_property
    def limits(self) -> Limits:
        """What a whole submission may use: of each limit, the highest of all its exercises."""
        every = [asdict(self.limits_of(exercise)) for exercise in self.exercises]
        return Limits(**{name: max(limits[name] for limits in every) for name in every[0]})

    def limits_of(self, exercise: str) -> Limits:
        """The limits of one exercise: the header's, and what its solution cell says under
        `limits:`."""
        own = next(cell for cell in self.notebook.cells if grade_id(cell) == exercise)
        given = self.notebook.metadata.course.get("limits", {})
        return Limits(**(given | own.metadata.get("limits", {})))

    def seconds_of(self, cell: NotebookNode) -> float:
        """The time of a code cell: an exercise's; else what the cell says under `limits:`, or that
        of the whole sheet. A rebuilt cell says what the source says, a student's own nothing."""
        if is_solution(cell):
            return self.limits_of(grade_id(cell)).cell_seconds
        return cell.metadata.get("limits", {}).get("cell_seconds", self.limits.cell_seconds)

    @cached_property
    def exercises(self) -> tuple[str, ...]:
        """Ids of the code cells that a student fills in, which are also the graded names."""
        return tuple(
            grade_id(cell) for cell in self.notebook.cells if is_solution(cell) and is_code(cell)
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the students are asked to define: the names of theirs that tests may use."""
        stubs = (
            without_region(cell.source, "SOLUTION").replace("### BEGIN SOLUTION", "raise")
            for cell in self.notebook.cells
            if is_code(cell) and is_solution(cell)
        )
        return tuple(sorted(bound_names(stubs)))

    @cached_property
    def setup(self) -> tuple[str, ...]:
        """Sources of the cells that prepare the tests: those that use nothing of the student's.

        A cell that uses an exercise's name, or what such a cell made, shows the student's own
        result and runs in the student's kernel alone; so does one with IPython's own syntax.
        """
        code = [cell for cell in self.notebook.cells if is_code(cell)]
        theirs = bound_names(cell.source for cell in code if is_solution(cell))
        found = []
        for cell in code:
            if not (is_solution(cell) or is_test(cell)):
                used = looked_up(cell.source)
                if used is None or used & theirs:
                    theirs |= bound_names([cell.source])
                else:
                    found.append(cell.source)
        return tuple(found)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        return tuple(
            Check(grade_id(cell), exercise_of(grade_id(cell)), float(cell.metadata.nbgrader.points))
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
    except (
        OSError,
        ValueError,
        KeyError,  # jupytext, of an empty value
        yaml.YAMLError,
        MystMetadataParsingError,
        NotebookValidationError,
    ) as error:
        raise SheetError(f"{path}: cannot be read as a MyST notebook: {error}") from error
    check_metadata(notebook, path)
    for number, cell in enumerate(notebook.cells, start=1):
        _complete_metadata(cell, number)
    check_sheet(notebook, path, Limits.__dataclass_fields__)
    _fill_in_points(notebook, path)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": notebook.metadata.kernelspec, "course": notebook.metadata.course}
    )
    return Sheet(name, notebook)


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


def _fill_in_points(notebook: NotebookNode, path: Path) -> None:
    """Points in prose come from the metadata: `{{points.nms}}` becomes "3 points"."""
    points: dict[str, float] = {"automatic": 0, "manual": 0}
    for cell in notebook.cells:
        if is_test(cell):
            exercise = exercise_of(grade_id(cell))
            points[exercise] = points.get(exercise, 0) + cell.metadata.nbgrader.points
            points["automatic"] += cell.metadata.nbgrader.points
        elif is_manual(cell):
            points[grade_id(cell)] = cell.metadata.nbgrader.points
            points["manual"] += cell.metadata.nbgrader.points
    for where, cell in numbered(notebook, path):
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
