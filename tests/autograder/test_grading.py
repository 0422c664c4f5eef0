"""A verdict: its form, its points, and what it says to a student."""

import json
from pathlib import Path

import pytest
from made_up import (
    as_bytes,
    changed,
    check,
    code_cell,
    find_cell,
    flags,
    handed_in,
    notebook_of,
    sheet_from,
)
from nbgrader.utils import determine_grade

from autograder.grading import Graded, grade
from autograder.sheets import Sheet


def verdict_on(sheet: Sheet, **code: str) -> dict:
    return grade(sheet, handed_in(sheet, **code)).verdict


def results(verdict: dict) -> list[str]:
    return [entry["verdict"] for entry in verdict["checks"]]


@pytest.fixture(scope="module")
def perfect(sheet):
    return grade(sheet, handed_in(sheet, written_why="So."), student="s01")


# The form.


def test_the_form_of_a_verdict(perfect):
    verdict = dict(perfect.verdict)
    seconds = verdict.pop("seconds")
    assert isinstance(seconds, float)
    assert verdict == {
        "sheet": "sums",
        "student": "s01",
        "score": 8.5,
        "max_score": 8.5,
        "manual_max": 2.0,
        "sandbox": "bubblewrap",
        "checks": [
            {"id": name, "exercise": exercise, "points": points, "max_points": points,
             "verdict": "pass", "message": ""}
            for name, exercise, points in [
                ("test_total", "total", 2.0),
                ("test_mean", "mean", 3.0),
                ("test_clip", "clip", 1.0),
                ("test_clip__low", "clip", 1.5),
                ("test_celsius", "celsius", 1.0),
            ]
        ],
        "flags": [],
    }  # fmt: skip
    assert list(perfect.verdict) == [
        "sheet", "student", "score", "max_score", "manual_max", "sandbox", "checks", "flags",
        "seconds",
    ]  # fmt: skip


