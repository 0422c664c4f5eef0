"""Due dates and extensions of single students, kept where nbgrader and formgrader look for them."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from nbgrader.api import Assignment, SubmittedAssignment
from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.course import Course
from autograder.database import engine_of, errors_named
from autograder.errors import AutograderError, UsageError
from autograder.gradebook import Released, submissions_of

_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")
_EXAMPLE = "2026-10-01T23:59+02:00, or 2026-10-01T21:59Z"


@dataclass
class Due:
    """When a sheet is due, None for never, and how much later for whom."""

    date: datetime | None = None
    extensions: dict[str, timedelta] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.date is None:
            return "no due date"
        text = f"due {self.date:%Y-%m-%d %H:%M} UTC"
        later = [f"{student} +{shown(time)}" for student, time in sorted(self.extensions.items())]
        return f"{text}; later for {', '.join(later)}" if later else text


def parse_time(text: str) -> datetime:
    """A moment with its time zone, in UTC.

    Raises:
        UsageError: it is none, or has no time zone: a class and its server may be in two.

    >>> parse_time("2026-10-01T23:59+02:00")
    datetime.datetime(2026, 10, 1, 21, 59, tzinfo=datetime.timezone.utc)
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is no time; write {_EXAMPLE}") from error
    if time.tzinfo is None:
        raise UsageError(f"'{text}' has no time zone; write {_EXAMPLE}")
    return time.astimezone(UTC)


def parse_duration(text: str) -> timedelta:
    """Weeks, days, hours, minutes.

    Raises:
        UsageError: it is none.

    >>> parse_duration("1d12h")
    datetime.timedelta(days=1, seconds=43200)
    """
    match = _DURATION.fullmatch(text)
    if text == "0" or (match and text):
        weeks, days, hours, minutes = (int(n or 0) for n in (match.groups() if match else [0] * 4))
        with contextlib.suppress(OverflowError):
            return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    raise UsageError(f"'{text}' is no length of time; write 2d, 36h, 1w2d or 90m, and 0 for none")


def shown(time: timedelta) -> str:
    """A length of time as `parse_duration` reads it.

    >>> shown(timedelta(hours=36))
    '1d12h'
    """
    hours, minutes = divmod(time.seconds // 60, 60)
    parts = [(time.days, "d"), (hours, "h"), (minutes, "m")]
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0"


def due(course: Course, sheet: str) -> Due:
    """What is set for a sheet of the course.

    Raises:
        AutograderError: the gradebook cannot be read or does not know the sheet.
    """
    with _session(course, "read") as session:
        assignment = _assignment(session, sheet)
        found = Due(assignment.duedate and assignment.duedate.replace(tzinfo=UTC))
        columns = (SubmittedAssignment.student_id, SubmittedAssignment.extension)
        query = select(*columns).where(
            SubmittedAssignment.assignment_id == assignment.id,
            SubmittedAssignment.extension.is_not(None),
        )
        found.extensions = {student: time for student, time in session.execute(query).all() if time}
        return found


def set_due(course: Course, sheet: str, date: datetime | None) -> None:
    """Set a sheet's due date; None takes it away, and all extensions of it.

    Raises:
        AutograderError: the gradebook cannot be written or does not know the sheet.
    """
    with _session(course, "write") as session:
        assignment = _assignment(session, sheet)
        assignment.duedate = date and date.astimezone(UTC).replace(tzinfo=None)
        if date is None:
            # nbgrader cannot add an extension to no date.
            for submission in assignment.submissions:
                submission.extension = None


def extend(course: Course, sheet: str, students: Sequence[str], extension: timedelta) -> None:
    """Give students more time, instead of what they had been given before.

    Raises:
        AutograderError: the sheet has no due date, or the gradebook cannot be written or does not
            know the sheet.
    """
    with _session(course, "write") as session:
        if _assignment(session, sheet).duedate is None:
            raise AutograderError(f"'{sheet}' has no due date that could be extended")
        for submission in submissions_of(
            session, Released(session, sheet), list(students)
        ).values():
            submission.extension = extension or None


@contextlib.contextmanager
def _session(course: Course, what: str) -> Iterator[Session]:
    with errors_named(what, course.database):
        engine = engine_of(course.database)
        try:
            with Session(engine, autoflush=False) as session, session.begin():
                yield session
        finally:
            engine.dispose()


def _assignment(session: Session, sheet: str) -> Assignment:
    assignment = session.scalar(select(Assignment).where(Assignment.name == sheet))
    if assignment is None:
        raise AutograderError(f"the gradebook does not know the sheet '{sheet}'")
    return assignment
