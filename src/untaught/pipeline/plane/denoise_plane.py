"""One plane from noisy to restored: measure, choose, solve, put together."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from untaught.fitting.progress import Options
from untaught.image.image import Plane
from untaught.method import ClosedForm, Method, Stopped
from untaught.methods.fusion import Fusion
from untaught.methods.registry import make
from untaught.noise import NoiseModel
from untaught.noise.estimation.measure import NONE
from untaught.pipeline.answer import Answer
from untaught.pipeline.plane.choose_methods import Plan, objection, plan
from untaught.pipeline.plane.choose_rule import refusal
from untaught.pipeline.plane.make_problem import prepare
from untaught.pipeline.plane.pilot import pilot_for, with_pilot
from untaught.pipeline.plane.selection import Search, mixture_of
from untaught.pipeline.plane.solution import Solution, against, solve, surely_better, untouched
from untaught.pipeline.request import Request
from untaught.problem import Problem
from untaught.results.restoration import Candidate
from untaught.risk.cross_validation import risk_at

HIDDEN = (
    "the noise that was found is as weak as what rounding to 8 bits leaves; whether a camera or compression has "
    "smoothed more of it cannot be told, so no PSNR is stated"
)
WORSE = (
    "by its own estimate this is worse than the input; the method 'auto' returns the input where nothing is better"
)


def restore_plane(plane: Plane, request: Request) -> Answer:
    """Restore one plane; see `untaught.denoise` for what the request may hold."""
    started = time.monotonic()
    if request.method == Fusion.name:
        request = replace(request, method=Fusion())
    problem, notes = prepare(plane, request)
    request, refused = _with_usable_rule(request, problem.noise)
    notes += refused
    if request.method == "auto" and problem.noise.negligible and problem.complete:
        return _answer(problem, untouched(problem), plan(problem.noise, problem.y.numel()).why, (), notes)
    pilot = None
    if not _alone(request):
        first = request.pilot or pilot_for(problem, request.seconds)
        problem, pilot = with_pilot(problem, request.seed, first, request.on_progress)
    if pilot is not None and pilot.interrupted:
        return _answer(problem, pilot, "it was ready when the run was interrupted", (), notes)
    left = None if request.seconds is None else max(request.seconds - (time.monotonic() - started), 0.0)
    options = Options(seconds=left, on_progress=request.on_progress, checkpoint=request.checkpoint)
    if request.parts:
        chosen, why = _again(problem, pilot, request, options), "a recipe asked for it"
        candidates: tuple[Candidate, ...] = (chosen.candidate("asked for"),)
    elif request.method == "auto" or isinstance(request.method, Fusion):
        chosen, why, candidates = _searched(problem, pilot, request, options)
    else:
        method = make(request.method) if isinstance(request.method, str) else request.method
        chosen, why, candidates, objections = _asked(method, problem, pilot, request, options)
        notes += objections
    return _answer(problem, _noted(chosen, pilot), why, candidates, notes)


def _with_usable_rule(request: Request, noise: NoiseModel) -> tuple[Request, tuple[str, ...]]:
    """Return the request without a stopping rule that cannot be used with this noise, and a note about that."""
    reason = refusal(request.rule, noise)
    if reason is None:
        return request, ()
    return replace(request, rule=None), (f"{reason}; the one for this noise took its place",)


def _alone(request: Request) -> bool:
    """Say whether a formula was asked for and the noise given: nothing has to be guided or refined."""
    if request.method == "auto":
        return False
    method = make(request.method) if isinstance(request.method, str) else request.method
    return isinstance(method, ClosedForm) and request.noise is not None and not request.noise.relative_error


def _asked(
    method: Method, problem: Problem, pilot: Solution | None, request: Request, options: Options
) -> tuple[Solution, str, tuple[Candidate, ...], tuple[str, ...]]:
    """Run the method that was asked for; return its solution, why it was taken, the candidates, and notes."""
    reason = objection(method.needs, problem.noise)
    notes = (f"{method.name} was asked for, but {reason}; look twice at the result",) if reason else ()
    if pilot is not None and method == make(pilot.name):
        return pilot, "it was asked for", (pilot.candidate("asked for"),), notes
    try:
        chosen = solve(method, problem, request.seed, options, request.rule)
    except KeyboardInterrupt:  # in a formula, which leaves nothing behind
        if pilot is None:
            raise
        chosen = Solution(method.name, pilot.estimate, None, Stopped.interrupted(0), interrupted=True)
    if not isinstance(method, ClosedForm):
        chosen = against(chosen, pilot, problem.noise)
    candidate = chosen.candidate("asked for")
    if pilot is None or not _cut_short(chosen, pilot, problem):
        return chosen, "it was asked for", (candidate,), notes
    ended = "it was interrupted" if chosen.interrupted else "its time was over"
    reached = "it was better than its first picture" if chosen.stopped.step else "its first step"
    why = f"{method.name} was asked for, but {ended} before {reached}"
    candidates = (pilot.candidate("the first picture"), candidate)
    return replace(pilot, stopped=chosen.stopped, interrupted=chosen.interrupted), why, candidates, notes


def _again(problem: Problem, pilot: Solution | None, request: Request, options: Options) -> Solution:
    """Make the mixture of a recipe again."""
    found = [
        pilot if pilot and method == make(pilot.name) else solve(method, problem, request.seed, options, rule)
        for method, rule in request.parts
    ]
    return mixture_of(found, problem, pilot) or found[0]


def _cut_short(chosen: Solution, pilot: Solution, problem: Problem) -> bool:
    """Say whether a fit was ended while the picture it started from was all there was, or the best so far."""
    if chosen.idle:
        return True
    return (
        chosen.stopped.rule == "time limit"
        and chosen.terms is not None
        and surely_better(pilot, chosen, problem.noise)
    )


def _noted(chosen: Solution, pilot: Solution | None) -> Solution:
    """Write into the recipe which method made the pilot, for that may depend on the clock."""
    if pilot is None or chosen.recipe is None:
        return chosen
    return replace(chosen, recipe=chosen.recipe.model_copy(update={"pilot": pilot.name}))


def _searched(
    problem: Problem, pilot: Solution | None, request: Request, options: Options
) -> tuple[Solution, str, tuple[Candidate, ...]]:
    """Try what the plan, or the fusion asked for, says while there is time; keep what is better beyond chance."""
    planned = plan(problem.noise, problem.y.numel())
    search = Search(problem, request.seed, options, request.rule, pilot)
    methods = [make(name) for name in planned.methods]
    if isinstance(request.method, Fusion):
        methods = [make(part) if isinstance(part, str) else part for part in request.method.parts]
        planned = replace(planned, why="a fusion was asked for")
    if pilot is not None and pilot.name not in [method.name for method in methods]:
        methods = [make(pilot.name)]  # it was taken for lack of time, so there is none for the others either
    search.run(methods)
    why = _reason(search, planned)
    return search.best, why, tuple(search.candidates)


def _reason(search: Search, planned: Plan) -> str:
    """Say why the method was tried, and which others were and did not do better."""
    if not search.changed:
        return "no method's estimated error was below the input's, so nothing was changed"
    best = search.best
    if search.mixed and best.name == Fusion.name:
        parts = " and ".join(part.name for part in search.mixed)
        return f"{planned.why}; mixed, {parts} have a smaller estimated error than each alone"
    others = [c.method for c in search.candidates if c.method != best.name and c.psnr is not None]
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
    if noise.replaces:
        image = torch.where(problem.mask.bool(), problem.y, image)
    elif any(noise.clip) and chosen.name != "none":
        image = noise.unclip(image)
        notes += ("values were cut off at the end of the range; the shift this causes was undone",)
    variance = float(noise.variance(image).mean()) if not noise.replaces else 0.0
    risk = chosen.risk
    if risk is not None and noise.replaces:  # only what was hit was drawn anew
        risk = risk_at(chosen.terms, problem.mask)
    if risk is not None and _hidden(problem):
        risk, candidates = None, tuple(replace(entry, psnr=None) for entry in candidates)
        notes += (HIDDEN,)
    if risk is not None and chosen.name != "none" and 0 < noise.with_unseen(variance) < risk.value:
        notes += (WORSE,)
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
        learnt=chosen.estimate.learnt,
        whole=chosen.name == "none" and not noise.replaces and not problem.complete,
    )


def _hidden(problem: Problem) -> bool:
    """Say whether the noise that was measured may as well be what rounding to 8 bits, or compression, left."""
    noise, levels = problem.noise, 255 * problem.y
    measured = noise.relative_error > 0 and not noise.replaces
    return measured and noise.level < NONE and bool((levels - levels.round()).abs().max() < 1e-2)


def _array(image: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(image[0].permute(1, 2, 0).cpu().numpy())
