"""The page of build facts, and what the theme leaves unsaid."""

from __future__ import annotations

import platform
from importlib.metadata import version

import pytest
from bs4 import BeautifulSoup, Tag
from coursebook.site import build_site
from coursebook.staging import Sources
from tiny_book import CONTENTS, TinyBook

pytestmark = pytest.mark.filterwarnings("ignore:`torch.distributed.reduce_op`:FutureWarning")

FACTS = "# Build facts\n\n```{build-facts}\n```\n"


def rows_of(table: Tag) -> list[list[str]]:
    return [
        [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])]
        for row in table.find_all("tr")
    ]


def test_versions_and_times(tiny_book: TinyBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    tiny_book.write("_toc.yml", CONTENTS + "  - file: facts\n")
    tiny_book.write("book/facts.md", FACTS)
    outcome = build_site(Sources(tiny_book.root, tiny_book.release), tiny_book.site)

    page = BeautifulSoup(tiny_book.published("facts.html"), "html.parser")
    made, pages = (rows_of(table) for table in page.select("table.build-facts"))
    assert dict(made)["built at (UTC)"] == "1970-01-02 00:00"
    assert dict(made)["Python"] == platform.python_version()
    assert dict(made)["torch"] == version("torch")
    # The tiny book has one page with cells; its title page and its sheet have run nothing.
    assert [row[0] for row in pages] == ["page", "Overlap", "all pages"]
    seconds = outcome.pages["overlap"][0]
    assert pages[1][1] == "1"
    assert pages[1][3] == pages[2][3] == f"{seconds:.0f}"
    link = page.select_one("table.build-facts a")
    assert link is not None
    assert link["href"] == "overlap.html"


def test_the_sidebars_folds_have_names(tiny_book: TinyBook) -> None:
    build_site(Sources(tiny_book.root, tiny_book.release), tiny_book.site)

    for name in ("intro.html", "exercises/overlap.html"):
        page = BeautifulSoup(tiny_book.published(name), "html.parser")
        folds = page.select("nav.bd-links summary")
        assert [fold["aria-label"] for fold in folds] == ["Pages that belong to Overlap"]
