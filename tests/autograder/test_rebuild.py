"""From a submission come the text of its answers and its extra code, and nothing else."""

import json
from copy import deepcopy

import nbformat
import pytest
from made_up import NAME, as_bytes, code_cell, find_cell, handed_in, notebook_of

from autograder.rebuild import MAX_CODE_CHARACTERS, MAX_SUBMISSION_BYTES, Rebuilt, rebuild
from autograder.release import student_notebook

ANSWER = "def total(numbers):\n    return sum(numbers)"


def sources(rebuilt: Rebuilt) -> list[str]:
    return [cell.source for cell in rebuilt.notebook.cells]


def ids(rebuilt: Rebuilt) -> list[str]:
    return [cell.id for cell in rebuilt.notebook.cells]


def source_of(rebuilt: Rebuilt, name: str) -> str:
    return next(cell.source for cell in rebuilt.notebook.cells if cell.id == name)


def flags(rebuilt: Rebuilt) -> list[tuple[str, str]]:
    return [(flag.kind, flag.detail) for flag in rebuilt.flags]


def stub(sheet, name: str) -> str:
    return next(cell.source for cell in student_notebook(sheet).cells if cell.id == name)


@pytest.fixture
def notebook(sheet):
    """A complete submission as JSON, to be spoilt."""
    return notebook_of(sheet)


def rebuilt_from(sheet, notebook: object) -> Rebuilt:
    rebuilt = rebuild(sheet, as_bytes(notebook))
    nbformat.validate(rebuilt.notebook)
    return rebuilt


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


# What editors make of the same notebook.


def test_windows_line_ends(sheet):
    text = json.dumps(notebook_of(sheet, total=ANSWER), indent=1)
    rebuilt = rebuild(sheet, text.replace("\\n", "\\r\\n").replace("\n", "\r\n").encode())
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == ANSWER


def test_a_byte_order_mark(sheet):
    rebuilt = rebuild(sheet, b"\xef\xbb\xbf" + handed_in(sheet, total=ANSWER))
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == ANSWER


def test_source_as_a_list_of_lines(sheet):
    notebook = notebook_of(sheet, total=ANSWER)
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == ANSWER


def test_saved_by_colab(sheet):
    notebook = notebook_of(sheet, total=ANSWER)
    notebook["metadata"] = {
        "colab": {"provenance": [], "toc_visible": True}, "kernelspec": {"name": "python3"}
    }  # fmt: skip
    notebook["nbformat_minor"] = 0
    for number, cell in enumerate(notebook["cells"]):
        del cell["id"]
        cell["metadata"] |= {"id": f"aB{number}", "colab": {"base_uri": "https://localhost/"}}
        cell["source"] = cell["source"].splitlines(keepends=True)
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == ANSWER


def test_saved_by_an_editor_that_adds_keys(sheet):
    notebook = notebook_of(sheet, total=ANSWER)
    notebook["metadata"]["language_info"] = {"name": "python"}
    for cell in notebook["cells"]:
        cell["metadata"] |= {"vscode": {"languageId": "python"}, "slideshow": None}
        cell["unheard_of"] = 1
        cell["source"] += "\n"
    rebuilt = rebuilt_from(sheet, notebook)
    assert flags(rebuilt) == []
    assert source_of(rebuilt, "total") == f"{ANSWER}\n"


# What cannot be read.


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "nothing to read: the file is empty, missing, or a link"),
        (b" \n", "nothing to read"),
        (b"{", "not a notebook: Expecting"),
        (b'{"cells": [', "not a notebook: Expecting"),
        (b"\xff\xfe{}", "not a notebook: "),
        (b"\x80\x04\x95", "not a notebook: "),
        (b"[]", "no list of cells"),
        (b"3", "no list of cells"),
        (b"null", "no list of cells"),
        (b"{}", "no list of cells"),
        (b'{"cells": {"a": 1}}', "no list of cells"),
        (b'{"worksheets": [{"cells": []}], "nbformat": 3}', "notebooks before format 4"),
        (b"[" * 100_000, "not a notebook: "),
        (b'{"cells": [' + b'{"source": [' * 100_000, "not a notebook: "),
        (b'{"cells": ' + b"9" * 5000 + b"}", "not a notebook: "),
    ],
)
def test_what_is_no_notebook(sheet, data, reason):
    rebuilt = rebuild(sheet, data)
    assert not rebuilt.readable
    ((kind, detail),) = flags(rebuilt)
    assert kind == "unreadable"
    assert reason in detail
    assert source_of(rebuilt, "total") == stub(sheet, "total")


def test_a_file_that_is_too_large(sheet):
    rebuilt = rebuild(sheet, handed_in(sheet) + b" " * MAX_SUBMISSION_BYTES)
    assert not rebuilt.readable
    assert "bytes; at most 50000000 are read" in rebuilt.flags[0].detail


def test_more_code_than_a_person_writes(sheet):
    rebuilt = rebuild(sheet, handed_in(sheet, total="x = 1\n" * (MAX_CODE_CHARACTERS // 5)))
    assert not rebuilt.readable
    assert "characters of code and answers; at most 1000000 are read" in rebuilt.flags[0].detail


def test_much_text_in_other_cells_is_no_matter(sheet, notebook):
    notebook["cells"][0]["source"] = "x" * (MAX_CODE_CHARACTERS + 1)
    assert rebuilt_from(sheet, notebook).readable


def test_halves_of_characters_are_replaced(sheet):
    data = handed_in(sheet, total="x = '\ud800'")
    assert rb"\ud800" in data
    rebuilt = rebuild(sheet, data)
    assert source_of(rebuilt, "total") == "x = '?'"
    json.dumps(rebuilt.notebook, ensure_ascii=False).encode()
