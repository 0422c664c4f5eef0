"""Library calls that a sheet forbids: shown by the source, or taken on a detour."""

import pytest
from made_up import check, flags, handed_in

from autograder.grading import grade, grade_rebuilt
from autograder.judging import SHORTCUT as REFUSED
from autograder.rebuild import rebuild
from autograder.sheets import Sheet


def verdict_on(sheet: Sheet, **code: str) -> dict:
    return grade(sheet, handed_in(sheet, **code)).verdict


def results(verdict: dict) -> list[str]:
    return [entry["verdict"] for entry in verdict["checks"]]


SHORTCUT = "import statistics\n\ndef mean(numbers):\n    return statistics.mean(numbers or [0.0])"


def test_a_shortcut_costs_its_exercise_and_says_so(sheet):
    verdict = verdict_on(sheet, mean=SHORTCUT)
    entry = check(verdict, "test_mean")
    assert (entry["verdict"], entry["points"]) == ("fail", 0)
    assert entry["message"] == (
        "statistics.mean: not allowed here, since you are asked to write it"
    )
    assert flags(verdict) == [("shortcut", "mean uses statistics.mean")]
    assert verdict["score"] == 5.5


def test_a_wrong_shortcut_is_told_what_is_wrong(sheet):
    wrong = SHORTCUT.replace("return ", "if numbers:\n        return 0\n    return ")
    entry = check(verdict_on(sheet, mean=wrong), "test_mean")
    assert entry["message"] == "the mean of 2 and 4 is 3, not 0"


HIDDEN_CALL = "import statistics\n\ndef mean(numbers):\n    {}\n    return found(numbers or [0.0])"


@pytest.mark.parametrize(
    "detour",
    [
        "found = eval('statistics.me' + 'an')",
        "found = getattr(__import__('stat' + 'istics'), 'fme' + 'an')",
        "found = vars(__import__('importlib').import_module('stat' + 'istics'))['mean']",
    ],
)
def test_a_detour_costs_its_exercise_and_goes_to_a_person(sheet, detour):
    verdict = verdict_on(sheet, mean=HIDDEN_CALL.format(detour))
    entry = check(verdict, "test_mean")
    assert (entry["verdict"], entry["points"], entry["message"]) == ("fail", 0, REFUSED)
    assert flags(verdict) == [
        ("shortcut-detour", "mean used a forbidden call that its source does not show")
    ]
    assert verdict["score"] == 5.5


def test_a_detour_in_an_exercise_with_two_checks_is_flagged_once(sheet):
    sneaky = "import math\ndef clip(*numbers):\n    return getattr(math, 'fs' + 'um')(numbers)"
    verdict = verdict_on(sheet, clip=sneaky)
    assert results(verdict) == ["pass", "pass", "fail", "fail", "pass"]
    assert [kind for kind, _ in flags(verdict)] == ["shortcut-detour"]


def test_a_student_cannot_make_a_detour_up(sheet):
    fake = (
        "class ShortcutError(Exception):\n    pass\n\nShortcutUsedError = ShortcutError\n\n"
        "def clip(*_):\n    raise ShortcutUsedError('x')"
    )
    verdict = verdict_on(sheet, clip=fake)
    assert check(verdict, "test_clip")["message"] == "Exception: x"
    assert flags(verdict) == []


def test_shortcuts_may_be_allowed(sheet):
    rebuilt = rebuild(sheet, handed_in(sheet, mean=SHORTCUT))
    graded = grade_rebuilt(sheet, rebuilt, allow_shortcuts=True)
    assert graded.verdict["score"] == 8.5
    assert graded.verdict["flags"] == []
