"""The title page counts what was answered in the chapters, and forgets it when asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

KEY = "course-book-answers"
_FORBID = f"""for (const name of ["getItem", "setItem"]) {{
    const allowed = Storage.prototype[name];
    Storage.prototype[name] = function (key, ...rest) {{
        if (key === "{KEY}") throw new DOMException("forbidden", "SecurityError");
        return allowed.call(this, key, ...rest);
    }};
}}"""


@pytest.fixture(params=["server", "file"])
def page(request: pytest.FixtureRequest, browser: Browser, bases: dict[str, str]) -> Iterator[Page]:
    """A new reader's browser; errors of scripts fail the test."""
    context = browser.new_context(base_url=bases[request.param])
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


def answer(page: Page, number: int, *, right: bool) -> None:
    question = page.locator(".course-question").nth(number)
    question.locator(f'[data-right="{str(right).lower()}"] summary').first.click()


def test_answers_are_counted_and_forgotten(page: Page) -> None:
    page.goto("fcn.html")
    answer(page, 0, right=True)
    answer(page, 1, right=False)
    page.locator(".question-progress", has_text="2 of 6 answered, 1 right").wait_for()
    page.goto("intro.html")
    lines = page.locator(".chapter-answers:visible")
    whole = page.locator(".question-progress")

    assert lines.all_inner_texts() == ["2 of 6 answered, 1 right"]
    assert lines.locator("..").locator("a").first.get_attribute("href") == "fcn.html"
    assert "2 of " in whole.inner_text()
    page.once("dialog", lambda dialog: dialog.dismiss())
    whole.get_by_role("button").click()
    assert lines.count() == 1
    page.once("dialog", lambda dialog: dialog.accept())
    whole.get_by_role("button").click()
    assert lines.count() == 0
    assert whole.is_hidden()
    page.goto("fcn.html")
    assert page.locator(".question-progress", has_text="6 questions.").is_visible()


def test_a_chapter_that_is_open_beside_another_one_keeps_its_answers(page: Page) -> None:
    page.goto("fcn.html")
    other = page.context.new_page()
    other.goto("tasks.html")
    answer(page, 0, right=True)
    page.locator(".question-progress", has_text="1 of 6").wait_for()
    answer(other, 0, right=True)
    other.locator(".question-progress", has_text="1 of 5").wait_for()
    page.goto("intro.html")

    assert page.locator(".chapter-answers:visible").count() == 2


def test_nothing_is_shown_where_nothing_counts(page: Page) -> None:
    shown = page.locator(".chapter-answers:visible, .question-progress:visible")
    page.goto("intro.html")
    for stored in ("{broken", "7", "null", '{"fcn-1-00000000": 1}'):
        page.evaluate("([key, value]) => localStorage.setItem(key, value)", [KEY, stored])
        page.reload()
        assert shown.count() == 0


def test_without_storage_a_page_remembers_until_it_is_left(page: Page) -> None:
    page.add_init_script(_FORBID)
    page.goto("fcn.html")
    answer(page, 0, right=True)
    page.locator(".question-progress", has_text="1 of 6 answered, 1 right").wait_for()
    page.goto("intro.html")

    assert page.locator(".question-progress:visible").count() == 0


def test_every_chapter_has_its_line(page: Page) -> None:
    page.goto("intro.html")

    data = page.evaluate('JSON.parse(document.getElementById("chapter-questions").textContent)')
    assert len(data) == page.locator("table .chapter-answers").count() == 13
