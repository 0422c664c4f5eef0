"""Write graded submissions into nbgrader's gradebook, a batch of them in one transaction.

The effect is that of nbgrader's own steps, `SaveAutoGrades` and `AssignLatePenalties`. These open
a connection, ask dozens of questions and commit several times for every submission, and some of
the questions read the grades of the whole class.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    new_uuid,
)
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import compute_checksum, determine_grade, parse_utc
from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session, load_only
from traitlets import TraitError
from traitlets.config import Config

from autograder.cells import grade_id, is_graded, is_solution
from autograder.database import engine_of, errors_named, set_patience
from autograder.errors import AutograderError
from autograder.grading import Graded

# How long another program, such as formgrader, may hold the gradebook before writing fails.
PATIENCE_SECONDS = 30.0

# Of a large class so many submissions are looked at together: how many can be named is limited.
_AT_A_TIME = 500

# The kinds of nbgrader's cells for which each submission has a grade, and a comment.
_GRADED = ("GradeCell", "TaskCell")
_COMMENTED = ("SolutionCell", "TaskCell")


@dataclass(frozen=True)
class Entry:
    """What the gradebook is told of one graded submission.

    Args:
        submitted: when it was handed in, UTC without a time zone; None leaves what is there.
        scores: points by grade id; None where a person has to decide.
        comments: nbgrader's own comment by grade id of the answer; None for none.
    """

    student: str
    sheet: str
    submitted: datetime | None
    scores: dict[str, float | None]
    comments: dict[str, str | None]


def entry_of(student: str, sheet: str, timestamp: str | None, graded: Graded) -> Entry:
    """What to tell the gradebook of a verdict; `timestamp` as nbgrader writes it."""
    # The verdict is the truth about tests: the notebook shows it, and may be half-written by
    # somebody else.
    points = {check["id"]: check["points"] for check in graded.verdict["checks"]}
    scores: dict[str, float | None] = {}
    comments: dict[str, str | None] = {}
    for cell in graded.notebook.cells:
        name = grade_id(cell)
        if is_graded(cell):
            scores[name] = points[name] if name in points else determine_grade(cell)[0]
        if is_solution(cell):
            untouched = cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)
            comments[name] = "No response." if untouched else None
    return Entry(student, sheet, parse_utc(timestamp), scores, comments)


class GradebookWriter:
    """One connection to a gradebook. `close` it."""

    def __init__(self, url: str, config: Config) -> None:
        """
        Args:
            url: the database, as SQLAlchemy names it.
            config: the course's nbgrader_config.py, which may name a plugin for late penalties.
        """
        with errors_named("open", url):
            self._engine = engine_of(url)
        self._penalties = AssignLatePenalties(config=config)
        try:
            self._penalties.init_plugin()
        except TraitError as error:
            raise AutograderError(f"the late policy in nbgrader_config.py: {error}") from error

    def close(self) -> None:
        self._engine.dispose()

    def students(self, sheet: str) -> set[str] | None:
        """Everybody of whom there is a submission; None where nbgrader does not know the sheet.

        Raises:
            AutograderError: the gradebook cannot be read.
        """
        with errors_named("read", self._engine.url), Session(self._engine) as session:
            if not inspect(self._engine).has_table(Assignment.__tablename__):
                return None
            assignment = session.scalar(select(Assignment.id).where(Assignment.name == sheet))
            query = select(SubmittedAssignment.student_id)
            rows = session.scalars(query.where(SubmittedAssignment.assignment_id == assignment))
            return None if assignment is None else set(rows)

    def write(self, entries: Iterable[Entry], patience: float = PATIENCE_SECONDS) -> None:
        """Write all of them, or none where an exception says why.

        Points that a person gave stay, and nbgrader asks that person to look again.

        Args:
            entries: at most one for a student and sheet.
            patience: seconds to wait for another program that is writing.

        Raises:
            AutograderError: the gradebook does not know a sheet or a cell of it, or cannot be
                written: it is locked, full, out of reach.
        """
        by_sheet = attrgetter("sheet")
        with (
            errors_named("write", self._engine.url),
            Session(self._engine, autoflush=False) as session,
            session.begin(),
        ):
            set_patience(session, self._engine, patience)
            for sheet, group in groupby(sorted(entries, key=by_sheet), key=by_sheet):
                self._write_sheet(session, sheet, {entry.student: entry for entry in group})

    def _write_sheet(self, session: Session, sheet: str, entries: dict[str, Entry]) -> None:
        released = Released(session, sheet)
        released.check(entries.values())
        submissions = submissions_of(session, released, list(entries))
        notebooks = _notebooks(session, released, [s.id for s in submissions.values()])
        ids = [notebook.id for notebook in notebooks.values()]
        grades = _rows(session, Grade, released.grades, ids)
        comments = _rows(session, Comment, released.comments, ids)
        for student, entry in entries.items():
            notebook = notebooks[submissions[student].id]
            if entry.submitted is not None:
                submissions[student].timestamp = entry.submitted
            for name, score in entry.scores.items():
                grade = grades[notebook.id, released.grades[name]]
                grade.auto_score = score
                grade.needs_manual_grade = score is None or grade.manual_score is not None
            for name, comment in entry.comments.items():
                comments[notebook.id, released.comments[name]].auto_comment = comment
            notebook.late_submission_penalty = None
        session.flush()
        self._penalise(session, released, submissions.values(), notebooks)

    def count_penalties(self, sheet: str) -> int:
        """Find the penalties of all submissions to a sheet anew, as after a new due date or policy,
        or after points were given by hand.

        Returns:
            How many changed.

        Raises:
            AutograderError: the gradebook does not know the sheet, or cannot be written.
        """
        with (
            errors_named("write", self._engine.url),
            Session(self._engine, autoflush=False) as session,
            session.begin(),
        ):
            set_patience(session, self._engine, PATIENCE_SECONDS)
            released = Released(session, sheet)
            changed = 0
            query = select(SubmittedAssignment.id)
            query = query.where(SubmittedAssignment.assignment_id == released.assignment.id)
            every = session.scalars(query).all()
            for start in range(0, len(every), _AT_A_TIME):
                ids = every[start : start + _AT_A_TIME]
                chosen = select(SubmittedAssignment).where(SubmittedAssignment.id.in_(ids))
                notebooks = _notebooks(session, released, ids)
                before = {n: n.late_submission_penalty for n in notebooks.values()}
                for notebook in before:
                    notebook.late_submission_penalty = None
                self._penalise(session, released, session.scalars(chosen).all(), notebooks)
                changed += sum(n.late_submission_penalty != old for n, old in before.items())
            return changed

    def _penalise(
        self,
        session: Session,
        released: "Released",
        submissions: Iterable[SubmittedAssignment],
        notebooks: dict[str, SubmittedNotebook],
    ) -> None:
        """Set the penalty of each late one; of the others it has to be None already."""
        late = {notebooks[s.id]: s for s in submissions if s.total_seconds_late > 0}
        scores = _scores(session, released, [notebook.id for notebook in late])
        for notebook, submission in late.items():
            score = scores[notebook.id]
            penalty = self._penalties.plugin_inst.late_submission_penalty(
                submission.student_id, score, submission.total_seconds_late
            )
            if penalty is not None:
                notebook.late_submission_penalty = 0 if penalty < 0 else min(penalty, score)


class Released:
    """A sheet as nbgrader knows it; `grades` and `comments` are ids of its cells by grade id."""

    def __init__(self, session: Session, sheet: str) -> None:
        assignment = session.scalar(select(Assignment).where(Assignment.name == sheet))
        if assignment is None:
            raise AutograderError(f"the gradebook does not know the sheet '{sheet}'")
        self.assignment = assignment  # held, or each submission would ask for it again
        self.notebooks = {notebook.name: notebook.id for notebook in assignment.notebooks}
        query = select(BaseCell.id, BaseCell.name, BaseCell.type, BaseCell.notebook_id)
        self.cells = session.execute(
            query.where(BaseCell.notebook_id.in_(self.notebooks.values()))
        ).all()
        self.notebook_id = self.notebooks.get(sheet)
        own = [cell for cell in self.cells if cell.notebook_id == self.notebook_id]
        self.grades = {cell.name: cell.id for cell in own if cell.type in _GRADED}
        self.comments = {cell.name: cell.id for cell in own if cell.type in _COMMENTED}

    def check(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            unknown = (entry.scores.keys() - self.grades) | (entry.comments.keys() - self.comments)
            if unknown:
                raise AutograderError(
                    f"the gradebook does not know {', '.join(sorted(unknown))} of "
                    f"'{entry.sheet}', only {', '.join(sorted(self.grades | self.comments))}"
                )


def submissions_of(
    session: Session, released: Released, students: list[str]
) -> dict[str, SubmittedAssignment]:
    """By student; made, with all that nbgrader puts below a submission, where there is none."""
    known = set(session.scalars(select(Student.id).where(Student.id.in_(students))))
    session.add_all(Student(id=student) for student in students if student not in known)
    query = select(SubmittedAssignment).where(
        SubmittedAssignment.assignment_id == released.assignment.id,
        SubmittedAssignment.student_id.in_(students),
    )
    columns = (SubmittedAssignment.student_id, SubmittedAssignment.timestamp,
               SubmittedAssignment.extension, SubmittedAssignment.assignment_id)  # fmt: skip
    found = {s.student_id: s for s in session.scalars(query.options(load_only(*columns)))}
    for student in students:
        if student not in found:
            found[student] = SubmittedAssignment(
                id=new_uuid(), assignment_id=released.assignment.id, student_id=student
            )
            session.add(found[student])
            session.add_all(_below(released, found[student].id))
    session.flush()
    return found


def _below(released: Released, submission_id: str) -> Iterable[Any]:
    """What nbgrader puts below a new submission: a notebook each, a grade or comment a cell."""
    for notebook_id in released.notebooks.values():
        new_id = new_uuid()
        yield SubmittedNotebook(id=new_id, notebook_id=notebook_id, assignment_id=submission_id)
        for cell in released.cells:
            if cell.notebook_id == notebook_id and cell.type in _GRADED:
                yield Grade(cell_id=cell.id, notebook_id=new_id)
            if cell.notebook_id == notebook_id and cell.type in _COMMENTED:
                yield Comment(cell_id=cell.id, notebook_id=new_id)


def _notebooks(
    session: Session, released: Released, submission_ids: Iterable[str]
) -> dict[str, SubmittedNotebook]:
    """The sheet's own notebook of each submission, by the submission's id."""
    query = select(SubmittedNotebook).where(
        SubmittedNotebook.notebook_id == released.notebook_id,
        SubmittedNotebook.assignment_id.in_(submission_ids),
    )
    columns = (SubmittedNotebook.assignment_id, SubmittedNotebook.late_submission_penalty)
    return {n.assignment_id: n for n in session.scalars(query.options(load_only(*columns)))}


def _rows(
    session: Session, model: Any, cells: dict[str, str], notebook_ids: list[str]
) -> dict[tuple[str, str], Any]:
    """Grades or comments by notebook and cell, both ids."""
    # Named by both, since that is what the table has an index of.
    query = select(model).where(
        model.cell_id.in_(cells.values()), model.notebook_id.in_(notebook_ids)
    )
    columns = [getattr(model, column.key) for column in model.__table__.columns]
    rows = session.scalars(query.options(load_only(*columns)))
    return {(row.notebook_id, row.cell_id): row for row in rows}


def _scores(session: Session, released: Released, notebook_ids: list[str]) -> dict[str, float]:
    """Points of each notebook, those that a person gave included."""
    query = select(Grade.notebook_id, func.sum(Grade.score)).where(
        Grade.cell_id.in_(released.grades.values()), Grade.notebook_id.in_(notebook_ids)
    )
    return dict(session.execute(query.group_by(Grade.notebook_id)).tuples().all())
