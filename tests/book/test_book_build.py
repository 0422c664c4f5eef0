"""The whole way from sources to site, on a tiny book with the real book's configuration."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from coursebook.problems import BookError
from coursebook.site import Outcome, build_site
from coursebook.staging import Sources
from filelock import FileLock
from tiny_book import CANARY, DRAW, INTRO, REPOSITORY, TinyBook

# sphinx_external_toc looks at every object of every module, torch's deprecated ones too.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.distributed.reduce_op`:FutureWarning")


def run(book: TinyBook) -> Outcome:
    return build_site(Sources(book.root, book.release), book.site)


def problems_of(book: TinyBook) -> str:
    """The problems that a book has; it must have some, and no site."""
    with pytest.raises(BookError) as caught:
        run(book)
    assert not book.site.exists()
    return str(caught.value)


def test_a_good_book(tiny_book: TinyBook) -> None:
    outcome = run(tiny_book)

    assert outcome.fresh
    assert list(outcome.pages) == ["overlap"]
    seconds, ran_now = outcome.pages["overlap"]
    assert seconds > 0
    assert ran_now
    chapter = tiny_book.published("overlap.html")
    assert 'alt="One dark pixel."' in chapter
    assert "drawn by the first version" in chapter
    card = BeautifulSoup(chapter, "html.parser").select_one(".exercise-card")
    assert card is not None
    assert card.get_text("|", strip=True) == (
        "Exercises: Overlap of boxes|2 points by tests, 1 by hand|about 30 minutes|"
        "Download the notebook|Read the sheet"
    )
    links = [link["href"] for link in card.find_all("a")]
    assert links == ["downloads/overlap.ipynb", "exercises/overlap.html"]
    assert 'href="downloads/book-overlap.ipynb"' in chapter
    assert tiny_book.published("index.html") == tiny_book.published("intro.html")


def test_exercise_page_is_shown_and_not_run(tiny_book: TinyBook) -> None:
    run(tiny_book)

    page = tiny_book.published("exercises/overlap.html")
    assert "NotImplementedError" in page
    assert "Show the tests you can see (2 points)" in page
    assert "Traceback" not in page
    assert 'href="../downloads/overlap.ipynb" download' in page
    download = nbformat.read(tiny_book.site / "downloads/overlap.ipynb", as_version=4)
    assert download == nbformat.read(tiny_book.release / "overlap/overlap.ipynb", as_version=4)


def test_nothing_of_the_solutions_is_published(tiny_book: TinyBook) -> None:
    run(tiny_book)

    files = [path for path in tiny_book.site.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []
    assert not (tiny_book.site / "_sources").exists()


def test_an_unchanged_book_is_not_built_again(tiny_book: TinyBook) -> None:
    run(tiny_book)

    assert not run(tiny_book).fresh


def test_two_builds_at_once_do_not_mix(tiny_book: TinyBook) -> None:
    work = tiny_book.root / "build" / "book-work"
    work.mkdir(parents=True)

    with FileLock(work / "lock"):
        assert "another build is at work here" in problems_of(tiny_book)
    assert run(tiny_book).fresh


def test_a_site_with_a_missing_page_is_built_again(tiny_book: TinyBook) -> None:
    run(tiny_book)
    (tiny_book.site / "overlap.html").unlink()

    assert run(tiny_book).fresh
    assert (tiny_book.site / "overlap.html").exists()


def test_cells_run_again_when_and_only_when_what_they_see_changes(tiny_book: TinyBook) -> None:
    run(tiny_book)

    tiny_book.add_to_chapter("One more sentence.\n")
    assert run(tiny_book).pages["overlap"][1] is False
    assert "One more sentence." in tiny_book.published("overlap.html")

    tiny_book.write("detseg/__init__.py", "NAME = 'the second version'\n")
    assert run(tiny_book).pages["overlap"][1] is True
    assert "drawn by the second version" in tiny_book.published("overlap.html")


@pytest.mark.parametrize("module", ["tqdm", "tqdm.auto"])
def test_progress_bars_are_off(tiny_book: TinyBook, module: str) -> None:
    tiny_book.add_to_chapter(
        f"```{{code-cell}} python\nfrom {module} import tqdm\nlist(tqdm(range(3)))\n```\n"
    )
    run(tiny_book)

    outputs = BeautifulSoup(tiny_book.published("overlap.html"), "html.parser")
    assert outputs.select(".cell_output")[-1].get_text().strip() == "[0, 1, 2]"


CELL = "```{{code-cell}} python\n{}\n```\n"
BROKEN = {
    "failing cell": (
        CELL.format("\n1 + one_name_too_few"),
        r"book/overlap.md:SECOND: a cell fails\n.*\n(.*\n)*.*NameError: name 'one_name_too_few'",
    ),
    "stderr": (
        CELL.format("import warnings; warnings.warn('older than you think')"),
        r"book/overlap.md:LINE: the cell wrote to stderr: .*older than you think",
    ),
    "figure without text": (
        CELL.format("Image(base64.b64decode(PIXEL))"),
        r"book/overlap.md:LINE: the cell draws a figure that has no alternative text",
    ),
    "two figures, one text": (
        CELL.format(
            "---\nmystnb: {image: {alt: Twice one pixel.}}\n---\n"
            "display(Image(base64.b64decode(PIXEL)), Image(base64.b64decode(PIXEL)))"
        ),
        r"book/overlap.md:LINE: the cell draws 2 figures that would share",
    ),
    "image without text": (
        "![](_static/logo.svg)\n",
        r"book/overlap.md:LINE: image '_static/logo.svg' has no alternative text",
    ),
    "link to no page": ("[there](nowhere.md)\n", r"book/overlap.md:LINE: .*nowhere"),
    "link to no heading": ("[there](#nowhere)\n", r"book/overlap.md:LINE: .*nowhere"),
    "dead href": (
        'Raw <a href="intro.html#nowhere">HTML</a>.\n',
        r"overlap.html: <a href='intro.html#nowhere'>: no element #nowhere there",
    ),
    "other host": (
        '```{raw} html\n<div aria-label="x"><script src="https://cdn.example/x.js"></script></div>\n```\n',
        r"overlap.html: loads https://cdn.example/x.js from another host",
    ),
    "unknown reference": (
        "{footcite:p}`nobody1999`\n",
        r"book/overlap.md:LINE: no entry 'nobody1999' in references.bib",
    ),
    "warning": (
        "#### Two levels down\n",
        r"book/overlap.md:LINE: Non-consecutive header level",
    ),
    "unknown directive": (
        "```{mermaid}\na --> b\n```\n",
        r"book/overlap.md:LINE: directive \{mermaid\} has no form in plain Markdown",
    ),
    "card of no sheet": (
        "```{exercise-card} nothing\n```\n",
        r"book/overlap.md:LINE: no released sheet 'nothing'",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_book_is_not_built(tiny_book: TinyBook, what: str) -> None:
    addition, expected = BROKEN[what]
    line = tiny_book.add_to_chapter(addition)

    expected = expected.replace("LINE", str(line)).replace("SECOND", str(line + 2))
    assert re.search(expected, problems_of(tiny_book))


def test_a_broken_book_stays_broken_until_it_is_mended(tiny_book: TinyBook) -> None:
    run(tiny_book)
    good = (tiny_book.root / "book/overlap.md").read_text(encoding="utf-8")
    tiny_book.add_to_chapter("#### Two levels down\n")

    assert "header level" in problems_of(tiny_book)
    assert "header level" in problems_of(tiny_book)

    tiny_book.write("book/overlap.md", good)
    assert run(tiny_book).fresh


def test_a_page_in_no_table_of_contents_is_an_error(tiny_book: TinyBook) -> None:
    tiny_book.write("book/forgotten.md", "# Forgotten\n")

    assert re.search("book/forgotten.md: .*toctree", problems_of(tiny_book))


def test_several_problems_are_told_at_once(tiny_book: TinyBook) -> None:
    tiny_book.add_to_chapter("#### Two levels down\n\n![](_static/logo.svg)\n")

    told = problems_of(tiny_book)
    assert "header level" in told
    assert "no alternative text" in told


def command(*arguments: str) -> int:
    """`python book/build.py …`, without a process of its own."""
    spec = importlib.util.spec_from_file_location("_build", REPOSITORY / "book" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(list(arguments))


def test_command_tells_reason_and_status(
    tiny_book: TinyBook, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--root", str(tiny_book.root), "--release", str(tiny_book.release)]
    tiny_book.write("book/intro.md", INTRO + "\n![](_static/logo.svg)\n")

    assert command(*arguments) == 1
    said = capsys.readouterr()
    assert said.err.startswith("The book was not built: 1 problem\n  book/intro.md:5: image")
    assert said.out == ""

    tiny_book.write("book/intro.md", INTRO)
    assert command(*arguments) == 0
    said = capsys.readouterr()
    # The broken attempt has run the cell.
    assert re.search(r"overlap +\d+\.\d s  \(cells unchanged, not run again\)\n", said.out)
    assert re.search(rf"Built in \d+ s: {tiny_book.site / 'index.html'}", said.out)

    assert command(*arguments) == 0
    assert capsys.readouterr().out.startswith("Up to date: ")


def test_figures_and_alt_texts_reach_the_page_but_no_outputs_the_download(
    tiny_book: TinyBook,
) -> None:
    run(tiny_book)

    download = Path(tiny_book.site / "downloads/book-overlap.ipynb").read_text("utf-8")
    notebook = json.loads(download)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert "".join(code[0]["source"]) + "\n" == DRAW
    assert code[0]["outputs"] == []
    assert code[0]["metadata"] == {}
