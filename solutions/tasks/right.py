"""Right answers to the sheet `tasks`, written in other ways than the reference.

A hidden test that rejects one of these punishes understanding.
"""
# ruff: noqa: N801 (a class of answers is named like a function of answers)

import torch
from torch import nn
from torch.nn import functional as F


def xyxy_to_cxcywh__by_a_matrix(boxes):
    """A linear map: one product, in float64."""
    matrix = torch.tensor([[0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5], [-1, 0, 1, 0], [0, -1, 0, 1]])
    return boxes.double() @ matrix.double().T


def xyxy_to_cxcywh__one_box_at_a_time(boxes):
    """Loops, with Python numbers."""
    rows = [
        [x1 + (x2 - x1) / 2, y1 + (y2 - y1) / 2, x2 - x1, y2 - y1]
        for x1, y1, x2, y2 in boxes.tolist()
    ]
    return torch.tensor(rows, dtype=torch.float64).reshape(-1, 4)


def xyxy_to_cxcywh__fills_a_copy(boxes):
    """Column by column, into a tensor of its own."""
    result = boxes.to(torch.get_default_dtype(), copy=True)
    result[:, 2:] -= result[:, :2]
    result[:, :2] += 0.5 * result[:, 2:]
    return result


def xyxy_to_cxcywh__means_and_differences(boxes):
    """Two corners a box: their mean and their difference."""
    corners = boxes.float().reshape(-1, 2, 2)
    return torch.cat([corners.mean(dim=1), corners.diff(dim=1).squeeze(1)], dim=1)


def cxcywh_to_xyxy__by_a_matrix(boxes):
    """A linear map: one product, in float64."""
    matrix = torch.tensor([[1, 0, -0.5, 0], [0, 1, 0, -0.5], [1, 0, 0.5, 0], [0, 1, 0, 0.5]])
    return torch.einsum("ij,nj->ni", matrix.double(), boxes.double())


