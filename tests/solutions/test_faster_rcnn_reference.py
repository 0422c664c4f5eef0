"""The reference of the sheet `faster-rcnn`: it agrees with torchvision's region proposal network
where the conventions agree, and with the numbers that the sheet's text works out by hand."""

import math
import re

import pytest
import torch
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.models.detection.rpn import RPNHead as TorchvisionHead
from torchvision.ops import box_iou

from autograder.sheets import load_sheet

SEEDS = range(8)


@pytest.fixture(scope="module")
def sheet(reference):
    return reference("faster-rcnn")


def rules(pre=1000, post=300, threshold=0.7, pos_iou=0.7, neg_iou=0.3, samples=256):
    """torchvision's region proposal network without networks."""
    return RegionProposalNetwork(
        anchor_generator=None,
        head=None,
        fg_iou_thresh=pos_iou,
        bg_iou_thresh=neg_iou,
        batch_size_per_image=samples,
        positive_fraction=0.5,
        pre_nms_top_n={"training": pre, "testing": pre},
        post_nms_top_n={"training": post, "testing": post},
        nms_thresh=threshold,
    )


# Anchors.


@pytest.mark.parametrize("stride", [16, 32])
@pytest.mark.parametrize("feature_hw", [(15, 20), (3, 7), (1, 1)])
def test_anchors_are_torchvisions_moved_by_half_a_cell(sheet, feature_hw, stride):
    """torchvision has ratios outside of scales, rounds, and centres at j · stride, i · stride."""
    scales, ratios = (32, 64, 100), (0.5, 1.0, 2.0, 3.0)
    generator = AnchorGenerator((scales,), (ratios,))
    features = torch.zeros(1, 8, *feature_hw)
    image = torch.zeros(1, 3, feature_hw[0] * stride, feature_hw[1] * stride)
    (expected,) = generator(ImageList(image, [tuple(image.shape[2:])]), [features])
    expected = expected.reshape(-1, len(ratios), len(scales), 4).transpose(1, 2).reshape(-1, 4)
    anchors = sheet["make_anchors"](feature_hw, stride, scales, ratios)
    assert anchors.dtype == torch.float32
    assert len(anchors) == feature_hw[0] * feature_hw[1] * 12
    assert (anchors - expected - stride / 2).abs().max() <= 0.5 + 1e-4  # it rounds


def test_the_lectures_shapes(sheet):
    """An image of 3 × 640 × 480 (W × H), features 512 × 20 × 15, K anchors a cell."""
    objectness, deltas = sheet["RPNHead"](512, 9)(torch.zeros(1, 512, 15, 20))
    assert objectness.shape == (1, 9, 15, 20)
    assert deltas.shape == (1, 36, 15, 20)
    anchors = sheet["make_anchors"]((15, 20), 32, (128, 256, 512), (0.5, 1, 2))
    assert len(anchors) == objectness.numel() == 2700
    assert ((anchors[:, :2] + anchors[:, 2:]) / 2).amax(dim=0).tolist() == [640 - 16, 480 - 16]


# What anchors are trained to be.


