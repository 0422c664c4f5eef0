"""Right answers to the sheet `fcn`, written in other ways than the reference.

A hidden test that rejects one of these punishes understanding.
"""
# ruff: noqa: N801 (a class of answers is named like a function of answers)

import math
from functools import reduce
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def receptive_field__from_the_output(layers):
    """How much of the input one position needs, asked backwards; the jump is a product."""
    size = 1
    for kernel, stride, *dilation in reversed(list(layers)):
        span = (dilation[0] if dilation else 1) * (kernel - 1) + 1
        size = (size - 1) * stride + span
    return size, math.prod(layer[1] for layer in layers)


def receptive_field__sums_over_layers(layers):
    """Each layer adds its reach times the product of the strides in front of it."""
    strides = [layer[1] for layer in layers]
    reaches = [(layer[0] - 1) * (layer[2] if len(layer) == 3 else 1) for layer in layers]
    sizes = [reach * math.prod(strides[:number]) for number, reach in enumerate(reaches)]
    return [1 + sum(sizes), math.prod(strides)]


def receptive_field__follows_two_neighbours(layers):
    """First and last input of output 0, and the first one of output 1."""
    first, last, neighbour = 0, 0, 1
    for layer in layers[::-1]:
        kernel, stride = layer[:2]
        dilation = 1 if len(layer) < 3 else layer[2]
        first, neighbour = first * stride, neighbour * stride
        last = last * stride + dilation * (kernel - 1)
    return last - first + 1, neighbour - first


def receptive_field__folds(layers):
    """A step that is applied to every layer in turn."""

    def step(so_far, layer):
        dilation = layer[2] if len(layer) > 2 else 1
        return so_far[0] + (layer[0] - 1) * dilation * so_far[1], so_far[1] * layer[1]

    return reduce(step, layers, (1, 1))


def pixel_cross_entropy__logsumexp(logits, target, ignore_index=255):
    """The second form of the formula, on the whole map."""
    counts = target != ignore_index
    truth = target.masked_fill(~counts, 0).unsqueeze(1)
    costs = logits.logsumexp(dim=1) - logits.gather(1, truth).squeeze(1)
    return (costs * counts).sum() / counts.sum().clamp(min=1)


def pixel_cross_entropy__one_hot(logits, target, ignore_index=255):
    """Logarithms times a one-hot map in which void has no one; in float64."""
    logs = torch.log_softmax(logits.double(), dim=1)
    hot = torch.stack([target == label for label in range(logits.shape[1])], dim=1)
    hot = hot & (target != ignore_index)[:, None]
    return -torch.where(hot, logs, 0.0).sum() / max(1, int((target != ignore_index).sum()))


def pixel_cross_entropy__subtracts_the_largest(logits, target, ignore_index=255):
    """A stable softmax by hand, on the list of pixels that count."""
    classes = logits.shape[1]
    rows = logits.permute(0, 2, 3, 1).reshape(-1, classes)
    labels = target.reshape(-1)
    rows, labels = rows[labels != ignore_index], labels[labels != ignore_index]
    if len(labels) == 0:
        return 0 * logits.sum()
    rows = rows - rows.max(dim=1, keepdim=True).values.detach()
    costs = rows.exp().sum(dim=1).log() - rows[torch.arange(len(labels)), labels]
    return costs.mean()


def pixel_cross_entropy__image_by_image(logits, target, ignore_index=255):
    """Sums of images, divided once at the end."""
    total, pixels = (logits * 0).sum(), 0
    for scores, labels in zip(logits, target, strict=True):
        for label in labels.unique().tolist():
            if label != ignore_index:
                here = labels == label
                total = total - scores.log_softmax(dim=0)[label][here].sum()
                pixels += int(here.sum())
    return total / pixels if pixels else total


def pixel_cross_entropy__module_of_log_softmax(logits, target, ignore_index=255):
    """A channel more for void, filled with zeros."""
    logs = nn.LogSoftmax(dim=1)(logits)
    padded = F.pad(logs, (0, 0, 0, 0, 0, 1))
    void = target == ignore_index
    where = torch.where(void, logs.shape[1], target)
    costs = -torch.take_along_dim(padded, where[:, None], dim=1)
    return costs.sum() / (~void).sum().clamp(min=1)


class FCN__dilated(nn.Module):
    """Eight convolutions at full size with growing dilation, no normalisation."""

    def __init__(self, num_classes):
        super().__init__()
        layers, channels = [], 3
        for dilation in (1, 1, 2, 4, 8, 4, 2):
            layers += [
                nn.Conv2d(channels, 24, 3, padding=dilation, dilation=dilation),
                nn.ReLU(inplace=True),
            ]
            channels = 24
        self.layers = nn.Sequential(*layers, nn.Conv2d(24, num_classes, 3, padding=1))

    def forward(self, images):
        return self.layers(images)


