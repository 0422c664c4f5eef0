"""The figure of a ranked list: re-ranked, turned, cut, and its three APs as others compute them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from figures import Figure
from fitting import assert_fits

from detseg.evaluate import coco_evaluate

pytestmark = pytest.mark.browser
NAME = "ranking"
RULES = ("area", "voc11", "coco101")
LINE = 29  # units from one rank to the next


def exact_curve(hits: list[bool], num_gt: int) -> list[tuple[Fraction, Fraction]]:
    """(recall, precision) after each rank."""
    found = [sum(hits[: rank + 1]) for rank in range(len(hits))]
    return [(Fraction(f, num_gt), Fraction(f, rank)) for rank, f in enumerate(found, start=1)]


def exact_ap(hits: list[bool], num_gt: int, rule: str) -> float:
    """From the definitions, in fractions."""
    curve = exact_curve(hits, num_gt)

    def height(least: Fraction) -> Fraction:
        return max((p for r, p in curve if r >= least), default=Fraction(0))

    if rule == "area":
        recalls = sorted({Fraction(0)} | {r for r, _ in curve})
        return float(sum((b - a) * height(b) for a, b in pairwise(recalls)))
    assert rule == "voc11"
    return float(sum(height(Fraction(k, 10) - Fraction(1, 10**6)) for k in range(11)) / 11)


def coco_aps(lists: list[tuple[list[bool], int]]) -> list[float]:
    """AP of each list by pycocotools: one image, one class a list.

    A hit is a box that equals the next true box, a miss one that lies apart from all.
    """
    boxes, labels, scores, true_boxes, true_labels = [], [], [], [], []
    for label, (hits, num_gt) in enumerate(lists, start=1):
        true_boxes += [[20.0 * k, 0.0, 20.0 * k + 10, 10.0] for k in range(num_gt)]
        true_labels += [label] * num_gt
        free = 0
        for rank, hit in enumerate(hits):
            left, top = (20.0 * free, 0.0) if hit else (20.0 * rank, 100.0)
            free += hit
            boxes.append([left, top, left + 10, top + 10])
            labels.append(label)
            scores.append(1 - rank / 1000)
    found = {
        "boxes": torch.tensor(boxes).reshape(-1, 4),
        "labels": torch.tensor(labels),
        "scores": torch.tensor(scores),
    }
    truth = {"boxes": torch.tensor(true_boxes), "labels": torch.tensor(true_labels)}
    return [*coco_evaluate([found], [truth], len(lists))["ap50_per_class"].values()]


def shown(figure: Figure) -> tuple[list[bool], int, int]:
    """Hits by rank, number of true boxes, and how many detections are kept."""
    rows = figure.root.locator("[data-rank]:visible .ranking-pill").all_text_contents()
    assert set(rows) <= {"● hit", "✕ miss"}
    number = int(figure.root.get_by_label("true boxes").input_value())
    kept = int(figure.root.get_by_label("keep the first").input_value())
    return [row == "● hit" for row in rows], number, kept


def assert_numbers_are_right(figure: Figure) -> None:
    hits, num_gt, kept = shown(figure)
    for rule in ("area", "voc11"):
        expected = pytest.approx(exact_ap(hits, num_gt, rule), abs=6e-5)
        assert figure.number(rule) == expected, rule
    assert figure.number("coco101") == pytest.approx(coco_aps([(hits, num_gt)])[0], abs=6e-5)
    if kept:
        recall, precision = exact_curve(hits, num_gt)[kept - 1]
        assert figure.number("precision") == pytest.approx(float(precision), abs=6e-4)
        assert figure.number("recall") == pytest.approx(float(recall), abs=6e-4)


def row(figure: Figure, rank: int):
    return figure.root.locator(f'[data-rank="{rank}"] .ranking-row')


def test_same_numbers_as_pycocotools_and_the_definitions(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(4)
    lists = []
    for case in range(200):
        count = case % 30  # no detections too
        hits = (torch.rand(count, generator=generator) < 0.6).tolist()
        extra = int(torch.randint(0, 4, (1,), generator=generator))
        lists.append((hits, max(1, sum(hits) + extra)))
    # Recalls that are equal to thresholds: 57/100 is less than the 0.57 of numpy.linspace.
    lists += [([True] * found + [False, True], 100) for found in (7, 14, 28, 55, 56, 57, 98)]
    for rule in RULES:
        table = [[hits, num_gt, rule] for hits, num_gt in lists]
        expected = coco_aps(lists) if rule == "coco101" else [exact_ap(*row) for row in table]
        assert figure.calls("apOfList", table) == pytest.approx(expected, abs=1e-6)
    curves = figure.calls("precisionRecall", [list(one) for one in lists])
    for curve, one in zip(curves, lists, strict=True):
        exact = exact_curve(*one)
        assert curve["recall"] == pytest.approx([float(r) for r, _ in exact], abs=1e-9)
        assert curve["precision"] == pytest.approx([float(p) for _, p in exact], abs=1e-9)


def test_it_starts_with_the_dogs(figure: Figure) -> None:
    assert shown(figure) == ([True, True, False, False, True], 3, 3)
    assert [f"{figure.number(rule):.4f}" for rule in RULES] == ["0.8667", "0.8545", "0.8653"]
    assert_numbers_are_right(figure)


def test_dragging_a_detection_ranks_it_anew(figure: Figure) -> None:
    figure.drag(row(figure, 3), 0, -2 * LINE)
    assert shown(figure)[0] == [False, True, True, False, True]
    assert_numbers_are_right(figure)
    figure.drag(row(figure, 1), 0, 20 * LINE)  # beyond the end is the end
    assert shown(figure)[0] == [True, True, False, True, False]
    assert_numbers_are_right(figure)


def test_a_click_turns_a_hit_into_a_miss_and_back(figure: Figure) -> None:
    pill = figure.root.locator('[data-rank="3"] .ranking-pill')
    pill.click()
    assert shown(figure)[:2] == ([True, True, True, False, True], 4)  # true boxes grow with hits
    assert_numbers_are_right(figure)
    pill.click()
    assert shown(figure)[0] == [True, True, False, False, True]
    assert_numbers_are_right(figure)
    figure.drag(pill, 0, LINE)  # a drag that starts there moves, and does not turn
    figure.drag(figure.root.locator('[data-rank="5"] .ranking-pill'), 0, -LINE)
    assert shown(figure)[0] == [True, True, False, True, False]
    assert_numbers_are_right(figure)


def test_the_cut_moves_by_handle_and_slider(figure: Figure) -> None:
    figure.drag(figure.root.locator(".ranking-cut"), 0, 2 * LINE)
    assert shown(figure)[2] == 5
    assert_numbers_are_right(figure)
    before = [figure.number(rule) for rule in RULES]
    figure.slide("keep the first", 1)
    assert_numbers_are_right(figure)
    assert [figure.number(rule) for rule in RULES] == before  # AP is of the whole list
    figure.slide("keep the first", 0)
    assert "not defined" in figure.said("precision")
    assert figure.number("recall") == 0


def test_by_keyboard(figure: Figure) -> None:
    keyboard = figure.page.keyboard
    row(figure, 5).focus()
    keyboard.press("ArrowUp")
    keyboard.press("ArrowUp")  # the focus goes along
    assert shown(figure)[0] == [True, True, True, False, False]
    assert row(figure, 3).evaluate("row => row === document.activeElement")
    assert row(figure, 3).get_attribute("aria-label") == "Rank 3, score 0.90, hit"
    assert_numbers_are_right(figure)
    keyboard.press(" ")
    assert shown(figure)[0] == [True, True, False, False, False]
    assert_numbers_are_right(figure)
    figure.root.get_by_label("keep the first").focus()
    keyboard.press("ArrowLeft")
    assert shown(figure)[2] == 2
    assert_numbers_are_right(figure)


def test_lists_lengths_and_true_boxes(figure: Figure) -> None:
    for preset in ("a saw", "one sure mistake", "mistakes at the end", "the dogs"):
        figure.press(preset)
        assert_numbers_are_right(figure)
    number = figure.root.get_by_label("true boxes")
    for typed, expected in (("7", 7), ("1", 3), ("99", 12)):  # not fewer than hits
        number.fill(typed)
        number.blur()
        assert shown(figure)[1] == expected
        assert_numbers_are_right(figure)
    figure.press("add a detection")
    assert len(shown(figure)[0]) == 6
    for _ in range(4):
        figure.press("remove the last")
    assert shown(figure)[0] == [True, True]
    assert_numbers_are_right(figure)


def test_on_a_phone(phone: Figure) -> None:
    assert_fits(phone)
    phone.drag(row(phone, 5), 0, -4 * LINE)
    assert shown(phone)[0] == [True, True, True, False, False]
    for rule in ("voc11: 11 recalls", "coco101: 101 recalls"):
        phone.root.get_by_label(rule).check()
        assert_numbers_are_right(phone)
    for _ in range(5):
        phone.press("add a detection")
    assert_fits(phone)
