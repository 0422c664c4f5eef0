"""Wrong answers to the sheet `rcnn`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""

import math

import torch
from torch.nn import functional as F
from torchvision.ops import box_iou


def histogram_intersection__takes_the_larger(a, b):
    """The union of two histograms."""
    return torch.maximum(a, b).sum()


def histogram_intersection__multiplies(a, b):
    """The inner product: large bins count twice."""
    return (a * b).sum()


def histogram_intersection__averages(a, b):
    """The mean over the bins, which depends on their number."""
    return torch.minimum(a, b).mean()


def histogram_intersection__normalises(a, b):
    """Makes both histograms sum to 1 first."""
    total_a, total_b = a.sum().clamp(min=1e-12), b.sum().clamp(min=1e-12)
    return torch.minimum(a / total_a, b / total_b).sum()


def histogram_intersection__uses_the_distance(a, b):
    """1 - half of the L1 distance: the same for histograms that sum to 1, and for no others."""
    return 1 - (a - b).abs().sum() / 2


def histogram_intersection__divides_by_the_union(a, b):
    """An IoU of histograms."""
    return torch.minimum(a, b).sum() / torch.maximum(a, b).sum().clamp(min=1e-12)


def histogram_intersection__keeps_the_bins(a, b):
    """Stops before the sum."""
    return torch.minimum(a, b)


def histogram_intersection__returns_a_number(a, b):
    """A Python float instead of a tensor."""
    return torch.minimum(a, b).sum().item()


def _hull(a, b):
    return torch.cat([torch.minimum(a[:2], b[:2]), torch.maximum(a[2:], b[2:])])


def _area(box):
    return ((box[2] - box[0]) * (box[3] - box[1])).item()


def _similarity(a, b, image_area):
    """Of two regions, each (box, size, histogram)."""
    colour = torch.minimum(a[2], b[2]).sum().item()
    total = a[1] + b[1]
    return colour + 1 - total / image_area + 1 - (_area(_hull(a[0], b[0])) - total) / image_area


def _weighted(a, b):
    return (a[1] * a[2] + b[1] * b[2]) / (a[1] + b[1])


def _lowest_of_the_best(alike):
    return min(alike, key=lambda pair: (-alike[pair], pair))


def _neighbours_of_both(alike, i, j):
    return sorted({k for pair in alike if i in pair or j in pair for k in pair} - {i, j})


def _grow(
    boxes,
    sizes,
    histograms,
    neighbours,
    image_area,
    similarity=_similarity,
    mean=_weighted,
    choose=_lowest_of_the_best,
    inherit=_neighbours_of_both,
    hull=_hull,
):
    """The whole procedure, right by itself: a wrong answer replaces one of its steps."""
    regions = list(zip(boxes, sizes.tolist(), histograms, strict=True))
    alike = {
        (i, j): similarity(regions[i], regions[j], image_area) for i, j in map(tuple, neighbours)
    }
    while alike:
        i, j = choose(alike)
        a, b, new = regions[i], regions[j], len(regions)
        regions.append((hull(a[0], b[0]), a[1] + b[1], mean(a, b)))
        touched = inherit(alike, i, j)
        alike = {pair: value for pair, value in alike.items() if not {i, j} & set(pair)}
        for k in touched:
            alike[k, new] = similarity(regions[k], regions[new], image_area)
    return torch.stack([box for box, _, _ in regions]) if regions else boxes


def hierarchical_grouping__merges_the_least_alike(boxes, sizes, histograms, neighbours, image_area):
    """Takes the similarity for a distance."""

    def choose(alike):
        return min(alike, key=lambda pair: (alike[pair], pair))

    return _grow(boxes, sizes, histograms, neighbours, image_area, choose=choose)


def hierarchical_grouping__looks_at_colour_alone(boxes, sizes, histograms, neighbours, image_area):
    """Forgets size and fill."""

    def similarity(a, b, _):
        return torch.minimum(a[2], b[2]).sum().item()

    return _grow(boxes, sizes, histograms, neighbours, image_area, similarity)


def hierarchical_grouping__forgets_colour(boxes, sizes, histograms, neighbours, image_area):
    """Size and fill alone."""

    def similarity(a, b, area):
        return -_area(_hull(a[0], b[0])) / area

    return _grow(boxes, sizes, histograms, neighbours, image_area, similarity)


def hierarchical_grouping__forgets_size(boxes, sizes, histograms, neighbours, image_area):
    """Colour and fill alone: large regions merge as early as small ones."""

    def similarity(a, b, area):
        return _similarity(a, b, area) + (a[1] + b[1]) / area

    return _grow(boxes, sizes, histograms, neighbours, image_area, similarity)


def hierarchical_grouping__forgets_fill(boxes, sizes, histograms, neighbours, image_area):
    """Colour and size alone: regions merge across a gap."""

    def similarity(a, b, area):
        return torch.minimum(a[2], b[2]).sum().item() - (a[1] + b[1]) / area

    return _grow(boxes, sizes, histograms, neighbours, image_area, similarity)


def hierarchical_grouping__fills_with_boxes(boxes, sizes, histograms, neighbours, image_area):
    """The fill part from the areas of the boxes instead of the regions' pixels."""

    def similarity(a, b, area):
        total, gap = a[1] + b[1], _area(_hull(a[0], b[0])) - _area(a[0]) - _area(b[0])
        return torch.minimum(a[2], b[2]).sum().item() - total / area - gap / area

    return _grow(boxes, sizes, histograms, neighbours, image_area, similarity)


