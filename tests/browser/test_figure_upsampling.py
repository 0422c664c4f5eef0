"""The figure of five ways to enlarge a map: as right as torch, clicked, edited, by keyboard."""

from __future__ import annotations

import re

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torch.nn import functional as F

pytestmark = pytest.mark.browser
NAME = "upsampling"
NAMES = {
    "nails": "bed of nails",
    "nearest": "nearest neighbour",
    "bilinear": "bilinear",
    "bicubic": "bicubic",
    "unpool": "max unpooling",
}


def enlarged(method: str, input_: torch.Tensor, factor: int, positions: torch.Tensor):
    """By torch: (H, W) → (H · factor, W · factor)."""
    batch = input_[None, None]
    if method == "nails":
        one = torch.ones(1, 1, 1, 1, dtype=input_.dtype)
        batch = F.conv_transpose2d(batch, one, stride=factor, output_padding=factor - 1)
    elif method == "unpool":
        batch = F.max_unpool2d(batch, positions.reshape(batch.shape), factor)
    else:
        batch = F.interpolate(batch, scale_factor=factor, mode=method)
    return batch[0, 0]


def random_positions(rows: int, columns: int, factor: int, generator: torch.Generator):
    """A place in each window, counted in the enlarged map."""
    shape = (rows, columns)
    down, along = (torch.randint(factor, shape, generator=generator) for _ in range(2))
    i = torch.arange(rows)[:, None] * factor + down
    return i * columns * factor + torch.arange(columns) * factor + along


def state(figure: Figure) -> tuple[torch.Tensor, torch.Tensor]:
    """The map and the positions that the figure shows."""
    fields = figure.root.locator("input[type=number]").all()
    numbers = [float(field.input_value()) for field in fields]
    side = round(len(numbers) ** 0.5)
    labels = figure.root.locator(".upsampling-peg").evaluate_all(
        "all => all.map((peg) => peg.getAttribute('aria-label'))"
    )
    positions = [int(label.rpartition(" ")[2]) for label in labels]
    return torch.tensor(numbers).reshape(side, side), torch.tensor(positions)


def assert_numbers_are_right(figure: Figure) -> None:
    """All five tables are torch's, and so is the chosen number's sum."""
    input_, positions = state(figure)
    for method, name in NAMES.items():
        texts = figure.root.get_by_role("group", name=f"The map enlarged: {name}", exact=True)
        shown = texts.locator(".numbers-text").all_text_contents()
        expected = enlarged(method, input_, 2, positions).flatten().tolist()
        assert [float(text.replace("−", "-")) for text in shown] == pytest.approx(
            expected, abs=6e-3
        )
    method, (row, column) = chosen(figure)
    result = enlarged(method, input_, 2, positions)[row, column].item()
    if "=" in figure.said("sum"):
        assert figure.number("sum") == pytest.approx(result, abs=6e-5)
        terms = figure.said("sum").partition(" = ")[0].replace(" - ", " + -").split(" + ")
        products = [[float(part) for part in term.split(" · ")] for term in terms]
        assert sum(a * b for a, b in products) == pytest.approx(result, abs=3e-3)
    else:
        assert result == 0


def chosen(figure: Figure) -> tuple[str, tuple[int, int]]:
    said = figure.said("pixel")
    method = next(key for key, name in NAMES.items() if said.startswith(name))
    row, column = re.search(r"row (\d+), column (\d+)", said).groups()
    return method, (int(row), int(column))


def cell(figure: Figure, name: str, number: int):
    """A number's place in a table, for the pointer."""
    group = figure.root.get_by_role("group", name=f"The map enlarged: {name}", exact=True)
    return group.locator(".numbers-press").nth(number)


