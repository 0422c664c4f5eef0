"""Wrong answers to the sheet `iou-nms`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""

import torch


def box_area__counts_pixels_inclusively(boxes):
    """Treats coordinates as pixel indices: width x2 - x1 + 1, as old VOC code does."""
    boxes = boxes.float()
    sides = (boxes[:, 2:] - boxes[:, :2] + 1).clamp(min=0)
    return sides[:, 0] * sides[:, 1]


def box_area__multiplies_corners(boxes):
    """Takes the second corner for the size: right for boxes at the origin only."""
    return boxes[:, 2].float() * boxes[:, 3].float()


def box_area__lets_two_negatives_be_positive(boxes):
    """Forgets inverted boxes altogether."""
    boxes = boxes.float()
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def box_area__clamps_the_product(boxes):
    """Clamps the area, not the sides: two negative sides slip through."""
    boxes = boxes.float()
    return ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).clamp(min=0)


def box_area__takes_absolute_sides(boxes):
    """Repairs an inverted box by swapping its corners."""
    boxes = boxes.float()
    return (boxes[:, 2] - boxes[:, 0]).abs() * (boxes[:, 3] - boxes[:, 1]).abs()


def box_area__overflows_integers(boxes):
    """Multiplies in the integer type that it is given."""
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0)
    return sides[:, 0] * sides[:, 1]


def box_area__converts_after_subtracting(boxes):
    """Converts to float, but after uint8 has wrapped round."""
    sides = (boxes[:, 2:] - boxes[:, :2]).float().clamp(min=0)
    return sides[:, 0] * sides[:, 1]


def box_area__rounds_to_whole_pixels(boxes):
    """Believes that coordinates are integers."""
    boxes = boxes.long().float()
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0)
    return sides[:, 0] * sides[:, 1]


def box_area__fails_without_boxes(boxes):
    """Loops and stacks: an empty list cannot be stacked."""
    boxes = boxes.float()
    areas = [(b[2] - b[0]).clamp(min=0) * (b[3] - b[1]).clamp(min=0) for b in boxes]
    return torch.stack(areas)


def box_area__adds_all_boxes_up(boxes):
    """One number for all boxes."""
    boxes = boxes.float()
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0)
    return (sides[:, 0] * sides[:, 1]).sum()


def _sides(boxes):
    boxes = boxes.float()
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0)


def _areas(boxes):
    return _sides(boxes).prod(dim=1)


def _overlap(boxes1, boxes2):
    boxes1, boxes2 = boxes1.float(), boxes2.float()
    top_left = torch.maximum(boxes1[:, None, :2], boxes2[None, :, :2])
    bottom_right = torch.minimum(boxes1[:, None, 2:], boxes2[None, :, 2:])
    return (bottom_right - top_left).clamp(min=0).prod(dim=2)


def _iou(boxes1, boxes2):
    overlap = _overlap(boxes1, boxes2)
    union = _areas(boxes1)[:, None] + _areas(boxes2)[None, :] - overlap
    return torch.where(union > 0, overlap / union, 0.0)


def _hull(boxes1, boxes2):
    boxes1, boxes2 = boxes1.float(), boxes2.float()
    top_left = torch.minimum(boxes1[:, None, :2], boxes2[None, :, :2])
    bottom_right = torch.maximum(boxes1[:, None, 2:], boxes2[None, :, 2:])
    return (bottom_right - top_left).prod(dim=2)


def box_iou__counts_the_intersection_twice(boxes1, boxes2):
    """Union as the sum of both areas."""
    overlap = _overlap(boxes1, boxes2)
    union = _areas(boxes1)[:, None] + _areas(boxes2)[None, :]
    return torch.where(union > 0, overlap / union, 0.0)


def box_iou__divides_by_the_smaller_box(boxes1, boxes2):
    """The overlap coefficient: 1 for every box inside another."""
    smaller = torch.minimum(_areas(boxes1)[:, None], _areas(boxes2)[None, :])
    return torch.where(smaller > 0, _overlap(boxes1, boxes2) / smaller, 0.0)


def box_iou__divides_by_the_first_box(boxes1, boxes2):
    """The share of the first box that is covered: not symmetric."""
    area = _areas(boxes1)[:, None]
    return torch.where(area > 0, _overlap(boxes1, boxes2) / area, 0.0)


def box_iou__is_the_dice_coefficient(boxes1, boxes2):
    """Twice the intersection over the sum: equal to IoU at 0 and 1 only."""
    total = _areas(boxes1)[:, None] + _areas(boxes2)[None, :]
    return torch.where(total > 0, 2 * _overlap(boxes1, boxes2) / total, 0.0)


def box_iou__forgets_to_clamp(boxes1, boxes2):
    """Disjoint along both axes: two negative sides make a positive intersection."""
    boxes1, boxes2 = boxes1.float(), boxes2.float()
    top_left = torch.maximum(boxes1[:, None, :2], boxes2[None, :, :2])
    bottom_right = torch.minimum(boxes1[:, None, 2:], boxes2[None, :, 2:])
    overlap = (bottom_right - top_left).prod(dim=2)
    union = _areas(boxes1)[:, None] + _areas(boxes2)[None, :] - overlap
    return torch.where(union > 0, overlap / union, 0.0)


def box_iou__gives_nan_for_empty_boxes(boxes1, boxes2):
    """0 / 0."""
    overlap = _overlap(boxes1, boxes2)
    return overlap / (_areas(boxes1)[:, None] + _areas(boxes2)[None, :] - overlap)


def box_iou__adds_one_to_the_union(boxes1, boxes2):
    """Avoids the division by zero with a constant that small boxes feel."""
    overlap = _overlap(boxes1, boxes2)
    union = _areas(boxes1)[:, None] + _areas(boxes2)[None, :] - overlap
    return overlap / union.clamp(min=1)


def box_iou__compares_pairs_in_order(boxes1, boxes2):
    """Box i with box i only, repeated: not all pairs."""
    if len(boxes1) != len(boxes2):
        boxes1 = boxes1[:1].expand(len(boxes2), 4)
    return _iou(boxes1, boxes2).diagonal()[None, :]


def box_iou__transposes_the_result(boxes1, boxes2):
    """Rows for boxes2."""
    return _iou(boxes2, boxes1)


def box_iou__looks_for_corners_inside(boxes1, boxes2):
    """Thinks that boxes overlap only if a corner of one lies in the other."""
    one, two = boxes1.float(), boxes2.float()
    inside = torch.zeros(len(one), len(two), dtype=torch.bool)
    for a, b in ((one[:, None], two[None, :]), (two[None, :], one[:, None])):
        for x in (0, 2):
            for y in (1, 3):
                inside_x = (a[..., x] >= b[..., 0]) & (a[..., x] <= b[..., 2])
                inside_y = (a[..., y] >= b[..., 1]) & (a[..., y] <= b[..., 3])
                inside |= inside_x & inside_y
    return torch.where(inside, _iou(boxes1, boxes2), 0.0)


def box_iou__counts_pixels_inclusively(boxes1, boxes2):
    """A '+1' in every side."""
    grown1, grown2 = boxes1.float().clone(), boxes2.float().clone()
    grown1[:, 2:] += 1
    grown2[:, 2:] += 1
    return _iou(grown1, grown2)


def box_iou__overflows_integers(boxes1, boxes2):
    """Multiplies in the integer type that it is given."""
    top_left = torch.maximum(boxes1[:, None, :2], boxes2[None, :, :2])
    bottom_right = torch.minimum(boxes1[:, None, 2:], boxes2[None, :, 2:])
    sides = (bottom_right - top_left).clamp(min=0)
    overlap = sides[..., 0] * sides[..., 1]
    sides1, sides2 = boxes1[:, 2:] - boxes1[:, :2], boxes2[:, 2:] - boxes2[:, :2]
    area1 = (sides1[:, 0] * sides1[:, 1]).clamp(min=0)
    area2 = (sides2[:, 0] * sides2[:, 1]).clamp(min=0)
    union = area1[:, None] + area2[None, :] - overlap
    return torch.where(union > 0, overlap / union, 0.0)


def generalized_box_iou__divides_by_the_union(boxes1, boxes2):
    """The empty part of the hull, measured in unions."""
    overlap, hull = _overlap(boxes1, boxes2), _hull(boxes1, boxes2)
    union = _areas(boxes1)[:, None] + _areas(boxes2)[None, :] - overlap
    return _iou(boxes1, boxes2) - torch.where(union > 0, (hull - union) / union, 0.0)


def generalized_box_iou__subtracts_the_filled_part(boxes1, boxes2):
    """IoU minus union over hull: forgets the 1 -."""
    overlap, hull = _overlap(boxes1, boxes2), _hull(boxes1, boxes2)
    union = _areas(boxes1)[:, None] + _areas(boxes2)[None, :] - overlap
    return _iou(boxes1, boxes2) - torch.where(hull > 0, union / hull, 0.0)


def generalized_box_iou__is_plain_iou(boxes1, boxes2):
    """Stops half-way."""
    return _iou(boxes1, boxes2)


def generalized_box_iou__adds_the_empty_part(boxes1, boxes2):
    """The sign of the second term."""
    overlap, hull = _overlap(boxes1, boxes2), _hull(boxes1, boxes2)
    union = _areas(boxes1)[:, None] + _areas(boxes2)[None, :] - overlap
    return _iou(boxes1, boxes2) + torch.where(hull > 0, (hull - union) / hull, 0.0)


def generalized_box_iou__takes_the_intersection_for_the_hull(boxes1, boxes2):
    """Maximum and minimum exchanged."""
    overlap = _overlap(boxes1, boxes2)
    union = _areas(boxes1)[:, None] + _areas(boxes2)[None, :] - overlap
    return _iou(boxes1, boxes2) - torch.where(overlap > 0, (overlap - union) / overlap, 0.0)


def generalized_box_iou__gives_nan_for_empty_hulls(boxes1, boxes2):
    """0 / 0 where both boxes are the same point."""
    overlap, hull = _overlap(boxes1, boxes2), _hull(boxes1, boxes2)
    union = _areas(boxes1)[:, None] + _areas(boxes2)[None, :] - overlap
    return _iou(boxes1, boxes2) - (hull - union) / hull


def generalized_box_iou__clamps_at_zero(boxes1, boxes2):
    """Believes that a measure of overlap cannot be negative."""
    overlap, hull = _overlap(boxes1, boxes2), _hull(boxes1, boxes2)
    union = _areas(boxes1)[:, None] + _areas(boxes2)[None, :] - overlap
    return (_iou(boxes1, boxes2) - torch.where(hull > 0, (hull - union) / hull, 0.0)).clamp(min=0)


def generalized_box_iou__forgets_the_union_in_the_numerator(boxes1, boxes2):
    """The hull's share that the sum of both areas leaves: counts the intersection twice."""
    hull = _hull(boxes1, boxes2)
    total = _areas(boxes1)[:, None] + _areas(boxes2)[None, :]
    return _iou(boxes1, boxes2) - torch.where(hull > 0, (hull - total) / hull, 0.0)


