"""Terms of the glossary on the pages: the first use is a link that carries the definition."""

from __future__ import annotations

import json

import pytest
from bs4 import BeautifulSoup
from coursebook.problems import BookError
from coursebook.site import build_site
from coursebook.staging import Sources
from tiny_book import CONTENTS, TinyBook

# sphinx_external_toc looks at every object of every module, torch's deprecated ones too.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.distributed.reduce_op`:FutureWarning")

GLOSSARY = """\
---
everyday: head, thing
---

# Glossary

```{glossary}
anchor
  A box of "fixed" size.

box
  A rectangle.

head
class head
  The last layers, behind every anchor.

intersection over union
IoU
  The shared area over the area
  of both, of anchors too.

  $|A \\cap B| / |A \\cup B|$. See [the chapter](overlap.md).

IoU loss
  One minus IoU.

mean IoU
  The mean over classes.

thing
  What can be counted.
```
"""
TEXT = """
## An anchor

`anchor` [anchor](intro.md) $anchor$ and the slide's "anchors", then Anchors, and anchors again.

The head of a person has a head, says *head*, and **a head**; the **head** is defined, and two
class-heads. The mean-IoU and the IoU loss are no IoU, which is intersection over union.

| table |
| --- |
| {term}`what counts <thing>`, thing |

:::{question}
Thing?

- [ ] mean IoU

  An anchor-free head.

- [x] anchor

  **thing**
:::
"""


def with_glossary(book: TinyBook, glossary: str = GLOSSARY, text: str = TEXT) -> None:
    book.write("book/glossary.md", glossary)
    book.write("_toc.yml", f"{CONTENTS}  - file: glossary\n")
    book.add_to_chapter(text)
    build_site(Sources(book.root, book.release), book.site)


def test_the_first_use_of_each_term_is_a_link(tiny_book: TinyBook) -> None:
    with_glossary(tiny_book)
    page = BeautifulSoup(tiny_book.published("overlap.html"), "html.parser")
    links = page.select("a.term")

    assert [(link.text, link["href"]) for link in links] == [
        ("boxes", "glossary.html#term-box"),
        ("Anchors", "glossary.html#term-anchor"),
        ("head", "glossary.html#term-head"),
        ("mean-IoU", "glossary.html#term-mean-IoU"),
        ("IoU loss", "glossary.html#term-IoU-loss"),
        ("IoU", "glossary.html#term-intersection-over-union"),
        ("what counts", "glossary.html#term-thing"),
    ]
    assert str(links[2].parent) == f"<strong>{links[2]}</strong>"
    assert links[1]["data-definition"] == "A box of “fixed” size."
    assert "of both, of anchors too." in links[5]["data-definition"]
    assert "cap" not in links[5]["data-definition"]
    assert page.select('script[src*="terms.js"]')


def test_pages_that_are_left_alone(tiny_book: TinyBook) -> None:
    with_glossary(tiny_book)

    for name in ("glossary", "exercises/overlap", "intro"):
        page = tiny_book.published(f"{name}.html")
        assert 'class="term"' not in page
        assert "terms.js" not in page


@pytest.mark.parametrize(
    ("glossary", "text", "what"),
    [
        (GLOSSARY, "{term}`hed`", "term not in glossary: 'hed'"),
        (GLOSSARY.replace("head, thing", "heads"), "", "everyday word 'heads' is no term"),
        (GLOSSARY.replace("What can", "$x$ can"), "", "first paragraph on 'thing' has maths"),
    ],
)
def test_mistakes(tiny_book: TinyBook, glossary: str, text: str, what: str) -> None:
    with pytest.raises(BookError, match=what):
        with_glossary(tiny_book, glossary, text)


def test_the_title_page_knows_the_right_answers(tiny_book: TinyBook) -> None:
    with_glossary(tiny_book)
    chapter = BeautifulSoup(tiny_book.published("overlap.html"), "html.parser")
    title_page = BeautifulSoup(tiny_book.published("intro.html"), "html.parser")
    (key,) = [question["data-question"] for question in chapter.select(".course-question")]

    (data,) = title_page.select("#chapter-questions")
    assert json.loads(data.text) == [{"page": "overlap.html", "questions": {key: 1}}]
    assert title_page.select('script[src*="progress.js"]')
    assert not chapter.select('script[src*="progress.js"]')
