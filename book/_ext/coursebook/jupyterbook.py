"""One run of Jupyter Book, strict, with what it says collected instead of scrolled past."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from coursebook.kernels import kernels_environment
from coursebook.problems import Problem
from coursebook.staging import Sources

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_SOURCE_LINE = re.compile(
    r"^(?P<where>/[^:\n]+?(?::\d+)?):{1,2}\s*(?P<level>WARNING|ERROR|CRITICAL):\s"
)
_KIND = re.compile(r"\s*\[[\w.]+\]$")
_CELL_FAILED = "Executing notebook failed"
_TRACEBACK_SAVED = "Notebook exception traceback saved"
_LEVEL = re.compile(r"^(?P<level>WARNING|ERROR|CRITICAL):\s")


@dataclass(frozen=True)
class Workplace:
    """Folders of one build.

    Args:
        source: the staged tree.
        output: the site being made.
        doctrees: what Sphinx remembers; always removed before a build.
        execution: the cache of executed cells.
        ipython: settings of the kernels, so that the author's own take no part.
        report: file for the times of the pages.
        packages: folder with `detseg`, for the pages' cells.
    """

    source: Path
    output: Path
    doctrees: Path
    execution: Path
    ipython: Path
    report: Path
    packages: Path


def run_jupyter_book(
    place: Workplace, with_cells: list[Path], sources: Sources, notebooks: list[str]
) -> list[Problem]:
    """Build the staged tree into a site.

    Args:
        place: the folders.
        with_cells: the staged pages that have cells.
        sources: the students' notebooks, for the exercise cards, and where the site will be.
        notebooks: names of the pages that offer a notebook.

    Returns:
        Every warning and error; empty if the site is as it should be.
    """
    # Seconds to import, so only when there is work.
    from jupyter_book.sphinx import build_sphinx
    from sphinx.util.console import nocolor

    from coursebook.execution import execute_pages

    nocolor()
    said = io.StringIO()
    with kernels_environment(place.ipython, place.packages), contextlib.redirect_stderr(said):
        execute_pages(with_cells, place.execution, _seconds_of_a_cell(place.source))
        result = build_sphinx(
            place.source,
            place.output,
            noconfig=True,
            path_config=place.source / "_config.yml",
            doctreedir=place.doctrees,
            confoverrides={
                "external_toc_path": str(place.source / "_toc.yml"),
                "latex_individualpages": False,
                "nb_execution_cache_path": str(place.execution),
                # A failing cell is a warning then, and as such an error: so all pages are tried.
                "nb_execution_raise_on_error": False,
                "coursebook_release": str(sources.release.resolve()),
                "coursebook_notebooks": notebooks,
                "coursebook_report": str(place.report),
                "coursebook_publication": sources.publication,
                "html_baseurl": sources.publication.site,
            },
            freshenv=True,
            warningiserror=True,
            keep_going=True,
            quiet=True,
        )
    text = _ANSI.sub("", said.getvalue())
    problems = _problems(text, place.source)
    if result != 0 and not problems:
        problems = [Problem("jupyter-book", text.strip() or f"failed: {result}")]
    return problems


def _seconds_of_a_cell(source: Path) -> int:
    config = yaml.safe_load((source / "_config.yml").read_text(encoding="utf-8"))
    return int(config["execute"]["timeout"])


def _problems(said: str, source: Path) -> list[Problem]:
    """Cut Sphinx's messages apart; what follows a message belongs to it.

    The paths are those of the staged tree: they are given back as the author knows them.
    """
    found: list[tuple[str, list[str]]] = []
    for line in said.splitlines():
        if match := _SOURCE_LINE.match(line):
            found.append((match["where"], [line[match.end() :]]))
        elif match := _LEVEL.match(line):
            found.append(("book", [line[match.end() :]]))
        elif found:
            found[-1][1].append(line)
        elif line.strip():
            print(line, file=sys.__stderr__)
    problems = []
    for where, lines in found:
        what = _KIND.sub("", "\n".join(lines).rstrip())
        if what.startswith(_CELL_FAILED):
            where, what = _failed_cell(where, what)
        elif what.startswith(_TRACEBACK_SAVED):
            continue  # the traceback is told already
        where = where.replace(f"{source.resolve()}/", "book/")
        problems.append(Problem(where, what.replace("\n", "\n    ")))
    return problems


def _failed_cell(where: str, what: str) -> tuple[str, str]:
    """Leave out how the cell came to be run: say which cell it is, and what it raised."""
    parts = re.split(r"^-{18,}$\n?", what, flags=re.MULTILINE)
    if len(parts) < 4:  # it took too long, perhaps
        return where, what
    code, raised = parts[1].strip("\n"), parts[-1].strip()
    page = Path(where).read_text(encoding="utf-8")
    if code in page:
        where = f"{where}:{page[: page.index(code)].count(chr(10)) + 1}"
    return where, f"a cell fails\n{raised}"
