"""Stopping rules: what they keep back, when they fire, what they say."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.conftest import clean, noisy, tensor
from untaught.errors import InputError
from untaught.fitting.stopping import (
    RULES,
    Discrepancy,
    ExponentialVariance,
    HeldOut,
    Recorrupted,
    Watch,
    WindowedVariance,
)
from untaught.methods.self_supervised.r2r import blocks
from untaught.noise import Gaussian
from untaught.problem import Estimate, Problem


def path(problem: Problem, steps: int = 200) -> list[Tensor]:
    """Return iterates that come to the clean picture at half way and go on to the noise of what they may see."""
    x = tensor(clean())
    end = torch.where(problem.mask.bool(), problem.y, tensor(noisy(clean(), seed=99)))
    half = steps // 2
    return [
        x * (1 - (1 - t / half)) if t <= half else x + (end - x) * (t - half) / half for t in range(1, steps + 1)
    ]


@pytest.mark.parametrize(
    "rule", [Recorrupted(patience=20, every=1, margin=0.0), HeldOut(0.2, patience=20, every=1)]
)
def test_validation_finds_the_best_iterate(problem: Problem, rule) -> None:
    watch = rule.watch(problem, 0)
    for step, estimate in enumerate(path(watch.problem), 1):
        verdict = watch.update(step, estimate)
        if verdict.stop:
            break
    assert verdict.stop
    assert abs(watch.best_step - 100) <= 8
    assert step == watch.best_step + 20
    assert str(watch.best_step) in verdict.reason


class Falling(Watch):
    """A score that falls by a given share at every step."""

    def score(self, step: int, estimate: Tensor) -> float:
        return float(estimate)


@pytest.mark.parametrize(("share", "stops"), [(0.004, False), (0.0005, True)])
def test_a_margin_does_not_wait_for_trifles(problem: Problem, share: float, stops: bool) -> None:
    watch = Falling(problem, patience=10, margin=0.02)
    verdicts = [watch.update(step, torch.tensor((1 - share) ** step)) for step in range(1, 60)]
    assert any(verdict.stop for verdict in verdicts) == stops
    assert all(verdict.best for verdict in verdicts)  # every step was the best so far


def test_recorrupted_fit_sees_only_yhat(problem: Problem) -> None:
    watch = Recorrupted(alpha=0.5).watch(problem, 0)
    extra = (watch.problem.y - problem.y).std()
    assert float(extra) == pytest.approx(0.5 * 25 / 255, rel=0.03)


def test_held_out_pixels_are_hidden(problem: Problem) -> None:
    watch = HeldOut(fraction=0.1).watch(problem, 0)
    hidden = (problem.mask - watch.problem.mask).mean()
    assert float(hidden) == pytest.approx(0.1, abs=0.02)
    assert not torch.equal(watch.problem.mask, HeldOut(fraction=0.1).watch(problem, 1).problem.mask)


def test_nothing_to_hold_out_is_said() -> None:
    tiny = Problem(torch.rand(1, 1, 8, 8), torch.zeros(1, 1, 8, 8), Gaussian(0.1))
    with pytest.raises(InputError, match="held out"):
        HeldOut().watch(tiny, 0)


def test_blocks_cover_the_asked_share_and_are_square() -> None:
    mask = torch.ones(1, 1, 100, 130)
    held = blocks(mask, 0.1, 10, 0)
    assert held.shape == mask.shape
    assert float(held.sum()) == 13 * 100
    assert set(held.view(10, 10, 13, 10).mean(dim=(1, 3)).flatten().tolist()) == {0.0, 1.0}
    assert float(blocks(torch.ones(1, 1, 9, 9), 0.01, 16, 0).sum()) > 0


def test_discrepancy_fires_at_the_noise_variance(problem: Problem) -> None:
    watch = Discrepancy().watch(problem, 0)
    x = tensor(clean())
    assert not watch.update(1, torch.zeros_like(x)).stop
    fired = watch.update(2, problem.y + 0.99 * (x - problem.y))
    assert fired.stop
    assert "came down" in fired.reason


@pytest.mark.parametrize(
    "rule", [WindowedVariance(window=10, patience=30), ExponentialVariance(rate=0.1, patience=30)]
)
def test_variance_rules_stop_in_the_valley(problem: Problem, rule) -> None:
    """Iterates that move fast, pause, and move again: the pause is found, and the rule fires after it."""
    generator = torch.Generator().manual_seed(0)
    watch = rule.watch(problem, 0)
    x = tensor(clean())
    estimate = torch.zeros_like(x)
    for step in range(1, 300):
        size = 0.2 * (60 - step) / 60 if step < 60 else 0.001 if step < 100 else 0.1
        estimate = estimate + size * torch.randn(x.shape, generator=generator)
        if watch.update(step, estimate).stop:
            break
    assert 65 <= watch.best_step <= 101
    assert step <= watch.best_step + 30


def test_windowed_variance_is_what_the_formula_says(problem: Problem) -> None:
    watch = WindowedVariance(window=3, patience=10).watch(problem, 0)
    pictures = [torch.full_like(problem.y, value) for value in (0.0, 0.5, 1.0)]
    scores = [watch.update(t, picture).score for t, picture in enumerate(pictures, 1)]
    assert all(math.isnan(s) for s in scores[:2])
    assert scores[2] == pytest.approx(((0.5) ** 2 * 2) / 3, rel=1e-3)


@pytest.mark.parametrize("rule", [WindowedVariance(window=5), ExponentialVariance(rate=0.9)])
def test_variance_rules_judge_outputs_not_their_average(problem: Problem, rule) -> None:
    both, plain, other = (rule.watch(problem, 0) for _ in range(3))
    outputs = path(problem)[::20]
    average = outputs[0]
    for step, output in enumerate(outputs, 1):
        average = 0.9 * average + 0.1 * output
        score = both.update(step, average, output).score
        assert score == pytest.approx(plain.update(step, output).score, nan_ok=True)
        of_average = other.update(step, average).score
    assert of_average > 0
    assert score != pytest.approx(of_average, rel=0.5)


def test_windowed_variance_forgets_what_left_the_window(problem: Problem) -> None:
    watch = WindowedVariance(window=4).watch(problem, 0)
    still = torch.full_like(problem.y, 0.3)
    for step, estimate in enumerate([torch.zeros_like(still), torch.ones_like(still), *[still] * 4], 1):
        score = watch.update(step, estimate).score
        assert step != 4 or score == pytest.approx(0.135, rel=1e-2)
    assert 0 <= score < 1e-12


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_gives_back_its_state(problem: Problem, name: str) -> None:
    one, two = (RULES[name]().watch(problem, 0) for _ in range(2))
    trail = path(one.problem)[::10]
    for step, estimate in enumerate(trail[:10], 1):
        one.update(step, estimate)
    two.load_state_dict(one.state_dict())
    for step, estimate in enumerate(trail[10:], 11):
        a, b = one.update(step, estimate), two.update(step, estimate)
        assert (a.best, a.stop) == (b.best, b.stop)
        assert a.score == pytest.approx(b.score, nan_ok=True)


def test_exponential_variance_is_what_the_formula_says(problem: Problem) -> None:
    """With a = 1/4 it is one after more than twelve looks; of single values, by hand."""
    watch = ExponentialVariance(rate=0.25).watch(problem, 0)
    mean, variance = 0.0, 0.0
    for look in range(16):
        value = math.sin(look)
        score = watch.update(look + 1, torch.full_like(problem.y, value)).score
        if look:
            mean, variance = 0.75 * mean + 0.25 * value, 0.75 * (variance + 0.25 * (value - mean) ** 2)
        else:
            mean = value
        assert math.isnan(score) if look < 12 else score == pytest.approx(variance, rel=1e-4)


def test_the_settings_of_a_paper_are_those_of_the_paper() -> None:
    """Wang et al., "Early Stopping for Deep Image Prior", 2021."""
    assert (WindowedVariance().window, WindowedVariance().patience) == (100, 1000)
    assert (ExponentialVariance().rate, ExponentialVariance().patience) == (0.1, 1000)
    assert WindowedVariance().every == ExponentialVariance().every == 1
    assert Discrepancy().factor == 1


def test_what_is_held_out_is_judged_alone_and_in_full(problem: Problem) -> None:
    """The score is the mean square over what was withheld; what the fit sees has no part in it."""
    watch = HeldOut(fraction=0.1).watch(problem, 0)
    held = (problem.mask - watch.problem.mask).expand_as(problem.y) > 0
    estimate = torch.where(held, problem.y + 0.3, problem.y + 7)
    assert watch.update(1, estimate).score == pytest.approx(0.09, rel=1e-4)
    assert torch.equal(watch.problem.y[~held], problem.y[~held])
    terms = watch.terms(Estimate(estimate))
    assert terms is not None
    assert torch.allclose(terms.misfit[held], torch.tensor(0.09), atol=1e-5)
    assert float(terms.cross.abs().max()) == 0
    assert torch.equal(terms.valid, problem.mask - watch.problem.mask)
    assert torch.allclose(terms.variance, torch.tensor((25 / 255) ** 2))


def test_discrepancy_counts_measured_pixels_and_says_both_numbers(problem: Problem) -> None:
    mask = torch.ones_like(problem.mask)
    mask[..., :16] = 0
    part = Problem(problem.y, mask, Gaussian(0.1))
    off = torch.where(mask > 0, part.y + 0.15, part.y + 9)
    assert not Discrepancy().watch(part, 0).update(1, off).stop
    fired = Discrepancy(factor=2.3).watch(part, 0).update(1, off)  # .15^2 = 2.25 * .1^2
    assert fired.stop
    assert fired.best
    assert fired.reason == "the mean squared misfit 0.0225 came down to the noise variance 0.023"


def test_patience_is_counted_from_the_best(problem: Problem) -> None:
    scores = [5.0, 3.0, 4.0, 3.0, 3.5, 2.0, 2.5, 2.5, 2.5, 1.0]
    watch = Falling(problem, patience=3, unit="score")
    verdicts = [watch.update(step, torch.tensor(score)) for step, score in enumerate(scores, 1)]
    assert [verdict.best for verdict in verdicts] == [s in (1, 2, 6, 10) for s in range(1, 11)]
    assert [verdict.stop for verdict in verdicts] == [s in (5, 9) for s in range(1, 11)]
    assert verdicts[8].reason == "the score was lowest at step 6 and did not fall again in 3 steps"
    assert not watch.update(11, torch.tensor(math.nan)).stop
    wide = Falling(problem, patience=3, unit="score", margin=0.5)
    told = [wide.update(step, torch.tensor(score)) for step, score in enumerate((4.0, 3.0, 2.1, 2.05), 1)]
    assert told[-1].reason == "the score was lowest at step 4 and fell by less than 50% in 3 steps"


def test_what_the_fit_is_shown_is_noisier_and_its_pilot_is_told_by_how_much(problem: Problem) -> None:
    told: list[Tensor] = []

    def repilot(y: Tensor, variance: Tensor) -> Tensor:
        told.append(variance)
        return y

    watch = Recorrupted(alpha=0.5).watch(replace(problem, pilot=problem.y, repilot=repilot), 0)
    assert float(told[0].mean()) == pytest.approx(1.25 * (25 / 255) ** 2, rel=1e-4)
    assert watch.problem.pilot is not None
    assert torch.equal(watch.problem.pilot, watch.problem.y)
