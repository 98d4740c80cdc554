"""A mean around every pixel."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def local_mean(x: Tensor, side: int) -> Tensor:
    """Return the mean over a square of odd side around every pixel, edges repeated; shape of x, (B, C, H, W)."""
    edge = side // 2
    padded = F.pad(x, (edge, edge, edge, edge), mode="replicate")
    found: Tensor = F.avg_pool2d(F.avg_pool2d(padded, (side, 1), stride=1), (1, side), stride=1)
    return found
