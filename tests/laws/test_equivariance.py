"""Laws: in other units the answer is the same, and one pixel or one plane does not decide about the others."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import SIGMA, clean, noisy
from tests.laws.test_methods import QUICK
from untaught import Result, denoise, inspect
from untaught.image.image import image_of_array
from untaught.noise import Correlated, Gaussian, Impulse, NoiseModel, PoissonGaussian, Speckle, Unknown

Array = NDArray[Any]
UNITS = [(1e-6, 0.0), (1e6, -3e5)]  # k and b
LOCAL = ["nonlocal", "nonlocal-thorough", "wavelet", "nlm", "tv"]
ROUNDING = 1e-4  # of the span

BOX = tuple((1 / 9,) * 3 for _ in range(3))
LAWS: dict[str, NoiseModel] = {
    "gaussian": Gaussian(SIGMA),
    "poisson": PoissonGaussian(0.02, 0.05),
    "counts": PoissonGaussian(1 / 32),
    "correlated": Correlated(SIGMA, BOX),
    "speckle": Speckle(0.15),
    "impulse": Impulse(0.1),
    "unknown": Unknown(SIGMA),
}


@cache
def grey(height: int = 32, width: int = 36) -> Array:
    """Return a noisy picture, float64 (H, W), that does not fill [0, 1]."""
    return noisy(0.2 + 0.4 * clean(height, width, 1), seed=1)[..., 0].astype(np.float64)


def span(array: Array) -> float:
    low, high = image_of_array(array).value_range
    return high - low


def asked(array: Array, method: str, sigma: float) -> Result:
    """Denoise with white noise of `sigma`, in units of the array."""
    return denoise(array, method=QUICK[method], noise=Gaussian(sigma / span(array)))


def apart(found: Array, expected: Array) -> float:
    return float(np.abs(np.asarray(found, np.float64) - expected).max() / (grey().max() - grey().min()))


@pytest.mark.parametrize("method", QUICK)
def test_units_do_not_matter_to_any_method(method: str) -> None:
    small, (k, b) = 1e-6 * grey(), (1e12, -3e5)
    first, result = asked(small, method, 1e-6 * SIGMA), asked(k * small + b, method, 1e6 * SIGMA)
    assert apart(1e6 * (result.image - b) / k, 1e6 * first.image) < ROUNDING
    assert result.method == first.method
    wider = span(k * small + b) / (k * span(small))
    assert result.noise.level * wider == pytest.approx(first.noise.level, rel=1e-6)
    if first.std is not None:
        assert result.std is not None
        assert apart(1e6 * result.std / k, 1e6 * first.std) < ROUNDING
    assert (result.psnr is None) == (first.psnr is None)
    if result.psnr is not None and first.psnr is not None:
        assert result.psnr.value - 20 * np.log10(wider) == pytest.approx(first.psnr.value, abs=0.01)
    for row, before in zip(result.candidates, first.candidates, strict=True):
        assert (row.method, row.note) == (before.method, before.note)
        if row.psnr is not None:
            assert row.psnr - 20 * np.log10(wider) == pytest.approx(before.psnr, abs=0.01)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(("k", "b"), UNITS)
def test_units_do_not_matter_to_any_noise_that_is_given(name: str, k: float, b: float) -> None:
    x = np.clip(0.1 + 0.8 * clean(32, 36, 1)[..., 0].astype(np.float64), 0, 1)
    y = LAWS[name].sample(x, np.random.default_rng(0))
    there = k * y + b
    (low, high), (new_low, new_high) = (image_of_array(array).value_range for array in (y, there))
    here = LAWS[name].moved(1 / (high - low), -low / (high - low))
    factor, shift = k * (high - low) / (new_high - new_low), (k * low + b - new_low) / (new_high - new_low)
    method = "impulse-fill" if LAWS[name].replaces else "nonlocal"
    first, moved = (
        denoise(y, method=method, noise=here),
        denoise(there, method=method, noise=here.moved(factor, shift)),
    )
    assert apart((moved.image - b) / k, first.image) < ROUNDING


@pytest.mark.parametrize(("k", "b"), UNITS)
def test_units_do_not_matter_to_noise_that_is_measured(k: float, b: float) -> None:
    y = noisy(0.2 + 0.4 * clean(64, 64), seed=2).astype(np.float64)
    first, moved = denoise(y, method="nonlocal"), denoise(k * y + b, method="nonlocal")
    assert first.noise_found
    assert apart((moved.image - b) / k, first.image) < ROUNDING
    level = k * span(y) * first.noise.level
    assert span(k * y + b) * moved.noise.level == pytest.approx(level, rel=1e-6)
    seen = inspect(k * y + b).planes[0].report
    assert span(k * y + b) * seen.sigma == pytest.approx(k * span(y) * inspect(y).planes[0].report.sigma, rel=1e-6)


@pytest.mark.parametrize(
    ("k", "b", "dtype"), [(1, 0, np.uint8), (2, 700, np.uint16), (16, 0, np.uint16), (1, -90, np.int32)]
)
def test_integers_are_off_by_half_a_step_at_most(k: int, b: int, dtype: type) -> None:
    levels = np.rint(30 + 100 * grey())
    real = asked(levels, "nonlocal", 100 * SIGMA).image
    whole = asked((k * levels + b).astype(dtype), "nonlocal", 100 * k * SIGMA).image
    assert whole.dtype == dtype
    assert np.abs(whole - (k * real + b)).max() <= 0.5 + 1e-3


def with_an_absurd_pixel(method: str, value: float = 1e6) -> tuple[Result, Result, Result]:
    """Return the results for a picture, for one with a pixel spans away, and for one that lacks that pixel."""
    y = grey(32, 110)
    absurd, lacking = y.copy(), y.copy()
    absurd[16, 20], lacking[16, 20] = value * (y.max() - y.min()), np.nan
    first, second, third = (asked(array, method, SIGMA) for array in (y, absurd, lacking))
    assert second.picture.value_range == first.picture.value_range
    assert second.image[16, 20] == pytest.approx(third.image[16, 20], abs=1e-3)  # hot: filled in
    return first, second, third


@pytest.mark.parametrize("method", LOCAL)
def test_an_absurd_pixel_changes_nothing_far_away(method: str) -> None:
    first, absurd, lacking = with_an_absurd_pixel(method)
    others = np.ones(first.image.shape, bool)
    others[16, 20] = False
    assert np.array_equal(absurd.image[others], lacking.image[others])
    assert apart(absurd.image[:, 70:], first.image[:, 70:]) < 1 / 255
    assert any("hot or dead" in note for note in absurd.notes)


@pytest.mark.parametrize("method", ["dip", "r2r", "n2v"])
def test_an_absurd_pixel_does_not_ruin_what_a_network_draws(method: str) -> None:
    first, absurd, _ = with_an_absurd_pixel(method, -1e6)
    assert np.square(absurd.image[:, 70:] - first.image[:, 70:]).mean() < SIGMA**2


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_a_dim_plane_beside_a_bright_one_is_as_if_alone(dtype: type) -> None:
    dim = np.rint(30 + 100 * grey()).astype(dtype)
    stack = np.stack([np.rint(4e4 * grey()).astype(dtype), dim])
    beside, alone = denoise(stack, method="nonlocal", axes="ZYX"), denoise(dim, method="nonlocal")
    assert np.abs(beside.image[1].astype(np.float64) - alone.image).max() <= ROUNDING * (dim.max() - dim.min())
    first, second = (plane.noise.level * span(stack) for plane in beside.planes)
    assert second == pytest.approx(alone.noise.level * span(dim), rel=1e-6)
    assert first > 100 * second
