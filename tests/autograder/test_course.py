"""A course folder: nbgrader's layout, and what a recorded verdict leaves in it."""

import json
from datetime import datetime, timedelta

import nbformat
import pytest
from gradebook_rows import made_up_verdict
from made_up import NAME, changed, hand_in, handed_in, sheet_from
from nbgrader.api import Gradebook

from autograder.course import Course, Submission, mark_finished, mark_recorded
from autograder.errors import AutograderError
from autograder.feedback import manual_grades
from autograder.grade_class import grade_class

WRONG = "def celsius(fahrenheit):\n    return fahrenheit"


def graded(root, sheet) -> Course:
    course = Course(root)
    assert grade_class(course, [sheet], jobs=1, progress=False).failed == []
    return course


# The layout.


def test_a_prepared_course_has_what_nbgrader_expects(prepared, sheet):
    files = {str(path.relative_to(prepared)) for path in prepared.rglob("*") if path.is_file()}
    assert files == {
        "nbgrader_config.py",
        "gradebook.db",
        f"source/{NAME}/{NAME}.ipynb",
        f"release/{NAME}/{NAME}.ipynb",
        f".prepared/{NAME}",
    }
    source = nbformat.read(prepared / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    assert source == sheet.notebook
    release = (prepared / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert "add every number once" in release
    assert "31337" not in release
    assert "BEGIN SOLUTION" not in release


def test_the_gradebook_knows_the_points(prepared, sheet):
    with Gradebook(Course(prepared).database) as gradebook:
        assert gradebook.find_assignment(NAME).max_score == sheet.max_score + sheet.manual_max


def test_preparing_again_touches_nothing(root, sheet):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    Course(root).prepare(sheet)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_an_instructors_own_configuration_is_kept(root):
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text(encoding="utf-8") + "\n# mine\n", encoding="utf-8")
    text = changed("Why is the mean of nothing 0 here?", "Why 0?")
    Course(root).prepare(sheet_from(root / "solutions", text))
    assert config.read_text(encoding="utf-8").endswith("# mine\n")
    assert "Why 0?" in (root / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")


def test_a_sheet_whose_preparation_was_interrupted_is_prepared_again(root, sheet, monkeypatch):
    text = changed("Why is the mean of nothing 0 here?", "Why 0?")
    new = sheet_from(root / "solutions", text)
    with monkeypatch.context() as patched:
        patched.setattr(Course, "_generate_assignment", lambda *_: {}["killed"])
        with pytest.raises(KeyError):
            Course(root).prepare(new)
    release = root / "release" / NAME / f"{NAME}.ipynb"
    assert "Why 0?" not in release.read_text(encoding="utf-8")
    Course(root).prepare(new)
    assert "Why 0?" in release.read_text(encoding="utf-8")
    Course(root).prepare(sheet)
    assert "Why 0?" not in release.read_text(encoding="utf-8")


def test_an_interruption_of_nbgrader_is_one_of_ours(root, sheet, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("nbgrader.preprocessors.SaveCells.preprocess", interrupted)
    (root / "gradebook.db").unlink()
    with pytest.raises(KeyboardInterrupt):
        Course(root).prepare(sheet)


def test_a_configuration_that_cannot_be_run_is_named(root, sheet):
    (root / "nbgrader_config.py").write_text("c = get_confg()", encoding="utf-8")
    with pytest.raises(AutograderError, match=r"nbgrader_config\.py: NameError: .*'get_confg'"):
        Course(root).prepare(sheet)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "sqlite:///{root}/gradebook.db"),
        ("c.CourseDirectory.db_url = ''", "sqlite:///{root}/gradebook.db"),
        ("c.CourseDirectory.db_url = 'sqlite:///grades/of.db'", "sqlite:///{root}/grades/of.db"),
        ("c.CourseDirectory.db_url = 'sqlite:////srv/of.db'", "sqlite:////srv/of.db"),
        ("c.CourseDirectory.db_url = 'postgresql://a:b@c/d'", "postgresql://a:b@c/d"),
    ],
)
def test_where_the_gradebook_is(tmp_path, line, expected):
    text = f"c = get_config()\nc.CourseDirectory.root = 'elsewhere'\n{line}\n"
    (tmp_path / "nbgrader_config.py").write_text(text, encoding="utf-8")
    assert Course(tmp_path).database == expected.format(root=tmp_path)


def test_the_gradebook_of_a_course_without_configuration(tmp_path):
    assert Course(tmp_path).database == f"sqlite:///{tmp_path}/gradebook.db"


# What grading leaves.


def test_what_a_graded_submission_leaves(graded_class):
    folder = graded_class.course.graded_folder("ada", NAME)
    assert sorted(path.name for path in folder.iterdir()) == [
        "digest.txt", f"{NAME}.ipynb", "timestamp.txt", "verdict.json"
    ]  # fmt: skip
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    assert (verdict["student"], verdict["score"]) == ("ada", 8.5)
    assert (folder / "timestamp.txt").read_text(encoding="utf-8") == "2026-03-01 12:00:00 UTC"
    nbformat.read(folder / f"{NAME}.ipynb", as_version=4)


