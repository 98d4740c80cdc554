"""Hot and dead pixels, and what is none: noise, points of light, edges."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import noisy
from untaught import denoise
from untaught.noise import Gaussian, PoissonGaussian
from untaught.noise.estimation.hot_pixels import hot_pixels


def slope(side: int = 64) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side] / side
    return (0.3 + 0.2 * rows + 0.1 * np.sin(6 * columns)).astype(np.float32)[..., None]


def test_single_pixels_far_from_all_around_are_found() -> None:
    y = noisy(slope(), 0.02)
    y[10, 20], y[40, 0], y[60, 60] = 0.9, 0.0, 1.0
    assert np.argwhere(hot_pixels(y, None, Gaussian(0.02))).tolist() == [[10, 20], [40, 0], [60, 60]]


def test_a_point_that_a_lens_has_made_stays() -> None:
    y = slope()
    y[30:33, 30:33, 0] += 0.5 * np.outer((0.4, 1, 0.4), (0.4, 1, 0.4)).astype(np.float32)
    assert not hot_pixels(noisy(y, 0.02), None, Gaussian(0.02)).any()


@pytest.mark.parametrize("photons", [3.0, 30.0])
def test_counts_far_above_their_mean_are_noise(photons: float) -> None:
    law = PoissonGaussian(1 / photons)
    y = law.sample(np.full((128, 128, 1), 0.3, np.float32), np.random.default_rng(0))
    assert not hot_pixels(y, None, law).any()


def test_nothing_is_hot_where_there_is_no_noise_or_are_many_such_points() -> None:
    y = slope()
    y[8, 8] = 1
    assert not hot_pixels(y, None, Gaussian(0.0)).any()
    y = noisy(slope(), 0.02)
    y[::6, ::6] = 1
    assert not hot_pixels(y, None, Gaussian(0.02)).any()


def test_hot_pixels_are_filled_in_and_said() -> None:
    x = slope()
    y = noisy(x, 0.02)
    clean = denoise(y[..., 0], method="nonlocal")
    y[10, 20], y[50, 30] = 1.0, 40.0
    result = denoise(y[..., 0], method="nonlocal")
    assert any("hot or dead" in note for note in result.notes)
    assert np.abs(result.image[[10, 50], [20, 30]] - x[[10, 50], [20, 30], 0]).max() < 0.05
    assert np.abs(result.image - clean.image).max() < 0.05
