"""Grades as CSV, in three forms, and nothing that a spreadsheet would run."""

import csv
import io
import re
import shutil

import pytest
from made_up import NAME
from nbgrader.api import Gradebook
from sqlalchemy import Engine, event

from autograder.course import Course
from autograder.errors import AutograderError, UsageError
from autograder.export import FORMATS, as_csv, collect, table, unfinished, unmatched
from autograder.roster import read_roster
from autograder.standings import Standing

# nbgrader adds to the session what SQLAlchemy would like to have been told earlier.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Object of type <Submitted.* not in session:sqlalchemy.exc.SAWarning"
)


@pytest.fixture(scope="module")
def grades(graded_class, sheet):
    return collect(graded_class.course, [sheet])


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_grades_of_a_class(graded_class, grades):
    found = {name: {sheet: s.grade for sheet, s in by.items()} for name, by in grades.items()}
    assert found == {name: {NAME: score} for name, score in graded_class.scores.items()}
    assert list(grades) == sorted(grades)


def test_plain(grades, sheet):
    assert table(grades, [sheet]) == [
        ["student", "sums", "total"],
        ["ada", "8.5", "8.5"],
        ["ben", "3.5", "3.5"],
        ["chloé de la tour", "7.5", "7.5"],
        ["dora", "0", "0"],
        ["emil", "0", "0"],
    ]


def test_canvas(grades, sheet):
    header, possible, first, *_ = table(grades, [sheet], "canvas")
    assert header == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "sums"]
    assert possible == ["Points Possible", "", "", "", "", "10.5"]
    assert first == ["ada", "", "", "ada", "", "8.5"]


def test_moodle(grades, sheet):
    assert table(grades, [sheet], "moodle")[:2] == [["Username", "sums (Real)"], ["ada", "8.5"]]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("missing", ["", "0"])
def test_a_sheet_that_was_not_handed_in(form, missing, sheet):
    found = table({"ada": {}}, [sheet], form, missing=missing)
    assert found[-1][1 if form != "canvas" else 5] == missing
    assert len({len(row) for row in found}) == 1


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
    assert changed["ada"][NAME].grade == 8.5 + 1.5 - 3
    assert changed["ada"][NAME].waiting == ()
    assert changed["emil"][NAME].grade == 0.0, "never below nothing"


def test_what_a_person_has_still_to_grade_is_said(grades, sheet):
    (line,) = unfinished(grades, [sheet])
    assert line == "sums: 1 with answers that are not graded by hand yet: ada"
    nobody = {"ada": {NAME: Standing(1.0)}}
    assert unfinished(nobody, [sheet]) == []


def test_of_many_students_few_are_listed(sheet):
    many = {f"s{number:02}": {NAME: Standing(1.0, waiting=("why",))} for number in range(11)}
    (line,) = unfinished(many, [sheet])
    assert line.endswith(": s00, s01, s02, s03, s04, s05, s06, s07, s08, s09, …")


def test_who_was_only_given_more_time_has_handed_in_nothing(graded_class, sheet, tmp_path):
    course = Course(shutil.copytree(graded_class.course.root, tmp_path / "course"))
    with Gradebook(course.database) as gradebook:
        gradebook.add_student("zoe")
        gradebook.add_submission(NAME, "zoe")
    assert "zoe" not in collect(course, [sheet])


def test_of_a_large_class_no_more_is_asked(graded_class, sheet, tmp_path):
    course = Course(shutil.copytree(graded_class.course.root, tmp_path / "course"))
    said = []

    def note(_connection, _cursor, statement, *_):
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        collect(course, [sheet])
        few = len(said)
        with Gradebook(course.database) as gradebook:
            for number in range(30):
                gradebook.add_student(f"s{number}")
                gradebook.add_submission(NAME, f"s{number}")
        said.clear()
        collect(course, [sheet])
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert 0 < len(said) == few


def test_cells_that_a_spreadsheet_would_run_are_quoted():
    nasty = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "=cmd|' /C calc'!A0"]
    text = as_csv([nasty, ["a=1", "1", "", "ä", 'say "so", x']])
    assert rows(text) == [[f"'{cell}" for cell in nasty], ["a=1", "1", "", "ä", 'say "so", x']]


def test_what_was_written_can_be_read_back():
    nasty = ["=1", "'=1", "''=1", "'t Hooft", "'", "-", 'a "b", c', "two\nlines", "ä€😀", " x ", ""]
    text = as_csv([nasty])
    (read,) = rows(text)
    assert len(set(read)) == len(nasty), "no two are told apart no longer"
    assert [re.sub(r"^'(?='*[=+\-@\t\r\n])", "", cell) for cell in read] == nasty


