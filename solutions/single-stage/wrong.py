"""Wrong answers to the sheet `single-stage`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""
# ruff: noqa: N801 (a class of answers is named like a function of answers)

import math

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import clip_boxes_to_image, nms

# output_channels


def output_channels__forgets_the_background(num_classes, num_anchors, class_specific):
    """As many scores as there are classes."""
    return num_classes * num_anchors, 4 * num_anchors * (num_classes if class_specific else 1)


def output_channels__has_one_background_for_a_cell(num_classes, num_anchors, class_specific):
    """All anchors of a cell share the score of the background."""
    boxes = 4 * num_anchors * (num_classes if class_specific else 1)
    return num_classes * num_anchors + 1, boxes


def output_channels__forgets_the_anchors(num_classes, num_anchors, class_specific):
    """The numbers of a single anchor."""
    return num_classes + 1, 4 * (num_classes if class_specific else 1)


def output_channels__has_a_box_for_the_background(num_classes, num_anchors, class_specific):
    """Class-specific over all columns, as torchvision's second stage has it."""
    boxes = 4 * num_anchors * (num_classes + 1 if class_specific else 1)
    return (num_classes + 1) * num_anchors, boxes


def output_channels__exchanges_the_two_kinds(num_classes, num_anchors, class_specific):
    """A box for each class where one is asked for, and the other way round."""
    boxes = 4 * num_anchors * (1 if class_specific else num_classes)
    return (num_classes + 1) * num_anchors, boxes


def output_channels__is_always_class_agnostic(num_classes, num_anchors, class_specific):
    """Never looks at the third argument."""
    return (num_classes + 1) * num_anchors, 4 * num_anchors


def output_channels__puts_boxes_first(num_classes, num_anchors, class_specific):
    """The right numbers in the wrong order."""
    boxes = 4 * num_anchors * (num_classes if class_specific else 1)
    return boxes, (num_classes + 1) * num_anchors


def output_channels__adds_both(num_classes, num_anchors, class_specific):
    """One number for all channels."""
    return num_anchors * (num_classes + 1 + 4 * (num_classes if class_specific else 1))


# SingleStageHead


class _Head(nn.Module):
    """A right head, whose `in_order` its children get wrong."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__()
        self.num_anchors, self.columns = num_anchors, num_classes + 1
        self.scores = nn.Conv2d(in_channels, num_anchors * self.columns, 3, padding=1)
        self.boxes = nn.Conv2d(in_channels, num_anchors * 4, 3, padding=1)

    def forward(self, features):
        return self.in_order(self.scores(features)), self.in_order(self.boxes(features))

    def in_order(self, channels):
        """(B, K · n, H, W) → (B, H · W · K, n)."""
        return channels.permute(0, 2, 3, 1).unflatten(3, (self.num_anchors, -1)).flatten(1, 3)


class SingleStageHead__reshapes_without_permuting(_Head):
    """The right shape, but every row is a piece of some channel."""

    def in_order(self, channels):
        return channels.reshape(len(channels), -1, channels.shape[1] // self.num_anchors)


class SingleStageHead__puts_anchors_first(_Head):
    """The order anchor, row, column."""

    def in_order(self, channels):
        apart = channels.unflatten(1, (self.num_anchors, -1))  # [B, K, n, H, W]
        return apart.permute(0, 1, 3, 4, 2).flatten(1, 3)


class SingleStageHead__goes_down_the_columns(_Head):
    """The order column, row, anchor."""

    def in_order(self, channels):
        return super().in_order(channels.transpose(2, 3))


class SingleStageHead__puts_anchors_between_row_and_column(_Head):
    """The order row, anchor, column."""

    def in_order(self, channels):
        apart = channels.unflatten(1, (self.num_anchors, -1))  # [B, K, n, H, W]
        return apart.permute(0, 3, 1, 4, 2).flatten(1, 3)


class SingleStageHead__orders_scores_alone(_Head):
    """Brings the scores into order and forgets the corrections."""

    def forward(self, features):
        deltas = self.boxes(features)
        return super().forward(features)[0], deltas.reshape(len(deltas), -1, 4)


class SingleStageHead__leaves_a_map(_Head):
    """Channels over a map, as the convolution gives them."""

    def in_order(self, channels):
        return channels


class SingleStageHead__forgets_the_background(_Head):
    """As many scores as there are classes."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__(in_channels, num_anchors, num_classes - 1)


