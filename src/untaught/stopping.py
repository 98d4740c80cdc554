"""Stopping rules: when to end a fit, which iterate to keep, and the sentence that says why.

A rule is a few numbers. `rule.watch(problem, seed)` starts it on a problem and returns a `Watch`: what the fit
may see (some rules keep something back), and the judge of every estimate. A rule that fires ends the loop.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.methods.base import Estimate, Problem
from untaught.risk import Recorruption, risk_terms


@dataclass(frozen=True)
class Verdict:
    """What a watch says of one estimate. `reason` is set when `stop` is."""

    score: float
    best: bool = False
    stop: bool = False
    reason: str = ""


class Watch:
    """A rule at work: remembers the best score, and stops when `patience` steps brought no better one."""

    def __init__(self, problem: Problem, patience: float = math.inf, unit: str = ""):
        self.problem = problem
        self.patience = patience
        self.unit = unit
        self.best_score = math.inf
        self.best_step = 0

    def score(self, step: int, estimate: Tensor) -> float:
        """Return the number to be made small; NaN as long as there is none."""
        raise NotImplementedError

    def update(self, step: int, estimate: Tensor) -> Verdict:
        """Judge the estimate after `step` steps."""
        score = self.score(step, estimate)
        if math.isnan(score):
            return Verdict(score)
        if score < self.best_score:
            self.best_score, self.best_step = score, step
            return Verdict(score, best=True)
        if step - self.best_step >= self.patience:
            return Verdict(score, stop=True, reason=self.reason())
        return Verdict(score)

    def reason(self) -> str:
        """Say in one sentence why the fit ended."""
        return (
            f"the {self.unit} was lowest at step {self.best_step} "
            f"and did not fall again in {self.patience:.0f} steps"
        )

    def terms(self, answer: Estimate) -> tuple[Tensor, Tensor] | None:
        """Return the risk per pixel of the answer and the mask of pixels where it is honest, if the rule can."""
        return None

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint has to hold."""
        return {"best_score": self.best_score, "best_step": self.best_step}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go back to what `state_dict` returned."""
        self.best_score, self.best_step = saved["best_score"], saved["best_step"]


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


class _Windowed(Watch):
    def __init__(self, problem: Problem, rule: WindowedVariance):
        super().__init__(problem, rule.patience, "windowed moving variance of the iterates")
        self.window: deque[Tensor] = deque(maxlen=rule.window)

    def score(self, step: int, estimate: Tensor) -> float:
        self.window.append(estimate.detach().to(torch.float16))
        if len(self.window) < (self.window.maxlen or 0):
            return math.nan
        mean = torch.zeros_like(estimate)
        square = torch.zeros_like(estimate)
        for kept in self.window:
            mean += kept
        mean /= len(self.window)
        for kept in self.window:
            square += (kept - mean).square_()
        return float(square.mean() / len(self.window))

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "window": list(self.window)}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        super().load_state_dict(saved)
        self.window.clear()
        self.window.extend(saved["window"])


@dataclass(frozen=True)
class WindowedVariance:
    """ES-WMV: stop at the minimum of the variance of the last `window` looks. Needs nothing known of the noise.

        WMV(t) = 1/W sum_{w<W} || x^{t-w} - 1/W sum_i x^{t-i} ||^2

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


class _Exponential(Watch):
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


class _Discrepancy(Watch):
    def __init__(self, problem: Problem, rule: Discrepancy):
        super().__init__(problem, unit="misfit")
        variance = problem.noise.variance(problem.y) * problem.mask
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


class _HeldOut(Watch):
    def __init__(self, problem: Problem, rule: HeldOut, seed: int):
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.rand(problem.mask.shape, generator=generator).to(problem.mask.device)
        self.held = problem.mask * (drawn < rule.fraction)
        self.full = problem
        super().__init__(
            replace(problem, mask=problem.mask - self.held),
            rule.patience,
            "error on held-out pixels",
        )
        self.count = float(self.held.sum()) * problem.y.shape[1]
        if not self.count:
            raise InputError(
                "no pixel could be held out to decide when to stop; give a larger picture or another stopping rule"
            )

    def score(self, step: int, estimate: Tensor) -> float:
        return float(((estimate - self.full.y) * self.held).square().sum()) / self.count

    def terms(self, answer: Estimate) -> tuple[Tensor, Tensor]:
        # Impulses are among the missing pixels, so what was measured, and held out, is clean.
        noise = self.full.noise
        variance = noise.variance(answer.image) if noise.kind != "impulse" else 0.0
        return (answer.image - self.full.y).square() - variance, self.held


