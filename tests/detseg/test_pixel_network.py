"""The network that labels every pixel, with each way up."""

import pytest
import torch
from torch.nn import functional as F

from detseg.errors import ArgumentError
from detseg.pixel_network import UPSAMPLINGS, PixelNetwork, full_resolution

SMALL = (4, 8, 12)


def enlarged(upsampling: str, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    return PixelNetwork(2, upsampling, widths=SMALL)._enlarged(x, positions, 0)


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_a_score_for_each_class_at_each_pixel(upsampling, skips):
    network = PixelNetwork(5, upsampling, skips=skips, widths=SMALL)
    assert network(torch.rand(2, 3, 20, 28)).shape == (2, 5, 20, 28)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_gradients_reach_every_weight_and_the_image(upsampling):
    network = PixelNetwork(3, upsampling, widths=SMALL)
    images = torch.rand(2, 3, 16, 16, requires_grad=True)
    F.cross_entropy(network(images), torch.randint(3, (2, 16, 16))).backward()
    assert images.grad is not None
    assert images.grad.any()
    assert all(weight.grad is not None for weight in network.parameters())


@pytest.mark.parametrize(
    ("upsampling", "expected"),
    [
        ("nails", [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]),
        ("nearest", [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]),
        ("bilinear", [[1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], [2.5, 2.75, 3.25, 3.5],
                      [3, 3.25, 3.75, 4]]),
        ("unpool", [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]),
    ],
)  # fmt: skip
def test_the_lectures_maps(upsampling, expected):
    small = torch.tensor([[1.0, 2], [3, 4]]).expand(1, 4, 2, 2)
    positions = torch.tensor([[5, 2], [12, 15]]).expand(1, 4, 2, 2)
    got = enlarged(upsampling, small, positions)
    assert torch.equal(got, torch.tensor(expected, dtype=torch.float32).expand(1, 4, 4, 4))


def test_only_the_transposed_convolution_has_weights():
    count = {
        name: sum(weight.numel() for weight in PixelNetwork(3, name, widths=SMALL).parameters())
        for name in UPSAMPLINGS
    }
    learned = sum(width * width * 16 + width for width in SMALL[:-1])
    assert count.pop("transposed") == count["nearest"] + learned
    assert len(set(count.values())) == 1


@pytest.mark.parametrize("skips", [True, False])
def test_skips_go_past_what_is_below(skips):
    network = PixelNetwork(3, "nearest", skips=skips, widths=SMALL).eval()
    for layer in network.narrow:  # nothing comes up
        torch.nn.init.zeros_(layer[1].weight)
    with torch.no_grad():
        scores = network(torch.rand(2, 3, 16, 16))
    inner = scores[:, :, 1:-1, 1:-1]  # the last convolution pads
    assert bool((inner == inner[:, :, :1, :1]).all()) is not skips


def test_what_cannot_be():
    with pytest.raises(ArgumentError, match=r"no upsampling 'cubic'; there are nails, nearest"):
        PixelNetwork(3, "cubic")
    with pytest.raises(ArgumentError, match="multiples of 16, not 40×64"):
        PixelNetwork(3)(torch.zeros(1, 3, 40, 64))


@pytest.mark.parametrize(("padding", "size"), [(1, (12, 15)), (0, (6, 9))])
def test_a_stack_at_full_resolution_sees_two_more_a_layer(padding, size):
    network = full_resolution(5, layers=3, width=4, padding=padding).eval()
    images = torch.rand(1, 3, 12, 15, requires_grad=True)
    scores = network(images)
    assert scores.shape == (1, 5, *size)
    scores[0, :, size[0] // 2, size[1] // 2].sum().backward()
    rows, columns = images.grad.abs().sum(dim=(0, 1)).nonzero().unbind(dim=1)
    assert rows.max() - rows.min() == columns.max() - columns.min() == 6
    assert sum(isinstance(part, torch.nn.Conv2d) for part in network.modules()) == 3
