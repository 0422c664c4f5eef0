"""From a submission come the text of its answers and its extra code, and nothing else."""

from copy import deepcopy

import nbformat
import pytest
from made_up import NAME, code_cell, find_cell, handed_in, notebook_of
from rebuilding import ANSWER, flags, ids, rebuilt_from, source_of, sources, stub

from autograder.rebuild import rebuild
from autograder.release import student_notebook


@pytest.fixture
def notebook(sheet):
    """A complete submission as JSON, to be spoilt."""
    return notebook_of(sheet)


def test_a_complete_submission_is_the_source_with_its_answers(sheet):
    rebuilt = rebuild(sheet, handed_in(sheet, total=ANSWER, written_why="Because."))
    assert rebuilt.readable
    assert flags(rebuilt) == []
    expected = {"total": ANSWER, "written_why": "Because."}
    for ours, theirs in zip(sheet.notebook.cells, rebuilt.notebook.cells, strict=True):
        assert theirs.id == ours.id
        if ours.id in expected:
            assert theirs.source == expected[ours.id]
        else:
            assert theirs.source == ours.source


def test_the_sheet_itself_is_not_changed(sheet):
    before = deepcopy(sheet.notebook)
    rebuild(sheet, handed_in(sheet, total=ANSWER))
    assert sheet.notebook == before


def test_the_released_notebook_gets_its_stubs_and_no_flag(sheet):
    rebuilt = rebuild(sheet, nbformat.writes(student_notebook(sheet)).encode())
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == stub(sheet, "total")


