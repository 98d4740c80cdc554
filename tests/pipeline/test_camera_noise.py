"""Camera noise found by how much comes off: the peak, the spectrum in octaves, and what is no camera's."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from untaught.noise import Correlated, measure
from untaught.noise.estimation.patch_pairs import OPPONENT
from untaught.noise.estimation.quantile_line import lower_line
from untaught.pipeline.plane.camera_noise import (
    EDGES,
    FLATTER,
    OF_PATCHES,
    SHADES,
    Powers,
    Taken,
    highest,
    law_of_camera,
    updated,
)

Floats = NDArray[np.float32]
LEVEL = 5 / 255
BOX = ((1.0,) * 3,) * 3


@functools.cache
def of_a_camera() -> tuple[Floats, Floats]:
    """Return a picture of flat parts and edges, and it with noise that is slow, in the colours more so."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:128, :128] / 128
    x = 0.3 + 0.3 * rows + 0.2 * (np.hypot(rows - 0.4, columns - 0.5) < 0.25) - 0.1 * (columns > 0.8)
    clean = np.stack([x, 0.9 * x, 0.2 + 0.6 * x], 2)
    own = rng.standard_normal((128, 128, 3))
    slow = np.stack([gaussian_filter(own[:, :, c], s) for c, s in enumerate((0.8, 2.5, 2.5))], 2)
    noise = slow @ OPPONENT
    return clean.astype(np.float32), (clean + LEVEL / noise.std() * noise).astype(np.float32)


def test_the_highest_point_of_a_parabola_lies_between_the_places() -> None:
    at = np.linspace(-2, 2, 9)
    assert highest(3 - (at - 0.3) ** 2, at) == pytest.approx(0.3)
    assert highest(at, at) == 2
    assert highest(-at, at) == -2


def test_a_spectrum_in_octaves_becomes_kernels_of_that_variance() -> None:
    """White noise stays white, with all of its variance; slow noise is shared, grey and colours each their own."""
    flat = Powers(np.full((2, len(EDGES)), 4e-4)).law()
    assert flat.sigma == pytest.approx(0.02, rel=1e-6)
    kernel = np.array(flat.kernel)
    assert kernel[7, 7] == pytest.approx(1, abs=1e-6)
    octaves = np.array([[4.0, 4.0, 4.0, 2.0, 1.0], [4.0, 4.0, 1.0, 0.1, 0.01]])
    law = Powers(1e-4 * octaves, (0.5, 1.5)).law((True, False))
    grey, colour = law.colours[0], law.colours[1]
    assert grey[0] > 4 * colour[0]
    beside = [np.array(kernel)[7, 8] / np.array(kernel)[7, 7] for _, kernel in (grey, colour)]
    assert 0 < beside[0] < 0.5 * beside[1]
    assert law.shades == ((0.0, 0.5), (1.0, 1.5))
    assert law.clip == (True, False)


def test_every_octave_and_shade_comes_to_its_own_level() -> None:
    """What a Wiener filter takes out at several levels, for noise that is known."""
    true = np.array([[6.0, 6.0, 4.0, 2.0, 1.0], [6.0, 6.0, 2.0, 0.4, 0.1]]) * 1e-4
    mean = np.linspace(0.2, 0.8, SHADES)
    shade = 0.5 + mean
    start = Powers(true * np.array([[1.0, 1.0, 2.0, 0.5, 1.0], [1.0, 3.0, 0.5, 2.0, 1.0]]))
    factors = 2.0 ** np.arange(-3, 3.5, 0.5)
    sigma2 = (shade[:, None, None] * true[[0, 1, 1]])[None]
    s2 = start.octaves[[0, 1, 1]][None, None] * np.square(factors)[:, None, None, None]
    energy = np.where(s2 < sigma2, s2**2 / sigma2, sigma2)
    found = updated(start, Taken(energy, np.tile(mean, (len(factors), 1)), factors))
    assert found.octaves[0, 2:] == pytest.approx(true[0, 2:], rel=0.2)
    assert found.octaves[1, 1:] == pytest.approx(true[1, 1:], rel=0.2)
    assert found.octaves[0, 1] == pytest.approx(found.octaves[1, 1])
    assert found.shades[1] > 1.5 * found.shades[0]


def test_a_line_through_the_lower_shades_leaves_texture_out() -> None:
    mean = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    variance = 1 + mean
    variance[2] *= 6
    (dark, bright), weight = lower_line(mean, variance, 0.35)
    assert (dark, bright) == pytest.approx((1, 2), rel=0.25)
    assert weight[2] < min(weight[[0, 1, 3, 4]])


def test_slow_noise_is_found_with_its_level_and_its_colours() -> None:
    x, y = of_a_camera()
    law = law_of_camera(y, None, Correlated(LEVEL, BOX))
    assert law is not None
    assert np.sqrt(np.square(law.std(x)).mean()) == pytest.approx(FLATTER ** (1 - OF_PATCHES) * LEVEL, rel=0.2)
    assert law.colours[0][0] > 1.5 * law.colours[1][0]
    report = measure(y)
    assert isinstance(report.model, Correlated)
    assert report.sigma == pytest.approx(LEVEL, rel=0.4)
    assert not report.white


def test_holes_leave_no_window_and_a_small_picture_no_room() -> None:
    _, y = of_a_camera()
    holes = np.zeros(y.shape[:2], bool)
    holes[::32, ::32] = True
    assert law_of_camera(y, holes, Correlated(LEVEL, BOX)) is None
    assert law_of_camera(y[:40], None, Correlated(LEVEL, BOX)) is None
