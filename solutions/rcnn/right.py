"""Right answers to the sheet `rcnn`, written in other ways than the reference.

A hidden test that rejects one of these punishes understanding.
"""

import heapq
import math

import numpy as np
import torch
from torch.nn import functional as F
from torchvision.ops import box_convert, box_iou


def histogram_intersection__one_bin_at_a_time(a, b):
    """Loops, with Python numbers."""
    total = 0.0
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        total += min(x, y)
    return torch.tensor(total)


def histogram_intersection__by_the_difference(a, b):
    """min(a, b) = (a + b - |a - b|) / 2, in float64."""
    a, b = a.double(), b.double()
    return (a + b - (a - b).abs()).sum() / 2


def histogram_intersection__stacks(a, b):
    """The smaller of two rows."""
    return torch.stack([a, b]).amin(dim=0).sum()


def hierarchical_grouping__from_scratch_every_time(
    boxes, sizes, histograms, neighbours, image_area
):
    """Python numbers, the whole formula, all similarities computed again before each merger."""
    alive = {
        index: (box, size, histogram)
        for index, (box, size, histogram) in enumerate(
            zip(boxes.tolist(), sizes.tolist(), histograms.tolist(), strict=True)
        )
    }
    touching = {tuple(pair) for pair in neighbours}
    found = list(alive.values())

    def similarity(i, j):
        (box_a, size_a, hist_a), (box_b, size_b, hist_b) = alive[i], alive[j]
        width = max(box_a[2], box_b[2]) - min(box_a[0], box_b[0])
        height = max(box_a[3], box_b[3]) - min(box_a[1], box_b[1])
        colour = sum(min(x, y) for x, y in zip(hist_a, hist_b, strict=True))
        size = 1 - (size_a + size_b) / image_area
        fill = 1 - (width * height - size_a - size_b) / image_area
        return colour + size + fill

    while touching:
        best = None
        for pair in sorted(touching):
            value = similarity(*pair)
            if best is None or value > best[0]:
                best = (value, pair)
        i, j = best[1]
        (box_a, size_a, hist_a), (box_b, size_b, hist_b) = alive.pop(i), alive.pop(j)
        size = size_a + size_b
        box = [min(box_a[k], box_b[k]) for k in (0, 1)] + [max(box_a[k], box_b[k]) for k in (2, 3)]
        histogram = [(size_a * x + size_b * y) / size for x, y in zip(hist_a, hist_b, strict=True)]
        new = len(found)
        alive[new] = (box, size, histogram)
        found.append(alive[new])
        renamed = {tuple(sorted(new if k in (i, j) else k for k in pair)) for pair in touching}
        touching = {pair for pair in renamed if pair[0] != pair[1]}
    return torch.tensor([box for box, _, _ in found]).reshape(-1, 4)


def hierarchical_grouping__with_a_heap(boxes, sizes, histograms, neighbours, image_area):
    """A heap of candidates; those of regions that are gone are skipped when they come up."""
    boxes, sizes, histograms = list(boxes.double()), list(sizes.double()), list(histograms.double())
    touches = {index: set() for index in range(len(boxes))}
    heap = []

    def push(i, j):
        hull = torch.cat(
            [torch.minimum(boxes[i], boxes[j])[:2], torch.maximum(boxes[i], boxes[j])[2:]]
        )
        both = sizes[i] + sizes[j]
        gap = (hull[2] - hull[0]) * (hull[3] - hull[1]) - both
        colour = torch.minimum(histograms[i], histograms[j]).sum()
        heapq.heappush(heap, (-float(colour + 2 - both / image_area - gap / image_area), i, j))

    for i, j in neighbours:
        touches[i].add(j)
        touches[j].add(i)
        push(i, j)
    while heap:
        _, i, j = heapq.heappop(heap)
        if i not in touches or j not in touches:
            continue
        new = len(boxes)
        boxes.append(
            torch.cat(
                [torch.minimum(boxes[i], boxes[j])[:2], torch.maximum(boxes[i], boxes[j])[2:]]
            )
        )
        sizes.append(sizes[i] + sizes[j])
        share = sizes[i] / sizes[new]
        histograms.append(share * histograms[i] + (1 - share) * histograms[j])
        around = (touches.pop(i) | touches.pop(j)) - {i, j}
        touches[new] = around
        for k in around:
            touches[k] = (touches[k] - {i, j}) | {new}
            push(k, new)
    return torch.stack(boxes) if boxes else torch.zeros((0, 4))