def types(value: object) -> object:
    if isinstance(value, dict):
        return {key: types(item) for key, item in value.items()}
    return [types(item) for item in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("data", [b"", b"\xff", b'{"cells": [{"cell_type": "code"}]}'])
def test_the_form_is_the_same_where_nothing_could_be_run(sheet, perfect, data):
    verdict = grade(sheet, data, student="s02").verdict
    assert types(verdict | {"flags": []}) == types(perfect.verdict | {"flags": []})
    assert [types(flag) for flag in verdict["flags"]] == [{"kind": str, "detail": str}]
    assert verdict["score"] == 0
    assert verdict["max_score"] == 8.5


def test_a_verdict_travels_as_text(perfect):
    copy = Graded.from_json(perfect.to_json())
    assert copy.verdict == perfect.verdict
    assert copy.notebook == perfect.notebook


def test_points_are_numbers_with_a_fraction_in_json(perfect):
    assert '"points": 2.0' in json.dumps(perfect.verdict)
    assert '"manual_max": 2.0' in json.dumps(perfect.verdict)


def test_a_verdict_says_that_the_code_was_not_locked_in(sheet, perfect):
    verdict = grade(sheet, handed_in(sheet, written_why="So."), student="s01", locked=False).verdict
    assert verdict["sandbox"] == "none"
    kept = verdict | {"sandbox": "bubblewrap", "seconds": perfect.verdict["seconds"]}
    assert kept == perfect.verdict


# Verdicts and points.


def test_every_kind_of_result_at_once(sheet):
    verdict = verdict_on(
        sheet,
        total="def total(numbers):\n    return sum(numbers) + 1",
        mean="def mean(numbers):\n    return sum(numbers) / len(numbers)",
        clip="def clip(number, low, high):\n    raise NotImplementedError()",
        celsius="def celsius(fahrenheit)\n    return 100",
    )
    told = {entry["id"]: (entry["verdict"], entry["message"]) for entry in verdict["checks"]}
    asked = "where this is checked: the mean of nothing is 0"
    assert told == {
        "test_total": ("fail", "add every number once"),
        "test_mean": ("error", f"the code raised ZeroDivisionError {asked}"),
        "test_clip": ("error", "not written yet: the stub is still there"),
        "test_clip__low": ("error", "not written yet: the stub is still there"),
        "test_celsius": ("error", "the cell of celsius fails: SyntaxError: expected ':' (line 1)"),
    }
    assert verdict["score"] == 0
    assert [entry["points"] for entry in verdict["checks"]] == [0.0] * 5


def test_a_name_that_is_missing_for_no_error_is_named(sheet):
    verdict = verdict_on(sheet, celsius="def kelvin(fahrenheit):\n    return 0")
    assert check(verdict, "test_celsius")["message"] == "NameError: name 'celsius' is not defined"


def test_the_blank_notebook_scores_nothing(sheet):
    from autograder.answers import blank

    verdict = verdict_on(sheet, **blank(sheet))
    assert verdict["score"] == 0
    assert results(verdict) == ["error"] * 5
    assert flags(verdict) == []


def test_points_are_won_check_by_check(sheet):
    verdict = verdict_on(sheet, clip="def clip(number, low, high):\n    return min(number, high)")
    assert results(verdict) == ["pass", "pass", "pass", "fail", "pass"]
    assert verdict["score"] == 7
    assert check(verdict, "test_clip__low")["points"] == 0


def test_points_and_metadata_of_a_submission_count_for_nothing(sheet):
    notebook = notebook_of(sheet, total="def total(numbers):\n    return 0")
    cell = find_cell(notebook, "test_total")
    cell["metadata"]["nbgrader"]["points"] = 1000
    cell["metadata"]["tags"] = ["skip-execution"]
    cell["source"] = "pass"
    verdict = grade(sheet, as_bytes(notebook)).verdict
    assert check(verdict, "test_total")["verdict"] == "fail"
    assert verdict["score"] == 3.5, "mean stands on total"
    assert verdict["max_score"] == 8.5
    assert [kind for kind, _ in flags(verdict)] == [
        "metadata-dropped", "metadata-dropped", "cell-altered"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "attack",
    [
        "    get_ipython().displayhook(5.0)\n    return -1",
        "    print(5.0)\n    return -1",
        "    get_ipython().input_transformers_cleanup.append(lambda lines: [])\n    return -1",
        "    return type('Same', (), {'__eq__': lambda *_: True})()",
        "    return type('Seven', (int,), {'__eq__': lambda *_: True})(8)",
    ],
)
def test_what_nbgrader_itself_would_take_for_points(sheet, attack):
    verdict = verdict_on(sheet, total=f"def total(numbers):\n{attack}")
    assert check(verdict, "test_total")["verdict"] == "fail"


def test_a_function_is_graded_as_it_stands_when_all_cells_have_run(sheet):
    notebook = notebook_of(sheet)
    notebook["cells"].append(code_cell("def total(numbers):\n    return 99"))
    assert check(grade(sheet, as_bytes(notebook)).verdict, "test_total")["verdict"] == "fail"


def test_an_extra_cell_that_fails_costs_nothing(sheet):
    notebook = notebook_of(sheet)
    notebook["cells"].insert(1, code_cell("1 / 0"))
    notebook["cells"].insert(1, code_cell("this is no Python"))
    verdict = grade(sheet, as_bytes(notebook)).verdict
    assert verdict["score"] == 8.5
    assert flags(verdict) == []


def test_warnings_and_stderr_cost_nothing(sheet):
    noisy = (
        "def total(numbers):\n    import sys, warnings\n    warnings.warn('careful')\n"
        "    print('loud', file=sys.stderr)\n    return sum(numbers)"
    )
    assert verdict_on(sheet, total=noisy)["score"] == 8.5


# Files that are handed in beside the notebook.


def test_only_files_that_the_sheet_asks_for_are_there(tmp_path):
    asks = sheet_from(tmp_path, changed("  minutes: 10\n", "  minutes: 10\n  files: {a.bin: 9}\n"))
    told = "os.listdir(), open('a.bin', 'rb').read()"
    code = f"import os\ndef celsius(_):\n    raise ValueError({told})"
    given = {"a.bin": b"\x00\xff", "b.bin": b"x", "../c": b"x"}
    verdict = grade(asks, handed_in(asks, celsius=code), files=given).verdict
    assert check(verdict, "test_celsius")["message"] == r"ValueError: (['a.bin'], b'\x00\xff')"


def test_a_sheet_that_asks_for_no_file_gets_none(sheet):
    code = "import os\ndef celsius(_):\n    raise ValueError(os.listdir())"
    verdict = grade(sheet, handed_in(sheet, celsius=code), files={"a.bin": b"x"}).verdict
    assert check(verdict, "test_celsius")["message"] == "ValueError: []"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [("file-missing", "a.bin: not handed in beside the notebook")]),
        ({"a.bin": b"x" * 10}, [("file-too-large", "a.bin: more than 9 bytes")]),
        ({"a.bin": b"x" * 9}, []),
    ],
)
def test_a_file_that_is_missing_or_too_large_is_flagged(tmp_path, given, expected):
    asks = sheet_from(tmp_path, changed("  minutes: 10\n", "  minutes: 10\n  files: {a.bin: 9}\n"))
    verdict = grade(asks, handed_in(asks), files=given).verdict
    assert [(flag["kind"], flag["detail"]) for flag in verdict["flags"]] == expected
    assert verdict["score"] == 8.5


