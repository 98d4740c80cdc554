"""Noise as cameras give it: shared between neighbours, and other in every colour."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.conftest import psnr
from untaught import Recipe, denoise, rerun
from untaught.errors import InputError
from untaught.methods.non_local.dct_pyramid import halved
from untaught.methods.non_local.noise_covariance import Covariance
from untaught.noise import Correlated, Gaussian, NoiseModel, gaussian_kernel, parse_noise
from untaught.noise.coloured_noise import coloured, drawn_around
from untaught.noise.estimation.colour_noise import shared_by_colours
from untaught.noise.estimation.dct_patches import collect
from untaught.pipeline.plane.camera_noise import measure_noise

Floats = NDArray[np.float32]
BOX = ((1.0,) * 3,) * 3
WIDE = ((1.0,) * 7,) * 7
CAMERA = Correlated(8 / 255, BOX, shades=((0, 0.5), (1, 1.5)), colours=((2.0, BOX), (0.5, WIDE), (0.5, WIDE)))


@functools.cache
def picture(name: str) -> Floats:
    from skimage import data

    return np.asarray(getattr(data, name)()[:192, :192, :3], np.float32) / 255


def noise_of(model: Correlated, shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    return coloured(torch.randn(shape, generator=torch.Generator().manual_seed(seed)), model)


def spoilt(name: str, model: NoiseModel) -> Floats:
    """Return the picture with noise, rounded to 8 bits and clipped."""
    x = picture(name)
    if isinstance(model, Correlated):
        unit = noise_of(model, (1, 3, *x.shape[:2]))[0].permute(1, 2, 0).numpy()
        y = x + model.std(x) * unit
    else:
        y = model.sample(x, np.random.default_rng(0))
    return np.asarray(np.rint(np.clip(y, 0, 1) * 255) / 255, np.float32)


@pytest.mark.parametrize("name", ["coffee", "astronaut", "cat"])
def test_the_level_is_found_where_grey_is_full_of_texture(name: str) -> None:
    """Three channels with noise of their own, shared by 3 x 3 pixels: the colours tell."""
    report = measure_noise(spoilt(name, Correlated(10 / 255, BOX)))
    assert isinstance(report.model, Correlated)
    assert report.sigma * 255 == pytest.approx(10, rel=0.15)
    assert not report.white


@pytest.mark.parametrize("name", ["coffee", "astronaut", "cat"])
@pytest.mark.parametrize("sigma", [5, 25])
def test_white_noise_is_not_taken_for_a_camera(name: str, sigma: int) -> None:
    patches = collect(spoilt(name, Gaussian(sigma / 255)), None)
    assert patches is not None
    assert shared_by_colours(patches, (True, True)) == (True, None)


def test_a_camera_is_found_with_its_shades_and_colours() -> None:
    model = measure_noise(spoilt("coffee", CAMERA)).model
    assert isinstance(model, Correlated)
    assert model.sigma * 255 == pytest.approx(8, rel=0.25)
    assert model.colours[0][0] > 2 * model.colours[1][0]
    assert model.shades[1][1] > 1.3 * model.shades[0][1]


def test_the_law_of_a_camera_is_checked_and_held_normalised() -> None:
    model = Correlated(0.1, BOX, shades=((0, 1), (1, 3)), colours=((4, BOX), (1, WIDE), (1, WIDE)))
    assert model.shades == ((0.0, 0.5), (1.0, 1.5))
    assert [share for share, _ in model.colours] == [2.0, 0.5, 0.5]
    assert np.allclose(model.std(np.array([-1.0, 0.0, 0.5, 1.0])), 0.1 * np.sqrt([0.5, 0.5, 1.0, 1.5]))
    for wrong in (
        {"shades": ((0, 0), (1, 0))},
        {"shades": ((0, 1), (1, -1))},
        {"shades": ((1, 1), (0, 2))},
        {"shades": (1, 3)},
        {"colours": ((1.0, BOX),)},
    ):
        with pytest.raises(InputError):
            Correlated(0.1, BOX, **wrong)  # type: ignore[arg-type]


def test_its_samples_have_its_covariance() -> None:
    """The variance of every colour and its correlation at a lag, against what the methods are told."""
    drawn = noise_of(CAMERA, (1, 3, 400, 400))
    shared = Covariance.of(CAMERA, drawn)
    basis = torch.tensor([[3**-0.5] * 3, [2**-0.5, 0.0, -(2**-0.5)], [6**-0.5, -2 * 6**-0.5, 6**-0.5]])
    n = torch.einsum("oc,chw->ohw", basis, drawn[0])
    assert torch.allclose(n.square().mean((1, 2)), shared.shares.flatten(), rtol=0.1)
    lag = (n[:, 2:] * n[:, :-2]).mean((1, 2)) / n.square().mean((1, 2))
    assert torch.allclose(lag, shared.lags[:, 2, 0], atol=0.05)
    small = halved(n[None])[0]
    assert torch.allclose(small.square().mean((1, 2)), shared.halved().shares.flatten(), rtol=0.15)


def test_patches_share_noise_as_far_as_they_overlap() -> None:
    white = Covariance.of(Correlated(0.1, ((1.0,),)), torch.zeros(1, 1, 8, 8))
    corners = torch.tensor([[0, 1, 20]])  # of a picture 10 pixels wide: (0, 0), (0, 1), (2, 0)
    assert torch.allclose(white.between(corners, 10)[0, 0], torch.eye(3), atol=1e-5)
    assert torch.allclose(white.within(3)[0, 0], torch.eye(9), atol=1e-5)
    box = Covariance.of(Correlated(0.1, BOX), torch.zeros(1, 1, 8, 8))
    assert box.between(corners, 10)[0, 0, 0].tolist() == pytest.approx([1, 2 / 3, 1 / 3], abs=1e-5)
    assert box.within(3)[0, 0, 0].tolist() == pytest.approx(
        [1, 2 / 3, 1 / 3, 2 / 3, 4 / 9, 2 / 9, 1 / 3, 2 / 9, 1 / 9]
    )


def test_what_neighbours_share_helps_the_non_local_method() -> None:
    """With the covariance, against white noise of the same level."""
    x = picture("coffee")[64:160, 64:160]
    y = spoilt("coffee", CAMERA)[64:160, 64:160]
    with_it, without = (denoise(y, method="nonlocal", noise=noise) for noise in (CAMERA, "gaussian:8"))
    assert psnr(with_it.image, x) > psnr(without.image, x) + 0.5
    assert psnr(with_it.image, x) > psnr(y, x) + 2.5


def test_a_recipe_holds_the_law_of_a_camera() -> None:
    y = spoilt("coffee", CAMERA)[:40, :40]
    first = denoise(y, method="nonlocal", noise=CAMERA)
    again = rerun(Recipe.model_validate_json(first.recipe.model_dump_json()), y)
    assert np.array_equal(first.image, again.image)
    assert parse_noise("correlated:8,1") is not None


def test_nothing_is_done_to_a_clean_picture_for_a_cameras_sake() -> None:
    assert not isinstance(measure_noise(picture("cat")).model, Correlated)
    assert not isinstance(measure_noise(picture("retina")).model, Correlated)


def test_a_wide_kernel_is_convolved_as_a_narrow_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the Fourier transform instead of the sum."""
    noise = Correlated(0.1, np.random.default_rng(0).standard_normal((26, 33)))
    white = torch.randn(1, 3, 30, 41, generator=torch.Generator().manual_seed(0))
    summed = coloured(white, noise)
    monkeypatch.setattr("untaught.noise.coloured_noise.MANY", 1)
    assert torch.allclose(coloured(white, noise), summed, atol=1e-5)


