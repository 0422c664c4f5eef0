"""RoI pool beside RoI align, on a real feature map, with the numbers of torchvision's operators."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torchvision import ops

pytestmark = pytest.mark.browser
NAME = "roi"
WORKED_CASE = [71, 37, 100, 84]  # of the page, which has 4 × 4 bins

_DATA = 'async () => (await import("figures/roi-data")).default'


def box_of(figure: Figure) -> list[int]:
    """In pixels, as the dashed box calls itself."""
    label = figure.root.locator(".roi-box").first.get_attribute("aria-label") or ""
    return [int(number) for number in re.findall(r"\b\d+\b", label)]


def outputs(figure: Figure, side: int) -> list[float]:
    return [
        float(text)
        for text in figure.root.locator(".roi-output").nth(side).locator("text").all_text_contents()
    ]


def choose(figure: Figure, group: str, option: str) -> None:
    figure.root.get_by_role("group", name=group, exact=True).get_by_label(
        option, exact=True
    ).check()


def assert_numbers_are_right(figure: Figure, count: int = 2, ratio: int = 2) -> None:
    """The outputs shown are torchvision's for the box shown."""
    data = figure.page.evaluate(_DATA)
    features = torch.tensor(data["map"], dtype=torch.float64)[None, None]
    box, scale = torch.tensor([box_of(figure)], dtype=torch.float64), 1 / data["stride"]
    pooled = ops.roi_pool(features, [box], count, scale)
    aligned = ops.roi_align(features, [box], count, scale, ratio, aligned=True)
    assert outputs(figure, 0) == pooled.flatten().tolist()
    assert outputs(figure, 1) == pytest.approx(aligned.flatten().tolist(), abs=0.0501)