def test_metadata_outputs_and_attachments_are_dropped(sheet, notebook):
    notebook["metadata"] = {"kernelspec": {"name": "mine", "display_name": "x"}, "evil": 1}
    notebook["cells"][0]["attachments"] = {"a.png": {"image/png": "AAAA"}}
    answer = find_cell(notebook, "total")
    answer["metadata"]["editable"] = True
    answer["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "5 of 5 points"}]
    answer["execution_count"] = 7
    rebuilt = rebuilt_from(sheet, notebook)
    assert rebuilt.notebook.metadata == sheet.notebook.metadata
    assert "attachments" not in rebuilt.notebook.cells[0]
    cell = next(cell for cell in rebuilt.notebook.cells if cell.id == "total")
    assert cell.outputs == []
    assert cell.execution_count is None
    assert "editable" not in cell.metadata
    assert flags(rebuilt) == []


@pytest.mark.parametrize("tag", ["skip-execution", "raises-exception", "remove-cell", "parameters"])
def test_tags_that_change_execution_are_dropped_and_flagged(sheet, notebook, tag):
    find_cell(notebook, "test_total")["metadata"]["tags"] = [tag, "mine", 3]
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == [("metadata-dropped", f"tag {tag} on cell test_total")]
    assert all("tags" not in cell.metadata for cell in rebuilt.notebook.cells)


@pytest.mark.parametrize(
    ("name", "key", "value", "detail"),
    [
        ("written_why", "solution", False, "solution: False on cell written_why"),
        ("total", "grade", True, "grade: True on cell total"),
        ("test_total", "solution", True, "solution: True on cell test_total"),
        ("test_total", "points", 100, "points: 100 on cell test_total"),
        ("test_total", "points", {"a": 1}, "points: a mapping on cell test_total"),
        ("test_total", "grade", "x" * 500, f"grade: '{'x' * 79}… on cell test_total"),
    ],
)
def test_flipped_grading_metadata_are_dropped_and_flagged(
    sheet, notebook, name, key, value, detail
):
    find_cell(notebook, name)["metadata"]["nbgrader"][key] = value
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == [("metadata-dropped", detail)]
    ours = next(cell for cell in sheet.notebook.cells if cell.id == name)
    theirs = next(cell for cell in rebuilt.notebook.cells if cell.id == name)
    assert theirs.metadata.nbgrader.get(key) == ours.metadata.nbgrader.get(key)


def test_an_altered_test_is_restored_and_flagged(sheet, notebook):
    find_cell(notebook, "test_total")["source"] = "assert True, 'fine'"
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == [("cell-altered", "test_total: restored from the source")]
    assert "add every number once" in source_of(rebuilt, "test_total")


@pytest.mark.parametrize("name", ["test_total", "setup"])
def test_a_locked_cell_that_is_missing_is_restored_and_flagged(sheet, notebook, name):
    notebook["cells"].remove(find_cell(notebook, name))
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == [("cell-missing", f"{name}: restored from the source")]
    assert name in ids(rebuilt)


def test_an_answer_that_is_missing_gets_its_stub_and_a_flag(sheet, notebook):
    notebook["cells"].remove(find_cell(notebook, "total"))
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == [("cell-missing", "total: restored from the source")]
    assert source_of(rebuilt, "total") == stub(sheet, "total")


@pytest.mark.parametrize("line", ["", "%%time\n", "%matplotlib inline\n"])
def test_an_extra_cell_that_defines_a_missing_answer_is_not_undone(sheet, notebook, line):
    answer = find_cell(notebook, "total")
    answer["metadata"] = {}
    answer["source"] = line + ANSWER
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == [("cell-missing", "total: restored from the source")]
    assert source_of(rebuilt, "total") == ""
    assert line + ANSWER in sources(rebuilt)


def test_answers_that_share_an_id_all_run_in_order(sheet, notebook):
    first = find_cell(notebook, "total")
    second = deepcopy(first) | {"source": "more = 1"}
    notebook["cells"].insert(notebook["cells"].index(first) + 3, second)
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == [("cell-duplicate", "total: 2 cells, all are run")]
    assert source_of(rebuilt, "total") == f"{first['source']}\n\nmore = 1"


def test_an_id_that_the_source_does_not_have_runs_as_an_extra_cell(sheet, notebook):
    old = code_cell("older = 1", nbgrader={"grade_id": "older_exercise", "solution": True})
    notebook["cells"].insert(1, old)
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == [("cell-unknown", "cell 2: 'older_exercise' run as an extra cell")]
    assert sources(rebuilt)[1] == "older = 1"


def test_extra_cells_run_in_their_place(sheet, notebook):
    cells = notebook["cells"]
    cells.insert(0, code_cell("very_first = 1"))
    cells.insert(cells.index(find_cell(notebook, "total")) + 1, code_cell("one = 1"))
    cells.insert(cells.index(find_cell(notebook, "test_total")), code_cell("two = 2"))
    cells.append(code_cell("last = 1"))
    cells.append({"cell_type": "markdown", "metadata": {}, "source": "my notes"})
    cells.append(code_cell("  \n"))
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == []
    texts = sources(rebuilt)
    assert texts[0] == "very_first = 1"
    place = ids(rebuilt).index("total")
    assert texts[place + 1 : place + 3] == ["one = 1", "two = 2"]
    assert ids(rebuilt)[place + 3] == "test_total"
    assert texts[-1] == "last = 1"
    assert "my notes" not in texts


def test_an_extra_cell_stays_behind_an_unchanged_cell_of_ours(sheet, notebook):
    show = next(c for c in notebook["cells"] if c["source"].startswith("shown"))
    notebook["cells"].insert(notebook["cells"].index(show) + 1, code_cell("after = 1"))
    rebuilt = rebuilt_from(sheet, notebook)
    assert ids(rebuilt)[6:8] == ["cell-7", "extra-cell-7-0"]


def test_an_answer_turned_into_text_is_still_the_answer(sheet, notebook):
    cell = find_cell(notebook, "total")
    cell["cell_type"] = "markdown"
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == [("metadata-dropped", "cell type changed on cell total")]
    assert source_of(rebuilt, "total") == cell["source"]
    assert next(c for c in rebuilt.notebook.cells if c.id == "total").cell_type == "code"


def test_a_notebook_of_another_sheet(sheet):
    rebuilt = rebuilt_from(sheet, {"cells": [code_cell("x = 1")], "nbformat": 4})
    assert flags(rebuilt) == [("wrong-sheet", f"no answer cell of '{NAME}' is in the notebook")]
    assert rebuilt.readable
    assert source_of(rebuilt, "total") == stub(sheet, "total")


def test_flags_have_an_end(sheet, notebook):
    for number in range(200):
        notebook["cells"].append(code_cell("1", nbgrader={"grade_id": f"{number}" * 100}))
    found = flags(rebuilt_from(sheet, notebook))
    assert len(found) == 51
    assert found[-1] == ("more-flags", "150 more")
    assert max(len(detail) for _, detail in found) < 200


def test_the_checksum_of_the_stub_lets_nbgrader_see_an_empty_answer(sheet):
    rebuilt = rebuild(sheet, handed_in(sheet))
    for ours, theirs in zip(student_notebook(sheet).cells, rebuilt.notebook.cells, strict=True):
        if "nbgrader" in ours.metadata:
            assert theirs.metadata.nbgrader.checksum == ours.metadata.nbgrader.checksum
