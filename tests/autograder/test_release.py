"""The students' notebook: nbgrader's own format, no answers, the same every time."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from made_up import NAME, SECRETS, handed_in
from nbgrader.nbgraderformat import MetadataValidator

from autograder.cells import is_code, is_manual, is_solution, region_lines
from autograder.release import release, student_notebook
from autograder.sheets import load_sheet


@pytest.fixture(scope="module")
def released(sheet):
    return student_notebook(sheet)


def test_nbgrader_and_nbformat_accept_it(released):
    nbformat.validate(released)
    validator = MetadataValidator()
    for cell in released.cells:
        validator.validate_cell(cell)


def test_nbgrader_and_a_person_find_the_same_points(sheet, released):
    graded = [c.metadata.nbgrader for c in released.cells if "nbgrader" in c.metadata]
    points = sum(meta.points for meta in graded if meta.grade)
    assert points == sheet.max_score + sheet.manual_max


def test_no_answer_and_no_hidden_test_is_left(sheet, released):
    text = nbformat.writes(released)
    hidden = 0
    for cell in sheet.notebook.cells:
        lines = cell.source.split("\n")
        for region in ("SOLUTION", "HIDDEN TESTS"):
            for number in region_lines(cell.source, region):
                hidden += 1
                assert lines[number - 1].strip() not in text
        if is_manual(cell):
            assert cell.source not in text
    assert hidden > 10
    for secret in SECRETS:
        assert secret not in text
    assert "### BEGIN" not in text
    assert "### END" not in text


def test_the_visible_tests_stay(released):
    (cell,) = [c for c in released.cells if c.id == "test_total"]
    assert cell.source == 'assert total([1, 2, 4]) == 7, "add every number once"'


def test_a_stub_raises_not_implemented_error(released):
    for cell in released.cells:
        if is_solution(cell) and is_code(cell):
            names: dict = {}
            exec(cell.source, names)
            graded = names[cell.id]
            with pytest.raises(NotImplementedError):
                graded(*range(graded.__code__.co_argcount))


def test_a_written_answer_is_asked_for(released):
    assert released.cells[-1].source == "YOUR ANSWER HERE"


def test_what_students_must_not_edit_is_locked(released):
    for cell in released.cells:
        if "nbgrader" in cell.metadata:
            assert cell.metadata.deletable is False
            assert cell.metadata.get("editable", True) is not cell.metadata.nbgrader.locked


def test_two_releases_are_the_same_bytes(sheet, solutions, tmp_path):
    (one,) = release([sheet], tmp_path / "one")
    (two,) = release([load_sheet(NAME, solutions)], tmp_path / "two")
    assert one == tmp_path / "one" / NAME / f"{NAME}.ipynb"
    assert one.read_bytes() == two.read_bytes()


def test_an_unchanged_file_is_not_touched(sheet, tmp_path):
    (path,) = release([sheet], tmp_path)
    before = path.stat()
    release([sheet], tmp_path)
    assert path.stat() == before
    path.write_text("{}", encoding="utf-8")
    release([sheet], tmp_path)
    assert json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_making_a_release_leaves_the_sheet_alone(sheet):
    before = sheet.to_json()
    student_notebook(sheet)
    assert sheet.to_json() == before


def test_students_can_validate_it(sheet, released, tmp_path):
    nbformat.write(released, tmp_path / "blank.ipynb")
    (tmp_path / "done.ipynb").write_bytes(handed_in(sheet, written_why="So."))
    validate = [str(Path(sys.executable).parent / "nbgrader"), "validate"]
    for name, says in [("done", "Success!"), ("blank", "VALIDATION FAILED ON 5 CELL(S)")]:
        result = subprocess.run(
            [*validate, f"{name}.ipynb"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert says in result.stdout, result.stderr
