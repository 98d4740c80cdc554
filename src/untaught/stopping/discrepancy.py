"""The discrepancy principle, which needs the noise level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from untaught.methods.base import Problem
from untaught.risk import smoothed
from untaught.stopping.base import Verdict, Watch


class _Discrepancy(Watch):
    def __init__(self, problem: Problem, rule: Discrepancy):
        super().__init__(problem, unit="misfit")
        variance = problem.noise.variance_at_mean(smoothed(problem)) * problem.mask
        channels = problem.y.shape[1]
        self.measured = max(float(problem.mask.sum()) * channels, 1.0)
        # A rule this old stands or falls with the level; a level of zero would never let it fire.
        self.target = rule.factor * max(float(variance.sum()) / self.measured, 1e-12)

    def score(self, step: int, estimate: Tensor) -> float:
        misfit = ((estimate - self.problem.y) * self.problem.mask).square().sum()
        return float(misfit) / self.measured

    def update(self, step: int, estimate: Tensor) -> Verdict:
        score = self.score(step, estimate)
        if score <= self.target:
            return Verdict(score, best=True, stop=True, reason=self.fired(score))
        return Verdict(score)

    def fired(self, score: float) -> str:
        return f"the mean squared misfit {score:.3g} came down to the noise variance {self.target:.3g}"


@dataclass(frozen=True)
class Discrepancy:
    """Morozov's principle: stop as soon as the misfit is what the noise alone would leave.

        (1/N) || f - y ||^2 <= factor * sigma^2

    Source: Morozov 1966; factor 1 is the principle itself.
    """

    name: ClassVar[str] = "discrepancy"
    factor: float = 1.0
    every: int = 1

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _Discrepancy(problem, self)
