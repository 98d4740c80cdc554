"""Plug and play: any linear operator undone with the prior of similar patches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import clean
from untaught import InputError
from untaught.methods.non_local.multiscale import MultiScale
from untaught.methods.non_local.single_scale import Stage
from untaught.methods.plug_and_play import PlugAndPlay, fitted, ladder
from untaught.noise import Gaussian
from untaught.operators import (
    Blur,
    Downsample,
    Fourier,
    Function,
    Operator,
    StructuredCompression,
    cartesian_mask,
)
from untaught.pipeline.plane.choose_reconstruction import choose_reconstruction
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.problem import Problem

SIDE = 48
QUICK = PlugAndPlay(steps=8, stage=Stage("wiener", 5, 32, step=5, radius=10))
BOX = Blur(torch.ones(5, 5) / 25, "reflect")
OPERATORS: dict[str, Operator] = {
    "upscale": Downsample(2, "bicubic"),
    "deblur": BOX,
    "compression": StructuredCompression((1, SIDE, SIDE), 1500),
}


def picture(channels: int = 1) -> Tensor:
    return torch.from_numpy(clean(SIDE, SIDE, channels).transpose(2, 0, 1).copy())[None]


def problem_of(operator: Operator, sigma: float = 0.0) -> Problem:
    y = operator.A(picture())
    noise = sigma * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(y)
    return Problem(y + noise, mask, Gaussian(sigma), operator=operator)


def error(estimate: Tensor) -> float:
    return float((estimate - picture()).square().mean())


@pytest.mark.parametrize("sigma", [0.0, 0.02])
@pytest.mark.parametrize("name", OPERATORS)
def test_the_answer_is_nearer_than_what_one_starts_from(name: str, sigma: float) -> None:
    problem = problem_of(OPERATORS[name], sigma)
    gain = 0.9 if name == "upscale" else 0.6
    assert error(QUICK.solve(problem).image) < gain * error(problem.initial())


def test_the_data_step_solves_its_equation() -> None:
    """A* m (A z - y) + r (z - x) = 0, for a mask too."""
    problem = problem_of(BOX)
    problem = replace(problem, mask=(torch.rand(problem.mask.shape, generator=torch.manual_seed(0)) < 0.7).float())
    x, r = torch.full_like(picture(), 0.5), 0.05
    z = fitted(problem, x, r, 60)
    rest = BOX.A_adjoint(problem.mask * (BOX.A(z) - problem.y)) + r * (z - x)
    assert float(rest.abs().max()) < 1e-4
    mask = problem.mask
    direct = fitted(Problem(picture(), mask, Gaussian(0.0)), x, r, 1)
    assert torch.allclose(direct, (mask * picture() + r * x) / (mask + r), atol=1e-6)


def test_a_picture_that_was_measured_whole_is_denoised() -> None:
    y = picture(3) + 0.1 * torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    problem = Problem(y, torch.ones(1, 1, SIDE, SIDE), Gaussian(0.1))
    assert torch.equal(QUICK.solve(problem).image, MultiScale().solve(problem).image)


def test_missing_pixels_are_filled_in() -> None:
    mask = torch.from_numpy(np.random.default_rng(0).random((1, 1, SIDE, SIDE)) < 0.7).float()
    start = torch.where(mask > 0, picture(), 0.5)
    found = QUICK.solve(Problem(start, mask, Gaussian(0.0))).image
    assert error(found) < 0.1 * error(start)


def test_an_operator_without_an_adjoint_is_refused() -> None:
    operator = Function(lambda x: x.square(), (1, SIDE, SIDE))
    with pytest.raises(InputError, match="has none"):
        QUICK.solve(Problem(picture(), torch.ones(1, 1, SIDE, SIDE), Gaussian(0.0), operator=operator))
    with pytest.raises(InputError, match="goes nowhere"):
        PlugAndPlay(end=0.0)


def test_auto_leaves_fourier_sampling_to_the_network() -> None:
    operator = Fourier(cartesian_mask(SIDE, SIDE, 4))
    plan = choose_reconstruction(problem_of(operator), Task("restore", operator), Request())
    assert [method.name for method in plan.order] == ["pixel-tv", "dip"]


def test_fewer_steps_are_taken_when_there_is_little_time() -> None:
    problem = problem_of(OPERATORS["upscale"])
    assert QUICK.within(problem, 1e-6).steps < PlugAndPlay().within(problem, 1e9).steps == PlugAndPlay().steps


def test_what_is_enlarged_much_is_made_at_lower_resolutions_first() -> None:
    operator = Downsample(4, "bicubic")
    problem = problem_of(operator)
    rungs = ladder(problem)
    assert [rung.picture_shape[-1] for rung in rungs] == [SIDE // 2, SIDE]
    assert rungs[-1] is problem
    assert len(ladder(replace(problem, pilot=picture()))) == 1
    assert len(ladder(problem_of(OPERATORS["upscale"]))) == 1
    passes = list(replace(QUICK, steps=2).passes(problem, 0))
    assert {tuple(found.estimate.image.shape) for found in passes} == {(1, 1, SIDE, SIDE)}
    assert Downsample(8, size=(49, 51)).coarser() == Downsample(4, size=(24, 25))
    assert Downsample(6).coarser() == Downsample(3)
    assert Downsample(3).coarser() is None
