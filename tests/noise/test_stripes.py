"""Stripes are found in any picture, told from lines in it, and known to a part of their level."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from untaught.noise.estimation.stripes import stripes_of

Floats = NDArray[np.floating]
SIGMA = 10 / 255


def blobs() -> Floats:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:256, :256]
    picture = np.full((256, 256), 0.05)
    for cy, cx, size in zip(*rng.uniform(0, 256, (2, 40)), rng.uniform(4, 15, 40), strict=True):
        picture += 0.5 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * size**2))
    return np.clip(picture, 0, 1)


PICTURES = {
    "camera": lambda: data.camera()[100:356, 100:356] / 255,
    "coins": lambda: data.coins()[:256, :256] / 255,
    "blobs": blobs,
    "gradient": lambda: np.tile(np.linspace(0.2, 0.8, 256), (256, 1)),
    "wall": lambda: data.brick()[:256, :256] / 255,
}


def striped(name: str, times: float) -> tuple[Floats, Floats]:
    """Return a picture with noise and columns of their own, and the offsets of these."""
    rng = np.random.default_rng(3)
    x = PICTURES[name]()
    offsets = times * SIGMA * rng.standard_normal(x.shape[1])
    noise = SIGMA * rng.standard_normal(x.shape)
    return (x + noise + offsets)[..., None], offsets - offsets.mean()


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("name", PICTURES)
def test_stripes_are_found_and_known(name: str, times: float) -> None:
    y, offsets = striped(name, times)
    found, none = stripes_of(y, None, "columns"), stripes_of(y, None, "rows")
    assert found.found
    assert not none.found
    assert found.level == pytest.approx(offsets.std(), rel=0.25)
    error = np.mean((found.offsets[:, 0] - offsets) ** 2)
    assert error < 0.35 * np.mean(offsets**2)
    assert 0.3 * error < found.leftover < 4 * error


def test_rows_are_columns_of_the_turned_picture() -> None:
    y, _ = striped("coins", 1)
    columns, rows = stripes_of(y, None, "columns"), stripes_of(y.swapaxes(0, 1), None, "rows")
    np.testing.assert_allclose(columns.offsets, rows.offsets)


@pytest.mark.parametrize("name", PICTURES)
def test_noise_alone_has_no_stripes(name: str) -> None:
    y, _ = striped(name, 0)
    assert not stripes_of(y, None, "columns").found
    assert not stripes_of(y, None, "rows").found


@pytest.mark.parametrize(
    "name", ["astronaut", "brick", "camera", "cat", "coffee", "coins", "grass", "page", "text"]
)
def test_pictures_as_they_are_have_no_stripes(name: str) -> None:
    picture = getattr(data, name)() / 255
    picture = picture[..., None] if picture.ndim == 2 else picture
    for along in ("columns", "rows"):
        assert not stripes_of(picture, None, along, 1 / 255).found


def lines(width: int) -> Floats:
    """Return a picture with bars from top to bottom, each of a shade of its own."""
    shades = np.random.default_rng(1).uniform(0.2, 0.8, 256 // width)
    return np.tile(np.repeat(shades, width), (256, 1))


@pytest.mark.parametrize("width", [4, 8, 16])
def test_lines_of_a_picture_are_no_stripes(width: int) -> None:
    y = lines(width) + 0.02 * np.random.default_rng(2).standard_normal((256, 256))
    assert not stripes_of(y[..., None], None, "columns").found


def test_a_wave_of_a_picture_is_no_stripes() -> None:
    y = np.tile(0.5 + 0.2 * np.sin(2 * np.pi * np.arange(256) / 6), (256, 1))
    y += 0.02 * np.random.default_rng(2).standard_normal(y.shape)
    assert not stripes_of(y[..., None], None, "columns").found


def test_the_answer_for_ky_plus_b_is_k_times_that_for_y() -> None:
    y, _ = striped("camera", 1)
    one, other = stripes_of(y, None, "columns"), stripes_of(1e4 * y - 300, None, "columns")
    assert other.found
    np.testing.assert_allclose(other.offsets, 1e4 * one.offsets, rtol=1e-6, atol=1e-6)
    assert other.leftover == pytest.approx(1e8 * one.leftover)


def test_what_is_missing_and_what_was_cut_off_tell_nothing() -> None:
    y, offsets = striped("coins", 1)
    gone = np.zeros(y.shape[:2], bool)
    gone[40:120, 60:140] = True
    y[gone] = 7.0
    y[200:, :] = y.max()
    found = stripes_of(y, gone, "columns")
    assert found.found
    assert np.mean((found.offsets[:, 0] - offsets) ** 2) < 0.4 * np.mean(offsets**2)


def test_each_colour_has_its_own() -> None:
    first, offsets = striped("camera", 1)
    rng = np.random.default_rng(8)
    second = PICTURES["camera"]()[..., None] + SIGMA * rng.standard_normal(first.shape)
    found = stripes_of(np.concatenate([first, second], 2), None, "columns")
    assert found.found
    assert np.corrcoef(found.offsets[:, 0], offsets)[0, 1] > 0.9
    assert found.offsets[:, 1].std() < 0.3 * found.offsets[:, 0].std()


def test_a_small_picture_tells_nothing() -> None:
    assert not stripes_of(np.random.default_rng(0).random((20, 200, 1)), None, "columns").found
