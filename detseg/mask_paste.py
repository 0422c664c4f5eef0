"""Masks from the cells of their boxes back into the image, between pixels: nothing is rounded.

Bilinear interpolation goes by rows and by columns, each for itself. So the way from cells to
pixels is two matrices, which hold the share of every cell in every pixel.
"""

import torch


def paste_masks(cells: torch.Tensor, boxes: torch.Tensor, size_hw: tuple[int, int]) -> torch.Tensor:
    """Stretch each grid of cells over its box: a probability for every pixel of the image.

    A pixel whose centre lies in the box (half-open) gets the bilinear sample there; beyond the
    outermost centres of cells their values repeat. All other pixels get 0. torchvision's
    `paste_masks_in_image` does the same in whole pixels.

    Args:
        cells: (N, 1, h, w) floating, one grid a box, as a mask head gives it for one class.
        boxes: (N, 4) floating, xyxy, pixels; one without area has no pixel.
        size_hw: of the image, in pixels.

    Returns:
        (N, 1, H, W) floating.

    Example:
        >>> cells = torch.tensor([[[[0.0, 1.0]]]])
        >>> paste_masks(cells, torch.tensor([[1.0, 0.0, 5.0, 1.0]]), (1, 6)).flatten().tolist()
        [0.0, 0.0, 0.25, 0.75, 1.0, 0.0]
    """
    down = _shares(boxes[:, 1::2], cells.shape[2], size_hw[0])[:, None]  # [N, 1, H, h]
    across = _shares(boxes[:, 0::2], cells.shape[3], size_hw[1])[:, None]  # [N, 1, W, w]
    return down @ cells @ across.mT


def _shares(edges: torch.Tensor, cells: int, pixels: int) -> torch.Tensor:
    """Along one axis, what each cell gives to each pixel: (N, 2) edges of boxes → (N, P, M)."""
    start, end = edges[:, :1], edges[:, 1:]
    centres = torch.arange(pixels, device=edges.device) + 0.5
    inside = (centres >= start) & (centres < end)  # [N, P]
    # Measured in cells, from the centre of the first one.
    places = ((centres - start) * cells / (end - start) - 0.5).clamp(0, cells - 1)
    away = (places[..., None] - torch.arange(cells, device=edges.device)).abs()
    return torch.where(inside[..., None], (1 - away).clamp(min=0), 0)
