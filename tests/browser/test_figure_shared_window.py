"""The figure of shared windows: as right as torch, pointed at, dragged, used by keyboard."""

from __future__ import annotations

import re

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

pytestmark = pytest.mark.browser
NAME = "shared-window"


def network(pooling: nn.Module) -> nn.Sequential:
    """The page's network of 14 × 14, converted."""
    layers = [nn.Conv2d(3, 16, 5), nn.ReLU(), pooling]
    return nn.Sequential(*layers, nn.Conv2d(16, 400, 5), nn.ReLU(), nn.Conv2d(400, 4, 1))


def seen_by(n: int, outputs: list[list[int]]) -> list[list[tuple[int, ...]]]:
    """For each output, the box of what gets a gradient in the image and in every map.

    Pooling by the mean has the windows of pooling by the maximum, but all of a window counts.
    """
    model = network(nn.AvgPool2d(2))
    for weights in model.parameters():
        nn.init.constant_(weights, 0.01)
    maps = [torch.ones(1, 3, n, n, requires_grad=True)]
    for layer in model:
        maps.append(layer(maps[-1]))
    kept = [maps[0], maps[1], maps[3], maps[4], maps[6]]  # without those after a ReLU
    boxes = []
    for row, column in outputs:
        grads = torch.autograd.grad(maps[-1][0, 0, row, column], kept, retain_graph=True)
        boxes.append([])
        for one in grads:
            rows, columns = (one[0].sum(0) != 0).nonzero().unbind(1)
            box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            boxes[-1].append(tuple(int(value) for value in box))
    return boxes


def multiply_adds(model: nn.Module, n: int) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.rand(1, 3, n, n))
    return counter.get_total_flops() // 2


def work(n: int) -> dict[str, list[int]]:
    """Multiply-adds of the convolution and of the rest, for the crops and for one pass."""
    model = network(nn.MaxPool2d(2))
    outputs = model(torch.rand(1, 3, n, n)).shape[2] ** 2
    parts = {}
    for name, side, times in (("crops", 14, outputs), ("onePass", n, 1)):
        convolution = multiply_adds(model[0], side)
        parts[name] = [times * convolution, times * (multiply_adds(model, side) - convolution)]
    return parts


def state(figure: Figure) -> tuple[int, tuple[int, int]]:
    """The side of the image, and the output that is chosen."""
    said = re.match(r"output in row (\d+), column (\d+)", figure.said("window"))
    return int(figure.root.locator("input[type=range]").input_value()), (int(said[1]), int(said[2]))


def whole(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text.replace("\u202f", ""))]


def assert_numbers_are_right(figure: Figure) -> None:
    n, chosen = state(figure)
    outputs = network(nn.MaxPool2d(2))(torch.rand(1, 3, n, n)).shape[2]
    places = [[row, column] for row in range(outputs) for column in range(outputs)]
    windows = dict(zip(map(tuple, places), (boxes[0] for boxes in seen_by(n, places)), strict=True))
    assert tuple(whole(figure.said("window"))[2:]) == windows[chosen]
    masks = torch.zeros(len(places), n, n, dtype=torch.bool)
    for mask, (x1, y1, x2, y2) in zip(masks, windows.values(), strict=True):
        mask[y1:y2, x1:x2] = True
    here = masks[places.index(list(chosen))]
    shares = (masks & here).sum(dim=(1, 2)) / here.sum() * 100
    texts = figure.root.locator(".numbers-text").all_text_contents()
    assert [int(text) for text in texts] == shares.round().int().tolist()
    if outputs > 1:
        row, column = chosen
        beside = [row, column + 1 if column + 1 < outputs else column - 1]
        shared = int((masks[places.index(beside)] & here).sum())
        assert whole(figure.said("shared"))[2:4] == [shared, 14 * 14]
    assert bool(figure.said("unused")) == (not masks.any(dim=0).all())
    if figure.said("crops"):
        expected = work(n)
        for name, key in (("crops", "crops"), ("pass", "onePass")):
            assert whole(figure.said(name)) == [*expected[key], sum(expected[key])]
        ratio = sum(expected["crops"]) / sum(expected["onePass"])
        assert figure.number("ratio") == pytest.approx(ratio, abs=6e-3)


def test_windows_are_those_of_gradients(figure: Figure) -> None:
    table, expected = [], []
    for n in (14, 16, 17, 28, 32):
        side = figure.call("mapSides", n)[-1]
        outputs = [[row, column] for row in range(side) for column in range(side)]
        table += [[output] for output in outputs]
        expected += seen_by(n, outputs)
    assert len(table) > 160
    assert [[tuple(box) for box in boxes] for boxes in figure.calls("windowsOf", table)] == expected


def test_sides_and_multiply_adds_are_torch_s(figure: Figure) -> None:
    sides = range(14, 33)
    model = network(nn.MaxPool2d(2))
    for n, seen in zip(sides, figure.calls("mapSides", [[n] for n in sides]), strict=True):
        image = torch.rand(1, 3, n, n)
        assert seen == [n, *(model[:last](image).shape[2] for last in (1, 3, 4, 6))]
    for n, seen in zip(sides, figure.calls("multiplyAdds", [[n] for n in sides]), strict=True):
        for name, parts in work(n).items():
            assert [seen[name]["convolution"], seen[name]["connected"]] == parts


def test_it_starts_with_the_lecture_s_image(figure: Figure) -> None:
    assert state(figure) == (16, (0, 0))
    assert figure.said("crops") == ""  # the page asks for it later
    assert_numbers_are_right(figure)


def test_pointed_at_and_dragged(figure: Figure) -> None:
    figure.slide("side of the image", 28)
    figure.root.locator(".numbers-press").nth(8 * 3 + 5).hover(force=True)
    assert state(figure) == (28, (3, 5))
    assert_numbers_are_right(figure)
    window = figure.root.get_by_role("application", name=re.compile("window"))
    figure.drag(window, -2.2 * 2 * 312 / 28, 2 * 312 / 28)
    assert state(figure)[1] == (4, 3)
    figure.drag(window, 400, 400)
    assert state(figure)[1] == (7, 7)
    assert_numbers_are_right(figure)


def test_every_image_and_its_work(figure: Figure) -> None:
    figure.root.get_by_label("count the multiply-adds").check()
    for n in (28, 27, 22, 15, 14):
        figure.slide("side of the image", n)
        figure.root.locator(".numbers-press").last.click(force=True)
        assert_numbers_are_right(figure)


def test_by_keyboard(figure: Figure) -> None:
    figure.slide("side of the image", 20)
    frame = figure.root.get_by_role("application", name="output in row 0, column 0", exact=True)
    frame.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        figure.page.keyboard.press(key)
    assert state(figure)[1] == (1, 2)
    figure.root.get_by_role("application", name=re.compile("window")).focus()
    figure.page.keyboard.press("ArrowDown")
    figure.page.keyboard.press("ArrowLeft")
    assert state(figure)[1] == (2, 1)
    assert_numbers_are_right(figure)


def test_on_a_phone(phone: Figure) -> None:
    assert_fits(phone)
    phone.root.get_by_label("count the multiply-adds").check()
    phone.slide("side of the image", 28)
    assert_fits(phone)
    phone.root.locator(".numbers-press").nth(47).click(force=True)
    assert state(phone) == (28, (5, 7))
    assert_numbers_are_right(phone)
