"""The things of a scene, each drawn on a small patch of its own.

Colour and texture are drawn independently of the class: only the shape tells what a thing is.
"""

from dataclasses import dataclass

import numpy as np

from detseg.dice import Dice
from detseg.rasterise import (
    PIXEL,
    TURN,
    Point,
    capsules_distance,
    coverage,
    disk_distance,
    polygon_distance,
    rotated,
    towards,
)

DISK, SQUARE, TRIANGLE, PERSON = 1, 2, 3, 4
THINGS = {DISK: "disk", SQUARE: "square", TRIANGLE: "triangle", PERSON: "person"}

KEYPOINTS = (
    "head",
    "left hand",
    "right hand",
    "left elbow",
    "right elbow",
    "left knee",
    "right knee",
    "left foot",
    "right foot",
)
# Pairs of keypoints to join by a line: hand, elbow, head, knee, foot on either side.
SKELETON = ((1, 3), (3, 0), (0, 5), (5, 7), (2, 4), (4, 0), (0, 6), (6, 8))

_SMALLEST = 5 * PIXEL  # a smaller thing would not show the 40 pixels that a thing needs
_DOWN = TURN // 4  # the angle that points down the screen
_OUTLINE = 3 * PIXEL // 2  # width of the darker rim


@dataclass(frozen=True)
class Patch:
    """One thing on a patch of pixels, wherever it will be placed.

    Attributes:
        label: 1 … 4.
        cover: (S, S) int64, how much of a pixel it covers, 0 … 256.
        paint: (3, S, S) int64, its colours, 0 … 255 (not clipped).
        keypoints: nine (x, y) in 1/32 pixel from the patch's top left corner; empty if it has none.
    """

    label: int
    cover: np.ndarray
    paint: np.ndarray
    keypoints: tuple[Point, ...] = ()

    @property
    def mask(self) -> np.ndarray:
        """(S, S) bool: the pixels whose centre lies in the shape."""
        return self.cover >= 128


def draw_thing(dice: Dice, label: int, side: int) -> Patch:
    """Draw one thing at a random size, angle, colour and texture.

    Args:
        dice: where the choices come from.
        label: `DISK`, `SQUARE`, `TRIANGLE` or `PERSON`.
        side: the shorter side of the scene in pixels; a thing's size is a part of it.
    """
    size = _size(dice, side)
    if label == PERSON:
        return _person(dice, size)
    angle = dice.between(0, TURN - 1)
    if label == DISK:
        x, y = _grid(dice, size)
        distance = disk_distance(x, y, size)
    else:
        corners = _square(size, angle) if label == SQUARE else _triangle(dice, size, angle)
        x, y = _grid(dice, max(abs(value) for corner in corners for value in corner))
        distance = polygon_distance(x, y, corners)
    u, v = rotated(x, y, angle if label == SQUARE else dice.between(0, TURN - 1))
    paint = _shaded(_texture(dice, u, v, size), distance, x, y, size)
    return Patch(label, coverage(distance), paint)


