"""The pilot: the first estimate of a plane, which guides the others and tells its noise once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from untaught.fitting.stopping import StepBudget
from untaught.method import Method, runs_of
from untaught.methods.registry import make
from untaught.pipeline.plane.candidate import Candidate
from untaught.pipeline.plane.choose_rule import rule_for
from untaught.pipeline.plane.judge import with_risk, with_terms
from untaught.pipeline.plane.refine_noise import refine
from untaught.pipeline.plane.run_method import Runner, in_time, picture_maker
from untaught.problem import Estimate, Problem, Repilot
from untaught.risk.sure import common_kernel

USUAL = "nonlocal"
FOR_THE_PILOT = 0.5  # of the seconds, where another method is to follow
# Of the variance that was measured first, what is found then: below, the picture is made again. It gained .1 to
# 1.1 dB on four of 84 noisy crops of Kodak and scikit-image, dark ones with speckle; no other came below.
WEAKER = 0.9


def pilot_for(problem: Problem, seconds: float | None, methods: Sequence[Method]) -> str | None:
    """Return the method for the pilot: wavelets where `seconds` are too few for the non-local picture.

    A pilot is what it is by its name, which is all that a recipe has of it. None where the time is too short for
    wavelets as well, and none of the `methods` after it draws from a pilot.
    """
    if seconds is None:
        return USUAL
    share = seconds if make(USUAL) in methods else FOR_THE_PILOT * seconds
    for name in (USUAL, "wavelet"):
        method = make(name)
        if in_time(method, problem, share) == method:
            return name
    return "wavelet" if any(runs_of(method).piloted for method in methods) else None


def with_pilot(method: Method, problem: Problem, runner: Runner) -> tuple[Problem, Candidate]:
    """Return the problem guided by what `method` makes of it, its noise level refined, and that.

    Where the noise turns out to be much weaker than was measured at first, the picture was smoothed too much: then
    it is made again, if the time allows for it.

    Raises
    ------
    KeyboardInterrupt
        Where Ctrl-C left nothing behind.
    """
    measured, before = problem.noise, runner.left
    guided, first = _guided(method, problem, runner)
    after = runner.left
    too_late = before is not None and after is not None and after < before - after  # as long again
    if first.interrupted and first.idle:
        raise KeyboardInterrupt
    if first.terms is None or too_late or guided.noise.level**2 > WEAKER * measured.level**2:
        return guided, first
    noise = replace(guided.noise, relative_error=measured.relative_error)
    again, second = _guided(method, replace(problem, noise=noise), runner)
    return (guided, replace(first, interrupted=True)) if second.interrupted else (again, second)


def _guided(method: Method, problem: Problem, runner: Runner) -> tuple[Problem, Candidate]:
    seed = runner.request.seed
    first = runner.run(method, problem, rule_for(method, problem.noise), None)
    first = with_terms(first, problem, seed)
    problem = replace(problem, repilot=first.judged.repilot or _again(first.judged))
    if first.terms is None:
        return replace(problem, pilot=first.picture), first
    given = runner.request.noise is not None  # and not to be known better, whatever its error
    noise = problem.noise if given else refine(problem, first.picture, first.terms)
    problem = replace(problem, noise=noise, pilot=first.picture)
    terms = first.terms.of_variance(common_kernel(problem, first.picture))
    return problem, with_risk(first, problem, terms)


def _again(made: Estimate) -> Repilot | None:
    """Return a guide that does the same for another observation, whatever its variance."""
    function = made.function
    return None if function is None else lambda y, _: function(y)


def measured_by(method: Method, problem: Problem, runner: Runner) -> tuple[Problem, Candidate]:
    """Return the problem of a measurement guided by what `method` makes of it, and that; it is not judged."""
    first = runner.run(method, problem, StepBudget(), runner.left)
    if first.cut_short:
        return problem, first
    return replace(problem, pilot=first.picture, remake=picture_maker(method, runner.request.seed)), first


def unguided(method: Method, problem: Problem, runner: Runner) -> tuple[Problem, Candidate]:
    """Return the problem as it is, and the picture of `method`, into which another will be laid."""
    return problem, runner.run(method, problem, StepBudget(), runner.left)
