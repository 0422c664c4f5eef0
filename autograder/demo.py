"""A class made up from a sheet's own answers, for `make demo-class`: 24 students, s01 to s24.

Nobody wrote these: they are put together from the reference, the blank stub and the wrong and
right answers that prove the sheet, and five of them are broken files.
"""

import json
import random
from pathlib import Path

import nbformat

from autograder import answers
from autograder.sheets import Sheet, grade_id, is_manual

SIZE = 24

# A class in which every exercise is solved by most, and no two students need be alike.
_SHARE_WRONG = 0.2


def make_class(sheet: Sheet, root: Path, seed: int = 0) -> list[Path]:
    """Write `root/submitted/<student>/<sheet>/<sheet>.ipynb` for 24 students; return the paths.

    Beside each lies what the sheet asks for, as its author hands it in.
    """
    rng = random.Random(seed)
    right = answers.named_answers(sheet, "right")
    wrong = answers.named_answers(sheet, "wrong")
    everything = [answers.reference(sheet), answers.blank(sheet)]
    while len(everything) < SIZE - 5:
        everything.append(_mixture(sheet, right, wrong, rng))
    handed_in = [_notebook(sheet, answer) for answer in everything]
    complete = json.loads(handed_in[0])
    handed_in += [
        _without_cell(complete, sheet.exercises[0]),
        handed_in[0][: len(handed_in[0]) // 2],  # invalid JSON: the upload broke off
        json.dumps(complete | {"cells": []}),
        json.dumps(
            complete | {"cells": [_note("The wrong notebook: not the exercise sheet at all.")]}
        ),
        "",
    ]
    paths = []
    files = answers.reference_files(sheet)
    for number, text in enumerate(handed_in, start=1):
        path = root / "submitted" / f"s{number:02}" / sheet.name / f"{sheet.name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        for name, content in ({path.name: text.encode()} | files).items():
            place = path.parent / name
            if not place.exists() or place.read_bytes() != content:
                place.write_bytes(content)
        paths.append(path)
    return paths


def _mixture(
    sheet: Sheet, right: list[answers.Named], wrong: list[answers.Named], rng: random.Random
) -> dict[str, str]:
    """An answer to every exercise: mostly a right one, sometimes a wrong one, sometimes none."""
    given = answers.reference(sheet)
    answer = {name: code for name, code in given.items() if name not in sheet.exercises}
    for exercise, stub in answers.blank(sheet).items():
        pool = wrong if rng.random() < _SHARE_WRONG else right
        code = rng.choice([named.code for named in pool if named.exercise == exercise])
        answer[exercise] = stub if rng.random() < _SHARE_WRONG / 5 else code
    return answer


def _notebook(sheet: Sheet, answer: answers.Answer) -> str:
    notebook = answers.typed_in(sheet, answer, notebook_for_students=True).notebook
    if answer != answers.blank(sheet):
        for cell in filter(is_manual, notebook.cells):
            cell.source = "A low threshold drops **neighbours**, a high one keeps duplicates."
    return nbformat.writes(notebook)


def _without_cell(notebook: dict, name: str) -> str:
    kept = [cell for cell in notebook["cells"] if grade_id(nbformat.from_dict(cell)) != name]
    return json.dumps(notebook | {"cells": kept})


def _note(text: str) -> dict:
    return {"cell_type": "markdown", "id": "note", "metadata": {}, "source": text}
