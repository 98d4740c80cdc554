"""The stated error of the noise level."""

from __future__ import annotations

import numpy as np
import pytest

from untaught.noise import Gaussian, estimate_sigma

LEVELS = (5, 10, 25, 50)


def stated(sigma: float, channels: int, texture: float = 0.0) -> float:
    rng = np.random.default_rng(1)
    x = 0.5 + texture * np.sin(np.arange(256) / 2)[:, None, None] * np.ones((256, 256, channels))
    y = Gaussian(sigma / 255).sample(x.astype(np.float32), rng)
    return estimate_sigma(y, clip=(False, False)).relative_error


def test_stronger_noise_is_measured_better() -> None:
    """Texture that hides in the noise is a smaller part of it."""
    errors = [stated(sigma, 3) for sigma in LEVELS]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.02
    assert errors[-1] < 0.015


def test_colour_tells_more_than_grey() -> None:
    assert all(stated(sigma, 1) > stated(sigma, 3) for sigma in LEVELS)


@pytest.mark.parametrize("sigma", [10, 25])
def test_texture_that_is_seen_adds_to_the_error(sigma: float) -> None:
    assert stated(sigma, 3, 0.1) > 1.3 * stated(sigma, 3)
