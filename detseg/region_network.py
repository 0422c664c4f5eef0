"""The little network of the chapters on R-CNN and Fast R-CNN, and torchvision's rules around it.

Both detectors have the same parts and use them in another order: R-CNN cuts regions out of the
image and runs the backbone on each, Fast R-CNN runs the backbone on the image and cuts regions out
of its features.
"""

import torch
from torch import nn
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.transforms.v2 import Normalize

from detseg.backbone import MEAN, OUT_CHANNELS, STD, backbone
from detseg.checkpoints import CHECKPOINTS, load_trained
from detseg.errors import ArgumentError
from detseg.scenes import THINGS

CELLS = 4  # a side of a region's features
_HIDDEN = 128
_TRAINED = ("rcnn", "fast-rcnn")


class RegionNetwork(nn.Module):
    """A backbone, and a head that says what a region is and how its box is off.

    Attributes:
        backbone: (B, 3, H, W) in [0, 1] → (B, 96, H/8, W/8).
        head: (R, 96, 4, 4) → logits (R, C + 1), deltas (R, 4 (C + 1)): four for every class,
            background among them, as torchvision's heads have it.

    Example:
        >>> network = RegionNetwork(num_classes=4)
        >>> logits, deltas = network.head(network.backbone(torch.zeros(2, 3, 32, 32)))
        >>> logits.shape, deltas.shape
        (torch.Size([2, 5]), torch.Size([2, 20]))
    """

    def __init__(self, num_classes: int = len(THINGS)) -> None:
        super().__init__()
        centred = nn.Sequential(Normalize([MEAN] * 3, [STD] * 3), backbone())
        self.backbone = centred
        predictor = FastRCNNPredictor(_HIDDEN, num_classes + 1)
        self.head = nn.Sequential(TwoMLPHead(OUT_CHANNELS * CELLS**2, _HIDDEN), predictor)


def load_region_network(name: str, device: torch.device | str | None = None) -> RegionNetwork:
    """The network as one of the chapters trains it, in evaluation mode.

    Args:
        name: `rcnn` (for warped regions of 32 × 32 pixels) or `fast-rcnn` (for regions cut out
            of a scene's features).
        device: where to put it; the fastest one where None.

    Raises:
        ArgumentError: another name.
        DataError: the checkpoint is missing or damaged.

    Example:
        >>> load_region_network("rcnn", "cpu").training
        False
    """
    if name not in _TRAINED:
        raise ArgumentError(f"there is no network {name!r}; there are {', '.join(_TRAINED)}")
    return load_trained(RegionNetwork(), CHECKPOINTS / f"{name}.safetensors", device)


def region_rules(
    *,
    regions_per_image: int = 48,
    positive_fraction: float = 0.25,
    score_threshold: float = 0.05,
    nms_threshold: float = 0.3,
) -> RoIHeads:
    """torchvision's `RoIHeads` without networks: its rules for training and for the output.

    `select_training_samples(proposals, targets)` matches proposals with true boxes (positive from
    IoU 0.5, negative below 0.3), adds the true boxes themselves, draws a sample, and encodes what
    is to be predicted. `postprocess_detections(logits, deltas, proposals, image_sizes)` decodes
    boxes, drops low scores and suppresses duplicates class by class.

    Args:
        regions_per_image: size of the sample.
        positive_fraction: at most this share of it is positive.
        score_threshold: boxes with a lower score are dropped.
        nms_threshold: of two boxes of a class with a larger IoU the worse one is dropped.

    Example:
        >>> rules = region_rules()
        >>> truth = {"boxes": torch.tensor([[8.0, 8, 40, 40]]), "labels": torch.tensor([2])}
        >>> proposals = torch.tensor([[8.0, 8, 40, 32], [60, 60, 90, 90]])
        >>> _, _, labels, _ = rules.select_training_samples([proposals], [truth])
        >>> sorted(labels[0].tolist())
        [0, 2, 2]
    """
    return RoIHeads(
        box_roi_pool=None,
        box_head=None,
        box_predictor=None,
        fg_iou_thresh=0.5,
        bg_iou_thresh=0.3,
        batch_size_per_image=regions_per_image,
        positive_fraction=positive_fraction,
        bbox_reg_weights=(1.0, 1.0, 1.0, 1.0),
        score_thresh=score_threshold,
        nms_thresh=nms_threshold,
        detections_per_img=100,
    )