class SingleStageHead__shrinks_the_map(_Head):
    """No padding: the cells at the border have no anchors."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__(in_channels, num_anchors, num_classes)
        self.scores.padding = self.boxes.padding = (0, 0)


class SingleStageHead__repeats_one_anchor(_Head):
    """One answer for a cell, given to all of its anchors."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__(in_channels, 1, num_classes)
        self.repeats = num_anchors

    def in_order(self, channels):
        return super().in_order(channels).repeat_interleave(self.repeats, dim=1)


class SingleStageHead__takes_the_softmax(_Head):
    """Probabilities, of which the loss would take the softmax again."""

    def forward(self, features):
        logits, deltas = super().forward(features)
        return logits.softmax(dim=2), deltas


class SingleStageHead__takes_the_logarithm_of_the_softmax(_Head):
    """What a softmax leaves unchanged, and yet no scores of any sign."""

    def forward(self, features):
        logits, deltas = super().forward(features)
        return logits.log_softmax(dim=2), deltas


class SingleStageHead__bounds_the_deltas(_Head):
    """A tanh: an anchor can grow less than three times."""

    def forward(self, features):
        logits, deltas = super().forward(features)
        return logits, deltas.tanh()


class SingleStageHead__has_positive_deltas(_Head):
    """A ReLU after the last layer: boxes move right and down and grow, only."""

    def forward(self, features):
        logits, deltas = super().forward(features)
        return logits, deltas.relu()


class SingleStageHead__sees_the_whole_image(_Head):
    """Adds the mean over the map to every cell."""

    def forward(self, features):
        return super().forward(features + features.mean(dim=(2, 3), keepdim=True))


class SingleStageHead__knows_the_place(_Head):
    """Adds the number of the row to the features, so that the sky is answered in its own way."""

    def forward(self, features):
        rows = torch.arange(features.shape[2], dtype=features.dtype)
        return super().forward(features + rows[:, None])


class SingleStageHead__mixes_images(_Head):
    """Takes the mean image of the batch away, in evaluation mode too."""

    def forward(self, features):
        return super().forward(features - features.mean(dim=0))


class SingleStageHead__detaches_the_boxes(_Head):
    """The box branch teaches the backbone nothing."""

    def forward(self, features):
        return self.in_order(self.scores(features)), self.in_order(self.boxes(features.detach()))


class SingleStageHead__is_new_in_every_call(_Head):
    """Makes a layer where it is used."""

    def forward(self, features):
        first = nn.Conv2d(features.shape[1], features.shape[1], 3, padding=1)
        return super().forward(first(features))


class SingleStageHead__hides_a_layer_in_a_list(_Head):
    """A plain list, in which no optimiser and no `state_dict` finds the layer."""

    def __init__(self, in_channels, num_anchors, num_classes):
        super().__init__(in_channels, num_anchors, num_classes)
        self.layers = [nn.Conv2d(in_channels, in_channels, 3, padding=1)]

    def forward(self, features):
        return super().forward(self.layers[0](features))


class SingleStageHead__changes_the_features(_Head):
    """A ReLU in place, on the backbone's own features."""

    def forward(self, features):
        with torch.no_grad():
            features.relu_()
        return super().forward(features)


# focal_loss


def _p_t(logits, targets):
    """The probability of the right answer, and its logarithm."""
    right = torch.where(targets == 1, logits, -logits)
    return torch.sigmoid(right), F.logsigmoid(right)


