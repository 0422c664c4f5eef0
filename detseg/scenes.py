"""Generated scenes: a data set for every task of the course, without a download."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from detseg.dice import Dice
from detseg.errors import ArgumentError
from detseg.landscape import STUFF, landscape
from detseg.rasterise import PIXEL
from detseg.things import KEYPOINTS, PERSON, SKELETON, THINGS, Patch, draw_thing

__all__ = [
    "KEYPOINTS",
    "SKELETON",
    "STUFF",
    "THINGS",
    "ShapeScenes",
    "collate",
    "flip_horizontal",
]

SMALLEST_SIDE = 32
LEAST_PIXELS = 40  # a thing with fewer visible pixels is left out

_LEAST_VISIBLE = 35  # per cent of its own pixels: what shows less cannot be told by its shape
_PLACES = 12  # places tried for a thing before it is left out
_LIMIT = 2**32  # seeds and indices are 32-bit numbers
# Division in float32 is exactly rounded everywhere; a table makes it one look-up a pixel.
_LEVELS = np.arange(256, dtype=np.float32) / np.float32(255)

Target = dict[str, Any]


class ShapeScenes(Dataset[tuple[torch.Tensor, Target]]):
    """Scenes with sky, grass, sometimes water, and one to six things of four classes.

    Scene `index` of a seed is the same on every machine, bit for bit, whatever `n` is and in
    whatever order scenes are read.

    Args:
        n: the number of scenes.
        seed: 0 … 2³² − 1; scenes of different seeds are independent.
        size_hw: height and width in pixels, each at least 32.
        things: the least and the greatest number of things to place. One that finds no free place
            is left out, so a crowded scene may show fewer, but never none.

    Each item is `(image, target)`: `image` (3, H, W) float32 in [0, 1], and `target` a dict, in
    torchvision's detection format, with things ordered from back to front:
        boxes: (N, 4) float32, xyxy, pixels, half-open, around the visible part.
        labels: (N,) int64, keys of `THINGS`.
        masks: (N, H, W) bool, the visible pixels; at least 40 each.
        keypoints: (N, 9, 3) float32, x, y, visibility (2 visible, 1 hidden by another thing,
            0 outside the image) in the order of `KEYPOINTS`; zeros where absent, and for all that
            is not a person. A person faces you, so its left hand is on your right.
        area: (N,) float32, visible pixels.
        iscrowd: (N,) int64, zeros.
        image_id: int, the index.
        semantic: (H, W) int64, keys of `THINGS` and `STUFF`.
        panoptic: (H, W) int64, i + 1 where thing i is visible, 0 on stuff.

    Raises:
        ArgumentError: an argument is out of range.
        IndexError: the index is not in −n … n − 1.

    Example:
        >>> image, target = ShapeScenes(n=10, seed=0)[3]
        >>> image.shape, [THINGS[int(label)] for label in target["labels"]]
        (torch.Size([3, 128, 128]), ['disk', 'square', 'square', 'triangle'])
    """

    def __init__(
        self,
        n: int,
        seed: int,
        size_hw: tuple[int, int] = (128, 128),
        *,
        things: tuple[int, int] = (1, 6),
    ) -> None:
        _check_whole("n", n, 0, _LIMIT)
        _check_whole("seed", seed, 0, _LIMIT - 1)
        _check_pair("size_hw", size_hw, SMALLEST_SIDE, 8192)
        _check_pair("things", things, 1, 100)
        if things[0] > things[1]:
            raise ArgumentError(f"ShapeScenes: things is (least, greatest), got {things}")
        self.n, self.seed = int(n), int(seed)
        self.size_hw = (int(size_hw[0]), int(size_hw[1]))
        self.things = (int(things[0]), int(things[1]))

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[tuple[torch.Tensor, Target]]:
        return (self[index] for index in range(self.n))

    def __getitem__(self, index: int) -> tuple[torch.Tensor, Target]:
        if not -self.n <= index < self.n:
            raise IndexError(f"ShapeScenes has {self.n} scenes, there is no scene {index}")
        index = int(index) % self.n
        dice = Dice(self.seed, index)
        canvas, semantic = landscape(dice, *self.size_hw)
        placed = _place_things(dice, self.size_hw, self.things)
        owner = np.zeros(self.size_hw, dtype=np.uint8)
        for number, thing in enumerate(placed, start=1):
            thing.paint_on(canvas)
            owner[thing.window][thing.visible] = number
            semantic[thing.window][thing.visible] = thing.patch.label
        canvas += _noise(dice, self.size_hw)
        image = torch.from_numpy(_LEVELS[np.clip(canvas, 0, 255)])
        return image, _target(index, placed, semantic, owner)


class _Placed:
    """A patch at its place in the scene, clipped to the image.

    `window` indexes the scene's pixels, `part` those of the patch; `visible` is a bool mask of the
    window's size that `_place_things` settles.
    """

    def __init__(self, patch: Patch, centre_yx: tuple[int, int], size_hw: tuple[int, int]) -> None:
        half = patch.cover.shape[0] // 2
        self.patch = patch
        self.top_left = (centre_yx[0] - half, centre_yx[1] - half)
        rows, columns = (
            slice(max(0, start), min(length, start + 2 * half + 1))
            for start, length in zip(self.top_left, size_hw, strict=True)
        )
        top, left = self.top_left
        self.window = (rows, columns)
        self.part = (
            slice(rows.start - top, rows.stop - top),
            slice(columns.start - left, columns.stop - left),
        )
        self.visible = patch.mask[self.part]

    def paint_on(self, canvas: np.ndarray) -> None:
        """Blend the thing into a (3, H, W) image, smooth at its edge."""
        below = canvas[(slice(None), *self.window)]
        paint = self.patch.paint[(slice(None), *self.part)]
        below += ((paint - below) * self.patch.cover[self.part] >> 8).astype(canvas.dtype)


def _place_things(dice: Dice, size_hw: tuple[int, int], things: tuple[int, int]) -> list[_Placed]:
    """Things from back to front, each with its visible pixels.

    They are placed from front to back: a thing takes what those before it left free, and leaving
    one out changes nothing for the others. The last place tried is the middle of the scene, where
    the first thing always fits: there is at least one.
    """
    middle = (size_hw[0] // 2, size_hw[1] // 2)
    taken = np.zeros(size_hw, dtype=bool)
    placed: list[_Placed] = []
    for _ in range(dice.between(*things)):
        patch = draw_thing(dice, dice.choice(tuple(THINGS)), min(size_hw))
        whole = int(np.count_nonzero(patch.mask))
        for left in reversed(range(_PLACES)):
            centre_yx = _centre(dice, patch.label, size_hw) if left else middle
            thing = _Placed(patch, centre_yx, size_hw)
            thing.visible = thing.visible & ~taken[thing.window]
            seen = int(np.count_nonzero(thing.visible))
            if seen >= LEAST_PIXELS and 100 * seen >= _LEAST_VISIBLE * whole:
                taken[thing.window] |= thing.visible
                placed.append(thing)
                break
    return placed[::-1]


def _centre(dice: Dice, label: int, size_hw: tuple[int, int]) -> tuple[int, int]:
    """A random pixel (row, column), persons rather on the ground, nothing centred on the border."""
    height, width = size_hw
    top = height * 40 // 100 if label == PERSON else height * 8 // 100
    return dice.between(top, height * 90 // 100), dice.between(width * 6 // 100, width * 94 // 100)


def _noise(dice: Dice, size_hw: tuple[int, int]) -> np.ndarray:
    """(3, H, W) int32: a triangular distribution around 0, between 1 and 10 grey levels wide."""
    octets = dice.octets(3, *size_hw).astype(np.int32)
    return ((octets >> 4) + (octets & 15) - 15) * dice.between(2, 11) >> 4


def _target(index: int, placed: list[_Placed], semantic: np.ndarray, owner: np.ndarray) -> Target:
    count = len(placed)
    boxes = np.zeros((count, 4), dtype=np.float32)
    masks = np.zeros((count, *owner.shape), dtype=bool)
    keypoints = np.zeros((count, len(KEYPOINTS), 3), dtype=np.float32)
    for number, thing in enumerate(placed):
        masks[number][thing.window] = thing.visible
        rows = np.flatnonzero(thing.visible.any(axis=1)) + thing.window[0].start
        columns = np.flatnonzero(thing.visible.any(axis=0)) + thing.window[1].start
        boxes[number] = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        _fill_keypoints(keypoints[number], thing, owner, number + 1)
    return {
        "boxes": torch.from_numpy(boxes),
        "labels": torch.tensor([thing.patch.label for thing in placed]),
        "masks": torch.from_numpy(masks),
        "keypoints": torch.from_numpy(keypoints),
        "area": torch.from_numpy(masks.sum(axis=(1, 2), dtype=np.int64).astype(np.float32)),
        "iscrowd": torch.zeros(count, dtype=torch.int64),
        "image_id": index,
        "semantic": torch.from_numpy(semantic.astype(np.int64)),
        "panoptic": torch.from_numpy(owner.astype(np.int64)),
    }


def _fill_keypoints(rows: np.ndarray, thing: _Placed, owner: np.ndarray, number: int) -> None:
    """Write (x, y, visibility) of each keypoint that lies in the image."""
    height, width = owner.shape
    top, left = thing.top_left
    for row, (x, y) in zip(rows, thing.patch.keypoints, strict=False):
        column_at, row_at = left + x // PIXEL, top + y // PIXEL
        if 0 <= row_at < height and 0 <= column_at < width:
            visibility = 2 if owner[row_at, column_at] == number else 1
            row[:] = (left + x / PIXEL, top + y / PIXEL, visibility)


def collate(batch: list[tuple[torch.Tensor, Target]]) -> tuple[list[torch.Tensor], list[Target]]:
    """Turn a list of items into (images, targets), as torchvision's detectors take them.

    Images stay apart, as they may differ in size and targets differ in length.

    Example:
        >>> images, targets = collate([ShapeScenes(n=2, seed=0)[i] for i in range(2)])
        >>> len(images), len(targets)
        (2, 2)
    """
    return [image for image, _ in batch], [target for _, target in batch]


def flip_horizontal(image: torch.Tensor, target: Target) -> tuple[torch.Tensor, Target]:
    """Mirror a scene left to right; a mirrored left hand is a right hand.

    Args:
        image: (3, H, W).
        target: of `ShapeScenes`, or of any data set of the course: keys that it lacks are not
            needed, and keys that do not depend on the position are kept.

    Returns:
        A new image and a new target; flipping twice gives the first ones back.

    Example:
        >>> image, target = ShapeScenes(n=1, seed=0)[0]
        >>> _, mirrored = flip_horizontal(image, target)
        >>> (target["boxes"][0] + mirrored["boxes"][0])[[0, 2]].sum()
        tensor(256.)
    """
    width = image.shape[-1]
    flipped = dict(target)
    boxes = target["boxes"].clone()
    boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    flipped["boxes"] = boxes
    for name in {"masks", "semantic", "panoptic"} & target.keys():
        flipped[name] = target[name].flip(-1)
    if "keypoints" in target:
        keypoints = target["keypoints"][:, list(_MIRRORED)].clone()
        present = keypoints[..., 2] > 0
        keypoints[..., 0] = torch.where(present, width - keypoints[..., 0], keypoints[..., 0])
        flipped["keypoints"] = keypoints
    return image.flip(-1), flipped


# Keypoint i of the mirrored person is keypoint _MIRRORED[i] of the original.
_OTHER_SIDE = {"left": "right", "right": "left", "head": "head"}
_MIRRORED = tuple(
    KEYPOINTS.index(" ".join(_OTHER_SIDE.get(word, word) for word in name.split()))
    for name in KEYPOINTS
)


def _check_whole(name: str, value: Any, low: int, high: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise ArgumentError(
            f"ShapeScenes: {name} must be an integer from {low} to {high}, got {value!r}"
        )


def _check_pair(name: str, value: Any, low: int, high: int) -> None:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ArgumentError(f"ShapeScenes: {name} must be a pair of integers, got {value!r}")
    for number in value:
        _check_whole(name, number, low, high)
