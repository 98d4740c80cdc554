"""Square blocks of a picture, for sharing it out."""

from __future__ import annotations

import torch
from torch import Tensor


def blocks(mask: Tensor, fraction: float, size: int, seed: int) -> Tensor:
    """Return 1 on randomly placed grid blocks covering about `fraction` of (1, 1, H, W), at least one of them."""
    height, width = mask.shape[-2:]
    rows, columns = -(-height // size), -(-width // size)
    order = torch.randperm(rows * columns, generator=torch.Generator().manual_seed(seed))
    grid = torch.zeros(rows * columns)
    grid[order[: max(1, round(fraction * rows * columns))]] = 1
    full = grid.view(1, 1, rows, columns).repeat_interleave(size, 2).repeat_interleave(size, 3)
    return full[..., :height, :width].to(mask.device)
