"""How one answer is made of two pictures of a measurement, by what was held out; see `plan.Combine`."""

from __future__ import annotations

from dataclasses import replace

import torch

from untaught.pipeline.plane.candidate import Candidate, Outcome
from untaught.pipeline.plane.plan import Plan
from untaught.pipeline.plane.run_method import Runner
from untaught.problem import Estimate, Problem, around, part_of

LEAST = 0.05  # share of a mixture below which a picture is left out
CONTEXT = 64  # pixels around wide holes that the network sees: more are drawn slower and no better


def alone(plan: Plan, problem: Problem, pilot: Candidate | None, runner: Runner) -> Outcome:
    """Run the one method, and answer with it."""
    found = _run(plan, problem, runner)
    return Outcome(found, plan.why, (found.row("the answer"),))


def mixed(plan: Plan, problem: Problem, pilot: Candidate | None, runner: Runner) -> Outcome:
    """Run the one method, and mix its picture with the pilot's so that it predicts best what was kept back."""
    if pilot is None:
        return alone(plan, problem, pilot, runner)
    found = _run(plan, problem, runner)
    share = share_of(found)
    chosen, more = mixture(found, pilot, share)
    return _outcome(plan, (pilot, found), chosen, share, "answer", more)


def inlaid(plan: Plan, problem: Problem, pilot: Candidate | None, runner: Runner) -> Outcome:
    """Run the one method around the wide holes, and lay its picture into them; all else is the pilot's."""
    if pilot is None or plan.holes is None:
        return alone(plan, problem, pilot, runner)
    window = around(plan.holes, CONTEXT)
    found = _run(plan, part_of(problem, window), runner)
    if found.smeared:
        more = f"; but {found.name} had too little time to draw anything"
        return _outcome(plan, (pilot, found), replace(pilot, interrupted=found.interrupted), 0.0, "pixels", more)
    drawn = pilot.picture.clone()
    drawn[window] = found.picture
    chosen = replace(found, picture=torch.where(plan.holes.bool(), drawn, pilot.picture))
    return _outcome(plan, (pilot, found), chosen, float(plan.holes.mean()), "pixels")


def share_of(found: Candidate) -> float:
    """Return the share of the network's picture in the mixture with the first one.

    The c of least score of p + c (f - p), from what the rule kept back of both: scores are squared errors, so
    three of them tell the parabola. Where nothing was kept back it is 1; or 0 where the fit was cut short before
    it came as near to the measurement as the first picture.
    """
    watch, f = found.watch, found.judged.image
    p = None if watch is None else watch.problem.pilot
    if watch is None or p is None:
        return 1.0
    a, b, c = (watch.score(0, p + weight * (f - p)) for weight in (0.0, 0.5, 1.0))
    curvature = a - 2 * b + c
    if not (watch.quadratic and curvature > 0):
        behind = found.cut_short and watch.problem.misfit(f) > watch.problem.misfit(p)
        return 0.0 if behind else 1.0
    share = min(max(0.25 * (3 * a - 4 * b + c) / curvature, 0.0), 1.0)
    return 0.0 if share < LEAST else 1.0 if share > 1 - LEAST else share


def mixture(found: Candidate, first: Candidate, share: float) -> tuple[Candidate, str]:
    """Return the mixture of two pictures, and what to say of it."""
    if share == 1:
        return found, ""
    f = found.judged.image
    p = first.picture if found.watch is None or found.watch.problem.pilot is None else found.watch.problem.pilot
    judged = Estimate(p + share * (f - p))
    if share == 0:
        more = f"; but {found.name} does not add to the picture of {first.name}"
        left = replace(first, judged=judged, watch=found.watch, history=found.history, notes=found.notes)
        return replace(left, interrupted=found.interrupted), more
    more = f"; with {1 - share:.0%} of the picture of {first.name} it predicts best what was kept back"
    return replace(found, judged=judged, picture=first.picture + share * (found.picture - first.picture)), more


def _run(plan: Plan, problem: Problem, runner: Runner) -> Candidate:
    (method,) = plan.methods
    return runner.run(method, problem, runner.rule(method, problem), runner.left, runner.request.checkpoint)


def _outcome(
    plan: Plan, parts: tuple[Candidate, Candidate], chosen: Candidate, share: float, of: str, more: str = ""
) -> Outcome:
    """Return the outcome of a pilot and of what was made after it, whose share is so much."""
    notes = f"{1 - share:.0%} of the {of}", f"{share:.0%} of the {of}"
    tried = tuple(part.row(note) for part, note in zip(parts, notes, strict=True))
    if share:
        chosen = replace(chosen, pilot=parts[0].method)
    return Outcome(chosen, plan.why + more, tried)
