"""The rule for a fit that is to be mixed: the gain is that of the best mixture, and it stops when that stands."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.conftest import clean, noisy, tensor
from untaught.fitting.stopping.mixture_gain import FIRST, LEAST, STEPS, Adding, AddingWatch
from untaught.noise import Gaussian
from untaught.problem import Problem, Response
from untaught.risk.sure import Recorruption, Terms

SIGMA = 25 / 255


def blurred(x: Tensor, side: int = 7) -> Tensor:
    half = side // 2
    return F.avg_pool2d(F.pad(x, (half, half, half, half), mode="circular"), side, stride=1)


def watched(seed: int = 0, hidden: bool = False, **more: int) -> AddingWatch:
    """Return the watch over a fit that is to be mixed with the mean over 7 x 7 pixels."""
    y = tensor(noisy(clean(channels=1), seed=seed))
    mask = torch.ones_like(y)
    if hidden:
        mask[..., :20] = 0
    problem = Problem(y, mask, Gaussian(SIGMA))
    z = SIGMA * torch.randn(y.shape, generator=torch.Generator().manual_seed(50 + seed))
    watch = Adding(blurred(y), [Response(z, blurred(z))], **more).watch(problem, seed)
    assert isinstance(watch, AddingWatch)
    return watch


def by_hand(watch: AddingWatch, fit: Tensor) -> float:
    """Return in dB how much less the least of Stein's risks of all mixtures is than that of the picture alone."""
    draw: Recorruption = watch.recorruption
    (base,) = [Response(SIGMA * torch.randn(fit.shape, generator=torch.Generator().manual_seed(50)), None)]  # type: ignore[arg-type]
    own = base.probe * blurred(base.probe)
    cross_fit = draw.z / draw.alpha * (fit - draw.p)

    def risk(c: float) -> float:
        image = watch.picture + c * (fit - watch.picture)
        terms = Terms((image - draw.y).square(), own + c * (cross_fit - own), draw.kernel, draw.mask)
        return float((terms.sure.double() * draw.mask).sum())

    return 10 * math.log10(risk(0.0) / min(risk(c / 1000) for c in range(1500)))


@pytest.mark.parametrize("hidden", [False, True], ids=["all measured", "a part missing"])
def test_the_gain_is_that_of_the_best_mixture(hidden: bool) -> None:
    watch = watched(hidden=hidden)
    fit = blurred(watch.problem.y, 3)
    assert watch.gain(fit) == pytest.approx(by_hand(watch, fit), abs=2e-3)
    assert watch.gain(fit) > 1
    spoilt = torch.where(watch.mask > 0, fit, torch.tensor(9.0))
    assert watch.gain(spoilt) == pytest.approx(watch.gain(fit), abs=1e-6)


def test_it_is_near_what_is_really_gained() -> None:
    told, true = [], []
    x = tensor(clean(channels=1))
    for seed in range(5):
        watch = watched(seed)
        fit = blurred(watch.problem.y, 3)
        told.append(watch.gain(fit))
        error = [float((watch.picture + k / 100 * (fit - watch.picture) - x).square().mean()) for k in range(150)]
        true.append(10 * math.log10(error[0] / min(error)))
    assert sum(told) / 5 == pytest.approx(sum(true) / 5, abs=0.8)


def test_what_only_makes_it_worse_gains_nothing() -> None:
    watch = watched()
    assert watch.gain(watch.picture) == pytest.approx(0, abs=1e-9)
    assert watch.gain(2 * watch.picture - watch.recorruption.y) == 0  # it would be mixed in with a weight below 0


def steps_taken(watch: Any, gains: Any) -> list[Any]:
    watch.gain = gains
    watch.score = lambda step, estimate: 1.0 / step  # falls for ever: the other reason to stop never comes
    verdicts = []
    for step in range(5, 400, 5):
        verdicts.append((step, watch.update(step, watch.picture)))
        if verdicts[-1][1].stop:
            break
    return verdicts


def test_it_stops_where_the_gain_has_not_grown_in_so_many_steps_and_not_before_the_first() -> None:
    for first, steps, last in ((60, 20, 60), (100, 20, 100), (10, 40, 10)):
        taken = steps_taken(watched(first=first, steps=steps), lambda _: 0.014)
        assert taken[-1][0] == last
        assert not any(verdict.stop for _, verdict in taken[:-1])
        said = f"mixing it in gains 0.01 dB, and {steps} steps added less than {LEAST} dB to that"
        assert taken[-1][1].reason == said


def test_a_gain_that_grows_is_waited_for_until_it_stands() -> None:
    count = iter(range(5, 400, 5))
    watch = watched(first=60, steps=52)
    taken = steps_taken(watch, lambda _: 0.001 * min(next(count), 200))
    # Held against the last look at least 52 steps ago: from step 240 on there are 15 steps of growth in it.
    assert taken[-1][0] == 240
    assert [gain for _, gain in watch.gains[:3]] == pytest.approx([0.005, 0.01, 0.015])
    assert "gains 0.20 dB" in taken[-1][1].reason


def test_it_is_asked_of_a_fit_that_has_drawn_something() -> None:
    rule = Adding(torch.zeros(1, 1, 8, 8), [])
    assert (rule.steps, rule.first) == (STEPS, FIRST)
    assert rule.name == "recorrupted"
    assert repr(rule).startswith("Adding(alpha=")  # as a recipe holds it: without the picture


def test_what_was_gained_is_in_a_checkpoint() -> None:
    one, two = watched(), watched()
    for step in (5, 10, 15):
        one.update(step, blurred(one.problem.y, 3))
    two.load_state_dict(one.state_dict())
    assert two.gains == one.gains
    assert two.best_score == one.best_score < math.inf
