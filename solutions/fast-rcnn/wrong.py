"""Wrong answers to the sheet `fast-rcnn`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""
# ruff: noqa: N801 (a class of answers is named like a function of answers)

import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

# bilinear_sample


def _corners(position, size):
    position = position.clamp(0, size - 1)
    low = position.floor().long()
    return low, (low + 1).clamp(max=size - 1), position - low


def _mixed(features, y, x):
    """The four cells mixed, coordinates clamped."""
    top, bottom, down = _corners(y, features.shape[1])
    left, right, across = _corners(x, features.shape[2])
    above = features[:, top, left] * (1 - across) + features[:, top, right] * across
    below = features[:, bottom, left] * (1 - across) + features[:, bottom, right] * across
    return above * (1 - down) + below * down


def _near(features, y, x):
    height, width = features.shape[1:]
    return (y >= -1) & (y <= height) & (x >= -1) & (x <= width)


def _sample(features, y, x):
    return _mixed(features, y, x) * _near(features, y, x)


def bilinear_sample__takes_x_for_y(features, y, x):
    """Reads the first coordinate along the columns."""
    return _mixed(features, x, y) * _near(features, x, y)


def bilinear_sample__centres_at_one_half(features, y, x):
    """Takes the coordinates for continuous ones and shifts them by half a cell."""
    return _sample(features, y - 0.5, x - 0.5)


def bilinear_sample__continues_the_border_for_ever(features, y, x):
    """Clamps every point, however far outside it is."""
    return _mixed(features, y, x)


def bilinear_sample__is_zero_outside_the_centres(features, y, x):
    """Draws the border at the outermost centres."""
    height, width = features.shape[1:]
    inside = (y >= 0) & (y <= height - 1) & (x >= 0) & (x <= width - 1)
    return _mixed(features, y, x) * inside


def bilinear_sample__fades_out(features, y, x):
    """Pads the map with zeros and interpolates towards them."""
    return _mixed(F.pad(features, (1, 1, 1, 1)), y + 1, x + 1) * _near(features, y, x)


def bilinear_sample__drops_points_at_the_limit(features, y, x):
    """At −1 and at H or W exactly it says 0 already."""
    height, width = features.shape[1:]
    near = (y > -1) & (y < height) & (x > -1) & (x < width)
    return _mixed(features, y, x) * near


def bilinear_sample__far_along_both_axes(features, y, x):
    """Says 0 where a point is too far along y and along x."""
    height, width = features.shape[1:]
    near = ((y >= -1) & (y <= height)) | ((x >= -1) & (x <= width))
    return _mixed(features, y, x) * near


def bilinear_sample__compares_y_with_the_width(features, y, x):
    """Height and width change places in the comparison alone."""
    height, width = features.shape[1:]
    near = (y >= -1) & (y <= width) & (x >= -1) & (x <= height)
    return _mixed(features, y, x) * near


def bilinear_sample__goes_round_to_the_other_side(features, y, x):
    """Does not clamp what is negative: the index −1 is the last row or column."""
    height, width = features.shape[1:]
    y, x = y.clamp(max=height - 1), x.clamp(max=width - 1)
    near = _near(features, y, x)
    y, x = y.clamp(min=-1), x.clamp(min=-1)
    top, left = y.floor().long(), x.floor().long()
    bottom, right = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    down, across = y - top, x - left
    above = features[:, top, left] * (1 - across) + features[:, top, right] * across
    below = features[:, bottom, left] * (1 - across) + features[:, bottom, right] * across
    return (above * (1 - down) + below * down) * near


def bilinear_sample__needs_a_second_row(features, y, x):
    """Always reads the next cell, which a point in the last row or column does not have."""
    height, width = features.shape[1:]
    top = y.clamp(0, height - 1).floor().long()
    left = x.clamp(0, width - 1).floor().long()
    down, across = y.clamp(0, height - 1) - top, x.clamp(0, width - 1) - left
    above = features[:, top, left] * (1 - across) + features[:, top, left + 1] * across
    below = features[:, top + 1, left] * (1 - across) + features[:, top + 1, left + 1] * across
    return (above * (1 - down) + below * down) * _near(features, y, x)


def bilinear_sample__fails_without_points(features, y, x):
    """Loops and stacks: an empty list cannot be stacked."""
    values = [_sample(features, one[None], other[None])[:, 0] for one, other in zip(y, x)]  # noqa: B905
    return torch.stack(values, dim=1)


def bilinear_sample__is_detached(features, y, x):
    """Reads the features' data, so that nothing can be learned through it."""
    return _sample(features.detach(), y, x)


