"""A made-up sheet, small enough to be graded in a blink, and submissions to it."""

import json
from pathlib import Path

import nbformat

from autograder import answers
from autograder.release import student_notebook
from autograder.sheets import Sheet, load_sheet

NAME = "sums"

# The hidden tests' numbers: nothing that a student sees may contain them.
SECRETS = ("31337", "31339", "7341")

SHEET = '''\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
course:
  title: Sums and means
  chapter: sums
  minutes: 10
  forbidden: [statistics, math.fsum]
  limits: {cell_seconds: 10, submission_seconds: 30}
---

# Sums

Worth {{points.automatic}} by tests and {{points.manual}} by hand.

```{code-cell} ipython3
---
nbgrader: {grade_id: setup, locked: true}
---
import math
```

## Total ({{points.total}})

```{code-cell} ipython3
---
nbgrader: {grade_id: total, solution: true}
---
def total(numbers):
    """Add a list of numbers."""
    ### BEGIN SOLUTION
    result = 0
    for number in numbers:
        result += number
    return result
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade_id: test_total, grade: true, points: 2}
---
assert total([1, 2, 4]) == 7, "add every number once"
### BEGIN HIDDEN TESTS
assert total([]) == 0, "nothing adds up to 0"
assert total([0.5, -2]) == -1.5, "numbers may be negative and fractional"
### END HIDDEN TESTS
```

See it at work.

```{code-cell} ipython3
shown = total([1, 2, 3])
print("the total is", shown)
```

## Mean ({{points.mean}})

```{code-cell} ipython3
---
nbgrader: {grade_id: mean, solution: true}
---
def mean(numbers):
    """Arithmetic mean; 0.0 of nothing."""
    ### BEGIN SOLUTION
    if not numbers:
        return 0.0
    return total(numbers) / len(numbers)
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade_id: test_mean, grade: true, points: 3}
---
def test_mean():
    average = mean([2, 4])
    assert average == 3, f"the mean of 2 and 4 is 3, not {average}"
    ### BEGIN HIDDEN TESTS
    assert mean([31337, 31339]) == 31338, "large numbers are averaged as well"
    assert mean([]) == 0, "the mean of nothing is 0"
    ### END HIDDEN TESTS


test_mean()
```

## Clip ({{points.clip}})

```{code-cell} ipython3
---
nbgrader: {grade_id: clip, solution: true}
---
def clip(number, low, high):
    """The number, moved into low ... high."""
    ### BEGIN SOLUTION
    if number <= low:
        return low
    return min(number, high)
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade_id: test_clip, grade: true, points: 1}
---
assert clip(5, 0, 3) == 3, "too large: moved down to the upper end"
```

```{code-cell} ipython3
---
nbgrader: {grade_id: test_clip__low, grade: true, points: 1.5}
---
### BEGIN HIDDEN TESTS
assert clip(-5, 0, 3) == 0, "too small: moved up to the lower end"
assert clip(2, 0, 3) == 2, "a number between the ends stays"
assert clip(7341, 0, 9999) == 7341, "a large number between the ends stays"
### END HIDDEN TESTS
```

## Celsius ({{points.celsius}})

```{code-cell} ipython3
---
nbgrader: {grade_id: celsius, solution: true}
---
def celsius(fahrenheit):
    """Degrees Fahrenheit in degrees Celsius."""
    ### BEGIN SOLUTION
    return (fahrenheit - 32) * 5 / 9
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade_id: test_celsius, grade: true, points: 1}
---
assert celsius(212) == 100, "water boils at 212 degrees Fahrenheit"
### BEGIN HIDDEN TESTS
assert celsius(32) == 0, "water freezes at 32 degrees Fahrenheit"
### END HIDDEN TESTS
```

## A question ({{points.written_why}})

Why is the mean of nothing 0 here?

+++ {"nbgrader": {"grade_id": "written_why", "grade": true, "solution": true, "points": 2}}

Because the sheet says so; mathematics leaves it undefined.
'''

