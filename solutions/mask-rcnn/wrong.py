"""Wrong answers to the sheet `mask-rcnn`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""

import torch
from torch.nn import functional as F


def _centres(low, high, count):
    part = (torch.arange(count) + 0.5) / count
    return low[:, None] + part * (high - low)[:, None]


def _weights(position, size):
    """(…, P) index coordinates → (…, P, size): how much of each pixel is mixed in."""
    position = position.double().clamp(0, size - 1)
    return (1 - (position[..., None] - torch.arange(size)).abs()).clamp(min=0)


def _mixed(images, y, x):
    """Samples at index coordinates: (N, H, W), (N, h), (N, w) → (N, h, w)."""
    rows, columns = _weights(y, images.shape[1]), _weights(x, images.shape[2])
    return (rows @ images.double() @ columns.transpose(1, 2)).float()


def _cut(masks, boxes, size_hw):
    y = _centres(boxes[:, 1], boxes[:, 3], size_hw[0])
    x = _centres(boxes[:, 0], boxes[:, 2], size_hw[1])
    return _mixed(masks, y - 0.5, x - 0.5)


def crop_mask_targets__takes_the_nearest_pixel(masks, boxes, size_hw):
    """Each cell gets the value of the pixel that its centre lies in."""
    y = _centres(boxes[:, 1], boxes[:, 3], size_hw[0]).long().clamp(max=masks.shape[1] - 1)
    x = _centres(boxes[:, 0], boxes[:, 2], size_hw[1]).long().clamp(max=masks.shape[2] - 1)
    return masks.float()[torch.arange(len(masks))[:, None, None], y[:, :, None], x[:, None]]


def crop_mask_targets__makes_hard_targets(masks, boxes, size_hw):
    """Rounds what it has mixed: a mask is 0 or 1."""
    return (_cut(masks, boxes, size_hw) >= 0.5).float()


def crop_mask_targets__forgets_half_a_pixel(masks, boxes, size_hw):
    """Takes coordinates for indices: pixel j would have its centre at x = j."""
    y = _centres(boxes[:, 1], boxes[:, 3], size_hw[0])
    x = _centres(boxes[:, 0], boxes[:, 2], size_hw[1])
    return _mixed(masks, y, x)


def crop_mask_targets__samples_the_corners_of_cells(masks, boxes, size_hw):
    """The cell in column c is sampled at c instead of c + ½ cells."""
    low, high = boxes[:, :2], boxes[:, 2:]
    cell = (high - low) / torch.tensor([size_hw[1], size_hw[0]])
    return _cut(masks, torch.cat([low - cell / 2, high - cell / 2], dim=1), size_hw)


def crop_mask_targets__spreads_samples_to_the_edges(masks, boxes, size_hw):
    """The first and the last sample lie on the edges of the box, as with align_corners=True."""
    parts = [torch.linspace(0, 1, count) for count in size_hw]
    y = boxes[:, 1:2] + parts[0] * (boxes[:, 3:] - boxes[:, 1:2])
    x = boxes[:, 0:1] + parts[1] * (boxes[:, 2:3] - boxes[:, 0:1])
    return _mixed(masks, y - 0.5, x - 0.5)


def crop_mask_targets__rounds_the_box(masks, boxes, size_hw):
    """Makes whole pixels of the box first."""
    return _cut(masks, boxes.round(), size_hw)


def crop_mask_targets__resizes_the_slice(masks, boxes, size_hw):
    """Cuts out whole pixels and resizes them, as for a thumbnail."""
    targets = [torch.zeros((0, *size_hw))]
    for mask, box in zip(masks.float(), boxes.tolist(), strict=True):
        x1, y1, x2, y2 = (int(edge) for edge in box)
        piece = mask[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
        targets.append(F.interpolate(piece[None, None], size_hw, mode="bilinear")[0])
    return torch.cat(targets)


def crop_mask_targets__averages_over_cells(masks, boxes, size_hw):
    """Four samples a cell: the mean over the cell, not the value at its centre."""
    h, w = size_hw
    fine = _cut(masks, boxes, (2 * h, 2 * w))
    return fine.reshape(len(masks), h, 2, w, 2).mean(dim=(2, 4))


def crop_mask_targets__adds_one_to_the_box(masks, boxes, size_hw):
    """Counts pixels inclusively: x2 - x1 + 1."""
    return _cut(masks, boxes + torch.tensor([0.0, 0.0, 1.0, 1.0]), size_hw)


def crop_mask_targets__swaps_x_and_y(masks, boxes, size_hw):
    """Takes boxes as (y1, x1, y2, x2)."""
    return _cut(masks, boxes[:, [1, 0, 3, 2]], size_hw)


def crop_mask_targets__takes_width_first(masks, boxes, size_hw):
    """Reads size_hw as (w, h)."""
    return _cut(masks, boxes, size_hw[::-1])


def crop_mask_targets__turns_the_mask(masks, boxes, size_hw):
    """Gives columns where rows belong."""
    cells = _cut(masks, boxes, (size_hw[0], size_hw[1]))
    return cells.transpose(1, 2).reshape(cells.shape)


def crop_mask_targets__swaps_the_weights(masks, boxes, size_hw):
    """The farther pixel counts for more."""
    y = _centres(boxes[:, 1], boxes[:, 3], size_hw[0]) - 0.5
    x = _centres(boxes[:, 0], boxes[:, 2], size_hw[1]) - 0.5
    return _mixed(masks, y.floor() + y.ceil() - y, x.floor() + x.ceil() - x)


def crop_mask_targets__fades_out_at_the_border(masks, boxes, size_hw):
    """Zeros beyond the outermost pixels' centres: grid_sample's default."""
    padded = F.pad(masks.float(), (1, 1, 1, 1))
    return _cut(padded, boxes + 1, size_hw)


def crop_mask_targets__uses_the_first_box(masks, boxes, size_hw):
    """One box for all masks."""
    return _cut(masks, boxes[:1].expand(len(masks), 4), size_hw)


def crop_mask_targets__fails_without_masks(masks, boxes, size_hw):
    """Loops and stacks: an empty list cannot be stacked."""
    cells = [_cut(masks[[n]], boxes[[n]], size_hw)[0] for n in range(len(masks))]
    return torch.stack(cells)


def crop_mask_targets__keeps_the_masks_dtype(masks, boxes, size_hw):
    """A bool mask gives bool targets."""
    return _cut(masks, boxes, size_hw).to(masks.dtype)


def crop_mask_targets__changes_the_boxes(masks, boxes, size_hw):
    """Moves the caller's boxes to index coordinates and leaves them there."""
    boxes -= 0.5
    y = _centres(boxes[:, 1], boxes[:, 3], size_hw[0])
    x = _centres(boxes[:, 0], boxes[:, 2], size_hw[1])
    return _mixed(masks, y, x)


def mask_loss__takes_the_label_as_the_channel(mask_logits, labels, mask_targets):
    """Class c in channel c, as if the background had a channel; the last class wraps round."""
    positive = labels > 0
    channels = labels[positive] % mask_logits.shape[1]
    logits = mask_logits[positive, channels]
    total = F.binary_cross_entropy_with_logits(logits, mask_targets[positive], reduction="sum")
    return total / max(logits.numel(), 1)


