"""Rules that keep something back from the fit and judge it there: pixels, a recorruption, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.fitting.stopping.rule import Watch
from untaught.methods.non_local.single_scale import denoise_nonlocal
from untaught.problem import Estimate, Problem, smoothed
from untaught.risk.sure import Recorruption, Terms


def _piloted(problem: Problem, seen: Problem, variance: Tensor) -> Problem:
    """Give `seen` a pilot of its own where `problem` has one: one made from y would leak what is kept back."""
    if problem.pilot is None:
        return seen
    if problem.remake is not None:
        return replace(seen, pilot=problem.remake(seen))
    return replace(seen, pilot=(problem.guide or denoise_nonlocal)(seen.y, variance))


class _HeldOut(Watch):
    def __init__(self, problem: Problem, rule: HeldOut, seed: int):
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.rand(problem.mask.shape, generator=generator).to(problem.mask.device)
        self.held = problem.mask * (drawn < rule.fraction)
        self.full = problem
        seen = replace(problem, mask=problem.mask - self.held)
        filling = smoothed(seen)
        seen = seen.with_y(torch.where(self.held.bool(), filling, problem.y))
        variance = problem.noise.variance_at_mean(filling)
        super().__init__(_piloted(problem, seen, variance), rule.patience, "error on held-out pixels")
        self.count = float(self.held.expand_as(problem.y).sum())
        if not self.count:
            raise InputError(
                "no pixel could be held out to decide when to stop; give a larger picture or another stopping rule"
            )

    def score(self, step: int, estimate: Tensor) -> float:
        return float(((self.full.measured(estimate) - self.full.y) * self.held).square().sum()) / self.count

    def terms(self, answer: Estimate) -> Terms:
        image, noise = self.full.measured(answer.image), self.full.noise
        # Impulses are among the missing pixels, so what was measured, and held out, is clean.
        variance = torch.zeros_like(image) if noise.kind == "impulse" else noise.variance_at_mean(image)
        # A pixel that the fit has not seen has no influence on its own prediction, so the cross term is zero.
        return Terms((image - self.full.y).square(), torch.zeros_like(image), variance, self.held)


@dataclass(frozen=True)
class HeldOut:
    """Hide a few measurements from the fit and stop where they are predicted best.

        (1/|H|) sum_{i in H} ((A f)_i - y_i)^2 = risk of A f on H + sigma^2, if the noise is independent

    Source: cross-validation as in Batson and Royer, "Noise2Self", ICML 2019, for a fit instead of a filter.
    """

    name: ClassVar[str] = "held-out"
    fraction: float = 0.05
    patience: int = 200
    every: int = 5

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _HeldOut(problem, self, seed)


class RecorruptedWatch(Watch):
    """Keeps the recorruption back, and takes its risk for the score."""

    def __init__(self, problem: Problem, rule: Recorrupted, seed: int):
        self.recorruption = Recorruption.draw(problem, seed, rule.alpha)
        variance = (1 + rule.alpha**2) * self.recorruption.variance
        super().__init__(
            _piloted(problem, problem.with_y(self.recorruption.yhat), variance),
            rule.patience,
            "recorrupted estimate of the mean squared error",
            rule.margin,
        )

    def score(self, step: int, estimate: Tensor) -> float:
        """See `Watch`."""
        return self.recorruption.risk(self.problem.measured(estimate))

    def terms(self, answer: Estimate) -> Terms:
        """See `Watch`."""
        return self.recorruption.terms(self.problem.measured(answer.image))


@dataclass(frozen=True)
class Recorrupted:
    """Recorrupted validation: fit to yhat = y + alpha z alone, watch the true error up to a constant.

        (1/N) || f(yhat) - (y - z/alpha) ||^2
            = (1/N) || f(yhat) - x ||^2 + sigma^2 (1 + 1/alpha^2) + fluctuation

    used in the low-variance form of `risk.Recorruption`. Holds for any black box, because the noises of the
    two recorruptions are independent (Pang et al., "Recorrupted-to-Recorrupted", CVPR 2021, theorem 1).

    With a linear operator, A f stands for f and A x for x: what is watched is the error of the prediction of the
    measurements, not of the picture; what A does not see has no part in it.
    """

    name: ClassVar[str] = "recorrupted"
    alpha: float = 0.25
    patience: int = 100
    every: int = 5
    margin: float = 0.01  # 0.04 dB in `patience` steps are not worth their time

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return RecorruptedWatch(problem, self, seed)


class _CrossFitted(Watch):
    def __init__(self, problem: Problem, rule: CrossFitted, seed: int):
        self.recorruption = Recorruption.draw(problem, seed, rule.alpha)
        super().__init__(problem, rule.patience, "recorrupted risk of the cross-fitted pictures")

    def score(self, step: int, estimate: Tensor) -> float:
        return self.recorruption.risk(estimate)


@dataclass(frozen=True)
class CrossFitted:
    """Recorrupted validation for methods that draw no pixel by a network that was fitted to it.

    The risk of `risk.Recorruption` at the draw from the fit's own seed, which is the first that
    `methods.r2r.R2R` trains on: a hold-out in space, which sees over-fitting to n; one in z alone could not.
    """

    name: ClassVar[str] = "cross-fitted"
    alpha: float = 0.5
    patience: int = 200
    every: int = 20

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _CrossFitted(problem, self, seed)
