"""The risk once the clipping is undone: weights that depend on the answer, by Monte Carlo."""

from __future__ import annotations

import math

import pytest
import torch

from untaught.noise import Gaussian, Impulse
from untaught.risk.clipping_weight import Weight, undone

NOISE = Gaussian(0.2, clip=(True, True))


@pytest.mark.parametrize("x", [0.0, 0.1, 0.5, 0.95])
@pytest.mark.parametrize("gain", [0.2, 0.7])
def test_a_weight_that_depends_on_the_answer_has_a_tilt(x: float, gain: float) -> None:
    """E w(f) (f - m)^2 = E w sure + w'(f) (2 f - y - m) tau f' for any smooth w and f; no constant may differ."""
    draws = 2_000_000
    noise = torch.randn(draws, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    clean = torch.full_like(noise, x)
    y = (clean + 0.2 * noise).clamp(0, 1)
    m = NOISE.mean(clean)
    f = 0.1 + gain * y
    tau = NOISE.stein_kernel(y, m)
    cross = gain * tau
    w, slope = torch.exp(-4 * f), -4 * torch.exp(-4 * f)
    untilted = w * ((f - y).square() + 2 * cross - tau) - w * (f - m).square()
    gap = untilted + slope * (2 * f - y - m) * cross
    assert float(gap.mean()) == pytest.approx(0, abs=4 * float(gap.std()) / math.sqrt(draws))
    assert abs(float(untilted.mean())) > 8 * float(untilted.std()) / math.sqrt(draws)


def test_the_answer_stands_for_the_mean_it_estimates() -> None:
    """With f = m + d (y - m), 2 f - y - m is (f - y) (1 - 2 d) / (1 - d): exact for such an answer."""
    y = torch.rand(1, 1, 32, 32)
    for d in (0.0, 0.2, 0.45):
        f = 0.3 + d * (y - 0.3)
        tau = torch.full_like(y, 0.01)
        w, slope = torch.exp(-4 * f), -4 * torch.exp(-4 * f)
        exact = w * 0.02 + slope * (2 * f - y - 0.3) * d * tau
        assert torch.allclose(Weight(w, slope * (f - y)).of(torch.full_like(y, 0.02), d * tau, tau), exact)


def test_the_weight_is_the_squared_slope_of_undoing_the_clipping() -> None:
    x = torch.linspace(0.05, 0.95, 19).reshape(1, 1, 1, -1).double()
    m, step = NOISE.mean(x), 1e-4
    slope = 2 * step / (NOISE.mean(x + step) - NOISE.mean(x - step))  # of the inverse function
    found = undone(NOISE, m, m + 0.1)
    assert torch.allclose(found.value, slope.square(), rtol=0.03)
    bend = torch.gradient(slope.square()[0, 0, 0], spacing=(m[0, 0, 0],))[0]
    assert found.tilt is not None
    assert torch.allclose(found.tilt[0, 0, 0, 1:-1], -0.1 * bend[1:-1], rtol=0.25, atol=0.1)
    assert float(found.tilt[..., 1]) > 0 > float(found.tilt[..., -2])  # steep at both ends, and f - y = -0.1


@pytest.mark.parametrize("noise", [Gaussian(0.1), Impulse(0.1)], ids=["not clipped", "impulse"])
def test_nothing_is_weighted_where_nothing_is_undone(noise: Gaussian | Impulse) -> None:
    image = torch.rand(1, 3, 8, 8)
    found = undone(noise, image, image + 0.1)
    assert found.tilt is None
    assert torch.equal(found.value, torch.ones_like(image))


@pytest.mark.parametrize("clip", [(True, False), (False, True), (True, True)])
def test_a_hot_pixel_is_weighted_as_any_far_value_and_changes_no_other(clip: tuple[bool, bool]) -> None:
    noise = Gaussian(0.2, clip=clip)
    image = torch.linspace(-0.5, 6.0, 1024).reshape(1, 1, 32, 32)
    hot = image.clone()
    hot[..., 0, 0], hot[..., 5, 5] = -1e12, 1e12
    plain, found = undone(noise, image, image + 0.1), undone(noise, hot, hot + 0.1)
    same = hot == image
    assert torch.allclose(found.value[same], plain.value[same], atol=2e-3)
    assert found.value[~same].tolist() == pytest.approx([float(not end) for end in clip], abs=1e-3)
