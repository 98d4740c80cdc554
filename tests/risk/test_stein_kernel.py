"""Stein's identity for clipped noise, by Monte Carlo."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from untaught.noise import Gaussian, NoiseModel, PoissonGaussian

DRAWS = 1_000_000
FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "y": (lambda y: y, torch.ones_like),
    "y^3": (lambda y: y**3, lambda y: 3 * y**2),
    "sin 6y": (lambda y: (6 * y).sin(), lambda y: 6 * (6 * y).cos()),
}
NOISES: dict[str, NoiseModel] = {
    "both ends": Gaussian(0.15, clip=(True, True)),
    "white only": Gaussian(0.15, clip=(False, True)),
    "signal-dependent": PoissonGaussian(0.02, 0.05, clip=(True, True)),
    "not clipped": Gaussian(0.15),
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("x", [0.02, 0.3, 0.97])
@pytest.mark.parametrize("law", NOISES)
def test_the_identity_holds(law: str, x: float, function: str) -> None:
    noise, (g, slope) = NOISES[law], FUNCTIONS[function]
    draws = torch.randn(DRAWS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    clean = torch.full_like(draws, x)
    y = clean + noise.std(clean) * draws
    low, high = noise.clip
    y = y.clamp(0.0 if low else None, 1.0 if high else None) if low or high else y
    mean = noise.mean(clean)
    products = (y - mean) * g(y)
    expected = float(products.mean())
    found = float((noise.stein_kernel(y, mean) * slope(y)).mean())
    error = float(products.std()) / DRAWS**0.5
    assert found == pytest.approx(expected, abs=5 * error)


def test_a_value_that_was_cut_has_no_weight() -> None:
    noise = Gaussian(0.1, clip=(True, True))
    y = torch.tensor([0.0, 0.5, 1.0])
    tau = noise.stein_kernel(y, torch.tensor([0.1, 0.5, 0.9]))
    assert tau[0] == tau[2] == 0
    assert float(tau[1]) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("x", [0.02, 0.3, 0.97])
@pytest.mark.parametrize("photons", [5, 12, 25])
def test_few_photons_have_a_kernel_of_their_own(photons: int, x: float, function: str) -> None:
    """With differences over a count the identity is exact; tau is what those are multiplied by."""
    gain, g = 1 / photons, FUNCTIONS[function][0]
    noise = PoissonGaussian(gain, 0.0, clip=(False, True))
    light = torch.full((DRAWS // 10,), x / gain, dtype=torch.float64)
    y = (gain * torch.poisson(light, generator=torch.Generator().manual_seed(2))).clamp(max=1.0)
    mean = noise.mean(torch.full_like(y, x))
    products = (y - mean) * g(y)
    slope = (g((y + gain).clamp(max=1.0)) - g(y)) / ((y + gain).clamp(max=1.0) - y).clamp_min(1e-9)
    found = (noise.stein_kernel(y, mean) * slope).mean()
    error = float(products.std()) / len(y) ** 0.5
    assert float(found) == pytest.approx(float(products.mean()), abs=5 * error)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("x", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("offset", [-0.25, -0.31])
def test_counts_that_were_cut_at_black_have_one_weight(offset: float, x: float, function: str) -> None:
    """From black the next value is not a count away, but where the first count that was not cut lies."""
    gain, g = 0.1, FUNCTIONS[function][0]
    noise = PoissonGaussian(gain, 0.0, offset, clip=(True, False))
    light = torch.full((DRAWS // 10,), (x - offset) / gain, dtype=torch.float64)
    y = (offset + gain * torch.poisson(light, generator=torch.Generator().manual_seed(2))).clamp(min=0.0)
    mean = noise.mean(torch.full_like(y, x))
    products = (y - mean) * g(y)
    first = offset + gain * math.ceil(-offset / gain)
    following = torch.where(y > 0, y + gain, first)
    slope = (g(following) - g(y)) / (following - y)
    found = (noise.stein_kernel(y, mean) * slope).mean()
    error = float(products.std()) / len(y) ** 0.5
    assert float(found) == pytest.approx(float(products.mean()), abs=5 * error)
