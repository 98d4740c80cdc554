from __future__ import annotations

import functools
import json

import numpy as np
import pytest

from untaught.errors import InputError
from untaught.noise import (
    Correlated,
    Gaussian,
    Impulse,
    PoissonGaussian,
    Speckle,
    clipping,
    correlation,
    estimate_sigma,
    impulses,
    mean_variance,
    measure,
)

BOTH = (True, True)


@functools.cache
def picture(name):
    from skimage import data

    x = getattr(data, name)()
    x = x[..., None] if x.ndim == 2 else x[..., :3]
    return np.ascontiguousarray(x[:256, :288]).astype(np.float32) / 255


@functools.cache
def own_sigma(name):
    """Return what is found in a picture as it is."""
    return estimate_sigma(picture(name)).sigma


def spoilt(name, model, seed=0):
    x = picture(name)
    y = model.sample(x, np.random.default_rng(seed))
    return np.round(y * 255).astype(np.float32) / 255 if any(model.clip) else y


@pytest.mark.parametrize("sigma", [5, 10, 25, 50])
@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee", "cat", "brick"])
def test_sigma_is_found_within_five_percent(name, sigma):
    for clip in ((False, False), BOTH):
        found = estimate_sigma(spoilt(name, Gaussian(sigma / 255, clip=clip)))
        assert found.sigma * 255 == pytest.approx(np.hypot(sigma, 255 * own_sigma(name)), rel=0.05)
        assert 0 < found.relative_error < 0.3


def test_stated_errors_are_about_right():
    ratios = []
    for name in ("astronaut", "camera", "coffee", "brick", "moon", "coins"):
        for sigma in (10, 30):
            found = estimate_sigma(spoilt(name, Gaussian(sigma / 255, clip=BOTH)))
            truth = (sigma / 255) ** 2 + own_sigma(name) ** 2
            ratios.append((found.sigma**2 / truth - 1) / found.relative_error)
    assert 0.2 < np.sqrt(np.mean(np.square(ratios))) < 2


@pytest.mark.parametrize("shape", [(64, 64, 3), (64, 64, 1), (40, 200, 1)])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_sigma_of_flat_pictures_even_where_half_is_clipped(shape, level):
    y = Gaussian(0.1, clip=BOTH).sample(np.full(shape, level, np.float32), np.random.default_rng(1))
    assert estimate_sigma(y).sigma == pytest.approx(0.1, rel=0.15)


def test_sigma_with_missing_pixels():
    y = spoilt("camera", Gaussian(25 / 255))
    few, half = (np.random.default_rng(2).random(y.shape[:2]) < share for share in (0.01, 0.5))
    holed = np.where(half[..., None], 9.0, y).astype(np.float32)
    assert estimate_sigma(y, few).sigma * 255 == pytest.approx(25, rel=0.06)
    assert estimate_sigma(holed, half).sigma * 255 == pytest.approx(25, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 3), (7, 50, 1), (9, 9, 3)])
def test_tiny_pictures_do_not_break_it(shape):
    report = measure(np.random.default_rng(0).random(shape, dtype=np.float32))
    assert np.isfinite(report.sigma)
    json.dumps(report.as_dict())


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_flat_pictures_have_no_noise(value):
    report = measure(np.full((64, 64, 3), value, np.float32))
    assert report.sigma == pytest.approx(0, abs=1e-4)
    assert "No noise was found." in report.notes


@pytest.mark.parametrize("name", ["page", "moon", "camera", "cat", "rocket"])
def test_clean_pictures_have_no_noise(name):
    report = measure(picture(name))
    assert report.sigma < 1 / 255
    said = "No noise was found." if report.model.negligible else "Hardly any noise was found"
    assert any(note.startswith(said) for note in report.notes)


@pytest.mark.parametrize("sigma", [5, 40])
@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee", "cat", "text", "coins"])
def test_white_gaussian_noise_is_called_that(name, sigma):
    report = measure(spoilt(name, Gaussian(sigma / 255, clip=BOTH)))
    assert report.model.kind == "gaussian"
    assert report.white
    json.dumps(report.as_dict())


@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee"])
def test_photon_noise_is_found_with_its_gain(name):
    for gain, read in ((1.5, 3.0), (8.0, 3.0)):
        model = measure(spoilt(name, PoissonGaussian(gain / 255, read / 255, clip=BOTH))).model
        assert isinstance(model, PoissonGaussian)
        assert model.gain * 255 == pytest.approx(gain, rel=0.12)


def cells(side=192):
    """Return a few bright blobs on black: most of the picture has next to no noise."""
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:side, :side]
    x = np.zeros((side, side))
    for _ in range(12):
        r, c, w, h = rng.uniform((0, 0, 4, 0.1), (side, side, 10, 0.6))
        x += h * np.exp(-((rows - r) ** 2 + (columns - c) ** 2) / (2 * w * w))
    return x[..., None].astype(np.float32)


