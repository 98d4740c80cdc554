"""Where magnitudes hold no signal: told by what lies below the least mean, and taken for none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from untaught.noise import Gaussian, Rician
from untaught.risk.background import FEWEST, background, probability, signal_of
from untaught.risk.sure import Terms

SIGMA = 0.08


def estimate(signal: torch.Tensor, error: float, law: Rician) -> torch.Tensor:
    """Return means of signals in deviations of the noise, with an error of so many."""
    e = error * SIGMA * torch.randn(signal.shape, generator=torch.Generator().manual_seed(1))
    return law.mean(law.offset + SIGMA * signal) + e


def half_empty(side: int = 96) -> torch.Tensor:
    signal = torch.zeros(1, 1, side, side)
    signal[..., side // 2 :] = 4.0
    return signal


@pytest.mark.parametrize("offset", [0.0, 0.1])
def test_what_has_no_signal_has_none_in_the_answer_and_the_rest_stays(offset: float) -> None:
    law, signal = Rician(SIGMA, offset), half_empty()
    image, valid = estimate(signal, 0.1, law), torch.ones(1, 1, 96, 96)
    before, after = (x - offset for x in (law.unclip(image), signal_of(law, image, valid)))
    empty = signal == 0
    assert float(after[empty].square().mean()) < 0.2 * float(before[empty].square().mean())
    assert torch.equal(after[..., 52:], before[..., 52:])
    found = background(law, image, valid)
    assert found.none == pytest.approx(offset, abs=1e-6)
    assert found.error == pytest.approx((0.1 * SIGMA) ** 2, rel=0.05)


def test_weak_signals_are_kept() -> None:
    """As strong as the noise: their mean is 3 errors above that of none."""
    law, signal = Rician(SIGMA), half_empty()
    signal[..., 48:] = 1.0
    image = estimate(signal, 0.1, law)
    kept = signal_of(law, image, torch.ones(1, 1, 96, 96))[..., 50:].mean()
    assert float(kept) == pytest.approx(float(law.unclip(image)[..., 50:].mean()), rel=0.02)


def test_where_all_is_signal_nothing_changes() -> None:
    law = Rician(SIGMA)
    image = estimate(torch.full((1, 2, 40, 40), 3.0), 0.2, law)
    assert torch.equal(signal_of(law, image, torch.ones(1, 1, 40, 40)), law.unclip(image))
    plain = Gaussian(SIGMA, clip=(True, False))
    assert torch.equal(signal_of(plain, image, torch.ones(1, 1, 40, 40)), plain.unclip(image))


def test_channels_and_what_is_missing_are_told_apart() -> None:
    law = Rician(SIGMA)
    image = torch.cat([estimate(half_empty(), 0.1, law), estimate(torch.full((1, 1, 96, 96), 3.0), 0.1, law)], 1)
    valid = torch.ones(1, 1, 96, 96)
    valid[..., :20] = 0
    spoilt = image.clone()
    spoilt[..., :19] = -5.0  # further from what counts than the mean is wide
    found, other = background(law, image, valid), background(law, spoilt, valid)
    assert not found.probability[:, 1].any()
    assert torch.equal(found.probability[..., 20:], other.probability[..., 20:])
    assert found.error == other.error


def test_terms_are_left_where_there_is_signal() -> None:
    law = Rician(SIGMA)
    image, ones = estimate(half_empty(), 0.1, law), torch.ones(1, 1, 96, 96)
    left = background(law, image, ones).left_out(Terms(ones, ones, ones, ones)).valid
    assert float(left[..., 49:].mean()) == 1
    assert float(left[..., :47].mean()) < 0.05


def test_a_few_values_tell_nothing() -> None:
    above = np.r_[np.full(FEWEST - 1, -1.0), np.linspace(0, 3, 500)]
    assert not probability(above, np.ones(len(above), bool)).any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.floats(0.01, 100), st.floats(0.1, 0.9))
def test_it_is_a_probability_that_falls_and_knows_no_units(seed: int, unit: float, empty: float) -> None:
    random = np.random.default_rng(seed)
    count = round(4000 * empty)
    above = np.r_[random.normal(0, 1, count), random.uniform(0, 20, 4000 - count)]
    found = probability(above, np.ones(len(above), bool))
    order = np.argsort(above)
    assert found.min() >= 0
    assert found.max() == 1
    assert np.all(np.diff(found[order]) <= 1e-12)
    assert np.all(found[above <= 0] == 1)
    assert abs(found.sum() - count) < 0.25 * count + 60
    np.testing.assert_allclose(probability(unit * above, np.ones(len(above), bool)), found, atol=1e-9)
