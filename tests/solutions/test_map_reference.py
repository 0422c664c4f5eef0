"""The reference of the sheet `map`: pycocotools agrees with it, and so do the lecture's numbers."""

from collections import Counter
from itertools import pairwise

import pytest
import torch
from torchvision.ops import box_iou

from detseg.evaluate import coco_evaluate

SEEDS = range(64)
CLASSES = 4  # 1 and 2 are common, 3 is rare, 4 has detections but never an object

FEATURES = {
    "duplicates of an object",
    "equal scores within an image",
    "equal scores in two images",
    "an image without ground truth",
    "an image without detections",
    "a class without ground truth",
    "a class with nothing but crowds",
    "a target without iscrowd",
    "detections inside a crowd",
    "detections partly inside a crowd",
    "an object and a crowd for one detection",
    "more than 100 detections of a class in an image",
    "objects with the same best IoU",
    "an IoU of exactly 0.5",
    "an IoU of exactly 0.75",
    "a detection without area",
    "fractional coordinates",
}


@pytest.fixture
def coco_map(reference):
    return reference("map")["coco_map"]


# The data sets.


def data_set(seed):
    """Detections and targets of four images, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)

    def whole(low, high, *shape):
        return torch.randint(low, high, shape, generator=generator)

    def drawn(count, smallest, largest):
        corners = whole(0, 24, count, 2)
        return 2 * torch.cat([corners, corners + whole(smallest, largest, count, 2)], dim=1).float()

    def image(copies):
        objects = drawn(4, 4, 12)
        objects = torch.cat([objects, objects + torch.tensor([4.0, 0.0, 4.0, 0.0])])
        labels = torch.tensor([1, 2, 1, 3 if whole(0, 4, 1) == 0 else 2]).repeat(2)
        crowds = drawn(2, 12, 24)
        around = objects.repeat(copies, 1)
        around = around + whole(-2, 3, *around.shape)
        between = objects + torch.tensor([2.0, 0.0, 2.0, 0.0])
        boxes = torch.cat([around, objects, between, _cut(objects, 2), _cut(objects, 4)])
        guessed = labels.repeat(copies + 4)
        boxes, guessed = torch.cat([boxes, drawn(8, 0, 8)]), torch.cat([guessed, whole(1, 5, 8)])
        order = torch.randperm(len(boxes), generator=generator)
        truth = {
            "boxes": torch.cat([crowds[:1], objects, crowds[1:]]),
            "labels": torch.cat([whole(1, 4, 1), labels, whole(1, 4, 1)]),
            "iscrowd": torch.tensor([1] + [0] * 8 + [1]),
        }
        found = {
            "boxes": boxes[order],
            "labels": guessed[order],
            "scores": whole(1, 40, len(boxes)) / 64,
        }
        return found, truth

    pairs = [image(copies) for copies in (1, 2, 25 if seed % 4 == 0 else 3, 1)]
    detections, targets = [found for found, _ in pairs], [truth for _, truth in pairs]
    if seed % 3 == 0:
        for boxes in (*(found["boxes"] for found in detections), targets[0]["boxes"]):
            outwards = torch.rand(boxes.shape, generator=generator) / 4
            boxes += outwards * torch.tensor([-1.0, -1.0, 1.0, 1.0])
    if seed % 2 == 0:
        targets[1] = {key: value[:0] for key, value in targets[1].items()}
    if seed % 5 == 0:
        detections[3] = {key: value[:0] for key, value in detections[3].items()}
    if seed % 5 == 1:
        del targets[3]["iscrowd"]
    return detections, targets


def _cut(boxes, parts):
    """The boxes without the last of so many parts of their height."""
    cut = boxes.clone()
    cut[:, 3] -= (boxes[:, 3] - boxes[:, 1]) / parts
    return cut


def features(detections, targets):
    """Which of FEATURES a data set has."""
    found, with_objects, with_crowds = set(), set(), set()
    scores_of_images = [
        set(zip(f["labels"].tolist(), f["scores"].tolist(), strict=True)) for f in detections
    ]
    if any(one & other for one, other in pairwise(scores_of_images)):
        found.add("equal scores in two images")
    for boxes, truth in zip(detections, targets, strict=True):
        if len(truth["labels"]) == 0:
            found.add("an image without ground truth")
        if len(boxes["labels"]) == 0:
            found.add("an image without detections")
        if "iscrowd" not in truth:
            found.add("a target without iscrowd")
        if (boxes["boxes"] % 1 != 0).any():
            found.add("fractional coordinates")
        if ((boxes["boxes"][:, 2:] - boxes["boxes"][:, :2]).prod(dim=1) == 0).any():
            found.add("a detection without area")
        crowd = truth.get("iscrowd", torch.zeros_like(truth["labels"])).bool()
        for label in range(1, CLASSES + 1):
            mine, theirs = boxes["labels"] == label, truth["labels"] == label
            if (theirs & ~crowd).any():
                with_objects.add(label)
            if (theirs & crowd).any():
                with_crowds.add(label)
            if mine.sum() > 100:
                found.add("more than 100 detections of a class in an image")
            if max(Counter(boxes["scores"][mine].tolist()).values(), default=0) > 1:
                found.add("equal scores within an image")
            found |= _of_overlaps(
                boxes["boxes"][mine].double(),
                truth["boxes"][theirs & ~crowd].double(),
                truth["boxes"][theirs & crowd].double(),
            )
    if with_crowds - with_objects:
        found.add("a class with nothing but crowds")
    if set(range(1, CLASSES + 1)) - with_objects - with_crowds:
        found.add("a class without ground truth")
    return found


def _of_overlaps(boxes, objects, crowds):
    if len(boxes) == 0:
        return set()
    found = set()
    iou = box_iou(boxes, objects)
    near = iou >= 0.5
    if (near.sum(dim=0) > 1).any():
        found.add("duplicates of an object")
    if (iou == 0.5).any():
        found.add("an IoU of exactly 0.5")
    if (iou == 0.75).any():
        found.add("an IoU of exactly 0.75")
    if any(max(row, default=0) >= 0.5 and row.count(max(row)) > 1 for row in iou.tolist()):
        found.add("objects with the same best IoU")
    if len(crowds):
        corner = torch.maximum(boxes[:, None, :2], crowds[:, :2])
        sides = (torch.minimum(boxes[:, None, 2:], crowds[:, 2:]) - corner).clamp(min=0)
        inside = sides.prod(dim=2) / (boxes[:, 2:] - boxes[:, :2]).prod(dim=1, keepdim=True)
        if (inside == 1).any():
            found.add("detections inside a crowd")
        if ((inside >= 0.5) & (inside < 0.95)).any():
            found.add("detections partly inside a crowd")
        if (near.any(dim=1) & (inside >= 0.5).any(dim=1)).any():
            found.add("an object and a crowd for one detection")
    return found


def test_the_data_sets_have_every_feature():
    counts = Counter(feature for seed in SEEDS for feature in features(*data_set(seed)))
    assert set(counts) == FEATURES
    assert min(counts.values()) >= 4, counts.most_common()[-1]


# The reference against pycocotools.


@pytest.mark.parametrize("seed", SEEDS)
def test_coco_map_is_that_of_pycocotools(coco_map, seed):
    detections, targets = data_set(seed)
    expected = coco_evaluate(detections, targets, CLASSES)
    value = coco_map(detections, targets, CLASSES)
    assert 0.05 < value < 0.95  # nothing that a wrong answer meets by chance
    assert value == pytest.approx(expected["ap"], abs=1e-6)


@pytest.mark.parametrize("crowds", [0, 1])
def test_without_objects_there_is_no_number(coco_map, crowds):
    detections, targets = data_set(1)  # the first box of every target is a crowd
    del detections[3], targets[3]
    targets = [{key: value[:crowds] for key, value in truth.items()} for truth in targets]
    assert coco_evaluate(detections, targets, CLASSES)["ap50_per_class"] == {}
    assert coco_map(detections, targets, CLASSES) == -1.0


def test_without_detections_the_number_is_0(coco_map):
    detections, targets = data_set(1)
    nothing = [{key: value[:0] for key, value in found.items()} for found in detections]
    assert coco_evaluate(nothing, targets, CLASSES)["ap"] == 0
    assert coco_map(nothing, targets, CLASSES) == 0.0


def test_without_images_there_is_no_number(coco_map):
    assert coco_map([], [], CLASSES) == -1.0


def test_one_threshold_of_ten_is_exercise_4(reference, coco_map):
    """Without crowds, ties and crowded images the two exercises agree."""
    names = reference("map")
    detections, targets = data_set(3)
    for found in detections:
        found["scores"] = (
            torch.linspace(0.9, 0.1, len(found["labels"])) + found["boxes"][0, 0] / 1e4
        )
    targets = [
        {key: truth[key][truth["iscrowd"] == 0] for key in ("boxes", "labels")} for truth in targets
    ]
    ten = [
        names["mean_average_precision"](detections, targets, CLASSES, percent / 100, "coco101")
        for percent in range(50, 100, 5)
    ]
    assert coco_map(detections, targets, CLASSES) == pytest.approx(sum(ten) / 10, abs=1e-6)


# The lecture's numbers.


@pytest.mark.parametrize(
    ("method", "expected"), [("area", 0.8667), ("voc11", 0.8545), ("coco101", 0.8653)]
)
def test_the_dogs_of_the_lecture(reference, method, expected):
    names = reference("map")
    curve = names["precision_recall"](torch.tensor([True, True, False, False, True]), 3)
    assert names["average_precision"](*curve, method) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("method", ["area", "voc11", "coco101"])
def test_false_positives_below_the_last_true_one_cost_nothing(reference, method):
    names = reference("map")
    curve = names["precision_recall"](torch.tensor([True] * 3 + [False] * 100), 3)
    assert names["average_precision"](*curve, method) == pytest.approx(1)
