"""Wrong answers to the sheet `tasks`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""
# ruff: noqa: N801 (a class of answers is named like a function of answers)

import torch
from torch import nn
from torch.nn import functional as F


def xyxy_to_cxcywh__keeps_the_corner(boxes):
    """Writes COCO's form, the upper left corner and the size."""
    boxes = boxes.float()
    return torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1)


def xyxy_to_cxcywh__half_the_size_is_the_centre(boxes):
    """Halves the size, which is the centre for boxes at the origin only."""
    size = boxes[:, 2:].float() - boxes[:, :2].float()
    return torch.cat([size / 2, size], dim=1)


def xyxy_to_cxcywh__counts_pixels_inclusively(boxes):
    """Treats coordinates as pixel indices: width x2 - x1 + 1."""
    x1, y1, x2, y2 = boxes.float().unbind(dim=1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1 + 1, y2 - y1 + 1], dim=1)


def xyxy_to_cxcywh__height_before_width(boxes):
    """Returns (cx, cy, h, w)."""
    x1, y1, x2, y2 = boxes.float().unbind(dim=1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, y2 - y1, x2 - x1], dim=1)


def xyxy_to_cxcywh__row_before_column(boxes):
    """Returns (cy, cx, h, w), as an array is indexed."""
    x1, y1, x2, y2 = boxes.float().unbind(dim=1)
    return torch.stack([(y1 + y2) / 2, (x1 + x2) / 2, y2 - y1, x2 - x1], dim=1)


def xyxy_to_cxcywh__takes_the_sum_for_the_centre(boxes):
    """Forgets to halve."""
    x1, y1, x2, y2 = boxes.float().unbind(dim=1)
    return torch.stack([x1 + x2, y1 + y2, x2 - x1, y2 - y1], dim=1)


def xyxy_to_cxcywh__rounds_to_whole_pixels(boxes):
    """Believes that a centre is a pixel."""
    x1, y1, x2, y2 = boxes.unbind(dim=1)
    return torch.stack([(x1 + x2) // 2, (y1 + y2) // 2, x2 - x1, y2 - y1], dim=1)


def xyxy_to_cxcywh__overflows_small_integers(boxes):
    """Adds in the integer type that it is given, and divides afterwards."""
    x1, y1, x2, y2 = boxes.unbind(dim=1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 1, (y2 - y1) / 1], dim=1)


def xyxy_to_cxcywh__writes_into_the_input(boxes):
    """Converts in place: the caller's boxes are gone."""
    boxes = boxes if boxes.is_floating_point() else boxes.float()
    boxes[:, 2:] -= boxes[:, :2]
    boxes[:, :2] += boxes[:, 2:] / 2
    return boxes


def xyxy_to_cxcywh__converts_the_first_box_only(boxes):
    """Unpacks one box and forgets the others."""
    x1, y1, x2, y2 = boxes[0].float()
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])[None]


def xyxy_to_cxcywh__fails_without_boxes(boxes):
    """Loops and stacks: an empty list cannot be stacked."""
    rows = []
    for x1, y1, x2, y2 in boxes.float():
        rows.append(torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]))
    return torch.stack(rows)


def xyxy_to_cxcywh__has_no_negative_coordinates(boxes):
    """Clamps what lies outside the image."""
    x1, y1, x2, y2 = boxes.float().clamp(min=0).unbind(dim=1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], dim=1)


def cxcywh_to_xyxy__begins_at_the_centre(boxes):
    """Takes the centre for the upper left corner, as in COCO's form."""
    boxes = boxes.float()
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)


def cxcywh_to_xyxy__goes_a_whole_size_each_way(boxes):
    """Forgets to halve: a box of twice the size."""
    boxes = boxes.float()
    return torch.cat([boxes[:, :2] - boxes[:, 2:], boxes[:, :2] + boxes[:, 2:]], dim=1)


def cxcywh_to_xyxy__height_before_width(boxes):
    """Reads (cx, cy, h, w)."""
    boxes = boxes.float()
    half = boxes[:, [3, 2]] / 2
    return torch.cat([boxes[:, :2] - half, boxes[:, :2] + half], dim=1)


def cxcywh_to_xyxy__ends_at_the_last_pixel(boxes):
    """Subtracts 1 from the second corner, as if it were a pixel's index."""
    boxes = boxes.float()
    half = boxes[:, 2:] / 2
    return torch.cat([boxes[:, :2] - half, boxes[:, :2] + half - 1], dim=1)


