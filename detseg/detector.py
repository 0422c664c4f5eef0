"""A small Faster R-CNN for the generated scenes: torchvision's, on a backbone of seven layers.

The pages need a detector that has been trained, and reading must not mean training: the weights
are in `data/checkpoints/`, made by `make checkpoints`.
"""

from pathlib import Path

import torch
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import MultiScaleRoIAlign

from detseg.backbone import MEAN, OUT_CHANNELS, STD, backbone
from detseg.checkpoints import CHECKPOINTS, load_trained
from detseg.scenes import THINGS

WEIGHTS = CHECKPOINTS / "detector.safetensors"

_ANCHOR_SIDES = (12, 20, 32, 52)  # pixels; things in scenes of 128 pixels are 10 to 70 wide
_POOLED = 5  # cells a side of a region's pooled features
_HIDDEN = 128


def build_detector(
    *, score_threshold: float = 0.05, nms_threshold: float = 0.5, max_detections: int = 100
) -> FasterRCNN:
    """The detector with random weights, in training mode.

    Args:
        score_threshold: boxes with a lower score are not returned.
        nms_threshold: IoU above which the worse of two boxes of one class is dropped; 1.0 keeps
            every box, the raw output.
        max_detections: at most so many boxes are returned for one image.

    Returns: torchvision's model. In evaluation mode it takes a list of (3, H, W) images in [0, 1]
        and returns a list of dicts `boxes` (N, 4) xyxy, `labels` (N,), `scores` (N,), best first.

    Example:
        >>> sum(weight.numel() for weight in build_detector().parameters()) < 750_000
        True
    """
    model = FasterRCNN(
        backbone(),
        num_classes=None,
        rpn_anchor_generator=AnchorGenerator((_ANCHOR_SIDES,), ((0.5, 1.0, 2.0),)),
        rpn_pre_nms_top_n_train=300,
        rpn_pre_nms_top_n_test=200,
        rpn_post_nms_top_n_train=100,
        rpn_post_nms_top_n_test=60,
        rpn_batch_size_per_image=64,
        box_roi_pool=MultiScaleRoIAlign(["0"], output_size=_POOLED, sampling_ratio=2),
        box_head=TwoMLPHead(OUT_CHANNELS * _POOLED**2, _HIDDEN),
        box_predictor=FastRCNNPredictor(_HIDDEN, num_classes=len(THINGS) + 1),
        box_batch_size_per_image=32,
        box_score_thresh=score_threshold,
        box_nms_thresh=nms_threshold,
        box_detections_per_img=max_detections,
    )
    model.transform = _NormaliseOnly()
    return model


def load_detector(
    device: torch.device | str | None = None,
    *,
    score_threshold: float = 0.05,
    nms_threshold: float = 0.5,
    max_detections: int = 100,
    weights: Path = WEIGHTS,
) -> FasterRCNN:
    """The trained detector in evaluation mode, on `device` (the fastest one where None).

    Args:
        device: where the model is to be.
        score_threshold, nms_threshold, max_detections: see `build_detector`.
        weights: a safetensors file that `make checkpoints` made.

    Raises:
        DataError: the file is missing or is not a checkpoint of this detector.

    Example:
        >>> from detseg.scenes import ShapeScenes
        >>> image, target = ShapeScenes(n=1, seed=0)[0]
        >>> detections = load_detector("cpu")([image])[0]
        >>> sorted(detections)
        ['boxes', 'labels', 'scores']
    """
    model = build_detector(
        score_threshold=score_threshold,
        nms_threshold=nms_threshold,
        max_detections=max_detections,
    )
    return load_trained(model, weights, device)


class _NormaliseOnly(GeneralizedRCNNTransform):
    """Brings colours to mean 0; a scene is small and stays at its own size."""

    def __init__(self) -> None:
        # The two sizes are those to which images would be resized; `resize` below is what counts.
        super().__init__(128, 128, image_mean=[MEAN] * 3, image_std=[STD] * 3)

    def resize(
        self, image: torch.Tensor, target: dict[str, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor] | None]:
        return image, target