def _greedy(boxes, scores, iou_threshold):
    order = torch.argsort(scores, descending=True, stable=True).tolist()
    iou = _iou(boxes, boxes)
    kept = []
    for i in order:
        if all(float(iou[i, j]) <= iou_threshold for j in kept):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


def nms__keeps_worst_first(boxes, scores, iou_threshold):
    """Sorts the wrong way round: the worst of each group survives."""
    return _greedy(boxes, -scores, iou_threshold)


def nms__takes_boxes_as_they_come(boxes, scores, iou_threshold):
    """Never looks at the scores."""
    return _greedy(boxes, torch.zeros(len(scores)), iou_threshold)


def nms__drops_at_the_threshold(boxes, scores, iou_threshold):
    """Greater or equal instead of greater."""
    iou = _iou(boxes, boxes)
    kept = []
    for i in torch.argsort(scores, descending=True, stable=True).tolist():
        if all(float(iou[i, j]) < iou_threshold for j in kept):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


def nms__lets_dropped_boxes_drop_others(boxes, scores, iou_threshold):
    """Every better box suppresses, kept or not."""
    iou = _iou(boxes, boxes)
    order = torch.argsort(scores, descending=True, stable=True).tolist()
    kept = []
    for rank, index in enumerate(order):
        if all(float(iou[index, better]) <= iou_threshold for better in order[:rank]):
            kept.append(index)
    return torch.tensor(kept, dtype=torch.int64)


