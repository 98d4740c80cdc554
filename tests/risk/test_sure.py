"""Risk without ground truth: unbiased against the true error, whatever the black box."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.conftest import SIGMA, clean, noisy, tensor
from untaught.noise import Correlated, Gaussian, PoissonGaussian
from untaught.problem import Problem
from untaught.risk.estimate import Z90, Risk, estimate_risk, mean_of, sample_mean, spanning, to_interval, together
from untaught.risk.sure import Recorruption, Terms, risk_terms

BlackBox = Callable[[Tensor], Tensor]


def problem_of(seed: int) -> Problem:
    """Return a 64 x 64 colour problem whose noise is drawn from `seed`."""
    return Problem(tensor(noisy(clean(), seed=seed)), torch.ones(1, 1, 64, 64), Gaussian(SIGMA))


def box(x: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def soft(x: Tensor) -> Tensor:
    """Return a non-linear black box: shrink what differs from the local mean."""
    mean = box(x)
    return mean + F.softshrink(x - mean, 0.1)


@pytest.mark.parametrize(
    "black_box", [box, soft, lambda x: x, torch.zeros_like], ids=["box", "soft", "id", "zero"]
)
@pytest.mark.parametrize("alpha", [0.25, 0.5, 1.0])
def test_recorrupted_risk_is_unbiased(black_box: BlackBox, alpha: float) -> None:
    """Mean over noise draws of estimate minus true error is zero within three standard errors."""
    x = tensor(clean())
    gaps = []
    for seed in range(40):
        problem = problem_of(seed)
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


@pytest.mark.parametrize("black_box", [box, soft], ids=["box", "soft"])
def test_risk_at_the_picture_itself_is_unbiased(black_box: BlackBox) -> None:
    """With a short step, the divergence of f at y: mean over noise draws within three standard errors."""
    x = tensor(clean())
    gaps = []
    for seed in range(40):
        problem = problem_of(seed)
        answer = black_box(problem.y)
        draws = [Recorruption.draw(problem, 3000 + 10 * seed + k, 0.05) for k in range(2)]
        terms = risk_terms(answer, [(d, black_box(d.yhat)) for d in draws])
        gaps.append(float(terms.sure.mean()) - float((answer - x).square().mean()))
    error = np.std(gaps) / math.sqrt(len(gaps))
    assert abs(np.mean(gaps)) < 3 * error + 1e-9
    assert error < 0.1 * SIGMA**2


def test_the_cross_term_is_the_divergence() -> None:
    """For f(y) = a y, Var df/dy = a Var, to the accuracy of the probe."""
    problem = problem_of(0)
    draw = Recorruption.draw(replace(problem, pilot=0.3 * problem.y), 1, 0.05)
    terms = risk_terms(0.3 * problem.y, [(draw, 0.3 * draw.yhat)])
    assert float(terms.cross.mean()) == pytest.approx(0.3 * SIGMA**2, rel=0.03)
    assert torch.allclose(terms.misfit, (0.7 * problem.y).square(), atol=1e-6)


SPREAD = 0.1


def wiener(seed: int, believed: float = SIGMA) -> tuple[Terms, float]:
    """Return the terms of the posterior mean of a Gaussian signal, with a believed noise level, and its error."""
    rng = np.random.default_rng(seed)
    x = tensor(rng.normal(0.5, SPREAD, (64, 64, 1)).astype(np.float32))
    y = x + tensor(rng.normal(0, SIGMA, (64, 64, 1)).astype(np.float32))
    gain = SPREAD**2 / (SPREAD**2 + SIGMA**2)

    def shrink(y: Tensor) -> Tensor:
        return 0.5 + gain * (y - 0.5)

    problem = Problem(y, torch.ones(1, 1, 64, 64), Gaussian(believed), pilot=shrink(y))
    draw = Recorruption.draw(problem, seed, 0.05)
    return risk_terms(shrink(y), [(draw, shrink(draw.yhat))]), float((shrink(y) - x).square().mean())


def test_tweedie_is_right_for_a_posterior_mean() -> None:
    """The mean of the cross term is the posterior variance, s^2 sigma^2 / (s^2 + sigma^2)."""
    variance = SPREAD**2 * SIGMA**2 / (SPREAD**2 + SIGMA**2)
    found, truth = zip(*((float(t.cross.mean()), e) for t, e in map(wiener, range(30))), strict=True)
    assert np.mean(truth) == pytest.approx(variance, rel=0.02)
    assert np.mean(found) == pytest.approx(variance, rel=0.02)


def test_an_error_of_the_level_shifts_stein_and_scales_tweedie() -> None:
    """A variance believed 20 % too high: Stein's risk has 0.2 (2 gain - 1) Var too much, Tweedie's 20 %."""
    right, wrong = ([wiener(s, SIGMA * math.sqrt(f))[0] for s in range(20)] for f in (1.0, 1.2))
    gain = SPREAD**2 / (SPREAD**2 + SIGMA**2)
    tweedie = np.mean([float(t.cross.mean()) for t in wrong]) / np.mean([float(t.cross.mean()) for t in right])
    assert tweedie == pytest.approx(1.2, rel=0.01)
    shift = np.mean([float(b.sure.mean() - a.sure.mean()) for a, b in zip(right, wrong, strict=True)])
    assert shift == pytest.approx(0.2 * (2 * gain - 1) * SIGMA**2, abs=0.01 * SIGMA**2)


@pytest.mark.parametrize("black_box", [box, soft, torch.zeros_like], ids=["box", "soft", "zero"])
def test_the_interval_covers_the_truth_of_any_black_box(black_box: BlackBox) -> None:
    """With the level known and Tweedie's formula of no use, the 90 % interval is Stein's."""
    x = tensor(clean())
    hits = 0
    for seed in range(60):
        problem = problem_of(seed)
        draw = Recorruption.draw(problem, 2000 + seed)
        f = black_box(draw.yhat)
        found = estimate_risk(draw.terms(f), torch.ones_like(f), 0.0, 1e6)
        hits += abs(found.value - float((f - x).square().mean())) < 1.645 * found.error
    assert 46 <= hits <= 60


@pytest.mark.parametrize("channels", [1, 3])
def test_the_standard_error_is_the_spread_of_means_whose_channels_err_alike(channels: int) -> None:
    """Of held-out pixels, three channels that hold the same say no more than one does."""
    rng = np.random.default_rng(2)
    field = tensor(rng.exponential(1, (64, 64, 1)).astype(np.float32)).expand(1, channels, 64, 64)
    ones = torch.ones_like(field)
    found = [mean_of(field, ones, tensor((rng.random((64, 64, 1)) < 0.1).astype(np.float32))) for _ in range(200)]
    spread = float(np.std([risk.value for risk in found]))
    assert np.mean([risk.error for risk in found]) == pytest.approx(spread, rel=0.15)


def test_blocks_that_err_alike_count_once() -> None:
    """What is the same all over blocks of 8 x 8 is one value of each: the error is 8 times that of pixels."""
    rng = np.random.default_rng(3)
    values = tensor(np.kron(rng.normal(1, 1, (16, 16)), np.ones((8, 8)))[..., None].astype(np.float32))
    ones = torch.ones_like(values)
    single, blocks = sample_mean(values, ones), sample_mean(values, ones, block=8)
    assert single.value == blocks.value == pytest.approx(float(values.mean()), rel=1e-5)
    assert blocks.error == pytest.approx(8 * single.error, rel=1e-4)


def test_the_combined_interval_covers_the_truth_of_a_posterior_mean() -> None:
    """The level errs by what it says it errs; both formulas are joined."""
    rng = np.random.default_rng(5)
    hits, widths = 0, []
    for seed in range(60):
        believed = SIGMA * math.sqrt(1 + 0.15 * rng.standard_normal())
        terms, truth = wiener(seed, believed)
        found = estimate_risk(terms, torch.ones_like(terms.misfit), 0.15, 0.2)
        hits += abs(found.value - truth) < 1.645 * found.error
        widths.append(found.error / truth)
    assert hits >= 48
    assert np.mean(widths) < 0.25


@pytest.mark.parametrize("black_box", [torch.zeros_like, lambda y: torch.full_like(y, 0.5)], ids=["black", "grey"])
def test_a_picture_without_any_influence_is_not_called_good(black_box: BlackBox) -> None:
    """Tweedie's formula says 0 for a constant; Stein knows better, and the joined error has to."""
    problem = problem_of(0)
    f = black_box(problem.y)
    draw = Recorruption.draw(problem, 1, 0.05)
    found = estimate_risk(risk_terms(f, [(draw, f)]), torch.ones_like(f), 0.05, 0.2)
    truth = float((f - tensor(clean())).square().mean())
    assert found.value + 1.645 * found.error > 0.9 * truth


