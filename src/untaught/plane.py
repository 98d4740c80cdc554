"""One plane from noisy to restored: measure, choose, solve, put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.choose import NOTHING, Plan, objection, plan
from untaught.errors import InputError
from untaught.fit import Options, Progress
from untaught.image import Plane
from untaught.methods import make
from untaught.methods.base import Problem
from untaught.noise import NoiseModel
from untaught.result import Candidate, History, PlaneRecipe, Stopped
from untaught.risk import Risk
from untaught.solution import Method, Solution, pilot_for, solve, surely_better, untouched, with_pilot
from untaught.stopping import Rule

LEAST_SECONDS = 1.0  # less than this is not worth starting another method for


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
    pilot: str | None = None  # the method that makes the pilot, from a recipe; None chooses by the time


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


def restore_plane(plane: Plane, request: Request) -> Answer:
    """Restore one plane; see `untaught.denoise` for what the request may hold."""
    started = time.monotonic()
    problem, notes = prepare(plane, request)
    if request.method == "auto" and problem.noise.level < NOTHING and problem.complete:
        return _answer(problem, untouched(problem), plan(problem.noise).why, (), notes)
    first = request.pilot or pilot_for(problem, request.seconds)
    problem, pilot = with_pilot(problem, request.seed, first, request.on_progress)
    if pilot is not None and pilot.interrupted:
        return _answer(problem, pilot, "it was ready when the run was interrupted", (), notes)
    left = None if request.seconds is None else max(request.seconds - (time.monotonic() - started), 0.0)
    options = Options(
        seconds=left,
        on_progress=request.on_progress,
        checkpoint=request.checkpoint,
    )
    if request.method == "auto":
        chosen, why, candidates = _auto(problem, pilot, request, options)
        return _answer(problem, _noted(chosen, pilot), why, candidates, notes)
    method = make(request.method) if isinstance(request.method, str) else request.method
    reason = objection(method.needs, problem.noise)
    if reason:
        notes += (f"{method.name} was asked for, but {reason}; look twice at the result",)
    if pilot is not None and method == make(pilot.name):
        chosen = pilot
    else:
        chosen = solve(method, problem, request.seed, options, request.rule)
    candidates, why = (chosen.candidate("asked for"),), "it was asked for"
    if pilot is not None and _cut_short(chosen, pilot, problem):
        why = f"{chosen.name} was asked for, but its time was over before it was better than its first picture"
        candidates = (pilot.candidate("the first picture"), *candidates)
        chosen = replace(pilot, stopped=chosen.stopped)
    return _answer(problem, _noted(chosen, pilot), why, candidates, notes)


def _cut_short(chosen: Solution, pilot: Solution, problem: Problem) -> bool:
    """Say whether a fit ran out of time while the picture it started from was still the best so far."""
    out_of_time = chosen.stopped.rule == "time limit" and chosen.terms is not None
    return out_of_time and surely_better(pilot, chosen, problem.noise)


def _noted(chosen: Solution, pilot: Solution | None) -> Solution:
    """Write into the recipe which method made the pilot, for that may depend on the clock."""
    if pilot is None or chosen.recipe is None:
        return chosen
    return replace(chosen, recipe=chosen.recipe.model_copy(update={"pilot": pilot.name}))


def prepare(plane: Plane, request: Request) -> tuple[Problem, tuple[str, ...]]:
    """Measure the noise where it was not given, and make the problem; the notes say what was found."""
    from untaught.noise import measure

    if not ((plane.values > 0) & (plane.values < 1)).any() and np.unique(plane.values).size <= 2:
        raise InputError("every pixel is black or white: there is no grey in between to restore from")
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


def _auto(
    problem: Problem, pilot: Solution | None, request: Request, options: Options
) -> tuple[Solution, str, tuple[Candidate, ...]]:
    """Try what the plan says while there is time, and keep what is better beyond chance."""
    planned = plan(problem.noise)
    best = kept = untouched(problem)
    candidates: list[Candidate] = []
    started = time.monotonic()
    # A pilot that is not in the plan was taken for lack of time, so there is none for the plan either.
    names = planned.methods if pilot is None or pilot.name in planned.methods else (pilot.name,)
    for name in names:
        left = None if options.seconds is None else options.seconds - (time.monotonic() - started)
        if pilot is not None and name == pilot.name:
            found = pilot
        elif left is not None and left < LEAST_SECONDS and best is not kept:
            candidates.append(Candidate(name, None, 0.0, "not tried: the time was over"))
            continue
        else:
            found = solve(make(name), problem, request.seed, replace(options, seconds=left), request.rule)
        better = (best is kept and found.risk is None) or surely_better(found, best, problem.noise)
        candidates.append(found.candidate("better than what was there before" if better else "not surely better"))
        best = found if better else best
        if found.interrupted:
            return replace(best, interrupted=True), planned.why, tuple(candidates)
    if best is kept:
        why = "no method's estimated error was below the input's, so nothing was changed"
        return kept, why, tuple(candidates)
    return best, _reason(best, planned, candidates), tuple(candidates)


def _reason(best: Solution, planned: Plan, candidates: list[Candidate]) -> str:
    """Say why the method was tried, and which others were and did not do better."""
    others = [c.method for c in candidates if c.method != best.name and c.psnr is not None]
    if not others:
        return planned.why
    return f"{planned.why}; of {best.name} and {', '.join(others)} it has the smallest estimated error"


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
    variance = float(noise.variance(image).mean()) if noise.kind != "impulse" else 0.0
    risk = chosen.risk
    if risk is not None and noise.kind == "impulse":  # only what was hit was drawn anew
        hit = 1 - float(problem.mask.mean())
        risk = Risk(hit * risk.value, hit * risk.error)
    return Answer(
        values=_array(image),
        noise=noise,
        method=chosen.name,
        why=why,
        stopped=chosen.stopped,
        std=None if std is None else _array(std),
        risk=risk,
        variance=variance,
        history=chosen.history,
        candidates=candidates,
        notes=notes + chosen.notes,
        interrupted=chosen.interrupted,
        recipe=chosen.recipe,
    )


def _array(image: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(image[0].permute(1, 2, 0).cpu().numpy())