def truth(count, seed):
    """Boxes of 6 to 60 pixels a side on an image of 96 × 160."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand((count, 2), generator=generator) * torch.tensor([130.0, 66.0])
    sides = torch.rand((count, 2), generator=generator) ** 2 * 54 + 6
    return torch.cat([corners, corners + sides], dim=1)


@pytest.mark.parametrize("thresholds", [(0.7, 0.3), (0.5, 0.5), (0.9, 0.1)])
@pytest.mark.parametrize("seed", SEEDS)
def test_labels_are_torchvisions(sheet, seed, thresholds):
    anchors = sheet["make_anchors"]((12, 20), 8, (12, 24, 48), (0.5, 1.0, 2.0))
    boxes = truth(seed + 1, seed)
    labels, matched = sheet["assign_anchors"](anchors, boxes, *thresholds)
    indices = Matcher(*thresholds, allow_low_quality_matches=True)(box_iou(boxes, anchors))
    assert labels.tolist() == [1 if m >= 0 else 0 if m == -1 else -1 for m in indices.tolist()]
    assert torch.equal(matched[labels == 1], indices[labels == 1])
    assert (labels == 1).any()
    assert (labels == 0).any()


def test_matchers_rule_is_another_where_nothing_overlaps(sheet):
    """torchvision forces every anchor if a true box is overlapped by none."""
    anchors, far = torch.tensor([[0.0, 0, 8, 8], [8, 0, 16, 8]]), torch.tensor([[90.0, 90, 99, 99]])
    forced = Matcher(0.7, 0.3, allow_low_quality_matches=True)(box_iou(far, anchors))
    assert forced.tolist() == [0, 0]
    assert sheet["assign_anchors"](anchors, far)[0].tolist() == [0, 0]


# The sample.


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sample_draws_from_its_generator_alone(sheet, seed):
    labels = torch.randint(-1, 2, (500,), generator=torch.Generator().manual_seed(seed))
    before = torch.get_rng_state()
    generator = torch.Generator().manual_seed(seed)
    first = sheet["sample_balanced"](labels, 60, 0.5, generator)
    second = sheet["sample_balanced"](labels, 60, 0.5, generator)
    again = sheet["sample_balanced"](labels, 60, 0.5, torch.Generator().manual_seed(seed))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    for mask in (first, second):
        assert [int(mask[labels == label].sum()) for label in (1, 0, -1)] == [30, 30, 0]


# The loss.


@pytest.mark.parametrize("seed", SEEDS)
def test_losses_are_torchvisions_for_another_beta(sheet, seed):
    """torchvision's β is 1/9: ℓ with β of x is β · ℓ with 1 of x / β. One image, no neutrals."""
    generator = torch.Generator().manual_seed(seed)
    objectness = torch.randn(90, generator=generator)
    deltas, targets = torch.randn((2, 90, 4), generator=generator)
    labels = torch.randint(0, 2, (90,), generator=generator)
    everything = torch.ones(90, dtype=torch.bool)
    expected = rules(samples=1000).compute_loss(
        objectness[:, None], deltas, [labels.float()], [targets]
    )
    sampled = sheet["sample_balanced"](labels, 1000, 0.5, torch.Generator())
    assert torch.equal(sampled, everything)
    first, second = sheet["rpn_loss"](objectness, 9 * deltas, labels, 9 * targets, everything)
    torch.testing.assert_close((first, second / 9), expected)


# Proposals.


def slow_proposals(objectness, deltas, anchors, image_hw, pre, post, threshold):
    """The five steps, one box after the other, in Python's numbers."""
    ranked = sorted(range(len(objectness)), key=lambda a: -objectness[a].item())[:pre]
    kept = []
    for a in ranked:
        (x1, y1, x2, y2), (dx, dy, dw, dh) = anchors[a].tolist(), deltas[a].tolist()
        w, h = x2 - x1, y2 - y1
        x, y = x1 + (0.5 + dx) * w, y1 + (0.5 + dy) * h
        w, h = w * min(math.exp(dw), 62.5), h * min(math.exp(dh), 62.5)
        x1, x2 = (min(max(edge, 0), image_hw[1]) for edge in (x - w / 2, x + w / 2))
        y1, y2 = (min(max(edge, 0), image_hw[0]) for edge in (y - h / 2, y + h / 2))
        box = torch.tensor([[x1, y1, x2, y2]], dtype=torch.float64)
        if x1 < x2 and y1 < y2 and all(box_iou(box, other) <= threshold for other, _ in kept):
            kept.append((box, objectness[a].double().sigmoid()))
    boxes = torch.cat([box for box, _ in kept[:post]])
    return boxes.float(), torch.stack([score for _, score in kept[:post]]).float()


