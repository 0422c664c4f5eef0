"""Average precision as COCO defines it, computed by pycocotools."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from detseg.errors import ArgumentError


def coco_evaluate(
    detections: Sequence[dict[str, torch.Tensor]],
    targets: Sequence[dict[str, Any]],
    num_classes: int,
) -> dict[str, Any]:
    """Judge detections of boxes against ground truth.

    Args:
        detections: one dict an image: `boxes` (N, 4) xyxy, `labels` (N,), `scores` (N,).
        targets: one dict an image: `boxes` (M, 4), `labels` (M,), optional `iscrowd` (M,).
        num_classes: classes are 1 … num_classes.

    Returns: `ap` (mean over classes and IoU .50:.05:.95), `ap50` (at IoU .50), and
        `ap50_per_class`, a dict from class to AP at .50; a class without ground truth is left out.

    Raises:
        ArgumentError: the two lists differ in length.

    Example:
        >>> target = {"boxes": torch.tensor([[0.0, 0.0, 9.0, 9.0]]), "labels": torch.tensor([1])}
        >>> found = target | {"scores": torch.tensor([0.9])}
        >>> round(coco_evaluate([found], [target], num_classes=1)["ap50"], 6)
        1.0
    """
    if len(detections) != len(targets):
        raise ArgumentError(f"{len(detections)} detections for {len(targets)} targets")
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports its own progress
        evaluation = COCOeval(*_as_coco(detections, targets, num_classes), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    # precision: IoU thresholds, recall thresholds, classes, areas, numbers of detections
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    known = [index for index in range(num_classes) if precision[0, 0, index] > -1]
    if not known:
        return {"ap": 0.0, "ap50": 0.0, "ap50_per_class": {}}
    return {
        "ap": float(precision[:, :, known].mean()),
        "ap50": float(precision[0][:, known].mean()),
        "ap50_per_class": {index + 1: float(precision[0, :, index].mean()) for index in known},
    }


def _as_coco(
    detections: Sequence[dict[str, torch.Tensor]],
    targets: Sequence[dict[str, Any]],
    num_classes: int,
) -> tuple[COCO, COCO]:
    annotations: list[dict[str, Any]] = []
    for image, target in enumerate(targets):
        crowd = target.get("iscrowd", torch.zeros(len(target["labels"]))).tolist()
        boxes = _xywh(target["boxes"])
        for box, label, is_crowd in zip(boxes, target["labels"].tolist(), crowd, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": label,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": int(is_crowd),
                }
            )
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": image} for image in range(len(targets))],
        "annotations": annotations,
        "categories": [{"id": label} for label in range(1, num_classes + 1)],
    }
    truth.createIndex()
    results = [
        {"image_id": image, "category_id": label, "bbox": box, "score": score}
        for image, found in enumerate(detections)
        for box, label, score in zip(
            _xywh(found["boxes"]), found["labels"].tolist(), found["scores"].tolist(), strict=True
        )
    ]
    return truth, truth.loadRes(results) if results else _nothing(truth)


def _nothing(truth: COCO) -> COCO:
    """`loadRes` does not take an empty list."""
    empty = COCO()
    empty.dataset = truth.dataset | {"annotations": []}
    empty.createIndex()
    return empty


def _xywh(boxes: torch.Tensor) -> list[list[float]]:
    return [[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in boxes.tolist()]
