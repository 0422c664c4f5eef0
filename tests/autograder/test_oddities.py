"""Honest submissions that are unusual: none of them may lose a point.

Unusual code stands in `attacks/honest-oddities.md`; here is what editors do to a notebook.
"""

import json

import pytest
from attacks.reading import FOLDER, Written, read
from made_up import as_bytes, code_cell, find_cell, notebook_of

from autograder.answers import reference
from autograder.grading import grade
from autograder.sheets import Sheet, load_sheet

RIGHT = "def total(numbers):\n    return sum(numbers)"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Sheet:
    """The sheet of the attacks."""
    folder = tmp_path_factory.mktemp("solutions")
    (folder / "attacked").mkdir()
    text = (FOLDER / "sheet.md").read_text(encoding="utf-8")
    (folder / "attacked" / "attacked.md").write_text(text, encoding="utf-8")
    return load_sheet("attacked", folder)


@pytest.fixture
def notebook(attacked: Sheet) -> dict:
    """A right submission, to be saved by somebody's editor."""
    return notebook_of(attacked, total=RIGHT)


def assert_full_points(sheet: Sheet, data: bytes) -> None:
    verdict = grade(sheet, data).verdict
    told = {check["id"]: (check["verdict"], check["message"]) for check in verdict["checks"]}
    assert verdict["score"] == verdict["max_score"], (told, verdict["flags"])


@pytest.mark.parametrize("oddity", read("honest-oddities"), ids=str)
def test_unusual_code(oddity: Written, attacked: Sheet):
    assert not oddity.wrong
    notebook = notebook_of(attacked, **oddity.answers)
    notebook["cells"] += [code_cell(source) for source in oddity.extras]
    assert_full_points(attacked, as_bytes(notebook))


def test_saved_by_colab(attacked, notebook):
    notebook["nbformat_minor"] = 0
    notebook["metadata"] = {
        "accelerator": "GPU",
        "colab": {"provenance": [{"file_id": "1a"}], "gpuType": "T4"},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
    }
    for number, cell in enumerate(notebook["cells"]):
        del cell["id"]
        cell["metadata"] |= {
            "id": f"aB{number}",
            "outputId": "0",
            "colab": {"base_uri": "https://localhost:8080/"},
        }
        cell["source"] = cell["source"].splitlines(keepends=True)
    assert_full_points(attacked, as_bytes(notebook))


def test_saved_by_vs_code(attacked, notebook):
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.14.0a1"}
    notebook["metadata"]["kernelspec"]["display_name"] = ".venv (3.12.1)"
    for cell in notebook["cells"]:
        del cell["id"]
        cell["metadata"]["vscode"] = {"languageId": "python"}
        cell["source"] += "\n\n"
    assert_full_points(attacked, as_bytes(notebook))


def test_saved_by_windows(attacked, notebook):
    text = json.dumps(notebook, indent=4, ensure_ascii=False)
    text = text.replace("\\n", "\\r\\n").replace("\n", "\r\n")
    assert_full_points(attacked, b"\xef\xbb\xbf" + text.encode())


def test_saved_with_tabs(attacked, notebook):
    find_cell(notebook, "total")["source"] = RIGHT.replace("    ", "\t")
    assert_full_points(attacked, as_bytes(notebook))


def test_run_before_it_was_handed_in(attacked, notebook):
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell["execution_count"] = 100 - number
            cell["outputs"] = [{"output_type": "stream", "name": "stderr", "text": ["Warning\n"]}]
            cell["metadata"]["execution"] = {"iopub.status.busy": "2026-03-01T12:00:00Z"}
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    assert_full_points(attacked, as_bytes(notebook))


def test_a_solution_cell_that_was_split(attacked, notebook):
    cell = find_cell(notebook, "total")
    parts = ["import math", "def _add(a, b):\n    return a + b", RIGHT]
    at = notebook["cells"].index(cell)
    notebook["cells"][at : at + 1] = [cell | {"source": part} for part in parts]
    assert_full_points(attacked, as_bytes(notebook))


def test_cells_in_another_order(attacked, notebook):
    notebook["cells"] = [notebook["cells"][0], *reversed(notebook["cells"][1:])]
    assert_full_points(attacked, as_bytes(notebook))


def test_tests_and_setup_were_deleted(attacked, notebook):
    notebook["cells"] = [
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("solution") or cell["cell_type"] == "markdown"
    ]
    assert_full_points(attacked, as_bytes(notebook))


def test_only_answers_are_left(attacked, notebook):
    notebook["cells"] = [find_cell(notebook, name) for name in attacked.exercises]
    assert_full_points(attacked, as_bytes(notebook))


def test_an_answer_without_its_metadata(attacked, notebook):
    cell = find_cell(notebook, "total")
    cell["metadata"] = {}
    assert_full_points(attacked, as_bytes(notebook))


def test_everything_in_one_cell(attacked, notebook):
    whole = "\n\n".join(reference(attacked).values())
    for name in attacked.exercises:
        find_cell(notebook, name)["source"] = whole if name == "total" else "# see above"
    assert_full_points(attacked, as_bytes(notebook))


def test_tests_that_were_edited(attacked, notebook):
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "test_total":
            cell["source"] = "# does not work\nassert False"
    assert_full_points(attacked, as_bytes(notebook))


def test_notes_in_between(attacked, notebook):
    for at in (1, 4, 9):
        note = code_cell("- [ ] *ask!*") | {"cell_type": "markdown"}
        notebook["cells"].insert(at, note)
        notebook["cells"].insert(at, code_cell("# TODO"))
        notebook["cells"].insert(at, code_cell(""))
    assert_full_points(attacked, as_bytes(notebook))