def hierarchical_grouping__with_a_matrix(boxes, sizes, histograms, neighbours, image_area):
    """One matrix of similarities for all regions that there will ever be, in NumPy."""
    count = len(boxes)
    room = max(1, 2 * count)
    corners, areas = np.zeros((room, 4)), np.zeros(room)
    colours = np.zeros((room, histograms.shape[1]))
    corners[:count], areas[:count], colours[:count] = boxes, sizes, histograms
    alike = np.full((room, room), -np.inf)

    def compare(i, j):
        low, high = np.minimum(corners[i], corners[j]), np.maximum(corners[i], corners[j])
        box = (high[2] - low[0]) * (high[3] - low[1])
        size = 1 - (areas[i] + areas[j]) / image_area
        fill = 1 - (box - areas[i] - areas[j]) / image_area
        alike[i, j] = np.minimum(colours[i], colours[j]).sum() + size + fill

    for i, j in neighbours:
        compare(i, j)
    while np.isfinite(alike).any():
        i, j = divmod(int(alike.argmax()), room)  # the first of equal maxima, row by row
        corners[count, :2] = np.minimum(corners[i], corners[j])[:2]
        corners[count, 2:] = np.maximum(corners[i], corners[j])[2:]
        areas[count] = areas[i] + areas[j]
        colours[count] = np.average(colours[[i, j]], axis=0, weights=areas[[i, j]])
        finite = np.isfinite(alike)
        touched = finite[[i, j]].any(axis=0) | finite[:, [i, j]].any(axis=1)
        touched[[i, j]] = False
        alike[[i, j]] = alike[:, [i, j]] = -np.inf
        for k in np.flatnonzero(touched):
            compare(k, count)
        count += 1
    return torch.from_numpy(corners[:count]).to(boxes.dtype)