def nms__returns_ranks(boxes, scores, iou_threshold):
    """Positions in the sorted list instead of indices into the input."""
    order = torch.argsort(scores, descending=True, stable=True)
    return _greedy(boxes[order], scores[order], iou_threshold)


def nms__returns_input_order(boxes, scores, iou_threshold):
    """The right boxes, sorted by index."""
    return _greedy(boxes, scores, iou_threshold).sort().values


def nms__returns_boxes(boxes, scores, iou_threshold):
    """The boxes themselves instead of their indices."""
    return boxes[_greedy(boxes, scores, iou_threshold)]


def nms__returns_a_mask(boxes, scores, iou_threshold):
    """A Boolean for each box."""
    keep = torch.zeros(len(boxes), dtype=torch.bool)
    keep[_greedy(boxes, scores, iou_threshold)] = True
    return keep


def nms__keeps_only_boxes_that_overlap(boxes, scores, iou_threshold):
    """The comparison turned round."""
    iou = _iou(boxes, boxes)
    kept = []
    for i in torch.argsort(scores, descending=True, stable=True).tolist():
        if not kept or all(float(iou[i, j]) > iou_threshold for j in kept):
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


def nms__ignores_low_scores(boxes, scores, iou_threshold):
    """Mixes a score threshold into the suppression."""
    kept = _greedy(boxes, scores, iou_threshold)
    return kept[scores[kept] > 0]


