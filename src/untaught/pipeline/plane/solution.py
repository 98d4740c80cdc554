"""One method on one problem: fitted, stopped, and its error estimated."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.fitting.loop import fit
from untaught.fitting.progress import Fitted, Options
from untaught.fitting.stopping import HeldOut
from untaught.method import ClosedForm, History, Method, Stopped, ended_after
from untaught.methods.averaging import Averaged
from untaught.methods.untrained.dip import DIP
from untaught.noise import NoiseModel
from untaught.pipeline.plane.choose_rule import rule_for
from untaught.pipeline.recipes import plane_recipe
from untaught.problem import Estimate, Problem
from untaught.results.recipe import PlaneRecipe
from untaught.results.restoration import Candidate
from untaught.risk.clipping_weight import undone, weight_at
from untaught.risk.estimate import Z90, Risk, estimate_risk, mean_of, to_interval
from untaught.risk.sure import Terms, common_kernel, divergence_draws, kernel_of, risk_terms, terms_of
from untaught.risk.tweedie import Shrinkage, shrinkage_of

OFF = 0.5  # relative error of the difference of two risks, beside what chance does to it


@dataclass(frozen=True)
class Solution:
    """What one method made of a problem; `risk` is of the picture after the clipping is undone."""

    name: str
    estimate: Estimate
    risk: Risk | None
    stopped: Stopped
    terms: Terms | None = None
    history: History = field(default_factory=History)
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    seconds: float = 0.0
    recipe: PlaneRecipe | None = None

    @property
    def idle(self) -> bool:
        """Whether the clock or the person ended it before its first step: then its picture is not its own."""
        return self.stopped.step == 0 and self.stopped.rule in ("time limit", "interrupted")

    def candidate(self, note: str) -> Candidate:
        """Return the line of this solution in the table of what was tried."""
        psnr = None if self.risk is None else to_interval(self.risk, 0.0, "").value
        return Candidate(self.name, psnr, self.seconds, note)


def solve(
    method: Method, problem: Problem, seed: int, options: Options, rule: Any = None, judged: bool = True
) -> Solution:
    """Run `method` with the rule asked for, or the one that suits it, and estimate its error if it is `judged`."""
    started = time.monotonic()
    options = replace(options, rule=rule or rule_for(method, problem.noise), phase=method.name)
    fitted = fit(Averaged(method) if isinstance(method, DIP) else method, problem, seed, options)
    method = ended_after(method, fitted.stopped.step)
    if isinstance(method, ClosedForm) and fitted.estimate.function is None:
        function = lambda y: method.solve(problem.with_y(y), seed).image  # noqa: E731
        fitted = replace(fitted, estimate=replace(fitted.estimate, function=function))
    interrupted, terms = fitted.interrupted, None
    try:
        if not interrupted and fitted.stopped.step + isinstance(method, ClosedForm) > 0:
            terms = _terms(method, problem, fitted, seed)
    except KeyboardInterrupt:  # the picture is there, only its error estimate is not
        interrupted = True
    return Solution(
        method.name,
        fitted.estimate,
        clean_risk(method, problem, fitted.estimate.image, terms) if judged and terms is not None else None,
        fitted.stopped,
        terms,
        fitted.history,
        fitted.notes,
        interrupted,
        time.monotonic() - started,
        plane_recipe(method, options.rule, fitted.stopped.step),
    )


def untouched(problem: Problem) -> Solution:
    """Return the input as a solution: what `auto` falls back on, so that it never does harm."""
    stopped = Stopped("nothing to do", 0, "the input was returned as it is")
    if problem.pilot is None:
        return Solution("none", Estimate(problem.y), None, stopped)
    variance = kernel_of(problem, problem.pilot)
    mean = float(variance.mean())
    # f = y: no misfit, and the divergence is one.
    terms = Terms(torch.zeros_like(variance), variance, variance, problem.mask)
    risk = Risk(problem.noise.with_unseen(mean), problem.noise.relative_error * mean)
    return Solution("none", Estimate(problem.y), risk, stopped, terms)


def _terms(method: Method, problem: Problem, fitted: Fitted, seed: int) -> Terms | None:
    """Return the risk per pixel: by the divergence of the fitted map, or by what the rule kept back."""
    function = fitted.estimate.function
    if isinstance(method, ClosedForm) and problem.noise.replaces:
        try:
            kept_back = HeldOut().watch(problem, seed)
        except InputError:  # too few pixels: there is an answer, and no estimate of its error
            return None
        return kept_back.terms(method.solve(kept_back.problem, seed))
    if function is None or problem.noise.replaces:
        return fitted.watch.terms(fitted.estimate)
    answer, responses = fitted.estimate.image, fitted.estimate.responses
    if responses:  # the method has measured its divergence itself
        return terms_of(answer, responses, problem, common_kernel(problem, answer))
    draws = divergence_draws(problem, answer, seed)
    return risk_terms(answer, [(draw, function(draw.yhat)) for draw in draws])


def clean_risk(method: object, problem: Problem, image: Tensor, terms: Terms) -> Risk:
    """Return the estimated mean squared error of `image` once what clipping did to its mean is undone."""
    held_out = not bool(terms.cross.any())
    weight = undone(problem.noise, image, problem.y)
    # Without a divergence there is no second formula.
    shrinkage = Shrinkage(1e6) if held_out else shrinkage_of(method)
    seen = estimate_risk(terms, weight, problem.noise.relative_error, shrinkage)
    missed = problem.noise.unseen * mean_of(terms.variance, weight.value, terms.honest).value
    return Risk(seen.value + missed, math.hypot(seen.error, missed))


def against(found: Solution, pilot: Solution | None, noise: NoiseModel) -> Solution:
    """Return `found`, that is no formula, with the risk of the pilot and what Stein's formula says it is more.

        risk(f) = risk(p) + (1/N) sum w (sure(f) - sure(p)),   w what undoing the clipping makes of squared errors

    How far formulas are from a posterior mean has been measured; a network lacks more of the picture than the
    noise that it follows tells: on 70 noisy crops of Kodak and scikit-image, Tweedie's formula gave .7 of the
    error of `dip`.
    """
    if pilot is None or pilot.risk is None or pilot.terms is None or found.risk is None or found.terms is None:
        return found
    if not (pilot.terms.responses and found.terms.responses):
        return found
    more = _difference(found.terms, pilot.terms, pilot.estimate.image, noise)
    value = max(pilot.risk.value + more.value, 0.0)
    return replace(found, risk=Risk(value, math.hypot(pilot.risk.error, more.error, OFF * more.value)))


def surely_better(found: Solution, best: Solution, noise: NoiseModel, errors: float = Z90) -> bool:
    """Say whether `found` has the smaller risk by so many standard errors, by Stein's formula alone."""
    if found.terms is None or best.terms is None:
        return found.risk is not None and (best.risk is None or found.risk.value < best.risk.value)
    difference = _difference(found.terms, best.terms, best.estimate.image, noise)
    return difference.value < -errors * difference.error


def _difference(found: Terms, base: Terms, image: Tensor, noise: NoiseModel) -> Risk:
    """Return by how much Stein's formula has the risk of `found` above that of `base`, whose picture is `image`.

    In the difference of two answers to the same y the noise variance cancels, and with it its error.
    """
    return mean_of(found.sure - base.sure, weight_at(noise, image), base.honest)
