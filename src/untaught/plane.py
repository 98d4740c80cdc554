"""One plane from noisy to restored: measure, choose, fit, estimate the error."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.averaging import Averaged
from untaught.choose import NOTHING, objection, plan, rule_for
from untaught.errors import InputError
from untaught.fit import Fitted, Options, Progress, fit
from untaught.image import Plane
from untaught.methods import make
from untaught.methods.base import ClosedForm, Estimate, Iterative, Problem
from untaught.methods.dip import DIP
from untaught.noise import NoiseModel
from untaught.recipe import plane_recipe
from untaught.result import Candidate, History, PlaneRecipe, Stopped
from untaught.risk import Recorruption, Risk, risk_terms, summarise, to_interval
from untaught.stopping import Rule

Method = Iterative | ClosedForm
DIVERGENCE_SEED = 7919  # keeps the recorruptions of the error estimate apart from those of the fits
ENOUGH = 400_000  # values after which one draw of the divergence is accurate enough


@dataclass(frozen=True)
class Request:
    """What was asked for, the same for every plane."""

    method: str | Method = "auto"
    noise: NoiseModel | None = None
    seed: int = 0
    seconds: float | None = None
    device: str = "cpu"
    rule: Rule | None = None
    on_progress: Callable[[Progress], None] | None = None
    checkpoint: Path | None = None


@dataclass(frozen=True)
class Answer:
    """One plane's answer, still in [0, 1] units: `values` and `std` (H, W, C) float32."""

    values: NDArray[np.float32]
    noise: NoiseModel
    method: str
    why: str
    stopped: Stopped
    std: NDArray[np.float32] | None = None
    risk: Risk | None = None
    variance: float = 0.0
    history: History = field(default_factory=History)
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    recipe: PlaneRecipe | None = None


@dataclass(frozen=True)
class Solution:
    """What one method made of the problem, and its estimated risk on the clean scale."""

    name: str
    estimate: Estimate
    terms: tuple[Tensor, Tensor] | None
    risk: Risk | None
    stopped: Stopped
    history: History
    notes: tuple[str, ...]
    interrupted: bool
    seconds: float
    recipe: PlaneRecipe | None = None


def restore_plane(plane: Plane, request: Request) -> Answer:
    """Restore one plane; see `untaught.denoise` for what the request may hold."""
    problem, notes = prepare(plane, request)
    started = time.monotonic()
    if request.method == "auto":
        chosen, why, candidates = _auto(problem, request, started)
    else:
        method = make(request.method) if isinstance(request.method, str) else request.method
        reason = objection(method.needs, problem.noise)
        if reason:
            notes += (f"{method.name} was asked for, but {reason}; look twice at the result",)
        chosen = _solve(method, problem, request, request.seconds)
        why, candidates = "it was asked for", (_candidate(chosen, "asked for"),)
    return _answer(problem, chosen, why, candidates, notes)


def prepare(plane: Plane, request: Request) -> tuple[Problem, tuple[str, ...]]:
    """Measure the noise where it was not given, and make the problem; the notes say what was found."""
    from untaught.noise import measure

    report = measure(plane.values, plane.missing)
    notes = () if request.noise is not None else tuple(report.notes)
    noise = report.model if request.noise is None else replace(request.noise, clip=report.model.clip)
    missing = plane.missing
    if missing.any():
        notes += (f"{missing.mean():.1%} of the pixels held no measurement and were filled in",)
    if noise.kind == "impulse":
        extreme = ((plane.values <= 0) | (plane.values >= 1)).any(axis=-1)
        missing = missing | extreme
        notes += (f"{extreme.mean():.1%} of the pixels are black or white and were treated as missing",)
        if missing.all():
            raise InputError("every pixel is black or white: there is no measurement to restore from")
    y = torch.from_numpy(np.ascontiguousarray(plane.values.transpose(2, 0, 1)))[None].to(request.device)
    mask = torch.from_numpy(~missing).float()[None, None].to(request.device)
    return Problem(y, mask, noise), notes


def _auto(problem: Problem, request: Request, started: float) -> tuple[Solution, str, tuple[Candidate, ...]]:
    planned = plan(problem)
    kept = _untouched(problem)
    best = kept
    candidates: list[Candidate] = []
    for name in planned.methods:
        left = None if request.seconds is None else request.seconds - (time.monotonic() - started)
        if left is not None and left < 0.1 * (request.seconds or 0) and candidates:
            candidates.append(Candidate(name, None, 0.0, "not tried: the time limit was near"))
            break
        found = _solve(make(name), problem, request, left)
        candidates.append(_candidate(found, "tried"))
        if name == "nonlocal":
            problem = guided(problem, found)
        if _better(found, best):
            best = found
        if found.interrupted:
            break
    if best is kept and planned.methods:
        return (
            kept,
            "no method's estimated error was below the input's, so nothing was changed",
            tuple(candidates),
        )
    return best, planned.why, tuple(candidates)


def _better(found: Solution, best: Solution) -> bool:
    if found.risk is None or best.risk is None:
        return best.name == "none"
    return found.risk.value < best.risk.value


