"""Tweedie's formula held against Stein's on planes that were restored together."""

from __future__ import annotations

import pytest
import torch

from untaught.risk.calibration import FEWEST, calibrated
from untaught.risk.estimate import estimate_risk
from untaught.risk.sure import Terms
from untaught.risk.tweedie import Shrinkage

VARIANCE = 0.01
ONES = torch.ones(1, 1, 64, 64)
METHOD = Shrinkage(0.4, factor=1.2)


def planes(risk: float, followed: float, count: int = 16, level: float = 1.0) -> list[Terms]:
    """Return terms of planes of this error, of which the divergence tells `followed`; in noise variances.

    `level` is the variance that is taken for that of the noise.
    """
    random = torch.Generator().manual_seed(0)
    found = []
    for _ in range(count):
        noise = VARIANCE**0.5 * torch.randn(ONES.shape, generator=random)
        off = (risk * VARIANCE) ** 0.5 * torch.randn(ONES.shape, generator=random)
        cross = followed * VARIANCE * (1 + torch.randn(ONES.shape, generator=random))
        misfit = (off - noise).square() - 2 * cross  # so that Stein's formula holds
        found.append(Terms(misfit, cross, torch.full_like(noise, level * VARIANCE), torch.ones_like(ONES)))
    return found


@pytest.mark.parametrize("followed", [0.02, 0.05, 0.12])
def test_many_planes_tell_by_how_much_the_formula_is_off(followed: float) -> None:
    terms = planes(0.05, followed)
    told = calibrated(METHOD, terms, 0.0)
    assert told.factor == pytest.approx(0.05 / followed, rel=0.3)
    assert told.error < METHOD.error
    off = [
        [abs(estimate_risk(one, ONES, 0.0, how).value / VARIANCE - 0.05) for one in terms]
        for how in (METHOD, told)
    ]
    assert sum(off[1]) < sum(off[0])


def test_a_level_that_is_not_known_tells_less_and_counts_once() -> None:
    terms = planes(0.05, 0.05, level=1.04)
    known, vague = (calibrated(METHOD, terms, error) for error in (0.0, 0.04))
    assert known.factor < vague.factor  # by Stein's formula alone there is less error than there is
    assert vague.follows < known.follows
    risk = estimate_risk(terms[0], ONES, 0.04, vague)
    assert abs(risk.value - 0.05 * VARIANCE) < 1.7 * risk.error
    apart = estimate_risk(terms[0], ONES, 0.04, Shrinkage(vague.error, factor=vague.factor))
    assert risk.error > apart.error  # both formulas have the level, and its error, in common


def test_few_planes_and_those_without_an_answer_tell_nothing() -> None:
    assert calibrated(METHOD, planes(0.05, 0.05, FEWEST - 1), 0.0) == METHOD
    assert calibrated(METHOD, planes(0.05, 0.0), 0.0) == METHOD
    assert calibrated(METHOD, planes(0.05, 0.02, level=2.0), 0.0) == METHOD


def test_both_formulas_are_joined_by_their_errors() -> None:
    """Written out for planes that fluctuate by a given error: Stein .06 +- .02 / 4, Tweedie .05 * .5 +- 40 %."""
    count, side = 16, 32
    checks = (-1.0) ** (torch.arange(side)[:, None] + torch.arange(side))
    shape = (1, 1, side, side)
    misfit = (0.06 + 0.64 * checks).expand(shape)
    flat = [torch.full(shape, value) for value in (0.05, 0.1)]
    terms = [Terms(misfit - 2 * flat[0] + flat[1], flat[0], flat[1], torch.ones(shape))] * count
    stein_error = 0.64 / side / count**0.5
    before, own = 0.05 * 0.5, 0.4 * 0.05 * 0.5
    a, b = stein_error**-2, own**-2
    risk = (a * 0.06 + b * before) / (a + b)
    told = calibrated(Shrinkage(0.4, factor=0.5), terms, 0.0)
    assert told.factor == pytest.approx(risk / 0.05, rel=1e-3)
    assert told.follows == pytest.approx(a / (a + b), rel=1e-3)
    assert told.error == pytest.approx(((a + b) ** -1 / risk**2 + 0.12**2) ** 0.5, rel=1e-3)


def test_as_many_planes_as_are_needed_tell_and_one_less_does_not() -> None:
    assert calibrated(METHOD, planes(0.05, 0.05, FEWEST - 1), 0.0) == METHOD
    assert calibrated(METHOD, planes(0.05, 0.05, FEWEST), 0.0) != METHOD