def cxcywh_to_xyxy__halves_integers(boxes):
    """Divides with //: half a pixel is lost."""
    centre, half = boxes[:, :2], boxes[:, 2:] // 2
    return torch.cat([centre - half, centre + half], dim=1)


def cxcywh_to_xyxy__swaps_the_corners(boxes):
    """Lower right corner first."""
    boxes = boxes.float()
    half = boxes[:, 2:] / 2
    return torch.cat([boxes[:, :2] + half, boxes[:, :2] - half], dim=1)


def cxcywh_to_xyxy__clamps_to_the_image(boxes):
    """Cuts off what lies left of 0 and above it: the inverse is no inverse any more."""
    boxes = boxes.float()
    half = boxes[:, 2:] / 2
    return torch.cat([boxes[:, :2] - half, boxes[:, :2] + half], dim=1).clamp(min=0)


def cxcywh_to_xyxy__overflows_small_integers(boxes):
    """Converts after the sum instead of before."""
    centre, size = boxes[:, :2], boxes[:, 2:]
    return torch.cat([2 * centre - size, 2 * centre + size], dim=1) / 2


def cxcywh_to_xyxy__writes_into_the_input(boxes):
    """Converts in place: the caller's boxes are gone."""
    boxes = boxes if boxes.is_floating_point() else boxes.float()
    boxes[:, :2] -= boxes[:, 2:] / 2
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def cxcywh_to_xyxy__fails_without_boxes(boxes):
    """Loops and stacks: an empty list cannot be stacked."""
    return torch.stack(
        [torch.cat([box[:2] - box[2:] / 2, box[:2] + box[2:] / 2]) for box in boxes.float()]
    )


def _masks_to_boxes(masks, end=1):
    boxes = torch.zeros((len(masks), 4))
    for number, mask in enumerate(masks):
        rows, columns = torch.nonzero(mask, as_tuple=True)
        if len(rows):
            corners = [columns.min(), rows.min(), columns.max() + end, rows.max() + end]
            boxes[number] = torch.stack(corners)
    return boxes


def masks_to_boxes__ends_at_the_last_pixel(masks):
    """Gives the last pixel's index, as torchvision does: a pixel has no width."""
    return _masks_to_boxes(masks, end=0)


def masks_to_boxes__swaps_rows_and_columns(masks):
    """Takes rows for x."""
    return _masks_to_boxes(masks)[:, [1, 0, 3, 2]]


def masks_to_boxes__gives_corner_and_size(masks):
    """Returns (x1, y1, w, h)."""
    boxes = _masks_to_boxes(masks)
    return torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1)


def masks_to_boxes__fails_on_an_empty_mask(masks):
    """The least of no columns."""
    boxes = torch.zeros((len(masks), 4))
    for number, mask in enumerate(masks):
        rows, columns = torch.nonzero(mask, as_tuple=True)
        corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        boxes[number] = torch.stack(corners)
    return boxes


def masks_to_boxes__leaves_empty_masks_out(masks):
    """Skips them, so that boxes and masks do not belong together any more."""
    return _masks_to_boxes(masks[masks.flatten(1).any(dim=1)])


def masks_to_boxes__gives_an_empty_mask_the_whole_image(masks):
    """argmax of nothing is 0, from both sides: the box is the image's."""
    boxes = torch.zeros((len(masks), 4))
    _, height, width = masks.shape
    for number, mask in enumerate(masks):
        across, down = mask.any(dim=0).int(), mask.any(dim=1).int()
        right, bottom = width - across.flip(0).argmax(), height - down.flip(0).argmax()
        boxes[number] = torch.stack([across.argmax(), down.argmax(), right, bottom])
    return boxes


def masks_to_boxes__fails_without_masks(masks):
    """Stacks an empty list."""
    return torch.stack([_masks_to_boxes(mask[None])[0] for mask in masks])


def masks_to_boxes__measures_the_area(masks):
    """Takes the number of pixels in the first row and column for the size: right for rectangles."""
    boxes = torch.zeros((len(masks), 4))
    for number, mask in enumerate(masks):
        if mask.any():
            rows, columns = torch.nonzero(mask, as_tuple=True)
            y, x = rows.min(), columns.min()
            boxes[number] = torch.stack([x, y, x + mask[y].sum(), y + mask.sum(dim=0).max()])
    return boxes


