"""The stuff of a scene: sky, grass and sometimes water, in integers throughout.

Smooth noise is made by matrix products in float32. Every number in them is an integer below 2²⁴, so
they are exact and do not depend on the order of summation, hence not on the machine.
"""

from functools import lru_cache

import numpy as np

from detseg.dice import Dice

SKY, GRASS, WATER = 5, 6, 7
STUFF = {SKY: "sky", GRASS: "grass", WATER: "water"}

Colour = tuple[int, int, int]  # RGB, 0 … 255

# (at the top, at the horizon)
_SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((74, 134, 208), (190, 220, 240)),  # a clear noon
    ((104, 158, 206), (214, 228, 232)),  # haze
    ((120, 132, 150), (198, 204, 210)),  # overcast
    ((70, 78, 140), (246, 190, 142)),  # evening
    ((142, 152, 212), (252, 214, 200)),  # morning
)
# (far away, near by)
_GRASSES: tuple[tuple[Colour, Colour], ...] = (
    ((132, 170, 92), (66, 118, 44)),
    ((158, 176, 96), (104, 132, 50)),
    ((112, 160, 110), (44, 98, 62)),
    ((196, 184, 116), (150, 138, 70)),  # late summer
)
_WATERS: tuple[tuple[Colour, Colour], ...] = (
    ((128, 178, 206), (48, 108, 158)),
    ((124, 184, 180), (40, 116, 124)),
    ((150, 164, 190), (70, 88, 128)),
)


def landscape(dice: Dice, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Paint sky over grass, and in about half of the scenes water between or in it.

    Args:
        dice: where the choices come from.
        height, width: the size in pixels.

    Returns:
        image: (3, height, width) int32, roughly 0 … 255 (not clipped).
        semantic: (height, width) uint8: `SKY`, `GRASS` or `WATER`.
    """
    rows = np.arange(height)[:, None]
    horizon = dice.between(height * 30 // 100, height * 58 // 100)
    hills = smooth_noise(dice, 1, width, 1, dice.between(2, 5)) - 128  # [1, W]
    skyline = horizon + hills * height // 1400
    semantic = np.where(rows < skyline, SKY, GRASS).astype(np.uint8)

    water = dice.between(0, 3)
    if water == 0:
        _flood_to_shore(dice, semantic, horizon)
    elif water == 1:
        _dig_pond(dice, semantic, horizon)

    image = np.where(semantic == SKY, _sky(dice, height, width, horizon), 0)
    image += np.where(semantic == GRASS, _grass(dice, height, width, horizon), 0)
    if water <= 1:
        image += np.where(semantic == WATER, _water(dice, height, width, horizon), 0)
    return image, semantic


def smooth_noise(dice: Dice, height: int, width: int, rows: int, columns: int) -> np.ndarray:
    """(height, width) int32 in 0 … 255: random values on a coarse grid, blended between its nodes.

    Args:
        rows, columns: the number of grid cells; fewer cells make larger patches.
    """
    nodes = dice.octets(rows + 1, columns + 1).astype(np.float32)
    blended = _blend(height, rows) @ nodes @ _blend(width, columns).T  # below 255 · 64 · 64
    return blended.astype(np.int32) >> 12


@lru_cache(maxsize=256)
def _blend(length: int, cells: int) -> np.ndarray:
    """(length, cells + 1) float32: what each node adds to each pixel, in whole 64ths."""
    position = (2 * np.arange(length) + 1) * cells * 64 // (2 * length)
    node, part = position >> 6, position & 63
    part = part * part * (192 - 2 * part) >> 12  # smoothstep: no creases at the nodes
    weights = np.zeros((length, cells + 1), dtype=np.float32)
    weights[np.arange(length), node] = 64 - part
    weights[np.arange(length), node + 1] = part
    return weights


def _flood_to_shore(dice: Dice, semantic: np.ndarray, horizon: int) -> None:
    """Put a lake between the skyline and a wavy shore."""
    height, width = semantic.shape
    waves = smooth_noise(dice, 1, width, 1, dice.between(2, 4)) - 128
    shore = horizon + height * dice.between(10, 26) // 100 + waves * height // 2200
    above_shore = np.arange(height)[:, None] < shore
    semantic[above_shore & (semantic == GRASS)] = WATER


def _dig_pond(dice: Dice, semantic: np.ndarray, horizon: int) -> None:
    """Put an ellipse of water into the grass."""
    height, width = semantic.shape
    depth = height - horizon
    semi_y = max(2, depth * dice.between(14, 26) // 100)
    semi_x = max(3, width * dice.between(18, 34) // 100)
    y = np.arange(height)[:, None] - dice.between(horizon + semi_y, height - semi_y)
    x = np.arange(width)[None] - dice.between(0, width)
    inside = y * y * semi_x**2 + x * x * semi_y**2 < semi_x**2 * semi_y**2
    semantic[inside & (semantic == GRASS)] = WATER


def _sky(dice: Dice, height: int, width: int, horizon: int) -> np.ndarray:
    sky = _gradient(dice, dice.choice(_SKIES), height, 0, horizon)
    columns = dice.between(2, 4)
    clouds = smooth_noise(dice, height, width, 5, columns) * 2
    clouds += smooth_noise(dice, height, width, 11, columns * 3)
    cover = dice.between(330, 560)  # the higher, the fewer clouds
    veil = np.clip(clouds - cover, 0, 160)
    return sky + (248 - sky) * veil // 256


def _grass(dice: Dice, height: int, width: int, horizon: int) -> np.ndarray:
    grass = _gradient(dice, dice.choice(_GRASSES), height, horizon, height)
    patches = smooth_noise(dice, height, width, 6, 6) - 128
    blades = dice.octets((height + 2) // 3, width).astype(np.int32) - 128
    blades = np.repeat(blades, 3, axis=0)[:height]  # three pixels high, one wide
    return grass + patches // 6 + blades * dice.between(6, 22) // 128


def _water(dice: Dice, height: int, width: int, horizon: int) -> np.ndarray:
    water = _gradient(dice, dice.choice(_WATERS), height, horizon, height)
    ripples = smooth_noise(dice, height, width, max(1, height // 3), max(1, width // 14)) - 128
    return water + ripples * dice.between(10, 26) // 128


def _gradient(
    dice: Dice, ends: tuple[Colour, Colour], height: int, top: int, bottom: int
) -> np.ndarray:
    """(3, height, 1) int32 from one colour at row `top` to another at `bottom`, a little varied."""
    shift = np.array([dice.between(-12, 12) for _ in range(3)])[:, None, None]
    first, last = (np.array(colour)[:, None, None] for colour in ends)
    along = np.clip(np.arange(height) - top, 0, bottom - top)[None, :, None]
    return (first + shift + (last - first) * along // max(1, bottom - top)).astype(np.int32)