def _alpha_t(targets, alpha):
    return torch.where(targets == 1, alpha, 1 - alpha)


def focal_loss__is_cross_entropy(logits, targets, alpha=0.25, gamma=2.0):
    """Without the factor that gives it its name."""
    _, log_p = _p_t(logits, targets)
    return -(_alpha_t(targets, alpha) * log_p).sum()


def focal_loss__turns_hard_ones_down(logits, targets, alpha=0.25, gamma=2.0):
    """p_t instead of 1 - p_t."""
    p, log_p = _p_t(logits, targets)
    return -(_alpha_t(targets, alpha) * p**gamma * log_p).sum()


def focal_loss__forgets_alpha(logits, targets, alpha=0.25, gamma=2.0):
    """A yes counts as much as a no."""
    p, log_p = _p_t(logits, targets)
    return -((1 - p) ** gamma * log_p).sum()


def focal_loss__uses_alpha_for_both(logits, targets, alpha=0.25, gamma=2.0):
    """Multiplies everything by alpha."""
    p, log_p = _p_t(logits, targets)
    return -(alpha * (1 - p) ** gamma * log_p).sum()


def focal_loss__weights_a_yes_alone(logits, targets, alpha=0.25, gamma=2.0):
    """Alpha for a yes, 1 for a no."""
    p, log_p = _p_t(logits, targets)
    return -(torch.where(targets == 1, alpha, 1.0) * (1 - p) ** gamma * log_p).sum()


def focal_loss__exchanges_the_alphas(logits, targets, alpha=0.25, gamma=2.0):
    """1 - alpha for a yes: it is rare, so should it not count more?"""
    p, log_p = _p_t(logits, targets)
    return -(_alpha_t(targets, 1 - alpha) * (1 - p) ** gamma * log_p).sum()


def focal_loss__forgets_the_no(logits, targets, alpha=0.25, gamma=2.0):
    """Sums over the answers that are yes, as a cross-entropy with one label does."""
    p, log_p = _p_t(logits, targets)
    return -(targets * alpha * (1 - p) ** gamma * log_p).sum()


def focal_loss__uses_p_for_p_t(logits, targets, alpha=0.25, gamma=2.0):
    """The factor 1 - p in both cases, right for a yes only."""
    _, log_p = _p_t(logits, targets)
    return -(_alpha_t(targets, alpha) * (1 - logits.sigmoid()) ** gamma * log_p).sum()


def focal_loss__takes_the_mean(logits, targets, alpha=0.25, gamma=2.0):
    """Averages; nothing has no average."""
    p, log_p = _p_t(logits, targets)
    return -(_alpha_t(targets, alpha) * (1 - p) ** gamma * log_p).mean()


def focal_loss__sums_over_classes_only(logits, targets, alpha=0.25, gamma=2.0):
    """One number for each anchor."""
    p, log_p = _p_t(logits, targets)
    return -(_alpha_t(targets, alpha) * (1 - p) ** gamma * log_p).sum(dim=-1)


def focal_loss__divides_by_the_positives(logits, targets, alpha=0.25, gamma=2.0):
    """What RetinaNet does afterwards."""
    p, log_p = _p_t(logits, targets)
    loss = -(_alpha_t(targets, alpha) * (1 - p) ** gamma * log_p).sum()
    return loss / targets.sum().clamp(min=1)


def focal_loss__forgets_the_sign(logits, targets, alpha=0.25, gamma=2.0):
    """A sum of logarithms, which are negative."""
    p, log_p = _p_t(logits, targets)
    return (_alpha_t(targets, alpha) * (1 - p) ** gamma * log_p).sum()


def focal_loss__takes_a_softmax(logits, targets, alpha=0.25, gamma=2.0):
    """Lets the classes compete: a no for all of them is impossible."""
    p = logits.softmax(dim=-1)
    p = torch.where(targets == 1, p, 1 - p).clamp(min=1e-30)
    return -(_alpha_t(targets, alpha) * (1 - p) ** gamma * p.log()).sum()


