"""Photographs that scikit-image ships inside its package: nothing is downloaded.

Their provenance and licences are listed in `data/README.md`.
"""

import numpy as np
import torch
from skimage import data

from detseg.errors import ArgumentError

PHOTOS = (
    "astronaut",
    "brick",
    "chelsea",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "motorcycle",
    "rocket",
)


def photo(name: str) -> torch.Tensor:
    """One photograph as the tensor that every model of the course takes.

    Args:
        name: `astronaut`, `chelsea` (a cat), `coffee`, `motorcycle`, `rocket`; grey: `coins`, and
            the textures `brick`, `grass` and `gravel`.

    Returns:
        (3, H, W) float32, RGB, in [0, 1]; a grey photograph has three equal channels.

    Raises:
        ArgumentError: there is no photograph of this name.

    Example:
        >>> photo("chelsea").shape
        torch.Size([3, 300, 451])
    """
    if name not in PHOTOS:
        raise ArgumentError(f"there is no photograph {name!r}; there are {', '.join(PHOTOS)}")
    # Of the pair of photographs the left one.
    pixels = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=-1)
    chw = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return torch.from_numpy(chw.astype(np.float32) / np.float32(255))


def faces() -> tuple[torch.Tensor, torch.Tensor]:
    """A hundred faces, then a hundred patches that show none (a part of LFW).

    Returns:
        images: (200, 1, 25, 25) float32, grey, in [0, 1].
        labels: (200,) int64, 1 for a face and 0 for none.

    Example:
        >>> images, labels = faces()
        >>> images.shape, int(labels.sum())
        (torch.Size([200, 1, 25, 25]), 100)
    """
    images = torch.from_numpy(data.lfw_subset().astype(np.float32))[:, None]  # [200, 1, 25, 25]
    labels = torch.zeros(len(images), dtype=torch.int64)
    labels[:100] = 1  # scikit-image's documented order: faces first
    return images, labels
