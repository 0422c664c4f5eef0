"""Answers to a sheet, as a student could have typed them: the reference, the blank stub, the wrong
and right answers that authors keep beside a sheet, and any Python file.

An answer is a mapping from grade id to the source of that solution cell.
"""

import ast
import functools
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.bindings import UNPARSABLE, bound_by, bound_names, parse
from autograder.cells import grade_id, is_code, is_solution
from autograder.errors import AnswerError
from autograder.rebuild import Rebuilt, extra_cell
from autograder.release import student_notebook
from autograder.sheets import SOLUTIONS, Sheet, load_sheet

Answer = Mapping[str, str]


@dataclass(frozen=True)
class Named:
    """An answer to one exercise from `wrong.py` or `right.py`: `nms__keeps_worst_first`."""

    name: str
    exercise: str
    code: str


def reference(sheet: Sheet, solutions: Path = SOLUTIONS) -> dict[str, str]:
    """The source's own solutions, and in cells for tools what other sheets' references define.

    Raises:
        AnswerError: a tool is no exercise of its sheet.
    """
    answer = {}
    for cell in sheet.notebook.cells:
        if _is_answer(cell):
            answer[grade_id(cell)] = cell.source
        elif "tools" in cell.metadata:
            answer[cell.id] = _tools(cell.metadata["tools"], f"{sheet.name}: {cell.id}", solutions)
    return answer


def _tools(wanted: Mapping[str, list[str]], where: str, solutions: Path) -> str:
    """The references' code of exercises of other sheets."""
    sources = []
    for name, exercises in wanted.items():
        others = _reference_of(name, solutions)
        unknown = [exercise for exercise in exercises if exercise not in others]
        if unknown:
            raise AnswerError(f"{where}: '{name}' has no exercise {', '.join(unknown)}")
        sources += [others[exercise] for exercise in exercises]
    return "\n\n".join(sources)


@functools.cache
def _reference_of(name: str, solutions: Path) -> dict[str, str]:
    return reference(load_sheet(name, solutions), solutions)


def reference_names(sheet: Sheet, solutions: Path = SOLUTIONS) -> dict[str, Any]:
    """What the sheet's preparing cells and the reference define, executed here."""
    names: dict[str, Any] = {}
    for source in (*sheet.setup, *reference(sheet, solutions).values()):
        exec(source, names)
    return names


def reference_files(sheet: Sheet, solutions: Path = SOLUTIONS) -> dict[str, bytes]:
    """What the author hands in beside the reference, by name.

    Raises:
        AnswerError: a file that the sheet asks for is not in `solutions/<sheet>/`.
    """
    files = {}
    for name in sheet.files:
        path = solutions / sheet.name / name
        try:
            files[name] = path.read_bytes()
        except OSError as error:
            raise AnswerError(f"{path}: the sheet asks for this file: {error}") from error
    return files


def blank(sheet: Sheet) -> dict[str, str]:
    """The stubs of the released notebook."""
    return {
        grade_id(cell): cell.source for cell in student_notebook(sheet).cells if _is_answer(cell)
    }


def from_file(sheet: Sheet, source: str, filename: str) -> dict[str, str]:
    """A plain Python file as if a student had typed it.

    Its whole source becomes the first solution cell; later cells whose function the file binds at
    top level are emptied, the others keep their stub.

    Raises:
        AnswerError: the file is not Python.
    """
    try:
        statements = parse(source, filename).body
    except UNPARSABLE as error:
        raise AnswerError(f"{filename} is not Python: {error or 'too deep'}") from error
    bound = {name for statement in statements for name in bound_by(statement)}
    first, *later = sheet.exercises
    stubs = blank(sheet)
    return {first: source} | {name: "" if name in bound else stubs[name] for name in later}


