"""The batch writer leaves in a gradebook what nbgrader's own steps leave there."""

import random
import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from gradebook_rows import made_up_verdict, rows
from made_up import NAME, handed_in
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
from sqlalchemy import Engine, event
from sqlalchemy.exc import SAWarning

from autograder import answers
from autograder.course import Course
from autograder.database import create_gradebook
from autograder.errors import AutograderError
from autograder.gradebook import Entry, GradebookWriter, entry_of
from autograder.grading import Graded
from autograder.sheets import Sheet

DUE = datetime(2026, 3, 1, 12)

PENALTY = """
from nbgrader.plugins import BasePlugin


class Hourly(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        hours = total_seconds_late / 3600
        return {"forgiven": None, "thanked": -1.0}.get(student_id, hours * score / 10)


c.AssignLatePenalties.plugin_class = Hourly
"""


ON_SQLITE = pytest.mark.parametrize("courses", ["sqlite"], indirect=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def courses(request, prepared, tmp_path) -> tuple[Course, Course]:
    """Two courses, alike to the ids in their gradebooks, with a due date and a penalty."""
    for name in ("ours", "nbgraders"):
        root = shutil.copytree(prepared, tmp_path / name)
        config = root / "nbgrader_config.py"
        added = PENALTY
        if request.param == "postgresql":
            server = request.getfixturevalue("server")
            url = server.copied_database(request.getfixturevalue("prepared_on_server"))
            added += f"\nc.CourseDirectory.db_url = {url!r}\n"
            (root / "gradebook.db").unlink()
        config.write_text(config.read_text(encoding="utf-8") + added, encoding="utf-8")
        with Gradebook(Course(root).database) as gradebook:
            gradebook.update_or_create_assignment(NAME, duedate=DUE)
    return Course(tmp_path / "ours"), Course(tmp_path / "nbgraders")


Told = list[tuple[str, str | None, Graded]]
"""Students, when they handed in, and their verdicts."""


def by_us(course: Course, told: Told) -> None:
    writer = course.gradebook()
    writer.write(entry_of(student, NAME, when, graded) for student, when, graded in told)
    writer.close()


def by_nbgrader(course: Course, told: Told) -> None:
    config = course.nbgrader_config()
    for student, when, graded in told:
        names = {"notebook": NAME, "assignment": NAME, "student": student,
                 "db_url": course.database}  # fmt: skip
        with warnings.catch_warnings():
            # nbgrader adds to the session what SQLAlchemy would like to have been told earlier.
            warnings.simplefilter("ignore", SAWarning)
            with Gradebook(course.database) as gradebook:
                gradebook.update_or_create_student(student)
                timestamp = {"timestamp": when} if when else {}
                gradebook.update_or_create_submission(NAME, student, **timestamp)
            for step in (SaveAutoGrades, AssignLatePenalties):
                step(config=config).preprocess(graded.notebook, {"nbgrader": names})


def by_hand(course: Course, student: str, cell: str = "written_why", **given: object) -> None:
    """What a person enters in formgrader: points for a cell, and a comment on the answer."""
    with Gradebook(course.database) as gradebook:
        grade = gradebook.find_grade(cell, NAME, NAME, student)
        for name, value in given.items():
            setattr(grade, name, value)
        grade.needs_manual_grade = False
        gradebook.find_comment("written_why", NAME, NAME, student).manual_comment = "Read."
        gradebook.db.commit()


def when(hours: float) -> str:
    return f"{DUE + timedelta(hours=hours):%Y-%m-%d %H:%M:%S} UTC"


@pytest.fixture
def verdict(sheet):
    """A made-up verdict: the student, the tests that failed, what was written by hand."""

    def make(student: str, *failed: str, why: str = "So.") -> Graded:
        code = {"total": answers.blank(sheet)["total"]} if "test_total" in failed else {}
        submission = handed_in(sheet, **code, written_why=why)
        return made_up_verdict(sheet, student, submission, frozenset(failed))

    return make


# The same as nbgrader.


def test_new_submissions(courses, verdict):
    told = [
        ("ada", when(-1), verdict("ada")),
        ("ben", None, verdict("ben", "test_total", "test_clip")),
        ("李雷", when(-0.5), verdict("李雷", why="YOUR ANSWER HERE")),
    ]
    ours, nbgraders = courses
    by_us(ours, told)
    by_nbgrader(nbgraders, told)
    assert rows(ours.database) == rows(nbgraders.database)
    with Gradebook(ours.database) as gradebook:
        assert gradebook.find_submission(NAME, "ada").score == 8.5
        assert gradebook.find_submission(NAME, "ben").score == 5.5
        assert gradebook.find_comment("total", NAME, NAME, "ben").comment == "No response."
        assert gradebook.find_comment("mean", NAME, NAME, "ben").comment is None
        assert gradebook.find_grade("written_why", NAME, NAME, "ada").needs_manual_grade
        assert not gradebook.find_grade("written_why", NAME, NAME, "李雷").needs_manual_grade


def test_late_submissions(courses, verdict):
    told = [
        (student, when(hours), verdict(student, "test_clip"))
        for student, hours in [("early", -1), ("in time", 0), ("late", 2), ("very late", 100),
                               ("forgiven", 3), ("thanked", 3), ("extended", 3)]
    ]  # fmt: skip
    for course, write in zip(courses, (by_us, by_nbgrader), strict=True):
        write(course, [("extended", when(-1), verdict("extended"))])
        with Gradebook(course.database) as gradebook:
            gradebook.grant_extension(NAME, "extended", hours=2)
        write(course, told)
    ours, nbgraders = (rows(course.database) for course in courses)
    assert ours == nbgraders
    with Gradebook(courses[0].database) as gradebook:
        found = gradebook.assignment_submissions(NAME)
        assert {s.student.id: s.late_submission_penalty for s in found} == {
            "early": 0, "in time": 0, "late": 1.5, "very late": 7.5, "forgiven": 0, "thanked": 0,
            "extended": 0.75,
        }  # fmt: skip


def test_what_a_person_gave_stays_and_counts(courses, verdict):
    for course, write in zip(courses, (by_us, by_nbgrader), strict=True):
        write(course, [("ada", when(-1), verdict("ada")), ("ben", when(-1), verdict("ben"))])
        by_hand(course, "ada", manual_score=1.5, extra_credit=0.25)
        by_hand(course, "ada", "test_mean", manual_score=2.0)
        write(course, [("ada", when(2), verdict("ada", "test_mean", why="So, too."))])
    ours, nbgraders = courses
    assert rows(ours.database) == rows(nbgraders.database)
    with Gradebook(ours.database) as gradebook:
        grade = gradebook.find_grade("written_why", NAME, NAME, "ada")
        assert (grade.manual_score, grade.extra_credit, grade.needs_manual_grade) == (
            1.5, 0.25, True
        )  # fmt: skip
        assert gradebook.find_comment("written_why", NAME, NAME, "ada").comment == "Read."
        submission = gradebook.find_submission(NAME, "ada")
        assert submission.score == 5.5 + 2.0 + 1.5 + 0.25
        assert submission.late_submission_penalty == pytest.approx(0.2 * 9.25)
        overridden = gradebook.find_grade("test_mean", NAME, NAME, "ada")
        assert (overridden.auto_score, overridden.needs_manual_grade) == (0.0, True)


def test_what_was_late_and_is_no_longer(courses, verdict):
    for course, write in zip(courses, (by_us, by_nbgrader), strict=True):
        write(course, [("ada", when(2), verdict("ada"))])
        write(course, [("ada", when(-2), verdict("ada"))])
        write(course, [("ada", None, verdict("ada"))])
    assert rows(courses[0].database) == rows(courses[1].database)
    with Gradebook(courses[0].database) as gradebook:
        submission = gradebook.find_submission(NAME, "ada")
        assert submission.late_submission_penalty == 0
        assert submission.timestamp == DUE - timedelta(hours=2), (
            "no new time is no reason to forget"
        )


@pytest.mark.parametrize("seed", range(3))
def test_a_term_of_grading(courses, verdict, sheet, seed):
    rng = random.Random(seed)
    students = [f"s{number}" for number in range(6)]
    for _ in range(4):
        told = [
            (student,
             rng.choice([None, when(rng.uniform(-9, 9))]),
             verdict(student, *(c.id for c in sheet.checks if rng.random() < 0.4),
                     why=rng.choice(["So.", "YOUR ANSWER HERE"])))
            for student in rng.sample(students, 3)
        ]  # fmt: skip
        graded, points = rng.choice(told)[0], rng.choice([0.0, 1.0, 2.0])
        for course, write in zip(courses, (by_us, by_nbgrader), strict=True):
            write(course, told)
            by_hand(course, graded, manual_score=points)
    assert rows(courses[0].database) == rows(courses[1].database)


def test_more_notebooks_than_the_sheets_own(courses, verdict):
    for course, write in zip(courses, (by_us, by_nbgrader), strict=True):
        with Gradebook(course.database) as gradebook:
            gradebook.add_notebook("extra", NAME)
            gradebook.add_grade_cell("test_total", "extra", NAME, max_score=5, cell_type="code")
            gradebook.add_solution_cell("total", "extra", NAME)
            gradebook.add_task_cell("essay", "extra", NAME, max_score=3, cell_type="markdown")
        write(course, [("ada", when(1), verdict("ada", "test_total"))])
    assert rows(courses[0].database) == rows(courses[1].database)


def test_points_are_the_verdicts_whatever_the_notebook_shows(courses, verdict):
    graded = verdict("ada", "test_mean")
    for cell in graded.notebook.cells:
        if "outputs" in cell:
            cell.outputs = []
    by_us(courses[0], [("ada", None, graded)])
    with Gradebook(courses[0].database) as gradebook:
        assert gradebook.find_submission(NAME, "ada").score == 5.5


# A batch.


def test_a_batch_of_several_sheets(courses, sheet, verdict):
    course = courses[0]
    course.prepare(Sheet("other", sheet.notebook))
    writer = course.gradebook()
    writer.write([
        entry_of("ada", NAME, None, verdict("ada")),
        entry_of("ada", "other", None, verdict("ada", "test_mean")),
        entry_of("ben", NAME, None, verdict("ben", "test_clip")),
    ])  # fmt: skip
    assert (writer.students(NAME), writer.students("other")) == ({"ada", "ben"}, {"ada"})
    writer.close()
    with Gradebook(course.database) as gradebook:
        assert gradebook.find_submission(NAME, "ada").score == 8.5
        assert gradebook.find_submission("other", "ada").score == 5.5
        assert gradebook.find_submission(NAME, "ben").score == 7.5


@pytest.fixture
def statements(courses) -> Iterator[tuple[GradebookWriter, list[tuple[str, object]]]]:
    """A writer, and what it says to the database."""
    said: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        said.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    writer = courses[0].gradebook()
    yield writer, said
    writer.close()
    event.remove(Engine, "before_cursor_execute", note)


def late_class(verdict, size: int) -> list[Entry]:
    return [
        entry_of(f"s{number}", NAME, when(number), verdict(f"s{number}")) for number in range(size)
    ]


def test_a_large_batch_asks_no_more_than_a_small_one(statements, verdict):
    writer, said = statements
    writer.write(late_class(verdict, 3))
    few = len(said)
    said.clear()
    writer.write(late_class(verdict, 25))
    assert len(said) <= few + 2


@ON_SQLITE
def test_no_question_reads_the_grades_of_everybody(statements, verdict):
    writer, said = statements
    writer.write(late_class(verdict, 5))
    said.clear()
    writer.write(late_class(verdict, 5))
    with writer._engine.connect() as connection:
        plans = [
            line.detail
            for statement, parameters in said
            if statement.startswith(("SELECT", "UPDATE"))
            for single in (parameters if isinstance(parameters, list) else [parameters])
            for line in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", single)
        ]
    assert len(plans) > 8
    of_the_class = ("grade", "comment", "student", "submitted_assignment", "submitted_notebook")
    assert not {f"SCAN {table}" for table in of_the_class}.intersection(plans)


@ON_SQLITE
def test_the_writer_is_patient_with_formgrader(statements, verdict):
    writer, said = statements
    writer.write(late_class(verdict, 1))
    assert said[0][0] == "PRAGMA busy_timeout = 30000"


def test_nothing_to_write(courses):
    before = rows(courses[0].database)
    by_us(courses[0], [])
    assert rows(courses[0].database) == before


# What cannot be written.


def test_all_or_none(courses, verdict):
    course = courses[0]
    before = rows(course.database)
    strange = entry_of("ben", NAME, None, verdict("ben"))
    strange.scores["test_median"] = 1.0
    writer = course.gradebook()
    with pytest.raises(
        AutograderError, match=r"does not know test_median of 'sums', only celsius,"
    ):
        writer.write([entry_of("ada", NAME, None, verdict("ada")), strange])
    with pytest.raises(AutograderError, match="does not know the sheet 'other'"):
        writer.write([entry_of("ada", NAME, None, verdict("ada")),
                      entry_of("ada", "other", None, verdict("ada"))])  # fmt: skip
    assert rows(course.database) == before
    writer.write([entry_of("ada", NAME, None, verdict("ada"))])
    writer.close()


def test_a_plugin_that_fails_leaves_nothing_half_written(courses, verdict):
    course = courses[0]
    config = course.root / "nbgrader_config.py"
    text = config.read_text(encoding="utf-8").replace("hours * score / 10", "1 / 0 if hours else 0")
    config.write_text(text, encoding="utf-8")
    before = rows(course.database)
    with pytest.raises(ZeroDivisionError):
        by_us(course, [("ada", when(-1), verdict("ada")), ("ben", when(1), verdict("ben"))])
    assert rows(course.database) == before


@ON_SQLITE
def test_a_gradebook_that_another_program_is_writing(courses, verdict):
    course = courses[0]
    before = rows(course.database)
    writer = course.gradebook()
    entries = [entry_of("ada", NAME, None, verdict("ada"))]
    other = sqlite3.connect(course.root / "gradebook.db")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AutograderError, match=r"cannot write sqlite:.*\.db: database is locked$"):
        writer.write(entries, patience=0)
    other.rollback()
    other.close()
    assert rows(course.database) == before
    writer.write(entries, patience=0)
    writer.close()
    assert rows(course.database) != before


