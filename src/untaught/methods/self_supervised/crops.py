"""Crops of a picture to learn from, flipped and turned."""

from __future__ import annotations

import torch
from torch import Tensor


def turned_crop(layers: Tensor, size: int, generator: torch.Generator, upright: bool = False) -> Tensor:
    """Return a random square crop of (1, L, H, W), flipped and turned, or if `upright` turned by 180 degrees."""
    height, width = layers.shape[-2:]
    size = min(size, height, width)
    top, left, quarters, flip = (
        int(torch.randint(n, (1,), generator=generator)) for n in (height - size + 1, width - size + 1, 4, 2)
    )
    cropped = layers[..., top : top + size, left : left + size]
    if upright:
        return cropped.flip(2, 3) if flip else cropped
    return turned(cropped, quarters, bool(flip))


def turned(x: Tensor, quarters: int, flip: bool) -> Tensor:
    """Return (B, L, H, W) turned by so many quarters, and flipped."""
    x = torch.rot90(x, quarters, (2, 3))
    return x.flip(3) if flip else x
