"""What is known about single things: boxes, masks, keypoints. `detseg.draw` offers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import is_color_like, to_hex, to_rgb
from matplotlib.patches import Rectangle

from detseg.as_arrays import (
    ArrayLike,
    as_boxes,
    as_image,
    as_keypoints,
    as_labels,
    as_masks,
    as_scores,
)
from detseg.canvas import ground, legend, rim
from detseg.errors import ArgumentError
from detseg.palette import SIDES, UNLABELLED, class_color, instance_color, label_names
from detseg.scenes import KEYPOINTS, SKELETON
from detseg.text_inside import TextInside


def _box_colors(
    colors: str | Sequence[str] | None, labels: npt.NDArray[np.int64] | None, count: int
) -> list[str]:
    if colors is None:
        if labels is None:
            return [UNLABELLED] * count
        return [class_color(int(label)) for label in labels]
    chosen = [colors] * count if isinstance(colors, str) else list(colors)
    if len(chosen) != count or not all(is_color_like(color) for color in chosen):
        raise ArgumentError(f"colors is one colour or one a box ({count}), got {colors!r}")
    return [to_hex(color) for color in chosen]


def boxes(
    image: ArrayLike | None,
    boxes: ArrayLike,
    labels: ArrayLike | None = None,
    scores: ArrayLike | None = None,
    ax: Axes | None = None,
    names: Mapping[int, str] | None = None,
    colors: str | Sequence[str] | None = None,
    linestyle: str = "-",
    title: str | None = None,
) -> Axes:
    """Draw boxes, each with its class's name and its score where given.

    Args:
        image: (3, H, W) floating in [0, 1]; None draws onto `ax` as it is.
        boxes: (N, 4) xyxy, pixels. N = 0 is fine.
        labels: (N,) integer; the colour and the name come from it.
        scores: (N,), printed with two decimals.
        ax: where to draw; a new figure without it.
        names: label → name, `detseg.THINGS` without it; a label without a name is printed itself.
        colors: one colour, or one a box, instead of the classes' colours.
        linestyle: matplotlib's, to tell ground truth ("--") from detections ("-").
        title: title of the axes.

    Returns:
        The axes.

    Raises:
        ArgumentError: neither image nor axes, or an argument of another shape or dtype.

    Example:
        >>> ax = boxes(np.ones((3, 40, 60)), [[5, 5, 25, 30]], labels=[2], scores=[0.875])
        >>> [text.get_text() for text in ax.findobj(TextInside)]
        ['square 0.88']
    """
    corners = as_boxes(boxes)
    numbers = as_labels(labels, len(corners))
    confidences = as_scores(scores, len(corners))
    edge_colors = _box_colors(colors, numbers, len(corners))
    ax = ground(image, ax, title)
    printed = label_names(names) if numbers is not None else {}
    for row, (x1, y1, x2, y2) in enumerate(corners):
        rectangle = Rectangle(
            (x1, y1),
            x2 - x1,
            y2 - y1,
            fill=False,
            edgecolor=edge_colors[row],
            linewidth=1.8,
            linestyle=linestyle,
            zorder=4,
        )
        if linestyle in ("-", "solid"):  # a rim would close the gaps of a dashed line
            rectangle.set_path_effects(rim(edge_colors[row], 1.8))
        ax.add_patch(rectangle)
        words = []
        if numbers is not None:
            words.append(printed.get(int(numbers[row]), str(numbers[row])))
        if confidences is not None:
            words.append(f"{confidences[row]:.2f}")
        if words:
            TextInside(ax, min(x1, x2), min(y1, y2), " ".join(words), edge_colors[row])
    ax.autoscale_view()  # for axes without an image; limits that were set stay
    return ax


def masks(
    image: ArrayLike | None,
    masks: ArrayLike,
    labels: ArrayLike | None = None,
    ax: Axes | None = None,
    alpha: float = 0.5,
    title: str | None = None,
    *,
    names: Mapping[int, str] | None = None,
) -> Axes:
    """Lay masks over an image, each with a solid border; later ones on top.

    Args:
        image: (3, H, W) floating in [0, 1]; None draws onto `ax` as it is.
        masks: (N, H, W) bool, H and W as the image's.
        labels: (N,) integer for the classes' colours; without it every mask has its own colour.
        ax: where to draw; a new figure without it.
        alpha: opacity inside a mask, 0 … 1.
        title: title of the axes.
        names: label → name; if given, every mask is named (else leave that to `boxes`).

    Returns:
        The axes.

    Raises:
        ArgumentError: neither image nor axes, or an argument of another shape, size or dtype.

    Example:
        >>> square = np.zeros((1, 40, 60), dtype=bool)
        >>> square[0, 10:30, 20:50] = True
        >>> len(masks(np.ones((3, 40, 60)), square, labels=[2]).images)
        2
    """
    size_hw = as_image(image).shape[:2] if image is not None else None
    inside = as_masks(masks, size_hw)
    numbers = as_labels(labels, len(inside))
    if not 0 <= alpha <= 1:
        raise ArgumentError(f"alpha is between 0 and 1, got {alpha}")
    ax = ground(image, ax, title)
    height, width = inside.shape[1:]
    overlay = np.zeros((height, width, 4), dtype=np.float32)
    printed = label_names(names)
    for row, mask in enumerate(inside):
        color = instance_color(row) if numbers is None else class_color(int(numbers[row]))
        overlay[mask] = (*to_rgb(color), alpha)
        overlay[mask & ~_eroded(mask)] = (*to_rgb(color), 1.0)
        if names is not None and numbers is not None and mask.any():
            top, left = np.argwhere(mask)[0]
            TextInside(ax, left, top, printed.get(int(numbers[row]), str(numbers[row])), color)
    if inside.size:
        ax.imshow(overlay, extent=(0, width, height, 0), interpolation="nearest", zorder=2)
    return ax


def _eroded(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels whose four neighbours are in the mask too; beyond the image nothing is."""
    padded = np.pad(mask, 1)
    across = padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & across & padded[:-2, 1:-1] & padded[2:, 1:-1]


