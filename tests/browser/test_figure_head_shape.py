"""The channels of a single-stage head: their number, their order, and the rows that they become."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torch import nn
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.models.detection.ssd import SSDHead

pytestmark = pytest.mark.browser
NAME = "head-shape"
CELLS = 100_000  # more than any map here has


class Numbered(nn.Module):
    """In place of a head's last layer: at every cell each channel says its own number."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.channels = layer.out_channels

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        height, width = features.shape[2:]
        cells = torch.arange(height * width).view(1, 1, height, width)
        return cells + CELLS * torch.arange(self.channels).view(1, -1, 1, 1)


def numbered_lists(
    map_hw: list[int], anchors: int, classes: int, softmax: bool
) -> list[torch.Tensor]:
    """What torchvision makes of numbered channels: rows × numbers, each CELLS · channel + cell."""
    features = [torch.zeros(1, 2, *map_hw)]
    if softmax:
        head: Any = SSDHead([2], [anchors], classes + 1)
        for part in (head.classification_head, head.regression_head):
            part.module_list[0] = Numbered(part.module_list[0])
    else:
        head = RetinaNetHead(2, anchors, classes)
        for part, name in (
            (head.classification_head, "cls_logits"),
            (head.regression_head, "bbox_reg"),
        ):
            part.conv = nn.Identity()
            setattr(part, name, Numbered(getattr(part, name)))
    with torch.no_grad():
        outputs = head(features)
    return [outputs[name][0] for name in ("cls_logits", "bbox_regression")]


