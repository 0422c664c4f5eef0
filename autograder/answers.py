"""Answers to a sheet, as a student could have typed them: the reference, the blank stub, the wrong
and right answers that authors keep beside a sheet, and any Python file.

An answer is a mapping from grade id to the source of that solution cell.
"""

import ast
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.bindings import UNPARSABLE, bound_by, bound_names, parse
from autograder.cells import grade_id, is_code, is_solution
from autograder.errors import AnswerError
from autograder.rebuild import Rebuilt
from autograder.release import student_notebook
from autograder.sheets import SOLUTIONS, Sheet

Answer = Mapping[str, str]


@dataclass(frozen=True)
class Named:
    """An answer to one exercise from `wrong.py` or `right.py`: `nms__keeps_worst_first`."""

    name: str
    exercise: str
    code: str


def reference(sheet: Sheet) -> dict[str, str]:
    """The source's own solutions."""
    return {grade_id(cell): cell.source for cell in sheet.notebook.cells if _is_answer(cell)}


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


def isolated(sheet: Sheet, exercise: str, code: str) -> dict[str, str]:
    """The reference with one exercise answered by `code`, the other exercises untouched by it.

    What the reference's other functions call stays the reference's: an answer to one exercise
    must not be able to spoil another, or a table of wrong answers would show less than it says.
    So what the answer binds goes by another name in the reference.
    """
    given = reference(sheet)
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
    for cell in notebook.cells:
        if _is_answer(cell):
            cell.source = answer[grade_id(cell)]
    return Rebuilt(notebook)


def _is_answer(cell: NotebookNode) -> bool:
    return is_code(cell) and is_solution(cell)