# With the list of students that Canvas or Moodle exported.

CANVAS = """\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,sums (77),Final Score
    Points Possible,,,,,10.5,(read only)
"Tour, Chloé de la",11,u3,Chloé de la tour,"A, B",1,9
"Lovelace, Ada",12,u1,ada,A,,
"Nobody, New",13,u9,new,A,,
"""


@pytest.fixture
def canvas_file(tmp_path):
    path = tmp_path / "canvas.csv"
    path.write_text(CANVAS, encoding="utf-8")
    return path


def test_canvas_with_its_own_export(grades, sheet, canvas_file):
    roster = read_roster(canvas_file, "canvas", grades)
    found = table(grades, [sheet], "canvas", roster=roster)
    assert found == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "sums (77)"],
        ["Points Possible", "", "", "", "", "10.5"],
        ["Tour, Chloé de la", "11", "u3", "Chloé de la tour", "A, B", "7.5"],
        ["Lovelace, Ada", "12", "u1", "ada", "A", "8.5"],
        ["Nobody, New", "13", "u9", "new", "A", ""],
    ]
    assert rows(as_csv(found)) == found
    assert unmatched(grades, roster) == [
        "not in the roster, so not exported: ben, dora, emil",
        "in the roster, but without any submission: 1",
    ]


def test_what_was_exported_is_a_roster_again(grades, sheet, canvas_file, tmp_path):
    roster = read_roster(canvas_file, "canvas", grades)
    first = table(grades, [sheet], "canvas", roster=roster)
    again = tmp_path / "again.csv"
    again.write_text(as_csv(first), encoding="utf-8", newline="")
    assert table(grades, [sheet], "canvas", roster=read_roster(again, "canvas", grades)) == first


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_moodle_with_its_own_export(grades, sheet, tmp_path, delimiter):
    path = tmp_path / "moodle.csv"
    lines = [
        ["First name", "Last name", "ID number", "Institution", "Email address",
         "Assignment: Sums and means (Real)", "Last downloaded from this course"],
        ["Ada", "Lovelace", "7", "x", "ADA", "-", "1"],
        ["Ben", "", "8", "", "ben"],
    ]  # fmt: skip
    path.write_text("\r\n".join(delimiter.join(line) for line in lines), encoding="utf-8")
    roster = read_roster(path, "moodle", grades)
    assert table(grades, [sheet], "moodle", roster=roster) == [
        ["First name", "Last name", "ID number", "Email address",
         "Assignment: Sums and means (Real)"],
        ["Ada", "Lovelace", "7", "ADA", "8.5"],
        ["Ben", "", "8", "ben", "3.5"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("name,x\nada,1\n", "a column SIS Login ID or SIS User ID or Integration ID or ID is"),
        ("ID,Section\n1,A\n", r"none of the 5 students of the course is in it \(looked for 'ada'"),
    ],
)
def test_a_roster_that_is_none(grades, tmp_path, text, said):
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        read_roster(path, "canvas", grades)


def test_a_roster_that_is_no_text(grades, tmp_path):
    path = tmp_path / "roster.csv"
    path.write_bytes(b"ID\n\xff\xfe")
    with pytest.raises(UsageError, match=r"roster\.csv: 'utf-8' codec"):
        read_roster(path, "canvas", grades)
    with pytest.raises(UsageError, match="No such file"):
        read_roster(tmp_path / "none.csv", "canvas", grades)


def test_a_student_called_like_a_formula_is_quoted(sheet):
    text = as_csv(table({"=1+1": {NAME: Standing(3.0)}}, [sheet]))
    assert rows(text)[1] == ["'=1+1", "3", "3"]


def test_points_have_no_needless_digits(sheet):
    assert table({"ada": {NAME: Standing(0.1 + 0.2)}}, [sheet])[1] == ["ada", "0.3", "0.3"]


def test_nothing_graded_yet(root, sheet):
    with pytest.raises(AutograderError, match=r"no grades in .*: run 'autograder grade' first"):
        collect(Course(root), [sheet])


def test_no_course_at_all(tmp_path, sheet):
    with pytest.raises(AutograderError, match="no grades in "):
        collect(Course(tmp_path), [sheet])
    assert list(tmp_path.iterdir()) == [], "a gradebook is not made by looking for it"