def cases() -> list[dict[str, Any]]:
    """Boxes on maps that are not square, also beyond their borders, with dyadic coordinates.

    Halves are exact in them, and torchvision's own division of at most 64 cells into 1 to 4 bins
    does not overrun (it does for some larger sizes, as that of 57 cells into 7).
    """
    generator = torch.Generator().manual_seed(3)

    def whole(low: int, high: int, *size: int) -> torch.Tensor:
        return torch.randint(low, high, size, generator=generator)

    table = []
    for number in range(240):
        height, width = (int(side) for side in whole(1, 12, 2))
        start = whole(-40, 100, 2)
        end = start + whole(0 if number % 8 == 0 else 1, 90, 2)
        table.append(
            {
                "map": whole(-20 if number % 3 == 0 else 0, 100, height, width).double(),
                "box": torch.cat([start, end]).double(),
                "count": number % 4 + 1,
                "ratio": number // 4 % 3 + 1,
                "stride": (4, 8, 16)[number // 12 % 3],
            }
        )
    return table


def test_same_numbers_as_torchvision(figure: Figure) -> None:
    table = cases()
    pool = figure.calls(
        "roiPool", [[c["map"].tolist(), c["box"].tolist(), c["count"], c["stride"]] for c in table]
    )
    align = figure.calls(
        "roiAlign",
        [
            [c["map"].tolist(), c["box"].tolist(), c["count"], c["ratio"], c["stride"]]
            for c in table
        ],
    )
    for case, pooled, aligned in zip(table, pool, align, strict=True):
        given = (case["map"][None, None], [case["box"][None]], case["count"], 1 / case["stride"])
        expected = ops.roi_pool(*given).flatten().tolist()
        assert [one["value"] for line in pooled["bins"] for one in line] == expected
        expected = ops.roi_align(*given, case["ratio"], aligned=True).flatten().tolist()
        assert [one["value"] for line in aligned for one in line] == pytest.approx(
            expected, abs=1e-6
        )


def test_bins_are_those_of_the_page(figure: Figure) -> None:
    """4 × 4 bins of the person's box: the cells that the page writes out, from cell (9, 5)."""
    data = figure.page.evaluate(_DATA)
    assert data["box"] == WORKED_CASE
    seen = figure.call("roiPool", data["map"], data["box"], 4, data["stride"])
    assert seen["region"] == [9, 5, 13, 11]
    columns = [
        [first - 9, end - 1 - 9] for first, end in (one["columns"] for one in seen["bins"][0])
    ]
    rows = [[first - 5, end - 1 - 5] for first, end in (line[0]["rows"] for line in seen["bins"])]
    assert columns == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert rows == [[0, 1], [1, 3], [3, 5], [5, 6]]


def test_it_starts_with_the_worked_case(figure: Figure) -> None:
    assert box_of(figure) == WORKED_CASE
    assert "(8.875, 4.625, 12.5, 10.5)" in figure.said("box")
    assert "(9, 5, 13, 11)" in figure.said("region")
    assert "5 × 7 cells" in figure.said("region")
    assert_numbers_are_right(figure)


def test_dragging_moves_and_resizes_in_pixels(figure: Figure) -> None:
    figure.drag(figure.root.locator(".roi-box").first, 5, -1)
    assert box_of(figure) == [76, 36, 105, 83]
    figure.drag(figure.root.locator(".figure-hit.figure-movable:not(.roi-box)").nth(7), -8, 9)
    assert box_of(figure) == [76, 36, 97, 92]
    assert_numbers_are_right(figure)
    figure.drag(figure.root.locator(".roi-box").nth(1), 90, 90)  # not off the cells that are shown
    assert box_of(figure) == [94, 43, 115, 99]
    assert_numbers_are_right(figure)


def test_arrow_keys_move_and_shift_resizes(figure: Figure) -> None:
    figure.root.locator(".roi-box").first.focus()
    figure.page.keyboard.press("ArrowRight")
    assert box_of(figure) == [72, 37, 101, 84]
    assert_numbers_are_right(figure)
    # A pixel further no corner is rounded to another cell: only RoI align has seen it.
    assert "RoI pool 0 of 4, RoI align 4 of 4" in figure.said("change")
    figure.page.keyboard.press("Shift+ArrowDown")
    assert box_of(figure) == [72, 37, 101, 85]
    assert_numbers_are_right(figure)


def test_every_output_and_number_of_points(figure: Figure) -> None:
    for count in (1, 3, 4, 2):
        choose(figure, "output", f"{count} × {count}")
        for ratio in (1, 3, 2):
            choose(figure, "sampling points a bin", f"{ratio} × {ratio}")
            assert_numbers_are_right(figure, count, ratio)
            assert figure.root.locator(".roi-marks .figure-dot").count() == (count * ratio) ** 2


def test_points_are_followed_by_button_and_by_click(figure: Figure) -> None:
    """The line for a point adds up to the map's value there, and a click finds point and bin."""
    data = figure.page.evaluate(_DATA)
    features = torch.tensor(data["map"], dtype=torch.float64)[None, None]
    while figure.root.get_by_role("button", name="Back").get_attribute("aria-disabled") != "true":
        figure.press("Back")
    for number in range(16):
        numbers = re.findall(r"[-\d.]+", figure.said("point"))
        x, y = float(numbers[1]), float(numbers[2])
        corner = torch.tensor([[x, y, x, y]], dtype=torch.float64)  # without extent: one point
        expected = ops.roi_align(features, [corner], 1, 1.0, 1, aligned=True).item()
        assert figure.number("point") == pytest.approx(
            expected, abs=1.1
        )  # x and y are shown rounded
        terms = re.findall(r"([\d.]+) · (\d+)", figure.said("point"))
        assert sum(float(weight) for weight, _ in terms) == pytest.approx(1, abs=0.021)
        if number < 15:
            figure.press("Next")
    body = figure.root.locator(".roi-box").nth(1)
    size = body.bounding_box()
    assert size is not None
    body.click(position={"x": 0.9 * size["width"], "y": 0.1 * size["height"]})
    assert "row 0, column 1" in figure.said("pool")
    assert figure.said("point").startswith("Point 2 ")
    figure.root.locator(".roi-output").first.locator("g").nth(2).click()
    assert "row 1, column 0" in figure.said("pool")
    assert figure.number("pool") == outputs(figure, 0)[2]
    assert figure.number("align") == outputs(figure, 1)[2]


def test_on_a_phone_nothing_sticks_out(phone: Figure) -> None:
    assert_fits(phone)
    phone.drag(phone.root.locator(".roi-box").nth(1), 3, 1)
    assert box_of(phone) == [74, 38, 103, 85]
    assert_numbers_are_right(phone)