def focal_loss__takes_logits_for_probabilities(logits, targets, alpha=0.25, gamma=2.0):
    """No sigmoid."""
    p = torch.where(targets == 1, logits, 1 - logits)
    return -(_alpha_t(targets, alpha) * (1 - p) ** gamma * p.clamp(min=1e-8).log()).sum()


def focal_loss__overflows(logits, targets, alpha=0.25, gamma=2.0):
    """The logarithm of a probability that float32 rounds to 0."""
    p = torch.where(targets == 1, logits.sigmoid(), 1 - logits.sigmoid())
    return -(_alpha_t(targets, alpha) * (1 - p) ** gamma * p.log()).sum()


def focal_loss__adds_a_small_number(logits, targets, alpha=0.25, gamma=2.0):
    """Finite, but a sure mistake costs 18 at most."""
    p = torch.where(targets == 1, logits.sigmoid(), 1 - logits.sigmoid())
    return -(_alpha_t(targets, alpha) * (1 - p) ** gamma * (p + 1e-8).log()).sum()


def focal_loss__clamps_the_logarithm(logits, targets, alpha=0.25, gamma=2.0):
    """Cross-entropy of probabilities, which torch cuts off at 100."""
    p = logits.sigmoid()
    loss = F.binary_cross_entropy(p, targets, reduction="none")
    return (_alpha_t(targets, alpha) * torch.where(targets == 1, 1 - p, p) ** gamma * loss).sum()


def focal_loss__holds_the_factor_constant(logits, targets, alpha=0.25, gamma=2.0):
    """The right value, but no gradient through (1 - p_t) to the power of gamma."""
    p, log_p = _p_t(logits, targets)
    return -(_alpha_t(targets, alpha) * (1 - p).detach() ** gamma * log_p).sum()


def focal_loss__always_squares(logits, targets, alpha=0.25, gamma=2.0):
    """Never looks at gamma."""
    p, log_p = _p_t(logits, targets)
    return -(_alpha_t(targets, alpha) * (1 - p) ** 2 * log_p).sum()


def focal_loss__returns_a_number(logits, targets, alpha=0.25, gamma=2.0):
    """A Python number, from which no gradient comes back."""
    p, log_p = _p_t(logits, targets)
    return -(_alpha_t(targets, alpha) * (1 - p) ** gamma * log_p).sum().item()


def focal_loss__skips_the_first_column(logits, targets, alpha=0.25, gamma=2.0):
    """Takes column 0 for the background."""
    if logits.shape[-1] > 1:
        logits, targets = logits[..., 1:], targets[..., 1:]
    p, log_p = _p_t(logits, targets)
    return -(_alpha_t(targets, alpha) * (1 - p) ** gamma * log_p).sum()


# hard_negative_mask


def _as_mask(indices, labels):
    mask = torch.zeros(len(labels), dtype=torch.bool)
    mask[indices] = True
    return mask


def _hardest(loss, candidates, count):
    """The indices of so many candidates with the largest loss."""
    order = torch.argsort(loss[candidates], descending=True, stable=True)
    return candidates[order[:count]]


def hard_negative_mask__takes_the_easiest(loss, labels, ratio=3):
    """Sorts the wrong way round."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    return _as_mask(_hardest(-loss, negatives, ratio * int((labels > 0).sum())), labels)


def hard_negative_mask__takes_the_first(loss, labels, ratio=3):
    """Never looks at the losses."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    return _as_mask(negatives[: ratio * int((labels > 0).sum())], labels)


def hard_negative_mask__ranks_positives_too(loss, labels, ratio=3):
    """The largest losses of all anchors that are not neutral."""
    candidates = torch.nonzero(labels >= 0)[:, 0]
    return _as_mask(_hardest(loss, candidates, ratio * int((labels > 0).sum())), labels)


