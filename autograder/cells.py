"""What the cells of a sheet are to nbgrader, and the marked regions in them."""

import re
from collections.abc import Iterator

from nbformat import NotebookNode

REGIONS = ("SOLUTION", "HIDDEN TESTS")
MARKER = re.compile(r"^\s*### (BEGIN|END) (.*?)\s*$")


def is_code(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code")


def grade_id(cell: NotebookNode) -> str:
    """The cell's nbgrader id, or "" for a cell that nbgrader does not know."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def is_solution(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_graded(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def is_test(cell: NotebookNode) -> bool:
    """A code cell that earns points and that a student does not write."""
    return is_code(cell) and is_graded(cell) and not is_solution(cell)


def is_manual(cell: NotebookNode) -> bool:
    """A cell that the student writes and a person grades."""
    return is_solution(cell) and is_graded(cell)


def exercise_of(test_id: str) -> str:
    """The exercise that a test belongs to.

    >>> exercise_of("test_nms"), exercise_of("test_nms__crowd")
    ('nms', 'nms')
    """
    return test_id.removeprefix("test_").partition("__")[0]


def region_lines(source: str, region: str) -> list[int]:
    """1-based numbers of the lines inside `### BEGIN region` … `### END region`.

    >>> region_lines("a\\n### BEGIN SOLUTION\\nb\\n### END SOLUTION\\nc", "SOLUTION")
    [3]
    """
    return [number for number, _, inside in _lines(source, region) if inside]


def without_region(source: str, region: str) -> str:
    """The source with the lines of a region left empty, so that the others keep their numbers.

    >>> without_region("a\\n### BEGIN SOLUTION\\nb\\n### END SOLUTION\\nc", "SOLUTION")
    'a\\n### BEGIN SOLUTION\\n\\n### END SOLUTION\\nc'
    """
    return "\n".join("" if inside else line for _, line, inside in _lines(source, region))


def _lines(source: str, region: str) -> Iterator[tuple[int, str, bool]]:
    """Each line: its number, its text, whether it stands inside the region."""
    inside = False
    for number, line in enumerate(source.split("\n"), start=1):
        marker = MARKER.match(line)
        if marker and marker[2] == region:
            inside = marker[1] == "BEGIN"
            yield number, line, False
        else:
            yield number, line, inside