WRONG = '''\
"""Wrong answers to the made-up sheet."""

import math


def total__forgets_the_first(numbers):
    """Starts to count at 1."""
    return sum(numbers[1:])


def total__whole_numbers_only(numbers):
    """Believes that numbers are whole."""
    return sum(int(number) for number in numbers)


def mean__divides_by_two(numbers):
    """Right for two numbers only; rounds with math so that the import is seen to be shared."""
    return math.floor(sum(numbers)) / 2 + (0 if numbers else 1)


def mean__fails_on_nothing(numbers):
    """Divides by zero."""
    return sum(numbers) / len(numbers)


def clip__ignores_the_lower_end(number, low, high):
    """One end is enough, it believes."""
    return min(number, high)


def celsius__forgets_the_offset(fahrenheit):
    """Scales only."""
    return fahrenheit * 5 / 9
'''

RIGHT = '''\
"""Right answers to the made-up sheet, written in other ways."""


def _add(numbers):
    return sum(numbers)


def total__builtin(numbers):
    """With a helper of the file's own."""
    return _add(numbers)


def mean__weights(numbers):
    """Each number's share."""
    return sum(number / len(numbers) for number in numbers)


def clip__sorted(number, low, high):
    """The one in the middle."""
    return sorted([number, low, high])[1]


def celsius__divides_first(fahrenheit):
    """Another order of operations."""
    return (fahrenheit - 32) / 1.8
'''

EQUIVALENT = """\
- exercise: clip
  before: "if number <= low:"
  after: "if number < low:"
  reason: At low itself both branches return low.
"""


def write_solutions(folder: Path) -> Path:
    """The made-up sheet as a solutions folder; returns the folder."""
    place = folder / NAME
    place.mkdir(parents=True)
    (place / f"{NAME}.md").write_text(SHEET, encoding="utf-8")
    (place / "wrong.py").write_text(WRONG, encoding="utf-8")
    (place / "right.py").write_text(RIGHT, encoding="utf-8")
    (place / "equivalent.yaml").write_text(EQUIVALENT, encoding="utf-8")
    return folder


def changed(old: str, new: str, text: str = SHEET) -> str:
    """The sheet's source with one passage replaced, which must be there."""
    assert old in text
    return text.replace(old, new, 1)


def sheet_from(folder: Path, text: str) -> Sheet:
    """Load a sheet whose source is `text`."""
    path = folder / NAME / f"{NAME}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_sheet(NAME, folder)


def notebook_of(sheet: Sheet, **code: str) -> dict:
    """A notebook as a student hands it in: `code` by grade id, else the reference's answer."""
    notebook = json.loads(nbformat.writes(student_notebook(sheet)))
    given = answers.reference(sheet) | code
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = given.get(name, "".join(cell["source"]))
    return notebook


def as_bytes(notebook: object) -> bytes:
    return json.dumps(notebook).encode()


def handed_in(sheet: Sheet, **code: str) -> bytes:
    """The bytes of `notebook_of`."""
    return as_bytes(notebook_of(sheet, **code))


def code_cell(source: object, **metadata: object) -> dict:
    """A code cell as an editor writes it, in JSON."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"made-{abs(hash(str(source))) % 10**8}",
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def find_cell(notebook: dict, grade_id: str) -> dict:
    return next(
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def check(verdict: dict, check_id: str) -> dict:
    """The verdict's entry of one check."""
    return next(entry for entry in verdict["checks"] if entry["id"] == check_id)


def flags(verdict: dict) -> list[tuple[str, str]]:
    return [(flag["kind"], flag["detail"]) for flag in verdict["flags"]]


def hand_in(course: Path, student: str, data: bytes, timestamp: str | None = None) -> Path:
    """Put a submission into a course folder; returns its folder."""
    folder = course / "submitted" / student / NAME
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.ipynb").write_bytes(data)
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp, encoding="utf-8")
    return folder
