"""Pascal VOC 2007: 9963 photographs, 24,640 objects of 20 classes.

Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 2010.
http://host.robots.ox.ac.uk/pascal/VOC/voc2007/
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch.utils.data import Dataset
from torchvision.ops import box_iou, masks_to_boxes

from detseg.download import extract, fetch
from detseg.errors import ArgumentError, DataError
from detseg.image_files import read_ids, read_image

CLASSES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)
VOID = 255

_SITE = "https://thor.robots.ox.ac.uk/pascal/VOC/voc2007/"
# Addresses and checksums as in torchvision 0.29, torchvision/datasets/voc.py.
_TRAINVAL = (_SITE + "VOCtrainval_06-Nov-2007.tar", "c52e279531787c972589f7e41ab4ae64")
_TEST = (_SITE + "VOCtest_06-Nov-2007.tar", "b6e924de25625d8de591ea690078ad9f")
ARCHIVES = {"train": _TRAINVAL, "val": _TRAINVAL, "trainval": _TRAINVAL, "test": _TEST}
"""Split → address and MD5 of the archive that holds it."""


class Annotation(NamedTuple):
    """What an annotation file says, in its order: N objects."""

    boxes: torch.Tensor
    """(N, 4) float32, xyxy, half-open."""
    labels: torch.Tensor
    """(N,) int64, 1 … 20."""
    difficult: torch.Tensor
    """(N,) bool."""


class VOC2007(Dataset[tuple[torch.Tensor, dict[str, Any]]]):
    """Pascal VOC 2007 as pairs (image, target), in the order of the split's list.

    The image is (3, H, W) float32, RGB, in [0, 1]; sizes differ. The target, a dict in
    torchvision's detection format, holds for N objects

        boxes: (N, 4) float32, xyxy, pixels, half-open. VOC's own are 1-based and inclusive, so
            these are xmin − 1, ymin − 1, xmax, ymax.
        labels: (N,) int64, 1 … 20, keys of `NAMES`: the classes in alphabetical order.
        area: (N,) float32, of the box, as most objects have no mask.
        difficult: (N,) bool, VOC's own mark: neither a hit nor a miss in its evaluation.
        iscrowd: (N,) int64, 1 where difficult.
        image_id: int, the number in the file's name: 7 for 000007.jpg.

    and, where the image is segmented (632 of all; see `segmented`),

        masks: (N, H, W) bool, all False for an object without one.
        semantic: (H, W) int64, 0 background, 1 … 20, 255 void.

    The two marks are relatives, not twins: pycocotools leaves detections that match an `iscrowd`
    object out of the count, as VOC does with `difficult` ones, but measures that match by the part
    of the *detection* that is covered, not by IoU. Void, the rim around each object, is in no mask.

    Args:
        root: folder that holds `VOCdevkit/VOC2007/`.
        split: "train", "val", "trainval" or "test".
        download: get what is missing (450 MB) into `root`, verify it and unpack it there. The
            archive stays beside; it may be removed.

    Raises:
        ArgumentError: no such split.
        DataError: the data are not there or not complete (the message says how to get them), or a
            file is damaged or does not say what it must.

    Example:
        >>> VOC2007.NAMES[15]
        'person'
        >>> VOC2007("nowhere", split="test")
        Traceback (most recent call last):
        detseg.errors.DataError: no VOC 2007 test data at nowhere/VOCdevkit/VOC2007; ...
    """

    NAMES: ClassVar[dict[int, str]] = dict(enumerate(CLASSES, start=1))

    def __init__(self, root: str | Path, split: str = "trainval", download: bool = False) -> None:
        if split not in ARCHIVES:
            raise ArgumentError(f"split is one of {', '.join(ARCHIVES)}, got {split!r}")
        root = Path(root)
        self.split = split
        self.folder = root / "VOCdevkit" / "VOC2007"
        url, md5 = ARCHIVES[split]
        if download and self._what_is_missing() is not None:
            extract(fetch(url, root / url.rpartition("/")[2], md5=md5), root)
        missing = self._what_is_missing()
        if missing is not None:
            raise DataError(
                f"{missing}; VOC2007({str(root)!r}, split={split!r}, download=True)"
                f" gets them from {url}"
            )
        self.names = self._listed()

    def _list_file(self) -> Path:
        return self.folder / "ImageSets" / "Main" / f"{self.split}.txt"

    def _listed(self) -> list[str]:
        names = []
        text = self._list_file().read_text(encoding="ascii", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip().isdecimal():
                raise DataError(
                    f"{self._list_file()}, line {number}: number of an image expected: {line!r}"
                )
            names.append(line.strip())
        return names

    def _what_is_missing(self) -> str | None:
        if not self._list_file().is_file():
            return f"no VOC 2007 {self.split} data at {self.folder}"
        listed = set(self._listed())
        for folder, ending in (("Annotations", ".xml"), ("JPEGImages", ".jpg")):
            there = {path.stem for path in (self.folder / folder).glob(f"*{ending}")}
            if not listed <= there:
                file = self.folder / folder / (min(listed - there) + ending)
                return f"incomplete VOC 2007 {self.split} data: no {file}"
        return None

    def segmented(self) -> list[int]:
        """Indices of the images whose targets have `masks` and `semantic`.

        Returns:
            Indices in increasing order, fit for `torch.utils.data.Subset`.
        """
        there = {path.stem for path in (self.folder / "SegmentationObject").glob("*.png")}
        return [index for index, name in enumerate(self.names) if name in there]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, dict[str, Any]]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"VOC 2007 {self.split} has {len(self)} images, there is no {index}")
        name = self.names[index]
        image = read_image(self.folder / "JPEGImages" / f"{name}.jpg")
        size_hw = (image.shape[1], image.shape[2])
        boxes, labels, difficult = read_annotation(self.folder / "Annotations" / f"{name}.xml")
        target: dict[str, Any] = {
            "boxes": boxes,
            "labels": labels,
            "area": (boxes[:, 2:] - boxes[:, :2]).prod(dim=1),
            "iscrowd": difficult.to(torch.int64),
            "difficult": difficult,
            "image_id": int(name),
        }
        instances = self.folder / "SegmentationObject" / f"{name}.png"
        if instances.is_file():
            target["masks"] = _masks_of(read_ids(instances, size_hw), boxes)
        classes = self.folder / "SegmentationClass" / f"{name}.png"
        if classes.is_file():
            target["semantic"] = _checked_classes(read_ids(classes, size_hw), classes)
        return image, target


def read_annotation(path: Path) -> Annotation:
    """Objects of a VOC annotation file.

    Args:
        path: XML file.

    Returns:
        Boxes, labels and difficulty of its objects, in the file's order; N = 0 is fine.

    Raises:
        DataError: the file is missing or no XML, a field is missing, a class is unknown, or a box
            ends before it begins. The message names file and field.
    """
    try:
        tree = ElementTree.parse(path)
    except FileNotFoundError:
        raise DataError(f"{path} is missing; the data set is incomplete") from None
    except ElementTree.ParseError as error:
        raise DataError(
            f"{path}, line {error.position[0]}: no well-formed XML ({error})"
        ) from error
    boxes, labels, difficult = [], [], []
    # Children only: a person's parts (head, hand, foot) have names and boxes too, further inside.
    for number, element in enumerate(tree.getroot().findall("object"), start=1):
        where = f"{path}, object {number}"
        name = _text(element, "name", where)
        if name not in CLASSES:
            raise DataError(f"{where}, <name>: {name!r} is none of {', '.join(CLASSES)}")
        xmin, ymin, xmax, ymax = (
            _number(element, f"bndbox/{corner}", where)
            for corner in ("xmin", "ymin", "xmax", "ymax")
        )
        for axis, low, high in (("x", xmin, xmax), ("y", ymin, ymax)):
            if not low <= high:
                raise DataError(
                    f"{where}, <bndbox>: {axis}max {high:g} is less than {axis}min {low:g}"
                )
        boxes.append((xmin - 1, ymin - 1, xmax, ymax))
        labels.append(CLASSES.index(name) + 1)
        difficult.append(_number(element, "difficult", where) != 0)
    return Annotation(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(labels, dtype=torch.int64),
        torch.tensor(difficult, dtype=torch.bool),
    )


def _text(element: ElementTree.Element, field: str, where: str) -> str:
    text = element.findtext(field)
    if text is None or not text.strip():
        raise DataError(f"{where}: <{field.replace('/', '><')}> is missing or empty")
    return text.strip()


def _number(element: ElementTree.Element, field: str, where: str) -> float:
    text = _text(element, field, where)
    try:
        return float(text)
    except ValueError:
        raise DataError(
            f"{where}, <{field.replace('/', '><')}>: number expected, got {text!r}"
        ) from None


def _masks_of(ids: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Masks (N, H, W) bool of the objects with these boxes; all False for one without a mask."""
    instances = ids.unique()
    instances = instances[(instances > 0) & (instances != VOID)]
    found = ids == instances[:, None, None]
    masks = torch.zeros((len(boxes), *ids.shape), dtype=torch.bool)
    if (instances <= len(boxes)).all():
        masks[instances - 1] = found  # instance i is the i-th object of the annotation file
        return masks
    # A number beyond the objects: the numbers cannot be those of the objects, so the extents
    # decide, one instance an object, so that the sum of the IoUs is largest.
    extents = masks_to_boxes(found)
    extents[:, 2:] += 1  # torchvision's are inclusive
    overlap = box_iou(boxes, extents)
    from scipy.optimize import linear_sum_assignment  # takes a third of a second, seldom needed

    for row, column in zip(*linear_sum_assignment(overlap.numpy(), maximize=True), strict=True):
        if overlap[row, column] > 0:
            masks[row] = found[column]
    return masks


def _checked_classes(ids: torch.Tensor, path: Path) -> torch.Tensor:
    wrong = ids[(ids > len(CLASSES)) & (ids != VOID)]
    if len(wrong):
        raise DataError(
            f"{path}: class {int(wrong[0])} is none of 0 … {len(CLASSES)} and {VOID} (void)"
        )
    return ids