def masks_to_boxes__takes_the_first_and_last_pixel(masks):
    """The first and the last pixel in reading order are corners of rectangles only."""
    boxes = torch.zeros((len(masks), 4))
    for number, mask in enumerate(masks):
        pixels = torch.nonzero(mask)
        if len(pixels):
            boxes[number] = torch.cat([pixels[0].flip(0), pixels[-1].flip(0) + 1])
    return boxes


def masks_to_boxes__returns_integers(masks):
    """Keeps the indices' dtype."""
    return _masks_to_boxes(masks).long()


def masks_to_boxes__joins_all_masks(masks):
    """One box around everything, once for each mask."""
    together = _masks_to_boxes(masks.any(dim=0)[None]) if len(masks) else torch.zeros((0, 4))
    return together.repeat(len(masks), 1) if len(masks) else together


def semantic_from_instances__first_on_top(masks, labels):
    """Paints only where nothing has been painted yet."""
    semantic = torch.zeros(masks.shape[1:], dtype=torch.int64)
    for mask, label in zip(masks, labels, strict=True):
        semantic[mask & (semantic == 0)] = label
    return semantic


def semantic_from_instances__largest_label_on_top(masks, labels):
    """Takes the maximum over instances."""
    semantic = torch.zeros(masks.shape[1:], dtype=torch.int64)
    for mask, label in zip(masks, labels, strict=True):
        semantic = torch.maximum(semantic, mask * label)
    return semantic


def semantic_from_instances__adds_labels(masks, labels):
    """Sums over instances: where they overlap, a third class appears."""
    return (masks * labels[:, None, None]).sum(dim=0)


def semantic_from_instances__numbers_the_instances(masks, labels):
    """Paints who it is instead of what it is."""
    semantic = torch.zeros(masks.shape[1:], dtype=torch.int64)
    for number, mask in enumerate(masks, start=1):
        semantic[mask] = number
    return semantic


def semantic_from_instances__argmax_takes_the_first(masks, labels):
    """argmax gives the first of equal values, so the first instance is on top."""
    if len(masks) == 0:
        return torch.zeros(masks.shape[1:], dtype=torch.int64)
    return torch.where(masks.any(dim=0), labels[masks.int().argmax(dim=0)], 0)


def semantic_from_instances__has_no_background(masks, labels):
    """argmax of nothing is 0: background gets the first instance's label."""
    if len(masks) == 0:
        return torch.zeros(masks.shape[1:], dtype=torch.int64)
    last = len(masks) - 1 - masks.flip(0).int().argmax(dim=0)
    return torch.where(masks.any(dim=0), labels[last], labels[0])


def semantic_from_instances__fails_without_instances(masks, labels):
    """The argmax over no instances."""
    last = len(masks) - 1 - masks.flip(0).int().argmax(dim=0)
    return torch.where(masks.any(dim=0), labels[last], 0)


def semantic_from_instances__makes_bytes(masks, labels):
    """Labels above 255 do not fit, and an index is int64."""
    semantic = torch.zeros(masks.shape[1:], dtype=torch.uint8)
    for mask, label in zip(masks, labels, strict=True):
        semantic[mask] = label.to(torch.uint8)
    return semantic


def semantic_from_instances__makes_floats(masks, labels):
    """torch.zeros without a dtype."""
    semantic = torch.zeros(masks.shape[1:])
    for mask, label in zip(masks, labels, strict=True):
        semantic[mask] = label.float()
    return semantic


def semantic_from_instances__one_map_an_instance(masks, labels):
    """Multiplies and forgets to put the maps together."""
    return masks * labels[:, None, None]


def semantic_from_instances__sorts_by_label(masks, labels):
    """Paints class after class, so that the last class is on top and not the last instance."""
    semantic = torch.zeros(masks.shape[1:], dtype=torch.int64)
    for index in labels.argsort(stable=True):
        semantic[masks[index]] = labels[index]
    return semantic


def semantic_from_instances__sorts_by_size(masks, labels):
    """Puts the smallest instance on top."""
    semantic = torch.zeros(masks.shape[1:], dtype=torch.int64)
    for index in masks.flatten(1).sum(dim=1).argsort(descending=True, stable=True):
        semantic[masks[index]] = labels[index]
    return semantic


