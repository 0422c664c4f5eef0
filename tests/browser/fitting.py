"""What every figure owes to a phone's screen."""

from __future__ import annotations

from figures import Figure

_TEXTS = """all => all.filter((text) => text.getBoundingClientRect().width > 0).map((text) => {
    const { left, right } = text.getBoundingClientRect();
    const size = parseFloat(text.getAttribute("font-size"));
    return [text.textContent, left, right, size * text.ownerSVGElement.getScreenCTM().a];
})"""


def assert_fits(figure: Figure) -> None:
    """Nothing sticks out sideways, and the words of its drawings can be read."""
    width = figure.page.viewport_size["width"]
    assert figure.page.evaluate("document.documentElement.scrollWidth") <= width
    stage = figure.root.locator(".figure-stage").bounding_box()
    for text, left, right, size in figure.root.locator("svg text").evaluate_all(_TEXTS):
        assert stage["x"] <= left < right <= stage["x"] + stage["width"], text
        assert size >= 10, text
