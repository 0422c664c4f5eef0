"""Tests that could not run apart from the student's code are refused, with the place."""

from pathlib import Path

import pytest
from made_up import SHEET, changed, sheet_from

from autograder.errors import SheetError
from autograder.exam_rules import check_tests

CHECK = 'assert total([1, 2, 4]) == 7, "add every number once"'


def check(folder: Path, text: str) -> None:
    check_tests(sheet_from(folder, text), Path("sums.md"))


def test_a_good_sheet(tmp_path):
    check(tmp_path, SHEET)


@pytest.mark.parametrize(
    "line",
    [
        "from math import pi as other\nassert other > 3, 'x'",
        "import os.path\nassert os.path, 'x'",
        "def helper(a, *b, c=1, **d):\n    return a, b, c, d\nassert helper(1), 'x'",
        "try:\n    total(3)\nexcept TypeError as error:\n    assert str(error) is not None, 'x'",
        "assert [n for n in range(3)], 'x'\nassert (lambda k: k)(1), 'x'",
        "assert math.pi > 3, 'from a cell that prepares the tests'",
        "assert isinstance(total([1]), int), 'x'",
        "match total([1]):\n    case int(value):\n        assert value == 1, 'x'",
    ],
)
def test_what_a_test_may_use(tmp_path, line):
    check(tmp_path, changed(CHECK, f"{CHECK}\n{line}"))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("assert shown == 6, 'x'", "'shown' is neither an exercise's name"),
        ("assert nowhere, 'x'", "'nowhere' is neither an exercise's name"),
        ("assert globals(), 'x'", "tests do not use 'globals'"),
        ("assert get_ipython(), 'x'", "tests do not use 'get_ipython'"),
        ("import inspect\nassert True, 'x'", "tests do not import inspect"),
        ("assert isinstance(3, total), 'x'", r"isinstance\(\) cannot know a class"),
        ("assert not issubclass(int, (str, total)), 'x'", r"issubclass\(\) cannot know a class"),
    ],
)
def test_what_a_test_may_not_use(tmp_path, line, rule):
    with pytest.raises(SheetError, match=rf"sums\.md, cell \d+ \(test_total\), line \d+: {rule}"):
        check(tmp_path, changed(CHECK, f"{CHECK}\n{line}"))


def test_helpers_of_the_reference_are_not_there_for_tests(tmp_path):
    text = changed("    result = 0\n", "    result = _zero()\n")
    helper = "    return result\n\n\ndef _zero():\n    return 0\n"
    text = changed("    return result\n", helper, text)
    check(tmp_path, text)
    with pytest.raises(SheetError, match="'_zero' is neither"):
        check(tmp_path, changed(CHECK, f"{CHECK}\nassert _zero() == 0, 'x'", text))
