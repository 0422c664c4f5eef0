"""The list of students that Canvas or Moodle exported, so that it can import the grades."""

import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import UsageError

# By format: the columns that say who somebody is, first those that may hold the course's names
# of students.
_KEYS = {
    "plain": ("student",),
    "canvas": ("SIS Login ID", "SIS User ID", "Integration ID", "ID"),
    "moodle": ("Username", "ID number", "Email address"),
}
_OTHERS = {
    "plain": (),
    "canvas": ("Student", "Root Account", "Section"),
    "moodle": ("First name", "Last name", "Surname"),
}

# What these systems write around the name of a sheet: "nms (1234)", "Assignment: nms (Real)".
_AROUND = re.compile(r"^(?:assignment: )?(.*?)(?: \((?:\d+|real)\))?$")


@dataclass(frozen=True)
class Roster:
    """Who is in the class, in the words of the system that the grades go to.

    Args:
        columns: headers of the columns that identify a student, as they were.
        rows: their cells, one row a student, as they were.
        students: the course's name of each row's student; "" where the course has none.
        others: headers of all other columns.
    """

    columns: list[str]
    rows: list[list[str]]
    students: list[str]
    others: list[str]

    def header(self, *names: str) -> str | None:
        """The column that already is there for a sheet; None where there is none."""
        wanted = {name.casefold() for name in names}
        for header in self.others:
            match = _AROUND.match(header.strip().casefold())
            if match and match.group(1) in wanted:
                return header
        return None


def read_roster(path: Path, form: str, students: Collection[str]) -> Roster:
    """Read an exported list, and find the course's students in it.

    Args:
        form: "plain", "canvas" or "moodle".
        students: as they are called in the course.

    Raises:
        UsageError: it is no CSV file with such columns, or has none of the students.
    """
    header, *rows = _cells(path)
    names = [name.strip().casefold() for name in header]
    keys = [names.index(key.casefold()) for key in _KEYS[form] if key.casefold() in names]
    if not keys:
        raise UsageError(f"{path}: a column {' or '.join(_KEYS[form])} is expected")
    others = {name.casefold() for name in _OTHERS[form]}
    kept = [place for place, name in enumerate(names) if place in keys or name in others]
    known = {student.casefold(): student for student in students}

    def found(row: list[str], key: int) -> str:
        return known.get(row[key].strip().casefold(), "")

    # Canvas has rows without a student, of possible points and the like.
    people = [row for row in rows if any(row[key].strip() for key in keys)]
    # One column for all: a number of one student may be the name of another.
    key = max(keys, key=lambda place: sum(bool(found(row, place)) for row in people))
    if students and not any(found(row, key) for row in people):
        columns = ", ".join(header[place] for place in keys)
        raise UsageError(
            f"{path}: none of the {len(students)} students of the course is in it "
            f"(looked for '{min(students)}' and others under {columns})"
        )
    return Roster(
        columns=[header[place] for place in kept],
        rows=[[row[place] for place in kept] for row in people],
        students=[found(row, key) for row in people],
        others=[name for place, name in enumerate(header) if place not in kept],
    )


def _cells(path: Path) -> list[list[str]]:
    """All rows, each as long as the first."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row
        ]
    except csv.Error as error:
        raise UsageError(f"{path}: {error}") from error
    if not rows:
        raise UsageError(f"{path} is empty")
    return [(row + [""] * len(rows[0]))[: len(rows[0])] for row in rows]
