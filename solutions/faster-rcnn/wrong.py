"""Wrong answers to the sheet `faster-rcnn`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""
# ruff: noqa: N801 (a class of answers is named like a function of answers)

import math

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import box_iou, clip_boxes_to_image, nms

# make_anchors


def _sides(scales, aspect_ratios):
    """(K, 2) widths and heights, scales outside and ratios inside."""
    pairs = [(scale, ratio) for scale in scales for ratio in aspect_ratios]
    return torch.tensor([[s / math.sqrt(r), s * math.sqrt(r)] for s, r in pairs])


def _centres(feature_hw, stride, offset=0.5):
    """(H, W, 1, 2) centres of cells."""
    rows, columns = (torch.arange(size) for size in feature_hw)
    y, x = torch.meshgrid((rows + offset) * stride, (columns + offset) * stride, indexing="ij")
    return torch.stack([x, y], dim=-1)[:, :, None]


def _around(centres, sides):
    """(H · W · K, 4) boxes."""
    return torch.cat([centres - sides / 2, centres + sides / 2], dim=-1).reshape(-1, 4)


def make_anchors__at_corners_of_cells(feature_hw, stride, scales, aspect_ratios):
    """Centres at j · stride and i · stride, as torchvision's AnchorGenerator has them."""
    return _around(_centres(feature_hw, stride, offset=0), _sides(scales, aspect_ratios))


def make_anchors__takes_width_by_height(feature_hw, stride, scales, aspect_ratios):
    """The ratio the other way round."""
    return _around(_centres(feature_hw, stride), _sides(scales, aspect_ratios).flip(1))


def make_anchors__has_ratios_outside(feature_hw, stride, scales, aspect_ratios):
    """All scales of the first ratio, then all of the second."""
    sides = _sides(scales, aspect_ratios).reshape(len(scales), len(aspect_ratios), 2)
    return _around(_centres(feature_hw, stride), sides.transpose(0, 1).reshape(-1, 2))


def make_anchors__runs_down_the_columns(feature_hw, stride, scales, aspect_ratios):
    """Column after column."""
    centres = _centres(feature_hw, stride).transpose(0, 1)
    return _around(centres, _sides(scales, aspect_ratios))


def make_anchors__takes_rows_for_x(feature_hw, stride, scales, aspect_ratios):
    """(i, j) taken for (x, y)."""
    return _around(_centres(feature_hw, stride).flip(-1), _sides(scales, aspect_ratios))


def make_anchors__puts_anchors_before_cells(feature_hw, stride, scales, aspect_ratios):
    """All cells for the first anchor, then all for the second."""
    boxes = _around(_centres(feature_hw, stride), _sides(scales, aspect_ratios))
    return boxes.reshape(feature_hw[0] * feature_hw[1], -1, 4).transpose(0, 1).reshape(-1, 4)


def make_anchors__keeps_the_width(feature_hw, stride, scales, aspect_ratios):
    """The scale is the width, and the ratio makes the height: areas differ."""
    sides = torch.tensor([[float(s), float(s * r)] for s in scales for r in aspect_ratios])
    return _around(_centres(feature_hw, stride), sides)


def make_anchors__forgets_the_root(feature_hw, stride, scales, aspect_ratios):
    """Divides and multiplies by the ratio: the right area, the ratio squared."""
    sides = torch.tensor([[s / r, float(s * r)] for s in scales for r in aspect_ratios])
    return _around(_centres(feature_hw, stride), sides)


def make_anchors__goes_a_whole_side(feature_hw, stride, scales, aspect_ratios):
    """Twice as wide and high: a side to the left and one to the right."""
    return _around(_centres(feature_hw, stride), 2 * _sides(scales, aspect_ratios))


def make_anchors__rounds(feature_hw, stride, scales, aspect_ratios):
    """Whole pixels, as torchvision has it."""
    return _around(_centres(feature_hw, stride), _sides(scales, aspect_ratios)).round()


def make_anchors__clips(feature_hw, stride, scales, aspect_ratios):
    """No anchor begins outside of the image."""
    return _around(_centres(feature_hw, stride), _sides(scales, aspect_ratios)).clamp(min=0)


def make_anchors__divides_the_stride_as_an_integer(feature_hw, stride, scales, aspect_ratios):
    """Half of 5 becomes 2."""
    centres = _centres(feature_hw, stride, offset=0) + stride // 2
    return _around(centres, _sides(scales, aspect_ratios))


def make_anchors__returns_centre_and_size(feature_hw, stride, scales, aspect_ratios):
    """(x, y, w, h) instead of corners."""
    boxes = _around(_centres(feature_hw, stride), _sides(scales, aspect_ratios))
    return torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], dim=1)


