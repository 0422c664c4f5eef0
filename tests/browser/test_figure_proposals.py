"""The figure of proposals: the page's boxes, and recall as torchvision's IoU gives it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torchvision import ops

import detseg

pytestmark = pytest.mark.browser
NAME = "proposals"
PAGE = Path(detseg.__file__).resolve().parents[1] / "book" / "rcnn.md"
RANDOM_SEED = 33  # the figure's first


@cache
def data_of(figure: Figure) -> dict[str, Any]:
    return figure.page.evaluate('async () => (await import("figures/proposals-data")).default')


def page_grid(per_axis: int, side: int) -> torch.Tensor:
    """The grid of the page, whose own image is 128 wide, scaled to another one."""
    source = re.search(r"^def grid_boxes.*?\n(?=\n\n)", PAGE.read_text("utf-8"), re.S | re.M)
    assert source is not None
    names: dict[str, Any] = {"torch": torch}
    exec(source[0], names)
    return names["grid_boxes"](per_axis).double() * side / 128


def chosen(figure: Figure) -> str:
    return figure.root.locator("input[type=radio]:checked").get_attribute("value")


def number_of(figure: Figure) -> int:
    slider = figure.root.get_by_label("number of proposals")
    return 9 * int(slider.input_value()) ** 2


def boxes_of(figure: Figure, source: str, number: int, seed: int) -> torch.Tensor:
    side = data_of(figure)["side"]
    if source == "grid":
        return page_grid(round((number / 9) ** 0.5), side)
    if source == "random":
        boxes = figure.call("randomBoxes", number, side, seed)
    else:
        boxes = data_of(figure)["searched"][:number]
    return torch.tensor(boxes, dtype=torch.float64)


def assert_numbers_are_right(figure: Figure, seed: int = RANDOM_SEED) -> None:
    """Recall and each best IoU are torchvision's for the boxes of the state that is shown."""
    source, number = chosen(figure), number_of(figure)
    boxes = boxes_of(figure, source, number, seed)
    truths = torch.tensor(data_of(figure)["truths"], dtype=torch.float64)
    threshold = float(figure.root.get_by_label("IoU threshold").input_value())
    best = ops.box_iou(truths, boxes).amax(dim=1)
    recall = (best >= threshold).double().mean().item()
    assert figure.number("recall") == pytest.approx(recall, abs=6e-3)
    assert f"{number:,}".replace(",", "\u202f") + " boxes" in figure.said("recall")
    said = [float(value) for value in re.findall(r"\d\.\d{3}", figure.said("best"))]
    assert said == pytest.approx(best.tolist(), abs=6e-4)
    marks = figure.root.locator("[data-thing] text").all_text_contents()
    assert ["✓" in mark for mark in marks] == (best >= threshold).tolist()


def test_data_is_that_of_the_page(figure: Figure) -> None:
    data = data_of(figure)
    photo = detseg.photo("astronaut")
    searched = detseg.selective_search(photo, scales=(100, 200, 400))
    assert data["side"] == photo.shape[1] == photo.shape[2]
    assert data["searched"] == searched[: 9 * 12**2].tolist()
    by_hand = re.search(r"by_hand = torch\.tensor\((.*?)\)", PAGE.read_text("utf-8"), re.S)
    assert data["truths"] == ast.literal_eval(by_hand[1].strip())


def test_same_numbers_as_torchvision(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(6)
    table, expected, recalls = [], [], []
    for case in range(200):
        truths, proposals = (
            torch.cat([start, start + 9 * torch.rand(count, 2, generator=generator)], dim=1)
            for count in (1 + case % 6, 1 + case % 17)
            for start in [9 * torch.rand(count, 2, generator=generator)]
        )
        best, index = ops.box_iou(truths.double(), proposals.double()).max(dim=1)
        threshold = 0.1 + case / 400
        table.append([truths.tolist(), proposals.tolist(), threshold])
        expected.append((best, index))
        recalls.append((best >= threshold).double().mean().item())
    seen = figure.calls("bestProposals", [row[:2] for row in table])
    for found, (best, index) in zip(seen, expected, strict=True):
        assert [one["iou"] for one in found] == pytest.approx(best.tolist(), abs=1e-6)
        hit = best > 0
        assert torch.equal(torch.tensor([one["index"] for one in found])[hit], index[hit])
    assert figure.calls("recall", table) == pytest.approx(recalls, abs=1e-6)
    assert figure.call("recall", [[0, 0, 2, 1]], [[0, 0, 2, 2]], 0.5) == 1  # equal is enough
    assert figure.call("recall", [[0, 0, 2, 1]], [], 0.5) == 0


def test_grid_and_random_boxes(figure: Figure) -> None:
    for per_axis in (1, 2, 5, 12):
        grid = torch.tensor(figure.call("gridBoxes", per_axis, 512), dtype=torch.float64)
        torch.testing.assert_close(grid, page_grid(per_axis, 512), atol=1e-3, rtol=0)
    boxes = torch.tensor(figure.call("randomBoxes", 3000, 512, 5), dtype=torch.float64)
    assert figure.call("randomBoxes", 3, 512, 5) == boxes[:3].tolist()
    assert boxes.min() >= 0
    assert boxes.max() <= 512
    # The smaller and the larger of two uniform numbers: thirds of the side on average.
    thirds = torch.tensor([1.0, 1, 2, 2]) * 512 / 3
    torch.testing.assert_close(boxes.mean(dim=0), thirds.double(), atol=8, rtol=0)


def test_it_starts_with_what_the_search_finds_in_81_boxes(figure: Figure) -> None:
    assert (chosen(figure), number_of(figure)) == ("search", 81)
    assert figure.number("recall") == 1
    assert_numbers_are_right(figure)


def test_dragging_the_line_changes_the_number(figure: Figure) -> None:
    line = figure.root.locator(".proposals-number")
    figure.drag(line, -300, 0)
    assert number_of(figure) == 9
    assert_numbers_are_right(figure)
    figure.drag(line, 284 * 2 / 3, 0)  # logarithmic: 9 · 144^(2/3) = 247
    assert number_of(figure) == 225
    assert_numbers_are_right(figure)


def test_every_source_at_some_numbers_and_thresholds(figure: Figure) -> None:
    for source in ("grid", "random", "Selective Search"):
        figure.root.get_by_label(source, exact=True).check()
        for step, threshold in ((1, 0.05), (6, 0.5), (12, 0.7), (12, 0.95)):
            figure.slide("number of proposals", step)
            figure.slide("IoU threshold", threshold)
            assert_numbers_are_right(figure)


def test_by_keyboard(figure: Figure) -> None:
    keyboard = figure.page.keyboard
    figure.root.get_by_label("Selective Search").focus()
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    assert chosen(figure) == "random"
    keyboard.press("Tab")
    keyboard.press("Enter")  # other random boxes
    assert_numbers_are_right(figure, RANDOM_SEED + 1)
    keyboard.press("Tab")
    keyboard.press("ArrowRight")
    assert number_of(figure) == 144
    keyboard.press("Tab")
    keyboard.press("ArrowLeft")
    assert figure.said("recall").startswith("random, 144 boxes: recall at IoU 0.45")
    assert_numbers_are_right(figure, RANDOM_SEED + 1)


def test_on_a_phone(phone: Figure) -> None:
    assert_fits(phone)
    phone.drag(phone.root.locator(".proposals-number"), 400, 0)
    assert number_of(phone) == 9 * 12**2
    assert_numbers_are_right(phone)
    phone.root.get_by_label("grid").check()
    phone.slide("IoU threshold", 0.6)
    assert_numbers_are_right(phone)
    assert_fits(phone)