def mask_loss__asks_all_channels(mask_logits, labels, mask_targets):
    """The same target in every channel."""
    positive = labels > 0
    logits = mask_logits[positive]
    targets = mask_targets[positive][:, None].expand_as(logits)
    total = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    return total / max(logits.numel(), 1)


def mask_loss__wants_other_channels_empty(mask_logits, labels, mask_targets):
    """Zeros as the targets of the other classes: classes compete."""
    positive = labels > 0
    logits = mask_logits[positive]
    targets = torch.zeros_like(logits)
    targets[torch.arange(len(logits)), labels[positive] - 1] = mask_targets[positive]
    total = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    return total / max(logits.numel(), 1)


def mask_loss__softmax_over_classes(mask_logits, labels, mask_targets):
    """Each cell chooses a class: a softmax over channels."""
    positive = labels > 0
    probabilities = mask_logits[positive].softmax(dim=1)
    chosen = probabilities[torch.arange(len(probabilities)), labels[positive] - 1]
    losses = F.binary_cross_entropy(chosen, mask_targets[positive], reduction="sum")
    return losses / max(chosen.numel(), 1)


def mask_loss__makes_nothing_of_nan(mask_logits, labels, mask_targets):
    """A zero with a gradient, made of all numbers: NaN times 0 is NaN."""
    positive = labels > 0
    if not positive.any():
        return (mask_logits.sum() + mask_targets.sum()) * 0
    chosen = mask_logits[positive, labels[positive] - 1]
    return F.binary_cross_entropy_with_logits(chosen, mask_targets[positive])


def mask_loss__sums_over_cells(mask_logits, labels, mask_targets):
    """The sum: it grows with regions and cells."""
    positive = labels > 0
    logits = mask_logits[positive, labels[positive] - 1]
    return F.binary_cross_entropy_with_logits(logits, mask_targets[positive], reduction="sum")


def mask_loss__divides_by_regions(mask_logits, labels, mask_targets):
    """The mean over regions of sums over cells."""
    positive = labels > 0
    logits = mask_logits[positive, labels[positive] - 1]
    total = F.binary_cross_entropy_with_logits(logits, mask_targets[positive], reduction="sum")
    return total / max(len(logits), 1)


def mask_loss__divides_by_all_regions_cells(mask_logits, labels, mask_targets):
    """Background and neutral regions count in the denominator."""
    positive = labels > 0
    logits = mask_logits[positive, labels[positive] - 1]
    total = F.binary_cross_entropy_with_logits(logits, mask_targets[positive], reduction="sum")
    return total / max(mask_targets.numel(), 1)


def mask_loss__trains_on_background(mask_logits, labels, mask_targets):
    """Label 0 takes part: its channel −1 is the last one."""
    chosen = labels >= 0
    logits = mask_logits[chosen, labels[chosen] - 1]
    total = F.binary_cross_entropy_with_logits(logits, mask_targets[chosen], reduction="sum")
    return total / max(logits.numel(), 1)


def mask_loss__trains_on_neutral_regions(mask_logits, labels, mask_targets):
    """Everything that is not background takes part: the label −1 too."""
    chosen = labels != 0
    channels = (labels[chosen] - 1) % mask_logits.shape[1]
    logits = mask_logits[chosen, channels]
    total = F.binary_cross_entropy_with_logits(logits, mask_targets[chosen], reduction="sum")
    return total / max(logits.numel(), 1)


def mask_loss__multiplies_by_zero(mask_logits, labels, mask_targets):
    """Weighs the regions that take no part with 0: 0 · NaN is NaN."""
    positive = (labels > 0).float()
    channels = (labels - 1).clamp(min=0)
    logits = mask_logits[torch.arange(len(labels)), channels]
    losses = F.binary_cross_entropy_with_logits(logits, mask_targets, reduction="none")
    total = (losses * positive[:, None, None]).sum()
    return total / (positive.sum() * losses[:1].numel()).clamp(min=1)


def mask_loss__is_nan_without_positives(mask_logits, labels, mask_targets):
    """The mean over nothing."""
    positive = labels > 0
    logits = mask_logits[positive, labels[positive] - 1]
    return F.binary_cross_entropy_with_logits(logits, mask_targets[positive])


def mask_loss__has_no_gradient_without_positives(mask_logits, labels, mask_targets):
    """A constant 0: backward() fails in the first batch without a thing."""
    positive = labels > 0
    if not positive.any():
        return torch.zeros(())
    logits = mask_logits[positive, labels[positive] - 1]
    return F.binary_cross_entropy_with_logits(logits, mask_targets[positive])


def mask_loss__takes_the_logarithm_of_a_sigmoid(mask_logits, labels, mask_targets):
    """The formula as it is written: −inf where the sigmoid is rounded to 0 or 1."""
    positive = labels > 0
    p, t = mask_logits[positive, labels[positive] - 1].sigmoid(), mask_targets[positive]
    total = -(t * p.log() + (1 - t) * (1 - p).log()).sum()
    return total / max(p.numel(), 1)


def mask_loss__cuts_probabilities_off(mask_logits, labels, mask_targets):
    """Keeps the logarithm finite by clamping the sigmoid: no gradient at large logits."""
    positive = labels > 0
    p = mask_logits[positive, labels[positive] - 1].sigmoid().clamp(1e-6, 1 - 1e-6)
    t = mask_targets[positive]
    total = -(t * p.log() + (1 - t) * (1 - p).log()).sum()
    return total / max(p.numel(), 1)


def mask_loss__rounds_the_targets(mask_logits, labels, mask_targets):
    """Makes soft targets hard."""
    positive = labels > 0
    logits = mask_logits[positive, labels[positive] - 1]
    targets = (mask_targets[positive] >= 0.5).float()
    total = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    return total / max(logits.numel(), 1)


def mask_loss__forgets_the_zeros(mask_logits, labels, mask_targets):
    """Only the cells in the mask: −t ln σ(z)."""
    positive = labels > 0
    logits = mask_logits[positive, labels[positive] - 1]
    total = -(mask_targets[positive] * F.logsigmoid(logits)).sum()
    return total / max(logits.numel(), 1)


def mask_loss__applies_the_sigmoid_twice(mask_logits, labels, mask_targets):
    """Probabilities into a loss that expects logits."""
    positive = labels > 0
    p = mask_logits[positive, labels[positive] - 1].sigmoid()
    total = F.binary_cross_entropy_with_logits(p, mask_targets[positive], reduction="sum")
    return total / max(p.numel(), 1)


def mask_loss__cleans_the_callers_targets(mask_logits, labels, mask_targets):
    """Zeroes the targets that take no part, in place."""
    mask_targets[labels <= 0] = 0
    positive = labels > 0
    logits = mask_logits[positive, labels[positive] - 1]
    total = F.binary_cross_entropy_with_logits(logits, mask_targets[positive], reduction="sum")
    return total / max(logits.numel(), 1)


def _inside(box, image_hw):
    x1, y1, x2, y2 = box.tolist()
    y, x = torch.arange(image_hw[0]) + 0.5, torch.arange(image_hw[1]) + 0.5
    return ((y >= y1) & (y < y2))[:, None] & ((x >= x1) & (x < x2))


