"""Anchors on a scene: where they are, and which are positive, forced, neutral and negative."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torchvision import ops
from torchvision.models.detection._utils import Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList

pytestmark = pytest.mark.browser
NAME = "anchors"
SCALES, RATIOS = (20, 28, 40, 56), (0.5, 1, 2)
KINDS = ("positive", "forced", "neutral", "negative")

_DATA = 'async () => (await import("figures/anchors-data")).default'


def kinds_of(iou: torch.Tensor, high: float, low: float) -> list[str]:
    """By torchvision's matcher, with and without its second rule; IoUs are (things, anchors)."""
    # Equal in mathematics is equal here too: torchvision compares floats.
    iou = torch.round(iou, decimals=9)
    plain = Matcher(high, low)(iou.clone())
    matched = Matcher(high, low, allow_low_quality_matches=True)(iou.clone())
    names = torch.full_like(plain, KINDS.index("neutral"))
    names[matched == Matcher.BELOW_LOW_THRESHOLD] = KINDS.index("negative")
    names[(plain < 0) & (matched >= 0)] = KINDS.index("forced")
    names[plain >= 0] = KINDS.index("positive")
    return [KINDS[number] for number in names.tolist()]


def ticked(figure: Figure, group: str) -> list[float]:
    labels = figure.root.get_by_role("group", name=group).locator("label")
    return [
        float(labels.nth(k).inner_text())
        for k in range(labels.count())
        if labels.nth(k).locator("input").is_checked()
    ]


def threshold(figure: Figure, label: str) -> float:
    return float(figure.root.get_by_label(label).input_value())


def assert_numbers_are_right(figure: Figure) -> None:
    """Counts, IoUs and kinds shown are those of torchvision's matcher for the controls shown."""
    data = figure.page.evaluate(_DATA)
    scales, ratios = ticked(figure, "scales"), ticked(figure, "aspect ratios")
    anchors = torch.tensor(
        figure.call("makeAnchors", [16, 16], 8, scales, ratios), dtype=torch.float64
    )
    iou = ops.box_iou(torch.tensor(data["boxes"], dtype=torch.float64), anchors)
    kinds = kinds_of(iou, threshold(figure, "positive from"), threshold(figure, "negative below"))
    said = re.sub(r"[\s\u202f]", "", figure.said("counts"))
    assert said == f"All{len(kinds)}anchors:" + ",".join(
        f"{kinds.count(kind)}{kind}" for kind in KINDS
    )
    row, column = (int(number) for number in re.findall(r"\d+", figure.said("cell"))[:2])
    each = len(scales) * len(ratios)
    first = (16 * row + column) * each
    best = iou.amax(dim=0)[first : first + each]
    texts = figure.root.get_by_label("The anchors of this cell").locator("text").all_text_contents()
    shown = [text for text in texts if re.fullmatch(r"0\.\d\d", text)]
    by_ratio = best.view(len(scales), len(ratios)).T.flatten().tolist()  # rows of the table
    assert [float(text) for text in shown] == pytest.approx(by_ratio, abs=5.001e-3)
    mine = [kinds[first + k] for k in range(each)]
    drawn = [figure.root.locator(f".anchors-frames .anchors-frame.anchors-{k}") for k in KINDS]
    assert [one.count() for one in drawn] == [mine.count(kind) for kind in KINDS]
    if best.max() > 0:
        assert figure.number("best") == pytest.approx(best.max().item(), abs=5.001e-4)
    names = figure.root.locator(".anchors-thing").all_text_contents()
    largest = [float(name.split()[-1]) for name in names]
    assert largest == pytest.approx(iou.amax(dim=1).tolist(), abs=5.001e-3)


def test_anchors_are_those_of_torchvision(figure: Figure) -> None:
    """Exactly those of its SSD generator, and those of the other one but for its rounding."""
    rows, columns, stride = 5, 7, 8
    hw = (rows * stride, columns * stride)
    images = ImageList(torch.zeros(1, 3, *hw), [hw])
    features = [torch.zeros(1, 1, rows, columns)]
    seen = figure.call("makeAnchors", [rows, columns], stride, SCALES, RATIOS)
    anchors = torch.tensor(seen).view(rows * columns, len(SCALES), len(RATIOS), 4)
    for number, scale in enumerate(SCALES):
        # It wants scales as shares of an image, so that image is a square here.
        square = ImageList(torch.zeros(1, 3, 64, 64), [(64, 64)])
        ssd = DefaultBoxGenerator([[2]], scales=[scale / 64] * 2, steps=[stride], clip=False)
        boxes = ssd(square, [torch.zeros(1, 1, 8, 8)])[0].view(8, 8, 4, 4)[:rows, :columns]
        expected = boxes[:, :, [2, 0, 3]].reshape(rows * columns, 3, 4)  # wide, square, tall
        torch.testing.assert_close(anchors[:, number], expected, rtol=0, atol=1e-4)
    other = AnchorGenerator((SCALES,), (RATIOS,))(images, features)[0] + stride / 2
    other = other.view(rows * columns, len(RATIOS), len(SCALES), 4).transpose(1, 2)
    assert (anchors - other).abs().max() <= 0.5 + 1e-4