# A part of the points.


def ends_in(folder: Path, line: str) -> Sheet:
    """The made-up sheet; the test of `mean`, which is worth 3 points, ends in `line`."""
    return sheet_from(folder, changed("test_mean()\n```", f"test_mean()\n{line}\n```"))


def test_a_test_may_give_a_part_of_its_points(tmp_path):
    sheet = ends_in(tmp_path, "mean([1, 2])")
    graded = grade(sheet, handed_in(sheet))
    entry = check(graded.verdict, "test_mean")
    assert (entry["points"], entry["verdict"]) == (1.5, "pass")
    assert entry["message"] == "1.5 of 3 points"
    assert graded.verdict["score"] == 7.0
    (cell,) = [cell for cell in graded.notebook.cells if cell.id == "test_mean"]
    assert determine_grade(cell) == (1.5, 3.0)


@pytest.mark.parametrize(
    ("line", "earned"), [("9.5", 3), ("-1.0", 0), ("float('nan')", 0), ("None", 3), ("'3'", 0)]
)
def test_points_are_never_more_than_there_are_nor_fewer_than_none(tmp_path, line, earned):
    sheet = ends_in(tmp_path, line)
    graded = grade(sheet, handed_in(sheet))
    assert check(graded.verdict, "test_mean")["points"] == earned
    (cell,) = [cell for cell in graded.notebook.cells if cell.id == "test_mean"]
    assert determine_grade(cell) == (earned, 3.0)


def test_a_part_of_the_points_is_lost_by_a_shortcut(tmp_path):
    sheet = ends_in(tmp_path, "1.5")
    code = "import statistics\ndef mean(x):\n    return statistics.fmean(x) if x else 0"
    entry = check(grade(sheet, handed_in(sheet, mean=code)).verdict, "test_mean")
    assert (entry["points"], entry["verdict"]) == (0, "fail")


# The notebook that nbgrader reads.


def test_a_failed_check_has_an_error_output_and_a_passed_one_has_none(sheet):
    graded = grade(sheet, handed_in(sheet, total="def total(numbers):\n    return 0"))
    cells = {cell.id: cell for cell in graded.notebook.cells}
    assert cells["test_mean"].outputs != []
    assert cells["test_clip"].outputs == []
    (output,) = cells["test_total"].outputs
    assert (output.output_type, output.ename, output.evalue) == (
        "error", "fail", "add every number once"
    )  # fmt: skip


def test_the_students_own_output_is_kept(perfect):
    (shown,) = [cell for cell in perfect.notebook.cells if cell.id == "cell-7"]
    assert [output.text for output in shown.outputs] == ["the total is 6\n"]