def keypoints(
    image: ArrayLike | None,
    keypoints: ArrayLike,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw keypoints and, for the persons of the scenes, the limbs between them.

    Dark is the person's left, pale its right, white neither. Hidden keypoints are hollow and
    their limbs dotted; absent ones are not drawn.

    Args:
        image: (3, H, W) floating in [0, 1]; None draws onto `ax` as it is.
        keypoints: (N, K, 3): x, y in pixels, visibility 0 absent, 1 hidden, 2 visible. Limbs and
            sides are known for the scenes' keypoints (`detseg.KEYPOINTS`), K = 9.
        ax: where to draw; a new figure without it.
        title: title of the axes.

    Returns:
        The axes.

    Raises:
        ArgumentError: neither image nor axes, or keypoints of another shape or visibility.

    Example:
        >>> head = np.zeros((1, 9, 3))
        >>> head[0, 0] = (30, 10, 2)
        >>> len(keypoints(np.ones((3, 40, 60)), head).lines)
        1
    """
    points = as_keypoints(keypoints)
    ax = ground(image, ax, title)
    known = points.shape[1] == len(KEYPOINTS)
    colors = [SIDES.get(name.split()[0], "#ffffff") for name in KEYPOINTS] if known else []
    for person in points:
        for start, end in SKELETON if known else ():
            if person[[start, end], 2].min() > 0:
                # A limb between a hand and the head is on the hand's side.
                color = next(colors[at] for at in (start, end) if " " in KEYPOINTS[at])
                visible = person[[start, end], 2].min() == 2
                ax.plot(
                    *person[[start, end], :2].T,
                    linestyle="-" if visible else ":",
                    color=color,
                    linewidth=2,
                    path_effects=rim(color, 2) if visible else [],
                    zorder=4,
                )
        for index in np.flatnonzero(person[:, 2] > 0):
            x, y, visibility = person[index]
            color = colors[index] if known else "#ffffff"
            ax.plot(
                x,
                y,
                marker="o",
                markersize=5.5,
                markerfacecolor=color if visibility == 2 else "none",
                markeredgecolor="black" if visibility == 2 else color,
                markeredgewidth=0.8 if visibility == 2 else 1.4,
                zorder=5,
            )
    if known and (points[:, 1:, 2] > 0).any():
        legend(ax, SIDES)
    return ax
