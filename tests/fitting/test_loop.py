"""The one loop: ends when it should, goes back from NaN, survives Ctrl-C, resumes to the same picture."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from tests.helpers.toys import POISONED, Walk
from untaught.errors import InputError
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.fitting.stopping import Discrepancy, HeldOut, Recorrupted, StepBudget, WindowedVariance
from untaught.method import Needs
from untaught.methods.averaging import Averaged
from untaught.methods.networks.hourglass import HourglassShape
from untaught.methods.untrained.dip import DIP
from untaught.noise import Gaussian
from untaught.problem import Estimate, Problem

SMALL = DIP(steps=30, shape=HourglassShape(width=8, depth=2, skip=4), bfloat16=False)


def test_budget_ends_the_fit(problem: Problem) -> None:
    fitted = fit(Walk(steps=37), problem, 0)
    assert (fitted.stopped.rule, fitted.stopped.step) == ("steps", 37)
    assert fitted.history.step[-1] == 37


def test_time_limit_ends_the_fit(problem: Problem) -> None:
    fitted = fit(Walk(steps=10**9), problem, 0, Options(seconds=0.3))
    assert fitted.stopped.rule == "time limit"
    assert 0 < fitted.stopped.step < 10**9


def test_a_rule_that_fires_ends_the_loop(problem: Problem) -> None:
    fitted = fit(Walk(steps=10**6), problem, 0, Options(rule=Discrepancy()))
    assert fitted.stopped.rule == "discrepancy"
    assert fitted.stopped.step == fitted.history.step[-1] < 1000


def test_the_best_is_kept_not_the_last(problem: Problem) -> None:
    """Descent on pixels passes its best point and goes on to the noise, so the kept step is before the last."""
    fitted = fit(Walk(steps=400), problem, 0, Options(rule=Recorrupted(patience=100)))
    assert fitted.stopped.rule == "recorrupted"
    assert fitted.history.step[-1] - fitted.stopped.step >= 100
    lowest = min(range(len(fitted.history.score)), key=fitted.history.score.__getitem__)
    assert fitted.history.step[lowest] == fitted.stopped.step


def test_goes_back_from_nan_and_ends_well(problem: Problem) -> None:
    POISONED.clear()
    fitted = fit(Walk(steps=60, poison=31), problem, 0)
    assert POISONED == [31]
    assert torch.isfinite(fitted.estimate.image).all()
    assert fitted.stopped.step == 60
    assert "non-finite" in fitted.notes[0]


def test_gives_up_when_always_nan(problem: Problem) -> None:
    class Broken(Walk):
        def loss(self, problem, state, step):
            return super().loss(problem, state, step) * float("nan")

    fitted = fit(Broken(steps=60), problem, 0)
    assert fitted.stopped.rule == "non-finite"
    assert torch.isfinite(fitted.estimate.image).all()


def test_ctrl_c_keeps_the_best_so_far(problem: Problem) -> None:
    fitted = fit(Walk(steps=100, stop_at=50), problem, 0)
    assert fitted.interrupted
    assert fitted.stopped.step == 50
    assert torch.equal(fitted.estimate.image, fit(Walk(steps=50), problem, 0).estimate.image)


@pytest.mark.parametrize(
    "rule",
    [HeldOut(every=1), Recorrupted(every=1), WindowedVariance(window=5, patience=50)],
    ids=lambda rule: rule.name,
)
def test_resume_equals_uninterrupted(problem: Problem, tmp_path: Path, rule: object) -> None:
    whole = fit(Averaged(SMALL), problem, 3, Options(rule=rule))
    path = tmp_path / "fit.ckpt"

    class StopError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.step == 20:
            raise StopError

    broken = Options(rule=rule, checkpoint=path, checkpoint_every=7, on_progress=stop)
    with pytest.raises(StopError):
        fit(Averaged(SMALL), problem, 3, broken)
    assert path.exists()
    resumed = fit(Averaged(SMALL), problem, 3, Options(rule=rule, checkpoint=path))
    assert torch.equal(resumed.estimate.image, whole.estimate.image)
    assert resumed.history.step == whole.history.step
    assert resumed.history.score == pytest.approx(whole.history.score, nan_ok=True)
    assert resumed.stopped == whole.stopped
    assert not path.exists()


def test_a_checkpoint_of_another_fit_is_refused(problem: Problem, tmp_path: Path) -> None:
    path = tmp_path / "fit.ckpt"
    options = Options(checkpoint=path, checkpoint_every=10)
    fit(Walk(steps=100, stop_at=50), problem, 0, options)
    assert path.exists()
    with pytest.raises(InputError, match="belongs to another"):
        fit(Walk(steps=100), problem, 1, options)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="not a checkpoint"):
        fit(Walk(steps=100), problem, 0, options)


def test_progress_says_where_the_fit_is(problem: Problem) -> None:
    seen: list[Progress] = []
    fit(Walk(steps=40), problem, 0, Options(on_progress=seen.append, rule=Recorrupted(every=10)))
    assert [p.step for p in seen] == [10, 20, 30, 40]
    assert all(p.steps == 40 and p.seconds_left >= 0 and p.score == p.score for p in seen)
    assert seen[-1].preview().shape == problem.y.shape
    assert "mean squared error" in seen[-1].score_name


def test_an_archive_that_is_no_checkpoint_is_refused_without_a_warning(problem: Problem, tmp_path: Path) -> None:
    """Torch warns of pickles that it has not written; the tests take a warning for an error."""
    path = tmp_path / "state"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"identity": {}}, protocol=4))
        archive.writestr("archive/version", "3")
    with pytest.raises(InputError, match="not a checkpoint"):
        fit(Walk(steps=3), problem, 3, Options(rule=Discrepancy(), checkpoint=path))


@pytest.mark.parametrize("when", ["before the first step", "in a formula"])
def test_what_was_broken_off_before_there_was_anything_says_so(when: str) -> None:
    """The answer is what there was to begin with, and nobody takes it for a fit that has ended."""

    @dataclass(frozen=True)
    class Broken(Walk):
        def init(self, problem: Problem, seed: int) -> Any:
            raise KeyboardInterrupt

    @dataclass(frozen=True)
    class Formula:
        name: ClassVar[str] = "formula"
        needs: ClassVar[Needs] = Needs()

        def solve(self, problem: Problem, seed: int = 0) -> Estimate:
            raise KeyboardInterrupt

    y = torch.rand(1, 1, 8, 8)
    problem = Problem(y, torch.ones_like(y), Gaussian(0.1))
    found = fit(Formula() if when == "in a formula" else Broken(), problem, 0, Options(rule=StepBudget(3)))
    assert found.interrupted
    assert found.stopped.step == 0
    assert torch.equal(found.estimate.image, problem.initial())
