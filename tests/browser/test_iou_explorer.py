"""The interactive figure of the chapter `iou-nms`: dragged, typed into, and used by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from playwright.sync_api import Browser, Page
from torchvision import ops

pytestmark = pytest.mark.browser


@pytest.fixture(params=[1280, 390], ids=["wide", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, bases: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(5_000)
    opened.goto(f"{bases[-1]}iou-nms.html")
    opened.locator(".iou-explorer svg").first.scroll_into_view_if_needed()
    yield opened
    context.close()


def coordinates(page: Page, name: str) -> list[float]:
    inputs = page.locator(f".iou-numbers.iou-{name} input")
    return [float(inputs.nth(index).input_value()) for index in range(4)]


def assert_numbers_are_right(page: Page) -> None:
    """What the figure says is what torchvision says about the boxes that it shows."""
    boxes = [torch.tensor([coordinates(page, name)]) for name in "AB"]
    said = page.inner_text(".iou-explorer .iou-result").replace("−", "-")
    for name, operator in (("IoU", ops.box_iou), ("GIoU", ops.generalized_box_iou)):
        line = next(line for line in said.split("\n") if line.startswith(f"{name} "))
        assert float(line.rpartition("= ")[2]) == pytest.approx(float(operator(*boxes)), abs=6e-4)


def test_it_starts_with_the_worked_case(page: Page) -> None:
    assert coordinates(page, "A") == [2, 1, 8, 5]
    assert coordinates(page, "B") == [5, 3, 9, 7]
    assert_numbers_are_right(page)


def test_dragging_a_box_moves_it(page: Page) -> None:
    body = page.locator(".iou-B .iou-body").bounding_box()
    assert body is not None
    square = body["width"] / 4  # box B is 4 squares wide
    x, y = body["x"] + body["width"] / 2, body["y"] + body["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 3 * square, y + square, steps=4)
    page.mouse.up()
    assert coordinates(page, "B") == [8, 4, 12, 8]
    assert_numbers_are_right(page)


def test_arrow_keys_move_and_shift_resizes(page: Page) -> None:
    page.locator(".iou-A .iou-body").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert coordinates(page, "A") == [3, 1, 9, 6]
    assert_numbers_are_right(page)


def test_every_preset_and_typed_number_is_followed(page: Page) -> None:
    buttons = page.locator(".iou-explorer button")
    assert buttons.count() >= 4
    for index in range(buttons.count()):
        buttons.nth(index).click()
        assert_numbers_are_right(page)
    first = page.locator(".iou-numbers.iou-A input").first
    first.fill("0")
    first.blur()
    assert coordinates(page, "A")[0] == 0
    assert_numbers_are_right(page)
