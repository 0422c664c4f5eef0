"""Wrong answers to the sheet `sliding-windows`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""

import torch
from torch.nn import functional as F


def count_window_positions__forgets_the_first(height, width, window_h, window_w, stride=1):
    """Counts steps, not positions."""
    if window_h > height or window_w > width:
        return 0
    return ((height - window_h) // stride) * ((width - window_w) // stride)


def count_window_positions__every_pixel(height, width, window_h, window_w, stride=1):
    """Lets the window stick out: one position a pixel."""
    return (height // stride) * (width // stride)


def count_window_positions__swaps_height_and_width(height, width, window_h, window_w, stride=1):
    """Takes the window's width for its height."""
    if window_w > height or window_h > width:
        return 0
    return ((height - window_w) // stride + 1) * ((width - window_h) // stride + 1)


def count_window_positions__rounds_up(height, width, window_h, window_w, stride=1):
    """A last step that sticks out counts."""
    if window_h > height or window_w > width:
        return 0
    return (-(-(height - window_h) // stride) + 1) * (-(-(width - window_w) // stride) + 1)


def count_window_positions__divides_at_the_end(height, width, window_h, window_w, stride=1):
    """Counts with stride 1 and divides by the stride squared."""
    if window_h > height or window_w > width:
        return 0
    return (height - window_h + 1) * (width - window_w + 1) // stride**2


def count_window_positions__negative_times_negative(height, width, window_h, window_w, stride=1):
    """Forgets windows that are too large."""
    return ((height - window_h) // stride + 1) * ((width - window_w) // stride + 1)


def count_window_positions__fits_if_one_side_fits(height, width, window_h, window_w, stride=1):
    """Gives up only where the window is too large in both directions."""
    if window_h > height and window_w > width:
        return 0
    return abs((height - window_h) // stride + 1) * abs((width - window_w) // stride + 1)


def count_window_positions__ignores_the_stride(height, width, window_h, window_w, stride=1):
    """Always moves by one pixel."""
    return max(0, height - window_h + 1) * max(0, width - window_w + 1)


def count_window_positions__is_no_integer(height, width, window_h, window_w, stride=1):
    """Divides without rounding down."""
    if window_h > height or window_w > width:
        return 0
    return ((height - window_h) / stride + 1) * ((width - window_w) / stride + 1)


def count_window_positions__leaves_a_border(height, width, window_h, window_w, stride=1):
    """Counts the places for the window's centre at which a pixel is left on every side."""
    rows = range(0, height - window_h, stride)
    columns = range(0, width - window_w, stride)
    return len(rows) * len(columns)


def count_window_positions__strides_down_only(height, width, window_h, window_w, stride=1):
    """Moves by the stride from row to row, and by one pixel within a row."""
    return len(range(0, height - window_h + 1, stride)) * max(0, width - window_w + 1)


def count_window_positions__tiles(height, width, window_h, window_w, stride=1):
    """Windows side by side, none over another."""
    return (height // window_h) * (width // window_w)


def count_window_positions__truncates_towards_zero(height, width, window_h, window_w, stride=1):
    """int(-0.5) is 0: a window that is a little too large fits once."""
    rows = int((height - window_h) / stride) + 1
    columns = int((width - window_w) / stride) + 1
    return max(0, rows) * max(0, columns)


def count_all_boxes__floating_point(height, width):
    """Loses digits of large counts."""
    return int(height * (height + 1) / 2 * (width * (width + 1) / 2))


def count_all_boxes__squares(height, width):
    """Leaves the + 1 out."""
    return (height * height // 2) * (width * width // 2)


def count_all_boxes__without_the_smallest(height, width):
    """Sums to H - 1: boxes of one pixel are missing."""
    return (height * (height - 1) // 2) * (width * (width - 1) // 2)


def count_all_boxes__positions_of_one_size(height, width):
    """Counts places for a box, not sizes."""
    return height * width


def count_all_boxes__adds(height, width):
    """Adds what has to be multiplied."""
    return height * (height + 1) // 2 + width * (width + 1) // 2


def count_all_boxes__ordered_corners(height, width):
    """Counts every pair of corners, whichever comes first."""
    return height * (height + 1) * width * (width + 1)


def count_all_boxes__counts_boxes_without_area(height, width):
    """Lets the first edge be the last as well."""
    return ((height + 1) * (height + 2) // 2) * ((width + 1) * (width + 2) // 2)


def count_all_boxes__squares_only(height, width):
    """Fixes the aspect ratio: every side, every position."""
    return sum((height - k + 1) * (width - k + 1) for k in range(1, min(height, width) + 1))


def count_all_boxes__overflows(height, width):
    """64 bits hold less than 10 to the 19."""
    rows, columns = torch.tensor(height), torch.tensor(width)
    return int((rows * (rows + 1) // 2) * (columns * (columns + 1) // 2))


def count_all_boxes__is_off_by_a_thousand(height, width):
    """The slip of the lecture's slide."""
    return (height * (height + 1) // 2) * (width * (width + 1) // 2) // 1000


def _cut(image, window_hw, stride):
    high, wide = window_hw
    tops = range(0, image.shape[1] - high + 1, stride)
    lefts = range(0, image.shape[2] - wide + 1, stride)
    return tops, lefts


def _stacked(image, window_hw, corners):
    high, wide = window_hw
    windows = [image[:, y : y + high, x : x + wide] for x, y in corners]
    boxes = [[x, y, x + wide, y + high] for x, y in corners]
    empty = image.new_zeros((0, image.shape[0], high, wide))
    return torch.stack(windows) if windows else empty, torch.tensor(boxes).reshape(-1, 4).float()


def sliding_windows__column_by_column(image, window_hw, stride):
    """Goes down first, then across."""
    tops, lefts = _cut(image, window_hw, stride)
    return _stacked(image, window_hw, [(x, y) for x in lefts for y in tops])


def sliding_windows__swaps_x_and_y(image, window_hw, stride):
    """Writes the boxes as (y1, x1, y2, x2)."""
    tops, lefts = _cut(image, window_hw, stride)
    windows, boxes = _stacked(image, window_hw, [(x, y) for y in tops for x in lefts])
    return windows, boxes[:, [1, 0, 3, 2]]


def sliding_windows__inclusive_boxes(image, window_hw, stride):
    """Gives the last pixel as the corner."""
    tops, lefts = _cut(image, window_hw, stride)
    windows, boxes = _stacked(image, window_hw, [(x, y) for y in tops for x in lefts])
    return windows, boxes - torch.tensor([0.0, 0.0, 1.0, 1.0])


def sliding_windows__boxes_in_steps(image, window_hw, stride):
    """Numbers the positions instead of measuring them."""
    tops, lefts = _cut(image, window_hw, stride)
    windows, boxes = _stacked(image, window_hw, [(x, y) for y in tops for x in lefts])
    high, wide = window_hw
    corners = boxes[:, :2] // stride
    return windows, torch.cat([corners, corners + torch.tensor([wide, high])], dim=1)


def sliding_windows__misses_the_last(image, window_hw, stride):
    """Stops one position too early."""
    high, wide = window_hw
    tops = range(0, image.shape[1] - high, stride)
    lefts = range(0, image.shape[2] - wide, stride)
    return _stacked(image, window_hw, [(x, y) for y in tops for x in lefts])


def sliding_windows__scrambles_channels(image, window_hw, stride):
    """Reshapes where it should permute: right for one channel only."""
    high, wide = window_hw
    tops, lefts = _cut(image, window_hw, stride)
    if not tops or not lefts:
        return image.new_zeros((0, image.shape[0], high, wide)), torch.zeros((0, 4))
    _, boxes = _stacked(image, window_hw, [(x, y) for y in tops for x in lefts])
    cut = image.unfold(1, high, stride).unfold(2, wide, stride)
    return cut.reshape(-1, image.shape[0], high, wide), boxes


def sliding_windows__fails_when_too_large(image, window_hw, stride):
    """An empty list cannot be stacked."""
    tops, lefts = _cut(image, window_hw, stride)
    high, wide = window_hw
    windows = [image[:, y : y + high, x : x + wide] for y in tops for x in lefts]
    boxes = [[x, y, x + wide, y + high] for y in tops for x in lefts]
    return torch.stack(windows), torch.tensor(boxes).float()


def sliding_windows__steps_by_the_window(image, window_hw, stride):
    """Tiles the image: windows never overlap."""
    high, wide = window_hw
    tops = range(0, image.shape[1] - high + 1, high)
    lefts = range(0, image.shape[2] - wide + 1, wide)
    return _stacked(image, window_hw, [(x, y) for y in tops for x in lefts])


def sliding_windows__makes_floats(image, window_hw, stride):
    """Converts the windows, although nobody asked."""
    tops, lefts = _cut(image, window_hw, stride)
    return _stacked(image.float(), window_hw, [(x, y) for y in tops for x in lefts])


def sliding_windows__pads_the_image(image, window_hw, stride):
    """One window a pixel: those at the edge stick out, over zeros."""
    high, wide = window_hw
    tops, lefts = range(0, image.shape[1], stride), range(0, image.shape[2], stride)
    padded = F.pad(image, (0, wide, 0, high))
    return _stacked(padded, window_hw, [(x, y) for y in tops for x in lefts])


def sliding_windows__width_first(image, window_hw, stride):
    """Reads window_hw as (width, height)."""
    window_hw = window_hw[::-1]
    tops, lefts = _cut(image, window_hw, stride)
    return _stacked(image, window_hw, [(x, y) for y in tops for x in lefts])


def sliding_windows__channels_last(image, window_hw, stride):
    """Moves the channels behind the pixels, as matplotlib wants them."""
    tops, lefts = _cut(image, window_hw, stride)
    windows, boxes = _stacked(image, window_hw, [(x, y) for y in tops for x in lefts])
    return windows.permute(0, 2, 3, 1), boxes


def sliding_windows__corner_and_size(image, window_hw, stride):
    """Writes the boxes as (x, y, w, h)."""
    tops, lefts = _cut(image, window_hw, stride)
    windows, boxes = _stacked(image, window_hw, [(x, y) for y in tops for x in lefts])
    return windows, torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1)


def sliding_windows__integer_boxes(image, window_hw, stride):
    """Leaves the boxes in whole numbers."""
    tops, lefts = _cut(image, window_hw, stride)
    windows, boxes = _stacked(image, window_hw, [(x, y) for y in tops for x in lefts])
    return windows, boxes.long()


def sliding_windows__fails_on_integers(image, window_hw, stride):
    """F.unfold is made for floating-point images only."""
    high, wide = window_hw
    tops, lefts = _cut(image, window_hw, stride)
    corners = [(x, y) for y in tops for x in lefts]
    _, boxes = _stacked(image, window_hw, corners)
    if not corners:
        return image.new_zeros((0, image.shape[0], high, wide)), boxes
    columns = F.unfold(image[None], window_hw, stride=stride)[0]
    return columns.T.reshape(-1, image.shape[0], high, wide), boxes


def _sizes(image, scales):
    height, width = image.shape[1:]
    return [(max(1, round(height * s)), max(1, round(width * s))) for s in scales]


def _resized(image, size, **how):
    how = {"mode": "bilinear", "align_corners": False} | how
    return F.interpolate(image[None], size=size, **how)[0]


def image_pyramid__aligns_corners(image, scales):
    """Pins the corner pixels' centres."""
    return [_resized(image, size, align_corners=True) for size in _sizes(image, scales)]


def image_pyramid__nearest(image, scales):
    """Picks pixels instead of mixing them."""
    sizes = _sizes(image, scales)
    return [F.interpolate(image[None], size=size, mode="nearest")[0] for size in sizes]


def image_pyramid__antialiases(image, scales):
    """Smooths before it shrinks."""
    return [_resized(image, size, antialias=True) for size in _sizes(image, scales)]


def image_pyramid__cuts_off(image, scales):
    """Rounds sizes down."""
    height, width = image.shape[1:]
    sizes = [(max(1, int(height * s)), max(1, int(width * s))) for s in scales]
    return [_resized(image, size) for size in sizes]


def image_pyramid__rounds_to_nothing(image, scales):
    """Lets a side become 0."""
    height, width = image.shape[1:]
    return [_resized(image, (round(height * s), round(width * s))) for s in scales]


def image_pyramid__shrinks_again_and_again(image, scales):
    """Makes every level from the one before."""
    levels = []
    for size in _sizes(image, scales):
        image = _resized(image, size)
        levels.append(image)
    return levels


def image_pyramid__largest_first(image, scales):
    """Sorts the scales."""
    return [_resized(image, size) for size in _sizes(image, sorted(scales, reverse=True))]


def image_pyramid__divides_by_the_scale(image, scales):
    """Reads scale 2 as "half as large"."""
    height, width = image.shape[1:]
    sizes = [(max(1, round(height / s)), max(1, round(width / s))) for s in scales]
    return [_resized(image, size) for size in sizes]


def image_pyramid__square_levels(image, scales):
    """Uses the height for both sides."""
    height = image.shape[1]
    sizes = [(max(1, round(height * s)),) * 2 for s in scales]
    return [_resized(image, size) for size in sizes]


def image_pyramid__by_the_scale_factor(image, scales):
    """Leaves the size to interpolate, which rounds down."""
    return [
        F.interpolate(image[None], scale_factor=scale, mode="bilinear", align_corners=False)[0]
        for scale in scales
    ]


def image_pyramid__reads_at_the_scale(image, scales):
    """The right size, but pixels read at steps of 1 / scale instead of at the size's own."""
    levels = []
    for scale in scales:
        level = image
        for axis in (1, 2):
            side = image.shape[axis]
            new = max(1, round(side * scale))
            centre = ((torch.arange(new) + 0.5) / scale - 0.5).clamp(0, side - 1)
            low = centre.floor().long()
            high = (low + 1).clamp(max=side - 1)
            shape = [1, 1, 1]
            shape[axis] = new
            share = (centre - low).reshape(shape)
            near, far = level.index_select(axis, low), level.index_select(axis, high)
            level = near + (far - near) * share
        levels.append(level)
    return levels


def image_pyramid__rounds_up(image, scales):
    """A pixel begun is a pixel."""
    from math import ceil

    height, width = image.shape[1:]
    sizes = [(max(1, ceil(height * s)), max(1, ceil(width * s))) for s in scales]
    return [_resized(image, size) for size in sizes]


def image_pyramid__width_first(image, scales):
    """Hands the size over as (width, height)."""
    height, width = image.shape[1:]
    sizes = [(max(1, round(width * s)), max(1, round(height * s))) for s in scales]
    return [_resized(image, size) for size in sizes]


def image_pyramid__keeps_the_batch_axis(image, scales):
    """Levels of shape (1, C, H, W)."""
    return [_resized(image, size)[None] for size in _sizes(image, scales)]


def image_pyramid__crops(image, scales):
    """Cuts a smaller picture out instead of making the picture smaller."""
    height, width = image.shape[1:]
    return [image[:, : max(1, round(height * s)), : max(1, round(width * s))] for s in scales]


def _detect(
    classifier,
    image,
    window_hw,
    stride,
    scales,
    score_threshold,
    factors=lambda image, level, _scale: (
        image.shape[2] / level.shape[2],
        image.shape[1] / level.shape[1],
    ),
    passes=lambda scores, threshold: scores >= threshold,
    skips=True,
):
    boxes, scores = [torch.zeros((0, 4))], [torch.zeros(0)]
    for scale, level in zip(scales, image_pyramid(image, scales), strict=True):  # noqa: F821
        windows, places = sliding_windows(level, window_hw, stride)  # noqa: F821
        if skips and len(windows) == 0:
            continue
        with torch.no_grad():
            said = classifier(windows)
        x, y = factors(image, level, scale)
        good = passes(said, score_threshold)
        boxes.append((places * torch.tensor([x, y, x, y]))[good])
        scores.append(said[good])
    return torch.cat(boxes), torch.cat(scores)


def sliding_window_detect__stays_on_the_level(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Returns boxes in the pixels of the level."""
    given = classifier, image, window_hw, stride, scales, score_threshold
    return _detect(*given, factors=lambda _image, _level, _scale: (1.0, 1.0))


def sliding_window_detect__multiplies_by_the_scale(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Goes the wrong way: shrinks boxes that have to grow."""
    given = classifier, image, window_hw, stride, scales, score_threshold
    return _detect(*given, factors=lambda _image, _level, scale: (scale, scale))


def sliding_window_detect__trusts_the_scale(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Divides by the scale, though sizes were rounded."""
    given = classifier, image, window_hw, stride, scales, score_threshold
    return _detect(*given, factors=lambda _image, _level, scale: (1 / scale, 1 / scale))


def sliding_window_detect__swaps_the_ratios(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Stretches x by the ratio of the heights."""
    given = classifier, image, window_hw, stride, scales, score_threshold

    def factors(image, level, _scale):
        return image.shape[1] / level.shape[1], image.shape[2] / level.shape[2]

    return _detect(*given, factors=factors)


def sliding_window_detect__strictly_above(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Drops a score equal to the threshold."""
    given = classifier, image, window_hw, stride, scales, score_threshold
    return _detect(*given, passes=lambda scores, threshold: scores > threshold)


def sliding_window_detect__asks_about_nothing(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Calls the classifier with the empty batch of a small level."""
    given = classifier, image, window_hw, stride, scales, score_threshold
    return _detect(*given, skips=False)


def sliding_window_detect__best_first(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Sorts by score, which was not asked for."""
    boxes, scores = _detect(classifier, image, window_hw, stride, scales, score_threshold)
    order = scores.argsort(descending=True, stable=True)
    return boxes[order], scores[order]


def sliding_window_detect__one_window_at_a_time(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Calls the classifier once a window."""

    def slowly(windows):
        return torch.cat([classifier(window[None]) for window in windows])

    return _detect(slowly, image, window_hw, stride, scales, score_threshold)


def sliding_window_detect__stops_at_a_small_level(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Believes that scales get smaller and smaller."""
    fitting = []
    for scale, level in zip(scales, image_pyramid(image, scales), strict=True):  # noqa: F821
        if level.shape[1] < window_hw[0] or level.shape[2] < window_hw[1]:
            break
        fitting.append(scale)
    return _detect(classifier, image, window_hw, stride, fitting, score_threshold)


def sliding_window_detect__strides_in_the_image(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Takes the stride for pixels of the original image."""
    boxes, scores = [torch.zeros((0, 4))], [torch.zeros(0)]
    for scale in scales:
        given = classifier, image, window_hw, max(1, round(stride * scale)), [scale]
        found, said = _detect(*given, score_threshold)
        boxes.append(found)
        scores.append(said)
    return torch.cat(boxes), torch.cat(scores)


def sliding_window_detect__returns_every_window(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Forgets the threshold."""
    given = classifier, image, window_hw, stride, scales, score_threshold
    return _detect(*given, passes=lambda scores, _threshold: scores > float("-inf"))


def sliding_window_detect__suppresses_duplicates(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Does more than it was asked for."""
    from torchvision.ops import nms

    boxes, scores = _detect(classifier, image, window_hw, stride, scales, score_threshold)
    kept = nms(boxes, scores, 0.3).sort().values
    return boxes[kept], scores[kept]


def sliding_window_detect__keeps_the_window_size(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Moves the corner to the image, and gives every box the window's size."""
    given = classifier, image, window_hw, stride, scales, score_threshold
    boxes, scores = _detect(*given)
    return torch.cat([boxes[:, :2], boxes[:, :2] + torch.tensor(window_hw[::-1])], dim=1), scores


def sliding_window_detect__rounds_to_whole_pixels(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Believes that a box's corners are pixels."""
    boxes, scores = _detect(classifier, image, window_hw, stride, scales, score_threshold)
    return boxes.round(), scores


def sliding_window_detect__squeezes_the_scores(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """A level with one window gives a score without an axis."""

    def squeezed(windows):
        return classifier(windows).squeeze()

    return _detect(squeezed, image, window_hw, stride, scales, score_threshold)


def sliding_window_detect__records_gradients(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Forgets no_grad: the graph of every window stays in memory."""
    boxes, scores = [torch.zeros((0, 4))], [torch.zeros(0)]
    for level in image_pyramid(image, scales):  # noqa: F821
        windows, places = sliding_windows(level, window_hw, stride)  # noqa: F821
        if len(windows):
            said = classifier(windows)
            ratio = torch.tensor([image.shape[2] / level.shape[2], image.shape[1] / level.shape[1]])
            boxes.append((places * ratio.repeat(2))[said >= score_threshold])
            scores.append(said[said >= score_threshold])
    return torch.cat(boxes), torch.cat(scores)


def sliding_window_detect__returns_the_last_scale(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Begins anew on every level."""
    found = torch.zeros((0, 4)), torch.zeros(0)
    for scale in scales:
        found = _detect(classifier, image, window_hw, stride, [scale], score_threshold)
    return found


def sliding_window_detect__fails_when_nothing_is_found(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Concatenates nothing."""
    boxes, scores = [], []
    for scale in scales:
        found = _detect(classifier, image, window_hw, stride, [scale], score_threshold)
        if len(found[0]):
            boxes.append(found[0])
            scores.append(found[1])
    return torch.cat(boxes), torch.cat(scores)


def sliding_window_detect__resizes_the_windows(
    classifier, image, window_hw, stride, scales, score_threshold
):
    """Leaves the image as it is and looks at windows of several sizes, smoothed differently."""
    boxes, scores = [torch.zeros((0, 4))], [torch.zeros(0)]
    for scale in scales:
        high, wide = (max(1, round(side / scale)) for side in window_hw)
        windows, places = sliding_windows(image, (high, wide), stride)  # noqa: F821
        if len(windows):
            small = F.interpolate(windows.float(), size=window_hw, mode="nearest")
            with torch.no_grad():
                said = classifier(small)
            boxes.append(places[said >= score_threshold])
            scores.append(said[said >= score_threshold])
    return torch.cat(boxes), torch.cat(scores)
