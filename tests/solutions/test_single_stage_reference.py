"""The reference of the sheet `single-stage`: it agrees with torchvision's losses and detectors."""

from types import SimpleNamespace

import pytest
import torch
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.ssd import SSD, SSDHead
from torchvision.ops import batched_nms, box_iou, clip_boxes_to_image, sigmoid_focal_loss

SEEDS = range(8)
NEAR = 1e-5  # no decision of a random case is so narrow that rounding could turn it


@pytest.fixture(scope="module")
def single_stage(reference):
    return reference("single-stage")


# The head.


@pytest.mark.parametrize(("num_anchors", "num_classes"), [(1, 1), (4, 3), (6, 20)])
def test_the_head_is_that_of_ssd(single_stage, num_anchors, num_classes):
    torch.manual_seed(0)
    theirs = SSDHead([7], [num_anchors], num_classes + 1)
    head = single_stage["SingleStageHead"](7, num_anchors, num_classes)
    their_layers = theirs.classification_head.module_list[0], theirs.regression_head.module_list[0]
    for mine, layer in zip((head.scores, head.corrections), their_layers, strict=True):
        mine.load_state_dict(layer.state_dict())
    features = torch.randn(2, 7, 5, 9)
    expected = theirs([features])
    logits, deltas = head(features)
    assert torch.equal(logits, expected["cls_logits"])
    assert torch.equal(deltas, expected["bbox_regression"])


# The losses.


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (0.5, 0.0), (0.75, 1.0), (1.0, 5.0)])
def test_focal_loss_is_that_of_torchvision(single_stage, seed, dtype, alpha, gamma):
    generator = torch.Generator().manual_seed(seed)
    shape = [(40, 3), (2, 15, 4), (31,), (0, 5)][seed % 4]
    logits = (5 * torch.randn(shape, generator=generator)).to(dtype).requires_grad_()
    targets = (torch.rand(shape, generator=generator) < 0.3).to(dtype)
    loss = single_stage["focal_loss"](logits, targets, alpha, gamma)
    expected = sigmoid_focal_loss(logits, targets, alpha, gamma, reduction="sum")
    assert loss.dtype == dtype
    torch.testing.assert_close(loss, expected)
    gradients = [torch.autograd.grad(x, logits)[0] for x in (loss, expected)]
    torch.testing.assert_close(*gradients)


def losses(num_positives, seed):
    """The classes' loss of each of 90 anchors, their labels, and what SSD makes of them."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((1, 90, 4), generator=generator)
    labels = torch.zeros(90, dtype=torch.int64)
    positives = torch.randperm(90, generator=generator)[:num_positives]
    labels[positives] = torch.randint(1, 4, (num_positives,), generator=generator)
    boxes = torch.tensor([[0.0, 0, 8, 8]]).repeat(90, 1)
    rules = SimpleNamespace(box_coder=BoxCoder((1.0,) * 4), neg_to_pos_ratio=3)
    theirs = SSD.compute_loss(
        rules,
        [{"boxes": boxes, "labels": labels}],
        {"bbox_regression": torch.zeros((1, 90, 4)), "cls_logits": logits},
        [boxes],
        [torch.where(labels > 0, torch.arange(90), -1)],
    )
    loss = torch.nn.functional.cross_entropy(logits[0], labels, reduction="none")
    return loss, labels, theirs["classification"] * max(1, num_positives)


@pytest.mark.parametrize("num_positives", [0, 1, 7, 22])
def test_hard_negatives_are_those_of_ssd(single_stage, num_positives):
    loss, labels, expected = losses(num_positives, seed=num_positives)
    mask = single_stage["hard_negative_mask"](loss, labels)
    assert mask.sum() == 3 * num_positives
    torch.testing.assert_close(loss[mask].sum() + loss[labels > 0].sum(), expected)


def test_ssd_takes_positives_twice_where_negatives_run_out(single_stage):
    loss, labels, expected = losses(30, seed=0)
    mask = single_stage["hard_negative_mask"](loss, labels)
    assert torch.equal(mask, labels == 0)
    torch.testing.assert_close(loss.sum() + loss[labels > 0].sum(), expected)


# Detections.


def case(seed):
    """Arguments of `detect`: anchors and boxes inside the image, across its border, outside."""
    generator = torch.Generator().manual_seed(seed)
    num_classes, num_anchors = (1, 3, 5, 2)[seed % 4], 80
    corners = torch.rand((num_anchors, 2), generator=generator) * torch.tensor([120.0, 60.0]) - 25
    sides = torch.rand((num_anchors, 2), generator=generator) * torch.tensor([30.0, 45.0]) + 5
    anchors = torch.cat([corners, corners + sides], dim=1)
    deltas = torch.randn((num_anchors, 4), generator=generator) * 0.5
    deltas[::9, 2:] += 6  # more than the limit, of anchors so small that the image holds the box
    anchors[::9, 2:] = anchors[::9, :2] + 0.5
    logits = 2 * torch.randn((num_anchors, num_classes + 1), generator=generator)
    return logits, deltas, anchors, (47, 83), (0.15, 0.4)[seed % 2], 0.45, (12, 500)[seed // 4 % 2]


def slowly(logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k):
    """(label, score, box) of each detection, one at a time, in float64; a narrow decision fails."""
    chances = logits.double().softmax(dim=1)
    boxes = BoxCoder((1.0,) * 4).decode_single(deltas.double(), anchors.double())
    boxes = clip_boxes_to_image(boxes, image_hw)
    left = []
    for chance, box in zip(chances, boxes, strict=True):
        if box[2] == box[0] or box[3] == box[1]:
            continue
        for label, score in enumerate(chance.tolist()):
            assert abs(score - score_threshold) > NEAR
            if label > 0 and score > score_threshold:
                left.append((score, label, box))
    kept = []
    while left:
        best = max(left, key=lambda one: one[0])
        kept.append(best)
        overlaps = [float(box_iou(best[2][None], box[None])) for _, _, box in left]
        assert min(abs(iou - nms_threshold) for iou in overlaps) > NEAR
        left = [
            one
            for one, iou in zip(left, overlaps, strict=True)
            if one is not best and (one[1] != best[1] or iou <= nms_threshold)
        ]
    return kept[:top_k]


def quickly(logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k):
    """The same from torchvision's pieces."""
    chances = logits.softmax(dim=1)
    boxes = BoxCoder((1.0,) * 4).decode_single(deltas, anchors)
    boxes = clip_boxes_to_image(boxes, image_hw)
    chances[((boxes[:, 2:] - boxes[:, :2]) <= 0).any(dim=1)] = -1
    chances[:, 0] = -1
    index, labels = torch.nonzero(chances >= score_threshold).unbind(dim=1)
    scores = chances[index, labels]
    kept = batched_nms(boxes[index], scores, labels, nms_threshold)[:top_k]
    return boxes[index[kept]], scores[kept], labels[kept]


