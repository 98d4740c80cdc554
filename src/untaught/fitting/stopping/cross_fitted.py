"""Recorrupted validation for methods whose every pixel is drawn by a network that has not seen it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from untaught.fitting.stopping.rule import Watch, not_drawn
from untaught.noise import NoiseModel
from untaught.operators import Operator
from untaught.problem import Problem
from untaught.risk.sure import Recorruption


class _CrossFitted(Watch):
    quadratic: ClassVar[bool] = True

    def __init__(self, problem: Problem, rule: CrossFitted, seed: int):
        self.recorruption = Recorruption.draw(problem, seed, rule.alpha)
        super().__init__(problem, rule.patience, "recorrupted risk of the cross-fitted pictures")

    def score(self, step: int, estimate: Tensor) -> float:
        return self.recorruption.risk(estimate)


@dataclass(frozen=True)
class CrossFitted:
    """Recorrupted validation for methods that draw no pixel by a network that was fitted to it.

    The risk of `risk.sure.Recorruption` at the draw from the fit's own seed, which is the first that
    `methods.self_supervised.r2r.R2R` trains on: a hold-out in space, which sees over-fitting to n; one in z alone
    could not.
    """

    name: ClassVar[str] = "cross-fitted"
    alpha: float = 0.5
    patience: int = 200
    every: int = 20

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _CrossFitted(problem, self, seed)

    def objection(self, noise: NoiseModel, operator: Operator | None) -> str | None:
        """See `Demanding`."""
        if operator is not None:
            return f"it needs the picture itself to be measured, and {operator.name} measures something else"
        return not_drawn(noise)
