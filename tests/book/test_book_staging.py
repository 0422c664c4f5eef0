"""The tree that Jupyter Book sees holds the pages and the students' notebooks, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from coursebook.pages import read_pages
from coursebook.problems import BookError
from coursebook.sheets import find_sheets
from coursebook.staging import Sources, stage
from tiny_book import CANARY, CONTENTS, TinyBook


def staged(book: TinyBook) -> Path:
    target = book.root / "staged"
    pages = read_pages(book.root / "book").values()
    stage(Sources(book.root, book.release), target, pages, find_sheets(book.release).values())
    return target


def test_what_is_staged(tiny_book: TinyBook) -> None:
    tiny_book.write("book/_ext/secret.py", "1")
    tiny_book.write("book/notes.txt", "not a page")
    target = staged(tiny_book)

    names = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert {name for name in names if not name.startswith(("_static/", "_scripts/"))} == {
        "_config.yml",
        "_toc.yml",
        "_extra/downloads/overlap.ipynb",
        "exercises/overlap.ipynb",
        "intro.md",
        "overlap.md",
        "references.bib",
    }
    assert (target / "overlap.md").read_text() == (tiny_book.root / "book/overlap.md").read_text()
    assert not any(CANARY in path.read_text("utf-8", "ignore") for path in target.rglob("*.*"))


def test_what_was_there_is_removed(tiny_book: TinyBook) -> None:
    tiny_book.write("staged/left-over.md", "# Old")

    assert not (staged(tiny_book) / "left-over.md").exists()


def test_contents_name_a_page_that_does_not_exist(tiny_book: TinyBook) -> None:
    tiny_book.write("_toc.yml", CONTENTS + "  - file: missing\n")

    with pytest.raises(BookError, match=r"_toc\.yml: no page 'missing': there is no .*missing\.md"):
        staged(tiny_book)


def test_contents_name_a_sheet_that_is_not_released(tiny_book: TinyBook) -> None:
    tiny_book.write("_toc.yml", CONTENTS + "      - file: exercises/later\n")

    with pytest.raises(BookError, match=r"no sheet 'later' .*`autograder release later`"):
        staged(tiny_book)
