"""The pixels fitted directly: without a prior, and with total variation."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import clean, noisy, tensor
from untaught.fitting.loop import fit
from untaught.methods.untrained.pixels import ROUNDING, SMOOTH, Pixels, PixelTV, total_variation, tv_weight
from untaught.noise import Gaussian
from untaught.operators import Downsample
from untaught.problem import Problem

SIDE = 24


def halves(sigma: float = 0.0) -> Problem:
    """Return a picture of which every second column is missing."""
    mask = torch.ones(1, 1, SIDE, SIDE)
    mask[..., 1::2] = 0
    return Problem(tensor(clean(SIDE, SIDE)) * mask + 0.5 * (1 - mask), mask, Gaussian(sigma))


def error(problem: Problem, method: Pixels) -> float:
    x = tensor(clean(SIDE, SIDE))
    return float((fit(method, problem, 0).estimate.image - x).square().mean())


def test_without_a_prior_what_is_not_seen_stays_grey() -> None:
    problem = halves()
    image = fit(Pixels(steps=200), problem, 0).estimate.image
    missing = problem.mask.expand_as(image) == 0
    assert bool((image[missing] == 0.5).all())
    assert float((image - problem.y)[~missing].abs().max()) < 0.01


def test_total_variation_fills_in_and_takes_noise_away() -> None:
    assert error(halves(), PixelTV()) < 0.2 * error(halves(), Pixels(steps=200))
    y = tensor(noisy(clean(SIDE, SIDE), 0.1))
    problem = Problem(y, torch.ones(1, 1, SIDE, SIDE), Gaussian(0.1))
    assert error(problem, PixelTV(steps=60)) < 0.6 * error(problem, Pixels(steps=300))


def test_through_an_operator_the_measurement_is_explained() -> None:
    operator = Downsample(2, "bicubic")
    x = tensor(clean(SIDE, SIDE))
    y = operator.A(x)
    problem = Problem(y, torch.ones_like(y[:, :1]), Gaussian(0.0), operator=operator)
    found = fit(PixelTV(steps=60), problem, 0).estimate.image
    assert found.shape == x.shape
    assert float(problem.misfit(found)) < 0.3 * float(problem.misfit(operator.initial(y)))
    assert float((found - x).square().mean()) < float((operator.initial(y) - x).square().mean())


@given(step=st.floats(0.01, 1), at=st.integers(1, SIDE - 1))
@settings(max_examples=20, deadline=None)
def test_total_variation_of_an_edge_is_its_height_times_its_length(step: float, at: int) -> None:
    x = torch.zeros(1, 1, SIDE, SIDE)
    x[..., at:] = step
    flat = (SIDE * SIDE - SIDE) * SMOOTH
    expected = (SIDE * math.hypot(step, SMOOTH) + flat) / SIDE**2
    assert float(total_variation(x)) == pytest.approx(expected, rel=1e-4)
    assert float(total_variation(x.mT)) == pytest.approx(expected, rel=1e-4)


def test_the_weight_follows_noise_and_measurements() -> None:
    problem = halves(0.1)
    assert tv_weight(problem, 10.0) == pytest.approx(2 * 10 * 0.1**2 * 2)
    assert tv_weight(halves(0.0), 10.0) == pytest.approx(2 * 10 * ROUNDING**2 * 2)