# The gradebook itself.


def test_who_is_in_it(courses, verdict):
    writer = courses[0].gradebook()
    assert writer.students(NAME) == set()
    writer.write([entry_of("ada", NAME, None, verdict("ada"))])
    assert writer.students(NAME) == {"ada"}
    assert writer.students("other") is None
    writer.close()


@ON_SQLITE
def test_a_database_without_tables_knows_no_sheet(courses, tmp_path):
    writer = GradebookWriter(f"sqlite:///{tmp_path}/empty.db", courses[0].nbgrader_config())
    assert writer.students(NAME) is None
    writer.close()


@ON_SQLITE
def test_what_is_no_gradebook_is_named(courses):
    (courses[0].root / "gradebook.db").write_bytes(b"not a database, and long enough to be none")
    writer = courses[0].gradebook()
    with pytest.raises(
        AutograderError, match=r"cannot read sqlite:.*gradebook\.db: file is not a database"
    ):
        writer.students(NAME)
    writer.close()


def test_a_gradebook_is_made_at_once_or_not_at_all(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/gradebook.db"

    def killed():
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("nbgrader.api.get_alembic_version", killed)
        with pytest.raises(KeyboardInterrupt):
            create_gradebook(url)
    assert not (tmp_path / "gradebook.db").exists()
    create_gradebook(url)
    assert [path.name for path in tmp_path.iterdir()] == ["gradebook.db"]
    with sqlite3.connect(tmp_path / "gradebook.db") as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    connection.close()
    before = (tmp_path / "gradebook.db").read_bytes()
    create_gradebook(url)
    assert (tmp_path / "gradebook.db").read_bytes() == before