def assign_proposals__one_at_a_time(proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3):
    """Loops, with Python numbers and an IoU of its own."""
    labels, matched = [], []
    for x1, y1, x2, y2 in proposals.tolist():
        best, index = 0.0, 0
        for number, (a1, b1, a2, b2) in enumerate(gt_boxes.tolist()):
            shared = max(0, min(x2, a2) - max(x1, a1)) * max(0, min(y2, b2) - max(y1, b1))
            iou = shared / ((x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - shared)
            if iou > best:
                best, index = iou, number
        matched.append(index)
        if len(gt_boxes) and best >= fg_iou:
            labels.append(int(gt_labels[index]))
        else:
            labels.append(0 if best < bg_iou or not len(gt_boxes) else -1)
    return torch.tensor(labels, dtype=torch.int64), torch.tensor(matched, dtype=torch.int64)


def assign_proposals__prepends_nothing(proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3):
    """A column of −1 for "no true box" makes the empty case ordinary; nested where."""
    iou = torch.cat(
        [box_iou(proposals.double(), gt_boxes.double()), torch.full((len(proposals), 1), -1.0)],
        dim=1,
    )
    classes = torch.cat([gt_labels, torch.zeros(1, dtype=torch.int64)])
    matched = iou.argmax(dim=1)
    best = iou.gather(1, matched[:, None])[:, 0]
    labels = torch.where(best >= fg_iou, classes[matched], torch.where(best < bg_iou, 0, -1))
    return labels, matched % max(1, len(gt_boxes))


def assign_proposals__starts_neutral(proposals, gt_boxes, gt_labels, fg_iou=0.5, bg_iou=0.3):
    """Transposed IoUs, neutral at first, and matched only where it is read."""
    labels = torch.full((len(proposals),), -1)
    matched = torch.zeros(len(proposals), dtype=torch.long)
    if not gt_boxes.numel():
        return labels * 0, matched
    iou = box_iou(gt_boxes, proposals)
    for number in reversed(range(len(gt_boxes))):
        chosen = (iou[number] == iou.amax(dim=0)) & (iou[number] >= fg_iou)
        labels[chosen], matched[chosen] = gt_labels[number], number
    labels[(iou < bg_iou).all(dim=0)] = 0
    return labels, matched


def encode_boxes__column_by_column(boxes, proposals):
    """Centre and size by torchvision, a difference of logarithms."""
    gx, gy, gw, gh = box_convert(boxes, "xyxy", "cxcywh").unbind(dim=1)
    px, py, pw, ph = box_convert(proposals, "xyxy", "cxcywh").unbind(dim=1)
    dw, dh = gw.log() - pw.log(), gh.log() - ph.log()
    return torch.stack([(gx - px) / pw, (gy - py) / ph, dw, dh], dim=1)


def encode_boxes__with_python_numbers(boxes, proposals):
    """One row at a time, in double precision throughout."""
    rows = []
    for (a1, b1, a2, b2), (x1, y1, x2, y2) in zip(boxes.tolist(), proposals.tolist(), strict=True):
        width, height = x2 - x1, y2 - y1
        dx = (a1 + (a2 - a1) / 2 - x1 - width / 2) / width
        dy = (b1 + (b2 - b1) / 2 - y1 - height / 2) / height
        rows.append([dx, dy, math.log((a2 - a1) / width), math.log((b2 - b1) / height)])
    return torch.tensor(rows, dtype=torch.float64).reshape(-1, 4)


def encode_boxes__in_units_of_the_proposal(boxes, proposals):
    """Sees the box in coordinates in which the proposal is the unit square around 0."""
    origin = (proposals[:, :2] + proposals[:, 2:]).repeat(1, 2) / 2
    unit = (proposals[:, 2:] - proposals[:, :2]).repeat(1, 2)
    corners = (boxes - origin) / unit
    return torch.cat(
        [corners[:, :2].lerp(corners[:, 2:], 0.5), (corners[:, 2:] - corners[:, :2]).log()], dim=1
    )


def decode_boxes__column_by_column(deltas, proposals):
    """Centre and size, and torchvision to come back."""
    x, y, width, height = box_convert(proposals, "xyxy", "cxcywh").unbind(dim=1)
    dx, dy, dw, dh = deltas.unbind(dim=1)
    limit = math.log(1000 / 16)
    moved = [x + dx * width, y + dy * height]
    sized = [width * dw.clamp(max=limit).exp(), height * dh.clamp(max=limit).exp()]
    return box_convert(torch.stack(moved + sized, dim=1), "cxcywh", "xyxy")


def decode_boxes__limits_the_ratio(deltas, proposals):
    """Cuts off behind the exponential, in float64: exp(1000) is infinite, and 62.5 is less."""
    deltas, proposals = deltas.double(), proposals.double()
    x1, y1, x2, y2 = proposals.split(1, dim=1)
    ratio = deltas[:, 2:].exp().minimum(torch.tensor(62.5, dtype=torch.float64))
    size = torch.cat([x2 - x1, y2 - y1], dim=1)
    corner = torch.cat([x1, y1], dim=1) + size * (deltas[:, :2] + 0.5 - ratio / 2)
    return torch.cat([corner, corner + size * ratio], dim=1)


def decode_boxes__stretches_the_unit_square(deltas, proposals):
    """The inverse of coordinates in which the proposal is the unit square."""
    unit = (proposals[:, 2:] - proposals[:, :2]).repeat(1, 2)
    origin = (proposals[:, :2] + proposals[:, 2:]).repeat(1, 2) / 2
    half = torch.exp(deltas[:, 2:].minimum(torch.full_like(deltas[:, 2:], math.log(62.5)))) / 2
    corners = deltas[:, :2].repeat(1, 2) + torch.cat([-half, half], dim=1)
    return corners * unit + origin


def crop_and_warp__with_tensors(image, boxes, size_hw):
    """Rounds and clips all boxes at once."""
    channels, height, width = image.shape
    last = torch.tensor([width - 1, height - 1])
    first = boxes[:, :2].floor().long().clamp(min=0).minimum(last)
    end = boxes[:, 2:].ceil().long().minimum(last + 1).maximum(first + 1)
    result = torch.zeros((len(boxes), channels, *size_hw), dtype=image.dtype)
    for row, ((left, top), (right, bottom)) in enumerate(
        zip(first.tolist(), end.tolist(), strict=True)
    ):
        part = image[:, top:bottom, left:right].unsqueeze(0)
        result[row] = F.interpolate(part, tuple(size_hw), mode="bilinear")[0]
    return result


def crop_and_warp__by_sampling(image, boxes, size_hw):
    """A regular grid of points for each region, which stop at the region's border pixels."""
    channels, height, width = image.shape

    def weights(begin, end, length, count):
        """(count, length): how much each pixel of an axis gives to each place."""
        begin = min(max(math.floor(begin), 0), length - 1)
        end = max(min(math.ceil(end), length), begin + 1)
        places = begin + (torch.arange(count).double() + 0.5) * (end - begin) / count - 0.5
        places = places.clamp(begin, end - 1)
        return (1 - (places[:, None] - torch.arange(length)).abs()).clamp(min=0).to(image.dtype)

    crops = torch.empty((0, channels, *size_hw), dtype=image.dtype)
    for x1, y1, x2, y2 in boxes.tolist():
        down, across = weights(y1, y2, height, size_hw[0]), weights(x1, x2, width, size_hw[1])
        crop = torch.einsum("yi,cij,xj->cyx", down, image, across)
        crops = torch.cat([crops, crop[None]])
    return crops


def crop_and_warp__by_index(image, boxes, size_hw):
    """Chooses rows and columns by lists of their numbers."""
    crops = []
    for x1, y1, x2, y2 in boxes.double().numpy():
        rows = [r for r in range(image.shape[1]) if math.floor(y1) <= r < math.ceil(y2)]
        columns = [c for c in range(image.shape[2]) if math.floor(x1) <= c < math.ceil(x2)]
        rows = rows or [int(np.clip(np.floor(y1), 0, image.shape[1] - 1))]
        columns = columns or [int(np.clip(np.floor(x1), 0, image.shape[2] - 1))]
        part = image[None][:, :, rows][:, :, :, columns]
        crops.append(torch.nn.Upsample(tuple(size_hw), mode="bilinear", align_corners=False)(part))
    return torch.cat(crops) if crops else image.new_empty((0, image.shape[0], *size_hw))


def rcnn_loss__one_proposal_at_a_time(class_logits, deltas, labels, target_deltas):
    """Loops; starts from a zero that hangs on both inputs."""
    total, count = 0 * class_logits.sum() + 0 * deltas.sum(), 0
    for row, label in enumerate(labels.tolist()):
        if label < 0:
            continue
        count += 1
        total = total + class_logits[row].logsumexp(dim=0) - class_logits[row, label]
        if label > 0:
            total = total + F.huber_loss(deltas[row], target_deltas[row], reduction="sum")
    return total / max(count, 1)


def rcnn_loss__cleans_targets_first(class_logits, deltas, labels, target_deltas):
    """Replaces the targets of non-positives by the corrections themselves: error 0."""
    safe = torch.where((labels > 0)[:, None], target_deltas, deltas.detach())
    error = (deltas - safe).abs()
    small = error.clamp(max=1)
    box_loss = small * (error - small / 2)
    classes = F.cross_entropy(class_logits, labels, ignore_index=-1, reduction="sum")
    return (classes + box_loss.sum()) / (labels != -1).sum().clamp(min=1)


def rcnn_loss__means_where_there_is_something(class_logits, deltas, labels, target_deltas):
    """Means in float64, and a zero by multiplication if everything is neutral."""
    used = labels != -1
    if not used.any():
        return class_logits.sum() * 0
    class_loss = F.nll_loss(class_logits[used].double().log_softmax(dim=1), labels[used])
    index = labels.clamp(min=0).nonzero()[:, 0]
    each = F.smooth_l1_loss(deltas[index].double(), target_deltas[index].double(), reduction="none")
    return class_loss + each.sum() / used.double().sum()


def rcnn_loss__selects_the_mean(class_logits, deltas, labels, target_deltas):
    """Divides the box loss by the positives and gives it back its share."""
    used, positive = (labels >= 0).nonzero()[:, 0], (labels >= 1).nonzero()[:, 0]
    loss = class_logits.sum() * 0
    if len(used):
        loss = F.cross_entropy(class_logits[used], labels[used])
    if len(positive):
        mean = F.smooth_l1_loss(deltas[positive], target_deltas[positive])
        loss = loss + 4 * mean * len(positive) / len(used)
    return loss