def _samples(mask, box, image_hw):
    """The sample of every pixel of the image, wherever it lies."""
    (h, w), (x1, y1, x2, y2) = mask.shape, box.tolist()
    y, x = torch.arange(image_hw[0]) + 0.5, torch.arange(image_hw[1]) + 0.5
    down = (y - y1) / ((y2 - y1) or 1) * h - 0.5
    across = (x - x1) / ((x2 - x1) or 1) * w - 0.5
    return _mixed(mask[None], down[None], across[None])[0]


def paste_mask__takes_the_nearest_cell(mask, box, image_hw, threshold=0.5):
    """Each pixel gets the cell that its centre lies in."""
    (h, w), (x1, y1, x2, y2) = mask.shape, box.tolist()
    y, x = torch.arange(image_hw[0]) + 0.5, torch.arange(image_hw[1]) + 0.5
    rows = ((y - y1) / ((y2 - y1) or 1) * h).long().clamp(0, h - 1)
    columns = ((x - x1) / ((x2 - x1) or 1) * w).long().clamp(0, w - 1)
    return _inside(box, image_hw) & (mask[rows][:, columns] >= threshold)


def paste_mask__compares_first(mask, box, image_hw, threshold=0.5):
    """Thresholds the cells and enlarges what is left."""
    hard = (mask >= threshold).float()
    return _inside(box, image_hw) & (_samples(hard, box, image_hw) >= 0.5)


def paste_mask__must_exceed_the_threshold(mask, box, image_hw, threshold=0.5):
    """Greater instead of at least."""
    return _inside(box, image_hw) & (_samples(mask, box, image_hw) > threshold)


def paste_mask__knows_its_own_threshold(mask, box, image_hw, threshold=0.5):
    """Always 0.5."""
    return _inside(box, image_hw) & (_samples(mask, box, image_hw) >= 0.5)


def paste_mask__fades_out_at_the_edge(mask, box, image_hw, threshold=0.5):
    """Zeros beyond the outermost cells' centres: grid_sample's default."""
    (h, w), (x1, y1, x2, y2) = mask.shape, box.tolist()
    cell = torch.tensor([(x2 - x1) / w, (y2 - y1) / h])
    wider = torch.cat([box[:2] - cell, box[2:] + cell])
    padded = F.pad(mask, (1, 1, 1, 1))
    return _inside(box, image_hw) & (_samples(padded, wider, image_hw) >= threshold)


def paste_mask__spreads_cells_to_the_edges(mask, box, image_hw, threshold=0.5):
    """The outermost cells' centres lie on the edges of the box, as with align_corners=True."""
    (h, w), (x1, y1, x2, y2) = mask.shape, box.tolist()
    y, x = torch.arange(image_hw[0]) + 0.5, torch.arange(image_hw[1]) + 0.5
    down = (y - y1) / ((y2 - y1) or 1) * (h - 1)
    across = (x - x1) / ((x2 - x1) or 1) * (w - 1)
    samples = _mixed(mask[None], down[None], across[None])[0]
    return _inside(box, image_hw) & (samples >= threshold)


def paste_mask__forgets_half_a_cell(mask, box, image_hw, threshold=0.5):
    """Takes places in cells for indices of cells."""
    (h, w), (x1, y1, x2, y2) = mask.shape, box.tolist()
    y, x = torch.arange(image_hw[0]) + 0.5, torch.arange(image_hw[1]) + 0.5
    down = (y - y1) / ((y2 - y1) or 1) * h
    across = (x - x1) / ((x2 - x1) or 1) * w
    samples = _mixed(mask[None], down[None], across[None])[0]
    return _inside(box, image_hw) & (samples >= threshold)


def paste_mask__forgets_half_a_pixel(mask, box, image_hw, threshold=0.5):
    """A pixel's place is its upper left corner instead of its centre."""
    shifted = box + 0.5
    return _inside(shifted, image_hw) & (_samples(mask, shifted, image_hw) >= threshold)


def paste_mask__rounds_the_box(mask, box, image_hw, threshold=0.5):
    """Makes whole pixels of the box first."""
    whole = box.round()
    return _inside(whole, image_hw) & (_samples(mask, whole, image_hw) >= threshold)


def paste_mask__adds_one_to_the_box(mask, box, image_hw, threshold=0.5):
    """Counts pixels inclusively."""
    wider = box + torch.tensor([0.0, 0.0, 1.0, 1.0])
    return _inside(wider, image_hw) & (_samples(mask, wider, image_hw) >= threshold)


def paste_mask__clips_the_box(mask, box, image_hw, threshold=0.5):
    """Squeezes the whole mask into what of the box is in the image."""
    height, width = image_hw
    clipped = torch.minimum(box.clamp(min=0), torch.tensor([width, height, width, height]))
    return _inside(clipped, image_hw) & (_samples(mask, clipped, image_hw) >= threshold)


def paste_mask__closes_the_box(mask, box, image_hw, threshold=0.5):
    """Centres on the right and the lower edge are inside too."""
    x1, y1, x2, y2 = box.tolist()
    y, x = torch.arange(image_hw[0]) + 0.5, torch.arange(image_hw[1]) + 0.5
    inside = ((y >= y1) & (y <= y2))[:, None] & ((x >= x1) & (x <= x2))
    return inside & (_samples(mask, box, image_hw) >= threshold)


def paste_mask__opens_the_box(mask, box, image_hw, threshold=0.5):
    """Centres on the left and the upper edge are not inside."""
    x1, y1, x2, y2 = box.tolist()
    y, x = torch.arange(image_hw[0]) + 0.5, torch.arange(image_hw[1]) + 0.5
    inside = ((y > y1) & (y <= y2))[:, None] & ((x > x1) & (x <= x2))
    return inside & (_samples(mask, box, image_hw) >= threshold)


def paste_mask__takes_every_touched_pixel(mask, box, image_hw, threshold=0.5):
    """All pixels that the box overlaps, however little."""
    whole = torch.cat([box[:2].floor(), box[2:].ceil()])
    return _inside(whole, image_hw) & (_samples(mask, box, image_hw) >= threshold)


def paste_mask__has_no_box(mask, box, image_hw, threshold=0.5):
    """Repeats the border through the whole image."""
    return _samples(mask, box, image_hw) >= threshold


def paste_mask__takes_width_first(mask, box, image_hw, threshold=0.5):
    """Reads image_hw as (W, H)."""
    size = image_hw[::-1]
    return _inside(box, size) & (_samples(mask, box, size) >= threshold)


def paste_mask__swaps_x_and_y(mask, box, image_hw, threshold=0.5):
    """Takes the box as (y1, x1, y2, x2)."""
    box = box[[1, 0, 3, 2]]
    return _inside(box, image_hw) & (_samples(mask, box, image_hw) >= threshold)


def paste_mask__turns_the_mask(mask, box, image_hw, threshold=0.5):
    """Rows of cells along x."""
    turned = mask.T
    return _inside(box, image_hw) & (_samples(turned, box, image_hw) >= threshold)


def paste_mask__takes_logits(mask, box, image_hw, threshold=0.5):
    """Applies a sigmoid to what are probabilities already."""
    return _inside(box, image_hw) & (_samples(mask.sigmoid(), box, image_hw) >= threshold)


