"""Released exercise sheets: their numbers, and the page that shows one in the book.

Everything is read from the *student's* notebook, `build/release/<sheet>/<sheet>.ipynb`. The
sources with the solutions are never opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from coursebook.problems import BookError, Problem

_NEEDED_KEYS = ("title", "minutes", "points", "manual_points")
_AUTHORS_MARKS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
_DIRECTIVE = re.compile(r"^\s*(?:`{3,}|~{3,}|:{3,})\{[^}]+\}", re.MULTILINE)
# In the students' bundle the book's pages lie beside the sheets, as notebooks.
_PAGE_LINK = re.compile(r"\]\(book-([\w-]+)\.ipynb\)")
_FIRST_HEADING = re.compile(r"^# +\S.*$", re.MULTILINE)


@dataclass(frozen=True)
class Sheet:
    """What the released notebook says about itself.

    Args:
        name: the sheet's name, which is also its notebook's: `iou-nms`.
        title: as printed on the card.
        minutes: time that a student should expect to need.
        points: points given by tests.
        manual_points: points given by a person.
        notebook: path of the student's notebook.
    """

    name: str
    title: str
    minutes: int
    points: float
    manual_points: float
    notebook: Path

    @property
    def points_text(self) -> str:
        """`14 points`, or `14 points by tests, 2 by hand`."""
        if not self.manual_points:
            return _count(self.points, "point")
        return f"{_count(self.points, 'point')} by tests, {self.manual_points:g} by hand"


def find_sheets(release: Path) -> dict[str, Sheet]:
    """Read every sheet released under `release`.

    Args:
        release: folder with `<sheet>/<sheet>.ipynb`; may be absent, which means no sheet.

    Returns:
        Sheets by name, in alphabetical order.

    Raises:
        BookError: a notebook says too little, or too much, about itself.
    """
    sheets: dict[str, Sheet] = {}
    problems: list[Problem] = []
    for notebook in sorted(release.glob("*/*.ipynb")):
        if notebook.stem != notebook.parent.name:
            continue
        try:
            sheets[notebook.stem] = read_sheet(notebook)
        except BookError as error:
            problems += error.problems
    if problems:
        raise BookError(problems)
    return sheets


def read_sheet(notebook: Path) -> Sheet:
    """Read and check one student's notebook.

    Args:
        notebook: path of the released `.ipynb`.

    Returns:
        Its numbers.

    Raises:
        BookError: the `course` metadata is absent or incomplete, its points are not those of
            the cells, the notebook still has an author's marks, or it uses Sphinx directives.
    """
    content = nbformat.read(notebook, as_version=4)
    course = content.metadata.get("course", {})
    missing = [key for key in _NEEDED_KEYS if key not in course]
    if missing:
        raise BookError(
            Problem(
                str(notebook),
                f"the notebook's `course` metadata has no {', '.join(missing)}; it needs "
                f"{', '.join(_NEEDED_KEYS)}",
            )
        )
    problems = list(_wrong_points(content, str(notebook)))
    problems += _wrong_cells(content, str(notebook))
    if problems:
        raise BookError(problems)
    return Sheet(
        name=notebook.stem,
        title=str(course["title"]),
        minutes=int(course["minutes"]),
        points=float(course["points"]),
        manual_points=float(course["manual_points"]),
        notebook=notebook,
    )


def exercise_page(sheet: Sheet) -> NotebookNode:
    """Make the book's page of a sheet: as the student sees it, tests folded, nothing run.

    Args:
        sheet: from `read_sheet`.

    Returns:
        A notebook for MyST-NB: the sheet's card under its title, tests folded away under a line
        that says their points, no outputs, none of nbgrader's metadata.
    """
    content = nbformat.read(sheet.notebook, as_version=4)
    for cell in content.cells:
        if cell.cell_type == "markdown":
            cell.source = _PAGE_LINK.sub(r"](../\1.md)", cell.source)
    page = nbformat.v4.new_notebook(metadata={"kernelspec": dict(content.metadata.kernelspec)})
    # The page is a notebook of its own: its title cell is split to make room for the card.
    first = content.cells[0]
    heading = _FIRST_HEADING.search(first.source)
    assert heading is not None  # `read_sheet` has seen to it
    card = f"```{{exercise-card}} {sheet.name}\n:page:\n```"
    rest = first.source[heading.end() :].strip()
    for source in (heading.group(), card, rest):
        if source:
            page.cells.append(nbformat.v4.new_markdown_cell(source))
    for cell in content.cells[1:]:
        if cell.cell_type == "code":
            page.cells.append(nbformat.v4.new_code_cell(cell.source, metadata=_look(cell)))
        else:
            page.cells.append(nbformat.v4.new_markdown_cell(cell.source))
    for number, cell in enumerate(page.cells):
        cell["id"] = f"cell-{number}"  # random ids would make every build differ
    return page


def _look(cell: NotebookNode) -> dict:
    """Metadata that folds a cell of tests and says what they are worth."""
    nbgrader = cell.metadata.get("nbgrader", {})
    if not nbgrader.get("grade") or nbgrader.get("solution"):
        return {}
    worth = _count(_points(cell), "point")
    return {
        "tags": ["hide-input"],
        "mystnb": {
            "code_prompt_show": f"Show the tests you can see ({worth})",
            "code_prompt_hide": f"Hide the tests ({worth})",
        },
    }


def _wrong_points(content: NotebookNode, where: str) -> list[Problem]:
    """Compare the promised points with those of the graded cells."""
    graded = [cell for cell in content.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    by_hand = [cell for cell in graded if cell.metadata.nbgrader.get("solution")]
    by_tests = [cell for cell in graded if not cell.metadata.nbgrader.get("solution")]
    problems = []
    for key, cells in (("points", by_tests), ("manual_points", by_hand)):
        told, counted = content.metadata.course[key], sum(_points(cell) for cell in cells)
        if told != counted:
            problems.append(
                Problem(where, f"`course` metadata says {key} {told}, the cells say {counted:g}")
            )
    return problems


def _wrong_cells(content: NotebookNode, where: str) -> list[Problem]:
    """Find what a student's notebook must not have, and the title that it must have."""
    problems = []
    for number, cell in enumerate(content.cells, start=1):
        place = f"{where}, cell {number}"
        problems += [
            Problem(place, f"`{mark}` in a student's notebook: it was not released by nbgrader")
            for mark in _AUTHORS_MARKS
            if mark in cell.source
        ]
        if cell.cell_type == "markdown" and (found := _DIRECTIVE.search(cell.source)):
            problems.append(
                Problem(place, f"`{found.group().strip()}`: a sheet is plain Markdown and $math$")
            )
    first = content.cells[0] if content.cells else None
    if first is None or first.cell_type != "markdown" or not _FIRST_HEADING.search(first.source):
        problems.append(Problem(f"{where}, cell 1", "a sheet starts with its title: `# Title`"))
    return problems


def _points(cell: NotebookNode) -> float:
    return float(cell.metadata.nbgrader.get("points", 0))


def _count(number: float, thing: str) -> str:
    return f"{number:g} {thing}" if number == 1 else f"{number:g} {thing}s"
