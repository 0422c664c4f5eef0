"""The reference of the sheet `rcnn`: it agrees with torchvision, with scikit-image's merging of
region graphs, and with the numbers that the sheet's text works out by hand."""

import math
import re

import pytest
import torch
from torchvision.models.detection._utils import BoxCoder

from autograder.sheets import load_sheet
from detseg import ShapeScenes, photo
from detseg.proposals import describe, group, over_segment

SEEDS = range(8)


@pytest.fixture(scope="module")
def rcnn(reference):
    return reference("rcnn")


def boxes(count, seed, dtype=torch.float32):
    """Boxes of 2 to 80 pixels a side around an image of 200 × 90."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand((count, 2), generator=generator) * torch.tensor([240.0, 130.0]) - 40
    sides = torch.rand((count, 2), generator=generator) ** 2 * 78 + 2
    return torch.cat([corners, corners + sides], dim=1).to(dtype)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_corrections_are_torchvisions_without_weights(rcnn, seed, dtype):
    coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
    proposals, truth = boxes(60, seed, dtype), boxes(60, 100 + seed, dtype)
    deltas = rcnn["encode_boxes"](truth, proposals)
    assert deltas.dtype == dtype
    torch.testing.assert_close(deltas, coder.encode_single(truth, proposals), rtol=1e-4, atol=1e-4)
    generator = torch.Generator().manual_seed(200 + seed)
    wild = 3 * torch.randn((60, 4), generator=generator).to(dtype)
    assert (wild[:, 2:] > math.log(62.5)).any()  # the limit is met
    decoded = rcnn["decode_boxes"](wild, proposals)
    assert decoded.dtype == dtype
    torch.testing.assert_close(decoded, coder.decode_single(wild, proposals), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("seed", SEEDS)
def test_decoding_undoes_encoding(rcnn, seed):
    proposals, truth = boxes(60, seed, torch.float64), boxes(60, 100 + seed, torch.float64)
    ratio = (truth[:, 2:] - truth[:, :2]) / (proposals[:, 2:] - proposals[:, :2])
    assert ratio.max() <= 62.5
    back = rcnn["decode_boxes"](rcnn["encode_boxes"](truth, proposals), proposals)
    torch.testing.assert_close(back, truth)


def real_images():
    """Scenes, and a photograph that is small enough for the reference's Python loops."""
    scenes = ShapeScenes(n=6, seed=11)
    return [*(scenes[index][0] for index in range(6)), photo("coffee")[:, ::2, ::2]]


@pytest.mark.parametrize("image", real_images(), ids=lambda image: "x".join(map(str, image.shape)))
def test_regions_grow_as_scikit_image_merges_them(rcnn, image):
    """`detseg.proposals.group` is `skimage.graph.merge_hierarchical` with the same similarity."""
    segments = over_segment(image, scale=40)
    regions = describe(image, segments)
    assert len(regions.boxes) > 30
    expected, _ = group(regions, segments.numel())
    grown = rcnn["hierarchical_grouping"](*regions, segments.numel())
    assert grown.tolist() == expected.tolist()


def test_the_numbers_in_the_text_are_right(rcnn):
    text = "\n".join(cell.source for cell in load_sheet("rcnn").notebook.cells)
    letters = re.findall(r"^((?:[sgbw] ){7}[sgbw])$", text, re.MULTILINE)
    drawn = torch.tensor([["sgbw".index(letter) for letter in row.split()] for row in letters])
    assert drawn.shape == (8, 8)
    corners, sizes, _, neighbours = describe(torch.zeros(3, 8, 8), drawn)
    described = re.findall(r"^\| (\d), \w+ \| (\d+) \| \(([\d, ]+)\) \| \((.+)\) \|$", text, re.M)
    assert [int(number) for number, *_ in described] == [0, 1, 2, 3]
    assert [int(size) for _, size, *_ in described] == sizes.tolist()
    assert [list(map(float, box.split(","))) for *_, box, _ in described] == corners.tolist()
    shares = {"¼": 0.25, "¾": 0.75, "0": 0.0, "1": 1.0}
    histograms = torch.tensor(
        [[shares[share] for share in row.split(", ")] for *_, row in described]
    )

    names = ["sky", "grass", "ball", "spot"]
    pair = r"^\| (\w+), (\w+) \| ([\d.]+) \| ([^|]+) \| ([^|]+) \| ([\d.]+) \|$"
    rows = re.findall(pair, text, re.MULTILINE)
    assert [(names.index(a), names.index(b)) for a, b, *_ in rows] == neighbours
    for (i, j), (_, _, *row) in zip(neighbours, rows, strict=True):
        colour, size, fill, similarity = (eval(part.replace("−", "-")) for part in row)
        hull = torch.cat([corners[[i, j], :2].amin(dim=0), corners[[i, j], 2:].amax(dim=0)])
        both = int(sizes[i] + sizes[j])
        gap = float((hull[2] - hull[0]) * (hull[3] - hull[1])) - both
        assert colour == float(rcnn["histogram_intersection"](histograms[i], histograms[j]))
        assert size == 1 - both / 64
        assert fill == 1 - gap / 64
        assert similarity == colour + size + fill
