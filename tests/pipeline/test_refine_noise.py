"""The second look at the noise level: right where it can be worked out by hand, silent where it must be."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.conftest import clean, noisy, tensor
from untaught.methods.non_local.single_scale import denoise_nonlocal
from untaught.noise import Correlated, Gaussian, NoiseModel, PoissonGaussian, Speckle, Unknown
from untaught.pipeline.plane import refine_noise as calibrate
from untaught.pipeline.plane.refine_noise import GRAIN, GRAIN_ERROR, GRAIN_FROM, LACKING, refine
from untaught.problem import Problem
from untaught.risk.sure import Recorruption, Terms, risk_terms

TRUE = 0.08
SIZE = 96


def box(y: Tensor) -> Tensor:
    """Return the 3 x 3 mean; on a flat picture its divergence is 1/9 and its residual (1 - 1/9) Var."""
    return F.avg_pool2d(F.pad(y, (1, 1, 1, 1), mode="circular"), 3, stride=1)


def flat(believed: NoiseModel, true: float = TRUE, value: float = 0.5) -> tuple[Problem, Tensor, Terms]:
    """Return a flat noisy picture, its 3 x 3 mean, and that answer's exact terms."""
    x = np.full((SIZE, SIZE, 1), value, np.float32)
    y = tensor(noisy(x, true))
    problem = Problem(y, torch.ones(1, 1, SIZE, SIZE), believed)
    answer = box(y)
    variance = believed.variance_at_mean(answer)
    return problem, answer, Terms((answer - y).square(), variance / 9, variance, problem.mask)


@pytest.mark.parametrize("believed", [1.1, 1.3, 2.0])
def test_a_level_found_too_high_is_put_right(believed: float) -> None:
    """Believed with little conviction, so that the residual decides: the level is the true one within 3 %."""
    found = refine(*flat(Gaussian(believed * TRUE, relative_error=10.0)))
    assert isinstance(found, Gaussian)
    assert found.sigma == pytest.approx(TRUE, rel=0.03)
    assert 0 < found.relative_error < 0.1


def test_the_answer_lies_between_the_two_by_their_errors() -> None:
    """factor = (a + b f) / (a + b), a and b the inverse squared errors; the error is what both leave."""
    sure, unsure = (refine(*flat(Gaussian(1.3 * TRUE, relative_error=e))) for e in (0.02, 0.2))
    assert TRUE * 1.02 < sure.sigma < 1.3 * TRUE
    assert TRUE * 0.97 < unsure.sigma < sure.sigma
    free = refine(*flat(Gaussian(1.3 * TRUE, relative_error=1e3)))
    factor, error = (free.sigma / (1.3 * TRUE)) ** 2, free.relative_error
    a, b = 0.02**-2, error**-2
    assert (sure.sigma / (1.3 * TRUE)) ** 2 == pytest.approx((a + b * factor) / (a + b), rel=1e-3)
    assert sure.relative_error == pytest.approx((a + b) ** -0.5, rel=1e-3)


def test_a_larger_residual_is_not_believed() -> None:
    """Texture that the denoiser flattened adds to the residual; noise never takes away from it."""
    believed = Gaussian(0.7 * TRUE, relative_error=10.0)
    assert refine(*flat(believed)) is believed


def test_noise_that_was_given_stays() -> None:
    believed = Gaussian(2 * TRUE)
    assert refine(*flat(believed)) is believed


@pytest.mark.parametrize(
    "believed",
    [Unknown(2 * TRUE, relative_error=1.0), Correlated(2 * TRUE, ((1.0, 1.0),), relative_error=1.0)],
    ids=lambda model: model.kind,
)
def test_noise_without_a_white_variance_stays(believed: NoiseModel) -> None:
    assert refine(*flat(believed)) is believed


def test_poisson_and_speckle_are_scaled_in_variance() -> None:
    """Var = gain x + read^2: half the variance is half the gain and read / sqrt 2."""
    believed = PoissonGaussian(4 * TRUE**2 * 0.75, math.sqrt(4 * TRUE**2 * 0.125), relative_error=10.0)
    found = refine(*flat(believed))
    assert isinstance(found, PoissonGaussian)
    ratio = found.gain / believed.gain
    assert ratio == pytest.approx(0.5, rel=0.06)
    assert found.read == pytest.approx(believed.read * math.sqrt(ratio))
    speckle = refine(*flat(Speckle(4 * TRUE, relative_error=10.0)))
    assert isinstance(speckle, Speckle)
    assert speckle.sigma * 0.5 == pytest.approx(TRUE, rel=0.04)


def test_the_error_of_the_level_of_speckle_allows_for_dark_texture() -> None:
    picture, answer, terms = coloured(Speckle(2 * TRUE, relative_error=0.001))
    assert refine(picture, answer, terms).relative_error > Speckle(2 * TRUE).texture_error


