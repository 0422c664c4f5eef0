"""What a page and its notebooks have where the book's repository is known, and only there."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from coursebook.metadata import description
from coursebook.site import build_site
from coursebook.staging import Sources
from docutils.core import publish_doctree
from myst_parser.docutils_ import Parser
from nbformat import NotebookNode
from PIL import Image
from tiny_book import REPOSITORY, TinyBook

import build as command

# sphinx_external_toc looks at every object of every module, torch's deprecated ones too.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.distributed.reduce_op`:FutureWarning")

BOTH = ("overlap", "book-overlap")  # the sheet's notebook, and the page's


def notebook(book: TinyBook, name: str) -> NotebookNode:
    return nbformat.read(book.site / "downloads" / f"{name}.ipynb", as_version=4)


def page(book: TinyBook, name: str) -> BeautifulSoup:
    return BeautifulSoup(book.published(f"{name}.html"), "html.parser")


def tags(soup: BeautifulSoup) -> dict[str, str]:
    return {
        str(tag.get("property") or tag.get("name")): str(tag["content"])
        for tag in soup.select("meta[property], meta[name]")
    }


def launches(soup: BeautifulSoup, within: str) -> list[str]:
    return [str(link["href"]) for link in soup.select(f"{within} a[href^='https:']")]


def test_without_a_repository_there_is_nothing_of_it(tiny_book: TinyBook) -> None:
    tiny_book.write("book/intro.md", '# Tiny\n\nIt says `a"b` and has [](overlap.md).\n')
    build_site(Sources(tiny_book.root, tiny_book.release), tiny_book.site)
    for name in ("overlap", "exercises/overlap"):
        soup = page(tiny_book, name)
        assert soup.select(".dropdown-launch-buttons, link[rel=canonical]") == []
        assert launches(soup, ".exercise-links") == []
        assert not {"og:url", "og:image", "twitter:card"} & set(tags(soup))
    own = tags(page(tiny_book, "overlap"))
    assert own["description"] == own["og:description"]
    assert own["og:title"] == "Overlap"
    assert own["og:type"] == "article"
    assert own["og:site_name"] == "Object Detection and Segmentation"
    assert tags(page(tiny_book, "intro"))["description"] == 'It says a"b and has Overlap.'
    assert tags(page(tiny_book, "intro"))["og:type"] == "website"
    for name in BOTH:
        assert "get_course" not in "".join(cell.source for cell in notebook(tiny_book, name).cells)


def test_a_repository_gives_links_a_first_cell_and_addresses(
    tiny_book: TinyBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOOK_REPOSITORY", "https://github.com/owner/repo")
    arguments = ["--root", str(tiny_book.root), "--release", str(tiny_book.release)]
    assert command.main(arguments) == 0

    colab = "https://colab.research.google.com/github/owner/repo/blob/gh-pages/downloads"
    for name, file in (("overlap", "book-overlap"), ("exercises/overlap", "overlap")):
        soup = page(tiny_book, name)
        in_header, on_card = (
            launches(soup, within) for within in (".dropdown-launch-buttons", ".exercise-links")
        )
        assert in_header[0] == f"{colab}/{file}.ipynb"
        assert in_header[1].startswith(
            "https://mybinder.org/v2/gh/owner/repo/main?urlpath=git-pull"
        )
        assert on_card[0] == f"{colab}/overlap.ipynb"
        assert len(in_header) == len(on_card) == 2
        site = "https://owner.github.io/repo"
        assert soup.select("link[rel=canonical]")[0]["href"] == f"{site}/{name}.html"
        assert tags(soup)["og:url"] == f"{site}/{name}.html"
        assert tags(soup)["og:image"] == f"{site}/_static/social-card.png"
        assert tags(soup)["twitter:card"] == "summary_large_image"
    for name in BOTH:
        title, cell, *_ = notebook(tiny_book, name).cells
        assert title.source.startswith("# ")
        assert "'https://github.com/owner/repo'" in cell.source
        assert cell.metadata == {"cellView": "form", "jupyter": {"source_hidden": True}}
        assert len([1 for each in notebook(tiny_book, name).cells if each.id == "get-course"]) == 1
    # The sheet's page shows the sheet, not how Colab gets the course.
    assert "get_course" not in tiny_book.published("exercises/overlap.html")

    monkeypatch.delenv("BOOK_REPOSITORY")
    assert command.main(arguments) == 0  # made anew: the environment has changed
    assert "mybinder" not in tiny_book.published("overlap.html")


def test_a_repository_that_cannot_be_is_an_error_of_the_command(
    tiny_book: TinyBook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(os.environ, "BOOK_REPOSITORY", "owner/repo")
    assert command.main(["--root", str(tiny_book.root)]) == 1
    assert "BOOK_REPOSITORY: 'owner/repo' is not like https://github.com/OWNER/REPO" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You can\n\n- add *two*;\n- and more.\n\nAnother.", "You can add two; and more."),
        ("One. Two.\n\n- A list.", "One. Two."),
        (f"One, “two”.\n{'Three ' * 40}.", "One, “two”."),
        (f"You can\n\n- add;\n- {'more ' * 40}.", "You can add."),
        ("Word and " * 30, "Word and " * 21 + "Word and…"),
        ("```\ncode\n```", ""),
    ],
)
def test_a_page_is_described_by_its_first_paragraph(text: str, expected: str) -> None:
    page = publish_doctree(
        f"# Title\n\n{text}\n", parser=Parser(), settings_overrides={"doctitle_xform": False}
    )
    assert description(page) == expected


def test_the_card_is_what_those_who_show_links_ask_for() -> None:
    path = Path(REPOSITORY / "book" / "_static" / "social-card.png")
    with Image.open(path) as card:
        assert card.size == (1200, 630)
    assert path.stat().st_size < 200_000
