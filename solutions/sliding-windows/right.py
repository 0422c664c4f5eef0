"""Right answers to the sheet `sliding-windows`, written in other ways than the reference.

A hidden test that rejects one of these punishes understanding.
"""

import torch
from torch.nn import functional as F


def count_window_positions__counts_starts(height, width, window_h, window_w, stride=1):
    """Counts the rows and columns at which a window may begin."""
    rows = range(0, height - window_h + 1, stride)
    columns = range(0, width - window_w + 1, stride)
    return len(rows) * len(columns)


def count_window_positions__one_axis_at_a_time(height, width, window_h, window_w, stride=1):
    """A negative number of steps is no step."""

    def along(side, window):
        return max(0, (side - window + stride) // stride)

    return along(height, window_h) * along(width, window_w)


def count_all_boxes__pairs_of_edges(height, width):
    """A box is a pair of rows' borders and a pair of columns' borders."""
    from math import comb

    return comb(height + 1, 2) * comb(width + 1, 2)


def count_all_boxes__one_product(height, width):
    """One division at the end, exact in integers."""
    return height * (height + 1) * width * (width + 1) // 4


def count_all_boxes__sums_of_heights_and_widths(height, width):
    """Sums the positions of each height and of each width."""
    down = sum(height - h + 1 for h in range(1, height + 1))
    across = sum(width - w + 1 for w in range(1, width + 1))
    return down * across


def sliding_windows__two_loops(image, window_hw, stride):
    """Cuts one window after the other."""
    channels, height, width = image.shape
    high, wide = window_hw
    windows, boxes = [], []
    for y in range(0, height - high + 1, stride):
        for x in range(0, width - wide + 1, stride):
            windows.append(image[:, y : y + high, x : x + wide])
            boxes.append([x, y, x + wide, y + high])
    if not windows:
        return torch.zeros((0, channels, high, wide), dtype=image.dtype), torch.zeros((0, 4))
    return torch.stack(windows), torch.tensor(boxes, dtype=torch.float64)


def sliding_windows__by_index(image, window_hw, stride):
    """Gathers all windows at once with index arrays."""
    high, wide = window_hw
    tops = torch.arange(0, max(image.shape[1] - high + 1, 0), stride)
    lefts = torch.arange(0, max(image.shape[2] - wide + 1, 0), stride)
    rows = tops[:, None] + torch.arange(high)  # [R, h]
    columns = lefts[:, None] + torch.arange(wide)  # [K, w]
    cut = image[:, rows[:, None, :, None], columns[None, :, None, :]]  # [C, R, K, h, w]
    windows = cut.movedim(0, 2).flatten(0, 1)
    corners = torch.cartesian_prod(tops, lefts).reshape(-1, 2).flip(1).float()
    return windows, torch.cat([corners, corners + torch.tensor([wide, high])], dim=1)


def sliding_windows__by_columns(image, window_hw, stride):
    """F.unfold gives each window as a column; it wants floating point and a window that fits."""
    channels, height, width = image.shape
    high, wide = window_hw
    if high > height or wide > width:
        return image.new_empty((0, channels, high, wide)), torch.empty((0, 4))
    columns = F.unfold(image.double()[None], (high, wide), stride=stride)[0]
    windows = columns.T.reshape(-1, channels, high, wide).to(image.dtype)
    across = (width - wide) // stride + 1
    number = torch.arange(len(windows))
    x, y = stride * (number % across), stride * (number // across)
    return windows, torch.stack([x, y, x + wide, y + high], dim=1).float()


def image_pyramid__one_at_a_time(image, scales):
    """A list comprehension over sizes."""
    height, width = image.shape[-2:]
    sizes = [(max(1, round(height * s)), max(1, round(width * s))) for s in scales]
    return [
        F.interpolate(image.unsqueeze(0), size, mode="bilinear", align_corners=False).squeeze(0)
        for size in sizes
    ]


def image_pyramid__by_sampling(image, scales):
    """Reads the image where the centre of each new pixel lies, one axis after the other."""
    levels = []
    for scale in scales:
        level = image.double()
        for axis in (1, 2):
            side = image.shape[axis]
            new = max(1, round(side * scale))
            centre = ((torch.arange(new) + 0.5) * (side / new) - 0.5).clamp(0, side - 1)
            low = centre.floor().long()
            high = (low + 1).clamp(max=side - 1)
            shape = [1, 1, 1]
            shape[axis] = new
            share = (centre - low).reshape(shape)
            near, far = level.index_select(axis, low), level.index_select(axis, high)
            level = near + (far - near) * share
        levels.append(level)
    return levels


def image_pyramid__by_torchvision(image, scales):
    """The library's resize, told not to smooth."""
    from torchvision.transforms import functional

    levels = []
    for scale in scales:
        size = [max(1, int(side * scale + 0.5)) for side in image.shape[1:]]
        levels.append(functional.resize(image, size, antialias=False))
    return levels


def sliding_window_detect__collects_everything_first(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """One batch for all levels, thresholded at the end."""
    height, width = image.shape[-2:]
    windows, boxes = [], []
    for level in image_pyramid(image, scales):  # noqa: F821
        cut, places = sliding_windows(level, window_hw, stride)  # noqa: F821
        factor = torch.tensor([width / level.shape[2], height / level.shape[1]]).repeat(2)
        windows.append(cut)
        boxes.append(places * factor)
    if sum(map(len, windows)) == 0:
        return torch.zeros((0, 4)), torch.zeros((0,))
    with torch.no_grad():
        scores = classifier(torch.cat(windows))
    keep = torch.nonzero(scores >= score_threshold).flatten()
    return torch.cat(boxes)[keep], scores[keep]


def sliding_window_detect__small_batches(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Batches of 64, with Python lists."""
    boxes, scores = [], []
    for level in image_pyramid(image, scales):  # noqa: F821
        high, wide = level.shape[1:]
        cut, places = sliding_windows(level, window_hw, stride)  # noqa: F821
        for start in range(0, len(cut), 64):
            batch = slice(start, start + 64)
            with torch.no_grad():
                said = classifier(cut[batch]).tolist()
            for score, (x1, y1, x2, y2) in zip(said, places[batch].tolist(), strict=True):
                if score >= score_threshold:
                    right, down = image.shape[2] / wide, image.shape[1] / high
                    boxes.append([x1 * right, y1 * down, x2 * right, y2 * down])
                    scores.append(score)
    return torch.tensor(boxes).reshape(-1, 4), torch.tensor(scores)


def sliding_window_detect__in_fractions_of_the_image(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Boxes as fractions of the level, made pixels of the image in float64; inference mode."""
    found = []
    for level in image_pyramid(image, scales):  # noqa: F821
        if any(side < window for side, window in zip(level.shape[1:], window_hw, strict=True)):
            continue
        windows, boxes = sliding_windows(level, window_hw, stride)  # noqa: F821
        with torch.inference_mode():
            scores = classifier(windows.contiguous())
        fractions = boxes.double() / torch.tensor(level.shape[1:]).flip(0).repeat(2)
        pixels = fractions * torch.tensor(image.shape[1:]).flip(0).repeat(2)
        found.append(torch.cat([pixels, scores[:, None]], dim=1)[scores >= score_threshold])
    together = torch.cat([torch.zeros((0, 5)), *found])
    return together[:, :4], together[:, 4]
