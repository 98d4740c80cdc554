"""The noise level once more, from what a good denoiser leaves in the flat parts of the picture."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.methods.base import Problem
from untaught.noise import Gaussian, NoiseModel, PoissonGaussian, Speckle
from untaught.noise.models import scaled
from untaught.risk import Terms

WINDOW = 9  # side of the window in which flatness is measured
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)  # of the picture, flattest first
UNCLIPPED = 0.97  # share of the variance that clipping must have left; Stein's identity is Gaussian
RISK = 0.8  # of the divergence: the non-local picture's risk in flat parts; 0.4 to 1.1 on eight Kodak crops
SHRINKAGE_ERROR = 0.3  # of the divergence: how far the risk may be from that
LEAST_ERROR = 0.02  # flat parts are not the whole picture: on these crops the factor was off by 0.011 at the root


def refine(problem: Problem, answer: Tensor, terms: Terms) -> NoiseModel:
    """Return the noise model with its variance scaled to the residual of `answer`, where that says more.

        Var = sum_B (y - f)^2 / sum_B (1 - (2 - r) div f)

    For E (y - f)^2 = Var (1 - 2 div f) + risk, and the risk is r Var div f: r = 1 for a posterior mean, a little
    less for the non-local picture. In flat parts B the divergence is a few hundredths, so r hardly matters. B is
    the share of the picture, flattest first, for which the expected error is least; the answer is joined with the
    earlier estimate by their errors. Texture that was taken for noise can only add to the residual, so a larger
    variance than before is not believed.

    Parameters
    ----------
    problem : Problem
        With the noise model to refine; given noise (`relative_error` 0) is returned as it is.
    answer : Tensor
        The denoised picture, (1, C, H, W).
    terms : Terms
        Its risk per pixel.
    """
    noise = problem.noise
    if noise.relative_error <= 0 or not isinstance(noise, Gaussian | PoissonGaussian | Speckle):
        return noise
    found = _factor(problem, answer, terms)
    if found is None:
        return noise
    factor, error = found
    if factor > 1:  # texture that the denoiser took for noise can only add to its residual
        return noise
    a, b = noise.relative_error**-2, error**-2
    joined = (a + b * factor) / (a + b)
    return scaled(noise, joined, (a + b) ** -0.5)


def _factor(problem: Problem, answer: Tensor, terms: Terms) -> tuple[float, float] | None:
    """Return the factor on the variance and its standard error, or None where everything is clipped."""
    noise = problem.noise
    before: Any = noise.std(noise.unclip(answer))
    usable = problem.mask * (noise.variance_at_mean(answer) > UNCLIPPED * before.square())
    flatness = _local_variance(answer).mean(dim=1, keepdim=True)
    inside = flatness[usable.amax(dim=1, keepdim=True) > 0]
    if not inside.numel():
        return None
    ordered = inside.sort().values
    best: tuple[float, float] | None = None
    for share in SHARES:
        limit = ordered[min(int(share * ordered.numel()), ordered.numel() - 1)]
        part = usable * (flatness <= limit)
        variance, count = float((terms.variance * part).sum()), float(part.sum())
        divergence = float((terms.cross * part).sum()) / variance
        error = math.hypot(LEAST_ERROR, SHRINKAGE_ERROR * divergence, math.sqrt(2 / count))
        if divergence < 0.5 and (best is None or error < best[1]):
            best = (float((terms.misfit * part).sum()) / variance / (1 - (2 - RISK) * divergence), error)
    return best


def _local_variance(x: Tensor) -> Tensor:
    def mean(a: Tensor) -> Tensor:
        edge = WINDOW // 2
        return F.avg_pool2d(F.pad(a, (edge, edge, edge, edge), mode="replicate"), WINDOW, stride=1)

    return torch.clamp_min(mean(x * x) - mean(x).square(), 0)