def cxcywh_to_xyxy__one_box_at_a_time(boxes):
    """Loops, with Python numbers."""
    result = torch.zeros((len(boxes), 4), dtype=torch.float64)
    for number, (cx, cy, w, h) in enumerate(boxes.tolist()):
        result[number] = torch.tensor([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
    return result


def cxcywh_to_xyxy__adds_the_size_to_the_corner(boxes):
    """The first corner, and from there the whole size."""
    cx, cy, w, h = boxes.to(torch.float32).T
    left, top = cx - 0.5 * w, cy - 0.5 * h
    return torch.stack((left, top, left + w, top + h), dim=-1)


def masks_to_boxes__rows_and_columns(masks):
    """Looks at the first and last column and row that hold a pixel, all masks at once."""
    count, height, width = masks.shape
    across, down = masks.any(dim=1), masks.any(dim=2)  # [N, W], [N, H]
    x, y = torch.arange(width), torch.arange(height)
    boxes = torch.stack(
        [
            torch.where(across, x, width).amin(dim=1),
            torch.where(down, y, height).amin(dim=1),
            torch.where(across, x + 1, 0).amax(dim=1),
            torch.where(down, y + 1, 0).amax(dim=1),
        ],
        dim=1,
    )
    return torch.where(masks.flatten(1).any(dim=1)[:, None], boxes, 0).float().reshape(count, 4)


def masks_to_boxes__by_argmax(masks):
    """argmax of a row of truths is the first of them, from both sides."""
    _, height, width = masks.shape
    across, down = masks.any(dim=1).int(), masks.any(dim=2).int()
    left, top = across.argmax(dim=1), down.argmax(dim=1)
    right = width - across.flip(1).argmax(dim=1)
    bottom = height - down.flip(1).argmax(dim=1)
    boxes = torch.stack([left, top, right, bottom], dim=1).double()
    boxes[~masks.flatten(1).any(dim=1)] = 0
    return boxes


def masks_to_boxes__pixel_by_pixel(masks):
    """Lists of coordinates, in Python."""
    boxes = []
    for mask in masks:
        pixels = [
            (x, y) for y, row in enumerate(mask.tolist()) for x, inside in enumerate(row) if inside
        ]
        if not pixels:
            boxes.append((0, 0, 0, 0))
            continue
        x, y = zip(*pixels, strict=True)
        boxes.append((min(x), min(y), max(x) + 1, max(y) + 1))
    return torch.tensor(boxes, dtype=torch.float32).reshape(len(masks), 4)


def semantic_from_instances__backwards(masks, labels):
    """From front to back: paints only what is still free."""
    semantic = torch.zeros(masks.shape[1:], dtype=torch.int64)
    for index in range(len(masks) - 1, -1, -1):
        semantic = torch.where((semantic == 0) & masks[index], labels[index], semantic)
    return semantic


def semantic_from_instances__finds_the_last(masks, labels):
    """The number of the last instance of each pixel, looked up in a table that begins with 0."""
    numbers = torch.arange(1, len(masks) + 1)[:, None, None] * masks  # [N, H, W]
    background = torch.zeros((1, *masks.shape[1:]), dtype=torch.int64)
    last = torch.cat([background, numbers]).amax(dim=0)
    return torch.cat([torch.zeros(1, dtype=torch.int64), labels])[last]


def semantic_from_instances__pixel_by_pixel(masks, labels):
    """Three loops."""
    _, height, width = masks.shape
    semantic = [[0] * width for _ in range(height)]
    for mask, label in zip(masks.tolist(), labels.tolist(), strict=True):
        for y in range(height):
            for x in range(width):
                if mask[y][x]:
                    semantic[y][x] = label
    return torch.tensor(semantic)


def semantic_from_instances__by_arithmetic(masks, labels):
    """Keeps or replaces, with products of zeros and ones."""
    semantic = torch.zeros(masks.shape[1:]).long()
    for mask, label in zip(masks.long(), labels, strict=True):
        semantic = semantic * (1 - mask) + label * mask
    return semantic


class SingleObjectDetector__batch_normalisation(nn.Module):
    """Strides instead of pooling, batch normalisation, dropout, one layer for both heads."""

    def __init__(self, num_classes):
        super().__init__()
        layers = []
        for inputs, outputs in [(3, 16), (16, 32), (32, 64)]:
            convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        self.backbone = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(4), nn.Flatten())
        self.heads = nn.Sequential(nn.Dropout(0.3), nn.Linear(1024, num_classes + 4))
        self.num_classes = num_classes

    def forward(self, images):
        both = self.heads(self.backbone(images))
        logits, boxes = both.split([self.num_classes, 4], dim=1)
        return [logits, torch.sigmoid(boxes)]


class SingleObjectDetector__group_normalisation(nn.Module):
    """A deeper network with group normalisation, and heads that begin at zero."""

    def __init__(self, num_classes):
        super().__init__()
        self.stages = nn.ModuleList()
        for inputs, outputs in [(3, 16), (16, 32), (32, 64), (64, 64)]:
            self.stages.append(nn.Conv2d(inputs, outputs, 3, stride=2, padding=1))
            self.stages.append(nn.GroupNorm(4, outputs))
        self.pool = nn.AdaptiveAvgPool2d((3, 3))
        self.classes = nn.Linear(576, num_classes)
        self.box = nn.Linear(576, 4)
        for layer in (self.classes, self.box):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, images):
        for convolution, normalisation in zip(self.stages[::2], self.stages[1::2], strict=True):
            images = F.gelu(normalisation(convolution(images)))
        features = self.pool(images).flatten(1)
        return self.classes(features), (self.box(features).tanh() + 1) / 2


class SingleObjectDetector__is_told_the_coordinates(nn.Module):
    """Averages over the image, but from maps that know each pixel's coordinates."""

    def __init__(self, num_classes):
        super().__init__()
        self.first = nn.Conv2d(5, 24, 3, stride=2, padding=1)
        self.second = nn.Conv2d(24, 48, 3, stride=2, padding=1)
        self.third = nn.Conv2d(48, 64, 3, stride=2, padding=1)
        self.classes = nn.Linear(64, num_classes)
        self.box = nn.Linear(64, 4)

    def forward(self, images):
        batch, _, height, width = images.shape
        y = torch.linspace(-1, 1, height).view(1, 1, height, 1).expand(batch, 1, height, width)
        x = torch.linspace(-1, 1, width).view(1, 1, 1, width).expand(batch, 1, height, width)
        features = torch.cat([images, x, y], dim=1)
        for layer in (self.first, self.second, self.third):
            features = layer(features).relu()
        features = features.mean(dim=(2, 3))
        return self.classes(features), self.box(features).sigmoid()


