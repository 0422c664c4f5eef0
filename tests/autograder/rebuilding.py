"""Submissions, rebuilt, and what became of them."""

import nbformat
from made_up import as_bytes

from autograder.rebuild import Rebuilt, rebuild
from autograder.release import student_notebook
from autograder.sheets import Sheet

ANSWER = "def total(numbers):\n    return sum(numbers)"


def sources(rebuilt: Rebuilt) -> list[str]:
    return [cell.source for cell in rebuilt.notebook.cells]


def ids(rebuilt: Rebuilt) -> list[str]:
    return [cell.id for cell in rebuilt.notebook.cells]


def source_of(rebuilt: Rebuilt, name: str) -> str:
    return next(cell.source for cell in rebuilt.notebook.cells if cell.id == name)


def flags(rebuilt: Rebuilt) -> list[tuple[str, str]]:
    return [(flag.kind, flag.detail) for flag in rebuilt.flags]


def stub(sheet: Sheet, name: str) -> str:
    return next(cell.source for cell in student_notebook(sheet).cells if cell.id == name)


def rebuilt_from(sheet: Sheet, notebook: object) -> Rebuilt:
    rebuilt = rebuild(sheet, as_bytes(notebook))
    nbformat.validate(rebuilt.notebook)
    return rebuilt
