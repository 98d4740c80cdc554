"""Scales, mixtures of least risk, and the non-local picture over several scales."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft
from skimage import data
from torch import Tensor
from torch.nn import functional as F

from untaught.methods.non_local.dct_pyramid import _cosines, bands, enlarged, halved
from untaught.methods.non_local.multiscale import MultiScale, Thorough
from untaught.methods.non_local.single_scale import STANDARD, WIDE, NonLocal, Stage
from untaught.noise import Correlated, Gaussian, Impulse, NoiseModel, PoissonGaussian, Speckle
from untaught.problem import Problem
from untaught.risk.sure import Recorruption
from untaught.risk.sure_let import Part, differences, mixed, weights

QUICK = (Stage("sure", 7, 12, step=5, radius=8), Stage("wiener", 5, 32, step=5, radius=8))
SIDES = st.integers(8, 33)


def _noise(shape: tuple[int, ...], seed: int, sigma: float = 1.0) -> Tensor:
    return sigma * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _picture(name: str, side: int = 128) -> Tensor:
    values = np.asarray(getattr(data, name)(), np.float32) / 255
    values = values[:side, :side] if values.ndim == 3 else values[:side, :side, None]
    return torch.from_numpy(values.transpose(2, 0, 1).copy())[None]


def _mse(a: Tensor, b: Tensor) -> float:
    return float((a - b).square().mean())


@given(SIDES, SIDES)
@settings(max_examples=20, deadline=None)
def test_the_halved_picture_is_what_the_enlarged_one_came_from(height: int, width: int) -> None:
    small = _noise((1, 2, -(-height // 2), -(-width // 2)), height)
    again = halved(enlarged(small, (height, width)))
    assert torch.allclose(again, small, atol=1e-5)


def test_cosines_by_matrices_are_those_of_the_library() -> None:
    x = _noise((2, 21, 34), 0)
    found = _cosines(21, x) @ x @ _cosines(34, x).T
    expected = fft.dctn(x.double().numpy(), axes=(1, 2), norm="ortho")
    torch.testing.assert_close(found, torch.from_numpy(expected).float(), rtol=0, atol=1e-5)


@given(SIDES, SIDES)
@settings(max_examples=20, deadline=None)
def test_halving_keeps_the_mean(height: int, width: int) -> None:
    x = 3 + _noise((1, 1, height, width), width)
    assert float(halved(x).mean()) == pytest.approx(float(x.mean()), abs=1e-4)


def test_white_noise_stays_white_with_a_quarter_of_its_variance() -> None:
    small = halved(_noise((1, 3, 256, 256), 0))
    assert float(small.var()) == pytest.approx(0.25, rel=0.03)
    assert abs(float((small[..., 1:] * small[..., :-1]).mean())) < 0.01 * 0.25 * 2


def test_bands_are_orthogonal_and_add_up() -> None:
    x = _noise((1, 2, 41, 64), 1)
    parts = bands(x, (0.1, 0.4, 1.01))
    assert torch.allclose(torch.stack(parts).sum(0), x, atol=1e-5)
    assert abs(float((parts[0] * parts[1]).sum())) < 1e-2
    again = bands(parts[1], (0.1, 0.4, 1.01))
    assert torch.allclose(again[1], parts[1], atol=1e-5)
    assert float(again[0].abs().max()) < 1e-5


def _blurred(width: int) -> Part:
    """Return a box mean of y as a part, its movement measured with one probe."""
    problem = _problem()
    draw = Recorruption.draw(problem, 5, 0.05)
    blur = lambda x: F.avg_pool2d(F.pad(x, (width // 2,) * 4, mode="reflect"), width, 1)  # noqa: E731
    answer = blur(problem.y)
    return Part(answer, (replace(draw, p=answer).response(blur(draw.yhat)),))


def _problem(sigma: float = 0.1, side: int = 128) -> Problem:
    clean = _picture("astronaut", side)
    y = clean + _noise(tuple(clean.shape), 3, sigma)
    return Problem(y, torch.ones_like(y[:, :1]), Gaussian(sigma))


def test_mixture_is_nearly_as_good_as_the_best_weights_there_are() -> None:
    problem, clean = _problem(), _picture("astronaut")
    base, other = _blurred(3), _blurred(7)
    found = differences(other, base, lambda x: bands(x, (0.2, 1.01)))
    chosen = mixed(base, found, weights(base, found, problem.y, problem.mask))
    rows = torch.stack([part.image.flatten() for part in found])
    best = torch.linalg.solve(rows @ rows.T, rows @ (clean - base.image).flatten())
    oracle = mixed(base, found, best.tolist())
    assert _mse(oracle.image, clean) < 0.97 * min(_mse(base.image, clean), _mse(other.image, clean))
    assert _mse(chosen.image, clean) < 1.01 * _mse(oracle.image, clean)


def test_mixture_moves_as_its_parts_do() -> None:
    base, other = _blurred(3), _blurred(7)
    found = differences(other, base, lambda x: [x])
    assert torch.allclose(mixed(base, found, [1.0]).cross, other.cross, atol=1e-4)
    half = mixed(base, found, [0.5])
    assert torch.allclose(half.cross, (base.cross + other.cross) / 2, atol=1e-4)
    assert len(half.responses) == 2  # two probes, each once


def test_parts_with_the_same_probe_share_a_response() -> None:
    base, other = _blurred(3), _blurred(7)
    shared = Part(other.image, tuple(replace(r, probe=base.responses[0].probe) for r in other.responses))
    assert len(mixed(base, differences(shared, base, lambda x: [x]), [0.3]).responses) == 1


@pytest.mark.parametrize(("name", "gain"), [("astronaut", 0.97), ("gravel", 1.01)])
def test_scales_help_where_it_is_flat_and_do_no_harm_on_texture(name: str, gain: float) -> None:
    clean = _picture(name)
    y = clean + _noise(tuple(clean.shape), 7, 40 / 255)
    problem = Problem(y, torch.ones_like(y[:, :1]), Gaussian(40 / 255))
    one = NonLocal(QUICK).solve(problem).image
    several = MultiScale(QUICK).solve(problem, 0)
    assert _mse(several.image, clean) < gain * _mse(one, clean)


def test_frozen_maps_give_the_answer_again() -> None:
    problem = _problem()
    found = MultiScale(QUICK).solve(problem, 0)
    assert found.function is not None
    assert found.repilot is not None
    assert torch.allclose(found.function(problem.y), found.image, atol=1e-5)
    variance = torch.full_like(problem.y, 0.01)
    # By rounding, groups here and there take another patch.
    assert float((found.repilot(problem.y, variance) - found.image).square().mean().sqrt()) < 5e-4


def test_small_pictures_have_fewer_scales() -> None:
    problem = _problem(side=100)
    assert torch.equal(MultiScale(QUICK).solve(problem, 0).image, NonLocal(QUICK).solve(problem).image)


def test_correlated_noise_keeps_more_of_its_variance_below() -> None:
    box = np.full((3, 3), 1 / 3)
    clean = torch.full((1, 1, 128, 128), 0.5)
    problem = Problem(clean, torch.ones_like(clean), Correlated(0.1, box))
    draw = Recorruption.draw(problem, 0)
    y = clean + draw.z
    noisy = replace(problem, y=y)
    one = NonLocal(QUICK).solve(noisy).image
    several = MultiScale(QUICK).solve(noisy, 0).image
    assert _mse(several, clean) < 0.8 * _mse(one, clean)


@pytest.mark.parametrize(
    ("noise", "left_out"),
    [(Gaussian(0.1), 1), (PoissonGaussian(0.01, 0.01), 0), (Impulse(0.1), 0), (Speckle(0.2), 0)],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_only_white_noise_spares_the_last_stage_below(noise: NoiseModel, left_out: int) -> None:
    method = MultiScale()
    assert method.below(noise) == method.stages[: len(method.stages) - left_out]
    assert Thorough().below(noise) == Thorough().stages
    assert MultiScale(QUICK).below(noise) == QUICK


def test_shared_noise_is_taken_off_by_larger_patches() -> None:
    assert MultiScale().full(Gaussian(0.1)) == STANDARD
    shared = Correlated(0.1, np.ones((3, 3)) / 9)
    assert MultiScale().full(shared) == WIDE
    assert MultiScale(QUICK).full(shared) == QUICK
