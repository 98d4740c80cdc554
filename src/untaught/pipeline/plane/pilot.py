"""The pilot: the first estimate, which guides the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from untaught.fitting.progress import Options, Progress
from untaught.method import Method
from untaught.methods.registry import make
from untaught.pipeline.plane.refine_noise import refine
from untaught.pipeline.plane.solution import Solution, clean_risk, solve
from untaught.problem import Estimate, Guide, Problem
from untaught.risk.sure import common_kernel

PILOT_SECONDS = 100.0  # roughly, for the non-local picture of a colour megapixel and its error, on one core
PILOT_CORES = 2  # as many were seen to share that evenly
# Of the variance that was measured first, what is found then: below, the picture is made again. It gained .1 to
# 1.1 dB on four of 84 noisy crops of Kodak and scikit-image, dark ones with speckle; no other came below.
WEAKER = 0.9


def pilot_for(problem: Problem, seconds: float | None) -> str:
    """Return the method for the pilot: wavelets where `seconds` are too few for the non-local picture."""
    need = PILOT_SECONDS / min(torch.get_num_threads(), PILOT_CORES) * problem.y.numel() / 3e6
    return "nonlocal" if seconds is None or seconds > need else "wavelet"


def with_pilot(
    problem: Problem, seed: int, name: str, on_progress: Callable[[Progress], None] | None = None
) -> tuple[Problem, Solution | None]:
    """Return the problem guided by what the method `name` makes of it, its noise level refined, and that.

    Where the noise turns out to be much weaker than was measured at first, the picture was smoothed too much: then
    it is made again.
    """
    if problem.noise.negligible or problem.noise.replaces:
        return problem, None
    method, options, measured = make(name), Options(on_progress=on_progress), problem.noise
    guided, first = _guided(method, problem, seed, options)
    if first.terms is None or guided.noise.level**2 > WEAKER * measured.level**2:
        return guided, first
    noise = replace(guided.noise, relative_error=measured.relative_error)
    try:
        again, second = _guided(method, replace(problem, noise=noise), seed, options)
    except KeyboardInterrupt:
        return guided, replace(first, interrupted=True)
    return (guided, replace(first, interrupted=True)) if second.interrupted else (again, second)


def _guided(method: Method, problem: Problem, seed: int, options: Options) -> tuple[Problem, Solution]:
    first = solve(method, problem, seed, options, judged=False)
    problem = replace(problem, guide=first.estimate.guide or _again(first.estimate))
    if first.terms is None:
        return replace(problem, pilot=first.estimate.image), first
    image = first.estimate.image
    problem = replace(problem, noise=refine(problem, image, first.terms), pilot=image)
    terms = first.terms.of_variance(common_kernel(problem, image))
    return problem, replace(first, terms=terms, risk=clean_risk(method, problem, image, terms))


def _again(made: Estimate) -> Guide | None:
    """Return a guide that does the same for another observation, whatever its variance."""
    function = made.function
    return None if function is None else lambda y, _: function(y)
