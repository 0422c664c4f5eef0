"""A page's MyST text becomes the plain Markdown of its notebook."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from coursebook.downloads import page_notebook_of, page_notebooks
from coursebook.pages import Page, Pages
from coursebook.plain import Conversion
from coursebook.problems import BookError
from coursebook.sheets import Sheet
from hypothesis import given, settings
from hypothesis.strategies import text
from pybtex.database import parse_string
from tiny_book import HEADER

GOLDEN = Path(__file__).parent / "golden"
BIBLIOGRAPHY = parse_string(
    """
    @article{box2020, author={Box, Bea}, title={On Boxes}, journal={J. of Boxes}, year={2020}}
    @article{ren2015, author={Ren, Shaoqing and He, Kaiming and Girshick, Ross and Sun, Jian},
      title={Faster {R-CNN}}, journal={Advances}, year={2015}}
    """,
    "bibtex",
)
SHEETS = {"boxes": Sheet("boxes", "Boxes", 45, 14, 2, Path("boxes.ipynb"))}


def page(name: str, content: str) -> Page:
    return Page(name, Path(f"book/{name}.md"), content)


def pages(*others: Page) -> Pages:
    known = [
        page("setup", f"{HEADER}# Setting up\n\n```{{code-cell}} python\n1\n```\n"),
        page("conventions", "# Conventions\n\n(rows)=\n## All rows\n"),
        *others,
    ]
    return Pages({page.name: page for page in known}, {"exercises/boxes": "Exercises: boxes"})


def converted(text: str, glue: dict[str, str] | None = None) -> str:
    """Plain Markdown of a text that stands below a page's title; it must have no problem."""
    conversion = Conversion(page("chapter", text), pages(), BIBLIOGRAPHY, SHEETS, glue or {})
    written = "\n".join(conversion.convert(text.split("\n"), 1))
    assert conversion.problems == []
    return written


def problems_of(text: str) -> list[str]:
    conversion = Conversion(page("chapter", text), pages(), BIBLIOGRAPHY, SHEETS, {})
    conversion.convert(text.split("\n"), 1)
    return [str(problem) for problem in conversion.problems]


def as_text(notebook: nbformat.NotebookNode) -> str:
    """A notebook as one readable text, without ids."""
    parts = [
        f"=== {cell.cell_type} {dict(cell.metadata) or ''}".rstrip() + f"\n{cell.source}\n"
        for cell in notebook.cells
    ]
    return "\n".join(parts)


def test_golden_page() -> None:
    chapter = page("chapter", (GOLDEN / "chapter.md").read_text(encoding="utf-8"))
    conversion = Conversion(chapter, pages(chapter), BIBLIOGRAPHY, SHEETS, {"answer": "41.5"})

    notebook = page_notebook_of(conversion)

    assert conversion.problems == []
    nbformat.validate(notebook)
    expected = (GOLDEN / "chapter.expected.md").read_text(encoding="utf-8")
    assert as_text(notebook) == expected


def test_same_page_gives_the_same_notebook() -> None:
    text = (GOLDEN / "chapter.md").read_text(encoding="utf-8")
    first, second = (
        page_notebook_of(
            Conversion(page("chapter", text), pages(), BIBLIOGRAPHY, SHEETS, {"answer": "1"})
        )
        for _ in range(2)
    )

    assert first == second


@pytest.mark.parametrize(
    ("myst", "plain"),
    [
        ("plain *text*, $x$ and `code`", "plain *text*, $x$ and `code`"),
        ("{doc}`setup`", "[Setting up](book-setup.ipynb)"),
        ("[here](setup.md)", "[here](book-setup.ipynb)"),
        ("{doc}`conventions`", "*Conventions*"),
        ("[](#rows)", "*All rows*"),
        ("{ref}`some words <rows>`", "*some words*"),
        ("[a](https://x.org/b) [m](mailto:a@b.org)", "[a](https://x.org/b) [m](mailto:a@b.org)"),
        ("{footcite:t}`ren2015`", "Ren et al. (2015)"),
        ("{cite:p}`box2020, ren2015`", "(Box, 2020; Ren et al., 2015)"),
        ("{footcite:t}`box2020,\nren2015`", "Box (2020) and Ren et al. (2015)"),
        ("``{doc}`setup` ``", "``{doc}`setup` ``"),
        ("{abbr}`AP`", "AP"),
        ("two $ signs cost 3 $ here", "two $ signs cost 3 $ here"),
        ("% gone\nkept", "kept"),
        ("50 % stays", "50 % stays"),
        ("(target)=\nkept", "kept"),
        ("", ""),
    ],
)
def test_inline(myst: str, plain: str) -> None:
    assert converted(myst) == plain


