"""Means around every pixel: of a picture, or of what was measured of one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.method import Problem


def local_mean(x: Tensor, side: int) -> Tensor:
    """Return the mean over a square of odd side around every pixel, edges repeated; shape of x, (B, C, H, W)."""
    edge = side // 2
    padded = F.pad(x, (edge, edge, edge, edge), mode="replicate")
    found: Tensor = F.avg_pool2d(F.avg_pool2d(padded, (side, 1), stride=1), (1, side), stride=1)
    return found


def smoothed(problem: Problem) -> Tensor:
    """Return a 5x5 binomial mean over measured pixels: a poor picture, but one made without z.

    Measurements that are no picture, of other than four axes, are returned as they are.
    """
    if problem.y.ndim != 4:
        return problem.y
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=problem.y.device) / 16
    channels = problem.y.shape[1]

    def blur(x: Tensor) -> Tensor:
        x = F.pad(x, (2, 2, 2, 2), mode="replicate")
        x = F.conv2d(x, taps.view(1, 1, 1, 5).expand(x.shape[1], 1, 1, 5), groups=x.shape[1])
        return F.conv2d(x, taps.view(1, 1, 5, 1).expand(x.shape[1], 1, 5, 1), groups=x.shape[1])

    weight = blur(problem.mask).clamp_min(1e-6)
    known = blur(problem.y * problem.mask) / weight
    return torch.where(weight.expand(-1, channels, -1, -1) > 1e-3, known, problem.y)


def made_whole(problem: Problem) -> Tensor:
    """Return y with what is missing filled in from around it, for what does not look at the mask."""
    return torch.where(problem.mask > 0, problem.y, smoothed(problem))
