"""From one measurement to the picture: noise, rule, fit, and what they say of the answer."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.fitting.loop import fit
from untaught.fitting.progress import Options
from untaught.fitting.stopping import Rule, StepBudget
from untaught.method import ClosedForm, Method, ended_after
from untaught.methods.averaging import Averaged
from untaught.methods.data_consistency import consistent
from untaught.methods.plug_and_play import PlugAndPlay
from untaught.methods.untrained.dip import DIP
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.choose_methods import objection
from untaught.pipeline.plane.choose_reconstruction import INVENTED, Plan, invented, planned
from untaught.pipeline.plane.choose_rule import refusal, rule_for
from untaught.pipeline.plane.mixture import Attempt, inlaid, mixed_pictures, share_of
from untaught.pipeline.plane.solution import clean_risk
from untaught.pipeline.recipes import plane_recipe
from untaught.pipeline.request import Request
from untaught.pipeline.task import Task
from untaught.problem import Estimate, Problem, around, array, part_of
from untaught.results.restoration import Candidate
from untaught.risk.cross_validation import MOST_DRAWS, risk_at, risk_of_filling
from untaught.risk.estimate import Risk, mean_of
from untaught.risk.sure import Terms, divergence_draws, risk_terms

CONTEXT = 64  # pixels around wide holes that the network sees: more are drawn slower and no better
Reasons = tuple[str, tuple[Candidate, ...]]  # why, and what was tried


def solved(problem: Problem, task: Task, request: Request, notes: tuple[str, ...]) -> Answer:
    """Return the picture behind a measurement; see `untaught.restore` for what the request may hold."""
    started = time.monotonic()
    plan = planned(problem, task, request)
    method, first = plan.methods[-1], None
    reason = objection(method.needs, problem.noise)
    if reason:
        raise InputError(f"{method.name} cannot {task.name} this picture: {reason}; choose auto")
    if len(plan.methods) > 1:
        first = _attempt(plan.methods[0], problem, request, Options(StepBudget(), request.seconds))
        if first.cut_short:
            ready = ("it was ready when the time was over", ())
            return _answer(problem, first, ready, _later(request, started), notes)
        if plan.apart is None:
            problem = replace(problem, pilot=first.picture, remake=_again(first.method, request.seed))
    rule, refused = _rule(method, problem, request.rule)
    left = _later(request, started).seconds
    window = None if plan.apart is None else around(plan.apart, CONTEXT)
    seen = problem if window is None else part_of(problem, window)
    found = _attempt(method, seen, request, Options(rule, left, checkpoint=request.checkpoint))
    if first is not None and window is not None:
        whole = first.picture.clone()
        whole[window] = found.picture
        found = replace(found, picture=whole)
    chosen, reasons = _chosen(plan, first, found)
    return _answer(problem, chosen, reasons, _later(request, started), notes + refused)


def _later(request: Request, started: float) -> Request:
    """Return the request with the time that is left."""
    if request.seconds is None:
        return request
    return replace(request, seconds=max(request.seconds - (time.monotonic() - started), 0.0))


def _chosen(plan: Plan, first: Attempt | None, found: Attempt) -> tuple[Attempt, Reasons]:
    """Return what the answer is made of, why, and the table of what was tried."""
    if first is None:
        return found, (plan.why, (found.candidate("the answer"),))
    if plan.apart is not None:
        chosen, share = inlaid(found, first, plan.apart)
        more, of = ("" if share else f"; but {found.method.name} had too little time to draw anything"), "pixels"
    else:
        share = share_of(found, first)
        (chosen, more), of = mixed_pictures(found, first, share), "answer"
    notes = f"{1 - share:.0%} of the {of}", f"{share:.0%} of the {of}"
    tried = tuple(part.candidate(note) for part, note in zip((first, found), notes, strict=True))
    return (replace(chosen, pilot=first.method.name) if share else chosen), (plan.why + more, tried)


def _again(method: Method, seed: int) -> Callable[[Problem], Tensor]:
    """Return what makes the first picture of a problem of which a part is kept back."""
    return lambda problem: fit(method, problem, seed).estimate.image


def _rule(method: Method, problem: Problem, wanted: Rule | None) -> tuple[Rule, tuple[str, ...]]:
    """Return the rule that was wanted, or one that can be used where it cannot, and a note about that."""
    best = rule_for(method, problem.noise, problem.operator, problem.complete)
    reason = refusal(wanted, problem.noise, problem.operator)
    if reason is None:
        return wanted or best, ()
    return best, (f"{reason}; {best.name} took its place",)


def _attempt(method: Method, problem: Problem, request: Request, options: Options) -> Attempt:
    started = time.monotonic()
    options = replace(options, phase=method.name, on_progress=request.on_progress)
    if isinstance(method, PlugAndPlay) and options.seconds is not None:
        method = method.within(problem, options.seconds)
    fitted = fit(Averaged(method) if isinstance(method, DIP) else method, problem, request.seed, options)
    method = ended_after(method, fitted.stopped.step)
    return Attempt(method, options.rule, fitted, fitted.estimate.image, time.monotonic() - started)


def _answer(
    problem: Problem, chosen: Attempt, reasons: Reasons, request: Request, notes: tuple[str, ...]
) -> Answer:
    image, noise = chosen.picture, problem.noise
    free = noise.negligible or noise.replaces
    try:
        (risk, remarks), interrupted = _risk(problem, chosen, free, request), chosen.fitted.interrupted
    except KeyboardInterrupt:  # the picture is there, only its error estimate is not
        risk, remarks, interrupted = None, (), True
    if free:
        image = consistent(problem, image)
    elif problem.operator is None and any(noise.clip):
        image = noise.unclip(image)
        remarks += ("values were cut off at the end of the range; the shift this causes was undone",)
    if problem.operator is not None:
        image = problem.operator.visible(image)
    direct = problem.operator is None and problem.complete
    recipe = plane_recipe(chosen.method, chosen.rule, chosen.fitted.stopped.step)
    return Answer(
        values=array(image),
        noise=noise,
        method=chosen.method.name,
        why=reasons[0],
        stopped=chosen.fitted.stopped,
        risk=risk,
        variance=float(noise.variance(image).mean()) if direct else 0.0,
        history=chosen.fitted.history,
        candidates=reasons[1],
        notes=notes + remarks + chosen.fitted.notes,
        interrupted=interrupted,
        recipe=recipe.model_copy(update={"pilot": chosen.pilot}),
    )


def _risk(problem: Problem, chosen: Attempt, free: bool, request: Request) -> tuple[Risk | None, tuple[str, ...]]:
    """Return the error of the picture where it can be known, and what else can be said of it."""
    if chosen.fitted.interrupted:
        return None, ()
    if problem.operator is None and not problem.complete:
        return _risk_of_filling(problem, chosen, free, request)
    judged = chosen.fitted.estimate
    terms = _divergence(problem, judged, request.seed) or chosen.fitted.watch.terms(judged)
    if problem.operator is None:
        return None if terms is None else clean_risk(chosen.method, problem, judged.image, terms), ()
    if terms is None:
        return None, ("there is no estimate of the picture's error: the operator does not see all of a picture",)
    error = mean_of(terms.sure, torch.ones_like(terms.sure), terms.honest).value
    decibels = -10 * math.log10(max(error, 1e-10))
    return None, (
        f"measurements that the fit has not seen are predicted to {decibels:.1f} dB, which is no estimate of "
        "the picture's error: the operator does not see all of a picture",
    )


def _divergence(problem: Problem, judged: Estimate, seed: int) -> Terms | None:
    """Return the risk per pixel of a formula for the whole picture, by how it moves with the noise."""
    if judged.function is None or problem.operator is not None:
        return None
    draws = divergence_draws(problem, judged.image, seed)
    return risk_terms(judged.image, [(draw, judged.function(draw.yhat)) for draw in draws])


def _risk_of_filling(
    problem: Problem, chosen: Attempt, free: bool, request: Request
) -> tuple[Risk | None, tuple[str, ...]]:
    """Return the error of a picture with missing pixels, which is in these alone where there is no noise."""
    if invented((chosen.method.name, chosen.pilot), problem):
        return None, (INVENTED,)
    draws = MOST_DRAWS
    if request.seconds is not None:
        draws = min(draws, int(request.seconds / max(chosen.seconds, 1e-6)))
    if not draws:
        return None, ("there is no estimate of the error: it would have taken the same time again",)
    risk = None
    if free and chosen.pilot is None:
        if isinstance(chosen.method, ClosedForm):
            risk = risk_of_filling(_filler(chosen.method, request), problem, request.seed, draws)
        else:
            risk = risk_at(chosen.fitted.watch.terms(chosen.fitted.estimate), problem.mask)
    if risk is None:
        return None, ("there is no estimate of the error: nothing that was kept back is like what is missing",)
    return risk, ()


def _filler(method: Method, request: Request) -> Callable[[Problem], Tensor]:
    """Return what fills in a problem of which a part is withheld; a picture that is not whole is of no use."""

    def fill(problem: Problem) -> Tensor:
        fitted = fit(method, problem, request.seed, Options(on_progress=request.on_progress, phase="checking"))
        if fitted.interrupted:
            raise KeyboardInterrupt
        return fitted.estimate.image

    return fill
