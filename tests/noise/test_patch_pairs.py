"""Camera noise told from texture: pairs of patches that are alike, and what noise can have at low frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from untaught.noise.estimation.dct_patches import FREQUENCY, SIZE, collect
from untaught.noise.estimation.patch_pairs import TOLD, shades_of, untextured


def spectrum(of_step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a spectrum (64,) that depends on i + j alone."""
    return np.asarray(of_step[FREQUENCY])


def test_the_spectrum_of_noise_is_left_as_it_is() -> None:
    step = np.arange(2 * SIZE - 1)
    for noise in (np.ones(15), np.exp(-((step / 8.0) ** 2)), np.exp(-0.3 * step)):
        assert untextured(spectrum(noise)) == pytest.approx(spectrum(noise))


def test_texture_is_cut_off_where_noise_cannot_rise_so_steeply() -> None:
    step = np.arange(2 * SIZE - 1)
    texture = 1 + 500 * np.exp(-1.5 * step)
    kept = untextured(spectrum(texture))
    assert (kept <= spectrum(texture) * (1 + 1e-9)).all()
    assert kept[TOLD].mean() < 2 < spectrum(texture)[TOLD].mean() / 3


def test_texture_that_the_picture_repeats_is_not_taken_for_noise() -> None:
    """Stripes everywhere, so that no patch is flat, and noise that neighbours share: found within a third."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:96, :96]
    x = 0.5 + 0.15 * np.sin(2 * np.pi * (rows + 2 * columns) / 9) + 0.0005 * rows
    noise = gaussian_filter(rng.standard_normal((96, 96, 3)), (0.7, 0.7, 0))
    noise *= 0.02 / noise.std()
    patches = collect((x[:, :, None] + noise).astype(np.float32), None)
    assert patches is not None
    for shade in shades_of(patches, (False, False)):
        assert shade.variance == pytest.approx(np.full(3, 0.02**2), rel=1 / 3)