def make_anchors__fails_without_cells(feature_hw, stride, scales, aspect_ratios):
    """Loops and stacks: an empty list cannot be stacked."""
    centres = _centres(feature_hw, stride).reshape(-1, 2)
    sides = _sides(scales, aspect_ratios)
    return torch.cat([_around(centre, sides) for centre in centres])


def make_anchors__zips_scales_and_ratios(feature_hw, stride, scales, aspect_ratios):
    """One ratio for each scale, instead of all pairs."""
    pairs = list(zip(scales, aspect_ratios))  # noqa: B905
    sides = torch.tensor([[s / math.sqrt(r), s * math.sqrt(r)] for s, r in pairs])
    return _around(_centres(feature_hw, stride), sides)


def make_anchors__is_float64(feature_hw, stride, scales, aspect_ratios):
    """NumPy's default type."""
    return _around(_centres(feature_hw, stride), _sides(scales, aspect_ratios)).double()


# assign_anchors


def _assigned(anchors, gt_boxes, pos_iou, neg_iou, force):
    """The rule by thresholds, with `force(iou)` for the second rule: which anchors are forced."""
    labels = torch.zeros(len(anchors), dtype=torch.int64)
    iou = box_iou(anchors, gt_boxes)
    if iou.numel() == 0:
        return labels, labels.clone()
    best, matched = iou.max(dim=1)
    labels[best >= neg_iou] = -1
    labels[best >= pos_iou] = 1
    labels[force(iou)] = 1
    return labels, matched


def _best_of_a_truth(iou):
    highest = iou.amax(dim=0)
    return ((iou == highest) & (highest > 0)).any(dim=1)


