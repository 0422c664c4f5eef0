"""One interactive figure on its page, as a test drives it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

_MATHS = re.compile("mathjax", re.I)

# A module of another address is run anew, and builds its figure anew.
_MOUNT_AGAIN = """async (name) => {
    const figure = document.querySelector(`[data-figure="${name}"]`);
    delete figure.dataset.ready;
    const map = JSON.parse(document.querySelector("script[type=importmap]").textContent);
    window.mounts = (window.mounts ?? 0) + 1;
    await import(`${map.imports[`figures/${name}`]}#${window.mounts}`);
}"""

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
        self.root.get_by_role("slider", name=label, exact=True).evaluate(_SET_SLIDER, str(value))

    def press(self, text: str) -> None:
        """Click a button by its text."""
        self.root.get_by_role("button", name=text, exact=True).click()

    def drag(self, what: Locator, dx: float, dy: float) -> None:
        """Drag a part of the drawing by so many units of the drawing."""
        # In the middle of the screen, where no bar of the page lies over it.
        scale = what.evaluate("""part => {
            part.scrollIntoView({ block: "center", behavior: "instant" });
            return part.ownerSVGElement.getScreenCTM().a;
        }""")
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


def mounted_again(page: Page, name: str) -> Figure:
    """The figure of an open page as it is at first, whatever was done to it before."""
    page.mouse.move(0, 0)
    page.evaluate(_MOUNT_AGAIN, name)
    return Figure(page, name)


@contextmanager
def open_page(browser: Browser, site: Path, base: str, name: str, width: int) -> Iterator[Page]:
    """Open a figure's page at a width in pixels, without its maths, which takes long."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.route(_MATHS, lambda route: route.abort())
    try:
        page = context.new_page()
        page.set_default_timeout(5_000)
        page.goto(f"{base}{page_of(site, name)}")
        yield page
    finally:
        context.close()
