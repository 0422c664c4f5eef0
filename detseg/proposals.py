"""Proposals without learning: Selective Search, on scikit-image's segmentation and region graph.

Uijlings et al., "Selective search for object recognition", IJCV 2013. Of the paper's four measures
of likeness this has colour, size and fill; texture is left out.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import find_objects
from skimage.color import rgb2hsv
from skimage.graph import RAG, merge_hierarchical
from skimage.segmentation import felzenszwalb

from detseg.dice import Dice

_BINS = 25  # a colour channel, as in the paper
_SMOOTHING = 0.8  # pixels, as in the paper
_DRAWS = 1 << 20  # a random integer of this range stands for a random number from 0 to 1


class Regions(NamedTuple):
    """The regions of an over-segmented image, as hierarchical grouping wants them.

    Attributes:
        boxes: (R, 4) float32 xyxy, the smallest box around each region, pixels.
        sizes: (R,) int64, pixels of each region.
        histograms: (R, 75) float32, 25 bins each of hue, saturation and value; a row sums to 1.
        neighbours: pairs (i, j), i < j, of regions of which some pixels share an edge.
    """

    boxes: torch.Tensor
    sizes: torch.Tensor
    histograms: torch.Tensor
    neighbours: list[tuple[int, int]]


def over_segment(image: torch.Tensor, scale: float, least_size: int = 20) -> torch.Tensor:
    """Cut an image into small regions of even colour (Felzenszwalb and Huttenlocher 2004).

    Args:
        image: (3, H, W) float, RGB, in [0, 1].
        scale: the larger, the larger the regions.
        least_size: smaller regions are joined to a neighbour, pixels.

    Returns:
        (H, W) int64, the number of each pixel's region, 0 … R − 1.

    Example:
        >>> image = torch.zeros(3, 20, 30)
        >>> image[:, :, 10:] = 1
        >>> over_segment(image, scale=10, least_size=100)[0, [0, 29]].tolist()
        [0, 1]
    """
    pixels = image.permute(1, 2, 0).numpy()
    labels = felzenszwalb(pixels, scale=scale, sigma=_SMOOTHING, min_size=least_size)
    return torch.from_numpy(labels)


def describe(image: torch.Tensor, segments: torch.Tensor) -> Regions:
    """Box, size, colours and neighbours of every region.

    Args:
        image: (3, H, W) float, RGB, in [0, 1].
        segments: (H, W) int64 as `over_segment` returns it.

    Example:
        >>> segments = torch.tensor([[0, 0, 1], [0, 0, 1]])
        >>> regions = describe(torch.zeros(3, 2, 3), segments)
        >>> regions.boxes.tolist(), regions.sizes.tolist(), regions.neighbours
        ([[0.0, 0.0, 2.0, 2.0], [2.0, 0.0, 3.0, 2.0]], [4, 2], [(0, 1)])
    """
    labels = segments.numpy()
    count = int(labels.max()) + 1
    slices = find_objects(labels + 1)
    boxes = [(s[1].start, s[0].start, s[1].stop, s[0].stop) for s in slices]
    sizes = np.bincount(labels.ravel(), minlength=count)
    hsv = rgb2hsv(image.permute(1, 2, 0).numpy())
    bins = np.minimum((hsv * _BINS).astype(int), _BINS - 1) + _BINS * np.arange(3)  # [H, W, 3]
    cells = labels[..., None] * 3 * _BINS + bins
    counts = np.bincount(cells.ravel(), minlength=count * 3 * _BINS).reshape(count, -1)
    return Regions(
        torch.tensor(boxes, dtype=torch.float32),
        torch.from_numpy(sizes),
        torch.from_numpy(counts / (3 * sizes[:, None])).float(),
        _touching(labels),
    )


def group(regions: Regions, image_area: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Join the two most similar neighbours again and again, until nothing touches.

    Returns:
        boxes: (M, 4) float32 xyxy: the given boxes, then that of each joined region as it comes up.
        parts: (M - R, 2) int64, the numbers of the two regions that each of these was made of.

    Example:
        >>> segments = torch.tensor([[0, 0, 1], [0, 0, 1]])
        >>> boxes, parts = group(describe(torch.zeros(3, 2, 3), segments), image_area=6)
        >>> boxes[-1].tolist(), parts.tolist()
        ([0.0, 0.0, 3.0, 2.0], [[0, 1]])
    """
    boxes = regions.boxes.tolist()
    parts: list[tuple[int, int]] = []
    graph = RAG()
    for index, (box, size) in enumerate(zip(boxes, regions.sizes.tolist(), strict=True)):
        colours = regions.histograms[index].numpy()
        graph.add_node(index, labels=[index], number=index, box=box, size=size, colours=colours)

    def unlikeness(one: int, other: int) -> float:
        """2 minus the paper's similarity, in which the regions' own sizes cancel.

        The graph joins along its least weight.
        """
        a, b = graph.nodes[one], graph.nodes[other]
        shared_colours = float(np.minimum(a["colours"], b["colours"]).sum())
        x1, y1, x2, y2 = _hull(a["box"], b["box"])
        return (x2 - x1) * (y2 - y1) / image_area - shared_colours

    def join(_: RAG, source: int, target: int) -> None:
        a, b = graph.nodes[source], graph.nodes[target]
        size = a["size"] + b["size"]
        b["colours"] = a["colours"] * (a["size"] / size) + b["colours"] * (b["size"] / size)
        b["box"], b["size"] = _hull(a["box"], b["box"]), size
        parts.append((a["number"], b["number"]))
        b["number"] = len(boxes)
        boxes.append(b["box"])

    for one, other in regions.neighbours:
        graph.add_edge(one, other, weight=unlikeness(one, other))
    merge_hierarchical(
        np.arange(len(boxes)),
        graph,
        thresh=np.inf,
        rag_copy=False,
        in_place_merge=True,
        merge_func=join,
        weight_func=lambda _, __, target, other: {"weight": unlikeness(target, other)},
    )
    return (
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(parts, dtype=torch.int64).reshape(-1, 2),
    )


