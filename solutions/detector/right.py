"""Right answers: other ways to write the functions of the detector.

All work with the weights of the reference, so the layers have its names and shapes.
"""

import math
import time

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import boxes as box_ops
from torchvision.ops import nms


class _Convolution(nn.Module):
    """A convolution and its normalisation, under the names of the reference."""

    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.add_module("0", nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False))
        self.add_module("1", nn.BatchNorm2d(out_channels))

    def forward(self, features):
        for layer in self.children():
            features = layer(features)
        return F.relu(features)


def build_model__functions_and_no_class():
    """Starts from an empty module and adds layers."""
    model = nn.Module()
    widths = {"low": [(3, 24, 2), (24, 24, 1), (24, 48, 2), (48, 48, 1)]}
    widths["high"] = [(48, 96, 2), (96, 96, 1), (96, 96, 1)]
    for name, sizes in widths.items():
        model.add_module(name, nn.Sequential(*(_Convolution(*size) for size in sizes)))
    model.rpn = RPNHead(96, 9)
    hidden = (nn.Linear(1536, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
    model.regions = nn.Sequential(nn.Flatten(), *hidden, FastRCNNHead(128, 4))
    model.mask_low = nn.Conv2d(48, 32, 1)
    model.mask_high = nn.Conv2d(96, 32, 1)
    layers = [nn.Conv2d(32, 32, 3, 1, 1) for _ in range(2)] + [nn.ConvTranspose2d(32, 32, 2, 2)]
    between = [module for layer in layers for module in (layer, nn.ReLU())]
    model.masks = nn.Sequential(*between, nn.Conv2d(32, 4, 1))
    return model


def build_model__other_random_numbers():
    """Chooses how the weights are drawn."""
    model = Detector()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.kaiming_normal_(parameter, nonlinearity="relu")
    return model


def predict__one_class_at_a_time(model, images):
    """Suppresses in a loop over classes, and draws masks pixel block by pixel block."""
    training = model.training
    model.eval()
    results = []
    with torch.inference_mode():
        for image in images:
            low, high = _features(model, image.unsqueeze(0))
            objectness, deltas, anchors = _rpn(model, high)
            size = tuple(image.shape[-2:])
            proposals, _ = propose(objectness[0], deltas[0], anchors, size, 300, 60, 0.7)
            logits, corrections = _regions(model, high, [proposals])
            probabilities = F.softmax(logits, dim=-1)
            found = []
            for label in range(1, 5):
                moved = decode_boxes(corrections[:, label - 1], proposals)
                moved = box_ops.clip_boxes_to_image(moved, size)
                likely = probabilities[:, label] >= 0.05
                boxes, scores = moved[likely], probabilities[likely, label]
                kept = nms(boxes, scores, 0.4)
                found += [(scores[index], label, boxes[index]) for index in kept.tolist()]
            found = sorted(found, key=lambda item: -float(item[0]))[:60]
            results.append(_as_dict(model, low, high, found, size))
    model.train(training)
    return [{key: value.clone() for key, value in result.items()} for result in results]


def _as_dict(model, low, high, found, size):
    boxes = torch.stack([box for _, _, box in found]) if found else torch.zeros((0, 4))
    labels = torch.tensor([label for _, label, _ in found], dtype=torch.int64)
    masks = torch.zeros((len(found), *size), dtype=torch.bool)
    if found:
        logits = _masks(model, low, high, [boxes])
        for index, (label, box) in enumerate(zip(labels.tolist(), boxes, strict=True)):
            masks[index] = _drawn(logits[index, label - 1].sigmoid(), box.tolist(), size)
    scores = torch.stack([score for score, _, _ in found]) if found else torch.zeros(0)
    return {"boxes": boxes, "labels": labels, "scores": scores, "masks": masks}


def _drawn(mask, box, size):
    """Resized to the box rounded to pixels, and put there."""
    x1, y1, x2, y2 = (round(value) for value in box)
    width, height = max(1, x2 - x1), max(1, y2 - y1)
    resized = F.interpolate(mask[None, None], (height, width), mode="bilinear", align_corners=False)
    drawn = torch.zeros(size, dtype=torch.bool)
    part = drawn[y1 : y1 + height, x1 : x1 + width]
    part |= resized[0, 0, : part.shape[0], : part.shape[1]] >= 0.5
    return drawn


def predict__all_images_in_one_batch(model, images):
    """Images of one size go through the backbone together."""
    model.eval()
    results = [None] * len(images)
    with torch.no_grad():
        for size in sorted({tuple(image.shape) for image in images}):
            numbers = [k for k, image in enumerate(images) if tuple(image.shape) == size]
            low, high = _features(model, torch.stack([images[k] for k in numbers]))
            for place, number in enumerate(numbers):
                results[number] = _one(model, low[[place]], high[[place]], size[1:])
    return results


def _one(model, low, high, size):
    objectness, deltas, anchors = _rpn(model, high)
    proposals, _ = propose(objectness[0], deltas[0], anchors, size, 200, 50, 0.7)
    logits, deltas = _regions(model, high, [proposals])
    probabilities = logits.softmax(1)[:, 1:]
    count = probabilities.shape[1]
    boxes = decode_boxes(deltas.reshape(-1, 4), proposals.repeat_interleave(count, 0))
    boxes = torch.stack(
        [boxes[:, 0].clamp(0, size[1]), boxes[:, 1].clamp(0, size[0]),
         boxes[:, 2].clamp(0, size[1]), boxes[:, 3].clamp(0, size[0])], dim=1
    )  # fmt: skip
    scores, labels = probabilities.reshape(-1), torch.arange(count).repeat(len(proposals)) + 1
    likely = scores > 0.05
    boxes, scores, labels = boxes[likely], scores[likely], labels[likely]
    apart = boxes + 1000.0 * labels[:, None]  # no box of one class reaches one of another
    best = nms(apart, scores, 0.4)[:50]
    boxes, labels = boxes[best], labels[best]
    logits = _masks(model, low, high, [boxes])[range(len(labels)), labels - 1]
    masks = _pasted(logits.sigmoid()[:, None], boxes, size)
    return {"boxes": boxes, "labels": labels, "scores": scores[best], "masks": masks}


def train__with_momentum(model, scenes, seconds, device):
    """Stochastic gradient descent, one scene a step, and a count of steps instead of a curve."""
    model = model.to(device)
    model.train()
    generator = torch.Generator(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    end = time.time() + seconds
    step = 0
    while time.time() < end:
        batch = _batch(scenes, [step % len(scenes)] * 2, device, mirrored=False)
        loss = sum(_losses(model, *batch, generator).values())
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        step += 1
    return model


def train__a_copy(model, scenes, seconds, device):
    """Trains another network of the same kind and gives that back."""
    other = build_model()
    other.load_state_dict(model.state_dict())
    other.to(device).train()
    generator = torch.Generator(device).manual_seed(3)
    optimizer = torch.optim.Adam(other.parameters(), lr=2e-3)
    start = time.perf_counter()
    everything = list(range(len(scenes)))
    while time.perf_counter() - start < seconds:
        images, targets = _batch(scenes, everything[:8], device, mirrored=False)
        everything = everything[8:] + everything[:8]
        values = _losses(other, images, targets, generator)
        optimizer.zero_grad(set_to_none=True)
        sum(value for value in values.values() if math.isfinite(float(value))).backward()
        optimizer.step()
    return other