def test_a_student_without_a_time_has_none(graded_class):
    folder = graded_class.course.graded_folder("ben", NAME)
    assert not (folder / "timestamp.txt").exists()


def test_what_was_handed_in_is_not_touched(graded_class, sheet):
    path = graded_class.course.root / "submitted" / "ada" / NAME / f"{NAME}.ipynb"
    assert path.read_bytes() == handed_in(sheet, written_why="So it *is*.")


def test_a_time_that_was_withdrawn_is_withdrawn(root, sheet):
    hand_in(root, "ada", b"", "2026-03-01 12:00:00 UTC")
    graded(root, sheet)
    (root / "submitted" / "ada" / NAME / "timestamp.txt").unlink()
    course = graded(root, sheet)
    assert not (course.graded_folder("ada", NAME) / "timestamp.txt").exists()


def test_finished_and_recorded(root, sheet):
    course = Course(root)
    submission = Submission("ada", NAME, hand_in(root, "ada", b""))
    folder = course.graded_folder("ada", NAME)

    def states(digest: str) -> tuple[bool, bool]:
        return course.is_finished(submission, digest), course.is_recorded(submission, digest)

    assert states("abc") == (False, False)
    course.finish(submission, made_up_verdict(sheet, "ada", b""), "abc")
    assert (folder / "digest.txt").read_text(encoding="utf-8") == "abc"
    assert states("abc") == (True, False)
    mark_recorded(folder, "abc")
    assert (folder / "digest.txt").read_text(encoding="utf-8") == "abc recorded"
    assert states("abc") == (True, True)
    assert states("abcd") == states("ab") == states("recorded") == (False, False)
    mark_finished(folder, "abcd")
    assert (states("abc"), states("abcd")) == ((False, False), (True, False))
    verdict = course.finished(submission).verdict
    assert (verdict["student"], verdict["score"]) == ("ada", 8.5)


# The gradebook.


def grades_of(course: Course, student: str) -> dict:
    with Gradebook(course.database) as gradebook:
        submission = gradebook.find_submission_notebook(NAME, NAME, student)
        return {grade.name: (grade.score, grade.needs_manual_grade) for grade in submission.grades}


def test_grades_cell_by_cell(graded_class):
    assert grades_of(graded_class.course, "ben") == {
        "test_total": (0.0, False),
        "test_mean": (0.0, False),
        "test_clip": (1.0, False),
        "test_clip__low": (1.5, False),
        "test_celsius": (1.0, False),
        "written_why": (0.0, False),
    }, "nothing was written, so nobody need read it"
    assert grades_of(graded_class.course, "ada")["written_why"] == (0.0, True)


def test_a_manual_grade_survives_grading_anew(root, sheet):
    hand_in(root, "ada", handed_in(sheet, written_why="So."))
    course = graded(root, sheet)
    with Gradebook(course.database) as gradebook:
        grade = gradebook.find_grade("written_why", NAME, NAME, "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        comment = gradebook.find_comment("written_why", NAME, NAME, "ada")
        comment.manual_comment = "More, please."
        gradebook.db.commit()
    hand_in(root, "ada", handed_in(sheet, written_why="So.", celsius=WRONG))
    course = graded(root, sheet)
    assert grades_of(course, "ada")["written_why"] == (1.5, True)
    with Gradebook(course.database) as gradebook:
        assert gradebook.find_submission(NAME, "ada").score == 7.5 + 1.5
    assert manual_grades(course, sheet, "ada") == {
        "written_why": {"score": 1.5, "max_score": 2.0, "comment": "More, please."}
    }


PENALTY = """
from nbgrader.plugins import BasePlugin


class PointAnHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 3600


c.AssignLatePenalties.plugin_class = PointAnHour
"""


def test_a_late_submission_has_its_penalty(root, sheet):
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text(encoding="utf-8") + PENALTY, encoding="utf-8")
    due = datetime(2026, 3, 1, 12)
    with Gradebook(Course(root).database) as gradebook:
        gradebook.update_or_create_assignment(NAME, duedate=due)
    for student, hours in [("early", -1), ("late", 2), ("very late", 100)]:
        when = due + timedelta(hours=hours)
        hand_in(root, student, handed_in(sheet, written_why=""), f"{when:%Y-%m-%d %H:%M:%S} UTC")
    hand_in(root, "whenever", handed_in(sheet))
    course = graded(root, sheet)
    with Gradebook(course.database) as gradebook:
        found = {s.student.id: s for s in gradebook.assignment_submissions(NAME)}
        penalties = {name: s.late_submission_penalty for name, s in found.items()}
        assert found["late"].total_seconds_late == 7200
        assert found["late"].timestamp == datetime(2026, 3, 1, 14)
    assert penalties == {"early": 0, "late": 2, "very late": 8.5, "whenever": 0}
    assert {v["score"] for v in course.verdicts(NAME)} == {8.5}, "a verdict knows no penalty"


def test_verdicts_are_in_the_order_of_the_students(graded_class):
    found = [verdict["student"] for verdict in graded_class.course.verdicts(NAME)]
    assert found == ["ada", "ben", "chloé de la tour", "dora", "emil"]
    assert graded_class.course.verdicts("other") == []
