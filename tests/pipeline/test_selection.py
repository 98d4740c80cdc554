"""Fusion: mixtures of methods, the search that finds them, and their recipes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.conftest import clean, noisy, psnr
from untaught import Recipe, denoise, rerun
from untaught.fitting.stopping import Rule
from untaught.fitting.stopping.mixture_gain import FIRST, FIRST_WARM, Adding
from untaught.method import Method, Needs
from untaught.methods.classical.nlm import NLM
from untaught.methods.classical.wavelet import Wavelet
from untaught.methods.fusion import Fusion
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.non_local.multiscale import MultiScale
from untaught.methods.non_local.single_scale import Stage
from untaught.methods.registry import make
from untaught.methods.untrained.dip import DIP
from untaught.noise import Gaussian
from untaught.pipeline.plane.candidate import Candidate
from untaught.pipeline.plane.choose_methods import advise
from untaught.pipeline.plane.judge import judge, relative_to
from untaught.pipeline.plane.pilot import with_pilot
from untaught.pipeline.plane.run_method import Runner
from untaught.pipeline.plane.selection import Search, mixture_of
from untaught.pipeline.plane.state_error import WORSE
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.problem import Estimate, Problem

SIGMA = 25 / 255
SMALL_DIP = DIP(steps=120, shape=HourglassShape(width=16, depth=3, skip=4))


@dataclass(frozen=True)
class Box:
    """A box mean: blurs, so that it errs differently from what keeps edges."""

    width: int = 5
    offset: float = 0.0
    name: ClassVar[str] = "box"
    needs: ClassVar[Needs] = Needs()

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        """Return the mean over the box, shifted by the offset."""
        edge = self.width // 2
        mean = F.avg_pool2d(F.pad(problem.y, (edge,) * 4, mode="reflect"), self.width, 1)
        return Estimate(mean + self.offset)


def _problem(side: int = 96) -> tuple[Problem, Tensor]:
    x = torch.from_numpy(clean(side, side, 3).transpose(2, 0, 1).copy())[None]
    y = torch.from_numpy(noisy(clean(side, side, 3)).transpose(2, 0, 1).copy())[None]
    return Problem(y, torch.ones_like(y[:, :1]), Gaussian(SIGMA)), x


def _runner(seconds: float | None = None) -> Runner:
    return Runner(Request(seconds=seconds), Task("denoise"))


def _search(problem: Problem, seconds: float | None = None, pilot: Candidate | None = None) -> Search:
    return Search(problem, _runner(seconds), pilot)


def _solved(method: Method, problem: Problem, rule: Rule | None = None) -> Candidate:
    runner = _runner()
    return judge(runner.run(method, problem, rule or runner.rule(method, problem), None), problem, 0)


def _guided(problem: Problem, name: str) -> tuple[Problem, Candidate]:
    return with_pilot(make(name), problem, _runner())


def _mse(candidate: Candidate, x: Tensor) -> float:
    return float((candidate.picture - x).square().mean())


def test_a_mixture_is_better_than_its_parts_and_knows_its_error() -> None:
    problem, x = _problem()
    parts = [_solved(Box(3), problem), _solved(NLM(), problem)]
    mixture = mixture_of(parts, problem)
    assert mixture is not None
    assert mixture.risk is not None
    assert _mse(mixture, x) < 0.98 * min(_mse(part, x) for part in parts)
    assert mixture.risk.value == pytest.approx(_mse(mixture, x), rel=0.25)


def test_the_search_keeps_a_mixture_only_where_it_is_surely_better() -> None:
    problem, _ = _problem()
    search = _search(problem)
    search.run([NLM(), replace(NLM())])  # the same twice: nothing to gain
    assert search.best.name == "nlm"
    assert not search.mixed
    search.run([Box(3)])
    assert search.best.name == "fusion"
    assert [part.name for part in search.mixed] == ["nlm", "box"]


def test_the_search_returns_the_input_where_all_are_worse() -> None:
    problem, _ = _problem()
    problem, _ = _guided(problem, "nlm")
    search = _search(problem)
    search.run([Box(5, offset=0.5)])
    assert not search.changed
    assert torch.equal(search.best.picture, problem.y)


def test_an_answer_that_is_worse_than_the_input_is_called_that() -> None:
    y = noisy(clean(64, 64, 3))
    assert WORSE in denoise(y, method=Box(5, offset=0.5), noise="gaussian:25").notes
    assert WORSE not in denoise(y, method=Box(3), noise="gaussian:25").notes


def test_what_there_is_no_time_for_is_said() -> None:
    problem, _ = _problem()
    search = _search(problem, 0.0)
    search.run([NLM(), Box(3)])
    assert search.tried[-1].note.startswith("not tried: it may take")


def test_a_fit_without_a_step_is_no_candidate_under_its_own_name() -> None:
    """Its picture is that of its start; where nothing beat the input, that was taken for the best."""
    problem, _ = _problem()
    search = _search(problem, 0.0)
    search.run([SMALL_DIP])
    assert not search.changed
    assert [(c.method, c.psnr) for c in search.tried] == [("dip", None)]
    assert search.tried[0].note.startswith("not tried")


def test_an_interruption_before_the_first_step_is_said_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("untaught.fitting.loop._Loop", stop)
    search = _search(_problem()[0])
    search.run([SMALL_DIP, NLM()])
    assert search.best.interrupted
    assert [c.note for c in search.tried] == ["not tried: interrupted before its first step"]


def test_seconds_are_counted_at_the_pace_of_the_first_picture() -> None:
    problem, _ = _problem(32)
    problem, pilot = _guided(problem, "nlm")
    notes = []
    for seconds in (1e-3, 1e3):
        search = _search(problem, 60.0, replace(pilot, seconds=seconds))
        search.run([NLM(), Wavelet()])
        notes.append(search.tried[1].note)
    assert not notes[0].startswith("not tried")
    assert notes[1].startswith("not tried")


def test_the_first_picture_is_made_again_where_the_noise_was_measured_much_too_high() -> None:
    problem, x = _problem()
    told = {}
    for factor in (1.0, 1.6):
        loud = replace(problem, noise=Gaussian(factor * SIGMA, relative_error=0.3))
        guided, pilot = _guided(loud, "nonlocal")
        told[factor] = _mse(pilot, x)
        assert guided.noise.level == pytest.approx(SIGMA, rel=0.06)
        assert guided.pilot is pilot.picture
        once = _solved(MultiScale(), loud)
        assert torch.equal(once.picture, pilot.picture) == (factor == 1.0)
    assert told[1.6] < 1.1 * told[1.0]


def test_what_is_compared_with_the_first_picture_has_its_variance() -> None:
    """Where values were cut off, the variance is no multiple of the one that was believed before."""
    problem, x = _problem(64)
    cut = Problem(
        problem.y.clamp(0, 1), problem.mask, Gaussian(1.3 * SIGMA, relative_error=0.3, clip=(True, True))
    )
    guided, pilot = _guided(cut, "nlm")
    assert pilot.terms is not None
    other = _solved(Box(3), guided)
    assert other.terms is not None
    assert guided.noise.level < 1.2 * SIGMA
    assert torch.equal(pilot.terms.variance, other.terms.variance)
    moved = sum((r.probe * r.moved for r in pilot.terms.responses), torch.zeros_like(x))
    torch.testing.assert_close(moved, pilot.terms.cross)  # the probes went along


def test_an_answer_that_lacks_more_than_it_follows_the_noise_is_judged_by_the_first_picture() -> None:
    problem, x = _problem()
    pilot, blurred = _solved(NLM(), problem), _solved(Box(11), problem)
    judged = relative_to(blurred, pilot, problem.noise)
    assert judged.risk is not None
    assert judged.risk.value == pytest.approx(_mse(blurred, x), rel=0.1)
    assert blurred.terms is not None
    assert blurred.terms.cross.mean() < 0.3 * _mse(blurred, x)  # Tweedie's formula
    assert relative_to(blurred, None, problem.noise) is blurred
    unknown = replace(blurred, terms=replace(blurred.terms, responses=()))
    assert relative_to(unknown, pilot, problem.noise) is unknown


@pytest.mark.parametrize("first", [5, 20])
def test_a_fit_that_adds_nothing_is_stopped_early(first: int) -> None:
    problem, x = _problem(32)
    base = _solved(NLM(), problem)
    assert base.terms is not None
    still = [replace(r, moved=torch.zeros_like(x)) for r in base.terms.responses]
    clean_already = Adding(x, still, steps=5, first=first)
    found = _solved(SMALL_DIP, problem, clean_already)
    assert first <= found.stopped.step <= first + 5
    assert "gains 0.00 dB" in found.stopped.reason
    assert found.recipe is not None
    assert found.recipe.rule == "recorrupted"


def test_a_fit_that_begins_with_what_was_learnt_is_asked_sooner_whether_it_adds() -> None:
    problem, _ = _problem(32)
    weights = _solved(SMALL_DIP, problem).judged.weights
    assert weights is not None
    asked = []
    for before in (None, weights):
        search = _search(replace(problem, warm_start=before))
        search.run([NLM()])
        rule = search._rule(SMALL_DIP)
        assert isinstance(rule, Adding)
        asked.append(rule.first)
    assert asked == [FIRST, FIRST_WARM]


def test_small_pictures_are_left_to_formulas() -> None:
    assert "dip" not in advise(Gaussian(SIGMA), 3 * 40 * 40, "best").methods
    assert "dip" in advise(Gaussian(SIGMA), 3 * 256 * 256, "best").methods


def test_a_recipe_of_a_mixture_makes_it_again() -> None:
    y = noisy(clean(64, 72, 3)).astype(np.float32)
    stages = (Stage("sure", 7, 12, step=5, radius=8), Stage("wiener", 5, 32, step=5, radius=8))
    first = denoise(y, noise="gaussian:25", method=Fusion((MultiScale(stages), NLM(), SMALL_DIP)))
    recipe = Recipe.model_validate_json(first.recipe.model_dump_json())
    again = rerun(recipe, y)
    assert first.method in ("fusion", "nonlocal")
    assert psnr(first.image, clean(64, 72, 3)) > psnr(y, clean(64, 72, 3))
    assert np.array_equal(again.image, first.image)
    assert again.method == first.method
