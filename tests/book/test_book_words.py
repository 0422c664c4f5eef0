"""What the pages say of each other, the glossary's order, and lines of code that can be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import takewhile

import yaml
from coursebook.pages import Page, read_pages
from tiny_book import REPOSITORY

_NUMBER = re.compile(r"chapters? \d+", re.IGNORECASE)
_LINKED_NUMBER = re.compile(r"\[chapter (\d+)\]\(([\w-]+)\.md[^)]*\)", re.IGNORECASE)
_ROW = re.compile(r"^\| (\d+) \| \[[^]]+\]\(([\w-]+)\.md\)", re.MULTILINE)
_SLIP = re.compile(r"^(?:#+ |:::\{admonition\} )Where the slides slip", re.MULTILINE)


@cache
def pages() -> dict[str, Page]:
    return read_pages(REPOSITORY / "book")


def chapters() -> list[str]:
    """The chapters in order: the pages that have an exercise sheet."""
    contents = yaml.safe_load((REPOSITORY / "_toc.yml").read_text(encoding="utf-8"))
    listed = [chapter for part in contents["parts"] for chapter in part["chapters"]]
    return [chapter["file"] for chapter in listed if "sections" in chapter]


def test_the_title_page_numbers_the_chapters_as_the_contents_do() -> None:
    rows = _ROW.findall(pages()["intro"].text)

    assert rows == [(str(number), name) for number, name in enumerate(chapters(), start=1)]


def test_a_chapter_that_is_named_by_its_number_is_linked() -> None:
    order = chapters()
    for page in pages().values():
        linked = _LINKED_NUMBER.findall(page.text)
        assert len(linked) == len(_NUMBER.findall(page.text)), page.name
        assert all(order[int(number) - 1] == name for number, name in linked), page.name


def test_every_slip_of_a_chapter_is_on_the_page_of_slips() -> None:
    sections = pages()["slips"].text.split("\n## ")[1:]
    slips = [section for section in sections if "**What is true.**" in section]
    listed = Counter(re.findall(r"See \[[^]]+\]\(([\w-]+)\.md#", "\n".join(slips)))
    told = Counter({name: len(_SLIP.findall(pages()[name].text)) for name in chapters()})

    assert listed == +told
    assert all("```{code-cell}" in slip for slip in slips)


def test_the_glossary_is_in_alphabetical_order() -> None:
    lines = pages()["glossary"].text.partition("```{glossary}\n")[2].splitlines()
    before = ["", *lines]
    entries = [
        line
        for line, above in zip(lines, before, strict=False)
        if not above and re.match(r"\w", line)
    ]

    assert len(entries) > 100
    assert entries == sorted(entries, key=lambda term: re.findall(r"\w+", term.casefold()))


def code(page: Page) -> Iterator[str]:
    """The lines of a page's cells, without their headers."""
    lines = page.text.splitlines()
    for number in page.cell_lines:
        cell = list(takewhile(lambda line: line != "```", lines[number:]))
        yield from cell[cell.index("---", 1) + 1 :] if cell[0] == "---" else cell


def test_code_fits_the_column() -> None:
    """The style sheet gives a page eighty characters."""
    lines = [(page.name, line) for page in pages().values() for line in code(page)]

    assert len(lines) > 5000
    assert [(name, line) for name, line in lines if len(line) > 80] == []
