"""What a drawing is given, checked and turned into NumPy arrays.

Every function takes tensors of any device, with or without gradient, and NumPy arrays, and says in
its error what was wrong, what was given and what is allowed.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from detseg.errors import ArgumentError

ArrayLike: TypeAlias = torch.Tensor | npt.ArrayLike


def _numpy(value: ArrayLike) -> npt.NDArray[Any]:
    if isinstance(value, torch.Tensor):
        # bfloat16 has no NumPy counterpart; nothing that is drawn needs more than float32.
        value = value.detach().to("cpu")
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    return np.asarray(value)


def _given(array: npt.NDArray[Any]) -> str:
    return f"got {array.dtype} of shape {array.shape}"


def _integers(array: npt.NDArray[Any], what: str) -> npt.NDArray[np.int64]:
    # An empty list arrives as float64; without elements there is nothing that is not whole.
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ArgumentError(f"{what} must be integers, {_given(array)}")
    return array.astype(np.int64)


def as_image(image: ArrayLike) -> npt.NDArray[np.float32]:
    """Image as matplotlib wants it.

    Args:
        image: (3, H, W) floating, RGB, values in [0, 1].

    Returns:
        (H, W, 3) float32.

    Raises:
        ArgumentError: another shape or dtype, no pixel, or values that are not in [0, 1].
    """
    array = _numpy(image)
    if array.ndim != 3 or array.shape[0] != 3:
        hint = ""
        if array.ndim == 3 and array.shape[0] == 1:
            hint = "; a grey image becomes one by image.expand(3, -1, -1)"
        elif array.ndim == 3 and array.shape[2] == 3:
            hint = "; the channels come first"
        raise ArgumentError(f"an image has shape (3, H, W), {_given(array)}{hint}")
    if not np.issubdtype(array.dtype, np.floating):
        raise ArgumentError(
            f"an image is floating point with values in [0, 1], {_given(array)};"
            " bytes become one by image / 255"
        )
    if array.size == 0:
        raise ArgumentError(f"an image has at least one pixel, {_given(array)}")
    low, high = float(array.min()), float(array.max())
    # Rounding in a resize may leave [0, 1] by a hair; a normalised image leaves it by far.
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise ArgumentError(
            f"an image has values in [0, 1], got values from {low:.4g} to {high:.4g};"
            " undo a normalisation, or clamp, first"
        )
    return np.clip(array.transpose(1, 2, 0), 0, 1).astype(np.float32)


def as_boxes(boxes: ArrayLike) -> npt.NDArray[np.float64]:
    """Boxes to draw.

    Args:
        boxes: (N, 4) real numbers, xyxy, pixels. An empty list stands for no box.

    Returns:
        (N, 4) float64.

    Raises:
        ArgumentError: another shape, or a coordinate that is not a finite number.
    """
    array = _numpy(boxes)
    if array.shape == (0,):
        array = array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ArgumentError(f"boxes have shape (N, 4), xyxy, {_given(array)}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise ArgumentError(f"box {row} has coordinates that are not finite: {array[row].tolist()}")
    return array


def as_masks(masks: ArrayLike, size_hw: tuple[int, int] | None) -> npt.NDArray[np.bool_]:
    """Masks to draw.

    Args:
        masks: (N, H, W) bool, or integers 0 and 1.
        size_hw: height and width of the image below, None without one.

    Returns:
        (N, H, W) bool.

    Raises:
        ArgumentError: another shape or size, or values other than 0 and 1 (soft masks want a
            threshold first).
    """
    array = _numpy(masks)
    if array.ndim != 3:
        raise ArgumentError(f"masks have shape (N, H, W), {_given(array)}")
    if size_hw is not None and array.shape[1:] != size_hw:
        raise ArgumentError(f"masks must have the image's size {size_hw} (H, W), {_given(array)}")
    if array.dtype != np.bool_ and not np.isin(array, (0, 1)).all():
        raise ArgumentError(f"masks are bool, {_given(array)}; threshold soft masks first")
    return array.astype(np.bool_)


def as_keypoints(keypoints: ArrayLike) -> npt.NDArray[np.float64]:
    """Keypoints to draw.

    Args:
        keypoints: (N, K, 3): x, y in pixels, visibility 0 absent, 1 hidden, 2 visible.

    Returns:
        (N, K, 3) float64.

    Raises:
        ArgumentError: another shape, or another visibility.
    """
    array = _numpy(keypoints)
    if array.ndim != 3 or array.shape[2] != 3:
        raise ArgumentError(f"keypoints have shape (N, K, 3): x, y, visibility, {_given(array)}")
    array = array.astype(np.float64)
    if not np.isin(array[:, :, 2], (0, 1, 2)).all():
        wrong = array[:, :, 2][~np.isin(array[:, :, 2], (0, 1, 2))][0]
        raise ArgumentError(
            f"a keypoint's visibility is 0 (absent), 1 (hidden) or 2 (visible), got {wrong:g}"
        )
    return array


def as_map(values: ArrayLike, what: str) -> npt.NDArray[np.int64]:
    """Map of ids, one a pixel.

    Args:
        values: (H, W) integer.
        what: name of the map for the error.

    Returns:
        (H, W) int64.

    Raises:
        ArgumentError: another shape or dtype, or no pixel.
    """
    array = _numpy(values)
    if array.ndim != 2 or array.size == 0:
        raise ArgumentError(f"{what} must have shape (H, W), {_given(array)}")
    return _integers(array, what)


def as_labels(labels: ArrayLike | None, count: int) -> npt.NDArray[np.int64] | None:
    """One label for each of `count` things.

    Args:
        labels: (N,) integer, or None.
        count: the N they must have.

    Returns:
        (N,) int64, or None.

    Raises:
        ArgumentError: another shape or dtype.
    """
    if labels is None:
        return None
    array = _numpy(labels)
    if array.shape != (count,):
        raise ArgumentError(f"labels must have shape ({count},), one each, {_given(array)}")
    return _integers(array, "labels")


def as_scores(scores: ArrayLike | None, count: int) -> npt.NDArray[np.float64] | None:
    """One score for each of `count` things.

    Args:
        scores: (N,) real numbers, or None.
        count: the N they must have.

    Returns:
        (N,) float64, or None.

    Raises:
        ArgumentError: another shape.
    """
    if scores is None:
        return None
    array = _numpy(scores)
    if array.shape != (count,):
        raise ArgumentError(f"scores must have shape ({count},), one each, {_given(array)}")
    return array.astype(np.float64)