@dataclass(frozen=True)
class HeldOut:
    """Hide a few pixels from the fit and stop where they are predicted best.

        (1/|H|) sum_{i in H} (f_i - y_i)^2 = risk on H + sigma^2, if the noise is independent between pixels

    Source: cross-validation as in Batson and Royer, "Noise2Self", ICML 2019, for a fit instead of a filter.
    """

    name: ClassVar[str] = "held-out"
    fraction: float = 0.05
    patience: int = 200
    every: int = 5

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _HeldOut(problem, self, seed)


class _Recorrupted(Watch):
    def __init__(self, problem: Problem, rule: Recorrupted, seed: int):
        self.recorruption = Recorruption.draw(problem, seed, rule.alpha)
        super().__init__(
            problem.with_y(self.recorruption.yhat),
            rule.patience,
            "recorrupted estimate of the mean squared error",
        )

    def score(self, step: int, estimate: Tensor) -> float:
        return self.recorruption.risk(estimate)

    def terms(self, answer: Estimate) -> tuple[Tensor, Tensor]:
        return self.recorruption.terms(answer.image), self.recorruption.mask


@dataclass(frozen=True)
class Recorrupted:
    """Recorrupted validation: fit to yhat = y + alpha z alone, watch the true error up to a constant.

        (1/N) || f(yhat) - (y - z/alpha) ||^2 = (1/N) || f(yhat) - x ||^2 + sigma^2 (1 + 1/alpha^2) + fluctuation

    used in the low-variance form of `risk.Recorruption`. Holds for any black box, because the noises of the
    two recorruptions are independent (Pang et al., "Recorrupted-to-Recorrupted", CVPR 2021, theorem 1).
    """

    name: ClassVar[str] = "recorrupted"
    alpha: float = 0.5
    patience: int = 150
    every: int = 5

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _Recorrupted(problem, self, seed)


class _Blocks(Watch):
    def __init__(self, problem: Problem, rule: RecorruptedBlocks, seed: int):
        self.full, self.seed, self.alpha = problem, seed, rule.alpha
        self.held = problem.mask * blocks(problem.mask, rule.fraction, rule.size, seed)
        self.recorruption = replace(Recorruption.draw(problem, seed, rule.alpha), mask=self.held)
        super().__init__(
            replace(problem, mask=problem.mask - self.held),
            rule.patience,
            "recorrupted risk on held-out blocks",
        )

    def score(self, step: int, estimate: Tensor) -> float:
        return self.recorruption.risk(estimate)

    def terms(self, answer: Estimate) -> tuple[Tensor, Tensor]:
        draws = [
            (Recorruption.draw(self.full, self.seed + k, self.alpha), output)
            for k, output in enumerate(answer.outputs)
        ]
        return risk_terms(answer.image, draws), self.held


def blocks(mask: Tensor, fraction: float, size: int, seed: int) -> Tensor:
    """Return 1 on randomly placed grid blocks covering about `fraction` of (1, 1, H, W), at least one of them."""
    height, width = mask.shape[-2:]
    rows, columns = -(-height // size), -(-width // size)
    order = torch.randperm(rows * columns, generator=torch.Generator().manual_seed(seed))
    grid = torch.zeros(rows * columns)
    grid[order[: max(1, round(fraction * rows * columns))]] = 1
    full = grid.view(1, 1, rows, columns).repeat_interleave(size, 2).repeat_interleave(size, 3)
    return full[..., :height, :width].to(mask.device)


@dataclass(frozen=True)
class RecorruptedBlocks:
    """Recorrupted validation in space, for methods that train on recorruptions of all of y themselves.

    Square blocks are kept out of the loss, and the risk of `risk.Recorruption` is watched on them, at the
    recorruption drawn from the fit's own seed, which is the first that `methods.r2r.R2R` draws. A hold-out in z
    alone cannot see over-fitting to n; one in space can.
    """

    name: ClassVar[str] = "recorrupted-blocks"
    alpha: float = 0.5
    fraction: float = 0.08
    size: int = 16
    patience: int = 200
    every: int = 20

    def watch(self, problem: Problem, seed: int) -> Watch:
        """See `Rule`."""
        return _Blocks(problem, self, seed)


RULES: dict[str, type[Any]] = {
    rule.name: rule
    for rule in (
        StepBudget,
        WindowedVariance,
        ExponentialVariance,
        Discrepancy,
        HeldOut,
        Recorrupted,
        RecorruptedBlocks,
    )
}
