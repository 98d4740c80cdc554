"""One plane, the one way: make the problem, choose, run, judge, combine, answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from untaught.fitting.progress import Progress
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.candidate import Candidate, Outcome
from untaught.pipeline.plane.choose_methods import choose_denoising
from untaught.pipeline.plane.choose_reconstruction import choose_reconstruction
from untaught.pipeline.plane.choose_rule import refusal
from untaught.pipeline.plane.make_answer import make_answer
from untaught.pipeline.plane.plan import Plan
from untaught.pipeline.plane.run_method import Runner
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.problem import Problem

Made = tuple[Problem, tuple[str, ...]]  # a problem, and what was found while it was made


def restore_plane(make: Callable[[], Made], task: Task, request: Request) -> Answer:
    """Restore one plane.

    Parameters
    ----------
    make : callable
        Makes the problem; the time that takes counts.
    task, request : Task, Request
        What is asked for.

    Raises
    ------
    InputError
        If it cannot be done, or not with what was asked for.
    KeyboardInterrupt
        Where Ctrl-C left nothing behind.
    """
    runner = Runner(request, task)
    problem, notes = make()
    runner = replace(runner, request=replace(request, seconds=runner.left), started=time.monotonic())
    plan = _chosen(problem, runner)
    _warn(plan, problem, runner)
    runner, refused = _with_usable_rule(runner, problem, plan)
    problem, outcome = _carried_out(plan, problem, runner)
    return make_answer(problem, outcome, runner, (*notes, *refused, *plan.notes))


def _chosen(problem: Problem, runner: Runner) -> Plan:
    if runner.task.fills_in:
        return choose_reconstruction(problem, runner.task, runner.request)
    return choose_denoising(problem, runner.request)


def _warn(plan: Plan, problem: Problem, runner: Runner) -> None:
    """Say at once what the plan has to say, so that a run that cannot help can be stopped."""
    tell = runner.request.on_progress
    if tell is None or not plan.notes:
        return
    name = plan.methods[-1].name if plan.methods else "none"
    tell(Progress.before(name, lambda: problem.y, plan.notes))


def _with_usable_rule(runner: Runner, problem: Problem, plan: Plan) -> tuple[Runner, tuple[str, ...]]:
    """Drop a stopping rule that cannot be used with this noise and operator, and note that."""
    reason = refusal(runner.request.rule, problem.noise, problem.operator)
    if reason is None:
        return runner, ()
    took = "the one for this noise"
    if runner.task.fills_in:
        took = runner.own_rule(plan.methods[-1], problem).name
    return replace(runner, request=replace(runner.request, rule=None)), (f"{reason}; {took} took its place",)


def _carried_out(plan: Plan, problem: Problem, runner: Runner) -> tuple[Problem, Outcome]:
    """Run the pilot, if there is to be one, and what it guides; return the problem as it was solved."""
    pilot = None
    if plan.pilot is not None and plan.guide is not None:
        problem, pilot = plan.guide(plan.pilot, problem, runner)
        if pilot.cut_short:
            ended = "the run was interrupted" if pilot.interrupted else "the time was over"
            return problem, Outcome(pilot, f"it was ready when {ended}")
    outcome = plan.combine(plan, problem, pilot, runner)
    chosen = outcome.chosen
    if pilot is not None and not runner.task.fills_in:  # its noise was refined from the pilot, whatever it was
        chosen = replace(chosen, pilot=pilot.method)
    return problem, replace(outcome, chosen=_noted(chosen))


def _noted(chosen: Candidate) -> Candidate:
    """Write into the recipe which method made the pilot, for that may depend on the clock."""
    if chosen.pilot is None or chosen.recipe is None:
        return chosen
    return replace(chosen, recipe=chosen.recipe.model_copy(update={"pilot": chosen.pilot.name}))
