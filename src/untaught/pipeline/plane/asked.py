"""Ways to one answer where there is nothing to choose: one method, the parts of a recipe, or the input."""

from __future__ import annotations

from dataclasses import replace

from untaught.method import ClosedForm, runs_of
from untaught.methods.registry import make
from untaught.pipeline.plane.candidate import Candidate, Outcome
from untaught.pipeline.plane.judge import identity, judge, relative_to, surely_better
from untaught.pipeline.plane.judge_parts import judge_parts
from untaught.pipeline.plane.plan import Plan
from untaught.pipeline.plane.run_method import Runner
from untaught.pipeline.plane.selection import mixture_of
from untaught.problem import Problem

LEFT = "the time was too short for any method, so the picture was left as it is; give it more"


def left_alone(plan: Plan, problem: Problem, pilot: Candidate | None, runner: Runner) -> Outcome:
    """Answer with the input; see `plan.Combine`."""
    return Outcome(identity(problem), plan.why)


def asked(plan: Plan, problem: Problem, pilot: Candidate | None, runner: Runner) -> Outcome:
    """Run the one method, and answer with it, or with the pilot where it was ended before it was better.

    Raises
    ------
    KeyboardInterrupt
        Where Ctrl-C left nothing behind.
    """
    (method,) = plan.methods
    if pilot is not None and method == make(pilot.name):
        return Outcome(pilot, plan.why, (pilot.row("asked for"),))
    request = runner.request
    found = runner.run(method, problem, runner.rule(method, problem), runner.left, request.checkpoint)
    if pilot is None and found.idle:
        return _without(found, problem)
    late = runner.left is not None and runner.left < found.seconds
    chosen = (judge_parts if runs_of(found.method).sampled or late else judge)(found, problem, request.seed)
    if not isinstance(method, ClosedForm):
        chosen = relative_to(chosen, pilot, problem.noise)
    row = chosen.row("asked for")
    if pilot is None or not _too_short(chosen, pilot, problem):
        return Outcome(chosen, plan.why, (row,))
    ended = "it was interrupted" if chosen.interrupted else "its time was over"
    reached = "it was better than its first picture" if chosen.stopped.step else "its first step"
    why = f"{method.name} was asked for, but {ended} before {reached}"
    left = replace(pilot, stopped=chosen.stopped, interrupted=chosen.interrupted)
    return Outcome(left, why, (pilot.row("the first picture"), row))


def _without(found: Candidate, problem: Problem) -> Outcome:
    """Answer with the input where a method was ended before it began.

    Raises
    ------
    KeyboardInterrupt
        Where it was a person who did.
    """
    if found.interrupted:
        raise KeyboardInterrupt
    left = replace(identity(problem), stopped=found.stopped)
    row = replace(found.row(f"not tried: {found.stopped.reason}"), psnr=None)
    return Outcome(left, f"{found.name} was to be run, but {found.stopped.reason}", (row,), (LEFT,))


def _too_short(chosen: Candidate, pilot: Candidate, problem: Problem) -> bool:
    """Say whether a fit was ended while the picture it started from was all there was, or the best so far."""
    if chosen.idle:
        return True
    late = chosen.stopped.rule == "time limit" and chosen.terms is not None
    return late and surely_better(pilot, chosen, problem.noise)


def made_again(plan: Plan, problem: Problem, pilot: Candidate | None, runner: Runner) -> Outcome:
    """Make the mixture of a recipe again."""
    request, left = runner.request, runner.left
    found = [
        pilot
        if pilot is not None and method == make(pilot.name)
        else judge(runner.run(method, problem, rule, left, request.checkpoint), problem, request.seed)
        for method, rule in request.parts
    ]
    chosen = mixture_of(found, problem, pilot) or found[0]
    return Outcome(chosen, plan.why, (chosen.row("asked for"),))
