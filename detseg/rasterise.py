"""Signed distances of simple shapes in whole numbers, so that every machine draws the same pixels.

Coordinates are integers in units of 1/32 pixel. A distance is positive inside a shape, 0 on its
edge and negative outside; divisions round down. Angles are in 256ths of a turn, from the x axis
towards the y axis (clockwise on the screen, as y points down).
"""

import math

import numpy as np

PIXEL = 32  # units a pixel: fine enough for smooth edges, coarse enough for exact arithmetic
TURN = 256  # steps of a full turn
ONE = 1024  # cosine and sine are stored in 1024ths

# Rounded to integers: no value lies near a tie, so no mathematics library can round it differently.
COS = tuple(round(ONE * math.cos(2 * math.pi * step / TURN)) for step in range(TURN))
SIN = tuple(round(ONE * math.sin(2 * math.pi * step / TURN)) for step in range(TURN))

Point = tuple[int, int]  # (x, y)


def towards(start: Point, angle: int, length: int) -> Point:
    """The point at `length` units from `start` in the direction `angle`.

    Example:
        >>> towards((0, 0), angle=64, length=320)
        (0, 320)
    """
    x, y = start
    return x + length * COS[angle % TURN] // ONE, y + length * SIN[angle % TURN] // ONE


def rotated(x: np.ndarray, y: np.ndarray, angle: int) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates of points along axes that are turned by `angle`."""
    cos, sin = COS[angle % TURN], SIN[angle % TURN]
    return (x * cos + y * sin) // ONE, (y * cos - x * sin) // ONE


def disk_distance(x: np.ndarray, y: np.ndarray, radius: int) -> np.ndarray:
    """Distance to a circle around the origin; exact at the edge, too large far from it."""
    return (radius * radius - x * x - y * y) // (2 * radius)


def polygon_distance(x: np.ndarray, y: np.ndarray, corners: list[Point]) -> np.ndarray:
    """Distance to a convex polygon whose corners run clockwise on the screen."""
    distance = None
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = max(1, math.isqrt((x2 - x1) ** 2 + (y2 - y1) ** 2))
        to_edge = ((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) // length
        distance = to_edge if distance is None else np.minimum(distance, to_edge)
    assert distance is not None, "a polygon has corners"
    return distance


def capsules_distance(
    x: np.ndarray, y: np.ndarray, limbs: list[tuple[Point, Point]], radius: int
) -> np.ndarray:
    """Distance to the union of thick lines with round ends, each `radius` to either side."""
    starts, ends = np.array(limbs, dtype=np.int64).transpose(1, 2, 0)[
        ..., None, None
    ]  # [2, N, 1, 1]
    along_x, along_y = ends - starts
    square = np.maximum(along_x * along_x + along_y * along_y, 1)
    from_x, from_y = x - starts[0], y - starts[1]
    # How far along the line the nearest point lies, in 256ths of it.
    part = np.clip((from_x * along_x + from_y * along_y) * 256 // square, 0, 256)
    from_x = from_x - (part * along_x >> 8)
    from_y = from_y - (part * along_y >> 8)
    nearest = (from_x * from_x + from_y * from_y).min(axis=0)
    return (radius * radius - nearest) // (2 * radius)


def coverage(distance: np.ndarray) -> np.ndarray:
    """How much of each pixel a shape covers, 0 … 256, from the distance at the pixel's centre.

    Example:
        >>> coverage(np.array([-32, 0, 8, 32])).tolist()
        [0, 128, 192, 256]
    """
    return np.clip(distance * (256 // PIXEL) + 128, 0, 256)
