"""Mask R-CNN for the generated scenes: the course's detector, and two more heads for every region.

What a box, a mask and nine keypoints share is the region. The heads for masks and keypoints read
a finer map than the one for boxes: at stride 8 an arm of three pixels is less than half a cell.
"""

from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import roi_align

from detseg.checkpoints import CHECKPOINTS, load_trained
from detseg.detector import build_detector
from detseg.mask_paste import paste_masks
from detseg.scenes import KEYPOINTS, THINGS

WEIGHTS = CHECKPOINTS / "mask-rcnn.safetensors"
CELLS = 14  # a side of a region's features
FINE_STRIDE = 4
HEAT_CELLS = 2 * CELLS  # a side of a mask and of a heat map: both heads end by doubling

_COARSE, _FINE = "0", "fine"  # torchvision calls the only map "0"
_STAGES = 4  # blocks of the backbone up to stride 4; seven in all
_WIDTH = 48


def add_heads(detector: FasterRCNN) -> FasterRCNN:
    """Make the course's detector a Mask R-CNN that finds keypoints too: what it knows, it keeps.

    Args:
        detector: as `build_detector` or `load_detector` make it; it is changed.

    Returns: the same model, whose new parts have random weights. In training mode it takes images
        and targets with `boxes`, `labels`, `masks` (N, H, W) uint8 or bool and `keypoints`
        (N, 9, 3), and returns six losses. In evaluation mode its dicts have also `masks`
        (N, 1, H, W), the probability of every pixel, and `keypoints` (N, 9, 3), for all things;
        only those of persons mean something.

    Example:
        >>> model = add_heads(build_detector()).eval()
        >>> with torch.no_grad():
        ...     found = model([torch.rand(3, 96, 128)])[0]
        >>> sorted(found)
        ['boxes', 'keypoints', 'keypoints_scores', 'labels', 'masks', 'scores']
    """
    device = next(detector.parameters()).device
    detector.backbone = _TwoMaps(detector.backbone)
    detector.rpn = _OnCoarseMap(detector.rpn)
    detector.transform = _PastesWhereCut(detector.transform)
    heads, classes = detector.roi_heads, len(THINGS) + 1
    heads.mask_roi_pool = _CutOut()
    heads.mask_head = MaskRCNNHeads(_WIDTH, (_WIDTH,) * 3, dilation=1)
    heads.mask_predictor = MaskRCNNPredictor(_WIDTH, _WIDTH, classes)
    heads.keypoint_roi_pool = _CutOut()
    heads.keypoint_head = KeypointRCNNHeads(_WIDTH, (_WIDTH,) * 4)
    heads.keypoint_predictor = nn.ConvTranspose2d(
        _WIDTH, len(KEYPOINTS), kernel_size=4, stride=2, padding=1
    )
    return detector.to(device)


def build_mask_network() -> FasterRCNN:
    """The network with random weights, in training mode: see `add_heads`.

    Example:
        >>> sum(weight.numel() for weight in build_mask_network().parameters()) < 1_000_000
        True
    """
    return add_heads(build_detector())


def load_mask_network(
    device: torch.device | str | None = None, *, weights: Path = WEIGHTS
) -> FasterRCNN:
    """The network as `python -m detseg.train_mask_network` trained it, in evaluation mode.

    Args:
        device: where to put it; the fastest one where None.
        weights: a safetensors file that `make checkpoints` made.

    Raises:
        DataError: the file is missing or is not a checkpoint of this network.

    Example:
        >>> load_mask_network("cpu").training
        False
    """
    return load_trained(build_mask_network(), weights, device)


class _TwoMaps(nn.Module):
    """(B, 3, H, W) → a dict of the map of stride 8 and a finer one, (B, 48, H/4, W/4).

    The finer one is what the backbone has at stride 4, which knows where edges are, plus what it
    has at stride 8, enlarged, which knows what they belong to.
    """

    def __init__(self, stages: nn.Sequential) -> None:
        super().__init__()
        self.early, self.late = stages[:_STAGES], stages[_STAGES:]
        self.from_early = nn.Conv2d(_channels(self.early), _WIDTH, kernel_size=1)
        self.from_late = nn.Conv2d(_channels(self.late), _WIDTH, kernel_size=1)

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        early = self.early(images)
        late = self.late(early)
        enlarged = F.interpolate(self.from_late(late), size=early.shape[2:], mode="bilinear")
        return OrderedDict([(_COARSE, late), (_FINE, self.from_early(early) + enlarged)])


class _OnCoarseMap(nn.Module):
    """The region proposal network, which sees the map of stride 8 alone, as before."""

    def __init__(self, rpn: RegionProposalNetwork) -> None:
        super().__init__()
        self.rpn = rpn

    def forward(
        self,
        images: ImageList,
        features: dict[str, torch.Tensor],
        targets: list[dict[str, torch.Tensor]] | None = None,
    ) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
        return self.rpn(images, {_COARSE: features[_COARSE]}, targets)


class _CutOut(nn.Module):
    """Regions of the finer map, without torchvision's default shift of half a cell."""

    def forward(
        self,
        features: dict[str, torch.Tensor],
        boxes: list[torch.Tensor],
        image_sizes: list[tuple[int, int]],  # noqa: ARG002  # torchvision's heads give it
    ) -> torch.Tensor:
        return roi_align(features[_FINE], boxes, CELLS, 1 / FINE_STRIDE, 2, aligned=True)


class _PastesWhereCut(nn.Module):
    """The detector's transform, which puts masks back where their targets came from.

    torchvision cuts mask targets out with `aligned=False`, which reads half a pixel too far right
    and down: a mask sits half a pixel too far up and left in its grid. That is nothing in a
    photograph; in a scene of 128 pixels it is a fifth of an arm. For the same reason masks are
    pasted between pixels, and not by torchvision, which works in whole ones.
    """

    def __init__(self, transform: GeneralizedRCNNTransform) -> None:
        super().__init__()
        self.transform = transform

    def forward(
        self, images: list[torch.Tensor], targets: list[dict[str, torch.Tensor]] | None = None
    ) -> tuple[ImageList, list[dict[str, torch.Tensor]] | None]:
        return self.transform(images, targets)

    def postprocess(
        self,
        found: list[dict[str, torch.Tensor]],
        sizes: list[tuple[int, int]],
        original_sizes: list[tuple[int, int]],
    ) -> list[dict[str, torch.Tensor]]:
        cells = [one.pop("masks") for one in found]
        found = self.transform.postprocess(found, sizes, original_sizes)
        for one, masks, size in zip(found, cells, original_sizes, strict=False):
            one["masks"] = paste_masks(masks, one["boxes"] + 0.5, size)
        return found


def _channels(blocks: nn.Sequential) -> int:
    """Of what the last convolution gives."""
    return [part for part in blocks.modules() if isinstance(part, nn.Conv2d)][-1].out_channels
