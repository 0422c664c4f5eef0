"""Masks come back into the image where they were cut out."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import roi_align

from detseg.mask_paste import paste_masks
from detseg.scenes import ShapeScenes


def one_by_one(grid, box, size_hw):
    """The slow way: pixel by pixel, between the four nearest cells."""
    (height, width), (rows, columns) = size_hw, grid.shape
    x1, y1, x2, y2 = box.tolist()
    pasted = torch.zeros(height, width)
    for i in range(height):
        for j in range(width):
            x, y = j + 0.5, i + 0.5
            if x1 <= x < x2 and y1 <= y < y2:
                u = min(max((x - x1) / (x2 - x1) * columns - 0.5, 0), columns - 1)
                v = min(max((y - y1) / (y2 - y1) * rows - 0.5, 0), rows - 1)
                left, top = math.floor(u), math.floor(v)
                right, below = min(left + 1, columns - 1), min(top + 1, rows - 1)
                a, b = u - left, v - top
                upper = (1 - a) * grid[top, left] + a * grid[top, right]
                lower = (1 - a) * grid[below, left] + a * grid[below, right]
                pasted[i, j] = (1 - b) * upper + b * lower
    return pasted


def test_by_hand():
    cells = torch.tensor([[[[0.5, 0.0], [1.0, 0.5]]]])
    pasted = paste_masks(cells, torch.tensor([[1.0, 1.0, 5.0, 3.0]]), (4, 6))
    expected = torch.zeros(1, 1, 4, 6)
    expected[0, 0, 1, 1:5] = torch.tensor([0.5, 0.375, 0.125, 0])
    expected[0, 0, 2, 1:5] = torch.tensor([1, 0.875, 0.625, 0.5])
    torch.testing.assert_close(pasted, expected)


def test_a_box_is_half_open():
    full = torch.ones(1, 1, 3, 3)
    pasted = paste_masks(full, torch.tensor([[1.5, 0.25, 4.5, 2.75]]), (4, 7))[0, 0]
    assert pasted.nonzero().tolist() == [[i, j] for i in (0, 1, 2) for j in (1, 2, 3)]


def test_what_was_cut_out_comes_back():
    # A mask that changes evenly is the same between any cells.
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    ramp = ((x + 2 * y) / 80)[None, None]
    box = torch.tensor([[3.25, 2.5, 26.75, 17.0]])
    cut = roi_align(ramp, [box], (7, 11), sampling_ratio=1, aligned=True)
    pasted = paste_masks(cut, box, (20, 30))
    between = (
        slice(None),
        slice(None),
        slice(5, 14),
        slice(6, 24),
    )  # the centres of the outer cells
    torch.testing.assert_close(pasted[between], ramp[between])


def test_masks_of_scenes_come_back_where_they_were():
    for _, target in ShapeScenes(5, 3, size_hw=(96, 160)):
        masks, boxes = target["masks"], target["boxes"]
        cut = roi_align(masks[:, None].float(), list(boxes[:, None]), 28, aligned=True)
        back = paste_masks(cut, boxes, (96, 160))[:, 0] >= 0.5
        iou = (back & masks).sum((1, 2)) / (back | masks).sum((1, 2))
        assert iou.min() > 0.9


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    count=st.integers(0, 3),
    cells_hw=st.tuples(st.integers(1, 6), st.integers(1, 6)),
)
def test_as_the_slow_way(seed, count, cells_hw):
    generator = torch.Generator().manual_seed(seed)
    cells = torch.rand((count, 1, *cells_hw), generator=generator)
    corners = torch.rand((count, 2), generator=generator) * 20 - 6  # also outside of the image
    sides = torch.rand((count, 2), generator=generator) * 16
    boxes = torch.cat([corners, corners + sides], dim=1)
    pasted = paste_masks(cells, boxes, (9, 13))
    assert pasted.shape == (count, 1, 9, 13)
    for got, grid, box in zip(pasted, cells, boxes, strict=True):
        torch.testing.assert_close(got[0], one_by_one(grid[0], box, (9, 13)), atol=1e-4, rtol=0)


def test_no_masks_and_boxes_without_area():
    assert paste_masks(torch.zeros(0, 1, 5, 3), torch.zeros(0, 4), (6, 8)).shape == (0, 1, 6, 8)
    flat = torch.tensor([[3.5, 1.0, 3.5, 4.0], [2.0, 2.5, 5.0, 2.5], [3.0, 3.0, 3.0, 3.0]])
    assert not paste_masks(torch.ones(3, 1, 2, 2), flat, (6, 8)).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_is_kept(dtype):
    pasted = paste_masks(torch.ones(1, 1, 2, 2, dtype=dtype), torch.ones(1, 4, dtype=dtype), (3, 3))
    assert pasted.dtype == dtype
