"""The reference of the sheet `mask-rcnn`: it agrees with torchvision where the conventions agree,
with slow oracles elsewhere, and with the numbers that the sheet's text works out by hand."""

import math
import re

import pytest
import torch
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import (
    expand_boxes,
    keypoints_to_heatmap,
    maskrcnn_loss,
    paste_masks_in_image,
    project_masks_on_boxes,
)
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints as read_heatmaps
from torchvision.ops import roi_align

import detseg
from autograder.sheets import load_sheet

SEEDS = range(8)


@pytest.fixture(scope="module")
def sheet(reference):
    return reference("mask-rcnn")


def boxes_within(count, image_hw, seed):
    """Boxes inside an image, some of them smaller than a pixel."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.tensor([image_hw[1], image_hw[0]])
    points = torch.rand((count, 2, 2), generator=generator) * size
    points[::4, 1] = points[::4, 0] + 0.3 * torch.rand((len(points[::4]), 2), generator=generator)
    return points.clamp(max=size).sort(dim=1).values.flatten(1)


# Masks inside boxes.


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size_hw", [(28, 28), (3, 5), (9, 2), (1, 1)])
@pytest.mark.parametrize("image_hw", [(13, 29), (40, 7), (1, 1)])
def test_targets_are_those_of_roi_align(sheet, image_hw, size_hw, seed):
    boxes = boxes_within(20, image_hw, seed)
    masks = torch.rand((20, *image_hw), generator=torch.Generator().manual_seed(seed))
    for given in (masks, masks > 0.5):
        targets = sheet["crop_mask_targets"](given, boxes, size_hw)
        rois = torch.cat([torch.arange(20.0)[:, None], boxes], dim=1)
        expected = roi_align(
            given.float()[:, None], rois, size_hw, 1.0, sampling_ratio=1, aligned=True
        )
        torch.testing.assert_close(targets, expected[:, 0], rtol=0, atol=1e-4)


# The loss.


@pytest.mark.parametrize("seed", SEEDS)
def test_loss_is_torchvisions_with_channels_converted(sheet, seed):
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn((12, 5, 14, 14), generator=generator)
    logits.requires_grad_()
    labels = torch.randint(1, 6, (12,), generator=generator)
    masks = torch.rand((12, 30, 44), generator=generator) > 0.5
    boxes, own = boxes_within(12, (30, 44), seed), torch.arange(12)
    with_background = torch.cat([torch.full((12, 1, 14, 14), 99.0), logits], dim=1)
    expected = maskrcnn_loss(with_background, [boxes], [masks], [labels], [own])
    targets = project_masks_on_boxes(masks, boxes, own, 14)
    loss = sheet["mask_loss"](logits, labels, targets)
    torch.testing.assert_close(loss, expected)
    gradients = [torch.autograd.grad(value, logits)[0] for value in (loss, expected)]
    torch.testing.assert_close(*gradients)


# Masks back in the image.


def slow_samples(mask, box, image_hw):
    """Each pixel's sample, None outside the box, in Python's numbers."""
    cells, (x1, y1, x2, y2) = mask.tolist(), box.tolist()
    height, width = len(cells), len(cells[0])
    found = {}
    for i in range(image_hw[0]):
        for j in range(image_hw[1]):
            if x1 <= j + 0.5 < x2 and y1 <= i + 0.5 < y2:
                v = min(max((i + 0.5 - y1) / (y2 - y1) * height - 0.5, 0), height - 1)
                u = min(max((j + 0.5 - x1) / (x2 - x1) * width - 0.5, 0), width - 1)
                found[i, j] = sum(
                    max(1 - abs(v - r), 0) * max(1 - abs(u - c), 0) * cells[r][c]
                    for r in range(height)
                    for c in range(width)
                )
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size_hw", [(7, 7), (2, 5), (1, 1)])
def test_pasted_masks_are_those_of_the_slow_oracle(sheet, size_hw, seed):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(size_hw, generator=generator)
    corner = torch.rand(2, generator=generator) * torch.tensor([20.0, 9.0]) - 5
    box = torch.cat([corner, corner + 3 + 12 * torch.rand(2, generator=generator)])
    samples = slow_samples(mask, box, (13, 21))
    pasted = sheet["paste_mask"](mask, box, (13, 21), 0.4)
    for i in range(13):
        for j in range(21):
            value = samples.get((i, j), 0.0)
            assert abs(value - 0.4) < 1e-4 or pasted[i, j] == (value >= 0.4)


@pytest.mark.parametrize("index", range(12))
def test_a_large_mask_comes_back(sheet, index):
    _, target = detseg.ShapeScenes(12, seed=5, size_hw=(240, 320))[index]
    targets = sheet["crop_mask_targets"](target["masks"], target["boxes"], (28, 28))
    for mask, box, label, cells in zip(
        target["masks"], target["boxes"], target["labels"], targets, strict=True
    ):
        if label < 4 and mask.sum() > 500:  # a person has thin arms
            back = sheet["paste_mask"](cells, box, mask.shape)
            assert (back & mask).sum() / (back | mask).sum() > 0.9


def test_torchvision_pastes_with_zeros_around_and_whole_pixels(sheet):
    mask = torch.full((1, 1, 4, 4), 0.75)
    box = torch.tensor([[4.5, 6.5, 12.5, 18.5]])
    (pasted,) = paste_masks_in_image(mask, box, (24, 20))
    x1, y1, x2, y2 = expand_boxes(box, 6 / 4)[0].long().tolist()
    assert (x1, y1, x2, y2) == (2, 3, 14, 21)  # 2.5, 3.5, 14.5, 21.5
    padded = F.pad(mask, (1, 1, 1, 1))
    enlarged = F.interpolate(padded, (y2 - y1 + 1, x2 - x1 + 1), mode="bilinear")
    torch.testing.assert_close(pasted[:, y1 : y2 + 1, x1 : x2 + 1], enlarged[0])
    own = sheet["paste_mask"](mask[0, 0], box[0], (24, 20))
    assert not torch.equal(pasted[0] >= 0.5, own)
    assert ((pasted[0] >= 0.5) & own).sum() / ((pasted[0] >= 0.5) | own).sum() > 0.8


# Keypoints.


def keypoints_around(boxes, count, size_hw, seed):
    """(N, K, 3): in and around boxes, never near the border of a cell."""
    generator = torch.Generator().manual_seed(seed)
    shape = len(boxes), count
    cells = torch.stack(
        [torch.randint(-2, size + 2, shape, generator=generator) for size in size_hw[::-1]], dim=2
    )
    parts = cells + 0.1 + 0.8 * torch.rand((*shape, 2), generator=generator)
    parts = parts / torch.tensor(size_hw[::-1])
    sides = boxes[:, 2:] - boxes[:, :2]
    seen = torch.randint(0, 3, (*shape, 1), generator=generator)
    return torch.cat([boxes[:, None, :2] + parts * sides[:, None], seen], dim=2)


def frames(count, seed):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand((count, 2), generator=generator) * 90
    return torch.cat([corners, corners + 5 + 60 * torch.rand((count, 2), generator=generator)], 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_heat_maps_are_torchvisions_numbers_of_cells(sheet, seed):
    boxes = frames(7, seed)
    keypoints = keypoints_around(boxes, 9, (14, 14), seed)
    keypoints[0, 0, :2], keypoints[0, 1, :2] = boxes[0, 2:], boxes[0, :2]
    keypoints[0, :2, 2] = 2
    maps, valid = sheet["keypoints_to_heatmaps"](keypoints, boxes, (14, 14))
    cells, expected_valid = keypoints_to_heatmap(keypoints, boxes, 14)
    assert torch.equal(valid, expected_valid.bool())
    assert torch.equal(maps.flatten(2).argmax(dim=2)[valid], cells[valid])
    assert torch.equal(maps.sum(dim=(2, 3)), valid.float())


@pytest.mark.parametrize("size_hw", [(14, 14), (56, 3), (1, 5)])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_way_back_is_off_by_half_a_cell_at_most(sheet, seed, size_hw):
    boxes = frames(7, seed)
    keypoints = keypoints_around(boxes, 9, size_hw, seed)
    maps, valid = sheet["keypoints_to_heatmaps"](keypoints, boxes, size_hw)
    back = sheet["heatmaps_to_keypoints"](maps, boxes)
    cell = (boxes[:, 2:] - boxes[:, :2]) / torch.tensor(size_hw[::-1])
    off = (back - keypoints)[..., :2].abs() / cell[:, None]
    assert valid.any()
    assert off[valid].max() <= 0.5
    assert (back[valid][:, 2] == 1).all()


def test_torchvision_enlarges_heat_maps_first(sheet):
    maps = torch.randn((4, 5, 8, 6), generator=torch.Generator().manual_seed(0))
    as_large = torch.tensor([[3.0, 5, 9, 13]]).repeat(4, 1)
    found, scores = read_heatmaps(maps, as_large)
    own = sheet["heatmaps_to_keypoints"](maps, as_large)
    torch.testing.assert_close(own, torch.cat([found[..., :2], scores[..., None]], dim=2))
    larger = torch.tensor([[3.0, 5, 51, 69]]).repeat(4, 1)
    found, _ = read_heatmaps(maps, larger)
    between = ((found[..., :2] - larger[:, None, :2]) / 8) % 1
    assert ((between - 0.5).abs() > 0.05).any()


# Panoptic maps.


def slow_quality(prediction, target):
    """By the definition, with segments as sets of pixels."""

    def segments(classes, instances):
        found = {}
        pairs = zip(classes.flatten().tolist(), instances.flatten().tolist(), strict=True)
        for pixel, key in enumerate(pairs):
            found.setdefault(key, set()).add(pixel)
        void = set().union(*(pixels for key, pixels in found.items() if key[0] == 255))
        return {key: pixels for key, pixels in found.items() if key[0] != 255}, void

    (predicted, _), (true, void) = segments(*prediction), segments(*target)
    pairs = {}
    for key, pixels in true.items():
        for other, guess in predicted.items():
            iou = len(pixels & guess) / len((pixels | guess) - void)
            if key[0] == other[0] and iou > 0.5:
                pairs[key, other] = iou
    assert len({key for key, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)
    result = {}
    for label in {key[0] for key in [*true, *predicted]}:
        ious = [iou for (key, _), iou in pairs.items() if key[0] == label]
        fn = sum(key[0] == label for key in true) - len(ious)
        fp = sum(
            key[0] == label
            and all(other != key for _, other in pairs)
            and len(guess & void) / len(guess) <= 0.5
            for key, guess in predicted.items()
        )
        if ious or fn or fp:
            weight = len(ious) + fp / 2 + fn / 2
            mean = sum(ious) / len(ious) if ious else 0.0
            result[label] = (sum(ious) / weight, mean, len(ious) / weight)
    return result


def random_maps(seed, kept=None):
    """(18, 25) classes and instances in blocks; like `kept` but for some of the blocks."""
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.arange(18)[:, None] // 2 * 9 + torch.arange(25) // 3
    labels = torch.tensor([1, 2, 5, 6, 255])
    classes = labels[torch.randint(0, 5, (81,), generator=generator)][blocks]
    numbers = torch.randint(1, 40, (81,), generator=generator)[blocks]
    instances = torch.where(classes < 5, numbers, 0)
    if kept is None:
        return classes, instances
    same = (torch.rand((18, 25), generator=generator) < 0.85) & (kept[0] != 255)
    return torch.where(same, kept[0], classes), torch.where(same, kept[1], instances)


@pytest.mark.parametrize("seed", SEEDS)
def test_quality_is_that_of_the_slow_oracle(sheet, seed):
    truth = random_maps(seed)
    answer = random_maps(seed + 100, truth)
    quality, expected = sheet["panoptic_quality"](answer, truth), slow_quality(answer, truth)
    assert sorted(quality) == sorted(expected)
    for label, three in expected.items():
        assert quality[label] == pytest.approx(three)
        assert quality[label][0] == pytest.approx(quality[label][1] * quality[label][2])


@pytest.mark.parametrize("index", range(8))
def test_masks_that_reach_behind_others_merge_to_the_truth(sheet, index):
    """Things are ordered from back to front: the front ones have the better scores."""
    _, target = detseg.ShapeScenes(8, seed=11, things=(5, 6))[index]
    order = torch.arange(len(target["labels"]))
    in_front = target["panoptic"] > order[:, None, None] + 1
    reach = F.max_pool2d(target["masks"].float(), 7, 1, 3) > 0
    masks = target["masks"] | (reach & in_front)
    hidden = (masks & in_front).sum(dim=(1, 2)) / masks.sum(dim=(1, 2))
    assert 0 < hidden.max() <= 0.5
    classes, instances = sheet["panoptic_merge"](
        target["semantic"], masks, target["labels"], order / 8, detseg.STUFF
    )
    assert torch.equal(classes, target["semantic"])
    assert torch.equal(instances > 0, target["panoptic"] > 0)
    truth = target["semantic"], target["panoptic"]
    quality = sheet["panoptic_quality"]((classes, instances), truth)
    assert set(quality.values()) == {(1.0, 1.0, 1.0)}
    assert set(quality) == set(target["semantic"].unique().tolist())


# The text.


def text():
    return "\n".join(cell.source for cell in load_sheet("mask-rcnn").notebook.cells) + "\n"


def rows_of_table(header):
    """The rows of the sheet's table whose header begins so, as lists of cells."""
    (table,) = re.findall(
        rf"^\| {re.escape(header)}.*\n\|[ -|]+\n((?:\|.*\n)+)", text(), re.MULTILINE
    )
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]