def nms__breaks_ties_backwards(boxes, scores, iou_threshold):
    """Sorts upwards and reverses: of equal scores the last comes first."""
    order = torch.argsort(scores, stable=True).flip(0)
    return order[_greedy(boxes[order], scores[order], iou_threshold)]


def nms__keeps_everything(boxes, scores, iou_threshold):
    """Sorts and stops."""
    return torch.argsort(scores, descending=True, stable=True)


def nms__compares_neighbours_only(boxes, scores, iou_threshold):
    """Looks at the last kept box alone."""
    iou = _iou(boxes, boxes)
    kept = []
    for i in torch.argsort(scores, descending=True, stable=True).tolist():
        if not kept or float(iou[i, kept[-1]]) <= iou_threshold:
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64)


def nms__gives_floats_when_empty(boxes, scores, iou_threshold):
    """torch.tensor([]) is float32: no index."""
    kept = _greedy(boxes, scores, iou_threshold).tolist()
    return torch.tensor(kept)


def batched_nms__ignores_labels(boxes, scores, labels, iou_threshold):
    """One class drops another."""
    return _greedy(boxes, scores, iou_threshold)


def batched_nms__moves_by_the_largest_coordinate(boxes, scores, labels, iou_threshold):
    """The offset trick: mixes classes where coordinates are negative."""
    if len(boxes) == 0:
        return torch.zeros(0, dtype=torch.int64)
    offsets = labels.to(boxes) * (boxes.max() + 1)
    return _greedy(boxes + offsets[:, None], scores, iou_threshold)


def batched_nms__moves_by_the_span(boxes, scores, labels, iou_threshold):
    """The offset trick repaired for negative coordinates: large ones still lose their digits."""
    if len(boxes) == 0:
        return torch.zeros(0, dtype=torch.int64)
    offsets = labels.to(boxes) * (boxes.max() - boxes.min() + 1)
    return _greedy(boxes + offsets[:, None], scores, iou_threshold)


def batched_nms__moves_by_a_fixed_distance(boxes, scores, labels, iou_threshold):
    """The offset trick with a number that looks large."""
    return _greedy(boxes + 4096.0 * labels[:, None].to(boxes), scores, iou_threshold)


def batched_nms__returns_class_after_class(boxes, scores, labels, iou_threshold):
    """Right boxes, grouped by label."""
    kept = [torch.zeros(0, dtype=torch.int64)]
    for label in labels.unique():
        members = torch.nonzero(labels == label)[:, 0]
        kept.append(members[_greedy(boxes[members], scores[members], iou_threshold)])
    return torch.cat(kept)


def batched_nms__returns_indices_within_a_class(boxes, scores, labels, iou_threshold):
    """Forgets to translate the indices back."""
    kept = [torch.zeros(0, dtype=torch.int64)]
    for label in labels.unique():
        members = labels == label
        kept.append(_greedy(boxes[members], scores[members], iou_threshold))
    return torch.cat(kept)


def batched_nms__returns_input_order(boxes, scores, labels, iou_threshold):
    """The right boxes, sorted by index."""
    keep = torch.zeros(len(boxes), dtype=torch.bool)
    for label in labels.unique():
        members = torch.nonzero(labels == label)[:, 0]
        keep[members[_greedy(boxes[members], scores[members], iou_threshold)]] = True
    return torch.nonzero(keep)[:, 0]


def batched_nms__skips_class_zero(boxes, scores, labels, iou_threshold):
    """Takes label 0 and everything below for background."""
    keep = torch.zeros(len(boxes), dtype=torch.bool)
    for label in range(1, int(labels.max()) + 1 if len(labels) else 1):
        members = torch.nonzero(labels == label)[:, 0]
        if len(members):
            keep[members[_greedy(boxes[members], scores[members], iou_threshold)]] = True
    kept = torch.nonzero(keep)[:, 0]
    return kept[torch.argsort(scores[kept], descending=True, stable=True)]


def batched_nms__fails_without_boxes(boxes, scores, labels, iou_threshold):
    """Concatenates nothing."""
    kept = []
    for label in labels.unique():
        members = torch.nonzero(labels == label)[:, 0]
        kept.append(members[_greedy(boxes[members], scores[members], iou_threshold)])
    together = torch.cat(kept).sort().values
    return together[torch.argsort(scores[together], descending=True, stable=True)]