def paste_mask__gives_probabilities(mask, box, image_hw, threshold=0.5):
    """Never compares with the threshold."""
    return _samples(mask, box, image_hw) * _inside(box, image_hw)


def paste_mask__fails_outside_the_image(mask, box, image_hw, threshold=0.5):
    """Counts the pixels inside as if there had to be some."""
    inside = _inside(box, image_hw)
    first = inside.nonzero()[0]
    pasted = inside & (_samples(mask, box, image_hw) >= threshold)
    pasted[: int(first[0])] = False
    return pasted


def paste_mask__fails_without_area(mask, box, image_hw, threshold=0.5):
    """Divides Python numbers by 0."""
    (h, w), (x1, y1, x2, y2) = mask.shape, box.tolist()
    per_column, per_row = w / (x2 - x1), h / (y2 - y1)
    y, x = torch.arange(image_hw[0]) + 0.5, torch.arange(image_hw[1]) + 0.5
    samples = _mixed(
        mask[None], ((y - y1) * per_row)[None] - 0.5, ((x - x1) * per_column)[None] - 0.5
    )
    return _inside(box, image_hw) & (samples[0] >= threshold)


def paste_mask__changes_the_box(mask, box, image_hw, threshold=0.5):
    """Clips the caller's box in place, after it has been used."""
    pasted = _inside(box, image_hw) & (_samples(mask, box, image_hw) >= threshold)
    box.clamp_(min=0)
    return pasted


def _cells(keypoints, boxes, size_hw):
    """Where each keypoint lies, in cells: columns and rows (N, K), floating point."""
    corner, sides = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
    parts = (keypoints[..., :2] - corner) / sides
    return parts[..., 0] * size_hw[1], parts[..., 1] * size_hw[0]


def _within(keypoints, boxes):
    points = keypoints[..., :2]
    return ((points >= boxes[:, None, :2]) & (points <= boxes[:, None, 2:])).all(dim=2)


def _one_hot(columns, rows, valid, size_hw):
    h, w = size_hw
    maps = torch.zeros((*valid.shape, h, w))
    where = valid.nonzero(as_tuple=True)
    columns, rows = columns.long().clamp(0, w - 1), rows.long().clamp(0, h - 1)
    maps[(*where, rows[valid], columns[valid])] = 1
    return maps


def keypoints_to_heatmaps__ignores_visibility(keypoints, boxes, size_hw):
    """Absent keypoints are marked where they happen to be written."""
    valid = _within(keypoints, boxes)
    return _one_hot(*_cells(keypoints, boxes, size_hw), valid, size_hw), valid


def keypoints_to_heatmaps__leaves_hidden_ones_out(keypoints, boxes, size_hw):
    """Only visible keypoints are valid."""
    valid = (keypoints[..., 2] == 2) & _within(keypoints, boxes)
    return _one_hot(*_cells(keypoints, boxes, size_hw), valid, size_hw), valid


def keypoints_to_heatmaps__pulls_outsiders_in(keypoints, boxes, size_hw):
    """A keypoint outside the box is marked in the nearest cell."""
    valid = keypoints[..., 2] > 0
    return _one_hot(*_cells(keypoints, boxes, size_hw), valid, size_hw), valid


def keypoints_to_heatmaps__marks_what_is_not_valid(keypoints, boxes, size_hw):
    """The truth values are right, but every map has its one."""
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    every = torch.ones_like(valid)
    return _one_hot(*_cells(keypoints, boxes, size_hw), every, size_hw), valid


def keypoints_to_heatmaps__opens_the_box(keypoints, boxes, size_hw):
    """Half-open: a keypoint on the right or lower edge is lost."""
    points = keypoints[..., :2]
    inside = ((points >= boxes[:, None, :2]) & (points < boxes[:, None, 2:])).all(dim=2)
    valid = (keypoints[..., 2] > 0) & inside
    return _one_hot(*_cells(keypoints, boxes, size_hw), valid, size_hw), valid


def keypoints_to_heatmaps__runs_over_the_edge(keypoints, boxes, size_hw):
    """x = x2 gives the column w, which does not exist."""
    columns, rows = _cells(keypoints, boxes, size_hw)
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    maps = torch.zeros((*valid.shape, *size_hw))
    where = valid.nonzero(as_tuple=True)
    maps[(*where, rows.long()[valid], columns.long()[valid])] = 1
    return maps, valid


def keypoints_to_heatmaps__rounds_to_the_nearest(keypoints, boxes, size_hw):
    """Rounds cells instead of cutting them down."""
    columns, rows = _cells(keypoints, boxes, size_hw)
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    return _one_hot(columns.round(), rows.round(), valid, size_hw), valid


def keypoints_to_heatmaps__spreads_cells_to_the_edges(keypoints, boxes, size_hw):
    """Multiplies by w − 1, so that the last column needs no special case."""
    columns, rows = _cells(keypoints, boxes, (size_hw[0] - 1, size_hw[1] - 1))
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    return _one_hot(columns, rows, valid, size_hw), valid


