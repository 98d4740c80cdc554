"""A level of noise that varies over the field is found by blocks, and texture is not taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

import untaught
from untaught.image.image import Image
from untaught.noise import NoiseMap, measure
from untaught.pipeline.plane.make_problem import Measured, measured_problem
from untaught.pipeline.request import Request
from untaught.pipeline.tasks.demosaic import demosaicing
from untaught.problem import tensor

Floats = NDArray[np.floating]
SIDE = 320


def picture(name: str) -> Floats:
    values = getattr(data, name)()[:SIDE, :SIDE] / 255
    return values if values.ndim == 3 else values[..., None]


def ramp(shape: tuple[int, ...], times: float = 3.0) -> Floats:
    """Return a field of root mean square 1 that grows from left to right."""
    field = np.broadcast_to(np.geomspace(1, times, shape[1]), shape[:2])
    return np.asarray(field / np.sqrt(np.mean(field**2)))


def bowl(shape: tuple[int, ...]) -> Floats:
    """Return the field of vignetting that was corrected."""
    v, u = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape[:2]), indexing="ij")
    field = 1 + 2 * (u**2 + v**2) / 2
    return np.asarray(field / np.sqrt(np.mean(field**2)))


def noisy(x: Floats, field: Floats, sigma: float = 15.0) -> NDArray[np.float32]:
    noise = np.random.default_rng(0).standard_normal(x.shape)
    return (x + sigma / 255 * field[..., None] * noise).astype(np.float32)


@pytest.mark.parametrize("field", [ramp, bowl])
@pytest.mark.parametrize("name", ["camera", "brick", "coins", "astronaut", "moon"])
def test_the_field_is_found(name: str, field: object) -> None:
    x = picture(name)
    true = field(x.shape)  # type: ignore[operator]
    report = measure(noisy(x, true))
    assert isinstance(report.model, NoiseMap)
    assert report.white
    assert any("varies over the picture" in note for note in report.notes)
    found = report.model.field * report.model.base.level
    assert np.mean(np.abs(found / (15 / 255 * true) - 1)) < 0.06


@pytest.mark.parametrize("sigma", [5, 10, 25])
@pytest.mark.parametrize("name", ["camera", "brick", "coins", "astronaut", "grass", "page"])
def test_noise_of_one_level_has_none(name: str, sigma: float) -> None:
    x = picture(name)
    y = noisy(x, np.ones(x.shape[:2]), sigma)
    assert not isinstance(measure(np.rint(255 * y) / 255).model, NoiseMap)


@pytest.mark.parametrize("name", ["camera", "coins", "astronaut"])
def test_noise_that_follows_brightness_has_none(name: str) -> None:
    counts = np.random.default_rng(1).poisson(60 * picture(name)) / 60
    assert not isinstance(measure(counts.astype(np.float32)).model, NoiseMap)


def test_brightness_that_grows_over_the_field_is_no_field() -> None:
    x = np.tile(np.linspace(0.1, 0.9, SIDE), (SIDE, 1))
    counts = np.random.default_rng(1).poisson(60 * x) / 60
    report = measure(counts.astype(np.float32))
    assert not isinstance(report.model, NoiseMap)


def test_texture_that_grows_over_the_field_is_no_field() -> None:
    x = picture("grass")
    fade = np.linspace(0, 1, SIDE)[None, :, None]
    y = noisy(0.5 + fade * (x - 0.5), np.ones(x.shape[:2]), 5)
    assert not isinstance(measure(y).model, NoiseMap)


def test_the_map_gains_and_its_error_is_known() -> None:
    x = picture("brick")[:200, :200]
    y = noisy(x, ramp(x.shape))[..., 0]
    without, found = (untaught.denoise(y, method="nonlocal", noise=n) for n in ("gaussian:15", "auto"))
    one, other = (-10 * np.log10(np.mean((r.image - x[..., 0]) ** 2)) for r in (without, found))
    assert other > one + 2
    assert found.psnr is not None
    assert found.psnr.value == pytest.approx(other, abs=2)
    assert found.noise.kind == "map"


def test_the_answer_for_ky_plus_b_is_k_times_that_for_y() -> None:
    x = picture("coins")
    y = noisy(x, ramp(x.shape))[..., 0]
    one, other = (untaught.inspect(v).planes[0].report.model for v in (y, 1000 * y + 50))
    assert isinstance(one, NoiseMap)
    assert isinstance(other, NoiseMap)
    np.testing.assert_allclose(other.field, one.field, rtol=1e-3)


def test_a_mosaic_is_not_given_the_map_of_its_sites() -> None:
    x = picture("coins")[:300]
    y = noisy(x, ramp(x.shape), 40)[..., 0]
    assert isinstance(measure(y[::2, ::2]).model, NoiseMap)
    task = demosaicing(Image.of(y, "YX"), "RGGB")
    problem, _ = measured_problem(Measured(tensor(y[..., None])), task, Request())
    assert problem.noise.pixel_levels is None
    assert problem.noise.level > 5 / 255
