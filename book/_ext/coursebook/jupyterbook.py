"""One run of Jupyter Book, strict, with what it says collected instead of scrolled past."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coursebook.problems import Problem

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_SOURCE_LINE = re.compile(
    r"^(?P<where>/[^:\n]+?(?::\d+)?):{1,2}\s*(?P<level>WARNING|ERROR|CRITICAL):\s"
)
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


def run_jupyter_book(place: Workplace, release: Path, notebooks: list[str]) -> list[Problem]:
    """Build the staged tree into a site.

    Args:
        place: the folders.
        release: the students' notebooks, for the exercise cards.
        notebooks: names of the pages that offer a notebook.

    Returns:
        Every warning and error; empty if the site is as it should be.
    """
    from jupyter_book.sphinx import build_sphinx  # seconds, so only when there is work
    from sphinx.util.console import nocolor

    nocolor()
    said = io.StringIO()
    with _cells_environment(place), contextlib.redirect_stderr(said):
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
                "coursebook_release": str(release),
                "coursebook_notebooks": notebooks,
                "coursebook_report": str(place.report),
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


@contextlib.contextmanager
def _cells_environment(place: Workplace) -> Iterator[None]:
    """The environment in which the pages' kernels start."""
    profile = place.ipython / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    # Each kernel would else warn on the terminal that it talks over a plain local socket.
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 'ERROR'\n")
    old = dict(os.environ)
    os.environ["IPYTHONDIR"] = str(place.ipython)
    paths = [str(place.packages), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    os.environ["TQDM_DISABLE"] = "1"  # a page shows results, and tqdm writes to stderr
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # the debugger's greeting is no result
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(old)


def _problems(said: str, source: Path) -> list[Problem]:
    """Cut Sphinx's messages apart; what follows a message belongs to it.

    The paths are those of the staged tree: they are given back as the author knows them.
    """
    found: list[tuple[str, list[str]]] = []
    for line in said.splitlines():
        if match := _SOURCE_LINE.match(line):
            where = match["where"].replace(f"{source.resolve()}/", "book/")
            found.append((where, [line[match.end() :]]))
        elif match := _LEVEL.match(line):
            found.append(("book", [line[match.end() :]]))
        elif found and line.strip():
            found[-1][1].append(line.rstrip())
        elif line.strip():
            print(line, file=sys.__stderr__)
    return [Problem(where, "\n    ".join(lines)) for where, lines in found]
