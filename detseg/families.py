"""Two-stage and single-stage detectors on backbones of three widths, for one fair comparison.

Both are torchvision's classes. They share the backbone, the anchors, the treatment of colours and
the thresholds of the output; what differs is what comes after the features.
"""

from pathlib import Path

import torch
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.detection.ssd import SSD, SSDHead

from detseg.backbone import backbone
from detseg.checkpoints import CHECKPOINTS, load_trained
from detseg.detector import build_detector
from detseg.errors import ArgumentError
from detseg.scenes import THINGS

STAGES = ("two-stage", "single-stage")
WIDTHS = {"small": (12, 24, 48), "middle": (24, 48, 96), "large": (40, 80, 160)}
NAMES = tuple(f"{stages}-{size}" for stages in STAGES for size in WIDTHS)

_SCENE_HW = (128, 128)


def build_family(name: str) -> FasterRCNN | SSD:
    """One of the six detectors with random weights, in training mode.

    Args:
        name: one of `NAMES`: `two-stage` or `single-stage`, and `small`, `middle` or `large`.

    Returns: torchvision's model. In training mode it takes images and targets and returns a dict
        of losses; in evaluation mode it takes a list of (3, H, W) images in [0, 1] and returns a
        list of dicts `boxes` (N, 4) xyxy, `labels` (N,), `scores` (N,), best first.

    Raises:
        ArgumentError: another name.

    Example:
        >>> build_family("single-stage-small").head.classification_head.num_columns
        5
    """
    if name not in NAMES:
        raise ArgumentError(f"there is no detector {name!r}; there are {', '.join(NAMES)}")
    stages, size = name.rsplit("-", 1)
    features = backbone(WIDTHS[size])
    return _two_stage(features) if stages == "two-stage" else single_stage(features)


def load_family(name: str, device: torch.device | str | None = None) -> FasterRCNN | SSD:
    """One of the six detectors as `python -m detseg.train_families` trained it.

    Args:
        name: one of `NAMES`.
        device: where to put it; the fastest one where None.

    Raises:
        ArgumentError: another name.
        DataError: the checkpoint is missing or damaged.

    Example:
        >>> load_family("two-stage-small", "cpu").training
        False
    """
    return load_trained(build_family(name), weights_file(name), device)


def weights_file(name: str, folder: Path = CHECKPOINTS) -> Path:
    """Where the weights of one of the six are kept.

    Example:
        >>> weights_file("two-stage-small").name
        'family-two-stage-small.safetensors'
    """
    return folder / f"family-{name}.safetensors"


def single_stage(features: nn.Module, num_classes: int = len(THINGS)) -> SSD:
    """A single-stage detector: one convolution after the backbone, hard negatives in training.

    Args:
        features: the backbone, (B, 3, H, W) → (B, `out_channels`, H/8, W/8).
        num_classes: C, background not counted.

    Returns: torchvision's `SSD` with the anchors of the course's detector, 12 in every cell.

    Example:
        >>> model = single_stage(backbone()).eval()
        >>> with torch.no_grad():
        ...     outputs = model.head([model.backbone(torch.zeros(1, 3, 128, 128))])
        >>> outputs["cls_logits"].shape, outputs["bbox_regression"].shape
        (torch.Size([1, 3072, 5]), torch.Size([1, 3072, 4]))
    """
    course = build_detector()
    anchors = course.rpn.anchor_generator
    model = SSD(
        features,
        anchors,
        size=_SCENE_HW,
        num_classes=num_classes + 1,
        head=SSDHead([features.out_channels], anchors.num_anchors_per_location(), num_classes + 1),
        score_thresh=course.roi_heads.score_thresh,
        nms_thresh=course.roi_heads.nms_thresh,
        detections_per_img=course.roi_heads.detections_per_img,
    )
    model.transform = course.transform
    return model


def _two_stage(features: nn.Module) -> FasterRCNN:
    """The course's detector, on another backbone."""
    model = build_detector()
    channels, (anchors_per_cell,) = (
        features.out_channels,
        model.rpn.anchor_generator.num_anchors_per_location(),
    )
    pooled_hw = model.roi_heads.box_roi_pool.output_size
    hidden = model.roi_heads.box_predictor.cls_score.in_features
    model.backbone = features
    model.rpn.head = RPNHead(channels, anchors_per_cell)
    model.roi_heads.box_head = TwoMLPHead(channels * pooled_hw[0] * pooled_hw[1], hidden)
    return model
