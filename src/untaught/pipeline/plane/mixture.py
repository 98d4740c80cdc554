"""Fits that were tried on one measurement, and how two of their pictures are made one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from untaught.fitting.progress import Fitted
from untaught.fitting.stopping import CrossFitted, HeldOut, Recorrupted, Rule
from untaught.method import Method
from untaught.problem import Estimate
from untaught.results.restoration import Candidate

QUADRATIC = (HeldOut.name, Recorrupted.name, CrossFitted.name)  # rules whose score is a mean of squares
LEAST = 0.05  # share of a mixture below which a picture is left out
EARLY = 200  # steps before which a network has drawn nothing but smears


@dataclass(frozen=True)
class Attempt:
    """A fit of one method, and the picture it made.

    `fitted.estimate` is of the same kind, but made without what the rule kept back: what can be judged by that.
    """

    method: Method
    rule: Rule
    fitted: Fitted
    picture: Tensor
    seconds: float
    pilot: str | None = None  # the method whose picture has a part in this one

    @property
    def cut_short(self) -> bool:
        """Whether it was ended from outside."""
        return self.fitted.interrupted or self.fitted.stopped.rule == "time limit"

    def candidate(self, note: str) -> Candidate:
        """Return the line of this fit in the table of what was tried."""
        return Candidate(self.method.name, None, self.seconds, note)


def inlaid(found: Attempt, first: Attempt, apart: Tensor) -> tuple[Attempt, float]:
    """Return the first picture with the network's in the wide holes, and its share, 0 if time was short."""
    if found.cut_short and found.fitted.stopped.step < EARLY:
        return replace(first, fitted=replace(first.fitted, interrupted=found.fitted.interrupted)), 0.0
    return replace(found, picture=torch.where(apart.bool(), found.picture, first.picture)), float(apart.mean())


def share_of(found: Attempt, first: Attempt) -> float:
    """Return the share of the network's picture in the mixture with the first one.

    The c of least score of p + c (f - p), from what the rule kept back of both: scores are squared errors, so
    three of them tell the parabola. Where nothing was kept back it is 1; or 0 where the fit was cut short before
    it came as near to the measurement as the first picture.
    """
    watch, f = found.fitted.watch, found.fitted.estimate.image
    p = watch.problem.pilot
    if p is None:
        return 1.0
    a, b, c = (watch.score(0, p + weight * (f - p)) for weight in (0.0, 0.5, 1.0))
    curvature = a - 2 * b + c
    if found.rule.name not in QUADRATIC or not curvature > 0:
        behind = found.cut_short and watch.problem.misfit(f) > watch.problem.misfit(p)
        return 0.0 if behind else 1.0
    share = min(max(0.25 * (3 * a - 4 * b + c) / curvature, 0.0), 1.0)
    return 0.0 if share < LEAST else 1.0 if share > 1 - LEAST else share


def mixed_pictures(found: Attempt, first: Attempt, share: float) -> tuple[Attempt, str]:
    """Return the mixture of two pictures, and what to say of it."""
    watch, f = found.fitted.watch, found.fitted.estimate.image
    if share == 1:
        return found, ""
    p = first.picture if watch.problem.pilot is None else watch.problem.pilot
    judged = replace(found.fitted, estimate=Estimate(p + share * (f - p)))
    if share == 0:
        more = f"; but {found.method.name} does not add to the picture of {first.method.name}"
        return replace(first, fitted=replace(judged, stopped=first.fitted.stopped)), more
    more = f"; with {1 - share:.0%} of the picture of {first.method.name} it predicts best what was kept back"
    return replace(found, fitted=judged, picture=first.picture + share * (found.picture - first.picture)), more