def _convolutions(normalisation=nn.Identity):
    layers = []
    for inputs, outputs in [(3, 16), (16, 32), (32, 32)]:
        convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        layers += [convolution, normalisation(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class _Detector(nn.Module):
    """A right network, of which each wrong one changes one thing."""

    def __init__(self, num_classes):
        super().__init__()
        self.convolutions = _convolutions()
        self.features = nn.Sequential(
            nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 64), nn.ReLU()
        )
        self.classes = nn.Linear(64, num_classes)
        self.box = nn.Linear(64, 4)

    def forward(self, images):
        features = self.features(self.convolutions(images))
        return self.classes(features), self.bounded(self.box(features))

    def bounded(self, numbers):
        return numbers.sigmoid()


class SingleObjectDetector__averages_over_the_image(_Detector):
    """Global average pooling, as a classifier does it: what is kept, where is not."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.features = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 64))


class SingleObjectDetector__takes_the_maximum_over_the_image(_Detector):
    """Global max pooling forgets the place as well."""

    def forward(self, images):
        features = F.pad(self.convolutions(images).amax(dim=(2, 3)), (0, 32))
        return self.classes(features), self.box(features).sigmoid()


class SingleObjectDetector__averages_over_rows(_Detector):
    """Keeps columns only: boxes know where across, not where down."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.features = nn.Sequential(
            nn.AdaptiveAvgPool2d((1, 4)), nn.Flatten(), nn.Linear(128, 64), nn.ReLU()
        )


class SingleObjectDetector__averages_over_columns(_Detector):
    """Keeps rows only: boxes know where down, not where across."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.features = nn.Sequential(
            nn.AdaptiveAvgPool2d((4, 1)), nn.Flatten(), nn.Linear(128, 64), nn.ReLU()
        )


class SingleObjectDetector__box_from_the_classes(_Detector):
    """Looks the box up by class: every object of a class stands at one place."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classes = nn.Linear(32, num_classes)
        self.box = nn.Linear(num_classes, 4)

    def forward(self, images):
        logits = self.classes(self.pool(self.convolutions(images)).flatten(1))
        return logits, self.box(logits.softmax(dim=1)).sigmoid()


class SingleObjectDetector__learns_one_box(_Detector):
    """The four numbers are parameters, whatever the image shows."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.anywhere = nn.Parameter(torch.zeros(1, 4))

    def forward(self, images):
        logits, _ = super().forward(images)
        return logits, self.anywhere.sigmoid().repeat(len(images), 1)


class SingleObjectDetector__boxes_without_bounds(_Detector):
    """A linear layer may say anything."""

    def bounded(self, numbers):
        return numbers


class SingleObjectDetector__boxes_from_below_only(_Detector):
    """A ReLU keeps numbers from being negative, not from being larger than 1."""

    def bounded(self, numbers):
        return numbers.relu()


class SingleObjectDetector__clamps_the_boxes(_Detector):
    """Inside the bounds, but without a gradient wherever a number was outside."""

    def bounded(self, numbers):
        return numbers.clamp(0, 1)


class SingleObjectDetector__boxes_by_tanh(_Detector):
    """Bounded, but from -1."""

    def bounded(self, numbers):
        return numbers.tanh()


class SingleObjectDetector__boxes_by_softmax(_Detector):
    """Four numbers that sum to 1, as if they were classes."""

    def bounded(self, numbers):
        return numbers.softmax(dim=1)


class SingleObjectDetector__boxes_in_pixels(_Detector):
    """Multiplies by the image's size."""

    def forward(self, images):
        logits, boxes = super().forward(images)
        height, width = images.shape[2:]
        return logits, boxes * torch.tensor([width, height, width, height])


class SingleObjectDetector__classes_by_softmax(_Detector):
    """Probabilities instead of logits: the loss takes the softmax a second time."""

    def forward(self, images):
        logits, boxes = super().forward(images)
        return logits.softmax(dim=1), boxes


class SingleObjectDetector__sigmoid_on_everything(_Detector):
    """Bounds the class logits, too."""

    def forward(self, images):
        logits, boxes = super().forward(images)
        return logits.sigmoid(), boxes


class SingleObjectDetector__relu_after_the_last_layer(_Detector):
    """An activation after every layer, the class head included."""

    def forward(self, images):
        logits, boxes = super().forward(images)
        return logits.relu(), boxes


