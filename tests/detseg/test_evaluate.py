"""Average precision by pycocotools, on cases whose result is known."""

import pytest
import torch

from detseg.errors import ArgumentError
from detseg.evaluate import coco_evaluate

TARGET = {
    "boxes": torch.tensor([[0.0, 0.0, 10.0, 8.0], [20.0, 5.0, 31.0, 17.0]]),
    "labels": torch.tensor([1, 2]),
}
NOTHING = {"boxes": torch.zeros((0, 4)), "labels": torch.zeros(0, dtype=torch.int64)}


def detections(boxes, labels, scores):
    return {
        "boxes": torch.tensor(boxes).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "scores": torch.tensor(scores),
    }


def test_perfect_detections_have_ap_1():
    found = TARGET | {"scores": torch.tensor([0.4, 0.6])}
    result = coco_evaluate([found], [TARGET], num_classes=2)
    assert result["ap"] == pytest.approx(1)
    assert result["ap50"] == pytest.approx(1)
    assert result["ap50_per_class"] == pytest.approx({1: 1, 2: 1})


def test_no_detections_have_ap_0():
    result = coco_evaluate([NOTHING | {"scores": torch.zeros(0)}], [TARGET], num_classes=2)
    assert result["ap50_per_class"] == {1: 0.0, 2: 0.0}


def test_a_class_without_ground_truth_is_left_out():
    found = TARGET | {"scores": torch.tensor([0.4, 0.6])}
    assert set(coco_evaluate([found], [TARGET], num_classes=3)["ap50_per_class"]) == {1, 2}


def test_no_ground_truth_at_all():
    found = TARGET | {"scores": torch.tensor([0.4, 0.6])}
    assert coco_evaluate([found], [NOTHING], num_classes=2)["ap50"] == 0


def test_a_box_of_the_other_class_does_not_count():
    found = detections([[0.0, 0.0, 10.0, 8.0]], [2], [0.9])
    assert coco_evaluate([found], [TARGET], num_classes=2)["ap50"] == 0


def test_iou_decides_at_050_and_not_at_095():
    # IoU 0.75 with the second box, which is not at the origin: COCO's files say (x, y, w, h).
    found = detections([[20.0, 5.0, 31.0, 14.0]], [2], [0.9])
    result = coco_evaluate([found], [TARGET], num_classes=2)
    assert result["ap50_per_class"][2] == pytest.approx(1)
    assert result["ap"] == pytest.approx(0.5 * 6 / 10)  # six of ten thresholds, one of two classes


def test_images_are_not_mixed_up():
    found = detections([[20.0, 5.0, 31.0, 17.0]], [2], [0.9])
    empty = detections([], [], [])
    result = coco_evaluate([empty, found], [TARGET, NOTHING], num_classes=2)
    assert result["ap50"] == 0


def test_lists_of_different_length_are_refused():
    with pytest.raises(ArgumentError, match="0 detections for 1 targets"):
        coco_evaluate([], [TARGET], num_classes=2)
