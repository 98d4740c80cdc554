"""Salt and pepper: which values were hit, what is put in their place, and how good it claims to be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.conftest import clean, noisy, psnr, tensor
from untaught import denoise
from untaught.errors import InputError
from untaught.image.plane import Plane
from untaught.methods.inpainting.impulse_fill import ImpulseFill, _by_tiles, filled
from untaught.methods.non_local.block_matching import Grid
from untaught.methods.non_local.compiled_pass import predicted
from untaught.noise import Gaussian, Impulse
from untaught.pipeline.plane.make_problem import denoising_problem
from untaught.pipeline.request import Request
from untaught.problem import Problem

Floats = NDArray[np.float32]


def salted(fraction: float = 0.1, channels: int = 3, size: int = 64) -> tuple[Floats, Floats]:
    """Return a clean picture without black or white, and the same with impulses."""
    x = np.clip(clean(size, size, channels), 1 / 255, 254 / 255)
    return x, Impulse(fraction).sample(x, np.random.default_rng(0))


def test_every_hit_is_found_and_nothing_else() -> None:
    x, y = salted()
    assert np.array_equal(Impulse(0.1).hit(y), x != y)


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_what_is_black_or_white_itself_was_not_hit(end: float) -> None:
    x, _ = salted(channels=1)
    x[16:48, 16:48] = end
    y = Impulse(0.2).sample(x, np.random.default_rng(1))
    hit = Impulse(0.2).hit(y)[..., 0]
    assert not hit[22:42, 22:42][y[22:42, 22:42, 0] == end].any()
    assert hit[22:42, 22:42][y[22:42, 22:42, 0] == 1 - end].all()


@pytest.mark.parametrize(("channels", "least"), [(1, 33.0), (3, 42.0)])
def test_auto_fills_in_salt_and_pepper_and_knows_how_well(channels: int, least: float) -> None:
    x, y = salted(channels=channels)
    result = denoise(np.rint(255 * y).astype(np.uint8))
    assert result.method == "impulse-fill"
    after = psnr(result.image.reshape(x.shape) / 255, x)
    assert after > least
    assert np.array_equal(result.image.reshape(x.shape)[x == y], np.rint(255 * y[x == y]).astype(np.uint8))
    assert result.psnr is not None
    assert abs(result.psnr.value - after) < 2.5


@pytest.mark.parametrize(("channels", "patch"), [(1, 7), (3, 4)])
def test_compiled_code_and_torch_say_the_same(channels: int, patch: int) -> None:
    x, y = salted(0.3, channels)
    grid = Grid(patch, patch, 8, 24).fitted(64, 64)
    known = grid.pad(tensor((x == y).astype(np.float32))[0])
    picture = torch.where(known > 0, grid.pad(tensor(y)[0]), grid.pad(tensor(x)[0]).mean())
    law = 0.01, 1e-4, 5
    by_torch = _by_tiles(grid, picture, known, law, regional=False)
    compiled = predicted(grid, picture, 1 - known, law)
    apart = (by_torch - compiled).abs()[known == 0]  # groups may differ in one patch by rounding
    assert float((apart < 1e-4).float().mean()) > 0.95
    assert float(apart.max()) < 0.02
    assert float((by_torch - picture).abs()[known == 0].mean()) > 0.005


def test_a_channel_is_told_by_the_others() -> None:
    """The rest of a pixel says more of its missing value than its neighbours."""
    x, y = salted(0.2)
    known = torch.from_numpy((x == y).transpose(2, 0, 1)).float()
    whole = known.amin(0, keepdim=True).expand_as(known)
    lost = (known == 0).numpy().transpose(1, 2, 0)
    apart, together = (
        filled(tensor(y)[0], mask, ImpulseFill()).permute(1, 2, 0).numpy() for mask in (known, whole.contiguous())
    )
    assert psnr(apart[lost], x[lost]) > psnr(together[lost], x[lost]) + 3


def test_what_stands_in_missing_places_is_not_looked_at() -> None:
    x, y = salted(0.2)
    known = torch.from_numpy((x == y).transpose(2, 0, 1)).float()
    answers = [
        filled(torch.where(known > 0, tensor(y)[0], torch.tensor(v)), known, ImpulseFill()) for v in (0.0, 9.0)
    ]
    assert torch.equal(*answers)


def test_a_linear_ramp_is_continued_exactly_as_far_as_shrinkage_lets_it() -> None:
    ramp = (np.linspace(0.2, 0.8, 48)[None, :, None] * np.ones((48, 1, 1))).astype(np.float32)
    known = (torch.rand(1, 48, 48, generator=torch.Generator().manual_seed(0)) > 0.3).float()
    found = filled(tensor(ramp)[0] * known, known, ImpulseFill())
    assert float((found - tensor(ramp)[0]).abs().max()) < 0.01


def test_noise_on_what_is_left_is_removed_too() -> None:
    y = noisy(clean())
    mask = (torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) > 0.1).float()
    answer = ImpulseFill().solve(Problem(tensor(y) * mask, mask, Gaussian(25 / 255))).image
    assert psnr(answer[0].permute(1, 2, 0).numpy(), clean()) > psnr(y, clean()) + 6


def test_nothing_measured_is_refused() -> None:
    with pytest.raises(InputError, match="no value of the picture was measured"):
        filled(torch.zeros(1, 16, 16), torch.zeros(1, 16, 16), ImpulseFill())


def test_pixels_that_were_hit_as_a_whole_are_missing_as_a_whole() -> None:
    """What is held out to tell the error is then whole pixels too, which are harder to predict."""
    x, _ = salted()
    rng = np.random.default_rng(1)
    hit = rng.random(x.shape[:2]) < 0.1
    y = np.where(hit[..., None], rng.integers(0, 2, (64, 64, 1)), x).astype(np.float32)
    assert np.array_equal(Impulse(0.1).hit(y), hit[..., None])
    result = denoise(y)
    assert result.psnr is not None
    assert abs(result.psnr.value - psnr(result.image, x)) < 2


def test_methods_that_ignore_the_mask_do_not_see_what_was_hit() -> None:
    rng = np.random.default_rng(0)
    x = np.full((48, 48, 1), 0.5, np.float32) + 0.2 * np.linspace(0, 1, 48, dtype=np.float32)[:, None]
    y = np.where(rng.random(x.shape) < 0.05, rng.integers(0, 2, x.shape), x).astype(np.float32)
    problem, _ = denoising_problem(Plane(y, np.zeros(y.shape[:2], bool), 0, ""), Request(noise=Impulse(0.05)))
    hit = problem.mask == 0
    assert 0.01 < float(hit.float().mean()) < 0.1
    assert float(problem.y.min()) > 0.4
    assert float(problem.y.max()) < 0.8


def test_highlights_in_all_channels_are_not_taken_for_hits() -> None:
    rng = np.random.default_rng(0)
    x = np.full((64, 64, 3), 0.6, np.float32)
    lights = rng.random((64, 64)) < 0.02  # single white pixels, as on foil or water
    x[lights] = 1
    y = np.where(rng.random(x.shape) < 0.09, rng.integers(0, 2, x.shape), x).astype(np.float32)
    hit = Impulse(0.09).hit(y)
    white = lights & (y == 1).all(2)
    assert white.sum() > 40
    assert not hit[white].any()
    assert hit[(y != x) & ~lights[..., None]].mean() > 0.99