@pytest.mark.parametrize("seed", SEEDS)
def test_detections_are_those_of_one_after_the_other(single_stage, seed):
    boxes, scores, labels = single_stage["detect"](*case(seed))
    expected = slowly(*case(seed))
    assert labels.tolist() == [label for _, label, _ in expected]
    expected_scores = torch.tensor([score for score, _, _ in expected])
    torch.testing.assert_close(scores, expected_scores)
    torch.testing.assert_close(boxes, torch.stack([box for _, _, box in expected]).float())


@pytest.mark.parametrize("seed", SEEDS)
def test_detections_are_those_of_torchvisions_pieces(single_stage, seed):
    for mine, theirs in zip(single_stage["detect"](*case(seed)), quickly(*case(seed)), strict=True):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_detections_are_those_of_ssd(single_stage, seed):
    """`SSD` keeps boxes without area, so the anchors here are inside the image."""
    logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k = case(seed)
    anchors[:, 0::2] = (anchors[:, 0::2] / 3 + 30).clamp(5, image_hw[1] - 5)
    anchors[:, 1::2] = (anchors[:, 1::2] / 3 + 15).clamp(5, image_hw[0] - 5)
    deltas[:, :2] /= 8
    rules = SimpleNamespace(
        box_coder=BoxCoder((1.0,) * 4),
        score_thresh=score_threshold,
        nms_thresh=nms_threshold,
        detections_per_img=top_k,
        topk_candidates=1000,
    )
    outputs = {"bbox_regression": deltas[None], "cls_logits": logits[None]}
    (expected,) = SSD.postprocess_detections(rules, outputs, [anchors], [image_hw])
    boxes, scores, labels = single_stage["detect"](
        logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
    )
    assert len(labels) > 5
    torch.testing.assert_close(boxes, expected["boxes"])
    torch.testing.assert_close(scores, expected["scores"])
    assert torch.equal(labels, expected["labels"])


def test_the_cases_have_what_they_are_for():
    found = {"outside": 0, "across the border": 0, "cut off in growth": 0, "several classes": 0}
    for seed in SEEDS:
        logits, deltas, anchors, image_hw, score_threshold, *_ = case(seed)
        boxes = BoxCoder((1.0,) * 4).decode_single(deltas, anchors)
        clipped = clip_boxes_to_image(boxes, image_hw)
        outside = ((clipped[:, 2:] - clipped[:, :2]) == 0).any(dim=1)
        found["outside"] += int(outside.sum())
        found["across the border"] += int(((clipped != boxes).any(dim=1) & ~outside).sum())
        found["cut off in growth"] += int((deltas[:, 2:] > 4.2).sum())
        above = logits.softmax(dim=1)[:, 1:] >= score_threshold
        found["several classes"] += int((above.sum(dim=1) > 1).sum())
    assert min(found.values()) >= 8, found