@pytest.mark.parametrize("offset", [0.0, 0.08])
def test_noise_of_sparse_structure_on_black_is_found_where_the_brightness_is(offset):
    """The flattest patches are the dark ones, which have next to none."""
    law = PoissonGaussian(0.012, 0.004, offset)
    y = np.round(255 * law.sample(cells() + np.float32(offset), np.random.default_rng(0))) / 255
    found = measure(y.astype(np.float32)).model
    assert isinstance(found, PoissonGaussian)
    assert found.gain == pytest.approx(0.012, rel=0.15)
    assert found.std(np.array(offset + 0.3)) == pytest.approx(law.std(np.array(offset + 0.3)), rel=0.1)
    assert found.std(np.array(offset)) < 0.3 * found.std(np.array(offset + 0.3))


def test_a_variance_that_no_law_describes_is_a_free_curve():
    x = picture("camera")
    std = 0.02 + 0.06 * np.exp(-(((x - 0.5) / 0.15) ** 2))
    y = (x + std * np.random.default_rng(0).standard_normal(x.shape)).astype(np.float32)
    found = measure(y).model
    assert found.kind == "curve"
    assert found.std(np.array(0.5)) > 2 * found.std(np.array(0.1))


def test_noise_that_neighbours_share_follows_brightness():
    x = cells() + np.linspace(0.1, 0.5, 192, dtype=np.float32)[:, None]
    law = Correlated(0.05, np.ones((2, 2)), shades=((0.1, 0.4), (0.6, 1.6)))
    found = measure(law.sample(x, np.random.default_rng(0))).model
    assert isinstance(found, Correlated)
    dark, bright = (float(found.std(np.array(v))) for v in (0.15, 0.5))
    assert bright / dark == pytest.approx(float(law.std(np.array(0.5)) / law.std(np.array(0.15))), rel=0.25)


@pytest.mark.parametrize("name", ["camera", "coffee", "coins"])
def test_speckle_is_found(name):
    model = measure(spoilt(name, Speckle(0.2, clip=BOTH))).model
    assert isinstance(model, Speckle)
    assert model.sigma == pytest.approx(0.2, rel=0.1)


@pytest.mark.parametrize("name", ["camera", "coffee", "brick"])
def test_salt_and_pepper_is_found(name):
    for fraction in (0.03, 0.17):
        model = measure(spoilt(name, Impulse(fraction))).model
        assert isinstance(model, Impulse)
        assert model.fraction == pytest.approx(fraction, rel=0.15)


@pytest.mark.parametrize("name", ["page", "text", "horse", "checkerboard", "astronaut"])
def test_strokes_and_heavy_noise_are_not_salt_and_pepper(name):
    from skimage import data

    x = np.asarray(getattr(data, name)(), dtype=np.float32)
    x = (x / max(1, x.max())).reshape(*x.shape[:2], -1)[:256, :256]
    assert not impulses(np.round(x)).found
    for model in (Gaussian(50 / 255, clip=BOTH), PoissonGaussian(0.2, clip=BOTH)):
        assert not impulses(model.sample(x, np.random.default_rng(0))).found


@pytest.mark.parametrize("name", ["astronaut", "camera", "brick", "text"])
def test_blurred_noise_is_found(name):
    kernel = np.ones((3, 3))
    report = measure(spoilt(name, Correlated(25 / 255, kernel)))
    assert isinstance(report.model, Correlated)
    assert not report.white
    assert report.sigma * 255 == pytest.approx(25, rel=0.2)
    assert report.correlation.map[3, 4] == pytest.approx(2 / 3, abs=0.12)
    assert report.correlation.map[4, 3] == pytest.approx(2 / 3, abs=0.12)


def test_noise_across_one_direction_is_told_from_the_other():
    y = spoilt("camera", Correlated(20 / 255, ((1, 2, 1),)))
    found = correlation(y)
    assert not found.white
    assert found.map[3, 4] > 0.5
    assert abs(found.map[2, 3]) < 0.15


def test_demosaicked_noise_is_not_white():
    from scipy.ndimage import convolve

    y = spoilt("coffee", Gaussian(15 / 255))
    rows, columns = np.indices(y.shape[:2])
    taps = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4.0
    sites = [(0, 0), (0, 1), (1, 1)]
    colours = []
    for c, (i, j) in enumerate(sites):
        seen = (rows % 2 == i) & (columns % 2 == j)
        colours.append(convolve(np.where(seen, y[..., c], 0), taps))
    assert not measure(np.stack(colours, -1).astype(np.float32)).white


