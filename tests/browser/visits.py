"""Open every page of a site in a browser and write down what was seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

PHONE_WIDTH = 360
SMALLEST_TEXT = 12  # pixels of the page

# Everything is measured with all folds open: what is folded away is read, too.
_OPEN_FOLDS = "document.querySelectorAll('details').forEach(fold => { fold.open = true })"
# What fades in is pale for a moment.
_AT_ONCE = "* { animation: none !important; transition: none !important }"
# axe-core would fetch style sheets once more, which a page opened from a file may not.
_AXE = {"resultTypes": ["violations"], "preload": False}
_LOAD_IMAGES = "for (const image of document.images) image.loading = 'eager'"
_WEIGHT = """() => performance.getEntries()
    .filter(entry => entry.encodedBodySize !== undefined && !entry.name.includes("mathjax"))
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""
_MATHS_DONE = "window.MathJax?.startup?.promise?.then(() => true) ?? true"
_MATHS = """() => ({
    formulas: document.querySelectorAll('.math').length,
    rendered: document.querySelectorAll('mjx-container').length,
    wrong: [...document.querySelectorAll(
        '[data-mml-node="merror"], [data-mjx-error], [data-mml-node="mtext"][fill="red"]'
    )].map(node => node.closest('mjx-container').parentElement.textContent.slice(0, 80)),
    wide: [...document.querySelectorAll('div.math mjx-container')]
        .filter(formula => formula.scrollWidth > formula.clientWidth + 1)
        .map(formula => formula.textContent.slice(0, 80)),
})"""
_BAD_IMAGES = """() => [...document.images]
    .filter(image => !image.alt.trim() || !image.complete || image.naturalWidth === 0)
    .map(image => image.outerHTML.slice(0, 120))"""
_TOO_WIDE = """width => {
    if (document.scrollingElement.scrollWidth <= width) return [];
    const scrolls = node => {
        for (let up = node.parentElement; up && up !== document.body; up = up.parentElement)
            if (getComputedStyle(up).overflowX !== 'visible') return true;
        return false;
    };
    return [...document.body.querySelectorAll('*')]
        .filter(node => node.getBoundingClientRect().right > width + 1 && !scrolls(node))
        .map(node => node.outerHTML.slice(0, 120));
}"""

_TOO_SMALL = """least => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const small = [];
    while (texts.nextNode()) {
        const inside = texts.currentNode.parentElement;
        if (inside.closest('svg, mjx-container') || !inside.checkVisibility()) continue;
        const text = texts.currentNode.data.trim();
        if (text && parseFloat(getComputedStyle(inside).fontSize) < least) small.push(text);
    }
    return small;
}"""


@dataclass
class Visit:
    """One page, opened in one way.

    Args:
        where: its address.
        console_errors: errors on the console and exceptions of scripts.
        failed_requests: addresses that could not be had, with the reason.
        other_hosts: addresses elsewhere that the page asked for.
        formulas: number of places with maths.
        rendered: number of formulas that MathJax has set.
        wrong_formulas: text of those that it could not read.
        wide_formulas: text of those that do not fit a desk's column.
        bad_images: images without text, or that did not load.
        too_wide: elements that make a phone scroll sideways.
        too_small: words that nobody can read on a phone.
        themes: the themes seen while pressing the theme button three times.
        weight: bytes of all that was fetched, uncompressed and without MathJax; from a server.
        violations: what axe-core calls serious or critical, by theme; from a file.
    """

    where: str
    console_errors: list[str] = field(default_factory=list)
    failed_requests: list[str] = field(default_factory=list)
    other_hosts: list[str] = field(default_factory=list)
    formulas: int = 0
    rendered: int = 0
    wrong_formulas: list[str] = field(default_factory=list)
    wide_formulas: list[str] = field(default_factory=list)
    bad_images: list[str] = field(default_factory=list)
    too_wide: list[str] = field(default_factory=list)
    too_small: list[str] = field(default_factory=list)
    themes: set[str] = field(default_factory=set)
    weight: int = 0
    violations: list[str] = field(default_factory=list)


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a folder on this machine; yields the address of its top."""
    handler = partial(_QuietHandler, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *message: Any) -> None:
        """Say nothing: the test's own output matters."""


def pages_of(site: Path) -> list[str]:
    """Names of all pages, relative to the top; `index.html` is none, it shows the first."""
    names = (path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return sorted(
        name for name in names if name != "index.html" and not name.startswith("_static/")
    )


def visit(browser: Browser, base: str, name: str) -> Visit:
    """Open one page afresh, look at it on a desk and on a phone.

    Args:
        browser: a running browser.
        base: address of the site's top, with a final slash.
        name: the page, relative to it; may have a query.

    Returns:
        What was seen.
    """
    seen = Visit(base + name)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        _listen(page, seen, base)
        page.goto(seen.where, wait_until="load")
        page.evaluate(_MATHS_DONE)
        page.evaluate(_LOAD_IMAGES)
        page.wait_for_load_state("networkidle")
        seen.weight = page.evaluate(_WEIGHT)
        page.add_style_tag(content=_AT_ONCE)
        page.evaluate(_OPEN_FOLDS)
        if base.startswith("file:"):
            seen.violations = _violations(page)
        _look(page, seen)
    finally:
        context.close()
    return seen


def _listen(page: Page, seen: Visit, base: str) -> None:
    own = urlsplit(base)

    def asked(request: Any) -> None:
        url = urlsplit(request.url)
        inside = url.scheme in ("data", "blob") or (url.scheme, url.netloc) == own[:2]
        if not inside:
            seen.other_hosts.append(request.url)

    def answered(response: Any) -> None:
        if response.status >= 400:
            seen.failed_requests.append(f"{response.url}: {response.status}")

    def failed(request: Any) -> None:
        seen.failed_requests.append(f"{request.url}: {request.failure}")

    def said(message: Any) -> None:
        if message.type == "error":
            seen.console_errors.append(message.text)

    page.on("request", asked)
    page.on("response", answered)
    page.on("requestfailed", failed)
    page.on("console", said)
    page.on("pageerror", lambda error: seen.console_errors.append(str(error)))


def _violations(page: Page) -> list[str]:
    found = []
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        for rule in Axe().run(page, options=_AXE).response["violations"]:
            if rule["impact"] in ("serious", "critical"):
                places = [node["html"][:120] for node in rule["nodes"]]
                found.append(f"{theme}: {rule['id']}, {len(places)} times: {places[:3]}")
    return found


def _look(page: Page, seen: Visit) -> None:
    maths = page.evaluate(_MATHS)
    seen.formulas, seen.rendered = maths["formulas"], maths["rendered"]
    seen.wrong_formulas, seen.wide_formulas = maths["wrong"], maths["wide"]
    seen.bad_images = page.evaluate(_BAD_IMAGES)
    button = page.locator(".theme-switch-button:visible").first
    for _ in range(3 if button.count() else 0):
        button.click()
        seen.themes.add(page.evaluate("document.documentElement.dataset.theme"))
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 844})
    seen.too_wide = page.evaluate(_TOO_WIDE, PHONE_WIDTH)
    seen.too_small = page.evaluate(_TOO_SMALL, SMALLEST_TEXT)