def test_clipped_pixels_are_left_out() -> None:
    """At white half of the noise is gone, so a residual from there would halve the level."""
    believed = Gaussian(TRUE, relative_error=10.0, clip=(False, True))
    x = np.full((SIZE, SIZE, 1), 0.5, np.float32)
    x[:, SIZE // 2 :] = 1.0
    y = tensor(np.minimum(noisy(x, TRUE), 1))
    problem = Problem(y, torch.ones(1, 1, SIZE, SIZE), believed)
    answer = box(y)
    variance = believed.variance_at_mean(answer)
    terms = Terms((answer - y).square(), variance / 9, variance, problem.mask)
    assert refine(problem, answer, terms).sigma == pytest.approx(TRUE, rel=0.04)
    all_white = flat(believed, value=1.2)
    assert refine(*all_white) is believed


def test_missing_pixels_are_left_out() -> None:
    problem, answer, terms = flat(Gaussian(1.3 * TRUE, relative_error=10.0))
    problem.mask[..., :40, :] = 0
    misfit = terms.misfit.clone()
    misfit[..., :40, :] = 0
    found = refine(problem, answer, Terms(misfit, terms.cross, terms.variance, problem.mask))
    assert found.sigma == pytest.approx(TRUE, rel=0.04)


def coloured(believed: NoiseModel, grey: float = 0.0) -> tuple[Problem, Tensor, Terms]:
    """Return a colour picture with a fine grey pattern of that height, smoothed, and the exact terms of it."""
    x = np.full((SIZE, SIZE, 3), 0.5, np.float32) + grey * np.indices((SIZE, SIZE)).sum(0)[..., None] % 2
    y = tensor(noisy(x.astype(np.float32), TRUE))
    problem = Problem(y, torch.ones(1, 1, SIZE, SIZE), believed)
    draw = Recorruption.draw(problem, 0, 0.05)
    answer = box(y)
    return problem, answer, risk_terms(answer, [(draw, box(draw.yhat))])


@pytest.mark.parametrize("believed", [0.7, 0.9, 1.1, 1.5])
@pytest.mark.parametrize("grey", [0.0, 0.2])
def test_fine_colours_put_the_level_right_whatever_grey_holds(believed: float, grey: float) -> None:
    found = refine(*coloured(Gaussian(believed * TRUE, relative_error=10.0), grey))
    assert found.level == pytest.approx(TRUE, rel=0.03)
    assert found.relative_error < 0.1


def test_colours_that_say_something_else_altogether_are_not_believed() -> None:
    believed = Gaussian(2 * TRUE, relative_error=0.02)
    assert refine(*coloured(believed)) is believed


def test_the_error_of_the_level_allows_for_grain_that_was_there_before() -> None:
    loud, faint = (refine(*coloured(Gaussian(TRUE, relative_error=e))) for e in (10.0, 0.001))
    for found in (loud, faint):
        assert found.relative_error > GRAIN_ERROR / TRUE**2
    assert faint.relative_error < 1.2 * GRAIN_ERROR / TRUE**2


@pytest.mark.parametrize("noise", [Gaussian(TRUE, clip=(True, False)), Speckle(0.4)])
def test_the_variance_allows_for_the_error_of_the_answer_it_is_taken_at(noise: NoiseModel) -> None:
    """Var is curved: what the answer lacks of the picture shifts its mean one way, the noise in it the other."""
    error, flat = 0.03, torch.full((1, 3, 512, 512), 0.06)
    lacks, noisy = (torch.randn(flat.shape, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    truth = flat + error * math.sqrt((1 + LACKING) / 2) * lacks
    answer = flat + error * math.sqrt((1 - LACKING) / 2) * noisy
    ones = torch.ones_like(flat)
    found = calibrate._variance(noise, answer, Terms(ones, error**2 * ones, ones, ones[:, :1])).mean()
    right, plain = (noise.variance_at_mean(at).mean() for at in (truth, answer))
    assert abs(plain - right) > 0.01 * right
    assert abs(found - right) < 0.4 * abs(right - plain)


def test_the_grain_photographs_have_of_their_own_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The share is GRAIN / (variance + GRAIN_FROM), whatever was believed before."""
    believed = Gaussian(0.9 * TRUE, relative_error=1e3)
    bare = refine(*coloured(believed)).level ** 2
    monkeypatch.setattr(calibrate, "GRAIN", 0.0)
    with_grain = refine(*coloured(believed)).level ** 2
    assert bare / with_grain == pytest.approx(1 - GRAIN / (with_grain + GRAIN_FROM), rel=1e-6)
    assert bare < with_grain


def test_the_waves_of_colours_allow_for_holes() -> None:
    """With half of the pixels gone, as much of the variance is expected as the filter gathers from the others."""
    problem, answer, terms = coloured(Gaussian(1.3 * TRUE, relative_error=10.0))
    problem.mask[..., ::2] = 0
    found = refine(problem, answer, terms)
    assert found.level == pytest.approx(TRUE, rel=0.04)
    assert found.relative_error < 0.1


def test_a_natural_picture_is_measured_better_than_before() -> None:
    """With the non-local picture and its Monte-Carlo divergence, from 25 % too high."""
    level = 20 / 255
    believed = Gaussian(1.25 * level, relative_error=0.3)
    y = tensor(noisy(clean(96, 96), level))
    problem = Problem(y, torch.ones(1, 1, 96, 96), believed)

    def denoise(z: Tensor) -> Tensor:
        return denoise_nonlocal(z, believed.sigma**2)

    draw = Recorruption.draw(problem, 0, 0.05)
    answer = denoise(y)
    found = refine(problem, answer, risk_terms(answer, [(draw, denoise(draw.yhat))]))
    assert found.sigma == pytest.approx(level, rel=0.1)
    assert found.relative_error < 0.15
