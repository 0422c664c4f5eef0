"""The figure of the four tasks: the scene of the page, and its answers as torch counts them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from scipy import ndimage
from torchvision import ops

import detseg

pytestmark = pytest.mark.browser
NAME = "four-tasks"
H, W = 96, 128
SCALE = 340 / W  # units of the drawing for a pixel
TASKS = {
    "classification": "classification",
    "semantic": "semantic segmentation",
    "detection": "object detection",
    "instance": "instance segmentation",
}


@cache
def data_of(figure: Figure) -> dict[str, Any]:
    return figure.page.evaluate('async () => (await import("figures/four-tasks-data")).default')


def unrolled(runs: list[int]) -> torch.Tensor:
    values, lengths = torch.tensor(runs).reshape(-1, 2).T
    return values.repeat_interleave(lengths)


def answers(figure: Figure, things: list[dict[str, int]]) -> dict[str, Any]:
    """Masks, boxes, labels and semantic map of a scene, made with torch from its parts."""
    data = data_of(figure)
    masks, labels = torch.zeros(len(things), H, W, dtype=torch.bool), []
    for number, thing in enumerate(things):
        part = data["things"][thing["part"]]
        rows = slice(thing["y"], thing["y"] + part["height"])
        columns = slice(thing["x"], thing["x"] + part["width"])
        masks[number, rows, columns] = unrolled(part["mask"]).bool().reshape(part["height"], -1)
        masks[:number] &= ~masks[number]  # what comes later lies in front
        labels.append(part["label"])
    seen = masks.any(dim=2).any(dim=1)
    labels, semantic = (
        torch.tensor(labels, dtype=torch.int64),
        unrolled(data["stuff"]).reshape(H, W),
    )
    for mask, label in zip(masks, labels, strict=True):
        semantic[mask] = label
    masks, labels = masks[seen], labels[seen]
    boxes = ops.masks_to_boxes(masks) + torch.tensor([0, 0, 1, 1])  # x2, y2 are the last pixel
    return {"masks": masks, "boxes": boxes, "labels": labels, "semantic": semantic}


def areas_of(semantic: torch.Tensor) -> dict[int, int]:
    """Connected areas of each class; pixels that meet at a corner belong together."""
    return {
        label: ndimage.label(semantic == label, torch.ones(3, 3))[1]
        for label in semantic.unique().tolist()
    }


def shown(figure: Figure) -> list[dict[str, int]]:
    things = []
    for group in figure.root.locator("[data-part]").all():
        label = group.locator(".figure-hit").get_attribute("aria-label")
        x, y = (int(value) for value in re.fullmatch(r"\w+, x (\d+), y (\d+)", label).groups())
        things.append({"part": int(group.get_attribute("data-part")), "x": x, "y": y})
    return things


def numbers(text: str) -> list[int]:
    return [int(value) for value in re.findall(r"\d+", text.replace("\u202f", ""))]


def assert_numbers_are_right(figure: Figure) -> None:
    """The sizes of all answers, and the answer of each task, are those of tensors."""
    truth = answers(figure, shown(figure))
    names = data_of(figure)["names"]
    words = [names[str(label)] for label in truth["labels"].tolist()]
    sizes = {
        "classification": 1,
        "semantic": truth["semantic"].numel(),
        "detection": truth["boxes"].numel() + truth["labels"].numel(),
        "instance": truth["masks"].numel() + truth["labels"].numel(),
    }
    pixels = truth["masks"].sum(dim=(1, 2)).tolist()
    for task, title in TASKS.items():
        figure.root.get_by_label(title, exact=True).check()
        assert numbers(figure.said("all")) == list(sizes.values())
        assert numbers(figure.said("numbers"))[-1] == sizes[task]
        answer = figure.said("answer")
        if task == "classification" and words:
            assert words[pixels.index(max(pixels))] in answer
        if task == "semantic":
            present, counts = truth["semantic"].unique(return_counts=True)
            assert numbers(answer) == counts.tolist()
            lost = figure.said("lost")
            for label, count in areas_of(truth["semantic"]).items():
                if things := words.count(names[str(label)]):
                    said = re.search(rf"{names[str(label)]}: (\d+) things?, (\d+) areas?", lost)
                    assert said.groups() == (str(things), str(count))
            assert len(present) == len(answer.split(","))
        if task == "detection":
            assert numbers(answer) == truth["boxes"].flatten().int().tolist()
            assert re.findall(r"([a-z]+) \(", answer) == words
            drawn = figure.root.locator(".figure-shape").evaluate_all(
                "all => all.map(r => ['x', 'y', 'width', 'height'].map(k => +r.getAttribute(k)))"
            )
            expected = ops.box_convert(truth["boxes"], "xyxy", "xywh").tolist()
            assert drawn == expected
        if task == "instance":
            assert [int(n) for n in re.findall(r": (\d+) pixels", answer)] == pixels
            assert re.findall(r"([a-z]+) \d+:", answer) == words


def body(figure: Figure, index: int):
    return figure.root.locator("[data-part]").nth(index).locator(".figure-hit")


def test_first_state_is_the_scene_of_the_page(figure: Figure) -> None:
    scenes = detseg.ShapeScenes(n=1000, seed=7, size_hw=(H, W), things=(3, 4))
    _, target = scenes[615]
    things = shown(figure)
    seen = figure.call("instances", things)
    assert [one["box"] for one in seen] == target["boxes"].tolist()
    assert [one["label"] for one in seen] == target["labels"].tolist()
    assert [one["area"] for one in seen] == target["area"].tolist()
    assert figure.call("semanticMap", things) == target["semantic"].flatten().tolist()
    assert figure.call("owners", things) == target["panoptic"].flatten().tolist()
    assert_numbers_are_right(figure)


def test_same_numbers_as_torch(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(8)

    def below(limit: int) -> int:
        return int(torch.randint(0, limit, (1,), generator=generator))

    parts, table = data_of(figure)["things"], []
    for case in range(200):
        chosen = [below(len(parts)) for _ in range(case % 8)]  # none too
        table.append([
            {"part": k, "x": below(W - parts[k]["width"] + 1) // (1 + case % 3),
             "y": below(H - parts[k]["height"] + 1) // (1 + case % 3)}
            for k in chosen
        ])  # fmt: skip
    table += [[{"part": 1, "x": 50, "y": 50}, {"part": 0, "x": 46, "y": 44}]]  # one hides the other
    truths = [answers(figure, things) for things in table]
    assert len(truths[-1]["labels"]) == 1
    seen = figure.calls("instances", [[things] for things in table])
    for found, truth in zip(seen, truths, strict=True):
        assert [one["box"] for one in found] == truth["boxes"].tolist()
        assert [one["label"] for one in found] == truth["labels"].tolist()
        assert [one["area"] for one in found] == truth["masks"].sum(dim=(1, 2)).tolist()
    sample = [truth["semantic"] for truth in truths[::20]]
    maps = figure.calls("semanticMap", [[things] for things in table[::20]])
    assert maps == [semantic.flatten().tolist() for semantic in sample]
    for found, semantic in zip(
        figure.calls("regions", [[one] for one in maps]), sample, strict=True
    ):
        labels = [area["label"] for area in found]
        assert {label: labels.count(label) for label in set(labels)} == areas_of(semantic)
        assert sum(len(area["pixels"]) for area in found) == H * W


def test_dragging_the_disks_apart_parts_their_area(figure: Figure) -> None:
    assert "disk: 2 things, 1 area;" in figure.said("lost")
    before = shown(figure)[0]
    figure.drag(body(figure, 0), 0, 30 * SCALE)
    assert shown(figure)[0] == before | {"y": before["y"] + 30}
    assert "disk: 2 things, 2 areas;" in figure.said("lost")
    assert_numbers_are_right(figure)
    figure.drag(body(figure, 2), -400, -400)  # things stay in the scene
    assert (shown(figure)[2]["x"], shown(figure)[2]["y"]) == (0, 0)
    figure.drag(body(figure, 1), 400, 400)
    triangle = data_of(figure)["things"][1]
    assert shown(figure)[1]["x"] == W - triangle["width"]
    assert shown(figure)[1]["y"] == H - triangle["height"]
    assert_numbers_are_right(figure)


def test_by_keyboard(figure: Figure) -> None:
    keyboard = figure.page.keyboard
    before = shown(figure)[1]
    body(figure, 1).focus()
    keyboard.press("ArrowDown")
    keyboard.press("ArrowRight")
    assert shown(figure)[1] == before | {"x": before["x"] + 2, "y": before["y"] + 2}
    assert_numbers_are_right(figure)
    body(figure, 1).focus()
    figure.root.get_by_role("button", name="double it").focus()
    keyboard.press("Enter")  # the triangle was the last one in focus
    assert [thing["part"] for thing in shown(figure)] == [0, 1, 2, 1]
    assert_numbers_are_right(figure)


def test_answers_grow_and_shrink_with_the_number_of_things(figure: Figure) -> None:
    for _ in range(4):
        figure.press("double it")
    assert len(shown(figure)) == 7
    figure.root.get_by_role("button", name="double it").focus()
    figure.page.keyboard.press("Enter")
    assert len(shown(figure)) == 7  # no more
    assert_numbers_are_right(figure)
    for _ in range(7):
        figure.press("take it away")
    assert shown(figure) == []
    assert_numbers_are_right(figure)
    assert "empty" in figure.said("answer")
    figure.press("all as at first")
    assert len(shown(figure)) == 3
    assert_numbers_are_right(figure)


def test_on_a_phone(phone: Figure) -> None:
    assert_fits(phone)
    phone.drag(body(phone, 1), -60 * SCALE, 20 * SCALE)
    assert shown(phone)[1]["x"] < 40
    phone.press("double it")
    assert_numbers_are_right(phone)
    assert_fits(phone)