@pytest.mark.parametrize(
    ("value", "role", "written"),
    [
        ("41.5", "answer", "41.5"),
        ("41.5", "answer:.2f", "41.50"),
        ("'words'", "answer", "words"),
    ],
)
def test_glued_values(value: str, role: str, written: str) -> None:
    assert converted(f"{{glue:text}}`{role}`", {"answer": value}) == written


def test_a_quote_holds_everything_of_its_box() -> None:
    written = converted(":::{note}\none\n\n$$\nx\n$$\n:::\nafter")

    assert written == "> **Note**\n>\n> one\n>\n> $$\n> x\n> $$\nafter"


def test_code_is_never_touched() -> None:
    text = "```text\n{doc}`setup`\n:::{note}\n$$\n% kept\n```"

    assert converted(text) == text


@given(text(alphabet="abé 019*_#-+.,:;!?'\"<>=|&/\n", max_size=200))
@settings(derandomize=True)
def test_ordinary_text_stays_as_it_is(words: str) -> None:
    assert converted(words) == words


def test_options_written_as_yaml() -> None:
    written = converted("```{figure} a.svg\n---\nalt: Seen from above.\n---\nCaption\n```")

    assert written == "*(Figure: Seen from above.)*\n\nCaption"


@pytest.mark.parametrize(
    ("myst", "told"),
    [
        ("\n```{mermaid}\nx\n```", "book/chapter.md:2: directive {mermaid} has no form"),
        (":::{note}\n\n```{tabs}\n```\n:::", "book/chapter.md:3: directive {tabs} has no form"),
        ("- a\n\n  ```{tabs}\n  ```", "book/chapter.md:3: directive {tabs} has no form"),
        ("one\ntwo {numref}`x`", "book/chapter.md:2: role {numref} has no form"),
        (":::{note}\nsee {numref}`x`\n:::", "book/chapter.md:2: role {numref} has no form"),
        (":::{note}\nx\n:::\n\none\n{numref}`x`", "book/chapter.md:6: role {numref} has no form"),
        ("\n\n:::{note}\nopen", "book/chapter.md:3: ':::{note}' is never closed"),
        ("```python\nopen", "book/chapter.md:1: '```python' is never closed"),
        ("[x](nowhere.md)", "book/chapter.md:1: link to 'nowhere': there is no such page"),
        ("[](#nowhere)", "book/chapter.md:1: link to 'nowhere': no heading has this label"),
        ("{cite}`nobody`", "book/chapter.md:1: no entry 'nobody' in references.bib"),
        ("{eq}`nothing`", "book/chapter.md:1: no formula on this page has the label 'nothing'"),
        ("{glue:text}`nothing`", "book/chapter.md:1: no cell of this page glues 'nothing'"),
        ("```{exercise-card} no\n```", "book/chapter.md:1: no released sheet 'no'"),
        ("```{figure} a.svg\n```", "book/chapter.md:1: {figure} without `:alt:`"),
        ("```{raw} html\n<p>\n```", "book/chapter.md:1: raw HTML without `aria-label`"),
        ("```{raw} latex\nx\n```", "book/chapter.md:1: {raw} latex: only html is known"),
        ("```{list-table}\n* - a\n  - b\n* - c\n```", "book/chapter.md:1: a list-table needs rows"),
        ("```{list-table}\n- a\n```", "book/chapter.md:2: a row of a list-table begins with"),
    ],
)
def test_what_has_no_plain_form_is_told_with_its_line(myst: str, told: str) -> None:
    problems = problems_of(myst)

    assert problems
    assert problems[0].startswith(told)


def test_lines_are_those_of_the_whole_page() -> None:
    text = f"{HEADER}# Title\n\n```{{code-cell}} python\n1\n```\n\n\n\nText {{nope}}`x`.\n"
    line = text.split("\n").index("Text {nope}`x`.") + 1

    with pytest.raises(BookError, match=re.escape(f"book/chapter.md:{line}: role {{nope}}")):
        page_notebooks(pages(page("chapter", text)), SHEETS, BIBLIOGRAPHY)


def test_only_pages_with_cells_have_a_notebook() -> None:
    assert list(page_notebooks(pages(), SHEETS, BIBLIOGRAPHY)) == ["setup"]
