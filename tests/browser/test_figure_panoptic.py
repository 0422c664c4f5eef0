"""The figure of the panoptic merge: as right as the sheet and torchmetrics, moved and by keyboard.

Nobody else has exactly this merge, so the sheet's reference is the oracle. For panoptic quality it
is torchmetrics where neither map has void, and the sheet's reference elsewhere: torchmetrics takes
a predicted void out of the union (as void in the truth), the sheet and the paper do not.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torchmetrics.detection import PanopticQuality

import detseg
from autograder import answers
from autograder.sheets import load_sheet

pytestmark = pytest.mark.browser
NAME = "panoptic"
THINGS, STUFF = [*detseg.THINGS], [*detseg.STUFF]
NAMES = detseg.THINGS | detseg.STUFF
Maps = tuple[torch.Tensor, torch.Tensor]


@cache
def sheet() -> dict[str, Any]:
    """What the sheet's reference defines."""
    return answers.reference_names(load_sheet("mask-rcnn"))


def measured(ours: Maps, true: Maps) -> dict[int, list[float]]:
    """PQ, SQ and RQ by torchmetrics, as the page asks it: of the classes in either map."""
    measure = PanopticQuality(
        things=set(THINGS),
        stuffs=set(STUFF),
        allow_unknown_preds_category=True,  # void is no segment
        return_sq_and_rq=True,
        return_per_class=True,
    )
    measure.update(torch.stack(ours, -1)[None], torch.stack(true, -1)[None])
    table = measure.compute()
    there = torch.cat([ours[0], true[0]]).unique().tolist()
    return {label: table[label - 1].tolist() for label in there if label != 255}


def random_maps(generator: torch.Generator, void: bool) -> Maps:
    """A truth-like pair of 5 × 7 pixels in blocks, so that some segments match."""
    blocks = torch.randint(1, 8, (2, 3), generator=generator)
    if void:
        blocks[torch.rand(2, 3, generator=generator) < 0.3] = 255
    numbers = torch.randint(1, 3, (2, 3), generator=generator) * (blocks < 5)
    rows, columns = torch.arange(5)[:, None] * 2 // 5, torch.arange(7) * 3 // 7
    return blocks[rows, columns], numbers[rows, columns]


def flat(maps: Maps) -> dict[str, list[int]]:
    return {"classes": maps[0].flatten().tolist(), "instances": maps[1].flatten().tolist()}


def changed(maps: Maps, generator: torch.Generator, void: bool) -> Maps:
    """The same with every fifth pixel moved to a neighbour's segment, and some made void."""
    classes, instances = (one.clone() for one in maps)
    where = torch.rand(classes.shape, generator=generator) < 0.2
    classes[where], instances[where] = classes.roll(1, 1)[where], instances.roll(1, 1)[where]
    where = torch.rand(classes.shape, generator=generator) < (0.1 if void else 0)
    classes[where], instances[where] = 255, 0
    return classes, instances


def picture(figure: Figure, which: str) -> dict[str, torch.Tensor]:
    """What the figure's module shows, unpacked."""
    if which == "the scene":
        script = "async () => (await import('figures/panoptic-data')).default"
        packed = figure.page.evaluate(script)
        texts = [packed["semantic"], *(one["mask"] for one in packed["instances"])]
        texts += [packed["truth"][key] for key in ("classes", "instances")]
        maps = torch.tensor(figure.calls("unpacked", [[text] for text in texts]))
        maps = maps.reshape(-1, *packed["size"])
        labels = torch.tensor([one["label"] for one in packed["instances"]])
        return {
            "semantic": maps[0], "masks": maps[1:-2].bool(), "labels": labels, "truth": maps[-2:],
        }  # fmt: skip
    # The page's, in its own words.
    masks = torch.zeros(3, 4, 6, dtype=torch.bool)
    masks[0, 1:3, 0:3] = masks[1, 1:3, 2:5] = masks[2, 1:3, 0:2] = masks[2, 3, 0] = True
    semantic = torch.tensor([[5] * 6, [1] * 5 + [5], [1] * 5 + [6], [6] * 5 + [1]])
    true_classes = torch.tensor([[5] * 6, [1] * 6, [1] * 6, [6] * 5 + [1]])
    true_numbers = torch.tensor([[0] * 6, [1] * 4 + [2] * 2, [1] * 4 + [2] * 2, [0] * 5 + [2]])
    return {
        "semantic": semantic, "masks": masks, "labels": torch.tensor([1, 1, 2]),
        "truth": torch.stack([true_classes, true_numbers]),
    }  # fmt: skip


def assert_numbers_are_right(figure: Figure) -> Maps:
    """What is said of each instance and the table, by the oracles."""
    which = figure.root.locator("input[type=radio]:checked").input_value()
    threshold, *scores = (
        float(one.input_value()) for one in figure.root.locator("input[type=range]").all()
    )
    parts = picture(figure, which)
    scores = torch.tensor(scores, dtype=torch.float64)
    merged = sheet()["panoptic_merge"](
        parts["semantic"], parts["masks"], parts["labels"], scores, STUFF, threshold
    )
    order = scores.argsort(descending=True, stable=True).tolist()
    for place, index in enumerate(order):
        said = figure.said("ABCDE"[place])
        label = NAMES[int(parts["labels"][index])]
        assert said.startswith(f"{place + 1}. {'ABCDE'[index]}, {label}, {scores[index]:.2f}: ")
        mask = parts["masks"][index]
        numbers = merged[1][mask].unique().tolist()
        kept = re.search(r"accepted as (\d+), with (\d+) pixel", said)
        if kept:
            number, left = map(int, kept.groups())
            assert number in numbers
            assert left == int((merged[1] == number).sum())
        else:
            assert said.endswith("dropped")
    accepted = sum("accepted" in figure.said(letter) for letter in "ABCDE"[: len(order)])
    assert accepted == merged[1].max()
    count = int((merged[0] == 255).sum())
    pixels = "1 pixel" if count == 1 else f"{count} pixels"
    assert figure.said("void").endswith(f" {pixels} of the merged map")
    expected = sheet()["panoptic_quality"](merged, tuple(parts["truth"]))
    if not (merged[0] == 255).any():
        for label, numbers in measured(merged, tuple(parts["truth"])).items():
            assert numbers == pytest.approx(expected[label], abs=1e-6)
    rows = figure.root.locator("tbody tr").all()
    shown = {}
    for row in rows:
        sq, rq, pq, *_ = (float(cell.inner_text()) for cell in row.locator("td").all())
        shown[int(row.get_attribute("data-class"))] = [pq, sq, rq]
    assert shown.keys() == expected.keys()
    for label, numbers in expected.items():
        assert shown[label] == pytest.approx(numbers, abs=6e-4)
    mean = sum(numbers[0] for numbers in expected.values()) / len(expected)
    assert figure.number("quality") == pytest.approx(mean, abs=6e-4)
    return merged


