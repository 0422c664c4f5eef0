"""The tree that Jupyter Book builds from: pages, released sheets as pages, notebooks to download.

It is made anew for each build, from `book/` and the students' notebooks alone, so nothing that an
author keeps elsewhere can end up in the site.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import yaml

from coursebook.get_course import add_course_cell
from coursebook.header import DOWNLOADS
from coursebook.pages import Page
from coursebook.problems import BookError, Problem
from coursebook.publication import Publication
from coursebook.sheets import Sheet, exercise_page

EXTRA = "_extra"  # copied as it is to the top of the site


@dataclass(frozen=True)
class Sources:
    """Where the book comes from.

    Args:
        root: the repository: `_config.yml`, `_toc.yml`, `book/`.
        release: the students' notebooks.
        publication: where the site will be.
    """

    root: Path
    release: Path
    publication: Publication = field(default_factory=Publication)

    @property
    def book(self) -> Path:
        """The folder with the pages."""
        return self.root / "book"

    @property
    def inputs(self) -> list[Path]:
        """Everything that the site depends on."""
        names = ("_config.yml", "_toc.yml", "book", "detseg", "data", "requirements.txt")
        return [*(self.root / name for name in names), self.release]


def stage(sources: Sources, target: Path, pages: Iterable[Page], sheets: Iterable[Sheet]) -> None:
    """Make the source tree for Jupyter Book.

    Args:
        sources: where the book comes from.
        target: the tree; what was there is removed.
        pages: from `read_pages`.
        sheets: from `find_sheets`.

    Raises:
        BookError: the table of contents names a page that does not exist.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(sources.root / name, target / name)
    for page in pages:
        copy = target / f"{page.name}.md"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(page.path, copy)
    for folder in ("_static", "_scripts"):
        if (sources.book / folder).is_dir():
            shutil.copytree(sources.book / folder, target / folder)
    for bibliography in sources.book.glob("*.bib"):
        shutil.copy(bibliography, target)
    downloads = target / EXTRA / DOWNLOADS
    downloads.mkdir(parents=True)
    for sheet in sheets:
        _publish(sheet, downloads, sources.publication)
        page_file = target / "exercises" / f"{sheet.name}.ipynb"
        page_file.parent.mkdir(exist_ok=True)
        nbformat.write(exercise_page(sheet), page_file)
    _check_contents(sources, target)


def _publish(sheet: Sheet, downloads: Path, publication: Publication) -> None:
    """The student's notebook as it is, or with a cell that gets the course."""
    if not publication.repository:
        shutil.copy(sheet.notebook, downloads)
        return
    notebook = nbformat.read(sheet.notebook, as_version=4)
    add_course_cell(notebook, publication.repository, publication.branch)
    nbformat.write(notebook, downloads / sheet.notebook.name)


def _check_contents(sources: Sources, target: Path) -> None:
    """Every file in the table of contents exists."""
    contents = yaml.safe_load((target / "_toc.yml").read_text(encoding="utf-8"))
    problems = []
    for name in _named_files(contents):
        if any((target / f"{name}{suffix}").is_file() for suffix in (".md", ".ipynb")):
            continue
        what = f"no page {name!r}: there is no {sources.book / name}.md"
        if name.startswith("exercises/"):
            sheet = name.removeprefix("exercises/")
            what = (
                f"no sheet {sheet!r} in {sources.release}: release it first, with "
                f"`autograder release {sheet}` (`make book` does)"
            )
        problems.append(Problem(str(sources.root / "_toc.yml"), what))
    if problems:
        raise BookError(problems)


def _named_files(entry: object) -> list[str]:
    """All `root:` and `file:` entries, at any depth."""
    if isinstance(entry, list):
        return [name for part in entry for name in _named_files(part)]
    if not isinstance(entry, dict):
        return []
    own = [str(entry[key]).removesuffix(".md") for key in ("root", "file") if key in entry]
    return own + [name for part in entry.values() for name in _named_files(part)]
