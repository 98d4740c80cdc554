"""The check of the residual accepts the truth, and notices lost edges, kept noise and correlation."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from tests.helpers.results import SIGMA, noisy_camera
from untaught.noise import Correlated, Gaussian, NoiseModel
from untaught.results.display import Pair, pairs
from untaught.results.residual_check import check_residual


def check(clean: np.ndarray, noisy: np.ndarray, restored: np.ndarray, noise: NoiseModel):
    values = [v.astype(np.float32)[..., None] for v in (noisy, restored)]
    return check_residual(Pair("", *values, np.zeros(clean.shape, dtype=bool)), noise)


def test_the_check_accepts_the_truth_also_under_correlated_and_clipped_noise() -> None:
    clean = data.camera() / 255
    rng = np.random.default_rng(4)
    laws = (
        Gaussian(sigma=SIGMA),
        Gaussian(sigma=SIGMA, clip=(True, True)),
        Correlated(sigma=SIGMA, kernel=((1, 1), (1, 0.5))),
    )
    for noise in laws:
        found = check(clean, noise.sample(clean, rng), clean, noise)
        assert found.alike
        assert found.ratio == pytest.approx(1, abs=0.01)
        assert abs(found.mean) < 0.002
        assert found.structure == pytest.approx(1, abs=0.05)
        assert max(abs(found.correlation[k] - found.predicted[k]) for k in found.predicted) < 0.02


def test_the_check_notices_lost_edges_kept_noise_and_correlation() -> None:
    from scipy.ndimage import gaussian_filter

    clean = data.camera() / 255
    rng = np.random.default_rng(5)
    white = Gaussian(sigma=SIGMA)
    noisy = white.sample(clean, rng)
    blurred = check(clean, noisy, gaussian_filter(clean, 1.5), white)
    assert not blurred.alike
    assert "edges lost some detail" in " ".join(blurred.sentences())
    timid = check(clean, noisy, clean + 0.5 * (noisy - clean), white)
    assert timid.ratio == pytest.approx(0.5, abs=0.01)
    assert "some noise is still in the picture" in " ".join(timid.sentences())
    banded = Correlated(sigma=SIGMA, kernel=((1.0, 1.0, 1.0),))
    taken_for_white = check(clean, banded.sample(clean, rng), clean, white)
    assert taken_for_white.worst == (0, 1)
    assert "the noise itself is correlated" in " ".join(taken_for_white.sentences())


def test_missing_pixels_do_not_enter_the_check() -> None:
    result = noisy_camera(128)
    whole = check_residual(pairs(result)[0], result.noise)
    result.image[40:60, 40:60] = 50  # a wild filling where nothing was measured
    result.input.array[40:60, 40:60] = np.nan
    holed = check_residual(pairs(result)[0], result.noise)
    assert holed.std == pytest.approx(whole.std, rel=0.02)
    assert holed.correlation[0, 1] == pytest.approx(whole.correlation[0, 1], abs=0.02)


def test_without_noise_there_is_nothing_to_check() -> None:
    flat = np.full((32, 32), 0.5)
    assert check(flat, flat, flat, Gaussian(sigma=0.0)) is None
