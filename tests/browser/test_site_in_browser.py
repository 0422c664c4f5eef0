"""Every page of the built book works in a browser, offline, from a server and from a file."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser
from visits import visit

pytestmark = pytest.mark.browser

HEAVIEST = 2_000_000  # bytes of a page, without MathJax

_CONTENTS = (Path(__file__).resolve().parents[2] / "_toc.yml").read_text(encoding="utf-8")
READING_ORDER = [f"{name}.html" for name in re.findall(r"\b(?:root|file): (\S+)", _CONTENTS)]


@pytest.mark.parametrize("way", ["server", "file"])
def test_page(browser: Browser, bases: dict[str, str], way: str, page_name: str) -> None:
    seen = visit(browser, bases[way], page_name)

    assert seen.console_errors == []
    assert seen.failed_requests == []
    assert seen.other_hosts == []
    assert seen.rendered >= seen.formulas
    assert seen.wrong_formulas == []
    assert seen.wide_formulas == []
    assert seen.bad_images == []
    assert seen.too_wide == []
    assert seen.too_small == []
    assert seen.themes == {"light", "dark"}
    assert seen.weight < HEAVIEST
    assert seen.violations == []


def test_what_a_visit_sees(browser: Browser, bases: dict[str, str]) -> None:
    """A page with formulas and pictures, so that there is something to be found wrong."""
    seen = visit(browser, bases["server"], "iou-nms.html")

    assert seen.formulas > 20
    assert seen.weight > 500_000


def test_axe_finds_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "pale.html").write_text(
        '<html lang="en"><title>Pale</title><p style="color: #ccc">Hard to read.</p>'
    )

    seen = visit(browser, f"{tmp_path.as_uri()}/", "pale.html")

    assert [finding.partition(",")[0] for finding in seen.violations] == [
        "light: color-contrast",
        "dark: color-contrast",
    ]


def test_the_top_shows_the_first_page(browser: Browser, bases: dict[str, str]) -> None:
    for base in bases.values():
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{base}index.html")
        top = page.inner_text("h1")
        page.goto(f"{base}intro.html")
        assert page.inner_text("h1") == top
        context.close()


@pytest.mark.parametrize(
    ("link", "order"),
    [("right-next", READING_ORDER), ("left-prev", READING_ORDER[::-1])],
    ids=["next", "previous"],
)
def test_pages_follow_the_contents(
    browser: Browser, bases: dict[str, str], link: str, order: list[str]
) -> None:
    """One page leads to the next, from one end of the book to the other."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{bases['file']}{order[0]}")
    titles, read = [], [page.url.removeprefix(bases["file"])]
    while (to := page.locator(f"a.{link}")).count() and len(read) <= len(order):
        titles.append(to.locator(".prev-next-title").inner_text())
        to.click()
        assert page.locator("article h1").inner_text().startswith(titles[-1])
        page.wait_for_load_state()  # the links stand at the end of a page
        read.append(page.url.removeprefix(bases["file"]))
    context.close()

    assert read == order
    assert len(set(titles)) == len(order) - 1


@pytest.mark.parametrize("name", READING_ORDER)
def test_search_finds_a_page_by_its_title(
    browser: Browser, bases: dict[str, str], name: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{bases['file']}{name}")
    title = page.locator("article h1").inner_text().rstrip("#")
    page.goto(f"{bases['file']}search.html?{urlencode({'q': title})}")
    page.get_by_text("Search finished").wait_for()
    results = page.locator("#search-results li a").all()
    best = [urlsplit(link.get_attribute("href") or "").path for link in results]
    context.close()

    if best[0] == "glossary.html" and best[0] != name:  # a term's entry
        del best[0]
    assert best[0] == name


def test_search_finds_the_title_page(browser: Browser, bases: dict[str, str]) -> None:
    for base in bases.values():
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{base}search.html?q=segmentation")
        # Results come one by one, and many pages speak of segmentation.
        page.locator('#search-results li a[href*="intro.html"]').first.wait_for()
        context.close()


def test_search_reports_no_error(browser: Browser, bases: dict[str, str]) -> None:
    for base in bases.values():
        seen = visit(browser, base, "search.html?q=segmentation")
        assert seen.console_errors == []
        assert seen.failed_requests == []


def test_paper_shows_answers_in_light_colours(browser: Browser, bases: dict[str, str]) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{bases['server']}iou-nms.html")
    folds = page.locator("details:is(.sd-dropdown, .below-input)")
    options = page.locator(".question-option")

    def state() -> tuple[str, int, int]:
        theme = page.evaluate("document.documentElement.dataset.theme")
        opened = [part.and_(page.locator("[open]")).count() for part in (folds, options)]
        return theme, *opened

    assert state() == ("dark", 0, 0)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert state() == ("light", folds.count(), 0)
    assert folds.count() > 5
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert state() == ("dark", 0, 0)
    context.close()
