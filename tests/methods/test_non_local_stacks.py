"""Planes together: groups that are followed over time, cubes in volumes, and what is said of their error."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import data
from torch import Tensor

from untaught.method import Along, Together, runs_of
from untaught.methods.non_local import stack_parts
from untaught.methods.non_local.motion import Motion
from untaught.methods.non_local.multiscale import MultiScale
from untaught.methods.non_local.noise_covariance import Covariance
from untaught.methods.non_local.over_time import TimeStage, denoise_over_time
from untaught.methods.non_local.single_scale import Stage
from untaught.methods.non_local.through_depth import CubeStage, denoise_volume
from untaught.noise import Gaussian, NoiseModel, PoissonGaussian, Rician, parse_noise
from untaught.problem import Problem
from untaught.risk.sure import common_kernel, terms_of

SIGMA = 25 / 255
QUICK = MultiScale((Stage("sure", 7, 12, step=5, radius=8), Stage("wiener", 5, 32, step=5, radius=8)), scales=1)


@pytest.fixture(autouse=True)
def one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small stacks are otherwise restored five times."""
    monkeypatch.setattr(stack_parts, "MOST_DRAWS", 1)


@cache
def moving(planes: int = 5, channels: int = 1, size: tuple[int, int] = (48, 57), pace: float = 1.7) -> Tensor:
    """A picture that moves down and right by fractions of pixels, (F, C, H, W)."""
    whole = data.astronaut()[40:200, 140:330].astype(np.float32) / 255
    whole = whole if channels == 3 else whole.mean(2, keepdims=True)
    found = [ndimage.shift(whole, (-pace * k, -2 * pace * k, 0), order=3, mode="nearest") for k in range(planes)]
    stack = np.stack(found)[:, : size[0], : size[1]].clip(0, 1)
    return torch.from_numpy(stack.transpose(0, 3, 1, 2).astype(np.float32))