def hard_negative_mask__adds_the_positives(loss, labels, ratio=3):
    """Everything that takes part in the loss, not the negatives alone."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    chosen = _as_mask(_hardest(loss, negatives, ratio * int((labels > 0).sum())), labels)
    return chosen | (labels > 0)


def hard_negative_mask__takes_neutrals_for_negatives(loss, labels, ratio=3):
    """Everything that is not positive is negative."""
    candidates = torch.nonzero(labels <= 0)[:, 0]
    return _as_mask(_hardest(loss, candidates, ratio * int((labels > 0).sum())), labels)


def hard_negative_mask__takes_neutrals_for_positives(loss, labels, ratio=3):
    """Everything that is not background counts as a positive."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    return _as_mask(_hardest(loss, negatives, ratio * int((labels != 0).sum())), labels)


def hard_negative_mask__adds_labels_up(loss, labels, ratio=3):
    """A thing of class 4 counts four times."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    return _as_mask(_hardest(loss, negatives, ratio * int(labels.clamp(min=0).sum())), labels)


def hard_negative_mask__knows_one_class(loss, labels, ratio=3):
    """Counts the anchors with the label 1."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    return _as_mask(_hardest(loss, negatives, ratio * int((labels == 1).sum())), labels)


def hard_negative_mask__keeps_one_without_positives(loss, labels, ratio=3):
    """Counts at least one positive, so that there is something to learn."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    return _as_mask(_hardest(loss, negatives, ratio * max(1, int((labels > 0).sum()))), labels)


def hard_negative_mask__puts_zero_in_their_place(loss, labels, ratio=3):
    """Multiplies the losses of the others by 0, and takes them where negatives run out."""
    masked = loss * (labels == 0)
    return _as_mask(
        _hardest(masked, torch.arange(len(labels)), ratio * int((labels > 0).sum())), labels
    )


def hard_negative_mask__fills_up_with_others(loss, labels, ratio=3):
    """Minus infinity for the others, which are taken where negatives run out, as in torchvision."""
    masked = torch.where(labels == 0, loss, -torch.inf)
    return _as_mask(
        _hardest(masked, torch.arange(len(labels)), ratio * int((labels > 0).sum())), labels
    )


def hard_negative_mask__compares_with_the_smallest_taken(loss, labels, ratio=3):
    """Takes all that reach the last loss: too many where losses are equal."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    chosen = _hardest(loss, negatives, ratio * int((labels > 0).sum()))
    if len(chosen) == 0:
        return _as_mask(chosen, labels)
    return (labels == 0) & (loss >= loss[chosen].min())


def hard_negative_mask__breaks_ties_backwards(loss, labels, ratio=3):
    """Sorts upwards and takes the end: of equal losses the last."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    order = torch.argsort(loss[negatives], stable=True).flip(0)
    return _as_mask(negatives[order[: ratio * int((labels > 0).sum())]], labels)


def hard_negative_mask__uses_topk(loss, labels, ratio=3):
    """torch.topk, which takes equal losses in any order."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    count = min(ratio * int((labels > 0).sum()), len(negatives))
    return _as_mask(negatives[loss[negatives].topk(count).indices], labels)


def hard_negative_mask__forgets_the_ratio(loss, labels, ratio=3):
    """Three for each positive, always."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    return _as_mask(_hardest(loss, negatives, 3 * int((labels > 0).sum())), labels)


def hard_negative_mask__counts_positives_in_the_ratio(loss, labels, ratio=3):
    """So many anchors for each positive, the positive included."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    count = max(0, ratio - 1) * int((labels > 0).sum())
    return _as_mask(_hardest(loss, negatives, count), labels)


def hard_negative_mask__returns_indices(loss, labels, ratio=3):
    """The numbers of the negatives."""
    negatives = torch.nonzero(labels == 0)[:, 0]
    return _hardest(loss, negatives, ratio * int((labels > 0).sum()))


