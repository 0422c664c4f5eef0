"""nbgrader's own commands and buttons take the same path and come to the same grades."""

import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from gradebook_rows import rows
from made_up import NAME, SECRETS, as_bytes, code_cell, find_cell, flags, hand_in, notebook_of
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI

from autograder.course import Course
from autograder.grade_class import grade_class
from autograder.grading import grade
from autograder.repository import REPOSITORY

# nbgrader adds to the session what SQLAlchemy would like to have been told earlier.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Object of type <Submitted.* not in session:sqlalchemy.exc.SAWarning"
)

NBGRADER = str(Path(sys.executable).parent / "nbgrader")


def nbgrader(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [NBGRADER, *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def forged(sheet) -> bytes:
    """Wrong, and dressed up so that nbgrader alone would give it full points."""
    notebook = notebook_of(sheet, total="def total(numbers):\n    return 'wrong' and 0")
    cell = find_cell(notebook, "test_total")
    cell["metadata"]["tags"] = ["skip-execution"]
    cell["metadata"]["nbgrader"]["points"] = 100
    cell["source"] = "5.0"
    notebook["cells"].insert(0, code_cell("1 / 0"))
    return as_bytes(notebook)


@pytest.fixture(scope="module")
def course(prepared, sheet, tmp_path_factory):
    """Two students graded and given feedback by nbgrader's own commands."""
    root = shutil.copytree(prepared, tmp_path_factory.mktemp("nbgrader") / "course")
    hand_in(root, "ada", as_bytes(notebook_of(sheet, written_why="So.")), "2026-03-01 12:00:00 UTC")
    hand_in(root, "ben", forged(sheet))
    for command in ("autograde", "generate_feedback"):
        result = nbgrader(root, command, NAME)
        assert result.returncode == 0, result.stderr
    return Course(root)


def test_autograde_gives_our_verdicts(course, sheet):
    expected = [
        grade(sheet, (course.root / "submitted" / s / NAME / f"{NAME}.ipynb").read_bytes(),
              student=s).verdict
        for s in ("ada", "ben")
    ]  # fmt: skip
    found = course.verdicts(NAME)
    assert [verdict | {"seconds": 0} for verdict in found] == [
        verdict | {"seconds": 0} for verdict in expected
    ]
    assert [verdict["score"] for verdict in found] == [8.5, 3.5]
    assert [kind for kind, _ in flags(found[1])] == [
        "metadata-dropped", "metadata-dropped", "cell-altered"
    ]  # fmt: skip


def test_autograde_writes_the_same_scores_into_the_gradebook(course, sheet):
    with Gradebook(course.database) as gradebook:
        for student, score in [("ada", 8.5), ("ben", 3.5)]:
            submission = gradebook.find_submission(NAME, student)
            assert submission.score == score
            assert submission.max_score == sheet.max_score + sheet.manual_max
        assert str(gradebook.find_submission(NAME, "ada").timestamp) == "2026-03-01 12:00:00"


def test_what_autograde_has_graded_is_not_graded_again(course, sheet):
    before = rows(course.database)
    result = grade_class(course, [sheet], jobs=1, progress=False)
    assert (result.graded, result.recovered, result.unchanged, result.failed) == (0, 2, 0, [])
    assert rows(course.database) == before
    assert grade_class(course, [sheet], jobs=1, progress=False).unchanged == 2


def test_nbgraders_feedback_shows_no_hidden_test(course):
    for student in ("ada", "ben"):
        page = (course.root / "feedback" / student / NAME / f"{NAME}.html").read_text("utf-8")
        text = unescape(re.sub(r"<[^>]*>", "", page))
        assert "HIDDEN TESTS" not in text
        assert "nothing adds up to 0" not in text
        assert not any(secret in text for secret in SECRETS)
        assert "def total(numbers)" in text


# Formgrader's button, which calls nbgrader's API from wherever the server was started.


def test_the_button_takes_the_same_path(root, sheet, tmp_path, monkeypatch):
    hand_in(root, "ben", forged(sheet))
    monkeypatch.chdir(tmp_path)
    answer = NbGraderAPI(config=Course(root).nbgrader_config()).autograde(NAME, "ben")
    assert answer["success"], answer
    (verdict,) = Course(root).verdicts(NAME)
    assert verdict["score"] == 3.5
    assert verdict["student"] == "ben"
    with Gradebook(Course(root).database) as gradebook:
        assert gradebook.find_submission(NAME, "ben").score == 3.5
    assert not (tmp_path / "autograded").exists()


def test_formgrader_lists_what_we_graded(graded_class):
    from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension

    assert FormgradeExtension.__name__ == "FormgradeExtension"
    api = NbGraderAPI(config=graded_class.course.nbgrader_config())
    (assignment,) = api.get_assignments()
    assert assignment["name"] == NAME
    assert assignment["num_submissions"] == 5
    assert assignment["max_score"] == 10.5
    graded = {s["student"]: s["score"] for s in api.get_submissions(NAME)}
    assert graded == graded_class.scores
    assert not any(s["autograded"] is False for s in api.get_submissions(NAME))


def test_the_configuration_runs_no_student_code_in_nbgraders_own_way(prepared):
    config = Course(prepared).nbgrader_config()
    names = [step.__name__ for step in config.Autograde.sanitize_preprocessors]
    names += [step.__name__ for step in config.Autograde.autograde_preprocessors]
    assert names == ["RebuildFromSource", "GradeRebuilt", "SaveAutoGrades", "AssignLatePenalties"]
    assert config.CourseDirectory.root == str(prepared)
    assert config.HTMLExporter.sanitize_html is True


def test_a_submission_that_nbgrader_cannot_read_is_an_error_of_its_own(root):
    hand_in(root, "ben", b"{")
    answer = NbGraderAPI(config=Course(root).nbgrader_config()).autograde(NAME, "ben")
    assert not answer["success"]
    assert "JSON" in answer["error"] + answer["log"]
    assert Course(root).verdicts(NAME) == []


def test_verdict_files_of_both_paths_have_one_form(course, graded_class):
    ours, theirs = (
        json.loads((c.graded_folder("ada", NAME) / "verdict.json").read_text("utf-8"))
        for c in (graded_class.course, course)
    )
    assert ours | {"seconds": 0} == theirs | {"seconds": 0}
