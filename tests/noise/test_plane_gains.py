"""The brightness of planes is told whatever moves in them, and told to be one where it is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from untaught.noise.estimation.plane_gains import gains_of

PLANES = 12
Values = NDArray[np.float64]


def means(moves: int) -> Values:
    """Return means over 8 x 8 pixels of a window that moves over a picture, with what noise leaves of them."""
    x = data.camera().astype(np.float64) / 255
    planes = np.stack([x[100:228, 100 + moves * k : 228 + moves * k] for k in range(PLANES)])
    blocks = planes.reshape(PLANES, 16, 8, 16, 8).mean((2, 4)).reshape(PLANES, -1)
    return blocks + 0.01 * np.random.default_rng(0).standard_normal(blocks.shape)


FADES = 0.4 ** np.linspace(0, 1, PLANES)
FLICKERS = 1 + 0.1 * np.random.default_rng(1).standard_normal(PLANES)


@pytest.mark.parametrize("moves", [0, 3])
@pytest.mark.parametrize(("fades", "flickers"), [(True, False), (False, True), (True, True)])
def test_the_gain_is_found(moves: int, fades: bool, flickers: bool) -> None:
    gain = (FADES if fades else 1.0) * (FLICKERS if flickers else np.ones(PLANES))
    found = gains_of(means(moves) * gain[:, None], 0.0)
    assert np.std(np.log(np.array(found.gains) / gain)) < 0.08
    assert np.std(np.diff(np.log(np.array(found.gains) / gain))) < 0.03
    assert (found.fading < 0.6) == fades
    assert (found.flicker > 0.05) == flickers


@pytest.mark.parametrize("moves", [0, 3])
def test_planes_that_are_equally_bright_are_said_to_be(moves: int) -> None:
    assert gains_of(means(moves), 0.0).one


def test_what_becomes_bright_by_itself_is_no_gain() -> None:
    y = means(0)
    y[PLANES // 2 :, :60] *= 3
    assert gains_of(y, 0.0).one


def test_a_black_level_is_found_where_the_planes_tell_it() -> None:
    found = gains_of(0.3 + means(0) * FADES[:, None], 0.0)
    assert found.black == pytest.approx(0.3, abs=0.03)
    assert found.fading == pytest.approx(0.4, abs=0.05)


def test_values_around_zero_have_no_gain() -> None:
    assert gains_of((means(0) - 0.5) * FADES[:, None], 0.0).one
    assert gains_of(means(0)[:1], 0.0).one
    assert gains_of(np.zeros((PLANES, 9)), 0.0).one


def test_a_steady_change_of_slices_is_what_they_show() -> None:
    found = gains_of(means(0) * (FADES * FLICKERS)[:, None], 0.0, fade=False)
    assert found.fading == 1
    assert found.flicker > 0.05
    assert abs(np.log(found.gains[-1] / found.gains[0])) < 0.4


def pan(step: int, gain: NDArray[np.float64] | float = 1.0) -> Values:
    """Return means of a window that moves from the dark side of a picture to its bright one, 12 x 16 places."""
    x = data.astronaut()[60:156, :, 1].astype(np.float64) / 255 * np.linspace(0.3, 1.3, 512)
    planes = np.stack([x[:, step * k : step * k + 128] for k in range(PLANES)])
    blocks = planes.reshape(PLANES, 12, 8, 16, 8).mean((2, 4)).reshape(PLANES, -1)
    noise = 0.01 * np.random.default_rng(0).standard_normal(blocks.shape)
    return np.asarray(blocks * np.asarray(gain).reshape(-1, 1) + noise)


@pytest.mark.parametrize("step", [3, 10])
def test_a_pan_from_dark_to_bright_is_no_lamp(step: int) -> None:
    """The places themselves become brighter by 1.3 to 1.8; what stands in them is what stood beside them."""
    for y in (pan(step), pan(step)[::-1]):
        assert gains_of(y, 0.0).fading != 1
        assert gains_of(y, 0.0, shape=(12, 16)).fading == 1


def test_a_lamp_is_told_from_a_pan_that_hides_it() -> None:
    fades = 0.3 ** np.linspace(0, 1, PLANES)
    assert gains_of(means(0) * fades[:, None], 0.0, shape=(16, 16)).fading == pytest.approx(0.3, abs=0.03)
    assert gains_of(pan(6, fades), 0.0, shape=(12, 16)).fading == pytest.approx(0.3, abs=0.1)
    assert gains_of(pan(6, fades), 0.0).fading > 0.42
