"""A risk and its interval: what is added to it, what two together say, and in which units."""

from __future__ import annotations

import math

import pytest
import torch

from untaught.risk.clipping_weight import Weight
from untaught.risk.estimate import (
    LEAST_LEFT,
    TINY,
    Z90,
    Interval,
    Risk,
    Rmse,
    estimate_risk,
    rmse_of,
    spanning,
    to_interval,
    together,
)
from untaught.risk.sure import Terms
from untaught.risk.tweedie import UNUSED, Shrinkage

ONES = torch.ones(1, 1, 32, 32)


def test_what_is_certainly_more_moves_all_and_adds_its_error() -> None:
    assert Risk(1.0, 0.1).plus(0.5, 0.2) == Risk(1.5, pytest.approx(0.3))
    moved = Risk(1.0, 0.1, (0.5, 3.0)).plus(0.5, 0.2)
    assert moved.reach == (1.0, 3.5)
    assert (moved.value, moved.error) == (1.5, pytest.approx(0.3))


def test_what_is_perhaps_noise_widens_the_reach_to_both_sides() -> None:
    plain = Risk(1.0, 0.1).plus(0.0, 0.0, perhaps=0.3)
    assert (plain.value, plain.error) == (1.0, 0.1)
    assert plain.reach == pytest.approx((1 - 0.1 * Z90 - 0.3, 1 + 0.1 * Z90 + 0.3))
    wide = Risk(1.0, 0.1, (0.7, 3.0)).plus(0.5, 0.0, perhaps=0.2)
    assert wide.reach == pytest.approx((1.2 - 0.2, 3.5 + 0.2))
    narrow = Risk(1.0, 0.4, (0.9, 1.1)).plus(0.0, 0.0, perhaps=0.1)
    assert narrow.reach == pytest.approx((1 - 0.4 * Z90 - 0.1, 1 + 0.4 * Z90 + 0.1))
    much = Risk(1.0, 0.1).plus(0.0, 0.0, perhaps=5.0)
    assert much.reach is not None
    assert much.reach[0] == pytest.approx(0.2)  # a fifth of the error is left, whatever there may be


def test_other_units_scale_all_of_it() -> None:
    assert Risk(1.0, 0.1).scaled(4.0) == Risk(4.0, 0.4)
    assert Risk(1.0, 0.1, (0.5, 2.0)).scaled(4.0) == Risk(4.0, 0.4, (2.0, 8.0))


def test_both_formulas_are_weighed_by_their_errors() -> None:
    """With errors that do not depend on one another: 1 / e^2 each, and together less than either."""
    terms = Terms(0.010 * ONES, 0.005 * ONES, 0.0155 * ONES, ONES)  # Stein: .0045, Tweedie: .005
    level, own = 0.1 * 0.0155, math.hypot(0.2, 0.1) * 0.005
    stein, tweedie = level**-2, own**-2
    found = estimate_risk(terms, ONES, 0.1, 0.2)
    assert found.value == pytest.approx((stein * 0.0045 + tweedie * 0.005) / (stein + tweedie), rel=1e-4)
    assert found.error == pytest.approx((stein + tweedie) ** -0.5, rel=1e-4)
    alone = estimate_risk(terms, ONES, 0.1, UNUSED)
    assert (alone.value, alone.error) == (pytest.approx(0.0045, rel=1e-4), pytest.approx(level, rel=1e-3))


def test_where_the_formula_follows_the_level_errors_of_both_add_up() -> None:
    terms = Terms(0.010 * ONES, 0.005 * ONES, 0.015 * ONES, ONES)  # .005 by both
    level = 0.1 * 0.015
    found = estimate_risk(terms, ONES, 0.1, Shrinkage(0.0, follows=1.0))
    own = 0.1 * 0.005
    stein, tweedie = level**-2, 1 / (own**2 + level**2)
    a, b = stein / (stein + tweedie), tweedie / (stein + tweedie)
    assert found.error == pytest.approx(math.hypot(b * own, a * level + b * level), rel=1e-4)


def test_the_tilt_of_a_weight_counts_by_the_share_the_answer_has_kept() -> None:
    sure, tau, tilt = 0.02 * ONES, 0.01 * ONES, 0.5 * ONES
    for kept, counts in ((0.25, 0.5 / 0.75), (0.0, 1.0), (-0.2, 1.0), (0.5, 0.0), (0.9, 0.0)):
        cross = kept * tau
        found = Weight(2 * ONES, tilt).of(sure, cross, tau)
        assert torch.allclose(found, 2 * sure + counts * tilt * cross, atol=1e-7)


def test_no_gain_of_more_than_can_be_told_is_stated() -> None:
    variance = 1e-2
    top = -10 * math.log10(LEAST_LEFT * variance)
    told = to_interval(Risk(1e-9, 1e-9), variance, "white noise")
    assert (told.value, told.high) == (pytest.approx(top), pytest.approx(top))
    clean = to_interval(Risk(0.0, 0.0), 0.0, "no noise")
    assert clean.value == clean.low == clean.high == pytest.approx(-10 * math.log10(TINY)) == pytest.approx(100)
    assert to_interval(Risk(1e-3, 1e-4), variance, "white noise").assumes == "white noise"
    both = spanning(Risk(1e-9, 1e-10), Risk(1e-3, 1e-4), variance)
    assert both.reach is not None
    assert both.reach[0] == pytest.approx(LEAST_LEFT * variance)


def test_parts_count_by_their_shares() -> None:
    small, large = Risk(1.0, 0.1), Risk(5.0, 0.5, (4.0, 9.0))
    found = together([small, large], [1, 3])
    assert (found.value, found.error) == (pytest.approx(4.0), pytest.approx(0.4))
    assert found.reach == pytest.approx((0.25 + 3.0, 0.25 + 6.75))


def test_the_error_in_the_units_of_the_data() -> None:
    assert rmse_of(20.0, 255.0) == pytest.approx(25.5)
    found = Interval(40.0, 20.0, 60.0, "").rmse(1000.0)
    assert (found.value, found.low, found.high) == (pytest.approx(10), pytest.approx(1), pytest.approx(100))
    assert str(found) == "10 (1 to 100)"
    assert str(Rmse(1234.5, 999.4, 20000.0)) == "1234 (999 to 20000)"
    assert str(Rmse(999.7, 99.97, 1000.4)) == "1000 (100 to 1000)"
    assert str(Rmse(0.012345, 0.001, 1000.0)) == "0.0123 (0.001 to 1000)"
    assert found.as_dict() == {"rmse": found.value, "rmse_low": found.low, "rmse_high": found.high}


@pytest.mark.parametrize("times", [0.5, 1.5, 2.5, 4.2])
def test_formulas_that_disagree_widen_the_error_by_as_much(times: float) -> None:
    """By how many of their joint errors they are apart, from one on."""
    relative, own = 0.1, 0.2
    variance, cross = 0.0155, 0.005
    level, off = relative * variance, math.hypot(own, relative) * cross

    def joined(stein: float) -> Risk:
        terms = Terms((stein + variance - 2 * cross) * ONES, cross * ONES, variance * ONES, ONES)
        return estimate_risk(terms, ONES, relative, own)

    near, far = joined(cross - 1e-9), joined(cross - times * math.hypot(level, off))
    assert far.error / near.error == pytest.approx(max(1.0, times), rel=0.05)
