"""The error of a formula from parts of a large picture: the answer is not made a second time."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from statistics import stdev

import torch
from torch import Tensor
from torch.nn import functional as F

from untaught.method import ClosedForm
from untaught.methods.parallel import each
from untaught.pipeline.plane.candidate import Candidate
from untaught.pipeline.plane.judge import clean_risk, judge, shrinkage_of
from untaught.problem import Estimate, Problem, Window, part_of
from untaught.risk.estimate import Risk, together
from untaught.risk.sure import divergence_draws, risk_terms

SIDE = 96  # pixels of a part: less of it is near its edge than is inside
PARTS = 4
WORTH = 3.0  # times the pixels of all parts, from which on they save something


def judge_parts(candidate: Candidate, problem: Problem, seed: int) -> Candidate:
    """Return a candidate with the mean risk of parts of the picture, restored alone; of a small one as `judge`.

    The parts are of all degrees of contrast. As they differ in risk, so may the whole from their mean.
    """
    method, (height, width) = candidate.method, problem.y.shape[2:]
    few = height * width < WORTH * PARTS * SIDE**2 or min(height, width) < SIDE
    if few or candidate.interrupted or not isinstance(method, ClosedForm) or problem.noise.replaces:
        return judge(candidate, problem, seed)
    started = time.monotonic()

    def judged_part(numbered: tuple[int, Window]) -> Risk:
        number, window = numbered
        part = part_of(problem, window)
        image = method.solve(part, seed).image
        draws = divergence_draws(part, image, seed + number, most=1)
        terms = risk_terms(image, [(draw, method.solve(part.with_y(draw.yhat), seed).image) for draw in draws])
        return clean_risk(shrinkage_of(candidate), part, image, terms)

    risks = list(each(judged_part, enumerate(_windows(problem.y))))
    chance, mean = stdev(risk.value for risk in risks) / math.sqrt(len(risks)), together(risks)
    risk = replace(mean, error=math.hypot(mean.error, chance))
    judged = Estimate(candidate.picture, candidate.judged.std)
    seconds = candidate.seconds + time.monotonic() - started
    return replace(candidate, judged=judged, risk=risk, seconds=seconds)


def _windows(y: Tensor) -> list[Window]:
    """Return squares whose contrast is at evenly spaced ranks among all."""
    mean = F.avg_pool2d(y, SIDE)
    contrast = (F.avg_pool2d(y.square(), SIDE) - mean.square()).mean(1).flatten()
    order, across = torch.argsort(contrast, stable=True), mean.shape[3]
    places = [int(order[(2 * k + 1) * len(order) // (2 * PARTS)]) for k in range(PARTS)]
    corners = [(SIDE * (place // across), SIDE * (place % across)) for place in places]
    whole = slice(None)
    return [(whole, whole, slice(top, top + SIDE), slice(left, left + SIDE)) for top, left in corners]