class SingleObjectDetector__counts_background(_Detector):
    """One class more, as torchvision's detectors have."""

    def __init__(self, num_classes):
        super().__init__(num_classes + 1)


class SingleObjectDetector__says_the_class(_Detector):
    """Returns the best class instead of a score for each."""

    def forward(self, images):
        logits, boxes = super().forward(images)
        return logits.argmax(dim=1), boxes


class SingleObjectDetector__one_box_a_class(_Detector):
    """Four numbers for each class, as a later chapter's detectors have."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.box = nn.Linear(64, 4 * num_classes)


class SingleObjectDetector__boxes_first(_Detector):
    """The right two things in the wrong order."""

    def forward(self, images):
        return super().forward(images)[::-1]


class SingleObjectDetector__joins_the_outputs(_Detector):
    """One tensor of C + 4 numbers."""

    def forward(self, images):
        return torch.cat(super().forward(images), dim=1)


class SingleObjectDetector__returns_a_dict(_Detector):
    """Names the outputs, as torchvision's detectors do."""

    def forward(self, images):
        logits, boxes = super().forward(images)
        return {"class_logits": logits, "boxes": boxes}


class SingleObjectDetector__knows_one_size(_Detector):
    """Flattens the whole map: the linear layer fits images of 48 × 64 only."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.features = nn.Sequential(nn.Flatten(), nn.Linear(32 * 6 * 8, 64), nn.ReLU())


class SingleObjectDetector__needs_large_images(_Detector):
    """Pools so much that nothing is left of 32 pixels."""

    def forward(self, images):
        features = self.features(F.max_pool2d(self.convolutions(images), 5))
        return self.classes(features), self.box(features).sigmoid()


class SingleObjectDetector__fails_on_one_image(_Detector):
    """Batch normalisation of vectors: a single one has no variance, so training fails."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.features = nn.Sequential(
            nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 64), nn.BatchNorm1d(64), nn.ReLU()
        )


class SingleObjectDetector__drops_the_axis_of_one_image(_Detector):
    """squeeze() without an axis: a batch of one is no batch any more."""

    def forward(self, images):
        logits, boxes = super().forward(images)
        return logits.squeeze(), boxes.squeeze()


class SingleObjectDetector__normalises_with_the_batch(_Detector):
    """Statistics of the batch in evaluation mode, too: neighbours change the answer."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.convolutions = _convolutions(lambda n: nn.BatchNorm2d(n, track_running_stats=False))


class SingleObjectDetector__subtracts_the_batch_mean(_Detector):
    """Standardises the input over the whole batch."""

    def forward(self, images):
        return super().forward((images - images.mean()) / images.std())


class SingleObjectDetector__drops_out_in_evaluation(_Detector):
    """F.dropout drops always unless it is told the mode."""

    def forward(self, images):
        features = F.dropout(self.features(self.convolutions(images)), 0.5)
        return self.classes(features), self.box(features).sigmoid()


class SingleObjectDetector__attends_to_the_batch(_Detector):
    """A softmax over the wrong axis: images compete with each other."""

    def forward(self, images):
        features = self.features(self.convolutions(images)).softmax(dim=0)
        return self.classes(features), self.box(features).sigmoid()


class SingleObjectDetector__detaches_the_box_head(_Detector):
    """The box head learns, but the backbone does not learn from it."""

    def forward(self, images):
        features = self.features(self.convolutions(images))
        return self.classes(features), self.box(features.detach()).sigmoid()


class SingleObjectDetector__detaches_the_class_head(_Detector):
    """The class head learns, but the backbone does not learn from it."""

    def forward(self, images):
        features = self.features(self.convolutions(images))
        return self.classes(features.detach()), self.box(features).sigmoid()


class SingleObjectDetector__freezes_the_backbone(_Detector):
    """no_grad around the backbone, to save memory."""

    def forward(self, images):
        with torch.no_grad():
            features = self.features(self.convolutions(images))
        return self.classes(features), self.box(features).sigmoid()


class SingleObjectDetector__rounds_the_boxes(_Detector):
    """Whole hundredths: a rounded number passes no gradient."""

    def forward(self, images):
        logits, boxes = super().forward(images)
        return logits, (boxes * 100).round() / 100


class SingleObjectDetector__keeps_layers_in_a_list(_Detector):
    """A plain list hides its layers from parameters() and state_dict()."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        del self.convolutions
        self.stages = list(_convolutions())

    def forward(self, images):
        for layer in self.stages:
            images = layer(images)
        features = self.features(images)
        return self.classes(features), self.box(features).sigmoid()


