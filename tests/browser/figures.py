"""One interactive figure on its page, as a test drives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

_SET_SLIDER = """(slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
}"""


class Figure:
    """A figure in an open page.

    Args:
        page: it has the figure, and the figure's script has run.
        name: of the figure.
    """

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        self.root = page.locator(f'[data-figure="{name}"]')
        self.root.scroll_into_view_if_needed()
        page.wait_for_selector(f'[data-figure="{name}"][data-ready]')

    def call(self, function: str, *arguments: Any) -> Any:
        """What a function that the figure's module exports makes of these arguments."""
        script = """async ([name, function_, given]) =>
            (await import(`figures/${name}`))[function_](...given)"""
        return self.page.evaluate(script, [self.name, function, list(arguments)])

    def calls(self, function: str, table: list[list[Any]]) -> list[Any]:
        """The same for every row of a table, in one go."""
        script = """async ([name, function_, table]) => {
            const module = await import(`figures/${name}`);
            return table.map((given) => module[function_](...given));
        }"""
        return self.page.evaluate(script, [self.name, function, table])

    def said(self, name: str) -> str:
        """A line of the values that the figure shows."""
        return self.root.locator(f'[data-value="{name}"]').inner_text().replace("−", "-")

    def number(self, name: str) -> float:
        """The number at the end of such a line, behind the last equals sign."""
        return float(self.said(name).rpartition("= ")[2])

    def slide(self, label: str, value: float) -> None:
        """Move a slider to a value."""
        self.root.get_by_label(label, exact=False).evaluate(_SET_SLIDER, str(value))

    def press(self, text: str) -> None:
        """Click a button by its text."""
        self.root.get_by_role("button", name=text, exact=True).click()

    def drag(self, what: Locator, dx: float, dy: float) -> None:
        """Drag a part of the drawing by so many units of the drawing."""
        scale = what.evaluate("part => part.ownerSVGElement.getScreenCTM().a")
        box = what.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx * scale, y + dy * scale, steps=4)
        self.page.mouse.up()


def page_of(site: Path, name: str) -> str:
    """The page of a site that has a figure."""
    mark = f'data-figure="{name}"'
    return next(p.name for p in sorted(site.glob("*.html")) if mark in p.read_text("utf-8"))


@contextmanager
def open_figure(browser: Browser, site: Path, base: str, name: str, width: int) -> Iterator[Figure]:
    """Open a figure's page afresh, at a width in pixels."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(5_000)
        page.goto(f"{base}{page_of(site, name)}")
        yield Figure(page, name)
    finally:
        context.close()
