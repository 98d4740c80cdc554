"""A law of noise that is held against the picture: silent where it fits, in words where it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage import data
from torch.nn import functional as F

from tests.conftest import clean, noisy, psnr, tensor
from untaught import denoise
from untaught.noise import Correlated, Gaussian, NoiseModel, PoissonGaussian, gaussian_kernel
from untaught.pipeline.plane.check_law import check_law
from untaught.problem import Problem
from untaught.risk.doubt import Doubt, Shade
from untaught.risk.sure import Terms

LEVEL = 0.06
SIZE = 160
RAMP = np.linspace(0.1, 0.9, SIZE, dtype=np.float32)[None, :, None] * np.ones((SIZE, 1, 1), np.float32)
COUNTS = PoissonGaussian(2 * LEVEL**2)  # as much as LEVEL in mid-grey


def checked(y: NDArray[np.floating], law: NoiseModel) -> Doubt | None:
    """Return what is doubtful for the 3 x 3 mean, whose divergence is 1/9."""
    data = tensor(y.astype(np.float32))
    answer = F.avg_pool2d(F.pad(data, (1, 1, 1, 1), mode="reflect"), 3, stride=1)
    variance = law.variance_at_mean(answer)
    mask = torch.ones(1, 1, *data.shape[2:])
    return check_law(
        Problem(data, mask, law), answer, Terms((answer - data).square(), variance / 9, variance, mask)
    )


def said(y: NDArray[np.floating], law: NoiseModel) -> str:
    found = checked(y, law)
    assert found is not None
    return found.describe(law)


def counted() -> NDArray[np.float32]:
    return COUNTS.sample(RAMP, np.random.default_rng(0))


def shared(width: float) -> NDArray[np.float64]:
    noise = gaussian_filter(np.random.default_rng(0).standard_normal(RAMP.shape), (width, width, 0))
    return RAMP + LEVEL * noise / noise.std()


def test_a_law_that_fits_is_not_doubted() -> None:
    assert checked(noisy(RAMP, LEVEL), Gaussian(LEVEL)) is None
    assert checked(counted(), COUNTS) is None


@pytest.mark.parametrize(("times", "words"), [(1.8, "is 1.8 times what"), (0.5, "shows 2 times the")])
def test_a_level_that_is_off_is_said_with_both_levels(times: float, words: str) -> None:
    law = Gaussian(times * LEVEL)
    found = checked(noisy(RAMP, LEVEL), law)
    assert found is not None
    assert found.shades[0].factor == pytest.approx(times**-2, rel=0.08)
    assert words in found.describe(law)
    assert f"levels of {255 * law.sigma:.1f} and 15." in found.describe(law)
    assert f"{255 * law.sigma:.1f}" not in found.describe(replace(law, sigma=1.0))  # levels are of the law's scale


def test_shades_that_are_off_to_both_sides_are_named() -> None:
    law = replace(COUNTS, gain=2.2 * LEVEL**2)
    assert "less noise in dark places and" not in said(noisy(RAMP, LEVEL), law)
    assert "more noise in dark places and less noise in bright places" in said(noisy(RAMP, LEVEL), law)
    assert "more noise in bright places and less noise in dark places" in said(counted(), Gaussian(LEVEL))


def test_a_pedestal_that_was_not_said_is_seen() -> None:
    assert "times what the picture shows" in said(counted() + 0.5, COUNTS)
    assert checked(counted() + 0.5, replace(COUNTS, offset=0.5)) is None


def test_noise_that_neighbours_share_is_told_from_a_level() -> None:
    assert said(shared(0.7), Gaussian(LEVEL)).startswith("neighbouring pixels share")
    assert "share" in said(shared(2), Gaussian(LEVEL))


def test_texture_is_not_taken_for_noise() -> None:
    texture = shared(0.8) + np.random.default_rng(1).normal(0, LEVEL / 4, RAMP.shape)
    assert checked(texture, Gaussian(LEVEL / 4)) is None


def test_a_level_that_was_measured_badly_is_within_its_error() -> None:
    y = noisy(RAMP, LEVEL)
    assert checked(y, Gaussian(1.3 * LEVEL, relative_error=0.2)) is None
    assert "that was found" in said(y, Gaussian(1.3 * LEVEL, relative_error=0.01))


def test_a_weak_level_that_was_measured_beside_strong_slow_waves_is_doubted() -> None:
    y = shared(0.8) + np.random.default_rng(1).normal(0, LEVEL / 4, RAMP.shape)
    assert "slow waves" in said(y, Gaussian(LEVEL / 4, relative_error=0.05))
    rounded = np.rint(255 * shared(1.4)) / 255
    assert "slow waves" in said(rounded, Gaussian(1.2 / 255, relative_error=0.05))


def test_what_tells_nothing_is_left_out() -> None:
    """Few photons, whose squares are no sum of many, cut values and small pictures."""
    rng = np.random.default_rng(0)
    assert checked(rng.poisson(np.full((96, 96, 1), 0.05)) * 0.1, PoissonGaussian(0.1)) is None
    cut = np.minimum(noisy(RAMP + 0.7, LEVEL), 1)
    assert checked(cut, Gaussian(LEVEL)) is None
    assert checked(noisy(RAMP[:20, :20], LEVEL), Gaussian(3 * LEVEL)) is None


def test_a_shade_in_the_middle_has_a_name() -> None:
    shades = tuple(Shade(k / 3, factor, 0.02) for k, factor in enumerate((1.0, 2.0, 1.0)))
    assert "more noise in middling places" in Doubt(shades).describe(Gaussian(0.1))
    factors = Doubt(shades).factor_at(torch.tensor([-1.0, 1 / 6, 1 / 3, 2.0]))
    assert torch.allclose(factors, torch.tensor([1.0, 1.5, 2.0, 1.0]))


@pytest.mark.parametrize(("given", "words"), [(25, "times what the picture shows"), (5, "2 times the noise")])
def test_the_interval_covers_both_laws(given: int, words: str) -> None:
    x = 0.2 + 0.6 * clean(96, 96)
    y = noisy(x, 10 / 255)
    result = denoise(y, method="wavelet", noise=f"gaussian:{given}")
    assert any(words in note for note in result.notes)
    assert result.psnr is not None
    assert result.psnr.low - 0.5 < psnr(result.image, x) < result.psnr.high
    assert result.psnr.value == pytest.approx(psnr(result.image, x), abs=1)
    assert result.psnr.high - result.psnr.low > 4
    assert all(row.psnr is None for row in result.candidates)


@pytest.mark.parametrize("times", [1.2, 1.5])
def test_a_method_that_took_too_much_noise_is_not_judged_by_how_little_it_follows(times: float) -> None:
    x = 0.1 + 0.8 * data.astronaut()[60:188, 160:288].astype(np.float32) / 255
    y = np.uint8(np.rint(255 * np.clip(noisy(x, 10 / 255), 0, 1)))
    result = denoise(y, method="nonlocal", noise=f"gaussian:{10 * times}")
    assert any("times what the picture shows" in note for note in result.notes)
    assert result.psnr is not None
    assert result.psnr.low < psnr(result.image / 255, x) < result.psnr.high


def test_nothing_changes_where_the_law_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    y = noisy(0.2 + 0.6 * clean(96, 96))
    result = denoise(y, method="wavelet", noise="gaussian:25")
    monkeypatch.setattr("untaught.pipeline.plane.state_error.check_law", lambda *_: None)
    unchecked = denoise(y, method="wavelet", noise="gaussian:25")
    assert result.psnr == unchecked.psnr
    assert result.notes == unchecked.notes


def test_white_noise_beside_what_neighbours_share_is_said_and_the_interval_opens() -> None:
    law = Correlated(0.02, gaussian_kernel(2))
    y = law.sample(RAMP, np.random.default_rng(1)) + LEVEL * np.random.default_rng(2).standard_normal(RAMP.shape)
    found = checked(y, law)
    assert found is not None
    assert found.beside == pytest.approx(LEVEL**2, rel=0.2)
    assert "3.2 times" in found.describe(law)
    assert checked(law.sample(RAMP, np.random.default_rng(1)), law) is None
    result = denoise(y.astype(np.float32), method="nonlocal", noise=law)
    assert result.psnr is not None
    assert result.psnr.low - 0.5 < psnr(result.image, RAMP) < result.psnr.high + 0.5
    assert result.psnr.high - result.psnr.low > 3