def numbers(figure: Figure, name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", figure.said(name))]


def field(figure: Figure, label: str) -> int:
    return int(figure.root.get_by_label(label).input_value())


def assert_numbers_are_right(figure: Figure) -> None:
    """Shapes, channels and the row shown are those of torchvision for the controls shown."""
    stride = int(figure.root.get_by_role("group", name="stride").locator(":checked").input_value())
    map_hw = [field(figure, "height") // stride, field(figure, "image width") // stride]
    anchors, classes = field(figure, "anchors K"), field(figure, "classes C")
    softmax = figure.root.get_by_label("softmax").is_checked()
    scores, boxes = numbered_lists(map_hw, anchors, classes, softmax)
    cells = map_hw[0] * map_hw[1]
    assert numbers(figure, "map")[-2:] == map_hw
    assert numbers(figure, "scores")[-4:] == [1, scores.numel() // cells, *map_hw]
    assert numbers(figure, "boxes")[-4:] == [1, boxes.numel() // cells, *map_hw]
    assert numbers(figure, "lists") == [1, *scores.shape, 1, *boxes.shape]
    i, j, anchor = numbers(figure, "row")[:3]
    row = int(figure.number("row"))
    for number, output in enumerate((scores, boxes)):
        channels = [value // CELLS for value in output[row].long().tolist()]
        assert {value % CELLS for value in output[row].long().tolist()} == {i * map_hw[1] + j}
        title = figure.root.locator("svg text", has_text=f"anchor {anchor}: channels").nth(number)
        ends = [channels[0], channels[-1]] if len(channels) > 1 else channels
        assert f"channels {'–'.join(map(str, ends))}" in (title.text_content() or "")
    lines = figure.root.locator(".head-row")
    assert lines.count() == anchors
    line = lines.nth(anchor).locator("text").all_text_contents()
    assert line[:2] == [str(row), str(anchor)]


def test_rows_and_channels_are_those_of_torchvision(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(4)
    for softmax in (True, False):
        table, expected = [], []
        for case in range(25):
            height, width, anchors, classes = torch.randint(
                1, 7 if case else 2, (4,), generator=generator
            ).tolist()
            given = [[8 * height, 8 * width], 8, anchors, classes, softmax]
            shape = figure.call("headShape", *given)
            lists = numbered_lists([height, width], anchors, classes, softmax)
            assert shape["mapHw"] == [height, width]
            assert (shape["rows"], shape["perAnchor"]) == tuple(lists[0].shape)
            assert shape["scoreChannels"] * height * width == lists[0].numel()
            assert shape["boxChannels"] * height * width == lists[1].numel()
            for _ in range(8):
                i, j, k = (
                    int(torch.randint(limit, (), generator=generator))
                    for limit in (height, width, anchors)
                )
                table.append([shape, i, j, k])
                expected.append((lists, i * width + j))
        for (lists, cell), seen in zip(expected, figure.calls("place", table), strict=True):
            for output, name in zip(lists, ("scores", "boxes"), strict=True):
                first, last = seen[name]
                channels = [CELLS * channel + cell for channel in range(first, last + 1)]
                assert output[seen["row"]].tolist() == channels


def test_it_starts_with_the_page_s_head(figure: Figure) -> None:
    assert numbers(figure, "scores")[-4:] == [1, 189, 15, 20]
    assert numbers(figure, "boxes")[-4:] == [1, 36, 15, 20]
    assert numbers(figure, "lists") == [1, 2700, 21, 1, 2700, 4]
    assert_numbers_are_right(figure)


def test_a_cell_and_a_row_are_chosen_by_mouse(figure: Figure) -> None:
    figure.drag(figure.root.locator(".head-handle").first, 3 * 8, -8)  # cells of 8 units
    assert numbers(figure, "row")[:2] == [6, 13]
    assert_numbers_are_right(figure)
    size = figure.root.locator(".figure-hit:not(.figure-movable):not(.figure-grid)").nth(1)
    box = size.bounding_box()
    assert box is not None
    figure.page.mouse.click(box["x"] + 0.99 * box["width"], box["y"] + 0.99 * box["height"])
    assert numbers(figure, "row")[:2] == [14, 19]
    figure.root.locator(".head-row").nth(8).click()
    assert figure.number("row") == 2699
    assert figure.root.get_by_label("chosen anchor").input_value() == "8"
    assert_numbers_are_right(figure)


def test_keys_go_by_one_cell_on_any_map(figure: Figure) -> None:
    handle = figure.root.locator(".head-handle").first
    for label in ("image width", "height"):
        figure.root.get_by_label(label).fill("1024")
        figure.root.get_by_label(label).blur()
    figure.root.get_by_label("16", exact=True).focus()
    figure.page.keyboard.press("ArrowLeft")  # stride 8
    handle.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        figure.page.keyboard.press(key)
    assert handle.get_attribute("aria-label") == "Cell in row 6, column 12"
    assert numbers(figure, "map")[-2:] == [128, 128]
    assert_numbers_are_right(figure)
    for _ in range(7):
        figure.page.keyboard.press("ArrowUp")
    assert handle.get_attribute("aria-label") == "Cell in row 0, column 12"


def test_every_size_is_followed(figure: Figure) -> None:
    figure.slide("anchors K", 3)
    assert_numbers_are_right(figure)  # the chosen anchor, 3, is gone: the last one is chosen
    assert numbers(figure, "row")[2] == 2
    figure.root.get_by_label("sigmoids").check()
    assert_numbers_are_right(figure)
    for classes in (80, 3, 1):
        figure.slide("classes C", classes)
        assert_numbers_are_right(figure)
    figure.root.get_by_label("image width").fill("33")  # mended to 32
    figure.root.get_by_label("image width").blur()
    assert numbers(figure, "map")[-2:] == [15, 1]
    assert_numbers_are_right(figure)
    figure.slide("anchors K", 12)
    figure.slide("chosen anchor", 11)
    assert_numbers_are_right(figure)


def test_on_a_phone_nothing_sticks_out(phone: Figure) -> None:
    phone.slide("anchors K", 12)
    phone.slide("classes C", 80)
    assert_fits(phone)
    phone.drag(phone.root.locator(".head-handle").nth(1), 8, 8)
    assert numbers(phone, "row")[:2] == [8, 11]
    assert_numbers_are_right(phone)
