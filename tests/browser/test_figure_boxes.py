"""The figure of two boxes: dragged, typed into, used by keyboard, and as right as torchvision."""

from __future__ import annotations

import pytest
import torch
from figures import Figure
from torchvision import ops

pytestmark = pytest.mark.browser
NAME = "boxes"


def coordinates(figure: Figure, name: str) -> list[float]:
    fields = figure.root.get_by_role("group", name=f"box {name}", exact=True).locator("input")
    return [float(fields.nth(index).input_value()) for index in range(4)]


def body(figure: Figure, name: str):
    return figure.root.locator(f".boxes-{name} rect")


def assert_numbers_are_right(figure: Figure) -> None:
    """What the figure says is what torchvision says about the boxes that it shows."""
    boxes = [torch.tensor([coordinates(figure, name)]) for name in "AB"]
    assert figure.number("iou") == pytest.approx(ops.box_iou(*boxes).item(), abs=6e-4)
    assert figure.number("giou") == pytest.approx(ops.generalized_box_iou(*boxes).item(), abs=6e-4)


def test_same_numbers_as_torchvision(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(5)
    starts, sides = 10 * torch.rand(2, 300, 2, 2, generator=generator, dtype=torch.float64)
    boxes = torch.cat([starts, starts + sides], dim=2)
    seen = figure.calls("compare", boxes.tolist())
    for name, oracle in (("iou", ops.box_iou), ("giou", ops.generalized_box_iou)):
        expected = oracle(boxes[:, 0], boxes[:, 1]).diagonal().tolist()
        assert [one[name] for one in seen] == pytest.approx(expected, abs=1e-6)


def test_it_starts_with_the_worked_case(figure: Figure) -> None:
    assert coordinates(figure, "A") == [2, 1, 8, 5]
    assert coordinates(figure, "B") == [5, 3, 9, 7]
    assert_numbers_are_right(figure)


def test_dragging_a_box_moves_it(figure: Figure) -> None:
    figure.drag(body(figure, "B"), 3, 1)
    assert coordinates(figure, "B") == [8, 4, 12, 8]
    assert_numbers_are_right(figure)


def test_dragging_a_corner_resizes(figure: Figure) -> None:
    figure.drag(figure.root.locator(".boxes-B .figure-hit").nth(3), 2, 1)
    assert coordinates(figure, "B") == [5, 3, 11, 8]
    assert_numbers_are_right(figure)


def test_on_a_phone_a_box_is_dragged_as_far(phone: Figure) -> None:
    phone.drag(body(phone, "B"), 3, 1)
    assert coordinates(phone, "B") == [8, 4, 12, 8]
    assert_numbers_are_right(phone)


def test_arrow_keys_move_and_shift_resizes(figure: Figure) -> None:
    body(figure, "A").focus()
    figure.page.keyboard.press("ArrowRight")
    figure.page.keyboard.press("Shift+ArrowDown")
    assert coordinates(figure, "A") == [3, 1, 9, 6]
    assert_numbers_are_right(figure)


def test_every_preset_is_followed(figure: Figure) -> None:
    for preset in ("half a width", "one inside", "apart", "worked case"):
        figure.press(preset)
        assert_numbers_are_right(figure)
    assert coordinates(figure, "A") == [2, 1, 8, 5]


def test_a_typed_number_is_followed_and_a_wrong_one_mended(figure: Figure) -> None:
    first = figure.root.get_by_label("x1", exact=True).first
    for typed, expected in (("0", 0), ("99", 7), ("", 7), ("2.4", 2)):
        first.fill(typed)
        first.blur()
        assert coordinates(figure, "A")[0] == expected
        assert_numbers_are_right(figure)