def numbers(words):
    values = re.findall(r"-?(?:ln 3|[\d.]+)|½", words.replace("−", "-").replace("**", ""))
    special = {"½": 0.5, "ln 3": math.log(3), "-ln 3": -math.log(3)}
    return [special[value] if value in special else float(value) for value in values]


def map_below(heading, which=0):
    """A map of numbers in the text, the given one of those that stand side by side."""
    (block,) = re.findall(rf"^    {re.escape(heading)}.*\n((?:    .*\n)+)", text(), re.MULTILINE)
    lines = [line for line in block.splitlines() if re.match(r"\s+[\d.#]", line)]
    return [re.split(r" {4,}", line.strip())[which].split() for line in lines]


def whole_numbers(heading, which=0):
    return torch.tensor([[int(value) for value in row] for row in map_below(heading, which)])


def test_the_cut_in_the_text(sheet):
    mask = torch.tensor([numbers(" ".join(row[1:])) for row in rows_of_table("mask")])
    assert mask.shape == (4, 4)
    (cells,) = sheet["crop_mask_targets"](mask[None], torch.tensor([[1.0, 1, 4, 3]]), (2, 2))
    assert cells.tolist() == [[1, 0.25], [1, 1]]


def test_the_loss_in_the_text(sheet):
    rows = rows_of_table("region | label")
    labels = torch.tensor([int(row[1]) for row in rows])
    logits = torch.tensor([[[numbers(row[2])], [numbers(row[3])]] for row in rows])
    targets = torch.tensor([[numbers(row[4])] for row in rows])
    printed = [float(value) for row in rows for value in re.findall(r"= (\d\.\d+)", row[5])]
    losses = F.binary_cross_entropy_with_logits(
        logits[[0, 2], [1, 0]], targets[[0, 2]], reduction="none"
    )
    assert losses.flatten().tolist() == pytest.approx(printed, abs=0.0005)
    assert float(sheet["mask_loss"](logits, labels, targets)) == pytest.approx(0.801, abs=0.0005)


