"""Formulas in passes: shown, cut short by the clock, interrupted, and made again from a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch

from tests.conftest import clean
from untaught import inpaint, rerun
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.method import InPasses, Needs, Pass, answer
from untaught.methods.inpainting.fill import Fill
from untaught.methods.inpainting.impulse_fill import ImpulseFill
from untaught.methods.plug_and_play import PlugAndPlay
from untaught.noise import Gaussian
from untaught.problem import Estimate, Problem

PROBLEM = Problem(torch.rand(1, 1, 8, 8), torch.ones(1, 1, 8, 8), Gaussian(0.0))
QUICK = replace(Fill(), pixels=ImpulseFill(patch=4, group=20, radius=6, regional=1, passes=2))


@dataclass(frozen=True)
class Counting:
    """Its picture is the number of the pass; it is interrupted before pass `breaks`."""

    breaks: int = 99
    last: int | None = None
    name: ClassVar[str] = "counting"
    needs: ClassVar[Needs] = Needs()

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        return answer(self, problem, seed)

    def passes(self, problem: Problem, seed: int) -> Iterator[Pass]:
        for done in range(5):
            if done == self.breaks:
                raise KeyboardInterrupt
            yield Pass(Estimate(torch.full_like(problem.y, float(done))), done, 4)


def level(estimate: Estimate) -> float:
    return float(estimate.image.mean())


def test_the_last_pass_is_the_answer_and_every_one_is_shown() -> None:
    seen: list[Progress] = []
    found = fit(Counting(), PROBLEM, 0, Options(on_progress=seen.append, phase="counting"))
    assert (level(found.estimate), found.stopped.rule, found.interrupted) == (4.0, "closed form", False)
    assert [(p.step, p.steps) for p in seen] == [(k, 4) for k in range(5)]
    assert [float(p.preview().mean()) for p in seen] == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("breaks", [0, 1, 3])
def test_an_interrupted_run_keeps_the_last_whole_pass(breaks: int) -> None:
    found = fit(Counting(breaks), PROBLEM, 0)
    assert found.interrupted
    assert found.stopped.rule == "interrupted"
    assert ("before its first step" in found.stopped.reason) == (breaks < 2)
    assert torch.equal(found.estimate.image, PROBLEM.y) if breaks == 0 else level(found.estimate) == breaks - 1


def test_no_pass_is_begun_that_would_not_end_in_time() -> None:
    found = fit(Counting(), PROBLEM, 0, Options(seconds=0.0))
    assert (found.stopped.rule, found.stopped.step, level(found.estimate)) == ("time limit", 1, 1.0)
    assert "1 of 4 passes" in found.stopped.reason


def test_a_recipe_ends_where_the_run_did() -> None:
    assert level(fit(replace(Counting(), last=2), PROBLEM, 0).estimate) == 2
    assert level(replace(Counting(), last=2).solve(PROBLEM)) == 2
    kept = np.random.default_rng(0).random((24, 24)) < 0.6
    y = np.rint(clean(24, 24, 1)[..., 0] * 255).astype(np.uint8) * kept
    short = inpaint(y, kept, method=QUICK, noise="gaussian:0", time_limit=1e-6)
    assert (short.stopped.rule, short.recipe.planes[0].settings["last"]) == ("time limit", 1)
    assert np.array_equal(rerun(short.recipe, y).image, short.image)
    assert not np.array_equal(inpaint(y, kept, method=QUICK, noise="gaussian:0").image, short.image)


def test_the_best_so_far_is_kept_when_a_person_has_seen_enough() -> None:
    kept = np.random.default_rng(0).random((24, 24)) < 0.6
    y = np.rint(clean(24, 24, 1)[..., 0] * 255).astype(np.uint8) * kept

    def enough(phase: str, step: int) -> object:
        def show(progress: Progress) -> None:
            if (progress.phase, progress.step) == (phase, step):
                raise KeyboardInterrupt

        return inpaint(y, kept, method=QUICK, noise="gaussian:0", on_progress=show)

    whole = inpaint(y, kept, method=QUICK, noise="gaussian:0")
    for phase, step in (("fill", 2), ("checking", 1)):
        result = enough(phase, step)
        assert result.interrupted  # type: ignore[attr-defined]
        assert result.psnr is None  # type: ignore[attr-defined]
        same = np.array_equal(result.image, whole.image)  # type: ignore[attr-defined]
        assert same == (phase == "checking")


@pytest.mark.parametrize("method", [Fill(), PlugAndPlay()], ids=lambda m: m.name)
def test_fill_and_pnp_are_such_methods(method: object) -> None:
    assert isinstance(method, InPasses)