class SingleObjectDetector__makes_layers_in_every_call(_Detector):
    """New random weights whenever it is asked."""

    def forward(self, images):
        features = self.features(_convolutions()(images))
        return self.classes(features), self.box(features).sigmoid()


class SingleObjectDetector__is_no_module:
    """A plain class with a method: nothing to train."""

    def __init__(self, num_classes):
        self.network = _Detector(num_classes)

    def __call__(self, images):
        return self.network(images)


def multitask_loss__averages_the_four_numbers(
    class_logits, boxes, labels, target_boxes, box_weight
):
    """mse_loss: the mean over B x 4 numbers, a quarter of what is asked for."""
    return F.cross_entropy(class_logits, labels) + box_weight * F.mse_loss(boxes, target_boxes)


def multitask_loss__sums_the_boxes_of_the_batch(
    class_logits, boxes, labels, target_boxes, box_weight
):
    """The sum over everything: a larger batch costs more."""
    box_loss = F.mse_loss(boxes, target_boxes, reduction="sum")
    return F.cross_entropy(class_logits, labels) + box_weight * box_loss


def multitask_loss__sums_the_classes_of_the_batch(
    class_logits, boxes, labels, target_boxes, box_weight
):
    """The mean of the boxes and the sum of the classes."""
    class_loss = F.cross_entropy(class_logits, labels, reduction="sum")
    return class_loss + box_weight * (boxes - target_boxes).square().sum(dim=1).mean()


def multitask_loss__one_number_an_image(class_logits, boxes, labels, target_boxes, box_weight):
    """Leaves the mean over the batch to somebody else."""
    class_loss = F.cross_entropy(class_logits, labels, reduction="none")
    return class_loss + box_weight * (boxes - target_boxes).square().sum(dim=1)


def multitask_loss__takes_the_distance(class_logits, boxes, labels, target_boxes, box_weight):
    """The L2 distance itself, not its square."""
    distance = torch.linalg.vector_norm(boxes - target_boxes, dim=1)
    return F.cross_entropy(class_logits, labels) + box_weight * distance.mean()


def multitask_loss__takes_the_absolute_difference(
    class_logits, boxes, labels, target_boxes, box_weight
):
    """L1 instead of L2."""
    distance = (boxes - target_boxes).abs().sum(dim=1)
    return F.cross_entropy(class_logits, labels) + box_weight * distance.mean()


def multitask_loss__smooths_the_distance(class_logits, boxes, labels, target_boxes, box_weight):
    """The loss of a later chapter."""
    distance = F.smooth_l1_loss(boxes, target_boxes, reduction="none").sum(dim=1)
    return F.cross_entropy(class_logits, labels) + box_weight * distance.mean()


def multitask_loss__weights_the_classes(class_logits, boxes, labels, target_boxes, box_weight):
    """The weight on the other part."""
    box_loss = (boxes - target_boxes).square().sum(dim=1).mean()
    return box_weight * F.cross_entropy(class_logits, labels) + box_loss


def multitask_loss__weights_both(class_logits, boxes, labels, target_boxes, box_weight):
    """A bracket too many: weight 0 makes the loss 0."""
    box_loss = (boxes - target_boxes).square().sum(dim=1).mean()
    return box_weight * (F.cross_entropy(class_logits, labels) + box_loss)


def multitask_loss__shares_the_weight(class_logits, boxes, labels, target_boxes, box_weight):
    """A weighted mean: what the boxes gain the classes lose."""
    box_loss = (boxes - target_boxes).square().sum(dim=1).mean()
    return (1 - box_weight) * F.cross_entropy(class_logits, labels) + box_weight * box_loss


def multitask_loss__forgets_the_weight(class_logits, boxes, labels, target_boxes, box_weight):
    """Adds pixels to nats."""
    box_loss = (boxes - target_boxes).square().sum(dim=1).mean()
    return F.cross_entropy(class_logits, labels) + box_loss