def _size(dice: Dice, side: int) -> int:
    """Half the extent of a disk, in 1/32 pixel: small ones are more frequent than large ones."""
    low = max(_SMALLEST, side * PIXEL * 65 // 1000)
    high = max(low, side * PIXEL * 170 // 1000)
    part = dice.between(0, 255)
    return low + (high - low) * part * (part + 255) // (2 * 255 * 255)


def _grid(dice: Dice, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres (1, S) and (S, 1) around a centre that lies anywhere within its pixel."""
    pixels = reach // PIXEL + 2
    centres = np.arange(-pixels, pixels + 1, dtype=np.int64) * PIXEL + PIXEL // 2
    return centres[None] - dice.between(0, PIXEL - 1), centres[:, None] - dice.between(0, PIXEL - 1)


def _square(size: int, angle: int) -> list[Point]:
    # A half diagonal of 1.25 sizes gives nearly the area of the disk of this size.
    return [towards((0, 0), angle + TURN // 8 + TURN // 4 * k, size * 5 // 4) for k in range(4)]


def _triangle(dice: Dice, size: int, angle: int) -> list[Point]:
    # Corners at 120 degrees from each other, give or take 14.
    turns = [TURN * k // 3 + dice.between(-10, 10) for k in range(3)]
    return [towards((0, 0), angle + turn, size * 3 // 2) for turn in turns]


def _person(dice: Dice, size: int) -> Patch:
    """A stick figure that faces you: its left is on the right of an upright picture."""
    tall = size * 4
    lean = dice.between(-18, 18)

    def out(side: int, low: int, high: int) -> int:
        """An angle that opens to the figure's left (1) or right (-1), from straight down."""
        return _DOWN + lean - side * dice.between(low, high)

    neck = towards((0, 0), lean - _DOWN, tall * 24 // 100)
    hip = towards((0, 0), lean + _DOWN, tall * 8 // 100)
    head = towards((0, 0), lean - _DOWN, tall * 37 // 100)
    points: dict[str, Point] = {"head": head}
    limbs: list[tuple[Point, Point]] = [(neck, hip), (head, neck)]
    for name, side in (("left", 1), ("right", -1)):
        shoulder = towards(neck, lean + (0 if side == 1 else TURN // 2), tall * 7 // 100)
        elbow = towards(shoulder, upper := out(side, 14, 84), tall * 16 // 100)
        hand = towards(elbow, upper - side * dice.between(-16, 60), tall * 16 // 100)
        groin = towards(hip, lean + (0 if side == 1 else TURN // 2), tall * 4 // 100)
        knee = towards(groin, thigh := out(side, 4, 30), tall * 20 // 100)
        foot = towards(knee, thigh + side * dice.between(-6, 16), tall * 20 // 100)
        points |= {f"{name} hand": hand, f"{name} elbow": elbow}
        points |= {f"{name} knee": knee, f"{name} foot": foot}
        limbs += [(neck, shoulder), (shoulder, elbow), (elbow, hand)]
        limbs += [(hip, groin), (groin, knee), (knee, foot)]

    reach = max(abs(value) for limb in limbs for point in limb for value in point)
    x, y = _grid(dice, max(reach, tall * 50 // 100) + size // 4)
    thick = max(PIXEL * 7 // 8, tall * dice.between(24, 34) // 1000)
    body = capsules_distance(x, y, limbs, thick)
    trunk = capsules_distance(x, y, [(neck, hip)], tall * 7 // 100)
    skull = disk_distance(x - head[0], y - head[1], tall * 11 // 100)

    paint = np.broadcast_to(_colour(dice), (3, *body.shape))
    u, v = rotated(x, y, lean)
    shirt = _texture(dice, u, v, size // 2)
    face = np.broadcast_to(_colour(dice), (3, *body.shape))
    for layer, distance in ((shirt, trunk), (face, skull)):
        paint = paint + ((layer - paint) * coverage(distance) >> 8)
    distance = np.maximum(np.maximum(body, trunk), skull)
    origin = (-int(x[0, 0]) + PIXEL // 2, -int(y[0, 0]) + PIXEL // 2)
    # Odd numbers: a keypoint never lies on the border of two pixels, so mirroring is exact.
    keypoints = tuple(
        (points[n][0] + origin[0] | 1, points[n][1] + origin[1] | 1) for n in KEYPOINTS
    )
    return Patch(PERSON, coverage(distance), _shaded(paint, distance, x, y, size), keypoints)


def _texture(dice: Dice, u: np.ndarray, v: np.ndarray, size: int) -> np.ndarray:
    """(3, S, S): two colours in stripes, checks, dots or a fade, or one colour."""
    first, second = _colour(dice), _colour(dice)
    half = max(PIXEL * 3 // 2, size * dice.between(22, 50) // 100)  # half a period
    across = np.abs((u % (2 * half)) - half) - half // 2
    along = np.abs((v % (2 * half)) - half) - half // 2
    kind = dice.between(0, 5)
    if kind == 0:
        weight = coverage(across)
    elif kind == 1:
        weight = coverage(across * along * 2 // half)
    elif kind == 2:
        weight = coverage(disk_distance(across, along, half * 2 // 5))
    elif kind == 3:
        weight = np.clip(128 + u * 100 // size, 0, 256)
    else:
        weight = np.zeros_like(u)
    return first + ((second - first) * weight >> 8)


def _shaded(
    paint: np.ndarray, distance: np.ndarray, x: np.ndarray, y: np.ndarray, size: int
) -> np.ndarray:
    """Light from the upper left, and a darker rim."""
    light = np.clip(-(x + y) * 20 // size, -26, 26)
    rim = np.clip(_OUTLINE - distance, 0, _OUTLINE) * 110 // _OUTLINE  # at most 110 of 256 darker
    return (paint + light) * (256 - rim) >> 8


def _colour(dice: Dice) -> np.ndarray:
    """(3, 1, 1) a random RGB colour, 0 … 255; one in six is nearly grey."""
    sector, part = dice.between(0, 5), dice.between(0, 255)
    grey = dice.between(0, 5) == 0
    saturation = dice.between(0, 40) if grey else dice.between(120, 240)
    value = dice.between(70, 250)
    low = value * (256 - saturation) >> 8
    up = low + ((value - low) * part >> 8)
    down = value - ((value - low) * part >> 8)
    rgb = (
        (value, up, low),
        (down, value, low),
        (low, value, up),
        (low, down, value),
        (up, low, value),
        (value, low, down),
    )[sector]
    return np.array(rgb, dtype=np.int64)[:, None, None]