def hierarchical_grouping__measures_fill_by_the_hull(
    boxes, sizes, histograms, neighbours, image_area
):
    """The gap as a share of the box around both, not of the image."""

    def similarity(a, b, area):
        total, hull = a[1] + b[1], _area(_hull(a[0], b[0]))
        return torch.minimum(a[2], b[2]).sum().item() - total / area - (hull - total) / hull

    return _grow(boxes, sizes, histograms, neighbours, image_area, similarity)


def hierarchical_grouping__normalises_histograms(boxes, sizes, histograms, neighbours, image_area):
    """Makes every histogram sum to 1 before it compares."""

    def similarity(a, b, area):
        a, b = ((box, size, h / h.sum()) for box, size, h in (a, b))
        return _similarity(a, b, area)

    return _grow(boxes, sizes, histograms, neighbours, image_area, similarity)


def hierarchical_grouping__means_without_weights(boxes, sizes, histograms, neighbours, image_area):
    """The plain mean of two histograms: a spot counts as much as what it is on."""

    def mean(a, b):
        return (a[2] + b[2]) / 2

    return _grow(boxes, sizes, histograms, neighbours, image_area, mean=mean)


def hierarchical_grouping__exchanges_the_weights(boxes, sizes, histograms, neighbours, image_area):
    """Each histogram weighted by the other region's size."""

    def mean(a, b):
        return (b[1] * a[2] + a[1] * b[2]) / (a[1] + b[1])

    return _grow(boxes, sizes, histograms, neighbours, image_area, mean=mean)


def hierarchical_grouping__weights_by_boxes(boxes, sizes, histograms, neighbours, image_area):
    """The mean weighted by the areas of the boxes."""

    def mean(a, b):
        one, two = _area(a[0]), _area(b[0])
        return (one * a[2] + two * b[2]) / (one + two)

    return _grow(boxes, sizes, histograms, neighbours, image_area, mean=mean)


def hierarchical_grouping__adds_histograms(boxes, sizes, histograms, neighbours, image_area):
    """The sum of the histograms, as of counts: they grow with every merger."""

    def mean(a, b):
        return a[2] + b[2]

    return _grow(boxes, sizes, histograms, neighbours, image_area, mean=mean)


def hierarchical_grouping__keeps_the_first_histogram(
    boxes, sizes, histograms, neighbours, image_area
):
    """The merged region looks like the first of the two."""

    def mean(a, b):
        return a[2]

    return _grow(boxes, sizes, histograms, neighbours, image_area, mean=mean)


def hierarchical_grouping__forgets_to_add_sizes(boxes, sizes, histograms, neighbours, image_area):
    """The merged region keeps the first one's size, hence its weight in the next merger."""
    boxes_, sizes_ = list(boxes), sizes.tolist()
    histograms_ = list(histograms)

    def similarity(i, j):
        return _similarity(
            (boxes_[i], sizes_[i], histograms_[i]),
            (boxes_[j], sizes_[j], histograms_[j]),
            image_area,
        )

    alike = {pair: similarity(*pair) for pair in map(tuple, neighbours)}
    while alike:
        i, j = _lowest_of_the_best(alike)
        touched, new = _neighbours_of_both(alike, i, j), len(boxes_)
        total = sizes_[i] + sizes_[j]
        histograms_.append((sizes_[i] * histograms_[i] + sizes_[j] * histograms_[j]) / total)
        boxes_.append(_hull(boxes_[i], boxes_[j]))
        sizes_.append(sizes_[i])
        alike = {pair: value for pair, value in alike.items() if not {i, j} & set(pair)}
        for k in touched:
            alike[k, new] = similarity(k, new)
    return torch.stack(boxes_) if boxes_ else boxes


def hierarchical_grouping__forgets_new_neighbours(boxes, sizes, histograms, neighbours, image_area):
    """A merged region touches nothing."""

    def inherit(alike, i, j):
        return []

    return _grow(boxes, sizes, histograms, neighbours, image_area, inherit=inherit)


def hierarchical_grouping__keeps_neighbours_of_the_first(
    boxes, sizes, histograms, neighbours, image_area
):
    """What only the second region touched is lost."""

    def inherit(alike, i, j):
        return sorted({k for pair in alike if i in pair for k in pair} - {i, j})

    return _grow(boxes, sizes, histograms, neighbours, image_area, inherit=inherit)


def hierarchical_grouping__keeps_common_neighbours(
    boxes, sizes, histograms, neighbours, image_area
):
    """Only what both regions touched: 'the neighbours of both' read as an intersection."""

    def inherit(alike, i, j):
        touched = [{k for pair in alike if one in pair for k in pair} for one in (i, j)]
        return sorted((touched[0] & touched[1]) - {i, j})

    return _grow(boxes, sizes, histograms, neighbours, image_area, inherit=inherit)


def hierarchical_grouping__keeps_old_similarities(boxes, sizes, histograms, neighbours, image_area):
    """A merged region is as like its neighbours as the better of its parts was."""
    regions = list(zip(boxes, sizes.tolist(), histograms, strict=True))
    alike = {
        (i, j): _similarity(regions[i], regions[j], image_area) for i, j in map(tuple, neighbours)
    }
    while alike:
        i, j = _lowest_of_the_best(alike)
        a, b, new = regions[i], regions[j], len(regions)
        regions.append((_hull(a[0], b[0]), a[1] + b[1], _weighted(a, b)))
        touched = _neighbours_of_both(alike, i, j)
        old = alike
        alike = {pair: value for pair, value in alike.items() if not {i, j} & set(pair)}
        for k in touched:
            both = [tuple(sorted((k, i))), tuple(sorted((k, j)))]
            alike[k, new] = max(old[pair] for pair in both if pair in old)
    return torch.stack([box for box, _, _ in regions]) if regions else boxes