def answers(count, seed):
    """Logits, no two equal, deltas and anchors, some of them outside of an image of 96 × 160."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(count, generator=generator)
    anchors = truth(count, 100 + seed) + torch.tensor([-20.0, -15.0]).repeat(2)
    deltas = torch.randn((count, 4), generator=generator) * torch.tensor([0.4, 0.3, 0.5, 0.4])
    deltas[order[:3], 2] = 5.0  # beyond the limit
    return (order - count / 2) / (count / 8), deltas, anchors


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("chosen", [(1000, 300), (60, 300), (60, 12)])
@pytest.mark.parametrize("threshold", [0.3, 0.7])
def test_proposals_are_those_of_the_slow_oracle(sheet, seed, chosen, threshold):
    arguments = *answers(120, seed), (96, 160), *chosen, threshold
    boxes, scores = sheet["propose"](*arguments)
    expected_boxes, expected_scores = slow_proposals(*arguments)
    torch.testing.assert_close(boxes, expected_boxes, rtol=0, atol=1e-3)
    torch.testing.assert_close(scores, expected_scores)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("chosen", [(1000, 300), (60, 12)])
def test_proposals_are_torchvisions(sheet, seed, chosen):
    objectness, deltas, anchors = answers(300, seed)
    boxes, scores = sheet["propose"](objectness, deltas, anchors, (96, 160), *chosen, 0.5)
    decoded = BoxCoder((1.0, 1.0, 1.0, 1.0)).decode(deltas, [anchors]).reshape(1, -1, 4)
    sides = decoded[..., 2:] - decoded[..., :2]
    assert sides.min() > 0.01  # torchvision drops what is smaller than 0.001 pixels
    expected_boxes, expected_scores = rules(*chosen, threshold=0.5).filter_proposals(
        decoded, objectness[None], [(96, 160)], [len(anchors)]
    )
    torch.testing.assert_close(boxes, expected_boxes[0], rtol=0, atol=1e-3)
    torch.testing.assert_close(scores, expected_scores[0])


def test_the_sheets_flattening_is_in_the_order_of_anchors():
    """What its picture cells call `flat`: rows, columns, anchors; channel 4 k + c of the deltas."""
    cells = [cell.source for cell in load_sheet("faster-rcnn").notebook.cells]
    (source,) = re.findall(r"^def flat\(.*?(?=\n\n)", "\n".join(cells), re.MULTILINE | re.DOTALL)
    exec(source, names := {"torch": torch})
    objectness, deltas = TorchvisionHead(8, 3)([torch.rand(1, 8, 5, 7)])
    logits, numbers = names["flat"](objectness[0], deltas[0])
    for row, column, k in [(0, 0, 0), (3, 6, 2), (4, 2, 1)]:
        a = (row * 7 + column) * 3 + k
        assert logits[a] == objectness[0][0, k, row, column]
        assert torch.equal(numbers[a], deltas[0][0, 4 * k : 4 * k + 4, row, column])


# The text.


def rows_of_table(header):
    """The rows of the sheet's table whose header begins so, as lists of cells."""
    text = "\n".join(cell.source for cell in load_sheet("faster-rcnn").notebook.cells)
    (table,) = re.findall(
        rf"^\| {re.escape(header)}.*\n\|[ -|]+\n((?:\|.*\n)+)", text, re.MULTILINE
    )
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]


def numbers(text):
    return [float(number) for number in re.findall(r"-?[\d.]+", text.replace("−", "-"))]


def test_the_anchors_in_the_text(sheet):
    anchors = sheet["make_anchors"]((2, 3), 32, (64, 32), (1, 4))[20:]
    rows = rows_of_table("scale | ratio")
    assert len(rows) == 4
    for anchor, (_, _, width, height, box) in zip(anchors.tolist(), rows, strict=True):
        assert anchor == numbers(box)
        assert [anchor[2] - anchor[0], anchor[3] - anchor[1]] == [float(width), float(height)]


def test_the_labels_in_the_text(sheet):
    rows = rows_of_table("anchor | box | IoU")
    gt_boxes = torch.tensor([[0.0, 0, 16, 16], [40, 40, 48, 48]])
    anchors = torch.tensor([numbers(row[1]) for row in rows])
    assert len(anchors) == 7
    labels, _ = sheet["assign_anchors"](anchors, gt_boxes)
    assert labels.tolist() == [int(numbers(row[4])[0]) for row in rows]
    printed = [[numbers(cell)[-1] for cell in row[2:4]] for row in rows]
    torch.testing.assert_close(
        box_iou(anchors, gt_boxes), torch.tensor(printed), rtol=0, atol=0.005
    )


def test_the_proposals_in_the_text(sheet):
    rows = rows_of_table("anchor | box | objectness")
    anchors = torch.tensor([numbers(row[1]) for row in rows])
    objectness = torch.tensor([numbers(row[2])[0] for row in rows])
    deltas = torch.zeros(5, 4)
    deltas[4] = torch.tensor([0.5, 0, math.log(2), 0])
    assert rows[4][3] == "0.5, 0, ln 2, 0"
    boxes, scores = sheet["propose"](objectness, deltas, anchors, (48, 64), 5, 5, 0.7)
    kept = [row for row in rows if row[5].startswith("kept")]
    kept.sort(key=lambda row: -numbers(row[2])[0])
    torch.testing.assert_close(boxes, torch.tensor([numbers(row[4]) for row in kept]))
    logits = torch.tensor([numbers(row[2])[0] for row in kept])
    torch.testing.assert_close(scores, logits.sigmoid())