def named_answers(sheet: Sheet, kind: str, solutions: Path = SOLUTIONS) -> list[Named]:
    """The answers in `solutions/<sheet>/<kind>.py`; `kind` is "wrong" or "right".

    Each is a function or class called `<exercise>__<what it does>` with a docstring that says what
    its author had in mind. Everything else in the file (imports, private helpers) belongs to all.

    Raises:
        AnswerError: the file cannot be read, an answer's name fits no exercise or is there twice,
            an answer has no docstring, or a helper has an exercise's name.
    """
    path = solutions / sheet.name / f"{kind}.py"
    try:
        tree = parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, *UNPARSABLE) as error:
        raise AnswerError(f"{path}: {error}") from error
    shared, answers = [], []
    seen: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef) and "__" in statement.name.strip(
            "_"
        ):
            exercise = statement.name.partition("__")[0]
            if exercise not in sheet.exercises:
                raise AnswerError(
                    f"{path}:{statement.lineno}: '{statement.name}' begins with no exercise of "
                    f"the sheet; there are: {', '.join(sheet.exercises)}"
                )
            if not ast.get_docstring(statement):
                raise AnswerError(
                    f"{path}:{statement.lineno}: '{statement.name}' needs a docstring that says why"
                )
            if statement.name in seen:
                raise AnswerError(f"{path}:{statement.lineno}: '{statement.name}' is there twice")
            seen.add(statement.name)
            answers.append((exercise, statement))
        elif bound_by(statement).intersection(sheet.exercises):
            raise AnswerError(
                f"{path}:{statement.lineno}: a helper may not have the name of an exercise; an "
                "answer is called <exercise>__<what it does>"
            )
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            shared.append(statement)
    return [
        Named(answer.name, exercise, _as_typed(_needed(shared, answer), answer, exercise))
        for exercise, answer in answers
    ]


def _needed(shared: list[ast.stmt], answer: ast.stmt) -> list[ast.stmt]:
    """The shared statements that the answer uses, directly or through others of them."""
    needed: list[ast.stmt] = []
    waiting: list[ast.stmt] = [answer]
    while waiting:
        used = {node.id for node in ast.walk(waiting.pop()) if isinstance(node, ast.Name)}
        found = [s for s in shared if s not in needed and not used.isdisjoint(bound_by(s))]
        needed += found
        waiting += found
    return [statement for statement in shared if statement in needed]


def _as_typed(shared: list[ast.stmt], answer: ast.FunctionDef | ast.ClassDef, exercise: str) -> str:
    helpers = [ast.unparse(statement) for statement in shared]
    return "\n".join([*helpers, _rename(ast.unparse(answer), {answer.name: exercise})])


def isolated(sheet: Sheet, exercise: str, code: str, solutions: Path = SOLUTIONS) -> dict[str, str]:
    """The reference with one exercise answered by `code`, the other exercises untouched by it.

    What the reference's other functions call stays the reference's: an answer to one exercise
    must not be able to spoil another, or a table of wrong answers would show less than it says.
    So what the answer binds goes by another name in the reference.
    """
    given = reference(sheet, solutions)
    defined = {
        name
        for source in given.values()
        for statement in parse(source).body
        if not isinstance(statement, ast.Import | ast.ImportFrom)  # the same for both
        for name in bound_by(statement)
    }
    private = {name: f"_reference_{name}" for name in defined & bound_names([code]) | {exercise}}
    answer = {name: _rename(source, private) for name, source in given.items()}
    return answer | {exercise: answer[exercise] + "\n\n" + code}


def _rename(source: str, names: Mapping[str, str]) -> str:
    tree = parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.name = names.get(node.name, node.name)
    return ast.unparse(tree)


def typed_in(sheet: Sheet, answer: Answer, *, notebook_for_students: bool = False) -> Rebuilt:
    """The notebook with the answer typed into its solution cells.

    With `notebook_for_students` the released notebook is filled in, as a student would hand it in;
    otherwise the source, ready to be graded.
    """
    notebook = student_notebook(sheet) if notebook_for_students else deepcopy(sheet.notebook)
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if _is_answer(cell):
            cell.source = answer[grade_id(cell)]
        elif cell.id in answer:
            cells.append(extra_cell(answer[cell.id], cell.id, 0))
    notebook.cells = cells
    return Rebuilt(notebook)


def _is_answer(cell: NotebookNode) -> bool:
    return is_code(cell) and is_solution(cell)
