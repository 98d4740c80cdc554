"""Rules that need nothing known: the variance of the iterates is least near the best of them."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from untaught.fitting.stopping.rule import Verdict, Watch
from untaught.problem import Problem


class _Moving(Watch):
    """Judges the outputs themselves: an average of them hardly moves, and is stillest long after its best."""

    def update(self, step: int, estimate: Tensor, output: Tensor | None = None) -> Verdict:
        return super().update(step, estimate if output is None else output)


class _Windowed(_Moving):
    def __init__(self, problem: Problem, rule: WindowedVariance):
        super().__init__(problem, rule.patience, "windowed moving variance of the iterates")
        self.window: deque[Tensor] = deque(maxlen=rule.window)
        # In double precision, sums over float16 values lose nothing that could build up.
        self.total = torch.zeros(problem.picture_shape, dtype=torch.float64, device=problem.y.device)
        self.squares = 0.0

    def score(self, step: int, estimate: Tensor) -> float:
        looks = self.window.maxlen or 0
        if len(self.window) == looks:
            self._count(self.window.popleft(), -1)
        self.window.append(estimate.detach().to(torch.float16))
        self._count(self.window[-1], 1)
        if len(self.window) < looks:
            return math.nan
        return max(self.squares / looks - float((self.total / looks).square().mean()), 0.0)

    def _count(self, estimate: Tensor, sign: int) -> None:
        values = estimate.double()
        self.total += sign * values
        self.squares += sign * float(values.square().mean())

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "window": list(self.window)}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        super().load_state_dict(saved)
        self.window.clear()
        self.total.zero_()
        self.squares = 0.0
        for kept in saved["window"]:
            self.window.append(kept)
            self._count(kept, 1)


@dataclass(frozen=True)
class WindowedVariance:
    """ES-WMV: stop at the minimum of the variance of the last `window` looks. Needs nothing known of the noise.

        WMV(t) = 1/W sum_{w<W} || x^{t-w} - 1/W sum_i x^{t-i} ||^2

    x^t is the output of step t, not an average of outputs: that is stillest long after the best step.

    Source: Wang, Li, Zhuang, Chen, Liang, Sun, "Early Stopping for Deep Image Prior", 2021, algorithm 1
    (W = 100, patience 1000 iterations there, at the original network's pace).
    """

    name: ClassVar[str] = "wmv"
    window: int = 100
    patience: int = 1000
    every: int = 1

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _Windowed(problem, self)


class _Exponential(_Moving):
    def __init__(self, problem: Problem, rule: ExponentialVariance):
        super().__init__(problem, rule.patience, "exponential moving variance of the iterates")
        self.rate = rule.rate
        self.mean: Tensor | None = None
        self.variance = 0.0
        self.looks = 0

    def score(self, step: int, estimate: Tensor) -> float:
        self.looks += 1
        if self.mean is None:
            self.mean = estimate.detach().clone()
            return math.nan
        difference = estimate.detach() - self.mean
        squared = float(difference.square().mean())
        self.variance = (1 - self.rate) * (self.variance + self.rate * squared)
        self.mean += self.rate * difference
        return self.variance if self.looks * self.rate > 3 else math.nan

    def state_dict(self) -> dict[str, Any]:
        own = {"mean": self.mean, "variance": self.variance, "looks": self.looks}
        return {**super().state_dict(), **own}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        super().load_state_dict(saved)
        self.mean, self.variance, self.looks = saved["mean"], saved["variance"], saved["looks"]


@dataclass(frozen=True)
class ExponentialVariance:
    """ES-EMV: the same with an exponential mean, one picture of memory instead of a window of them.

        EMV(t) = (1-a) ( EMV(t-1) + a || x^t - EMA(t-1) ||^2 ),  EMA(t) = (1-a) EMA(t-1) + a x^t

    Source: as `WindowedVariance`, section "ES-EMV" (a = 0.1 there).
    """

    name: ClassVar[str] = "emv"
    rate: float = 0.1
    patience: int = 1000
    every: int = 1

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _Exponential(problem, self)
