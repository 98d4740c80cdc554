"""What a stopping rule is, and the budget that judges nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor

from untaught.noise import NoiseModel
from untaught.operators import Operator
from untaught.problem import Estimate, Problem
from untaught.risk.sure import Terms


@dataclass(frozen=True)
class Verdict:
    """What a watch says of one estimate. `reason` is set when `stop` is."""

    score: float
    best: bool = False
    stop: bool = False
    reason: str = ""


class Watch:
    """A rule at work: remembers the best score, and stops when `patience` steps brought no better one.

    With a `margin`, what is better by less than that share of the score is remembered, but not waited for.
    `quadratic` says that the score is a mean of squares, so that three of them tell that of every mixture.
    """

    quadratic: ClassVar[bool] = False

    def __init__(self, problem: Problem, patience: float = math.inf, unit: str = "", margin: float = 0.0):
        self.problem = problem
        self.patience = patience
        self.unit = unit
        self.margin = margin
        self.best_score = self.mark_score = math.inf
        self.best_step = self.mark_step = 0

    def score(self, step: int, estimate: Tensor) -> float:
        """Return the number to be made small; NaN as long as there is none."""
        raise NotImplementedError

    def update(self, step: int, estimate: Tensor, output: Tensor | None = None) -> Verdict:
        """Judge the estimate after `step` steps; `output` is the last step's picture where that is an average."""
        score = self.score(step, estimate)
        if math.isnan(score):
            return Verdict(score)
        best = score < self.best_score
        if best:
            self.best_score, self.best_step = score, step
        if math.isinf(self.mark_score) or score < self.mark_score - self.margin * abs(self.mark_score):
            self.mark_score, self.mark_step = score, step
        if step - self.mark_step >= self.patience:
            return Verdict(score, best, stop=True, reason=self.reason())
        return Verdict(score, best)

    def reason(self) -> str:
        """Say in one sentence why the fit ended."""
        fell = f"fell by less than {self.margin:.0%}" if self.margin else "did not fall again"
        return f"the {self.unit} was lowest at step {self.best_step} and {fell} in {self.patience:.0f} steps"

    def terms(self, answer: Estimate) -> Terms | None:
        """Return the risk per pixel of the answer, if what the rule kept back can tell it."""
        return None

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint has to hold."""
        return {
            "best_score": self.best_score,
            "best_step": self.best_step,
            "mark_score": self.mark_score,
            "mark_step": self.mark_step,
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go back to what `state_dict` returned."""
        self.best_score, self.best_step = saved["best_score"], saved["best_step"]
        self.mark_score, self.mark_step = saved["mark_score"], saved["mark_step"]


class Rule(Protocol):
    """What every stopping rule is."""

    name: ClassVar[str]

    @property
    def every(self) -> int:
        """Look at the estimate every so many steps."""
        ...

    def watch(self, problem: Problem, seed: int) -> Watch:
        """Start watching a fit of `problem`; `watch.problem` is what the fit may see."""
        ...


@runtime_checkable
class Demanding(Protocol):
    """A rule that cannot be used with every noise and every operator."""

    def objection(self, noise: NoiseModel, operator: Operator | None) -> str | None:
        """Say in a clause why the rule cannot be used with them, or None where it can."""
        ...


class _Never(Watch):
    def score(self, step: int, estimate: Tensor) -> float:
        return math.nan


@dataclass(frozen=True)
class StepBudget:
    """No judgement: the fit ends when the method's steps are spent, and the last iterate is the answer."""

    name: ClassVar[str] = "steps"
    every: int = 10

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _Never(problem, unit="step count")


def not_linear(operator: Operator | None) -> str | None:
    """Say why a rule that compares measurements cannot be used with an operator, or None."""
    if operator is None or operator.linear:
        return None
    return f"it needs measurements that are linear in the picture, and {operator.name} is not known to be"


def not_drawn(noise: NoiseModel) -> str | None:
    """Say why a rule that draws noise again cannot be used with a law, or None."""
    return None if noise.recorruptible and not noise.negligible else "it needs noise of a known law"
