"""Grades as CSV: plain, for Canvas, for Moodle."""

import csv
import io
from collections.abc import Callable

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.sheets import Sheet

# A spreadsheet runs a cell that begins with one of these.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")

Grades = dict[str, dict[str, float]]
"""By student, by sheet: points after a late penalty, manual ones included as far as given."""


def collect(course: Course, sheets: list[Sheet]) -> Grades:
    """All grades in the course's gradebook.

    Raises:
        AutograderError: the gradebook has no grade for any of the sheets.
    """
    from nbgrader.api import Gradebook, MissingEntry

    grades: Grades = {}
    if (course.root / "gradebook.db").exists():
        with Gradebook(course.database) as gradebook:
            for sheet in sheets:
                try:
                    submissions = gradebook.assignment_submissions(sheet.name)
                except MissingEntry:
                    continue
                for submission in submissions:
                    points = max(0.0, submission.score - submission.late_submission_penalty)
                    grades.setdefault(submission.student.id, {})[sheet.name] = points
    if not grades:
        raise AutograderError(f"no grades in {course.root}: run 'autograder grade' first")
    return dict(sorted(grades.items()))


def plain(grades: Grades, sheets: list[Sheet]) -> list[list[str]]:
    """One row a student, one column a sheet, and the sum."""
    header = ["student", *(sheet.name for sheet in sheets), "total"]
    rows = [
        [student, *(_points(by_sheet, sheet) for sheet in sheets), f"{sum(by_sheet.values()):g}"]
        for student, by_sheet in grades.items()
    ]
    return [header, *rows]


def canvas(grades: Grades, sheets: list[Sheet]) -> list[list[str]]:
    """Canvas's gradebook import: five columns about the student, a row of possible points."""
    columns = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    possible = [
        "Points Possible",
        "",
        "",
        "",
        "",
        *(f"{s.max_score + s.manual_max:g}" for s in sheets),
    ]
    rows = [
        [student, "", "", student, "", *(_points(by_sheet, sheet) for sheet in sheets)]
        for student, by_sheet in grades.items()
    ]
    return [[*columns, *(sheet.name for sheet in sheets)], possible, *rows]


def moodle(grades: Grades, sheets: list[Sheet]) -> list[list[str]]:
    """Moodle's grade import, students identified by their user name."""
    header = ["Username", *(f"{sheet.name} (Real)" for sheet in sheets)]
    rows = [
        [student, *(_points(by_sheet, sheet) for sheet in sheets)]
        for student, by_sheet in grades.items()
    ]
    return [header, *rows]


FORMATS: dict[str, Callable[[Grades, list[Sheet]], list[list[str]]]] = {
    "plain": plain,
    "canvas": canvas,
    "moodle": moodle,
}


def as_csv(rows: list[list[str]]) -> str:
    """The rows as CSV text; cells that a spreadsheet would run are quoted with an apostrophe.

    >>> as_csv([["student", "sum"], ["=cmd", "3"]])
    "student,sum\\r\\n'=cmd,3\\r\\n"
    """
    buffer = io.StringIO()
    csv.writer(buffer).writerows([[_harmless(cell) for cell in row] for row in rows])
    return buffer.getvalue()


def _points(by_sheet: dict[str, float], sheet: Sheet) -> str:
    return f"{by_sheet[sheet.name]:g}" if sheet.name in by_sheet else ""


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
