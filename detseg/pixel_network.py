"""The networks of the chapters that label every pixel: down by max pooling, and up again.

What one chapter trains the next one compares: the way up is chosen by name.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from detseg.backbone import MEAN, STD
from detseg.errors import ArgumentError

UPSAMPLINGS = ("nails", "nearest", "bilinear", "unpool", "transposed")
_WIDTHS = (12, 24, 48, 96, 128)  # channels at strides 1, 2, 4, 8 and 16
_PLAIN_LEVELS = 2  # where maps are large, one convolution each; residual blocks only below


class PixelNetwork(nn.Module):
    """One score for each class at each pixel.

    Args:
        num_classes: C, the number of classes.
        upsampling: how a map becomes twice as large, one of `UPSAMPLINGS`: zeros between the
            values; copies; bilinear interpolation; each value where its maximum was on the way
            down; or a transposed convolution (4 × 4, stride 2), the only one that learns.
        skips: whether the features of the same size on the way down are added on the way up.
        widths: channels at strides 1, 2, 4 and so on, one more each time.

    Shape: (B, 3, H, W) in [0, 1] → (B, C, H, W). H and W are multiples of `stride`.

    Raises:
        ArgumentError: there is no such upsampling, or an image of another size is given.

    Example:
        >>> network = PixelNetwork(num_classes=7, upsampling="nearest")
        >>> network.stride, network(torch.zeros(2, 3, 32, 48)).shape
        (16, torch.Size([2, 7, 32, 48]))
    """

    def __init__(
        self,
        num_classes: int,
        upsampling: str = "bilinear",
        *,
        skips: bool = True,
        widths: tuple[int, ...] = _WIDTHS,
    ) -> None:
        super().__init__()
        if upsampling not in UPSAMPLINGS:
            known = ", ".join(UPSAMPLINGS)
            raise ArgumentError(f"there is no upsampling {upsampling!r}; there are {known}")
        self.upsampling, self.skips = upsampling, skips
        self.stride = 2 ** (len(widths) - 1)
        pairs = list(zip((3, *widths), widths, strict=False))
        self.down = nn.ModuleList(
            _level(before, width, residual=level >= _PLAIN_LEVELS)
            for level, (before, width) in enumerate(pairs)
        )
        self.narrow = nn.ModuleList(_convolution(wide, width) for width, wide in pairs[1:])
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(width, width, 4, stride=2, padding=1)
            for width in widths[:-1]
            if upsampling == "transposed"
        )
        self.classify = nn.Conv2d(widths[0], num_classes, 3, padding=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits, (B, C, H, W)."""
        if images.shape[-2] % self.stride or images.shape[-1] % self.stride:
            size = "×".join(map(str, images.shape[-2:]))
            raise ArgumentError(f"height and width are multiples of {self.stride}, not {size}")
        x, passed = (images - MEAN) / STD, []
        for level in self.down[:-1]:
            features = level(x)
            x, positions = F.max_pool2d(features, 2, return_indices=True)
            passed.append((features, positions))
        x = self.down[-1](x)
        for index in reversed(range(len(passed))):
            features, positions = passed[index]
            x = self._enlarged(self.narrow[index](x), positions, index)
            if self.skips:
                x = x + features
        return self.classify(x)

    def _enlarged(self, x: torch.Tensor, positions: torch.Tensor, index: int) -> torch.Tensor:
        """Twice as high and wide."""
        if self.upsampling == "transposed":
            return self.grow[index](x)
        if self.upsampling == "unpool":
            return F.max_unpool2d(x, positions, (2, 2))
        if self.upsampling == "nails":
            one = x.new_ones(x.shape[1], 1, 1, 1)
            return F.conv_transpose2d(x, one, stride=2, output_padding=1, groups=x.shape[1])
        return F.interpolate(x, scale_factor=2.0, mode=self.upsampling)


def full_resolution(
    num_classes: int, layers: int, *, width: int = 16, padding: int = 1
) -> nn.Sequential:
    """3 × 3 convolutions without strides, the last one for the scores.

    Args:
        num_classes: C, the number of classes.
        layers: how many convolutions, ≥ 1; between them are batch normalisation and ReLU.
        width: channels between them.
        padding: 1 keeps the size; 0 takes a row or column off each side, in every layer.

    Shape: (B, 3, H, W) → (B, C, H, W), or without padding (B, C, H − 2·layers, W − 2·layers).

    Example:
        >>> full_resolution(7, layers=3, padding=0)(torch.zeros(2, 3, 20, 30)).shape
        torch.Size([2, 7, 14, 24])
    """
    widths = (3, *(width,) * (layers - 1))
    inner = [_convolution(*pair, padding) for pair in pairwise(widths)]
    return nn.Sequential(*inner, nn.Conv2d(widths[-1], num_classes, 3, padding=padding))


class _Residual(nn.Module):
    """What two convolutions add to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            _convolution(width, width),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.change(x))


def _level(before: int, width: int, *, residual: bool) -> nn.Sequential:
    blocks = [_Residual(width)] if residual else []
    return nn.Sequential(_convolution(before, width), *blocks)


def _convolution(before: int, width: int, padding: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, width, 3, padding=padding, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
