"""Cross-validation: a few measurements are hidden from the fit, which is stopped where they are predicted best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.fitting.stopping.rule import Watch, not_linear
from untaught.noise import NoiseModel
from untaught.operators import Operator
from untaught.problem import Estimate, Problem, smoothed
from untaught.risk.sure import Terms


class _HeldOut(Watch):
    quadratic: ClassVar[bool] = True

    def __init__(self, problem: Problem, rule: HeldOut, seed: int):
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.rand(problem.mask.shape, generator=generator).to(problem.mask.device)
        self.held = problem.mask * (drawn < rule.fraction)
        self.full = problem
        seen = replace(problem, mask=problem.mask - self.held)
        filling = smoothed(seen)
        seen = seen.with_y(torch.where(self.held.bool(), filling, problem.y))
        variance = problem.noise.variance_at_mean(filling)
        super().__init__(problem.repiloted(seen, variance), rule.patience, "error on held-out pixels")
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
        variance = torch.zeros_like(image) if noise.replaces else noise.variance_at_mean(image)
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

    def objection(self, noise: NoiseModel, operator: Operator | None) -> str | None:
        """See `Demanding`."""
        return not_linear(operator)
