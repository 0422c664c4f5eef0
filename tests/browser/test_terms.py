"""The definition of a term: with the mouse, with the keyboard, on a phone, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

NAME = "iou-nms.html"
_CONTRAST = """([over, under]) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    const light = (node, what) => {
        canvas.fillStyle = getComputedStyle(node)[what];
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
            .map((value) => value / 255)
            .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [a, b] = [light(over, "textDecorationColor"), light(under, "backgroundColor")];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


@pytest.fixture
def chapter(browser: Browser, bases: dict[str, str]) -> Iterator[Page]:
    """A chapter, opened as a file."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(bases["file"] + NAME)
    yield page
    context.close()


def test_the_mouse_shows_the_definition_and_may_move_onto_it(chapter: Page) -> None:
    tip = chapter.get_by_role("tooltip")
    link = chapter.locator("a.term", has_text="intersection over union").first
    link.hover()

    assert tip.inner_text().startswith("How much two boxes")
    assert link.get_attribute("aria-describedby") == tip.get_attribute("id")
    tip.hover()
    chapter.wait_for_timeout(400)  # longer than the patience of the script
    assert tip.is_visible()
    chapter.mouse.move(640, 5)
    tip.wait_for(state="hidden")
    assert link.get_attribute("aria-describedby") is None


def test_the_keyboard_shows_it_and_escape_hides_it(chapter: Page) -> None:
    tip = chapter.get_by_role("tooltip")
    link = chapter.locator("a.term").nth(1)
    link.scroll_into_view_if_needed()
    chapter.locator("a.term").first.focus()
    chapter.keyboard.press("Tab")

    assert link.evaluate("node => node === document.activeElement")
    assert tip.inner_text() == link.get_attribute("data-definition")
    chapter.keyboard.press("Escape")
    assert tip.is_hidden()
    assert link.evaluate("node => node === document.activeElement")


def test_it_is_not_printed(chapter: Page) -> None:
    chapter.locator("a.term").first.hover()
    chapter.emulate_media(media="print")

    assert chapter.get_by_role("tooltip").is_hidden()


def test_the_dots_can_be_seen(chapter: Page) -> None:
    link = chapter.locator("article a.term").first
    ground = chapter.locator("body")

    nodes = [link.element_handle(), ground.element_handle()]
    for theme in ("light", "dark"):
        chapter.emulate_media(color_scheme=theme)
        chapter.locator(f'html[data-theme="{theme}"]').wait_for()
        assert chapter.evaluate(_CONTRAST, nodes) > 3


def test_on_a_phone_it_stays_inside_and_a_tap_follows_the_link(
    browser: Browser, bases: dict[str, str]
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640}, has_touch=True)
    page = context.new_page()
    page.goto(bases["server"] + NAME)
    tip = page.get_by_role("tooltip")
    for link in page.locator("article a.term:visible").all()[:12]:
        link.hover()
        box = tip.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 640
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("a.term").first.tap()
    page.wait_for_url("**/glossary.html#term-intersection-over-union")
    context.close()


def test_every_entry_of_the_glossary_is_used(site: Path) -> None:
    used = {
        str(link["href"]).partition("#")[2]
        for path in site.glob("*.html")
        for link in BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").select("a.term")
    }
    glossary = BeautifulSoup((site / "glossary.html").read_text(encoding="utf-8"), "html.parser")
    entries = glossary.select("dl.glossary > dt:first-child, dl.glossary > dd + dt")

    assert len(entries) > 100
    assert [entry["id"] for entry in entries if entry["id"] not in used] == []
