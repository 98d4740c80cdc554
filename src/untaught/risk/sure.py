"""Error estimates without ground truth, from recorruptions of the one picture there is.

    yhat = y + alpha z,  z ~ N(0, tau),  f = any black box that has seen yhat and never z

    risk(f) = (1/N) || f - y ||^2 + 2/(alpha N) < f - p, z > - (1/N) sum_i Var[y_i|x_i]

estimates (1/N) || f - E[y|x] ||^2. tau is Var[y|x], or where values were cut off the kernel that makes Stein's
identity hold there too (`NoiseModel.stein_kernel`). The middle term is the divergence of SURE (Stein 1981) taken
by a finite step along z (Ramani, Blu, Unser 2008), so nothing has to be differentiated; `p` is any picture made
without z, and only makes the term fluctuate less. That the noises of y + alpha z and y - z/alpha are independent
is theorem 1 of Pang et al., "Recorrupted-to-Recorrupted", CVPR 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from untaught.problem import Problem, Response, smoothed

DIVERGENCE_SEED = 7919  # keeps the recorruptions of an error estimate apart from those of the fits
DIVERGENCE_STEP = 0.05  # alpha; a longer step measures the divergence at a noisier picture, which is larger
ENOUGH = 400_000  # values after which one draw of the divergence is accurate enough
STREAM = 0x9E3779B97F4A7C15  # odd and large, so that neighbouring seeds give unrelated streams
MOST_RESCALED = 4.0  # times the variance that a response was measured with


@dataclass(frozen=True)
class Recorruption:
    """One draw: `y`, `yhat = y + alpha z`, `z`, the variance behind them, and the reference picture `p`.

    `kernel` is the variance of z: that of y, where nothing was cut off (see `kernel_of`). All tensors have the
    shape of `y`, (1, C, H, W); `mask` is (1, 1, H, W).
    """

    y: Tensor
    mask: Tensor
    variance: Tensor
    z: Tensor
    alpha: float
    p: Tensor
    kernel: Tensor

    @classmethod
    def draw(cls, problem: Problem, seed: int, alpha: float = 0.5) -> Recorruption:
        """Draw z from `seed`; the variance is taken at the pilot, or at a smoothed y where there is none."""
        p = problem.measured(problem.pilot) if problem.pilot is not None else smoothed(problem)
        variance = problem.noise.variance_at_mean(p).clamp_min(0)
        # Not the seed itself: a fit draws its code from that, and z must be independent of all a fit sees.
        generator = torch.Generator().manual_seed((seed + 1) * STREAM % 2**62)
        noise = problem.noise.draw(problem.y.shape, generator, problem.y.device, around=True)
        kernel = kernel_of(problem, p)
        return cls(problem.y, problem.mask, variance, noise * kernel.sqrt(), alpha, p, kernel)

    @property
    def yhat(self) -> Tensor:
        """The picture to fit to: a little noisier than y."""
        return self.y + self.alpha * self.z

    @property
    def ytilde(self) -> Tensor:
        """The picture to hold the fit against: its noise is independent of yhat's."""
        return self.y - self.z / self.alpha

    def response(self, f: Tensor, draws: int = 1) -> Response:
        """Return how f = f(yhat) moved with z, as one of so many draws."""
        return Response(self.z / (self.alpha * draws), f - self.p)

    def terms(self, f: Tensor) -> Terms:
        """Return the risk per pixel and channel of f = f(yhat)."""
        return risk_terms(f, [(self, f)])

    def risk(self, f: Tensor) -> float:
        """Return the estimated mean squared error over the measured pixels."""
        return float((self.terms(f).sure * self.mask).sum() / self.mask.expand_as(f).sum())


def kernel_of(problem: Problem, mean: Tensor) -> Tensor:
    """Return the weight of Stein's identity at every value, (1, C, H, W): Var[y|x] where nothing was cut off.

    Where values were, its mean is still the variance, and it depends less on the estimate of the mean.
    """
    return problem.noise.stein_kernel(problem.y, mean).clamp_min(0)


def common_kernel(problem: Problem, answer: Tensor) -> Tensor:
    """Return `kernel_of` at the pilot, or at the answer that is judged where there is none.

    Answers that are compared have to share it: only then does the noise cancel in the difference of their risks.
    """
    return kernel_of(problem, answer if problem.pilot is None else problem.pilot)


def divergence_draws(problem: Problem, answer: Tensor, seed: int, most: int = 4) -> list[Recorruption]:
    """Return the recorruptions, `most` at most, to measure the divergence of a map at y, whose answer is known.

    Variances are taken at the pilot where there is one: what is left of the noise in a poor answer makes those of
    clipped values too small.
    """
    count = min(most, max(1, ENOUGH // problem.y.numel()))
    at = problem if problem.pilot is not None else replace(problem, pilot=answer)
    draws = (Recorruption.draw(at, seed + DIVERGENCE_SEED + k, DIVERGENCE_STEP) for k in range(count))
    return [replace(draw, p=problem.measured(answer)) for draw in draws]


@dataclass(frozen=True)
class Terms:
    """The risk of an answer f per pixel and channel, and the mask (1, 1, H, W) of pixels where it is valid.

    `misfit` = (f - y)^2, `cross` estimates Var[y|x] df/dy, `variance` = Var[y|x]; all (1, C, H, W).
    `responses` are what the cross term was measured from, where it was.
    """

    misfit: Tensor
    cross: Tensor
    variance: Tensor
    valid: Tensor
    responses: tuple[Response, ...] = ()

    def of_variance(self, variance: Tensor) -> Terms:
        """Return the terms for another variance, (1, C, H, W); where the old one was 0, no response is known."""
        factor = (variance / self.variance.clamp_min(1e-12)).clamp(max=MOST_RESCALED)
        responses = tuple(Response(factor * r.probe, r.moved) for r in self.responses)
        return replace(self, cross=factor * self.cross, variance=variance, responses=responses)

    @property
    def sure(self) -> Tensor:
        """Stein: misfit + 2 cross - variance. Unbiased for any f, but shifted by any error of the variance."""
        return self.misfit + 2 * self.cross - self.variance


def risk_terms(answer: Tensor, draws: Sequence[tuple[Recorruption, Tensor]]) -> Terms:
    """Return the risk per pixel of `answer`.

    Parameters
    ----------
    answer : Tensor
        The mean of the outputs below, or the same black box at y itself; (1, C, H, W).
    draws : sequence of (Recorruption, Tensor)
        Each recorruption with the output f(yhat) of the black box.
    """
    responses = tuple(draw.response(output, len(draws)) for draw, output in draws)
    first = draws[0][0]
    return terms_of(answer, responses, first, first.kernel)


def terms_of(
    answer: Tensor, responses: tuple[Response, ...], data: Problem | Recorruption, variance: Tensor
) -> Terms:
    """Return the risk per pixel of `answer` to `data.y`, from how it moved."""
    cross = sum((r.probe * r.moved for r in responses), torch.zeros_like(answer))
    return Terms((answer - data.y).square(), cross, variance, data.mask, responses)
