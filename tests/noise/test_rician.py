"""Magnitudes: their moments, and Stein's identity for them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.special import i0e

from tests.conftest import clean, psnr
from untaught import Image, denoise
from untaught.noise import Rician
from untaught.noise.models.magnitude import NORMAL, mean_of, variance_of

SIGMA, OFFSET, DRAWS = 0.1, -0.05, 300_000


def test_the_moments_are_those_of_rayleigh_without_signal_and_normal_with_much() -> None:
    law = Rician(SIGMA, OFFSET)
    x = np.array([OFFSET - 1, OFFSET, OFFSET + 50 * SIGMA, 1e6])
    none = OFFSET + SIGMA * np.sqrt(np.pi / 2)
    np.testing.assert_allclose(law.mean(x), [none, none, x[2] + SIGMA / 100, 1e6], rtol=1e-6)
    np.testing.assert_allclose(law.variance(x) / SIGMA**2, [2 - np.pi / 2] * 2 + [1, 1], rtol=1e-3)
    square = (law.mean(x[:3]) - OFFSET) ** 2 + law.variance(x[:3])
    np.testing.assert_allclose(square, np.maximum(x[:3] - OFFSET, 0) ** 2 + 2 * SIGMA**2)


def test_without_noise_it_changes_nothing() -> None:
    law, x = Rician(0.0), np.array([0.0, 0.3, 1.0])
    for found in (law.mean(x), law.unclip(x), law.sample(x, np.random.default_rng(0))):
        np.testing.assert_allclose(found, x, atol=1e-8)
    np.testing.assert_array_equal(law.variance(x), 0)


def test_the_mean_is_undone_to_the_offset_and_no_further() -> None:
    law = Rician(SIGMA, OFFSET)
    x = np.linspace(OFFSET, 30.0, 4001)
    np.testing.assert_allclose(law.unclip(law.mean(x)), x, atol=1e-4 * SIGMA)
    assert law.unclip(np.array(OFFSET)) == pytest.approx(OFFSET)


def test_the_variance_goes_on_along_a_line_below_all_means() -> None:
    """An estimate errs both ways; were it held to what can be a mean, the variance would come out too large."""
    law = Rician(SIGMA)
    m = law.mean(np.array(0.0)) + SIGMA * np.array([-0.1, 0.0, 0.1])
    low, middle, high = law.variance_at_mean(m)
    assert middle == pytest.approx((2 - np.pi / 2) * SIGMA**2, rel=1e-4)
    assert middle - low == pytest.approx(high - middle, rel=0.1)
    x = np.linspace(0, 2, 50)
    np.testing.assert_allclose(law.variance_at_mean(law.mean(x)), law.variance(x), rtol=1e-3)


@pytest.mark.parametrize("signal", [0.0, 0.5, 1.5, 4.0, NORMAL - 0.01, NORMAL + 0.01])
@pytest.mark.parametrize("power", [1, 2, 3])
def test_steins_identity_holds(signal: float, power: int) -> None:
    """E (y - m) g(y) = E tau(y) g'(y), for g(y) = y: the mean of tau is the variance."""
    law = Rician(SIGMA, OFFSET)
    x = np.full(DRAWS, OFFSET + signal * SIGMA)
    y = law.sample(x, np.random.default_rng(1))
    mean = law.mean(x)
    tau = law.stein_kernel(torch.from_numpy(y), torch.from_numpy(mean)).numpy()
    away = (y - OFFSET) / SIGMA
    products = (y - mean) / SIGMA * away**power
    found = (tau / SIGMA**2 * power * away ** (power - 1)).mean()
    assert found == pytest.approx(products.mean(), abs=5 * products.std() / DRAWS**0.5)
    assert tau.min() >= 0


def test_the_kernel_has_the_variance_for_its_mean_whatever_the_signal() -> None:
    t = np.linspace(0, 2 * NORMAL, 41)
    r = np.linspace(0, 40, 8001)
    for signal in t:
        density = r * np.exp(-((r - signal) ** 2) / 2) * i0e(r * signal)
        law = Rician(1.0)
        mean = torch.full((len(r),), float(mean_of(np.array(signal))), dtype=torch.float64)
        tau = law.stein_kernel(torch.from_numpy(r), mean).numpy()
        assert (tau * density).sum() / density.sum() == pytest.approx(
            float(variance_of(np.array(signal))), rel=2e-3
        )


def test_magnitudes_are_restored_and_their_bias_undone() -> None:
    x = np.maximum(clean(64, 64) - 0.3, 0)
    y = Rician(SIGMA).sample(x, np.random.default_rng(0))
    result = denoise(y, method="nonlocal", noise="rician:25.5")
    assert psnr(result.image, x) > psnr(y, x) + 5
    assert any("magnitudes" in note and "undone" in note for note in result.notes)
    assert result.psnr_input == pytest.approx(psnr(y, x), abs=0.5)
    assert result.psnr is not None
    assert result.psnr.low < psnr(result.image, x) < result.psnr.high


def test_the_error_of_a_volume_is_told_where_most_of_it_is_empty() -> None:
    """Squared slopes had it up to 8 dB too large: where there is no signal the mean bends."""
    level = 0.1
    z, y, x = np.meshgrid(*(np.linspace(-1.2, 1.2, n) for n in (10, 56, 56)), indexing="ij")
    inside = (np.sqrt(x**2 + y**2 + 0.4 * z**2) < 0.9).astype(float)
    inside = gaussian_filter(inside, (0, 0.7, 0.7))  # a pixel of a scanner holds some of both
    volume = inside * (0.5 + 0.2 * np.sin(6 * x + 2 * z) * np.cos(5 * y))
    picture = Rician(level).sample(volume, np.random.default_rng(0)).astype(np.float32)
    found = denoise(Image.of(picture, "ZYX"), method="nonlocal", noise=Rician(level))
    told = [one.psnr for one in found.planes]
    true = [psnr(a, b) for a, b in zip(found.image, volume, strict=True)]
    off = [t.value - p for t, p in zip(told, true, strict=True) if t is not None]
    assert len(off) == 10
    assert abs(np.mean(off)) < 1.2
    assert np.mean([t.low <= p <= t.high for t, p in zip(told, true, strict=True) if t is not None]) >= 0.7
