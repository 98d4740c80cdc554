"""Speckle that neighbours share, and filtered counts: told although the flattest places have least of it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import convolve1d, gaussian_filter

from tests.noise.test_measure import picture
from untaught import denoise
from untaught.noise import NoiseReport, measure

Values = NDArray[np.float64]
NAMES = ["camera", "coins", "moon"]


def scene(name: str) -> Values:
    return 0.05 + 0.9 * np.asarray(picture(name), np.float64)


def speckle(shape: tuple[int, ...], width: float | tuple[float, float, float] = (0.8, 0.8, 0)) -> Values:
    """Return the intensity of fully developed speckle, of mean 1."""
    rng = np.random.default_rng(0)
    field = [gaussian_filter(rng.standard_normal(shape), width) for _ in range(2)]
    power = field[0] ** 2 + field[1] ** 2
    return np.asarray(power / power.mean())


def report_of(y: Values) -> NoiseReport:
    low, high = float(y.min()), float(y.max())
    return measure(((y - low) / (high - low)).astype(np.float32), zero=-low / (high - low))


@pytest.mark.parametrize("name", NAMES)
def test_radar_intensity_is_told_by_its_share_of_the_value(name: str) -> None:
    report = report_of(scene(name) * speckle(scene(name).shape))
    assert report.model.kind == "correlated"
    assert any("speckle" in note for note in report.notes)
    low, high = (float(report.model.std(np.array(at))) for at in (0.05, 0.1))
    assert high == pytest.approx(2 * low, rel=0.15)
    assert high == pytest.approx(0.1, rel=0.25)


def test_what_neighbours_do_not_share_keeps_its_law() -> None:
    rng = np.random.default_rng(0)
    x = scene("camera")
    assert report_of(x * rng.gamma(1.0, 1.0, x.shape)).model.kind == "speckle"
    assert report_of(x + 0.05 * rng.standard_normal(x.shape)).model.kind == "gaussian"


@pytest.mark.parametrize("name", NAMES)
def test_filtered_counts_are_told(name: str) -> None:
    x = scene(name)
    counts = np.random.default_rng(0).poisson(30 * x) * 6.0
    model = report_of(np.rint(convolve1d(counts, [0.2, 0.6, 0.2], axis=1))).model
    assert model.kind == "correlated"
    assert model.correlation((0, 1)) > 0.3 > 0.2 > model.correlation((1, 0))


@pytest.mark.parametrize("name", NAMES)
def test_ultrasound_is_told_by_its_skewness(name: str) -> None:
    x = scene(name)
    echo = 10 * np.log10(x**2 * speckle(x.shape, (0.8, 2.5, 0)) + 1e-8)
    report = report_of(np.rint(255 * np.clip(1 + (echo - echo.max()) / 50, 0, 1)))
    assert report.model.kind == "correlated"
    assert any("ultrasound" in note for note in report.notes)


@pytest.mark.parametrize("name", ["camera", "coins", "moon", "brick", "grass", "page", "text", "cell"])
def test_photographs_have_none(name: str) -> None:
    from skimage import data

    values = np.asarray(getattr(data, name)(), np.float64)[:256, :256, None]
    assert not any("speckle" in note for note in report_of(values).notes)


def test_radar_is_restored() -> None:
    x = scene("camera")[:128, :128]
    y = x * speckle(x.shape)
    image = denoise(y.astype(np.float32), method="nonlocal").image
    assert np.mean((image - x) ** 2) < 0.1 * np.mean((y - x) ** 2)
