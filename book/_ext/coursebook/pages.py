"""The pages of the book: which there are, their headers, their titles and labels."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from mdit_py_plugins.anchors.index import slugify

from coursebook.problems import BookError, Problem

_CODE_CELL = re.compile(r"^\s*`{3,}\{code-cell\}")
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_TARGET = re.compile(r"^\(([^)]+)\)=\s*$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})(.*)$")
_HEADER_HELP = (
    "a page with code cells needs a header with `file_format: mystnb` (or jupytext's, with "
    "`format_name: myst`) and `kernelspec: name:`; without it the cells would be shown as text"
)


@dataclass(frozen=True)
class Page:
    """One MyST source.

    Args:
        name: its path below `book/` without `.md`: `iou-nms`.
        path: where it lies.
        text: its whole text.
    """

    name: str
    path: Path
    text: str

    @cached_property
    def cell_lines(self) -> list[int]:
        """1-based lines where code cells begin."""
        return [
            number for number, line in _lines_outside_fences(self.text) if _CODE_CELL.match(line)
        ]

    @cached_property
    def headings(self) -> list[tuple[str, list[str]]]:
        """Headings in order, each with the labels (`(label)=`) that stand right above it."""
        found: list[tuple[str, list[str]]] = []
        labels: list[str] = []
        for _, line in _lines_outside_fences(self.text):
            if target := _TARGET.match(line):
                labels.append(target.group(1).lower())
            elif heading := _HEADING.match(line):
                found.append((heading.group(2), labels))
                labels = []
            elif line.strip():
                labels = []
        return found

    @property
    def title(self) -> str:
        """The first heading, or the page's name."""
        return self.headings[0][0] if self.headings else self.name

    def heading_of(self, label: str) -> str | None:
        """Find the heading that carries a label, or whose text gives the label."""
        for text, labels in self.headings:
            if label.lower() in labels or label == slugify(text):
                return text
        return None


@dataclass(frozen=True)
class Pages:
    """All pages that the notebooks for download may link to.

    Args:
        by_name: pages in alphabetical order.
        other_titles: pages that are made, not written: name to title.
    """

    by_name: dict[str, Page]
    other_titles: dict[str, str] = field(default_factory=dict)

    def title(self, name: str) -> str | None:
        """Title of a page, if it exists."""
        if name in self.by_name:
            return self.by_name[name].title
        return self.other_titles.get(name)

    def with_label(self, label: str) -> tuple[Page, str] | None:
        """Find the page and heading that carry an explicit label."""
        for page in self.by_name.values():
            for text, labels in page.headings:
                if label.lower() in labels:
                    return page, text
        return None


def read_pages(folder: Path) -> dict[str, Page]:
    """Read every `.md` of the book and check its header.

    Args:
        folder: `book/`; folders whose name starts with `_` hold no pages.

    Returns:
        Pages by name.

    Raises:
        BookError: a page has code cells that Jupyter Book would not run.
    """
    pages: dict[str, Page] = {}
    problems: list[Problem] = []
    for path in sorted(folder.rglob("*.md")):
        below = path.relative_to(folder)
        if any(part.startswith(("_", ".")) for part in below.parts):
            continue
        page = Page(below.with_suffix("").as_posix(), path, path.read_text(encoding="utf-8"))
        pages[page.name] = page
        problems += _header_problems(page)
    if problems:
        raise BookError(problems)
    return pages


def _header_problems(page: Page) -> list[Problem]:
    if not page.cell_lines:
        return []
    try:
        header = _front_matter(page.text)
    except yaml.YAMLError as error:
        return [Problem(f"{page.path}:1", f"the header is not YAML: {error}")]
    text_format = header.get("jupytext", {}).get("text_representation", {}).get("format_name")
    is_notebook = header.get("file_format") == "mystnb" or text_format == "myst"
    if is_notebook and header.get("kernelspec", {}).get("name"):
        return []
    return [Problem(f"{page.path}:{page.cell_lines[0]}", _HEADER_HELP)]


def _front_matter(text: str) -> dict[str, Any]:
    """The YAML between the first two `---` lines, if the text begins so."""
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != "---":
        return {}
    ends = (number for number, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "..."))
    end = next(ends, len(lines))
    header = yaml.safe_load("\n".join(lines[1:end]))
    return header if isinstance(header, dict) else {}


def _lines_outside_fences(text: str) -> list[tuple[int, str]]:
    """Lines of the text by number, without those inside ``` fences, where `# …` is a comment."""
    outside: list[tuple[int, str]] = []
    closing: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        fence = _FENCE.match(line)
        if closing is None:
            outside.append((number, line))
            closing = fence.group(1) if fence else None
        elif fence and fence.group(1).startswith(closing) and not fence.group(2).strip():
            closing = None
    return outside
