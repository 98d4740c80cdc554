"""The law of factor * y + shift, against the law of y."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untaught.noise import Correlated, Gaussian, Impulse, NoiseModel, PoissonGaussian, Speckle, Unknown

BOX = ((1.0,) * 3,) * 3
LAWS = [
    Gaussian(0.1, relative_error=0.03),
    Unknown(0.2),
    PoissonGaussian(0.03, 0.02),
    PoissonGaussian(0.03, 0.0, offset=-0.2),
    PoissonGaussian(0.0, 0.02, offset=-0.2),
    Speckle(0.3, offset=0.1),
    Impulse(0.2),
    Correlated(0.1, BOX, shades=((0.0, 1), (0.3, 3), (1.0, 2)), colours=((2.0, BOX), (1.0, BOX), (1.0, BOX))),
]
NAMES = [law.kind for law in LAWS]
X = np.linspace(0.0, 1.0, 12).reshape(2, 2, 3)
FACTORS, SHIFTS = st.floats(0.01, 50), st.floats(-3, 3)
BOTH, LOW, HIGH, NONE = (True, True), (True, False), (False, True), (False, False)


def check(law: NoiseModel, factor: float, shift: float, rel: float = 1e-6) -> None:
    """Compare all that a law answers; `rel` in units of the factor."""
    moved = law.moved(factor, shift)
    z = factor * X + shift
    assert moved.relative_error == law.relative_error
    for name, power, offset in (("std", 1, 0), ("variance", 2, 0), ("mean", 1, shift), ("unclip", 1, shift)):
        found, wanted = getattr(moved, name)(z), factor**power * getattr(law, name)(X) + offset
        np.testing.assert_allclose(found, wanted, atol=rel * factor**power, err_msg=name)
    drawn, wanted = (m.sample(v, np.random.default_rng(0)) for m, v in ((moved, z), (law, X)))
    np.testing.assert_allclose(drawn, factor * wanted + shift, atol=1e-9 * (1 + factor))


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
@settings(max_examples=25, deadline=None)
@given(factor=FACTORS, shift=SHIFTS)
def test_a_moved_law_is_that_of_moved_values(law: NoiseModel, factor: float, shift: float) -> None:
    check(law, factor, shift)


@pytest.mark.parametrize("law", LAWS, ids=NAMES)
@settings(max_examples=10, deadline=None)
@given(factor=FACTORS, shift=SHIFTS)
def test_moving_is_undone_by_moving_back(law: NoiseModel, factor: float, shift: float) -> None:
    there = law.moved(factor, shift)
    back = there.moved(1 / factor, -shift / factor)
    np.testing.assert_allclose(back.std(X), law.std(X), atol=1e-7)
    assert law.moved(1.0, 0.0) == law


@pytest.mark.parametrize(
    "law", [Gaussian(0.1), PoissonGaussian(0.002, 0.01), Speckle(0.2)], ids=lambda law: law.kind
)
@settings(max_examples=10, deadline=None)
@given(factor=st.floats(0.1, 2))
def test_cuts_that_stay_in_their_place_go_on_to_act(law: NoiseModel, factor: float) -> None:
    low, high = replace(law, clip=LOW), replace(law, clip=HIGH)
    assert low.moved(factor, 0.0).clip == LOW
    assert high.moved(factor, 1 - factor).clip == HIGH
    check(low, factor, 0.0, rel=1e-4)
    check(high, factor, 1 - factor, rel=1e-4)


def test_cuts_that_are_elsewhere_are_forgotten() -> None:
    law = Gaussian(0.1, clip=BOTH)
    assert law.moved(1.0, 0.0).clip == BOTH
    assert law.moved(1.0, 5e-7).clip == BOTH
    assert law.moved(1.0, 0.01).clip == NONE
    assert law.moved(0.5, 0.0).clip == LOW
    assert law.moved(0.5, 0.5).clip == HIGH
    assert PoissonGaussian(0.02, 0.0, clip=HIGH).moved(2.0, 0.0).clip == NONE


def test_few_counts_keep_their_moments_over_a_negative_offset() -> None:
    """A law cut at black, and the same moved: both by sums over counts."""
    law = PoissonGaussian(0.05, 0.01, offset=-0.1, clip=LOW)
    check(law, 0.5, 0.0, rel=2e-4)
    check(law, 3.0, 0.0, rel=2e-4)


@pytest.mark.parametrize(("factor", "shift"), [(0.0, 0.0), (-1.0, 0.0), (np.nan, 0.0), (1.0, np.inf)])
def test_only_positive_factors_are_taken(factor: float, shift: float) -> None:
    with pytest.raises(ValueError, match="positive factor"):
        Gaussian(0.1).moved(factor, shift)