def hard_negative_mask__numbers_the_negatives(loss, labels, ratio=3):
    """Positions among the negatives, taken for positions among all anchors."""
    order = torch.argsort(loss[labels == 0], descending=True, stable=True)
    return _as_mask(order[: ratio * int((labels > 0).sum())], labels)


def hard_negative_mask__spoils_the_losses(loss, labels, ratio=3):
    """Overwrites what it was given."""
    with torch.no_grad():
        loss[labels != 0] = -torch.inf
    negatives = torch.nonzero(labels == 0)[:, 0]
    return _as_mask(_hardest(loss, negatives, ratio * int((labels > 0).sum())), labels)


# detect


_LIMIT = math.log(1000 / 16)


def _decode(anchors, deltas, limit=_LIMIT, shift_limit=math.inf):
    sides = anchors[:, 2:] - anchors[:, :2]
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2 + deltas[:, :2].clamp(max=shift_limit) * sides
    sides = sides * deltas[:, 2:].clamp(max=limit).exp()
    return torch.cat([centres - sides / 2, centres + sides / 2], dim=1)


def _with_area(boxes):
    return (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])


def _candidates(probabilities, boxes, score_threshold):
    """Every box, score and label above the threshold; column 0 of the probabilities is left out."""
    index, label = torch.nonzero(probabilities[:, 1:] >= score_threshold).unbind(dim=1)
    return boxes[index], probabilities[index, label + 1], label + 1


def _suppressed(boxes, scores, labels, nms_threshold):
    """What NMS leaves, class by class, best first over all classes."""
    keep = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = torch.nonzero(labels == label)[:, 0]
        keep[members[nms(boxes[members], scores[members], nms_threshold)]] = True
    return _best(boxes[keep], scores[keep], labels[keep])


def _best(boxes, scores, labels, top_k=None):
    order = scores.argsort(descending=True)[:top_k]
    return boxes[order], scores[order], labels[order]


def _finish(probabilities, boxes, image_hw, score_threshold, nms_threshold, top_k):
    """Everything after the softmax and the decoding, as it should be."""
    boxes = clip_boxes_to_image(boxes, image_hw)
    solid = _with_area(boxes)
    found = _candidates(probabilities[solid], boxes[solid], score_threshold)
    return _best(*_suppressed(*found, nms_threshold), top_k)


