"""From one measurement to the picture: noise, rule, fit, and what they say of the answer."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.averaging import Averaged
from untaught.choose import NOTHING, objection, rule_for, rule_objection
from untaught.consistency import consistent
from untaught.errors import InputError
from untaught.fit import Fitted, Options, fit
from untaught.methods import METHODS, make
from untaught.methods.base import ClosedForm, Estimate, Iterative, Problem
from untaught.methods.dip import DIP
from untaught.methods.pixels import PixelTV
from untaught.operators import Mosaic
from untaught.plane import Answer, Request
from untaught.recipe import plane_recipe
from untaught.result import Candidate
from untaught.risk import Risk, mean_of
from untaught.solution import Method, clean_risk
from untaught.stopping import CrossFitted, HeldOut, Recorrupted, Rule, StepBudget
from untaught.task import Task, array

FAINT = 5 / 255  # texture seldom feigns more than this where patches are whole
ROUGH = 15 / 255  # ... and more than this where there are none
DOUBTFUL = 0.2  # relative error of a noise variance from which on it may be texture
ALIKE = 1.25  # missing pixels this much farther from kept ones than held-out ones are not judged by those
QUADRATIC = (HeldOut.name, Recorrupted.name, CrossFitted.name)  # rules whose score is a mean of squares
FIRST = PixelTV()  # makes the picture that the network draws from
WHY = "a network's own structure is a prior for any operator"
LEAST = 0.05  # share of a mixture below which a picture is left out


@dataclass(frozen=True)
class Attempt:
    """A fit of one method, and the picture it made.

    `fitted.estimate` is of the same kind, but made without what the rule kept back: what can be judged by that.
    """

    method: Method
    rule: Rule
    fitted: Fitted
    picture: Tensor
    seconds: float

    @property
    def cut_short(self) -> bool:
        """Whether it was ended from outside."""
        return self.fitted.interrupted or self.fitted.stopped.rule == "time limit"

    def candidate(self, note: str) -> Candidate:
        """Return the line of this fit in the table of what was tried."""
        return Candidate(self.method.name, None, self.seconds, note)


def checked(method: object, task: Task) -> Method:
    """Return the method that was asked for, or the default.

    Raises
    ------
    InputError
        For a method that is not made for the operator.
    """
    if isinstance(method, str) and method in ("auto", DIP.name):
        return DIP.reconstruction()
    made: object = make(method) if isinstance(method, str) else method
    if isinstance(made, Iterative | ClosedForm) and _able(made, task):
        return made
    able = [name for name in METHODS if _able(make(name), task)]
    raise InputError(
        f"{getattr(made, 'name', made)} needs a picture of which every pixel was measured, so it cannot "
        f"{task.name}; choose auto, {', '.join(able)}"
    )


def _able(method: Method, task: Task) -> bool:
    """Say whether a method can do a task, noise apart."""
    operator, mask = task.folded
    if isinstance(operator, Mosaic):
        return not method.needs.complete
    return not method.needs.identity if operator is not None else mask is None or not method.needs.complete


def solved(problem: Problem, task: Task, request: Request, notes: tuple[str, ...]) -> Answer:
    """Return the picture behind a measurement; see `untaught.restore` for what the request may hold."""
    started = time.monotonic()
    method = checked(request.method, task)
    reason = objection(method.needs, problem.noise)
    if reason:
        raise InputError(f"{method.name} cannot {task.name} this picture: {reason}; choose auto")
    rule, refused = _rule(method, problem, request.rule)
    notes += refused
    first = None
    if isinstance(method, DIP) and problem.hint is None and (method.code.pilot or rule.name in QUADRATIC):
        first = _attempt(FIRST, problem, request, Options(StepBudget(), request.seconds))
        if first.cut_short:
            return _answer(problem, first, "it was ready when the time was over", (), notes)
        problem = replace(problem, pilot=first.picture, remake=_first)
    left = None if request.seconds is None else max(request.seconds - (time.monotonic() - started), 0.0)
    found = _attempt(method, problem, request, Options(rule, left, checkpoint=request.checkpoint))
    why = WHY if request.method == "auto" else "it was asked for"
    if first is None:
        return _answer(problem, found, why, (found.candidate("the answer"),), notes)
    share = _share(found, first)
    chosen, more = _mixed(found, first, share)
    candidates = (first.candidate(f"{1 - share:.0%} of the answer"), found.candidate(f"{share:.0%} of the answer"))
    return _answer(problem, chosen, why + more, candidates, notes)


def _first(problem: Problem) -> Tensor:
    """Return the first picture of a problem of which a part is kept back."""
    return fit(FIRST, problem, 0).estimate.image


def _rule(method: Method, problem: Problem, wanted: Rule | None) -> tuple[Rule, tuple[str, ...]]:
    """Return the rule that was wanted, or one that can be used where it cannot, and a note about that."""
    best = rule_for(method, problem.noise, problem.operator, problem.complete)
    reason = None if wanted is None else rule_objection(wanted, problem.noise, problem.operator)
    if wanted is None or reason is None:
        return wanted or best, ()
    return best, (f"the stopping rule {wanted.name} was asked for, but {reason}; {best.name} took its place",)


def _attempt(method: Method, problem: Problem, request: Request, options: Options) -> Attempt:
    started = time.monotonic()
    options = replace(options, phase=method.name, on_progress=request.on_progress)
    fitted = fit(Averaged(method) if isinstance(method, DIP) else method, problem, request.seed, options)
    return Attempt(method, options.rule, fitted, fitted.estimate.image, time.monotonic() - started)


def _share(found: Attempt, first: Attempt) -> float:
    """Return the share of the network's picture in the mixture with the first one.

    The c of least score of p + c (f - p), from what the rule kept back of both: scores are squared errors, so
    three of them tell the parabola. Where nothing was kept back it is 1; or 0 where the fit was cut short before
    it came as near to the measurement as the first picture.
    """
    watch, f = found.fitted.watch, found.fitted.estimate.image
    p = watch.problem.pilot
    if p is None:
        return 1.0
    a, b, c = (watch.score(0, p + weight * (f - p)) for weight in (0.0, 0.5, 1.0))
    curvature = a - 2 * b + c
    if found.rule.name not in QUADRATIC or not curvature > 0:
        behind = found.cut_short and watch.problem.misfit(f) > watch.problem.misfit(p)
        return 0.0 if behind else 1.0
    share = min(max(0.25 * (3 * a - 4 * b + c) / curvature, 0.0), 1.0)
    return 0.0 if share < LEAST else 1.0 if share > 1 - LEAST else share


def _mixed(found: Attempt, first: Attempt, share: float) -> tuple[Attempt, str]:
    """Return the mixture of two pictures, and what to say of it."""
    watch, f = found.fitted.watch, found.fitted.estimate.image
    if share == 1:
        return found, ""
    p = first.picture if watch.problem.pilot is None else watch.problem.pilot
    judged = replace(found.fitted, estimate=Estimate(p + share * (f - p)))
    if share == 0:
        more = f"; but {found.method.name} does not add to the picture of small total variation"
        return replace(first, fitted=replace(judged, stopped=first.fitted.stopped)), more
    more = f"; with {1 - share:.0%} of the picture of small total variation it predicts best what was kept back"
    return replace(found, fitted=judged, picture=first.picture + share * (found.picture - first.picture)), more


def _answer(
    problem: Problem, chosen: Attempt, why: str, candidates: tuple[Candidate, ...], notes: tuple[str, ...]
) -> Answer:
    image, noise = chosen.picture, problem.noise
    free = noise.level < NOTHING or noise.kind == "impulse"
    risk, remarks = _risk(problem, chosen, free)
    if free:
        image = consistent(problem, image)
    elif problem.operator is None and any(noise.clip):
        image = noise.unclip(image)
        remarks += ("values were cut off at the end of the range; the shift this causes was undone",)
    if problem.operator is not None:
        image = problem.operator.visible(image)
    direct = problem.operator is None and problem.complete
    return Answer(
        values=array(image),
        noise=noise,
        method=chosen.method.name,
        why=why,
        stopped=chosen.fitted.stopped,
        risk=risk,
        variance=float(noise.variance(image).mean()) if direct else 0.0,
        history=chosen.fitted.history,
        candidates=candidates,
        notes=notes + remarks + chosen.fitted.notes,
        interrupted=chosen.fitted.interrupted,
        recipe=plane_recipe(chosen.method, chosen.rule, chosen.fitted.stopped.step),
    )


def _risk(problem: Problem, chosen: Attempt, free: bool) -> tuple[Risk | None, tuple[str, ...]]:
    """Return the error of the picture where it can be known, and what else can be said of it."""
    watch, judged = chosen.fitted.watch, chosen.fitted.estimate
    terms = None if chosen.fitted.interrupted else watch.terms(judged)
    if terms is None:
        return None, ()
    if problem.operator is not None:
        error = mean_of(terms.sure, torch.ones_like(terms.sure), terms.honest).value
        decibels = -10 * math.log10(max(error, 1e-10))
        return None, (
            f"measurements that the fit has not seen are predicted to {decibels:.1f} dB, which is no estimate of "
            "the picture's error: the operator does not see all of a picture",
        )
    found = clean_risk(chosen.method, problem, judged.image, terms)
    if problem.complete:
        return found, ()
    if not free or not _alike(problem.mask, watch.problem.mask):
        return None, ("there is no estimate of the error: nothing that was kept back is like what is missing",)
    share = 1 - float(problem.mask.mean())  # kept pixels without noise are not wrong at all
    return Risk(share * max(found.value, 0.0), share * found.error), ()


def _alike(mask: Tensor, left: Tensor) -> bool:
    """Say whether missing pixels are about as near to kept ones as held-out ones are to those that were left."""
    missing, gone = ((m == 0).any(1)[0].cpu().numpy() for m in (mask, left))
    held = gone & ~missing
    return bool(held.any()) and _distance(missing, missing) <= ALIKE * _distance(gone, held)


def _distance(gone: NDArray[np.bool_], where: NDArray[np.bool_]) -> float:
    """Return the mean distance from the pixels `where` to the nearest that is not gone."""
    from scipy.ndimage import distance_transform_edt

    return float(distance_transform_edt(gone)[where].mean())