class FCN__plain_chain(nn.Module):
    """Fifteen convolutions at full size: 1 + 2L = 31, just enough."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(3 if number == 0 else 16, 16, 3, padding=1) for number in range(15)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(16) for _ in self.layers)
        self.scores = nn.Conv2d(16, num_classes, 1)

    def forward(self, images):
        features = images
        for layer, norm in zip(self.layers, self.norms, strict=True):
            features = norm(layer(features)).relu()
        return self.scores(features)


class FCN__u_net(nn.Module):
    """Down and up with concatenated skips, nearest neighbours, dropout at the bottom."""

    def __init__(self, num_classes):
        super().__init__()
        self.downs = nn.ModuleList([_pair(3, 16), _pair(16, 32), _pair(32, 48)])
        self.bottom = nn.Sequential(_pair(48, 64), nn.Dropout2d(0.1))
        self.ups = nn.ModuleList([_pair(64 + 48, 48), _pair(48 + 32, 32), _pair(32 + 16, 16)])
        self.scores = nn.Conv2d(16, num_classes, 1)

    def forward(self, images):
        skips = []
        for down in self.downs:
            images = down(images)
            skips.append(images)
            images = F.max_pool2d(images, 2, ceil_mode=True)
        images = self.bottom(images)
        for up, skip in zip(self.ups, reversed(skips), strict=True):
            large = F.interpolate(images, size=skip.shape[2:], mode="nearest")
            images = up(torch.cat([large, skip], dim=1))
        return self.scores(images)


def _pair(inputs, outputs):
    """Two convolutions, each normalised."""
    layers = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class FCN__strided(nn.Module):
    """Strides down, bilinear up in one go, no normalisation and no skips."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(32, 64, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(64, num_classes, 3, padding=1),
        )

    def forward(self, images):
        return F.interpolate(
            self.layers(images), size=images.shape[2:], mode="bilinear", align_corners=True
        )


class FCN__five_poolings(nn.Module):
    """As coarse as the first network of Long et al.: a stride of 32."""

    def __init__(self, num_classes):
        super().__init__()
        widths = [3, 16, 32, 48, 64, 96]
        layers = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(96, num_classes, 1))

    def forward(self, images):
        return F.interpolate(self.layers(images), size=images.shape[2:], mode="bilinear")


class FCN__transposed(nn.Module):
    """Transposed convolutions up; what was padded to a multiple of eight is cut off."""

    def __init__(self, num_classes):
        super().__init__()
        self.down = nn.Sequential(_halve(3, 24), _halve(24, 32), _halve(32, 48))
        self.up = nn.Sequential(
            nn.ConvTranspose2d(48, 32, 4, stride=2, padding=1),
            nn.LeakyReLU(0.1),
            nn.ConvTranspose2d(32, 24, 4, stride=2, padding=1),
            nn.LeakyReLU(0.1),
            nn.ConvTranspose2d(24, num_classes, 4, stride=2, padding=1),
        )

    def forward(self, images):
        height, width = images.shape[2:]
        padded = F.pad(images, (0, -width % 8, 0, -height % 8), mode="replicate")
        return self.up(self.down(padded))[:, :, :height, :width]


def _halve(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.LeakyReLU(0.1))


class FCN__scores_at_every_scale(nn.Module):
    """Scores of three scales are added, as Long et al. do; layers made lazily, group norm."""

    def __init__(self, num_classes):
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.LazyConv2d(width, 5, stride=2, padding=2), nn.GroupNorm(4, width), nn.GELU()
            )
            for width in (16, 32, 64)
        )
        self.scores = nn.ModuleList(nn.LazyConv2d(num_classes, 1) for _ in self.stages)

    def forward(self, images):
        size, total = images.shape[2:], 0
        for stage, score in zip(self.stages, self.scores, strict=True):
            images = stage(images)
            total = total + F.interpolate(score(images), size=size, mode="bicubic")
        return total


class FCN__residual(nn.Module):
    """Fifteen blocks that each add a little, at full size; the last layer begins at 0."""

    def __init__(self, num_classes):
        super().__init__()
        self.first = nn.Conv2d(3, 16, 3, padding="same")
        self.blocks = nn.ModuleList(nn.Conv2d(16, 16, 3, padding="same") for _ in range(14))
        self.last = nn.Conv2d(16, num_classes, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, images):
        features = self.first(2 * images - 1)
        for block in self.blocks:
            features = features + block(F.relu(features))
        return self.last(features)


