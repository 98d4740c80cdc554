"""Time: what a fit and its readout take, what is left, and when there is none. The clock is moved by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.helpers.toys import Walk
from untaught.fitting import loop, passes, readout_time
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.fitting.readout_time import told_readout
from untaught.fitting.stopping import Recorrupted, StepBudget
from untaught.method import Pass, State
from untaught.noise import Gaussian
from untaught.operators.mask import Identity
from untaught.problem import Estimate, Problem


class Clock:
    """Stands still but for what moves it."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for page in (loop, passes, readout_time):
        monkeypatch.setattr(page, "time", found)
    return found


@dataclass(frozen=True)
class Timed(Walk):
    """Takes a second a step, five for the third, and seven to be read out."""

    clock: Any = None

    def loss(self, problem: Problem, state: State, step: int) -> Tensor:
        self.clock.now += 5 if step == 2 else 1
        return super().loss(problem, state, step)

    def readout(self, problem: Problem, state: State) -> Estimate:
        self.clock.now += 7
        return super().readout(problem, state)


def ended(clock: Clock, seconds: float | None, steps: int = 20, **more: Any) -> tuple[list[Progress], Any]:
    seen: list[Progress] = []
    x = torch.rand(1, 1, 8, 8)
    problem = Problem(x, torch.ones_like(x), Gaussian(0.1))
    options = Options(rule=Recorrupted(every=1), seconds=seconds, on_progress=seen.append, **more)
    return seen, fit(Timed(steps=steps, clock=clock), problem, 0, options)


def test_what_is_left_is_told_by_what_was_and_never_more_than_the_limit(clock: Clock) -> None:
    seen, _ = ended(clock, None, 10)
    assert [p.seconds for p in seen] == [1, 2, 7, 8, 9, 10, 11, 12, 13, 14]
    assert [p.seconds_left for p in seen[:4]] == pytest.approx([9, 8, 7 / 3 * 7, 8 / 4 * 6])
    assert seen[-1].seconds_left == 0
    limited, fitted = ended(clock, 40, 1000)
    assert [p.seconds_left for p in limited[:4]] == [39, 38, 33, 32]
    assert fitted.history.seconds == [p.seconds for p in limited]


@pytest.mark.parametrize(
    ("seconds", "steps"),
    # A step is begun if one as long as the longest of late would end in time: after the third, which takes five
    # seconds, five is what the next may take, then nine tenths of it, and so on down to one.
    [(1.0, 1), (2.5, 2), (3.0, 2), (11.9, 3), (12.1, 4), (12.6, 5), (13.1, 6)],
)
def test_no_step_is_begun_that_would_not_end_in_time(clock: Clock, seconds: float, steps: int) -> None:
    seen, fitted = ended(clock, seconds)
    assert len(seen) == steps
    assert fitted.stopped.rule == "time limit"
    assert f"its {seconds:.0f} seconds were over" in fitted.stopped.reason


def test_the_readout_is_part_of_the_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def told(*of: object) -> float:
        asked.append(of)
        return 6.0

    monkeypatch.setattr(loop, "told_readout", told)
    assert len(ended(clock, 9.5)[0]) == 3  # 3 s are left for three steps, the third begun after 2 s, and too long
    assert len(ended(clock, 8.9)[0]) == 2
    assert len(asked) == 2
    assert len(ended(clock, None)[0]) == 20
    assert len(asked) == 2  # without a limit nobody has to know
    seen, fitted = ended(clock, 0.4)
    assert not seen
    assert fitted.stopped.reason == "there was no time left for it"


def problem(height: int, width: int, **more: Any) -> Problem:
    return Problem(torch.zeros(1, 1, height, width), torch.ones(1, 1, height, width), Gaussian(0.1), **more)


def test_a_readout_is_told_by_that_of_a_small_part(clock: Clock) -> None:
    """Seven seconds for 128 x 128, twice for the error, and as often as the part goes into the whole."""
    method = Timed(clock=clock)
    assert told_readout(method, problem(256, 512), 0) == 7 * 2 * 8
    assert told_readout(method, problem(256, 257), 0) == pytest.approx(7 * 2 * 4 * 257 / 256)
    assert told_readout(method, problem(128, 1024), 0) == 7 * 2 * 8
    for small in (problem(256, 256), problem(127, 2000), problem(2000, 127)):
        assert told_readout(method, small, 0) == 0
    behind = problem(512, 512, operator=Identity())
    assert told_readout(method, behind, 0) == 0