@pytest.mark.parametrize(("quality", "level"), [(70, 8), (95, 6)])
def test_compressed_noise_is_not_lost(quality, level):
    import io

    from PIL import Image

    y = spoilt("coffee", Gaussian(15 / 255, clip=BOTH))
    file = io.BytesIO()
    Image.fromarray(np.round(y * 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        report = measure(np.asarray(image, dtype=np.float32) / 255)
    assert level < report.sigma * 255 < 20
    assert report.white == (quality == 95)


def test_the_estimated_kernel_makes_noise_of_the_same_kind():
    model = measure(spoilt("camera", Correlated(25 / 255, np.ones((3, 3))))).model
    n = model.sample(np.zeros((256, 256)), np.random.default_rng(0))
    assert (n[:, 1:] * n[:, :-1]).mean() / n.var() == pytest.approx(2 / 3, abs=0.15)


def test_clipping_is_seen_where_it_is_and_only_there():
    y = spoilt("camera", Gaussian(25 / 255))
    assert clipping(y).clip == (False, False)
    assert clipping(np.clip(y, 0, None)).clip == (True, False)
    assert clipping(np.clip(y, None, 1)).clip == (False, True)
    assert clipping(np.clip(y, 0, 1)).clip == BOTH
    ramp = np.tile(np.arange(256, dtype=np.float32) / 255, (64, 1))[..., None]
    assert clipping(ramp).clip == (False, False)


def test_the_curve_shows_what_was_put_in():
    curve = mean_variance(spoilt("coffee", PoissonGaussian(3 / 255, 3 / 255, clip=BOTH)))
    expected = 3 / 255 * curve.mean + (3 / 255) ** 2
    assert len(curve.mean) > 8
    np.testing.assert_allclose(np.median(curve.variance / expected), 1, atol=0.08)
    assert curve.grows
    assert not mean_variance(spoilt("coffee", Gaussian(20 / 255, clip=BOTH))).grows


def test_grey_noise_stored_as_colour_is_not_lost():
    y = spoilt("camera", Gaussian(20 / 255, clip=BOTH))
    nearly = np.concatenate([y, y, y + np.float32(0.02)], -1)
    assert measure(np.repeat(y, 3, -1)).sigma * 255 == pytest.approx(20, rel=0.06)
    assert measure(nearly).sigma * 255 == pytest.approx(20, rel=0.06)


def test_unequal_channels_are_mentioned():
    x = picture("coffee")
    n = np.random.default_rng(0).standard_normal(x.shape) * np.array([5, 10, 20]) / 255
    report = measure((x + n).astype(np.float32))
    assert any("not equally noisy" in note for note in report.notes)
    np.testing.assert_allclose(np.array(report.channels) * 255, [5, 10, 20], rtol=0.12)


def test_what_is_not_finite_counts_as_missing():
    y = spoilt("camera", Gaussian(25 / 255)).copy()
    y[10:20, 10:20] = np.nan
    assert measure(y).sigma * 255 == pytest.approx(25, rel=0.06)
    with pytest.raises(InputError):
        measure(np.full((9, 9, 1), np.nan, np.float32))
    with pytest.raises(InputError):
        measure(np.zeros((2, 2, 2, 2), np.float32))


def test_the_least_and_the_greatest_of_all_values_are_no_cut() -> None:
    """Where the range is that of the values, one value lies at either end of it."""
    y = np.random.default_rng(0).normal(size=(64, 64, 1))
    y = ((y - y.min()) / np.ptp(y)).astype(np.float32)
    assert clipping(y).clip == (False, False)
    cut = np.clip(y, 0.25, 0.75)
    assert clipping((cut - 0.25) * 2).clip == (True, True)


@pytest.mark.parametrize("name", ["camera", "moon", "coffee"])
def test_rounding_to_few_levels_is_no_noise(name):
    """A picture of low contrast in 8 bits, on the range of its own values."""
    levels = 40
    y = np.round(levels * picture(name)) / levels
    assert measure(y.astype(np.float32), step=1 / levels).sigma < 0.75 / 255
    noise = 2.5 / levels
    y = np.round(levels * (picture(name) + noise * np.random.default_rng(0).standard_normal(y.shape))) / levels
    assert measure(y.astype(np.float32), step=1 / levels).sigma == pytest.approx(noise, rel=0.12)


def test_a_curve_on_another_scale_says_the_same_of_its_points():
    curve = mean_variance(spoilt("camera", PoissonGaussian(8 / 255, 3 / 255, clip=BOTH)))
    other = curve.moved(0.4, 0.3)

    def law(c, mean):
        return c.gain * np.maximum(mean - c.offset, 0) + c.read**2

    assert np.allclose(other.mean, 0.4 * curve.mean + 0.3)
    assert np.allclose(law(other, other.mean), 0.4**2 * law(curve, curve.mean))
    assert other.speckle == curve.speckle
    back = other.moved(1 / 0.4, -0.3 / 0.4)
    assert back.offset == pytest.approx(curve.offset, abs=1e-12)
