"""The reference of the sheet `fast-rcnn`: it agrees with torchvision's operators and networks."""

import pytest
import torch
import torchvision
from torchvision.models import resnet18, resnet50

# Height and width of the map, of the output, cells in a pixel. No two numbers of a case are equal.
CASES = [
    ((9, 14), (3, 5), 1 / 16),
    ((13, 6), (7, 2), 1 / 8),
    ((5, 31), (1, 4), 0.3),
    ((40, 22), (8, 7), 1.0),
]
SEEDS = range(8)


def batch(size_hw, seed):
    """(3, 2, H, W) features, no two of them equal, so that every maximum is in one place."""
    count = 3 * 2 * size_hw[0] * size_hw[1]
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return ((order - count / 2 + 0.25) / count).reshape(3, 2, *size_hw).requires_grad_()


def regions(size_hw, spatial_scale, seed):
    """(10, 5) RoIs in quarters of a pixel: inside the map, partly outside, small and large."""
    generator = torch.Generator().manual_seed(1000 + seed)
    limits = torch.tensor([size_hw[1], size_hw[0]]) / spatial_scale
    corners = (torch.rand((10, 2), generator=generator) * 1.4 - 0.4) * limits
    sides = torch.rand((10, 2), generator=generator) ** 2 * limits
    boxes = (torch.cat([corners, corners + sides], dim=1) * 4).round() / 4
    return torch.cat([torch.randint(0, 3, (10, 1), generator=generator), boxes], dim=1)


def gradient(pooled, features):
    """What reaches the features from a weighted sum of the result."""
    weights = torch.linspace(-1, 2, pooled.numel()).reshape(pooled.shape)
    (gradient,) = torch.autograd.grad((pooled * weights).sum(), features)
    return gradient


def test_some_regions_stick_out_and_some_do_not():
    for size_hw, _, spatial_scale in CASES:
        boxes = torch.cat([regions(size_hw, spatial_scale, seed) for seed in SEEDS])[:, 1:]
        boxes = boxes * spatial_scale
        height, width = size_hw
        inside = (boxes[:, :2] >= 0).all(dim=1) & (boxes[:, 2] <= width) & (boxes[:, 3] <= height)
        outside = (boxes[:, 2:] < -1).any(dim=1) | (boxes[:, 0] > width) | (boxes[:, 1] > height)
        assert inside.sum() >= 8
        assert outside.sum() >= 1
        assert (~inside & ~outside).sum() >= 8


# RoI pool.


def float32_bins(cells, count):
    """torchvision's bins: their number times their size, which is rounded to float32."""
    size = torch.tensor(float(cells)) / count
    number = torch.arange(count)
    starts, ends = (number * size).floor(), ((number + 1) * size).ceil()
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def exact_bins(cells, count):
    return [(i * cells // count, -(-(i + 1) * cells // count)) for i in range(count)]


def test_the_cases_have_bins_that_float32_knows_exactly():
    """So the comparison with torchvision may ask for equality.

    Larger regions do not have them: of 57 cells in 7 bins the last bin runs over by one.
    """
    for count in range(1, 9):
        for cells in range(1, 57):
            assert float32_bins(cells, count) == exact_bins(cells, count)
    for size_hw, output_hw, spatial_scale in CASES:
        assert max(output_hw) <= 8
        boxes = torch.cat([regions(size_hw, spatial_scale, seed) for seed in SEEDS])[:, 1:]
        assert ((boxes[:, 2:] - boxes[:, :2]) * spatial_scale).max() < 54


def test_torchvision_runs_over_by_a_cell(reference):
    features = torch.arange(60.0).reshape(1, 1, 1, 60)
    arguments = features, torch.tensor([[0.0, 0, 0, 56, 0]]), (1, 7), 1.0
    assert torchvision.ops.roi_pool(*arguments)[0, 0, 0, -1] == 57
    assert reference("fast-rcnn")["roi_pool"](*arguments)[0, 0, 0, -1] == 56


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("size_hw", "output_hw", "spatial_scale"), CASES)
def test_roi_pool_is_that_of_torchvision(reference, size_hw, output_hw, spatial_scale, seed):
    features, rois = batch(size_hw, seed), regions(size_hw, spatial_scale, seed)
    pooled = reference("fast-rcnn")["roi_pool"](features, rois, output_hw, spatial_scale)
    expected = torchvision.ops.roi_pool(features, rois, output_hw, spatial_scale)
    assert torch.equal(pooled, expected)
    # A cell may be the largest of several bins: their gradients are added in any order.
    torch.testing.assert_close(
        gradient(pooled, features), gradient(expected, features), rtol=0, atol=1e-5
    )


# RoI align.


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sampling_ratio", [-1, 0, 1, 2, 3])
@pytest.mark.parametrize(("size_hw", "output_hw", "spatial_scale"), CASES)
def test_roi_align_is_that_of_torchvision(
    reference, size_hw, output_hw, spatial_scale, sampling_ratio, seed
):
    features, rois = batch(size_hw, seed), regions(size_hw, spatial_scale, seed)
    arguments = features, rois, output_hw, spatial_scale, sampling_ratio
    aligned = reference("fast-rcnn")["roi_align"](*arguments)
    expected = torchvision.ops.roi_align(*arguments, aligned=True)
    torch.testing.assert_close(aligned, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        gradient(aligned, features), gradient(expected, features), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("sampling_ratio", [0, 2])
def test_a_region_without_extent(reference, sampling_ratio):
    features = batch((6, 9), 0)
    rois = torch.tensor([[1, 8.0, 4, 8, 20], [0, 3, 5, 17, 5], [2, 6, 6, 6, 6]])
    arguments = features, rois, (3, 2), 0.25, sampling_ratio
    aligned = reference("fast-rcnn")["roi_align"](*arguments)
    torch.testing.assert_close(aligned, torchvision.ops.roi_align(*arguments, aligned=True))
    assert aligned.any() == (sampling_ratio > 0)


# ResNet's two parts.


@pytest.mark.parametrize(("network", "channels"), [(resnet18, 256), (resnet50, 1024)])
@pytest.mark.parametrize("mode", ["training", "evaluation"])
def test_the_two_parts_make_the_network(reference, network, channels, mode):
    torch.manual_seed(0)
    resnet = network(num_classes=7).train(mode == "training")
    images = torch.rand(3, 3, 75, 110)
    backbone, per_region = reference("fast-rcnn")["split_resnet"](resnet)
    with torch.no_grad():
        features = backbone(images)
        assert features.shape == (3, channels, 5, 7)
        torch.testing.assert_close(per_region(features), resnet(images))
        assert per_region(torch.rand(2, channels, 7, 7)).shape == (2, 7)
