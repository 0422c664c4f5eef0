"""The notebook that a page offers for download: plain Markdown, no outputs, ready to run."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path

import nbformat
from jupytext.myst import myst_to_notebook
from nbformat import NotebookNode
from pybtex.database import BibliographyData

from coursebook.get_course import add_course_cell
from coursebook.header import DOWNLOADS, page_notebook
from coursebook.pages import Page, Pages
from coursebook.plain import Conversion
from coursebook.problems import BookError, Problem
from coursebook.publication import Publication
from coursebook.sheets import Sheet

_ABOUT = (
    "*From the course book “Object Detection and Segmentation”. Text: CC BY 4.0, code: "
    "BSD-3-Clause. The cells import the course's package `detseg`: run them where it is "
    "installed, as the page “Setup” describes.*"
)


def page_notebooks(
    pages: Pages,
    sheets: dict[str, Sheet],
    bibliography: BibliographyData,
    glue_folder: Path | None = None,
) -> dict[str, NotebookNode]:
    """Convert every page that has code cells.

    Args:
        pages: all pages.
        sheets: released sheets, for their cards.
        bibliography: for citations.
        glue_folder: where MyST-NB has left `<page>.glue.json`; None before the cells have run.

    Returns:
        Notebooks by the name of their page.

    Raises:
        BookError: something on a page has no form in plain Markdown.
    """
    notebooks: dict[str, NotebookNode] = {}
    problems: list[Problem] = []
    for page in pages.by_name.values():
        conversion = Conversion(page, pages, bibliography, sheets)
        if glue_folder is not None:
            conversion.glue = _glued(glue_folder / f"{page.name}.glue.json")
        # Pages without cells are converted too: what they say must hold for later, when they
        # get one.
        notebook = page_notebook_of(conversion)
        problems += conversion.problems
        if page.cell_lines:
            notebooks[page.name] = notebook
    if problems:
        raise BookError(problems)
    return notebooks


def page_notebook_of(conversion: Conversion) -> NotebookNode:
    """Convert one page.

    Args:
        conversion: the page and what it may refer to; collects problems.

    Returns:
        A valid notebook, the same for the same page. What is folded there is folded in JupyterLab.
    """
    source = myst_to_notebook(conversion.page.text, add_source_map=True)
    first_lines = source.metadata.pop("source_map")
    kernel = source.metadata.get("kernelspec", {"name": "python3", "display_name": "Python 3"})
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": dict(kernel), "language_info": {"name": "python"}}
    )
    for cell, first_line in zip(source.cells, first_lines, strict=True):
        if cell.cell_type == "code":
            notebook.cells.append(
                nbformat.v4.new_code_cell(cell.source, metadata=_metadata(cell.metadata))
            )
            continue
        lines, first_line = _at_first_text(conversion.page, cell.source.split("\n"), first_line)
        text = "\n".join(conversion.convert(lines, first_line)).strip()
        if not notebook.cells:
            title, _, rest = text.partition("\n")
            text = f"{title}\n\n{_ABOUT}\n{rest}"
        if text:
            attachments = {
                name: {"image/png": b64encode(data).decode()}
                for name, data in conversion.attached.items()
            }
            conversion.attached.clear()
            extra = {"attachments": attachments} if attachments else {}
            notebook.cells.append(nbformat.v4.new_markdown_cell(text, **extra))
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # random ids would make every build differ
    return notebook


def write_notebooks(
    notebooks: dict[str, NotebookNode], site: Path, publication: Publication
) -> None:
    """Put the pages' notebooks into the site.

    Args:
        notebooks: from `page_notebooks`.
        site: its top folder.
        publication: from where they get the course, if it is not installed.
    """
    folder = site / DOWNLOADS
    folder.mkdir(parents=True, exist_ok=True)
    for name, notebook in notebooks.items():
        if publication.repository:
            add_course_cell(notebook, publication.repository, publication.branch)
        nbformat.write(notebook, folder / page_notebook(name))


def _at_first_text(page: Page, lines: list[str], first_line: int) -> tuple[list[str], int]:
    """jupytext strips empty lines before a cell's text, but counts from before them."""
    all_lines = page.text.split("\n")
    while first_line < len(all_lines) and not all_lines[first_line].strip():
        first_line += 1
    return lines, first_line + 1


def _metadata(metadata: NotebookNode) -> dict:
    """What JupyterLab makes use of; the rest speaks to the book."""
    tags = list(metadata.get("tags", []))
    kept: dict = {"tags": tags} if tags else {}
    hidden = {
        key: True
        for tag, key in (("hide-input", "source_hidden"), ("hide-output", "outputs_hidden"))
        if tag in tags
    }
    if hidden:
        kept["jupyter"] = hidden
    return kept


def _glued(path: Path) -> dict[str, str]:
    """Read values that cells have glued, as the text that they would print."""
    if not path.is_file():
        return {}
    glued = json.loads(path.read_text(encoding="utf-8"))
    return {key: _as_text(output["data"]) for key, output in glued.items()}


def _as_text(bundle: dict) -> str:
    text = bundle.get("text/plain", "")
    return "".join(text) if isinstance(text, Iterable) else str(text)
