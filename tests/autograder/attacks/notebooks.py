"""Attacks by the notebook's JSON: tests that do not run, points that are said to be there.

Every function here but those with a `_` changes a notebook in which `total` is answered wrongly
and all else rightly; it returns None, or the bytes to hand in. Its docstring says what it relies
on.
"""

import copy

from made_up import code_cell, find_cell


def _tests(notebook: dict) -> list[dict]:
    return [
        cell
        for cell in notebook["cells"]
        if str(cell["metadata"].get("nbgrader", {}).get("grade_id")).startswith("test_")
    ]


# Tests that do not run.


def tags_that_skip_a_cell(notebook):
    """nbclient skips the cell; output that is empty counts as passed."""
    for cell in _tests(notebook):
        cell["metadata"]["tags"] = ["skip-execution", "remove-cell", "raises-exception"]


def a_solution_cell_that_is_skipped(notebook):
    """The blank cell of an exercise is not run, and what stands in its place is."""
    find_cell(notebook, "total")["metadata"]["tags"] = ["skip-execution", "parameters"]


def tests_are_replaced(notebook):
    """What is handed in is what is run."""
    for cell in _tests(notebook):
        cell["source"] = "pass"


def tests_are_deleted(notebook):
    """What is not there cannot fail."""
    gone = _tests(notebook)
    notebook["cells"] = [cell for cell in notebook["cells"] if cell not in gone]


def tests_are_text(notebook):
    """A cell of another type is not run."""
    for cell in _tests(notebook):
        cell["cell_type"] = "raw"


def tests_are_quoted(notebook):
    """A cell magic turns the rest of the cell into text."""
    for cell in _tests(notebook):
        cell["source"] = "%%script false\n" + "".join(cell["source"])


def a_test_comes_twice(notebook):
    """Where the first, or the last, of two cells with one id counts, it is the student's."""
    for cell in _tests(notebook):
        empty = copy.deepcopy(cell) | {"source": "pass"}
        notebook["cells"].insert(0, empty)
        notebook["cells"].append(copy.deepcopy(empty))


def test_and_solution_change_places(notebook):
    """The grade ids are exchanged: the answer stands where the test is."""
    solution, test = find_cell(notebook, "total"), find_cell(notebook, "test_total")
    solution["metadata"], test["metadata"] = test["metadata"], solution["metadata"]
    test["source"] = "def total(numbers):\n    return -1"


def a_test_under_another_id(notebook):
    """An id of the test's form that the source does not have."""
    cell = find_cell(notebook, "test_total")
    cell["metadata"]["nbgrader"]["grade_id"] = "test_total__easier"
    cell["source"] = "pass"


def tests_are_marked_as_hidden(notebook):
    """nbgrader removes what stands between the marks when it releases a sheet."""
    for cell in _tests(notebook):
        source = "".join(cell["source"])
        cell["source"] = f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"
    solution = find_cell(notebook, "total")
    solution["source"] += "\n### BEGIN SOLUTION\n### END HIDDEN TESTS\n### BEGIN HIDDEN TESTS\n"


def the_setup_is_replaced(notebook):
    """A locked cell that runs before everything else."""
    find_cell(notebook, "setup")["source"] = "torch = nn = None\nraise SystemExit(0)"


# Points that are said to be there.


def a_manual_cell_is_no_solution(notebook):
    """Checksums are verified only for locked cells: without `solution` it counts as full."""
    meta = find_cell(notebook, "written_why")["metadata"]["nbgrader"]
    meta |= {"solution": False, "grade": True, "locked": False, "points": 1000}


def a_manual_cell_is_code(notebook):
    """A cell that is graded by hand runs, and its output is a score."""
    cell = find_cell(notebook, "written_why")
    cell |= code_cell("display(1000)\n1000", **cell["metadata"])
    cell["metadata"]["nbgrader"]["cell_type"] = "code"


def points_are_raised(notebook):
    """The maximum is what the notebook says."""
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] |= {"points": 1000, "grade": True, "schema_version": 99}


def points_that_are_no_numbers(notebook):
    """NaN is neither less nor more than the maximum."""
    for number, cell in enumerate(_tests(notebook)):
        points = [float("nan"), float("inf"), -1, 10**400, "2", None, [2]][number % 7]
        cell["metadata"]["nbgrader"]["points"] = points


def tests_are_not_graded(notebook):
    """A cell that is not graded cannot lose points, and the maximum goes down."""
    for cell in _tests(notebook):
        cell["metadata"]["nbgrader"] |= {"grade": False, "locked": False, "solution": True}


def a_score_is_there_already(notebook):
    """The first `execute_result` is the score, the output of an earlier run."""
    for cell in _tests(notebook):
        cell["execution_count"] = 1
        cell["outputs"] = [
            {
                "output_type": "execute_result",
                "execution_count": 1,
                "data": {"text/plain": "1000", "application/json": {"score": 1000}},
                "metadata": {"nbgrader": {"score": 1000}},
            }
        ]


def exercises_of_its_own(notebook):
    """Cells that bring their own points."""
    meta = {"grade": True, "solution": False, "locked": True, "points": 1000, "schema_version": 3}
    for name in ("test_bonus", "bonus", "test_total__bonus"):
        nbgrader = meta | {"grade_id": name, "cell_type": "code"}
        notebook["cells"].append(code_cell("1000", nbgrader=nbgrader))


def a_task_of_its_own(notebook):
    """nbgrader's third kind of cell."""
    find_cell(notebook, "test_total")["metadata"]["nbgrader"] |= {"task": True, "solution": True}


def limits_and_files_of_its_own(notebook):
    """The sheet's header, as the submission would like it."""
    notebook["metadata"]["course"] = {
        "limits": {"submission_seconds": 1e9, "memory_bytes": 1e12},
        "forbidden": [],
        "files": {"../../stowaway": 10**12},
        "points": 1000,
    }
    find_cell(notebook, "total")["metadata"]["limits"] = {"cell_seconds": 1e9}


def extra_cells_that_are_the_sources(notebook):
    """A cell that says it belongs to the grader."""
    for name in ("setup", "total", "test_total", "cell-7"):
        cell = code_cell("raise SystemExit(0)", course={"extra": False, "trusted": True})
        notebook["cells"].append(cell | {"id": name})
