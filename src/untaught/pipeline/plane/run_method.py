"""One method run on one plane: with its rule, within the time, into a candidate."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path

from torch import Tensor

from untaught.fitting.loop import fit
from untaught.fitting.progress import Options, Progress
from untaught.fitting.stopping import Rule, StepBudget
from untaught.method import ClosedForm, Method, Stopped, Timed, ended_after, runs_of
from untaught.methods.averaging import averaged
from untaught.methods.registry import make
from untaught.pipeline.plane.candidate import Candidate
from untaught.pipeline.plane.choose_rule import rule_for
from untaught.pipeline.recipes import plane_recipe
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.problem import Estimate, Problem

COMPILED = "compiled for this machine, once"
NO_TIME = "there was no time left for it"


@dataclass(frozen=True)
class Runner:
    """Runs methods on one plane as was asked: same task, seed and progress, one clock for all."""

    request: Request
    task: Task
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float | None:
        """Seconds that are left; None where there is no limit."""
        if self.request.seconds is None:
            return None
        return max(self.request.seconds - (time.monotonic() - self.started), 0.0)

    def rule(self, method: Method, problem: Problem) -> Rule:
        """Return the rule that was asked for, or the one that suits a method."""
        return self.request.rule or self.own_rule(method, problem)

    def own_rule(self, method: Method, problem: Problem) -> Rule:
        """Return the rule that suits a method, whatever was asked for."""
        whole = problem.complete or not self.task.fills_in
        return rule_for(method, problem.noise, problem.operator, whole)

    def run(
        self, method: Method, problem: Problem, rule: Rule, seconds: float | None, checkpoint: Path | None = None
    ) -> Candidate:
        """Run `method` on `problem` until the rule, the time or the person ends it; it is not judged yet."""
        started = time.monotonic()
        asked = method
        if seconds is not None:
            fitting = in_time(method, problem, seconds)
            if fitting is None:
                return _no_time(method, rule, problem)
            method, seconds = fitting, max(seconds - (time.monotonic() - started), 0.0)
        said = quickened(asked, method)
        options = Options(rule, seconds, self.request.on_progress, checkpoint, phase=method.name)
        with self._compilation_told(method, problem):
            fitted = fit(averaged(method), problem, self.request.seed, options)
        method = ended_after(method, fitted.stopped.step)
        return Candidate(
            name=method.name,
            picture=fitted.estimate.image,
            judged=fitted.estimate,
            stopped=fitted.stopped,
            method=method,
            rule=rule,
            watch=fitted.watch,
            history=fitted.history,
            notes=fitted.notes + said,
            interrupted=fitted.interrupted,
            seconds=time.monotonic() - started,
            recipe=plane_recipe(method, rule, fitted.stopped.step),
        )

    def _compilation_told(self, method: Method, problem: Problem) -> AbstractContextManager[None]:
        """Return what says so where the run has to wait for the compiler, which it does once on a machine."""
        tell = self.request.on_progress
        if tell is None or not runs_of(method).compiled:
            return nullcontext()
        from untaught.methods.non_local.kernels.compiling import compilation_told

        told = Progress.before(f"{method.name}, {COMPILED}", lambda: problem.initial().clone())
        return compilation_told(lambda: tell(told))


def in_time(method: Method, problem: Problem, seconds: float) -> Method | None:
    """Return a method as it fits into so many seconds, None where it does not."""
    return method.within(problem, seconds) if isinstance(method, Timed) else method


def quickened(asked: Method, method: Method) -> tuple[str, ...]:
    """Return what there is to say where a method was given less to do, so as to end in time."""
    if asked == method:
        return ()
    if asked.name != method.name:
        less = ", ".join(_changed(make(method.name), method))
        took = f"to end in time, {method.name} took the place of {asked.name}"
        return (f"{took}, with {less}" if less else took,)
    return (f"to end in time, {method.name} ran with {', '.join(_changed(asked, method))}",)


def _changed(asked: object, given: object) -> list[str]:
    """Return in words which settings have other values, those of settings that are made of some too."""
    found: list[str] = []
    for name, value in vars(asked).items():
        other, word = getattr(given, name), name.replace("_", " ")
        if other == value:
            continue
        if other is None:
            found.append(f"no {word}")
        elif isinstance(value, ClosedForm) and isinstance(other, ClosedForm) and type(value) is not type(other):
            found.append(f"{word} {other.name}")
        elif is_dataclass(value) and type(other) is type(value):
            found += _changed(value, other)
        elif isinstance(value, tuple):
            found.append(f"{len(other)} {word} in place of {len(value)}, and a shorter search")
        else:
            found.append(f"{word} {_number(other)} in place of {_number(value)}")
    return found


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _no_time(method: Method, rule: Rule, problem: Problem) -> Candidate:
    """Return the picture as it was as the candidate of a method for which there was no time."""
    start = problem.initial()
    stopped = Stopped("time limit", 0, NO_TIME)
    return Candidate(method.name, start, Estimate(start), stopped, method, rule)


def made_at_once(method: ClosedForm, estimate: Estimate) -> Candidate:
    """Return what a formula answered elsewhere, with other planes, as its candidate; it is not judged yet."""
    rule = StepBudget()
    return Candidate(
        name=method.name,
        picture=estimate.image,
        judged=estimate,
        stopped=Stopped.at_once(),
        method=method,
        rule=rule,
        recipe=plane_recipe(method, rule, 0),
    )


def picture_maker(method: Method, seed: int, options: Options | None = None) -> Callable[[Problem], Tensor]:
    """Return what makes the picture of another problem, such as one of which a part is kept back.

    A picture that is not whole is of no use: Ctrl-C goes through.
    """

    def make(problem: Problem) -> Tensor:
        fitted = fit(method, problem, seed, options)
        if fitted.interrupted:
            raise KeyboardInterrupt
        return fitted.estimate.image

    return make
