"""Pictures of images and of what is known about them.

Every function draws into `ax` (a new figure without one) and returns the axes, so that calls stack:

>>> import torch
>>> from detseg import draw
>>> ax = draw.image(torch.zeros(3, 40, 60), title="a box on an image")
>>> ax = draw.boxes(None, [[10, 5, 30, 25]], labels=[1], ax=ax)
>>> ax.get_title(), len(ax.patches)
('a box on an image', 1)

Axes are in the course's coordinates: pixel (row i, column j) covers [j, j + 1) × [i, i + 1), so a
box's edges lie on the borders of pixels. In a notebook, end the line with a semicolon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from detseg.as_arrays import ArrayLike, as_image
from detseg.canvas import show
from detseg.draw_maps import panoptic, semantic
from detseg.draw_things import boxes, keypoints, masks
from detseg.errors import ArgumentError
from detseg.palette import class_color, use_book_style

__all__ = [
    "boxes",
    "class_color",
    "grid",
    "image",
    "keypoints",
    "masks",
    "panoptic",
    "semantic",
    "use_book_style",
]

_CELL = 2.4  # inches: four pictures stand side by side


def image(image: ArrayLike, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw an image.

    Args:
        image: (3, H, W) floating, RGB, values in [0, 1].
        ax: where to draw; a new figure without it.
        title: title of the axes.

    Returns:
        The axes.

    Raises:
        ArgumentError: the image has another shape, dtype or range.

    Example:
        >>> image(torch.zeros(3, 4, 6), title="black").get_title()
        'black'
    """
    return show(as_image(image), ax, title)


def grid(
    items: Sequence[tuple[torch.Tensor, Mapping[str, Any]]],
    columns: int = 4,
    titles: Sequence[str] | None = None,
    *,
    names: Mapping[int, str] | None = None,
) -> Figure:
    """Draw several images with their boxes, in rows.

    Args:
        items: pairs (image, target) as the data sets give them, or (image, detections); of the
            mapping, `boxes`, `labels` and `scores` are drawn where they are there.
        columns: pictures a row, ≥ 1.
        titles: one title a picture.
        names: label → name, `detseg.THINGS` without it.

    Returns:
        The figure. A notebook shows it once if the line ends with a semicolon.

    Raises:
        ArgumentError: no item, another number of titles, columns < 1, or an item that is no pair.

    Example:
        >>> item = (torch.zeros(3, 40, 60), {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0)})
        >>> len(grid([item] * 5, columns=3).axes)
        5
    """
    pairs = list(items)
    if not pairs:
        raise ArgumentError("grid needs at least one (image, target), got none")
    if columns < 1:
        raise ArgumentError(f"columns is at least 1, got {columns}")
    if titles is not None and len(titles) != len(pairs):
        raise ArgumentError(f"titles must be one an item ({len(pairs)}), got {len(titles)}")
    for position, pair in enumerate(pairs):
        if not (isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[1], Mapping)):
            raise ArgumentError(f"item {position} is not a pair (image, target)")
    columns = min(columns, len(pairs))
    rows = -(-len(pairs) // columns)
    height, width = as_image(pairs[0][0]).shape[:2]
    cell_height = _CELL * height / width + (0.3 if titles is not None else 0)
    figure = plt.figure(figsize=(_CELL * columns, cell_height * rows), layout="constrained")
    for position, (picture, target) in enumerate(pairs):
        ax = figure.add_subplot(rows, columns, position + 1)
        image(picture, ax, None if titles is None else titles[position])
        if "boxes" in target:
            boxes(
                None,
                target["boxes"],
                labels=target.get("labels"),
                scores=target.get("scores"),
                ax=ax,
                names=names,
            )
    return figure
