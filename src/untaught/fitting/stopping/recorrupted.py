"""Recorrupted validation: a part of the noise is kept back from the fit, and judges it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from untaught.fitting.stopping.rule import Watch, not_drawn, not_linear
from untaught.noise import NoiseModel
from untaught.operators import Operator
from untaught.problem import Estimate, Problem
from untaught.risk.sure import Recorruption, Terms


class RecorruptedWatch(Watch):
    """Keeps the recorruption back, and takes its risk for the score."""

    quadratic: ClassVar[bool] = True

    def __init__(self, problem: Problem, rule: Recorrupted, seed: int):
        self.recorruption = Recorruption.draw(problem, seed, rule.alpha)
        variance = (1 + rule.alpha**2) * self.recorruption.variance
        super().__init__(
            problem.repiloted(problem.with_y(self.recorruption.yhat), variance),
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

    used in the low-variance form of `risk.sure.Recorruption`. Holds for any black box, because the noises of the
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

    def objection(self, noise: NoiseModel, operator: Operator | None) -> str | None:
        """See `Demanding`."""
        return not_linear(operator) or not_drawn(noise)
