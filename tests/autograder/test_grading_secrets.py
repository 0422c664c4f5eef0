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


def test_what_is_written_during_the_tests_is_nowhere(sheet):
    code = (
        "import os, sys\nkept = sys.stdout\ndef mean(numbers):\n"
        "    print(numbers)\n    print(numbers, file=kept)\n"
        "    os.write(1, repr(numbers).encode())\n    open('seen.txt', 'w').write(repr(numbers))\n"
        "    return sum(numbers) / len(numbers) if numbers else 0"
    )
    graded = grade(sheet, handed_in(sheet, mean=code))
    assert check(graded.verdict, "test_mean")["verdict"] == "pass"
    said = json.dumps([graded.verdict, [cell.get("outputs") for cell in graded.notebook.cells]])
    assert not any(secret in said for secret in (*SECRETS, "[2, 4]"))


def test_what_a_cell_prints_after_a_new_start_is_not_shown(sheet):
    seen = (
        "import os, tempfile\ndef clip(number, low, high):\n"
        "    home = os.path.expanduser('~')\n"
        "    for place in ('.', tempfile.gettempdir(), '/dev/shm', home):\n"
        "        open(os.path.join(place, 'seen'), 'a').write(str(number))\n"
        "    if number == 7341:\n        os._exit(0)\n    return max(low, min(number, high))"
    )
    tell = (
        "for place in ('.', tempfile.gettempdir(), '/dev/shm', os.path.expanduser('~')):\n"
        "    print(os.listdir(place))\n"
        "def celsius(fahrenheit):\n    raise ValueError(os.path.exists('/dev/shm/seen'))"
    )
    graded = grade(sheet, handed_in(sheet, clip=seen, celsius=tell))
    assert check(graded.verdict, "test_clip__low")["verdict"] == "died"
    assert check(graded.verdict, "test_celsius")["message"] == "ValueError: True", "as released"
    (cell,) = [cell for cell in graded.notebook.cells if cell.id == "celsius"]
    assert [output.text for output in cell.outputs] == ["[]\n[]\n[]\n[]\n"]


def test_a_hidden_tests_source_is_not_in_the_students_kernel(sheet):
    search = """
import gc
def strings(depth=3):
    held = [item for item in gc.get_objects() if type(item) in (dict, list, tuple, set)]
    for _ in range(depth):
        inner = [list(h.values()) if type(h) is dict else list(h) for h in held]
        held = [item for items in inner for item in items]
        yield from (item for item in held if type(item) is str)
        held = [item for item in held if type(item) in (dict, list, tuple)]
wanted = ["pu sdda gnihton", "devom :egral oot"]
def total(numbers):
    return [any(word[::-1] in text for text in strings()) for word in wanted]
    # the control: this very text is found
print(any("the control: this very" in text for text in strings()))
"""
    tell = f"{search}\ndef celsius(_):\n    raise ValueError(total([]))"
    graded = grade(sheet, handed_in(sheet, celsius=tell))
    (cell,) = [cell for cell in graded.notebook.cells if cell.id == "celsius"]
    assert [output.text for output in cell.outputs] == ["True\n"]
    assert check(graded.verdict, "test_celsius")["message"] == "ValueError: [False, False]"