def keypoints_to_heatmaps__forgets_the_corner(keypoints, boxes, size_hw):
    """Measures from the corner of the image."""
    at_origin = torch.cat([0 * boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1)
    columns, rows = _cells(keypoints, at_origin, size_hw)
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    return _one_hot(columns, rows, valid, size_hw), valid


def keypoints_to_heatmaps__swaps_rows_and_columns(keypoints, boxes, size_hw):
    """x along the rows."""
    columns, rows = _cells(keypoints, boxes, size_hw)
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    return _one_hot(rows, columns, valid, size_hw), valid


def keypoints_to_heatmaps__takes_width_first(keypoints, boxes, size_hw):
    """Reads size_hw as (w, h)."""
    size = size_hw[::-1]
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    return _one_hot(*_cells(keypoints, boxes, size), valid, size), valid


def keypoints_to_heatmaps__makes_blobs(keypoints, boxes, size_hw):
    """A Gaussian around the keypoint instead of a single cell."""
    columns, rows = _cells(keypoints, boxes, size_hw)
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    y, x = torch.arange(size_hw[0])[:, None] + 0.5, torch.arange(size_hw[1]) + 0.5
    squares = (x - columns[..., None, None]) ** 2 + (y - rows[..., None, None]) ** 2
    return (-squares / 2).exp() * valid[..., None, None], valid


def keypoints_to_heatmaps__uses_the_first_box(keypoints, boxes, size_hw):
    """One box for all persons."""
    boxes = boxes[:1].expand(len(keypoints), 4)
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    return _one_hot(*_cells(keypoints, boxes, size_hw), valid, size_hw), valid


def keypoints_to_heatmaps__fails_without_persons(keypoints, boxes, size_hw):
    """Stacks a list that may be empty."""
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    maps = _one_hot(*_cells(keypoints, boxes, size_hw), valid, size_hw)
    return torch.stack(list(maps)), valid


def keypoints_to_heatmaps__changes_the_keypoints(keypoints, boxes, size_hw):
    """Moves the caller's keypoints to the corner of the box."""
    valid = (keypoints[..., 2] > 0) & _within(keypoints, boxes)
    columns, rows = _cells(keypoints, boxes, size_hw)
    keypoints[..., :2] -= boxes[:, None, :2]
    return _one_hot(columns, rows, valid, size_hw), valid


def _in_pixels(columns, rows, boxes, size_hw):
    """x and y of places given in cells."""
    sides = boxes[:, 2:] - boxes[:, :2]
    x = boxes[:, :1] + columns / size_hw[1] * sides[:, :1]
    y = boxes[:, 1:2] + rows / size_hw[0] * sides[:, 1:]
    return x, y


def heatmaps_to_keypoints__answers_with_the_corner(heatmaps, boxes):
    """The upper left corner of the best cell."""
    h, w = heatmaps.shape[2:]
    value, cell = heatmaps.flatten(2).max(dim=2)
    return torch.stack([*_in_pixels(cell % w, cell // w, boxes, (h, w)), value], dim=2)


def heatmaps_to_keypoints__stays_in_the_box(heatmaps, boxes):
    """Pixels from the corner of the box."""
    h, w = heatmaps.shape[2:]
    value, cell = heatmaps.flatten(2).max(dim=2)
    boxes = boxes - boxes[:, [0, 1, 0, 1]]
    x, y = _in_pixels(cell % w + 0.5, cell // w + 0.5, boxes, (h, w))
    return torch.stack([x, y, value], dim=2)


def heatmaps_to_keypoints__stays_in_cells(heatmaps, boxes):
    """Places in the map, not in the image."""
    _, w = heatmaps.shape[2:]
    value, cell = heatmaps.flatten(2).max(dim=2)
    return torch.stack([cell % w + 0.5, cell // w + 0.5, value], dim=2)


def heatmaps_to_keypoints__takes_y_first(heatmaps, boxes):
    """Row before column."""
    h, w = heatmaps.shape[2:]
    value, cell = heatmaps.flatten(2).max(dim=2)
    x, y = _in_pixels(cell % w + 0.5, cell // w + 0.5, boxes, (h, w))
    return torch.stack([y, x, value], dim=2)


def heatmaps_to_keypoints__divides_by_the_height(heatmaps, boxes):
    """Unflattens with the number of rows: right for square maps."""
    h, w = heatmaps.shape[2:]
    value, cell = heatmaps.flatten(2).max(dim=2)
    x, y = _in_pixels(cell % h + 0.5, cell // h + 0.5, boxes, (h, w))
    return torch.stack([x, y, value], dim=2)


def heatmaps_to_keypoints__spreads_cells_to_the_edges(heatmaps, boxes):
    """The first and the last cell's centres lie on the edges of the box."""
    h, w = heatmaps.shape[2:]
    value, cell = heatmaps.flatten(2).max(dim=2)
    size = (max(h - 1, 1), max(w - 1, 1))
    return torch.stack([*_in_pixels(cell % w, cell // w, boxes, size), value], dim=2)


def heatmaps_to_keypoints__takes_the_last_of_equals(heatmaps, boxes):
    """Of several best cells the last in row order."""
    h, w = heatmaps.shape[2:]
    value, cell = heatmaps.flatten(2).flip(2).max(dim=2)
    cell = h * w - 1 - cell
    x, y = _in_pixels(cell % w + 0.5, cell // w + 0.5, boxes, (h, w))
    return torch.stack([x, y, value], dim=2)


def heatmaps_to_keypoints__goes_by_columns(heatmaps, boxes):
    """Of several best cells the leftmost, whatever its row."""
    h, w = heatmaps.shape[2:]
    value, cell = heatmaps.transpose(2, 3).flatten(2).max(dim=2)
    x, y = _in_pixels(cell // h + 0.5, cell % h + 0.5, boxes, (h, w))
    return torch.stack([x, y, value], dim=2)


def heatmaps_to_keypoints__best_row_and_best_column(heatmaps, boxes):
    """The row with the largest sum and the column with the largest sum."""
    h, w = heatmaps.shape[2:]
    rows, columns = heatmaps.sum(dim=3).argmax(dim=2), heatmaps.sum(dim=2).argmax(dim=2)
    x, y = _in_pixels(columns + 0.5, rows + 0.5, boxes, (h, w))
    return torch.stack([x, y, heatmaps.amax(dim=(2, 3))], dim=2)


def heatmaps_to_keypoints__averages_places(heatmaps, boxes):
    """The mean place under a softmax over cells."""
    h, w = heatmaps.shape[2:]
    weights = heatmaps.flatten(2).softmax(dim=2).reshape(heatmaps.shape)
    columns = (weights * (torch.arange(w) + 0.5)).sum(dim=(2, 3))
    rows = (weights * (torch.arange(h)[:, None] + 0.5)).sum(dim=(2, 3))
    x, y = _in_pixels(columns, rows, boxes, (h, w))
    return torch.stack([x, y, heatmaps.amax(dim=(2, 3))], dim=2)


def heatmaps_to_keypoints__gives_probabilities(heatmaps, boxes):
    """The softmax's value as the third number."""
    h, w = heatmaps.shape[2:]
    value, cell = heatmaps.flatten(2).softmax(dim=2).max(dim=2)
    x, y = _in_pixels(cell % w + 0.5, cell // w + 0.5, boxes, (h, w))
    return torch.stack([x, y, value], dim=2)


def heatmaps_to_keypoints__says_visible(heatmaps, boxes):
    """A visibility of 2 as the third number."""
    h, w = heatmaps.shape[2:]
    value, cell = heatmaps.flatten(2).max(dim=2)
    x, y = _in_pixels(cell % w + 0.5, cell // w + 0.5, boxes, (h, w))
    return torch.stack([x, y, torch.full_like(value, 2)], dim=2)


def heatmaps_to_keypoints__fails_without_keypoints(heatmaps, boxes):
    """reshape(…, −1) cannot know what −1 is when there is nothing."""
    n, k, h, w = heatmaps.shape
    value, cell = heatmaps.reshape(n, k, -1).max(dim=2)
    x, y = _in_pixels(cell % w + 0.5, cell // w + 0.5, boxes, (h, w))
    return torch.stack([x, y, value], dim=2)


def heatmaps_to_keypoints__cools_the_map(heatmaps, boxes):
    """Marks the best cell of the caller's map as used."""
    h, w = heatmaps.shape[2:]
    value, cell = heatmaps.flatten(2).max(dim=2)
    heatmaps.flatten(2).scatter_(2, cell[..., None], -torch.inf)
    x, y = _in_pixels(cell % w + 0.5, cell // w + 0.5, boxes, (h, w))
    return torch.stack([x, y, value], dim=2)


def heatmaps_to_keypoints__searches_from_minus_a_billion(heatmaps, boxes):
    """Takes a number that is low enough for everything to begin with."""
    points = torch.zeros((*heatmaps.shape[:2], 3))
    height, width = heatmaps.shape[2:]
    for n, k in torch.cartesian_prod(*map(torch.arange, heatmaps.shape[:2])).tolist():
        best, where = -1e9, (0, 0)
        for row in range(height):
            for column in range(width):
                if heatmaps[n, k, row, column] > best:
                    best, where = float(heatmaps[n, k, row, column]), (row, column)
        x1, y1, x2, y2 = boxes[n].tolist()
        x = x1 + (where[1] + 0.5) * (x2 - x1) / width
        y = y1 + (where[0] + 0.5) * (y2 - y1) / height
        points[n, k] = torch.tensor([x, y, best])
    return points


def _merge(semantic, masks, labels, stuff_classes, order, is_dropped):
    """Things in an order, dropped by a rule on (area, free pixels), then stuff."""
    classes, instances = torch.full_like(semantic, 255), torch.zeros_like(semantic)
    number = 0
    for index in order:
        free = masks[index] & (instances == 0)
        if free.any() and not is_dropped(int(masks[index].sum()), int(free.sum())):
            number += 1
            classes[free], instances[free] = labels[index], number
    for label in stuff_classes:
        stuff = (instances == 0) & (semantic == label)
        classes[stuff] = label
    return classes, instances


def _best_first(scores):
    return scores.argsort(descending=True, stable=True).tolist()


def panoptic_merge__takes_them_as_they_come(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Never looks at the scores."""
    return _merge(
        semantic,
        masks,
        labels,
        stuff_classes,
        range(len(masks)),
        lambda area, free: area - free > overlap_threshold * area,
    )


def panoptic_merge__takes_the_worst_first(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Sorts the wrong way round."""
    return _merge(
        semantic,
        masks,
        labels,
        stuff_classes,
        _best_first(-scores),
        lambda area, free: area - free > overlap_threshold * area,
    )


def panoptic_merge__breaks_ties_backwards(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Sorts upwards and reverses: of equal scores the last comes first."""
    return _merge(
        semantic,
        masks,
        labels,
        stuff_classes,
        scores.argsort(stable=True).flip(0).tolist(),
        lambda area, free: area - free > overlap_threshold * area,
    )


def panoptic_merge__drops_at_the_threshold(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """At least instead of more than; what is free altogether stays."""
    return _merge(
        semantic,
        masks,
        labels,
        stuff_classes,
        _best_first(scores),
        lambda area, free: free < area and area - free >= overlap_threshold * area,
    )


def panoptic_merge__knows_its_own_threshold(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Always 0.5."""
    return _merge(
        semantic,
        masks,
        labels,
        stuff_classes,
        _best_first(scores),
        lambda area, free: 2 * (area - free) > area,
    )


def panoptic_merge__never_drops(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Whatever is left of an instance is shown."""
    return _merge(semantic, masks, labels, stuff_classes, _best_first(scores), lambda *_: False)


def panoptic_merge__keeps_what_has_little_left(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Drops by the share that is left instead of the share that is taken: right at 0.5."""
    return _merge(
        semantic,
        masks,
        labels,
        stuff_classes,
        _best_first(scores),
        lambda area, free: free < overlap_threshold * area,
    )


def _by_pairs(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold, overlap, meets=None
):
    """Dropped because of one accepted instance alone."""
    classes, instances = torch.full_like(semantic, 255), torch.zeros_like(semantic)
    accepted = []
    for index in _best_first(scores):
        free = masks[index] & (instances == 0)
        rivals = [other for other in accepted if meets is None or meets(index, other)]
        shares = [overlap(masks[index], masks[other]) for other in rivals]
        if free.any() and max(shares, default=0.0) <= overlap_threshold:
            accepted.append(index)
            classes[free], instances[free] = labels[index], len(accepted)
    stuff = (instances == 0) & torch.isin(
        semantic, torch.tensor(list(stuff_classes), dtype=torch.int64)
    )
    return torch.where(stuff, semantic, classes), instances


def _own_share(mask, other):
    return float((mask & other).sum() / mask.sum())


def panoptic_merge__compares_by_iou(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """NMS on masks: drops by the IoU with a better instance."""

    def iou(mask, other):
        return float((mask & other).sum() / (mask | other).sum())

    return _by_pairs(semantic, masks, labels, scores, stuff_classes, overlap_threshold, iou)


def panoptic_merge__looks_at_one_rival_at_a_time(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """What several have taken does not add up."""
    return _by_pairs(semantic, masks, labels, scores, stuff_classes, overlap_threshold, _own_share)


def panoptic_merge__suppresses_within_a_class(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Only instances of the same class count as rivals."""
    return _by_pairs(
        semantic,
        masks,
        labels,
        scores,
        stuff_classes,
        overlap_threshold,
        _own_share,
        lambda one, two: labels[one] == labels[two],
    )


def panoptic_merge__paints_over(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """A later instance takes the pixels of an earlier one."""
    classes, instances = torch.full_like(semantic, 255), torch.zeros_like(semantic)
    number = 0
    for index in _best_first(scores):
        mask = masks[index]
        taken = (mask & (instances > 0)).sum()
        if taken < mask.sum() and taken <= overlap_threshold * mask.sum():
            number += 1
            classes[mask], instances[mask] = labels[index], number
    for label in stuff_classes:
        classes[(instances == 0) & (semantic == label)] = label
    return classes, instances


def panoptic_merge__dropped_ones_take_pixels(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Marks the pixels of an instance as taken before it is dropped."""
    taken = torch.zeros(semantic.shape, dtype=torch.bool)
    classes, instances = torch.full_like(semantic, 255), torch.zeros_like(semantic)
    number = 0
    for index in _best_first(scores):
        free, area = masks[index] & ~taken, masks[index].sum()
        taken |= masks[index]
        if free.any() and area - free.sum() <= overlap_threshold * area:
            number += 1
            classes[free], instances[free] = labels[index], number
    for label in stuff_classes:
        classes[(instances == 0) & (semantic == label)] = label
    return classes, instances


def panoptic_merge__numbers_the_dropped_ones(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """The number is the rank by score: dropped instances leave gaps."""
    classes, instances = torch.full_like(semantic, 255), torch.zeros_like(semantic)
    for rank, index in enumerate(_best_first(scores), start=1):
        free, area = masks[index] & (instances == 0), masks[index].sum()
        if free.any() and area - free.sum() <= overlap_threshold * area:
            classes[free], instances[free] = labels[index], rank
    for label in stuff_classes:
        classes[(instances == 0) & (semantic == label)] = label
    return classes, instances


def panoptic_merge__accepts_what_is_covered(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Looks at the threshold alone: an instance without a pixel left takes a number."""
    classes, instances = torch.full_like(semantic, 255), torch.zeros_like(semantic)
    number = 0
    for index in _best_first(scores):
        free, area = masks[index] & (instances == 0), masks[index].sum()
        if area > 0 and area - free.sum() <= overlap_threshold * area:
            number += 1
            classes[free], instances[free] = labels[index], number
    for label in stuff_classes:
        classes[(instances == 0) & (semantic == label)] = label
    return classes, instances


def panoptic_merge__fails_on_empty_masks(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Divides by the area."""
    classes, instances = torch.full_like(semantic, 255), torch.zeros_like(semantic)
    number = 0
    for index in _best_first(scores):
        free, area = masks[index] & (instances == 0), int(masks[index].sum())
        share = (area - int(free.sum())) / area
        if free.any() and share <= overlap_threshold:
            number += 1
            classes[free], instances[free] = labels[index], number
    for label in stuff_classes:
        classes[(instances == 0) & (semantic == label)] = label
    return classes, instances


def panoptic_merge__numbers_by_input(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """The number is the index in the input plus one."""
    classes, instances = torch.full_like(semantic, 255), torch.zeros_like(semantic)
    for index in _best_first(scores):
        free, area = masks[index] & (instances == 0), masks[index].sum()
        if free.any() and area - free.sum() <= overlap_threshold * area:
            classes[free], instances[free] = labels[index], index + 1
    for label in stuff_classes:
        classes[(instances == 0) & (semantic == label)] = label
    return classes, instances


def panoptic_merge__numbers_each_class(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Every class counts from 1."""
    classes, instances = torch.full_like(semantic, 255), torch.zeros_like(semantic)
    taken, numbers = torch.zeros(semantic.shape, dtype=torch.bool), {}
    for index in _best_first(scores):
        free, area = masks[index] & ~taken, masks[index].sum()
        if free.any() and area - free.sum() <= overlap_threshold * area:
            label = int(labels[index])
            numbers[label] = numbers.get(label, 0) + 1
            classes[free], instances[free] = label, numbers[label]
            taken |= free
    for label in stuff_classes:
        classes[~taken & (semantic == label)] = label
    return classes, instances


def _right(semantic, masks, labels, scores, stuff_classes, overlap_threshold):
    return _merge(
        semantic,
        masks,
        labels,
        stuff_classes,
        _best_first(scores),
        lambda area, free: area - free > overlap_threshold * area,
    )


def panoptic_merge__lets_stuff_win(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Stuff is written last, over the things too."""
    classes, instances = _right(semantic, masks, labels, scores, stuff_classes, overlap_threshold)
    stuff = torch.isin(semantic, torch.tensor(list(stuff_classes), dtype=torch.int64))
    return torch.where(stuff, semantic, classes), instances.masked_fill(stuff, 0)


def panoptic_merge__believes_semantic_about_things(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Everything that no instance covers comes from semantic."""
    classes, instances = _right(semantic, masks, labels, scores, stuff_classes, overlap_threshold)
    return torch.where(instances == 0, semantic, classes), instances


def panoptic_merge__needs_semantic_to_agree(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """An instance keeps only the pixels in which semantic says its class."""
    classes, instances = _right(semantic, masks, labels, scores, stuff_classes, overlap_threshold)
    disagree = (instances > 0) & (classes != semantic)
    return classes.masked_fill(disagree, 255), instances.masked_fill(disagree, 0)


def panoptic_merge__respects_void(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Masks lose the pixels that semantic calls void."""
    known = masks & (semantic != 255)
    return _right(semantic, known, labels, scores, stuff_classes, overlap_threshold)


def panoptic_merge__rounds_shares(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Compares a share with one digit behind the point."""

    def is_dropped(area, free):
        return round((area - free) / area, 1) > overlap_threshold

    return _merge(semantic, masks, labels, stuff_classes, _best_first(scores), is_dropped)


def panoptic_merge__leaves_zero(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """0 instead of void where nothing is known."""
    classes, instances = _right(semantic, masks, labels, scores, stuff_classes, overlap_threshold)
    return classes.masked_fill(classes == 255, 0), instances


def panoptic_merge__numbers_stuff(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Each kind of stuff gets a number, after the things."""
    classes, instances = _right(semantic, masks, labels, scores, stuff_classes, overlap_threshold)
    things = instances > 0
    number = int(instances.max()) if instances.numel() else 0
    for label in stuff_classes:
        number += 1
        instances[(classes == label) & ~things] = number
    return classes, instances


def panoptic_merge__knows_the_stuff(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Takes 5, 6 and 7 for stuff, whatever it is told."""
    return _right(semantic, masks, labels, scores, (5, 6, 7), overlap_threshold)


def panoptic_merge__writes_into_semantic(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """The result is made of the caller's map."""
    classes, instances = _right(semantic, masks, labels, scores, stuff_classes, overlap_threshold)
    semantic.copy_(classes)
    return semantic, instances


def panoptic_merge__fails_without_instances(
    semantic, masks, labels, scores, stuff_classes, overlap_threshold=0.5
):
    """Takes the best score of nothing."""
    scores = scores / scores.max().abs()
    return _right(semantic, masks, labels, scores, stuff_classes, overlap_threshold)


def _masks_of(classes, instances, ignored=(255,)):
    """{(class, number): mask} of all segments."""
    found = {}
    pairs = torch.stack([classes.flatten(), instances.flatten()], dim=1).unique(dim=0)
    for label, number in pairs.tolist():
        if label not in ignored:
            found[label, number] = (classes == label) & (instances == number)
    return found


def _judge(
    prediction,
    target,
    *,
    is_match=lambda iou: iou > 0.5,
    pair=lambda key, other: key[0] == other[0],
    forgiven=lambda on_void, area: 2 * on_void > area,
    forgive_first=False,
    union_void=False,
    ignored=(255,),
    true_ignored=(255,),
):
    """TP (their IoUs), FP and FN of each class, with the rules as given."""
    void = target[0] == 255
    true, predicted = _masks_of(*target, true_ignored), _masks_of(*prediction, ignored)
    pardoned = {
        key for key, mask in predicted.items() if forgiven(int((mask & void).sum()), mask.sum())
    }
    if forgive_first:
        predicted = {key: mask for key, mask in predicted.items() if key not in pardoned}
    counts = {label: [[], 0, 0] for label, _ in [*true, *predicted]}
    met = set()
    for key, mask in true.items():
        found = False
        for other, guess in predicted.items():
            if pair(key, other):
                union = (mask | guess) if union_void else (mask | guess) & ~void
                iou = float((mask & guess).sum() / union.sum())
                if is_match(iou):
                    counts[key[0]][0].append(iou)
                    met.add(other)
                    found = True
        counts[key[0]][2] += not found
    for other in predicted:
        counts[other[0]][1] += other not in met and other not in pardoned
    return counts


def _three(overlaps, fp, fn):
    tp = len(overlaps)
    weight = tp + fp / 2 + fn / 2
    return sum(overlaps) / weight, sum(overlaps) / max(tp, 1), tp / weight


def _table(counts):
    return {
        label: _three(overlaps, fp, fn)
        for label, (overlaps, fp, fn) in counts.items()
        if overlaps or fp or fn
    }


def panoptic_quality__matches_at_one_half(prediction, target):
    """At least ½: two halves both match."""
    return _table(_judge(prediction, target, is_match=lambda iou: iou >= 0.5))


def panoptic_quality__matches_by_number(prediction, target):
    """The same number in both maps is the same thing."""
    return _table(_judge(prediction, target, pair=lambda key, other: key == other))


def panoptic_quality__matches_across_classes(prediction, target):
    """Shape alone makes a match."""
    return _table(_judge(prediction, target, pair=lambda *_: True))


def panoptic_quality__keeps_void_in_the_union(prediction, target):
    """Pixels that nobody knows count against the prediction."""
    return _table(_judge(prediction, target, union_void=True))


def panoptic_quality__forgives_nothing(prediction, target):
    """A false alarm on void is a false alarm."""
    return _table(_judge(prediction, target, forgiven=lambda *_: False))


def panoptic_quality__forgives_any_void(prediction, target):
    """A single pixel on void is enough."""
    return _table(_judge(prediction, target, forgiven=lambda on_void, _: on_void > 0))


def panoptic_quality__forgives_at_one_half(prediction, target):
    """Half on void is enough."""
    return _table(_judge(prediction, target, forgiven=lambda on_void, area: 2 * on_void >= area))


def panoptic_quality__forgives_before_matching(prediction, target):
    """Segments with much void are removed first, those that would have matched too."""
    return _table(_judge(prediction, target, forgive_first=True))


def panoptic_quality__takes_void_for_a_class(prediction, target):
    """The predicted 255 is a segment: a false positive."""
    return _table(_judge(prediction, target, ignored=()))


def panoptic_quality__judges_void(prediction, target):
    """255 is a class of the truth too."""
    void = target[0] == 255
    known = target[0].masked_fill(void, 256), target[1]
    prediction = prediction[0].masked_fill(prediction[0] == 255, 256), prediction[1]
    found = _table(_judge(prediction, known))
    return {255 if label == 256 else label: three for label, three in found.items()}


def panoptic_quality__ignores_void_of_the_prediction(prediction, target):
    """Pixels without an answer are taken out of everything."""
    silent = prediction[0] == 255
    target = target[0].masked_fill(silent, 255), target[1]
    return _table(_judge(prediction, target))


def panoptic_quality__clears_void_first(prediction, target):
    """Void pixels are taken out of the predicted segments at once: nothing is left to forgive."""
    void = target[0] == 255
    return _table(_judge((prediction[0].masked_fill(void, 255), prediction[1]), target))


def panoptic_quality__leaves_stuff_out(prediction, target):
    """Number 0 is taken for no segment."""
    cleared = [(c.masked_fill(i == 0, 255), i) for c, i in (prediction, target)]
    return _table(_judge(*cleared))


def panoptic_quality__leaves_class_zero_out(prediction, target):
    """Takes class 0 for background that nobody judges."""
    return {k: v for k, v in _table(_judge(prediction, target)).items() if k != 0}


def panoptic_quality__merges_instances(prediction, target):
    """One segment a class: semantic segmentation."""
    plain = [(c, torch.zeros_like(i)) for c, i in (prediction, target)]
    return _table(_judge(*plain))


def panoptic_quality__merges_equal_numbers(prediction, target):
    """The number alone names a thing: its class is that of its first pixel."""

    def renamed(classes, instances):
        classes = classes.clone()
        for number in instances[instances > 0].unique().tolist():
            where = (instances == number) & (classes != 255)
            if where.any():
                classes[where] = classes[where][0].clone()
        return classes, instances

    return _table(_judge(renamed(*prediction), renamed(*target)))


def panoptic_quality__splits_parts(prediction, target):
    """A segment is one connected piece: parts apart are segments of their own."""

    def pieces(classes, instances):
        changes = (classes.diff(dim=1) != 0) | (instances.diff(dim=1) != 0)
        runs = F.pad(changes.long().cumsum(dim=1), (1, 0))
        if len(classes) == 1:
            return classes, instances * 1000 + runs * (instances > 0)
        return classes, instances

    return _table(_judge(pieces(*prediction), pieces(*target)))


def panoptic_quality__counts_mistakes_in_full(prediction, target):
    """TP + FP + FN in the denominator, without the halves."""

    def three(overlaps, fp, fn):
        tp = len(overlaps)
        everything = tp + fp + fn
        return sum(overlaps) / everything, sum(overlaps) / max(tp, 1), tp / everything

    return {
        label: three(*counts)
        for label, counts in _judge(prediction, target).items()
        if counts[0] or counts[1] or counts[2]
    }


def panoptic_quality__forgets_false_alarms(prediction, target):
    """Recall instead of RQ."""
    counts = _judge(prediction, target)
    return {
        label: (sum(o) / (len(o) + fn), sum(o) / max(len(o), 1), len(o) / (len(o) + fn))
        if len(o) + fn
        else (0.0, 0.0, 0.0)
        for label, (o, fp, fn) in counts.items()
        if o or fp or fn
    }


def panoptic_quality__forgets_misses(prediction, target):
    """Precision instead of RQ."""
    counts = _judge(prediction, target)
    return {
        label: (sum(o) / (len(o) + fp), sum(o) / max(len(o), 1), len(o) / (len(o) + fp))
        if len(o) + fp
        else (0.0, 0.0, 0.0)
        for label, (o, fp, fn) in counts.items()
        if o or fp or fn
    }


def panoptic_quality__averages_over_all_segments(prediction, target):
    """SQ over matched and missed segments."""
    counts = _judge(prediction, target)
    result = {}
    for label, (overlaps, fp, fn) in counts.items():
        if overlaps or fp or fn:
            pq, _, rq = _three(overlaps, fp, fn)
            result[label] = pq, sum(overlaps) / max(len(overlaps) + fn, 1), rq
    return result


def panoptic_quality__divides_by_no_match(prediction, target):
    """SQ is 0 / 0 without a match."""
    counts = _judge(prediction, target)
    result = {}
    for label, (overlaps, fp, fn) in counts.items():
        if overlaps or fp or fn:
            pq, sq, rq = _three(overlaps, fp, fn)
            result[label] = pq, sq if overlaps else float("nan"), rq
    return result


def panoptic_quality__puts_pq_last(prediction, target):
    """(SQ, RQ, PQ) instead of (PQ, SQ, RQ)."""
    found = _table(_judge(prediction, target))
    return {label: (sq, rq, pq) for label, (pq, sq, rq) in found.items()}


def panoptic_quality__skips_classes_without_truth(prediction, target):
    """Only classes of the truth are judged: a hallucinated class costs nothing."""
    true = {label for label, _ in _masks_of(*target)}
    found = _table(_judge(prediction, target))
    return {label: three for label, three in found.items() if label in true}


def panoptic_quality__skips_classes_without_answer(prediction, target):
    """Only predicted classes are judged: a class that was overlooked costs nothing."""
    guessed = {label for label, _ in _masks_of(*prediction)}
    found = _table(_judge(prediction, target))
    return {label: three for label, three in found.items() if label in guessed}


def panoptic_quality__lists_forgiven_classes(prediction, target):
    """A class whose only segment is forgiven is listed with zeros."""
    return {
        label: _three(*counts) if counts[0] or counts[1] or counts[2] else (0.0, 0.0, 0.0)
        for label, counts in _judge(prediction, target).items()
    }


def panoptic_quality__clears_the_callers_maps(prediction, target):
    """Writes void into the caller's prediction after it has been judged."""
    found = _table(_judge(prediction, target))
    prediction[0][target[0] == 255] = 255
    return found


def panoptic_quality__counts_to_a_hundred(prediction, target):
    """One number of class and instance, 100 · class + instance: large numbers run into others."""
    joined = [100 * maps[0] + maps[1] for maps in (prediction, target)]
    return _table(_judge(*((numbers // 100, numbers % 100) for numbers in joined)))


def panoptic_quality__knows_the_stuff(prediction, target):
    """All pixels of a class of stuff are one segment, whatever their numbers."""
    pairs = [(maps[0], torch.where(maps[0] > 4, 0, maps[1])) for maps in (prediction, target)]
    return _table(_judge(*pairs))