@cache
def ball(planes: int = 12, side: int = 32) -> Tensor:
    """A ball with shells in black, (D, 1, side, side)."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (planes, side, side)), indexing="ij")
    radius = np.sqrt(x * x + y * y + (0.6 * z) ** 2)
    value = np.where(radius < 0.8, 0.5 + 0.3 * np.sign(np.sin(12 * radius + 2 * x)), 0.05)
    return torch.from_numpy(value.astype(np.float32))[:, None]


def noisy(clean: Tensor, sigma: float = SIGMA, seed: int = 0) -> Tensor:
    return clean + sigma * torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))


def problems(y: Tensor, noise: NoiseModel | None = None) -> list[Problem]:
    noise = noise or Gaussian(SIGMA)
    return [Problem(plane, torch.ones_like(plane[:, :1]), noise) for plane in y.split(1)]


def together(y: Tensor, along: Along, noise: NoiseModel | None = None, seed: int = 0) -> Tensor:
    return torch.cat([e.image for e in QUICK.solve_together(problems(y, noise), along, seed)])


def alone(y: Tensor, noise: NoiseModel | None = None) -> Tensor:
    return torch.cat([QUICK.solve(problem, 0).image for problem in problems(y, noise)])


def gain(ours: Tensor, theirs: Tensor, clean: Tensor) -> float:
    """By how many dB `ours` is nearer to the truth."""
    return float(10 * torch.log10((theirs - clean).square().mean() / (ours - clean).square().mean()))


def test_the_method_says_that_it_takes_planes_together() -> None:
    assert isinstance(MultiScale(), Together)
    assert runs_of(MultiScale()).together == ("time", "depth")


@pytest.mark.parametrize(("channels", "least"), [(1, 1.0), (3, 0.7)])
def test_planes_of_a_moving_scene_help_each_other(channels: int, least: float) -> None:
    clean = moving(channels=channels)
    y = noisy(clean)
    assert gain(together(y, "time"), alone(y), clean) > least


def test_what_stands_still_is_averaged() -> None:
    clean = moving()[:1].expand(7, -1, -1, -1)
    y = noisy(clean)
    assert gain(together(y, "time"), alone(y), clean) > 3


def test_unrelated_planes_cost_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_parts, "MOST_DRAWS", 4)
    names = ("camera", "coins", "text", "moon", "page", "clock", "brick")
    planes = [np.asarray(getattr(data, name)(), np.float32)[60:124, 60:140] / 255 for name in names]
    clean = torch.from_numpy(np.stack(planes))[:, None]
    y = noisy(clean)
    assert gain(together(y, "time"), alone(y), clean) > -0.15


def test_a_volume_gains_by_its_depth() -> None:
    clean = ball()
    y = noisy(clean)
    assert gain(together(y, "depth"), alone(y), clean) > 1.5


@pytest.mark.parametrize("along", ["time", "depth"])
def test_one_plane_is_answered_as_by_solve(along: Along) -> None:
    y = noisy(moving()[:1])
    assert torch.equal(together(y, along), alone(y))


@pytest.mark.parametrize("along", ["time", "depth"])
@pytest.mark.parametrize("size", [(2, 1, 11, 64), (3, 3, 17, 9), (5, 2, 30, 31), (2, 1, 1, 1)])
def test_odd_sizes_and_few_planes(along: Along, size: tuple[int, ...]) -> None:
    clean = torch.linspace(0, 1, size[3]).expand(size).contiguous()
    found = together(noisy(clean), along)
    assert found.shape == size
    assert bool(torch.isfinite(found).all())


@pytest.mark.parametrize("along", ["time", "depth"])
def test_the_number_of_threads_changes_nothing(along: Along) -> None:
    y = noisy(moving(4) if along == "time" else ball(8))
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(together(y, along))
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(*found, rtol=0, atol=1e-6)  # weights are sums that torch shares out


@pytest.mark.parametrize("along", ["time", "depth"])
def test_a_plane_of_zeros_stays_one_and_harms_no_other(along: Along) -> None:
    clean = moving()
    y = noisy(clean)
    y[3] = 0
    found = together(y, along)
    assert float(found[3].abs().max()) < 0.02
    rest = [k for k in range(5) if k != 3]
    assert gain(found[rest], alone(y[rest]), clean[rest]) > 0.3


@pytest.mark.parametrize("along", ["time", "depth"])
def test_errors_are_told_plane_by_plane(along: Along) -> None:
    clean = moving() if along == "time" else ball()
    given = problems(noisy(clean))
    found = QUICK.solve_together(given, along, 0)
    told, true = [], []
    for problem, estimate, x in zip(given, found, clean.split(1), strict=True):
        terms = terms_of(estimate.image, estimate.responses, problem, common_kernel(problem, estimate.image))
        assert terms.sure.shape == problem.y.shape
        told.append(float(terms.sure.mean()))
        true.append(float((estimate.image - x).square().mean()))
    assert np.mean(told) == pytest.approx(np.mean(true), abs=0.04 * SIGMA**2)
    assert np.abs(np.subtract(told, true)).max() < 0.15 * SIGMA**2  # of one plane, by chance


@pytest.mark.parametrize("along", ["time", "depth"])
def test_the_divergence_is_that_of_the_map_of_a_plane(along: Along) -> None:
    given = problems(noisy(moving(4)))
    estimate = QUICK.solve_together(given, along, 0)[1]
    assert estimate.function is not None
    y = given[1].y
    assert torch.allclose(estimate.function(y), estimate.image, atol=1e-6)
    measured = sum(float((r.probe * r.moved).mean()) for r in estimate.responses) / SIGMA**2
    z = torch.randn(y.shape, generator=torch.Generator().manual_seed(7))
    step = 0.05 * SIGMA
    brute = float((z * (estimate.function(y + step * z) - estimate.image)).mean()) / step
    assert measured == pytest.approx(brute, abs=0.05)


def test_what_is_masked_has_no_say_in_the_weights() -> None:
    y = noisy(moving(4))
    hidden = torch.ones_like(y[:1, :1])
    hidden[..., 20:40, 20:40] = 0
    given = problems(y)
    given[2] = replace(given[2], mask=hidden)
    found = QUICK.solve_together(given, "time", 0)
    assert bool(torch.isfinite(torch.cat([e.image for e in found])).all())


@pytest.mark.parametrize("along", ["time", "depth"])
@pytest.mark.parametrize("noise", [PoissonGaussian(0.02, 0.01), parse_noise("correlated:20,0.5")])
def test_other_laws(along: Along, noise: NoiseModel) -> None:
    clean = moving()
    drawn = [
        noise.sample(x[0].permute(1, 2, 0).numpy(), np.random.default_rng(k)) for k, x in enumerate(clean.split(1))
    ]
    y = torch.from_numpy(np.stack(drawn).astype(np.float32)).permute(0, 3, 1, 2).contiguous()
    assert gain(together(y, along, noise), alone(y, noise), clean) > 0.2


def test_magnitudes_are_estimated_in_the_mean() -> None:
    noise, clean = Rician(0.1), ball()
    y = torch.from_numpy(noise.sample(clean.numpy(), np.random.default_rng(0)).astype(np.float32))
    ours, theirs = (noise.unclip(f(y, noise)) for f in (lambda y, n: together(y, "depth", n), alone))
    assert gain(ours, theirs, clean) > 1.5
    assert abs(float((ours - clean)[clean < 0.1].mean())) < 0.02


def test_motion_is_found_and_followed() -> None:
    clean = moving(3, size=(96, 96), pace=3.0)
    found = Motion.of(noisy(clean, 0.02) / 0.05)
    for field, way in ((found.after[:2], 1), (found.before[1:], -1)):
        near = np.abs(field[:, 3:-3, 3:-3] + way * np.array([3, 6])).max(-1) <= 1
        assert near.mean() > 0.9
    assert not found.after[2].any()
    assert not found.before[0].any()


def test_far_motion_is_found_from_coarse_to_fine() -> None:
    whole = torch.from_numpy(np.asarray(data.camera(), np.float32) / 255)
    planes = torch.stack([whole[100:260, 100:260], whole[118:278, 131:291]])[:, None]
    field = Motion.of(planes / 0.05).after[0]
    assert np.median(np.abs(field[6:-6, 10:-6] + np.array([18, 31]))) <= 1


@pytest.mark.parametrize("planes", [2, 3, 7])
def test_stages_take_as_many_planes_as_there_are(planes: int) -> None:
    y = noisy(moving(7)[:planes])
    law = torch.full((1, 1, 1, 1), SIGMA**2)
    over = denoise_over_time(y, lambda _: law, y, (TimeStage(6, 8, 6, radius=4, reach=2),))
    through = denoise_volume(
        y, lambda _: law, (CubeStage("sure", 5, 16, 4, radius=4), CubeStage("ridge", 4, 16, 3))
    )
    assert over.shape == through.shape == y.shape
    assert bool(torch.isfinite(over).all())
    assert bool(torch.isfinite(through).all())


def test_cubes_know_that_planes_share_no_noise() -> None:
    noise = parse_noise("correlated:25,1")
    assert noise is not None
    clean = ball(8)
    drawn = np.concatenate(
        [
            noise.sample(x[0].permute(1, 2, 0).numpy(), np.random.default_rng(k))[None]
            for k, x in enumerate(clean.split(1))
        ]
    )
    y = torch.from_numpy(drawn.astype(np.float32)).permute(0, 3, 1, 2).contiguous()
    law = torch.full((1, 1, 1, 1), noise.level**2)
    shared = Covariance.of(noise, y[:1])
    stages = (CubeStage("sure", 5, 32, 3, radius=4), CubeStage("wiener", 4, 32, 3, radius=4))
    knowing, believing = (denoise_volume(y, lambda _: law, stages, covariance=c) for c in (shared, None))
    assert gain(knowing, believing, clean) > 0.5
