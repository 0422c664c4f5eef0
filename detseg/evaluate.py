"""Average precision as COCO defines it, computed by pycocotools."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from pycocotools.mask import area, encode, toBbox

from detseg.errors import ArgumentError

# How far each of `detseg.KEYPOINTS` may be off, as a part of the person's size (the square root of
# its area). Set by this course: COCO's own for wrists, elbows, knees and ankles; COCO has no
# head as a whole, so a head has that of a hand.
KEYPOINT_SIGMAS = (0.062, 0.062, 0.062, 0.072, 0.072, 0.087, 0.087, 0.089, 0.089)


def coco_evaluate(
    detections: Sequence[dict[str, torch.Tensor]],
    targets: Sequence[dict[str, Any]],
    num_classes: int,
    *,
    masks: bool = False,
    keypoint_sigmas: Sequence[float] | None = None,
) -> dict[str, Any]:
    """Judge detections against ground truth, by their boxes, their masks or their keypoints.

    Args:
        detections: one dict an image: `boxes` (N, 4) xyxy, `labels` (N,), `scores` (N,).
        targets: one dict an image: `boxes` (M, 4), `labels` (M,), optional `iscrowd` (M,).
        num_classes: classes are 1 … num_classes.
        masks: judge `masks` instead, bool (N, H, W) in detections and (M, H, W) in targets.
        keypoint_sigmas: judge `keypoints` instead, (N, K, 3) in detections and (M, K, 3) in
            targets, by their similarity (OKS) in place of IoU; one sigma a keypoint, as
            `KEYPOINT_SIGMAS`. A thing's size is the root of `area` (M,) in targets. A thing none
            of whose keypoints is marked (visibility 0) is ignored, and so is one of `iscrowd`.

    Returns: `ap` (mean over classes and IoU .50:.05:.95), `ap50` (at IoU .50), and two dicts from
        class to AP: `ap50_per_class` at .50, and `ap_by_iou`, a list of ten, at IoU .50, .55 … .95.
        A class without ground truth is left out.

    Raises:
        ArgumentError: the two lists differ in length, masks and keypoints are to be judged at
            once, or there is another number of keypoints than of sigmas.

    Example:
        >>> target = {"boxes": torch.tensor([[0.0, 0.0, 9.0, 9.0]]), "labels": torch.tensor([1])}
        >>> found = target | {"scores": torch.tensor([0.9])}
        >>> round(coco_evaluate([found], [target], num_classes=1)["ap50"], 6)
        1.0
    """
    if len(detections) != len(targets):
        raise ArgumentError(f"{len(detections)} detections for {len(targets)} targets")
    if masks and keypoint_sigmas is not None:
        raise ArgumentError("judge by masks or by keypoints, not by both at once")
    kind = "segm" if masks else "bbox" if keypoint_sigmas is None else "keypoints"
    if keypoint_sigmas is not None:
        _check_keypoints([*detections, *targets], len(keypoint_sigmas))
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports its own progress
        data = _as_coco(detections, targets, num_classes, kind)
        evaluation = COCOeval(*data, kind)
        if keypoint_sigmas is not None:
            evaluation.params.kpt_oks_sigmas = np.array(keypoint_sigmas)
        evaluation.evaluate()
        evaluation.accumulate()
    # precision: IoU thresholds, recall thresholds, classes, areas, numbers of detections
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    known = [index for index in range(num_classes) if precision[0, 0, index] > -1]
    if not known:
        return {"ap": 0.0, "ap50": 0.0, "ap50_per_class": {}, "ap_by_iou": {}}
    return {
        "ap": float(precision[:, :, known].mean()),
        "ap50": float(precision[0][:, known].mean()),
        "ap50_per_class": {index + 1: float(precision[0, :, index].mean()) for index in known},
        "ap_by_iou": {index + 1: precision[:, :, index].mean(axis=1).tolist() for index in known},
    }


def _check_keypoints(found: Sequence[dict[str, Any]], count: int) -> None:
    for one in found:
        if one["keypoints"].shape[1:] != (count, 3):
            raise ArgumentError(
                f"{count} sigmas are for keypoints (N, {count}, 3), "
                f"got {tuple(one['keypoints'].shape)}"
            )


def _as_coco(
    detections: Sequence[dict[str, torch.Tensor]],
    targets: Sequence[dict[str, Any]],
    num_classes: int,
    kind: str,
) -> tuple[COCO, COCO]:
    shapes = {"bbox": _boxes, "segm": _masks, "keypoints": _keypoints}[kind]
    images: list[dict[str, Any]] = [{"id": image} for image in range(len(targets))]
    annotations: list[dict[str, Any]] = []
    for image, target in enumerate(targets):
        crowd = target.get("iscrowd", torch.zeros(len(target["labels"]))).tolist()
        labels = target["labels"].tolist()
        if kind == "segm":  # pycocotools asks for the size, though the masks have it
            images[image]["height"], images[image]["width"] = target["masks"].shape[1:]
        given = shapes(target)
        if kind == "keypoints":  # a thing's size is that of its pixels, not that of its box
            given = [s | {"area": a} for s, a in zip(given, target["area"].tolist(), strict=True)]
        for shape, label, is_crowd in zip(given, labels, crowd, strict=True):
            about = {"id": len(annotations) + 1, "image_id": image, "category_id": label}
            annotations.append(about | shape | {"iscrowd": int(is_crowd)})
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": label} for label in range(1, num_classes + 1)],
    }
    truth.createIndex()
    results = [
        {"image_id": image, "category_id": label, "score": score} | shape
        for image, found in enumerate(detections)
        for shape, label, score in zip(
            shapes(found), found["labels"].tolist(), found["scores"].tolist(), strict=True
        )
    ]
    return truth, truth.loadRes(results) if results else _nothing(truth)


def _nothing(truth: COCO) -> COCO:
    """`loadRes` does not take an empty list."""
    empty = COCO()
    empty.dataset = truth.dataset | {"annotations": []}
    empty.createIndex()
    return empty


def _boxes(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
        for x1, y1, x2, y2 in found["boxes"].tolist()
    ]


def _keypoints(found: dict[str, Any]) -> list[dict[str, Any]]:
    """x, y and visibility in turn, how many are marked, and the box, which pycocotools asks for."""
    return [
        box
        | {
            "keypoints": points.flatten().tolist(),
            "num_keypoints": int(points[:, 2].count_nonzero()),
        }
        for box, points in zip(_boxes(found), found["keypoints"], strict=True)
    ]


def _masks(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Run-length encoded, and with the box around it, which pycocotools asks for."""
    # pycocotools reads column by column: (H, W, N) in Fortran's order.
    coded = encode(np.asfortranarray(found["masks"].cpu().numpy().transpose(1, 2, 0), np.uint8))
    return [
        {"segmentation": code, "bbox": box, "area": int(size)}
        for code, box, size in zip(coded, toBbox(coded).tolist(), area(coded), strict=True)
    ]