def _untouched(problem: Problem) -> Solution:
    """Return the input as a solution: what `auto` falls back on, so that it never does harm."""
    variance = float(problem.noise.variance(problem.y).mean())
    stopped = Stopped("nothing to do", 0, "the input was returned as it is")
    return Solution(
        "none",
        Estimate(problem.y),
        None,
        Risk(variance, problem.noise.relative_error * variance),
        stopped,
        History(),
        (),
        False,
        0.0,
    )


def _solve(method: Method, problem: Problem, request: Request, seconds: float | None) -> Solution:
    started = time.monotonic()
    if isinstance(method, Iterative) and problem.pilot is None and _can_have_pilot(problem):
        first = _solve(make("nonlocal"), problem, request, None)
        problem = guided(problem, first)
    if seconds is not None:
        seconds = max(seconds - (time.monotonic() - started), 0.0)
    options = Options(
        rule=request.rule or rule_for(method, problem),
        seconds=seconds,
        on_progress=request.on_progress,
        checkpoint=request.checkpoint,
        phase=method.name,
    )
    averaged = Averaged(method) if isinstance(method, DIP) else method
    fitted = fit(averaged, problem, request.seed, options)
    terms = None if fitted.interrupted else _terms(method, problem, fitted, request.seed)
    return Solution(
        method.name,
        fitted.estimate,
        terms,
        None if terms is None else _clean_risk(problem, fitted.estimate.image, terms),
        fitted.stopped,
        fitted.history,
        fitted.notes,
        fitted.interrupted,
        time.monotonic() - started,
        plane_recipe(method, options.rule, fitted.stopped.step),
    )


def _can_have_pilot(problem: Problem) -> bool:
    return problem.noise.level >= NOTHING and problem.noise.kind != "impulse"


def guided(problem: Problem, first: Solution) -> Problem:
    """Return the problem with an earlier solution as its pilot."""
    terms = None if first.terms is None else first.terms[0]
    return replace(problem, pilot=first.estimate.image, pilot_terms=terms)


def _terms(method: Method, problem: Problem, fitted: Fitted, seed: int) -> tuple[Tensor, Tensor] | None:
    """Return the risk per pixel of a fit's answer, and where it is honest."""
    if not isinstance(method, ClosedForm):
        return fitted.watch.terms(fitted.estimate)
    if problem.noise.kind == "impulse":
        return None
    answer = fitted.estimate.image
    size = answer.numel()
    draws = []
    for k in range(min(4, max(1, ENOUGH // size))):
        # With the answer as reference the step may be short, which keeps the divergence that of the answer.
        drawn = Recorruption.draw(replace(problem, pilot=answer), seed + DIVERGENCE_SEED + k, alpha=0.25)
        draws.append((drawn, method.solve(problem.with_y(drawn.yhat), seed).image))
    return risk_terms(answer, draws), problem.mask


def _clean_risk(problem: Problem, image: Tensor, terms: tuple[Tensor, Tensor]) -> Risk:
    """Return the risk after what clipping did to the mean is undone, which stretches errors near the ends."""
    own, honest = terms
    noise = problem.noise
    weight = _slope(noise, image).square()
    variance = noise.variance(image) if noise.kind != "impulse" else torch.zeros_like(image)
    level = noise.relative_error * float((variance * weight * problem.mask).mean())
    whole = problem.mask.expand_as(image)
    if problem.pilot_terms is None or bool((honest == problem.mask).all()):
        return summarise(own, weight * honest, level)
    # Honest on a part only: measure the difference to the pilot there, and the pilot everywhere.
    difference = summarise(own - problem.pilot_terms, weight * honest, 0.0)
    base = summarise(problem.pilot_terms, weight * whole, level)
    return Risk(base.value + difference.value, float(np.hypot(base.error, difference.error)))


def _slope(noise: NoiseModel, image: Tensor) -> Tensor:
    """Return how much undoing the clipping stretches each value; 1 where nothing was clipped."""
    if not any(noise.clip) or noise.kind == "impulse":
        return torch.ones_like(image)
    step = 1e-3
    return (noise.unclip(image + step) - noise.unclip(image - step)) / (2 * step)


def _candidate(found: Solution, note: str) -> Candidate:
    psnr = None if found.risk is None else to_interval(found.risk, 0.0, "").value
    return Candidate(found.name, psnr, found.seconds, note)


def _answer(
    problem: Problem,
    chosen: Solution,
    why: str,
    candidates: tuple[Candidate, ...],
    notes: tuple[str, ...],
) -> Answer:
    noise = problem.noise
    image = chosen.estimate.image
    std = chosen.estimate.std
    if noise.kind == "impulse":
        image = torch.where(problem.mask.bool(), problem.y, image)
    elif any(noise.clip) and chosen.name != "none":
        image = noise.unclip(image)
        notes += ("values were cut off at the end of the range; the shift this causes was undone",)
    variance = float(noise.variance(image).mean())
    return Answer(
        values=_array(image),
        noise=noise,
        method=chosen.name,
        why=why,
        stopped=chosen.stopped,
        std=None if std is None else _array(std),
        risk=chosen.risk,
        variance=variance,
        history=chosen.history,
        candidates=candidates,
        notes=notes + chosen.notes,
        interrupted=chosen.interrupted,
        recipe=chosen.recipe,
    )


def _array(image: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(image[0].permute(1, 2, 0).cpu().numpy())
