"""What a page offers beside its text: interactive figures, and questions with reasons."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from coursebook.header import FIGURES
from coursebook.interactive import figure_names, import_map, modules_of, standalone, style_sheets
from coursebook.problems import BookError
from coursebook.site import build_site
from coursebook.staging import Sources
from tiny_book import REPOSITORY, TinyBook

# sphinx_external_toc looks at every object of every module, torch's deprecated ones too.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.distributed.reduce_op`:FutureWarning")

FOLDER = REPOSITORY / "book" / FIGURES
FIGURE = """
```{interactive-figure} boxes
:alt: Two boxes.

Drag **one** of them.
```
"""
QUESTION = """
:::{question}
How much is *one* and one?

- [ ] $1$

  That was one of them.

- [x] 2

  As [the text](intro.md) says.
:::
"""


def page_of(book: TinyBook) -> BeautifulSoup:
    build_site(Sources(book.root, book.release), book.site)
    return BeautifulSoup(book.published("overlap.html"), "html.parser")


def only(soup: BeautifulSoup | Tag, selector: str) -> Tag:
    (found,) = soup.select(selector)
    return found


def markdown_of(book: TinyBook) -> nbformat.NotebookNode:
    """The last cell of the page's notebook."""
    notebook = nbformat.read(book.site / "downloads/book-overlap.ipynb", as_version=4)
    return notebook.cells[-1]


def test_a_figure_stands_on_its_page_as_a_still_picture_with_its_script(
    tiny_book: TinyBook,
) -> None:
    tiny_book.add_to_chapter(FIGURE)
    page = page_of(tiny_book)
    figure = only(page, "figure.course-figure")
    still = only(figure, ".figure-stage img")
    assert figure["data-figure"] == "boxes"
    assert still["alt"] == "Two boxes."
    assert (tiny_book.site / str(still["src"])).is_file()
    assert only(figure, "figcaption").get_text(strip=True) == "Dragoneof them."
    imports = json.loads(only(page, 'script[type="importmap"]').text)["imports"]
    assert set(imports) == {"figures/base", "figures/boxes", "figures/overlap"}
    assert only(page, 'script[type="module"]').text.strip() == 'import "figures/boxes";'
    assert page.select('link[href^="_static/figures/base.css"]')


def test_a_page_without_figures_and_questions_loads_nothing_for_them(tiny_book: TinyBook) -> None:
    page = page_of(tiny_book)
    assert page.select('script[type="importmap"], script[type="module"]') == []
    assert page.select('[src*="questions.js"], [href*="figures/"]') == []


def test_a_figure_travels_with_the_notebook(tiny_book: TinyBook) -> None:
    tiny_book.add_to_chapter(FIGURE)
    page_of(tiny_book)
    cell = markdown_of(tiny_book)
    assert "![Two boxes.](attachment:boxes.png)" in cell.source
    assert "Drag **one** of them." in cell.source
    assert (
        b64decode(cell.attachments["boxes.png"]["image/png"]) == (FOLDER / "boxes.png").read_bytes()
    )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("boxes\n", "bokses\n", "there is no _scripts/figures/bokses.png"),
        (":alt: Two boxes.\n", "", "no `:alt:`"),
    ],
)
def test_a_figure_that_cannot_be_is_named(
    tiny_book: TinyBook, before: str, after: str, message: str
) -> None:
    tiny_book.add_to_chapter(FIGURE.replace(before, after))
    with pytest.raises(BookError, match=re.escape(message)):
        page_of(tiny_book)


def test_the_import_map_holds_a_figure_and_all_that_it_imports(tmp_path: Path) -> None:
    for name, source in {
        "base": "export const mount = 1;",
        "shared": 'import { mount } from "figures/base";',
        "one": 'import { a } from "figures/shared";\nmount("one", a);',
        "two": 'mount("two", 2);',
    }.items():
        (tmp_path / f"{name}.js").write_text(source)
    (tmp_path / "shared.css").write_text("a { color: red }")
    modules = modules_of(tmp_path, ["one"])
    assert modules == ["base", "one", "shared"]
    assert style_sheets(tmp_path, modules) == ["shared.css"]
    urls = json.loads(import_map(tmp_path, modules))["imports"]
    assert b64decode(urls["figures/one"].partition(",")[2]).decode().startswith("import { a }")
    assert figure_names(tmp_path) == ["one", "two"]
    assert "a { color: red }" in standalone(tmp_path, "one")


def test_every_figure_has_a_still_picture_and_stands_on_a_page() -> None:
    text = "".join(path.read_text("utf-8") for path in (REPOSITORY / "book").glob("*.md"))
    for name in figure_names(FOLDER):
        assert (FOLDER / f"{name}.png").is_file(), name
        assert f"{{interactive-figure}} {name}\n" in text, name


def test_the_options_of_a_question_say_why(tiny_book: TinyBook) -> None:
    tiny_book.add_to_chapter(QUESTION + QUESTION)
    page = page_of(tiny_book)
    first, second = page.select(".course-question")
    assert only(first, ".question-title").text == "Question 1"
    assert only(second, ".question-title").text == "Question 2"
    assert first["data-question"] != second["data-question"]
    options = first.select("details.question-option")
    assert [option["data-right"] for option in options] == ["false", "true"]
    assert only(options[0], "summary .math").text == "\\(1\\)"
    assert only(options[1], "summary").get_text() == "(b) 2"
    verdicts = [only(option, ".question-verdict").text for option in options]
    assert verdicts == ["No.", "Right."]
    assert only(options[1], "a")["href"] == "intro.html"
    assert page.select('script[src*="questions.js"]')


def test_a_question_in_a_notebook_folds_its_answer_away(tiny_book: TinyBook) -> None:
    tiny_book.add_to_chapter(QUESTION)
    page_of(tiny_book)
    text = markdown_of(tiny_book).source
    shown, folded = text.split("<summary>Answer</summary>")
    assert "**Question 1**" in shown
    assert "- **(a)** $1$\n- **(b)** 2" in shown
    assert "**(a)** That was one of them." in folded
    assert "**(b)** **Right.** As" in folded


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[x]", "[ ]", "exactly one option"),
        ("[ ]", "[x]", "exactly one option"),
        ("- [ ] $1$", "- $1$", "option (a) begins with"),
        ("\n  That was one of them.\n", "", "option (a) begins with"),
        ("How much is *one* and one?\n", "", "a question is a text"),
    ],
)
def test_a_question_that_cannot_be_is_named(
    tiny_book: TinyBook, before: str, after: str, message: str
) -> None:
    tiny_book.add_to_chapter(QUESTION.replace(before, after))
    with pytest.raises(BookError, match=re.escape(message)):
        page_of(tiny_book)
