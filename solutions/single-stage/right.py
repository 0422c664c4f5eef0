"""Right answers to the sheet `single-stage`, written in other ways than the reference.

A hidden test that rejects one of these punishes understanding.
"""
# ruff: noqa: N801 (a class of answers is named like a function of answers)

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import box_iou, nms, remove_small_boxes


def output_channels__counts_them(num_classes, num_anchors, class_specific):
    """Writes down what every channel is for, and counts."""
    scores, boxes = [], []
    for anchor in range(num_anchors):
        scores += [(anchor, label) for label in ["background", *range(1, num_classes + 1)]]
        owners = range(1, num_classes + 1) if class_specific else ["any"]
        boxes += [(anchor, label, side) for label in owners for side in "xywh"]
    return [len(scores), len(boxes)]


def output_channels__multiplies_by_a_bool(num_classes, num_anchors, class_specific):
    """A power of the number of classes that is 0 or 1."""
    return (num_classes + 1) * num_anchors, 4 * num_anchors * num_classes ** int(class_specific)


class SingleStageHead__one_convolution(nn.Module):
    """All numbers of an anchor from one layer, side by side, cut in two at the end."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__()
        self.sizes = [num_classes + 1, 4]
        self.layer = nn.Conv2d(in_channels, num_anchors * sum(self.sizes), 1)

    def forward(self, features):
        rows = self.layer(features).permute(0, 2, 3, 1)
        return rows.reshape(len(features), -1, sum(self.sizes)).split(self.sizes, dim=2)


class SingleStageHead__like_retinanet(nn.Module):
    """Four layers in front of each output, small weights, a bias towards the background."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__()
        self.classes, self.boxes = (
            nn.Sequential(
                nn.Conv2d(in_channels, 32, 3, padding=1),
                nn.ReLU(inplace=True),
                *[layer for _ in range(3) for layer in (_three_by_three(32), nn.ReLU())],
                nn.Conv2d(32, num_anchors * numbers, 3, padding=1),
            )
            for numbers in (num_classes + 1, 4)
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.bias)
        nn.init.constant_(self.classes[-1].bias[:: num_classes + 1], math.log(99))
        self.num_classes = num_classes

    def forward(self, features):
        batch = features.shape[0]
        logits = self.classes(features).permute(0, 2, 3, 1).contiguous()
        deltas = self.boxes(features).permute(0, 2, 3, 1).contiguous()
        return logits.view(batch, -1, self.num_classes + 1), deltas.view(batch, -1, 4)


def _three_by_three(channels):
    return nn.Conv2d(channels, channels, 3, padding=1)


