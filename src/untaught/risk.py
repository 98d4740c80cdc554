"""Error estimates without ground truth, from recorruptions of the one picture there is.

    yhat = y + alpha z,  z ~ N(0, Var[y|x]),  f = any black box that has seen yhat and never z

    risk(f) = (1/N) || f - y ||^2 + 2/(alpha N) < f - p, z > - (1/N) sum_i Var[y_i|x_i]

estimates (1/N) || f - E[y|x] ||^2. The middle term is the divergence of SURE (Stein 1981) taken by a finite
step along z (Ramani, Blu, Unser 2008), so nothing has to be differentiated; `p` is any picture made without z,
and only makes the term fluctuate less. That the noises of y + alpha z and y - z/alpha are independent is
theorem 1 of Pang et al., "Recorrupted-to-Recorrupted", CVPR 2021.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.methods.base import Problem
from untaught.result import Interval

Z90 = 1.645  # half-width of a central 90 % interval of a normal distribution, in standard deviations


@dataclass(frozen=True)
class Risk:
    """An estimated mean squared error and its standard error, in squared [0, 1] units."""

    value: float
    error: float


@dataclass(frozen=True)
class Recorruption:
    """One draw: `y`, `yhat = y + alpha z`, `z`, the variance behind them, and the reference picture `p`.

    All tensors have the shape of `y`, (1, C, H, W); `mask` is (1, 1, H, W).
    """

    y: Tensor
    mask: Tensor
    variance: Tensor
    z: Tensor
    alpha: float
    p: Tensor

    @classmethod
    def draw(cls, problem: Problem, seed: int, alpha: float = 0.5) -> Recorruption:
        """Draw z from `seed`; the variance is taken at the pilot, or at a smoothed y where there is none."""
        p = problem.pilot if problem.pilot is not None else smoothed(problem)
        variance = problem.noise.variance(p).clamp_min(0)
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(problem.y.shape, generator=generator).to(problem.y.device)
        return cls(problem.y, problem.mask, variance, noise * variance.sqrt(), alpha, p)

    @property
    def yhat(self) -> Tensor:
        """The picture to fit to: a little noisier than y."""
        return self.y + self.alpha * self.z

    @property
    def ytilde(self) -> Tensor:
        """The picture to hold the fit against: its noise is independent of yhat's."""
        return self.y - self.z / self.alpha

    def terms(self, f: Tensor) -> Tensor:
        """Return the risk per pixel and channel of f = f(yhat)."""
        return risk_terms(f, [(self, f)])

    def risk(self, f: Tensor) -> float:
        """Return the estimated mean squared error over the measured pixels."""
        return float((self.terms(f) * self.mask).sum() / (self.mask.sum() * f.shape[1]))


def smoothed(problem: Problem) -> Tensor:
    """Return a 5x5 binomial mean over measured pixels: a poor picture, but one made without z."""
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=problem.y.device) / 16
    channels = problem.y.shape[1]

    def blur(x: Tensor) -> Tensor:
        x = F.pad(x, (2, 2, 2, 2), mode="replicate")
        x = F.conv2d(x, taps.view(1, 1, 1, 5).expand(x.shape[1], 1, 1, 5), groups=x.shape[1])
        return F.conv2d(x, taps.view(1, 1, 5, 1).expand(x.shape[1], 1, 5, 1), groups=x.shape[1])

    weight = blur(problem.mask).clamp_min(1e-6)
    known = blur(problem.y * problem.mask) / weight
    return torch.where(weight.expand(-1, channels, -1, -1) > 1e-3, known, problem.y)


def risk_terms(answer: Tensor, draws: Sequence[tuple[Recorruption, Tensor]]) -> Tensor:
    """Return the risk per pixel and channel of `answer`, shape (1, C, H, W); its mean is the estimate.

    Parameters
    ----------
    answer : Tensor
        The mean of the outputs below, or the same black box at y itself.
    draws : sequence of (Recorruption, Tensor)
        Each recorruption with the output f(yhat) of the black box.
    """
    first = draws[0][0]
    cross = torch.zeros_like(answer)
    for recorruption, output in draws:
        cross += (2 / recorruption.alpha) * (output - recorruption.p) * recorruption.z
    return (answer - first.y).square() + cross / len(draws) - first.variance


def summarise(terms: Tensor, weight: Tensor, level: float) -> Risk:
    """Return the weighted mean of `terms` with its standard error.

    Parameters
    ----------
    terms, weight : Tensor
        (1, C, H, W); pixels of weight 0 do not count.
    level : float
        One standard error of the noise variance, absolute: it shifts every term alike.
    """
    count = (weight > 0).sum().clamp_min(1)
    weighted = terms * weight
    value = weighted.sum() / count
    spread = ((weighted - value).square() * (weight > 0)).sum() / count
    return Risk(float(value), math.hypot(float((spread / count).sqrt()), level))


def to_interval(risk: Risk, variance: float, assumes: str) -> Interval:
    """Turn a risk into a PSNR over the value range [0, 1], with its 90 % interval.

    A risk below 2 % of the noise variance (17 dB of gain) is more than any estimate here can tell: it is cut.
    """
    floor = max(0.02 * variance, 1e-10)

    def psnr(mse: float) -> float:
        return -10 * math.log10(max(mse, floor))

    return Interval(
        psnr(risk.value),
        psnr(risk.value + Z90 * risk.error),
        psnr(risk.value - Z90 * risk.error),
        assumes,
    )