def detect__forgets_the_softmax(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Takes the logits for scores."""
    boxes = _decode(anchors, deltas)
    return _finish(class_logits, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__takes_a_sigmoid(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """As RetinaNet does, whose head has no background."""
    boxes, chances = _decode(anchors, deltas), class_logits.sigmoid()
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__drops_the_background_too_early(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """A softmax over the classes alone: something is everywhere."""
    chances = torch.cat([class_logits[:, :1], class_logits[:, 1:].softmax(dim=1)], dim=1)
    boxes = _decode(anchors, deltas)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__compares_anchors(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """The softmax over the wrong axis."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=0)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__reports_the_background(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Column 0 is a class like the others."""
    chances = class_logits.softmax(dim=1)
    chances = torch.cat([chances[:, :1], chances], dim=1)
    found = _finish(
        chances, _decode(anchors, deltas), image_hw, score_threshold, nms_threshold, top_k
    )
    return found[0], found[1], found[2] - 1


def detect__counts_labels_from_zero(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """The label is the column after the background was cut off."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    boxes, scores, labels = _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)
    return boxes, scores, labels - 1


def detect__takes_the_best_class_only(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """One detection for an anchor: the best of its classes, background aside."""
    chances = class_logits.softmax(dim=1)
    best = F.one_hot(chances[:, 1:].argmax(dim=1) + 1, chances.shape[1])
    boxes, chances = _decode(anchors, deltas), torch.where(best == 1, chances, -1)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__lets_the_background_win(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """No detection where background is the most probable of all columns."""
    chances = class_logits.softmax(dim=1)
    chances = torch.where((chances.argmax(dim=1) == 0)[:, None], -1, chances)
    boxes = _decode(anchors, deltas)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__asks_for_more_than_the_threshold(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Greater instead of greater or equal."""
    chances = class_logits.softmax(dim=1)
    chances = torch.where(chances > score_threshold, chances, -1)
    boxes = _decode(anchors, deltas)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__ignores_the_score_threshold(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Leaves it to top_k to cut off."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    return _finish(chances, boxes, image_hw, 0.0, nms_threshold, top_k)


def detect__exchanges_the_thresholds(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """The threshold of NMS for the scores, and the other way round."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    return _finish(chances, boxes, image_hw, nms_threshold, score_threshold, top_k)


def detect__returns_the_anchors(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Forgets to move them."""
    chances = class_logits.softmax(dim=1)
    return _finish(chances, anchors, image_hw, score_threshold, nms_threshold, top_k)


def detect__adds_the_deltas(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Takes corrections for differences of corners."""
    boxes, chances = anchors + deltas, class_logits.softmax(dim=1)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__shifts_in_pixels(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Does not multiply dx and dy by the anchor's size."""
    sides = anchors[:, 2:] - anchors[:, :2]
    deltas = torch.cat([deltas[:, :2] / sides, deltas[:, 2:]], dim=1)
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__has_the_height_first(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """The lecture's order (dx, dy, dh, dw)."""
    boxes, chances = _decode(anchors, deltas[:, [0, 1, 3, 2]]), class_logits.softmax(dim=1)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__does_not_limit_growth(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """No cut-off of dw and dh."""
    boxes, chances = _decode(anchors, deltas, limit=math.inf), class_logits.softmax(dim=1)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__limits_shifts_too(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Cuts all four numbers off."""
    boxes = _decode(anchors, deltas, shift_limit=_LIMIT)
    chances = class_logits.softmax(dim=1)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__limits_shrinking_too(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Cuts dw and dh off from below too, at the same distance from 0."""
    deltas = torch.cat([deltas[:, :2], deltas[:, 2:].clamp(min=-_LIMIT)], dim=1)
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__exchanges_height_and_width(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Clips x to the height."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    return _finish(
        chances, boxes, (image_hw[1], image_hw[0]), score_threshold, nms_threshold, top_k
    )


def detect__clips_to_the_last_pixel(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Width - 1, as if coordinates were numbers of pixels."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    image_hw = image_hw[0] - 1, image_hw[1] - 1
    return _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)


def detect__does_not_clip(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Boxes may leave the image."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    found = _candidates(chances, boxes, score_threshold)
    return _best(*_suppressed(*found, nms_threshold), top_k)


def detect__clips_at_the_end(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Suppresses boxes as they are outside of the image."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    solid = _with_area(clip_boxes_to_image(boxes, image_hw))
    found = _candidates(chances[solid], boxes[solid], score_threshold)
    boxes, scores, labels = _best(*_suppressed(*found, nms_threshold), top_k)
    return clip_boxes_to_image(boxes, image_hw), scores, labels


def detect__keeps_boxes_without_area(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """What lies outside is clipped to a line at the border, and stays."""
    boxes = clip_boxes_to_image(_decode(anchors, deltas), image_hw)
    found = _candidates(class_logits.softmax(dim=1), boxes, score_threshold)
    return _best(*_suppressed(*found, nms_threshold), top_k)


def detect__drops_lines_at_the_end(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Boxes without area take places among the best before they are dropped."""
    boxes = clip_boxes_to_image(_decode(anchors, deltas), image_hw)
    found = _candidates(class_logits.softmax(dim=1), boxes, score_threshold)
    boxes, scores, labels = _best(*_suppressed(*found, nms_threshold), top_k)
    solid = _with_area(boxes)
    return boxes[solid], scores[solid], labels[solid]


def detect__drops_small_boxes(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """A box of less than a pixel is no box."""
    boxes = clip_boxes_to_image(_decode(anchors, deltas), image_hw)
    large = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(dim=1)
    found = _candidates(class_logits.softmax(dim=1)[large], boxes[large], score_threshold)
    return _best(*_suppressed(*found, nms_threshold), top_k)


def detect__drops_what_sticks_out(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Boxes that cross the border are dropped, not clipped."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    inside = (boxes == clip_boxes_to_image(boxes, image_hw)).all(dim=1)
    return _finish(chances[inside], boxes[inside], image_hw, score_threshold, nms_threshold, top_k)


def detect__suppresses_across_classes(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """One NMS for all classes."""
    boxes = clip_boxes_to_image(_decode(anchors, deltas), image_hw)
    solid = _with_area(boxes)
    chances = class_logits.softmax(dim=1)[solid]
    boxes, scores, labels = _candidates(chances, boxes[solid], score_threshold)
    kept = nms(boxes, scores, nms_threshold)[:top_k]
    return boxes[kept], scores[kept], labels[kept]


def detect__does_not_suppress(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """All duplicates are there."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    return _finish(chances, boxes, image_hw, score_threshold, 1.0, top_k)


def detect__suppresses_anchors(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Compares the boxes before they are moved."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    boxes = clip_boxes_to_image(boxes, image_hw)
    solid = _with_area(boxes)
    both = torch.cat([anchors, boxes], dim=1)[solid]
    both, scores, labels = _candidates(chances[solid], both, score_threshold)
    keep = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = torch.nonzero(labels == label)[:, 0]
        keep[members[nms(both[members, :4], scores[members], nms_threshold)]] = True
    return _best(both[keep, 4:], scores[keep], labels[keep], top_k)


def detect__cuts_before_suppression(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Takes the best first and suppresses then: fewer than there could be."""
    boxes = clip_boxes_to_image(_decode(anchors, deltas), image_hw)
    solid = _with_area(boxes)
    chances = class_logits.softmax(dim=1)[solid]
    found = _best(*_candidates(chances, boxes[solid], score_threshold), top_k)
    return _suppressed(*found, nms_threshold)


def detect__takes_the_best_of_each_class(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """top_k detections of every class."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    found = _finish(chances, boxes, image_hw, score_threshold, nms_threshold, None)
    keep = torch.zeros(len(found[2]), dtype=torch.bool)
    for label in found[2].unique():
        keep[torch.nonzero(found[2] == label)[:top_k, 0]] = True
    return tuple(part[keep] for part in found)


def detect__returns_class_after_class(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """The right detections, grouped by class."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    found = _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)
    order = found[2].argsort(stable=True)
    return tuple(part[order] for part in found)


def detect__returns_labels_before_scores(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """The triple in another order."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    boxes, scores, labels = _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)
    return boxes, labels, scores


def detect__fails_without_detections(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Stacks a list of detections that may be empty."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    boxes, scores, labels = _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)
    return torch.stack(list(boxes)), torch.stack(list(scores)), torch.stack(list(labels))


def detect__gives_float_labels_without_detections(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """Makes tensors of lists: an empty list becomes float32."""
    boxes, chances = _decode(anchors, deltas), class_logits.softmax(dim=1)
    found = _finish(chances, boxes, image_hw, score_threshold, nms_threshold, top_k)
    boxes, scores, labels = (torch.tensor(part.tolist()) for part in found)
    return boxes.reshape(-1, 4), scores, labels


def detect__moves_the_anchors_themselves(
    class_logits, deltas, anchors, image_hw, score_threshold, nms_threshold, top_k
):
    """The right result, and anchors that are no longer where they were."""
    anchors[:] = _decode(anchors, deltas)
    chances = class_logits.softmax(dim=1)
    return _finish(chances, anchors, image_hw, score_threshold, nms_threshold, top_k)