class SingleObjectDetector__looks_for_the_brightest_place(nn.Module):
    """The centre is the mean place under a heat map; size and class are read there."""

    def __init__(self, num_classes):
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.heat = nn.Conv2d(32, 1, 1)
        self.classes = nn.Linear(32, num_classes)
        self.size = nn.Linear(32, 2)

    def forward(self, images):
        maps = self.maps(images)
        batch, _, height, width = maps.shape
        share = self.heat(maps).flatten(1).softmax(dim=1).view(batch, height, width)
        x = (torch.arange(width) + 0.5) / width
        y = (torch.arange(height) + 0.5) / height
        centre = torch.stack([share.sum(dim=1) @ x, share.sum(dim=2) @ y], dim=1)
        features = torch.einsum("bchw,bhw->bc", maps, share)
        return self.classes(features), torch.cat([centre, self.size(features).sigmoid()], dim=1)


class SingleObjectDetector__lazy_layers(nn.Module):
    """Layers that find out their number of inputs when they are first called."""

    def __init__(self, num_classes):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.LazyConv2d(16, 5, stride=4, padding=2),
            nn.LeakyReLU(),
            nn.LazyConv2d(32, 3, padding=1),
            nn.LeakyReLU(),
            nn.AdaptiveAvgPool2d(5),
            nn.Flatten(),
            nn.LazyLinear(100),
            nn.Tanh(),
        )
        self.classes = nn.LazyLinear(num_classes)
        self.box = nn.Sequential(nn.LazyLinear(32), nn.ReLU(), nn.LazyLinear(4), nn.Hardsigmoid())

    def forward(self, images):
        features = self.backbone(images)
        return self.classes(features).log_softmax(dim=1), self.box(features)


class SingleObjectDetector__no_convolutions(nn.Module):
    """A few thousand pixels of a smaller picture, and two hidden layers."""

    def __init__(self, num_classes):
        super().__init__()
        self.hidden = nn.Linear(3 * 12 * 12, 64)
        self.classes = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, num_classes))
        self.box = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4), nn.Sigmoid())

    def forward(self, images):
        small = F.interpolate(images, size=(12, 12), mode="area").flatten(1)
        hidden = self.hidden(small).relu()
        return self.classes(hidden), self.box(hidden)


def multitask_loss__by_hand(class_logits, boxes, labels, target_boxes, box_weight):
    """logsumexp minus the true class's logit, and four squares."""
    true = class_logits.gather(1, labels[:, None]).squeeze(1)
    class_loss = class_logits.logsumexp(dim=1) - true
    box_loss = ((boxes - target_boxes) ** 2).sum(1)
    return (class_loss + box_weight * box_loss).mean()


def multitask_loss__image_by_image(class_logits, boxes, labels, target_boxes, box_weight):
    """A loop over the batch."""
    total = 0
    for logits, box, label, target in zip(class_logits, boxes, labels, target_boxes, strict=True):
        total = total - logits.log_softmax(dim=0)[label]
        total = total + box_weight * torch.dot(box - target, box - target)
    return total / len(labels)


def multitask_loss__mse_times_four(class_logits, boxes, labels, target_boxes, box_weight):
    """mse_loss averages over four numbers, so four times that."""
    box_loss = 4 * F.mse_loss(boxes, target_boxes)
    return nn.CrossEntropyLoss()(class_logits, labels) + box_loss * box_weight


def multitask_loss__einsum(class_logits, boxes, labels, target_boxes, box_weight):
    """One-hot labels and sums over named axes, in float64."""
    truth = F.one_hot(labels, class_logits.shape[1]).double()
    class_loss = -torch.einsum("bc,bc->", truth, class_logits.double().log_softmax(dim=-1))
    error = (boxes - target_boxes).double()
    return (class_loss + box_weight * torch.einsum("bk,bk->", error, error)) / len(boxes)


def multitask_loss__squared_norm(class_logits, boxes, labels, target_boxes, box_weight):
    """torch's norm has the gradient 0 at 0, so its square may be used."""
    distance = torch.linalg.vector_norm(boxes - target_boxes, dim=1)
    return F.cross_entropy(class_logits, labels) + box_weight * (distance**2).mean()
