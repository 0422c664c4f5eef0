"""Every page of the built book works in a browser, offline, from a server and from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from visits import Visit, visit

pytestmark = pytest.mark.browser


def of_all(visits: list[Visit], what: str) -> dict[str, list[str]]:
    """One kind of finding, by page; pages without any are left out."""
    return {seen.where: getattr(seen, what) for seen in visits if getattr(seen, what)}


def test_every_page_is_visited_both_ways(visits: list[Visit], site: Path) -> None:
    addresses = [seen.where for seen in visits]

    assert f"{site.as_uri()}/intro.html" in addresses
    assert len(addresses) == len(set(addresses))
    assert sum(address.startswith("http:") for address in addresses) == len(addresses) / 2


def test_no_errors_on_the_console(visits: list[Visit]) -> None:
    assert of_all(visits, "console_errors") == {}


def test_no_failed_requests(visits: list[Visit]) -> None:
    assert of_all(visits, "failed_requests") == {}


def test_nothing_from_other_hosts(visits: list[Visit]) -> None:
    assert of_all(visits, "other_hosts") == {}


def test_maths_is_rendered(visits: list[Visit]) -> None:
    unset = {seen.where: seen.formulas - seen.rendered for seen in visits}

    assert any(seen.formulas for seen in visits)
    assert {where: count for where, count in unset.items() if count > 0} == {}
    assert of_all(visits, "wrong_formulas") == {}


def test_images_load_and_have_text(visits: list[Visit]) -> None:
    assert of_all(visits, "bad_images") == {}


def test_no_sideways_scrolling_on_a_phone(visits: list[Visit]) -> None:
    assert of_all(visits, "too_wide") == {}


def test_theme_switch(visits: list[Visit]) -> None:
    assert {seen.where for seen in visits if seen.themes != {"light", "dark"}} == set()


def test_the_top_shows_the_first_page(browser: Browser, bases: list[str]) -> None:
    for base in bases:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{base}index.html")
        top = page.inner_text("h1")
        page.goto(f"{base}intro.html")
        assert page.inner_text("h1") == top
        context.close()


def test_search_finds_the_title_page(browser: Browser, bases: list[str]) -> None:
    for base in bases:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{base}search.html?q=segmentation")
        # Results come one by one, and many pages speak of segmentation.
        page.locator('#search-results li a[href*="intro.html"]').first.wait_for()
        context.close()


def test_search_reports_no_error(browser: Browser, bases: list[str]) -> None:
    for base in bases:
        seen = visit(browser, base, "search.html?q=segmentation")
        assert seen.console_errors == []
        assert seen.failed_requests == []
