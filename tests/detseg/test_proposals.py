"""Selective Search: over-segmentation, the regions' description, and their grouping."""

import torch
from torchvision.ops import box_iou

import detseg
from detseg.proposals import Regions, describe, group, over_segment, selective_search


def stripes():
    """17 × 30 pixels: red on the left, then green, then a small blue corner in the green."""
    image = torch.zeros(3, 17, 30)
    image[0, :, :11] = 1
    image[1, :, 11:] = 1
    image[:, :5, 25:] = torch.tensor([0.0, 0, 1])[:, None, None]
    segments = torch.zeros(17, 30, dtype=torch.int64)
    segments[:, 11:] = 1
    segments[:5, 25:] = 2
    return image, segments


def test_regions_are_described_by_hand():
    regions = describe(*stripes())
    assert regions.boxes.tolist() == [[0, 0, 11, 17], [11, 0, 30, 17], [25, 0, 30, 5]]
    assert regions.sizes.tolist() == [11 * 17, 19 * 17 - 25, 25]
    assert regions.neighbours == [(0, 1), (1, 2)]
    torch.testing.assert_close(regions.histograms.sum(dim=1), torch.ones(3))
    # Hue 0, 1/3 and 2/3; saturation and value 1 each: the last of 25 bins.
    hues = regions.histograms[:, :25].argmax(dim=1).tolist()
    assert hues == [0, 8, 16]
    torch.testing.assert_close(regions.histograms[:, [49, 74]], torch.full((3, 2), 1 / 3))


def test_pixels_that_touch_at_a_corner_are_no_neighbours():
    segments = torch.tensor([[0, 1], [2, 0]])
    assert describe(torch.zeros(3, 2, 2), segments).neighbours == [(0, 1), (0, 2)]


def test_over_segmentation_numbers_every_pixel_from_0():
    image, _ = detseg.ShapeScenes(n=1, seed=4, size_hw=(96, 128))[0]
    segments = over_segment(image, scale=30)
    assert segments.shape == (96, 128)
    assert segments.unique().tolist() == list(range(int(segments.max()) + 1))
    assert segments.max() > over_segment(image, scale=300).max()
    assert torch.bincount(segments.flatten()).min() >= 20


def chain(histograms, sizes):
    """Regions side by side in one row, each touching the next."""
    ends = torch.tensor(sizes).cumsum(0)
    boxes = [[end - size, 0, end, 1] for end, size in zip(ends.tolist(), sizes, strict=True)]
    count = len(sizes)
    return Regions(
        boxes=torch.tensor(boxes, dtype=torch.float32),
        sizes=torch.tensor(sizes),
        histograms=torch.tensor(histograms),
        neighbours=[(k, k + 1) for k in range(count - 1)],
    )


def test_like_colours_join_first():
    boxes, parts = group(chain([[1.0, 0], [0, 1.0], [0, 1.0]], [4, 4, 4]), image_area=12)
    assert parts.tolist()[0] in ([1, 2], [2, 1])
    assert boxes[3].tolist() == [4, 0, 12, 1]
    assert boxes[4].tolist() == [0, 0, 12, 1]


def test_of_equal_colours_the_pair_with_the_smallest_box_joins_first():
    _, parts = group(chain([[1.0]] * 4, [8, 2, 1, 9]), image_area=20)
    assert sorted(parts.tolist()[0]) == [1, 2]


def test_a_joined_region_has_the_mean_colour_weighted_by_size():
    # B and C join to (3/4, 1/4); then D, (3/4, 1/4), is nearer to them than A, (1/4, 3/4).
    histograms = [[0.25, 0.75], [1.0, 0.0], [0.0, 1.0], [0.75, 0.25]]
    regions = chain(histograms, [12, 3, 1, 12])
    _, parts = group(regions, image_area=28)
    assert [sorted(pair) for pair in parts.tolist()][:2] == [[1, 2], [3, 4]]


def test_what_touches_nothing_stays_apart():
    regions = chain([[1.0]] * 3, [2, 2, 2])
    apart = Regions(regions.boxes, regions.sizes, regions.histograms, [(0, 1)])
    boxes, parts = group(apart, image_area=6)
    assert len(boxes) == 4
    assert len(parts) == 1


def test_the_search_repeats_itself_and_says_nothing_twice():
    image, _ = detseg.ShapeScenes(n=1, seed=5)[0]
    boxes = selective_search(image)
    assert torch.equal(boxes, selective_search(image))
    assert len(boxes.unique(dim=0)) == len(boxes)
    assert not torch.equal(boxes[:20], selective_search(image, seed=1)[:20])
    assert boxes.min() >= 0
    assert boxes.max() <= 128


def test_an_even_image_is_one_proposal():
    assert selective_search(torch.full((3, 17, 23), 0.5)).tolist() == [[0, 0, 23, 17]]


def test_a_hundred_proposals_hold_nearly_every_thing():
    found = []
    for image, target in detseg.ShapeScenes(n=10, seed=6):
        overlap = box_iou(target["boxes"], selective_search(image)[:100])
        found.append(overlap.max(dim=1).values >= 0.5)
    assert torch.cat(found).float().mean() > 0.85
