"""Make the students' notebooks, in nbgrader's own release format."""

from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.repository import REPOSITORY
from autograder.sheets import Sheet

RELEASE = REPOSITORY / "build" / "release"


def student_notebook(sheet: Sheet) -> NotebookNode:
    """The sheet without solutions and hidden tests, as `nbgrader generate_assignment` makes it."""
    from nbgrader import preprocessors

    # The preprocessors of nbgrader's GenerateAssignment in their order, but for those that fill
    # its gradebook: a release does not need one.
    steps = [
        preprocessors.LockCells,
        preprocessors.ClearSolutions,
        preprocessors.ClearOutput,
        preprocessors.CheckCellMetadata,
        preprocessors.ClearHiddenTests,
        preprocessors.ClearMarkScheme,
        preprocessors.ComputeChecksums,
        preprocessors.CheckCellMetadata,
    ]
    notebook = deepcopy(sheet.notebook)
    resources: dict = {}
    for step in steps:
        notebook, resources = step().preprocess(notebook, resources)
    return notebook


def release(sheets: list[Sheet], folder: Path = RELEASE) -> list[Path]:
    """Write `<folder>/<sheet>/<sheet>.ipynb` for each sheet and return the paths.

    A file that would not change is left alone, so that what is made from it is not made again.
    """
    paths = []
    for sheet in sheets:
        path = folder / sheet.name / f"{sheet.name}.ipynb"
        text = nbformat.writes(student_notebook(sheet)) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths
