"""Windows on an image: how many, where, how long they take, and how many boxes there are at all."""

from __future__ import annotations

import re

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torch.nn import functional as F

pytestmark = pytest.mark.browser
NAME = "windows"
SECONDS = {
    "ms": 0.001,
    "seconds": 1,
    "minutes": 60,
    "hours": 3600,
    "days": 86400,
    "years": 31_557_600,
}


def corners(image_hw: list[int], size_hw: list[int], stride: int) -> torch.Tensor:
    """The number of the first pixel of each window, row by row, by torch's own windows."""
    if any(size > side for size, side in zip(size_hw, image_hw, strict=True)):
        return torch.zeros(0, dtype=torch.int64)
    pixels = torch.arange(image_hw[0] * image_hw[1]).view(image_hw)
    windows = pixels.unfold(0, size_hw[0], stride).unfold(1, size_hw[1], stride)  # a view
    return windows[:, :, 0, 0].flatten()


def all_boxes(image_hw: list[int]) -> int:
    """Two of the lines between and around the rows, two of those of the columns."""
    height, width = image_hw
    return height * (height + 1) // 2 * (width * (width + 1) // 2)


def whole(text: str) -> int:
    """The whole number behind the last equals sign, without its spaces."""
    return int(re.sub(r"\s", "", text.rpartition("=")[2]))


def seconds(text: str) -> tuple[float, float]:
    """A time as it is shown, and half of its last digit."""
    number, unit = re.findall(r"([\d.\s]+)(ms|seconds|minutes|hours|days|years)$", text)[0]
    digit = 0.1 if "." in number else 1
    return float(re.sub(r"\s", "", number)) * SECONDS[unit], 0.501 * digit * SECONDS[unit]


def sides(figure: Figure, group: str) -> list[int]:
    fields = figure.root.get_by_role("group", name=f"{group} in pixels", exact=True)
    return [
        int(fields.get_by_label(side, exact=True).input_value()) for side in ("height", "width")
    ]


def put(figure: Figure, group: str, side: str, value: str) -> None:
    fields = figure.root.get_by_role("group", name=f"{group} in pixels", exact=True)
    fields.get_by_label(side, exact=True).fill(value)
    fields.get_by_label(side, exact=True).blur()


def dots(figure: Figure) -> int:
    return (figure.root.locator(".windows-dots").get_attribute("d") or "").count("M")


def assert_numbers_are_right(figure: Figure) -> None:
    """Counts, times and the chosen window shown are those of the controls shown."""
    image, size = sides(figure, "image"), sides(figure, "window")
    stride = int(figure.root.get_by_label("stride").input_value())
    pace = float(figure.root.get_by_label("milliseconds a window").input_value()) / 1000
    first = corners(image, size, stride)
    assert whole(figure.said("windows")) == len(first)
    shown, half = seconds(figure.said("time"))
    assert shown == pytest.approx(len(first) * pace, abs=half)
    assert whole(figure.said("boxes")) == all_boxes(image)
    assert ("57 million" in figure.said("slip")) == (image == [600, 800])
    every = corners(image, size, 1)
    numbers = [len(first), len(every), all_boxes(image), *([57e6] if image == [600, 800] else [])]
    bars = figure.root.locator(".windows-bar").all_text_contents()
    for number, bar in zip(numbers, bars, strict=True):
        count, _, time = bar.rpartition(": ")[2].partition(", ")
        assert int(re.sub(r"\s", "", count)) == number
        shown, half = seconds(time)
        assert shown == pytest.approx(number * pace, abs=half)
    bars = figure.root.locator("rect.figure-shape:not(.windows-shown)")
    widths = bars.evaluate_all("all => all.map((one) => Number(one.getAttribute('width')))")
    if min(numbers) > 1:  # the bars are as long as logarithms
        logs = torch.tensor(numbers, dtype=torch.float64).log10()
        ratios = torch.tensor(widths, dtype=torch.float64) / logs
        torch.testing.assert_close(ratios, ratios[:1].expand_as(ratios))
    if len(first):
        row, column, x1, y1, x2, y2, number = (
            int(part)
            for part in re.findall(
                r"\d+", re.sub(r"(?<=\d)\u202f(?=\d)", "", figure.said("window"))
            )[:7]
        )
        assert first[number].item() == y1 * image[1] + x1
        assert (x2 - x1, y2 - y1) == (size[1], size[0])
        assert (x1, y1) == (column * stride, row * stride)


def test_windows_are_those_of_torch(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(6)
    table = []
    for _ in range(200):
        image = torch.randint(1, 25, (2,), generator=generator).tolist()
        size = torch.randint(1, 25, (2,), generator=generator).tolist()
        table.append([image, size, int(torch.randint(1, 9, (), generator=generator))])
    boxes, expected = [], []
    for given, (rows, columns) in zip(table, figure.calls("positions", table), strict=True):
        first = corners(*given)
        assert rows * columns == len(first)
        if len(first):
            columns_of = F.unfold(torch.zeros(1, 1, *given[0]), given[1], stride=given[2])
            assert columns_of.shape[2] == rows * columns
        for number, pixel in enumerate(first.tolist()):
            boxes.append([number // columns, number % columns, given[1], given[2]])
            y, x = divmod(pixel, given[0][1])
            expected.append([x, y, x + given[1][1], y + given[1][0]])
    assert figure.calls("windowBox", boxes) == expected


def test_all_boxes_are_counted_exactly(figure: Figure) -> None:
    """Counted one by one where they are few, and to the last digit where floats are too coarse."""
    generator = torch.Generator().manual_seed(7)
    sizes = torch.randint(1, 8, (40, 2), generator=generator).tolist()
    for (height, width), seen in zip(
        sizes, figure.calls("allBoxes", [[s] for s in sizes]), strict=True
    ):
        counted = sum(
            len(corners([height, width], [h, w], 1))
            for h in range(1, height + 1)
            for w in range(1, width + 1)
        )
        assert int(seen) == counted
    large = [*torch.randint(10**5, 10**6, (200, 2), generator=generator).tolist(), [600, 800]]
    seen = figure.page.evaluate(
        """async (table) => {
            const { allBoxes } = await import("figures/windows");
            return table.map((one) => String(allBoxes(one)));
        }""",
        large,
    )
    assert [int(one) for one in seen] == [all_boxes(one) for one in large]
    assert int(seen[-1]) == 57_768_120_000


def test_it_starts_with_the_slides_image(figure: Figure) -> None:
    assert sides(figure, "image") == [600, 800]
    assert whole(figure.said("boxes")) == 57_768_120_000
    assert "66.9 days" in (figure.root.locator(".windows-bar").nth(2).text_content() or "")
    assert_numbers_are_right(figure)


def test_the_window_is_dragged_and_clicked_by_strides(figure: Figure) -> None:
    unit = 316 / 800  # of the drawing, for a pixel
    figure.drag(figure.root.locator(".windows-handle"), 3 * 60 * unit, -2 * 60 * unit)
    assert figure.said("window").startswith("Window in row 1, column 8:")
    assert_numbers_are_right(figure)
    image = figure.root.locator(".windows-image")
    size = image.bounding_box()
    assert size is not None
    figure.page.mouse.click(size["x"] + 0.99 * size["width"], size["y"] + 0.99 * size["height"])
    assert figure.said("window").startswith("Window in row 8, column 11:")
    assert_numbers_are_right(figure)
    figure.page.mouse.click(size["x"] + 0.5 * size["width"], size["y"] + 0.5 * size["height"])
    assert figure.said("window").startswith("Window in row 4, column 6:")  # the nearest centre


def test_arrow_keys_go_by_one_window(figure: Figure) -> None:
    handle = figure.root.locator(".windows-handle")
    for preset in ("the slide’s image", "… at stride 1"):
        figure.press(preset)
        handle.focus()
        before = [int(n) for n in re.findall(r"\d+", figure.said("window"))[:2]]
        figure.page.keyboard.press("ArrowRight")
        figure.page.keyboard.press("ArrowDown")
        after = [int(n) for n in re.findall(r"\d+", figure.said("window"))[:2]]
        assert after == [before[0] + 1, before[1] + 1]
        assert handle.get_attribute("aria-label") == f"Window in row {after[0]}, column {after[1]}"
        assert_numbers_are_right(figure)


def test_sizes_stride_and_pace_are_followed(figure: Figure) -> None:
    figure.press("by hand, 6 × 5")
    assert whole(figure.said("windows")) == 12  # the page's own count
    assert dots(figure) == 12
    assert_numbers_are_right(figure)
    figure.slide("stride", 2)
    assert_numbers_are_right(figure)
    put(figure, "window", "width", "7")  # wider than the image
    assert whole(figure.said("windows")) == 0
    assert dots(figure) == 0
    assert figure.said("window") == ""
    assert_numbers_are_right(figure)
    put(figure, "image", "width", "800")  # one side of the slide's image is not the image
    assert_numbers_are_right(figure)
    put(figure, "image", "width", "1000")
    put(figure, "image", "height", "3000")
    figure.slide("stride", 3)
    figure.root.get_by_label("milliseconds a window").fill("250")
    figure.root.get_by_label("milliseconds a window").blur()
    assert_numbers_are_right(figure)
    rows, columns = (int(n) for n in re.findall(r"= (\d+) · (\d+) =", figure.said("windows"))[0])
    thin = int(figure.root.locator("svg text").first.inner_html().split()[3])
    assert dots(figure) == -(-rows // thin) * -(-columns // thin)


def test_on_a_phone_nothing_sticks_out(phone: Figure) -> None:
    for preset in ("… at stride 1", "largest", "the slide’s image"):
        if preset == "largest":  # the numbers are as long as they get
            put(phone, "image", "width", "4000")
            put(phone, "image", "height", "4000")
            phone.root.get_by_label("milliseconds a window").fill("1000")
        else:
            phone.press(preset)
        assert_fits(phone)
    phone.drag(phone.root.locator(".windows-handle"), 60 * 316 / 800, 0)
    assert_numbers_are_right(phone)