def assign_anchors__forces_nothing(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """The thresholds alone, as for R-CNN's proposals."""

    def force(iou):
        return torch.zeros(len(iou), dtype=torch.bool)

    return _assigned(anchors, gt_boxes, pos_iou, neg_iou, force)


def assign_anchors__forces_the_first_only(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """Of several best anchors of a true box it takes the first."""

    def force(iou):
        return iou.argmax(dim=0)[iou.amax(dim=0) > 0]

    return _assigned(anchors, gt_boxes, pos_iou, neg_iou, force)


def assign_anchors__forces_without_overlap(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """A true box that nobody overlaps makes all anchors positive."""

    def force(iou):
        return (iou == iou.amax(dim=0)).any(dim=1)

    return _assigned(anchors, gt_boxes, pos_iou, neg_iou, force)


def assign_anchors__forces_the_first_without_overlap(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """A true box that nobody overlaps makes anchor 0 positive."""

    def force(iou):
        forced = _best_of_a_truth(iou)
        forced[iou.argmax(dim=0)] = True
        return forced

    return _assigned(anchors, gt_boxes, pos_iou, neg_iou, force)


def assign_anchors__forces_neutrals_only(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """The best anchor of a true box stays background if its IoU is low."""

    def force(iou):
        return _best_of_a_truth(iou) & (iou.amax(dim=1) >= neg_iou)

    return _assigned(anchors, gt_boxes, pos_iou, neg_iou, force)


def assign_anchors__forces_negatives_only(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """The best anchor of a true box stays neutral if its IoU lies between the thresholds."""

    def force(iou):
        return _best_of_a_truth(iou) & (iou.amax(dim=1) < neg_iou)

    return _assigned(anchors, gt_boxes, pos_iou, neg_iou, force)


def assign_anchors__forces_one_for_all(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """The best anchor of the image, not that of each true box."""
    return _assigned(anchors, gt_boxes, pos_iou, neg_iou, lambda iou: iou.argmax() // iou.shape[1])


def assign_anchors__matches_to_the_forcing_truth(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """A forced anchor goes to the true box that forced it."""
    labels, matched = _assigned(anchors, gt_boxes, pos_iou, neg_iou, _best_of_a_truth)
    iou = box_iou(anchors, gt_boxes)
    if iou.numel() == 0:
        return labels, matched
    highest = iou.amax(dim=0)
    for a, m in torch.nonzero((iou == highest) & (highest > 0)).tolist():
        matched[a] = m
    return labels, matched


def assign_anchors__numbers_positives(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """The label is the index of the true box, counted from 1."""
    labels, matched = _assigned(anchors, gt_boxes, pos_iou, neg_iou, _best_of_a_truth)
    return torch.where(labels == 1, matched + 1, labels), matched


def assign_anchors__confuses_neutral_and_negative(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """−1 for negative and 0 for neutral."""
    labels, matched = _assigned(anchors, gt_boxes, pos_iou, neg_iou, _best_of_a_truth)
    return torch.where(labels == 1, 1, -1 - labels), matched


def assign_anchors__excludes_pos_iou(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """Positive above the threshold only."""
    above = math.nextafter(pos_iou, 1)
    labels, matched = _assigned(anchors, gt_boxes, above, neg_iou, _best_of_a_truth)
    if len(gt_boxes) and len(anchors):
        best = box_iou(anchors, gt_boxes).amax(dim=1)
        labels[(best == pos_iou) & ~_best_of_a_truth(box_iou(anchors, gt_boxes))] = -1
    return labels, matched


def assign_anchors__includes_neg_iou(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """Negative at the threshold too."""
    labels, matched = _assigned(anchors, gt_boxes, pos_iou, neg_iou, _best_of_a_truth)
    if len(gt_boxes) and len(anchors):
        best = box_iou(anchors, gt_boxes).amax(dim=1)
        labels[(best == neg_iou) & (labels == -1)] = 0
    return labels, matched


def assign_anchors__matches_the_last(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """Of equal IoUs the highest index."""
    labels, matched = _assigned(anchors, gt_boxes.flip(0), pos_iou, neg_iou, _best_of_a_truth)
    return labels, (len(gt_boxes) - 1 - matched if len(gt_boxes) else matched)


def assign_anchors__fails_without_truth(anchors, gt_boxes, pos_iou=0.7, neg_iou=0.3):
    """A maximum over no columns."""
    best, matched = box_iou(anchors, gt_boxes).max(dim=1)
    labels = torch.where(best < neg_iou, 0, -1)
    labels[best >= pos_iou] = 1
    labels[_best_of_a_truth(box_iou(anchors, gt_boxes))] = 1
    return labels, matched


# sample_balanced


def _sampled(labels, positives, negatives, generator):
    """A mask with so many of both kinds."""
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label, count in [(1, positives), (0, negatives)]:
        members = torch.where(labels == label)[0]
        order = torch.randperm(len(members), generator=generator)
        mask[members[order[: max(count, 0)]]] = True
    return mask


def _shares(labels, num_samples, positive_fraction):
    positives = min(int(num_samples * positive_fraction), int((labels == 1).sum()))
    return positives, num_samples - positives


def sample_balanced__takes_the_first(labels, num_samples, positive_fraction, generator):
    """Nothing is random."""
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label, count in zip((1, 0), _shares(labels, num_samples, positive_fraction), strict=True):
        mask[torch.where(labels == label)[0][:count]] = True
    return mask


def sample_balanced__uses_the_global_dice(labels, num_samples, positive_fraction, generator):
    """Ignores the generator."""
    return _sampled(labels, *_shares(labels, num_samples, positive_fraction), None)


def sample_balanced__starts_the_generator_again(labels, num_samples, positive_fraction, generator):
    """Goes back to the seed: every sample of a training is the same."""
    again = torch.Generator().manual_seed(generator.initial_seed())
    return _sampled(labels, *_shares(labels, num_samples, positive_fraction), again)


def sample_balanced__draws_negatives_globally(labels, num_samples, positive_fraction, generator):
    """The generator for the positives, and the global one for the negatives."""
    positives, negatives = _shares(labels, num_samples, positive_fraction)
    mask = _sampled(labels, positives, 0, generator)
    return mask | _sampled(labels, 0, negatives, None)


def sample_balanced__keeps_the_first_positives(labels, num_samples, positive_fraction, generator):
    """Draws the negatives only."""
    positives, negatives = _shares(labels, num_samples, positive_fraction)
    mask = _sampled(labels, 0, negatives, generator)
    mask[torch.where(labels == 1)[0][:positives]] = True
    return mask


def sample_balanced__fixes_the_number_of_negatives(
    labels, num_samples, positive_fraction, generator
):
    """Negatives have their own share, and do not fill up for missing positives."""
    places = int(num_samples * positive_fraction)
    return _sampled(labels, places, num_samples - places, generator)


def sample_balanced__fills_up_with_positives(labels, num_samples, positive_fraction, generator):
    """Positives take the places of missing negatives."""
    positives, _ = _shares(labels, num_samples, positive_fraction)
    positives = max(positives, num_samples - int((labels == 0).sum()))
    return _sampled(labels, positives, num_samples - positives, generator)


def sample_balanced__rounds_the_share(labels, num_samples, positive_fraction, generator):
    """3.5 becomes 4."""
    places = math.floor(num_samples * positive_fraction + 0.5)
    positives = min(places, int((labels == 1).sum()))
    return _sampled(labels, positives, num_samples - positives, generator)


def sample_balanced__takes_a_share_of_the_positives(
    labels, num_samples, positive_fraction, generator
):
    """The fraction of all positives, instead of the sample."""
    positives = min(int(int((labels == 1).sum()) * positive_fraction), num_samples)
    return _sampled(labels, positives, num_samples - positives, generator)


def sample_balanced__takes_neutrals_for_negatives(
    labels, num_samples, positive_fraction, generator
):
    """Whatever is not positive."""
    labels = (labels == 1).long()
    return _sampled(labels, *_shares(labels, num_samples, positive_fraction), generator)


def sample_balanced__puts_back(labels, num_samples, positive_fraction, generator):
    """Draws with replacement: an anchor drawn twice leaves a place empty."""
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label, count in zip((1, 0), _shares(labels, num_samples, positive_fraction), strict=True):
        members = torch.where(labels == label)[0]
        if len(members) <= count:
            mask[members] = True
        elif count:
            mask[members[torch.randint(len(members), (count,), generator=generator)]] = True
    return mask


def sample_balanced__tosses_coins(labels, num_samples, positive_fraction, generator):
    """Each anchor by itself: the numbers are right on average only."""
    positives, negatives = _shares(labels, num_samples, positive_fraction)
    dice = torch.rand(len(labels), generator=generator)
    limit = torch.where(labels == 1, positives, negatives).double()
    limit = limit / torch.where(labels == 1, (labels == 1).sum(), (labels == 0).sum())
    return (labels >= 0) & (dice < limit)


def sample_balanced__prefers_low_numbers(labels, num_samples, positive_fraction, generator):
    """Starts at a random place and takes neighbours, without going round."""
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label, count in zip((1, 0), _shares(labels, num_samples, positive_fraction), strict=True):
        members = torch.where(labels == label)[0]
        most = max(len(members) - count, 0) + 1
        start = int(torch.randint(most, (1,), generator=generator))
        mask[members[start : start + count]] = True
    return mask


def sample_balanced__returns_indices(labels, num_samples, positive_fraction, generator):
    """The numbers of the anchors instead of a mask."""
    mask = _sampled(labels, *_shares(labels, num_samples, positive_fraction), generator)
    return torch.where(mask)[0]


def sample_balanced__needs_enough(labels, num_samples, positive_fraction, generator):
    """Asks `multinomial` for more than there is."""
    mask = torch.zeros(len(labels), dtype=torch.bool)
    positives, negatives = _shares(labels, num_samples, positive_fraction)
    for label, count in [(1, positives), (0, min(negatives, int((labels == 0).sum())))]:
        chances = (labels == label).double()
        mask[torch.multinomial(chances, count, generator=generator)] = True
    return mask


def sample_balanced__marks_labels(labels, num_samples, positive_fraction, generator):
    """Writes −1 into the labels of those that are not drawn, as some implementations do."""
    mask = _sampled(labels, *_shares(labels, num_samples, positive_fraction), generator)
    labels[~mask] = -1
    return mask


# RPNHead


class _Head(nn.Module):
    """A right one."""

    def __init__(self, in_channels, num_anchors):
        super().__init__()
        self.window = nn.Conv2d(in_channels, in_channels, 3, padding=1)
        self.objectness = nn.Conv2d(in_channels, num_anchors, 1)
        self.deltas = nn.Conv2d(in_channels, 4 * num_anchors, 1)

    def seen(self, features):
        return F.relu(self.window(features))

    def forward(self, features):
        seen = self.seen(features)
        return self.objectness(seen), self.deltas(seen)


class RPNHead__returns_probabilities(_Head):
    """A sigmoid at the end, and another one in the loss."""

    def forward(self, features):
        objectness, deltas = super().forward(features)
        return objectness.sigmoid(), deltas


class RPNHead__scores_both_kinds(_Head):
    """Two scores an anchor, as in the paper."""

    def __init__(self, in_channels, num_anchors):
        super().__init__(in_channels, num_anchors)
        self.objectness = nn.Conv2d(in_channels, 2 * num_anchors, 1)


class RPNHead__has_one_box_a_cell(_Head):
    """Four channels for all anchors of a cell."""

    def __init__(self, in_channels, num_anchors):
        super().__init__(in_channels, num_anchors)
        self.deltas = nn.Conv2d(in_channels, 4, 1)


class RPNHead__repeats_one_box(_Head):
    """The right shape, but the anchors of a cell have the same four numbers."""

    def __init__(self, in_channels, num_anchors):
        super().__init__(in_channels, num_anchors)
        self.deltas = nn.Conv2d(in_channels, 4, 1)
        self.num_anchors = num_anchors

    def forward(self, features):
        objectness, deltas = super().forward(features)
        return objectness, deltas.repeat(1, self.num_anchors, 1, 1)


class RPNHead__shrinks_the_map(_Head):
    """A window of 3 × 3 without padding."""

    def __init__(self, in_channels, num_anchors):
        super().__init__(in_channels, num_anchors)
        self.window = nn.Conv2d(in_channels, in_channels, 3)


class RPNHead__looks_at_one_cell(_Head):
    """1 × 1 convolutions only."""

    def __init__(self, in_channels, num_anchors):
        super().__init__(in_channels, num_anchors)
        self.window = nn.Conv2d(in_channels, in_channels, 1)


class RPNHead__looks_at_one_cell_for_boxes(_Head):
    """Objectness sees the window, the boxes see their cell only."""

    def forward(self, features):
        return self.objectness(self.seen(features)), self.deltas(features)


class RPNHead__looks_at_the_whole_map(_Head):
    """Adds the mean of all cells."""

    def seen(self, features):
        return super().seen(features + features.mean(dim=(2, 3), keepdim=True))


class RPNHead__looks_too_far(_Head):
    """A window of 9 × 9."""

    def __init__(self, in_channels, num_anchors):
        super().__init__(in_channels, num_anchors)
        self.window = nn.Conv2d(in_channels, in_channels, 9, padding=4)


class RPNHead__knows_the_place(_Head):
    """Adds the row's number, so that cells are not treated alike."""

    def forward(self, features):
        objectness, deltas = super().forward(features)
        return objectness + torch.arange(features.shape[2])[:, None] / 8, deltas


class RPNHead__flattens(_Head):
    """(B, H · W · K) and (B, H · W · K, 4)."""

    def forward(self, features):
        objectness, deltas = super().forward(features)
        deltas = deltas.unflatten(1, (-1, 4)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        return objectness.permute(0, 2, 3, 1).flatten(1), deltas


class RPNHead__has_positive_deltas(_Head):
    """A ReLU after the last layer: boxes can move right and down and grow."""

    def forward(self, features):
        objectness, deltas = super().forward(features)
        return objectness, deltas.relu()


class RPNHead__bounds_the_deltas(_Head):
    """A tanh: an anchor can move by its own size at most."""

    def forward(self, features):
        objectness, deltas = super().forward(features)
        return objectness, deltas.tanh()


class RPNHead__compares_anchors(_Head):
    """A softmax over the anchors of a cell, though several may be right."""

    def forward(self, features):
        objectness, deltas = super().forward(features)
        return objectness.log_softmax(dim=1), deltas


class RPNHead__detaches_the_boxes(_Head):
    """The box branch teaches the features nothing."""

    def forward(self, features):
        seen = self.seen(features)
        return self.objectness(seen), self.deltas(seen.detach())


class RPNHead__compares_images(_Head):
    """Subtracts the mean over the batch."""

    def forward(self, features):
        objectness, deltas = super().forward(features)
        return objectness - objectness.mean(dim=0) / 2, deltas


class RPNHead__is_new_in_every_call(_Head):
    """Makes the layer for boxes where it is used."""

    def forward(self, features):
        seen = self.seen(features)
        boxes = nn.Conv2d(seen.shape[1], self.deltas.out_channels, 1)
        return self.objectness(seen), boxes(seen)


# rpn_loss


def _losses(objectness, deltas, labels, target_deltas, mask, beta=1.0):
    """Both sums and the size of the sample."""
    moved = mask & (labels == 1)
    truth = labels[mask].to(objectness.dtype)
    first = F.binary_cross_entropy_with_logits(objectness[mask], truth, reduction="sum")
    second = F.smooth_l1_loss(deltas[moved], target_deltas[moved], reduction="sum", beta=beta)
    return first, second, max(1, int(mask.sum()))


def rpn_loss__adds_up(objectness, deltas, labels, target_deltas, mask):
    """Sums instead of means."""
    return _losses(objectness, deltas, labels, target_deltas, mask)[:2]


def rpn_loss__divides_by_all_anchors(objectness, deltas, labels, target_deltas, mask):
    """The size of the image instead of that of the sample."""
    first, second, _ = _losses(objectness, deltas, labels, target_deltas, mask)
    return first / max(1, len(labels)), second / max(1, len(labels))


def rpn_loss__divides_boxes_by_positives(objectness, deltas, labels, target_deltas, mask):
    """A single positive pulls as hard as a hundred."""
    first, second, size = _losses(objectness, deltas, labels, target_deltas, mask)
    return first / size, second / max(1, int((mask & (labels == 1)).sum()))


def rpn_loss__averages_the_four_numbers(objectness, deltas, labels, target_deltas, mask):
    """A mean over the numbers of a box."""
    first, second, size = _losses(objectness, deltas, labels, target_deltas, mask)
    return first / size, second / size / 4


def rpn_loss__ignores_the_sample(objectness, deltas, labels, target_deltas, mask):
    """All anchors that are not neutral."""
    first, second, size = _losses(objectness, deltas, labels, target_deltas, labels >= 0)
    return first / size, second / size


def rpn_loss__takes_all_positives_boxes(objectness, deltas, labels, target_deltas, mask):
    """Positives outside of the sample pay for their box."""
    first, _, size = _losses(objectness, deltas, labels, target_deltas, mask)
    moved = labels == 1
    box_loss = F.smooth_l1_loss(deltas[moved], target_deltas[moved], reduction="sum")
    return first / size, box_loss / size


def rpn_loss__moves_negatives(objectness, deltas, labels, target_deltas, mask):
    """All of the sample pays for boxes."""
    first, _, size = _losses(objectness, deltas, labels, target_deltas, mask)
    box_loss = F.smooth_l1_loss(deltas[mask], target_deltas[mask], reduction="sum")
    return first / size, box_loss / size


def rpn_loss__multiplies_by_the_mask(objectness, deltas, labels, target_deltas, mask):
    """NaN times 0 is NaN."""
    first, _, size = _losses(objectness, deltas, labels, target_deltas, mask)
    box_loss = F.smooth_l1_loss(deltas, target_deltas, reduction="none").sum(dim=1)
    return first / size, (box_loss * (mask & (labels == 1))).sum() / size


def rpn_loss__masks_the_loss_alone(objectness, deltas, labels, target_deltas, mask):
    """The loss is right, the gradient is NaN."""
    first, _, size = _losses(objectness, deltas, labels, target_deltas, mask)
    box_loss = F.smooth_l1_loss(deltas, target_deltas, reduction="none").sum(dim=1)
    box_loss = torch.where(mask & (labels == 1), box_loss, 0.0)
    return first / size, box_loss.sum() / size


def rpn_loss__is_nan_without_a_sample(objectness, deltas, labels, target_deltas, mask):
    """A mean over nothing."""
    first, second, _ = _losses(objectness, deltas, labels, target_deltas, mask)
    return first / mask.sum(), second / mask.sum()


def rpn_loss__is_a_constant_without_a_sample(objectness, deltas, labels, target_deltas, mask):
    """A zero that backward() knows nothing of."""
    first, second, size = _losses(objectness, deltas, labels, target_deltas, mask)
    if not mask.any():
        return torch.tensor(0.0), torch.tensor(0.0)
    return first / size, second / size


def rpn_loss__is_a_constant_without_positives(objectness, deltas, labels, target_deltas, mask):
    """A zero that backward() knows nothing of, where the sample has negatives only."""
    first, second, size = _losses(objectness, deltas, labels, target_deltas, mask)
    if not (mask & (labels == 1)).any():
        return first / size, torch.tensor(0.0)
    return first / size, second / size


def rpn_loss__takes_logs_of_probabilities(objectness, deltas, labels, target_deltas, mask):
    """The logarithm of a sigmoid that has become 0."""
    _, second, size = _losses(objectness, deltas, labels, target_deltas, mask)
    p = objectness[mask].sigmoid()
    first = -torch.where(labels[mask] == 1, p.log(), (1 - p).log()).sum()
    return first / size, second / size


def rpn_loss__cuts_off_the_cross_entropy(objectness, deltas, labels, target_deltas, mask):
    """`F.binary_cross_entropy` of probabilities never exceeds 100."""
    _, second, size = _losses(objectness, deltas, labels, target_deltas, mask)
    truth = labels[mask].to(objectness.dtype)
    first = F.binary_cross_entropy(objectness[mask].sigmoid(), truth, reduction="sum")
    return first / size, second / size


def rpn_loss__squares_without_end(objectness, deltas, labels, target_deltas, mask):
    """Half of the square at any size."""
    first, _, size = _losses(objectness, deltas, labels, target_deltas, mask)
    moved = mask & (labels == 1)
    return first / size, (deltas[moved] - target_deltas[moved]).square().sum() / 2 / size


def rpn_loss__has_another_beta(objectness, deltas, labels, target_deltas, mask):
    """β = 1/9, as torchvision's region proposal network has it."""
    first, second, size = _losses(objectness, deltas, labels, target_deltas, mask, beta=1 / 9)
    return first / size, second / size


def rpn_loss__swaps_the_labels(objectness, deltas, labels, target_deltas, mask):
    """The probability of background."""
    first, second, size = _losses(-objectness, deltas, labels, target_deltas, mask)
    return first / size, second / size


def rpn_loss__is_detached(objectness, deltas, labels, target_deltas, mask):
    """The right numbers, from which nothing can be learned."""
    first, second, size = _losses(objectness, deltas, labels, target_deltas, mask)
    return (first / size).detach(), (second / size).detach()


# propose


_LIMIT = math.log(1000 / 16)


def _decoded(deltas, anchors, limit=_LIMIT):
    sides = anchors[:, 2:] - anchors[:, :2]
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2 + deltas[:, :2] * sides
    half = deltas[:, 2:].clamp(max=limit).exp() * sides / 2
    return torch.cat([centres - half, centres + half], dim=1)


def _solid(boxes):
    return ((boxes[:, 2:] - boxes[:, :2]) > 0).all(dim=1)


def _list(logits, boxes, image_hw, pre, post, threshold):
    """Steps 1, 3, 4 and 5 for decoded boxes."""
    top = logits.argsort(descending=True)[:pre]
    logits, boxes = logits[top], clip_boxes_to_image(boxes[top], image_hw)
    solid = _solid(boxes)
    logits, boxes = logits[solid], boxes[solid]
    kept = nms(boxes, logits, threshold)[:post]
    return boxes[kept], logits[kept].sigmoid()


def propose__does_not_clip(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Boxes may leave the image."""
    huge = (1e9, 1e9)
    boxes = _decoded(deltas, anchors) + 1e3
    boxes, scores = _list(objectness, boxes, huge, pre_nms_top_n, post_nms_top_n, nms_threshold)
    return boxes - 1e3, scores


def propose__clips_x_to_the_height(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Takes image_hw for (width, height)."""
    boxes = _decoded(deltas, anchors)
    image_wh = image_hw[::-1]
    return _list(objectness, boxes, image_wh, pre_nms_top_n, post_nms_top_n, nms_threshold)


def propose__clips_the_anchors(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Clips before it decodes, and again after it."""
    boxes = _decoded(deltas, clip_boxes_to_image(anchors, image_hw))
    return _list(objectness, boxes, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold)


def propose__clips_after_nms(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Compares what lies outside of the image."""
    top = objectness.argsort(descending=True)[:pre_nms_top_n]
    boxes, logits = _decoded(deltas, anchors)[top], objectness[top]
    solid = _solid(clip_boxes_to_image(boxes, image_hw))
    boxes, logits = boxes[solid], logits[solid]
    kept = nms(boxes, logits, nms_threshold)[:post_nms_top_n]
    return clip_boxes_to_image(boxes[kept], image_hw), logits[kept].sigmoid()


def propose__keeps_empty_boxes(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Boxes without area stay."""
    top = objectness.argsort(descending=True)[:pre_nms_top_n]
    boxes = clip_boxes_to_image(_decoded(deltas, anchors)[top], image_hw)
    kept = nms(boxes, objectness[top], nms_threshold)[:post_nms_top_n]
    return boxes[kept], objectness[top][kept].sigmoid()


def propose__drops_points_only(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Drops a box if it has neither width nor height."""
    top = objectness.argsort(descending=True)[:pre_nms_top_n]
    boxes, logits = clip_boxes_to_image(_decoded(deltas, anchors)[top], image_hw), objectness[top]
    solid = (boxes[:, 2:] > boxes[:, :2]).any(dim=1)
    boxes, logits = boxes[solid], logits[solid]
    kept = nms(boxes, logits, nms_threshold)[:post_nms_top_n]
    return boxes[kept], logits[kept].sigmoid()


def propose__drops_small_boxes(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Drops what is smaller than a pixel."""
    top = objectness.argsort(descending=True)[:pre_nms_top_n]
    boxes, logits = clip_boxes_to_image(_decoded(deltas, anchors)[top], image_hw), objectness[top]
    large = ((boxes[:, 2:] - boxes[:, :2]) >= 0.999).all(dim=1)
    boxes, logits = boxes[large], logits[large]
    kept = nms(boxes, logits, nms_threshold)[:post_nms_top_n]
    return boxes[kept], logits[kept].sigmoid()


def propose__drops_empty_boxes_first(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Boxes without area do not take part in the first choice."""
    boxes = clip_boxes_to_image(_decoded(deltas, anchors), image_hw)
    solid = _solid(boxes)
    boxes, logits = boxes[solid], objectness[solid]
    return _list(logits, boxes, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold)


def propose__drops_empty_boxes_last(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Boxes without area take places of the second choice."""
    top = objectness.argsort(descending=True)[:pre_nms_top_n]
    boxes, logits = clip_boxes_to_image(_decoded(deltas, anchors)[top], image_hw), objectness[top]
    kept = nms(boxes, logits, nms_threshold)[:post_nms_top_n]
    kept = kept[_solid(boxes[kept])]
    return boxes[kept], logits[kept].sigmoid()


def propose__suppresses_nothing(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Duplicates stay."""
    boxes = _decoded(deltas, anchors)
    return _list(objectness, boxes, image_hw, pre_nms_top_n, post_nms_top_n, 1.0)


def propose__suppresses_at_the_threshold(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Drops at IoU equal to the threshold too."""
    boxes, below = _decoded(deltas, anchors), math.nextafter(nms_threshold, 0)
    return _list(objectness, boxes, image_hw, pre_nms_top_n, post_nms_top_n, below)


def propose__ignores_the_first_choice(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """All anchors go into NMS."""
    boxes = _decoded(deltas, anchors)
    return _list(objectness, boxes, image_hw, len(boxes), post_nms_top_n, nms_threshold)


def propose__cuts_before_nms(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Both choices before NMS: the list is short when the duplicates are gone."""
    boxes, count = _decoded(deltas, anchors), min(pre_nms_top_n, post_nms_top_n)
    return _list(objectness, boxes, image_hw, count, post_nms_top_n, nms_threshold)


def propose__returns_logits(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """No sigmoid."""
    boxes = _decoded(deltas, anchors)
    arguments = image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
    boxes, scores = _list(objectness, boxes, *arguments)
    return boxes, scores.logit()


def propose__keeps_the_order_of_anchors(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """The right boxes, not sorted."""
    top = objectness.argsort(descending=True)[:pre_nms_top_n]
    boxes, logits = clip_boxes_to_image(_decoded(deltas, anchors)[top], image_hw), objectness[top]
    solid = _solid(boxes)
    boxes, logits, top = boxes[solid], logits[solid], top[solid]
    kept = nms(boxes, logits, nms_threshold)[:post_nms_top_n]
    kept = kept[top[kept].argsort()]
    return boxes[kept], logits[kept].sigmoid()


def propose__mixes_up_the_scores(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Forgets to drop the scores of empty boxes."""
    top = objectness.argsort(descending=True)[:pre_nms_top_n]
    boxes, logits = clip_boxes_to_image(_decoded(deltas, anchors)[top], image_hw), objectness[top]
    solid = _solid(boxes)
    kept = nms(boxes[solid], logits[solid], nms_threshold)[:post_nms_top_n]
    return boxes[solid][kept], logits[kept].sigmoid()


def propose__drops_improbable_boxes(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Wants a probability above one half."""
    likely = objectness >= 0
    boxes = _decoded(deltas, anchors)[likely]
    arguments = image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
    return _list(objectness[likely], boxes, *arguments)


def propose__does_not_limit_growth(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """The exponential of whatever the head says."""
    boxes = _decoded(deltas, anchors, limit=80.0)
    return _list(objectness, boxes, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold)


def propose__limits_shrinking(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """A limit from below that nobody asked for."""
    deltas = torch.cat([deltas[:, :2], deltas[:, 2:].clamp(min=-2)], dim=1)
    boxes = _decoded(deltas, anchors)
    return _list(objectness, boxes, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold)


def propose__shifts_in_pixels(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """dx and dy in pixels."""
    sides = anchors[:, 2:] - anchors[:, :2]
    boxes = _decoded(torch.cat([deltas[:, :2] / sides, deltas[:, 2:]], dim=1), anchors)
    return _list(objectness, boxes, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold)


def propose__has_height_before_width(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """(dx, dy, dh, dw), as the lecture lists them."""
    boxes = _decoded(deltas[:, [0, 1, 3, 2]], anchors)
    return _list(objectness, boxes, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold)


def propose__fails_without_anchors(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Looks at the best score to see whether there is one."""
    if objectness.max() < -50:
        return anchors[:0], objectness[:0]
    boxes = _decoded(deltas, anchors)
    return _list(objectness, boxes, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold)


def propose__needs_as_many_as_it_asks_for(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """`topk` fails where there are fewer."""
    top = objectness.topk(pre_nms_top_n).indices
    boxes = _decoded(deltas, anchors)[top]
    arguments = image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
    return _list(objectness[top], boxes, *arguments)


def propose__clamps_in_place(
    objectness, deltas, anchors, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold
):
    """Overwrites the head's output with what it makes of it."""
    deltas[:, 2:] = deltas[:, 2:].clamp(max=math.log(1000 / 16)).exp()
    boxes = _decoded(torch.cat([deltas[:, :2], deltas[:, 2:].log()], dim=1), anchors)
    return _list(objectness, boxes, image_hw, pre_nms_top_n, post_nms_top_n, nms_threshold)