def test_same_numbers_as_torch(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(3)
    rows, expected = [], []
    for _ in range(45):
        height, width, factor = torch.randint(1, 5, (3,), generator=generator).tolist()
        input_ = 10 * torch.randn(height, width, generator=generator, dtype=torch.float64)
        positions = random_positions(height, width, factor, generator)
        for method in NAMES:
            rows.append([method, input_.tolist(), factor, positions.flatten().tolist()])
            expected.append(enlarged(method, input_, factor, positions))
    for seen, wanted in zip(figure.calls("upsample", rows), expected, strict=True):
        torch.testing.assert_close(
            torch.tensor(seen, dtype=torch.float64), wanted, atol=1e-6, rtol=0
        )


def test_weights_are_gradients(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(4)
    rows, expected = [], []
    for method in NAMES:
        for _ in range(8):
            height, width, factor = torch.randint(1, 4, (3,), generator=generator).tolist()
            leaf = torch.zeros(height, width, dtype=torch.float64, requires_grad=True)
            positions = random_positions(height, width, factor, generator)
            i = int(torch.randint(height * factor, (), generator=generator))
            j = int(torch.randint(width * factor, (), generator=generator))
            enlarged(method, leaf, factor, positions)[i, j].backward()
            rows.append([method, [height, width], factor, [i, j], positions.flatten().tolist()])
            expected += leaf.grad.flatten().tolist()
    seen = figure.calls("pixelWeights", rows)
    flat = [weight for table in seen for line in table for weight in line]
    assert flat == pytest.approx(expected, abs=1e-6)


def test_it_starts_with_the_lecture_s_map(figure: Figure) -> None:
    input_, positions = state(figure)
    assert input_.tolist() == [[1, 2], [3, 4]]
    before = torch.tensor([[1.0, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]])
    _, remembered = F.max_pool2d(before[None, None], 2, return_indices=True)
    assert positions.tolist() == remembered.flatten().tolist()
    assert chosen(figure) == ("bilinear", (1, 1))
    assert_numbers_are_right(figure)


def test_a_click_chooses_and_a_drag_moves_a_maximum(figure: Figure) -> None:
    cell(figure, "bicubic", 0).click()
    assert chosen(figure) == ("bicubic", (0, 0))
    assert_numbers_are_right(figure)
    figure.drag(figure.root.locator(".upsampling-peg").nth(3), -38, 0)
    figure.drag(figure.root.locator(".upsampling-peg").first, 300, -300)  # stays in its window
    assert state(figure)[1].tolist() == [1, 2, 12, 14]
    assert chosen(figure) == ("unpool", (0, 1))
    assert_numbers_are_right(figure)


def test_other_numbers_and_larger_maps(figure: Figure) -> None:
    figure.root.get_by_label("row 0, column 1", exact=True).fill("99")  # mended to 9
    figure.root.get_by_label("row 0, column 1", exact=True).blur()
    assert state(figure)[0].tolist() == [[1, 9], [3, 4]]
    assert_numbers_are_right(figure)
    for preset in ("an edge", "a dot", "a slope"):
        figure.press(preset)
        cell(figure, "bicubic", 13).click()
        assert_numbers_are_right(figure)
    assert state(figure)[0].shape == (3, 3)


def test_by_keyboard(figure: Figure) -> None:
    frame = figure.root.get_by_role(
        "application", name="nearest neighbour, row 1, column 1: 1", exact=True
    )
    frame.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown"):
        figure.page.keyboard.press(key)
    assert chosen(figure) == ("nearest", (3, 2))
    figure.root.locator(".upsampling-peg").nth(1).focus()
    figure.page.keyboard.press("ArrowDown")
    figure.page.keyboard.press("ArrowLeft")  # the window ends there
    assert state(figure)[1][1] == 6
    assert chosen(figure) == ("unpool", (1, 2))
    assert_numbers_are_right(figure)


def test_numbers_beyond_those_of_the_map_are_marked(figure: Figure) -> None:
    figure.press("a dot")
    input_, positions = state(figure)
    result = enlarged("bicubic", input_, 2, positions)
    beyond = int(((result > input_.max() + 1e-6) | (result < input_.min() - 1e-6)).sum())
    assert f": {beyond} of the bicubic" in figure.said("beyond")
    figure.root.get_by_label("row 1, column 1", exact=True).fill("0")
    figure.root.get_by_label("row 1, column 1", exact=True).blur()
    assert figure.said("beyond") == ""


def test_on_a_phone(phone: Figure) -> None:
    assert_fits(phone)
    cell(phone, "bilinear", 15).click()
    assert chosen(phone) == ("bilinear", (3, 3))
    phone.drag(phone.root.locator(".upsampling-peg").first, -38, -38)
    assert state(phone)[1][0] == 0
    phone.press("a slope")
    assert_fits(phone)
    assert_numbers_are_right(phone)
