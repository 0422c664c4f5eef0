"""Released sheets: the numbers on the card, what must not be in them, the page in the book."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from coursebook.problems import BookError
from coursebook.sheets import exercise_page, find_sheets, read_sheet
from nbformat import NotebookNode
from tiny_book import student_notebook


def written(notebook: NotebookNode, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def problem_of(notebook: NotebookNode, tmp_path: Path) -> str:
    with pytest.raises(BookError) as caught:
        read_sheet(written(notebook, tmp_path / "s.ipynb"))
    return str(caught.value)


def test_numbers_come_from_the_notebook(sheet_file: Path) -> None:
    sheet = read_sheet(sheet_file)

    assert sheet.name == "overlap"
    assert sheet.title == "Overlap of boxes"
    assert (sheet.minutes, sheet.points, sheet.manual_points) == (30, 2, 1)
    assert sheet.points_text == "2 points by tests, 1 by hand"


def test_points_without_a_written_question(sheet_file: Path) -> None:
    notebook = student_notebook()
    del notebook.cells[-1]
    notebook.metadata.course.update(points=1, manual_points=0)
    notebook.cells[3].metadata.nbgrader.points = 1

    assert read_sheet(written(notebook, sheet_file)).points_text == "1 point"


def test_half_points(sheet_file: Path) -> None:
    notebook = student_notebook()
    notebook.metadata.course.update(points=2.5)
    notebook.cells[3].metadata.nbgrader.points = 2.5

    sheet = read_sheet(written(notebook, sheet_file))
    assert sheet.points_text == "2.5 points by tests, 1 by hand"
    assert "(2.5 points)" in nbformat.writes(exercise_page(sheet))


def test_all_sheets_of_a_folder(sheet_file: Path) -> None:
    release = sheet_file.parents[1]
    written(student_notebook(), release / "another" / "another.ipynb")
    written(student_notebook(), release / "another" / "scratch.ipynb")

    assert list(find_sheets(release)) == ["another", "overlap"]


def test_no_release_means_no_sheets(tmp_path: Path) -> None:
    assert find_sheets(tmp_path / "nothing") == {}


def test_all_bad_sheets_are_told_at_once(sheet_file: Path) -> None:
    release = sheet_file.parents[1]
    for name in ("one", "two"):
        notebook = student_notebook()
        del notebook.metadata["course"]
        written(notebook, release / name / f"{name}.ipynb")

    with pytest.raises(BookError, match=r"(?s)one\.ipynb: .*two\.ipynb: ") as caught:
        find_sheets(release)
    assert len(caught.value.problems) == 2


def test_missing_metadata(tmp_path: Path) -> None:
    notebook = student_notebook()
    del notebook.metadata.course["minutes"]

    assert "s.ipynb: the notebook's `course` metadata has no minutes" in problem_of(
        notebook, tmp_path
    )


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("points", "`course` metadata says points 7, the cells say 2"),
        ("manual_points", "`course` metadata says manual_points 7, the cells say 1"),
    ],
)
def test_points_that_are_not_those_of_the_cells(tmp_path: Path, key: str, told: str) -> None:
    notebook = student_notebook()
    notebook.metadata.course[key] = 7

    assert told in problem_of(notebook, tmp_path)


@pytest.mark.parametrize("mark", ["### BEGIN SOLUTION", "### END HIDDEN TESTS"])
def test_authors_marks(tmp_path: Path, mark: str) -> None:
    notebook = student_notebook()
    notebook.cells[2].source += f"\n    {mark}\n"

    told = problem_of(notebook, tmp_path)
    assert f"s.ipynb, cell 3: `{mark.removeprefix('### ')}` in a student's notebook" in told


@pytest.mark.parametrize("directive", ["```{note}", ":::{tip} x", "  ````{admonition} y"])
def test_directives(tmp_path: Path, directive: str) -> None:
    notebook = student_notebook()
    notebook.cells[1].source += f"\n\n{directive}\nz\n"

    told = problem_of(notebook, tmp_path)
    assert f"s.ipynb, cell 2: `{directive.split('}')[0].strip()}}}`: a sheet is plain" in told


def test_sheet_without_title(tmp_path: Path) -> None:
    notebook = student_notebook()
    notebook.cells[0].source = "## No title"

    assert "s.ipynb, cell 1: a sheet starts with its title" in problem_of(notebook, tmp_path)


def test_exercise_page(sheet_file: Path) -> None:
    page = exercise_page(read_sheet(sheet_file))

    nbformat.validate(page)
    assert [cell.source for cell in page.cells[:3]] == [
        "# Exercises: overlap",
        "```{exercise-card} overlap\n:page:\n```",
        "Two boxes, $A$ and $B$.",
    ]
    stub, tests, question = page.cells[4:]
    assert stub.source == "def area(box):\n    raise NotImplementedError"
    assert stub.metadata == {}
    assert tests.metadata.tags == ["hide-input"]
    assert tests.metadata.mystnb.code_prompt_show == "Show the tests you can see (2 points)"
    assert question.source == "Why is there no +1?"
    assert "nbgrader" not in nbformat.writes(page)


def test_exercise_page_shows_no_outputs(sheet_file: Path) -> None:
    notebook = student_notebook()
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="left over\n")]
    page = exercise_page(read_sheet(written(notebook, sheet_file)))

    assert "left over" not in nbformat.writes(page)
