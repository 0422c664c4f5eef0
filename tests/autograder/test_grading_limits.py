"""Time, memory, ends: what one exercise uses up it does not take from the others."""

import pytest
from made_up import as_bytes, check, code_cell, flags, handed_in, notebook_of

from autograder.grading import grade
from autograder.sheets import Sheet


def verdict_on(sheet: Sheet, **code: str) -> dict:
    return grade(sheet, handed_in(sheet, **code)).verdict


def results(verdict: dict) -> list[str]:
    return [entry["verdict"] for entry in verdict["checks"]]


@pytest.fixture(scope="module")
def quick(sheet):
    """The sheet with less patience."""
    copy = Sheet.from_json(sheet.name, sheet.to_json())
    copy.notebook.metadata.course.limits = {"cell_seconds": 0.3, "submission_seconds": 20}
    return copy


def test_a_function_that_runs_too_long_loses_its_check_alone(quick):
    verdict = verdict_on(
        quick,
        total="def total(numbers):\n    while True:\n        pass",
        mean="def mean(numbers):\n    return sum(numbers) / (len(numbers) or 1)",
    )
    assert results(verdict) == ["timeout", "pass", "pass", "pass", "pass"]
    assert check(verdict, "test_total")["message"] == "stopped: longer than 0.3 seconds"


def test_a_function_that_ends_the_process_loses_its_exercise_alone(sheet):
    verdict = verdict_on(sheet, clip="def clip(*_):\n    import os\n    os._exit(0)")
    assert results(verdict) == ["pass", "pass", "died", "not-run", "pass"]
    assert check(verdict, "test_clip")["message"] == "the process ended while this was checked"
    assert check(verdict, "test_clip__low")["message"] == "the check was not reached"
    assert verdict["score"] == 6


def test_a_function_that_ends_the_process_on_a_hidden_input_alone(sheet):
    code = (
        "def clip(number, low, high):\n    if number < 0:\n        import os\n        os._exit(0)\n"
    )
    verdict = verdict_on(sheet, clip=f"{code}    return min(number, high)")
    assert results(verdict) == ["pass", "pass", "pass", "died", "pass"]


def test_a_cell_that_ends_the_process_is_flagged_and_costs_its_own_points(sheet):
    verdict = verdict_on(sheet, celsius="import os\nos._exit(0)")
    assert results(verdict) == ["pass", "pass", "pass", "pass", "error"]
    assert flags(verdict) == [("cell-stopped", "cell 16: the process ended while it ran")]


def test_an_extra_cell_that_runs_too_long_is_flagged_and_costs_nothing(quick):
    notebook = notebook_of(quick)
    notebook["cells"].append(code_cell("while True:\n    pass"))
    verdict = grade(quick, as_bytes(notebook)).verdict
    assert verdict["score"] == 8.5
    assert flags(verdict) == [("cell-stopped", "cell 20: it ran too long")]


def test_time_that_is_used_up(sheet):
    short = Sheet.from_json(sheet.name, sheet.to_json())
    short.notebook.metadata.course.limits = {"submission_seconds": 0.5}
    verdict = verdict_on(short, mean="while True:\n    pass")
    assert results(verdict) == ["not-run"] * 5
    assert flags(verdict) == [("cell-stopped", "cell 9: the submission's time was used up")]


def test_an_exercise_that_uses_one_that_hangs_costs_no_other_its_points(quick):
    verdict = verdict_on(quick, total="def total(numbers):\n    while True:\n        pass")
    assert results(verdict) == ["timeout", "timeout", "pass", "pass", "pass"]
    assert verdict["score"] == 3.5


def test_a_check_that_was_not_reached_says_what_took_the_time(sheet):
    short = Sheet.from_json(sheet.name, sheet.to_json())
    short.notebook.metadata.course.limits = {"cell_seconds": 1, "submission_seconds": 1.6}
    hangs = "def {}(*_):\n    while True:\n        pass"
    verdict = verdict_on(short, clip=hangs.format("clip"), celsius=hangs.format("celsius"))
    assert check(verdict, "test_clip")["verdict"] == "timeout"
    told = "the check was not reached: the time was used up, by clip"
    assert check(verdict, "test_total")["message"] == told


def test_an_exercise_may_have_more_time_than_the_others(quick):
    patient = Sheet.from_json(quick.name, quick.to_json())
    (cell,) = [cell for cell in patient.notebook.cells if cell.id == "celsius"]
    cell.metadata.limits = {"cell_seconds": 5}
    slow = "import time\ndef {}:\n    time.sleep(0.6)\n    return {}"
    verdict = verdict_on(
        patient,
        total=slow.format("total(numbers)", "sum(numbers)"),
        mean="def mean(numbers):\n    return sum(numbers) / (len(numbers) or 1)",
        celsius=slow.format("celsius(f)", "(f - 32) / 1.8"),
    )
    assert results(verdict) == ["timeout", "pass", "pass", "pass", "pass"]


def test_a_function_that_takes_too_much_memory_loses_its_exercise_alone(sheet):
    frugal = Sheet.from_json(sheet.name, sheet.to_json())
    frugal.notebook.metadata.course.limits = {"memory_bytes": 10**9}
    greedy = (
        "import mmap\ndef celsius(_):\n    shared = mmap.mmap(-1, 2 * 10**9)\n    while True:\n"
        "        shared.seek(0)\n        while shared.tell() < len(shared):\n"
        "            shared.write(b'x' * 10**6)"
    )
    verdict = verdict_on(frugal, celsius=greedy, clip="def clip(*_):\n    return b'x' * 10**10")
    assert results(verdict) == ["pass", "pass", "memory", "memory", "memory"]
    assert check(verdict, "test_celsius")["message"] == "the code uses too much memory"
