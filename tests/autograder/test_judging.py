"""What a student is told of a failed check, and what never."""

import pytest

from autograder.cell_reports import CellError, CellReport
from autograder.judging import (
    HIDDEN_REFUSED,
    NOT_AGAIN,
    NOT_RUN,
    NOT_WRITTEN,
    SHORTCUT,
    judge,
    points_of,
)

SOURCE = """\
def test_mean():
    average = mean([2, 4])
    assert average == 3, f"the mean of 2 and 4 is 3, not {average}"
    ### BEGIN HIDDEN TESTS
    def near(left, right):
        return abs(left - right) < 1e-6
    numbers = [31337, 31339]
    assert near(mean(numbers), 31338), "large numbers are averaged"
    assert near(
        mean([]), 0
    ), f"the mean of {numbers} and of nothing {mean([])} is 0"
    assert near(mean([1]), 1), str(numbers)
    ### END HIDDEN TESTS


test_mean()"""

PASSED = CellReport()
SECRET = "mean([31337, 31339])"


def failed(name: str, *lines: int, message: str = SECRET, by_cell: bool = False) -> CellReport:
    return CellReport(error=CellError(name, message, list(lines), by_cell))


def judged(released: CellReport | None, whole: CellReport | None = None) -> tuple[str, str]:
    return judge(SOURCE, released, whole, 60)


def test_both_runs_must_pass():
    assert judged(PASSED, PASSED) == ("pass", "")


def test_a_check_that_was_not_reached_has_not_passed():
    assert judged(None, None) == ("not-run", NOT_RUN)
    assert judged(PASSED, None) == ("not-run", NOT_RUN)


# The cell as released: all that it says may be shown.


def test_a_visible_assert_says_what_it_says():
    report = failed("AssertionError", 15, 3, message="3, not 4", by_cell=True)
    assert judged(report) == ("fail", "3, not 4")


def test_a_visible_exception_is_named_and_quoted():
    report = failed("TypeError", 15, 2, message="no list")
    assert judged(report) == ("error", "TypeError: no list")


def test_an_assert_in_the_students_own_code_is_an_error():
    report = failed("AssertionError", 15, 2, message="mine")
    assert judged(report) == ("error", "AssertionError: mine")


def test_the_stub():
    assert judged(failed("NotImplementedError", 15, 2, message="")) == ("error", NOT_WRITTEN)
    told = judged(failed("NotImplementedError", 15, 2, message="later"))
    assert told == ("error", "NotImplementedError: later")


# The whole cell: only the author's words.


def test_a_visible_assert_that_held_the_first_time_only():
    source = "problem = check(f())\nassert not problem, problem"
    report = failed("AssertionError", 2, by_cell=True)
    assert judge(source, PASSED, report, 60) == ("fail", NOT_AGAIN)


def test_what_a_function_of_the_setup_refuses():
    report = failed("AssertionError", 15, 7, by_cell=True)
    told = HIDDEN_REFUSED.format(check="large numbers are averaged")
    assert judged(PASSED, report) == ("fail", told)


def test_a_hidden_assert_says_the_authors_words():
    report = failed("AssertionError", 15, 8, by_cell=True)
    assert judged(PASSED, report) == ("fail", "large numbers are averaged")


@pytest.mark.parametrize("line", [9, 10, 11])
def test_values_in_a_hidden_message_are_left_out(line):
    report = failed("AssertionError", 15, line, by_cell=True)
    assert judged(PASSED, report) == ("fail", "the mean of … and of nothing … is 0")


def test_a_hidden_message_that_is_computed_is_not_shown():
    assert judged(PASSED, failed("AssertionError", 15, 12, by_cell=True)) == ("fail", "")


def test_a_visible_assert_that_fails_the_second_time_only():
    report = failed("AssertionError", 15, 3, by_cell=True)
    assert judged(PASSED, report) == ("fail", "the mean of 2 and 4 is 3, not …")


def test_a_hidden_exception_is_named_with_what_is_checked():
    says = "the code raised ZeroDivisionError where this is checked: large numbers are averaged"
    assert judged(PASSED, failed("ZeroDivisionError", 15, 8)) == ("error", says)
    assert judged(PASSED, failed("ZeroDivisionError", 15, 7)) == ("error", says)


def test_a_helper_of_the_test_above_all_asserts_is_not_the_place():
    told = judged(PASSED, failed("TypeError", 15, 9, 6))
    says = "where this is checked: the mean of … and of nothing … is 0"
    assert told == ("error", f"the code raised TypeError {says}")


def test_an_assert_in_the_students_own_code_shows_nothing_of_a_hidden_input():
    told = judged(PASSED, failed("AssertionError", 15, 8))
    says = "the code raised AssertionError where this is checked: large numbers are averaged"
    assert told == ("error", says)


@pytest.mark.parametrize(
    "name", ["31337", "Exception31337", "print", "__name__", "Died", "CellTimeout", "x.y"]
)
def test_an_exceptions_name_can_tell_nothing(name):
    verdict, told = judged(PASSED, failed(name, 15, 8))
    assert verdict == "error"
    assert told == "the code raised an exception where this is checked: large numbers are averaged"


@pytest.mark.parametrize("lines", [(), (99,), (0,), (-5,), (15,)])
def test_lines_that_are_made_up(lines):
    told = judged(PASSED, failed("TypeError", *lines, message=SECRET))
    assert "31337" not in told[1]
    told = judged(PASSED, failed("AssertionError", *lines, by_cell=True))
    assert "31337" not in told[1]


def test_a_hidden_error_below_the_last_assert():
    told = judged(PASSED, failed("TypeError", 13))
    assert told == ("error", "the code raised TypeError on an input of the hidden tests")


@pytest.mark.parametrize("released", [True, False])
def test_memory(released):
    report = failed("MemoryError", 15, 8, message="")
    verdict, _ = judged(report) if released else judged(PASSED, report)
    assert verdict == "memory"


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (failed("CellTimeoutError", 15, 8), ("timeout", "stopped: longer than 60 seconds")),
        (CellReport(ending="hung"), ("timeout", "stopped: longer than 60 seconds")),
        (CellReport(ending="timeout"), ("timeout", "the submission's time was used up")),
        (CellReport(ending="memory"), ("memory", "the code uses too much memory")),
        (CellReport(ending="memory", detail="31337"), ("memory", "the code uses too much memory")),
        (CellReport(ending="died"), ("died", "the process ended while this was checked")),
        (CellReport(ending="protocol"), ("protocol", "the process sent what it must not send")),
    ],
)
def test_what_ended_a_process(report, told):
    assert judged(report) == told
    assert judged(PASSED, report) == told


@pytest.mark.parametrize("released", [True, False])
def test_a_forbidden_call_is_told_in_the_graders_words(released):
    report = failed("ShortcutUsedError", 15, 8)
    told = judged(report) if released else judged(PASSED, report)
    assert told == ("fail", SHORTCUT)


# A part of the points.


@pytest.mark.parametrize(
    ("ends_in", "earned"), [(None, 3), (2.5, 2.5), (0.0, 0), (7.0, 3), (-1.0, 0)]
)
def test_a_test_may_end_in_a_part_of_the_points(ends_in, earned):
    assert points_of(CellReport(points=ends_in), 3.0) == earned
