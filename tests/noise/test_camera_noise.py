"""Camera noise by quantiles of blocks: how much of it there is, where, and what is no camera's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.noise.test_colour_noise import noise_of, picture
from untaught.noise import Correlated, measure
from untaught.noise.estimation.camera_noise import SPECTRUM, camera_noise, law_of, octaves
from untaught.noise.estimation.quantile_line import lower_curve

Floats = NDArray[np.float32]
NONE = (False, False)
RISING = [(0.0, 6 / 255**2), (1.0, 36 / 255**2)]
BOX = ((1.0,) * 3,) * 3


def spoilt(name: str, law: Correlated) -> Floats:
    x = picture(name)
    unit = noise_of(law, (1, 3, *x.shape[:2]))[0].permute(1, 2, 0).numpy()
    return np.asarray(np.rint((x + law.std(x) * unit) * 255) / 255, np.float32)


def test_octaves_are_orthogonal_and_add_up() -> None:
    x = np.random.default_rng(0).standard_normal((48, 64))
    parts = octaves(x)
    assert np.allclose(sum(parts), x)
    assert abs(float((parts[1] * parts[3]).sum())) < 1e-9


def test_the_law_has_the_spectrum_and_follows_the_curve() -> None:
    law = law_of(RISING, (True, False))
    assert law.clip == (True, False)
    assert law.std(np.array([1.0]))[0] == pytest.approx(6**0.5 * law.std(np.array([0.0]))[0])
    grey, colour = (np.array(kernel) for _, kernel in law.colours[:2])
    assert 0 < grey[7, 8] / grey[7, 7] < 0.8 * colour[7, 8] / colour[7, 7]
    assert law.colours[0][0] > law.colours[1][0]
    drawn = noise_of(law, (1, 1, 256, 256))[0, 0].numpy()
    slow, fast = (np.square(octaves(drawn)[k]).mean() / area for k, area in ((2, 12 / 256), (4, 192 / 256)))
    assert slow / fast == pytest.approx(SPECTRUM[0, 2] / SPECTRUM[0, 4], rel=0.5)


def spoilt_shapes() -> tuple[Floats, Floats]:
    """Return a picture of slopes and edges, and it with a camera's noise."""
    rows, columns = np.mgrid[:192, :192] / 192
    x = 0.15 + 0.6 * rows + 0.15 * (np.hypot(rows - 0.4, columns - 0.5) < 0.25) - 0.1 * (columns > 0.8)
    clean = np.stack([x, 0.9 * x, 0.1 + 0.8 * x], 2).astype(np.float32)
    law = law_of(RISING, NONE)
    unit = noise_of(law, (1, 3, 192, 192))[0].permute(1, 2, 0).numpy()
    return clean, np.asarray(np.rint((clean + law.std(clean) * unit) * 255) / 255, np.float32)


def test_a_camera_is_found_with_its_shades_and_colours() -> None:
    x, y = spoilt_shapes()
    law, found = law_of(RISING, NONE), measure(y).model
    assert isinstance(found, Correlated)
    assert np.square(found.std(x)).mean() == pytest.approx(1.4 * np.square(law.std(x)).mean(), rel=0.4)
    assert found.colours[0][0] > 1.5 * found.colours[1][0]
    assert found.std(np.array(0.8)) > 1.4 * found.std(np.array(0.2))


def test_texture_in_a_shade_does_not_raise_the_curve() -> None:
    told = np.log([4.0, 4.4, 40.0, 5.2, 5.6])
    assert np.exp(lower_curve(told)[2]) < 8


@pytest.mark.parametrize("name", ["cat", "retina"])
def test_a_clean_picture_has_no_camera_noise(name: str) -> None:
    assert camera_noise(picture(name), None, NONE) is None


def test_noise_that_colours_share_no_wider_than_grey_is_no_cameras() -> None:
    assert camera_noise(spoilt("coffee", Correlated(10 / 255, BOX)), None, NONE) is None


def test_blocks_with_holes_or_cut_off_values_are_left_out() -> None:
    y = spoilt_shapes()[1]
    holes = np.zeros(y.shape[:2], bool)
    holes[::8, ::8] = True
    whole = camera_noise(y, holes & (np.arange(y.shape[1]) < 96), NONE)
    assert whole is not None
    spoiled = y.copy()
    spoiled[:, :64] = 1.0
    cut = camera_noise(spoiled, None, NONE)
    assert cut is not None
    assert cut.sigma == pytest.approx(whole.sigma, rel=0.5)
    assert camera_noise(y[:40], None, NONE) is None
