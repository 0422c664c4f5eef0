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


def coco_evaluate(
    detections: Sequence[dict[str, torch.Tensor]],
    targets: Sequence[dict[str, Any]],
    num_classes: int,
    *,
    masks: bool = False,
) -> dict[str, Any]:
    """Judge detections against ground truth, by their boxes or by their masks.

    Args:
        detections: one dict an image: `boxes` (N, 4) xyxy, `labels` (N,), `scores` (N,).
        targets: one dict an image: `boxes` (M, 4), `labels` (M,), optional `iscrowd` (M,).
        num_classes: classes are 1 … num_classes.
        masks: judge `masks` instead, bool (N, H, W) in detections and (M, H, W) in targets.

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
        data = _as_coco(detections, targets, num_classes, masks)
        evaluation = COCOeval(*data, "segm" if masks else "bbox")
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
    masks: bool,
) -> tuple[COCO, COCO]:
    shapes = _masks if masks else _boxes
    images: list[dict[str, Any]] = [{"id": image} for image in range(len(targets))]
    annotations: list[dict[str, Any]] = []
    for image, target in enumerate(targets):
        crowd = target.get("iscrowd", torch.zeros(len(target["labels"]))).tolist()
        labels = target["labels"].tolist()
        if masks:  # pycocotools asks for the size, though the masks have it
            images[image]["height"], images[image]["width"] = target["masks"].shape[1:]
        for shape, label, is_crowd in zip(shapes(target), labels, crowd, strict=True):
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


def _masks(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Run-length encoded, and with the box around it, which pycocotools asks for."""
    # pycocotools reads column by column: (H, W, N) in Fortran's order.
    coded = encode(np.asfortranarray(found["masks"].cpu().numpy().transpose(1, 2, 0), np.uint8))
    return [
        {"segmentation": code, "bbox": box, "area": int(size)}
        for code, box, size in zip(coded, toBbox(coded).tolist(), area(coded), strict=True)
    ]
