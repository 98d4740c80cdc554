"""Risk without ground truth: unbiased against the true error, whatever the black box."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.conftest import SIGMA, clean, noisy, tensor
from untaught.methods.base import Problem
from untaught.noise import Gaussian, PoissonGaussian
from untaught.risk import Recorruption, Risk, risk_terms, summarise, to_interval


def box(x: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def soft(x: Tensor) -> Tensor:
    """Return a non-linear black box: shrink what differs from the local mean."""
    mean = box(x)
    return mean + F.softshrink(x - mean, 0.1)


@pytest.mark.parametrize("black_box", [box, soft, lambda x: x, torch.zeros_like], ids=["box", "soft", "id", "zero"])
@pytest.mark.parametrize("alpha", [0.25, 0.5, 1.0])
def test_recorrupted_risk_is_unbiased(black_box, alpha: float) -> None:
    """Mean over noise draws of estimate minus true error is zero within three standard errors."""
    x = tensor(clean())
    gaps = []
    for seed in range(40):
        y = tensor(noisy(clean(), seed=seed))
        problem = Problem(y, torch.ones(1, 1, 64, 64), Gaussian(SIGMA))
        draw = Recorruption.draw(problem, 1000 + seed, alpha)
        f = black_box(draw.yhat)
        gaps.append(draw.risk(f) - float((f - x).square().mean()))
    error = np.std(gaps) / math.sqrt(len(gaps))
    assert abs(np.mean(gaps)) < 3 * error + 1e-9
    assert error < 0.1 * SIGMA**2


def test_recorruptions_are_independent() -> None:
    """E <yhat - x, ytilde - x> = 0: the constant in front of z matters."""
    x = tensor(clean(96, 96))
    products = []
    for seed in range(30):
        y = tensor(noisy(clean(96, 96), seed=seed))
        draw = Recorruption.draw(Problem(y, torch.ones(1, 1, 96, 96), Gaussian(SIGMA)), 500 + seed, 0.5)
        products.append(float(((draw.yhat - x) * (draw.ytilde - x)).mean()) / SIGMA**2)
    error = np.std(products) / math.sqrt(len(products))
    assert abs(np.mean(products)) < 3 * error
    assert error < 0.02


def test_signal_dependent_noise_is_recorrupted_with_its_own_variance() -> None:
    noise = PoissonGaussian(0.02, 0.02)
    x = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64, 1)
    problem = Problem(tensor(x), torch.ones(1, 1, 64, 64), noise, pilot=tensor(x))
    z = Recorruption.draw(problem, 0).z
    bright = x.transpose(2, 0, 1)[None] > 0.5
    ratio = float(z[torch.from_numpy(bright)].var() / z[torch.from_numpy(~bright)].var())
    assert ratio == pytest.approx((0.02 * 0.75 + 0.0004) / (0.02 * 0.25 + 0.0004), rel=0.15)


def test_missing_pixels_do_not_count(problem: Problem) -> None:
    mask = torch.ones_like(problem.mask)
    mask[..., :32, :] = 0
    draw = replace(Recorruption.draw(problem, 0), mask=mask)
    f = box(draw.yhat)
    spoiled = f.clone()
    spoiled[..., :32, :] = 1e3
    assert draw.risk(spoiled) == pytest.approx(draw.risk(f), rel=1e-6)


def test_summary_covers_the_truth() -> None:
    """The 90 % interval of a fixed black box holds its true error in most of 60 draws."""
    x = tensor(clean())
    hits = 0
    for seed in range(60):
        y = tensor(noisy(clean(), seed=seed))
        draw = Recorruption.draw(Problem(y, torch.ones(1, 1, 64, 64), Gaussian(SIGMA)), 2000 + seed)
        f = box(draw.yhat)
        found = summarise(risk_terms(f, [(draw, f)]), torch.ones_like(f), 0.0)
        truth = float((f - x).square().mean())
        hits += abs(found.value - truth) < 1.645 * found.error
    assert 46 <= hits <= 60


def test_interval_is_ordered_and_finite() -> None:
    interval = to_interval(Risk(1e-3, 1e-2), 1e-2, "white noise")
    assert interval.value == pytest.approx(30.0)
    assert interval.low < interval.value < interval.high < 40
    assert "30.0 dB" in str(interval)
