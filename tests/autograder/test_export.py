"""Grades as CSV, in three forms, and nothing that a spreadsheet would run."""

import csv
import io
import shutil

import pytest
from made_up import NAME
from nbgrader.api import Gradebook

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.export import FORMATS, as_csv, canvas, collect, moodle, plain


@pytest.fixture(scope="module")
def grades(graded_class, sheet):
    return collect(graded_class.course, [sheet])


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_grades_of_a_class(graded_class, grades):
    assert grades == {name: {NAME: score} for name, score in graded_class.scores.items()}
    assert list(grades) == sorted(grades)


def test_plain(grades, sheet):
    assert plain(grades, [sheet]) == [
        ["student", "sums", "total"],
        ["ada", "8.5", "8.5"],
        ["ben", "3.5", "3.5"],
        ["chloé de la tour", "7.5", "7.5"],
        ["dora", "0", "0"],
        ["emil", "0", "0"],
    ]


def test_canvas(grades, sheet):
    header, possible, first, *_ = canvas(grades, [sheet])
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "sums"]
    assert possible == ["Points Possible", "", "", "", "", "10.5"]
    assert first == ["ada", "", "", "ada", "", "8.5"]


def test_moodle(grades, sheet):
    assert moodle(grades, [sheet])[:2] == [["Username", "sums (Real)"], ["ada", "8.5"]]


@pytest.mark.parametrize("form", FORMATS)
def test_a_sheet_that_was_not_handed_in_has_an_empty_cell(form, sheet):
    table = FORMATS[form]({"ada": {}}, [sheet])
    assert table[-1][1 if form != "canvas" else 5] == ""
    assert len({len(row) for row in table}) == 1


def test_manual_points_and_late_penalties_count(graded_class, sheet, tmp_path):
    root = shutil.copytree(graded_class.course.root, tmp_path / "course")
    course = Course(root)
    with Gradebook(course.database) as gradebook:
        gradebook.find_grade("written_why", NAME, NAME, "ada").manual_score = 1.5
        for student, penalty in [("ada", 3), ("emil", 5)]:
            notebook = gradebook.find_submission_notebook(NAME, NAME, student)
            notebook.late_submission_penalty = penalty
        gradebook.db.commit()
    changed = collect(course, [sheet])
    assert changed["ada"] == {NAME: 8.5 + 1.5 - 3}
    assert changed["emil"] == {NAME: 0.0}, "never below nothing"


def test_cells_that_a_spreadsheet_would_run_are_quoted():
    nasty = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "=cmd|' /C calc'!A0"]
    text = as_csv([nasty, ["a=1", "1", "", "ä", 'say "so", x']])
    assert rows(text) == [[f"'{cell}" for cell in nasty], ["a=1", "1", "", "ä", 'say "so", x']]


def test_a_student_called_like_a_formula_is_quoted(sheet):
    text = as_csv(plain({"=1+1": {NAME: 3.0}}, [sheet]))
    assert rows(text)[1] == ["'=1+1", "3", "3"]


def test_points_have_no_needless_digits(sheet):
    table = plain({"ada": {NAME: 0.1 + 0.2}}, [sheet])
    assert table[1] == ["ada", "0.3", "0.3"]


def test_nothing_graded_yet(root, sheet):
    with pytest.raises(AutograderError, match=r"no grades in .*: run 'autograder grade' first"):
        collect(Course(root), [sheet])


def test_no_course_at_all(tmp_path, sheet):
    with pytest.raises(AutograderError, match="no grades in "):
        collect(Course(tmp_path), [sheet])
    assert list(tmp_path.iterdir()) == [], "a gradebook is not made by looking for it"