def hierarchical_grouping__merges_the_last_of_equals(
    boxes, sizes, histograms, neighbours, image_area
):
    """Of equal similarities the highest pair."""

    def choose(alike):
        return max(alike, key=lambda pair: (alike[pair], pair))

    return _grow(boxes, sizes, histograms, neighbours, image_area, choose=choose)


def hierarchical_grouping__takes_equals_as_they_come(
    boxes, sizes, histograms, neighbours, image_area
):
    """Of equal similarities the one that was written down first."""

    def choose(alike):
        return max(alike, key=alike.get)

    return _grow(boxes, sizes, histograms, neighbours, image_area, choose=choose)


def hierarchical_grouping__compares_second_numbers_first(
    boxes, sizes, histograms, neighbours, image_area
):
    """Of equal similarities the lowest second number."""

    def choose(alike):
        return min(alike, key=lambda pair: (-alike[pair], pair[1], pair[0]))

    return _grow(boxes, sizes, histograms, neighbours, image_area, choose=choose)


def hierarchical_grouping__compares_first_numbers_only(
    boxes, sizes, histograms, neighbours, image_area
):
    """Of equal similarities the lowest first number, then whatever comes."""

    def choose(alike):
        return min(alike, key=lambda pair: (-alike[pair], pair[0]))

    return _grow(boxes, sizes, histograms, neighbours, image_area, choose=choose)


def hierarchical_grouping__intersects_boxes(boxes, sizes, histograms, neighbours, image_area):
    """The box that both have in common instead of the one around both."""

    def hull(a, b):
        return torch.cat([torch.maximum(a[:2], b[:2]), torch.minimum(a[2:], b[2:])])

    return _grow(boxes, sizes, histograms, neighbours, image_area, hull=hull)


def hierarchical_grouping__returns_merged_boxes_alone(
    boxes, sizes, histograms, neighbours, image_area
):
    """Forgets the given boxes."""
    return _grow(boxes, sizes, histograms, neighbours, image_area)[len(boxes) :]


def hierarchical_grouping__merges_what_does_not_touch(
    boxes, sizes, histograms, neighbours, image_area
):
    """Goes on until one region is left, neighbours or not."""
    every = [(i, j) for j in range(len(boxes)) for i in range(j)]
    return _grow(boxes, sizes, histograms, every, image_area)


def hierarchical_grouping__stops_too_early(boxes, sizes, histograms, neighbours, image_area):
    """Believes that the whole image is no proposal."""
    grown = _grow(boxes, sizes, histograms, neighbours, image_area)
    return grown[:-1] if len(grown) > len(boxes) else grown


def hierarchical_grouping__fails_without_regions(boxes, sizes, histograms, neighbours, image_area):
    """Stacks nothing."""
    rows = list(_grow(boxes, sizes, histograms, neighbours, image_area))
    return torch.stack(rows)


def hierarchical_grouping__empties_the_list(boxes, sizes, histograms, neighbours, image_area):
    """Uses up the caller's list of neighbours."""
    grown = _grow(boxes, sizes, histograms, neighbours, image_area)
    neighbours.clear()
    return grown


def hierarchical_grouping__changes_sizes_in_place(boxes, sizes, histograms, neighbours, image_area):
    """Writes the merged sizes into the caller's tensor."""
    grown = _grow(boxes, sizes, histograms, neighbours, image_area)
    for i, j in neighbours:
        sizes[i] += sizes[j]
    return grown


def _best(proposals, gt_boxes):
    """Largest IoU and its index; zeros without ground truth."""
    if len(gt_boxes) == 0:
        return torch.zeros(len(proposals)), torch.zeros(len(proposals), dtype=torch.int64)
    best, matched = box_iou(proposals, gt_boxes).max(dim=1)
    return best, matched


def _labelled(matched, gt_labels, positive, neutral):
    labels = torch.zeros(len(matched), dtype=torch.int64)
    labels[neutral] = -1
    labels[positive] = gt_labels[matched[positive]]
    return labels


