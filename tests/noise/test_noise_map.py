"""White noise of a level of its own at every pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.conftest import clean, psnr
from untaught import denoise
from untaught.errors import InputError
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.networks.unet import UNetShape
from untaught.methods.registry import make
from untaught.methods.self_supervised.learner import Batch
from untaught.methods.self_supervised.r2r import R2R
from untaught.methods.self_supervised.subsampled import Subsampled
from untaught.methods.untrained.dip import DIP
from untaught.noise import Correlated, Gaussian, Impulse, NoiseMap, PoissonGaussian, Rician
from untaught.problem import Problem, part_of

HEIGHT, WIDTH = 45, 51  # odd: halved, padded and thinned out unevenly
FIELD = np.linspace(0.2, 2.0, WIDTH) * np.linspace(0.5, 1.0, HEIGHT)[:, None]
LAW = NoiseMap(Gaussian(0.1), FIELD)
BOTH = (True, True)


def problem_of(law: NoiseMap = LAW, channels: int = 3) -> Problem:
    x = clean(HEIGHT, WIDTH, channels)
    y = torch.from_numpy(law.sample(x, np.random.default_rng(0)).transpose(2, 0, 1))[None]
    return Problem(y, torch.ones(1, 1, HEIGHT, WIDTH), law)


def test_the_deviation_is_that_of_the_base_times_the_field() -> None:
    law = NoiseMap(PoissonGaussian(0.02, 0.01), FIELD)
    x = clean(HEIGHT, WIDTH)
    wanted = FIELD[..., None] * np.sqrt(0.02 * x + 0.01**2)
    np.testing.assert_allclose(law.std(x), wanted, rtol=1e-5)
    np.testing.assert_allclose(law.std(x[..., 0]), wanted[..., 0], rtol=1e-5)
    tensor = torch.from_numpy(x.transpose(2, 0, 1))[None]
    np.testing.assert_allclose(law.std(tensor)[0].permute(1, 2, 0), wanted, rtol=1e-5)
    assert law.std(x).dtype == law.std(tensor).numpy().dtype == np.float32
    assert LAW.level == pytest.approx(0.1 * np.sqrt((FIELD**2).mean()))


def test_the_moments_of_what_was_cut_are_those_of_samples_and_are_undone() -> None:
    law = replace(LAW, clip=BOTH)
    x = np.where(np.arange(HEIGHT)[:, None] < 20, 0.05, 0.97) * np.ones(WIDTH)
    rng = np.random.default_rng(1)
    draws = np.stack([law.sample(x, rng) for _ in range(4000)])
    np.testing.assert_allclose(draws.mean(0), law.mean(x), atol=5 * 0.2 / 4000**0.5)
    np.testing.assert_allclose(draws.var(0), law.variance(x), atol=2.5e-3)
    for kind in (np.asarray, torch.from_numpy):
        given = kind(x)
        np.testing.assert_allclose(law.unclip(law.mean(given)), x, atol=1e-6)
        np.testing.assert_allclose(law.variance_at_mean(law.mean(given)), law.variance(given), atol=1e-7)
    beyond = law.unclip(np.array([[-1.0, 2.0]]).repeat(HEIGHT, 0).repeat([25, 26], 1))
    assert set(np.unique(beyond.round(6))) == {0.0, 1.0}


def test_steins_kernel_has_the_variance_for_its_mean() -> None:
    law = replace(LAW, clip=(True, False))
    x = torch.full((1, 3, HEIGHT, WIDTH), 0.04, dtype=torch.float64)
    y = torch.from_numpy(
        law.sample(np.full((HEIGHT, WIDTH, 3), 0.04), np.random.default_rng(2)).transpose(2, 0, 1)
    )
    tau = law.stein_kernel(y[None], law.mean(x))
    assert float(tau.mean()) == pytest.approx(float(law.variance(x).mean()), rel=0.05)


def test_a_map_is_moved_and_scaled_by_its_base() -> None:
    x = clean(HEIGHT, WIDTH).astype(np.float64)
    moved = NoiseMap(PoissonGaussian(0.02, 0.01), FIELD).moved(3.0, -0.5)
    np.testing.assert_allclose(moved.std(3 * x - 0.5), 3 * NoiseMap(PoissonGaussian(0.02, 0.01), FIELD).std(x))
    np.testing.assert_allclose(LAW.scaled(4.0, 0.1).std(x), 2 * LAW.std(x))
    assert LAW.scaled(4.0, 0.1).relative_error == 0.1


def test_equal_maps_are_equal() -> None:
    assert NoiseMap(Gaussian(0.1), FIELD.copy(), source="a") == LAW
    assert hash(NoiseMap(Gaussian(0.1), FIELD.copy())) == hash(LAW)
    assert NoiseMap(Gaussian(0.1), 2 * FIELD) != LAW
    assert Gaussian(0.1) != LAW
    assert NoiseMap(Gaussian(0.1, clip=BOTH), FIELD) == NoiseMap(Gaussian(0.1), FIELD, clip=BOTH)


@pytest.mark.parametrize("base", [Impulse(0.1), Rician(0.1), Correlated(0.1, ((1.0, 1.0),)), LAW])
def test_only_white_noise_that_is_added_can_be_mapped(base: Gaussian) -> None:
    with pytest.raises(InputError, match="takes white noise that is added"):
        NoiseMap(base, FIELD)


@pytest.mark.parametrize("field", [FIELD[0], -FIELD, FIELD * np.nan, np.zeros((0, 3))])
def test_only_a_picture_of_levels_is_a_map(field: np.ndarray) -> None:
    with pytest.raises(InputError, match="an array"):
        NoiseMap(Gaussian(0.1), field)


def test_pictures_of_another_size_are_refused() -> None:
    with pytest.raises(InputError, match="51 x 45 pixels and the picture 45 x 51"):
        LAW.std(np.zeros((WIDTH, HEIGHT)))
    with pytest.raises(InputError, match="51 x 45 pixels and the picture 20 x 45"):
        LAW.variance(torch.zeros(1, 1, HEIGHT, 20))


def test_a_part_of_a_problem_has_its_part_of_the_map() -> None:
    window = (slice(None), slice(None), slice(3, 20), slice(10, 31))
    part = part_of(problem_of(), window)
    np.testing.assert_array_equal(part.noise.pixel_levels, FIELD[3:20, 10:31])
    assert Gaussian(0.1).part(window) == Gaussian(0.1)


def test_crops_that_are_turned_and_thinned_out_keep_their_levels() -> None:
    """A picture that is its own map shows whether every crop came with its piece of the map."""
    law = NoiseMap(Gaussian(0.1), FIELD)
    y = torch.from_numpy(FIELD).float()[None, None]
    learner = make("n2v", {"crop": 16, "batch": 6, "shape": UNetShape(8, 2)})
    problem = Problem(y, torch.ones_like(y), law)
    batch = learner.crops(problem, learner.init(problem, 0))
    for crop, noise in zip(batch.y, batch.noises, strict=True):
        np.testing.assert_allclose(crop[0], noise.pixel_levels, rtol=1e-6)
    apart = Subsampled(shape=UNetShape(8, 2)).apart(Batch(y, (law,), torch.ones_like(y)))
    assert len(apart.noises) == len(apart.y) == 4
    for piece, noise in zip(apart.y, apart.noises, strict=True):
        np.testing.assert_allclose(piece[0], noise.pixel_levels, rtol=1e-6)


SMALL = {"steps": 12, "crop": 16, "batch": 1, "shape": UNetShape(8, 2)}
METHODS = {
    **{name: name for name in ("nonlocal", "tv", "wavelet", "nlm")},
    **{name: make(name, SMALL) for name in ("n2v", "gr2r", "sure")},
    "n2v:2": Subsampled(steps=12, crop=32, batch=1, shape=UNetShape(8, 1)),
    "r2r": R2R(steps=12, draws=2, spread=10, shape=UNetShape(8, 2), crop=32),
    "dip": DIP(steps=12, shape=HourglassShape(width=8, depth=2, skip=4)),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_take_a_map(name: str) -> None:
    x = clean(HEIGHT, WIDTH)
    law = NoiseMap(PoissonGaussian(0.005, 0.05), FIELD)
    y = law.sample(x, np.random.default_rng(0))
    result = denoise(y, method=METHODS[name], noise=law)
    assert result.noise.kind == "map"
    assert np.isfinite(result.image).all()
    if name in ("nonlocal", "tv", "wavelet", "nlm"):
        assert psnr(result.image, x) > psnr(y, x) + 2
