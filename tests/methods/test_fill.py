"""Missing pixels filled in from similar patches, and what is said of the error."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import clean, psnr
from untaught import rerun
from untaught.methods.inpainting.fill import Fill
from untaught.methods.inpainting.impulse_fill import ImpulseFill
from untaught.methods.inpainting.wide_holes import wide_holes
from untaught.methods.networks.codes import Code
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.untrained.dip import DIP
from untaught.noise import Gaussian
from untaught.operators import Mask
from untaught.operators.filters import filled
from untaught.pipeline.plane.choose_reconstruction import choose_reconstruction
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.pipeline.tasks.inpaint import inpaint
from untaught.problem import Problem, around, part_of
from untaught.risk.cross_validation import SPARSE, risk_of_filling

QUICK = replace(Fill(), pixels=ImpulseFill(patch=5, group=40, radius=10, passes=2, shrinkage=0.003, floor=5e-6))


def quick(problem: Problem) -> Tensor:
    return QUICK.solve(problem).image


def picture(side: int = 64) -> Tensor:
    return torch.from_numpy(clean(side, side, 1).transpose(2, 0, 1).copy())[None]


def kept(share: float = 0.5, side: int = 64) -> Tensor:
    drawn = np.random.default_rng(0).random((side, side)) < share
    return torch.from_numpy(drawn).float()[None, None]


def problem_of(mask: Tensor, x: Tensor | None = None, sigma: float = 0.0) -> Problem:
    x = picture(mask.shape[-1]) if x is None else x
    noise = sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    return Problem(filled(x + noise, mask), mask, Gaussian(sigma))


def holed(side: int = 64, size: int = 20) -> Tensor:
    mask = torch.ones(1, 1, side, side)
    mask[..., 20 : 20 + size, 20 : 20 + size] = 0
    return mask


def error(x: Tensor, estimate: Tensor) -> float:
    return float((estimate - x).square().mean())


def test_patches_fill_in_better_than_interpolation() -> None:
    problem, x = problem_of(kept()), picture()
    found = QUICK.solve(problem).image
    assert error(x, found) < 0.6 * error(x, problem.y)
    assert torch.equal(found[problem.mask > 0], problem.y[problem.mask > 0])


def test_channels_that_are_missing_apart_help_each_other() -> None:
    x = torch.from_numpy(clean(48, 48).transpose(2, 0, 1).copy())[None]
    mask = torch.zeros_like(x)
    for channel, (row, column) in enumerate([(0, 0), (0, 1), (1, 1)]):
        mask[:, channel, row::2, column::2] = 1
    mask[:, 1, 1::2, ::2] = 1
    problem = Problem(filled(x, mask), mask, Gaussian(0.0))
    assert error(x, Fill().solve(problem).image) < 0.7 * error(x, problem.y)


def test_the_colours_of_a_pixel_are_filled_in_together() -> None:
    x = torch.from_numpy(clean(48, 48).transpose(2, 0, 1).copy())[None]
    mask = kept(side=48)
    problem = Problem(filled(x, mask), mask, Gaussian(0.0))
    found = QUICK.solve(problem).image
    assert error(x, found) < 0.75 * error(x, problem.y)
    assert torch.equal(found * mask, x * mask)


def test_noise_is_taken_away_from_what_is_filled_in() -> None:
    problem, x = problem_of(kept(0.8), sigma=0.1), picture()
    assert error(x, QUICK.solve(problem).image) < 0.25 * 0.1**2


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_the_estimated_error_is_near_the_true_one(share: float) -> None:
    problem, x = problem_of(kept(share)), picture()
    risk = risk_of_filling(quick, problem, 0)
    assert risk is not None
    true = error(x, QUICK.solve(problem).image)
    assert abs(risk.value - true) < 2 * risk.error
    assert abs(10 * math.log10(risk.value / true)) < 3


def test_few_missing_pixels_are_judged_by_as_many_of_their_shape() -> None:
    mask = torch.ones(1, 1, 64, 64)
    mask[..., 10:14, 8:40] = 0
    assert 1 - float(mask.mean()) < SPARSE
    assert risk_of_filling(quick, problem_of(mask), 0) is not None


def test_nothing_is_said_when_there_is_no_time() -> None:
    problem = problem_of(kept())
    short = inpaint(np.asarray(problem.y[0, 0]), problem.mask[0, 0].numpy(), method=QUICK, time_limit=1e-6)
    assert short.psnr is None
    assert any("the same time again" in note for note in short.notes)


def test_nothing_is_said_of_a_hole_that_nothing_is_like() -> None:
    mask = torch.ones(1, 1, 64, 64)
    mask[..., 4:56, 4:56] = 0
    assert risk_of_filling(quick, problem_of(mask), 0) is None


def test_a_hole_is_wide_by_its_depth() -> None:
    mask = holed() * kept(0.9)
    mask[..., 50:53, :] = 0  # long, but thin
    wide = wide_holes(mask, 5.0)
    assert wide[0, 0, 20:40, 20:40].min() == 1
    assert wide[0, 0, 50:53].max() == 0
    assert wide_holes(torch.ones_like(mask), 5.0).max() == 0
    assert wide_holes(torch.zeros_like(mask), 5.0).max() == 0


@pytest.mark.parametrize(
    ("mask", "names"), [(kept(), ["fill"]), (holed(), ["fill", "dip"])], ids=["pixels", "hole"]
)
def test_a_network_is_asked_for_wide_holes_alone(mask: Tensor, names: list[str]) -> None:
    plan = choose_reconstruction(problem_of(mask), Task("inpaint", Mask(mask)), Request())
    assert [method.name for method in plan.order] == names
    assert (plan.holes is None) == (len(names) == 1)


def test_a_wide_hole_is_drawn_by_the_network_and_a_recipe_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    small = DIP(steps=12, shape=HourglassShape(width=8, depth=2, skip=4), code=Code(random=4, octaves=4))
    monkeypatch.setattr(DIP, "reconstruction", lambda: small)
    hole = holed(36, 13)
    mask = (hole * kept(0.8, 36))[0, 0].numpy()
    y = (np.rint(clean(36, 36, 1)[..., 0] * 255) * mask).astype(np.uint8)
    result = inpaint(y, mask, noise="gaussian:0")
    assert (result.method, result.psnr) == ("dip", None)
    assert [part.method for part in result.candidates] == ["fill", "dip"]
    assert np.array_equal(rerun(result.recipe, result.input).image, result.image)
    alone = inpaint(y, mask, noise="gaussian:0", method="fill").image
    wide = wide_holes(torch.from_numpy(mask)[None, None], 5.0)[0, 0].numpy() > 0
    assert np.array_equal(result.image[~wide], alone[~wide])
    assert not np.array_equal(result.image[wide], alone[wide])
    short = inpaint(y, mask, noise="gaussian:0", time_limit=1e-3)
    assert short.method == "fill"
    assert "time was over" in short.why


def test_inpainting_says_how_wrong_it_is() -> None:
    mask = kept(side=40)[0, 0].numpy()
    levels = np.rint(clean(40, 40, 1)[..., 0] * 255).astype(np.uint8)
    result = inpaint((levels * mask).astype(np.uint8), mask, method=QUICK, noise="gaussian:0")
    assert result.psnr is not None
    assert abs(result.psnr.value - psnr(result.image, levels, 255)) < 2
    assert np.array_equal(result.image[mask > 0], levels[mask > 0])


def test_the_network_sees_what_is_around_a_hole_and_no_more() -> None:
    mask = torch.ones(1, 1, 60, 80)
    mask[..., 20:30, 40:70] = 0
    window = around(1 - mask, 16)
    assert window[2:] == (slice(4, 46), slice(24, 80))
    problem = Problem(torch.rand(1, 3, 60, 80), mask, Gaussian(0.0))
    part = part_of(problem, window)
    assert torch.equal(part.y, problem.y[..., 4:46, 24:80])
    assert part.mask.shape == (1, 1, 42, 56)
    assert float((1 - part.mask).sum()) == float((1 - mask).sum())
