"""Maps with one id a pixel: semantic and panoptic segmentation. `detseg.draw` offers them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb

from detseg.as_arrays import ArrayLike, as_map
from detseg.canvas import legend as draw_legend
from detseg.canvas import show
from detseg.errors import ArgumentError
from detseg.palette import class_color, instance_shade, label_image, label_names


def semantic(
    semantic: ArrayLike,
    ax: Axes | None = None,
    legend: bool = True,
    title: str | None = None,
    *,
    names: Mapping[int, str] | None = None,
) -> Axes:
    """Draw a map of classes in the classes' colours.

    Args:
        semantic: (H, W) integer: 0 background, things, stuff, 255 void.
        ax: where to draw; a new figure without it.
        legend: whether to name, below the picture, the classes that occur.
        title: title of the axes.
        names: label → name, `detseg.THINGS` and `detseg.STUFF` without it.

    Returns:
        The axes.

    Raises:
        ArgumentError: the map has another shape or dtype, or a class below −1.

    Example:
        >>> ax = semantic(np.array([[5, 5, 5], [6, 1, 255]]))
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['disk', 'sky', 'grass', 'void']
    """
    labels = as_map(semantic, "semantic")
    picture = label_image(labels)
    ax = show(picture, ax, title, exact=True)
    if legend:
        printed = label_names(names, stuff=True)
        present = [int(label) for label in np.unique(labels)]
        draw_legend(ax, {printed.get(label, str(label)): class_color(label) for label in present})
    return ax


def panoptic(
    classes: ArrayLike,
    instances: ArrayLike,
    ax: Axes | None = None,
    legend: bool = True,
    title: str | None = None,
    *,
    names: Mapping[int, str] | None = None,
) -> Axes:
    """Draw classes and instances: one hue a class, one shade and a border an instance.

    Args:
        classes: (H, W) integer class ids, as in `semantic`.
        instances: (H, W) integer instance ids, 0 for stuff and void.
        ax: where to draw; a new figure without it.
        legend: whether to name, below the picture, the classes that occur, with the number of
            instances where there is more than one.
        title: title of the axes.
        names: label → name, `detseg.THINGS` and `detseg.STUFF` without it.

    Returns:
        The axes.

    Raises:
        ArgumentError: the maps differ in size, or have another shape or dtype.

    Example:
        >>> ax = panoptic(np.array([[5, 1, 1, 1]]), np.array([[0, 1, 1, 2]]))
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['disk × 2', 'sky']
    """
    labels, ids = as_map(classes, "classes"), as_map(instances, "instances")
    if labels.shape != ids.shape:
        raise ArgumentError(
            f"classes and instances must have one size, got {labels.shape} and {ids.shape}"
        )
    picture = label_image(labels)
    counts: dict[int, int] = {}
    for label, number in np.unique(np.stack([labels, ids])[:, ids > 0], axis=1).T.tolist():
        shade = instance_shade(label, counts.get(label, 0))
        picture[(labels == label) & (ids == number)] = to_rgb(shade)
        counts[label] = counts.get(label, 0) + 1
    ax = show(picture, ax, title, exact=True)
    ax.add_collection(
        LineCollection(list(_borders(ids)), colors="black", linewidths=1.2, zorder=3), autolim=False
    )
    if legend:
        printed = label_names(names, stuff=True)
        entries = {}
        for label in np.unique(labels).tolist():
            several = f" × {counts[label]}" if counts.get(label, 0) > 1 else ""
            entries[printed.get(label, str(label)) + several] = class_color(label)
        draw_legend(ax, entries)
    return ax


def _borders(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Edges between pixels of different ids: (E, 2, 2), two end points (x, y) each."""
    rows, columns = np.nonzero(ids[:, :-1] != ids[:, 1:])
    upright = np.stack([columns + 1, rows, columns + 1, rows + 1], axis=-1)
    rows, columns = np.nonzero(ids[:-1] != ids[1:])
    level = np.stack([columns, rows + 1, columns + 1, rows + 1], axis=-1)
    return np.concatenate([upright, level]).reshape(-1, 2, 2).astype(np.float64)
