"""Opponent colours and the first guess of a variance, for the methods in closed form."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from untaught.noise.opponent_colours import basis
from untaught.problem import Problem

SMOOTHING = 1.5  # pixels: standard deviation of the blur behind the first guess of the variance


def smoothed(y: Tensor) -> Tensor:
    """Return `y`, (1, C, H, W), after a Gaussian blur of standard deviation `SMOOTHING` pixels."""
    reach = round(2 * SMOOTHING)
    x = torch.arange(-reach, reach + 1, device=y.device, dtype=y.dtype)
    kernel = torch.softmax(-x.square() / (2 * SMOOTHING**2), 0)
    padded = F.pad(y.transpose(0, 1), (reach,) * 4, mode="replicate")
    down = F.conv2d(padded, kernel.view(1, 1, -1, 1))
    return F.conv2d(down, kernel.view(1, 1, 1, -1)).transpose(0, 1)


def variance_at(problem: Problem, estimate: Tensor) -> Tensor:
    """Return Var[y | x] where `estimate`, (1, C, H, W), estimates E[y | x]."""
    return problem.noise.variance_at_mean(estimate).clamp_min(0)


def opponent_parts(problem: Problem) -> tuple[Tensor, Tensor, Tensor]:
    """Return the `basis`, y in it and its guessed variance, the latter two (C, H, W), detached."""
    y = problem.y.detach()
    matrix = basis(y)
    variance = variance_at(problem, smoothed(y))[0]
    decorrelated = torch.einsum("oc,chw->ohw", matrix, y[0])
    return matrix, decorrelated, torch.einsum("oc,chw->ohw", matrix.square(), variance)
