"""Grades as CSV: plain, for Canvas, for Moodle."""

import csv
import io
import re
from collections.abc import Sequence

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.roster import Roster
from autograder.sheets import Sheet
from autograder.standings import Standing, standings

FORMATS = ("plain", "canvas", "moodle")

# A spreadsheet runs a cell that begins with one of these. One that looks as if it had been quoted
# is quoted too, so that what was there can be told from what is read.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")

_CANVAS_COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")

# So many names are listed where something is to be said of students.
_MOST_LISTED = 10

Standings = dict[str, dict[str, Standing]]
"""By student, by sheet."""


def collect(course: Course, sheets: Sequence[Sheet]) -> Standings:
    """All grades in the course's gradebook, by student's name.

    Raises:
        AutograderError: the gradebook cannot be read, or has no grade for any of the sheets.
    """
    found: Standings = {}
    if course.config.exists():
        for sheet in sheets:
            for student, standing in standings(course.database, sheet.name).items():
                found.setdefault(student, {})[sheet.name] = standing
    if not found:
        raise AutograderError(f"no grades in {course.root}: run 'autograder grade' first")
    return dict(sorted(found.items()))


def table(
    grades: Standings,
    sheets: Sequence[Sheet],
    form: str = "plain",
    *,
    roster: Roster | None = None,
    missing: str = "",
) -> list[list[str]]:
    """The grades as rows of cells, the first of them the header.

    Args:
        form: "plain" has the sum as well, "canvas" a row of possible points.
        roster: whose rows to fill; without one, a row for each student of the course.
        missing: the cell of a sheet that was not handed in.
    """
    header, people = _people(grades, form, roster)
    columns = [_column(sheet, form, roster) for sheet in sheets]
    rows = []
    for student, cells in people:
        by_sheet = grades.get(student, {})
        points = [by_sheet[s.name].grade if s.name in by_sheet else None for s in sheets]
        rows.append([*cells, *(missing if p is None else f"{p:g}" for p in points)])
        if form == "plain":
            rows[-1].append(f"{sum(p for p in points if p is not None):g}")
    if form == "plain":
        columns.append("total")
    if form == "canvas":
        possible = [f"{sheet.max_score + sheet.manual_max:g}" for sheet in sheets]
        # In the first column; Canvas finds it by its name.
        rows.insert(0, ["Points Possible", *[""] * (len(header) - 1), *possible])
    return [[*header, *columns], *rows]


def _people(
    grades: Standings, form: str, roster: Roster | None
) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """The header of the columns that identify students; students and their cells there."""
    if roster is not None:
        return roster.columns, list(zip(roster.students, roster.rows, strict=True))
    if form == "canvas":
        return list(_CANVAS_COLUMNS), [(name, [name, "", "", name, ""]) for name in grades]
    return ["Username" if form == "moodle" else "student"], [(name, [name]) for name in grades]


def _column(sheet: Sheet, form: str, roster: Roster | None) -> str:
    there = roster.header(sheet.name, sheet.title) if roster else None
    return there or (f"{sheet.name} (Real)" if form == "moodle" else sheet.name)


def unfinished(grades: Standings, sheets: Sequence[Sheet]) -> list[str]:
    """A line for each sheet in which answers wait for a person to grade them."""
    lines = []
    for sheet in sheets:
        waiting = [
            student
            for student, by_sheet in grades.items()
            if sheet.name in by_sheet and by_sheet[sheet.name].waiting
        ]
        if waiting:
            lines.append(
                f"{sheet.name}: {len(waiting)} with answers that are not graded by hand yet: "
                f"{_listed(waiting)}"
            )
    return lines


def unmatched(grades: Standings, roster: Roster) -> list[str]:
    """Who is in only one of the course and the roster."""
    lines = []
    strangers = sorted(grades.keys() - set(roster.students))
    if strangers:
        lines.append(f"not in the roster, so not exported: {_listed(strangers)}")
    absent = sum(not student for student in roster.students)
    if absent:
        lines.append(f"in the roster, but without any submission: {absent}")
    return lines


def _listed(students: list[str]) -> str:
    return ", ".join(students[:_MOST_LISTED]) + (", …" if len(students) > _MOST_LISTED else "")


def as_csv(rows: list[list[str]]) -> str:
    """The rows as CSV text; cells that a spreadsheet would run are quoted with an apostrophe.

    >>> as_csv([["student", "sum"], ["=cmd", "3"]])
    "student,sum\\r\\n'=cmd,3\\r\\n"
    """
    buffer = io.StringIO()
    csv.writer(buffer).writerows([[_harmless(cell) for cell in row] for row in rows])
    return buffer.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