class SingleStageHead__a_layer_for_each_anchor(nn.Module):
    """Convolutions of every anchor apart, stacked into rows."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__()
        self.shared = nn.Sequential(nn.BatchNorm2d(in_channels), nn.Dropout2d(0.1))
        self.classes = nn.ModuleList(
            nn.Conv2d(in_channels, num_classes + 1, 5, padding=2) for _ in range(num_anchors)
        )
        self.boxes = nn.ModuleList(
            nn.Conv2d(in_channels, 4, 3, padding="same") for _ in range(num_anchors)
        )

    def forward(self, features):
        features = self.shared(features)

        def rows(layers):
            maps = torch.stack([layer(features) for layer in layers], dim=-1)  # [B, n, H, W, K]
            return maps.flatten(2).transpose(1, 2)

        return rows(self.classes), rows(self.boxes)


class SingleStageHead__numbers_before_anchors(nn.Module):
    """Channels ordered by number and then by anchor: nobody sees that from outside."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__()
        self.num_anchors = num_anchors
        self.norm = nn.Conv2d(in_channels, 16, 3, padding=1)
        self.output = nn.Conv2d(16, (num_classes + 5) * num_anchors, 1)

    def forward(self, features):
        maps = self.output(self.norm(features).tanh())
        batch, channels, height, width = maps.shape
        maps = maps.view(batch, -1, self.num_anchors, height, width)
        rows = torch.einsum("bnkij->bijkn", maps).reshape(batch, -1, channels // self.num_anchors)
        return rows[..., 4:], rows[..., :4]


class SingleStageHead__linear_layers_in_every_cell(nn.Module):
    """A multi-layer perceptron over the last axis, with a normalisation of each cell."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__()
        self.num_anchors = num_anchors
        self.hidden = nn.Sequential(nn.LayerNorm(in_channels), nn.LazyLinear(48), nn.GELU())
        self.outputs = nn.ModuleDict(
            {
                "scores": nn.Linear(48, num_anchors * (num_classes + 1)),
                "boxes": nn.Linear(48, num_anchors * 4),
            }
        )

    def forward(self, features):
        cells = self.hidden(features.permute(0, 2, 3, 1))
        return tuple(
            self.outputs[name](cells).unflatten(3, (self.num_anchors, -1)).flatten(1, 3)
            for name in ("scores", "boxes")
        )


def focal_loss__weighs_the_cross_entropy(logits, targets, alpha=0.25, gamma=2.0):
    """As torchvision writes it."""
    loss = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    p = logits.sigmoid()
    p_t = p * targets + (1 - p) * (1 - targets)
    alpha_t = alpha * targets + (1 - alpha) * (1 - targets)
    return (alpha_t * (1 - p_t) ** gamma * loss).sum()


def focal_loss__exponential_of_logarithms(logits, targets, alpha=0.25, gamma=2.0):
    """The factor as an exponential, everything from softplus, in float64."""
    right = ((2 * targets - 1) * logits).double()
    loss = F.softplus(-right)  # -log p_t
    factor = torch.exp(-gamma * F.softplus(right))  # (1 - p_t) to the power of gamma
    return torch.dot(
        (alpha * targets + (1 - alpha) * (1 - targets)).double().flatten(),
        (factor * loss).flatten(),
    ).to(logits.dtype)


def focal_loss__yes_and_no_apart(logits, targets, alpha=0.25, gamma=2.0):
    """Two sums over two selections."""
    yes, no = logits[targets > 0.5], logits[targets < 0.5]
    of_yes = torch.sigmoid(-yes).pow(gamma) * F.logsigmoid(yes)
    of_no = torch.sigmoid(no).pow(gamma) * F.logsigmoid(-no)
    return -alpha * of_yes.sum() - (1 - alpha) * of_no.sum()


def focal_loss__softmax_of_two(logits, targets, alpha=0.25, gamma=2.0):
    """A yes-or-no question is a softmax over the logits x and 0."""
    pair = torch.stack([torch.zeros_like(logits), logits], dim=-1)
    log_p = pair.log_softmax(dim=-1)
    answer = targets.long()[..., None]
    log_right = log_p.gather(-1, answer).flatten()
    log_wrong = log_p.gather(-1, 1 - answer).flatten()
    alpha_t = torch.tensor([1 - alpha, alpha]).to(logits)[answer.flatten()]
    return (alpha_t * (gamma * log_wrong).exp() * log_right).sum().neg()


def hard_negative_mask__sorts_in_python(loss, labels, ratio=3):
    """Python's sort, which is stable."""
    losses, kinds = loss.tolist(), labels.tolist()
    ranking = sorted(
        (index for index, kind in enumerate(kinds) if kind == 0), key=lambda i: -losses[i]
    )
    count = ratio * sum(kind > 0 for kind in kinds)
    chosen = set(ranking[:count])
    return torch.tensor([index in chosen for index in range(len(kinds))], dtype=torch.bool)


def hard_negative_mask__ranks_everything(loss, labels, ratio=3):
    """The rank of every anchor, the others behind all negatives, as SSD's code does."""
    negative = labels.eq(0)
    masked = loss.detach().clone()
    masked[~negative] = -torch.inf
    order = masked.sort(descending=True, stable=True).indices
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    return negative & (rank < ratio * labels.gt(0).sum())


def hard_negative_mask__counts_harder_ones(loss, labels, ratio=3):
    """Compares all pairs: how many negatives come before each."""
    loss, negative = loss.detach().double(), labels == 0
    place = torch.arange(len(loss))
    before = (loss[None] > loss[:, None]) | (
        (loss[None] == loss[:, None]) & (place < place[:, None])
    )
    harder = (before & negative).sum(dim=1)
    return torch.logical_and(negative, harder < ratio * torch.count_nonzero(labels > 0))


def hard_negative_mask__uses_numpy(loss, labels, ratio=3):
    """A lexicographic sort of arrays."""
    values, kinds = loss.detach().numpy(), labels.numpy()
    order = np.lexsort((np.arange(len(values)), -values))
    order = order[kinds[order] == 0]
    mask = np.zeros(len(values), dtype=bool)
    mask[order[: ratio * np.count_nonzero(kinds > 0)]] = True
    return torch.from_numpy(mask)


def detect__loops_over_candidates(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Python numbers, and a suppression of its own for all classes at once."""
    height, width = image_hw
    found = []
    rows = zip(class_logits.double().tolist(), deltas.tolist(), anchors.tolist(), strict=True)
    for logits, (dx, dy, dw, dh), (x1, y1, x2, y2) in rows:
        x, y = (x1 + x2) / 2 + dx * (x2 - x1), (y1 + y2) / 2 + dy * (y2 - y1)
        half_w = (x2 - x1) / 2 * math.exp(min(dw, math.log(62.5)))
        half_h = (y2 - y1) / 2 * math.exp(min(dh, math.log(62.5)))
        left, right = max(x - half_w, 0), min(x + half_w, width)
        top, bottom = max(y - half_h, 0), min(y + half_h, height)
        if left >= right or top >= bottom:
            continue
        highest = max(logits)
        total = sum(math.exp(logit - highest) for logit in logits)
        for label, logit in enumerate(logits):
            score = math.exp(logit - highest) / total
            if label and score >= score_threshold:
                found.append((score, label, [left, top, right, bottom]))
    found.sort(key=lambda one: one[0], reverse=True)
    kept = []
    for score, label, box in found:
        others = [other for _, its, other in kept if its == label]
        if (
            not others
            or not (box_iou(torch.tensor([box]), torch.tensor(others)) > nms_threshold).any()
        ):
            kept.append((score, label, box))
    kept = kept[:top_k]
    boxes = torch.tensor([box for _, _, box in kept], dtype=torch.float32).reshape(-1, 4)
    scores = torch.tensor([score for score, _, _ in kept], dtype=torch.float32)
    return boxes, scores, torch.tensor([label for _, label, _ in kept], dtype=torch.int64)


def detect__all_classes_at_once(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """A list of all pairs of anchor and class; classes are moved apart for one NMS, in float64."""
    logits, deltas, anchors = class_logits.double(), deltas.double(), anchors.double()
    chances = torch.exp(logits - logits.logsumexp(dim=1, keepdim=True))
    size = anchors[:, 2:] - anchors[:, :2]
    centre = (anchors[:, 2:] + anchors[:, :2]) / 2 + deltas[:, :2] * size
    size = size * deltas[:, 2:].clamp(max=math.log(62.5)).exp()
    boxes = torch.stack([centre - size / 2, centre + size / 2], dim=1)  # [A, 2, 2]
    limit = torch.tensor([image_hw[1], image_hw[0]]).double()
    boxes = torch.minimum(boxes.clamp(min=0), limit).flatten(1)
    index, label = (chances[:, 1:] >= score_threshold).nonzero(as_tuple=True)
    has_area = (boxes[index, 2:] - boxes[index, :2]).prod(dim=1) > 0
    index, label = index[has_area], label[has_area]
    scores = chances[index, label + 1]
    apart = boxes[index] + (label * (limit.max() + 1))[:, None]
    kept = nms(apart, scores, nms_threshold)[:top_k]
    return boxes[index[kept]].float(), scores[kept].float(), label[kept] + 1


def detect__drops_first(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Leaves anchors out as early as possible, and ends with topk."""
    chances = F.softmax(class_logits, dim=-1)[:, 1:]
    likely = (chances >= score_threshold).any(dim=1)
    chances, deltas, anchors = chances[likely], deltas[likely], anchors[likely]
    x1, y1, x2, y2 = anchors.unbind(dim=1)
    dx, dy, dw, dh = deltas.unbind(dim=1)
    w, h = (
        (x2 - x1) * dw.clamp(max=math.log(62.5)).exp(),
        (y2 - y1) * dh.clamp(max=math.log(62.5)).exp(),
    )
    x, y = x1 + (0.5 + dx) * (x2 - x1), y1 + (0.5 + dy) * (y2 - y1)
    boxes = torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], dim=1)
    boxes[:, 0::2] = boxes[:, 0::2].clamp(0, image_hw[1])
    boxes[:, 1::2] = boxes[:, 1::2].clamp(0, image_hw[0])
    solid = remove_small_boxes(boxes, torch.finfo(boxes.dtype).tiny)
    boxes, chances = boxes[solid], chances[solid]
    keep = torch.zeros_like(chances, dtype=torch.bool)
    for column in range(chances.shape[1]):
        members = (chances[:, column] >= score_threshold).nonzero()[:, 0]
        keep[members[nms(boxes[members], chances[members, column], nms_threshold)], column] = True
    index, column = keep.nonzero(as_tuple=True)
    scores, best = chances[keep].topk(min(top_k, len(index)))
    return [boxes[index[best]], scores, column[best] + 1]