def test_kinds_are_those_of_torchvisions_matcher(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(8)
    table: list[list[Any]] = []
    anchors = figure.call("makeAnchors", [4, 6], 8, [12, 20], [0.5, 1, 2])
    thresholds = [(0.7, 0.3), (0.5, 0.5), (0.5, 0.25), (0.9, 0.1), (0.25, 0.25)]
    for number in range(200):
        things = int(torch.randint(1, 5, (), generator=generator))
        start = torch.randint(0, 24, (things, 2), generator=generator)
        # Every fourth table has whole cells, where many anchors share the largest IoU.
        unit = 8 if number % 4 == 0 else 1
        sides = unit * torch.randint(1, 24 // unit + 1, (things, 2), generator=generator)
        start = start // unit * unit
        truths = torch.cat([start, start + sides], dim=1)
        table.append([anchors, truths.tolist(), *thresholds[number % len(thresholds)]])
    boxes = torch.tensor(anchors, dtype=torch.float64)
    forced = 0
    for given, seen in zip(table, figure.calls("assign", table), strict=True):
        iou = ops.box_iou(torch.tensor(given[1], dtype=torch.float64), boxes)
        assert [one["kind"] for one in seen["found"]] == kinds_of(iou, given[2], given[3])
        best = iou.amax(dim=0)
        assert [one["iou"] for one in seen["found"]] == pytest.approx(best.tolist(), abs=1e-6)
        matched = torch.tensor([one["matched"] for one in seen["found"]])
        assert torch.allclose(iou.gather(0, matched[None])[0], best, atol=1e-6)
        forced += sum(one["kind"] == "forced" for one in seen["found"])
    assert forced > 200


def test_it_starts_with_the_worked_case(figure: Figure) -> None:
    """The cell, the anchor and the counts that the page has: three positive, four forced."""
    assert "row 7, column 10: 12 anchors" in figure.said("cell")
    assert "(84, 60)" in figure.said("cell")
    assert "(69.86, 31.72, 98.14, 88.28)" in figure.said("best")
    assert ": 3 positive, 4 forced," in figure.said("counts")
    assert_numbers_are_right(figure)


def test_a_cell_is_clicked_and_dragged(figure: Figure) -> None:
    picture = figure.root.locator(".anchors-picture")
    size = picture.bounding_box()
    assert size is not None
    figure.page.mouse.click(
        size["x"] + size["width"] * 28 / 128, size["y"] + size["height"] * 110 / 128
    )
    assert "row 13, column 3" in figure.said("cell")
    assert figure.root.locator(".anchors-frames .anchors-frame.anchors-forced").count() == 1
    assert_numbers_are_right(figure)
    figure.drag(figure.root.locator(".figure-movable"), -40, -33)
    assert "row 9, column 0:" in figure.said("cell")
    assert_numbers_are_right(figure)


def test_arrow_keys_go_from_cell_to_cell(figure: Figure) -> None:
    handle = figure.root.get_by_role("application")
    handle.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft"):
        figure.page.keyboard.press(key)
    assert handle.get_attribute("aria-label") == "Cell in row 9, column 9"
    assert_numbers_are_right(figure)
    for _ in range(8):
        figure.page.keyboard.press("ArrowDown")
    assert handle.get_attribute("aria-label") == "Cell in row 15, column 9"  # the last row
    assert_numbers_are_right(figure)


def test_scales_ratios_and_thresholds_are_followed(figure: Figure) -> None:
    figure.root.get_by_label("40", exact=True).uncheck()
    assert_numbers_are_right(figure)
    figure.slide("positive from", 0.9)
    figure.slide("negative below", 0.5)
    assert_numbers_are_right(figure)
    for number in ("20", "28", "0.5", "2"):
        figure.root.get_by_label(number, exact=True).focus()
        figure.page.keyboard.press("Space")
        assert_numbers_are_right(figure)
    figure.root.get_by_label("56", exact=True).click()  # the last one stays
    assert ticked(figure, "scales") == [56]
    figure.slide("positive from", 0.35)  # takes the other threshold along
    assert threshold(figure, "negative below") == 0.35
    assert_numbers_are_right(figure)
    figure.slide("negative below", 0.6)
    assert threshold(figure, "positive from") == 0.6
    assert_numbers_are_right(figure)


def test_on_a_phone_nothing_sticks_out(phone: Figure) -> None:
    assert_fits(phone)
    phone.drag(phone.root.locator(".figure-movable"), 16, 8)
    assert "row 8, column 12" in phone.said("cell")
    assert_numbers_are_right(phone)