def assign_proposals__needs_more_than_fg_iou(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """Greater instead of greater or equal."""
    best, matched = _best(proposals, gt_boxes)
    return _labelled(matched, gt_labels, best > fg_iou, best >= bg_iou), matched


def assign_proposals__calls_bg_iou_background(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """Less or equal instead of less."""
    best, matched = _best(proposals, gt_boxes)
    return _labelled(matched, gt_labels, best >= fg_iou, best > bg_iou), matched


def assign_proposals__knows_no_neutral(proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3):
    """Everything below fg_iou is background."""
    best, matched = _best(proposals, gt_boxes)
    return _labelled(matched, gt_labels, best >= fg_iou, best > 2), matched


def assign_proposals__is_positive_from_bg_iou(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """What is not background is positive."""
    best, matched = _best(proposals, gt_boxes)
    return _labelled(matched, gt_labels, best >= bg_iou, best > 2), matched


def assign_proposals__labels_with_the_index(proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3):
    """The number of the true box, counted from 1, instead of its class."""
    best, matched = _best(proposals, gt_boxes)
    numbers = torch.arange(1, len(gt_boxes) + 1)
    return _labelled(matched, numbers, best >= fg_iou, best >= bg_iou), matched


def assign_proposals__forces_the_best_proposal(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """Every true box makes its best proposal positive: a rule for anchors, not for proposals."""
    best, matched = _best(proposals, gt_boxes)
    positive = best >= fg_iou
    if len(gt_boxes) and len(proposals):
        positive[box_iou(proposals, gt_boxes).argmax(dim=0)] = True
    return _labelled(matched, gt_labels, positive, best >= bg_iou), matched


def assign_proposals__uses_each_true_box_once(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """The best proposal of a true box is positive, other good ones are background: a rule for
    evaluation, not for training."""
    best, matched = _best(proposals, gt_boxes)
    positive = best >= fg_iou
    for true_box in range(len(gt_boxes)):
        rivals = torch.where(positive & (matched == true_box))[0]
        if len(rivals):
            positive[rivals] = False
            positive[rivals[best[rivals].argmax()]] = True
    return _labelled(matched, gt_labels, positive, (best >= bg_iou) & (best < fg_iou)), matched


def assign_proposals__takes_the_first_good_one(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """The first true box that passes the threshold instead of the best."""
    best, matched = _best(proposals, gt_boxes)
    if len(gt_boxes):
        good = box_iou(proposals, gt_boxes) >= fg_iou
        matched = torch.where(good.any(dim=1), good.int().argmax(dim=1), matched)
    return _labelled(matched, gt_labels, best >= fg_iou, best >= bg_iou), matched


def assign_proposals__takes_the_last_of_equals(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """Of equal IoUs the highest index."""
    best, matched = _best(proposals, gt_boxes.flip(0))
    matched = (len(gt_boxes) - 1 - matched).clamp(min=0)
    return _labelled(matched, gt_labels, best >= fg_iou, best >= bg_iou), matched


def assign_proposals__fails_without_ground_truth(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """The maximum over nothing."""
    best, matched = box_iou(proposals, gt_boxes).max(dim=1)
    return _labelled(matched, gt_labels, best >= fg_iou, best >= bg_iou), matched


def assign_proposals__ignores_without_ground_truth(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """An image without things takes part in no loss."""
    best, matched = _best(proposals, gt_boxes)
    labels = _labelled(matched, gt_labels, best >= fg_iou, best >= bg_iou)
    return labels if len(gt_boxes) else labels - 1, matched


def assign_proposals__matches_nothing_with_minus_one(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """Without ground truth the index −1, which would be the last true box."""
    best, matched = _best(proposals, gt_boxes)
    labels = _labelled(matched, gt_labels, best >= fg_iou, best >= bg_iou)
    return labels, matched if len(gt_boxes) else matched - 1


def assign_proposals__knows_only_the_defaults(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """0.5 and 0.3 in the code, whatever is asked for."""
    best, matched = _best(proposals, gt_boxes)
    return _labelled(matched, gt_labels, best >= 0.5, best >= 0.3), matched


def assign_proposals__matches_from_the_other_side(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """Each true box labels its best proposal; nobody else is positive or neutral."""
    labels = torch.zeros(len(proposals), dtype=torch.int64)
    matched = torch.zeros(len(proposals), dtype=torch.int64)
    if len(gt_boxes) and len(proposals):
        best, chosen = box_iou(proposals, gt_boxes).max(dim=0)
        for index, (iou, proposal) in enumerate(zip(best.tolist(), chosen.tolist(), strict=True)):
            if iou >= fg_iou:
                labels[proposal], matched[proposal] = gt_labels[index], index
    return labels, matched


def assign_proposals__returns_floats(proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3):
    """Labels that are no labels to a loss."""
    best, matched = _best(proposals, gt_boxes)
    return _labelled(matched, gt_labels, best >= fg_iou, best >= bg_iou).float(), matched


def assign_proposals__divides_by_the_proposal(
    proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3
):
    """The covered share of the proposal instead of IoU: a tiny box inside a thing is positive."""
    if len(gt_boxes) == 0:
        return _labelled(*_best(proposals, gt_boxes)[1:], gt_labels, [], []), _best(
            proposals, gt_boxes
        )[1]
    top_left = torch.maximum(proposals[:, None, :2], gt_boxes[None, :, :2])
    bottom_right = torch.minimum(proposals[:, None, 2:], gt_boxes[None, :, 2:])
    shared = (bottom_right - top_left).clamp(min=0).prod(dim=2)
    areas = (proposals[:, 2:] - proposals[:, :2]).prod(dim=1, keepdim=True)
    best, matched = (shared / areas).max(dim=1)
    return _labelled(matched, gt_labels, best >= fg_iou, best >= bg_iou), matched


def _centre_and_size(boxes):
    return (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]


def encode_boxes__divides_by_the_true_box(boxes, proposals):
    """Shifts in units of the true box, which nobody knows at test time."""
    (goal, wanted), (centre, size) = _centre_and_size(boxes), _centre_and_size(proposals)
    return torch.cat([(goal - centre) / wanted, (wanted / size).log()], dim=1)


def encode_boxes__shifts_corners(boxes, proposals):
    """From corner to corner instead of from centre to centre."""
    (_, wanted), (_, size) = _centre_and_size(boxes), _centre_and_size(proposals)
    return torch.cat([(boxes[:, :2] - proposals[:, :2]) / size, (wanted / size).log()], dim=1)


def encode_boxes__uses_pixels(boxes, proposals):
    """Differences of pixels, not in units of the proposal."""
    (goal, wanted), (centre, size) = _centre_and_size(boxes), _centre_and_size(proposals)
    return torch.cat([goal - centre, (wanted / size).log()], dim=1)


def encode_boxes__forgets_the_logarithm(boxes, proposals):
    """The plain ratio of the sizes."""
    (goal, wanted), (centre, size) = _centre_and_size(boxes), _centre_and_size(proposals)
    return torch.cat([(goal - centre) / size, wanted / size], dim=1)


def encode_boxes__takes_log_base_2(boxes, proposals):
    """Another logarithm, which exp does not undo."""
    (goal, wanted), (centre, size) = _centre_and_size(boxes), _centre_and_size(proposals)
    return torch.cat([(goal - centre) / size, (wanted / size).log2()], dim=1)


def encode_boxes__goes_the_wrong_way(boxes, proposals):
    """From the true box to the proposal."""
    (goal, wanted), (centre, size) = _centre_and_size(boxes), _centre_and_size(proposals)
    return torch.cat([(centre - goal) / size, (size / wanted).log()], dim=1)


def encode_boxes__puts_height_first(boxes, proposals):
    """The lecture's order (x, y, h, w)."""
    (goal, wanted), (centre, size) = _centre_and_size(boxes), _centre_and_size(proposals)
    return torch.cat([(goal - centre) / size, (wanted / size).log().flip(1)], dim=1)


def encode_boxes__weighs_like_torchvision(boxes, proposals):
    """Weights 10, 10, 5, 5."""
    (goal, wanted), (centre, size) = _centre_and_size(boxes), _centre_and_size(proposals)
    return torch.cat([10 * (goal - centre) / size, 5 * (wanted / size).log()], dim=1)


def encode_boxes__clamps_targets(boxes, proposals):
    """Cuts the targets off as decoding does."""
    (goal, wanted), (centre, size) = _centre_and_size(boxes), _centre_and_size(proposals)
    ratio = (wanted / size).log().clamp(max=math.log(1000 / 16))
    return torch.cat([(goal - centre) / size, ratio], dim=1)


def encode_boxes__counts_pixels_inclusively(boxes, proposals):
    """A '+1' in every side, as old code has it."""
    (goal, wanted), (centre, size) = _centre_and_size(boxes), _centre_and_size(proposals)
    return torch.cat([(goal - centre) / (size + 1), ((wanted + 1) / (size + 1)).log()], dim=1)


def encode_boxes__works_in_float32(boxes, proposals):
    """Loses the digits of float64."""
    (goal, wanted) = _centre_and_size(boxes.float())
    (centre, size) = _centre_and_size(proposals.float())
    return torch.cat([(goal - centre) / size, (wanted / size).log()], dim=1)


_LIMIT = math.log(1000 / 16)


def decode_boxes__forgets_the_limit(deltas, proposals):
    """exp of whatever the network says."""
    centre, size = _centre_and_size(proposals)
    centre, half = centre + deltas[:, :2] * size, deltas[:, 2:].exp() * size / 2
    return torch.cat([centre - half, centre + half], dim=1)


def decode_boxes__limits_both_sides(deltas, proposals):
    """No box may shrink much either."""
    centre, size = _centre_and_size(proposals)
    half = deltas[:, 2:].clamp(-_LIMIT, _LIMIT).exp() * size / 2
    centre = centre + deltas[:, :2] * size
    return torch.cat([centre - half, centre + half], dim=1)


def decode_boxes__limits_shifts_too(deltas, proposals):
    """Cuts all four numbers off."""
    centre, size = _centre_and_size(proposals)
    deltas = deltas.clamp(max=_LIMIT)
    centre, half = centre + deltas[:, :2] * size, deltas[:, 2:].exp() * size / 2
    return torch.cat([centre - half, centre + half], dim=1)


def decode_boxes__limits_the_width_alone(deltas, proposals):
    """Forgets dh."""
    centre, size = _centre_and_size(proposals)
    logs = torch.stack([deltas[:, 2].clamp(max=_LIMIT), deltas[:, 3]], dim=1)
    centre, half = centre + deltas[:, :2] * size, logs.exp() * size / 2
    return torch.cat([centre - half, centre + half], dim=1)


def decode_boxes__limits_at_1000_over_16(deltas, proposals):
    """Takes 62.5 for the limit of dw, not of its exponential."""
    centre, size = _centre_and_size(proposals)
    half = deltas[:, 2:].clamp(max=1000 / 16).exp() * size / 2
    centre = centre + deltas[:, :2] * size
    return torch.cat([centre - half, centre + half], dim=1)


def decode_boxes__multiplies_the_logarithm(deltas, proposals):
    """Forgets the exponential: 1 + dw times the width."""
    centre, size = _centre_and_size(proposals)
    half = (1 + deltas[:, 2:].clamp(max=_LIMIT)) * size / 2
    centre = centre + deltas[:, :2] * size
    return torch.cat([centre - half, centre + half], dim=1)


def decode_boxes__shifts_in_pixels(deltas, proposals):
    """Adds dx to the centre as it is."""
    centre, size = _centre_and_size(proposals)
    half = deltas[:, 2:].clamp(max=_LIMIT).exp() * size / 2
    centre = centre + deltas[:, :2]
    return torch.cat([centre - half, centre + half], dim=1)


def decode_boxes__shifts_by_the_new_size(deltas, proposals):
    """Resizes first and shifts in units of the new box."""
    centre, size = _centre_and_size(proposals)
    size = deltas[:, 2:].clamp(max=_LIMIT).exp() * size
    centre = centre + deltas[:, :2] * size
    return torch.cat([centre - size / 2, centre + size / 2], dim=1)


def decode_boxes__moves_the_corner(deltas, proposals):
    """Shifts and resizes from the upper left corner."""
    _, size = _centre_and_size(proposals)
    corner = proposals[:, :2] + deltas[:, :2] * size
    return torch.cat([corner, corner + deltas[:, 2:].clamp(max=_LIMIT).exp() * size], dim=1)


def decode_boxes__forgets_the_half(deltas, proposals):
    """Corners a whole width away from the centre."""
    centre, size = _centre_and_size(proposals)
    centre = centre + deltas[:, :2] * size
    size = deltas[:, 2:].clamp(max=_LIMIT).exp() * size
    return torch.cat([centre - size, centre + size], dim=1)


def decode_boxes__returns_centre_and_size(deltas, proposals):
    """cxcywh instead of xyxy."""
    centre, size = _centre_and_size(proposals)
    new_size = deltas[:, 2:].clamp(max=_LIMIT).exp() * size
    return torch.cat([centre + deltas[:, :2] * size, new_size], dim=1)


def decode_boxes__puts_height_first(deltas, proposals):
    """Reads the numbers as (dx, dy, dh, dw)."""
    centre, size = _centre_and_size(proposals)
    half = deltas[:, 2:].flip(1).clamp(max=_LIMIT).exp() * size / 2
    centre = centre + deltas[:, :2] * size
    return torch.cat([centre - half, centre + half], dim=1)


def decode_boxes__weighs_like_torchvision(deltas, proposals):
    """Divides by the weights 10, 10, 5, 5."""
    centre, size = _centre_and_size(proposals)
    half = (deltas[:, 2:] / 5).clamp(max=_LIMIT).exp() * size / 2
    centre = centre + deltas[:, :2] / 10 * size
    return torch.cat([centre - half, centre + half], dim=1)


def decode_boxes__keeps_boxes_positive(deltas, proposals):
    """Clips at 0, as if every box had to lie in the image."""
    centre, size = _centre_and_size(proposals)
    half = deltas[:, 2:].clamp(max=_LIMIT).exp() * size / 2
    centre = centre + deltas[:, :2] * size
    return torch.cat([centre - half, centre + half], dim=1).clamp(min=0)


def decode_boxes__stops_gradients(deltas, proposals):
    """Detaches: the network could not learn through it."""
    centre, size = _centre_and_size(proposals)
    half = deltas[:, 2:].detach().clamp(max=_LIMIT).exp() * size / 2
    centre = centre + deltas[:, :2].detach() * size
    return torch.cat([centre - half, centre + half], dim=1) + 0 * deltas.sum()


def decode_boxes__works_in_float32(deltas, proposals):
    """Loses the digits of float64."""
    centre, size = _centre_and_size(proposals.float())
    half = deltas[:, 2:].float().clamp(max=_LIMIT).exp() * size / 2
    centre = centre + deltas[:, :2].float() * size
    return torch.cat([centre - half, centre + half], dim=1)


def _borders(image, box):
    """Top, bottom, left and right of a region as the contract has them."""
    _, height, width = image.shape
    x1, y1, x2, y2 = box
    left = min(max(math.floor(x1), 0), width - 1)
    top = min(max(math.floor(y1), 0), height - 1)
    right = max(min(math.ceil(x2), width), left + 1)
    bottom = max(min(math.ceil(y2), height), top + 1)
    return top, bottom, left, right


def _resized(region, size_hw, **options):
    options = {"mode": "bilinear", "align_corners": False} | options
    return F.interpolate(region[None], size=tuple(size_hw), **options)


def _crops(image, boxes, size_hw, borders=_borders, resized=_resized):
    crops = [image.new_zeros((0, len(image), *size_hw))]
    for box in boxes.tolist():
        top, bottom, left, right = borders(image, box)
        crops.append(resized(image[:, top:bottom, left:right], size_hw))
    return torch.cat(crops)


def crop_and_warp__rounds_to_nearest(image, boxes, size_hw):
    """Rounds each side to the nearest pixel border."""

    def borders(image, box):
        return _borders(image, [math.floor(value + 0.5) for value in box])

    return _crops(image, boxes, size_hw, borders)


def crop_and_warp__rounds_down(image, boxes, size_hw):
    """int() everywhere: the last pixel column is lost."""

    def borders(image, box):
        return _borders(image, [int(value) for value in box])

    return _crops(image, boxes, size_hw, borders)


def crop_and_warp__rounds_inwards(image, boxes, size_hw):
    """Only pixels that lie in the box entirely."""

    def borders(image, box):
        x1, y1, x2, y2 = box
        return _borders(image, (math.ceil(x1), math.ceil(y1), math.floor(x2), math.floor(y2)))

    return _crops(image, boxes, size_hw, borders)


def crop_and_warp__takes_the_last_pixel_too(image, boxes, size_hw):
    """Treats x2 as the index of the last pixel."""

    def borders(image, box):
        x1, y1, x2, y2 = box
        return _borders(image, (x1, y1, math.floor(x2) + 1, math.floor(y2) + 1))

    return _crops(image, boxes, size_hw, borders)


def crop_and_warp__exchanges_x_and_y(image, boxes, size_hw):
    """Cuts rows by x and columns by y."""

    def borders(image, box):
        x1, y1, x2, y2 = box
        return _borders(image, (y1, x1, y2, x2))

    return _crops(image, boxes, size_hw, borders)


def crop_and_warp__exchanges_height_and_width(image, boxes, size_hw):
    """Reads size_hw as (width, height)."""
    return _crops(image, boxes, tuple(size_hw)[::-1])


def crop_and_warp__does_not_clip(image, boxes, size_hw):
    """Negative indices count from the other end."""

    def borders(image, box):
        x1, y1, x2, y2 = box
        return math.floor(y1), math.ceil(y2), math.floor(x1), math.ceil(x2)

    return _crops(image, boxes, size_hw, borders)


def crop_and_warp__forgets_the_smallest_region(image, boxes, size_hw):
    """Clips, but a box without pixels stays without."""

    def borders(image, box):
        _, height, width = image.shape
        x1, y1, x2, y2 = box
        columns = [min(max(side, 0), width) for side in (math.floor(x1), math.ceil(x2))]
        rows = [min(max(side, 0), height) for side in (math.floor(y1), math.ceil(y2))]
        return *rows, *columns

    return _crops(image, boxes, size_hw, borders)


def crop_and_warp__leaves_out_boxes_outside(image, boxes, size_hw):
    """Drops what does not overlap the image: results no longer belong to boxes."""
    _, height, width = image.shape
    inside = (boxes[:, 0] < width) & (boxes[:, 1] < height) & (boxes[:, 2:] > 0).all(dim=1)
    return _crops(image, boxes[inside], size_hw)


def crop_and_warp__gives_zeros_outside(image, boxes, size_hw):
    """Black pixels for a box that lies outside of the image."""
    _, height, width = image.shape
    crops = _crops(image, boxes, size_hw)
    inside = (boxes[:, 0] < width) & (boxes[:, 1] < height) & (boxes[:, 2:] > 0).all(dim=1)
    return crops * inside[:, None, None, None]


def crop_and_warp__pads_with_zeros(image, boxes, size_hw):
    """Keeps the part beyond the image, in black, instead of clipping."""
    _, height, width = image.shape
    padded = F.pad(image, (40, 40, 40, 40))

    def borders(image, box):
        x1, y1, x2, y2 = box
        if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
            return [40 + side for side in _borders(image[:, 40:-40, 40:-40], box)]
        left, top = math.floor(x1), math.floor(y1)
        right, bottom = max(left + 1, math.ceil(x2)), max(top + 1, math.ceil(y2))
        return 40 + top, 40 + bottom, 40 + left, 40 + right

    return _crops(padded, boxes, size_hw, borders)


def crop_and_warp__aligns_corners(image, boxes, size_hw):
    """align_corners=True."""

    def resized(region, size_hw):
        return _resized(region, size_hw, align_corners=True)

    return _crops(image, boxes, size_hw, resized=resized)


def crop_and_warp__takes_the_nearest(image, boxes, size_hw):
    """interpolate's default mode."""

    def resized(region, size_hw):
        return _resized(region, size_hw, mode="nearest", align_corners=None)

    return _crops(image, boxes, size_hw, resized=resized)


def crop_and_warp__uses_antialiasing(image, boxes, size_hw):
    """Smooths before it shrinks."""

    def resized(region, size_hw):
        return _resized(region, size_hw, antialias=True)

    return _crops(image, boxes, size_hw, resized=resized)


def crop_and_warp__keeps_the_aspect_ratio(image, boxes, size_hw):
    """Fits the region into the size and leaves the rest black: no warping."""

    def resized(region, size_hw):
        height, width = region.shape[1:]
        scale = min(size_hw[0] / height, size_hw[1] / width)
        inner = _resized(region, (max(1, round(height * scale)), max(1, round(width * scale))))
        missing = [size_hw[0] - inner.shape[2], size_hw[1] - inner.shape[3]]
        return F.pad(inner, (0, missing[1], 0, missing[0]))

    return _crops(image, boxes, size_hw, resized=resized)


def crop_and_warp__fails_without_boxes(image, boxes, size_hw):
    """Concatenates nothing."""
    crops = []
    for box in boxes.tolist():
        top, bottom, left, right = _borders(image, box)
        crops.append(_resized(image[:, top:bottom, left:right], size_hw))
    return torch.cat(crops)


def crop_and_warp__stops_gradients(image, boxes, size_hw):
    """Cuts out of a detached image."""
    return _crops(image.detach(), boxes, size_hw) + 0 * image.sum()


def crop_and_warp__samples_without_rounding(image, boxes, size_hw):
    """Interpolates between the box's real corners, as RoI align does."""
    _, height, width = image.shape
    crops = [image.new_zeros((0, len(image), *size_hw))]
    for x1, y1, x2, y2 in boxes.tolist():
        y = y1 + (torch.arange(size_hw[0]) + 0.5) * (y2 - y1) / size_hw[0]
        x = x1 + (torch.arange(size_hw[1]) + 0.5) * (x2 - x1) / size_hw[1]
        y, x = torch.meshgrid(2 * y / height - 1, 2 * x / width - 1, indexing="ij")
        places = torch.stack([x, y], dim=-1)[None].to(image.dtype)
        options = {"padding_mode": "border", "align_corners": False}
        crops.append(F.grid_sample(image[None], places, **options))
    return torch.cat(crops)


def _cross_entropy(class_logits, labels):
    """Sum over those that are not neutral, and their number, at least 1."""
    used = labels >= 0
    total = F.cross_entropy(class_logits[used], labels[used], reduction="sum")
    return total, max(1, int(used.sum()))


def _box_loss(deltas, labels, target_deltas, **options):
    positive = labels > 0
    options = {"reduction": "sum"} | options
    return F.smooth_l1_loss(deltas[positive], target_deltas[positive], **options)


def rcnn_loss__averages_boxes_over_positives(class_logits, deltas, labels, target_deltas):
    """The box loss divided by the number of positives."""
    total, count = _cross_entropy(class_logits, labels)
    positives = max(1, int((labels > 0).sum()))
    return total / count + _box_loss(deltas, labels, target_deltas) / positives


def rcnn_loss__averages_over_everything(class_logits, deltas, labels, target_deltas):
    """Neutral proposals count in the averages."""
    total, _ = _cross_entropy(class_logits, labels)
    return (total + _box_loss(deltas, labels, target_deltas)) / max(1, len(labels))


def rcnn_loss__averages_the_four_numbers(class_logits, deltas, labels, target_deltas):
    """The mean over dx, dy, dw, dh instead of the sum."""
    total, count = _cross_entropy(class_logits, labels)
    return (total + _box_loss(deltas, labels, target_deltas) / 4) / count


def rcnn_loss__does_not_average(class_logits, deltas, labels, target_deltas):
    """Sums: a larger batch has a larger loss."""
    total, _ = _cross_entropy(class_logits, labels)
    return total + _box_loss(deltas, labels, target_deltas)


def rcnn_loss__corrects_background_too(class_logits, deltas, labels, target_deltas):
    """A box loss for every proposal that is not neutral."""
    total, count = _cross_entropy(class_logits, labels)
    used = labels >= 0
    box_loss = F.smooth_l1_loss(deltas[used], target_deltas[used], reduction="sum")
    return (total + box_loss) / count


def rcnn_loss__multiplies_with_the_mask(class_logits, deltas, labels, target_deltas):
    """NaN times 0 is NaN."""
    total, count = _cross_entropy(class_logits, labels)
    each = F.smooth_l1_loss(deltas, target_deltas, reduction="none").sum(dim=1)
    return (total + (each * (labels > 0)).sum()) / count


def rcnn_loss__masks_after_the_loss(class_logits, deltas, labels, target_deltas):
    """torch.where on the finished loss: its value is right, its gradient is NaN."""
    total, count = _cross_entropy(class_logits, labels)
    error = (deltas - target_deltas).abs()
    each = torch.where(error < 1, error.square() / 2, error - 0.5).sum(dim=1)
    return (total + torch.where(labels > 0, each, 0.0).sum()) / count


def rcnn_loss__takes_neutral_for_background(class_logits, deltas, labels, target_deltas):
    """Label −1 becomes 0."""
    labels = labels.clamp(min=0)
    total, count = _cross_entropy(class_logits, labels)
    return (total + _box_loss(deltas, labels, target_deltas)) / count


def rcnn_loss__has_no_class_loss_for_background(class_logits, deltas, labels, target_deltas):
    """Classes of positives alone: the network never learns what background is."""
    positive = labels > 0
    total = F.cross_entropy(class_logits[positive], labels[positive], reduction="sum")
    _, count = _cross_entropy(class_logits, labels)
    return (total + _box_loss(deltas, labels, target_deltas)) / count


def rcnn_loss__squares(class_logits, deltas, labels, target_deltas):
    """Half of the square everywhere."""
    total, count = _cross_entropy(class_logits, labels)
    positive = labels > 0
    box_loss = (deltas[positive] - target_deltas[positive]).square().sum() / 2
    return (total + box_loss) / count


def rcnn_loss__uses_another_beta(class_logits, deltas, labels, target_deltas):
    """beta = 1/9, as other detectors have it."""
    total, count = _cross_entropy(class_logits, labels)
    return (total + _box_loss(deltas, labels, target_deltas, beta=1 / 9)) / count


def rcnn_loss__is_nan_over_nothing(class_logits, deltas, labels, target_deltas):
    """The mean over no proposal is 0 / 0."""
    class_loss = F.cross_entropy(class_logits, labels, ignore_index=-1)
    return class_loss + _box_loss(deltas, labels, target_deltas) / (labels >= 0).sum()


def rcnn_loss__is_nan_without_positives(class_logits, deltas, labels, target_deltas):
    """The mean over no positive is NaN, whatever comes after."""
    total, count = _cross_entropy(class_logits, labels)
    positives = (labels > 0).sum()
    mean = _box_loss(deltas, labels, target_deltas, reduction="mean") * 4
    return total / count + mean * positives / count


def rcnn_loss__returns_a_constant_zero(class_logits, deltas, labels, target_deltas):
    """0 without a graph: backward() has nowhere to go."""
    if not (labels >= 0).any():
        return torch.tensor(0.0)
    total, count = _cross_entropy(class_logits, labels)
    return (total + _box_loss(deltas, labels, target_deltas)) / count


def rcnn_loss__takes_the_softmax_twice(class_logits, deltas, labels, target_deltas):
    """Probabilities into a function that wants logits."""
    total, count = _cross_entropy(class_logits.softmax(dim=1), labels)
    return (total + _box_loss(deltas, labels, target_deltas)) / count
