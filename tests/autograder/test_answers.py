"""Answers to a sheet: typed in from a file, kept beside a sheet, isolated from each other."""

import pytest
from made_up import NAME, RIGHT, SHEET, changed, sheet_from, write_solutions

from autograder import answers
from autograder.bindings import bound_names
from autograder.errors import AnswerError
from autograder.sheets import load_sheet


@pytest.fixture
def files(tmp_path):
    """A solutions folder whose answer files may be rewritten."""
    folder = write_solutions(tmp_path)

    def write(text: str, kind: str = "right"):
        (folder / NAME / f"{kind}.py").write_text(text, encoding="utf-8")
        return folder

    return write


def run(cells) -> dict:
    names: dict = {}
    for source in cells.values():
        exec(source, names)
    return names


# The reference and the stub.


def test_the_reference_answers_everything(sheet):
    names = run(answers.reference(sheet))
    assert names["total"]([1, 2]) == 3
    assert names["mean"]([1, 3]) == 2
    assert list(answers.reference(sheet)) == list(sheet.exercises)


def test_the_blank_answers_nothing(sheet):
    assert list(answers.blank(sheet)) == list(sheet.exercises)
    with pytest.raises(NotImplementedError):
        run(answers.blank(sheet))["total"]([1])


# Tools: what the reference takes from other sheets.

TOOLS = """
```{code-cell} ipython3
---
tools: {sums: [mean, total]}
---
# From sums: mean, total
```
"""


@pytest.fixture
def later(tmp_path):
    """A sheet `later` beside the made-up one, whose reference takes two tools from it."""
    folder = write_solutions(tmp_path)
    renamed = SHEET.replace("total", "sum_of").replace("mean", "middle")
    text = changed("## Total", f"{TOOLS}\n## Total", renamed)
    (folder / "later").mkdir()
    (folder / "later" / "later.md").write_text(text, encoding="utf-8")
    return load_sheet("later", folder), folder


def test_a_reference_has_the_tools_that_it_names(later):
    sheet, folder = later
    answer = answers.reference(sheet, folder)
    names = run({name: code for name, code in answer.items() if name not in sheet.exercises})
    assert names["mean"]([1, 3]) == 2
    assert answers.reference_names(sheet, folder)["total"]([1, 2]) == 3


def test_tools_are_typed_into_a_cell_of_the_students_own(later):
    sheet, folder = later
    answer = answers.reference(sheet, folder)
    released = answers.typed_in(sheet, answer, notebook_for_students=True).notebook
    for notebook in (answers.typed_in(sheet, answer).notebook, released):
        sources = [cell.source for cell in notebook.cells]
        place = sources.index("# From sums: mean, total")
        assert sources[place + 1].startswith("def mean(numbers):")
    bare = answers.typed_in(sheet, answers.blank(sheet), notebook_for_students=True).notebook
    assert not any("def mean(" in cell.source for cell in bare.cells)


def test_the_released_notebook_has_no_tools(later):
    sheet, _ = later
    assert "numbers) / len" not in str(sheet.released)


def test_tools_that_are_no_exercises(later):
    sheet, folder = later
    cell = next(cell for cell in sheet.notebook.cells if "tools" in cell.metadata)
    cell.metadata["tools"] = {"sums": ["mean", "median"]}
    with pytest.raises(AnswerError, match="'sums' has no exercise median"):
        answers.reference(sheet, folder)


# What is handed in beside the reference.


def test_files_of_the_reference(tmp_path):
    folder = write_solutions(tmp_path)
    sheet = sheet_from(folder, changed("minutes: 10", "minutes: 10\n  files: {a.bin: 9}"))
    with pytest.raises(AnswerError, match=r"a\.bin: the sheet asks for this file"):
        answers.reference_files(sheet, folder)
    (folder / NAME / "a.bin").write_bytes(b"123")
    assert answers.reference_files(sheet, folder) == {"a.bin": b"123"}


# A plain Python file.


def test_a_file_becomes_the_first_cell(sheet):
    source = "def total(numbers):\n    return 1"
    answer = answers.from_file(sheet, source, "mine.py")
    stubs = answers.blank(sheet)
    assert answer == {"total": source} | {name: stubs[name] for name in ("mean", "clip", "celsius")}


@pytest.mark.parametrize(
    "source",
    [
        "def mean(numbers): pass",
        "async def mean(numbers): pass",
        "class mean: pass",
        "mean = len",
        "from statistics import mean",
        "import statistics as mean",
        "if True:\n    mean = len",
    ],
)
def test_a_later_cell_that_the_file_binds_is_emptied(sheet, source):
    answer = answers.from_file(sheet, source, "mine.py")
    assert answer["total"] == source
    assert answer["mean"] == ""
    assert answer["clip"] == answers.blank(sheet)["clip"]


@pytest.mark.parametrize(
    "source", ["mean", "print(mean)", "x.mean = 1", "# mean = 1", "def f():\n    mean = 1", ""]
)
def test_a_later_cell_that_the_file_only_mentions_keeps_its_stub(sheet, source):
    answer = answers.from_file(sheet, source, "mine.py")
    assert answer["mean"] == answers.blank(sheet)["mean"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def total(", "never closed"),
        ("x = '\0'", "null bytes"),
        ("%time", "invalid syntax"),
        ("-" * 7000 + "1", ""),
    ],
)
def test_a_file_that_is_not_python(sheet, source, reason):
    with pytest.raises(AnswerError, match=rf"mine\.py is not Python: .*{reason}"):
        answers.from_file(sheet, source, "mine.py")


