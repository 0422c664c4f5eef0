"""A sheet's source: what is derived from it, and what is refused with file, cell and rule."""

import nbformat
import pytest
from made_up import NAME, SHEET, changed, sheet_from

from autograder.errors import SheetError, UsageError
from autograder.sheets import Limits, Sheet, load_sheet, load_sheets, sheet_names

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


HEADER_RULES = {
    "course: title": (changed("  title: Sums and means\n", ""), r"needs 'course: title:' \(str\)"),
    "course: minutes": (
        changed("minutes: 10", "minutes: ten"), r"needs 'course: minutes:' \(int\)"),
    "course: chapter": (changed("  chapter: sums\n", ""), r"needs 'course: chapter:' \(str\)"),
    "course": (
        SHEET[: SHEET.index("course:")] + "course: 14\n---\n", "needs 'course:' with title"),
    "no header": ("# Sums\n", "needs a 'kernelspec:'"),
    "unknown limit": (
        changed("cell_seconds: 10", "cell_minutes: 1"),
        r"unknown limits \['cell_minutes'\]; known: \['cell_seconds', 'output_bytes', "),
    "limits as a list": (
        changed("{cell_seconds: 10, submission_seconds: 30}", "[10]"), "unknown limits"),
    "limit that is none": (
        changed("cell_seconds: 10", "cell_seconds: 0"), "'cell_seconds' is a number above 0"),
    "endless limit": (
        changed("cell_seconds: 10", "cell_seconds: .inf"), "'cell_seconds' is a number above 0"),
    "forbidden as text": (
        changed("[statistics, math.fsum]", "statistics"),
        "'course: forbidden:' is a list of dotted names, not 'statistics'"),
}  # fmt: skip


@pytest.mark.parametrize("rule", HEADER_RULES)
def test_a_header_that_is_refused(tmp_path, rule):
    text, message = HEADER_RULES[rule]
    with pytest.raises(SheetError, match=message) as error:
        sheet_from(tmp_path, text)
    assert str(tmp_path / NAME / f"{NAME}.md") in str(error.value)


CELL_RULES = {
    "metadata as text": (
        changed(f"nbgrader: {TOTAL}", "nbgrader: total"),
        "cell 4: nbgrader metadata are a mapping, not 'total'"),
    "no grade_id": (
        changed("grade_id: total, ", ""), "cell 4: nbgrader metadata need a grade_id"),
    "grade_id with a dash": (
        changed("grade_id: total,", "grade_id: the-total,"), "need a grade_id .*'the-total'"),
    "grade_id with an umlaut": (
        changed("grade_id: total,", "grade_id: größe,"), "need a grade_id .*'größe'"),
    "grade_id that is a number": (
        changed("grade_id: total,", "grade_id: 7,"), "need a grade_id .*not 7"),
    "grade_id longer than a cell's id": (
        changed("grade_id: total,", f"grade_id: {'t' * 65},"), r"need a grade_id .*at most 64"),
    "misspelt key": (
        changed("grade_id: test_total, grade", "grade_id: test_total, graded"),
        r"cell 5 \(test_total\): unknown nbgrader keys \['graded'\]"),
    "task": (
        changed(TOTAL, "{grade_id: total, solution: true, task: true}"), "tasks are not used here"),
    "repeated grade_id": (
        changed("grade_id: setup", "grade_id: total"), "grade_id 'total' is given to 2 cells"),
    "no points": (
        changed("grade: true, points: 2}", "grade: true}"),
        r"cell 5 \(test_total\): a graded cell needs points above 0, not None"),
    "zero points": (changed("points: 2}", "points: 0}"), "points above 0, not 0"),
    "negative points": (changed("points: 2}", "points: -1}"), "points above 0, not -1"),
    "points as text": (changed("points: 2}", "points: two}"), "points above 0, not 'two'"),
    "points that are true": (changed("points: 2}", "points: true}"), "points above 0, not True"),
    "endless points": (changed("points: 2}", "points: .inf}"), "points above 0, not inf"),
    "graded text that nobody writes": (
        changed('"grade": true, "solution": true', '"grade": true'),
        r"cell 19 \(written_why\): text that earns points is the student's"),
    "directive": (
        changed("See it at work.", ":::{note}\nSee it.\n:::"), "cell 6: a sheet is plain Markdown"),
    "role": (changed("See it at work.", "See {ref}`there`."), "cell 6: a sheet is plain Markdown"),
    "unknown points": (
        changed("{{points.total}}", "{{points.totl}}"),
        r"cell 3: \{\{points.totl\}\} names none of \['automatic', 'celsius', 'clip', 'manual'"),
}  # fmt: skip

