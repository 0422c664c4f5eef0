"""Average precision by pycocotools, on cases whose result is known."""

import math

import pytest
import torch

from detseg.errors import ArgumentError
from detseg.evaluate import KEYPOINT_SIGMAS, coco_evaluate
from detseg.scenes import KEYPOINTS, THINGS, ShapeScenes

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


def test_ap_by_iou_holds_the_ten_thresholds_that_ap_is_the_mean_of():
    found = detections([[20.0, 5.0, 31.0, 14.0]], [2], [0.9])  # IoU 0.75 with class 2
    result = coco_evaluate([found], [TARGET], num_classes=3)
    assert result["ap_by_iou"] == {1: [0.0] * 10, 2: pytest.approx([1.0] * 6 + [0.0] * 4)}
    assert coco_evaluate([found], [NOTHING], num_classes=2)["ap_by_iou"] == {}


# A person of two keypoints and 400 pixels, so of size 20; a keypoint with sigma 0.05 that is 2
# pixels off has a similarity of exp(-1/2).
PERSON = {
    "boxes": torch.tensor([[0.0, 0.0, 30.0, 60.0]]),
    "labels": torch.tensor([1]),
    "keypoints": torch.tensor([[[10.0, 8.0, 2.0], [12.0, 50.0, 1.0]]]),
    "area": torch.tensor([400.0]),
}
SIGMAS = (0.05, 0.05)


def persons(*points, scores=(0.9,)):
    return {
        "boxes": PERSON["boxes"].expand(len(scores), -1),
        "labels": torch.ones(len(scores), dtype=torch.int64),
        "keypoints": torch.tensor(points).reshape(len(scores), 2, 3),
        "scores": torch.tensor(scores),
    }


def by_keypoints(found, target, sigmas=SIGMAS):
    return coco_evaluate([found], [target], num_classes=1, keypoint_sigmas=sigmas)


def test_keypoints_in_place_have_ap_1():
    assert by_keypoints(PERSON | {"scores": torch.tensor([0.7])}, PERSON)["ap"] == pytest.approx(1)


@pytest.mark.parametrize(("dx", "dy"), [(2.0, 0.0), (0.0, -2.0)])
def test_similarity_is_the_mean_over_the_keypoints(dx, dy):
    # (1 + exp(-1/2)) / 2 = 0.803: right at .50, .55 … .80, wrong at .85, .90 and .95
    found = persons([10.0 + dx, 8.0 + dy, 1.0], [12.0, 50.0, 1.0])
    assert 0.80 < (1 + math.exp(-0.5)) / 2 < 0.85
    assert by_keypoints(found, PERSON)["ap_by_iou"][1] == pytest.approx([1.0] * 7 + [0.0] * 3)


def test_the_area_of_the_pixels_sets_the_scale():
    found = persons([12.0, 8.0, 1.0], [12.0, 50.0, 1.0])
    small = PERSON | {"area": torch.tensor([100.0])}  # (1 + exp(-2)) / 2 = 0.568
    assert by_keypoints(found, small)["ap_by_iou"][1] == pytest.approx([1.0] * 2 + [0.0] * 8)


def test_each_keypoint_has_its_own_sigma():
    found = persons([12.0, 8.0, 1.0], [12.0, 50.0, 1.0])
    assert by_keypoints(found, PERSON, (0.5, 0.05))["ap"] == pytest.approx(1)
    assert by_keypoints(found, PERSON, (0.05, 0.5))["ap"] == pytest.approx(0.7)


def test_a_keypoint_that_is_not_marked_does_not_count():
    target = PERSON | {"keypoints": torch.tensor([[[0.0, 0.0, 0.0], [12.0, 50.0, 2.0]]])}
    found = persons([90.0, 90.0, 1.0], [12.0, 50.0, 1.0])
    assert by_keypoints(found, target)["ap"] == pytest.approx(1)


def test_a_thing_without_keypoints_is_neither_missed_nor_needed():
    target = {name: torch.cat([value, value]) for name, value in PERSON.items()}
    target["keypoints"] = torch.cat([PERSON["keypoints"], torch.zeros(1, 2, 3)])
    found = persons([10.0, 8.0, 1.0], [12.0, 50.0, 1.0])
    assert by_keypoints(found, target)["ap"] == pytest.approx(1)
    none = PERSON | {"keypoints": torch.zeros(1, 2, 3)}
    assert by_keypoints(found, none)["ap50_per_class"] == {}


def test_a_crowd_is_not_missed():
    assert by_keypoints(
        persons([10.0, 8.0, 1.0], [12.0, 50.0, 1.0]), PERSON | {"iscrowd": torch.tensor([1])}
    ) == {"ap": 0.0, "ap50": 0.0, "ap50_per_class": {}, "ap_by_iou": {}}


def test_no_person_found_has_keypoint_ap_0():
    nothing = persons(scores=()) | {"keypoints": torch.zeros(0, 2, 3)}
    assert by_keypoints(nothing, PERSON)["ap50_per_class"] == {1: 0.0}


def test_in_scenes_only_persons_have_keypoints_to_find():
    scenes = [target for _, target in ShapeScenes(8, seed=1)]
    assert len(KEYPOINT_SIGMAS) == len(KEYPOINTS)
    found = [target | {"scores": torch.ones(len(target["labels"]))} for target in scenes]
    result = coco_evaluate(found, scenes, len(THINGS), keypoint_sigmas=KEYPOINT_SIGMAS)
    assert result["ap50_per_class"] == pytest.approx({4: 1.0})


def test_keypoints_and_sigmas_must_be_of_one_number():
    with pytest.raises(
        ArgumentError, match=r"3 sigmas are for keypoints \(N, 3, 3\), got \(1, 2, 3\)"
    ):
        by_keypoints(PERSON | {"scores": torch.tensor([0.7])}, PERSON, (0.05, 0.05, 0.05))


def test_masks_and_keypoints_are_judged_one_at_a_time():
    with pytest.raises(ArgumentError, match="by masks or by keypoints"):
        coco_evaluate([], [], 1, masks=True, keypoint_sigmas=SIGMAS)
