"""A published notebook gets the course where it is not installed, and does nothing elsewhere."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from coursebook.get_course import PACKAGES, add_course_cell
from jupytext.myst import myst_to_notebook
from tiny_book import REPOSITORY, student_notebook

from autograder.rebuild import rebuild
from autograder.release import student_notebook as student_sheet
from autograder.sheets import load_sheets

# Hides what is installed here, as on a machine that has all packages and none of the course.
HIDE = """\
import sys
from pathlib import Path

sys.path = [entry for entry in sys.path if not (Path(entry) / "detseg").is_dir()]
sys.meta_path = [finder for finder in sys.meta_path if "__editable__" not in repr(finder)]
"""


def course_cell(repository: str, packages: dict[str, str] | None = None) -> str:
    notebook = student_notebook()
    add_course_cell(notebook, repository, "main")
    source = notebook.cells[1].source
    nbformat.validate(notebook)
    if packages is not None:
        tree = ast.parse(source)
        tree.body[-1].value.args[2] = ast.parse(repr(packages)).body[0].value
        source = ast.unparse(tree)
    return source


def git(folder: Path, *arguments: str) -> None:
    own = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def remote(tmp_path: Path) -> str:
    """A repository with a package `detseg` and its data."""
    folder = tmp_path / "remote"
    (folder / "detseg").mkdir(parents=True)
    (folder / "detseg" / "__init__.py").write_text(
        "from pathlib import Path\nDATA = Path(__file__).parents[1] / 'data' / 'numbers.txt'\n"
    )
    (folder / "data").mkdir()
    (folder / "data" / "numbers.txt").write_text("42")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=all")
    return folder.as_uri()


def run(folder: Path, code: str, *, hidden: bool = True) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-P", "-c", HIDE * hidden + code],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_the_course_is_cloned_and_can_be_imported_with_its_data(
    tmp_path: Path, remote: str
) -> None:
    cell = course_cell(remote)
    code = f"{cell}\nimport detseg\nprint(detseg.DATA.read_text())"
    for times in range(2):  # what is there the second time is not fetched again
        done = run(tmp_path / "elsewhere", code)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("The course is ready.\n42\n")
        assert (f"Getting the course from {remote}" in done.stdout) == (times == 0)


def test_nothing_happens_where_the_course_is_installed(tmp_path: Path) -> None:
    done = run(tmp_path / "here", course_cell("https://github.invalid/owner/repo"), hidden=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list((tmp_path / "here").iterdir()) == []


def test_packages_that_are_missing_are_installed(tmp_path: Path, remote: str) -> None:
    packages = {"json": "json", "no_such_module": "./no-such-package"}
    done = run(tmp_path / "elsewhere", course_cell(remote, packages))
    assert "Installing ./no-such-package\n" in done.stdout
    assert "RuntimeError: Installing ./no-such-package: this failed." in done.stderr


def test_a_repository_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    nowhere = (tmp_path / "nowhere").as_uri()
    done = run(tmp_path / "elsewhere", course_cell(nowhere))
    assert f"RuntimeError: Getting the course from {nowhere}: this failed." in done.stderr
    assert "Could not read from remote repository" in done.stderr  # what git says


def test_a_sheet_with_the_cell_is_graded_as_one_without() -> None:
    (sheet,) = load_sheets(["iou-nms"])
    published = student_sheet(sheet)
    add_course_cell(published, "https://github.com/owner/repo", "main")
    rebuilt = rebuild(sheet, nbformat.writes(published).encode())
    assert rebuilt.flags == []
    extras = [cell for cell in rebuilt.notebook.cells if "get_course" in cell.source]
    assert [cell.metadata.course for cell in extras] == [{"extra": True}]


def test_everything_that_notebooks_import_is_on_the_list() -> None:
    sources = [path.read_text("utf-8") for path in (REPOSITORY / "detseg").glob("*.py")]
    for folder in ("book", "solutions"):
        for page in (REPOSITORY / folder).rglob("*.md"):
            if "{code-cell}" in (text := page.read_text("utf-8")):
                cells = myst_to_notebook(text).cells
                sources += [cell.source for cell in cells if cell.cell_type == "code"]
    imported = {name for source in sources for name in imports(source)}
    here = {path.stem for path in (REPOSITORY / "book").glob("*.py")}
    assert imported - sys.stdlib_module_names - here - {"detseg", "IPython", "cycler"} == set(
        PACKAGES
    )


def imports(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module))
    return {name.partition(".")[0] for name in names}


def test_binder_installs_the_same_packages() -> None:
    """`binder/postBuild` takes the first part of requirements.txt."""
    text = (REPOSITORY / "requirements.txt").read_text("utf-8")
    part = text.partition("# the course:")[2].partition("\n\n")[0].splitlines()[1:]
    assert {line.partition("==")[0] for line in part} == set(PACKAGES.values())
    assert "/^# the course:/,/^$/" in (REPOSITORY / "binder" / "postBuild").read_text("utf-8")
