"""The pages: headers that make Jupyter Book run them, titles, labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from coursebook.pages import Page, Pages, read_pages
from coursebook.problems import BookError
from tiny_book import HEADER

CELL = "\n```{code-cell} python\n1\n```\n"
JUPYTEXT = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
---
"""


def page(text: str, name: str = "a") -> Page:
    return Page(name, Path(f"{name}.md"), text)


def test_read_pages(tmp_path: Path) -> None:
    for name in ("intro.md", "part/one.md", "_ext/README.md", ".ipynb_checkpoints/x.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")

    pages = read_pages(tmp_path)

    assert list(pages) == ["intro", "part/one"]
    assert pages["part/one"].title == "part/one.md"


@pytest.mark.parametrize("header", [HEADER, JUPYTEXT])
def test_headers_that_make_a_notebook(tmp_path: Path, header: str) -> None:
    (tmp_path / "a.md").write_text(header + "# A\n" + CELL)

    assert read_pages(tmp_path)["a"].cell_lines == [header.count("\n") + 3]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "---\ntitle: x\n---\n",
        "---\nfile_format: mystnb\n---\n",
        "---\nkernelspec: {name: python3}\n---\n",
        "---\nfile_format: markdown\nkernelspec: {name: python3}\n---\n",
        "---\n- a list\n---\n",
    ],
)
def test_code_without_a_notebook_header(tmp_path: Path, header: str) -> None:
    (tmp_path / "a.md").write_text(header + "# A\n" + CELL)
    line = header.count("\n") + 3

    with pytest.raises(BookError, match=rf"a\.md:{line}: a page with code cells needs a header"):
        read_pages(tmp_path)


def test_header_that_is_not_yaml(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\na: [\n---\n# A\n" + CELL)

    with pytest.raises(BookError, match=r"a\.md:1: the header is not YAML"):
        read_pages(tmp_path)


def test_text_page_needs_no_header(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\n\n```python\n1\n```\n")

    assert read_pages(tmp_path)["a"].cell_lines == []


def test_a_cell_that_is_shown_in_a_fence_is_none() -> None:
    text = "# A\n\n````{code-block} markdown\n" + CELL + "````\n" + CELL

    assert page(text).cell_lines == [10]


def test_comments_in_code_are_no_headings() -> None:
    text = "# Title\n\n```python\n# comment\n```\n\n````md\n```\n# deeper\n```\n````\n\n## Two\n"

    assert [heading for heading, _ in page(text).headings] == ["Title", "Two"]


def test_labels() -> None:
    one = page("(Top)=\n(also)=\n# Title\n\n(far)=\n\ntext\n\n## Where it *falls* short\n", "one")
    pages = Pages({"one": one, "two": page("(other)=\n## Other\n", "two")})

    assert one.headings[0] == ("Title", ["top", "also"])
    assert one.heading_of("also") == "Title"
    assert one.heading_of("far") is None
    assert one.heading_of("title") == "Title"
    found = pages.with_label("other")
    assert found is not None
    assert (found[0].name, found[1]) == ("two", "Other")
    assert pages.with_label("nowhere") is None


def test_titles() -> None:
    pages = Pages({"a": page("text only\n")}, {"exercises/s": "Sheet"})

    assert pages.title("a") == "a"
    assert pages.title("exercises/s") == "Sheet"
    assert pages.title("b") is None
