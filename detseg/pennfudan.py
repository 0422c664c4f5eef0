"""The Penn-Fudan pedestrians: 170 street photographs, 345 people, a mask for each.

Wang, Shi, Song and Shen, "Object Detection Combining Recognition and Segmentation", ACCV 2007.
https://www.cis.upenn.edu/~jshi/ped_html/
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from torch.utils.data import Dataset
from torchvision.ops import masks_to_boxes

from detseg.download import extract, fetch
from detseg.errors import DataError
from detseg.image_files import read_ids, read_image

URL = "https://www.cis.upenn.edu/~jshi/ped_html/PennFudanPed.zip"
# Its source publishes no checksum. This MD5 is the one that the Avalanche library holds its copy to
# (ContinualAI/avalanche, avalanche/benchmarks/datasets/penn_fudan/penn_fudan_data.py).
MD5 = "5aaa3dee905cef73325923716e38fc6d"


def _stems(folder: Path, ending: str) -> list[str]:
    return sorted(path.name.removesuffix(ending) for path in folder.glob(f"*{ending}"))


class PennFudan(Dataset[tuple[torch.Tensor, dict[str, Any]]]):
    """Penn-Fudan pedestrians as pairs (image, target), in the order of the file names.

    The image is (3, H, W) float32, RGB, in [0, 1]; sizes differ. The target, a dict in
    torchvision's detection format, holds for N people

        boxes: (N, 4) float32, xyxy, pixels, half-open: the extents of the masks.
        labels: (N,) int64, all 1, the key of `NAMES`.
        masks: (N, H, W) bool.
        area: (N,) float32, pixels of the mask.
        iscrowd: (N,) int64, zeros.
        image_id: int, the index.

    Args:
        root: folder that holds `PennFudanPed/`.
        download: get what is missing (54 MB) into `root`, verify it and unpack it there. The
            archive stays beside; it may be removed.

    Raises:
        DataError: the data are not there or not complete (the message says how to get them), or a
            file is damaged.

    Example:
        >>> PennFudan("nowhere")
        Traceback (most recent call last):
        detseg.errors.DataError: no Penn-Fudan data at nowhere/PennFudanPed; ...
    """

    NAMES: ClassVar[dict[int, str]] = {1: "person"}

    def __init__(self, root: str | Path, download: bool = False) -> None:
        root = Path(root)
        self.folder = root / "PennFudanPed"
        if download and self._what_is_missing() is not None:
            extract(fetch(URL, root / "PennFudanPed.zip", md5=MD5), root)
        missing = self._what_is_missing()
        if missing is not None:
            raise DataError(
                f"{missing}; PennFudan({str(root)!r}, download=True) gets them from {URL}"
            )
        self.names = _stems(self.folder / "PNGImages", ".png")

    def _what_is_missing(self) -> str | None:
        images = set(_stems(self.folder / "PNGImages", ".png"))
        masks = set(_stems(self.folder / "PedMasks", "_mask.png"))
        if not images and not masks:
            return f"no Penn-Fudan data at {self.folder}"
        if images != masks:
            name = min(images ^ masks)
            kind = "mask" if name in images else "image"
            return f"incomplete Penn-Fudan data at {self.folder}: no {kind} of {name}"
        return None

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, dict[str, Any]]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"Penn-Fudan has {len(self)} images, there is no image {index}")
        image_id = int(index) % len(self)
        name = self.names[image_id]
        image = read_image(self.folder / "PNGImages" / f"{name}.png")
        height, width = image.shape[1:]
        ids = read_ids(self.folder / "PedMasks" / f"{name}_mask.png", (height, width))
        people = ids.unique()
        people = people[people > 0]
        masks = ids == people[:, None, None]
        boxes = masks_to_boxes(masks)
        boxes[:, 2:] += 1  # torchvision's are inclusive
        return image, {
            "boxes": boxes,
            "labels": torch.ones(len(people), dtype=torch.int64),
            "masks": masks,
            "area": masks.sum(dim=(1, 2)).to(torch.float32),
            "iscrowd": torch.zeros(len(people), dtype=torch.int64),
            "image_id": image_id,
        }
