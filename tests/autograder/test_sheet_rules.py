"""The rules of a sheet's source: what is refused, with file, cell and rule."""

import pytest
from made_up import NAME, SHEET, changed, sheet_from

from autograder.errors import SheetError

TOTAL = "{grade_id: total, solution: true}"
TEST_TOTAL = "{grade_id: test_total, grade: true, points: 2}"

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
        r"unknown limits \['cell_minutes'\]; known: \['cell_seconds', 'cpu_seconds', "),
    "limits as a list": (
        changed("{cell_seconds: 10, submission_seconds: 30}", "[10]"), "unknown limits"),
    "limit that is none": (
        changed("cell_seconds: 10", "cell_seconds: 0"), "'cell_seconds' is a number above 0"),
    "endless limit": (
        changed("cell_seconds: 10", "cell_seconds: .inf"), "'cell_seconds' is a number above 0"),
    "limit that is true": (
        changed("cell_seconds: 10", "cell_seconds: true"), "is a number above 0, not True"),
    "files as a list": (
        changed("minutes: 10", "minutes: 10\n  files: [a.bin]"),
        r"'course: files:' maps file names to their largest size in bytes, not \['a.bin'\]"),
    "file without a size": (
        changed("minutes: 10", "minutes: 10\n  files: {a.bin: }"), "cannot be read as a MyST"),
    "file of no size": (
        changed("minutes: 10", "minutes: 10\n  files: {a.bin: 0}"), "maps file names .*0"),
    "file in a folder": (
        changed("minutes: 10", "minutes: 10\n  files: {data/a.bin: 9}"), "maps file names"),
    "file further up": (
        changed("minutes: 10", "minutes: 10\n  files: {..: 9}"), "maps file names"),
    "file without a name": (
        changed("minutes: 10", "minutes: 10\n  files: {'': 9}"), "maps file names"),
    "file that is the folder": (
        changed("minutes: 10", "minutes: 10\n  files: {'.': 9}"), "maps file names"),
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


# The cell that shows something; what follows in it is code.
SHOWN = "See it at work.\n\n```{code-cell} ipython3"

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
    "limits of a test": (
        changed(f"nbgrader: {TEST_TOTAL}", f"nbgrader: {TEST_TOTAL}\nlimits: {{cell_seconds: 9}}"),
        r"cell 5 \(test_total\): limits belong to an exercise's solution cell"),
    "limits of text": (
        changed('+++ {"nbgrader"', '+++ {"limits": {"cell_seconds": 9}, "nbgrader"'),
        r"cell 19 \(written_why\): limits belong to an exercise's solution cell"),
    "limits other than the time of a cell that shows": (
        changed("```{code-cell} ipython3\nshown",
                "```{code-cell} ipython3\n---\nlimits: {memory_bytes: 9}\n---\nshown"),
        r"cell 7: unknown limits \['memory_bytes'\]; known: \['cell_seconds'\]"),
    "unknown limits of an exercise": (
        changed(f"nbgrader: {TOTAL}", f"nbgrader: {TOTAL}\nlimits: {{cell_minutes: 9}}"),
        r"cell 4 \(total\): unknown limits \['cell_minutes'\]; known: "),
    "limits of an exercise that are none": (
        changed(f"nbgrader: {TOTAL}", f"nbgrader: {TOTAL}\nlimits: {{memory_bytes: 0}}"),
        r"cell 4 \(total\): the limit 'memory_bytes' is a number above 0, not 0"),
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
    "tools in a solution cell": (
        changed("{grade_id: total, solution: true}",
                "{grade_id: total, solution: true}\ntools: {sums: [mean]}"),
        r"cell 4 \(total\): tools belong to a code cell that is not graded"),
    "tools as a list": (
        changed(SHOWN, f"{SHOWN}\n---\ntools: [mean]\n---"),
        r"cell 7: 'tools:' maps sheets to lists of their exercises, not \['mean'\]"),
    "tools without names": (
        changed(SHOWN, f"{SHOWN}\n---\ntools: {{sums: mean}}\n---"),
        "'tools:' maps sheets to lists of their exercises"),
    "no mutants without a reason": (
        changed("{grade_id: total, solution: true}",
                "{grade_id: total, solution: true}\nwithout_mutants: true"),
        r"cell 4 \(total\): 'without_mutants:' gives a reason, not True"),
    "no mutants of a test": (
        changed("{grade_id: test_total, grade: true, points: 2}",
                "{grade_id: test_total, grade: true, points: 2}\nwithout_mutants: slow"),
        "'without_mutants:' belongs to an exercise's solution cell"),
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


def test_comments_may_begin_and_end_as_they_like(tmp_path):
    text = changed("import math", "# Begin with the best.\n# End of it.\nimport math")
    assert "# Begin with the best." in sheet_from(tmp_path, text).notebook.cells[1].source
