"""What a student may not learn: nothing of a hidden input is in what the grader says."""

import json

import pytest
from made_up import SECRETS, check, handed_in

from autograder.grading import grade

LEAKS = {
    "message": "raise ValueError(numbers)",
    "class": "raise type(repr(numbers), (Exception,), {})",
    "assert": "assert not numbers, numbers",
    "own timeout": "raise type('CellTimeoutError', (BaseException,), {})(numbers)",
    "own ending": "raise type('Died', (BaseException,), {})(numbers)",
    "exit": "raise SystemExit(str(numbers))",
    "stub": "raise NotImplementedError(numbers)",
    "print": "print(numbers)\n    return 1",
    "return": "return type(repr(numbers), (), {})",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_hidden_input_does_not_get_out(sheet, leak):
    code = f"def mean(numbers):\n    if numbers == [2, 4]:\n        return 3\n    {LEAKS[leak]}"
    graded = grade(sheet, handed_in(sheet, mean=code))
    assert check(graded.verdict, "test_mean")["points"] == 0
    # The notebook has the tests' sources: what the student's process said is in the outputs.
    said = [cell.get("outputs") for cell in graded.notebook.cells]
    text = json.dumps([graded.verdict, said])
    assert not any(secret in text for secret in SECRETS)


def test_a_later_visible_check_does_not_repeat_an_earlier_hidden_input(sheet):
    code = {
        "mean": "seen = []\ndef mean(numbers):\n    seen.append(numbers)\n    return 3",
        "clip": "def clip(*_):\n    raise ValueError(seen)",
        "celsius": "def celsius(_):\n    assert False, str(seen)",
    }
    verdict = grade(sheet, handed_in(sheet, **code)).verdict
    text = json.dumps(verdict)
    assert not any(secret in text for secret in SECRETS)
    assert check(verdict, "test_clip")["message"] == "ValueError: [[2, 4]]"