def selective_search(
    image: torch.Tensor, scales: tuple[float, ...] = (30, 60, 120, 240), seed: int = 0
) -> torch.Tensor:
    """Boxes that are likely to hold things, the more promising ones roughly first.

    The image is over-segmented at several scales, and the regions of each are grouped. As in the
    paper, a box comes the earlier the later it was made, times a random number, so that large
    regions do not all come before small ones.

    Args:
        image: (3, H, W) float, RGB, in [0, 1].
        scales: see `over_segment`; each adds its own boxes.
        seed: of the random order.

    Returns:
        (N, 4) float32 xyxy, no box twice; N depends on the image.

    Example:
        >>> from detseg import ShapeScenes
        >>> image, _ = ShapeScenes(n=1, seed=0)[0]
        >>> selective_search(image).shape[1]
        4
    """
    dice = Dice(seed, 0)
    area = image.shape[1] * image.shape[2]
    ranked: list[tuple[int, tuple[float, ...]]] = []
    for coarseness in scales:
        boxes, _ = group(describe(image, over_segment(image, coarseness)), area)
        for rank, box in enumerate(reversed(boxes.tolist()), start=1):
            ranked.append((rank * dice.between(1, _DRAWS), tuple(box)))
    unique = dict.fromkeys(box for _, box in sorted(ranked))
    return torch.tensor(list(unique), dtype=torch.float32).reshape(-1, 4)


def _touching(labels: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of regions that lie side by side or one above the other."""
    sideways = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()])
    downwards = np.stack([labels[:-1].ravel(), labels[1:].ravel()])
    pairs = np.sort(np.concatenate([sideways, downwards], axis=1), axis=0)
    pairs = np.unique(pairs[:, pairs[0] != pairs[1]], axis=1)
    return [(int(i), int(j)) for i, j in pairs.T]


def _hull(a: list[float], b: list[float]) -> list[float]:
    return [min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])]
