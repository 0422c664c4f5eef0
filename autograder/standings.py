"""What the gradebook says of a class, read in few questions however many students there are."""

from dataclasses import dataclass

from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.database import engine_of, errors_named, has_gradebook


@dataclass
class Standing:
    """One student's grade for one sheet.

    Args:
        points: by tests and by hand, as far as given.
        penalty: what is taken off for lateness.
        waiting: grade ids of the answers that a person has still to grade.
    """

    points: float = 0.0
    penalty: float = 0.0
    waiting: tuple[str, ...] = ()

    @property
    def grade(self) -> float:
        return max(0.0, self.points - self.penalty)


def standings(url: str, sheet: str) -> dict[str, Standing]:
    """By student, of everybody whose submission was graded; empty where there is no gradebook.

    Raises:
        AutograderError: the gradebook cannot be read.
    """
    if not has_gradebook(url):
        return {}
    with errors_named("read", url):
        engine = engine_of(url)
        try:
            with Session(engine) as session:
                return _read(session, sheet)
        finally:
            engine.dispose()


def _read(session: Session, sheet: str) -> dict[str, Standing]:
    query = (
        select(
            SubmittedAssignment.student_id,
            BaseCell.name,
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
            Grade.needs_manual_grade,
        )
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .where(Assignment.name == sheet)
        .order_by(SubmittedAssignment.student_id, BaseCell.name)
    )
    found: dict[str, Standing] = {}
    graded: set[str] = set()
    for student, cell, by_tests, by_hand, extra, needs_person in session.execute(query):
        standing = found.setdefault(student, Standing())
        given = by_tests if by_hand is None else by_hand
        standing.points += (given or 0.0) + (extra or 0.0)
        # Grading anew asks for a second look, but the points that were given still count.
        if needs_person and by_hand is None:
            standing.waiting += (cell,)
        if given is not None:
            graded.add(student)
    penalties = (
        select(SubmittedAssignment.student_id, SubmittedNotebook.late_submission_penalty)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == sheet, SubmittedNotebook.late_submission_penalty.is_not(None))
    )
    for student, penalty in session.execute(penalties):
        if student in found:
            found[student].penalty += penalty
    return {student: found[student] for student in sorted(graded)}