# Wrong and right answers beside a sheet.


def test_named_answers(sheet, solutions):
    named = answers.named_answers(sheet, "wrong", solutions)
    assert [(a.name, a.exercise) for a in named] == [
        ("total__forgets_the_first", "total"),
        ("total__whole_numbers_only", "total"),
        ("mean__divides_by_two", "mean"),
        ("mean__fails_on_nothing", "mean"),
        ("clip__ignores_the_lower_end", "clip"),
        ("celsius__forgets_the_offset", "celsius"),
    ]


def test_an_answer_goes_by_its_exercises_name_and_has_what_the_file_shares(sheet, solutions):
    builtin, *_ = answers.named_answers(sheet, "right", solutions)
    assert bound_names([builtin.code]) == {"_add", "total"}
    names: dict = {}
    exec(builtin.code, names)
    assert names["total"]([1, 2]) == 3


def test_an_answer_may_call_itself(sheet, files):
    code = (
        "def total__recursive(numbers):\n    'Calls itself.'\n"
        "    return numbers[0] + total__recursive(numbers[1:]) if numbers else 0\n"
    )
    (answer,) = answers.named_answers(sheet, "right", files(code))
    names: dict = {}
    exec(answer.code, names)
    assert names["total"]([1, 2, 3]) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def sum__x(n):\n    'Why.'", r"right\.py:1: 'sum__x' begins with no exercise of the "
         "sheet; there are: total, mean, clip, celsius"),
        ("\ndef total__x(n):\n    return 1", r"right\.py:2: 'total__x' needs a docstring"),
        ("def total__x(n):\n    'Why.'\n\nclass total__x:\n    'Why.'",
         r"right\.py:4: 'total__x' is there twice"),
        ("def total(n):\n    return 1", r"right\.py:1: a helper may not have the name"),
        ("from statistics import mean", r"right\.py:1: a helper may not have the name"),
        ("def total__x(n:", r"right\.py: .*line 1"),
        ("x = '\0'", r"right\.py: .*null bytes"),
    ],
)  # fmt: skip
def test_a_file_of_answers_that_is_refused(sheet, files, text, message):
    with pytest.raises(AnswerError, match=message):
        answers.named_answers(sheet, "right", files(text))


def test_a_file_of_answers_that_is_missing(sheet, tmp_path):
    with pytest.raises(AnswerError, match=r"wrong\.py.*No such file|No such file.*wrong\.py"):
        answers.named_answers(sheet, "wrong", tmp_path)


def test_private_names_and_constants_are_no_answers(sheet, files):
    text = RIGHT + "\n__version__ = 1\n\ndef __odd__():\n    pass\n\ndef _a_b():\n    pass\n"
    assert len(answers.named_answers(sheet, "right", files(text))) == 4


# One answer in the reference's company.


def test_other_exercises_keep_to_the_reference(sheet):
    wrong = "def total(numbers):\n    return 99"
    names = run(answers.isolated(sheet, "total", wrong))
    assert names["total"]([1, 2]) == 99
    assert names["mean"]([1, 3]) == 2, "mean calls the reference's total"
    assert names["clip"](5, 0, 3) == 3


def test_an_answer_uses_the_references_other_exercises(sheet):
    names = run(answers.isolated(sheet, "mean", "def mean(numbers):\n    return total(numbers)"))
    assert names["mean"]([1, 2]) == 3


def test_a_helper_of_an_answer_does_not_replace_the_references(tmp_path):
    helper = "    return _clipped(number, low, high)\n\n\ndef _clipped(n, low, high):\n    "
    text = changed("    return min(number, high)\n", f"{helper}return min(n, high)\n")
    text = changed("    return (fahrenheit - 32) * 5 / 9\n",
                   "    return _clipped((fahrenheit - 32) * 5 / 9, 0, 999)\n", text)  # fmt: skip
    sheet = sheet_from(tmp_path, text)
    code = "def _clipped(*_):\n    return 'mine'\n\ndef clip(*_):\n    return _clipped()"
    names = run(answers.isolated(sheet, "clip", code))
    assert names["clip"](5, 0, 3) == "mine"
    assert names["celsius"](212) == 100


def test_imports_that_both_make_stay_imports(tmp_path):
    formula = "(fahrenheit - 32) * 5 / 9"
    text = changed(f"return {formula}\n", f"return math.floor({formula})\n\n\nimport math\n")
    sheet = sheet_from(tmp_path, text)
    names = run(answers.isolated(sheet, "total", "import math\ndef total(n):\n    return math.pi"))
    assert names["celsius"](212) == 100


# Typed into a notebook.


def test_typed_into_the_source_or_into_the_students_notebook(sheet):
    answer = answers.reference(sheet) | {"total": "mine"}
    source = answers.typed_in(sheet, answer).notebook
    student = answers.typed_in(sheet, answer, notebook_for_students=True).notebook
    for notebook in (source, student):
        assert [c.source for c in notebook.cells if c.id in answer] == list(answer.values())
    assert "HIDDEN" in "".join(cell.source for cell in source.cells)
    assert "HIDDEN" not in "".join(cell.source for cell in student.cells)
