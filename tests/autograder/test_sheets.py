"""A sheet's source: what is derived from it, and files that cannot be read as one."""

from dataclasses import replace

import nbformat
import pytest
from made_up import NAME, changed, sheet_from

from autograder.errors import SheetError, UsageError
from autograder.sheets import Sheet, load_sheet, load_sheets, sheet_names
from autograder.student_side.limits import Limits

TOTAL = "{grade_id: total, solution: true}"
TEST_TOTAL = "{grade_id: test_total, grade: true, points: 2}"


def metadata(sheet: Sheet, name: str) -> dict:
    return next(cell.metadata.nbgrader for cell in sheet.notebook.cells if cell.id == name)


def test_what_a_sheet_says_about_itself(sheet):
    assert sheet.title == "Sums and means"
    assert sheet.exercises == ("total", "mean", "clip", "celsius")
    assert [(check.id, check.exercise, check.points) for check in sheet.checks] == [
        ("test_total", "total", 2),
        ("test_mean", "mean", 3),
        ("test_clip", "clip", 1),
        ("test_clip__low", "clip", 1.5),
        ("test_celsius", "celsius", 1),
    ]
    assert sheet.max_score == 8.5
    assert sheet.manual_points == {"written_why": 2}
    assert sheet.manual_max == 2
    assert sheet.forbidden == ("statistics", "math.fsum")
    assert sheet.limits == Limits(cell_seconds=10, submission_seconds=30)


def test_an_exercise_may_have_limits_of_its_own(tmp_path):
    text = changed(
        f"nbgrader: {TOTAL}", f"nbgrader: {TOTAL}\nlimits: {{cell_seconds: 20, memory_bytes: 9}}"
    )
    sheet = sheet_from(tmp_path, text)
    header = Limits(cell_seconds=10, submission_seconds=30)
    assert sheet.limits_of("mean") == header
    assert sheet.limits_of("total") == replace(header, cell_seconds=20, memory_bytes=9)
    assert sheet.limits == replace(header, cell_seconds=20), "the highest of all exercises"
    assert Sheet.from_json(NAME, sheet.to_json()).limits_of("total").memory_bytes == 9


def test_limits_that_nobody_sets_are_the_defaults(tmp_path):
    text = changed("  limits: {cell_seconds: 10, submission_seconds: 30}\n", "")
    sheet = sheet_from(tmp_path, text)
    assert sheet.limits == sheet.limits_of("total") == Limits()


def test_a_sheet_says_which_files_are_handed_in_with_it(sheet, tmp_path):
    assert sheet.files == {}
    text = changed("  minutes: 10\n", "  minutes: 10\n  files: {detector.safetensors: 5000000}\n")
    assert sheet_from(tmp_path, text).files == {"detector.safetensors": 5_000_000}


def test_metadata_are_completed(sheet):
    locked = {"schema_version": 3, "cell_type": "code", "task": False, "locked": True}
    assert metadata(sheet, "setup") == locked | {
        "grade_id": "setup", "grade": False, "solution": False
    }  # fmt: skip
    assert metadata(sheet, "total") == locked | {
        "grade_id": "total", "grade": False, "solution": True, "locked": False
    }  # fmt: skip
    assert metadata(sheet, "test_total") == locked | {
        "grade_id": "test_total", "grade": True, "solution": False, "points": 2
    }  # fmt: skip
    assert metadata(sheet, "written_why") == locked | {
        "grade_id": "written_why", "grade": True, "solution": True, "locked": False, "points": 2,
        "cell_type": "markdown",
    }  # fmt: skip
    nbformat.validate(sheet.notebook)


def test_ids_are_the_grade_ids_or_count_the_cells(sheet):
    assert [cell.id for cell in sheet.notebook.cells] == [
        "cell-1", "setup", "cell-3", "total", "test_total", "cell-6", "cell-7", "cell-8", "mean",
        "test_mean", "cell-11", "clip", "test_clip", "test_clip__low", "cell-15", "celsius",
        "test_celsius", "cell-18", "written_why",
    ]  # fmt: skip


def test_two_readings_are_the_same(sheet, solutions):
    assert load_sheet(NAME, solutions).to_json() == sheet.to_json()


def test_a_sheet_travels_as_text(sheet):
    copy = Sheet.from_json(NAME, sheet.to_json())
    assert copy.notebook == sheet.notebook
    assert copy.checks == sheet.checks
    assert copy.limits == sheet.limits


def test_points_in_prose_come_from_the_metadata(sheet):
    text = "\n".join(c.source for c in sheet.notebook.cells if c.cell_type == "markdown")
    assert "Worth 8.5 points by tests and 2 points by hand." in text
    assert "## Total (2 points)" in text
    assert "## Clip (2.5 points)" in text, "two tests of one exercise add up"
    assert "## Celsius (1 point)" in text, "one point, not one points"
    assert "## A question (2 points)" in text
    assert "{{" not in text


def test_points_may_stand_between_spaces(tmp_path):
    text = changed("{{points.total}}", "{{ points.total }}")
    assert "## Total (2 points)" in sheet_from(tmp_path, text).notebook.cells[2].source


def test_code_is_not_prose(tmp_path):
    text = changed("import math", 'import math\nbraces = "{{points.total}}"')
    assert "{{points.total}}" in sheet_from(tmp_path, text).notebook.cells[1].source


def test_sheets_are_found_by_name(solutions, tmp_path):
    assert sheet_names(solutions) == [NAME]
    assert [sheet.name for sheet in load_sheets([], solutions)] == [NAME]
    assert [sheet.name for sheet in load_sheets([NAME], solutions)] == [NAME]
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "other.md").touch()
    assert sheet_names(tmp_path) == []
    assert sheet_names(tmp_path / "nowhere") == []


def test_an_unknown_sheet_lists_those_there_are(solutions, tmp_path):
    with pytest.raises(UsageError, match=r"no sheet is called 'sum'; there are: sums$"):
        load_sheets(["sum"], solutions)
    with pytest.raises(UsageError, match=r"there are: none$"):
        load_sheets(["sums"], tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "---\ncourse: [\n---\n",
        "---\nkernelspec: 3\n---\n",
        changed(f"nbgrader: {TOTAL}", "nbgrader: ["),
        changed('{"nbgrader"', "{nbgrader"),
    ],
    ids=["header", "header of a wrong type", "code cell", "Markdown cell"],
)
def test_broken_yaml_and_json_are_named(tmp_path, text):
    with pytest.raises(SheetError, match=r"sums\.md: cannot be read as a MyST notebook: "):
        sheet_from(tmp_path, text)


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / f"{NAME}.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SheetError, match="cannot be read as a MyST notebook"):
        load_sheet(NAME, tmp_path)


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(SheetError, match=r"cannot be read as a MyST notebook: .*No such file"):
        load_sheet(NAME, tmp_path)
