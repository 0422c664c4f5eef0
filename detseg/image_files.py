"""Pictures and maps of ids from a data set's files, with errors that name the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from detseg.errors import DataError

_ONE_CHANNEL = {"1", "L", "P", "I", "I;16"}  # Pillow's modes with one number a pixel


def _open(path: Path) -> Image.Image:
    try:
        with Image.open(path) as opened:
            opened.load()
            return opened.copy()
    except FileNotFoundError:
        raise DataError(f"{path} is missing; the data set is incomplete") from None
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        # Pillow reports a damaged PNG as SyntaxError.
        raise DataError(f"{path} cannot be read as an image: {error}") from error


def read_image(path: Path) -> torch.Tensor:
    """Image of a file.

    Args:
        path: PNG or JPEG, of any colour mode.

    Returns:
        (3, H, W) float32, RGB, values in [0, 1].

    Raises:
        DataError: the file is missing or damaged.
    """
    pixels = np.asarray(_open(path).convert("RGB"))
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1).contiguous()


def read_ids(path: Path, size_hw: tuple[int, int]) -> torch.Tensor:
    """Map of ids of a file: the numbers of its pixels, or of its palette's entries.

    Args:
        path: PNG with one channel.
        size_hw: height and width that it must have, those of the image it belongs to.

    Returns:
        (H, W) int64.

    Raises:
        DataError: the file is missing or damaged, has colours instead of ids, or another size.
    """
    picture = _open(path)
    if picture.mode not in _ONE_CHANNEL:
        raise DataError(
            f"{path}: ids need one number a pixel, but the file's mode is {picture.mode}"
        )
    ids = np.asarray(picture)
    if ids.shape != size_hw:
        raise DataError(f"{path}: size {ids.shape} (H, W) differs from its image's, {size_hw}")
    return torch.from_numpy(ids.astype(np.int64))
