"""A page's MyST text as the plain Markdown of a notebook for JupyterLab and Colab.

Directives become quotes, folds and links (`directives.py`), roles become text (`inline.py`). What
has no form in plain Markdown is reported with its line; nothing is dropped in silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pybtex.database import BibliographyData

from coursebook.directives import Directive, write_directive
from coursebook.header import page_notebook
from coursebook.inline import plain_inline
from coursebook.pages import Page, Pages
from coursebook.problems import Problem
from coursebook.sheets import Sheet

_DIRECTIVE = re.compile(
    r"^(?P<indent>[\s>]*)(?P<fence>`{3,}|~{3,}|:{3,})\{(?P<name>[^}]+)\}(?P<arg>.*)$"
)
_CODE = re.compile(r"^\s*(?P<fence>`{3,}|~{3,})(?!.*`)")
_TARGET = re.compile(r"^\s*\([^)\s]+\)=\s*$")
_COMMENT = re.compile(r"^%")
_MATHS_LABEL = re.compile(r"^(?P<maths>.*\$\$)\s*\((?P<label>[\w:.-]+)\)\s*$")
_OPTION = re.compile(r"^:(?P<key>[\w-]+):\s*(?P<value>.*)$")


@dataclass
class Conversion:
    """One page on its way to a notebook.

    Args:
        page: the page.
        pages: all pages, for links.
        bibliography: for citations.
        sheets: released sheets by name, for cards.
        glue: values that the page's cells have glued, as text; None before they have run.
        attached: pictures that the text converted so far shows, by name.
        questions: how many there were so far.
    """

    page: Page
    pages: Pages
    bibliography: BibliographyData
    sheets: dict[str, Sheet]
    glue: dict[str, str] | None = None
    problems: list[Problem] = field(default_factory=list)
    cited: list[str] = field(default_factory=list)
    equations: dict[str, int] = field(default_factory=dict)
    attached: dict[str, bytes] = field(default_factory=dict)
    questions: int = 0

    def __post_init__(self) -> None:
        """Number the labelled formulas, as the site does."""
        for line in self.page.text.splitlines():
            option = re.match(r"^:label:\s*(\S+)", line)
            label = option.group(1) if option else None
            if found := _MATHS_LABEL.match(line):
                label = found["label"]
            if label is not None:
                self.equations[label] = len(self.equations) + 1

    def report(self, line: int, what: str) -> None:
        """Remember a problem at a 1-based line of the page."""
        self.problems.append(Problem(f"{self.page.path}:{line}", what))

    def attach(self, path: str, line: int) -> str:
        """Take a file of the book along with the cell; returns the name that it has there."""
        file = self.page.path.parent / path
        if file.is_file():
            self.attached[file.name] = file.read_bytes()
        else:
            self.report(line, f"there is no {path}")
        return file.name

    def notebook_of(self, name: str) -> str | None:
        """File name of a page's notebook, if it has one."""
        page = self.pages.by_name.get(name)
        return page_notebook(name) if page is not None and page.cell_lines else None

    def convert(self, lines: list[str], first_line: int) -> list[str]:
        """Write lines of MyST as lines of plain Markdown.

        Args:
            lines: without the line ends.
            first_line: 1-based line of the page where they begin.

        Returns:
            Plain Markdown; problems are in `problems`.
        """
        written: list[str] = []
        running: list[str] = []  # text between blocks: a role may span its lines
        at = 0

        def flush() -> None:
            if running:
                text = plain_inline("\n".join(running), self, first_line + at - len(running))
                written.extend(text.split("\n"))
                running.clear()

        while at < len(lines):
            line = lines[at]
            directive, code = _DIRECTIVE.match(line), _CODE.match(line)
            if directive:
                flush()
                end = self._end_of_fence(lines, at, directive["fence"], first_line)
                block = _parse(directive, lines[at + 1 : end], first_line + at)
                indent = directive["indent"]
                written += [f"{indent}{new}".rstrip() for new in write_directive(block, self)]
                at = end + 1
            elif code:
                flush()
                end = self._end_of_fence(lines, at, code["fence"], first_line)
                written += lines[at : end + 1]
                at = end + 1
            elif line.strip().startswith("$$"):
                flush()
                end = _end_of_maths(lines, at)
                written += self._maths(lines[at : end + 1])
                at = end + 1
            elif _TARGET.match(line) or _COMMENT.match(line):
                flush()
                at += 1
            else:
                running.append(line)
                at += 1
        flush()
        return written

    def _end_of_fence(self, lines: list[str], start: int, fence: str, first_line: int) -> int:
        """Index of the closing fence: the same character, at least as long, alone."""
        closing = re.compile(rf"^[\s>]*{re.escape(fence[0])}{{{len(fence)},}}\s*$")
        for number in range(start + 1, len(lines)):
            if closing.match(lines[number]):
                return number
        self.report(first_line + start, f"{lines[start].strip()!r} is never closed")
        return len(lines)

    def _maths(self, lines: list[str]) -> list[str]:
        """A formula as it is; its label becomes the number that the text refers to."""
        found = _MATHS_LABEL.match(lines[-1])
        if not found:
            return lines
        number = self.equations[found["label"]]
        body = found["maths"].rstrip()[:-2].rstrip()
        last = [f"{body} \\tag{{{number}}}$$"] if body else [f"\\tag{{{number}}}", "$$"]
        return [*lines[:-1], *last]


def _end_of_maths(lines: list[str], start: int) -> int:
    """Index of the line on which a `$$` block ends."""
    if lines[start].count("$$") >= 2:
        return start
    return next((n for n in range(start + 1, len(lines)) if "$$" in lines[n]), len(lines) - 1)


def _parse(match: re.Match[str], body: list[str], line: int) -> Directive:
    """Split a directive into argument, options and content."""
    # Content is written as if the directive stood at the margin.
    body = [text.removeprefix(match["indent"]) for text in body]
    options: dict[str, str] = {}
    skipped = 0
    if body and body[0].strip() == "---":
        end = next((n for n, text in enumerate(body[1:], 1) if text.strip() == "---"), len(body))
        for text in body[1:end]:
            key, _, value = text.partition(":")
            options[key.strip()] = value.strip()
        skipped = end + 1
    else:
        while skipped < len(body) and (option := _OPTION.match(body[skipped])):
            options[option["key"]] = option["value"].strip()
            skipped += 1
    while skipped < len(body) and not body[skipped].strip():
        skipped += 1
    return Directive(
        name=match["name"].strip(),
        argument=match["arg"].strip(),
        options=options,
        body=body[skipped:],
        line=line,
        body_line=line + 1 + skipped,
    )