class FCN__looks_around_by_pooling(nn.Module):
    """Means over windows of several sizes beside the pixel itself, 1 × 1 convolutions."""

    def __init__(self, num_classes):
        super().__init__()
        self.mix = nn.Sequential(
            nn.Conv2d(12, 32, 1), nn.Tanh(), nn.Conv2d(32, 32, 1), nn.Tanh(), nn.Dropout(0.1)
        )
        self.scores = nn.Conv2d(32, num_classes, 3, padding=1)

    def forward(self, images):
        around = [F.avg_pool2d(images, n, stride=1, padding=n // 2) for n in (1, 5, 15, 31)]
        return self.scores(self.mix(torch.cat(around, dim=1)))


def confusion_matrix__loops(prediction, target, num_classes, ignore_index=255):
    """Pixel by pixel with Python's numbers, as the text says one should not."""
    matrix = torch.zeros((num_classes, num_classes), dtype=torch.int64)
    predicted, truths = prediction.flatten().tolist(), target.flatten().tolist()
    for p, t in zip(predicted, truths, strict=True):
        if t != ignore_index:
            matrix[t, p] += 1
    return matrix


def confusion_matrix__pair_of_masks(prediction, target, num_classes, ignore_index=255):
    """One pair of classes at a time."""
    counts = target != ignore_index
    rows = [
        [int(((target == t) & (prediction == p) & counts).sum()) for p in range(num_classes)]
        for t in range(num_classes)
    ]
    return torch.tensor(rows, dtype=torch.int64)


def confusion_matrix__accumulates(prediction, target, num_classes, ignore_index=255):
    """index_put_ with accumulate=True, for which equal indices are no trouble."""
    counts = target != ignore_index
    where = target[counts].to(torch.int64), prediction[counts].to(torch.int64)
    matrix = torch.zeros((num_classes, num_classes), dtype=torch.int64)
    return matrix.index_put_(where, torch.tensor(1), accumulate=True)


def confusion_matrix__product_of_one_hots(prediction, target, num_classes, ignore_index=255):
    """(C, pixels) times (pixels, C)."""
    counts = target != ignore_index
    truth = F.one_hot(target[counts].long(), num_classes)
    predicted = F.one_hot(prediction[counts].long(), num_classes)
    return truth.T @ predicted


def confusion_matrix__numpy(prediction, target, num_classes, ignore_index=255):
    """numpy's two-dimensional histogram."""
    truth = target.numpy().ravel().astype(np.int64)
    predicted = prediction.numpy().ravel().astype(np.int64)
    counts = truth != ignore_index
    edges = np.arange(num_classes + 1) - 0.5
    matrix, _, _ = np.histogram2d(truth[counts], predicted[counts], bins=(edges, edges))
    return torch.from_numpy(matrix.astype(np.int64))


def mean_iou__class_by_class(confusion):
    """Python's numbers."""
    counts, found = confusion.tolist(), []
    for label, row in enumerate(counts):
        column = [other[label] for other in counts]
        union = sum(row) + sum(column) - row[label]
        if union:
            found.append(row[label] / union)
    return sum(found) / len(found) if found else 0.0


def mean_iou__sums_mistakes(confusion):
    """FP and FN from a matrix without its diagonal, in float64."""
    counts = confusion.double()
    hits = counts.diag()
    mistakes = counts - torch.diag(hits)
    union = hits + mistakes.sum(0) + mistakes.sum(1)
    return torch.nan_to_num(torch.nanmean(hits / union))


def mean_iou__float32(confusion):
    """Everything in float32, absent classes divided by 1 and not counted."""
    counts = confusion.float()
    hits = counts.diagonal()
    union = counts.sum(1) + counts.sum(0) - hits
    return (hits / union.clamp(min=1)).sum() / (union > 0).sum().clamp(min=1)


def pixel_accuracy__trace(confusion):
    """numpy's trace, in Python's numbers."""
    counts = np.asarray(confusion.tolist(), dtype=object)
    return int(counts.trace()) / max(int(counts.sum()), 1)


def pixel_accuracy__float32(confusion):
    """Shares first, then their sum."""
    shares = confusion.float() / confusion.sum().clamp(min=1)
    return torch.einsum("ii->", shares)


def pixel_accuracy__weighs_the_recalls(confusion):
    """The recall of each class, weighed by how frequent it is."""
    rows = confusion.sum(dim=1).double()
    if not rows.any():
        return torch.tensor(0.0)
    recalls = confusion.diagonal() / rows.clamp(min=1)
    return (recalls * rows / rows.sum()).sum().item()