def test_the_merge_is_the_sheet_s(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(2)
    table, expected = [], []
    for number in range(200):
        count = number % 6
        semantic = torch.randint(1, 8, (6, 9), generator=generator)
        masks = torch.zeros(count, 6, 9, dtype=torch.bool)
        for mask in masks:
            top, left = (int(torch.randint(size, (), generator=generator)) for size in (5, 8))
            high, wide = torch.randint(0, 6, (2,), generator=generator).tolist()
            mask[top : top + high, left : left + wide] = True
        labels = torch.randint(1, 5, (count,), generator=generator)
        scores = torch.randint(1, 8, (count,), generator=generator) / 8  # with ties
        threshold = [0.0, 0.25, 0.5, 0.75, 1.0][int(torch.randint(5, (), generator=generator))]
        table.append([
            semantic.flatten().tolist(), masks.flatten(1).tolist(), labels.tolist(),
            scores.tolist(), STUFF, threshold,
        ])  # fmt: skip
        expected.append(
            sheet()["panoptic_merge"](semantic, masks, labels, scores, STUFF, threshold)
        )
    for seen, wanted in zip(figure.calls("panopticMerge", table), expected, strict=True):
        assert {key: seen[key] for key in ("classes", "instances")} == flat(wanted)


@pytest.mark.parametrize("void", [False, True])
def test_quality_is_that_of_torchmetrics_and_with_void_the_sheet_s(
    figure: Figure, void: bool
) -> None:
    generator = torch.Generator().manual_seed(6)
    table, expected = [], []
    for _ in range(120):
        true = random_maps(generator, void)
        start = random_maps(generator, void) if len(table) % 3 == 0 else true
        ours = changed(start, generator, void)
        table.append([flat(ours), flat(true)])
        wanted = sheet()["panoptic_quality"](ours, true)
        if not void:
            for label, numbers in measured(ours, true).items():
                assert numbers == pytest.approx(wanted[label], abs=1e-6)
        expected.append(wanted)
    for seen, wanted in zip(figure.calls("panopticQuality", table), expected, strict=True):
        assert {row["label"] for row in seen} == wanted.keys()
        for row in seen:
            assert [row["pq"], row["sq"], row["rq"]] == pytest.approx(
                wanted[row["label"]], abs=1e-6
            )


def test_it_starts_with_the_page_s_little_picture(figure: Figure) -> None:
    merged = assert_numbers_are_right(figure)
    assert merged[1].max() == 2  # C is dropped
    assert figure.said("C").endswith("4 of its 5 pixels are taken, 0.800, more than 0.50: dropped")
    assert figure.root.locator("tbody tr").first.inner_text().split() == [
        "disk",
        "0.750",
        "0.500",
        "0.375",
        "1",
        "1",
        "1",
    ]


def test_threshold_and_scores(figure: Figure) -> None:
    for threshold in (0.3, 0.8, 1, 0):
        figure.slide("overlap threshold", threshold)
        assert_numbers_are_right(figure)
    figure.slide("overlap threshold", 0.5)
    figure.slide("C, square", 0.95)
    merged = assert_numbers_are_right(figure)
    assert (merged[0] == 2).sum() == 5  # C takes all of its pixels, and A loses most
    figure.slide("B, disk", 0.95)  # a tie keeps the order
    assert_numbers_are_right(figure)


def test_the_scene(figure: Figure) -> None:
    figure.root.get_by_label("the scene").check(force=True)
    merged = assert_numbers_are_right(figure)
    assert merged[1].max() == 3  # the person made of both persons is dropped
    figure.slide("D, person", 1)
    figure.slide("A, person", 0.4)
    assert_numbers_are_right(figure)
    figure.root.get_by_label("4 × 6 pixels").check(force=True)
    assert_numbers_are_right(figure)


def test_by_keyboard(figure: Figure) -> None:
    figure.root.get_by_label("overlap threshold").focus()
    for _ in range(6):
        figure.page.keyboard.press("ArrowRight")
    assert figure.said("C").endswith("accepted as 3, with 1 pixel")
    assert_numbers_are_right(figure)
    figure.page.keyboard.press("Tab")
    for _ in range(11):
        figure.page.keyboard.press("ArrowLeft")  # A falls behind B
    assert figure.said("A").startswith("1. B, disk, 0.80")
    assert_numbers_are_right(figure)


def test_on_a_phone(phone: Figure) -> None:
    assert_fits(phone)
    phone.root.get_by_label("the scene").check(force=True)
    assert_fits(phone)
    phone.slide("overlap threshold", 0)
    assert_numbers_are_right(phone)
