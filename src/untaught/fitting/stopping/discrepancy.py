"""The discrepancy principle, which needs the noise level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from untaught.fitting.stopping.rule import Verdict, Watch
from untaught.noise import NoiseModel
from untaught.operators import Operator
from untaught.problem import Problem, smoothed


class _Discrepancy(Watch):
    def __init__(self, problem: Problem, rule: Discrepancy):
        super().__init__(problem, unit="misfit")
        variance = problem.noise.variance_at_mean(smoothed(problem)) * problem.mask
        self.measured = max(float(problem.mask.expand_as(problem.y).sum()), 1.0)
        # A rule this old stands or falls with the level; a level of zero would never let it fire.
        self.target = rule.factor * max(float(variance.sum()) / self.measured, 1e-12)

    def score(self, step: int, estimate: Tensor) -> float:
        return float(self.problem.misfit(estimate))

    def update(self, step: int, estimate: Tensor, output: Tensor | None = None) -> Verdict:
        score = self.score(step, estimate)
        if score <= self.target:
            return Verdict(score, best=True, stop=True, reason=self.fired(score))
        return Verdict(score)

    def fired(self, score: float) -> str:
        return f"the mean squared misfit {score:.3g} came down to the noise variance {self.target:.3g}"


@dataclass(frozen=True)
class Discrepancy:
    """Morozov's principle: stop as soon as the misfit is what the noise alone would leave.

        (1/N) || A f - y ||^2 <= factor * sigma^2

    Source: Morozov 1966; factor 1 is the principle itself.
    """

    name: ClassVar[str] = "discrepancy"
    factor: float = 1.0
    every: int = 1

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _Discrepancy(problem, self)

    def objection(self, noise: NoiseModel, operator: Operator | None) -> str | None:
        """See `Demanding`."""
        return "it needs a noise level" if noise.leaves_clean else None