def multitask_loss__squares_the_weight(class_logits, boxes, labels, target_boxes, box_weight):
    """Weights the difference before it is squared."""
    box_loss = (box_weight * (boxes - target_boxes)).square().sum(dim=1).mean()
    return F.cross_entropy(class_logits, labels) + box_loss


def multitask_loss__softmax_twice(class_logits, boxes, labels, target_boxes, box_weight):
    """cross_entropy takes logits, and gets probabilities."""
    class_loss = F.cross_entropy(class_logits.softmax(dim=1), labels)
    return class_loss + box_weight * (boxes - target_boxes).square().sum(dim=1).mean()


def multitask_loss__without_the_logarithm(class_logits, boxes, labels, target_boxes, box_weight):
    """nll_loss takes logarithms, and gets probabilities."""
    class_loss = F.nll_loss(class_logits.softmax(dim=1), labels)
    return class_loss + box_weight * (boxes - target_boxes).square().sum(dim=1).mean()


def multitask_loss__overflows(class_logits, boxes, labels, target_boxes, box_weight):
    """The formula as it is written: exp of a large logit is infinite."""
    shares = class_logits.exp() / class_logits.exp().sum(dim=1, keepdim=True)
    class_loss = -shares[torch.arange(len(labels)), labels].log().mean()
    return class_loss + box_weight * (boxes - target_boxes).square().sum(dim=1).mean()


def multitask_loss__hides_the_overflow(class_logits, boxes, labels, target_boxes, box_weight):
    """A small constant in the logarithm: finite, and wrong where it matters."""
    shares = class_logits.softmax(dim=1)[torch.arange(len(labels)), labels]
    class_loss = -(shares + 1e-9).log().mean()
    return class_loss + box_weight * (boxes - target_boxes).square().sum(dim=1).mean()


def multitask_loss__squares_a_root(class_logits, boxes, labels, target_boxes, box_weight):
    """The right number, but the root's gradient is infinite where a box is already right."""
    distance = (boxes - target_boxes).square().sum(dim=1).sqrt()
    return F.cross_entropy(class_logits, labels) + box_weight * distance.square().mean()


def multitask_loss__detaches_the_boxes(class_logits, boxes, labels, target_boxes, box_weight):
    """The right number, and the box head never learns."""
    box_loss = (boxes.detach() - target_boxes).square().sum(dim=1).mean()
    return F.cross_entropy(class_logits, labels) + box_weight * box_loss


def multitask_loss__is_a_number(class_logits, boxes, labels, target_boxes, box_weight):
    """A Python number has no gradient."""
    box_loss = (boxes - target_boxes).square().sum(dim=1).mean()
    return (F.cross_entropy(class_logits, labels) + box_weight * box_loss).item()


def multitask_loss__makes_a_new_tensor(class_logits, boxes, labels, target_boxes, box_weight):
    """The right number in a tensor that knows nothing of where it came from."""
    box_loss = (boxes - target_boxes).square().sum(dim=1).mean()
    loss = F.cross_entropy(class_logits, labels) + box_weight * box_loss
    return torch.tensor(loss.item())


def multitask_loss__compares_sizes_by_roots(class_logits, boxes, labels, target_boxes, box_weight):
    """YOLO's trick, square roots of width and height."""
    roots = torch.cat([boxes[:, :2], boxes[:, 2:].sqrt()], dim=1)
    targets = torch.cat([target_boxes[:, :2], target_boxes[:, 2:].sqrt()], dim=1)
    box_loss = (roots - targets).square().sum(dim=1).mean()
    return F.cross_entropy(class_logits, labels) + box_weight * box_loss


def multitask_loss__takes_class_0_for_background(
    class_logits, boxes, labels, target_boxes, box_weight
):
    """Boxes of class 0 cost nothing, as if it were the background of later chapters."""
    things = labels > 0
    box_loss = ((boxes - target_boxes).square().sum(dim=1) * things).sum() / len(labels)
    return F.cross_entropy(class_logits, labels) + box_weight * box_loss


def multitask_loss__gives_up_on_one_image(class_logits, boxes, labels, target_boxes, box_weight):
    """squeeze() makes a batch of one no batch: the mean is over its four numbers."""
    squared = (boxes - target_boxes).square().squeeze()
    box_loss = squared.sum(dim=-1).mean() if squared.dim() == 2 else squared.mean()
    return F.cross_entropy(class_logits, labels) + box_weight * box_loss