def bilinear_sample__clamps_the_callers_points(features, y, x):
    """Clamps in place: the caller's coordinates have changed."""
    near = _near(features, y, x)
    y.clamp_(0, features.shape[1] - 1)
    x.clamp_(0, features.shape[2] - 1)
    return _mixed(features, y, x) * near


# roi_pool


def _half_away(value):
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def _exact_bins(cells, count):
    return [(i * cells // count, -(-(i + 1) * cells // count)) for i in range(count)]


def _region_cells(start, end, round_to):
    first, last = round_to(start), round_to(end)
    return first, max(last - first + 1, 1)


def _largest(cells):
    return cells.amax(dim=(1, 2)) if cells.numel() else torch.zeros(len(cells))


def _on_the_map(first, start, end, size):
    return slice(max(first + start, 0), max(min(first + end, size), 0))


def _pool(
    features,
    rois,
    output_hw,
    spatial_scale,
    round_to=_half_away,
    region=_region_cells,
    bins=_exact_bins,
    reduce=_largest,
    clip=_on_the_map,
):
    height, width = features.shape[2:]
    pooled = torch.zeros(len(rois), features.shape[1], *output_hw)
    for number, roi in enumerate(rois):
        x1, y1, x2, y2 = (roi[1:] * spatial_scale).tolist()
        top, rows = region(y1, y2, round_to)
        left, columns = region(x1, x2, round_to)
        for i, vertical in enumerate(bins(rows, output_hw[0])):
            for j, horizontal in enumerate(bins(columns, output_hw[1])):
                cells = features[int(roi[0])][:, clip(top, *vertical, height)]
                cells = cells[:, :, clip(left, *horizontal, width)]
                pooled[number, :, i, j] = reduce(cells)
    return pooled


def roi_pool__rounds_halves_to_even(features, rois, output_hw, spatial_scale):
    """Python's round, and torch's: 0.5 becomes 0 and 2.5 becomes 2."""
    return _pool(features, rois, output_hw, spatial_scale, round_to=round)


def roi_pool__adds_a_half_and_floors(features, rois, output_hw, spatial_scale):
    """Rounds halves up: −0.5 becomes 0 and not −1."""
    return _pool(
        features, rois, output_hw, spatial_scale, round_to=lambda value: math.floor(value + 0.5)
    )


def roi_pool__excludes_the_last_cell(features, rois, output_hw, spatial_scale):
    """Takes the rounded corners for edges: no "+1"."""

    def region(start, end, round_to):
        return round_to(start), max(round_to(end) - round_to(start), 1)

    return _pool(features, rois, output_hw, spatial_scale, region=region)


def roi_pool__bins_without_overlap(features, rois, output_hw, spatial_scale):
    """Ends a bin where the next one begins."""

    def bins(cells, count):
        edges = [i * cells // count for i in range(count + 1)]
        return [(start, max(end, start + 1)) for start, end in zip(edges, edges[1:])]  # noqa: B905, RUF007

    return _pool(features, rois, output_hw, spatial_scale, bins=bins)


def roi_pool__bins_begin_rounded_up(features, rois, output_hw, spatial_scale):
    """Begins a bin where the one before has ended."""

    def bins(cells, count):
        ends = [-(-i * cells // count) for i in range(count + 1)]
        return [(min(start, end - 1), end) for start, end in zip(ends, ends[1:])]  # noqa: B905, RUF007

    return _pool(features, rois, output_hw, spatial_scale, bins=bins)


def roi_pool__is_never_negative(features, rois, output_hw, spatial_scale):
    """Looks for the maximum from 0 on."""
    return _pool(
        features, rois, output_hw, spatial_scale, reduce=lambda cells: _largest(cells).clamp(min=0)
    )


def roi_pool__empty_bins_are_minus_infinity(features, rois, output_hw, spatial_scale):
    """The maximum over nothing."""

    def largest(cells):
        nothing = torch.full((len(cells),), -torch.inf)
        return cells.amax(dim=(1, 2)) if cells.numel() else nothing

    return _pool(features, rois, output_hw, spatial_scale, reduce=largest)


def roi_pool__clips_before_dividing(features, rois, output_hw, spatial_scale):
    """Moves the corners onto the map first, so that the bins become smaller."""
    height, width = features.shape[2:]
    limits = torch.tensor([width - 1, height - 1, width - 1, height - 1]) / spatial_scale
    boxes = torch.minimum(rois[:, 1:].clamp(min=0), limits)
    return _pool(features, torch.cat([rois[:, :1], boxes], dim=1), output_hw, spatial_scale)


def roi_pool__counts_from_the_other_end(features, rois, output_hw, spatial_scale):
    """Slices with negative numbers, which Python counts from the end."""

    def clip(first, start, end, size):
        return slice(first + start, first + end)

    return _pool(features, rois, output_hw, spatial_scale, clip=clip)


def roi_pool__cuts_from_the_first_image(features, rois, output_hw, spatial_scale):
    """Does not look at the image's number."""
    zeros = torch.zeros(len(rois), 1)
    return _pool(features, torch.cat([zeros, rois[:, 1:]], dim=1), output_hw, spatial_scale)


def roi_pool__takes_width_before_height(features, rois, output_hw, spatial_scale):
    """Reads the output's size as (w, h)."""
    return _pool(features, rois, output_hw[::-1], spatial_scale)


def roi_pool__crops_what_is_on_the_map(features, rois, output_hw, spatial_scale):
    """Adaptive pooling of a clipped crop: the bins of what sticks out are filled all the same."""
    height, width = features.shape[2:]
    pooled = torch.zeros(len(rois), features.shape[1], *output_hw)
    for number, roi in enumerate(rois):
        x1, y1, x2, y2 = map(_half_away, (roi[1:] * spatial_scale).tolist())
        rows = slice(max(y1, 0), max(min(max(y2, y1) + 1, height), 0))
        columns = slice(max(x1, 0), max(min(max(x2, x1) + 1, width), 0))
        crop = features[int(roi[0])][:, rows, columns]
        if crop.numel():
            pooled[number] = F.adaptive_max_pool2d(crop, output_hw)
    return pooled


def roi_pool__is_detached(features, rois, output_hw, spatial_scale):
    """Reads the features' data, so that the backbone learns nothing."""
    return _pool(features.detach(), rois, output_hw, spatial_scale)


def roi_pool__shares_the_gradient(features, rois, output_hw, spatial_scale):
    """The right numbers with the gradient of an average."""

    def largest(cells):
        mean = cells.mean(dim=(1, 2)) if cells.numel() else torch.zeros(len(cells))
        return (mean - mean.detach()) + _largest(cells).detach()

    return _pool(features, rois, output_hw, spatial_scale, reduce=largest)


# roi_align


def _number_of_points(bin_size, sampling_ratio):
    return sampling_ratio if sampling_ratio > 0 else math.ceil(bin_size)


def _points(start, end, bins, samples):
    size = (end - start) / bins
    within = (torch.arange(samples) + 0.5) / max(samples, 1)
    return start + (torch.arange(bins)[:, None] + within) * size


def _mean(values):
    count = values.shape[2] * values.shape[4]
    return values.sum(dim=(2, 4)) / max(count, 1)


def _align(
    features,
    rois,
    output_hw,
    spatial_scale,
    sampling_ratio,
    shift=0.5,
    number_of_points=_number_of_points,
    points=_points,
    reduce=_mean,
    sample=_sample,
    smallest=0.0,
    numbers_of_points=None,
):
    channels = features.shape[1]
    pooled = torch.zeros(len(rois), channels, *output_hw)
    for number, roi in enumerate(rois):
        x1, y1, x2, y2 = (roi[1:] * spatial_scale - shift).tolist()
        x2, y2 = max(x2, x1 + smallest), max(y2, y1 + smallest)
        samples_y = number_of_points((y2 - y1) / output_hw[0], sampling_ratio)
        samples_x = number_of_points((x2 - x1) / output_hw[1], sampling_ratio)
        if numbers_of_points:
            samples_y, samples_x = numbers_of_points(samples_y, samples_x)
        rows = points(y1, y2, output_hw[0], samples_y)
        columns = points(x1, x2, output_hw[1], samples_x)
        y, x = torch.meshgrid(rows.flatten(), columns.flatten(), indexing="ij")
        values = sample(features[int(roi[0])], y.flatten(), x.flatten())
        pooled[number] = reduce(values.reshape(channels, *rows.shape, *columns.shape))
    return pooled


def roi_align__forgets_the_half(features, rois, output_hw, spatial_scale, sampling_ratio):
    """The operator as it was first published as code: half a cell too far right and down."""
    return _align(features, rois, output_hw, spatial_scale, sampling_ratio, shift=0.0)


def roi_align__takes_half_a_pixel(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Shifts before scaling: half a pixel of the image and not half a cell."""
    return _align(
        features, rois, output_hw, spatial_scale, sampling_ratio, shift=0.5 * spatial_scale
    )


def roi_align__regions_of_at_least_a_cell(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Enlarges small regions to one cell, as torchvision does without `aligned`."""
    return _align(features, rois, output_hw, spatial_scale, sampling_ratio, smallest=1.0)


def roi_align__rounds_the_corners(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Samples between cells, but in a region of whole cells."""
    boxes = (rois[:, 1:] * spatial_scale).round() / spatial_scale
    rounded = torch.cat([rois[:, :1], boxes], dim=1)
    return _align(features, rounded, output_hw, spatial_scale, sampling_ratio)


def roi_align__keeps_the_largest_sample(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Max pooling over the points."""

    def largest(values):
        return values.amax(dim=(2, 4)) if values.numel() else torch.zeros(values.shape[::2][:2])

    return _align(features, rois, output_hw, spatial_scale, sampling_ratio, reduce=largest)


def roi_align__divides_by_points_inside(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Leaves the points outside the map out of the mean."""
    counted = _align(
        torch.ones_like(features.detach()), rois, output_hw, spatial_scale, sampling_ratio
    )
    aligned = _align(features, rois, output_hw, spatial_scale, sampling_ratio)
    return torch.where(counted > 0, aligned / counted.clamp(min=1e-6), 0.0)


def roi_align__points_at_the_bins_edges(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Divides a bin by its points and begins at its edge."""

    def points(start, end, bins, samples):
        within = torch.arange(samples) / max(samples, 1)
        return start + (torch.arange(bins)[:, None] + within) * ((end - start) / bins)

    return _align(features, rois, output_hw, spatial_scale, sampling_ratio, points=points)


def roi_align__takes_minus_one_for_one(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Adapts at 0, and takes the size of a negative ratio."""
    return _align(
        features,
        rois,
        output_hw,
        spatial_scale,
        sampling_ratio,
        number_of_points=lambda size, ratio: abs(ratio) if ratio and size else math.ceil(size),
    )


def roi_align__one_point_too_many(features, rois, output_hw, spatial_scale, sampling_ratio):
    """The whole part plus one, which is too much where a bin's size is a whole number."""

    def number_of_points(size, ratio):
        return ratio if ratio > 0 else (math.floor(size) + 1) * (size > 0)

    return _align(
        features,
        rois,
        output_hw,
        spatial_scale,
        sampling_ratio,
        number_of_points=number_of_points,
    )


def roi_align__counts_the_regions_cells(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Adapts to the size of the region and not to that of a bin."""
    height, width = output_hw

    def whole(samples_y, samples_x):
        return (
            (samples_y * height, samples_x * width)
            if sampling_ratio <= 0
            else (samples_y, samples_x)
        )

    return _align(features, rois, output_hw, spatial_scale, sampling_ratio, numbers_of_points=whole)


def roi_align__as_many_across_as_down(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Takes the number of points along y for both axes."""
    return _align(
        features,
        rois,
        output_hw,
        spatial_scale,
        sampling_ratio,
        numbers_of_points=lambda samples_y, samples_x: (samples_y, samples_y * (samples_x > 0)),
    )


def roi_align__always_has_a_point(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Gives a region without extent a point, where there is none by the rule."""
    return _align(
        features,
        rois,
        output_hw,
        spatial_scale,
        sampling_ratio,
        number_of_points=lambda size, ratio: ratio if ratio > 0 else max(math.ceil(size), 1),
    )


def roi_align__is_nan_without_points(features, rois, output_hw, spatial_scale, sampling_ratio):
    """0 / 0."""
    return _align(
        features,
        rois,
        output_hw,
        spatial_scale,
        sampling_ratio,
        reduce=lambda values: values.mean(dim=(2, 4)),
    )


def roi_align__drops_regions_without_extent(
    features, rois, output_hw, spatial_scale, sampling_ratio
):
    """Says 0 for a line or a point, also where it has samples."""
    boxes = rois[:, 1:]
    some = ((boxes[:, 2:] - boxes[:, :2]) > 0).all(dim=1)[:, None, None, None]
    return _align(features, rois, output_hw, spatial_scale, sampling_ratio) * some


def roi_align__clips_to_the_map(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Moves the corners onto the map first."""
    height, width = features.shape[2:]
    limits = torch.tensor([width, height, width, height]) / spatial_scale
    boxes = torch.minimum(rois[:, 1:].clamp(min=0), limits)
    clipped = torch.cat([rois[:, :1], boxes], dim=1)
    return _align(features, clipped, output_hw, spatial_scale, sampling_ratio)


def roi_align__repeats_the_border(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Points outside get the nearest value, however far they are."""
    return _align(features, rois, output_hw, spatial_scale, sampling_ratio, sample=_mixed)


def roi_align__is_detached(features, rois, output_hw, spatial_scale, sampling_ratio):
    """Reads the features' data, so that the backbone learns nothing."""
    return _align(features.detach(), rois, output_hw, spatial_scale, sampling_ratio)


# split_resnet


def _stem(resnet):
    return [resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool]


def _shared(resnet):
    backbone = nn.Sequential(*_stem(resnet), resnet.layer1, resnet.layer2, resnet.layer3)
    return backbone.train(resnet.training)


def _for_each(resnet):
    part = nn.Sequential(resnet.layer4, resnet.avgpool, nn.Flatten(), resnet.fc)
    return part.train(resnet.training)


def split_resnet__forgets_to_flatten(resnet):
    """Lists the network's children: flattening is a line of `forward` and no child."""
    children = list(resnet.children())
    return nn.Sequential(*children[:7]), nn.Sequential(*children[7:])


def split_resnet__squeezes(resnet):
    """Drops all axes of length 1: with one region, that of the region too."""

    class PerRegion(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer4, self.avgpool, self.fc = resnet.layer4, resnet.avgpool, resnet.fc
            self.training = resnet.training

        def forward(self, regions):
            return self.fc(self.avgpool(self.layer4(regions)).squeeze())

    return _shared(resnet), PerRegion()


def split_resnet__forgets_the_max_pooling(resnet):
    """A stem without `maxpool`: a stride of 8."""
    stem = [resnet.conv1, resnet.bn1, resnet.relu]
    backbone = nn.Sequential(*stem, resnet.layer1, resnet.layer2, resnet.layer3)
    return backbone.train(resnet.training), _for_each(resnet)


def split_resnet__forgets_the_relu(resnet):
    """A stem without `relu`, which is easily taken for part of a block."""
    stem = [resnet.conv1, resnet.bn1, resnet.maxpool]
    backbone = nn.Sequential(*stem, resnet.layer1, resnet.layer2, resnet.layer3)
    return backbone.train(resnet.training), _for_each(resnet)


def split_resnet__forgets_the_normalisation(resnet):
    """A stem without `bn1`, which does next to nothing in a network without training."""
    stem = [resnet.conv1, resnet.relu, resnet.maxpool]
    backbone = nn.Sequential(*stem, resnet.layer1, resnet.layer2, resnet.layer3)
    return backbone.train(resnet.training), _for_each(resnet)


def split_resnet__cuts_after_the_last_stage(resnet):
    """Only the classifier is left for the regions."""
    backbone = nn.Sequential(_shared(resnet), resnet.layer4)
    per_region = nn.Sequential(resnet.avgpool, nn.Flatten(), resnet.fc)
    return backbone.train(resnet.training), per_region.train(resnet.training)


def split_resnet__a_new_classifier(resnet):
    """A linear layer of the right shape with random weights."""
    fc = resnet.fc
    if isinstance(fc, nn.Linear):
        fc = nn.Linear(fc.in_features, fc.out_features)
    per_region = nn.Sequential(resnet.layer4, resnet.avgpool, nn.Flatten(), fc)
    return _shared(resnet), per_region.train(resnet.training)


def split_resnet__builds_a_linear_layer(resnet):
    """Copies weight and bias of `fc`, which need not be a linear layer."""
    fc = nn.Linear(resnet.fc.in_features, resnet.fc.out_features)
    fc.load_state_dict(resnet.fc.state_dict())
    per_region = nn.Sequential(resnet.layer4, resnet.avgpool, nn.Flatten(), fc)
    return _shared(resnet), per_region.train(resnet.training)


def split_resnet__takes_training_for_granted(resnet):
    """Leaves both parts in training mode."""
    return _shared(resnet).train(), _for_each(resnet).train()


def split_resnet__evaluates_for_ever(resnet):
    """Puts both parts into evaluation mode."""
    resnet = copy.deepcopy(resnet)
    return _shared(resnet).eval(), _for_each(resnet).eval()


def split_resnet__empties_the_network(resnet):
    """Takes the last layers out of the network itself, and returns what is left as the backbone."""
    layers = nn.Sequential(*_stem(resnet), resnet.layer1, resnet.layer2, resnet.layer3)
    per_region = _for_each(resnet)
    resnet.layer4 = nn.Identity()
    resnet.fc = nn.Identity()
    return layers.train(resnet.training), per_region


def split_resnet__keeps_layers_in_a_list(resnet):
    """A plain list, in which nobody finds the parameters."""

    class Layers(nn.Module):
        def __init__(self, *layers):
            super().__init__()
            self.layers = list(layers)
            self.training = resnet.training

        def forward(self, values):
            for layer in self.layers:
                values = layer(values)
            return values

    backbone = Layers(*_stem(resnet), resnet.layer1, resnet.layer2, resnet.layer3)
    return backbone, Layers(resnet.layer4, resnet.avgpool, nn.Flatten(), resnet.fc)


def split_resnet__freezes_the_backbone(resnet):
    """Switches gradients off in the shared part."""

    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = _shared(resnet)
            self.training = resnet.training

        def forward(self, images):
            with torch.no_grad():
                return self.layers(images)

    return Frozen(), _for_each(resnet)


# FastRCNNHead


class _Head(nn.Module):
    def __init__(self, in_features, num_classes):
        super().__init__()
        self.classes = nn.Linear(in_features, num_classes + 1)
        self.boxes = nn.Linear(in_features, 4 * num_classes)

    def forward(self, features):
        return self.classes(features), self.boxes(features)


class FastRCNNHead__forgets_the_background(_Head):
    """As many scores as there are classes."""

    def __init__(self, in_features, num_classes):
        super().__init__(in_features, num_classes)
        self.classes = nn.Linear(in_features, num_classes)


class FastRCNNHead__has_a_box_for_the_background(_Head):
    """Four numbers for each column of the logits, as torchvision has it."""

    def __init__(self, in_features, num_classes):
        super().__init__(in_features, num_classes)
        self.boxes = nn.Linear(in_features, 4 * (num_classes + 1))


class FastRCNNHead__repeats_one_box(_Head):
    """The right shape, but all classes have the same four numbers."""

    def __init__(self, in_features, num_classes):
        super().__init__(in_features, num_classes)
        self.boxes = nn.Linear(in_features, 4)
        self.num_classes = num_classes

    def forward(self, features):
        return self.classes(features), self.boxes(features).repeat(1, self.num_classes)


class FastRCNNHead__adds_an_axis_for_classes(_Head):
    """Returns (R, C, 4)."""

    def forward(self, features):
        return self.classes(features), self.boxes(features).unflatten(1, (-1, 4))


class FastRCNNHead__takes_the_softmax(_Head):
    """Probabilities, of which the loss would take the softmax again."""

    def forward(self, features):
        return self.classes(features).softmax(dim=1), self.boxes(features)


class FastRCNNHead__compares_regions(_Head):
    """A softmax over the regions, so that each depends on the others."""

    def forward(self, features):
        return self.classes(features) - self.classes(features).mean(dim=0), self.boxes(features)


class FastRCNNHead__has_positive_deltas(_Head):
    """A ReLU after the last layer: boxes can move right and down and grow."""

    def forward(self, features):
        return self.classes(features), self.boxes(features).relu()


class FastRCNNHead__bounds_the_deltas(_Head):
    """A tanh: a region can shrink to a third at most."""

    def forward(self, features):
        return self.classes(features), self.boxes(features).tanh()


class FastRCNNHead__detaches_the_boxes(_Head):
    """The box branch teaches the features nothing."""

    def forward(self, features):
        return self.classes(features), self.boxes(features.detach())


class FastRCNNHead__computes_boxes_from_classes(_Head):
    """The boxes see the probabilities alone."""

    def __init__(self, in_features, num_classes):
        super().__init__(in_features, num_classes)
        self.boxes = nn.Linear(num_classes + 1, 4 * num_classes)

    def forward(self, features):
        logits = self.classes(features)
        return logits, self.boxes(logits.softmax(dim=1))


class FastRCNNHead__is_new_in_every_call(_Head):
    """Makes the layer for boxes where it is used."""

    def forward(self, features):
        boxes = nn.Linear(*reversed(self.boxes.weight.shape))
        return self.classes(features), boxes(features)


class FastRCNNHead__normalises_over_regions(_Head):
    """Batch normalisation of regions: one region alone cannot be normalised."""

    def __init__(self, in_features, num_classes):
        super().__init__(in_features, num_classes)
        self.norm = nn.BatchNorm1d(in_features)

    def forward(self, features):
        return super().forward(self.norm(features))


class FastRCNNHead__fails_without_regions(_Head):
    """Asks each region by itself and stacks the answers."""

    def forward(self, features):
        logits = torch.stack([self.classes(one) for one in features])
        return logits, torch.stack([self.boxes(one) for one in features])
