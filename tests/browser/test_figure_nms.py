"""The figure of non-maximum suppression: threshold and rounds, as right as torchvision."""

from __future__ import annotations

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torchvision import ops

pytestmark = pytest.mark.browser
NAME = "nms"


_SHOWN = """(rows) => rows.map((row) => {
    const name = row.dataset.box;
    const box = row.closest("figure").querySelector(`[data-outline="${name}"] rect`);
    const [x, y, width, height] = ["x", "y", "width", "height"]
        .map((key) => Number(box.getAttribute(key)));
    const [label, verdict] = [...row.querySelectorAll("text")].map((text) => text.textContent);
    return [name, [x, y, x + width, y + height], Number(label.replace(name, "")), verdict];
})"""


def shown(figure: Figure) -> tuple[list[str], torch.Tensor, torch.Tensor, list[str]]:
    """Names, boxes, scores and verdicts of the boxes in the drawing, best first."""
    rows = figure.root.locator("[data-box]").evaluate_all(_SHOWN)
    names, boxes, scores, verdicts = (list(column) for column in zip(*rows, strict=True))
    return names, torch.tensor(boxes, dtype=torch.float64), torch.tensor(scores), verdicts


def threshold(figure: Figure) -> float:
    return float(figure.root.get_by_label("threshold").input_value())


def kept(figure: Figure) -> list[str]:
    """What the figure says is kept at the end; the list's ticks say the same."""
    said = figure.said("result").rpartition(": ")[2].replace(" and ", ", ").split(", ")
    rows = figure.root.locator("[data-box]")
    ticked = rows.filter(has_text="✓").evaluate_all("rows => rows.map((row) => row.dataset.box)")
    assert sorted(said) == sorted(ticked)
    return said


def assert_result_is_right(figure: Figure) -> None:
    names, boxes, scores, _ = shown(figure)
    expected = ops.nms(boxes, scores.double(), threshold(figure))
    assert kept(figure) == [names[index] for index in expected]


def assert_round_is_right(figure: Figure, number: int) -> None:
    """Round `number` is worked out from the IoUs of torchvision."""
    names, boxes, scores, verdicts = shown(figure)
    best = ops.nms(boxes, scores.double(), threshold(figure))[number - 1].item()
    left = set(range(len(names))) - set(range(best + 1))  # names are in order of their scores
    for earlier in ops.nms(boxes, scores.double(), threshold(figure))[: number - 1]:
        left -= set(
            (ops.box_iou(boxes[earlier][None], boxes)[0] > threshold(figure))
            .nonzero()[:, 0]
            .tolist()
        )
    for index in left:
        overlap = ops.box_iou(boxes[[best]], boxes[[index]]).item()
        word = "falls" if overlap > threshold(figure) else "stays"
        assert verdicts[index] == f"{overlap:.3f} {word}"
    assert f"round {number} of" in figure.said("round")
    assert f": {names[best]} is kept" in figure.said("round")


def test_same_numbers_as_torchvision(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(3)
    table, expected = [], []
    while len(table) < 200:
        count = len(table) % 12  # none and one too
        starts, sides = torch.rand(2, count, 2, generator=generator, dtype=torch.float64)
        boxes = torch.cat([starts, starts + sides], dim=1) * 40
        scores = torch.randperm(100, generator=generator)[:count] / 100
        limit = torch.rand(1, generator=generator, dtype=torch.float64).item()
        if (ops.box_iou(boxes, boxes) - limit).abs().lt(1e-6).any():
            continue
        table.append([boxes.tolist(), scores.tolist(), limit])
        expected.append(ops.nms(boxes, scores.double(), limit).tolist())
    assert figure.calls("nms", table) == expected
    assert {len(boxes) for boxes, _, _ in table} == set(range(12))

    first, second = (torch.tensor([row[0][k] for row in table if len(row[0]) > 1]) for k in (0, 1))
    seen = figure.calls("iou", list(zip(first.tolist(), second.tolist(), strict=True)))
    assert seen == pytest.approx(ops.box_iou(first, second).diagonal().tolist(), abs=1e-6)


def test_edges_of_the_rule(figure: Figure) -> None:
    """What torchvision leaves open is settled by the course: conventions.md and the sheet."""
    square, half = [0, 0, 2, 2], [0, 0, 2, 1]
    assert figure.call("nms", [square, half], [0.9, 0.8], 0.5) == [0, 1]  # equal is not greater
    assert figure.call("nms", [square, square], [0.5, 0.5], 0.99) == [0]  # a tie keeps the order
    assert figure.call("iou", [1, 0, 1, 5], [1, 0, 1, 5]) == 0  # no area, and no NaN


def test_it_starts_with_the_example_of_the_page(figure: Figure) -> None:
    names, boxes, _, _ = shown(figure)
    assert names == ["blue", "orange", "purple", "yellow"]
    table = ops.box_iou(boxes, boxes)
    on_the_slide = {(0, 1): 0.78, (2, 3): 0.74, (0, 2): 0.05, (0, 3): 0.07}
    assert {pair: round(table[pair].item(), 2) for pair in on_the_slide} == on_the_slide
    assert threshold(figure) == 0.7
    assert_result_is_right(figure)
    assert_round_is_right(figure, 1)


def test_next_and_back_walk_through_the_rounds(figure: Figure) -> None:
    figure.press("Next")
    assert_round_is_right(figure, 2)
    figure.press("Back")
    assert_round_is_right(figure, 1)
    figure.press("Back")
    assert figure.said("round") == "4 boxes, none kept yet"
    assert_result_is_right(figure)


def test_dragging_the_line_moves_the_threshold(figure: Figure) -> None:
    line = figure.root.locator(".nms-threshold")
    figure.drag(line, 0.1 * 132, 0)
    assert threshold(figure) == pytest.approx(0.8, abs=0.011)
    assert len(kept(figure)) == 4
    figure.drag(line, -200, 0)
    assert threshold(figure) == 0
    assert kept(figure) == ["blue"]
    assert_result_is_right(figure)


def test_by_keyboard(figure: Figure) -> None:
    keyboard = figure.page.keyboard
    figure.root.get_by_label("threshold").focus()
    for _ in range(8):
        keyboard.press("ArrowRight")
    assert threshold(figure) == pytest.approx(0.74)
    assert_result_is_right(figure)
    keyboard.press("Tab")  # to Back
    keyboard.press("Tab")
    keyboard.press("Enter")
    assert_round_is_right(figure, 2)
    figure.root.get_by_label("two dogs").focus()
    keyboard.press("ArrowRight")  # "a row"
    assert shown(figure)[0] == ["A", "B", "C"]
    assert_round_is_right(figure, 1)


def test_every_scene_at_many_thresholds(figure: Figure) -> None:
    for scene in ("a row", "two people", "eight boxes", "two dogs"):
        figure.root.get_by_label(scene, exact=True).check()
        for value in (0, 0.215, 0.3, 0.5, 0.595, 0.6, 0.7, 1):
            figure.slide("threshold", value)
            assert_result_is_right(figure)
            assert_round_is_right(figure, 1)


def test_on_a_phone(phone: Figure) -> None:
    assert_fits(phone)
    phone.root.get_by_label("eight boxes", exact=True).check()
    phone.drag(phone.root.locator(".nms-threshold"), -0.2 * 132, 0)
    assert threshold(phone) == pytest.approx(0.3, abs=0.011)
    assert_result_is_right(phone)
    assert_fits(phone)