def test_two_formulas_that_disagree_widen_the_error() -> None:
    ones = torch.ones(1, 1, 64, 64)
    agree = estimate_risk(Terms(0.01 * ones, 0.005 * ones, 0.015 * ones, ones), ones, 0.05, 0.2)
    apart = estimate_risk(Terms(0.02 * ones, 0.005 * ones, 0.015 * ones, ones), ones, 0.05, 0.2)
    assert agree.value == pytest.approx(0.005, rel=1e-3)
    assert 0.005 < apart.value < 0.015
    assert apart.error > 3 * agree.error


def test_weights_count_squared_errors_after_the_clipping_is_undone() -> None:
    ones = torch.ones(1, 1, 64, 64)
    terms = Terms(0.01 * ones, 0.005 * ones, 0.015 * ones, ones)
    plain = estimate_risk(terms, ones, 0.05, 0.2)
    heavy = estimate_risk(terms, 4 * ones, 0.05, 0.2)
    assert heavy.value == pytest.approx(4 * plain.value, rel=1e-4)
    assert heavy.error == pytest.approx(4 * plain.error, rel=1e-4)


def test_the_probe_is_not_the_noise_of_the_code() -> None:
    """A fit draws its code from `seed`; z has to be independent of that, and of the z of the next seed."""
    problem = problem_of(0)
    z = [Recorruption.draw(problem, seed).z.flatten() for seed in (5, 6)]
    code = torch.randn(problem.y.shape, generator=torch.Generator().manual_seed(5)).flatten()
    for a, b in ((z[0], z[1]), (z[0], code)):
        assert abs(float(torch.corrcoef(torch.stack([a, b]))[0, 1])) < 4 / math.sqrt(a.numel())
    assert torch.equal(z[0], Recorruption.draw(problem, 5).z.flatten())


