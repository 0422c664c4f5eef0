"""The convolutional part that every small model of the course is built on."""

from torch import nn

_WIDTHS = (24, 48, 96)  # channels at strides 2, 4 and 8
OUT_CHANNELS = _WIDTHS[-1]

# Of a colour channel in the generated scenes, about. What a convolution pads with, 0, is then a
# colour in the middle and no black frame.
MEAN, STD = 0.45, 0.25


def backbone(widths: tuple[int, int, int] = _WIDTHS) -> nn.Sequential:
    """Seven convolutions with batch normalisation, untrained.

    Args:
        widths: channels at strides 2, 4 and 8; a chapter compares narrower and wider ones.

    Returns:
        (B, 3, H, W) → (B, widths[-1], H/8, W/8); its attribute `out_channels` is widths[-1].

    Example:
        >>> import torch
        >>> backbone()(torch.zeros(1, 3, 64, 48)).shape
        torch.Size([1, 96, 8, 6])
    """
    layers, channels = [], 3
    for width in widths:
        layers += [_block(channels, width, stride=2), _block(width, width, stride=1)]
        channels = width
    network = nn.Sequential(*layers, _block(channels, channels, stride=1))
    network.out_channels = channels  # type: ignore[assignment]  # torchvision's detectors read it
    return network


def _block(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )
