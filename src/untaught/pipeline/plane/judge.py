"""The error of a candidate by Stein's formula, and which of two candidates has the smaller one."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import torch
from torch import Tensor

from untaught.errors import InputError
from untaught.fitting.stopping import HeldOut
from untaught.method import ClosedForm, Stopped, runs_of
from untaught.methods.fusion import Fusion
from untaught.noise import NoiseModel
from untaught.pipeline.plane.candidate import Candidate
from untaught.problem import Estimate, Problem
from untaught.risk.background import background
from untaught.risk.bent_mean import through_bend
from untaught.risk.clipping_weight import undone, weight_at
from untaught.risk.estimate import Z90, Risk, estimate_risk, mean_of
from untaught.risk.sure import Terms, common_kernel, divergence_draws, kernel_of, risk_terms, terms_of
from untaught.risk.tweedie import UNUSED, Shrinkage

OFF = 0.5  # relative error of the difference of two risks, beside what chance does to it


def identity(problem: Problem) -> Candidate:
    """Return the input as a candidate: what `auto` falls back on, so that it never does harm."""
    stopped = Stopped("nothing to do", 0, "the input was returned as it is")
    found = Candidate("none", problem.y, Estimate(problem.y), stopped)
    if problem.pilot is None:
        return found
    variance = kernel_of(problem, problem.pilot)
    mean = float(variance.mean())
    # f = y: no misfit, and the divergence is one.
    terms = Terms(torch.zeros_like(variance), variance, variance, problem.mask)
    risk = Risk(mean, problem.noise.relative_error * mean)
    return replace(found, terms=terms, risk=risk)


def judge(candidate: Candidate, problem: Problem, seed: int) -> Candidate:
    """Return a candidate with its risk, a value and the mean, where it can be measured; see `with_terms`."""
    found = with_terms(candidate, problem, seed)
    return found if found.terms is None else with_risk(found, problem, found.terms)


def with_risk(candidate: Candidate, problem: Problem, terms: Terms) -> Candidate:
    """Return a candidate with these terms, and the risk that they come to."""
    started = time.monotonic()
    risk = clean_risk(shrinkage_of(candidate), problem, candidate.judged.image, terms)
    seconds = candidate.seconds + time.monotonic() - started
    return replace(candidate, terms=terms, risk=risk, seconds=seconds)


def with_terms(candidate: Candidate, problem: Problem, seed: int) -> Candidate:
    """Return a candidate with its risk a value: by how it moves with the noise, or by what its rule kept back.

    One that was interrupted, or made no step, is not judged; where Ctrl-C comes meanwhile, the picture is there.
    """
    started, method = time.monotonic(), candidate.method
    judged = candidate.judged
    if isinstance(method, ClosedForm) and judged.function is None:
        judged = replace(judged, function=lambda y: method.solve(problem.with_y(y), seed).image)
    found = replace(candidate, judged=judged)
    if candidate.interrupted or (candidate.stopped.step == 0 and not isinstance(method, ClosedForm)):
        return found
    try:
        found = replace(found, terms=_terms(found, problem, seed))
    except KeyboardInterrupt:
        found = replace(found, interrupted=True)
    return replace(found, seconds=found.seconds + time.monotonic() - started)


def _terms(candidate: Candidate, problem: Problem, seed: int) -> Terms | None:
    judged, method = candidate.judged, candidate.method
    if isinstance(method, ClosedForm) and problem.noise.replaces:
        try:
            kept_back = HeldOut().watch(problem, seed)
        except InputError:  # too few pixels: there is an answer, and no estimate of its error
            return None
        return kept_back.terms(method.solve(kept_back.problem, seed))
    if judged.function is None or problem.noise.replaces:
        return None if candidate.watch is None else candidate.watch.terms(judged)
    if judged.responses:  # the method has measured its divergence itself
        return terms_of(judged.image, judged.responses, problem, common_kernel(problem, judged.image))
    draws = divergence_draws(problem, judged.image, seed)
    return risk_terms(judged.image, [(draw, judged.function(draw.yhat)) for draw in draws])


def shrinkage_of(candidate: Candidate) -> Shrinkage:
    """Return how far Tweedie's formula is off for a candidate."""
    runs = Fusion.runs if candidate.name == Fusion.name else runs_of(candidate.method)
    return candidate.shrinkage or Shrinkage(*runs.tweedie)


def clean_risk(shrinkage: Shrinkage, problem: Problem, image: Tensor, terms: Terms) -> Risk:
    """Return the estimated mean squared error of `image` once what noise has made of its mean is undone."""
    held_out = not bool(terms.cross.any())
    weight = undone(problem.noise, image, problem.y)
    # Without a divergence there is no second formula.
    shrinkage = UNUSED if held_out else shrinkage
    shown = with_signal(problem, image, terms)
    seen = estimate_risk(shown, weight, problem.noise.relative_error, shrinkage)
    if problem.noise.least_mean is not None:
        local = shrinkage.corrected(terms.cross, terms.variance)
        seen = through_bend(background(problem.noise, image, terms.valid), terms, seen, local)
    return replace(seen, error=math.hypot(seen.error, problem.noise.misfit * seen.value))


def with_signal(problem: Problem, image: Tensor, terms: Terms) -> Terms:
    """Return terms that are valid where there is signal: elsewhere the answer itself tells what it errs by."""
    if problem.noise.least_mean is None:
        return terms
    return background(problem.noise, image, terms.valid).left_out(terms)


def relative_to(found: Candidate, pilot: Candidate | None, noise: NoiseModel) -> Candidate:
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
    more = _difference(found.terms, pilot.terms, pilot.judged.image, noise)
    value = max(pilot.risk.value + more.value, 0.0)
    return replace(found, risk=Risk(value, math.hypot(pilot.risk.error, more.error, OFF * more.value)))


def surely_better(found: Candidate, best: Candidate, noise: NoiseModel, errors: float = Z90) -> bool:
    """Say whether `found` has the smaller risk by so many standard errors, by Stein's formula alone."""
    if found.terms is None or best.terms is None:
        return found.risk is not None and (best.risk is None or found.risk.value < best.risk.value)
    difference = _difference(found.terms, best.terms, best.judged.image, noise)
    return difference.value < -errors * difference.error


def _difference(found: Terms, base: Terms, image: Tensor, noise: NoiseModel) -> Risk:
    """Return by how much Stein's formula has the risk of `found` above that of `base`, whose picture is `image`.

    In the difference of two answers to the same y the noise variance cancels, and with it its error.
    """
    return mean_of(found.sure - base.sure, weight_at(noise, image), base.valid)
