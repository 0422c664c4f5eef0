"""Axes in the course's coordinates, on which the functions of `detseg.draw` paint.

Pixel (row i, column j) covers [j, j + 1) × [i, i + 1), so a box's edges lie on pixels' borders.
"""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.patheffects import AbstractPathEffect, withStroke

from detseg.as_arrays import ArrayLike, as_image
from detseg.errors import ArgumentError
from detseg.palette import contrasting

_LONG_SIDE = 4.2  # inches: two pictures stand side by side in a page's column
_CAPTION = 0.4  # inches for a title or a legend


def show(
    picture: npt.NDArray[np.float32], ax: Axes | None, title: str | None, *, exact: bool = False
) -> Axes:
    """Axes with a picture in them: no ticks, y downwards, one unit a pixel.

    Args:
        picture: (H, W, 3 or 4) in [0, 1].
        ax: where to draw; None makes a figure of the picture's proportions.
        title: title of the axes.
        exact: True shows every pixel as it is (maps of ids, which must not blend); False lets
            matplotlib smooth a photograph that is shown smaller than it is.

    Returns:
        The axes.
    """
    height, width = picture.shape[:2]
    if ax is None:
        scale = _LONG_SIDE / max(height, width)
        ax = plt.figure(figsize=(width * scale, height * scale + _CAPTION)).subplots()
    ax.imshow(picture, extent=(0, width, height, 0), interpolation="nearest" if exact else "auto")
    # The limits are set, not left to imshow, so that nothing drawn later moves them.
    ax.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_visible(False)
    if title is not None:
        ax.set_title(title)
    return ax


def ground(image: ArrayLike | None, ax: Axes | None, title: str | None) -> Axes:
    """Axes with an image in them, or as the caller left them if there is none.

    Args:
        image: (3, H, W) floating in [0, 1], or None.
        ax: where to draw; needed without an image.
        title: title of the axes.

    Returns:
        The axes. Empty ones become like an image's: y grows downwards, both units are one length.

    Raises:
        ArgumentError: neither image nor axes, or something that is no image.
    """
    if image is not None:
        return show(as_image(image), ax, title)
    if ax is None:
        raise ArgumentError("without an image, say by ax=... which axes to draw onto")
    if title is not None:
        ax.set_title(title)
    if ax.get_autoscaley_on() and not ax.yaxis_inverted():
        ax.invert_yaxis()
        ax.set_aspect("equal")
    return ax


def rim(color: str, width: float) -> list[AbstractPathEffect]:
    """Path effect that makes a line show on any ground: a rim, dark or light, around it.

    Args:
        color: colour of the line.
        width: width of the line in points.

    Returns:
        What `path_effects` takes.
    """
    return [withStroke(linewidth=width + 1.4, foreground=contrasting(color), alpha=0.6)]


def legend(ax: Axes, entries: Mapping[str, str]) -> None:
    """Say below a picture what its colours mean.

    Args:
        ax: the picture's axes.
        entries: name → colour.
    """
    handles = [
        Patch(facecolor=color, edgecolor="black", linewidth=0.5, label=name)
        for name, color in entries.items()
    ]
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=max(1, min(len(handles), 3)),
        frameon=False,
        handlelength=1.2,
        columnspacing=1.2,
    )