def test_noise_of_a_kernel_wider_than_the_picture_has_its_covariance() -> None:
    noise = Correlated(0.1, gaussian_kernel(5))
    generator = torch.Generator().manual_seed(0)
    draws = torch.cat([drawn_around((1, 1, 12, 9), noise, generator, torch.device("cpu")) for _ in range(1500)])
    assert draws.shape == (1500, 1, 12, 9)
    assert float(draws.square().mean()) == pytest.approx(1, abs=0.05)
    lag = (draws[..., 6:, :] * draws[..., :-6, :]).mean()
    assert float(lag) == pytest.approx(math.exp(-(6**2) / (4 * 5**2)), abs=0.05)


@pytest.mark.parametrize(("side", "width"), [(8, 3), (40, 14)])
def test_pictures_smaller_than_the_kernel_are_restored(side: int, width: int) -> None:
    found = denoise(spoilt("coffee", CAMERA)[:side, :side, 0], method="wavelet", noise=f"correlated:25,{width}")
    assert found.psnr is not None
    assert math.isfinite(found.psnr.value)


@pytest.mark.parametrize("width", [30, 60])
def test_the_covariance_of_a_wide_kernel_is_that_of_a_direct_sum(width: int) -> None:
    line = gaussian_kernel(width).sum(0)
    sums = np.correlate(line, line, "full")[len(line) - 1 :]
    lags = Covariance.of(Correlated(0.1, gaussian_kernel(width)), torch.zeros(1, 1, 8, 8)).lags[0]
    assert np.allclose(lags[0, :128], sums[:128] / sums[0], atol=1e-4)
    assert np.allclose(lags[:128, 0], sums[:128] / sums[0], atol=1e-4)