@dataclass(frozen=True)
class InPasses:
    """Four passes: of two seconds, of six, and again of two."""

    clock: Any
    last: int | None = None
    name: str = "passes"

    def solve(self, problem: Problem, seed: int = 0) -> Estimate:
        raise NotImplementedError

    def passes(self, problem: Problem, seed: int) -> Iterator[Pass]:
        for done in range(5):
            self.clock.now += 0 if done == 0 else 6 if done == 2 else 2
            yield Pass(Estimate(problem.y), done, 4)


def passed(clock: Clock, seconds: float | None) -> tuple[list[Progress], Any]:
    seen: list[Progress] = []
    method = InPasses(clock)
    return seen, passes.run_passes(method, problem(8, 8), 0, Options(on_progress=seen.append, seconds=seconds))  # type: ignore[arg-type]


def test_passes_tell_their_time(clock: Clock) -> None:
    seen, fitted = passed(clock, None)
    assert [p.seconds for p in seen] == [0, 2, 8, 10, 12]
    assert [p.seconds_left for p in seen] == pytest.approx([0, 6, 8, 10 / 3, 0])
    assert fitted.stopped.rule == "closed form"
    assert [p.seconds_left for p in passed(clock, 9.0)[0]] == pytest.approx([0, 6, 1])


@pytest.mark.parametrize(("seconds", "done"), [(1.0, 1), (3.9, 1), (4.1, 2), (13.9, 2), (14.1, 3), (16.0, 4)])
def test_no_pass_is_begun_that_would_not_end_in_time(clock: Clock, seconds: float, done: int) -> None:
    """Judged by the longest so far: six seconds, from the second on."""
    seen, fitted = passed(clock, seconds)
    assert seen[-1].step == done
    told = fitted.stopped.reason
    assert done == 4 or told == f"its {seconds:.0f} seconds allowed {done} of 4 passes"


def at(show: Callable[[], Tensor] = lambda: torch.zeros(1), **more: Any) -> Progress:
    settings = {
        "phase": "fitting",
        "step": 30,
        "steps": 120,
        "loss": 0.5,
        "score": 0.01234567,
        "score_name": "risk",
    }
    times = {"seconds": 10.0, "seconds_left": 30.0, "preview": show}
    return Progress(**{**settings, **times, **more})  # type: ignore[arg-type]


def test_what_is_left_of_all_planes_and_parts() -> None:
    assert at().most_left == 30
    assert at(plane=1, planes=4).most_left == 30 + 2 * 40
    assert at(part=2, parts=6).most_left == 30 + 3 * 40
    assert at(plane=1, planes=4, part=2, parts=6).most_left == 30 + (2 * 6 + 3) * 40
    assert at(plane=3, planes=4, part=5, parts=6).most_left == 30


def test_how_many_planes_are_done_with_the_parts_of_one() -> None:
    assert at().planes_done == 0.25
    assert at(plane=2, planes=4).planes_done == 2.25
    assert at(plane=2, planes=4, part=3, parts=5).planes_done == 2 + (3 + 0.25) / 5


def test_where_it_is_in_a_line() -> None:
    assert at().where == "fitting, step 30 of 120, risk 0.01235"
    assert at(plane=1, planes=4, part=2, parts=6).where == (
        "fitting, plane 2 of 4, part 3 of 6, step 30 of 120, risk 0.01235"
    )
    assert at(steps=1, score=math.nan).where == "fitting"
    before = Progress.before("looking", lambda: torch.ones(2), ("a note",))
    assert (before.where, before.notes, before.step, before.steps) == ("looking", ("a note",), 0, 1)
    assert (before.seconds, before.seconds_left, before.planes_done) == (0, 0, 0)
    assert torch.equal(before.preview(), torch.ones(2))


def test_each_time_it_goes_back_the_steps_are_half_as_large() -> None:
    """And after five times it gives up, at the last good step."""
    rates: list[float] = []

    class Broken(Walk):
        def loss(self, problem: Problem, state: State, step: int) -> Tensor:
            rates.append(state.optimizer.param_groups[0]["lr"])
            return super().loss(problem, state, step) * (float("nan") if step >= 10 else 1)

    x = torch.rand(1, 1, 8, 8)
    found = fit(
        Broken(steps=60, rate=0.64), Problem(x, torch.ones_like(x), Gaussian(0.1)), 0, Options(StepBudget(every=1))
    )
    assert sorted(set(rates), reverse=True) == pytest.approx([0.64 / 2**k for k in range(5)])
    assert found.stopped.step == 10
    assert found.stopped.reason == "the fit became non-finite 5 times; this is the last good step"