def test_the_pasted_mask_in_the_text(sheet):
    (table,) = re.findall(r"^\| \| cells.*\n\|[ -|]+\n((?:\|.*\n)+)", text(), re.MULTILINE)
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    mask = torch.tensor([numbers(row[1]) for row in rows])
    box = torch.tensor([1.0, 1, 5, 3])
    samples = slow_samples(mask, box, (4, 6))
    assert len(samples) == 8
    for i, row in enumerate(rows, start=1):
        printed = [float(cell) for cell in row[2:]]
        assert [samples[i, j] for j in range(1, 5)] == pytest.approx(printed)
    assert sheet["paste_mask"](mask, box, (4, 6)).sum(dim=1).tolist() == [0, 1, 3, 0]


def test_the_keypoints_in_the_text(sheet):
    rows = rows_of_table("keypoint (x, y, visibility)")
    keypoints = torch.tensor([[numbers(row[0])[:3] for row in rows]])
    box = torch.tensor([[10.0, 20, 26, 52]])
    maps, valid = sheet["keypoints_to_heatmaps"](keypoints, box, (8, 4))
    assert valid[0].tolist() == [row[4] == "yes" for row in rows]
    for row, heatmap in zip(rows, maps[0], strict=True):
        assert heatmap.nonzero().tolist() == ([] if row[3] == "none" else [numbers(row[3])])
    back = sheet["heatmaps_to_keypoints"](maps[:, :1], box)
    assert back.tolist() == [[[12, 26, 1]]]


MAPS = "semantic          instance 0"  # the heading of four maps side by side


def test_the_merged_maps_in_the_text(sheet):
    masks = torch.tensor(
        [[[value == "#" for value in row] for row in map_below(MAPS, which)] for which in (1, 2, 3)]
    )
    classes, instances = sheet["panoptic_merge"](
        whole_numbers(MAPS),
        masks,
        torch.tensor([1, 4, 1]),
        torch.tensor([0.6, 0.9, 0.5]),
        {5, 6},
    )
    assert torch.equal(classes, whole_numbers("class       "))
    assert torch.equal(instances, whole_numbers("class       ", 1))


def test_the_quality_in_the_text(sheet):
    truth = whole_numbers("truth: class"), whole_numbers("truth: class", 1)
    answer = whole_numbers("truth: class", 2), whole_numbers("truth: class", 3)
    quality = sheet["panoptic_quality"](answer, truth)
    assert quality == {1: (0.375, 0.75, 0.5), 5: (0.625, 0.625, 1.0)}
    rows = rows_of_table("class | true segment")
    overlaps = [numbers(row[5])[0] for row in rows if row[6] == "match"]
    assert overlaps == [quality[1][1], quality[5][1]]
    assert "here it is 0.5." in text()