SOLUTION_RULES = {
    "no definition": (
        changed("def total(numbers):\n    \"\"\"Add", "def totals(numbers):\n    \"\"\"Add"),
        r"cell 4 \(total\): the cell must define 'total', the name that is graded"),
    "definition in a comment": (
        changed("def total(numbers):\n    \"\"\"A", "# def total(\ndef sum_up(_):\n    \"\"\"A"),
        "the cell must define 'total'"),
    "class of a longer name": (
        changed("def celsius(fahrenheit):", "class celsius_scale:"),
        "the cell must define 'celsius'"),
    "definition inside the solution": (
        changed("def celsius(fahrenheit):\n    \"\"\"Degrees Fahrenheit in degrees Celsius.\"\"\"\n"
                "    ### BEGIN SOLUTION\n",
                "### BEGIN SOLUTION\ndef celsius(fahrenheit):\n"),
        "the line that defines 'celsius' stands inside the solution"),
    "no region": (
        changed("    ### BEGIN SOLUTION\n    return (f", "    return (f",
                changed("5 / 9\n    ### END SOLUTION", "5 / 9")),
        r"cell 16 \(celsius\): a solution cell needs a region"),
    "no Python": (
        changed("return (fahrenheit - 32)", "return (fahrenheit - 32"),
        r"cell 16 \(celsius\): '\(' was never closed in line 4"),
    "BEGIN without END": (
        changed("    ### END SOLUTION\n", ""), "'### BEGIN SOLUTION' without its END"),
    "END without BEGIN": (
        changed("    ### BEGIN SOLUTION\n    result", "    result"),
        "'### END SOLUTION' without its BEGIN"),
    "BEGIN twice": (
        changed("    result = 0\n", "    ### BEGIN SOLUTION\n    result = 0\n"),
        "SOLUTION begins inside SOLUTION"),
    "unknown region": (
        changed("### BEGIN SOLUTION", "### BEGIN ANSWER"),
        "unknown region 'ANSWER'; known: SOLUTION, HIDDEN TESTS"),
    "marker behind code": (
        changed("result = 0\n", "result = 0  ### BEGIN SOLUTION\n"),
        "the marker 'result = 0  ### BEGIN SOLUTION' must stand alone on its line"),
    "marker written otherwise": (
        changed("    ### END SOLUTION\n", "    ### END SOLUTION\n\n\n#BEGIN SOLUTION\nx = 1\n"),
        "the marker '#BEGIN SOLUTION' must stand alone"),
    "marker in small letters": (
        changed("### BEGIN HIDDEN TESTS", "### begin hidden tests"),
        "the marker '### begin hidden tests' must stand alone"),
    "marker with a dash": (
        changed("### BEGIN HIDDEN TESTS", "# BEGIN-HIDDEN TESTS"),
        "the marker '# BEGIN-HIDDEN TESTS' must stand alone"),
    "solution in another cell": (
        changed("import math", "### BEGIN SOLUTION\nimport math\n### END SOLUTION"),
        r"cell 2 \(setup\): a solution outside a solution cell would be published"),
    "hidden tests in another cell": (
        changed("import math", "### BEGIN HIDDEN TESTS\nimport math\n### END HIDDEN TESTS"),
        r"cell 2 \(setup\): hidden tests belong into a cell with grade: true and points"),
    "no exercise": (
        SHEET[: SHEET.index("## Total")], "no exercise: no code cell has 'solution: true'"),
}  # fmt: skip

TEST_RULES = {
    "test of nothing": (
        changed("grade_id: test_total", "grade_id: test_totals"),
        r"'test_totals' fits none of \['celsius', 'clip', 'mean', 'total'\]"),
    "test of another name": (
        changed("grade_id: test_total", "grade_id: total_test"), "'total_test' fits none of"),
    "exercise without a test": (
        changed("grade_id: test_celsius", "grade_id: test_clip__more"),
        r"no test for \['celsius'\]"),
    "assert without a message": (
        changed(', "nothing adds up to 0"', ""),
        r"cell 5 \(test_total\): the assert in line 3 has no message for the student"),
    "no assert": (
        changed('assert clip(5, 0, 3) == 3, "too large: moved down to the upper end"', "clip"),
        r"cell 13 \(test_clip\): a test cell without an assert can only pass"),
    "no Python": (
        changed("assert clip(5, 0, 3) == 3,", "assert clip(5, 0, 3) = 3,"),
        r"cell 13 \(test_clip\): .* in line 1"),
    "no Python without its hidden tests": (
        changed("    average = mean([2, 4])\n", "", changed(
            '    assert average == 3, f"the mean of 2 and 4 is 3, not {average}"\n', "")),
        r"cell 10 \(test_mean\), without its hidden tests: expected an indented block"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(*case, id=rule)
        for rules in (CELL_RULES, SOLUTION_RULES, TEST_RULES)
        for rule, case in rules.items()
    ],
)
def test_a_cell_that_is_refused(tmp_path, text, message):
    with pytest.raises(SheetError, match=message) as error:
        sheet_from(tmp_path, text)
    assert str(tmp_path / NAME / f"{NAME}.md") in str(error.value)


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


def test_comments_may_begin_and_end_as_they_like(tmp_path):
    text = changed("import math", "# Begin with the best.\n# End of it.\nimport math")
    assert "# Begin with the best." in sheet_from(tmp_path, text).notebook.cells[1].source