def test_correlated_noise_is_recorrupted_with_its_own_correlation() -> None:
    noise = Correlated(SIGMA, ((1.0, 1.0),))
    problem = Problem(torch.full((1, 1, 128, 128), 0.5), torch.ones(1, 1, 128, 128), noise)
    z = Recorruption.draw(problem, 0).z[0, 0]
    assert float(z.std()) == pytest.approx(SIGMA, rel=0.03)
    assert float((z[:, 1:] * z[:, :-1]).mean()) / SIGMA**2 == pytest.approx(0.5, abs=0.03)
    assert float((z[1:] * z[:-1]).mean()) / SIGMA**2 == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("relative", [0.01, 0.3, 1.0, 10.0])
def test_the_interval_is_that_of_a_log_normal_law(relative: float) -> None:
    """s^2 = log(1 + (error / value)^2); where the error is small the ends are value -+ 1.645 error."""
    value = 1e-3
    found = to_interval(Risk(value, relative * value), 0.0, "white noise")
    times = math.exp(Z90 * math.sqrt(math.log(1 + relative**2)))
    low, high = (10 ** (-psnr / 10) for psnr in (found.high, found.low))
    assert (low, high) == (pytest.approx(value / times), pytest.approx(value * times))
    assert found.high < 60  # a symmetric one goes to the floor
    if relative < 0.1:
        assert (low, high) == pytest.approx((value * (1 - Z90 * relative), value * (1 + Z90 * relative)), rel=1e-3)


@pytest.mark.parametrize("value", [-1e-3, 0.0, 1e-8])
def test_a_value_far_below_its_error_has_an_interval_that_reaches_to_the_error(value: float) -> None:
    found = to_interval(Risk(value, 1e-3), 1e-2, "white noise")
    assert found.low <= -10 * math.log10(value + Z90 * 1e-3) + 1e-9
    assert found.low < found.value <= found.high


def test_what_spans_two_risks_has_the_outer_ends_of_both() -> None:
    one, other = Risk(1e-3, 1e-4), Risk(4e-3, 2e-3)
    found, a, b = (to_interval(risk, 1e-2, "") for risk in (spanning(one, other, 1e-2), one, other))
    assert found.low == pytest.approx(min(a.low, b.low), abs=1e-6)
    assert found.high == pytest.approx(max(a.high, b.high), abs=1e-6)
    assert found.value == a.value
    assert to_interval(spanning(one, one, 1e-2), 1e-2, "") == a
    half = to_interval(spanning(one, other, 1e-2).scaled(0.25), 1e-2 / 4, "")
    assert half.low - found.low == pytest.approx(10 * math.log10(4))


def test_planes_together_have_the_mean_error_and_the_mean_reach() -> None:
    plain, wide = Risk(1e-3, 1e-4), Risk(3e-3, 3e-4, (1e-3, 8e-3))
    assert together([plain, plain]) == plain
    found = together([plain, wide])
    assert (found.value, found.error) == (pytest.approx(2e-3), pytest.approx(2e-4))
    assert found.reach == (pytest.approx(1e-3), pytest.approx(4.5e-3))


def test_interval_is_ordered_and_finite() -> None:
    interval = to_interval(Risk(1e-3, 1e-2), 1e-2, "white noise")
    assert interval.value == pytest.approx(30.0)
    assert interval.low < interval.value < interval.high < 46  # 20 dB before, and 25 gained at most
    assert "30.0 dB" in str(interval)
